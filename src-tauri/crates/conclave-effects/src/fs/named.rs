//! Files that a person named: one to read, one to write. Nothing here is reached by a path that a project chose.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use conclave_policy::{Action, Actor, ToolRequest, digest};
use rustix::fs::{Mode, OFlags};

use super::beneath::regular;
use super::{Capped, FsError, on_path};
use crate::{Effect, Permit};

/// The effect of reading one file, wherever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFile {
    /// The file; a symbolic link that the person named is followed.
    pub path: PathBuf,
    /// The most bytes that are read.
    pub max_bytes: u64,
}

/// The effect of writing one file, wherever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteFile {
    /// The file; replaced when it exists.
    pub path: PathBuf,
    /// Its whole new content.
    pub bytes: Vec<u8>,
}

impl Effect for ReadFile {
    fn request(&self, actor: &Actor) -> ToolRequest {
        on_path(actor, Action::ReadFile, &self.path)
    }
}

impl Effect for WriteFile {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let context = BTreeMap::from([
            ("bytes".to_owned(), self.bytes.len().to_string()),
            ("digest".to_owned(), digest(&self.bytes)),
        ]);
        ToolRequest { context, ..on_path(actor, Action::WriteFile, &self.path) }
    }
}

/// Opens the file for reading from its start.
///
/// The reader fails with [`io::ErrorKind::FileTooLarge`] when there is more to read than the effect says, so that a cut
/// file is never taken for a whole one.
///
/// # Errors
/// [`FsError::NotFound`], [`FsError::NotRegular`] for anything but a regular file, without waiting for it.
pub fn open_file(permit: Permit<ReadFile>) -> Result<Capped, FsError> {
    let ReadFile { path, max_bytes } = permit.into_effect();
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let handle = rustix::fs::open(&path, flags, Mode::empty()).map_err(|errno| match errno {
        rustix::io::Errno::NXIO => FsError::NotRegular { path: path.clone() },
        _ => FsError::io(&path, errno),
    })?;
    let file = File::from(handle);
    regular(&file, &path)?;
    Ok(Capped::new(file, max_bytes))
}

/// Writes the file: complete and durable under its name when this returns, or not at all. Readable by its owner only.
///
/// # Errors
/// [`FsError::NotRegular`] when something other than a regular file has the name, [`FsError::Io`] with the system's
/// words otherwise.
pub fn write_file(permit: Permit<WriteFile>) -> Result<(), FsError> {
    let WriteFile { path, bytes } = permit.into_effect();
    let path = std::path::absolute(&path).map_err(|error| FsError::io(&path, error))?;
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => Err(FsError::NotRegular { path }),
        _ => write_whole(&path, &bytes),
    }
}

/// Puts `bytes` under the name `path` in one step: temporary file, sync, rename, sync of the folder.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let wrong = |error: io::Error| FsError::io(path, error);
    let (mut file, temporary) = temporary_beside(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = written {
        // What could not be written is of no use; that it cannot be removed either changes nothing.
        let _ = std::fs::remove_file(&temporary);
        return Err(wrong(error));
    }
    sync_folder(path.parent().unwrap_or(path)).map_err(wrong)
}

/// A new, empty file of ours (mode 0600) in the folder of `path`.
pub(crate) fn temporary_beside(path: &Path) -> Result<(File, PathBuf), FsError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().ok_or_else(|| FsError::NotRegular { path: path.to_owned() })?;
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!(".conclave-{}-{number}.tmp", std::process::id()));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::open(&temporary, flags, Mode::RUSR | Mode::WUSR) {
            Ok(handle) => return Ok((File::from(handle), temporary)),
            // Left behind by a process that had our number.
            Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(FsError::io(path, errno)),
        }
    }
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
