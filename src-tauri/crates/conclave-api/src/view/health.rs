//! How models are: what a look at them found, how their calls went, and both as numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{CapabilitiesView, ModelKind, Number};

/// How every model is that may be asked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct HealthList {
    /// In the order in which they are tried; those that are only tried out come last.
    pub models: Vec<ModelHealth>,
    /// Whether every connection is refused, which is why nothing answers.
    pub offline: bool,
}

/// How a model is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// As it should be.
    Ok,
    /// It answers, and something is not as it should be.
    Degraded,
    /// It does not answer.
    Down,
}

/// Where a breaker stands, which leaves a model alone that keeps failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum BreakerView {
    /// The model is asked.
    Closed,
    /// It is left alone for a while.
    Open,
    /// The next call decides.
    HalfOpen,
}

/// How a model is; one form for good days and bad.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ModelHealth {
    /// The model.
    pub model: String,
    /// The kind of way.
    pub kind: ModelKind,
    /// In one word.
    pub state: HealthState,
    /// In a sentence.
    pub message: String,
    /// When it was looked at.
    #[specta(type = Number)]
    pub checked_at: i64,
    /// How many of its calls failed since Conclave started.
    #[specta(type = Number)]
    pub error_count: u64,
    /// Whole percent of its last hundred calls that failed; `null` while there are fewer than five.
    pub error_percent: Option<u8>,
    /// The median time of its last five answers, in milliseconds; `null` while there are fewer.
    #[specta(type = Option<Number>)]
    pub latest_ms: Option<u64>,
    /// The median time of the answers before those; `null` while there are fewer than five.
    #[specta(type = Option<Number>)]
    pub usual_ms: Option<u64>,
    /// Where its breaker stands.
    pub breaker: BreakerView,
    /// Until when it is left alone; `null` while it is not.
    #[specta(type = Option<Number>)]
    pub rests_until: Option<i64>,
    /// What is not as it should be although it answers.
    pub warnings: Vec<String>,
    /// Models that are offered there, where that is said.
    pub offered: Vec<String>,
    /// What it can do, as far as that was found out.
    pub can: CapabilitiesView,
    /// How it does beside the others, where it is only tried out.
    pub trial: Option<TrialView>,
}

/// When a model counts as degraded or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct HealthThresholds {
    /// Degraded from so many times its own usual time on, in percent; 100 at least.
    pub slow_percent: u32,
    /// Degraded from so many failures in a hundred calls on.
    pub degraded_percent: u8,
    /// Down from so many failures in a hundred calls on; not fewer than for degraded.
    pub down_percent: u8,
}

/// How a model does that is only tried out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct TrialView {
    /// How often it was asked beside another.
    #[specta(type = Number)]
    pub asked: u64,
    /// How often it answered.
    #[specta(type = Number)]
    pub answered: u64,
    /// How often its answer could be compared with the one that was used.
    #[specta(type = Number)]
    pub compared: u64,
    /// How often it said the same.
    #[specta(type = Number)]
    pub agreed: u64,
}

/// How calls went, as far back as it is kept: 90 days.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct MetricsView {
    /// Of each model that was called, by its name.
    pub models: Vec<ModelCounts>,
    /// As Prometheus reads it: ever, because its counters never go down.
    pub prometheus: String,
}

/// How the calls to one model went.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ModelCounts {
    /// The model.
    pub model: String,
    /// How many calls were made.
    #[specta(type = Number)]
    pub calls: u64,
    /// How many of them were answered.
    #[specta(type = Number)]
    pub succeeded: u64,
    /// How many were not, by the kind of failure.
    #[specta(type = BTreeMap<String, Number>)]
    pub failed: BTreeMap<String, u64>,
    /// How many more were answered from the cache, without a call.
    #[specta(type = Number)]
    pub cache_hits: u64,
    /// How often the next model was asked because this one gave no answer.
    #[specta(type = Number)]
    pub fallbacks: u64,
    /// Whole percent of the calls that were answered; `null` without a call.
    pub success_percent: Option<u8>,
    /// Whole percent of the answers that came from the cache; `null` without an answer.
    pub cache_hit_percent: Option<u8>,
    /// Whole percent of the calls after which the next model was asked; `null` without a call.
    pub fallback_percent: Option<u8>,
    /// The time of a call on average, in milliseconds; `null` without a call.
    #[specta(type = Option<Number>)]
    pub average_ms: Option<u64>,
}
