//! Applies a fix to the project, takes it back, and puts right what a killed process left half done.
//!
//! The order is the argument: the bytes before and after are durable in the data folder, then the permit and its line
//! in the ledger, then the intent, then the files, then how it ended. Whatever point a process dies at, the intent says
//! what was meant and the kept bytes allow both ends of it.
//! Deliberately absent: how files are replaced (`conclave_effects::replace`) and whether a fix is good enough.
//! Invariants: all files of a patch or none; a file that is not the one the patch was written against is refused and
//! never overwritten; taking back is the same protocol with before and after exchanged.

use std::path::PathBuf;

use conclave_core::id::FindingId;
use conclave_core::patch::{Patch, PatchError};
use conclave_effects::gate::{Denied, Gate};
use conclave_effects::replace::{self, FileChange, Recorded, ReplaceError, Settled, WriteProject};
use conclave_effects::{DataDir, FsError, ProjectTree, ReadProject, open_project};
use conclave_policy::{Actor, digest};
use conclave_store::{Fix, Intent, IntentFile, IntentKind, IntentState, NewIntent, Store, StoreError};

use crate::head;

/// Larger files are not replaced.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What is to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyPlan {
    /// The project's folder, symbolic links resolved.
    pub root: PathBuf,
    /// For which findings, and by which candidates; their status and the way back hang on it.
    pub fixes: Vec<Fix>,
    /// The edits.
    pub patch: Patch,
}

/// A fix that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The number under which it is journalled.
    pub intent: i64,
    /// The files that were changed.
    pub files: Vec<String>,
    /// The branch that was checked out then, or the commit; `None` where that is not known.
    pub head: Option<String>,
}

/// A fix that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The files that are as they were before the fix.
    pub files: Vec<String>,
    /// The other findings whose fixes were part of the same change and are taken back with it.
    pub with: Vec<FindingId>,
}

/// A change that was cut short, and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The number under which it is journalled.
    pub intent: i64,
    /// Sentences for the person.
    pub outcome: String,
}

/// Why a fix was not applied or not taken back. Unless the variant says otherwise, the project is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A file is not the one that the fix was written against, or that the fix has left.
    #[error("`{path}` {found}")]
    Changed {
        /// Which.
        path: String,
        /// What is different, in words that follow the path.
        found: String,
    },
    /// A file cannot be replaced without losing something about it, or the edits do not fit.
    #[error("`{path}` {reason}")]
    Refused {
        /// Which.
        path: String,
        /// What stands in the way, in words that follow the path.
        reason: String,
    },
    /// The fix changes nothing.
    #[error("the fix changes nothing")]
    Empty,
    /// There is nothing to take back.
    #[error("no fix of `{0}` is applied")]
    NotApplied(FindingId),
    /// The policy says no.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The operating system says no.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Somebody else saved files in the middle of it; those are as they saved them, the others as they were.
    #[error("somebody saved a file at the same moment; compare {} by hand", .paths.join(", "))]
    Conflict {
        /// The files.
        paths: Vec<String>,
    },
    /// The files and the record of them may disagree; the next start of Conclave puts that right.
    #[error("{0}; start Conclave again to have it put right")]
    Unsettled(String),
    /// Our own database; nothing was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Applies `plan` on the word of `actor`: all of its files or none.
///
/// Blocks for a few syncs of the disk.
///
/// # Errors
/// See [`ApplyError`].
pub async fn apply(
    gate: &Gate,
    store: &Store,
    data: &DataDir,
    actor: Actor,
    plan: ApplyPlan,
) -> Result<Applied, ApplyError> {
    if plan.patch.is_empty() {
        return Err(ApplyError::Empty);
    }
    let tree = open_project(gate.authorize(actor.clone(), ReadProject { root: plan.root.clone() }).await?)?;
    let mut changes = Vec::new();
    for file in &plan.patch.files {
        let path = file.path.as_str();
        let now = read(&tree, path)?;
        let after = file.apply(&now).map_err(|error| match error {
            PatchError::Base(_) => changed(data, path, file.base.as_str(), &now),
            PatchError::Range(_) | PatchError::Overlap(_) => {
                ApplyError::Refused { path: path.to_owned(), reason: "is not fit for these edits".to_owned() }
            }
        })?;
        let base = data.put_blob(&now)?;
        changes.push(FileChange { path: path.to_owned(), base, after: data.put_blob(&after)?, bytes: after });
    }
    let files = changes.iter().map(|change| change.path.clone()).collect();
    let head = head::of(&tree);
    let new = Begun { root: plan.root, fixes: plan.fixes, kind: IntentKind::Apply };
    let intent = carry_out(gate, store, data, actor, new, changes).await?;
    Ok(Applied { intent, files, head })
}

/// Takes back the last fix that was applied for `finding`: identical bytes in all of its files, or nothing. Fixes of
/// other findings that were written in the same change go with it.
///
/// Where somebody else has taken all of it back already, that is recorded and nothing is written.
///
/// # Errors
/// [`ApplyError::Changed`] when a file is not as the fix has left it; else see [`ApplyError`].
pub async fn undo(
    gate: &Gate,
    store: &Store,
    data: &DataDir,
    actor: Actor,
    finding: &FindingId,
) -> Result<Undone, ApplyError> {
    let applied = store.applied(finding)?.ok_or_else(|| ApplyError::NotApplied(finding.clone()))?;
    let root = PathBuf::from(&applied.root);
    let permit = gate.authorize(actor.clone(), ReadProject { root: root.clone() }).await?;
    let seen_by = permit.seq();
    let tree = open_project(permit)?;
    let now = applied.files.iter().map(|file| read(&tree, &file.path)).collect::<Result<Vec<_>, _>>()?;
    if applied.files.iter().zip(&now).all(|(file, now)| digest(now) == file.before) {
        return already_undone(gate, store, applied, seen_by, finding);
    }
    let mut changes = Vec::new();
    for (file, now) in applied.files.iter().zip(now) {
        match digest(&now) {
            as_left if as_left == file.after => {}
            as_before if as_before == file.before => {
                let found = "is as it was before the fix already".to_owned();
                return Err(ApplyError::Changed { path: file.path.clone(), found });
            }
            _ => return Err(changed(data, &file.path, &file.after, &now)),
        }
        let bytes = data.blob(&file.before)?;
        let (base, after) = (file.after.clone(), file.before.clone());
        changes.push(FileChange { path: file.path.clone(), base, after, bytes });
    }
    let files = changes.iter().map(|change| change.path.clone()).collect();
    let kind = IntentKind::Undo { of: applied.id };
    let with = others(&applied.fixes, finding);
    let new = Begun { root, fixes: applied.fixes, kind };
    carry_out(gate, store, data, actor, new, changes).await?;
    Ok(Undone { files, with })
}

/// Records that all files are as they were before `applied`; the permit to read them is what the record refers to.
fn already_undone(
    gate: &Gate,
    store: &Store,
    applied: Intent,
    permit: u64,
    finding: &FindingId,
) -> Result<Undone, ApplyError> {
    let with = others(&applied.fixes, finding);
    let exchanged = |file: IntentFile| IntentFile { before: file.after, after: file.before, ..file };
    let new = NewIntent {
        fixes: applied.fixes,
        kind: IntentKind::Undo { of: applied.id },
        root: applied.root,
        files: applied.files.into_iter().map(exchanged).collect(),
        permit,
    };
    let files: Vec<String> = new.files.iter().map(|file| file.path.clone()).collect();
    let now_ms = gate.clock().now_ms();
    let intent = store.open_intent(&new, now_ms)?;
    let note = format!("as before already, nothing was written: {}", files.join(", "));
    store.close_intent(intent, IntentState::Applied, &note, now_ms)?;
    Ok(Undone { files, with })
}

fn others(fixes: &[Fix], finding: &FindingId) -> Vec<FindingId> {
    fixes.iter().map(|fix| &fix.finding).filter(|other| *other != finding).cloned().collect()
}

/// Finishes or takes back every change whose process died, and says what has become of each.
///
/// Needs no permit: it ends what a permit allowed. Safe to be cut short itself.
///
/// # Errors
/// Of the database. A change that cannot be put right yet is an outcome and stays open for the next start.
pub fn recover(store: &Store, data: &DataDir, now_ms: i64) -> Result<Vec<Recovered>, StoreError> {
    let mut recovered = Vec::new();
    for intent in store.take_over_intents()? {
        let files: Vec<Recorded> = intent
            .files
            .iter()
            .map(|file| Recorded { path: file.path.clone(), before: file.before.clone(), after: file.after.clone() })
            .collect();
        let what = match intent.kind {
            IntentKind::Apply => "Applying a fix",
            IntentKind::Undo { .. } => "Taking back a fix",
        };
        let begin = format!("{what} in `{}` was cut short.", intent.root);
        let (state, outcome) = match replace::recover(data, intent.id, intent.root.as_ref(), &files) {
            Ok(Settled::Applied) => (IntentState::Applied, format!("{begin} All files were complete, so it counts.")),
            Ok(Settled::RolledBack) => {
                (IntentState::RolledBack, format!("{begin} The files are as they were before it."))
            }
            Ok(Settled::Conflict(paths)) => {
                let paths = paths.join("`, `");
                let rest = "Nothing else was touched; please compare by hand";
                (IntentState::Conflict, format!("{begin} `{paths}` was changed by somebody else since. {rest}."))
            }
            Err(error) => {
                let outcome = format!("{begin} It cannot be put right yet: {error}. The next start tries again.");
                recovered.push(Recovered { intent: intent.id, outcome });
                continue;
            }
        };
        store.close_intent(intent.id, state, &outcome, now_ms)?;
        recovered.push(Recovered { intent: intent.id, outcome });
    }
    Ok(recovered)
}

/// What an intent says beside its files.
struct Begun {
    root: PathBuf,
    fixes: Vec<Fix>,
    kind: IntentKind,
}

/// Permit, intent, files, end; gives the intent's number.
async fn carry_out(
    gate: &Gate,
    store: &Store,
    data: &DataDir,
    actor: Actor,
    begun: Begun,
    changes: Vec<FileChange>,
) -> Result<i64, ApplyError> {
    let record = |change: &FileChange| IntentFile {
        path: change.path.clone(),
        before: change.base.clone(),
        after: change.after.clone(),
    };
    let files: Vec<IntentFile> = changes.iter().map(record).collect();
    let paths = files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join(", ");
    let root = begun.root.to_str().map(str::to_owned).ok_or_else(|| ApplyError::Refused {
        path: begun.root.display().to_string(),
        reason: "has a name that is not text, which the journal cannot hold".to_owned(),
    })?;
    let permit = gate.authorize(actor, WriteProject { root: begun.root, changes }).await?;
    let new = NewIntent { fixes: begun.fixes, kind: begun.kind, root, files, permit: permit.seq() };
    let now_ms = || gate.clock().now_ms();
    let intent = store.open_intent(&new, now_ms())?;
    let (state, note, result) = match replace::replace(permit, data, intent) {
        Ok(replaced) => {
            let done = match begun.kind {
                IntentKind::Apply => "applied",
                IntentKind::Undo { .. } => "taken back",
            };
            let open = if replaced.window_closed { "" } else { "; a save at that very moment would not have shown" };
            (IntentState::Applied, format!("{done}: {paths}{open}"), Ok(intent))
        }
        // The intent stays open; recovery finds it.
        Err(error @ ReplaceError::Unsettled { .. }) => return Err(ApplyError::Unsettled(error.to_string())),
        Err(error) => {
            let state = match error {
                ReplaceError::Conflict { .. } => IntentState::Conflict,
                _ => IntentState::RolledBack,
            };
            (state, error.to_string(), Err(ApplyError::from(error)))
        }
    };
    match store.close_intent(intent, state, &note, now_ms()) {
        Ok(()) => result,
        Err(error) => Err(ApplyError::Unsettled(format!("how it ended could not be recorded: {error}"))),
    }
}

fn read(tree: &ProjectTree, path: &str) -> Result<Vec<u8>, ApplyError> {
    let found = match tree.read(path, LARGEST) {
        Ok(content) => return Ok(content.bytes),
        Err(FsError::NotFound { .. }) => "is gone",
        Err(FsError::NotRegular { .. }) => "is not a regular file",
        Err(FsError::Outside { .. }) => "is behind a symbolic link",
        Err(error) => return Err(error.into()),
    };
    Err(ApplyError::Changed { path: path.to_owned(), found: found.to_owned() })
}

/// Says where `now` differs from the bytes with digest `known`, if those are kept.
fn changed(data: &DataDir, path: &str, known: &str, now: &[u8]) -> ApplyError {
    let found = match data.blob(known) {
        Ok(known) => difference(&known, now),
        Err(_) => "has changed since the fix was worked out".to_owned(),
    };
    ApplyError::Changed { path: path.to_owned(), found }
}

fn difference(known: &[u8], now: &[u8]) -> String {
    let (known, now): (Vec<&[u8]>, Vec<&[u8]>) = (lines(known), lines(now));
    let same = known.iter().zip(&now).take_while(|(a, b)| a == b).count();
    let tail = known[same..].iter().rev().zip(now[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    match (same + 1, now.len() - tail) {
        (first, last) if first > last => format!("has lost lines after line {same}"),
        (first, last) if first == last => format!("has changed in line {first}"),
        (first, last) => format!("has changed in lines {first} to {last}"),
    }
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

impl From<ReplaceError> for ApplyError {
    fn from(error: ReplaceError) -> Self {
        match error {
            ReplaceError::Changed { path, found } => Self::Changed { path, found: found.to_string() },
            ReplaceError::Refused { path, reason } => Self::Refused { path, reason },
            ReplaceError::Fs(error) => Self::Fs(error),
            ReplaceError::Conflict { paths } => Self::Conflict { paths },
            ReplaceError::Unsettled { .. } => Self::Unsettled(error.to_string()),
        }
    }
}

#[cfg(test)]
mod kill;
#[cfg(test)]
mod tests;
