//! Reading the files that hold policies, and writing the user's own.
//!
//! Three places, with three kinds of trust: the user's file in the data folder must be the user's; the administrator's
//! must be root's; a project's is input like everything else in a project, and is reached without links. Reading needs
//! no permit, because without a policy there is no gate: it reads three fixed names and nothing else. What the text
//! means is not known here.
//!
//! Invariant: a text comes back only from a file that nobody else could have written, or from a project, whose rules can
//! only make a policy stricter.

mod follow;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat};
use rustix::io::Errno;

use crate::fs::beneath::{Root, read_capped, regular};
use crate::fs::{sync_folder, write_whole};
use crate::{DataDir, FsError, ProjectTree};

pub use follow::{Following, follow};

/// Where an administrator's policy is.
pub const ADMIN: &str = "/etc/conclave/policy.yaml";
/// Where a project's policy is, relative to its folder.
pub const PROJECT: &str = ".conclave/policy.yaml";
/// The name of the user's policy in the data folder.
pub const USER: &str = "policy.yaml";
/// Largest policy file, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Why a policy file counts as unreadable; a file that is missing is no error.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// Somebody else owns it.
    #[error("`{path}` belongs to another user; make it yours or remove it")]
    NotOurs {
        /// Where.
        path: PathBuf,
    },
    /// The administrator's file is not root's.
    #[error("`{path}` does not belong to root; `chown root` it or remove it")]
    NotRoots {
        /// Where.
        path: PathBuf,
    },
    /// Others may write to it, or to the folder it is in.
    #[error("others may write to `{path}`; `chmod go-w` it")]
    WritableByOthers {
        /// The file or its folder.
        path: PathBuf,
    },
    /// It is too large to be a policy.
    #[error("`{path}` is larger than {LARGEST} bytes")]
    TooLarge {
        /// Where.
        path: PathBuf,
    },
    /// It is no text.
    #[error("`{path}` is not UTF-8")]
    NotUtf8 {
        /// Where.
        path: PathBuf,
    },
    /// Anything else that is in the way.
    #[error(transparent)]
    Fs(FsError),
}

/// Whose file it has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Us,
    Root,
}

impl DataDir {
    /// Where the user's policy is.
    pub fn policy_path(&self) -> PathBuf {
        self.path().join(USER)
    }

    /// The text of the user's policy; `None` when there is none.
    ///
    /// # Errors
    /// [`PolicyFileError`]; then the user's rules are not known, which is not the same as there being none.
    pub fn policy(&self) -> Result<Option<String>, PolicyFileError> {
        user_policy(self.path())
    }

    /// Puts `text` in the place of the user's policy in one step; the one before is kept as `policy.yaml.bak`.
    ///
    /// # Errors
    /// [`FsError::Io`] when it could not be made durable; the one before is still in force then.
    pub fn write_policy(&self, text: &str) -> Result<(), FsError> {
        let (path, backup) = (self.policy_path(), self.path().join("policy.yaml.bak"));
        match std::fs::read(&path) {
            Ok(before) => write_whole(&backup, &before)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(FsError::io(&path, error)),
        }
        write_whole(&path, text.as_bytes())?;
        sync_folder(self.path()).map_err(|error| FsError::io(&path, error))
    }
}

/// The text of the user's policy in the data folder `data`, for whoever opens nothing else of it; `None` when there is
/// none.
///
/// # Errors
/// As [`DataDir::policy`].
pub fn user_policy(data: &Path) -> Result<Option<String>, PolicyFileError> {
    owned(&data.join(USER), Owner::Us)
}

/// The text of the administrator's policy at `path`, which is [`ADMIN`] but in tests; `None` when there is none.
///
/// # Errors
/// [`PolicyFileError`]; also when the file's folder is not root's alone, since whoever can rename it decides.
pub fn admin_policy(path: &Path) -> Result<Option<String>, PolicyFileError> {
    owned(path, Owner::Root)
}

impl ProjectTree {
    /// The text of the project's own policy; `None` when there is none.
    ///
    /// # Errors
    /// [`PolicyFileError`]; a link in the way is one.
    pub fn policy(&self) -> Result<Option<String>, PolicyFileError> {
        project_policy(self.root())
    }
}

/// The text of the policy of the project at `root`, a real path; `None` when there is none.
///
/// # Errors
/// [`PolicyFileError`]; a link in the way is one.
pub fn project_policy(root: &Path) -> Result<Option<String>, PolicyFileError> {
    let path = root.join(PROJECT);
    let read = Root::open(root).and_then(|root| root.read(PROJECT, LARGEST));
    match read {
        Ok(content) => text(content.bytes, &path).map(Some),
        Err(FsError::NotFound { .. }) => Ok(None),
        Err(error) => Err(sort(error)),
    }
}

fn owned(path: &Path, owner: Owner) -> Result<Option<String>, PolicyFileError> {
    let open = |path: &Path, flags| rustix::fs::open(path, flags | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let wrong = |errno| PolicyFileError::Fs(FsError::io(path, errno));
    if owner == Owner::Root
        && let Some(folder) = path.parent()
    {
        match open(folder, OFlags::DIRECTORY) {
            Ok(handle) => belongs(&File::from(handle), folder, owner)?,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(wrong(errno)),
        }
    }
    let file = match open(path, OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW) {
        Ok(handle) => File::from(handle),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(wrong(errno)),
    };
    regular(&file, path).map_err(sort)?;
    belongs(&file, path, owner)?;
    text(read_capped(file, path, LARGEST).map_err(sort)?, path).map(Some)
}

fn belongs(file: &File, path: &Path, owner: Owner) -> Result<(), PolicyFileError> {
    let stat = fstat(file).map_err(|errno| PolicyFileError::Fs(FsError::io(path, errno)))?;
    let path = path.to_owned();
    match owner {
        Owner::Us if stat.st_uid != rustix::process::geteuid().as_raw() => Err(PolicyFileError::NotOurs { path }),
        Owner::Root if stat.st_uid != 0 => Err(PolicyFileError::NotRoots { path }),
        _ if stat.st_mode & 0o022 != 0 => Err(PolicyFileError::WritableByOthers { path }),
        _ => Ok(()),
    }
}

fn text(bytes: Vec<u8>, path: &Path) -> Result<String, PolicyFileError> {
    String::from_utf8(bytes).map_err(|_| PolicyFileError::NotUtf8 { path: path.to_owned() })
}

fn sort(error: FsError) -> PolicyFileError {
    match error {
        FsError::TooLarge { path, .. } => PolicyFileError::TooLarge { path },
        error => PolicyFileError::Fs(error),
    }
}
