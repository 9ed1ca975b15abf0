//! A list of findings: which are shown, in which order, and what a row says.

use conclave_core::finding::{Severity, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// Which part of the findings a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum SavedView {
    /// Everything that waits for the person: open, fix ready, no safe fix.
    #[default]
    NeedsYou,
    /// A recommended fix waits, or two of which the person must pick one.
    FixReady,
    /// A run is under way.
    Running,
    /// A run ended without a fix.
    NoSafeFix,
    /// A fix was applied.
    Fixed,
    /// Suppressed by the tool.
    Suppressed,
    /// Dismissed by the person.
    Dismissed,
    /// Everything.
    All,
}

/// How a list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Severity first, then path and line.
    #[default]
    Risk,
    /// Path and line.
    Path,
    /// Newest first.
    Newest,
}

/// Asks for a page of findings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct ListFindings {
    /// Only this project.
    pub project: Option<String>,
    /// Only this part.
    pub view: SavedView,
    /// Words and `key:value` filters (`severity:`, `rule:`, `path:`, `tool:`), all of which must match.
    pub query: String,
    /// The order.
    pub sort: Sort,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many, 1 to 1000; 200 when absent.
    pub limit: Option<u32>,
}

/// How many findings each part holds, in the chosen project.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
pub struct ViewCounts {
    /// See [`SavedView::NeedsYou`].
    pub needs_you: u32,
    /// See [`SavedView::FixReady`].
    pub fix_ready: u32,
    /// See [`SavedView::Running`].
    pub running: u32,
    /// See [`SavedView::NoSafeFix`].
    pub no_safe_fix: u32,
    /// See [`SavedView::Fixed`].
    pub fixed: u32,
    /// See [`SavedView::Suppressed`].
    pub suppressed: u32,
    /// Dismissed by the person.
    pub dismissed: u32,
    /// All together.
    pub all: u32,
}

/// A page of findings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FindingPage {
    /// In order.
    pub items: Vec<FindingRow>,
    /// Where the next page starts; `null` on the last.
    pub next_cursor: Option<String>,
    /// How many match in all.
    pub total: u32,
    /// For the list of saved views; the query does not change them.
    pub counts: ViewCounts,
}

/// One finding in a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FindingRow {
    /// Its id.
    pub id: String,
    /// Its project.
    pub project: String,
    /// Its title.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Where it stands.
    pub status: Status,
    /// Whether the file changed after the finding was reported.
    pub stale: bool,
    /// The tool that reported it.
    pub tool: String,
    /// The rule.
    pub rule: String,
    /// CWE numbers.
    pub cwe: Vec<u32>,
    /// The file, `null` where the tool names none inside the project.
    pub path: Option<String>,
    /// The first line, from 1.
    pub line: Option<u32>,
    /// The confidence in the recommended fix.
    pub confidence: Option<ConfidenceSummary>,
    /// Under the status: "2 alternatives", "no model asked", the reason for no fix.
    pub note: String,
    /// When it was first reported.
    #[specta(type = Number)]
    pub first_seen_at: i64,
}

/// Confidence, as far as a list needs it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ConfidenceSummary {
    /// The reading, 0 to 1.
    #[specta(type = Number)]
    pub p: f64,
    /// Lower end of the interval.
    #[specta(type = Number)]
    pub low: f64,
    /// Upper end.
    #[specta(type = Number)]
    pub high: f64,
    /// The cap.
    #[specta(type = Number)]
    pub cap: f64,
    /// The evidence word.
    pub word: String,
}
