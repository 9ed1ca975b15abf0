//! What leaves this machine, or would have: the part of the ledger that people look at most.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Effect, Number, RuleLayer};

/// Which requests a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum EgressOnly {
    /// All of them.
    #[default]
    All,
    /// What was let out.
    Sent,
    /// What was refused.
    Denied,
}

/// Asks for a page of the egress ledger, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct ListEgress {
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Words that must appear in who, where, what for, the rule or the reason, all of them.
    pub filter: String,
    /// Only these.
    pub only: EgressOnly,
    /// At most this many, 1 to 1000; 100 when `null`.
    pub limit: Option<u32>,
}

/// A page of the egress ledger.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct EgressPage {
    /// Newest first.
    pub rows: Vec<EgressRow>,
    /// Where the next page starts; `null` on the last. A page may hold fewer rows than asked for although there is one.
    pub next_cursor: Option<String>,
    /// Entries that should be here and cannot be read; verifying the ledger says more.
    #[specta(type = Vec<Number>)]
    pub unreadable: Vec<u64>,
    /// The last 24 hours in figures, whatever the filter.
    pub today: EgressToday,
}

/// What left and what was refused in the last 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
pub struct EgressToday {
    /// Requests that were let out of this machine, those to hosted models behind a proxy on it included.
    pub requests: u32,
    /// Requests that were refused.
    pub denied: u32,
    /// Bytes in the bodies of those that were let out.
    #[specta(type = Number)]
    pub bytes: u64,
}

/// One request to a host.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct EgressRow {
    /// Its entry in the ledger.
    #[specta(type = Number)]
    pub seq: u64,
    /// When.
    #[specta(type = Number)]
    pub at: i64,
    /// Who asked.
    pub actor: String,
    /// The host, with its port where it is not the usual one.
    pub host: String,
    /// The address without its query.
    pub address: String,
    /// Whether it leaves this machine: the host is another one, or the model behind it is not known to run here.
    pub remote: bool,
    /// What for.
    pub purpose: String,
    /// The model that was asked, if one was.
    pub model: Option<String>,
    /// Bytes in the body; `null` where the ledger does not say.
    #[specta(type = Option<Number>)]
    pub bytes: Option<u64>,
    /// Secrets that were taken out; `null` where the ledger does not say.
    pub redactions: Option<u32>,
    /// What became of it.
    pub decision: Effect,
    /// Who looked at it, where a rule wanted that.
    pub review: Option<ReviewView>,
    /// The rule.
    pub rule: String,
    /// Where the rule stands; `null` when no rule decided.
    pub layer: Option<RuleLayer>,
    /// Why.
    pub reason: String,
    /// The digest of all that was to be sent, secret headers left out.
    pub digest: Option<String>,
    /// What came of it, in words; `null` while it is under way or when Conclave ended meanwhile.
    pub outcome: Option<String>,
}

/// Who looked at a request, and what they said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ReviewView {
    /// A person.
    Person {
        /// Their reason, word for word; may be empty.
        justification: String,
        /// When.
        #[specta(type = Number)]
        at: i64,
    },
    /// A model.
    Model {
        /// The endpoint's name in the settings.
        provider: String,
        /// The model.
        model: String,
        /// From 0 to 1, as the model said.
        #[specta(type = Number)]
        confidence: f64,
        /// What it sees as risks.
        risk_factors: Vec<String>,
        /// From question to answer, in milliseconds.
        #[specta(type = Number)]
        took_ms: u64,
        /// When.
        #[specta(type = Number)]
        at: i64,
        /// Whether the answer to an equal request was used again.
        cached: bool,
    },
}

/// Writes the whole ledger to a file as JSON Lines.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ExportLedger {
    /// The file, anywhere; the person chose it.
    pub path: String,
}

/// An exported ledger.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct LedgerExported {
    /// The file.
    pub path: String,
    /// Entries written.
    #[specta(type = Number)]
    pub rows: u64,
    /// The hash of the last one.
    pub head: String,
}
