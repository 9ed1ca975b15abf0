//! Learned patterns, and places with the same code as one that was fixed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Asks for the patterns of a client.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct ListPatterns {
    /// The client of the settings; empty for nobody’s.
    pub client: String,
}

/// A rewrite that was learned from accepted fixes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct LearnedPatternView {
    /// What tells it from others.
    pub id: String,
    /// Against which kind of weakness: a CWE number, else a rule.
    pub kind: String,
    /// The language.
    pub language: String,
    /// The code that it looks for; `$A`, `$B` and so on stand for anything.
    pub before: String,
    /// What takes its place.
    pub after: String,
    /// The findings whose fixes it was learned from.
    pub from: Vec<String>,
}

/// All patterns of one client.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PatternList {
    /// Those with the most fixes behind them first.
    pub items: Vec<LearnedPatternView>,
}

/// Drops a pattern: it is proposed no more.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct DropPattern {
    /// The client of the settings; empty for nobody’s.
    #[serde(default)]
    pub client: String,
    /// Its id.
    pub id: String,
}

/// Asks where else the code stands that an applied fix rewrote.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct FindElsewhere {
    /// The finding whose fix was applied: its id, or the first digits of it.
    pub finding: String,
}

/// Places with the same code; hints, and no findings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ElsewhereView {
    /// In the order of the files.
    pub items: Vec<HintView>,
}

/// One place.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct HintView {
    /// The file.
    pub path: String,
    /// Its first line.
    pub line: u32,
    /// That line.
    pub text: String,
}
