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

/// Which fixes an intent is about: a change may hold those of several findings.
pub(crate) const FIXES: &str = "
CREATE TABLE intent_fix (
    intent INTEGER NOT NULL REFERENCES intent (id),
    finding TEXT NOT NULL,
    candidate TEXT NOT NULL,
    PRIMARY KEY (intent, finding)
) STRICT, WITHOUT ROWID;
CREATE INDEX intent_fix_of_finding ON intent_fix (finding, intent);
INSERT INTO intent_fix SELECT id, finding, ifnull(candidate, '') FROM intent WHERE finding IS NOT NULL;
DROP INDEX intent_of_finding;
ALTER TABLE intent DROP COLUMN finding;
ALTER TABLE intent DROP COLUMN candidate;
";

/// A change of one or more files of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Counted by the store, never used twice.
    pub id: i64,
    /// For which findings, and by which candidates.
    pub fixes: Vec<Fix>,
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

impl Intent {
    /// The candidate that is written for `finding`.
    pub fn candidate_for(&self, finding: &FindingId) -> Option<&CandidateId> {
        self.fixes.iter().find(|fix| fix.finding == *finding).map(|fix| &fix.candidate)
    }
}

/// What is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIntent {
    /// See [`Intent::fixes`].
    pub fixes: Vec<Fix>,
    /// See [`Intent::kind`].
    pub kind: IntentKind,
    /// See [`Intent::root`].
    pub root: String,
    /// See [`Intent::files`].
    pub files: Vec<IntentFile>,
    /// See [`Intent::permit`].
    pub permit: u64,
}

/// A candidate that is written for a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fix {
    /// The finding.
    pub finding: FindingId,
    /// The candidate.
    pub candidate: CandidateId,
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
const COLUMNS: &str = "id, undoes, root, files, permit, state, note, at,
    (SELECT json_group_array(json_object('finding', f.finding, 'candidate', f.candidate))
     FROM intent_fix f WHERE f.intent = intent.id),
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
                "INSERT INTO intent (undoes, root, files, permit, state, note, claimant, at)
                 VALUES (?1, ?2, ?3, ?4, 'open', '', ?5, ?6)",
                params![undoes, new.root, files, permit, claimant, now_ms],
            )?;
            let id = transaction.last_insert_rowid();
            for fix in &new.fixes {
                transaction.execute(
                    "INSERT INTO intent_fix (intent, finding, candidate) VALUES (?1, ?2, ?3)",
                    params![id, fix.finding.as_str(), fix.candidate.as_str()],
                )?;
            }
            Ok(id)
        })
    }

    /// Records how the open intent `id` ended: its state, the outcomes, the ledger's line and the status of each finding.
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
                for fix in &open.fixes {
                    outcome::append(transaction, id, fix, kind, now_ms)?;
                    finding::set_fixed_by(transaction, &fix.finding, fixed_by)?;
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
                    if !self.lives(row.get::<_, Option<i64>>(10)?.unwrap_or_default()) {
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
            "SELECT {COLUMNS} FROM intent JOIN intent_fix ON intent_fix.intent = intent.id
             WHERE intent_fix.finding = ?1 AND state = 'applied' AND undoes IS NULL
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
    let undoes: Option<i64> = row.get(1)?;
    let (files, permit, state): (String, i64, String) = (row.get(3)?, row.get(4)?, row.get(5)?);
    let fixes: String = row.get(8)?;
    Ok(Intent {
        id: row.get(0)?,
        fixes: serde_json::from_str(&fixes)?,
        kind: undoes.map_or(IntentKind::Apply, |of| IntentKind::Undo { of }),
        root: row.get(2)?,
        files: serde_json::from_str(&files)?,
        permit: permit.unsigned_abs(),
        state: from_word(&state)?,
        note: row.get(6)?,
        at: row.get(7)?,
        undone_by: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScanState;
    use crate::tests::{NOW, again, finding, fresh, fresh_with_project, scan};
    use conclave_core::finding::Status;

    fn new(findings: &[&FindingId], kind: IntentKind) -> NewIntent {
        let candidate = || CandidateId::new("c1");
        NewIntent {
            fixes: findings.iter().map(|id| Fix { finding: (*id).clone(), candidate: candidate() }).collect(),
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

        let apply = store.open_intent(&new(&[id], IntentKind::Apply), NOW).unwrap();
        assert_eq!(store.open_intents().unwrap().len(), 1);
        assert_eq!((store.applied(id).unwrap(), status()), (None, Status::Open));
        store.close_intent(apply, IntentState::Applied, "applied: a.py", NOW + 1).unwrap();
        let applied = store.applied(id).unwrap().unwrap();
        assert_eq!((applied.id, applied.note.as_str(), applied.undone_by), (apply, "applied: a.py", None));
        assert_eq!(status(), Status::Fixed);
        assert!(matches!(store.close_intent(apply, IntentState::RolledBack, "", NOW), Err(StoreError::Missing { .. })));

        let undoing = new(&[id], IntentKind::Undo { of: apply });
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
    fn a_change_for_several_findings_fixes_all_and_is_undone_for_all() {
        let (_folder, store, project) = fresh_with_project();
        let found = [1, 2, 3].map(|line| finding(&project, "a.py", line));
        store.save_scan(&scan(&project, "s", ScanState::Complete), &found, NOW).unwrap();
        let [a, b, other] = found.map(|finding| finding.id);
        let stand = || [&a, &b, &other].map(|id| store.finding(id).unwrap().unwrap().status);
        let kinds = |id| store.outcomes(id).unwrap().into_iter().map(|outcome| outcome.kind).collect::<Vec<_>>();

        let apply = store.open_intent(&new(&[&b, &a], IntentKind::Apply), NOW).unwrap();
        store.close_intent(apply, IntentState::Applied, "applied: a.py", NOW).unwrap();
        assert_eq!(stand(), [Status::Fixed, Status::Fixed, Status::Open]);
        let applied = store.applied(&a).unwrap().unwrap();
        assert_eq!(store.applied(&b).unwrap().as_ref(), Some(&applied));
        assert_eq!(store.applied(&other).unwrap(), None);
        let mut both = vec![a.clone(), b.clone()];
        both.sort();
        assert_eq!(applied.fixes.iter().map(|fix| fix.finding.clone()).collect::<Vec<_>>(), both);

        let undoing = NewIntent { fixes: applied.fixes, ..new(&[], IntentKind::Undo { of: apply }) };
        let undo = store.open_intent(&undoing, NOW).unwrap();
        store.close_intent(undo, IntentState::Applied, "undone: a.py", NOW).unwrap();
        assert_eq!(stand(), [Status::Open; 3]);
        for id in [&a, &b] {
            assert_eq!(
                (store.applied(id).unwrap(), kinds(id)),
                (None, vec![OutcomeKind::Applied, OutcomeKind::Undone])
            );
        }
        assert_eq!(kinds(&other), []);
    }

    #[test]
    fn a_change_of_an_earlier_form_keeps_its_finding() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let steps: Vec<&str> = crate::migrations::STEPS.iter().copied().take_while(|step| *step != FIXES).collect();
        crate::migrations::migrate(&mut connection, &steps).unwrap();
        connection
            .execute_batch(
                "INSERT INTO intent (finding, candidate, root, files, permit, state, note, at) VALUES
                 ('f1', 'c1', '/srv', '[]', 1, 'applied', 'applied', 1), ('f2', NULL, '/srv', '[]', 1, 'open', '', 2),
                 (NULL, NULL, '/srv', '[]', 1, 'open', '', 3)",
            )
            .unwrap();
        crate::migrations::migrate(&mut connection, crate::migrations::STEPS).unwrap();
        let transaction = connection.transaction().unwrap();
        let sql = format!("SELECT {COLUMNS} FROM intent ORDER BY id");
        let kept: Vec<_> = select(&transaction, &sql, []).unwrap().into_iter().map(|intent| intent.fixes).collect();
        let fix = |finding: &str, candidate: &str| Fix {
            finding: FindingId::new(finding),
            candidate: CandidateId::new(candidate),
        };
        assert_eq!(kept, [vec![fix("f1", "c1")], vec![fix("f2", "")], vec![]]);
    }

    #[test]
    fn only_the_intents_of_the_dead_are_taken_over_and_only_once() {
        let (folder, store) = fresh();
        let other = again(&folder);
        let theirs = other.open_intent(&new(&[], IntentKind::Apply), NOW).unwrap();
        let ours = store.open_intent(&new(&[], IntentKind::Apply), NOW).unwrap();
        assert_eq!(store.take_over_intents().unwrap(), []);
        drop(other);
        let taken: Vec<i64> = store.take_over_intents().unwrap().into_iter().map(|intent| intent.id).collect();
        assert_eq!(taken, [theirs]);
        assert_eq!(again(&folder).take_over_intents().unwrap(), [], "this store lives and has both");
        let open: Vec<i64> = store.open_intents().unwrap().into_iter().map(|intent| intent.id).collect();
        assert_eq!(open, [theirs, ours]);
    }
}
