//! What calls to models cost: set aside before a call, settled after it.
//!
//! Money is set aside in the transaction that looks at the limits, so that no number of calls, in whichever processes,
//! passes one together. Running totals stand beside the rows and change in the same transaction: a limit is looked up,
//! not summed.
//! Invariants: an unknown cost is `NULL`, never zero; what is set aside counts as spent until it is settled, also after
//! its process has died; a call whose cost stays unknown keeps what was set aside as spent. A server that charges more
//! than was set aside is believed: then the sum passes a limit by that, and the next call is refused.

use conclave_core::id::{FindingId, ProjectId, RunId};
use conclave_core::money::Money;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::spend_list::{Change, SpendOf, change_totals, limited};

pub(crate) const CREATE: &str = "
CREATE TABLE spend (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    day INTEGER NOT NULL,
    project TEXT,
    finding TEXT,
    run TEXT,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    purpose TEXT NOT NULL,
    price_date TEXT,
    claimant INTEGER NOT NULL,
    reserved INTEGER,
    actual INTEGER,
    input_tokens INTEGER,
    cached_tokens INTEGER,
    output_tokens INTEGER,
    reasoning_tokens INTEGER,
    outcome TEXT
) STRICT;
CREATE INDEX spend_of_run ON spend (run, id) WHERE run IS NOT NULL;
CREATE INDEX spend_open ON spend (claimant) WHERE outcome IS NULL;
CREATE TABLE spend_total (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    calls INTEGER NOT NULL,
    open INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    assumed INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
";

/// Finds the calls of the last days.
pub(crate) const BY_DAY: &str = "CREATE INDEX spend_by_day ON spend (day);";

/// The outcome of a call whose process died before it was settled.
pub const NOT_SETTLED: &str = "not_settled";

/// More tokens than any server counts for one call; a count above it is kept as this.
const MOST_TOKENS: u64 = u32::MAX as u64;

/// A call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSpend {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// On which day, counted from 1970-01-01, where the person is.
    pub day: i64,
    /// For which project.
    pub project: Option<ProjectId>,
    /// For which finding.
    pub finding: Option<FindingId>,
    /// In which run.
    pub run: Option<RunId>,
    /// Whom it asks, by its name in the settings.
    pub provider: String,
    /// The model, by the name that its provider knows.
    pub model: String,
    /// What for, for example `propose`.
    pub purpose: String,
    /// The most that it can cost; `None` where no price is known.
    pub most: Option<Money>,
    /// The day that the price is known from.
    pub price_date: Option<String>,
}

/// What may be spent; what is `None` is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// On one call.
    pub call: Option<Money>,
    /// On the call's finding, over all its runs.
    pub finding: Option<Money>,
    /// On the call's run.
    pub run: Option<Money>,
    /// On the call's day.
    pub day: Option<Money>,
    /// On the call's project, ever.
    pub project: Option<Money>,
    /// On everything, ever.
    pub all: Option<Money>,
}

/// Which of the [`Caps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// Of one call.
    Call,
    /// Of the finding.
    Finding,
    /// Of the run.
    Run,
    /// Of the day.
    Day,
    /// Of the project.
    Project,
    /// Of everything.
    All,
}

/// Whether money is set aside for a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Reserving {
    /// It is, durably.
    Held(Reservation),
    /// It would pass a limit; nothing is set aside.
    Over(OverCap),
    /// There is a limit, and what the call costs is not known; nothing is set aside.
    Unpriced,
}

/// Money that is set aside for one call, until [`Store::settle`].
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    id: i64,
}

/// A limit that a call would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} more would pass the limit of {limit} for {cap}: {spent} is spent and {reserved} is set aside")]
pub struct OverCap {
    /// Which.
    pub cap: Cap,
    /// How much it is.
    pub limit: Money,
    /// What was spent under it.
    pub spent: Money,
    /// What is set aside under it for calls that have not been settled.
    pub reserved: Money,
    /// What the call may cost.
    pub wanted: Money,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What it cost; `None` where that cannot be known, then what was set aside counts as spent.
    pub actual: Option<Money>,
    /// The tokens, where the server counted them.
    pub tokens: Option<Tokens>,
    /// How it ended: `answered`, `refused`, `cancelled`, or how it failed.
    pub outcome: String,
}

/// Tokens of one or many calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Read, those from a cache included.
    pub input: u64,
    /// Of these, read from the server's cache.
    pub cached: u64,
    /// Written, those of its reasoning included.
    pub output: u64,
    /// Of these, of its reasoning.
    pub reasoning: u64,
}

impl Store {
    /// Sets the most that a call can cost aside, unless that would pass one of `caps`; `done` hears when it is durable.
    ///
    /// It returns at once, and what is handed over at the same time waits for the disk together; `done` is called on a
    /// thread that others wait for, so it is quick and does not use the store.
    pub fn reserve(&self, spend: NewSpend, caps: Caps, done: impl FnOnce(Result<Reserving>) + Send + 'static) {
        match self.claimant() {
            Ok(claimant) => {
                self.writer().hand_over(move |transaction| reserve(transaction, &spend, &caps, claimant), done);
            }
            Err(error) => done(Err(error)),
        }
    }

    /// Puts what a call came to in the place of what was set aside for it; `done` as in [`Store::reserve`].
    pub fn settle(
        &self,
        reservation: Reservation,
        settlement: Settlement,
        done: impl FnOnce(Result<()>) + Send + 'static,
    ) {
        self.writer().hand_over(move |transaction| settle(transaction, reservation.id, &settlement), done);
    }

    /// Gives back what was set aside for a call that was not made: it is in no sum then, and in no list. `done` as in
    /// [`Store::reserve`].
    pub fn give_back(&self, reservation: Reservation, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.writer().hand_over(move |transaction| give_back(transaction, reservation.id), done);
    }

    /// Counts what processes had set aside that have died as spent; gives the number of their calls.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn settle_lost(&self) -> Result<u32> {
        let claimants: Vec<i64> = self.read(|transaction| {
            let mut statement = transaction.prepare("SELECT DISTINCT claimant FROM spend WHERE outcome IS NULL")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        })?;
        let dead: Vec<i64> = claimants.into_iter().filter(|claimant| !self.lives(*claimant)).collect();
        if dead.is_empty() {
            return Ok(0);
        }
        self.write(|transaction| {
            let mut count = 0;
            for claimant in dead {
                let sql = "SELECT id FROM spend WHERE claimant = ?1 AND outcome IS NULL";
                let mut statement = transaction.prepare(sql)?;
                let calls =
                    statement.query_map([claimant], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
                for call in calls {
                    let lost = Settlement { actual: None, tokens: None, outcome: NOT_SETTLED.to_owned() };
                    settle(transaction, call, &lost)?;
                    count += 1;
                }
            }
            Ok(count)
        })
    }
}

fn reserve(transaction: &Transaction<'_>, spend: &NewSpend, caps: &Caps, claimant: i64) -> Result<Reserving> {
    if let Some(over) = caps.over(transaction, spend)? {
        return Ok(over);
    }
    let most = spend.most.map(micros).transpose()?;
    transaction
        .prepare_cached(
            "INSERT INTO spend
                (at, day, project, finding, run, provider, model, purpose, price_date, claimant, reserved)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            spend.at_ms,
            spend.day,
            spend.project.as_ref().map(ProjectId::as_str),
            spend.finding.as_ref().map(FindingId::as_str),
            spend.run.as_ref().map(RunId::as_str),
            spend.provider,
            spend.model,
            spend.purpose,
            spend.price_date,
            claimant,
            most
        ])?;
    let id = transaction.last_insert_rowid();
    let change = Change {
        calls: 1,
        open: 1,
        unknown: i64::from(most.is_none()),
        estimated: most.unwrap_or(0),
        reserved: most.unwrap_or(0),
        ..Change::default()
    };
    change_totals(transaction, id, &change)?;
    Ok(Reserving::Held(Reservation { id }))
}

fn settle(transaction: &Transaction<'_>, id: i64, settlement: &Settlement) -> Result<()> {
    let actual = settlement.actual.map(micros).transpose()?;
    let tokens = settlement.tokens.map(|tokens| {
        [tokens.input, tokens.cached, tokens.output, tokens.reasoning].map(|n| n.min(MOST_TOKENS).cast_signed())
    });
    let reserved: Option<i64> = transaction
        .prepare_cached(
            "UPDATE spend SET actual = ?2, outcome = ?3,
                input_tokens = ?4, cached_tokens = ?5, output_tokens = ?6, reasoning_tokens = ?7
             WHERE id = ?1 AND outcome IS NULL RETURNING reserved",
        )?
        .query_row(
            params![
                id,
                actual,
                settlement.outcome,
                tokens.map(|tokens| tokens[0]),
                tokens.map(|tokens| tokens[1]),
                tokens.map(|tokens| tokens[2]),
                tokens.map(|tokens| tokens[3])
            ],
            |row| row.get(0),
        )
        .optional()?
        .ok_or_else(|| StoreError::Missing { what: "open reservation", id: id.to_string() })?;
    let assumed = if actual.is_none() { reserved.unwrap_or(0) } else { 0 };
    let change = Change {
        open: -1,
        unknown: -i64::from(reserved.is_none() && actual.is_some()),
        reserved: -reserved.unwrap_or(0),
        spent: actual.unwrap_or(assumed),
        assumed,
        tokens: tokens.unwrap_or_default(),
        ..Change::default()
    };
    change_totals(transaction, id, &change)
}

fn give_back(transaction: &Transaction<'_>, id: i64) -> Result<()> {
    let reserved: Option<i64> = transaction
        .prepare_cached("SELECT reserved FROM spend WHERE id = ?1 AND outcome IS NULL")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Missing { what: "open reservation", id: id.to_string() })?;
    let change = Change {
        calls: -1,
        open: -1,
        unknown: -i64::from(reserved.is_none()),
        estimated: -reserved.unwrap_or(0),
        reserved: -reserved.unwrap_or(0),
        ..Change::default()
    };
    change_totals(transaction, id, &change)?;
    transaction.prepare_cached("DELETE FROM spend WHERE id = ?1")?.execute([id])?;
    Ok(())
}

impl Caps {
    /// Why `spend` would not stay inside, if it would not.
    fn over(&self, transaction: &Transaction<'_>, spend: &NewSpend) -> Result<Option<Reserving>> {
        let project = spend.project.clone().map(SpendOf::Project);
        let finding = spend.finding.clone().map(SpendOf::Finding);
        let run = spend.run.clone().map(SpendOf::Run);
        for (cap, limit, of) in [
            (Cap::Call, self.call, None),
            (Cap::Run, self.run, run),
            (Cap::Finding, self.finding, finding),
            (Cap::Day, self.day, Some(SpendOf::Day(spend.day))),
            (Cap::Project, self.project, project),
            (Cap::All, self.all, Some(SpendOf::All)),
        ] {
            let Some(limit) = limit else { continue };
            let Some(wanted) = spend.most else { return Ok(Some(Reserving::Unpriced)) };
            let (spent, reserved) = match of {
                Some(of) => limited(transaction, &of)?,
                None if cap == Cap::Call => (Money::ZERO, Money::ZERO),
                // A call that is for no run is under no limit of a run.
                None => continue,
            };
            let sum = spent.checked_add(reserved).and_then(|sum| sum.checked_add(wanted));
            if sum.is_none_or(|sum| sum > limit) {
                return Ok(Some(Reserving::Over(OverCap { cap, limit, spent, reserved, wanted })));
            }
        }
        Ok(None)
    }
}

impl std::fmt::Display for Cap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Call => "one call",
            Self::Finding => "this finding",
            Self::Run => "this run",
            Self::Day => "a day",
            Self::Project => "this project",
            Self::All => "everything",
        })
    }
}

fn micros(money: Money) -> Result<i64> {
    i64::try_from(money.micros()).map_err(|_| StoreError::Sqlite(format!("{money} is more than it can keep")))
}

#[cfg(test)]
mod tests;
