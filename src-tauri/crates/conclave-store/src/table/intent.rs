//! The journal of changes to projects: what is about to be written, before it is, and how that ended.
//!
//! An open intent belongs to the process that writes; when that process dies, whoever recovers takes it over.
//! Invariant: closing an intent, its outcome, its line in the ledger and the finding's status are one transaction, so
//! the records never disagree among themselves.

use conclave_core::id::{CandidateId, FindingId};
use conclave_policy::{EntryKind, NewEntry};
use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::outcome::{self, OutcomeKind};
use crate::table::{finding, from_word, ledger, word};

pub(crate) const CREATE: &str = "
CREATE TABLE intent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    finding TEXT,
    candidate TEXT,
    undoes INTEGER REFERENCES intent (id),
    root TEXT NOT NULL,
    files TEXT NOT NULL,
    permit INTEGER NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    claimant INTEGER,
    at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
CREATE INDEX intent_open ON intent (state) WHERE state = 'open';
CREATE INDEX intent_of_finding ON intent (finding, id);
CREATE UNIQUE INDEX intent_undone_once ON intent (undoes) WHERE state IN ('open', 'applied');
";

/// A change of one or more files of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Counted by the store, never used twice.
    pub id: i64,
    /// For which finding.
    pub finding: Option<FindingId>,
    /// By which candidate.
    pub candidate: Option<CandidateId>,
    /// Whether something is applied or undone.
    pub kind: IntentKind,
    /// The project's folder.
    pub root: String,
    /// The files.
    pub files: Vec<IntentFile>,
    /// The ledger's entry of the permit.
    pub permit: u64,
    /// How it stands.
    pub state: IntentState,
    /// What there is to say about that, in words.
    pub note: String,
    /// When it was opened, in milliseconds since 1970.
    pub at: i64,
    /// The intent that undid this one.
    pub undone_by: Option<i64>,
}

/// What is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIntent {
    /// See [`Intent::finding`].
    pub finding: Option<FindingId>,
    /// See [`Intent::candidate`].
    pub candidate: Option<CandidateId>,
    /// See [`Intent::kind`].
    pub kind: IntentKind,
    /// See [`Intent::root`].
    pub root: String,
    /// See [`Intent::files`].
    pub files: Vec<IntentFile>,
    /// See [`Intent::permit`].
    pub permit: u64,
}

/// One file of an intent; its bytes before and after are in the data folder under their digests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentFile {
    /// Relative to the root, with `/`.
    pub path: String,
    /// SHA-256 of the bytes before.
    pub before: String,
    /// SHA-256 of the bytes after.
    pub after: String,
}

/// What an intent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentKind {
    /// Applies a fix.
    Apply,
    /// Takes back what an intent applied.
    Undo {
        /// That intent.
        of: i64,
    },
}

/// How an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// Begun, and not known to have ended.
    Open,
    /// Every file has its bytes after.
    Applied,
    /// Every file has its bytes before.
    RolledBack,
    /// A file was changed by somebody else in between; it was left alone and a person has to look.
    Conflict,
}

/// The columns that [`intent`] reads.
const COLUMNS: &str = "id, finding, candidate, undoes, root, files, permit, state, note, at,
    (SELECT u.id FROM intent u WHERE u.undoes = intent.id AND u.state = 'applied')";

impl Store {
    /// Records what is about to be written, durably, and gives its number.
    ///
    /// # Errors
    /// [`StoreError::Running`] when the same intent is being undone, or was.
    pub fn open_intent(&self, new: &NewIntent, now_ms: i64) -> Result<i64> {
        let claimant = self.claimant()?;
        let files = serde_json::to_string(&new.files)?;
        let permit = i64::try_from(new.permit).unwrap_or(i64::MAX);
        self.write(|transaction| {
            let undoes = match new.kind {
                IntentKind::Apply => None,
                IntentKind::Undo { of } => Some(of),
            };
            if let Some(of) = undoes {
                let sql = "SELECT EXISTS (SELECT 1 FROM intent WHERE undoes = ?1 AND state IN ('open', 'applied'))";
                if transaction.query_row(sql, [of], |row| row.get(0))? {
                    return Err(StoreError::Running { what: "the undoing of change", id: of.to_string() });
                }
            }
            transaction.execute(
                "INSERT INTO intent (finding, candidate, undoes, root, files, permit, state, note, claimant, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', '', ?7, ?8)",
                params![
                    new.finding.as_ref().map(FindingId::as_str),
                    new.candidate.as_ref().map(CandidateId::as_str),
                    undoes,
                    new.root,
                    files,
                    permit,
                    claimant,
                    now_ms
                ],
            )?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Records how the open intent `id` ended: its state, the outcome, the ledger's line and the finding's status.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such intent or it is closed already.
    pub fn close_intent(&self, id: i64, state: IntentState, note: &str, now_ms: i64) -> Result<()> {
        self.write(|transaction| {
            let sql = format!("SELECT {COLUMNS} FROM intent WHERE id = ?1 AND state = 'open'");
            let open = select(transaction, &sql, params![id])?.pop();
            let open = open.ok_or_else(|| StoreError::Missing { what: "open intent", id: id.to_string() })?;
            transaction.execute(
                "UPDATE intent SET state = ?2, note = ?3, closed_at = ?4, claimant = NULL WHERE id = ?1",
                params![id, word(&state)?, note, now_ms],
            )?;
            let kind = EntryKind::Outcome { refers_to: open.permit, outcome: note.to_owned() };
            ledger::append(transaction, &NewEntry { at_ms: now_ms, kind })?;
            if state == IntentState::Applied {
                let (kind, fixed_by) = match open.kind {
                    IntentKind::Apply => (OutcomeKind::Applied, Some(id)),
                    IntentKind::Undo { .. } => (OutcomeKind::Undone, None),
                };
                outcome::append(transaction, &open, kind, now_ms)?;
                if let Some(finding) = &open.finding {
                    finding::set_fixed_by(transaction, finding, fixed_by)?;
                }
            }
            Ok(())
        })
    }

    /// All intents that have not ended, oldest first.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn open_intents(&self) -> Result<Vec<Intent>> {
        let sql = format!("SELECT {COLUMNS} FROM intent WHERE state = 'open' ORDER BY id");
        self.read(|transaction| select(transaction, &sql, []))
    }

    /// Takes over the open intents whose processes died, oldest first; nobody else gets them while this one lives.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn take_over_intents(&self) -> Result<Vec<Intent>> {
        // Most starts find nothing and need neither a claim nor a write.
        if self.open_intents()?.is_empty() {
            return Ok(Vec::new());
        }
        let claimant = self.claimant()?;
        let sql = format!("SELECT {COLUMNS}, claimant FROM intent WHERE state = 'open' ORDER BY id");
        self.write(|transaction| {
            let mut taken = Vec::new();
            {
                let mut statement = transaction.prepare(&sql)?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    if !self.lives(row.get::<_, Option<i64>>(11)?.unwrap_or_default()) {
                        taken.push(intent(row)?);
                    }
                }
            }
            for intent in &taken {
                transaction.execute("UPDATE intent SET claimant = ?2 WHERE id = ?1", [intent.id, claimant])?;
            }
            Ok(taken)
        })
    }

    /// The last fix that was applied for `finding` and not undone.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn applied(&self, finding: &FindingId) -> Result<Option<Intent>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM intent WHERE finding = ?1 AND state = 'applied' AND undoes IS NULL
                AND NOT EXISTS (SELECT 1 FROM intent u WHERE u.undoes = intent.id AND u.state = 'applied')
             ORDER BY id DESC LIMIT 1"
        );
        self.read(|transaction| Ok(select(transaction, &sql, [finding.as_str()])?.pop()))
    }
}

fn select(transaction: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<Vec<Intent>> {
    let mut statement = transaction.prepare(sql)?;
    let mut rows = statement.query(values)?;
    let mut intents = Vec::new();
    while let Some(row) = rows.next()? {
        intents.push(intent(row)?);
    }
    Ok(intents)
}

fn intent(row: &Row<'_>) -> Result<Intent> {
    let (finding, candidate): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let undoes: Option<i64> = row.get(3)?;
    let (files, permit, state): (String, i64, String) = (row.get(5)?, row.get(6)?, row.get(7)?);
    Ok(Intent {
        id: row.get(0)?,
        finding: finding.map(FindingId::new),
        candidate: candidate.map(CandidateId::new),
        kind: undoes.map_or(IntentKind::Apply, |of| IntentKind::Undo { of }),
        root: row.get(4)?,
        files: serde_json::from_str(&files)?,
        permit: permit.unsigned_abs(),
        state: from_word(&state)?,
        note: row.get(8)?,
        at: row.get(9)?,
        undone_by: row.get(10)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScanState;
    use crate::tests::{NOW, again, finding, fresh, fresh_with_project, scan};
    use conclave_core::finding::Status;

    fn new(finding: Option<&FindingId>, kind: IntentKind) -> NewIntent {
        NewIntent {
            finding: finding.cloned(),
            candidate: Some(CandidateId::new("c1")),
            kind,
            root: "/srv/shop".into(),
            files: vec![IntentFile { path: "a.py".into(), before: "00".into(), after: "11".into() }],
            permit: 7,
        }
    }

    #[test]
    fn applying_and_undoing_leave_one_consistent_record() {
        let (_folder, store, project) = fresh_with_project();
        let found = finding(&project, "a.py", 1);
        let id = &found.id;
        store.save_scan(&scan(&project, "s", ScanState::Complete), std::slice::from_ref(&found), NOW).unwrap();
        let status = || store.finding(id).unwrap().unwrap().status;

        let apply = store.open_intent(&new(Some(id), IntentKind::Apply), NOW).unwrap();
        assert_eq!(store.open_intents().unwrap().len(), 1);
        assert_eq!((store.applied(id).unwrap(), status()), (None, Status::Open));
        store.close_intent(apply, IntentState::Applied, "applied: a.py", NOW + 1).unwrap();
        let applied = store.applied(id).unwrap().unwrap();
        assert_eq!((applied.id, applied.note.as_str(), applied.undone_by), (apply, "applied: a.py", None));
        assert_eq!(status(), Status::Fixed);
        assert!(matches!(store.close_intent(apply, IntentState::RolledBack, "", NOW), Err(StoreError::Missing { .. })));

        let undoing = new(Some(id), IntentKind::Undo { of: apply });
        let undo = store.open_intent(&undoing, NOW + 2).unwrap();
        assert!(matches!(store.open_intent(&undoing, NOW + 2), Err(StoreError::Running { .. })));
        store.close_intent(undo, IntentState::RolledBack, "not undone", NOW + 3).unwrap();
        assert_eq!((store.applied(id).unwrap().map(|i| i.id), status()), (Some(apply), Status::Fixed));
        let undo = store.open_intent(&undoing, NOW + 4).unwrap();
        store.close_intent(undo, IntentState::Applied, "undone: a.py", NOW + 5).unwrap();
        assert_eq!((store.applied(id).unwrap(), status()), (None, Status::Open));

        let kinds: Vec<_> = store.outcomes(id).unwrap().into_iter().map(|o| (o.kind, o.at, o.intent)).collect();
        assert_eq!(kinds, [(OutcomeKind::Applied, NOW + 1, apply), (OutcomeKind::Undone, NOW + 5, undo)]);
        let verdict = store.verify_ledger().unwrap();
        assert_eq!((verdict.rows, verdict.fault), (3, None), "one line for each intent that ended");
    }

    #[test]
    fn only_the_intents_of_the_dead_are_taken_over_and_only_once() {
        let (folder, store) = fresh();
        let other = again(&folder);
        let theirs = other.open_intent(&new(None, IntentKind::Apply), NOW).unwrap();
        let ours = store.open_intent(&new(None, IntentKind::Apply), NOW).unwrap();
        assert_eq!(store.take_over_intents().unwrap(), []);
        drop(other);
        let taken: Vec<i64> = store.take_over_intents().unwrap().into_iter().map(|intent| intent.id).collect();
        assert_eq!(taken, [theirs]);
        assert_eq!(again(&folder).take_over_intents().unwrap(), [], "this store lives and has both");
        let open: Vec<i64> = store.open_intents().unwrap().into_iter().map(|intent| intent.id).collect();
        assert_eq!(open, [theirs, ours]);
    }
}
