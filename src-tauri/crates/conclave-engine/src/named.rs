//! Files that a person names: read whole, or written whole.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use conclave_effects::fs::{FsError, ReadFile, WriteFile, open_file, write_file};
use conclave_effects::gate::Denied;
use conclave_policy::Actor;

use crate::blocking::blocking;
use crate::ctx::Ctx;

/// Largest text that is read, in bytes.
const LARGEST_TEXT: u64 = 1024 * 1024;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NamedError {
    /// The policy denies it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The file cannot be used.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// It holds no text, or too much of it.
    #[error("`{path}` {reason}")]
    NotText {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// The text of the file at `path`, at most 1 MiB.
///
/// # Errors
/// See [`NamedError`].
pub async fn read_text(cx: &Ctx, path: &Path) -> Result<String, NamedError> {
    read_text_up_to(cx, path, LARGEST_TEXT).await
}

/// The text of the file at `path`, at most `max_bytes`.
///
/// # Errors
/// See [`NamedError`].
pub async fn read_text_up_to(cx: &Ctx, path: &Path, max_bytes: u64) -> Result<String, NamedError> {
    let effect = ReadFile { path: path.to_owned(), max_bytes };
    let permit = cx.gate.authorize(Actor::Person, effect).await?;
    let read = move || -> Result<_, FsError> {
        let (mut file, mut text) = (open_file(permit)?, String::new());
        Ok(file.read_to_string(&mut text).map(|_| text))
    };
    match blocking(read).await? {
        Ok(text) => Ok(text),
        Err(error) => {
            let reason = match error.kind() {
                ErrorKind::InvalidData => "is not UTF-8".to_owned(),
                ErrorKind::FileTooLarge => format!("is larger than {max_bytes} bytes"),
                _ => format!("cannot be read: {error}"),
            };
            Err(NamedError::NotText { path: path.display().to_string(), reason })
        }
    }
}

/// Puts `bytes` into the file at `path`, which is replaced when it exists.
///
/// # Errors
/// See [`NamedError`].
pub async fn write(cx: &Ctx, path: &Path, bytes: Vec<u8>) -> Result<(), NamedError> {
    let effect = WriteFile { path: path.to_owned(), bytes, base: None, backup: false };
    let permit = cx.gate.authorize(Actor::Person, effect).await?;
    Ok(blocking(move || write_file(permit)).await?)
}
