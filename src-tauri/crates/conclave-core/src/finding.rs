//! What a tool reported, and what that becomes in a project.

use serde::{Deserialize, Serialize};

use crate::fingerprint::{Fingerprint, normalise};
use crate::id::{FindingId, ProjectId};
use crate::path::RelPath;

/// How bad a finding is, most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// `security-severity` of 9.0 and more.
    Critical,
    /// 7.0 to 8.9, or level `error`.
    High,
    /// 4.0 to 6.9, or level `warning`.
    Medium,
    /// Up to 3.9, or level `note`.
    Low,
    /// Level `none`, or a result that says that nothing is wrong: worth knowing, not a weakness by itself.
    Note,
}

impl Severity {
    /// All, most severe first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Note];

    /// The severity of a CVSS-like score from 0 to 10 (GitHub's bands for `security-severity`); `None` outside.
    pub fn of_score(score: f64) -> Option<Self> {
        match score {
            s if !(0.0..=10.0).contains(&s) => None,
            s if s >= 9.0 => Some(Self::Critical),
            s if s >= 7.0 => Some(Self::High),
            s if s >= 4.0 => Some(Self::Medium),
            _ => Some(Self::Low),
        }
    }

    /// The word that people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::Note => "Note",
        }
    }

    /// Whether `self` is as severe as `other`, or more.
    pub fn at_least(self, other: Self) -> bool {
        self <= other
    }
}

/// The tool that reported something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tool {
    /// The name as the tool writes it (`tool.driver.name`).
    pub name: String,
    /// Its version, where it says so.
    pub version: Option<String>,
}

/// The name under which Conclave's own detectors report.
pub const OWN_TOOL: &str = "Conclave";

impl Tool {
    /// Whether this is Conclave's own detector set.
    pub fn is_own(&self) -> bool {
        self.name == OWN_TOOL
    }
}

/// The rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The rule's id as the tool writes it, for example `B602`.
    pub id: String,
    /// A short name for people, where the tool gives one.
    pub name: Option<String>,
    /// One sentence on what the rule looks for.
    pub description: Option<String>,
    /// Longer help, as text or Markdown; untrusted.
    pub help: Option<String>,
    /// A link to the tool's page; shown, never fetched.
    pub help_uri: Option<String>,
    /// CWE numbers, in the order in which the tool names them.
    pub cwe: Vec<u32>,
}

/// What one column counts (SARIF `columnKind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// UTF-16 code units, SARIF's default.
    #[default]
    Utf16,
    /// Unicode code points.
    Unicode,
    /// Bytes; what some tools write without saying so.
    Byte,
}

/// A range in a file; lines and columns count from 1, the end column is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// First line.
    pub start_line: u32,
    /// First column, `None` for the whole line.
    pub start_column: Option<u32>,
    /// Last line, not before the first.
    pub end_line: u32,
    /// Column after the last character, `None` for the end of the line.
    pub end_column: Option<u32>,
    /// What a column counts.
    pub column_kind: ColumnKind,
}

impl Region {
    /// The whole of one line.
    pub fn line(line: u32) -> Self {
        Self { start_line: line, start_column: None, end_line: line, end_column: None, column_kind: ColumnKind::Utf16 }
    }

    /// The byte range in `text`, clamped to it; `None` when the region starts after the last line.
    pub fn byte_range(&self, text: &str) -> Option<std::ops::Range<usize>> {
        let start = offset(text, self.start_line, self.start_column.unwrap_or(1), self.column_kind)?;
        let end = match self.end_column {
            Some(column) => offset(text, self.end_line, column, self.column_kind),
            None => line_range(text, self.end_line).map(|line| line.end),
        };
        Some(start..end.unwrap_or(text.len()).max(start))
    }
}

/// The byte range of line `line` (from 1) without its line ending; `None` past the last.
pub fn line_range(text: &str, line: u32) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    for _ in 1..line.max(1) {
        start += text.get(start..)?.find('\n')? + 1;
    }
    let rest = text.get(start..)?;
    let end = rest.find('\n').map_or(text.len(), |n| start + n);
    // A carriage return alone ends no line.
    let end = if text[end..].starts_with('\n') && text[start..end].ends_with('\r') { end - 1 } else { end };
    Some(start..end)
}

fn offset(text: &str, line: u32, column: u32, kind: ColumnKind) -> Option<usize> {
    let range = line_range(text, line)?;
    let wanted = column.saturating_sub(1) as usize;
    // A byte order mark is not part of the text whose columns a tool counts.
    let start = range.start + if line <= 1 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut seen = 0;
    for (index, c) in text[start..range.end].char_indices() {
        if seen >= wanted {
            return Some(start + index);
        }
        seen += match kind {
            ColumnKind::Utf16 => c.len_utf16(),
            ColumnKind::Unicode => 1,
            ColumnKind::Byte => c.len_utf8(),
        };
    }
    Some(range.end)
}

/// A place in the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file.
    pub path: RelPath,
    /// The range; `None` where the tool names only the file.
    pub region: Option<Region>,
}

/// One step of a data flow, source first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStep {
    /// Where.
    pub location: Location,
    /// What happens there, in the tool's words; untrusted.
    pub message: Option<String>,
}

/// One replacement that a scanner proposes (SARIF `fixes[].artifactChanges[].replacements[]`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The file.
    pub path: RelPath,
    /// What is deleted.
    pub region: Region,
    /// What is written in its place.
    pub text: String,
}

/// A fix that the scanner itself ships with a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannerFix {
    /// The scanner's words on it; untrusted.
    pub description: Option<String>,
    /// All its replacements.
    pub replacements: Vec<Replacement>,
}

/// One result of one tool, normalised, before it belongs to a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Who reports.
    pub tool: Tool,
    /// By which rule.
    pub rule: Rule,
    /// What the tool says; untrusted text.
    pub message: String,
    /// After the precedence that `conclave-sarif` documents.
    pub severity: Severity,
    /// Where; `None` when the tool names no place that is inside the project.
    pub location: Option<Location>,
    /// The place as the tool wrote it, where it cannot be used, with the reason.
    pub unresolved: Option<String>,
    /// The function or class around it, where the tool names it (SARIF `logicalLocations`).
    pub symbol: Option<String>,
    /// Source to sink, empty where the tool gives no flow.
    pub flow: Vec<FlowStep>,
    /// Fixes that the tool proposes.
    pub fixes: Vec<ScannerFix>,
    /// Whether the tool marks it as suppressed; shown and counted all the same.
    pub suppressed: bool,
    /// `partialFingerprints` and `fingerprints`: hints only, never identity.
    pub foreign_fingerprints: Vec<(String, String)>,
}

/// Where a finding stands with the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Seen, nothing tried yet.
    Open,
    /// A run is under way.
    Running,
    /// A recommended fix waits for the person.
    FixReady,
    /// Two fixes are as good as each other, and the person must pick one.
    Disagreement,
    /// A run ended without a fix that can be recommended.
    NoSafeFix,
    /// A run ended without a fix, and several models would change nothing here.
    SuspectedFalsePositive,
    /// A fix was applied and not undone.
    Fixed,
    /// The tool itself suppresses it.
    Suppressed,
    /// The person dismissed it.
    Dismissed,
}

impl Status {
    /// Those of a finding that is still there.
    pub const STANDING: [Self; 6] =
        [Self::Open, Self::Running, Self::FixReady, Self::Disagreement, Self::NoSafeFix, Self::SuspectedFalsePositive];
}

/// Why a person dismisses a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum DismissReason {
    /// There is no weakness.
    FalsePositive,
    /// There is one, and it stays.
    WontFix,
    /// The code runs in tests only.
    UsedInTests,
}

impl DismissReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FalsePositive, Self::WontFix, Self::UsedInTests];

    /// The same for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::FalsePositive => "false positive",
            Self::WontFix => "won\u{2019}t be fixed",
            Self::UsedInTests => "used in tests only",
        }
    }
}

/// A person's word that nothing is to be done about a finding. It hangs on the finding's identity, so it ends when the
/// reported code changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissal {
    /// Why.
    pub reason: DismissReason,
    /// The same in the person's words; may be empty.
    pub note: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// A detection in a project, with its identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// Its project.
    pub project: ProjectId,
    /// Its identity over time.
    pub fingerprint: Fingerprint,
    /// What was reported last.
    pub detection: Detection,
    /// The reported lines with white space normalised, empty where the file could not be read; see [`relocate`].
    pub context: String,
}

/// How many reported lines take part in a finding's context.
pub const CONTEXT_LINES: u32 = 20;

impl Finding {
    /// Gives `detection` its identity in `project`.
    ///
    /// `context` is the text of the reported lines, empty where the file cannot be read; `nth` counts detections of the
    /// same tool, rule, path and context in file order, from 0.
    pub fn new(project: &ProjectId, detection: Detection, context: &str, nth: u32) -> Self {
        let fingerprint = Fingerprint::of(&detection, context, nth);
        let id = FindingId::of(project, &fingerprint);
        Self { id, project: project.clone(), fingerprint, detection, context: normalise(context) }
    }

    /// The title for people: a short rule description, else the first line of the message, else the rule's name or id.
    pub fn title(&self) -> &str {
        let detection = &self.detection;
        let short = detection.rule.description.as_deref().map(first_line).filter(|text| text.len() <= 90);
        [short, Some(first_line(&detection.message)), detection.rule.name.as_deref()]
            .into_iter()
            .flatten()
            .find(|text| !text.is_empty())
            .unwrap_or(&detection.rule.id)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

/// The text of the lines that `region` names in `text`, at most [`CONTEXT_LINES`]; empty past the end.
pub fn context_of<'a>(text: &'a str, region: &Region) -> &'a str {
    let last = region.end_line.min(region.start_line.saturating_add(CONTEXT_LINES - 1));
    match (line_range(text, region.start_line), line_range(text, last)) {
        (Some(first), Some(last)) => &text[first.start..last.end.max(first.start)],
        (Some(first), None) => &text[first.start..],
        (None, _) => "",
    }
}

/// Where the lines of `region` stand in `text` now: the place nearest to the old one whose lines read like `context`.
///
/// `None` when no place does; with an empty context the region is taken as it is.
pub fn relocate(text: &str, region: &Region, context: &str) -> Option<Region> {
    if context.is_empty() || normalise(context_of(text, region)) == context {
        return Some(*region);
    }
    let height = region.end_line - region.start_line.min(region.end_line);
    let shown = height.min(CONTEXT_LINES - 1) as usize;
    // Where each line starts, so that a long file is gone through once.
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let reads_like = |index: usize| {
        let end = starts.get(index + shown + 1).copied().unwrap_or(text.len());
        text[starts[index]..end].split_whitespace().eq(context.split(' '))
    };
    (1_u32..)
        .zip(0..starts.len())
        .filter(|(_, index)| reads_like(*index))
        .map(|(line, _)| Region { start_line: line, end_line: line.saturating_add(height), ..*region })
        .min_by_key(|place| place.start_line.abs_diff(region.start_line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn region(start: (u32, u32), end: (u32, u32), column_kind: ColumnKind) -> Region {
        Region {
            start_line: start.0,
            start_column: Some(start.1),
            end_line: end.0,
            end_column: Some(end.1),
            column_kind,
        }
    }

    #[test]
    fn columns_count_what_the_tool_says_they_count() {
        let text = "a\n𝒳é = 1\r\nz";
        for (kind, column) in [(ColumnKind::Utf16, 4), (ColumnKind::Unicode, 3), (ColumnKind::Byte, 7)] {
            assert_eq!(region((2, 1), (2, column), kind).byte_range(text).map(|r| &text[r]), Some("𝒳é"), "{kind:?}");
        }
        assert_eq!(Region::line(2).byte_range(text).map(|r| &text[r]), Some("𝒳é = 1"));
        let marked = "\u{feff}x = 1";
        assert_eq!(region((1, 1), (1, 2), ColumnKind::Utf16).byte_range(marked).map(|r| &marked[r]), Some("x"));
        assert_eq!(Region::line(4).byte_range(text), None);
    }

    #[test]
    fn a_finding_is_found_again_where_its_lines_moved() {
        let old = Region { end_line: 3, ..Region::line(2) };
        let context = normalise(context_of("a\nx = 1\ny = 2\n", &old));
        let moved = |text: &str| relocate(text, &old, &context).map(|region| (region.start_line, region.end_line));
        assert_eq!(moved("a\nx = 1\ny = 2\n"), Some((2, 3)));
        assert_eq!(moved("import os\n\na\n  x  = 1\r\n  y = 2\r\n"), Some((4, 5)));
        assert_eq!(moved("x = 1\ny = 2\n\n\nx = 1\ny = 2\n"), Some((1, 2)));
        assert_eq!(moved("a\nx = 1\ny = 3\n"), None);
    }

    #[test]
    fn a_long_file_of_short_lines_is_gone_through_once() {
        let text = "\n".repeat(1024 * 1024) + "x = 1\n";
        let place = relocate(&text, &Region::line(7), "x = 1");
        assert_eq!(place.map(|region| region.start_line), Some(1024 * 1024 + 1));
        assert_eq!(relocate(&text, &Region::line(7), "x = 2"), None);
    }

    proptest! {
        #[test]
        fn a_region_never_leaves_its_text(text in "[a-c\\né𝒳\r]{0,40}", a in 0u32.., b in 0u32.., c in 0u32.., d in 0u32..) {
            for kind in [ColumnKind::Utf16, ColumnKind::Unicode, ColumnKind::Byte] {
                if let Some(range) = region((a % 9, b % 50), (c % 9, d), kind).byte_range(&text) {
                    prop_assert!(text.get(range).is_some());
                }
            }
        }
    }
}
