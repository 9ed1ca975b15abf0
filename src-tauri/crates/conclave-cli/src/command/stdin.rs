//! What a person or a program pipes into a command.

use std::io::{ErrorKind, Read as _};

use conclave_api::advise::LARGEST;
use conclave_api::error::{ApiError, ErrorCode};

/// All of standard input as text; whoever sent something else, or nothing, is told to `pipe` something.
pub(super) fn read(pipe: &str) -> Result<String, ApiError> {
    let wrong = |message: String| Err(ApiError::new(ErrorCode::BadRequest, message).with_hint(pipe));
    let mut text = String::new();
    match std::io::stdin().lock().take(LARGEST as u64 + 1).read_to_string(&mut text) {
        Ok(_) if text.trim().is_empty() => wrong("nothing came on standard input".to_owned()),
        Ok(length) if length > LARGEST => wrong(format!("standard input holds more than {LARGEST} bytes")),
        Ok(_) => Ok(text),
        Err(error) if error.kind() == ErrorKind::InvalidData => wrong("standard input is not UTF-8".to_owned()),
        Err(error) => wrong(format!("standard input cannot be read: {error}")),
    }
}
