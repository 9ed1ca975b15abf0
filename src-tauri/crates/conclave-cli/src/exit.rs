//! The one place that decides an exit status.

use std::process::ExitCode;

use conclave_api::error::{ApiError, ErrorCode};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// Findings at or over the threshold are left.
    Findings,
    /// Wrong use, or denied.
    Usage,
    /// It could not tell: a scan failed, or something broke.
    Unknown,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Unknown => 3,
        })
    }
}

impl From<&ApiError> for Exit {
    fn from(error: &ApiError) -> Self {
        match error.code {
            ErrorCode::BadRequest | ErrorCode::NotFound | ErrorCode::Denied | ErrorCode::Changed => Self::Usage,
            ErrorCode::ScanFailed | ErrorCode::Internal => Self::Unknown,
        }
    }
}
