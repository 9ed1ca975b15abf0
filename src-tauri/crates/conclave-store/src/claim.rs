//! Which process works on a row, and whether it still lives.
//!
//! A claimant is a number and a file `<database>.claim-<number>` that its process keeps locked. The kernel drops the
//! lock when the process ends, however it ends, so a row whose claimant's file is absent or can be locked is free at
//! once: no lease time, no process id that another process may have inherited, no boot id.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Transaction;

use crate::db::{beside, private};
use crate::error::Result;

/// A counter, so that a number is never given out twice.
pub(crate) const CREATE: &str = "
CREATE TABLE claimant (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO claimant (id, last) VALUES (1, 0);
";

/// The next number of a claimant.
pub(crate) fn next_number(transaction: &Transaction<'_>) -> Result<i64> {
    Ok(transaction.query_row("UPDATE claimant SET last = last + 1 RETURNING last", [], |row| row.get(0))?)
}

/// A living claimant of this process; dropping it gives up everything it has claimed.
pub(crate) struct Claimant {
    pub(crate) number: i64,
    path: PathBuf,
    _lock: File,
}

impl Claimant {
    /// Starts to live as `number`, which no other claimant of this database has or had.
    pub(crate) fn start(database: &Path, number: i64) -> io::Result<Self> {
        let path = path(database, number);
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path)?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { number, path, _lock: lock })
    }
}

impl Drop for Claimant {
    fn drop(&mut self) {
        // A file that stays behind is only litter: nobody holds its lock any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the process of claimant `number` lives.
///
/// An unreadable file counts as alive: a row taken twice is worse than a row that waits.
pub(crate) fn lives(database: &Path, number: i64) -> bool {
    let path = path(database, number);
    match OpenOptions::new().write(true).open(&path) {
        Err(error) => error.kind() != io::ErrorKind::NotFound,
        Ok(file) => match file.try_lock() {
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
            Ok(()) => {
                let _ = fs::remove_file(&path);
                false
            }
        },
    }
}

fn path(database: &Path, number: i64) -> PathBuf {
    beside(database, &format!(".claim-{number}"))
}
