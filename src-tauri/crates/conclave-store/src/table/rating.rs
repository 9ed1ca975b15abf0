//! What people said of fixes, with their reasons; the last word counts, and every word stays.

use conclave_core::id::{CandidateId, FindingId};
use conclave_core::label::{Event, Reason, Thumb};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::db::Store;
use crate::error::Result;
use crate::table::{from_word, successful_patterns, word};

pub(crate) const CREATE: &str = "
CREATE TABLE rating (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    finding TEXT NOT NULL,
    fix_id TEXT NOT NULL,
    thumb TEXT NOT NULL,
    reasons TEXT NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX rating_of_fix ON rating (client, finding, fix_id, id);
CREATE TRIGGER rating_is_not_changed BEFORE UPDATE ON rating
BEGIN SELECT RAISE(ABORT, 'what was said is not changed'); END;
";

/// What a person said of a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// How they judge it.
    pub thumb: Thumb,
    /// Why.
    pub reasons: Vec<Reason>,
    /// In their words; may be empty.
    pub note: String,
}

impl Store {
    /// Adds what a person said of `fix` of `finding`, which is known already.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn add_rating(
        &self,
        client: &str,
        finding: &FindingId,
        fix: &CandidateId,
        rating: &Rating,
        now_ms: i64,
    ) -> Result<()> {
        let reasons = serde_json::to_string(&rating.reasons)?;
        let satisfaction = match rating.thumb {
            Thumb::Up => 1,
            Thumb::Down => -1,
        };
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO rating (client, finding, fix_id, thumb, reasons, note, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![client, finding.as_str(), fix.as_str(), word(&rating.thumb)?, reasons, rating.note, now_ms],
            )?;
            transaction.execute(
                "UPDATE model_performance SET customer_satisfaction = ?4
                 WHERE client = ?1 AND finding = ?2 AND fix_id = ?3",
                params![client, finding.as_str(), fix.as_str(), satisfaction],
            )?;
            successful_patterns::count(transaction, client, finding, fix)
        })
    }

    /// What was last said of `fix` of `finding`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn rating(&self, client: &str, finding: &FindingId, fix: &CandidateId) -> Result<Option<Rating>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT thumb, reasons, note FROM rating WHERE client = ?1 AND finding = ?2 AND fix_id = ?3
                 ORDER BY id DESC LIMIT 1",
            )?;
            let row: Option<(String, String, String)> = statement
                .query_row(params![client, finding.as_str(), fix.as_str()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()?;
            let rating = |(thumb, reasons, note): (String, String, String)| -> Result<Rating> {
                Ok(Rating { thumb: from_word(&thumb)?, reasons: serde_json::from_str(&reasons)?, note })
            };
            row.map(rating).transpose()
        })
    }
}

/// The ratings of one fix as events, oldest first.
pub(crate) fn events(
    transaction: &Transaction<'_>,
    client: &str,
    finding: &FindingId,
    fix: &CandidateId,
) -> Result<Vec<(i64, Event)>> {
    let mut statement = transaction.prepare_cached(
        "SELECT at, thumb, reasons FROM rating WHERE client = ?1 AND finding = ?2 AND fix_id = ?3 ORDER BY id",
    )?;
    let mut rows = statement.query(params![client, finding.as_str(), fix.as_str()])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let (thumb, reasons): (String, String) = (row.get(1)?, row.get(2)?);
        let event = Event::Rated { thumb: from_word(&thumb)?, reasons: serde_json::from_str(&reasons)? };
        events.push((row.get(0)?, event));
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::model_performance::tests::new_fix;
    use crate::tests::{NOW, fresh};

    #[test]
    fn the_last_word_counts_and_no_word_is_rewritten() {
        let (_folder, store) = fresh();
        store.know_fix(&new_fix("", "one"), NOW).unwrap();
        let (finding, fix) = (FindingId::new("f"), CandidateId::new("one"));
        for (thumb, reasons) in [(Thumb::Down, Reason::ALL.to_vec()), (Thumb::Up, Vec::new())] {
            let rating = Rating { thumb, reasons, note: "why not".into() };
            store.add_rating("", &finding, &fix, &rating, NOW).unwrap();
            assert_eq!(store.rating("", &finding, &fix).unwrap(), Some(rating));
        }
        assert_eq!(store.rating("acme", &finding, &fix).unwrap(), None);
        assert_eq!(store.known_fixes("").unwrap()[0].events.len(), 2);
        let satisfied = "SELECT customer_satisfaction FROM model_performance LIMIT 1";
        let satisfied: i64 = store.read(|t| Ok(t.query_row(satisfied, [], |row| row.get(0))?)).unwrap();
        assert_eq!(satisfied, 1);
        let error = store.write(|t| Ok(t.execute("UPDATE rating SET thumb = 'up'", [])?)).unwrap_err();
        assert!(error.to_string().contains("not changed"), "{error}");
    }
}
