//! Lists of findings: filtered, ordered, page by page.
//!
//! A cursor is the sort key of the last row, so a page is found in the index and not by counting from the start, and
//! rows that come or go in between are neither shown twice nor skipped. Every order has its index, which also holds
//! project and status, the two filters of every day. The index is named in the query: without statistics SQLite takes
//! a project for the narrower choice and sorts 100,000 rows for a page of 200.

use conclave_core::finding::{Severity, Status};
use conclave_core::id::{FindingId, ProjectId};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Transaction, params_from_iter};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::finding::{COLUMNS, StoredFinding, rank, stored};
use crate::table::{count, word};

/// Which findings, in which order, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingQuery {
    /// Only of this project.
    pub project: Option<ProjectId>,
    /// Only with one of these; all when empty.
    pub statuses: Vec<Status>,
    /// Only as severe as this, or more.
    pub severity_at_least: Option<Severity>,
    /// Words that title, message, rule, path or tool must contain, each of them, whatever the case.
    pub words: Vec<String>,
    /// Only of this rule, whatever the case.
    pub rule: Option<String>,
    /// Only in paths that contain this, or that match it as a pattern when it has a `*` or `?`; `*` crosses folders.
    pub path: Option<String>,
    /// Only of this tool, whatever the case.
    pub tool: Option<String>,
    /// The order.
    pub sort: FindingSort,
    /// Where the page before ended.
    pub after: Option<String>,
    /// At most this many.
    pub limit: u32,
}

impl Default for FindingQuery {
    /// The first 200 of all, by risk.
    fn default() -> Self {
        Self {
            project: None,
            statuses: Vec::new(),
            severity_at_least: None,
            words: Vec::new(),
            rule: None,
            path: None,
            tool: None,
            sort: FindingSort::Risk,
            after: None,
            limit: 200,
        }
    }
}

/// How a list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FindingSort {
    /// Severity, path, line, id.
    #[default]
    Risk,
    /// Path, line, severity, id.
    Path,
    /// Newest first, then as by risk.
    Newest,
}

impl FindingSort {
    /// The columns, all ascending; the last one is unique.
    fn key(self) -> &'static str {
        match self {
            Self::Risk => "severity, path, line, id",
            Self::Path => "path, line, severity, id",
            Self::Newest => "newest, severity, path, line, id",
        }
    }

    fn index(self) -> &'static str {
        match self {
            Self::Risk => "finding_by_risk",
            Self::Path => "finding_by_path",
            Self::Newest => "finding_by_newest",
        }
    }
}

/// A page of findings.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingList {
    /// In order.
    pub items: Vec<StoredFinding>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<String>,
    /// How many match in all.
    pub total: u32,
}

/// Where a finding stands in its project by risk: the one before it, the one after it, its place from 1, how many.
pub type Neighbours = (Option<FindingId>, Option<FindingId>, u32, u32);

impl Store {
    /// The page of findings that `query` asks for.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for an `after` that no list of this order gave out.
    pub fn list_findings(&self, query: &FindingQuery) -> Result<FindingList> {
        let mut filter = Filter::of(query)?;
        self.read(|transaction| {
            let total = filter.count(transaction)?;
            let key = query.sort.key();
            if let Some(cursor) = &query.after {
                filter.after(key, cursor)?;
            }
            let limit = query.limit.max(1) as usize;
            // One row more than asked for tells whether there is another page.
            let (index, condition, order) = (query.sort.index(), filter.sql(), prefixed(key));
            let sql = format!(
                "SELECT {COLUMNS} FROM finding INDEXED BY {index} JOIN report ON report.finding = finding.id
                 {condition} ORDER BY {order} LIMIT {}",
                limit + 1
            );
            let mut statement = transaction.prepare(&sql)?;
            let mut rows = statement.query(params_from_iter(&filter.values))?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(stored(row)?);
            }
            let more = items.len() > limit;
            items.truncate(limit);
            let next = match items.last().filter(|_| more) {
                Some(last) => Some(cursor_at(transaction, key, &last.finding.id)?),
                None => None,
            };
            Ok(FindingList { items, next, total })
        })
    }

    /// Every finding that `query` asks for, page after page; `after` and `limit` of the query are not looked at.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn every_finding(&self, query: &FindingQuery) -> Result<Vec<StoredFinding>> {
        let mut query = FindingQuery { after: None, limit: 1000, ..query.clone() };
        let mut findings = Vec::new();
        loop {
            let page = self.list_findings(&query)?;
            findings.extend(page.items);
            query.after = page.next;
            if query.after.is_none() {
                return Ok(findings);
            }
        }
    }

    /// The findings before and after `id` in its project by risk; `None` for a finding that is not in the store.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn neighbours(&self, id: &FindingId) -> Result<Option<Neighbours>> {
        self.read(|transaction| {
            let project: Option<String> = transaction
                .query_row("SELECT project FROM finding WHERE id = ?1", [id.as_str()], |row| row.get(0))
                .optional()?;
            let Some(project) = project else { return Ok(None) };
            let (key, index) = (FindingSort::Risk.key(), FindingSort::Risk.index());
            let own = format!("(SELECT {key} FROM finding WHERE id = ?2)");
            let beside = |compare: &str, direction: &str| -> Result<Option<FindingId>> {
                let order = key.replace(',', &format!(" {direction},"));
                let sql = format!(
                    "SELECT id FROM finding INDEXED BY {index} WHERE project = ?1 AND ({key}) {compare} {own}
                     ORDER BY {order} {direction} LIMIT 1"
                );
                let id: Option<String> =
                    transaction.query_row(&sql, [&project, id.as_str()], |row| row.get(0)).optional()?;
                Ok(id.map(FindingId::new))
            };
            let counted = |condition: &str, values: &[&str]| -> Result<u32> {
                let sql = format!("SELECT count(*) FROM finding INDEXED BY {index} WHERE project = ?1 {condition}");
                Ok(count(transaction.query_row(&sql, params_from_iter(values), |row| row.get(0))?))
            };
            let position = counted(&format!("AND ({key}) <= {own}"), &[&project, id.as_str()])?;
            let total = counted("", &[&project])?;
            Ok(Some((beside("<", "DESC")?, beside(">", "ASC")?, position, total)))
        })
    }
}

/// Conditions that must all hold, with the values of their question marks in order.
#[derive(Default)]
struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    fn of(query: &FindingQuery) -> Result<Self> {
        let mut filter = Self::default();
        if let Some(project) = &query.project {
            filter.and("project = ?", [project.as_str().to_owned()]);
        }
        if !query.statuses.is_empty() {
            let words = query.statuses.iter().map(word).collect::<Result<Vec<_>>>()?;
            filter.and(&format!("status IN ({})", marks(words.len())), words);
        }
        if let Some(severity) = query.severity_at_least {
            filter.and("severity <= ?", [rank(severity)]);
        }
        for word in &query.words {
            filter.and("instr(words, ?) > 0", [word.to_lowercase()]);
        }
        if let Some(rule) = &query.rule {
            filter.and("rule = ? COLLATE NOCASE", [rule.clone()]);
        }
        if let Some(tool) = &query.tool {
            filter.and("tool = ? COLLATE NOCASE", [tool.clone()]);
        }
        match &query.path {
            // A bracket is part of many file names and no pattern here.
            Some(path) if path.contains(['*', '?']) => filter.and("path GLOB ?", [path.replace('[', "[[]")]),
            Some(path) => filter.and("instr(path, ?) > 0", [path.clone()]),
            None => {}
        }
        Ok(filter)
    }

    fn and<V: Into<Value>>(&mut self, condition: &str, values: impl IntoIterator<Item = V>) {
        self.conditions.push(condition.to_owned());
        self.values.extend(values.into_iter().map(Into::into));
    }

    /// Only rows behind the one at `cursor` in the order of `key`.
    fn after(&mut self, key: &str, cursor: &str) -> Result<()> {
        let columns: Vec<&str> = key.split(", ").collect();
        let wrong = || StoreError::Cursor(cursor.to_owned());
        let place: Vec<serde_json::Value> = serde_json::from_str(cursor).map_err(|_| wrong())?;
        if place.len() != columns.len() {
            return Err(wrong());
        }
        let mut values = Vec::new();
        for (column, value) in columns.iter().zip(place) {
            values.push(match (matches!(*column, "path" | "id"), value) {
                (true, serde_json::Value::String(text)) => Value::from(text),
                (false, serde_json::Value::Number(number)) => Value::from(number.as_i64().ok_or_else(wrong)?),
                _ => return Err(wrong()),
            });
        }
        self.and(&format!("({}) > ({})", prefixed(key), marks(columns.len())), values);
        Ok(())
    }

    fn sql(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!("WHERE {}", self.conditions.join(" AND ")) }
    }

    fn count(&self, transaction: &Transaction<'_>) -> Result<u32> {
        let sql = format!("SELECT count(*) FROM finding {}", self.sql());
        Ok(count(transaction.query_row(&sql, params_from_iter(&self.values), |row| row.get(0))?))
    }
}

fn marks(n: usize) -> String {
    vec!["?"; n].join(", ")
}

/// `key` with each column named as one of `finding`.
fn prefixed(key: &str) -> String {
    key.split(", ").map(|column| format!("finding.{column}")).collect::<Vec<_>>().join(", ")
}

/// The cursor behind the finding `id`: its sort key as a JSON list.
fn cursor_at(transaction: &Transaction<'_>, key: &str, id: &FindingId) -> Result<String> {
    let sql = format!("SELECT json_array({key}) FROM finding WHERE id = ?1");
    Ok(transaction.query_row(&sql, [id.as_str()], |row| row.get(0))?)
}

#[cfg(test)]
mod tests;
