//! What people say of fixes, what became of them, and what that says.
//!
//! Shares are between 0 and 1 and never without their count.

use conclave_core::finding::Severity;
use conclave_core::label::{Reason, Thumb};
use conclave_core::money::Money;
use conclave_core::weakness::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{ManualCostView, Number};

/// Says what the person thinks of a fix.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct RateFix {
    /// The finding's id, or its first digits.
    pub finding: String,
    /// The fix; the applied one, else the recommended one, when left out.
    #[serde(default)]
    pub fix: Option<String>,
    /// Good or not.
    pub thumb: Thumb,
    /// Why.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// In their words.
    #[serde(default)]
    pub note: String,
}

/// What a person said of a fix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct RatingView {
    /// The finding.
    pub finding: String,
    /// The fix.
    pub fix: String,
    /// Good or not.
    pub thumb: Thumb,
    /// Why.
    pub reasons: Vec<Reason>,
    /// In their words; may be empty.
    pub note: String,
}

/// What was last said of the fixes of one finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct RatingList {
    /// One a fix.
    pub ratings: Vec<RatingView>,
}

/// Asks what was learned.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct GetInsights {
    /// Of which client; `null` for projects that are nobody's.
    pub client: Option<String>,
}

/// What became of one client's fixes, and what was learned from it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct InsightsView {
    /// Of which client; `null` for projects that are nobody's.
    pub client: Option<String>,
    /// All clients that the settings name.
    pub clients: Vec<String>,
    /// Why nothing new is learned, in words; `null` where something is.
    pub refused: Option<String>,
    /// Why nothing is known although something should be; `null` where all is well.
    pub fault: Option<String>,
    /// Fixes that somebody did something with.
    pub fixes: u32,
    /// Those of them of which it is known whether they were right.
    pub labelled: u32,
    /// What people took, over all.
    pub approval: ApprovalView,
    /// The same by rule, the most fixes first.
    pub rules: Vec<ApprovalView>,
    /// The same by who wrote them.
    pub authors: Vec<ApprovalView>,
    /// What was said and what was, in bins of equal count, the least sure first.
    pub reliability: Vec<ReliabilityBin>,
    /// How far both are apart; `null` without outcomes.
    pub calibration: Option<CalibrationView>,
    /// From the first report to the fix; `null` without a fix.
    pub time_to_fix: Option<TimeToFix>,
    /// What a fix costs, beside doing it by hand.
    pub cost: FixCostView,
    /// What is known of who writes fixes, by family of weaknesses.
    pub learned: Vec<LearnedView>,
    /// Ways of fixing that people used, the most used first.
    pub patterns: Vec<PatternView>,
    /// Edge cases that are kept.
    pub edge_cases: u32,
}

/// What people took and what they did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct ApprovalView {
    /// Of what; empty for all.
    pub name: String,
    /// So many were taken and stayed.
    pub accepted: u32,
    /// So many were taken back, or judged bad.
    pub rejected: u32,
    /// The share of the first; `null` without either.
    pub share: Option<ShareView>,
}

/// A share with the interval in which it lies by 95 of a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct ShareView {
    /// The share.
    #[specta(type = Number)]
    pub p: f64,
    /// The interval's lower end.
    #[specta(type = Number)]
    pub low: f64,
    /// Its upper end.
    #[specta(type = Number)]
    pub high: f64,
}

/// What was said of some fixes, and what they were.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct ReliabilityBin {
    /// How many fixes.
    pub n: u32,
    /// How sure Conclave was of them on average.
    #[specta(type = Number)]
    pub said: f64,
    /// The share of right ones.
    pub was: ShareView,
}

/// How far what was said is from what was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct CalibrationView {
    /// From so many fixes.
    pub n: u32,
    /// The mean squared error (Brier).
    #[specta(type = Number)]
    pub brier: f64,
    /// The expected calibration error over the bins.
    #[specta(type = Number)]
    pub ece: f64,
}

/// From the first report of a finding to its fix.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct TimeToFix {
    /// Over so many findings.
    pub n: u32,
    /// The middle one, in milliseconds.
    #[specta(type = Number)]
    pub median_ms: i64,
}

/// What a fix costs, beside doing it by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct FixCostView {
    /// Fixes that are in a project by now, by severity.
    pub accepted: Vec<AcceptedView>,
    /// What models cost for this client's projects, ever.
    pub spent: Money,
    /// That for each accepted fix; `null` without one.
    pub per_fix: Option<Money>,
    /// What the accepted fixes would have cost by hand.
    pub by_hand: Money,
    /// What that is computed with, for one finding.
    pub manual: ManualCostView,
}

/// Accepted fixes of one severity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct AcceptedView {
    /// The severity.
    pub severity: Severity,
    /// How many.
    pub n: u32,
}

/// What is known of one author for one family of weaknesses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct LearnedView {
    /// Who.
    pub author: String,
    /// Against what.
    pub family: Family,
    /// What that is called.
    pub label: String,
    /// From so many outcomes.
    pub n: u32,
    /// So many of them were right.
    pub right: u32,
    /// How sure Conclave was of them, on average.
    #[specta(type = Number)]
    pub said: f64,
    /// Where a reading of the next fix begins.
    #[specta(type = Number)]
    pub mean: f64,
    /// Where it began before anything was known.
    #[specta(type = Number)]
    pub start: f64,
}

/// A way of fixing that people used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
pub struct PatternView {
    /// The kind of weakness, for example `CWE-78`.
    pub weakness: String,
    /// What such a fix looks like, as a short digest.
    pub signature: String,
    /// Who came to it, when it was used last.
    pub consensus: Vec<String>,
    /// How often it was applied.
    pub used: u32,
    /// The share of right ones, weighed; `null` while nothing is known of any.
    #[specta(type = Option<Number>)]
    pub success: Option<f64>,
    /// When it was used last.
    #[specta(type = Number)]
    pub last_used_at: i64,
}

/// Forgets what was learned. What was applied, and the ledger, stay as they are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum ResetLearning {
    /// Of everybody.
    Everybody,
    /// Of projects that are nobody's.
    Nobody,
    /// Of one client.
    Client {
        /// Which.
        name: String,
    },
}

/// What was learned is forgotten.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct LearningReset {
    /// So many rows.
    pub rows: u32,
}
