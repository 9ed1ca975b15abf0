//! What a ledger entry is, and the chain that ties entries together.
//!
//! Storing them is somebody else's work. Invariant: the chain has exactly one definition, [`entry_hash`], used by
//! whoever appends and by whoever verifies.

use serde::{Deserialize, Serialize};

use crate::digest::digest_parts;
use crate::request::canonical_json;
use crate::{Decision, ToolRequest};

/// What stands in the place of a hash before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry to append: a decision before its effect, or an outcome after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewEntry {
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EntryKind,
}

/// The two kinds of entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "entries are written one at a time and never kept in bulk")]
pub enum EntryKind {
    /// A request was judged; nothing has happened yet.
    Decision {
        /// What was asked.
        request: ToolRequest,
        /// What was answered.
        decision: Decision,
    },
    /// What came of an earlier decision.
    Outcome {
        /// The sequence number of the decision.
        refers_to: u64,
        /// What came of it, in words.
        outcome: String,
    },
}

impl NewEntry {
    /// The one JSON text of this entry, which the chain covers: fixed field order, no white space.
    pub fn canonical(&self) -> String {
        canonical_json(self)
    }
}

/// The hash of entry number `seq` with the text `canonical`, after the entry whose hash is `previous`.
///
/// [`digest_parts`] of the name of this format, `previous`, `seq` in decimal and `canonical`.
pub fn entry_hash(previous: &str, seq: u64, canonical: &str) -> String {
    digest_parts(["conclave-ledger-1", previous, &seq.to_string(), canonical].map(str::as_bytes))
}

/// Where entries are kept: append-only, durable when `append` returns.
pub trait Ledger: Send + Sync {
    /// Appends `entry` and gives its sequence number.
    ///
    /// # Errors
    /// [`LedgerError`] when the entry is not durable; then no effect may follow.
    fn append(&self, entry: &NewEntry) -> Result<u64, LedgerError>;

    /// Appends `entry` without keeping the caller, whose thread may serve others meanwhile: `done` hears what `append`
    /// would have given. Threads wait for it, so it is quick and does not use the ledger.
    ///
    /// A ledger that never makes anybody wait has no need of its own way.
    fn append_then(&self, entry: NewEntry, done: Appended) {
        done(self.append(&entry));
    }
}

/// Hears the sequence number of an entry once it is durable, or why it is not.
pub type Appended = Box<dyn FnOnce(Result<u64, LedgerError>) + Send>;

/// Why an entry could not be recorded, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger cannot be written: {0}")]
pub struct LedgerError(pub String);
