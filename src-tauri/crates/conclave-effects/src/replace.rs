//! Replacing files of a project: all of them or none, and never over bytes that nobody has looked at.
//!
//! Each file is a compare-and-swap. The new bytes are written to a file of ours in the same folder and made durable;
//! then the two names are exchanged in one step, and only then is the displaced file looked at: if it is not the one
//! that the change was made for, somebody saved in between, and the names are exchanged back. So every byte of the
//! person's exists under some name at every instant. What cannot be closed: a program that opened the old file before
//! the exchange and writes into it after it was looked at.
//!
//! [`replace`] wants a permit. [`recover`] wants none: it finishes or takes back what a permit allowed, and writes only
//! bytes that were recorded under their digests before.
//! Invariants: before the first file is touched, the bytes before and after of all files are in the data folder; files
//! of ours have names that begin with `.conclave-`, the data folder's digest and the intent's number, and are removed
//! unless they hold bytes of somebody else's.

mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use conclave_policy::{Access, Action, Actor, ToolRequest, digest, digest_parts};

use crate::fs::beneath::Root;
use crate::fs::open_judged;
use crate::touched::{on_project, resolve_touched};
use crate::{DataDir, Effect, FsError, Permit};
use target::{Seen, Swapped, Target};

/// The effect of replacing files of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteProject {
    /// The project's folder: absolute, without symbolic links in it.
    pub root: PathBuf,
    /// The files, each once.
    pub changes: Vec<FileChange>,
}

/// The replacement of one existing file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Relative to the root, with `/`.
    pub path: String,
    /// SHA-256 of the bytes that must be there.
    pub base: String,
    /// SHA-256 of `bytes`.
    pub after: String,
    /// The bytes that are there afterwards.
    pub bytes: Vec<u8>,
}

impl Effect for WriteProject {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let parts = self.changes.iter().flat_map(|change| [&change.path, &change.base, &change.after]);
        let bytes: usize = self.changes.iter().map(|change| change.bytes.len()).sum();
        let files: BTreeMap<&str, [&str; 2]> =
            self.changes.iter().map(|change| (change.path.as_str(), [&*change.base, &*change.after])).collect();
        let request = on_project(actor, Action::WriteProject, &self.root)
            .with("bytes", bytes.to_string())
            .with("digest", digest_parts(parts.map(|part| part.as_bytes())))
            .with("files", serde_json::json!(files).to_string());
        let touched = |change: &FileChange| resolve_touched(Path::new(&change.path), &self.root, Access::Write);
        self.changes.iter().map(touched).fold(request, ToolRequest::touching)
    }
}

/// One file of a change that was recorded before it was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Relative to the root, with `/`.
    pub path: String,
    /// SHA-256 of the bytes before.
    pub before: String,
    /// SHA-256 of the bytes after.
    pub after: String,
}

/// What was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// False where the file system cannot exchange two names: then a save at the very moment could have been lost.
    pub window_closed: bool,
}

/// What [`recover`] has made of a change that was cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Every file has its bytes after.
    Applied,
    /// Every file has its bytes before, or bytes of somebody else's that were never replaced.
    RolledBack,
    /// Somebody else changed a file; nothing was touched that is not ours. The paths, and where bytes of theirs are.
    Conflict(Vec<String>),
}

/// What was found where the bytes before should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Found {
    /// Nothing.
    #[error("is gone")]
    Nothing,
    /// A symbolic link.
    #[error("is a symbolic link now")]
    Link,
    /// A folder, pipe, socket or device.
    #[error("is no longer a regular file")]
    NotRegular,
    /// A file with other bytes.
    #[error("has other contents now")]
    OtherBytes,
}

/// Why files were not replaced. Unless the variant says otherwise, all of them are as they were.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// A file is not the one that the change was made for.
    #[error("`{path}` {found}")]
    Changed {
        /// Which.
        path: String,
        /// What is there instead.
        found: Found,
    },
    /// A file cannot be replaced without losing something about it.
    #[error("`{path}` {reason}")]
    Refused {
        /// Which.
        path: String,
        /// What stands in the way.
        reason: String,
    },
    /// The operating system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The change was stopped, and files that somebody else saved meanwhile were left as they are.
    #[error("the change was stopped; left as somebody else saved them: {}", .paths.join(", "))]
    Conflict {
        /// The files.
        paths: Vec<String>,
    },
    /// The change was stopped and could not be taken back; [`recover`] will.
    #[error("the change was stopped and not yet taken back: {cause}; stopped because {because}")]
    Unsettled {
        /// Why it could not be taken back.
        cause: String,
        /// Why it was stopped.
        because: String,
    },
}

/// Replaces all files of the permit's effect; what was there before and comes after must be in `data` already.
///
/// Blocks for a few syncs of the disk. When it fails, what was begun is taken back before it returns.
///
/// # Errors
/// See [`ReplaceError`].
pub fn replace(permit: Permit<WriteProject>, data: &DataDir, intent: i64) -> Result<Replaced, ReplaceError> {
    let (WriteProject { root, changes }, request) = permit.open().map_err(FsError::from)?;
    let refused = |path: &str, reason: &str| ReplaceError::Refused { path: path.to_owned(), reason: reason.to_owned() };
    let mut paths = BTreeSet::new();
    for change in &changes {
        if !paths.insert(&change.path) {
            return Err(refused(&change.path, "is named twice in one change"));
        }
        if digest(&change.bytes) != change.after {
            return Err(refused(&change.path, "would get other bytes than were allowed"));
        }
        data.blob(&change.base)?;
        data.blob(&change.after)?;
    }
    let root = open_judged(&root, &request)?;
    let targets: Vec<Target> = changes
        .iter()
        .enumerate()
        .map(|(n, change)| Target::open(&root, &tag(data, intent), n, (&change.path, &change.base, &change.after)))
        .collect::<Result<_, _>>()?;

    exchange_all(&targets, &changes).map_err(|because| match settle(&targets, data, Foreign::IsNotOurs) {
        Ok(Settled::Conflict(paths)) => ReplaceError::Conflict { paths },
        Ok(Settled::Applied | Settled::RolledBack) => because,
        Err(error) => ReplaceError::Unsettled { cause: error.to_string(), because: because.to_string() },
    })
}

fn exchange_all(targets: &[Target], changes: &[FileChange]) -> Result<Replaced, ReplaceError> {
    let changed = |target: &Target, found| ReplaceError::Changed { path: target.path.clone(), found };
    for (target, change) in targets.iter().zip(changes) {
        target.prepare(&change.bytes)?;
    }
    let mut window_closed = true;
    for target in targets {
        match target.swap(&target.before, &target.after)? {
            Swapped::Exchanged => {}
            Swapped::Overwritten => window_closed = false,
            Swapped::Changed(found) => return Err(changed(target, found)),
        }
    }
    for target in targets {
        target.sync_folder()?;
    }
    for target in targets {
        // A last look, for whoever had the file open all the time and has written into it since.
        if let Some(found) = target.displaced()? {
            return Err(changed(target, found));
        }
    }
    clean(targets)?;
    Ok(Replaced { window_closed })
}

/// Finishes or takes back change number `intent`, which was recorded in `data` and cut short by the end of its process.
///
/// All files at their bytes before: rolled back. All at their bytes after: applied. Some of each: the bytes before are
/// put back. A file with other bytes: nothing is touched. Running it again, or after it was cut short itself, comes to
/// the same end.
///
/// # Errors
/// Of the operating system; the change is still unsettled then.
pub fn recover(data: &DataDir, intent: i64, root: &Path, files: &[Recorded]) -> Result<Settled, ReplaceError> {
    let root = Root::open(root)?;
    let mut targets = Vec::new();
    let mut gone = Vec::new();
    for (n, file) in files.iter().enumerate() {
        match Target::open(&root, &tag(data, intent), n, (&file.path, &file.before, &file.after)) {
            Ok(target) => targets.push(target),
            // Its folder is gone or a link now: as foreign as other bytes.
            Err(FsError::NotFound { .. } | FsError::Outside { .. } | FsError::NotFolder { .. }) => {
                gone.push(file.path.clone());
            }
            Err(error) => return Err(error.into()),
        }
    }
    if gone.is_empty() {
        return settle(&targets, data, Foreign::StopsAll);
    }
    gone.extend(clean(&targets)?);
    Ok(Settled::Conflict(gone))
}

/// What a file with somebody else's bytes means for the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Foreign {
    /// This process has just met it and left it alone: the others go back.
    IsNotOurs,
    /// Nobody knows what was built upon the others since: they stay.
    StopsAll,
}

fn settle(targets: &[Target], data: &DataDir, foreign: Foreign) -> Result<Settled, ReplaceError> {
    let mut seen = Vec::new();
    let mut stopped = foreign == Foreign::IsNotOurs;
    for target in targets {
        let mut here = target.look()?;
        if here == Seen::After && target.displaced()?.is_some() {
            // It was cut short between exchange and look: the displaced bytes are somebody else's and go back.
            target.exchange_back(&target.after)?;
            stopped = true;
            here = target.look()?;
        }
        seen.push(here);
    }
    let strange = targets.iter().zip(&seen).filter(|(_, seen)| matches!(seen, Seen::Other(_)));
    let strange: Vec<String> = strange.map(|(target, _)| target.path.clone()).collect();
    if !stopped && !strange.is_empty() {
        let kept = clean(targets)?;
        return Ok(Settled::Conflict([strange, kept].concat()));
    }
    if !stopped && seen.iter().all(|seen| *seen == Seen::After) {
        return finish(targets, Settled::Applied, Vec::new());
    }
    let mut left = Vec::new();
    for (target, _) in targets.iter().zip(&seen).filter(|(_, seen)| **seen == Seen::After) {
        if target.look_aside()? != Seen::Before {
            target.write_aside(&data.blob(&target.before)?)?;
        }
        if let Swapped::Changed(_) = target.swap(&target.after, &target.before)? {
            left.push(target.path.clone());
        }
    }
    finish(targets, Settled::RolledBack, left)
}

/// Makes the names durable and removes our files; what was `left` alone makes a conflict of the `end`.
fn finish(targets: &[Target], end: Settled, mut left: Vec<String>) -> Result<Settled, ReplaceError> {
    for target in targets {
        target.sync_folder()?;
    }
    left.extend(clean(targets)?);
    Ok(if left.is_empty() { end } else { Settled::Conflict(left) })
}

/// Removes our files, durably; gives those that are kept because they hold somebody else's bytes.
fn clean(targets: &[Target]) -> Result<Vec<String>, FsError> {
    let mut kept = Vec::new();
    for target in targets {
        kept.extend(target.remove_ours()?);
    }
    for target in targets {
        target.sync_folder()?;
    }
    Ok(kept)
}

/// What tells our files of this change from those of any other, of this data folder or another.
fn tag(data: &DataDir, intent: i64) -> String {
    let data = digest(data.path().as_os_str().as_encoded_bytes());
    format!("{}-{intent}", &data[..8])
}

#[cfg(test)]
mod tests;
