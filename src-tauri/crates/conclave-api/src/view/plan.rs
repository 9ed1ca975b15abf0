//! What runs would take, before anything is asked.
//!
//! Amounts are dollars. A cost that is not known is counted apart and is in no sum.

use conclave_core::finding::Severity;
use conclave_core::money::Money;
use conclave_core::tier::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{FindingRow, Number};

/// Asks what runs would take; nothing is sent and nothing decided.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct PlanRuns {
    /// These, by id or its first digits; when empty, all open ones of `project`, or of all in the list.
    pub findings: Vec<String>,
    /// Used when `findings` is empty.
    pub project: Option<String>,
    /// Only this severe or more; used when `findings` is empty.
    pub severity: Option<Severity>,
    /// What all together may cost at most.
    pub budget: Option<Money>,
    /// So many findings at most.
    pub most: Option<u32>,
}

/// What runs would take.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PlanView {
    /// The findings that would be run, most severe first.
    pub chosen: Vec<PlannedRun>,
    /// Those that would not.
    pub deferred: Vec<DeferredRun>,
    /// What all together would cost.
    pub cost: PlannedCost,
    /// The time until the last answer, in seconds, where everybody takes all that there is; checks come on top.
    #[specta(type = Number)]
    pub analysis_s: u64,
    /// So many would run at the same time.
    pub parallel: u32,
}

/// A finding that would be run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PlannedRun {
    /// The finding.
    pub finding: FindingRow,
    /// The seats for models.
    pub seats: Vec<PlannedSeat>,
    /// So many of them are taken.
    pub filled: u32,
    /// The names of the seats that cost nothing.
    pub unpaid: Vec<String>,
    /// What it would cost, with one question to each model.
    pub cost: PlannedCost,
    /// The most that it can cost, second questions among it, as far as prices are known; `null` where nothing limits it.
    pub cap: Option<Money>,
    /// The time for answers, in seconds.
    #[specta(type = Number)]
    pub analysis_s: u64,
}

/// A seat for a model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PlannedSeat {
    /// What for.
    pub role: Role,
    /// The same for people.
    pub label: String,
    /// The name of the model that takes it; `null` where nobody does.
    pub model: Option<String>,
    /// What would fill it, where nobody takes it.
    pub fill: Option<String>,
    /// What one question costs; `null` where nobody takes it or the cost is not known.
    pub cost: Option<MoneyRange>,
    /// Whether it is asked only when the first do not settle it.
    pub waits: bool,
}

/// What seats cost together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct PlannedCost {
    /// What those cost whose price is known.
    pub known: MoneyRange,
    /// So many have a cost that is not known; it is in none of the sums.
    pub unknown: u32,
}

/// An amount between two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct MoneyRange {
    /// Where all goes well.
    pub low: Money,
    /// At most.
    pub high: Money,
}

/// A finding that would not be run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct DeferredRun {
    /// The finding.
    pub finding: FindingRow,
    /// Why, in words.
    pub why: String,
}
