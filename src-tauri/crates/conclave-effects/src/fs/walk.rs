//! Listing a project's files.
//!
//! Invariant: a walk ends, and its memory is bounded, whatever the folder holds; each folder is opened by handle from
//! the root, so that one exchanged for a link meanwhile is not followed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{AtFlags, Dir, FileType, statat};
use rustix::io::Errno;

use super::FsError;
use super::beneath::Root;
use super::ignores::{IGNORE_FILE, Ignores, is_repository, join};

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Regular files as '/'-joined relative paths, sorted.
    pub files: Vec<String>,
    /// What was left out although no ignore file says so.
    pub skipped: Vec<Skipped>,
}

/// Something a walk left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where; bytes that are not UTF-8 are shown as `\u{fffd}`.
    pub path: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why a walk left something out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Symbolic links are not followed.
    SymbolicLink,
    /// A pipe, socket or device.
    NotRegular,
    /// The name is not UTF-8.
    NotUtf8,
    /// Folders are nested too deep.
    TooDeep,
    /// The project has too many files; the rest was not looked at.
    TooMany,
    /// The system's words.
    Unreadable(String),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SymbolicLink => f.write_str("symbolic links are not followed"),
            Self::NotRegular => f.write_str("not a regular file"),
            Self::NotUtf8 => f.write_str("the name is not UTF-8"),
            Self::TooDeep => f.write_str("nested too deep"),
            Self::TooMany => f.write_str("too many files; the rest was not looked at"),
            Self::Unreadable(why) => f.write_str(why),
        }
    }
}

/// Deepest nesting of folders that is entered.
const DEEPEST: usize = 128;
/// Most folder entries that are looked at in one walk.
const MOST_ENTRIES: usize = 1_000_000;

/// Lists the files beneath `root`.
pub(crate) fn walk(root: &Root, keep: &dyn Fn(&str) -> bool) -> Walk {
    walk_from(root, "", &mut Ignores::default(), keep).0
}

/// Lists the files in and beneath the folder `start`, with the folders that were entered. `ignores` knows the ignore
/// files above it, and learns those beneath.
pub(crate) fn walk_from(
    root: &Root,
    start: &str,
    ignores: &mut Ignores,
    keep: &dyn Fn(&str) -> bool,
) -> (Walk, Vec<String>) {
    let mut found = Walk::default();
    let mut entered = Vec::new();
    let mut to_enter = vec![start.to_owned()];
    let mut looked_at = 0;
    while let Some(folder) = to_enter.pop() {
        if folder.matches('/').count() >= DEEPEST {
            found.skip(folder, SkipReason::TooDeep);
            continue;
        }
        let entries = match list(root, &folder) {
            Ok(entries) => entries,
            Err(error) => {
                found.skip(folder, SkipReason::Unreadable(error.to_string()));
                continue;
            }
        };
        if let Err(error) = ignores.enter(root, &folder) {
            found.skip(join(&folder, IGNORE_FILE), SkipReason::Unreadable(error.to_string()));
        }
        looked_at += entries.len();
        if looked_at > MOST_ENTRIES {
            found.skip(folder, SkipReason::TooMany);
            break;
        }
        for entry in entries {
            let path = join(&folder, &entry.name.to_string_lossy());
            let is_folder = entry.kind == FileType::Directory;
            if entry.name.to_str().is_some_and(is_repository) || ignores.leaves_out(&path, is_folder) {
                continue;
            }
            match entry.kind {
                _ if entry.name.to_str().is_none() => found.skip(path, SkipReason::NotUtf8),
                FileType::Directory => to_enter.push(path),
                FileType::RegularFile if keep(&path) => found.files.push(path),
                FileType::RegularFile => {}
                FileType::Symlink => found.skip(path, SkipReason::SymbolicLink),
                _ => found.skip(path, SkipReason::NotRegular),
            }
        }
        entered.push(folder);
    }
    found.files.sort_unstable();
    found.skipped.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    (found, entered)
}

impl Walk {
    fn skip(&mut self, path: String, reason: SkipReason) {
        self.skipped.push(Skipped { path, reason });
    }
}

struct Entry {
    name: OsString,
    kind: FileType,
}

fn list(root: &Root, folder: &str) -> Result<Vec<Entry>, FsError> {
    let wrong = |errno: Errno| FsError::io(&root.path().join(folder), errno);
    let handle = root.open_folder(folder)?;
    let mut entries = Vec::new();
    for entry in Dir::read_from(&handle).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => match statat(&handle, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                // Gone since it was listed.
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(wrong(errno)),
            },
            kind => kind,
        };
        entries.push(Entry { name: name.to_owned(), kind });
        if entries.len() > MOST_ENTRIES {
            break;
        }
    }
    Ok(entries)
}
