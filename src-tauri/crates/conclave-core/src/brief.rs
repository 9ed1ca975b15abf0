//! What an analyst sees of a finding.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::finding::{Finding, Region};
use crate::language::Language;
use crate::path::RelPath;

/// A finding with the code around it, as it was when the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// The finding, its region moved to where the reported lines stand now.
    pub finding: Finding,
    /// The region as the scanner reported it; its other regions count in the same text.
    pub reported: Option<Region>,
    /// The reported file; `None` where it cannot be used.
    pub file: Option<BriefFile>,
    /// Why there is no file, in words.
    pub unusable: Option<String>,
    /// What belongs to it from elsewhere, the most useful first: where room is short, the last are left out.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// What the person wants analysts to know of this project; their own words.
    #[serde(default)]
    pub guidance: Option<String>,
}

/// A piece of text beside the reported code, with where it is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// The file that it is from; `None` where it is from none.
    pub path: Option<RelPath>,
    /// The number of its first line in that file, from 1.
    pub first_line: Option<u32>,
    /// The text itself; untrusted unless its kind says otherwise.
    pub text: String,
}

/// What a piece of text is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PartKind {
    /// What the reported file imports.
    Imports,
    /// One step of the scanner’s data flow.
    Flow {
        /// Its number, from 1.
        step: usize,
        /// The scanner’s words on it.
        message: Option<String>,
    },
    /// A function that the reported one calls.
    Callee {
        /// Its name.
        name: String,
    },
    /// A function that calls the reported one.
    Caller {
        /// Its name.
        name: String,
    },
    /// Libraries and versions that the project’s manifests name and the file uses.
    Libraries,
    /// What the scanner’s rule says of itself.
    Help,
    /// What is known of the kind of weakness; Conclave’s own words.
    Weakness,
    /// An earlier answer of the same model, and what became of it.
    Earlier,
    /// The answer of the model before it, where they are asked one after another.
    Before,
    /// Something that is remembered of earlier findings of the same client.
    Remembered {
        /// Under which id.
        id: String,
    },
}

impl Part {
    /// What it is and where it is from, in one line.
    pub fn label(&self) -> String {
        let place = match (&self.path, self.first_line) {
            (Some(path), Some(line)) => format!(" (`{path}` from line {line})"),
            (Some(path), None) => format!(" (`{path}`)"),
            (None, _) => String::new(),
        };
        match &self.kind {
            PartKind::Imports => format!("imports{place}"),
            PartKind::Flow { step, message: Some(message) } => {
                format!("step {step} of the data flow, the scanner says: {}{place}", one_line(message))
            }
            PartKind::Flow { step, message: None } => format!("step {step} of the data flow{place}"),
            PartKind::Callee { name } => format!("`{name}`, which the reported code calls{place}"),
            PartKind::Caller { name } => format!("`{name}`, which calls the reported code{place}"),
            PartKind::Libraries => format!("libraries that the project names{place}"),
            PartKind::Help => "what the scanner says of its rule".to_owned(),
            PartKind::Weakness => "what is known of this kind of weakness".to_owned(),
            PartKind::Earlier => "your earlier answer, and what became of it".to_owned(),
            PartKind::Before => {
                "the answer of the analyst before you, as a change of the reported code; improve on it where you can, and \
                 answer with edits of the reported code itself"
                    .to_owned()
            }
            PartKind::Remembered { id } => format!("remembered of an earlier finding as `{id}`"),
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The reported file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BriefFile {
    /// Where it is.
    pub path: RelPath,
    /// The digest of its bytes: every later stage works on these or not at all.
    pub digest: Digest,
    /// Its language; `None` where Conclave has no parser.
    pub language: Option<Language>,
    /// The name of the function, where the excerpt is the whole of one.
    #[serde(default)]
    pub function: Option<String>,
    /// The number of the first line of `excerpt`, from 1.
    pub first_line: u32,
    /// The enclosing function, or some lines around the place.
    pub excerpt: String,
}
