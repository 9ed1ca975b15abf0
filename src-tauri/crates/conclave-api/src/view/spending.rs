//! What calls to models cost, what is set aside for them, and what may be spent.
//!
//! Amounts are dollars, exact to a millionth. A cost that is not known is counted apart and is in no sum.

use conclave_core::finding::Severity;
use conclave_core::money::Money;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// Asks what was spent.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct GetSpending {
    /// Also on this finding: its id, or the first digits of it.
    pub finding: Option<String>,
}

/// What was spent, and what may be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct SpendingView {
    /// Since midnight.
    pub today: SpendSum,
    /// Since the first of the month.
    pub month: SpendSum,
    /// Ever.
    pub total: SpendSum,
    /// On each model, ever, by its name; those that are no longer in the settings too.
    pub models: Vec<SpendOf>,
    /// On each model since the first of the month.
    pub models_this_month: Vec<SpendOf>,
    /// On each project, ever.
    pub projects: Vec<SpendOf>,
    /// What may be spent.
    pub budget: BudgetView,
    /// What a run may cost besides, by how severe its finding is; the smaller limit binds.
    pub tiers: Vec<TierLimit>,
    /// What fixing by hand would have cost in comparison.
    pub comparison: ComparisonView,
    /// On the finding that was asked for.
    pub finding: Option<FindingSpending>,
}

/// What some calls cost together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct SpendSum {
    /// How many there were.
    #[specta(type = Number)]
    pub calls: u64,
    /// How many of them are not settled.
    #[specta(type = Number)]
    pub open: u64,
    /// How many of them have a cost that is not known; it is in none of the sums.
    #[specta(type = Number)]
    pub unknown: u64,
    /// What they were estimated to cost at most.
    pub estimated: Money,
    /// What is set aside for those that are not settled.
    pub reserved: Money,
    /// What those cost that are settled.
    pub spent: Money,
    /// The part of `spent` that is only what had been set aside, because the cost never became known.
    pub assumed: Money,
    /// Tokens read, as far as servers counted them.
    #[specta(type = Number)]
    pub input_tokens: u64,
    /// Of these, read from servers' caches.
    #[specta(type = Number)]
    pub cached_tokens: u64,
    /// Tokens written, reasoning included.
    #[specta(type = Number)]
    pub output_tokens: u64,
    /// Of these, of reasoning.
    #[specta(type = Number)]
    pub reasoning_tokens: u64,
}

/// What was spent on one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct SpendOf {
    /// Its id; a model's is its name.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The sum.
    pub sum: SpendSum,
}

/// What was spent on one finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct FindingSpending {
    /// The finding.
    pub finding: String,
    /// Over all its runs.
    pub total: SpendSum,
    /// In its last run that ended; `null` where there is none.
    pub run: Option<SpendSum>,
    /// What fixing it by hand would cost; `null` for low findings and notes.
    pub manual: Option<Money>,
}

/// What may be spent; `null` is no limit. Under a limit a model whose price is unknown is not asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct BudgetView {
    /// For one call.
    pub per_call: Option<Money>,
    /// For one finding, over all its runs.
    pub per_finding: Option<Money>,
    /// For one run.
    pub per_run: Option<Money>,
    /// For one day, in the machine's time zone.
    pub per_day: Option<Money>,
    /// For one project, ever.
    pub per_project: Option<Money>,
    /// What fixing one finding by hand costs.
    pub manual: ManualCostView,
}

/// What one run about a finding may cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct TierLimit {
    /// How severe the finding is.
    pub severity: Severity,
    /// The most; `null` is no limit. It says nothing where a price is not known.
    pub most: Option<Money>,
}

/// What fixing one finding by hand costs, by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ManualCostView {
    /// A critical finding.
    pub critical: Money,
    /// A high one.
    pub high: Money,
    /// A medium one.
    pub medium: Money,
}

/// The findings that were fixed, by hand and by Conclave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct ComparisonView {
    /// Critical findings that are fixed.
    pub critical: u32,
    /// High ones.
    pub high: u32,
    /// Medium ones.
    pub medium: u32,
    /// What fixing them by hand would have cost; `null` where that is more than can be counted.
    pub manual: Option<Money>,
    /// What was spent on models instead, ever.
    pub spent: Money,
}
