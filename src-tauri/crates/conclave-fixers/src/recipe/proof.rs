//! What a recipe knows about showing its weakness at work, as data: an attack, inputs that are none, and what to look at.
//!
//! Deliberately absent: running anything. Invariant: a proof says what would be seen; it never says what was seen.

use serde::{Deserialize, Serialize};

use super::Recipe;

/// How a program can show a weakness, and that a fix took it out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The forms of the weakness that it is for; all where none is named.
    #[serde(default)]
    pub cases: Vec<String>,
    /// Inputs that use the weakness; `None` where no input does.
    pub attack: Option<Attack>,
    /// Inputs that do not, and for which a fix must change nothing.
    pub benign: Option<Benign>,
    /// Functions whose calls are written down.
    #[serde(default)]
    pub watch: Vec<Watch>,
    /// Whether an input is what a file or stream holds, not the text that is handed over.
    #[serde(default)]
    pub content: bool,
    /// A file that it is shown on: the recipe fixes it, the attack works before, and no longer after.
    pub example: String,
}

/// Inputs that use a weakness. `{file}` in one stands for the path of a file that is there, `{marker}` for that of one
/// that is not.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// One that works is enough.
    pub values: Vec<String>,
    /// An input of the same kind that uses nothing, to compare with.
    pub control: Option<String>,
    /// What shows that it worked.
    pub seen: Sign,
}

/// What shows that an attack worked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sign {
    /// The command in the input ran and made the file `{marker}`.
    Marker,
    /// Statements met more rows than they did for the control.
    Rows,
    /// The input stands as it is in the text of a statement.
    Statement,
    /// The input stands as it is in a page or an answer.
    Markup,
    /// Two calls with the generator in the same state give the same.
    Repeated,
    /// A watched call had an argument with one of the values `is`, or with none of the values `unless`.
    Called {
        /// Its name, or its place from 0.
        argument: String,
        /// In the language's own notation.
        #[serde(default)]
        is: Vec<String>,
        /// The same; read where `is` is empty.
        #[serde(default)]
        unless: Vec<String>,
    },
}

/// Inputs that use no weakness.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benign {
    /// Each is tried. `{keys}` in one stands for a document with every key that the function may look for.
    pub values: Vec<String>,
    /// How results are compared.
    #[serde(default)]
    pub returns: Returns,
}

/// How two results are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// They have to be equal.
    #[default]
    Value,
    /// They have to be of one type: the value is another one each time.
    Kind,
}

/// A function whose calls are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Its full name.
    pub name: String,
    /// What the caller gets.
    pub answer: Given,
}

/// What the caller of a watched function gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// The function's own answer.
    Real,
    /// A stand-in; nothing is called.
    Fake,
}

impl Proof {
    /// What does not make sense, in words; `cases` are those of the recipe.
    pub(super) fn mistake(&self, cases: &[&str]) -> Option<String> {
        if let Some(unknown) = self.cases.iter().find(|case| !cases.contains(&case.as_str())) {
            return Some(format!("there is no case `{unknown}`"));
        }
        if self.attack.is_none() && self.benign.is_none() {
            return Some("give `attack` or `benign`".to_owned());
        }
        if self.benign.as_ref().is_some_and(|benign| benign.values.is_empty()) {
            return Some("`benign` has no values".to_owned());
        }
        let attack = self.attack.as_ref()?;
        let needs_control = attack.seen == Sign::Rows;
        let is_watched = !matches!(attack.seen, Sign::Called { .. }) || !self.watch.is_empty();
        match () {
            () if attack.values.is_empty() => Some("`attack` has no values".to_owned()),
            () if needs_control != attack.control.is_some() => Some("`control` goes with `seen: rows`".to_owned()),
            () if !is_watched => Some("`called` needs something to `watch`".to_owned()),
            () => None,
        }
    }
}

impl Recipe {
    /// The proof for one of its cases.
    pub(crate) fn proof(&self, case: &str) -> Option<&Proof> {
        self.proofs.iter().find(|proof| proof.cases.is_empty() || proof.cases.iter().any(|other| other == case))
    }

    /// All its proofs.
    pub fn proofs(&self) -> &[Proof] {
        &self.proofs
    }
}
