//! What a run of a finding ends with.

use serde::{Deserialize, Serialize};

use crate::candidate::{Candidate, Draft, FixClass, Seat};
use crate::cluster::Shape;
use crate::confidence::Confidence;
use crate::evidence::Evidence;
use crate::id::{CandidateId, FindingId, RunId};
use crate::judgement::Judgement;
use crate::patch::Patch;
use crate::smell::Smell;
use crate::synthesis::Synthesis;

mod absent;
mod behind;
mod conclude;
mod explain;
#[cfg(test)]
mod made;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
mod vote;

pub use absent::{no_alternative, no_edge_case};
pub use behind::behind;
pub use conclude::{MAX_ALTERNATIVES, UNDECIDED, Work, conclude, holds, is_settled, undecided};
pub use explain::references;
pub(crate) use explain::sentence;

/// A candidate with what was observed about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The candidate.
    pub candidate: Candidate,
    /// Labels of other seats that proposed the very same patch.
    pub also_by: Vec<String>,
    /// The observations, in ladder order.
    pub evidence: Vec<Evidence>,
    /// What is suspicious about it, sorted.
    #[serde(default)]
    pub smells: Vec<Smell>,
    /// What it leaves behind, for comparing; `None` where the files cannot be read as text.
    #[serde(default)]
    pub shape: Option<Shape>,
    /// The candidates that it was made from. It has none of their votes, and may not be behind any of them.
    #[serde(default)]
    pub parents: Vec<CandidateId>,
}

/// What becomes of one candidate, and how sure we are of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The candidate with its evidence.
    pub judged: Judged,
    /// From the evidence alone.
    pub confidence: Confidence,
    /// Why it is not shown as a fix; `None` for the recommended one and the alternatives.
    pub stopped: Option<String>,
    /// Fixes of one number come to the same; counted from 1 in the order of the verdicts.
    #[serde(default)]
    pub cluster: u32,
    /// How an alternative differs from the first fix, in one sentence.
    #[serde(default)]
    pub trade_off: Option<String>,
}

/// How the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Conclusion {
    /// One fix is recommended; it is the first verdict.
    Recommended {
        /// Which.
        candidate: CandidateId,
        /// How much it wants to be read.
        class: FixClass,
    },
    /// Two fixes of a critical finding speak for themselves equally well: a person must pick, and none is recommended.
    Disagreement {
        /// The two, the first verdict first.
        candidates: [CandidateId; 2],
        /// Why, in words.
        reason: String,
    },
    /// Several models would change nothing, and nobody has a fix. The finding stays open: a person decides.
    SuspectedFalsePositive {
        /// What was said, in words.
        reason: String,
        /// What would settle it.
        next: String,
    },
    /// Nothing can be recommended.
    NoSafeFix {
        /// Why, in words.
        reason: String,
        /// What would settle it.
        next: String,
    },
}

/// By what a fix was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// By evidence, as always.
    #[default]
    Evidence,
    /// By the count of answers that came to it; its confidence is what evidence says of it.
    Votes,
}

impl Selection {
    /// Whether it is by evidence.
    pub fn is_evidence(&self) -> bool {
        *self == Self::Evidence
    }
}

/// What the explanation says; each part one or more sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What is wrong.
    pub problem: String,
    /// What the recommended fix changes; empty without one.
    pub change: String,
    /// Why that is safe, from evidence; empty without a fix.
    pub why_safe: String,
    /// What was not checked, or is not covered.
    pub not_covered: Vec<String>,
    /// Links for reading on; shown, never fetched.
    pub references: Vec<String>,
}

/// The result of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// For which finding.
    pub finding: FindingId,
    /// By which run.
    pub run: RunId,
    /// How it ended.
    pub conclusion: Conclusion,
    /// By what the recommended fix was chosen.
    #[serde(default, skip_serializing_if = "Selection::is_evidence")]
    pub selection: Selection,
    /// All candidates: recommended first, then alternatives, then stopped ones.
    pub verdicts: Vec<Verdict>,
    /// All seats with their answers.
    pub seats: Vec<Seat>,
    /// What judges said of the best two.
    #[serde(default)]
    pub judgements: Vec<Judgement>,
    /// In words.
    pub explanation: Explanation,
    /// What was made of all answers and all evidence; `None` for runs from before there was one.
    #[serde(default)]
    pub synthesis: Option<Synthesis>,
    /// Time until all seats had answered, in milliseconds.
    pub analysis_ms: u64,
    /// Time for all checks, in milliseconds.
    pub verification_ms: u64,
}

impl Resolution {
    /// The recommended verdict.
    pub fn recommended(&self) -> Option<&Verdict> {
        match &self.conclusion {
            Conclusion::Recommended { candidate, .. } => self.verdict(candidate),
            Conclusion::Disagreement { .. }
            | Conclusion::SuspectedFalsePositive { .. }
            | Conclusion::NoSafeFix { .. } => None,
        }
    }

    /// The verdict on `candidate`.
    pub fn verdict(&self, candidate: &CandidateId) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.judged.candidate.id == *candidate)
    }

    /// The seats that proposed `patch`, each with its proposal.
    pub fn proposals<'a>(&'a self, patch: &'a Patch) -> impl Iterator<Item = (&'a Seat, &'a Candidate)> {
        let drafts = self.seats.iter().flat_map(|seat| seat.drafts.iter().map(move |draft| (seat, draft)));
        drafts.filter_map(move |(seat, draft)| match draft {
            Draft::Proposed { candidate } if candidate.patch == *patch => Some((seat, candidate.as_ref())),
            _ => None,
        })
    }

    /// The fixes that are shown: the recommended one and its alternatives.
    pub fn shown(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| verdict.stopped.is_none())
    }
}
