//! A proposed fix, and the seats that may propose one.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::CandidateId;
use crate::patch::Patch;
use crate::tier::Role;

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
        /// The family of models that it is of, for example `claude`: models of one family err together.
        #[serde(default)]
        family: String,
    },
    /// Made from other candidates, or a repair of one, while all of them were compared.
    Synthesis {
        /// Who made it: a model's name in the settings, or `Conclave`.
        by: String,
        /// Whether whoever made it is on this machine.
        local: bool,
        /// The family of models that it is of; empty for Conclave.
        family: String,
    },
    /// A rewrite that was learned from fixes that a person accepted.
    Pattern {
        /// The pattern's id.
        id: String,
    },
    /// A person's own version of another fix.
    Person {
        /// The recipe that the first of these fixes came from: its detector can look at this one too.
        recipe: Option<String>,
    },
}

impl Origin {
    /// Who that is, in a few words.
    pub fn label(&self) -> String {
        match self {
            Self::Recipe { id } => format!("Recipe {id}"),
            Self::Scanner { tool } => format!("{tool}\u{2019}s own fix"),
            Self::Model { model, local: true, .. } => format!("{model}, on this machine"),
            Self::Model { model, endpoint, local: false, .. } => format!("{model} at {endpoint}"),
            Self::Synthesis { by, .. } => format!("Merged by {by}"),
            Self::Pattern { id } => format!("Learned pattern {id}"),
            Self::Person { .. } => "Edited by hand".to_owned(),
        }
    }

    /// Whether the same input always gives the same candidate.
    pub fn is_deterministic(&self) -> bool {
        !matches!(self, Self::Model { .. } | Self::Synthesis { .. } | Self::Person { .. })
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
    /// What else changes for whoever calls the code.
    #[serde(default)]
    pub side_effects: Vec<String>,
    /// What would show that the fix is wrong, in the author's words.
    #[serde(default)]
    pub disproof: Option<String>,
    /// A test of its own author that should fail before the fix and pass after it.
    #[serde(default)]
    pub red_test: Option<RedTest>,
    /// Rules that a re-scan may report instead, and that are weaker by design, for example `B603` after `B602`.
    pub successors: Vec<String>,
}

/// A test that a model wrote beside its fix; it runs in the sandbox only and is never part of the fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedTest {
    /// The whole file.
    pub text: String,
    /// What it shows, in words.
    pub shows: String,
}

/// The family of a model by its name, for example `claude` for `anthropic/claude-sonnet-5`: what stands before the first
/// character that is no letter, after the last slash.
pub fn family_of(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let name: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
    // The same house under several names.
    match name.as_str() {
        "o" | "gpt" | "chatgpt" | "codex" => "gpt".to_owned(),
        "codellama" | "llama" => "llama".to_owned(),
        "mistral" | "mixtral" | "codestral" | "devstral" | "magistral" | "ministral" => "mistral".to_owned(),
        "gemini" | "gemma" => "gemini".to_owned(),
        "qwen" | "qwq" => "qwen".to_owned(),
        "" => model.to_ascii_lowercase(),
        _ => name,
    }
}

impl Candidate {
    /// A candidate that has to be read, of which nothing more is known than what it does and why.
    pub fn new(origin: Origin, patch: Patch, title: impl Into<String>, rationale: impl Into<String>) -> Self {
        Self {
            id: Self::id_of(&origin, &patch),
            origin,
            patch,
            class: FixClass::Review,
            title: title.into(),
            rationale: rationale.into(),
            edge_cases: Vec::new(),
            side_effects: Vec::new(),
            disproof: None,
            red_test: None,
            successors: Vec::new(),
        }
    }

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
        candidate: Box<Candidate>,
    },
    /// The seat looked and says why it will not touch this.
    Refused {
        /// The reason, in words for the screen.
        reason: String,
    },
    /// The seat looked and would change nothing here: it sees no weakness, or no fix of it.
    Doubted {
        /// Why, in words.
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
    /// Whoever sits here was not asked: a limit, a rule, or something that is missing stands before it.
    NotAsked {
        /// What, in words.
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
    /// What the seat is for; `None` for the seats that cost nothing.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whether the answer came after the time for analysis was over.
    #[serde(default)]
    pub late: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_of_one_house_are_one_family() {
        for (model, family) in [
            ("claude-opus-5", "claude"),
            ("anthropic/claude-sonnet-5", "claude"),
            ("gpt-6", "gpt"),
            ("o3-mini", "gpt"),
            ("qwen2.5-coder-1.5b", "qwen"),
            ("Qwen/QwQ-32B", "qwen"),
            ("codestral-2", "mistral"),
            ("7b", "7b"),
        ] {
            assert_eq!(family_of(model), family, "{model}");
        }
    }
}
