//! Accepted fixes as a training set: the command, what came of it, and one line of the file.

use conclave_core::evidence::Check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// The name of the form of a line.
pub const TRAINING: &str = "conclave/training/1";

/// Writes accepted fixes to a file as JSON Lines, each a [`TrainingRow`]; only where `learning.may_export` is true.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ExportTraining {
    /// The file, anywhere; the person chose it. It is replaced when it exists.
    pub path: String,
    /// The client of the settings whose fixes they are; empty for nobody’s.
    #[serde(default)]
    pub client: String,
    /// Whether each piece of code says where in its project it stands.
    #[serde(default)]
    pub paths: bool,
}

/// A training set that was written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct TrainingExported {
    /// The file; with no rows, none was written.
    pub path: String,
    /// Fixes written.
    #[specta(type = Number)]
    pub rows: u64,
    /// Secrets that were taken out of them.
    #[specta(type = Number)]
    pub redactions: u64,
    /// Accepted fixes that were left out.
    pub left_out: Vec<LeftOutView>,
}

/// Accepted fixes that were left out, and why.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct LeftOutView {
    /// How many.
    #[specta(type = Number)]
    pub rows: u64,
    /// Why, in words that follow the number.
    pub why: String,
}

/// One accepted fix: a line of the training set.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrainingRow {
    /// The name of this form.
    pub schema: &'static str,
    /// Against what it is.
    pub weakness: TrainingWeakness,
    /// The language of the reported file; none where Conclave has no parser for it.
    pub language: Option<String>,
    /// What was changed: the enclosing functions, or the lines around.
    pub code: Vec<TrainingCode>,
    /// The checks that passed in full, in the order of the ladder.
    pub passed: Vec<Check>,
    /// Whether it was right.
    pub right: bool,
    /// How much what became of it says of that, over 0, up to 1.
    pub weight: f64,
    /// How many secrets were taken out of the code; `[redacted: KIND]` stands in their place.
    pub redactions: usize,
}

/// A kind of weakness.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrainingWeakness {
    /// Its CWE numbers.
    pub cwe: Vec<u32>,
    /// The rule that reported it.
    pub rule: String,
}

/// Code that a fix changed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrainingCode {
    /// What the file’s name ends in.
    pub extension: Option<String>,
    /// Where the file is in its project; only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The number of the first line, from 1.
    pub first_line: u32,
    /// The code as it was.
    pub before: String,
    /// The code with the fix.
    pub after: String,
    /// What makes the one of the other.
    pub edits: Vec<TrainingEdit>,
}

/// One replacement in `before`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrainingEdit {
    /// First byte replaced, in UTF-8.
    pub start: usize,
    /// Byte after the last one replaced.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}
