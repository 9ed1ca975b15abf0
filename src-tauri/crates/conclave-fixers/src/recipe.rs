//! A recipe in the form that runs.
//!
//! Deliberately absent: how it is written (`file`) and what can be wrong with that (`load`).

pub(crate) mod file;
pub(crate) mod load;
pub(crate) mod proof;

use std::collections::BTreeMap;

use conclave_core::candidate::FixClass;
use conclave_core::finding::{Detection, Severity};
use conclave_core::language::Language;
use globset::GlobSet;
use regex::Regex;

use crate::imports::Import;
use crate::native::Native;
use crate::syntax::MatchFile;
use crate::template::Template;
use file::{ArgumentFile, Place};
use proof::Proof;

/// One weakness, how to find it, and how to take it out.
pub struct Recipe {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) message: String,
    pub(crate) rationale: String,
    pub(crate) languages: Vec<Language>,
    pub(crate) cwe: Vec<u32>,
    pub(crate) rules: GlobSet,
    pub(crate) severity: Severity,
    pub(crate) needs: Vec<String>,
    pub(crate) and_needs: Vec<String>,
    pub(crate) edge_cases: Vec<String>,
    pub(crate) successors: Vec<String>,
    pub(crate) cases: Vec<Case>,
    pub(crate) proofs: Vec<Proof>,
}

impl Recipe {
    /// The id, which is also the rule id of what our own detectors report.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the fix does, in one line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Why the fix removes the weakness.
    pub fn rationale(&self) -> &str {
        &self.rationale
    }

    /// The languages it reads.
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// The CWE numbers, the weakness itself first.
    pub fn cwe(&self) -> &[u32] {
        &self.cwe
    }

    /// How severe what it finds is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The class of its most cautious fix; `None` when it only reports.
    pub fn class(&self) -> Option<FixClass> {
        let classes = self.cases.iter().filter_map(|case| match case.action {
            Action::Fix { class, .. } => Some(class),
            Action::Advise { .. } => None,
        });
        classes.max()
    }

    /// Whether the text holds the words without which no case can match.
    pub(crate) fn concerns(&self, text: &str) -> bool {
        let holds_one = |words: &[String]| words.iter().any(|word| text.contains(word.as_str()));
        holds_one(&self.needs) && (self.and_needs.is_empty() || holds_one(&self.and_needs))
    }

    /// Whether it may take this finding, going by the rule and the weakness alone.
    pub(crate) fn takes(&self, detection: &Detection) -> bool {
        if detection.tool.is_own() {
            return detection.rule.id == self.id;
        }
        self.rules.is_match(&detection.rule.id) || detection.rule.cwe.iter().any(|cwe| self.cwe.contains(cwe))
    }
}

/// One form of the weakness.
pub(crate) struct Case {
    pub id: String,
    /// What the fix of this form is called, where that is not what the recipe says.
    pub words: Option<Words>,
    pub rule: MatchFile,
    pub bind: BTreeMap<String, ArgumentFile>,
    pub guards: Vec<Guard>,
    pub report: bool,
    pub action: Action,
}

/// What a person reads about a fix.
pub(crate) struct Words {
    pub title: String,
    pub rationale: String,
    pub edge_cases: Vec<String>,
}

/// What a case does about a match.
pub(crate) enum Action {
    /// Reports it and says why there is no fix.
    Advise { reason: String },
    /// Rewrites it.
    Fix { class: FixClass, imports: Vec<Import>, steps: Vec<Step> },
}

/// A condition on a match.
pub(crate) enum Guard {
    Not(Box<Guard>),
    Resolves { var: String, to: Vec<String> },
    Keyword { name: String, value: Option<Regex> },
    MadeBy { var: String, by: Vec<String> },
    DeclaredType { var: String, to: Vec<String> },
    Literal { var: String, matches: Regex },
    Text { var: String, values: bool },
    Sql { var: String },
    Given { var: String, matches: Regex },
    Source { var: String, matches: Regex },
    Mentions { place: Place, words: Vec<String> },
    Around(Regex),
    File(Regex),
}

/// One change of the source.
pub(crate) enum Step {
    /// Puts text in the place of a metavariable, or of the whole match.
    Replace {
        at: Option<String>,
        with: Template,
    },
    SetKeyword {
        name: String,
        to: Template,
    },
    InsertAfter(Template),
    RemoveStatement,
    /// A rewrite that needs code.
    Native(Native),
}
