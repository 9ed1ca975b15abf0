//! Files that a person named: one to read, one to write. Nothing here is reached by a path that a project chose.
//!
//! A link that the person named is followed, once, when the request is made: the file that it led to is judged, and
//! the door opens that file by its real path, without links, and checks that it still is the same one.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use conclave_policy::{Access, Action, Actor, ToolRequest, digest};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::beneath::{OURS, Root, read_capped, regular};
use super::{Capped, FsError, Spool};
use crate::touched::{Identity, is_same, on_paths};
use crate::{Effect, Permit, Stale};

/// What the copy of a file is called that was replaced: the file's name and this, and a number from the second copy on.
const BACKUP: &str = ".conclave-backup";

/// The name of the copy number `number`, from 1, of the file at `path`.
pub fn backup(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(BACKUP);
    if number > 1 {
        name.push(format!("-{number}"));
    }
    name.into()
}

/// The key of a request's context under which the identity of a file's folder is.
const FOLDER: &str = "folder";

/// Larger files are not replaced where their bytes have to be compared.
const LARGEST: u64 = 64 * 1024 * 1024;

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
    /// The file; a symbolic link that the person named is followed, and what it leads to is replaced when it exists.
    pub path: PathBuf,
    /// Its whole new content.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes that must be there, where `bytes` were made from them.
    pub base: Option<String>,
    /// Whether what is replaced is kept beside it, as the next [`backup`]; those that are there stay as they are.
    pub backup: bool,
}

/// The effect of writing one file with bytes that were made piece by piece.
#[derive(Debug)]
pub struct WriteSpooled {
    /// See [`WriteFile::path`].
    pub path: PathBuf,
    /// Its whole new content.
    pub content: Spool,
}

impl Effect for ReadFile {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let path = absolute(&self.path);
        on_paths(actor, Action::ReadFile, &path, &[(&path, Access::Read)])
    }
}

impl Effect for WriteFile {
    fn request(&self, actor: &Actor) -> ToolRequest {
        writing(actor, &self.path, self.bytes.len() as u64, digest(&self.bytes))
            .with("base", self.base.clone().unwrap_or_default())
            .with("backup", if self.backup { "yes" } else { "no" })
    }
}

impl Effect for WriteSpooled {
    fn request(&self, actor: &Actor) -> ToolRequest {
        writing(actor, &self.path, self.content.bytes(), self.content.digest()).with("base", "").with("backup", "no")
    }
}

/// A request to write so many bytes, which have this digest, into the file at `path`.
fn writing(actor: &Actor, path: &Path, bytes: u64, digest: String) -> ToolRequest {
    let path = absolute(path);
    let request = on_paths(actor, Action::WriteFile, &path, &[(&path, Access::Write)]);
    let real = request.paths[0].real.as_deref().map(Path::new);
    let folder = real.and_then(Path::parent).and_then(Identity::at);
    let folder = folder.map(|identity| identity.to_string()).unwrap_or_default();
    request.with(FOLDER, folder).with("bytes", bytes.to_string()).with("digest", digest)
}

/// Where a path leads from here; one that cannot be told is judged as it is, and opens nothing.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The folder that holds the judged file, and the file's name in there.
fn place(request: &ToolRequest) -> Result<(Root, PathBuf, String), FsError> {
    let given = Path::new(&request.resource);
    let Some(real) = request.paths.first().and_then(|path| path.real.as_deref()).map(Path::new) else {
        // A loop, a folder that is closed to us, a link of `/proc`: the system says which, else it is no file.
        given.metadata().map_err(|error| FsError::io(given, error))?;
        return Err(FsError::NotRegular { path: given.to_owned() });
    };
    let (Some(folder), Some(name)) = (real.parent(), real.file_name().and_then(|name| name.to_str())) else {
        return Err(FsError::NotRegular { path: given.to_owned() });
    };
    // The folder had no link in it when it was judged.
    let root = Root::open(folder).map_err(|error| match error {
        FsError::NotResolved { path } | FsError::NotFolder { path } => Stale::changed(path).into(),
        error => error,
    })?;
    Ok((root, real.to_owned(), name.to_owned()))
}

/// Opens the file for reading from its start.
///
/// The reader fails with [`io::ErrorKind::FileTooLarge`] when there is more to read than the effect says, so that a cut
/// file is never taken for a whole one.
///
/// # Errors
/// [`FsError::NotFound`], [`FsError::NotRegular`] for anything but a regular file, without waiting for it;
/// [`FsError::Stale`] when it is another file by now.
pub fn open_file(permit: Permit<ReadFile>) -> Result<Capped, FsError> {
    let (ReadFile { max_bytes, .. }, request) = permit.open()?;
    let (folder, real, name) = place(&request)?;
    let file = folder.open_file(&name).map_err(|error| match error {
        FsError::Outside { path } => Stale::changed(path).into(),
        FsError::NotFound { .. } if is_same(&request, 0, None).is_err() => Stale::changed(&real).into(),
        error => error,
    })?;
    is_same(&request, 0, Identity::of(&file))?;
    Ok(Capped::new(file, max_bytes))
}

/// Writes the file: complete and durable under its name when this returns, or not at all.
///
/// A file that is replaced hands on its permission bits; a new one is readable by its owner only.
///
/// # Errors
/// [`FsError::NotRegular`] when something other than a regular file has the name; [`FsError::Stale`] when the file or
/// its folder is another one by now, or has other bytes than `base` says; [`FsError::Io`] with the system's words
/// otherwise.
pub fn write_file(permit: Permit<WriteFile>) -> Result<(), FsError> {
    let (WriteFile { bytes, base, backup, .. }, request) = permit.open()?;
    Named::judged(&request)?.replace(&request, |file| file.write_all(&bytes), base.as_deref(), backup)
}

/// Writes the file with what is in the spool, as [`write_file`] does.
///
/// # Errors
/// As [`write_file`].
pub fn write_spooled(permit: Permit<WriteSpooled>) -> Result<(), FsError> {
    let (WriteSpooled { content, .. }, request) = permit.open()?;
    Named::judged(&request)?.replace(&request, |file| content.copy_to(file), None, false)
}

/// A name in a folder that is held open.
struct Named {
    folder: OwnedFd,
    name: String,
    /// The whole path, for messages.
    real: PathBuf,
}

impl Named {
    /// The file that was judged, by the folder that was there then.
    fn judged(request: &ToolRequest) -> Result<Self, FsError> {
        let (root, real, name) = place(request)?;
        let folder = root.open_folder("")?;
        let identity = Identity::of(&folder).map(|identity| identity.to_string()).unwrap_or_default();
        if request.context.get(FOLDER) != Some(&identity) {
            return Err(Stale::changed(real.parent().unwrap_or(&real)).into());
        }
        Ok(Self { folder, name, real })
    }

    /// Puts in its place what `fill` writes.
    fn replace(
        &self,
        request: &ToolRequest,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
        base: Option<&str>,
        backup: bool,
    ) -> Result<(), FsError> {
        let before = self.stat(&self.name)?;
        self.must_be_judged(request, &self.name, base)?;
        let mode = before.map_or(OURS, |stat| Mode::from_raw_mode(stat.st_mode & 0o7777));
        let (mut file, temporary) = self.temporary()?;
        let ours = Identity::of(&file);
        let wrong = |error: io::Error| FsError::io(&self.real, error);
        let done = fill(&mut file)
            .and_then(|()| Ok(rustix::fs::fchmod(&file, mode)?))
            .and_then(|()| file.sync_all())
            .map_err(wrong)
            .and_then(|()| self.put(request, &temporary, base, before.is_some()));
        if let Err(error) = done {
            // What could not be put in its place is of no use; a file of somebody else's that took its name is.
            if self.stat(&temporary).is_ok_and(|found| found.map(|stat| Identity::of_stat(&stat)) == ours) {
                let _ = rustix::fs::unlinkat(&self.folder, &temporary, AtFlags::empty());
            }
            return Err(error);
        }
        if before.is_some() {
            let settled = if backup {
                self.keep(&temporary)
            } else {
                rustix::fs::unlinkat(&self.folder, &temporary, AtFlags::empty())
            };
            match settled {
                // Where names cannot be exchanged, nothing is left aside.
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(self.io(errno)),
            }
        }
        rustix::fs::fsync(&self.folder).map_err(|errno| self.io(errno))
    }

    /// Gives the first free name of a copy to the file `temporary`.
    fn keep(&self, temporary: &str) -> rustix::io::Result<()> {
        let keep = |number| {
            let name = backup(Path::new(&self.name), number);
            rustix::fs::renameat_with(&self.folder, temporary, &self.folder, name, RenameFlags::NOREPLACE)
        };
        (1..).map(keep).find(|kept| *kept != Err(Errno::EXIST)).unwrap_or(Err(Errno::EXIST))
    }

    /// Gives the name to the file `temporary`, if what has it is what was judged; that is then called `temporary`.
    fn put(&self, request: &ToolRequest, temporary: &str, base: Option<&str>, exists: bool) -> Result<(), FsError> {
        let rename = |flags| rustix::fs::renameat_with(&self.folder, temporary, &self.folder, &self.name, flags);
        let cannot = |errno| matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::NOTSUP);
        match rename(if exists { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE }) {
            Ok(()) if !exists => Ok(()),
            Ok(()) => {
                let Err(error) = self.must_be_judged(request, temporary, base) else { return Ok(()) };
                rename(RenameFlags::EXCHANGE).map_err(|errno| self.io(errno))?;
                Err(error)
            }
            Err(Errno::EXIST | Errno::NOENT) => Err(Stale::changed(&self.real).into()),
            // The next best where names cannot be exchanged: look, then rename.
            Err(errno) if cannot(errno) => {
                self.must_be_judged(request, &self.name, base)?;
                rustix::fs::renameat(&self.folder, temporary, &self.folder, &self.name).map_err(|errno| self.io(errno))
            }
            Err(errno) => Err(self.io(errno)),
        }
    }

    /// Whether the file called `name` is the one that was judged, with the bytes that it was judged with.
    fn must_be_judged(&self, request: &ToolRequest, name: &str, base: Option<&str>) -> Result<(), FsError> {
        let found = self.stat(name)?;
        if found.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile) {
            return Err(FsError::NotRegular { path: self.real.clone() });
        }
        is_same(request, 0, found.as_ref().map(Identity::of_stat))?;
        let Some(base) = base else { return Ok(()) };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.folder.as_fd(), name, flags, Mode::empty()).map_err(|e| self.io(e))?;
        let file = File::from(file);
        regular(&file, &self.real)?;
        if digest(&read_capped(file, &self.real, LARGEST)?) == base { Ok(()) } else { Err(self.changed()) }
    }

    fn stat(&self, name: &str) -> Result<Option<Stat>, FsError> {
        match rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.io(errno)),
        }
    }

    /// A new, empty file of ours beside it.
    fn temporary(&self) -> Result<(File, String), FsError> {
        new_file(&self.real, |name, flags| rustix::fs::openat(&self.folder, name, flags, OURS))
    }

    fn changed(&self) -> FsError {
        Stale::changed(&self.real).into()
    }

    fn io(&self, errno: Errno) -> FsError {
        FsError::io(&self.real, errno)
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
    let folder = path.parent().ok_or_else(|| FsError::NotRegular { path: path.to_owned() })?;
    let (file, name) = new_file(path, |name, flags| rustix::fs::open(folder.join(name), flags, OURS))?;
    Ok((file, folder.join(name)))
}

/// A file under a name that nothing has, opened by `open`.
pub(super) fn new_file(
    path: &Path,
    open: impl Fn(&str, OFlags) -> rustix::io::Result<OwnedFd>,
) -> Result<(File, String), FsError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!(".conclave-{}-{number}.tmp", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match open(&name, flags) {
            Ok(handle) => return Ok((File::from(handle), name)),
            // Left behind by a process that had our number.
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(FsError::io(path, errno)),
        }
    }
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
