//! Requests that wait for the person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Number, RuleLayer};

/// All requests that wait.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct AskList {
    /// Oldest first.
    pub asks: Vec<AskView>,
    /// Whether a person is at any face of Conclave; where nobody is, nothing waits: it is denied at once.
    pub attended: bool,
}

/// One request that waits.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct AskView {
    /// Its id.
    pub id: String,
    /// When it was asked.
    #[specta(type = Number)]
    pub at: i64,
    /// When silence becomes a denial.
    #[specta(type = Number)]
    pub expires_at: i64,
    /// Who asks.
    pub actor: String,
    /// What for, as in a rule: `send_http`, `call_tool`.
    pub action: String,
    /// What it is done to.
    pub resource: String,
    /// The exact request that an answer is good for, whole, as JSON in which nothing can hide.
    pub request: String,
    /// The files and folders that it touches.
    pub paths: Vec<AskPath>,
    /// The rule that wants the person to look.
    pub rule: String,
    /// Where the rule stands.
    pub layer: Option<RuleLayer>,
    /// Why.
    pub reason: String,
    /// What to look at.
    pub guidance: Option<String>,
    /// The rule that *always* would add to the person's own file; `null` where it cannot.
    pub always: Option<String>,
}

/// A file or folder that a request touches.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct AskPath {
    /// As it was named.
    pub given: String,
    /// With every link resolved; `null` when that cannot be found out.
    pub real: Option<String>,
    /// Whether it is written.
    pub written: bool,
}

/// What the person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum AskAnswer {
    /// This one may happen.
    AllowOnce,
    /// This one must not.
    DenyOnce,
    /// This one may, and what the pattern covers may from now on.
    Always,
}

/// Answers a request that waits.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct AnswerAsk {
    /// Its id.
    pub id: String,
    /// What the person says.
    pub answer: AskAnswer,
    /// Why, kept word for word; may be empty.
    pub justification: String,
}

/// An answer that was taken.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct AskAnswered {
    /// The request.
    pub id: String,
    /// The rule that was added to the person's own file.
    pub rule: Option<String>,
}
