//! Source languages, by file extension.

use serde::{Deserialize, Serialize};

use crate::path::RelPath;

/// A language that Conclave can parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Python 3.
    Python,
    /// JavaScript, JSX included.
    JavaScript,
    /// TypeScript without JSX.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Java.
    Java,
}

impl Language {
    /// The language of a file, by its extension; `None` where Conclave has no parser.
    pub fn of_path(path: &RelPath) -> Option<Self> {
        Self::of_name(path.as_str())
    }

    /// The same for a name that need not be a path of a project.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "py" | "pyi" | "pyw" => Some(Self::Python),
            "js" | "mjs" | "cjs" | "jsx" => Some(Self::JavaScript),
            "ts" | "mts" | "cts" => Some(Self::TypeScript),
            "tsx" => Some(Self::Tsx),
            "java" => Some(Self::Java),
            _ => None,
        }
    }

    /// The language's name as people write it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Tsx => "TypeScript (JSX)",
            Self::Java => "Java",
        }
    }
}
