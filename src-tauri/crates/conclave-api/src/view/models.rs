//! The models of the settings: what each is, how it stands, and its setting for an editor.
//!
//! The settings cross as the settings file has them, field by field; a key is never among them.

use std::collections::BTreeMap;

use conclave_core::finding::Severity;
use conclave_core::money::Money;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{HealthThresholds, KeySource, ModelClass, ModelHealth, Number};

/// Every model of the settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ModelList {
    /// In the order in which they are tried; those that are off stand where they would be.
    pub models: Vec<ModelRow>,
    /// What the person should know about the settings, in sentences.
    pub notices: Vec<String>,
    /// The program that runs model files.
    pub worker: WorkerView,
    /// Whether every connection is refused.
    pub offline: bool,
    /// When a model counts as degraded or down.
    pub thresholds: HealthThresholds,
}

/// The program that runs model files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct WorkerView {
    /// Where it is; `null` where it is not installed.
    pub found: Option<String>,
    /// What to do where it is not.
    pub remedy: Option<String>,
}

/// The kinds of ways to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// An HTTP API.
    Api,
    /// A program on this machine.
    Cli,
    /// The client of Conclave's MCP server.
    McpSampling,
    /// A file that Conclave's worker runs.
    Local,
}

/// One model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ModelRow {
    /// Its name; unique.
    pub name: String,
    /// The kind of way.
    pub kind: ModelKind,
    /// The model as the other end knows it; empty where the other end chooses.
    pub model: String,
    /// Where it goes, for people: an address, a program, a file.
    pub place: String,
    /// The host as keys are stored for it; `null` where no key is wanted.
    pub host: Option<String>,
    /// Where it runs.
    pub class: ModelClass,
    /// Whether that has been found out; until then it counts as hosted.
    pub class_known: bool,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Whether it is only tried out: its answers are logged and never used.
    pub trial: bool,
    /// Its place among those whose answers are used, from 1; `null` for the others.
    pub position: Option<u32>,
    /// The person's word that source code may be given to it.
    pub may_send_code: bool,
    /// What it costs; `null` is unknown, never free.
    pub price: Option<PriceView>,
    /// What it can do, as far as that is known.
    pub can: CapabilitiesView,
    /// Where its key comes from.
    pub key: KeySource,
    /// Whether it is loaded and can be asked at once; `null` where there is nothing to load.
    pub loaded: Option<bool>,
    /// The severities whose findings it is asked about.
    pub tiers: Vec<Severity>,
    /// How many calls were made to it, ever.
    #[specta(type = Number)]
    pub calls: u64,
    /// What they cost, ever.
    pub spent: Money,
    /// What those since the first of the month cost.
    pub spent_this_month: Money,
    /// How it is, by its last look and its calls since Conclave started; `null` while nobody has looked.
    pub health: Option<ModelHealth>,
    /// What is to be said of it, loudly: that it retires, that it is gone, that nobody knows it.
    pub warnings: Vec<String>,
    /// Its setting, for an editor.
    pub setting: ModelSettingView,
}

/// What a model costs, in dollars for a million tokens.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PriceView {
    /// Tokens read.
    pub input: Money,
    /// Tokens written, reasoning included.
    pub output: Money,
    /// Tokens read from the server's cache.
    pub cached: Money,
    /// The day that it is known from, as `2026-11-01`; `null` where the person set it, or it is free.
    pub dated: Option<String>,
    /// What it is instead for long questions; `null` where their length does not matter.
    pub long: Option<LongPriceView>,
}

/// What a long question and its answer cost, every token of them, in dollars for a million tokens.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct LongPriceView {
    /// A question of more tokens than this is long.
    pub above_tokens: u32,
    /// Tokens read.
    pub input: Money,
    /// Tokens written, reasoning included.
    pub output: Money,
    /// Tokens read from the server's cache.
    pub cached: Money,
}

/// What a model can do; `null` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
pub struct CapabilitiesView {
    /// It can be held to a JSON Schema.
    pub schema: Option<bool>,
    /// It says how sure it was of each token.
    pub log_probabilities: Option<bool>,
    /// It counts the tokens it used.
    pub usage: Option<bool>,
    /// Tokens of question and answer together.
    pub context_tokens: Option<u32>,
}

/// A model's setting, as the settings file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(tag = "kind", content = "setting", rename_all = "snake_case")]
pub enum ModelSettingView {
    /// Behind an API.
    Api(ApiModel),
    /// Behind a program on this machine.
    Cli(CliModel),
    /// The model of the client that is connected to Conclave's MCP server.
    McpSampling(SamplingModel),
    /// A file that Conclave's worker runs.
    Local(LocalModel),
}

/// A model behind an API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ApiModel {
    /// A name for people and rules; unique.
    pub name: String,
    /// Where the API begins, for example `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model's name as the endpoint knows it.
    pub model: String,
    /// The environment variable that holds the key; `null` for the keychain's.
    pub key_env: Option<String>,
    /// The person's word that source code may be sent there although it is not this machine.
    pub may_send_code: bool,
    /// How the API speaks; `null` is told by its host.
    pub dialect: Option<ApiDialect>,
    /// Headers that go with each request; never the key.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What it costs, where the built-in list does not know it or is wrong.
    pub price: Option<ModelPrice>,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Whether it is only tried out.
    pub trial: bool,
    /// So many questions at a time.
    pub max_concurrent: Option<u32>,
}

/// How an API speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ApiDialect {
    /// Anthropic's Messages.
    Anthropic,
    /// OpenAI's chat completions, which everybody "compatible" speaks.
    OpenaiChat,
    /// OpenAI's Responses.
    OpenaiResponses,
    /// Google's Gemini.
    Gemini,
    /// Ollama's own.
    Ollama,
}

/// A price that the person sets, in dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ModelPrice {
    /// Tokens read.
    pub input: Money,
    /// Tokens written, reasoning included.
    pub output: Money,
    /// Tokens read from the server's cache; as `input` where it is left out.
    pub cached: Option<Money>,
}

/// A model behind a program on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct CliModel {
    /// A name for people and rules; unique.
    pub name: String,
    /// Which program it is.
    #[serde(rename = "type")]
    pub program: CliProgram,
    /// The program, by name or path; the usual name where it is left out.
    pub command: Option<String>,
    /// Arguments of a `generic` program. `{model}`, `{system_file}` and `{schema_file}` stand for what they say.
    #[serde(default)]
    pub args: Vec<String>,
    /// The model, as the program knows it; the program's own choice where it is left out.
    pub model: Option<String>,
    /// Put before the instructions of each question.
    pub system_prompt: Option<String>,
    /// The environment variable that holds the key.
    pub key_env: Option<String>,
    /// The one place that it can reach; the usual one where it is left out.
    pub base_url: Option<String>,
    /// Second tries after a failure, inside the time limit.
    pub max_retries: u32,
    /// The pause before each, in milliseconds.
    #[specta(type = Number)]
    pub retry_delay_ms: u64,
    /// The person's word that source code may be given to it.
    pub may_send_code: bool,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Whether it is only tried out.
    pub trial: bool,
    /// So many questions at a time.
    pub max_concurrent: Option<u32>,
}

/// A program that answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum CliProgram {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Any other, by its arguments.
    Generic,
}

/// A GGUF file on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct LocalModel {
    /// A name for people and rules; unique.
    pub name: String,
    /// The file's absolute path.
    pub file: String,
    /// The context in tokens; as much as the model has, up to 8192, where it is left out.
    pub context_tokens: Option<u32>,
    /// Threads; one less than there are cores, where it is left out.
    pub threads: Option<u32>,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Whether it is only tried out.
    pub trial: bool,
}

/// The model of the client that is connected to Conclave's MCP server; its name is `mcp_sampling`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct SamplingModel {
    /// Whether it is asked, where a client offers it.
    pub enabled: bool,
    /// The person's word that source code may be given to it.
    pub may_send_code: bool,
    /// Whether it is only tried out.
    pub trial: bool,
}

/// Names one model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct NamedModel {
    /// Its name in the settings.
    pub model: String,
}

/// Adds a model to the settings, or changes one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct SaveModel {
    /// The whole setting.
    pub model: ModelSettingView,
    /// The name of the model that it takes the place of; `null` adds one.
    pub replaces: Option<String>,
}

/// A model that is in the settings now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ModelSaved {
    /// Its name.
    pub model: String,
}

/// A model that holds no memory of this process any more, and is loaded again when it is asked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ModelStopped {
    /// Its name.
    pub model: String,
}

/// A model that is no longer in the settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ModelRemoved {
    /// Its name.
    pub model: String,
    /// The settings that named it, and do no longer.
    pub also: Vec<String>,
}

/// Says in which order models are tried.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct OrderModels {
    /// Their names; those that are not named follow as they stand.
    pub models: Vec<String>,
}
