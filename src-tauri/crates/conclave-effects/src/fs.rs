//! Reading a project, reading a file that was named, writing a file that was named.
//!
//! Invariants: inside a project nothing is reached through a symbolic link, `..` or an absolute path, whatever happens
//! to the folder meanwhile; nothing but a regular file is read, and no read waits; sizes are capped by the bytes that
//! are read, not by what the file system says.
//!
//! Replacing a project's files is [`replace`](crate::replace).

pub(crate) mod beneath;
mod capped;
mod error;
pub(crate) mod ignores;
mod named;
mod spool;
mod walk;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use conclave_policy::{Action, Actor, ToolRequest};
use rustix::fs::FileType;

pub use capped::Capped;
pub use error::FsError;
pub use named::{ReadFile, WriteFile, WriteSpooled, backup, open_file, write_file, write_spooled};
pub(crate) use named::{sync_folder, write_whole};
pub use spool::Spool;
pub use walk::{SkipReason, Skipped, Walk};
pub(crate) use walk::{walk, walk_from};

use crate::touched::{Identity, is_same, on_project};
use crate::{Effect, Permit};
use beneath::Root;

/// The effect of reading any file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadProject {
    /// The project's folder: absolute, without symbolic links in it (see [`resolve`]).
    pub root: PathBuf,
}

impl Effect for ReadProject {
    fn request(&self, actor: &Actor) -> ToolRequest {
        on_project(actor, Action::ReadProject, &self.root)
    }
}

/// A project that may be read; holds its folder open.
pub struct ProjectTree {
    root: Root,
}

/// A file's content and permission bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// Every byte of the file.
    pub bytes: Vec<u8>,
    /// The permission bits, for example `0o644`.
    pub mode: u32,
}

/// Opens a project.
///
/// # Errors
/// [`FsError::NotFound`], [`FsError::NotFolder`], or [`FsError::NotResolved`] for a relative path or one through a
/// symbolic link; [`FsError::Stale`] when it is another folder by now.
pub fn open_project(permit: Permit<ReadProject>) -> Result<ProjectTree, FsError> {
    let (ReadProject { root }, request) = permit.open()?;
    Ok(ProjectTree { root: open_judged(&root, &request)? })
}

/// Opens the folder that is the first path of `request`, if it still is the one that was judged.
pub(crate) fn open_judged(root: &Path, request: &ToolRequest) -> Result<Root, FsError> {
    let root = Root::open(root)?;
    is_same(request, 0, Identity::of(root.handle()))?;
    Ok(root)
}

/// The real path of a folder or file that somebody named: absolute, symbolic links followed. Reads nothing else.
///
/// # Errors
/// [`FsError::NotFound`] when nothing is there.
pub fn resolve(path: &Path) -> Result<PathBuf, FsError> {
    path.canonicalize().map_err(|error| FsError::io(path, error))
}

impl ProjectTree {
    /// The project's folder.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Reads the regular file at the '/'-joined relative `path` if it has at most `max_bytes` bytes.
    ///
    /// # Errors
    /// [`FsError::Outside`], [`FsError::NotFound`], [`FsError::NotRegular`], [`FsError::TooLarge`].
    pub fn read(&self, path: &str, max_bytes: u64) -> Result<FileContent, FsError> {
        self.root.read(path, max_bytes)
    }

    /// Opens the regular file at `path` for reading up to `max_bytes` bytes.
    ///
    /// # Errors
    /// [`FsError::Outside`], [`FsError::NotFound`], [`FsError::NotRegular`].
    pub fn open(&self, path: &str, max_bytes: u64) -> Result<Capped, FsError> {
        Ok(Capped::new(self.root.open_file(path)?, max_bytes))
    }

    /// Lists the project's regular files that no `.gitignore` leaves out and that `keep` wants.
    ///
    /// Hidden files are listed, `.git` is never entered, links are never followed.
    pub fn walk(&self, keep: &dyn Fn(&str) -> bool) -> Walk {
        walk(&self.root, keep)
    }

    /// Whether a regular file is at `path`.
    pub fn exists(&self, path: &str) -> bool {
        self.root.kind(path) == Some(FileType::RegularFile)
    }
}
