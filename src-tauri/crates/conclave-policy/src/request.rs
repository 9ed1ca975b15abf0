//! What somebody wants done: actor, action, resource, context.
//!
//! A request is what is judged, what is recorded and what is carried out. What Conclave does itself holds no secret and
//! no content, only digests of contents; what an agent asks for holds the agent's own parameters, because they are what
//! is judged.

pub(crate) mod short;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::digest;
use crate::suggest::unknown;

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
    /// A program outside that asks before it acts, by name: `claude-code`, `codex`, `gemini`, an MCP client.
    Agent(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => f.write_str("person"),
            Self::Engine => f.write_str("engine"),
            Self::Analyst(name) => write!(f, "analyst:{name}"),
            Self::Reviewer => f.write_str("reviewer"),
            Self::Agent(name) => write!(f, "agent:{name}"),
        }
    }
}

/// A text that names no actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an actor; actors are `person`, `engine`, `analyst:<name>`, `agent:<name>` and `reviewer`")]
pub struct UnknownActor(String);

impl FromStr for Actor {
    type Err = UnknownActor;

    fn from_str(text: &str) -> Result<Self, UnknownActor> {
        match text {
            "person" => Ok(Self::Person),
            "engine" => Ok(Self::Engine),
            "reviewer" => Ok(Self::Reviewer),
            _ => match text.split_once(':') {
                Some(("analyst", name)) if !name.is_empty() => Ok(Self::Analyst(name.to_owned())),
                Some(("agent", name)) if !name.is_empty() => Ok(Self::Agent(name.to_owned())),
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
    /// Take a key out of the keychain, for the one request that needs it.
    ReadKey,
    /// Put a key into the keychain, or remove it.
    WriteKey,
    /// Use a tool of an agent's: what the call says is what is judged.
    CallTool,
}

/// Every action, in the order of their declaration.
pub(crate) const ACTIONS: [Action; 11] = [
    Action::ReadFile,
    Action::ReadProject,
    Action::WatchProject,
    Action::CopyToScratch,
    Action::RunCommand,
    Action::WriteProject,
    Action::WriteFile,
    Action::SendHttp,
    Action::ReadKey,
    Action::WriteKey,
    Action::CallTool,
];

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
            Self::ReadKey => "read_key",
            Self::WriteKey => "write_key",
            Self::CallTool => "call_tool",
        }
    }

    /// The action of this name, or what is wrong with it.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let known = ACTIONS.map(Self::as_str);
        ACTIONS.into_iter().find(|action| action.as_str() == name).ok_or_else(|| unknown("action", name, &known))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a file is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It is read, listed or watched.
    Read,
    /// It is written, created, moved or removed.
    Write,
}

/// A file or folder that an effect touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TouchedPath {
    /// As it was named.
    pub given: String,
    /// Absolute, with every symbolic link that exists resolved, so that it names what will be touched; `None` when that
    /// could not be found out, and then no rule can be sure of it.
    pub real: Option<String>,
    /// Read or written.
    pub access: Access,
}

/// A tool call in the words of whoever makes it, never cleaned or shortened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool's name; any text.
    pub tool: String,
    /// The MCP server that offers the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The client's session, as far as it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The folder in which the call is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// What is passed to the tool, as it came.
    pub parameters: serde_json::Value,
}

/// One effect that somebody wants, in the four terms a policy judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRequest {
    /// Who asks.
    pub actor: Actor,
    /// What is to be done.
    pub action: Action,
    /// What it is done to: a path, an address without its query, a program, a tool.
    pub resource: String,
    /// Everything else that was known when it was judged; [`keys`] names what rules know.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// The files and folders that are touched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<TouchedPath>,
    /// The call, where an agent's tool is to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<ToolCall>>,
}

/// The names in [`ToolRequest::context`] that conditions know.
pub mod keys {
    /// The folder of the project that the request is about: absolute, links resolved.
    pub const PROJECT: &str = "project";
    /// The other side's name or address, lower case.
    pub const HOST: &str = "host";
    /// The model that is asked.
    pub const MODEL: &str = "model";
    /// `local` when the model is known to run on this machine, else `hosted`.
    pub const MODEL_CLASS: &str = "model_class";
    /// What is sent, as words between spaces: `source`, `finding`, `secret`, `metadata`.
    pub const DATA: &str = "data";
    /// How many secrets were taken out before sending, as a number.
    pub const REDACTIONS: &str = "redactions";
    /// How many secrets are still in what is to be sent, as a number.
    pub const SECRETS: &str = "secrets";
    /// The tier of the run: `critical`, `high`, `medium`, `low`, `note`.
    pub const TIER: &str = "tier";
    /// What it may cost at most, in US dollars, as a decimal number.
    pub const COST: &str = "cost_usd";
    /// The names of environment variables that a program gets, as a JSON list of strings.
    pub const ENVIRONMENT: &str = "environment";
    /// `yes` when a program runs in the sandbox.
    pub const SANDBOX: &str = "sandbox";
    /// A program and its arguments, as a JSON list of strings.
    pub const ARGV: &str = "argv";
    /// What is wrong with a call that lacks what its tool needs, or has it in another form.
    pub const MALFORMED: &str = "malformed";
    /// A protected file that a call reaches without naming it, because it searches or copies the folder around it.
    pub const REACHES: &str = "reaches";
    /// A folder that is searched or copied and holds too many files to look at each.
    pub const UNBOUNDED: &str = "unbounded";
}

impl ToolRequest {
    /// A request about `resource` of which nothing else is known yet.
    pub fn new(actor: Actor, action: Action, resource: impl Into<String>) -> Self {
        Self { actor, action, resource: resource.into(), context: BTreeMap::new(), paths: Vec::new(), call: None }
    }

    /// The same request with one more thing known.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.insert(key.to_owned(), value.into());
        self
    }

    /// The same request, touching one more file or folder.
    #[must_use]
    pub fn touching(mut self, path: TouchedPath) -> Self {
        self.paths.push(path);
        self
    }

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
    // INVARIANT: these types hold only strings, numbers, JSON values and maps with string keys, for which
    // `serde_json` has no error to report.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    serde_json::to_string(value).expect("strings and numbers always serialise")
}
