//! Given a tool request and a policy, the decision and its reasons.
//!
//! This crate decides and never does: it performs no IO, reads no clock and knows nothing of findings. It also says
//! what a ledger entry is, because a decision that is not recorded is not a decision.
//!
//! Invariants: whatever no rule allows is denied; a rule that cannot be judged denies; of several layers the strictest
//! wins; a project's own rules can only make a policy stricter.

pub mod command;
mod condition;
mod decision;
mod digest;
mod envelope;
mod evaluate;
mod explain;
mod facts;
mod json;
mod ledger;
mod load;
mod pattern;
mod predicate;
mod request;
mod review;
mod rule;
pub mod secret;
mod shipped;
pub mod suggest;
mod time_range;

pub use decision::{Decision, Effective, Reviewed};
pub use digest::{digest, digest_parts};
pub use envelope::inside_envelope;
pub use evaluate::{NO_MATCH, Policy};
pub use explain::{Explanation, Matched, Step, also_reads, remedy};
pub use json::{AmbiguousInput, strict_json};
pub use ledger::{Appended, EntryKind, GENESIS, Ledger, LedgerError, NewEntry, entry_hash};
pub use load::{LoadError, Loaded};
pub use request::short::parse_request;
pub use request::{Access, Action, Actor, ToolCall, ToolRequest, TouchedPath, UnknownActor, keys};
pub use review::{Nobody, Question, Review, Reviewer};
pub use rule::{Example, Layer, Rule};
pub use shipped::Mode;

#[cfg(test)]
mod tests;
