//! Conclave's own SQLite file: ledger, projects, findings, jobs, results, the apply journal, what people decided, what
//! waits for them, what models cost, and what is remembered across runs.
//!
//! One file a table under `table/`: struct, queries, migration, test. `db` opens the file and hands out connections,
//! `writer` writes alone or for many at once, `migrations` lists the steps in order, `claim` says which process is alive.
//!
//! Deliberately absent: any file but `conclave.db` and what stands beside it under that name, clocks (time is passed
//! in), async, and decisions (what a row means is for the callers).
//! Invariants: every write is in a `BEGIN IMMEDIATE` transaction with `synchronous=FULL`; the ledger and the outcomes
//! are only ever appended to; a newer schema is refused, a damaged file moved aside, never repaired in place.

mod claim;
mod db;
mod error;
mod learning;
mod migrations;
mod presence;
mod table;
mod upkeep;
mod writer;

#[cfg(test)]
mod tests;

pub use db::{Changes, Opened, Store};
pub use error::StoreError;
pub use presence::Presence;
pub use table::ask::{Answer, Answered, Ask, AskId, AskState, NewAsk, Refusal, Taken};
pub use table::comparison::{Comparison, NewComparison};
pub use table::edge_case::{EdgeCaseOf, StoredEdgeCase};
pub use table::exchange::{Exchange, ExchangeHead, ExchangePage, NewExchange};
pub use table::finding::{ConfidenceRow, StoredFinding};
pub use table::finding_list::{FindingList, FindingQuery, FindingSort, Neighbours};
pub use table::hook_call::HookCall;
pub use table::intent::{Fix, Intent, IntentFile, IntentKind, IntentState, NewIntent};
pub use table::job::{Job, JobEnd};
pub use table::key::KeyHost;
pub use table::ledger::LedgerVerdict;
pub use table::ledger_list::{DecisionPage, DecisionQuery, EgressTotals, LedgerRow, Only, RuleHits, leaves_machine};
pub use table::memory::{
    MemoryAdded, MemoryEntity, MemoryGraph, MemoryObservation, MemoryOrigin, MemoryRelation, MemoryWriter, NewMemory,
};
pub use table::metric::{LATENCY_MS, MetricRow};
pub use table::model_performance::{KnownFix, NewFix};
pub use table::outcome::{Outcome, OutcomeKind};
pub use table::rating::Rating;
pub use table::scan::{ScanRecord, ScanSaved, ScanState};
pub use table::server_pin::ServerPin;
pub use table::spend::{Cap, Caps, NOT_SETTLED, NewSpend, OverCap, Reservation, Reserving, Settlement, Tokens};
pub use table::spend_list::{SpendBy, SpendOf, SpendPage, SpendRow, SpendTotal};
pub use table::successful_patterns::SuccessfulPattern;
