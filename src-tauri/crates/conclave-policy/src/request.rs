//! What somebody wants done: actor, action, resource, context.
//!
//! A request is what is judged, what is recorded and what is carried out; it holds no secret and no content, only
//! digests of contents.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::digest;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// The person at the keyboard, by a command of their own.
    Person,
    /// Conclave itself, on its straight line.
    Engine,
    /// One seat of the panel, by name.
    Analyst(String),
    /// The model that reviews sampled requests.
    Reviewer,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => f.write_str("person"),
            Self::Engine => f.write_str("engine"),
            Self::Analyst(name) => write!(f, "analyst:{name}"),
            Self::Reviewer => f.write_str("reviewer"),
        }
    }
}

/// A text that names no actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an actor; actors are `person`, `engine`, `analyst:<name>` and `reviewer`")]
pub struct UnknownActor(String);

impl FromStr for Actor {
    type Err = UnknownActor;

    fn from_str(text: &str) -> Result<Self, UnknownActor> {
        match text {
            "person" => Ok(Self::Person),
            "engine" => Ok(Self::Engine),
            "reviewer" => Ok(Self::Reviewer),
            _ => match text.strip_prefix("analyst:") {
                Some(name) if !name.is_empty() => Ok(Self::Analyst(name.to_owned())),
                _ => Err(UnknownActor(text.to_owned())),
            },
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = UnknownActor;

    fn try_from(text: String) -> Result<Self, UnknownActor> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Read one file that a person named.
    ReadFile,
    /// Read any file of a project.
    ReadProject,
    /// Be told when a project's files change.
    WatchProject,
    /// Copy a project to a scratch folder of our own.
    CopyToScratch,
    /// Run a program.
    RunCommand,
    /// Change files of a project.
    WriteProject,
    /// Write one file that a person named.
    WriteFile,
    /// Send a request over HTTP.
    SendHttp,
}

impl Action {
    /// The action's name in rules, ledger and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadFile => "read_file",
            Self::ReadProject => "read_project",
            Self::WatchProject => "watch_project",
            Self::CopyToScratch => "copy_to_scratch",
            Self::RunCommand => "run_command",
            Self::WriteProject => "write_project",
            Self::WriteFile => "write_file",
            Self::SendHttp => "send_http",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One effect that somebody wants, in the four terms a policy judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRequest {
    /// Who asks.
    pub actor: Actor,
    /// What is to be done.
    pub action: Action,
    /// What it is done to: a path, an address without its query, a program.
    pub resource: String,
    /// Everything else that was known when it was judged, for example `host`, `consent` or `digest`.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
}

impl ToolRequest {
    /// The one JSON text of this request: fixed field order, context keys sorted, no white space.
    pub fn canonical(&self) -> String {
        canonical_json(self)
    }

    /// The SHA-256 of the canonical form, in lower-case hexadecimal.
    pub fn digest(&self) -> String {
        digest(self.canonical().as_bytes())
    }
}

/// Writes a value of this crate's own types as compact JSON.
pub(crate) fn canonical_json<T: Serialize>(value: &T) -> String {
    // INVARIANT: these types hold only strings, integers, unit variants and maps with string keys, for which
    // `serde_json` has no error to report.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    serde_json::to_string(value).expect("strings and integers always serialise")
}
