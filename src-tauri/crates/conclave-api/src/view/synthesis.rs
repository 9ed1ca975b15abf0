//! What was made of all answers and all evidence of a run. All of it is read by people and decides nothing.

use conclave_core::synthesis::ToolOutcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// Asks for one fix in a form in which it can leave.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ExportFix {
    /// The finding.
    pub finding: String,
    /// The fix; the recommended one when `null`.
    pub fix: Option<String>,
    /// In which form.
    pub form: ExportForm,
}

/// In which form a fix leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ExportForm {
    /// A patch with a commit message, as `git am` takes it.
    Patch,
    /// The title and the text of a pull request, in Markdown.
    PullRequest,
}

/// One fix, written out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ExportedFix {
    /// A name for the file.
    pub name: String,
    /// The text.
    pub text: String,
}

/// An explanation of a run with the thoughts behind it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct SynthesisView {
    /// The name of the model that wrote it; `null` where Conclave did, from the evidence.
    pub model: Option<String>,
    /// What is wrong, at its root.
    pub root_cause: String,
    /// What the recommended fix changes; empty without one.
    pub change: String,
    /// Why that is safe: the evidence, then what a model adds.
    pub why_safe: String,
    /// What is not covered.
    pub not_covered: Vec<String>,
    /// The fix that the model would choose: an opinion that changes nothing.
    pub prefers: Option<String>,
    /// What each alternative is better and worse at.
    pub trade_offs: Vec<TradeOffView>,
    /// Step by step.
    pub thoughts: Vec<ThoughtView>,
    /// Inputs and situations that want care.
    pub edge_cases: Vec<EdgeCaseView>,
    /// Sources for reading on.
    pub references: Vec<ReferenceView>,
    /// The tools that were used, in the order of their calls.
    pub tools: Vec<ToolUseView>,
    /// What could not be had.
    pub holes: Vec<HoleView>,
    /// How long it took, in milliseconds.
    #[specta(type = Number)]
    pub took_ms: u64,
}

/// How one alternative compares with the first fix.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct TradeOffView {
    /// The fix.
    pub fix: String,
    /// In one sentence.
    pub text: String,
}

/// One step of a chain of thoughts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ThoughtView {
    /// The step, from 1.
    pub number: u32,
    /// How many steps there were to be when it was thought.
    pub total: u32,
    /// The thought.
    pub text: String,
    /// The earlier step that it takes back or mends.
    pub revises: Option<u32>,
    /// The branch that it is on; `null` on the main line.
    pub branch: Option<BranchView>,
    /// Whose contributions it rests on.
    pub sources: Vec<SourceView>,
}

/// A side line of thoughts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct BranchView {
    /// Its name.
    pub id: String,
    /// The step from which it leaves.
    pub from: u32,
}

/// Where something comes from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct SourceView {
    /// What it is.
    pub kind: SourceKind,
    /// Its name for people.
    pub label: String,
    /// The number of a tool's call, from 1.
    pub call: Option<u32>,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A seat of the panel.
    Seat,
    /// A check.
    Check,
    /// A tool.
    Tool,
    /// An earlier finding.
    Memory,
    /// Who wrote the synthesis, and nobody else.
    Synthesiser,
}

/// An input or a situation that wants care.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct EdgeCaseView {
    /// Which.
    pub text: String,
    /// Who named it.
    pub sources: Vec<SourceView>,
}

/// A source for reading on; opened only by the person.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ReferenceView {
    /// What it is called.
    pub title: String,
    /// Its address.
    pub url: String,
    /// The question that found it.
    pub query: Option<String>,
    /// When it was found, or of when it is.
    pub date: Option<String>,
}

/// One use of a tool.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ToolUseView {
    /// Which server offers it.
    pub server: String,
    /// The tool's name.
    pub tool: String,
    /// What it was asked.
    pub asked: String,
    /// What became of it.
    pub outcome: ToolOutcome,
    /// What it answered, or why it did not.
    pub said: String,
    /// The ledger's entry of the decision.
    #[specta(type = Option<Number>)]
    pub entry: Option<u64>,
    /// How long it took, in milliseconds.
    #[specta(type = Number)]
    pub took_ms: u64,
}

/// Something that a result lacks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct HoleView {
    /// What is missing.
    pub what: String,
    /// Why.
    pub why: String,
}
