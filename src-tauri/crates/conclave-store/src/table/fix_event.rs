//! What happened to fixes, in order; what was seen is never changed, and leaves only with everything of its client.

use conclave_core::id::{CandidateId, FindingId};
use conclave_core::label::Event;
use rusqlite::{Transaction, params};

use crate::db::Store;
use crate::error::Result;
use crate::table::{rating, successful_patterns};

pub(crate) const CREATE: &str = "
CREATE TABLE fix_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    finding TEXT NOT NULL,
    fix_id TEXT NOT NULL,
    event TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX fix_event_of_fix ON fix_event (client, finding, fix_id, id);
CREATE TRIGGER fix_event_is_not_changed BEFORE UPDATE ON fix_event
BEGIN SELECT RAISE(ABORT, 'what happened is not changed'); END;
";

impl Store {
    /// Adds what happened to `fix` of `finding`, which is known already.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn add_fix_event(
        &self,
        client: &str,
        finding: &FindingId,
        fix: &CandidateId,
        event: &Event,
        now_ms: i64,
    ) -> Result<()> {
        let json = serde_json::to_string(event)?;
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO fix_event (client, finding, fix_id, event, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![client, finding.as_str(), fix.as_str(), json, now_ms],
            )?;
            let merged = match event {
                Event::Merged => Some(true),
                // A fix that is taken back, or written anew, is no longer the one that was merged.
                Event::Applied { .. } | Event::Reverted => Some(false),
                Event::Edited | Event::Kept | Event::TestsAfter { .. } | Event::Rated { .. } => None,
            };
            if let Some(merged) = merged {
                transaction.execute(
                    "UPDATE model_performance SET was_merged = ?4 WHERE client = ?1 AND finding = ?2 AND fix_id = ?3",
                    params![client, finding.as_str(), fix.as_str(), merged],
                )?;
            }
            successful_patterns::count(transaction, client, finding, fix)
        })
    }
}

/// What happened to one fix, ratings among it, oldest first, each with its time.
pub(crate) fn of(
    transaction: &Transaction<'_>,
    client: &str,
    finding: &FindingId,
    fix: &CandidateId,
) -> Result<Vec<(i64, Event)>> {
    let mut statement = transaction.prepare_cached(
        "SELECT at, event FROM fix_event WHERE client = ?1 AND finding = ?2 AND fix_id = ?3 ORDER BY id",
    )?;
    let mut rows = statement.query(params![client, finding.as_str(), fix.as_str()])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let event: String = row.get(1)?;
        events.push((row.get(0)?, serde_json::from_str(&event)?));
    }
    events.extend(rating::events(transaction, client, finding, fix)?);
    events.sort_by_key(|(at, _)| *at);
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, fresh};

    #[test]
    fn what_happened_cannot_be_rewritten() {
        let (_folder, store) = fresh();
        let (finding, fix) = (FindingId::new("f"), CandidateId::new("c"));
        store.add_fix_event("", &finding, &fix, &Event::Kept, NOW).unwrap();
        let error = store.write(|t| Ok(t.execute("UPDATE fix_event SET at = 0", [])?)).unwrap_err();
        assert!(error.to_string().contains("not changed"), "{error}");
    }
}
