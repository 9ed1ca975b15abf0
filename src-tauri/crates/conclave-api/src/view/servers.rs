//! Models that could be named in the settings: those of servers on this machine, and those in files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{ApiDialect, CapabilitiesView, ModelClass, Number};

/// What was found on this machine.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct DiscoveredList {
    /// Servers that offer models.
    pub servers: Vec<ServerView>,
    /// Every place that was looked at, with what came of it.
    pub looked_at: Vec<LookView>,
    /// What to do where nothing was found.
    pub remedy: Option<String>,
}

/// A look at one place.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct LookView {
    /// Where.
    pub origin: String,
    /// What came of it, in words.
    pub found: String,
}

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ServerKind {
    /// Ollama.
    Ollama,
    /// LM Studio.
    LmStudio,
    /// The server of llama.cpp.
    LlamaCpp,
    /// Something else that lists models as OpenAI does.
    Other,
}

/// A server on this machine.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ServerView {
    /// What it is.
    pub kind: ServerKind,
    /// Where it is.
    pub origin: String,
    /// Where its API begins, for a setting.
    pub base_url: String,
    /// How it speaks, for a setting.
    pub dialect: ApiDialect,
    /// Its version, as it says.
    pub version: Option<String>,
    /// Whether it says no more without a key.
    pub wants_key: bool,
    /// The models that it offers and that answer questions.
    pub models: Vec<OfferedView>,
}

/// A model that a server offers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct OfferedView {
    /// Its name there.
    pub id: String,
    /// Where it runs.
    pub class: ModelClass,
    /// What it can do, as far as the server says.
    pub can: CapabilitiesView,
    /// The model of the settings that it is; `null` where it is none.
    pub setting: Option<String>,
}

/// Asks what a model file is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct InspectFile {
    /// Its absolute path; the person chose it.
    pub path: String,
    /// The context that its need of memory is estimated for, in tokens.
    #[serde(default)]
    pub context_tokens: Option<u32>,
}

/// What a model file says about itself, and what it needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct LocalFileView {
    /// Its name; `null` when it has none.
    pub name: Option<String>,
    /// The family of models, for example `qwen2`.
    pub architecture: String,
    /// Number of weights.
    #[specta(type = Number)]
    pub parameters: u64,
    /// How the weights are rounded, for example `Q4_K_M`.
    pub quantisation: String,
    /// Its licence as it gives it; `null` when it gives none.
    pub licence: Option<String>,
    /// Most tokens it was trained for.
    pub trained_context: u32,
    /// Whether it knows questions from answers; without, it cannot be asked.
    pub chat_template: bool,
    /// Size of the weights in bytes.
    #[specta(type = Number)]
    pub size_bytes: u64,
    /// The context that it will have, in tokens.
    pub context_tokens: u32,
    /// Memory that it will take with that context, in bytes, as estimated.
    #[specta(type = Number)]
    pub memory_bytes: u64,
}
