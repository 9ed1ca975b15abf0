//! What the person decides about findings and their fixes.

use conclave_core::finding::DismissReason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// A fix that is in the project.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct AppliedView {
    /// The finding.
    pub finding: String,
    /// The candidate.
    pub fix: String,
    /// The files that were written.
    pub files: Vec<String>,
    /// The other findings whose fixes were written in the same change; taking one back takes all back.
    pub with: Vec<String>,
    /// When.
    #[specta(type = Number)]
    pub applied_at: i64,
}

/// Applies a fix.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ApplyFix {
    /// The finding.
    pub finding: String,
    /// The candidate; the recommended one when `null`.
    pub fix: Option<String>,
}

/// Applies fixes of several findings at once. Those that touch the same files are checked together and written as one
/// change; one that does not go with the others is left out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ApplyFixes {
    /// Which; each finding once.
    pub fixes: Vec<ApplyFix>,
}

/// What became of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FixesApplied {
    /// Those that are in the project now, in the order in which they were asked for.
    pub applied: Vec<AppliedView>,
    /// Those that are not; nothing of them was written.
    pub refused: Vec<FixRefused>,
}

/// A fix that was not applied.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FixRefused {
    /// The finding.
    pub finding: String,
    /// Why, in words.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Takes an applied fix back, with all that was written in the same change.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct UndoFix {
    /// The finding.
    pub finding: String,
}

/// A fix that was taken back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct UndoneView {
    /// The finding.
    pub finding: String,
    /// The files that were written.
    pub files: Vec<String>,
    /// The other findings whose fixes were part of the same change and are taken back with it.
    pub with: Vec<String>,
}

/// Dismisses findings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct DismissFindings {
    /// These, by id or its first digits.
    pub findings: Vec<String>,
    /// Why.
    pub reason: DismissReason,
    /// The same in the person's words.
    #[serde(default)]
    pub note: String,
}

/// Opens dismissed findings again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ReopenFindings {
    /// These, by id or its first digits.
    pub findings: Vec<String>,
}

/// Findings that were dismissed, or opened again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct DecidedView {
    /// Their ids.
    pub findings: Vec<String>,
}

/// A person's word that nothing is to be done about a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct DismissalView {
    /// Why.
    pub reason: DismissReason,
    /// The same in the person's words; may be empty.
    pub note: String,
    /// When.
    #[specta(type = Number)]
    pub at: i64,
}
