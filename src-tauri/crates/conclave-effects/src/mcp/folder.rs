//! The folder of a server that keeps a file of its own, such as one for memory: held by one process at a time, and backed
//! up before each change.
//!
//! Invariant: a file that was sound before a call is sound after it, or the one before is put back.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::fs::write_whole;
use crate::sandbox::WORK;
use crate::{DataDir, FsError};

/// The file's name.
const FILE: &str = "memory.jsonl";

/// A server's folder, held until it is dropped.
#[derive(Debug)]
pub struct ServerFolder {
    work: PathBuf,
    backup: PathBuf,
    _lock: File,
}

impl DataDir {
    /// The folder of the server `name`, which may hold letters, digits, `_` and `-`; `None` while another process of
    /// Conclave holds it.
    ///
    /// # Errors
    /// [`FsError`] when it cannot be made.
    pub fn server_folder(&self, name: &str) -> Result<Option<ServerFolder>, FsError> {
        let top = self.path().join("servers").join(name);
        let work = top.join("work");
        let failed = |error| FsError::io(&top, error);
        DirBuilder::new().recursive(true).mode(0o700).create(&work).map_err(failed)?;
        let mut open = OpenOptions::new();
        let lock = open.write(true).create(true).truncate(false).mode(0o600).open(top.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Where programs in the sandbox are somebody else, it is theirs.
        if let Some((user, group)) = crate::sandbox::guest() {
            std::os::unix::fs::chown(&work, Some(user.as_raw()), Some(group.as_raw())).map_err(failed)?;
        }
        Ok(Some(ServerFolder { work, backup: top.join(FILE), _lock: lock }))
    }
}

impl ServerFolder {
    /// The part of it that the server sees and may write.
    pub fn path(&self) -> &Path {
        &self.work
    }

    /// Where the server finds its file, as it sees it.
    pub fn file_inside() -> String {
        format!("{WORK}/{FILE}")
    }

    /// Keeps a copy of the file as it is now, if it is sound.
    ///
    /// # Errors
    /// [`FsError`] when it cannot be copied.
    pub fn back_up(&self) -> Result<(), FsError> {
        let failed = |error| FsError::io(&self.backup, error);
        match self.content() {
            Ok(text) if is_sound(&text) => write_whole(&self.backup, &text),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Whether each line of the file is JSON; otherwise the copy is put back, if there is one, and the answer is no. What
    /// was spoiled is kept beside the copy.
    ///
    /// # Errors
    /// [`FsError`] when it cannot be put back.
    pub fn is_sound_or_restored(&self) -> Result<bool, FsError> {
        match self.content() {
            Ok(text) if is_sound(&text) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            // That it cannot be read now says nothing of what is in it.
            Err(error) if !is_of_its_making(&error) => Err(FsError::io(&self.work.join(FILE), error)),
            _ => {
                let file = self.work.join(FILE);
                let spoiled = self.backup.with_extension("spoiled");
                std::fs::rename(&file, &spoiled).map_err(|error| FsError::io(&spoiled, error))?;
                let copy = match std::fs::read(&self.backup) {
                    Ok(copy) => copy,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                    Err(error) => return Err(FsError::io(&self.backup, error)),
                };
                let mut open = OpenOptions::new();
                let made = open.write(true).create_new(true).mode(0o600).open(&file);
                let put = made.and_then(|mut file| io::Write::write_all(&mut file, &copy));
                put.map_err(|error| FsError::io(&file, error))?;
                if let Some((user, group)) = crate::sandbox::guest() {
                    std::os::unix::fs::chown(&file, Some(user.as_raw()), Some(group.as_raw()))
                        .map_err(|error| FsError::io(&file, error))?;
                }
                Ok(false)
            }
        }
    }

    /// The file's bytes; a link or anything but a file is not followed.
    fn content(&self) -> io::Result<Vec<u8>> {
        const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        const NO_WAIT: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut open = OpenOptions::new();
        let file = open.read(true).custom_flags(NO_FOLLOW | NO_WAIT).open(self.work.join(FILE))?;
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, LARGEST), &mut bytes)?;
        Ok(bytes)
    }
}

/// Largest file that is looked at, in bytes; the sandbox lets none become larger.
const LARGEST: u64 = super::LARGEST_FILE;

/// Whether the server itself put something there that is no file: a link, a folder.
fn is_of_its_making(error: &io::Error) -> bool {
    let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    is_link || error.kind() == io::ErrorKind::InvalidData
}

fn is_sound(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.into_iter().all(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_a_server_spoils_is_put_back_and_one_process_holds_it() {
        let home = tempfile::tempdir().unwrap();
        let data = DataDir::open(&home.path().join("data")).unwrap();
        let folder = data.server_folder("memory").unwrap().unwrap();
        assert!(data.server_folder("memory").unwrap().is_none(), "held");
        assert!(data.server_folder("other").unwrap().is_some());
        let file = folder.path().join(FILE);
        assert!(folder.is_sound_or_restored().unwrap(), "none is sound");
        folder.back_up().unwrap();
        std::fs::write(&file, "{\"type\":\"entity\"}\n{\"type\":\"relation\"}\n").unwrap();
        assert!(folder.is_sound_or_restored().unwrap());
        folder.back_up().unwrap();
        for spoilt in ["{\"type\":\"entity\"}\n{\"ty", "\u{0}"] {
            std::fs::write(&file, spoilt).unwrap();
            folder.back_up().unwrap();
            assert!(!folder.is_sound_or_restored().unwrap(), "{spoilt:?}");
            assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
        }
        std::fs::remove_file(&file).unwrap();
        let secret = home.path().join("secret");
        std::fs::write(&secret, "{}").unwrap();
        std::os::unix::fs::symlink(&secret, &file).unwrap();
        assert!(!folder.is_sound_or_restored().unwrap(), "a link is not followed");
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "{}");
        drop(folder);
        assert!(data.server_folder("memory").unwrap().is_some());
    }
}
