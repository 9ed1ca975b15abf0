//! A proposed fix, and the seats that may propose one.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::CandidateId;
use crate::patch::Patch;

/// Who wrote a candidate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A deterministic recipe of `conclave-fixers`.
    Recipe {
        /// The recipe's id.
        id: String,
    },
    /// The scanner's own `fixes[]`.
    Scanner {
        /// The tool's name.
        tool: String,
    },
    /// A language model.
    Model {
        /// The model's name as the endpoint knows it.
        model: String,
        /// The endpoint's name in the settings.
        endpoint: String,
        /// Whether the endpoint is on this machine.
        local: bool,
    },
}

impl Origin {
    /// Who that is, in a few words.
    pub fn label(&self) -> String {
        match self {
            Self::Recipe { id } => format!("Recipe {id}"),
            Self::Scanner { tool } => format!("{tool}\u{2019}s own fix"),
            Self::Model { model, local: true, .. } => format!("{model}, on this machine"),
            Self::Model { model, endpoint, local: false } => format!("{model} at {endpoint}"),
        }
    }

    /// Whether the same input always gives the same candidate.
    pub fn is_deterministic(&self) -> bool {
        !matches!(self, Self::Model { .. })
    }
}

/// How much a person has to look at a fix before it is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "kebab-case")]
pub enum FixClass {
    /// Keeps behaviour for every input that was not an attack.
    SafeAuto,
    /// May change behaviour; somebody has to read it.
    Review,
}

/// One proposed fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Derived from origin and patch.
    pub id: CandidateId,
    /// Who wrote it.
    pub origin: Origin,
    /// What it changes.
    pub patch: Patch,
    /// How much it wants to be read.
    pub class: FixClass,
    /// What it does, in one line.
    pub title: String,
    /// Why that removes the weakness.
    pub rationale: String,
    /// Inputs or situations in which behaviour changes.
    pub edge_cases: Vec<String>,
    /// Rules that a re-scan may report instead, and that are weaker by design, for example `B603` after `B602`.
    pub successors: Vec<String>,
}

impl Candidate {
    /// The id of a candidate with this origin and patch.
    pub fn id_of(origin: &Origin, patch: &Patch) -> CandidateId {
        CandidateId::new(Digest::of_parts([&origin.label(), patch.digest().as_str()]).short())
    }
}

/// What a seat of the panel gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Draft {
    /// A fix to be checked.
    Proposed {
        /// The fix.
        candidate: Candidate,
    },
    /// The seat looked and says why it will not touch this.
    Refused {
        /// The reason, in words for the screen.
        reason: String,
    },
    /// The seat has nothing to say on this finding.
    Silent {
        /// Why, in words.
        reason: String,
    },
    /// The seat could not work.
    Failed {
        /// What happened, in words.
        why: String,
    },
    /// Nobody sits here.
    Empty {
        /// What would fill the seat.
        fill: String,
    },
}

/// The name of the seat of the deterministic recipes.
pub const RECIPES: &str = "Recipes";

/// A seat of the panel with its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The seat's name, for example `Recipes`.
    pub name: String,
    /// Its answers; at least one.
    pub drafts: Vec<Draft>,
}
