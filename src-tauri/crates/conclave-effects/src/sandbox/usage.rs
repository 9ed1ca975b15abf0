//! What a run uses up that no limit of a single process bounds: the disk by many files, the memory by many processes.
//!
//! The kernel bounds each file and each process; the sums are looked at from outside, several times a second. What cannot
//! be seen from there (a file that was removed while it is open, a folder that was closed to us) ends at the space that a
//! run always leaves free: half of what there was.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat, statvfs};

use super::{Exit, Limits, TREE_SHARE};

/// How often it is looked, unless looking takes long.
const EVERY: Duration = Duration::from_millis(200);

/// Folders in folders that a tree may have; what lies deeper could not be counted.
const DEEPEST: usize = 200;

/// Processes that are counted.
const MOST_PROCESSES: usize = 4096;

/// A tree as it was before its run.
pub(crate) struct Tree {
    path: PathBuf,
    bytes: u64,
    free: u64,
}

/// What was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Disk(u64),
    Memory(u64),
}

impl Excess {
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Disk(_) => Exit::Signal(libc::SIGXFSZ),
            Self::Memory(_) => Exit::Signal(libc::SIGKILL),
        }
    }

    /// What is put behind the errors of the run.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Disk(most) => format!("\n[ended: the copy grew by more than {} MiB]\n", most >> 20),
            Self::Memory(most) => {
                format!("\n[ended: its processes together held more than {} MiB of memory]\n", most >> 20)
            }
        }
    }
}

impl Tree {
    pub(super) fn before(path: &Path) -> Self {
        Self { path: path.to_owned(), bytes: size(path), free: free(path) }
    }

    fn grew(&self, most: u64) -> bool {
        let is_nearly_full = free(&self.path) < self.free / 2;
        is_nearly_full || size(&self.path).saturating_sub(self.bytes) > most
    }
}

/// Comes back when the run that began with `process` uses more than it may.
pub(super) async fn exceeded(tree: Option<Tree>, process: u32, limits: Limits) -> Excess {
    let most = limits.file_bytes.saturating_mul(TREE_SHARE);
    let tree = tree.map(Arc::new);
    loop {
        let (began, tree) = (Instant::now(), tree.clone());
        let look = tokio::task::spawn_blocking(move || {
            let grew = tree.is_some_and(|tree| tree.grew(most)).then_some(Excess::Disk(most));
            grew.or_else(|| (memory(process) > limits.memory_bytes).then_some(Excess::Memory(limits.memory_bytes)))
        });
        match look.await {
            Ok(Some(excess)) => return excess,
            Ok(None) => tokio::time::sleep(EVERY.max(began.elapsed() * 10)).await,
            // The runtime is going down, and the run with it.
            Err(_) => std::future::pending().await,
        }
    }
}

fn free(path: &Path) -> u64 {
    statvfs(path).map_or(u64::MAX, |found| found.f_bavail.saturating_mul(found.f_frsize))
}

/// The bytes that a folder and everything in it have on the disk; no link is followed.
fn size(path: &Path) -> u64 {
    open_folder(CWD, path.as_os_str()).map_or(0, |folder| size_in(&folder, 0))
}

fn open_folder(at: BorrowedFd<'_>, name: &OsStr) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, name, flags, Mode::empty()).ok()
}

fn size_in(folder: &OwnedFd, depth: usize) -> u64 {
    let Ok(entries) = Dir::read_from(folder) else { return 0 };
    let mut sum = 0u64;
    for entry in entries.flatten() {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        sum = sum.saturating_add(u64::try_from(stat.st_blocks).unwrap_or_default().saturating_mul(512));
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            if depth == DEEPEST {
                return u64::MAX;
            }
            let below = open_folder(folder.as_fd(), name).map_or(0, |inner| size_in(&inner, depth + 1));
            sum = sum.saturating_add(below);
        }
    }
    sum
}

/// The bytes that a process and those that it started hold in memory; what they share is counted for each.
fn memory(process: u32) -> u64 {
    let (mut sum, mut counted, mut left) = (0u64, 0, vec![process]);
    while let Some(process) = left.pop().filter(|_| counted < MOST_PROCESSES) {
        counted += 1;
        let folder = PathBuf::from(format!("/proc/{process}"));
        let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
        let held =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        sum = sum.saturating_add(held.map_or(0, |kib: u64| kib << 10));
        for thread in std::fs::read_dir(folder.join("task")).into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            left.extend(children.split_whitespace().filter_map(|number| number.parse::<u32>().ok()));
        }
    }
    sum
}
