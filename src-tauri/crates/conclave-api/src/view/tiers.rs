//! How much effort findings get by severity: everywhere, and where a project has it otherwise.
//!
//! Only the person's settings hold this; nothing in a project changes it.

use conclave_core::finding::Severity;
use conclave_core::money::Money;
use conclave_core::tier::{Mode, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// Asks how much effort findings get.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct GetTiers {
    /// In the project in this folder; everywhere when `null`.
    pub root: Option<String>,
}

/// How much effort findings get.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct TierList {
    /// The project's folder; `null` for everywhere.
    pub root: Option<String>,
    /// One for each severity, the most severe first.
    pub tiers: Vec<TierRow>,
    /// The folders of all projects that have something set for them.
    pub projects: Vec<String>,
}

/// The effort for findings of one severity.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct TierRow {
    /// The severity.
    pub severity: Severity,
    /// The effort.
    pub tier: TierView,
    /// Whether it is set here.
    pub own: bool,
    /// What it would be if nothing were set here: as everywhere for a project, as Conclave ships it for everywhere.
    pub inherited: TierView,
}

/// An effort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct TierView {
    /// The seats for models, one each.
    pub seats: Vec<Role>,
    /// Time for answers, in seconds; checks have their own.
    #[specta(type = Number)]
    pub analysis_s: u64,
    /// The most that one finding may cost; `null` is no limit.
    pub cap: Option<Money>,
    /// How the seats are asked.
    pub mode: Mode,
    /// Whether models are asked only when the person asks for the very finding.
    pub on_demand: bool,
}

/// Sets the effort for findings of one severity.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct SaveTier {
    /// In the project in this folder; everywhere when `null`.
    pub root: Option<String>,
    /// The severity.
    pub severity: Severity,
    /// The effort.
    pub tier: TierView,
}

/// Takes back what is set: a project is as everywhere again, and everywhere it is as Conclave ships it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ResetTiers {
    /// In the project in this folder; everywhere when `null`.
    pub root: Option<String>,
    /// The severity; all of them when `null`.
    pub severity: Option<Severity>,
}
