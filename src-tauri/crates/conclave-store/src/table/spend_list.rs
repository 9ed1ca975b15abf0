//! What was spent: totals by project, finding, run, day and provider, and the calls one by one.
//!
//! Invariant: a total is what the rows of [`spend`](crate::table::spend) say; both change in one transaction.

use conclave_core::id::{FindingId, ProjectId, RunId};
use conclave_core::money::Money;
use rusqlite::{Row, Transaction, params};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::spend::Tokens;

/// The most rows of one page.
const PAGE: u32 = 500;

/// Whose spending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpendOf {
    /// Everything.
    All,
    /// A day, counted from 1970-01-01.
    Day(i64),
    /// A project.
    Project(ProjectId),
    /// A finding, over all its runs.
    Finding(FindingId),
    /// A run.
    Run(RunId),
    /// A provider, by its name in the settings.
    Provider(String),
}

/// What totals are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendBy {
    /// The day; the id is its number.
    Day,
    /// The project.
    Project,
    /// The provider.
    Provider,
}

/// What some calls cost together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpendTotal {
    /// How many there were.
    pub calls: u64,
    /// How many of them are not settled.
    pub open: u64,
    /// How many of them have a cost that is not known; it is in none of the sums.
    pub unknown: u64,
    /// What they were estimated to cost at most.
    pub estimated: Money,
    /// What is set aside for those that are not settled.
    pub reserved: Money,
    /// What those cost that are settled.
    pub spent: Money,
    /// The part of `spent` that is only what had been set aside, because the cost never became known.
    pub assumed: Money,
    /// Their tokens, as far as servers counted them.
    pub tokens: Tokens,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRow {
    /// Its number.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// For which project.
    pub project: Option<ProjectId>,
    /// For which finding.
    pub finding: Option<FindingId>,
    /// In which run.
    pub run: Option<RunId>,
    /// Whom it asked.
    pub provider: String,
    /// The model.
    pub model: String,
    /// What for.
    pub purpose: String,
    /// The day that its price is known from.
    pub price_date: Option<String>,
    /// What was set aside; `None` where no price is known.
    pub reserved: Option<Money>,
    /// What it cost; `None` while it is open, and where that never became known.
    pub actual: Option<Money>,
    /// Its tokens, where the server counted them.
    pub tokens: Option<Tokens>,
    /// How it ended, [`NOT_SETTLED`](crate::NOT_SETTLED) if its process did first; `None` while it is open.
    pub outcome: Option<String>,
}

/// A page of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendPage {
    /// Newest first.
    pub rows: Vec<SpendRow>,
    /// What to ask before for the next page; `None` on the last.
    pub next: Option<i64>,
}

impl Store {
    /// What `of` has cost together.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn spend_total(&self, of: &SpendOf) -> Result<SpendTotal> {
        self.read(|transaction| total(transaction, of))
    }

    /// The totals of each day, project or provider that had a call, with its id: days newest first, the others by id;
    /// `limit` at most.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn spend_totals(&self, by: SpendBy, limit: u32) -> Result<Vec<(String, SpendTotal)>> {
        let (kind, order) = match by {
            SpendBy::Day => ("day", "CAST(id AS INTEGER) DESC"),
            SpendBy::Project => ("project", "id"),
            SpendBy::Provider => ("provider", "id"),
        };
        self.read(|transaction| {
            let sql = format!("SELECT * FROM spend_total WHERE kind = ?1 AND calls > 0 ORDER BY {order} LIMIT ?2");
            let mut statement = transaction.prepare(&sql)?;
            let mut rows = statement.query(params![kind, limit])?;
            let mut totals = Vec::new();
            while let Some(row) = rows.next()? {
                totals.push((row.get("id")?, sums(row)?));
            }
            Ok(totals)
        })
    }

    /// What each provider has cost from the day `first` on, with its id, by id; summed up from the calls of these days.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn spend_since(&self, first: i64) -> Result<Vec<(String, SpendTotal)>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(SINCE)?;
            let mut rows = statement.query([first])?;
            let mut totals = Vec::new();
            while let Some(row) = rows.next()? {
                totals.push((row.get("id")?, sums(row)?));
            }
            Ok(totals)
        })
    }

    /// The calls of `of`, newest first, those before call `before` where it is given; `limit` at most.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn spends(&self, of: &SpendOf, before: Option<i64>, limit: u32) -> Result<SpendPage> {
        let (kind, id) = of.key();
        // Each has its column, by its own name.
        let condition = if *of == SpendOf::All { "?1 = ''".to_owned() } else { format!("{kind} = ?1") };
        let limit = limit.clamp(1, PAGE);
        self.read(|transaction| {
            let sql = format!("SELECT * FROM spend WHERE {condition} AND id < ?2 ORDER BY id DESC LIMIT ?3");
            let mut statement = transaction.prepare(&sql)?;
            let mut found = statement.query(params![id, before.unwrap_or(i64::MAX), limit + 1])?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                rows.push(one(row)?);
            }
            let more = rows.len() > limit as usize;
            rows.truncate(limit as usize);
            let next = rows.last().filter(|_| more).map(|row| row.id);
            Ok(SpendPage { rows, next })
        })
    }
}

impl SpendOf {
    /// What a total is found by.
    fn key(&self) -> (&'static str, String) {
        match self {
            Self::All => ("all", String::new()),
            Self::Day(day) => ("day", day.to_string()),
            Self::Project(id) => ("project", id.to_string()),
            Self::Finding(id) => ("finding", id.to_string()),
            Self::Run(id) => ("run", id.to_string()),
            Self::Provider(name) => ("provider", name.clone()),
        }
    }
}

/// The same sums as in `spend_total`, of the calls from a day on.
const SINCE: &str = "
SELECT provider AS id,
    COUNT(*) AS calls,
    SUM(outcome IS NULL) AS open,
    SUM(reserved IS NULL AND actual IS NULL) AS unknown,
    SUM(COALESCE(reserved, 0)) AS estimated,
    SUM(CASE WHEN outcome IS NULL THEN COALESCE(reserved, 0) ELSE 0 END) AS reserved,
    SUM(CASE WHEN outcome IS NULL THEN 0 ELSE COALESCE(actual, reserved, 0) END) AS spent,
    SUM(CASE WHEN outcome IS NULL OR actual IS NOT NULL THEN 0 ELSE COALESCE(reserved, 0) END) AS assumed,
    SUM(COALESCE(input_tokens, 0)) AS input_tokens,
    SUM(COALESCE(cached_tokens, 0)) AS cached_tokens,
    SUM(COALESCE(output_tokens, 0)) AS output_tokens,
    SUM(COALESCE(reasoning_tokens, 0)) AS reasoning_tokens
FROM spend WHERE day >= ?1 GROUP BY provider ORDER BY provider
";

/// By how much the totals change that a call is in.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) calls: i64,
    pub(crate) open: i64,
    pub(crate) unknown: i64,
    pub(crate) estimated: i64,
    pub(crate) reserved: i64,
    pub(crate) spent: i64,
    pub(crate) assumed: i64,
    /// Input, cached, output and reasoning.
    pub(crate) tokens: [i64; 4],
}

/// Adds `change` to every total that call `id` is in. A sum that does not fit is an error, as SQLite refuses it.
pub(crate) fn change_totals(transaction: &Transaction<'_>, id: i64, change: &Change) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO spend_total (kind, id, calls, open, unknown, estimated, reserved, spent, assumed,
                input_tokens, cached_tokens, output_tokens, reasoning_tokens)
             SELECT kind, total, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 FROM (
                SELECT 'all' AS kind, '' AS total
                UNION ALL SELECT 'day', CAST(day AS TEXT) FROM spend WHERE id = ?1
                UNION ALL SELECT 'project', project FROM spend WHERE id = ?1
                UNION ALL SELECT 'finding', finding FROM spend WHERE id = ?1
                UNION ALL SELECT 'run', run FROM spend WHERE id = ?1
                UNION ALL SELECT 'provider', provider FROM spend WHERE id = ?1)
             WHERE total IS NOT NULL
             ON CONFLICT (kind, id) DO UPDATE SET
                calls = calls + excluded.calls,
                open = open + excluded.open,
                unknown = unknown + excluded.unknown,
                estimated = estimated + excluded.estimated,
                reserved = reserved + excluded.reserved,
                spent = spent + excluded.spent,
                assumed = assumed + excluded.assumed,
                input_tokens = input_tokens + excluded.input_tokens,
                cached_tokens = cached_tokens + excluded.cached_tokens,
                output_tokens = output_tokens + excluded.output_tokens,
                reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens",
        )?
        .execute(params![
            id,
            change.calls,
            change.open,
            change.unknown,
            change.estimated,
            change.reserved,
            change.spent,
            change.assumed,
            change.tokens[0],
            change.tokens[1],
            change.tokens[2],
            change.tokens[3]
        ])?;
    Ok(())
}

/// What counts under a limit.
pub(crate) const LIMITED: &str = "SELECT spent, reserved FROM spend_total WHERE kind = ?1 AND id = ?2";

/// What `of` has spent, and what is set aside for it.
pub(crate) fn limited(transaction: &Transaction<'_>, of: &SpendOf) -> Result<(Money, Money)> {
    let (kind, id) = of.key();
    let mut statement = transaction.prepare_cached(LIMITED)?;
    let mut rows = statement.query(params![kind, id])?;
    let Some(row) = rows.next()? else { return Ok((Money::ZERO, Money::ZERO)) };
    Ok((Money::from_micros(number(row, "spent")?), Money::from_micros(number(row, "reserved")?)))
}

fn total(transaction: &Transaction<'_>, of: &SpendOf) -> Result<SpendTotal> {
    let (kind, id) = of.key();
    let mut statement = transaction.prepare_cached("SELECT * FROM spend_total WHERE kind = ?1 AND id = ?2")?;
    let mut rows = statement.query(params![kind, id])?;
    rows.next()?.map_or_else(|| Ok(SpendTotal::default()), sums)
}

fn sums(row: &Row<'_>) -> Result<SpendTotal> {
    Ok(SpendTotal {
        calls: number(row, "calls")?,
        open: number(row, "open")?,
        unknown: number(row, "unknown")?,
        estimated: Money::from_micros(number(row, "estimated")?),
        reserved: Money::from_micros(number(row, "reserved")?),
        spent: Money::from_micros(number(row, "spent")?),
        assumed: Money::from_micros(number(row, "assumed")?),
        tokens: tokens(row)?,
    })
}

fn tokens(row: &Row<'_>) -> Result<Tokens> {
    Ok(Tokens {
        input: number(row, "input_tokens")?,
        cached: number(row, "cached_tokens")?,
        output: number(row, "output_tokens")?,
        reasoning: number(row, "reasoning_tokens")?,
    })
}

fn one(row: &Row<'_>) -> Result<SpendRow> {
    let counted = row.get::<_, Option<i64>>("input_tokens")?.is_some();
    let text = |column| row.get::<_, Option<String>>(column);
    Ok(SpendRow {
        id: row.get("id")?,
        at_ms: row.get("at")?,
        project: text("project")?.map(ProjectId::new),
        finding: text("finding")?.map(FindingId::new),
        run: text("run")?.map(RunId::new),
        provider: row.get("provider")?,
        model: row.get("model")?,
        purpose: row.get("purpose")?,
        price_date: text("price_date")?,
        reserved: money(row, "reserved")?,
        actual: money(row, "actual")?,
        tokens: if counted { Some(tokens(row)?) } else { None },
        outcome: text("outcome")?,
    })
}

fn money(row: &Row<'_>, column: &str) -> Result<Option<Money>> {
    let micros: Option<i64> = row.get(column)?;
    micros.map(|micros| not_negative(micros, column).map(Money::from_micros)).transpose()
}

fn number(row: &Row<'_>, column: &str) -> Result<u64> {
    not_negative(row.get(column)?, column)
}

fn not_negative(n: i64, column: &str) -> Result<u64> {
    u64::try_from(n).map_err(|_| StoreError::Corrupt(format!("the {column} of a call or of several is {n}")))
}
