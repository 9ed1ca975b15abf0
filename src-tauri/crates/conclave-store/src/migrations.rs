//! All steps from an empty file to the present form, in order; the number of steps taken is SQLite's `user_version`.
//!
//! Invariants: a step that has been released is never edited, only followed by another; `db` runs steps on a copy,
//! so a step that fails leaves the old file as it was.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Result, StoreError};
use crate::{claim, table};

/// The steps; one line a change.
pub(crate) const STEPS: &[&str] = &[
    table::ledger::CREATE,
    table::project::CREATE,
    table::scan::CREATE,
    table::finding::CREATE,
    claim::CREATE,
    table::job::CREATE,
    table::stage::CREATE,
    table::resolution::CREATE,
    table::intent::CREATE,
    table::outcome::CREATE,
    table::ask::CREATE,
    table::hook_call::CREATE,
    table::key::CREATE,
    table::exchange::CREATE,
    table::ledger_list::CREATE,
    table::spend::CREATE,
    table::metric::CREATE,
    table::ask::WITHDRAWN,
    table::ledger::MODEL_CLASS,
    table::ledger_list::MODEL_CLASS,
    table::spend::BY_DAY,
    table::metric::PAST,
    table::job::ALONE,
    table::job::PAUSE,
    table::model_performance::CREATE,
    table::fix_event::CREATE,
    table::rating::CREATE,
    table::successful_patterns::CREATE,
    table::edge_case::CREATE,
    table::finding::DISMISSED,
    table::job::EFFORT,
    table::memory::CREATE,
    table::server_pin::CREATE,
    table::intent::FIXES,
    table::dropped_pattern::CREATE,
    table::comparison::CREATE,
];

/// How many steps the open database has taken.
///
/// # Errors
/// [`StoreError::Corrupt`] where the number cannot be one.
pub(crate) fn version(connection: &Connection) -> Result<u32> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    u32::try_from(version).map_err(|_| StoreError::Corrupt(format!("its form is {version}")))
}

/// Takes the `steps` that `connection` has not taken yet, all or none.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<()> {
    let taken = version(connection)? as usize;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    for step in steps.iter().skip(taken) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", steps.len() as u32)?;
    transaction.commit()?;
    Ok(())
}
