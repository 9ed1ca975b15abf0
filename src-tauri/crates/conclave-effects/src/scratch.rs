//! A throw-away copy of a project, in which fixes are tried.
//!
//! Invariants: only regular files are copied, by handle, without links; `.git` and ignored files stay behind; the copy
//! is removed when it is dropped, and by the next start when the process was killed.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use conclave_policy::{Action, Actor, ToolRequest};
use rustix::fs::{FlockOperation, Mode, flock};

use crate::fs::beneath::{OURS, Root};
use crate::fs::ignores::Ignores;
use crate::fs::{open_judged, walk, walk_from};
use crate::touched::on_project;
use crate::{Effect, FsError, Permit, sandbox};

/// The effect of copying a project to a folder of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyToScratch {
    /// The project's folder: absolute, without symbolic links in it.
    pub root: PathBuf,
    /// Where copies are made: [`DataDir::scratch_base`](crate::DataDir::scratch_base).
    pub base: PathBuf,
    /// The most bytes that are copied.
    pub max_bytes: u64,
}

impl Effect for CopyToScratch {
    fn request(&self, actor: &Actor) -> ToolRequest {
        on_project(actor, Action::CopyToScratch, &self.root)
    }
}

/// A copy; removed when dropped.
pub struct Scratch {
    root: Root,
}

/// Copies the project's files as they are now; permission bits are kept, set-user-id and its like are not.
///
/// # Errors
/// [`FsError::TooLarge`] when the project has more bytes than the effect says; what was copied is removed.
pub fn copy(permit: Permit<CopyToScratch>) -> Result<Scratch, FsError> {
    let (CopyToScratch { root, base, max_bytes }, request) = permit.open()?;
    let project = open_judged(&root, &request)?;
    let scratch = Scratch::create(&base)?;
    let mut left = max_bytes;
    for path in walk(&project, &|_| true).files {
        let source = match project.open_file(&path) {
            // Removed, or exchanged for something else, since it was listed.
            Err(FsError::NotFound { .. } | FsError::Outside { .. } | FsError::NotRegular { .. }) => continue,
            source => source?,
        };
        let copied = scratch.copy_in(&path, &source, left)?;
        left = left.checked_sub(copied).ok_or(FsError::TooLarge { path: root.clone(), max: max_bytes })?;
    }
    Ok(scratch)
}

/// An empty folder in the place of a copy, for a program that reads none of the project's own files.
///
/// # Errors
/// [`FsError::Stale`] when the project is another folder by now; else that it cannot be made.
pub fn empty(permit: Permit<CopyToScratch>) -> Result<Scratch, FsError> {
    let (CopyToScratch { root, base, .. }, request) = permit.open()?;
    open_judged(&root, &request)?;
    Scratch::create(&base)
}

impl Scratch {
    /// The folder that holds the copy.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Writes the file at `path` (relative, '/'-joined), with the folders it needs; an existing file keeps its mode.
    ///
    /// # Errors
    /// [`FsError::Outside`], [`FsError::NotRegular`], also when a program in the copy put a link or pipe there.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), FsError> {
        let mut file = self.create_file(path, OURS | Mode::RGRP | Mode::ROTH)?;
        file.write_all(bytes).map_err(|error| FsError::io(&self.path().join(path), error))
    }

    /// Reads the file at `path` if it has at most `max_bytes` bytes.
    ///
    /// # Errors
    /// As [`ProjectTree::read`](crate::ProjectTree::read).
    pub fn read(&self, path: &str, max_bytes: u64) -> Result<Vec<u8>, FsError> {
        Ok(self.root.read(path, max_bytes)?.bytes)
    }

    /// Makes the folder at `path`, with those above it, where it is missing.
    ///
    /// # Errors
    /// As [`Scratch::write`].
    pub fn make_folder(&self, path: &str) -> Result<(), FsError> {
        for folder in self.root.create_folders(path)? {
            self.hand_over(folder.as_fd(), &self.path().join(path))?;
        }
        Ok(())
    }

    /// The regular files in and beneath the folder at `path` that `keep` wants, whatever an ignore file above it says.
    pub fn files_in(&self, path: &str, keep: &dyn Fn(&str) -> bool) -> Vec<String> {
        walk_from(&self.root, path, &mut Ignores::default(), keep).0.files
    }

    fn create(base: &Path) -> Result<Self, FsError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let wrong = |error: io::Error| FsError::io(base, error);
        // While this lock is held, nobody sweeps: the new folder is locked before it can be taken for a left-over.
        let base_folder = File::open(base).map_err(wrong)?;
        flock(&base_folder, FlockOperation::LockShared).map_err(|errno| wrong(errno.into()))?;
        let path = loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = base.join(format!("{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => break path,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(wrong(error)),
            }
        };
        let scratch = Self { root: Root::open(&path)? };
        flock(scratch.root.handle(), FlockOperation::NonBlockingLockExclusive)
            .map_err(|errno| FsError::io(&path, errno))?;
        scratch.hand_over(scratch.root.handle(), &path)?;
        Ok(scratch)
    }

    /// Copies at most one byte more than `most`, and says how many bytes it copied.
    fn copy_in(&self, path: &str, source: &File, most: u64) -> Result<u64, FsError> {
        let wrong = |error: io::Error| FsError::io(&self.path().join(path), error);
        let mode = source.metadata().map_err(wrong)?.permissions().mode() & 0o777;
        let mut target = self.create_file(path, OURS)?;
        // Between two files the standard library lets the kernel copy, which shares the blocks where it can.
        let copied = io::copy(&mut source.take(most.saturating_add(1)), &mut target).map_err(wrong)?;
        target.set_permissions(Permissions::from_mode(mode | 0o600)).map_err(wrong)?;
        Ok(copied)
    }

    fn create_file(&self, path: &str, mode: Mode) -> Result<File, FsError> {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.make_folder(folder)?;
        }
        let file = self.root.create_file(path, mode)?;
        self.hand_over(file.as_fd(), &self.path().join(path))?;
        Ok(file)
    }

    /// Gives a file or folder to the user that the sandbox runs as, where that is not ourselves.
    fn hand_over(&self, handle: std::os::fd::BorrowedFd<'_>, path: &Path) -> Result<(), FsError> {
        match sandbox::guest() {
            None => Ok(()),
            Some((user, group)) => {
                rustix::fs::fchown(handle, Some(user), Some(group)).map_err(|errno| FsError::io(path, errno))
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(self.path());
    }
}

/// Removes copies in `base` that no living process holds.
pub(crate) fn sweep(base: &Path) {
    let Ok(base_folder) = File::open(base) else { return };
    // Somebody is making a copy or sweeping; the next start does it.
    if flock(&base_folder, FlockOperation::NonBlockingLockExclusive).is_err() {
        return;
    }
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        // A lock ends with its process, however that ended.
        let held = File::open(entry.path())
            .is_ok_and(|folder| flock(&folder, FlockOperation::NonBlockingLockExclusive).is_err());
        if !held {
            remove(&entry.path());
        }
    }
}

/// Removes a folder and everything in it, folders that a program closed against us included.
fn remove(path: &Path) {
    if std::fs::remove_dir_all(path).is_ok() {
        return;
    }
    open_up(path);
    if let Err(error) = std::fs::remove_dir_all(path) {
        tracing::warn!(path = %path.display(), %error, "a scratch copy could not be removed");
    }
}

/// Makes the folders beneath `path` ours to change again. No program runs in them any more.
fn open_up(path: &Path) {
    let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    if is_folder && std::fs::set_permissions(path, Permissions::from_mode(0o700)).is_ok() {
        std::fs::read_dir(path).into_iter().flatten().flatten().for_each(|entry| open_up(&entry.path()));
    }
}

#[cfg(test)]
mod tests;
