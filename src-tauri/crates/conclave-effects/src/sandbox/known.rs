//! What programs hash to that this process has hashed before, so that a large one is not read for every run.
//!
//! A file is the same as long as its place on the disk, its size and both of its times are: whoever changes the bytes
//! changes the time of the last change, which nobody but root can set back. A file that changed a moment ago could change
//! again within the grain of that time, so it is hashed anew each time until it has rested.
//! Invariant: this is for the record alone. The copy that is started is hashed each time, and refused where it differs.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::launch::hashed;

/// As many files are remembered.
const MOST: usize = 256;
/// A file that has not changed for so many seconds has rested.
const RESTED_S: i64 = 5;

static KNOWN: Known = Known(Mutex::new(BTreeMap::new()));

/// The SHA-256 of the file at `path`.
#[expect(
    clippy::disallowed_methods,
    reason = "compared with the times that the system gives its files, and kept nowhere"
)]
pub(super) fn digest(path: &Path) -> io::Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    KNOWN.digest(path, i64::try_from(now).unwrap_or(i64::MAX), |file| hashed(file, &mut io::sink()))
}

/// Device, inode, size, time of the last writing and of the last change, both with nanoseconds.
type State = (u64, u64, u64, (i64, i64), (i64, i64));

struct Known(Mutex<BTreeMap<State, String>>);

impl Known {
    /// What the file at `path` hashes to; `hash` is asked where that is not known at `now_s`.
    fn digest(
        &self,
        path: &Path,
        now_s: i64,
        hash: impl FnOnce(&mut File) -> io::Result<String>,
    ) -> io::Result<String> {
        let mut file = File::open(path)?;
        let before = state(&file.metadata()?);
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&before) {
            return Ok(known.clone());
        }
        let digest = hash(&mut file)?;
        let (.., (changed_s, _)) = before;
        let has_rested = changed_s.saturating_add(RESTED_S) < now_s;
        if has_rested && state(&file.metadata()?) == before {
            let mut known = lock();
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(before, digest.clone());
        }
        Ok(digest)
    }
}

fn state(of: &Metadata) -> State {
    (of.dev(), of.ino(), of.size(), (of.mtime(), of.mtime_nsec()), (of.ctime(), of.ctime_nsec()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the file is written now, by the system's own clock")]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_has_rested_is_hashed_once_and_a_changed_one_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, "one").unwrap();
        let (known, read) = (Known(Mutex::new(BTreeMap::new())), Cell::new(0));
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let at = |now_s: i64| {
            let hash = |file: &mut File| {
                read.set(read.get() + 1);
                hashed(file, &mut io::sink())
            };
            known.digest(&path, now_s, hash).unwrap()
        };
        let one = conclave_policy::digest(b"one");
        for (now_s, reads) in [(now, 1), (now, 2), (now + 60, 3), (now + 60, 3), (now, 3)] {
            assert_eq!((at(now_s), read.get()), (one.clone(), reads), "at {}", now_s - now);
        }
        // The same size and the same time of writing, which anybody may set: the time of the change tells.
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "two").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
        assert_eq!((at(now + 60), read.get()), (conclave_policy::digest(b"two"), 4));
        fs::rename(&path, folder.path().join("away")).unwrap();
        assert!(known.digest(&path, now, |file| hashed(file, &mut io::sink())).is_err());
    }
}
