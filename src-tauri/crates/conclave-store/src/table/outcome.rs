//! What people did with fixes, in the order in which they did it; only ever appended to.

use conclave_core::id::{CandidateId, FindingId};
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use crate::db::Store;
use crate::error::Result;
use crate::table::intent::Fix;
use crate::table::{from_word, word};

pub(crate) const CREATE: &str = "
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    finding TEXT,
    candidate TEXT,
    kind TEXT NOT NULL,
    intent INTEGER NOT NULL REFERENCES intent (id),
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX outcome_of_finding ON outcome (finding, id);
CREATE TRIGGER outcome_is_not_changed BEFORE UPDATE ON outcome
BEGIN SELECT RAISE(ABORT, 'outcomes are only appended to'); END;
CREATE TRIGGER outcome_is_not_deleted BEFORE DELETE ON outcome
BEGIN SELECT RAISE(ABORT, 'outcomes are only appended to'); END;
";

/// One thing that a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What.
    pub kind: OutcomeKind,
    /// With which candidate.
    pub candidate: Option<CandidateId>,
    /// By which change of the project.
    pub intent: i64,
    /// When it was complete, in milliseconds since 1970.
    pub at: i64,
}

/// What a person can do with a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Applied it.
    Applied,
    /// Took it back.
    Undone,
}

impl Store {
    /// What was done for `finding`, oldest first.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn outcomes(&self, finding: &FindingId) -> Result<Vec<Outcome>> {
        self.read(|transaction| {
            let mut statement = transaction
                .prepare("SELECT kind, candidate, intent, at FROM outcome WHERE finding = ?1 ORDER BY id")?;
            let mut rows = statement.query([finding.as_str()])?;
            let mut outcomes = Vec::new();
            while let Some(row) = rows.next()? {
                let (kind, candidate): (String, Option<String>) = (row.get(0)?, row.get(1)?);
                outcomes.push(Outcome {
                    kind: from_word(&kind)?,
                    candidate: candidate.map(CandidateId::new),
                    intent: row.get(2)?,
                    at: row.get(3)?,
                });
            }
            Ok(outcomes)
        })
    }
}

/// Appends what the intent with the number `intent` was for `fix`, now that it is complete.
pub(crate) fn append(
    transaction: &Transaction<'_>,
    intent: i64,
    fix: &Fix,
    kind: OutcomeKind,
    now_ms: i64,
) -> Result<()> {
    transaction.execute(
        "INSERT INTO outcome (finding, candidate, kind, intent, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![fix.finding.as_str(), fix.candidate.as_str(), word(&kind)?, intent, now_ms],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, fresh};
    use crate::{IntentKind, IntentState, NewIntent};

    #[test]
    fn an_outcome_cannot_be_rewritten() {
        let (_folder, store) = fresh();
        let new = NewIntent {
            fixes: vec![Fix { finding: FindingId::new("f1"), candidate: CandidateId::new("c1") }],
            kind: IntentKind::Apply,
            root: "/srv".into(),
            files: Vec::new(),
            permit: 1,
        };
        let id = store.open_intent(&new, NOW).unwrap();
        store.close_intent(id, IntentState::Applied, "applied", NOW).unwrap();
        for sql in ["UPDATE outcome SET at = 0", "DELETE FROM outcome"] {
            let error = store.write(|transaction| Ok(transaction.execute(sql, [])?)).unwrap_err();
            assert!(error.to_string().contains("only appended to"), "{error}");
        }
    }
}
