//! Opening things beneath a folder, by handle.
//!
//! Invariant: whatever is opened lies beneath the folder whose handle is held, was reached without a symbolic link, and
//! a file is a regular one. The kernel's `openat2` keeps that promise in one call; where it is missing, a walk of one
//! component at a time keeps the same promise.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{FileContent, FsError};

/// Flags for a file that is read: no waiting for a pipe's other end, no terminal becomes ours.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
/// What only its owner reads and writes.
pub(crate) const OURS: Mode = Mode::RUSR.union(Mode::WUSR);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// A folder that is held open.
pub(crate) struct Root {
    path: PathBuf,
    handle: OwnedFd,
}

impl Root {
    /// Opens the folder `path`, which must be absolute and free of symbolic links: what was judged is what is opened.
    pub(crate) fn open(path: &Path) -> Result<Self, FsError> {
        let unresolved = || FsError::NotResolved { path: path.to_owned() };
        let below_top = path.strip_prefix("/").map_err(|_| unresolved())?;
        let top = rustix::fs::open("/", FOLDER | OFlags::CLOEXEC, Mode::empty()).map_err(|e| FsError::io(path, e))?;
        let handle = if below_top.as_os_str().is_empty() {
            top
        } else {
            check_relative(below_top).ok_or_else(unresolved)?;
            open_beneath(top.as_fd(), below_top, FOLDER, Mode::empty()).map_err(|errno| match errno {
                Errno::LOOP | Errno::XDEV => unresolved(),
                // A folder is wanted: a symbolic link as the last component reports the same as a file does.
                Errno::NOTDIR if path.is_symlink() => unresolved(),
                Errno::NOTDIR => FsError::NotFolder { path: path.to_owned() },
                _ => FsError::io(path, errno),
            })?
        };
        Ok(Self { path: path.to_owned(), handle })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// Opens the regular file at `relative` for reading.
    pub(crate) fn open_file(&self, relative: &str) -> Result<File, FsError> {
        let file = File::from(self.open_at(relative, READ, Mode::empty())?);
        self.must_be_regular(&file, relative)?;
        Ok(file)
    }

    /// Opens the regular file at `relative` for writing from its start, created with `mode` if it is missing.
    pub(crate) fn create_file(&self, relative: &str, mode: Mode) -> Result<File, FsError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(self.open_at(relative, flags, mode)?);
        self.must_be_regular(&file, relative)?;
        file.set_len(0).map_err(|error| FsError::io(&self.path.join(relative), error))?;
        Ok(file)
    }

    /// Opens the folder at `relative`; the empty text is the root itself.
    pub(crate) fn open_folder(&self, relative: &str) -> Result<OwnedFd, FsError> {
        self.open_at(if relative.is_empty() { "." } else { relative }, FOLDER, Mode::empty())
    }

    /// Creates the folder at `relative` and those above it where they are missing, and gives those it created.
    pub(crate) fn create_folders(&self, relative: &str) -> Result<Vec<OwnedFd>, FsError> {
        let path = self.path.join(relative);
        check_relative(Path::new(relative)).ok_or_else(|| FsError::Outside { path: path.clone() })?;
        let mut created = Vec::new();
        let mut folder = self.open_folder("")?;
        for part in relative.split('/').filter(|part| !matches!(*part, "" | ".")) {
            let is_new = match rustix::fs::mkdirat(&folder, part, Mode::RWXU) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(errno) => return Err(FsError::io(&path, errno)),
            };
            folder = open_component(folder.as_fd(), Path::new(part), FOLDER, Mode::empty())
                .map_err(|errno| self.sort(relative, errno))?;
            if is_new {
                created.push(folder.try_clone().map_err(|error| FsError::io(&path, error))?);
            }
        }
        Ok(created)
    }

    /// What stands at `relative`, itself and not what it points to; `None` when nothing does or it cannot be reached.
    pub(crate) fn kind(&self, relative: &str) -> Option<FileType> {
        let (parent, name) = relative.rsplit_once('/').unwrap_or(("", relative));
        check_relative(Path::new(relative))?;
        let folder = self.open_folder(parent).ok()?;
        let stat = rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(FileType::from_raw_mode(stat.st_mode))
    }

    /// Reads the whole regular file at `relative` if it has at most `max_bytes` bytes.
    pub(crate) fn read(&self, relative: &str, max_bytes: u64) -> Result<FileContent, FsError> {
        let file = self.open_file(relative)?;
        let path = self.path.join(relative);
        let metadata = file.metadata().map_err(|error| FsError::io(&path, error))?;
        let mode = metadata.permissions().mode() & 0o7777;
        Ok(FileContent { bytes: read_capped(file, &path, max_bytes)?, mode })
    }

    fn open_at(&self, relative: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, FsError> {
        let path = Path::new(relative);
        check_relative(path).ok_or_else(|| FsError::Outside { path: self.path.join(relative) })?;
        open_beneath(self.handle.as_fd(), path, flags, mode).map_err(|errno| self.sort(relative, errno))
    }

    fn must_be_regular(&self, file: &File, relative: &str) -> Result<(), FsError> {
        regular(file, &self.path.join(relative))
    }

    fn sort(&self, relative: &str, errno: Errno) -> FsError {
        let path = self.path.join(relative);
        match errno {
            Errno::LOOP | Errno::XDEV => FsError::Outside { path },
            // A socket cannot be opened; a pipe without a reader cannot be opened for writing.
            Errno::NXIO | Errno::ISDIR => FsError::NotRegular { path },
            Errno::NOTDIR if self.passes_a_link(relative) => FsError::Outside { path },
            Errno::NOTDIR => FsError::NotFound { path },
            _ => FsError::io(&path, errno),
        }
    }

    /// Whether some component of `relative` is a symbolic link. For the choice of words only.
    fn passes_a_link(&self, relative: &str) -> bool {
        Path::new(relative).ancestors().any(|part| self.path.join(part).is_symlink())
    }
}

/// Refuses everything but a regular file.
pub(crate) fn regular(file: &File, path: &Path) -> Result<(), FsError> {
    let stat = rustix::fs::fstat(file).map_err(|errno| FsError::io(path, errno))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(()),
        _ => Err(FsError::NotRegular { path: path.to_owned() }),
    }
}

/// Reads `file` to its end, counting: neither a sparse file nor one that grows gets past `max_bytes`.
pub(crate) fn read_capped(file: File, path: &Path, max_bytes: u64) -> Result<Vec<u8>, FsError> {
    let too_large = || FsError::TooLarge { path: path.to_owned(), max: max_bytes };
    let size = file.metadata().map_err(|error| FsError::io(path, error))?.len();
    if size > max_bytes {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| FsError::io(path, error))?;
    if bytes.len() as u64 > max_bytes { Err(too_large()) } else { Ok(bytes) }
}

/// `Some` when `path` has at least one component and none that leads up or to the top.
fn check_relative(path: &Path) -> Option<()> {
    let mut components = path.components().peekable();
    components.peek()?;
    components.all(|part| matches!(part, Component::Normal(_) | Component::CurDir)).then_some(())
}

#[cfg(target_os = "linux")]
fn open_beneath(folder: BorrowedFd<'_>, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    match open_by_kernel(folder, path, flags, mode) {
        // An old kernel, or a container that refuses calls it does not know.
        Err(Errno::NOSYS | Errno::PERM) => open_by_walk(folder, path, flags, mode),
        result => result,
    }
}

#[cfg(not(target_os = "linux"))]
use open_by_walk as open_beneath;

/// One call, in which the kernel refuses to leave `folder` and to follow any link.
#[cfg(target_os = "linux")]
pub(super) fn open_by_kernel(folder: BorrowedFd<'_>, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // The kernel asks to try again when something was renamed meanwhile and it cannot tell what that means.
    let mut result = Err(Errno::AGAIN);
    for _ in 0..64 {
        result = rustix::fs::openat2(folder, path, flags, mode, resolve);
        if !matches!(result, Err(Errno::AGAIN)) {
            break;
        }
    }
    result
}

/// One component at a time, each opened from the handle of the one before and none through a link.
pub(super) fn open_by_walk(folder: BorrowedFd<'_>, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let mut parts: Vec<&Path> = path.components().map(|part| Path::new(part.as_os_str())).collect();
    let last = parts.pop().ok_or(Errno::NOENT)?;
    let mut held: Option<OwnedFd> = None;
    for part in parts {
        let here = held.as_ref().map_or(folder, AsFd::as_fd);
        held = Some(open_component(here, part, FOLDER, Mode::empty())?);
    }
    open_component(held.as_ref().map_or(folder, AsFd::as_fd), last, flags, mode)
}

fn open_component(folder: BorrowedFd<'_>, name: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(folder, name, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, mode)
}
