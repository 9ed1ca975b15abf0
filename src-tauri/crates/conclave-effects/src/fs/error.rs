//! What can go wrong with files, by what the caller can do about it.

use std::path::{Path, PathBuf};

use crate::Stale;

/// Why a file or folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// It is too late, or no longer what was judged.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// Nothing is there.
    #[error("`{path}` does not exist")]
    NotFound {
        /// Where.
        path: PathBuf,
    },
    /// The path leaves its folder: by `..`, by being absolute, or through a symbolic link.
    #[error("`{path}` leads out of its folder or through a symbolic link")]
    Outside {
        /// What was asked for.
        path: PathBuf,
    },
    /// A folder is named by a relative path or through a symbolic link, so that it could become another one.
    #[error("`{path}` is not a real path; resolve it first")]
    NotResolved {
        /// What was asked for.
        path: PathBuf,
    },
    /// A folder, symbolic link, pipe, socket or device stands where a regular file should.
    #[error("`{path}` is not a regular file")]
    NotRegular {
        /// Where.
        path: PathBuf,
    },
    /// Something else stands where a folder should.
    #[error("`{path}` is not a folder")]
    NotFolder {
        /// Where.
        path: PathBuf,
    },
    /// The file, or the copy, has more bytes than the caller wants.
    #[error("`{path}` is larger than {max} bytes")]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// The most bytes that were wanted.
        max: u64,
    },
    /// The data folder belongs to somebody else.
    #[error("`{path}` belongs to another user; name a folder of your own with `--data-dir` or `CONCLAVE_HOME`")]
    NotOurs {
        /// Where.
        path: PathBuf,
    },
    /// The folder that was named for our data holds other things.
    #[error("`{path}` holds other files; name an empty or a new folder for Conclave's data")]
    NotConclaves {
        /// Where.
        path: PathBuf,
    },
    /// Something is there already.
    #[error("`{path}` is there already")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// A stored content no longer has the digest it is stored under.
    #[error("the stored content `{digest}` is damaged")]
    Damaged {
        /// The digest it should have.
        digest: String,
    },
    /// The system watches no more folders.
    #[error("the system's limit of watched folders is reached; raise `fs.inotify.max_user_watches`, or scan by hand")]
    WatchLimit,
    /// Anything else the operating system says.
    #[error("`{path}`: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl FsError {
    /// Sorts an error of the operating system about `path`.
    pub(crate) fn io(path: &Path, source: impl Into<std::io::Error>) -> Self {
        let source = source.into();
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), source },
        }
    }
}
