//! Opens the database and hands out its connections.
//!
//! One connection writes (see `writer`); a few read. A file `<database>.lock` says who is here: every open store
//! holds it shared for its life, and whoever must replace the file (first use, migration, damage) holds it alone, so
//! that no process is left writing into a file that has been renamed away.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction};

use crate::claim::{self, Claimant};
use crate::error::{Result, StoreError};
use crate::migrations::STEPS;
use crate::upkeep::{self, Opening};
use crate::writer::Writer;

/// Behind the database's name: the file whose lock says who is here.
const LOCK: &str = ".lock";

/// How long a write waits for another process.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// How often, and after which pause, opening asks for the lock: together as long as [`BUSY`].
const TRIES: u32 = 250;
const PAUSE: Duration = Duration::from_millis(20);

/// This many prepared statements are kept on each connection: more than the tables have that are written to often.
const STATEMENTS: usize = 64;

/// This many idle reading connections are kept.
const READERS: usize = 4;

/// The open database; clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    // In this order they end: the last connection must be able to write, to clear the write-ahead log, and all of them
    // and the claim end while the lock, which the writer holds, still says that somebody is here.
    readers: Mutex<Vec<Connection>>,
    claimant: Mutex<Option<Claimant>>,
    writer: Writer,
    busy: Duration,
}

/// Tells whether anybody has written since the last look, this process included.
pub struct Changes {
    // It ends first, as all readers do.
    connection: Connection,
    seen: i64,
    store: Store,
}

/// A store, and what the person should hear about opening it.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// One or two sentences, when something was wrong with the file.
    pub notice: Option<String>,
}

impl Store {
    /// Opens the database at `path`, creating it with mode 0600 where there is none; its folder must exist.
    ///
    /// A damaged file is renamed to `<path>.damaged-<time>` and a new one begun; the notice says so.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a file of a newer program, [`StoreError::Busy`] when a migration would be needed while
    /// another process is here, [`StoreError::Corrupt`] for damage while another process is here.
    pub fn open(path: &Path, now_ms: i64) -> Result<Opened> {
        Self::open_with(path, now_ms, STEPS, TRIES)
    }

    pub(crate) fn open_with(path: &Path, now_ms: i64, steps: &[&str], tries: u32) -> Result<Opened> {
        let lock = lock_file(path)?;
        let io = |error: io::Error| StoreError::io(&beside(path, LOCK), &error);
        let mut notice = None;
        let mut why_not = StoreError::Busy;
        for _ in 0..tries {
            if lock.try_lock().is_ok() {
                let opening = Opening { database: path, lock: &lock, steps, now_ms };
                notice = notice.or(upkeep::make_usable(&opening)?);
                lock.unlock().map_err(io)?;
            }
            if lock.try_lock_shared().is_ok() {
                match connect(path, steps, BUSY) {
                    Ok(writer) => return Ok(Opened { store: Self::of(path, writer, BUSY, lock), notice }),
                    Err(error @ (StoreError::Newer { .. } | StoreError::Io { .. })) => return Err(error),
                    Err(StoreError::Older { .. }) => why_not = StoreError::Busy,
                    Err(error) => why_not = error,
                }
                lock.unlock().map_err(io)?;
            }
            thread::sleep(PAUSE);
        }
        Err(why_not)
    }

    /// Opens the database at `path` as it is, for a task that must be quick: nothing is created, checked or migrated.
    ///
    /// `busy` is how long opening, and later each write, waits for another process.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no database, [`StoreError::Newer`], [`StoreError::Older`] and
    /// [`StoreError::Corrupt`] for one that cannot be used as it is, [`StoreError::Busy`] after `busy`.
    pub fn open_existing(path: &Path, busy: Duration) -> Result<Self> {
        if !path.try_exists().map_err(|error| StoreError::io(path, &error))? {
            return Err(StoreError::Missing { what: "database", id: path.display().to_string() });
        }
        let lock = lock_file(path)?;
        let mut tries = busy.as_millis() / PAUSE.as_millis();
        while lock.try_lock_shared().is_err() {
            tries = tries.checked_sub(1).ok_or(StoreError::Busy)?;
            thread::sleep(PAUSE);
        }
        let writer = suspect(path, connect(path, STEPS, busy))?;
        Ok(Self::of(path, writer, busy, lock))
    }

    fn of(path: &Path, writer: Connection, busy: Duration, lock: File) -> Self {
        let inner = Inner {
            path: path.to_owned(),
            readers: Mutex::new(Vec::new()),
            claimant: Mutex::new(None),
            writer: Writer::new(path.to_owned(), writer, lock),
            busy,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Copies the database as it is now to `to`, as one plain file; what was there is replaced.
    ///
    /// # Errors
    /// It cannot be read, or the copy cannot be written.
    pub fn copy_to(&self, to: &Path) -> Result<()> {
        upkeep::copy(&self.inner.path, to)
    }

    /// Removes a copy that [`Store::copy_to`] made.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove_copy(copy: &Path) -> Result<()> {
        remove(copy)
    }

    /// Whether nobody has the database at `path` open, this process included.
    ///
    /// # Errors
    /// Its lock cannot be looked at.
    pub fn is_closed(path: &Path) -> Result<bool> {
        Ok(lock_file(path)?.try_lock().is_ok())
    }

    /// Begins to watch for writes, from now on.
    ///
    /// # Errors
    /// A database that cannot be opened.
    pub fn changes(&self) -> Result<Changes> {
        let connection = open(&self.inner.path, OpenFlags::SQLITE_OPEN_READ_ONLY, self.inner.busy)?;
        let seen = data_version(&connection)?;
        Ok(Changes { connection, seen, store: self.clone() })
    }

    /// Runs `work` in one transaction that no other writer can come between; an error takes everything back.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.inner.writer.write(work)
    }

    /// Writes for many at a time; see [`Writer`].
    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    /// Runs `work` on a snapshot.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let done = (|| {
            let idle = held(&self.inner.readers).pop();
            let mut reader = match idle {
                Some(reader) => reader,
                None => open(&self.inner.path, OpenFlags::SQLITE_OPEN_READ_ONLY, self.inner.busy)?,
            };
            let transaction = reader.transaction()?;
            let value = work(&transaction)?;
            transaction.commit()?;
            let mut readers = held(&self.inner.readers);
            if readers.len() < READERS {
                readers.push(reader);
            }
            Ok(value)
        })();
        suspect(&self.inner.path, done)
    }

    /// Where the database is.
    pub(crate) fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The number under which this process claims rows; it is alive from the first call on.
    pub(crate) fn claimant(&self) -> Result<i64> {
        let mut claimant = held(&self.inner.claimant);
        if let Some(claimant) = &*claimant {
            return Ok(claimant.number);
        }
        let number = self.write(claim::next_number)?;
        let path = &self.inner.path;
        *claimant = Some(Claimant::start(path, number).map_err(|error| StoreError::io(path, &error))?);
        Ok(number)
    }

    /// Whether the process behind `claimant` lives.
    pub(crate) fn lives(&self, claimant: i64) -> bool {
        held(&self.inner.claimant).as_ref().is_some_and(|own| own.number == claimant)
            || claim::lives(&self.inner.path, claimant)
    }
}

impl Changes {
    /// Whether anybody has written since the last call; takes a few microseconds.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn any(&mut self) -> Result<bool> {
        let now = suspect(&self.store.inner.path, data_version(&self.connection))?;
        Ok(std::mem::replace(&mut self.seen, now) != now)
    }
}

fn data_version(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

/// Does what [`note_damage`] does about `result`.
pub(crate) fn suspect<T>(database: &Path, result: Result<T>) -> Result<T> {
    result.inspect_err(|error| note_damage(database, error))
}

/// Leaves a mark beside the database when `error` speaks of damage, so that the next opening looks at all of it.
pub(crate) fn note_damage(database: &Path, error: &StoreError) {
    if let StoreError::Corrupt(_) = error {
        let mark = beside(database, upkeep::SUSPECT);
        // The error is on its way to the caller; a mark that cannot be made only delays the check.
        let _ = private(OpenOptions::new().write(true).create(true).truncate(false)).open(mark);
    }
}

fn lock_file(database: &Path) -> Result<File> {
    let path = beside(database, LOCK);
    private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
        .open(&path)
        .map_err(|error| StoreError::io(&path, &error))
}

/// Opens the file for writing and checks its form against `steps`.
fn connect(path: &Path, steps: &[&str], busy: Duration) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, busy)?;
    let (found, known) = (crate::migrations::version(&connection)?, steps.len() as u32);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == 0 {
        return Err(StoreError::Corrupt("it is not a database of Conclave".to_owned()));
    }
    if found < known {
        return Err(StoreError::Older { found, known });
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Only a connection that has looked into the write-ahead log clears it when it ends last.
    crate::migrations::version(&connection)?;
    Ok(connection)
}

/// Opens the file at `path`, which must exist, with the settings that every connection has.
pub(crate) fn open(path: &Path, mode: OpenFlags, busy: Duration) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // `fullfsync` matters on macOS only; temporary tables stay in memory, so that no text of a project reaches `/tmp`;
    // what is deleted is overwritten, because it may be a client's code.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

/// `path` with `suffix` behind its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes `options` create files that only their owner can open.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a rename or removal in the folder of `path` survive a power cut.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Removes `path` and says nothing when it is not there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path, &error)),
        _ => Ok(()),
    }
}

// A panic while the lock was held has rolled its transaction back; the connection is as good as before.
pub(crate) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
