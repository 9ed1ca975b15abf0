//! How a project is built and tested, and whether that may happen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Asks how a project is built and tested.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct GetCommands {
    /// The project's folder.
    pub root: String,
}

/// Says how a project is built and tested, or whether that may happen; what is `null` stays as it is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct SaveCommands {
    /// The project's folder.
    pub root: String,
    /// Whether its build and its tests may run, in the sandbox.
    pub agreed: Option<bool>,
    /// The build.
    pub build: Option<CommandChoice>,
    /// The tests.
    pub test: Option<CommandChoice>,
}

/// Which command is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CommandChoice {
    /// The one that Conclave recognises.
    Recognised,
    /// None.
    Nothing,
    /// This one.
    Own {
        /// The program and its arguments on one line, as a shell splits it; no shell sees it.
        line: String,
    },
}

/// How a project is built and tested, and whether that may happen.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct CommandsView {
    /// The project's folder.
    pub root: String,
    /// Whether its build and its tests may run.
    pub agreed: bool,
    /// The build.
    pub build: CommandChoice,
    /// The tests.
    pub test: CommandChoice,
    /// The runners that are recognised, by name.
    pub recognised: Vec<RunnerView>,
    /// Why nothing can run on this machine, where it cannot.
    pub sandbox: Option<String>,
}

/// A runner that a project has.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct RunnerView {
    /// Its name.
    pub name: String,
    /// The folder that it is started in, empty for the project's own.
    pub folder: String,
    /// How a person would start it.
    pub line: String,
    /// How Conclave starts it, for a report; `null` where it cannot.
    pub command: Option<String>,
    /// Why it cannot.
    pub trouble: Option<String>,
}
