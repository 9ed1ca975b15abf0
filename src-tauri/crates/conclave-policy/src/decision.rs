//! What a policy answers.

use serde::{Deserialize, Serialize};

use crate::Layer;

/// What becomes of a request, from most permissive to strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effective {
    /// It may happen.
    Allow,
    /// A reviewer looks at it first; the reviewer may refuse, never widen.
    Sample,
    /// It must not happen.
    Deny,
}

/// The answer to one request, with the rule that gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What becomes of the request.
    pub effect: Effective,
    /// The id of the deciding rule, or [`NO_MATCH`](crate::NO_MATCH).
    pub rule: String,
    /// Why, in words for people.
    pub reason: String,
    /// Where the deciding rule stands; `None` when no rule decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// Who looked at a sampled request, and what they found. A rule's own decision has none, and no confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Reviewed>,
}

/// A look at a sampled request, for the ledger and for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reviewed {
    /// A person answered.
    Person {
        /// What they gave as their reason, word for word; may be empty.
        justification: String,
        /// When, in milliseconds since 1970-01-01 UTC.
        at_ms: i64,
    },
    /// A model answered.
    Model {
        /// The endpoint's name in the settings.
        provider: String,
        /// The model, in the server's words.
        model: String,
        /// From 0 to 1, as the model said.
        confidence: f64,
        /// What the model sees as risks, as it said.
        risk_factors: Vec<String>,
        /// From question to answer, in milliseconds, at least 1.
        took_ms: u64,
        /// When, in milliseconds since 1970-01-01 UTC.
        at_ms: i64,
        /// Whether an equal request was reviewed shortly before and its answer was used again.
        cached: bool,
    },
}
