//! Runs of findings: held back, cancelled, and how long their stages took.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Number, Stage};

/// How the queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
pub struct QueueView {
    /// Whether nothing that waits is begun.
    pub paused: bool,
    /// Runs under way or waiting.
    pub open: u32,
}

/// The last run of a finding over time: the one under way, else the one that its result is of.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct TimelineView {
    /// The run; `null` where there was none.
    pub run: Option<String>,
    /// The stages that have ended, in their order.
    pub stages: Vec<StageTook>,
}

/// A stage that has ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct StageTook {
    /// Which.
    pub stage: Stage,
    /// How long it took, in milliseconds.
    #[specta(type = Number)]
    pub took_ms: u64,
}

/// Cancels the run of one finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct CancelRun {
    /// The finding.
    pub finding: String,
}

/// What was cancelled.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct RunCancelled {
    /// The finding.
    pub finding: String,
    /// Whether its run was under way; it ends within a moment. Else it waited, and is out of the queue.
    pub was_under_way: bool,
}
