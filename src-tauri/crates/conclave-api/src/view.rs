//! What crosses the boundary to a face: the wire, and nothing but the wire.
//!
//! Domain types do not cross; a few leaf enums of `conclave-core` do. Times are milliseconds since 1970-01-01 UTC.

use conclave_core::candidate::FixClass;
use conclave_core::evidence::{Check, CheckOutcome};
use conclave_core::finding::Severity;
use conclave_core::judgement::Choice;
use conclave_core::tier::{Effort, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

pub use asks::*;
pub use clients::*;
pub use commands::*;
pub use compare::*;
pub use config::*;
pub use decisions::*;
pub use edit::*;
pub use egress::*;
pub use exchange::*;
pub use health::*;
pub use keys::*;
pub use known::*;
pub use learning::*;
pub use list::*;
pub use memory::*;
pub use models::*;
pub use patterns::*;
pub use plan::*;
pub use policy::*;
pub use preview::*;
pub use projects::*;
pub use queue::*;
pub use servers::*;
pub use spending::*;
pub use synthesis::*;
pub use tiers::*;
pub use tools::*;
pub use training::*;

mod asks;
mod clients;
mod commands;
mod compare;
mod config;
mod decisions;
mod edit;
mod egress;
mod exchange;
mod health;
mod keys;
mod known;
mod learning;
mod list;
mod memory;
mod models;
mod patterns;
mod plan;
mod policy;
mod preview;
mod projects;
mod queue;
mod servers;
mod spending;
mod synthesis;
mod tiers;
mod tools;
mod training;

/// What stands for a 64-bit or floating number in TypeScript: plain `number`, never `bigint` and never `null`.
type Number = u32;

/// A request without parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Names one finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct GetFinding {
    /// Its id, or the first digits of it if they name only one.
    pub finding: String,
}

/// Everything about one finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FindingView {
    /// As in the list.
    pub row: FindingRow,
    /// What the tool says; untrusted, shown as text.
    pub message: String,
    /// What is wrong, in sentences.
    pub problem: String,
    /// The tool's version.
    pub tool_version: Option<String>,
    /// The rule's help; untrusted, shown as text.
    pub rule_help: Option<String>,
    /// Links, shown with their host and opened only by the person.
    pub references: Vec<String>,
    /// Why the place cannot be shown, if it cannot.
    pub unresolved: Option<String>,
    /// The code around the place.
    pub excerpt: Option<Excerpt>,
    /// Source to sink.
    pub flow: Vec<FlowStepView>,
    /// The result of the last run.
    pub resolution: Option<ResolutionView>,
    /// The run under way.
    pub running: Option<RunProgress>,
    /// The fix that is applied at the moment.
    pub applied: Option<AppliedView>,
    /// Why the person dismissed it.
    pub dismissed: Option<DismissalView>,
    /// The next and the previous finding in the default order of its project.
    pub neighbours: Neighbours,
}

/// Neighbours in the default list of the project.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct Neighbours {
    /// Before it.
    pub previous: Option<String>,
    /// After it.
    pub next: Option<String>,
    /// Its place, from 1.
    pub position: u32,
    /// How many there are.
    pub total: u32,
}

/// Some lines of a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct Excerpt {
    /// The file.
    pub path: String,
    /// Its language as people write it, for example `Python`.
    pub language: Option<String>,
    /// How many lines the file has.
    pub total_lines: u32,
    /// The number of the first line shown, from 1.
    pub first_line: u32,
    /// The lines, without line ends.
    pub lines: Vec<String>,
    /// What the tool marks.
    pub marks: Vec<Mark>,
}

/// A marked range in one line.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct Mark {
    /// The line, from 1.
    pub line: u32,
    /// First character, from 0, in UTF-16 code units.
    pub start: u32,
    /// After the last character.
    pub end: u32,
}

/// One step of the flow.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FlowStepView {
    /// The file.
    pub path: String,
    /// The line, from 1; 0 where unknown.
    pub line: u32,
    /// In the tool's words.
    pub message: Option<String>,
}

/// The result of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ResolutionView {
    /// The run.
    pub run: String,
    /// The recommended fix; `null` when there is no safe one.
    pub recommended: Option<String>,
    /// How the run ended.
    pub ending: Ending,
    /// Why none is recommended.
    pub reason: Option<String>,
    /// What would settle it.
    pub next: Option<String>,
    /// Recommended first, then alternatives, then stopped ones.
    pub fixes: Vec<FixView>,
    /// What judges said of the best two.
    pub judgements: Vec<JudgementView>,
    /// All seats of the panel.
    pub seats: Vec<SeatView>,
    /// What the recommended fix changes, in sentences.
    pub change: String,
    /// Why it is safe, from evidence.
    pub why_safe: String,
    /// What was not checked.
    pub not_covered: Vec<String>,
    /// Why no alternative stands beside the recommended fix.
    pub no_alternative: Option<String>,
    /// Why no edge case of it is named.
    pub no_edge_case: Option<String>,
    /// What was made of all answers and all evidence; `null` for runs from before there was one.
    pub synthesis: Option<SynthesisView>,
    /// What its calls to models cost; `null` where only the conclusion is shown.
    pub cost: Option<SpendSum>,
    /// Time for proposing, in milliseconds.
    #[specta(type = Number)]
    pub analysis_ms: u64,
    /// Time for checking, in milliseconds.
    #[specta(type = Number)]
    pub verification_ms: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// One fix is recommended.
    Recommended,
    /// Two fixes are as good as each other: the person must pick.
    Disagreement,
    /// Several models would change nothing; the finding stays open.
    SuspectedFalsePositive,
    /// Nothing can be recommended.
    NoSafeFix,
}

/// What a judge said of two fixes that it could not tell the authors of.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct JudgementView {
    /// One fix.
    pub a: String,
    /// The other.
    pub b: String,
    /// Which one it held for better in both orders.
    pub choice: Choice,
    /// What it found wrong with the one, in words.
    pub faults_a: Vec<String>,
    /// What it found wrong with the other.
    pub faults_b: Vec<String>,
    /// Its name.
    pub judge: String,
}

/// Names the run whose conclusion is to be drawn again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ReplayRun {
    /// The run's id, or that of a finding for its last run.
    pub run: String,
}

/// A conclusion that was drawn again from what the run stored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ReplayView {
    /// The run.
    pub run: String,
    /// Whether the stored conclusion is the same, to the byte.
    pub same: bool,
    /// How it ends now.
    pub ending: Ending,
    /// The fix that is recommended now.
    pub recommended: Option<String>,
    /// How sure it is of the first fix now.
    pub confidence: Option<ConfidenceView>,
}

/// One candidate.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FixView {
    /// Its id.
    pub id: String,
    /// What it does, in one line.
    pub title: String,
    /// Why that removes the weakness.
    pub rationale: String,
    /// Who wrote it.
    pub origin: String,
    /// Other seats that wrote the very same.
    pub also_by: Vec<String>,
    /// The fixes that it was made from.
    pub parents: Vec<String>,
    /// How much it wants to be read.
    pub class: FixClass,
    /// Inputs in which behaviour changes.
    pub edge_cases: Vec<String>,
    /// What else changes, in its author's words.
    pub side_effects: Vec<String>,
    /// What would show that it is wrong, in its author's words.
    pub disproof: Option<String>,
    /// Why it is not offered; `null` for the recommended one and alternatives.
    pub stopped: Option<String>,
    /// Fixes of one number come to the same; counted from 1.
    pub cluster: u32,
    /// How an alternative differs from the first fix.
    pub trade_off: Option<String>,
    /// What is suspicious about it, in words.
    pub smells: Vec<String>,
    /// The change, file by file.
    pub files: Vec<FileDiff>,
    /// The ladder, rung by rung.
    pub evidence: Vec<EvidenceView>,
    /// How sure.
    pub confidence: ConfidenceView,
}

/// The change of one file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct FileDiff {
    /// The file.
    pub path: String,
    /// Its language as people write it.
    pub language: Option<String>,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Changed lines with three lines around.
    pub hunks: Vec<Hunk>,
}

/// One piece of a diff.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct Hunk {
    /// In order.
    pub lines: Vec<DiffLine>,
}

/// What a line of a diff is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// In both.
    Same,
    /// Only afterwards.
    Added,
    /// Only before.
    Removed,
}

/// One line of a diff.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct DiffLine {
    /// What it is.
    pub kind: LineKind,
    /// Its number before, from 1.
    pub old: Option<u32>,
    /// Its number after, from 1.
    pub new: Option<u32>,
    /// Its text without line end, in pieces; changed ones are emphasised.
    pub pieces: Vec<DiffPiece>,
}

/// A piece of a line.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct DiffPiece {
    /// The text.
    pub text: String,
    /// Whether just this changed.
    pub changed: bool,
}

/// One observation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct EvidenceView {
    /// What was checked.
    pub check: Check,
    /// Its name for people.
    pub label: String,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// Whether a pass says less than it could: tests that do not reach the change, or a proof by the fix's own author.
    pub weaker: bool,
    /// What was seen, or why it could not be.
    pub summary: String,
    /// The command as a person could repeat it.
    pub command: Option<String>,
    /// The end of its output.
    pub log: Option<String>,
    /// How long it took, in milliseconds.
    #[specta(type = Number)]
    pub duration_ms: u64,
}

/// How sure, with everything that made it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ConfidenceView {
    /// Reading, interval, cap and word.
    pub summary: ConfidenceSummary,
    /// Why the cap is where it is.
    pub cap_reason: String,
    /// What would raise it.
    pub raise: Option<String>,
    /// The addends of the log-odds.
    pub terms: Vec<TermView>,
    /// Calibrated on this many outcomes; below 50 the word stands in for the figure.
    pub outcomes: u32,
}

/// One addend.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct TermView {
    /// What it stands for.
    pub label: String,
    /// Its log-odds.
    #[specta(type = Number)]
    pub value: f64,
}

/// One seat of the panel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct SeatView {
    /// Its name.
    pub name: String,
    /// What it is for; `null` for the seats that cost nothing.
    pub role: Option<Role>,
    /// What it gave.
    pub state: SeatState,
    /// In words: what it proposed, why it refused, what would fill it.
    pub note: String,
    /// Whether it answered after the time for analysis.
    pub late: bool,
}

/// What a seat gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    /// A fix.
    Proposed,
    /// A reason not to.
    Refused,
    /// Its word that it would change nothing here.
    Doubted,
    /// Nothing on this rule.
    Silent,
    /// An error.
    Failed,
    /// Nobody sits there.
    Empty,
}

/// A stage of the straight line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waiting for its turn.
    Queued,
    /// Reading the code around.
    Gather,
    /// Asking the seats.
    Propose,
    /// Checking what they gave.
    Verify,
    /// Comparing the best two.
    Judge,
    /// Letting a model think it over.
    Synthesise,
    /// Drawing the conclusion.
    Conclude,
}

/// A check that looks at a fix right now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct CheckingView {
    /// The fix.
    pub fix: String,
    /// Who wrote it.
    pub origin: String,
    /// The check.
    pub check: Check,
    /// The check's name for people.
    pub label: String,
}

/// A run under way.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct RunProgress {
    /// The finding.
    pub finding: String,
    /// Where it is.
    pub stage: Stage,
    /// In words, for example `Re-scan by bandit, fix 1 of 2`.
    pub text: String,
    /// What is checked, while that is what it does.
    pub checking: Option<CheckingView>,
    /// When the run started.
    #[specta(type = Number)]
    pub started_at: i64,
}

/// Chooses findings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct RunFix {
    /// These; when empty, all open ones of `project`.
    pub findings: Vec<String>,
    /// Used when `findings` is empty.
    pub project: Option<String>,
    /// Only this severe or more; used when `findings` is empty.
    pub severity: Option<Severity>,
    /// How much is to be done.
    pub effort: Effort,
}

/// What a start of runs did.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct RunStarted {
    /// So many were queued.
    pub queued: u32,
}

/// Which connections can come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// To hosts that the settings name, by rule.
    Open,
    /// The settings let nothing be sent to another machine.
    LocalOnly,
    /// None, not even to this machine.
    Offline,
}

/// The status strip.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct StatusView {
    /// Conclave's version.
    pub version: String,
    /// Whether every connection is refused.
    pub offline: bool,
    /// Folders that are followed.
    pub watched: u32,
    /// Runs under way or waiting.
    pub running: u32,
    /// Whether none of those that wait is begun.
    pub paused: bool,
    /// How often something left this machine, from the ledger.
    pub egress: u32,
    /// What left this machine in the last 24 hours.
    pub today: EgressToday,
    /// Requests that wait for the person.
    pub asks_waiting: u32,
    /// What keeps the policy from being what its files say.
    pub policy_banner: Option<String>,
    /// Which connections can come about at all.
    pub network: Network,
    /// Seats of the panel that nobody fills, with what would fill them.
    pub empty_seats: Vec<SeatView>,
    /// Things the person should know: a database that was moved aside, a watch that failed.
    pub notices: Vec<String>,
}

/// Whether the ledger is whole.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct LedgerView {
    /// Whether every row fits the one before.
    pub intact: bool,
    /// Rows read.
    pub rows: u32,
    /// The digest of the last row: keep it elsewhere to detect a cut-off end.
    pub head: String,
    /// What is wrong, and where.
    pub fault: Option<String>,
}

/// One line of `doctor`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct DoctorItem {
    /// What was looked at.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Whether it is there and broken.
    pub wrong: bool,
    /// What was found.
    pub found: String,
    /// What to do, where something is missing or wrong.
    pub hint: Option<String>,
}

/// What this machine offers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct DoctorView {
    /// In order.
    pub items: Vec<DoctorItem>,
}

/// What a change touches, so that a face refreshes just that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// Findings and their resolutions.
    Findings,
    /// Projects and scans.
    Projects,
    /// Runs under way.
    Runs,
    /// The ledger.
    Ledger,
    /// The policy and its files.
    Policy,
    /// Requests that wait for the person.
    Asks,
    /// Which hosts have a key.
    Keys,
    /// The models of the settings and how they stand.
    Models,
    /// What was spent, and what may be.
    Spending,
}

impl Tag {
    /// Every tag.
    pub const ALL: [Self; 9] = [
        Self::Findings,
        Self::Projects,
        Self::Runs,
        Self::Ledger,
        Self::Policy,
        Self::Asks,
        Self::Keys,
        Self::Models,
        Self::Spending,
    ];
}

/// What the core tells a face without being asked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// These tags changed.
    Changed {
        /// Which.
        tags: Vec<Tag>,
    },
    /// A run moved on.
    Run {
        /// Where it is.
        progress: RunProgress,
    },
    /// A model says more about a finding. It is text to be shown and nothing else.
    Delta {
        /// The finding.
        finding: String,
        /// The seat that it speaks for, by the name that the resolution has for it.
        seat: String,
        /// Who says it, by its name in the settings; another one than the seat's first where that declined.
        model: String,
        /// The text that is new.
        text: String,
        /// Whether an answer begins: what was said before counts no more.
        is_new: bool,
    },
    /// A tool was used while a run was thought over.
    Tool {
        /// The finding.
        finding: String,
        /// What was asked, and what became of it.
        used: ToolUseView,
    },
}
