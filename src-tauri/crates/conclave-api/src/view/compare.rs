//! Two configurations on the same findings: what it takes, two changes to choose between, what came out.
//!
//! Invariant: [`PairView`] has no field for anything that tells whose a side is; that is in [`PairRevealed`] alone.

use conclave_core::comparison::Preference;
use conclave_core::evidence::Check;
use conclave_core::finding::Severity;
use conclave_core::money::Money;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{ConfidenceSummary, DeferredRun, FileDiff, Number, PlannedCost};

/// A configuration: a design by its name, or what stands in a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct NamedConfiguration {
    /// `panel`, `chain`, `single`, `majority` or `best-of-3`; with `text`, what the file is called.
    pub name: String,
    /// The file: JSON with `design`, `models` and `tiers`.
    #[serde(default)]
    pub text: Option<String>,
}

/// Asks to compare two configurations, or what that would take.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct CompareFixes {
    /// The one.
    pub a: NamedConfiguration,
    /// The other.
    pub b: NamedConfiguration,
    /// On these, by id or its first digits; when empty, on all of `project`, or of all in the list, that are not done.
    #[serde(default)]
    pub findings: Vec<String>,
    /// Used when `findings` is empty.
    #[serde(default)]
    pub project: Option<String>,
    /// Only this severe or more; used when `findings` is empty.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// So many findings at most, the most severe.
    #[serde(default)]
    pub most: Option<u32>,
    /// What the sides are drawn with, so that they can be drawn again; drawn itself when left out.
    #[serde(default)]
    pub seed: Option<u32>,
}

/// What a comparison would take; nothing was sent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ComparisonPlan {
    /// The one configuration.
    pub a: PlannedArm,
    /// The other.
    pub b: PlannedArm,
    /// On so many findings.
    pub findings: u32,
    /// Those on which not, and why.
    pub deferred: Vec<DeferredRun>,
}

/// What one configuration would cost.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PlannedArm {
    /// It.
    pub configuration: ConfigurationView,
    /// What it would cost, with one question to each model.
    pub cost: PlannedCost,
}

/// A configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ConfigurationView {
    /// What people call it.
    pub name: String,
    /// Its design, for example `chain`.
    pub design: String,
    /// What that does, in one line.
    pub label: String,
    /// The only models that it asks; all of the settings when empty.
    pub models: Vec<String>,
    /// Whether its fixes are chosen by votes and not by evidence.
    pub by_votes: bool,
}

/// Names a comparison.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct NamedComparison {
    /// Its number.
    #[specta(type = Number)]
    pub comparison: i64,
    /// The client whose it is; nobody’s when left out.
    #[serde(default)]
    pub client: Option<String>,
}

/// Asks for the comparisons of a client.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct ListComparisons {
    /// The client; nobody’s when left out.
    pub client: Option<String>,
}

/// The comparisons of a client.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ComparisonList {
    /// The newest first.
    pub items: Vec<FixComparisonView>,
    /// The designs that can be named, with what each does.
    pub designs: Vec<ConfigurationView>,
}

/// One comparison, and how far it is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FixComparisonView {
    /// Its number.
    #[specta(type = Number)]
    pub id: i64,
    /// The client whose it is; `null` for nobody’s.
    pub client: Option<String>,
    /// Of findings of this project.
    pub project: String,
    /// The one configuration.
    pub a: ConfigurationView,
    /// The other.
    pub b: ConfigurationView,
    /// On so many findings.
    pub findings: u32,
    /// On so many of them, one of the two has not been run.
    pub pending: u32,
    /// So many wait for a choice.
    pub waiting: u32,
    /// When it was begun.
    #[specta(type = Number)]
    pub at: i64,
}

/// Asks for the next two changes to choose between.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct GetNextPair {
    /// Of this comparison; of the newest that has any when left out.
    #[specta(type = Option<Number>)]
    pub comparison: Option<i64>,
    /// The client whose it is; nobody’s when left out.
    pub client: Option<String>,
}

/// The next two changes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct NextPair {
    /// Them; `null` where none wait.
    pub pair: Option<PairView>,
}

/// Two changes for one finding. Whose they are is not in it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PairView {
    /// The number to choose by.
    #[specta(type = Number)]
    pub id: i64,
    /// The comparison.
    #[specta(type = Number)]
    pub comparison: i64,
    /// So many of it wait, this one included.
    pub waiting: u32,
    /// What is wrong, in a few words.
    pub title: String,
    /// How severe.
    pub severity: Severity,
    /// The tool that reported it.
    pub tool: String,
    /// Its rule.
    pub rule: String,
    /// The message of the tool.
    pub message: String,
    /// The file, where there is one.
    pub path: Option<String>,
    /// The line, where it is known.
    pub line: Option<u32>,
    /// What the left one changes; `null` where it has no fix.
    pub left: Option<Vec<FileDiff>>,
    /// What the right one changes; `null` where it has no fix.
    pub right: Option<Vec<FileDiff>>,
}

/// Says which of two changes is preferred. A choice is made once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ChooseFix {
    /// The number of the pair.
    #[specta(type = Number)]
    pub pair: i64,
    /// What is preferred.
    pub preference: Preference,
    /// The client whose it is; nobody’s when left out.
    #[serde(default)]
    pub client: Option<String>,
}

/// A pair after the choice, with whose the sides are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PairRevealed {
    /// The number of the pair.
    #[specta(type = Number)]
    pub pair: i64,
    /// The comparison.
    #[specta(type = Number)]
    pub comparison: i64,
    /// What was preferred.
    pub preference: Preference,
    /// The left side.
    pub left: RevealedSide,
    /// The right side.
    pub right: RevealedSide,
}

/// Whose a side is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct RevealedSide {
    /// The name of the configuration.
    pub configuration: String,
    /// Who wrote the fix; `null` where there is none to show.
    pub origin: Option<String>,
    /// How sure one may be of it.
    pub confidence: Option<ConfidenceSummary>,
    /// Whether it was chosen by votes and not by evidence.
    pub by_votes: bool,
    /// What it does, in the author’s words.
    pub title: Option<String>,
    /// Questions to models.
    pub calls: u32,
    /// What those cost whose price is known.
    pub cost: Money,
    /// So many have a cost that is not known.
    pub unknown: u32,
}

/// What came out of a comparison.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ComparisonReport {
    /// The comparison.
    pub comparison: FixComparisonView,
    /// When this was added up; the same for ever once nothing is left to choose.
    #[specta(type = Number)]
    pub at: i64,
    /// The digest of the settings that all runs went by.
    pub settings: String,
    /// What the sides were drawn with; `null` while any wait.
    pub seed: Option<u32>,
    /// On so many findings.
    pub findings: u32,
    /// So many of them are in no figure yet.
    pub open: u32,
    /// So many could not be compared, because a run broke off.
    pub failed: u32,
    /// So many have the same fix from both; nobody was asked about them.
    pub same: u32,
    /// So many have a fix from none.
    pub no_fix: u32,
    /// The one was chosen so many times.
    pub chose_a: u32,
    /// The other was.
    pub chose_b: u32,
    /// Both alike.
    pub chose_both: u32,
    /// None of them.
    pub chose_neither: u32,
    /// The share of the first among those where one was preferred; `null` without any.
    pub preference: Option<PreferenceShare>,
    /// Where the interval is from.
    pub interval: String,
    /// The one configuration by itself.
    pub a: ArmView,
    /// The other.
    pub b: ArmView,
}

/// A share with its count and its interval.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PreferenceShare {
    /// Of how many.
    pub n: u32,
    /// The share.
    #[specta(type = Number)]
    pub p: f64,
    /// The lower end.
    #[specta(type = Number)]
    pub low: f64,
    /// The upper end.
    #[specta(type = Number)]
    pub high: f64,
}

/// What one configuration came to and took, over all findings that are settled.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ArmView {
    /// It.
    pub configuration: ConfigurationView,
    /// So many runs.
    pub n: u32,
    /// So many of them show a fix.
    pub fixes: u32,
    /// How those stand on each rung of the ladder.
    pub rungs: Vec<RungView>,
    /// Questions to models.
    pub calls: u32,
    /// What those cost whose price is known.
    pub cost: Money,
    /// So many have a cost that is not known.
    pub unknown: u32,
    /// The middle of the times until all had answered, in milliseconds.
    #[specta(type = Option<Number>)]
    pub analysis_ms: Option<u64>,
    /// The middle of the times for all checks, in milliseconds.
    #[specta(type = Option<Number>)]
    pub verification_ms: Option<u64>,
}

/// How fixes stand on one rung of the ladder.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct RungView {
    /// Which.
    pub check: Check,
    /// Its name for people.
    pub label: String,
    /// So many passed.
    pub passed: u32,
    /// So many failed.
    pub failed: u32,
    /// So many were not looked at, or could not be.
    pub not_run: u32,
}
