//! Whether runs that wait are begun.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// How the queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
pub struct QueueView {
    /// Whether nothing that waits is begun.
    pub paused: bool,
    /// Runs under way or waiting.
    pub open: u32,
}
