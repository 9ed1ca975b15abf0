//! A person's own version of a fix.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::ConfidenceSummary;

/// Asks for the texts that a fix leaves, to be changed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct GetTexts {
    /// The finding.
    pub finding: String,
    /// The fix; the one that is shown first when `null`.
    pub fix: Option<String>,
}

/// The texts that a fix leaves.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FixTexts {
    /// The fix.
    pub fix: String,
    /// Its files.
    pub files: Vec<FixText>,
}

/// A file as a fix leaves it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FixText {
    /// The file.
    pub path: String,
    /// Its text in the project.
    pub before: String,
    /// Its text after the fix.
    pub after: String,
}

/// Has a person's own version of a fix checked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct EditFix {
    /// The finding.
    pub finding: String,
    /// The fix that it was made from; the one that is shown first when `null`.
    pub fix: Option<String>,
    /// The version.
    pub change: FixChange,
}

/// What a person made of a fix.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FixChange {
    /// Whole texts; files that are not among them stay as in the project.
    Texts {
        /// The files.
        files: Vec<EditedText>,
    },
    /// A unified diff against the project as it is.
    Patch {
        /// The diff.
        text: String,
    },
}

/// The whole text of one file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct EditedText {
    /// The file.
    pub path: String,
    /// The text.
    pub text: String,
}

/// A version that was checked; it is one more fix of the finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FixEdited {
    /// The finding.
    pub finding: String,
    /// The new fix.
    pub fix: String,
    /// Why it cannot be applied; `null` where it can.
    pub stopped: Option<String>,
    /// How sure we are of it.
    pub confidence: ConfidenceSummary,
}
