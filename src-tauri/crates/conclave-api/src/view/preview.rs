//! What would be sent for a finding, byte for byte, and whether it may go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Effect, Number};

/// Asks what would be sent for a finding; nothing is sent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The finding's id, or its first digits.
    pub finding: String,
}

/// What would be sent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PreviewView {
    /// The finding.
    pub finding: String,
    /// One a model, in the order of the settings.
    pub requests: Vec<PreviewedRequest>,
    /// Why there is nothing to send, or not all of it, in words.
    pub note: Option<String>,
}

/// Where a model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ModelClass {
    /// Known to run on this machine.
    Local,
    /// Elsewhere, or nobody can tell.
    Hosted,
}

/// One request that would be sent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PreviewedRequest {
    /// The endpoint's name in the settings.
    pub name: String,
    /// The model as the endpoint knows it.
    pub model: String,
    /// The whole address.
    pub endpoint: String,
    /// The host.
    pub host: String,
    /// Where the model runs.
    pub class: ModelClass,
    /// Bytes in the body.
    #[specta(type = Number)]
    pub bytes: u64,
    /// The body as it would leave, secrets taken out.
    pub body: String,
    /// What was taken out.
    pub redactions: Vec<Redaction>,
    /// Whether the policy lets it go.
    pub decision: Effect,
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// What the person can do about a denial.
    pub remedy: Option<String>,
}

/// Secrets of one kind that were taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
pub struct Redaction {
    /// The kind.
    pub label: String,
    /// How many.
    pub count: u32,
}
