//! Reading policy files, and replacing the person's own.
//!
//! They need no permit: what they say is what permits are given by. Invariants: a file is taken only from whoever may
//! say something in its place (the administrator's from root alone, the person's from the person alone, a project's
//! from inside the project alone); a file that is there and cannot be taken is an error, never an absence.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::data::keep_private;
use crate::fs::beneath::{OURS, Root, read_capped, regular};
use crate::fs::write_whole;
use crate::{DataDir, FsError};

/// The name of the file in each of its places.
pub const NAME: &str = "policy.yaml";
/// The folder of whoever runs the machine.
const ADMIN: &str = "/etc/conclave";
/// The folder in a project.
const PROJECT: &str = ".conclave";
/// Behind the name of the person's own file: the one before.
const BACKUP: &str = ".backup";
/// Largest policy file, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Where a policy file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// Where whoever runs the machine puts it.
    Admin,
    /// In this data folder.
    User(&'a Path),
    /// In the project in this folder.
    Project(&'a Path),
}

/// A policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// The policy file at `place`; `None` when there is none.
///
/// # Errors
/// [`FsError`] when there is one and it cannot be read, or is not by whoever it should be by.
pub fn read(place: Place<'_>) -> Result<Option<PolicyText>, FsError> {
    let (path, file) = match place {
        Place::Admin => {
            let path = Path::new(ADMIN).join(NAME);
            (path.clone(), open_of_root(&path))
        }
        Place::User(data) => {
            let path = data.join(NAME);
            (path.clone(), keep_private(&path, OFlags::NONBLOCK | OFlags::NOFOLLOW, OURS))
        }
        Place::Project(root) => {
            let relative = format!("{PROJECT}/{NAME}");
            (root.join(&relative), Root::open(root).and_then(|root| root.open_file(&relative)))
        }
    };
    let file = match file {
        Ok(file) => file,
        Err(FsError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    regular(&file, &path)?;
    let bytes = read_capped(file, &path, LARGEST)?;
    let text = String::from_utf8(bytes).map_err(|_| untrusted(&path, "it is not UTF-8 text"))?;
    Ok(Some(PolicyText { path, text }))
}

/// Puts `text` in the place of the person's own file, whole and durably; the one before is kept beside it.
///
/// # Errors
/// [`FsError::Io`]; then the file is as it was.
pub fn write_user(data: &DataDir, text: &str) -> Result<PathBuf, FsError> {
    let path = data.path().join(NAME);
    match keep_private(&path, OFlags::NONBLOCK | OFlags::NOFOLLOW, OURS) {
        Ok(file) => {
            regular(&file, &path)?;
            let before = read_capped(file, &path, LARGEST)?;
            write_whole(&data.path().join(format!("{NAME}{BACKUP}")), &before)?;
        }
        Err(FsError::NotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    write_whole(&path, text.as_bytes())?;
    Ok(path)
}

/// Opens a file that root owns and nobody else can change, in a folder of which the same holds.
fn open_of_root(path: &Path) -> Result<File, FsError> {
    let folder = path.parent().unwrap_or(path);
    for (what, flags) in [(folder, OFlags::DIRECTORY), (path, OFlags::NONBLOCK)] {
        let wrong = |errno| FsError::io(what, errno);
        let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::open(what, flags, Mode::empty()).map_err(wrong)?;
        let stat = rustix::fs::fstat(&handle).map_err(wrong)?;
        if stat.st_uid != 0 || stat.st_mode & 0o022 != 0 {
            return Err(untrusted(
                what,
                "it is not root\u{2019}s alone to change; give it to root with mode 0644 or 0755",
            ));
        }
        if what == path {
            return Ok(File::from(handle));
        }
    }
    Err(FsError::NotFound { path: path.to_owned() })
}

fn untrusted(path: &Path, why: &str) -> FsError {
    FsError::io(path, io::Error::new(io::ErrorKind::InvalidData, why))
}

#[cfg(test)]
mod tests;
