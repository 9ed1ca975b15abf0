//! The one error that crosses the boundary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// What a face can tell apart; a code exists only if a face acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is not understood.
    BadRequest,
    /// The thing does not exist.
    NotFound,
    /// The policy denies it.
    Denied,
    /// The file changed since the analysis.
    Changed,
    /// A scan failed: nothing can be said.
    ScanFailed,
    /// Our fault, or the machine's.
    Internal,
}

/// An error for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What kind.
    pub code: ErrorCode,
    /// What happened: lower case, no full stop.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Technical detail, to be copied.
    pub details: Option<String>,
}

impl ApiError {
    /// An error without hint or detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, details: None }
    }

    /// The same with what to do next.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same with technical detail.
    #[must_use]
    pub fn with_details(self, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..self }
    }
}
