//! Conclave's own data folder: database, settings, contents kept for undo, scratch copies.
//!
//! It needs no permit because it is our own state. Invariants: the folder is ours and nobody else's (0700, files 0600);
//! a content is durable before its digest is given out, and is checked against it when read.

use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use conclave_policy::digest;
use rustix::fs::{Mode, OFlags};

use crate::FsError;
use crate::fs::beneath::{OURS, Root, read_capped, regular};
use crate::fs::{sync_folder, write_whole};
use crate::scratch;

mod clients;

pub use clients::{ClientName, NotAName};

/// Largest settings file, in bytes.
const LARGEST_SETTINGS: u64 = 1024 * 1024;

/// The data folder, opened and checked.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
}

/// Where the data folder is unless somebody says otherwise: `$CONCLAVE_HOME`, else the place that the operating system
/// has for such things. `None` without a home.
pub fn default_data_dir() -> Option<PathBuf> {
    place(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let home = || variable("HOME").map(PathBuf::from);
    let of_the_system = || {
        if cfg!(target_os = "macos") {
            return Some(home()?.join("Library/Application Support/conclave"));
        }
        // The XDG specification wants a relative value ignored.
        let base = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        Some(base.or_else(|| Some(home()?.join(".local/share")))?.join("conclave"))
    };
    variable("CONCLAVE_HOME").map(PathBuf::from).or_else(of_the_system)
}

impl DataDir {
    /// Opens the folder, creates it when it is missing, closes it to others, and removes scratch copies whose process
    /// has ended.
    ///
    /// # Errors
    /// [`FsError::NotOurs`] when somebody else owns it; [`FsError::NotFolder`] when it is something else.
    pub fn open(path: &Path) -> Result<Self, FsError> {
        let path = std::path::absolute(path).map_err(|error| FsError::io(path, error))?;
        if holds_other_things(&path) {
            return Err(FsError::NotConclaves { path });
        }
        for folder in [path.clone(), path.join("blobs"), path.join("scratch")] {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => FsError::NotFolder { path: folder.clone() },
                _ => FsError::io(&folder, error),
            })?;
            keep_private(&folder, OFlags::DIRECTORY, Mode::RWXU)?;
        }
        // Where the folder really is, so that paths in it can be opened without links.
        let data = Self { path: crate::resolve(&path)? };
        scratch::sweep(&data.scratch_base());
        Ok(data)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.path.join("conclave.db")
    }

    /// Where scratch copies are made.
    pub fn scratch_base(&self) -> PathBuf {
        self.path.join("scratch")
    }

    /// A folder that workers in the sandbox may write, made when it is missing; it may be deleted at any time.
    ///
    /// # Errors
    /// [`FsError::Io`] when it cannot be made.
    pub fn worker_folder(&self) -> Result<PathBuf, FsError> {
        let folder = self.path.join("worker");
        let wrong = |error| FsError::io(&folder, error);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(wrong)?;
        // Where programs in the sandbox are somebody else, it is theirs; nobody else reaches it inside the data folder.
        if let Some((user, group)) = crate::sandbox::guest() {
            std::os::unix::fs::chown(&folder, Some(user.as_raw()), Some(group.as_raw())).map_err(wrong)?;
        }
        Ok(folder)
    }

    /// The text of `settings.json`; `None` when there is none.
    ///
    /// # Errors
    /// [`FsError::NotOurs`] when somebody else owns the file: settings say where code may be sent.
    pub fn settings(&self) -> Result<Option<String>, FsError> {
        settings(&self.path)
    }

    /// Keeps `bytes` and gives the digest they are kept under; durable when it returns.
    ///
    /// # Errors
    /// [`FsError::Io`] when they could not be made durable.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<String, FsError> {
        let name = digest(bytes);
        // A damaged content is written again.
        if self.blob(&name).is_err() {
            write_whole(&self.blob_path(&name), bytes)?;
        } else {
            // Another process may have renamed it into place and not yet made the name durable.
            sync_folder(&self.path.join("blobs")).map_err(|error| FsError::io(&self.path, error))?;
        }
        Ok(name)
    }

    /// The content kept under `digest`.
    ///
    /// # Errors
    /// [`FsError::NotFound`] when there is none, [`FsError::Damaged`] when it no longer has that digest.
    pub fn blob(&self, digest: &str) -> Result<Vec<u8>, FsError> {
        let path = self.blob_path(digest);
        if digest.len() != 64 || !digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(FsError::NotFound { path });
        }
        let bytes = std::fs::read(&path).map_err(|error| FsError::io(&path, error))?;
        if conclave_policy::digest(&bytes) == digest {
            Ok(bytes)
        } else {
            Err(FsError::Damaged { digest: digest.to_owned() })
        }
    }

    /// The names of databases that were moved aside because they were damaged.
    pub fn damaged(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.starts_with("conclave.db.damaged-")).collect();
        names.sort();
        names
    }

    /// Writes `files`, by relative path, into the new folder `name`; a folder that is there already is left as it is.
    ///
    /// # Errors
    /// [`FsError::Io`] when they could not be written; then the folder is not there.
    pub fn unpack(&self, name: &str, files: &[(&str, &[u8])]) -> Result<PathBuf, FsError> {
        let folder = self.path.join(name);
        if folder.is_dir() {
            return Ok(folder);
        }
        let wrong = |error| FsError::io(&folder, error);
        let partial = folder.with_extension("partial");
        if partial.exists() {
            std::fs::remove_dir_all(&partial).map_err(wrong)?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&partial).map_err(wrong)?;
        let root = Root::open(&partial)?;
        for (path, bytes) in files {
            if let Some((parent, _)) = path.rsplit_once('/') {
                root.create_folders(parent)?;
            }
            root.create_file(path, OURS)?.write_all(bytes).map_err(wrong)?;
        }
        std::fs::rename(&partial, &folder).map_err(wrong)?;
        Ok(folder)
    }

    fn blob_path(&self, digest: &str) -> PathBuf {
        self.path.join("blobs").join(digest)
    }
}

/// The text of `settings.json` in the data folder `folder`, without opening the folder; `None` when there is none.
///
/// # Errors
/// As [`DataDir::settings`].
pub fn settings(folder: &Path) -> Result<Option<String>, FsError> {
    let path = folder.join("settings.json");
    let file = match keep_private(&path, OFlags::NONBLOCK, OURS) {
        Ok(file) => file,
        Err(FsError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    regular(&file, &path)?;
    let bytes = read_capped(file, &path, LARGEST_SETTINGS)?;
    let not_text = |error| FsError::io(&path, std::io::Error::new(std::io::ErrorKind::InvalidData, error));
    String::from_utf8(bytes).map(Some).map_err(not_text)
}

/// Whether the folder is in use for something else: it has entries, and none of them is a sign of ours.
///
/// A folder that is taken is closed to others, which nobody wants to happen to a project or a home.
fn holds_other_things(path: &Path) -> bool {
    let Ok(mut entries) = std::fs::read_dir(path) else { return false };
    let ours = |name: &str| path.join(name).exists();
    entries.next().is_some() && !["conclave.db", "blobs", "settings.json"].into_iter().any(ours)
}

/// Opens something of ours, refuses it when it is somebody else's, and takes away what others may do with it.
pub(crate) fn keep_private(path: &Path, flags: OFlags, mode: Mode) -> Result<File, FsError> {
    let wrong = |errno| FsError::io(path, errno);
    let handle = rustix::fs::open(path, flags | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(wrong)?;
    let stat = rustix::fs::fstat(&handle).map_err(wrong)?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(FsError::NotOurs { path: path.to_owned() });
    }
    if stat.st_mode & 0o077 != 0 {
        rustix::fs::fchmod(&handle, mode).map_err(wrong)?;
    }
    Ok(File::from(handle))
}

#[cfg(test)]
mod tests;
