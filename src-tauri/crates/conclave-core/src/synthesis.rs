//! What deliberation adds to a run: an explanation, a chain of thoughts, edge cases, and perhaps a merged fix.
//!
//! Deliberately absent: choosing. Which fix is recommended, and how sure we are of it, follows from evidence alone; what
//! stands here is read by people, and a merged fix is one more candidate that climbs the ladder like any other.
//! Invariant: whatever could not be had is a [`Hole`] with a reason, and never stops a run.

use serde::{Deserialize, Serialize};

use crate::id::CandidateId;

mod chain;
mod complete;
mod edge_case;

pub use complete::complete;

/// What was made of all answers and all evidence of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synthesis {
    /// Who wrote it.
    pub by: Synthesiser,
    /// What is wrong, at its root.
    pub root_cause: String,
    /// What the fix changes; empty without one.
    pub change: String,
    /// Why that is safe, from evidence; empty without a fix.
    pub why_safe: String,
    /// What is not covered.
    pub not_covered: Vec<String>,
    /// Which fix it would choose: an opinion that is shown and changes nothing.
    #[serde(default)]
    pub prefers: Option<CandidateId>,
    /// What each alternative is better and worse at.
    pub trade_offs: Vec<TradeOff>,
    /// How it came to that, step by step.
    pub thoughts: Vec<Thought>,
    /// Inputs and situations that want care.
    pub edge_cases: Vec<EdgeCase>,
    /// Sources for reading on.
    pub references: Vec<Reference>,
    /// The words for a pull request, where a model wrote some for the recommended fix.
    #[serde(default)]
    pub pull_request: Option<PullRequest>,
    /// The tools that were used, in the order of their calls.
    pub tools: Vec<ToolUse>,
    /// What could not be had.
    pub holes: Vec<Hole>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Who wrote a synthesis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Synthesiser {
    /// Conclave itself, from the evidence and what the seats said, without a model.
    #[default]
    Evidence,
    /// A model.
    Model {
        /// Its name in the settings.
        name: String,
        /// The model, as the other end knows it.
        model: String,
    },
}

/// How one alternative compares with the first fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeOff {
    /// Which.
    pub candidate: CandidateId,
    /// In one sentence.
    pub text: String,
}

/// One step of a chain of thoughts, as the *sequential thinking* tool of the Model Context Protocol has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thought {
    /// The step, counted from 1.
    pub number: u32,
    /// How many steps there were to be when it was thought.
    pub total: u32,
    /// The thought.
    pub text: String,
    /// The earlier step that it takes back or mends.
    #[serde(default)]
    pub revises: Option<u32>,
    /// The branch that it is on, and the step from which that leaves; `None` on the main line.
    #[serde(default)]
    pub branch: Option<Branch>,
    /// Whose contributions it rests on.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// A side line of thoughts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its name.
    pub id: String,
    /// The step from which it leaves.
    pub from: u32,
}

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A seat of the panel, by its name.
    Seat {
        /// Its name.
        name: String,
    },
    /// A check of a candidate.
    Check {
        /// The check's label.
        name: String,
    },
    /// A tool, by the number of its call in [`Synthesis::tools`], counted from 1.
    Tool {
        /// The call.
        call: u32,
    },
    /// An earlier finding, from memory.
    Memory {
        /// What is remembered under which name.
        name: String,
    },
    /// Who wrote the synthesis, and nobody else.
    Synthesiser,
}

/// An input or a situation that wants care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeCase {
    /// Which.
    pub text: String,
    /// Who named it.
    pub sources: Vec<Source>,
}

/// A source for reading on; shown, never fetched by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// What it is called.
    pub title: String,
    /// Its address; `https` or `http`.
    pub url: String,
    /// The question that found it; `None` for what ships with Conclave or stands in the report.
    #[serde(default)]
    pub query: Option<String>,
    /// When it was found, or of when it is, as `2026-11-27`; `None` where that is not known.
    #[serde(default)]
    pub date: Option<String>,
}

/// What a pull request with the fix says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// In one line.
    pub title: String,
    /// The rest, as plain text.
    pub body: String,
}

/// One use of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolUse {
    /// Which server offers it; Conclave's own have the names `thinking`, `memory` and `intelligence`.
    pub server: String,
    /// The tool's name.
    pub tool: String,
    /// What it was asked, on one short line without secrets.
    pub asked: String,
    /// What became of it.
    pub outcome: ToolOutcome,
    /// In the middle of an answer: what it answered, on one short line; why it did not.
    pub said: String,
    /// The ledger's entry of the decision; `None` where none was made.
    #[serde(default)]
    pub entry: Option<u64>,
    /// Milliseconds from the decision to the answer.
    pub took_ms: u64,
}

/// What became of the use of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ToolOutcome {
    /// It answered.
    Answered,
    /// It answered with an error of its own.
    Error,
    /// The policy did not let it be used.
    Denied,
    /// It could not be used, or did not answer in time.
    Failed,
}

/// Something that a result lacks, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// What is missing, for example `Kagi` or `The meta-analyser`.
    pub what: String,
    /// Why, in words.
    pub why: String,
}

#[cfg(test)]
mod tests;
