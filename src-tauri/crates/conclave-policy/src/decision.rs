//! What a policy answers.

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What becomes of the request.
    pub effect: Effective,
    /// The id of the deciding rule, or [`NO_MATCH`](crate::NO_MATCH).
    pub rule: String,
    /// Why, in words for people.
    pub reason: String,
}
