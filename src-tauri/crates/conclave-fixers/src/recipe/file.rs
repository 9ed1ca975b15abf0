//! A recipe as written in its file; every unknown key is an error.
//!
//! Deliberately absent: checks of what the parts mean together; they are in `load`.

use std::collections::BTreeMap;

use conclave_core::candidate::FixClass;
use conclave_core::finding::Severity;
use conclave_core::language::Language;
use serde::Deserialize;

use super::proof::Proof;
use crate::syntax::MatchFile;

/// One file under `recipes/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecipeFile {
    /// Unique; begins with the family's short name.
    pub id: String,
    /// What the fix does, as an order: "Bind values instead of building the statement".
    pub title: String,
    /// What is wrong, for a finding of our own.
    pub message: String,
    /// Why the fix removes the weakness.
    pub rationale: String,
    pub languages: Vec<Language>,
    pub answers: AnswersFile,
    pub severity: Severity,
    /// A file that holds none of these words is not parsed for this recipe.
    pub needs: Vec<String>,
    /// Nor one that holds none of these, where given.
    #[serde(default)]
    pub and_needs: Vec<String>,
    /// What changes for inputs that were no attack.
    #[serde(default)]
    pub edge_cases: Vec<String>,
    /// Weaker rules that a re-scan may report in its place.
    #[serde(default)]
    pub successors: Vec<String>,
    pub cases: Vec<CaseFile>,
    /// How the weakness can be shown at work; the first that is for the matched case counts.
    #[serde(default)]
    pub proofs: Vec<Proof>,
    /// Read by the test that walks all recipes; not kept in the running program.
    pub tests: Vec<TestFile>,
}

/// Which findings of other tools the recipe may take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswersFile {
    /// The weakness first, then further numbers that tools use for it.
    pub cwe: Vec<u32>,
    /// Globs over rule ids.
    #[serde(default)]
    pub rules: Vec<String>,
}

/// One form of the weakness; the first that matches a node wins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    pub id: String,
    #[serde(rename = "match")]
    pub rule: MatchFile,
    /// Metavariables that hold an argument of the matched call.
    #[serde(default)]
    pub bind: BTreeMap<String, ArgumentFile>,
    #[serde(default, rename = "where")]
    pub guards: Vec<GuardFile>,
    /// What this form's fix does, where that is not what the recipe says; then with its own edge cases.
    pub title: Option<String>,
    /// Why, where that is not what the recipe says.
    pub rationale: Option<String>,
    /// How behaviour changes; read only beside a title of its own.
    #[serde(default)]
    pub edge_cases: Vec<String>,
    /// How much a person has to look; absent for a case that only reports.
    pub safety: Option<FixClass>,
    /// Why there is no fix, for a case without one.
    pub reason: Option<String>,
    /// Whether our own detectors report it; `false` leaves it to findings of other tools.
    #[serde(default = "yes")]
    pub report: bool,
    #[serde(default)]
    pub imports: Vec<String>,
    #[serde(default)]
    pub edits: Vec<EditFile>,
}

fn yes() -> bool {
    true
}

/// An argument of a call, by place, by name, or either.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArgumentFile {
    pub position: Option<usize>,
    pub keyword: Option<String>,
}

/// A condition that a rule object cannot say.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum GuardFile {
    Not(Box<GuardFile>),
    /// The expression or type means one of these full names.
    Resolves {
        var: String,
        to: Vec<String>,
    },
    /// The call has an argument of this name, and its source matches.
    Keyword {
        name: String,
        value: Option<String>,
    },
    /// The variable holds the result of one of these functions.
    MadeBy {
        var: String,
        by: Vec<String>,
    },
    /// The variable is declared with one of these types.
    DeclaredType {
        var: String,
        to: Vec<String>,
    },
    /// The expression is a text without values, and the text matches.
    Literal {
        var: String,
        matches: String,
    },
    /// The expression builds a text, with values in it or without.
    Text {
        var: String,
        values: bool,
    },
    /// The expression is a SQL statement with values in it.
    Sql {
        var: String,
    },
    /// Something that the file assigns to the variable has source that matches.
    Given {
        var: String,
        matches: String,
    },
    /// The source of the node matches.
    Source {
        var: String,
        matches: String,
    },
    /// The words around it name one of these.
    Mentions {
        #[serde(rename = "in")]
        place: Place,
        words: Vec<String>,
    },
    /// The source of the function around it matches; outside of functions, that of its lines.
    Around(String),
    /// The text of the file matches.
    File(String),
}

/// Where `mentions` looks.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// The name that receives the value: variable, property, argument, or the function that returns it.
    Target,
    /// The key of the dictionary entry that it is the value of.
    Entry,
    /// The name of the function around it.
    FunctionName,
    /// The function around it; outside of functions, its lines.
    Function,
}

/// One change of the source; which keys stand together is checked by `load`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditFile {
    /// The metavariable to replace; the whole match when absent.
    pub at: Option<String>,
    pub with: Option<String>,
    pub set_keyword: Option<String>,
    pub to: Option<String>,
    pub insert_after_statement: Option<String>,
    pub remove_statement: Option<bool>,
    /// A rewrite that needs code, by name.
    pub call: Option<String>,
    #[serde(default)]
    pub args: BTreeMap<String, String>,
}

/// One worked example.
#[cfg_attr(not(test), allow(dead_code, reason = "a running program only checks that examples are well formed"))]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestFile {
    pub name: String,
    pub before: String,
    pub after: Option<String>,
    /// Absent with `after`.
    pub expect: Option<Expectation>,
    /// A part of the reason, for `refused`.
    pub reason: Option<String>,
    /// The class of the fix, where it is not that of the case.
    pub class: Option<FixClass>,
    /// The first of the recipe's languages when absent.
    pub language: Option<Language>,
    /// The database driver that the project's manifests name.
    pub driver: Option<String>,
}

/// What a test without `after` expects.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expectation {
    /// Nothing to report.
    Clean,
    /// Reported, and no fix, with a reason.
    Refused,
}
