//! A folder of tools whose names cannot be exchanged any more.
//!
//! A folder that is shown is the living one: whoever owns it can give a program's name to another file while the run is
//! being set up, and what was shown over that name would go along with the old file. So a folder out of which something
//! is executed is shown as one of our own, with the names and links that it had when it was looked at.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, FileType, readlinkat, statat};

use super::SandboxError;
use super::bubblewrap::arguments;
use super::mounts::Mount;

/// Most entries of a folder out of which something is executed: bubblewrap takes 9,000 words.
const MOST_ENTRIES: usize = 2000;

/// The entries of a folder: links with where they lead, files and folders.
pub(super) struct Frozen(Vec<(OsString, Option<OsString>)>);

impl Frozen {
    /// Looks at the entries of `folder`.
    pub(super) fn of(folder: &OwnedFd) -> Result<Self, SandboxError> {
        let failed = |errno: rustix::io::Errno| SandboxError::Io { reason: errno.to_string() };
        let mut entries = Vec::new();
        for entry in Dir::read_from(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Symlink => {
                    let Ok(target) = readlinkat(folder, name, Vec::new()) else { continue };
                    entries.push((name.to_owned(), Some(OsString::from_vec(target.into_bytes()))));
                }
                FileType::RegularFile | FileType::Directory => entries.push((name.to_owned(), None)),
                _ => {}
            }
            if entries.len() > MOST_ENTRIES {
                let reason = format!("the folder of the program has more than {MOST_ENTRIES} entries");
                return Err(SandboxError::Io { reason });
            }
        }
        Ok(Self(entries))
    }

    /// Shows them in the place of `mount`, but those that are `pinned`, whose bytes are shown there by themselves.
    pub(super) fn arguments(&self, mount: &Mount, pinned: &[PathBuf]) -> Vec<OsString> {
        let mut line: Vec<OsString> = arguments(["--tmpfs"]).collect();
        line.push(mount.inside.clone().into());
        for (name, target) in &self.0 {
            let inside = mount.inside.join(name);
            match target {
                Some(target) => line.extend(["--symlink".into(), target.clone(), inside.into()]),
                None if pinned.contains(&inside) => {}
                None => line.extend(["--ro-bind-try".into(), mount.host.join(name).into(), inside.into()]),
            }
        }
        line
    }
}
