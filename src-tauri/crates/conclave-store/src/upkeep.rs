//! Puts another file in the database's place: a first one, a migrated copy, or a new one for a damaged one.
//!
//! Everything here runs while the caller holds the database's lock alone.
//! Invariants: the file at the database's path is always whole, the old or the new one; nothing is deleted but copies
//! that were never in its place.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::db::{BUSY, beside, open, private, remove, sync_folder};
use crate::error::{Result, StoreError};
use crate::migrations::{migrate, version};

/// The mark that a running program leaves when it met damage.
pub(crate) const SUSPECT: &str = ".suspect";

/// Without any suspicion, the whole file is looked at this often.
const CHECK_EVERY_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Files up to this size are looked at every time: it takes a few milliseconds.
const SMALL: u64 = 8 * 1024 * 1024;

/// What opening knows.
pub(crate) struct Opening<'a> {
    pub(crate) database: &'a Path,
    /// Held alone; its text is the time of the last check.
    pub(crate) lock: &'a File,
    pub(crate) steps: &'a [&'a str],
    pub(crate) now_ms: i64,
}

/// Makes the file exist, be undamaged and have the present form; a notice says what the person should know.
///
/// # Errors
/// [`StoreError::Newer`], and what SQLite or the file system say.
pub(crate) fn make_usable(opening: &Opening<'_>) -> Result<Option<String>> {
    clear_litter(opening.database)?;
    if !exists(opening.database)? {
        build(opening, None)?;
        return Ok(None);
    }
    match inspect(opening) {
        Ok(found) => {
            if found < opening.steps.len() as u32 {
                build(opening, Some(opening.database))?;
            }
            Ok(None)
        }
        Err(StoreError::Corrupt(why)) => {
            let moved = move_aside(opening)?;
            build(opening, None)?;
            Ok(Some(format!(
                "The database was damaged ({why}) and is now at `{}`. Conclave has begun a new one: findings come back \
                 with the next scan, the record of decisions and of applied fixes stays in the old file.",
                moved.display()
            )))
        }
        Err(error) => Err(error),
    }
}

/// The form of the file, after a look at all of it where there is reason for one.
fn inspect(opening: &Opening<'_>) -> Result<u32> {
    let known = opening.steps.len() as u32;
    let suspect = beside(opening.database, SUSPECT);
    // Whoever closes last removes the write-ahead log; one that is left was left by a crash.
    let crashed = exists(&beside(opening.database, "-wal"))?;
    let small = fs::metadata(opening.database).is_ok_and(|data| data.len() <= SMALL);
    let age = opening.now_ms.saturating_sub(last_check(opening.lock).unwrap_or(i64::MIN));
    let due = !(0..CHECK_EVERY_MS).contains(&age);
    let connection = open(opening.database, OpenFlags::SQLITE_OPEN_READ_WRITE, BUSY)?;
    let found = version(&connection)?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == 0 {
        // Even a first database gets its name only when it has its form.
        return Err(StoreError::Corrupt("it is not a database of Conclave".to_owned()));
    }
    if crashed || small || due || found < known || exists(&suspect)? {
        check(&connection)?;
        remove(&suspect)?;
        note_check(opening);
    }
    Ok(found)
}

/// Builds a file of the present form beside the database, from `old` or from nothing, and renames it into place.
fn build(opening: &Opening<'_>, old: Option<&Path>) -> Result<()> {
    let copy = beside(opening.database, ".new");
    for suffix in ["", "-wal", "-shm", "-journal"] {
        remove(&beside(&copy, suffix))?;
    }
    private(OpenOptions::new().write(true).create_new(true)).open(&copy).map_err(|e| StoreError::io(&copy, &e))?;
    let mut connection = open(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE, BUSY)?;
    if let Some(old) = old {
        let source = open(old, OpenFlags::SQLITE_OPEN_READ_WRITE, BUSY)?;
        Backup::new(&source, &mut connection)?.run_to_completion(1024, Duration::ZERO, None)?;
        drop(source);
        let left = beside(old, "-wal");
        if exists(&left)? {
            return Err(StoreError::Io {
                path: left,
                text: "it could not be written back into the database".to_owned(),
            });
        }
    }
    // The copy inherits the write-ahead mode; as one plain file it can be renamed.
    connection.pragma_update(None, "journal_mode", "delete")?;
    migrate(&mut connection, opening.steps)?;
    check(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    fs::rename(&copy, opening.database).map_err(|e| StoreError::io(&copy, &e))?;
    sync_folder(opening.database).map_err(|e| StoreError::io(opening.database, &e))?;
    note_check(opening);
    Ok(())
}

/// Copies the database as it is now to `to`, as one plain file that only its owner can open.
pub(crate) fn copy(database: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    private(OpenOptions::new().write(true).create_new(true)).open(to).map_err(|e| StoreError::io(to, &e))?;
    let mut connection = open(to, OpenFlags::SQLITE_OPEN_READ_WRITE, BUSY)?;
    let source = open(database, OpenFlags::SQLITE_OPEN_READ_ONLY, BUSY)?;
    Backup::new(&source, &mut connection)?.run_to_completion(1024, Duration::ZERO, None)?;
    // The copy inherits the write-ahead mode.
    connection.pragma_update(None, "journal_mode", "delete")?;
    check(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Gives the damaged file and its write-ahead log a name with the time in it.
fn move_aside(opening: &Opening<'_>) -> Result<PathBuf> {
    let stamp: String = Connection::open_in_memory()?.query_row(
        "SELECT strftime('%Y%m%dT%H%M%SZ', ?1 / 1000, 'unixepoch')",
        [opening.now_ms],
        |row| row.get(0),
    )?;
    let mut to = beside(opening.database, &format!(".damaged-{stamp}"));
    for n in 2.. {
        if !exists(&to)? {
            break;
        }
        to = beside(opening.database, &format!(".damaged-{stamp}-{n}"));
    }
    // The log goes first: a database without its log is still whole, a log without its database belongs to nothing.
    for suffix in ["-wal", "-shm", ""] {
        let from = beside(opening.database, suffix);
        if exists(&from)? {
            fs::rename(&from, beside(&to, suffix)).map_err(|e| StoreError::io(&from, &e))?;
        }
    }
    remove(&beside(opening.database, SUSPECT))?;
    sync_folder(opening.database).map_err(|e| StoreError::io(opening.database, &e))?;
    Ok(to)
}

/// Fails with SQLite's first complaint about the whole file.
fn check(connection: &Connection) -> Result<()> {
    let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let orphan: Option<String> = {
        let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
        let mut rows = statement.query([])?;
        rows.next()?.map(|row| row.get(0)).transpose()?
    };
    match (said.as_str(), orphan) {
        ("ok", None) => Ok(()),
        ("ok", Some(table)) => Err(StoreError::Corrupt(format!("a row of `{table}` refers to nothing"))),
        (said, _) => Err(StoreError::Corrupt(said.replace('\n', " "))),
    }
}

/// Removes the claim files of processes that are gone: nobody else is here.
fn clear_litter(database: &Path) -> Result<()> {
    let Some((folder, name)) = database.parent().zip(database.file_name()) else { return Ok(()) };
    let prefix = format!("{}.claim-", name.to_string_lossy());
    let entries = fs::read_dir(folder).map_err(|e| StoreError::io(folder, &e))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn exists(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|e| StoreError::io(path, &e))
}

/// When the whole file was looked at last, in milliseconds since 1970.
fn last_check(mut lock: &File) -> Option<i64> {
    let mut text = String::new();
    lock.rewind().ok()?;
    lock.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Remembers the time of the check; without it the next check is only sooner.
fn note_check(opening: &Opening<'_>) {
    let mut lock = opening.lock;
    let _ = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| writeln!(lock, "{}", opening.now_ms));
}
