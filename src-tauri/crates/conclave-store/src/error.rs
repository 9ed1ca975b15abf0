//! What can go wrong with the database, named by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A newer Conclave has written the database; nothing was changed.
    #[error("the database has form {found} and this Conclave knows forms up to {known}; use the newer Conclave")]
    Newer {
        /// The form found.
        found: u32,
        /// The newest form that this program knows.
        known: u32,
    },
    /// An older Conclave has written the database, and it was opened without leave to change its form.
    #[error(
        "the database has form {found} and this Conclave needs form {known}; start Conclave once to have it renewed"
    )]
    Older {
        /// The form found.
        found: u32,
        /// The form needed.
        known: u32,
    },
    /// Another process has held the database for longer than the caller waits.
    #[error("another Conclave is using the database; try again when it is done, or close it")]
    Busy,
    /// A file beside the database could not be handled.
    #[error("`{}`: {text}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        text: String,
    },
    /// The stored bytes make no sense; opening the database again moves it aside.
    #[error("the database is damaged ({0}); start Conclave again to have it moved aside")]
    Corrupt(String),
    /// There is no such row.
    #[error("there is no {what} `{id}`")]
    Missing {
        /// What was looked for, for example `finding`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Somebody who is alive is at it already.
    #[error("{what} `{id}` is being worked on already")]
    Running {
        /// What, for example `finding`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// It is not for whoever asks to remove.
    #[error("{what} `{id}` is not a model\u{2019}s own, so a model cannot remove it")]
    Kept {
        /// What, for example `entity`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// There is no more room.
    #[error("the {what} is full; it takes {most}")]
    Full {
        /// What, for example `memory`.
        what: &'static str,
        /// How much fits.
        most: i64,
    },
    /// A list cursor that no list has given out.
    #[error("`{0}` is not a place in a list")]
    Cursor(String),
    /// Anything else that SQLite says, a full disk among it.
    #[error("the database refused: {0}")]
    Sqlite(String),
}

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.to_owned(), text: error.to_string() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => return Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => return Self::Corrupt(error.to_string()),
            _ => {}
        }
        match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => Self::Corrupt(error.to_string()),
            _ => Self::Sqlite(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(format!("a stored value cannot be read: {error}"))
    }
}
