//! One ingestion of one tool's results, and the findings that came with it.
//!
//! Invariants: a scan and its findings are saved in one transaction; a scan that failed brings no finding and closes
//! none; no finding is ever closed because a scan does not name it.

use conclave_core::finding::{Finding, Tool};
use conclave_core::id::{ProjectId, ScanId};
use rusqlite::{Row, params};

use crate::db::Store;
use crate::error::Result;
use crate::table::{count, finding};

pub(crate) const CREATE: &str = "
CREATE TABLE scan (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL REFERENCES project (id),
    tool TEXT NOT NULL,
    tool_version TEXT,
    source TEXT NOT NULL,
    failure TEXT,
    results INTEGER NOT NULL,
    complaints TEXT NOT NULL,
    complaint_count INTEGER NOT NULL,
    new INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX scan_of_tool ON scan (project, tool, seq);
";

/// One ingestion of one SARIF run, or one built-in scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanRecord {
    /// Its id.
    pub id: ScanId,
    /// Of which project.
    pub project: ProjectId,
    /// Whose results.
    pub tool: Tool,
    /// Where they came from, for people: a file's path or `built-in`.
    pub source: String,
    /// Whether they can be believed.
    pub state: ScanState,
    /// How many results the tool gave.
    pub results: u32,
    /// What was wrong with single results; the first ones, as sentences.
    pub complaints: Vec<String>,
    /// How many complaints there were in all.
    pub complaint_count: u32,
}

/// How a scan ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanState {
    /// The tool read what it should.
    Complete,
    /// It did not; that it reports nothing means nothing.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

/// What a saved scan changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanSaved {
    /// Findings seen for the first time.
    pub new: u32,
    /// Findings seen before.
    pub known: u32,
}

impl Store {
    /// Saves `scan` and, unless it failed, `findings`: all of it or nothing.
    ///
    /// A finding that is known keeps its status, note and first date; what the tool says of it now replaces what it
    /// said before, and it is no longer stale. One that was fixed and is reported again is open again.
    ///
    /// # Errors
    /// A database that cannot be written, or a project that is not in it.
    pub fn save_scan(&self, scan: &ScanRecord, findings: &[Finding], now_ms: i64) -> Result<ScanSaved> {
        self.write(|transaction| {
            let mut saved = ScanSaved::default();
            let failure = match &scan.state {
                ScanState::Failed { reason } => Some(reason),
                ScanState::Complete => {
                    for finding in findings {
                        match finding::upsert(transaction, finding, now_ms)? {
                            true => saved.new += 1,
                            false => saved.known += 1,
                        }
                    }
                    None
                }
            };
            transaction.execute(
                "INSERT OR REPLACE INTO scan
                    (id, project, tool, tool_version, source, failure, results, complaints, complaint_count, new, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    scan.id.as_str(),
                    scan.project.as_str(),
                    scan.tool.name,
                    scan.tool.version,
                    scan.source,
                    failure,
                    scan.results,
                    serde_json::to_string(&scan.complaints)?,
                    scan.complaint_count,
                    saved.new,
                    now_ms
                ],
            )?;
            Ok(saved)
        })
    }

    /// Whether the scan `id` has been saved before.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn has_scan(&self, id: &ScanId) -> Result<bool> {
        self.read(|transaction| {
            let sql = "SELECT EXISTS (SELECT 1 FROM scan WHERE id = ?1)";
            Ok(transaction.query_row(sql, [id.as_str()], |row| row.get(0))?)
        })
    }

    /// The last scan of each tool in `project`, newest first, with its time and how many findings were new in it.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn last_scans(&self, project: &ProjectId) -> Result<Vec<(ScanRecord, i64, u32)>> {
        self.read(|transaction| {
            // Beside `max`, SQLite gives the other columns of the row that has the maximum.
            let mut statement = transaction.prepare(
                "SELECT max(seq), id, project, tool, tool_version, source, failure, results, complaints,
                        complaint_count, new, at
                 FROM scan WHERE project = ?1 GROUP BY tool ORDER BY max(seq) DESC",
            )?;
            let mut rows = statement.query([project.as_str()])?;
            let mut scans = Vec::new();
            while let Some(row) = rows.next()? {
                scans.push((record(row)?, row.get(11)?, count(row.get(10)?)));
            }
            Ok(scans)
        })
    }
}

fn record(row: &Row<'_>) -> Result<ScanRecord> {
    let (id, project): (String, String) = (row.get(1)?, row.get(2)?);
    let failure: Option<String> = row.get(6)?;
    let complaints: String = row.get(8)?;
    Ok(ScanRecord {
        id: ScanId::new(id),
        project: ProjectId::new(project),
        tool: Tool { name: row.get(3)?, version: row.get(4)? },
        source: row.get(5)?,
        state: failure.map_or(ScanState::Complete, |reason| ScanState::Failed { reason }),
        results: count(row.get(7)?),
        complaints: serde_json::from_str(&complaints)?,
        complaint_count: count(row.get(9)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, finding, fresh_with_project, scan};
    use crate::{FindingQuery, StoreError};
    use conclave_core::finding::Status;

    fn total(store: &Store) -> u32 {
        store.list_findings(&FindingQuery::default()).unwrap().total
    }

    #[test]
    fn a_failed_scan_brings_nothing_and_closes_nothing() {
        let (_folder, store, project) = fresh_with_project();
        let first = scan(&project, "s1", ScanState::Complete);
        let found = [finding(&project, "a.py", 3), finding(&project, "b.py", 1)];
        assert_eq!(store.save_scan(&first, &found, NOW).unwrap(), ScanSaved { new: 2, known: 0 });

        let failed = scan(&project, "s2", ScanState::Failed { reason: "it crashed".into() });
        let more = [finding(&project, "c.py", 1)];
        assert_eq!(store.save_scan(&failed, &more, NOW + 1).unwrap(), ScanSaved::default());
        let empty = scan(&project, "s3", ScanState::Complete);
        store.save_scan(&empty, &[], NOW + 2).unwrap();

        assert_eq!(total(&store), 2);
        assert_eq!(store.status_counts(None).unwrap(), [(Status::Open, 2)].into());
    }

    #[test]
    fn the_last_scan_of_each_tool_comes_newest_first() {
        let (_folder, store, project) = fresh_with_project();
        let mut other = scan(&project, "s2", ScanState::Failed { reason: "no such program".into() });
        other.tool.name = "ruff".into();
        other.complaints = vec!["result 3 names no rule".into()];
        other.complaint_count = 40;
        let late = scan(&project, "s3", ScanState::Complete);
        store.save_scan(&scan(&project, "s1", ScanState::Complete), &[], NOW).unwrap();
        store.save_scan(&other, &[], NOW + 1).unwrap();
        store.save_scan(&late, &[finding(&project, "a.py", 1)], NOW + 2).unwrap();
        assert_eq!(store.last_scans(&project).unwrap(), [(late, NOW + 2, 1), (other, NOW + 1, 0)]);
    }

    #[test]
    fn a_scan_is_saved_whole_or_not_at_all() {
        let (_folder, store, project) = fresh_with_project();
        let stranger = finding(&ProjectId::new("unknown"), "b.py", 1);
        let error = store
            .save_scan(&scan(&project, "s1", ScanState::Complete), &[finding(&project, "a.py", 1), stranger], NOW)
            .unwrap_err();
        assert!(matches!(error, StoreError::Sqlite(_)), "{error}");
        assert_eq!(total(&store), 0);
        assert_eq!(store.last_scans(&project).unwrap(), []);
    }
}
