//! One file to be replaced: its folder's handle, its name, and the names of our files beside it.
//!
//! Two of ours: `.part` while bytes are being written, which is ours whatever it holds; `.swap` when they are complete
//! and durable. After an exchange, `.swap` is the displaced file. Invariant: nothing but a complete file ever gets the
//! name that is replaced, and a `.swap` with bytes that are not known is never removed.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use conclave_policy::digest;
use rustix::fs::{Access, AtFlags, FileType, FlockOperation, Gid, Mode, OFlags, RenameFlags, Stat, Uid, XattrFlags};
use rustix::io::Errno;

use super::{Found, ReplaceError};
use crate::FsError;
use crate::fs::beneath::{Root, read_capped};

/// Larger files are not compared; they count as other bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The most that Linux lets an attribute, or the list of their names, take.
const LARGEST_ATTRIBUTE: usize = 64 * 1024;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A regular file with the bytes before.
    Before,
    /// A regular file with the bytes after.
    After,
    /// Anything else, nothing among it.
    Other(Found),
}

/// How a swap ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swapped {
    /// The expected bytes were displaced; they are aside now.
    Exchanged,
    /// The file system cannot exchange: the expected bytes were there a moment before they were overwritten.
    Overwritten,
    /// Other bytes were there, and are there again.
    Changed(Found),
}

/// A file to be replaced.
pub(super) struct Target {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    pub(super) before: String,
    pub(super) after: String,
    folder: OwnedFd,
    /// The whole path, for messages.
    place: PathBuf,
    name: String,
    part: String,
    swap: String,
}

impl Target {
    /// Opens the folder of file number `n` of a change, given as path, digest before and digest after.
    pub(super) fn open(root: &Root, tag: &str, n: usize, file: (&str, &str, &str)) -> Result<Self, FsError> {
        let (path, before, after) = file;
        let place = root.path().join(path);
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !matches!(Path::new(name).components().collect::<Vec<_>>()[..], [Component::Normal(only)] if only == name) {
            return Err(FsError::Outside { path: place });
        }
        Ok(Self {
            path: path.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
            folder: root.open_folder(parent)?,
            place,
            name: name.to_owned(),
            part: format!(".conclave-{tag}-{n}.part"),
            swap: format!(".conclave-{tag}-{n}.swap"),
        })
    }

    /// What the name stands for.
    pub(super) fn look(&self) -> Result<Seen, FsError> {
        Ok(self.see(&self.name)?.0)
    }

    /// What our complete file beside it holds.
    pub(super) fn look_aside(&self) -> Result<Seen, FsError> {
        Ok(self.see(&self.swap)?.0)
    }

    /// What is aside, if it is neither nothing nor bytes that are kept elsewhere.
    pub(super) fn displaced(&self) -> Result<Option<Found>, FsError> {
        Ok(match self.look_aside()? {
            Seen::Before | Seen::After | Seen::Other(Found::Nothing) => None,
            Seen::Other(found) => Some(found),
        })
    }

    /// Puts `bytes` aside after a look at everything that must be right before a file is replaced.
    pub(super) fn prepare(&self, bytes: &[u8]) -> Result<(), ReplaceError> {
        match self.look()? {
            Seen::Before => {}
            Seen::After => return Err(self.changed(Found::OtherBytes)),
            Seen::Other(found) => return Err(self.changed(found)),
        }
        let folder = rustix::fs::fstat(&self.folder).map_err(|errno| self.io(errno))?;
        // Asked of the bits too: for root the system says yes to everything.
        if folder.st_mode & 0o222 == 0 || self.forbids(".")? {
            return Err(self.refused("is in a folder that is read-only"));
        }
        let bits = self.see(&self.name)?.1.map_or(0, |held| held.stat.st_mode);
        if bits & 0o222 == 0 || self.forbids(&self.name)? {
            return Err(self.refused("is read-only"));
        }
        if self.see(&self.swap)?.0 != Seen::Other(Found::Nothing) {
            return Err(self.refused(&format!("has a file of an earlier change beside it, `{}`", self.swap)));
        }
        self.write_aside(bytes)
    }

    /// Writes `bytes` aside, complete and durable, with mode, owner and attributes of the file that has the name.
    pub(super) fn write_aside(&self, bytes: &[u8]) -> Result<(), ReplaceError> {
        let (_, Some(model)) = self.see(&self.name)? else {
            return Err(self.changed(Found::NotRegular));
        };
        self.remove(&self.part)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(&self.folder, &self.part, flags, Mode::RUSR | Mode::WUSR);
        let mut part = File::from(handle.map_err(|errno| match errno {
            Errno::ACCESS | Errno::PERM | Errno::ROFS => self.refused("is in a folder that is read-only"),
            _ => self.io(errno).into(),
        })?);
        let wrong = |error: std::io::Error| FsError::io(&self.place, error);
        part.write_all(bytes).map_err(wrong)?;
        self.keep_owner(&part, &model.stat)?;
        self.keep_attributes(&part, &model.file)?;
        rustix::fs::fchmod(&part, Mode::from_raw_mode(model.stat.st_mode & 0o7777)).map_err(|errno| self.io(errno))?;
        part.sync_all().map_err(wrong)?;
        rustix::fs::renameat(&self.folder, &self.part, &self.folder, &self.swap).map_err(|errno| self.io(errno))?;
        Ok(())
    }

    /// Gives the name to what is aside, if what has it now is `expected`; `incoming` is what is aside.
    pub(super) fn swap(&self, expected: &str, incoming: &str) -> Result<Swapped, FsError> {
        match self.exchange() {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return self.overwrite(expected),
            Err(Errno::NOENT) => return Ok(Swapped::Changed(Found::Nothing)),
            Err(errno) => return Err(self.io(errno)),
        }
        let (seen, displaced) = self.see(&self.swap)?;
        if displaced.is_some_and(|held| held.digest.as_deref() == Some(expected)) {
            return Ok(Swapped::Exchanged);
        }
        self.exchange_back(incoming)?;
        Ok(Swapped::Changed(found_of(seen)))
    }

    /// Gives the name back to what is aside. If somebody saved under the name meanwhile, that keeps it: the later save
    /// counts, and the earlier one stays aside.
    pub(super) fn exchange_back(&self, incoming: &str) -> Result<(), FsError> {
        self.exchange().map_err(|errno| self.io(errno))?;
        let aside = self.see(&self.swap)?.1;
        let ours = aside.is_some_and(|held| held.digest.as_deref() == Some(incoming));
        if ours { Ok(()) } else { self.exchange().map_err(|errno| self.io(errno)) }
    }

    /// Makes what happened to names in the folder durable.
    pub(super) fn sync_folder(&self) -> Result<(), FsError> {
        match rustix::fs::fsync(&self.folder) {
            // Some file systems have nothing to sync in a folder.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(errno) => Err(self.io(errno)),
        }
    }

    /// Removes our files; gives the name of one that has to be kept because its bytes are somebody else's.
    pub(super) fn remove_ours(&self) -> Result<Option<String>, FsError> {
        self.remove(&self.part)?;
        match self.look_aside()? {
            Seen::Before | Seen::After => self.remove(&self.swap).map(|()| None),
            Seen::Other(Found::Nothing) => Ok(None),
            Seen::Other(_) => Ok(Some(match self.path.rsplit_once('/') {
                Some((parent, _)) => format!("{parent}/{}", self.swap),
                None => self.swap.clone(),
            })),
        }
    }

    fn exchange(&self) -> Result<(), Errno> {
        rustix::fs::renameat_with(&self.folder, &self.swap, &self.folder, &self.name, RenameFlags::EXCHANGE)
    }

    /// The next best where names cannot be exchanged: lock, look, rename.
    fn overwrite(&self, expected: &str) -> Result<Swapped, FsError> {
        let (_, Some(held)) = self.see(&self.name)? else {
            return Ok(Swapped::Changed(found_of(self.look()?)));
        };
        rustix::fs::flock(&held.file, FlockOperation::NonBlockingLockExclusive).map_err(|errno| self.io(errno))?;
        let (seen, locked) = self.see(&self.name)?;
        if locked.is_none_or(|held| held.digest.as_deref() != Some(expected)) {
            return Ok(Swapped::Changed(found_of(seen)));
        }
        rustix::fs::renameat(&self.folder, &self.swap, &self.folder, &self.name).map_err(|errno| self.io(errno))?;
        Ok(Swapped::Overwritten)
    }

    /// Opens `name` without following a link and looks at its bytes.
    fn see(&self, name: &str) -> Result<(Seen, Option<Held>), FsError> {
        let other = |found| Ok((Seen::Other(found), None));
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(handle) => File::from(handle),
            Err(Errno::NOENT) => return other(Found::Nothing),
            Err(Errno::LOOP) => return other(Found::Link),
            Err(Errno::NXIO) => return other(Found::NotRegular),
            Err(errno) => return Err(self.io(errno)),
        };
        let stat = rustix::fs::fstat(&file).map_err(|errno| self.io(errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return other(Found::NotRegular);
        }
        let reader = file.try_clone().map_err(|error| FsError::io(&self.place, error))?;
        let digest = match read_capped(reader, &self.place, LARGEST) {
            Ok(bytes) => Some(digest(&bytes)),
            Err(FsError::TooLarge { .. }) => None,
            Err(error) => return Err(error),
        };
        let seen = match digest.as_deref() {
            Some(digest) if digest == self.before => Seen::Before,
            Some(digest) if digest == self.after => Seen::After,
            _ => Seen::Other(Found::OtherBytes),
        };
        Ok((seen, Some(Held { file, stat, digest })))
    }

    fn keep_owner(&self, part: &File, model: &Stat) -> Result<(), ReplaceError> {
        let own = rustix::fs::fstat(part).map_err(|errno| self.io(errno))?;
        let owner = (own.st_uid != model.st_uid).then(|| Uid::from_raw(model.st_uid));
        let group = (own.st_gid != model.st_gid).then(|| Gid::from_raw(model.st_gid));
        if owner.is_none() && group.is_none() {
            return Ok(());
        }
        rustix::fs::fchown(part, owner, group).map_err(|errno| match errno {
            Errno::PERM => self.refused("belongs to another user or group, which it would lose"),
            _ => self.io(errno).into(),
        })
    }

    /// Gives `part` the extended attributes of `model`, access lists among them, and takes away inherited ones.
    fn keep_attributes(&self, part: &File, model: &File) -> Result<(), ReplaceError> {
        let wanted = self.attributes(model)?;
        for name in self.attributes(part)?.iter().filter(|name| !wanted.contains(name)) {
            ignore_system(name, rustix::fs::fremovexattr(part, name.as_str())).map_err(|errno| self.io(errno))?;
        }
        for name in &wanted {
            let mut value = vec![0; LARGEST_ATTRIBUTE];
            let length = rustix::fs::fgetxattr(model, name.as_str(), &mut value[..]).map_err(|errno| self.io(errno))?;
            let set = rustix::fs::fsetxattr(part, name.as_str(), &value[..length], XattrFlags::empty());
            ignore_system(name, set)
                .map_err(|errno| self.refused(&format!("would lose its attribute `{name}`: {errno}")))?;
        }
        Ok(())
    }

    fn attributes(&self, file: &File) -> Result<Vec<String>, FsError> {
        let mut names = vec![0; LARGEST_ATTRIBUTE];
        let length = match rustix::fs::flistxattr(file, &mut names[..]) {
            Ok(length) => length,
            Err(Errno::NOTSUP | Errno::NOSYS) => 0,
            Err(errno) => return Err(self.io(errno)),
        };
        let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// Whether the system would not let us write to `name`.
    fn forbids(&self, name: &str) -> Result<bool, FsError> {
        match rustix::fs::accessat(&self.folder, name, Access::WRITE_OK, AtFlags::empty()) {
            Ok(()) => Ok(false),
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Ok(true),
            Err(errno) => Err(self.io(errno)),
        }
    }

    fn remove(&self, name: &str) -> Result<(), FsError> {
        match rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.io(errno)),
        }
    }

    fn changed(&self, found: Found) -> ReplaceError {
        ReplaceError::Changed { path: self.path.clone(), found }
    }

    fn refused(&self, reason: &str) -> ReplaceError {
        ReplaceError::Refused { path: self.path.clone(), reason: reason.to_owned() }
    }

    fn io(&self, errno: Errno) -> FsError {
        FsError::io(&self.place, errno)
    }
}

/// A regular file that was looked at.
struct Held {
    file: File,
    stat: Stat,
    /// `None` for one that is too large to be looked at.
    digest: Option<String>,
}

fn found_of(seen: Seen) -> Found {
    match seen {
        Seen::Other(found) => found,
        Seen::Before | Seen::After => Found::OtherBytes,
    }
}

/// Labels that the system itself puts on a file are its own affair; it has put them on the new one as well.
fn ignore_system(name: &str, result: Result<(), Errno>) -> Result<(), Errno> {
    if name.starts_with("security.") || name.starts_with("trusted.") { Ok(()) } else { result }
}
