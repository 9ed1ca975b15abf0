//! The servers of tools that deliberation may use: how they stand, and what a person does with them.

use std::collections::BTreeMap;

use conclave_core::settings::ToolKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// The servers of the settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ToolServerList {
    /// By name.
    pub servers: Vec<ToolServerView>,
}

/// One server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ToolServerView {
    /// The person's name for it.
    pub name: String,
    /// The program; `null` for an address.
    pub command: Option<String>,
    /// The program's arguments.
    pub args: Vec<String>,
    /// The program's environment; no secrets.
    pub env: BTreeMap<String, String>,
    /// The address; `null` for a program.
    pub url: Option<String>,
    /// The variable or header that gets its key; `null` where it wants none.
    pub key: Option<String>,
    /// Whether the keychain has a key for it.
    pub has_key: bool,
    /// The one address that the program can reach; with none it has no network.
    pub reaches: Option<String>,
    /// What of Conclave's own it stands in for.
    pub serves: Option<ToolKind>,
    /// Time for one call, in milliseconds.
    pub timeout_ms: u32,
    /// Whether it is used at all.
    pub enabled: bool,
    /// Whether it can be used.
    pub standing: ToolServerStanding,
    /// Its own name and version, as it said last; empty where it was never seen.
    pub called: String,
    /// What it wants models to be told, as it said last; they are not.
    pub instructions: String,
    /// Its tools, as it said last.
    pub tools: Vec<ToolOfServer>,
    /// What differs from what was approved, in sentences.
    pub differences: Vec<String>,
    /// What tells what was seen last from all else; an approval repeats it.
    pub digest: Option<String>,
    /// When that was seen.
    #[specta(type = Option<Number>)]
    pub seen_at: Option<i64>,
    /// When it was approved.
    #[specta(type = Option<Number>)]
    pub approved_at: Option<i64>,
    /// Why it cannot be used as the settings have it, and what to do.
    pub warning: Option<String>,
}

/// Whether a server can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ToolServerStanding {
    /// It is turned off.
    Off,
    /// It was never looked at.
    Unseen,
    /// It was seen and waits for approval.
    NotApproved,
    /// It is what was approved.
    Approved,
    /// It changed and is blocked until it is approved anew.
    Changed,
}

/// One tool of a server, in the server's words.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ToolOfServer {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether the server says that it changes nothing.
    pub read_only: bool,
}

/// Adds a server to the settings, or changes the one that is called so.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct AddToolServer {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// The program, by name or path.
    #[serde(default)]
    pub command: Option<String>,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Its environment; no secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The address, in place of a program.
    #[serde(default)]
    pub url: Option<String>,
    /// The variable that gets its key; for an address, anything.
    #[serde(default)]
    pub key: Option<String>,
    /// The one address that the program can reach.
    #[serde(default)]
    pub reaches: Option<String>,
    /// What of Conclave's own it stands in for.
    #[serde(default)]
    pub serves: Option<ToolKind>,
    /// Time for one call, in milliseconds; a minute where it is left out.
    #[serde(default)]
    pub timeout_ms: Option<u32>,
    /// Whether it is used at all; yes where it is left out.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// Adds the servers of another client's configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ImportToolServers {
    /// The configuration's text.
    pub config: String,
    /// Whether nothing is added, only said what would be.
    #[serde(default)]
    pub dry_run: bool,
}

/// What an import gave.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ToolServersImported {
    /// The servers of the configuration, in its order.
    pub servers: Vec<ImportedToolServer>,
    /// Whether nothing was added.
    pub dry_run: bool,
}

/// One server of a configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ImportedToolServer {
    /// Its name here.
    pub name: String,
    /// Whether it was added, or would be.
    pub added: bool,
    /// What was changed, left out or cannot be, in sentences.
    pub remarks: Vec<String>,
}

/// Names a server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct NamedToolServer {
    /// Its name.
    pub name: String,
}

/// Lets a server be used as it was seen last.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ApproveToolServer {
    /// Its name.
    pub name: String,
    /// The `digest` of what the person has seen.
    pub digest: String,
}

/// What looking at a server gave.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ToolServerChecked {
    /// How it stands now.
    pub server: ToolServerView,
    /// Why it could not be seen.
    pub failed: Option<String>,
    /// What it asked of Conclave and was refused.
    pub refused: Vec<String>,
}

/// A server that is gone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ToolServerRemoved {
    /// Its name.
    pub name: String,
}
