//! What the person has chosen; one field with a default each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::auto_apply::AutoApply;
use crate::language::Language;
use crate::money::Money;
use crate::tier::{ProjectTiers, Role, Tiers};

/// All settings. Unknown fields are an error, so that a slip of the pen is not silently ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Models behind an API, in order of preference.
    pub models: Vec<ModelSetting>,
    /// Models behind a program on this machine, such as Claude Code.
    pub cli_models: Vec<CliSetting>,
    /// Model files that Conclave’s own worker runs.
    pub local_models: Vec<LocalSetting>,
    /// The model of the client that is connected to Conclave’s MCP server.
    pub sampling: SamplingSetting,
    /// Names of models in the order in which they are tried; those that are not named follow in the order of the lists.
    pub preference: Vec<String>,
    /// Time for one answer over all models that are tried for it, in seconds, where nothing else sets a limit.
    pub answer_timeout_s: u64,
    /// The effort for findings by severity.
    pub tiers: Tiers,
    /// The effort where a project has it otherwise, by the project’s folder: absolute, links resolved. What is not said
    /// there is as in `tiers`.
    pub project_tiers: BTreeMap<String, ProjectTiers>,
    /// Which models sit for a role before all others, in order of preference.
    pub roles: BTreeMap<Role, Vec<RoleModel>>,
    /// What may be spent.
    pub budget: BudgetSetting,
    /// What an hour of a person costs in comparison, for totals.
    pub manual_cost: ManualCost,
    /// When a model counts as degraded or down.
    pub health: HealthSetting,
    /// Whether and how long answers are kept for an equal question.
    pub answer_cache: AnswerCache,
    /// A file with PEM certificates that are trusted beside those that ship with Conclave.
    pub tls_roots: Option<String>,
    /// What models are told of a project in the person’s words, by the project’s folder: absolute, links resolved.
    pub guidance: BTreeMap<String, String>,
    /// How projects are built and tested, by the project's folder: absolute, links resolved.
    pub commands: BTreeMap<String, ProjectCommands>,
    /// Time limit of one checking command, in seconds.
    pub check_timeout_s: u64,
    /// Largest source file that is read, in bytes.
    pub max_file_bytes: u64,
    /// A folder with Semgrep rules, for re-scans by Semgrep without a network.
    pub semgrep_rules: Option<String>,
    /// The proxy through which other machines are reached, for example `http://proxy.example:3128`. The environment’s
    /// proxy variables are never used.
    pub proxy: Option<String>,
    /// Who looks at what the policy samples.
    pub review: ReviewSetting,
    /// Whether questions and answers are kept.
    pub exchange_log: ExchangeLog,
    /// Where fixes may be applied without a person, once enough of them were right; nowhere unless it is said here.
    pub auto_apply: Vec<AutoApply>,
    /// Who reads all answers, explains and merges.
    pub deliberation: DeliberationSetting,
    /// Servers of the Model Context Protocol whose tools deliberation may use, by the person’s name for each.
    pub mcp_servers: BTreeMap<String, McpServer>,
    /// Clients, each with the projects that are theirs; what is learned of one is never used for another.
    pub clients: BTreeMap<String, ClientSetting>,
    /// What is learned from what people do with fixes.
    pub learning: LearningSetting,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            cli_models: Vec::new(),
            local_models: Vec::new(),
            sampling: SamplingSetting::default(),
            preference: Vec::new(),
            answer_timeout_s: 10,
            tiers: Tiers::default(),
            project_tiers: BTreeMap::new(),
            roles: BTreeMap::new(),
            budget: BudgetSetting::default(),
            manual_cost: ManualCost::default(),
            health: HealthSetting::default(),
            answer_cache: AnswerCache::default(),
            tls_roots: None,
            guidance: BTreeMap::new(),
            commands: BTreeMap::new(),
            check_timeout_s: 120,
            max_file_bytes: 1024 * 1024,
            semgrep_rules: None,
            proxy: None,
            review: ReviewSetting::default(),
            exchange_log: ExchangeLog::default(),
            auto_apply: Vec::new(),
            deliberation: DeliberationSetting::default(),
            mcp_servers: BTreeMap::new(),
            clients: BTreeMap::new(),
            learning: LearningSetting::default(),
        }
    }
}

/// Who reads all answers and all evidence of a run, explains, and may merge. Without a model Conclave does it by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliberationSetting {
    /// Whether a model is asked at all.
    pub on: bool,
    /// Names of models in order of preference; with none, the first of the preference.
    pub models: Vec<String>,
    /// Time for one deliberation, its tools included, in seconds.
    pub timeout_s: u64,
    /// Most uses of tools in one deliberation.
    pub most_calls: u32,
}

impl Default for DeliberationSetting {
    fn default() -> Self {
        Self { on: true, models: Vec::new(), timeout_s: 60, most_calls: 24 }
    }
}

/// A server of the Model Context Protocol: a program on this machine, or an address. Exactly one of the two is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct McpServer {
    /// The program, by name or path. It runs in the sandbox.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment beside a search path and a home; no secrets.
    pub env: BTreeMap<String, String>,
    /// The address of a server elsewhere.
    pub url: Option<String>,
    /// The variable of its environment that gets the key from the keychain; for an address, the key goes into its
    /// `Authorization` header.
    pub key: Option<String>,
    /// The one address that a program can reach, and the host for which its key is stored; with none it has no network.
    pub reaches: Option<String>,
    /// What of Conclave’s own it stands in for.
    pub serves: Option<ToolKind>,
    /// Time for one call, in milliseconds.
    pub timeout_ms: u64,
    /// Whether it is used at all.
    pub enabled: bool,
}

impl Default for McpServer {
    fn default() -> Self {
        Self {
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            url: None,
            key: None,
            reaches: None,
            serves: None,
            // A node or Python server on a busy machine takes this long to start.
            timeout_ms: 60_000,
            enabled: true,
        }
    }
}

/// What a tool is for in a deliberation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// Thinking step by step.
    Thinking,
    /// What is remembered of earlier findings.
    Memory,
    /// What is published about weaknesses.
    Intelligence,
}

/// One client of whoever uses Conclave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSetting {
    /// The folders of the projects that are theirs: absolute, links resolved. A project is in one client at most.
    pub projects: Vec<String>,
    /// Whether nothing is learned from their findings.
    pub excluded: bool,
}

/// What is learned from what people do with fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningSetting {
    /// Whether outcomes change start values, and accepted fixes become patterns.
    pub on: bool,
    /// Whether accepted fixes may be written out as a training set.
    pub may_export: bool,
}

impl Default for LearningSetting {
    fn default() -> Self {
        Self { on: true, may_export: false }
    }
}

/// A model that sits for a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleModel {
    /// Its name in the settings.
    pub model: String,
    /// The languages for which it does, as in `python`; an empty list means all.
    #[serde(default)]
    pub languages: Vec<Language>,
}

/// How a project is built and tested. It stands in the person's settings: nothing inside a project is ever run on its own
/// word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectCommands {
    /// Whether the commands that Conclave recognised may run, in the sandbox.
    pub agreed: bool,
    /// The build or type check instead of the recognised one, as program and arguments; an empty list runs none.
    pub build: Option<Vec<String>>,
    /// The tests instead of the recognised ones, as program and arguments; an empty list runs none.
    pub test: Option<Vec<String>>,
}

/// Who looks at what the policy samples. Without a model the person is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReviewSetting {
    /// Names of models in [`Settings::models`], in order of preference; the first that answers counts.
    pub models: Vec<String>,
    /// Time for one review over all models, in seconds.
    pub timeout_s: u64,
    /// The least confidence, in percent, with which a model’s *allow* counts.
    pub min_confidence: u8,
}

impl Default for ReviewSetting {
    fn default() -> Self {
        Self { models: Vec::new(), timeout_s: 10, min_confidence: 70 }
    }
}

/// Whether the questions to models and their answers are kept, with secrets taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeLog {
    /// Whether they are kept for projects that `projects` does not name.
    pub on: bool,
    /// Days after which they are removed.
    pub keep_days: u32,
    /// On or off by the project’s folder, so that a client’s code can be left out.
    pub projects: BTreeMap<String, bool>,
}

impl Default for ExchangeLog {
    fn default() -> Self {
        Self { on: false, keep_days: 30, projects: BTreeMap::new() }
    }
}

impl Settings {
    /// The client whose project lies at `root`, with its name.
    pub fn client_of(&self, root: &str) -> Option<(&str, &ClientSetting)> {
        let owns = |client: &ClientSetting| client.projects.iter().any(|project| project == root);
        self.clients.iter().find(|(_, client)| owns(client)).map(|(name, client)| (name.as_str(), client))
    }

    /// The effort by severity in the project in the folder `root`.
    pub fn tiers_of(&self, root: &str) -> Tiers {
        self.project_tiers.get(root).map_or_else(|| self.tiers.clone(), |own| own.over(&self.tiers))
    }

    /// Names of all models, asked or not, in the order of the lists; that of the sampling model last.
    pub fn names(&self) -> Vec<&str> {
        let apis = self.models.iter().map(|model| model.name.as_str());
        let clis = self.cli_models.iter().map(|model| model.name.as_str());
        let local = self.local_models.iter().map(|model| model.name.as_str());
        apis.chain(clis).chain(local).chain([SAMPLING]).collect()
    }

    /// Names of the models that may be asked for an answer that is used, in the order in which they are tried: first
    /// [`Settings::preference`], then the lists as they stand.
    pub fn order(&self) -> Vec<&str> {
        let apis = self.models.iter().map(|model| (model.name.as_str(), model.enabled && !model.trial));
        let clis = self.cli_models.iter().map(|model| (model.name.as_str(), model.enabled && !model.trial));
        let local = self.local_models.iter().map(|model| (model.name.as_str(), model.enabled && !model.trial));
        let sampling = [(SAMPLING, self.sampling.enabled && !self.sampling.trial)];
        let asked =
            apis.chain(clis).chain(local).chain(sampling).filter_map(|(name, is_asked)| is_asked.then_some(name));
        let mut order: Vec<&str> = asked.collect();
        let place = |name: &str| self.preference.iter().position(|wanted| wanted == name);
        order.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
        order
    }
}

/// What may be spent; what is not set is not limited. A model whose price is unknown is not asked under a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetSetting {
    /// For one call.
    pub per_call: Option<Money>,
    /// For one finding, over all its runs.
    pub per_finding: Option<Money>,
    /// For one run.
    pub per_run: Option<Money>,
    /// For one day, in the machine’s time zone.
    pub per_day: Option<Money>,
    /// For one project, ever.
    pub per_project: Option<Money>,
}

/// What fixing one finding by hand costs, by severity. The defaults are the seed’s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ManualCost {
    /// A critical finding.
    pub critical: Money,
    /// A high one.
    pub high: Money,
    /// A medium one.
    pub medium: Money,
}

impl Default for ManualCost {
    fn default() -> Self {
        Self {
            critical: Money::from_micros(200_000_000),
            high: Money::from_micros(100_000_000),
            medium: Money::from_micros(50_000_000),
        }
    }
}

/// When a model counts as degraded or down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthSetting {
    /// Degraded from so many times its own usual time on, in percent.
    pub slow_percent: u32,
    /// Degraded from so many failures in a hundred calls on.
    pub degraded_percent: u8,
    /// Down from so many failures in a hundred calls on.
    pub down_percent: u8,
}

impl Default for HealthSetting {
    fn default() -> Self {
        Self { slow_percent: 200, degraded_percent: 10, down_percent: 50 }
    }
}

/// Whether and how long answers are kept, in memory, for an equal question. Failures never are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerCache {
    /// Seconds; 0 keeps none.
    pub keep_s: u64,
    /// So many answers at most.
    pub most: u64,
}

impl Default for AnswerCache {
    fn default() -> Self {
        Self { keep_s: 300, most: 1000 }
    }
}

/// One model behind an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSetting {
    /// A name for people, for example `Local Qwen`.
    pub name: String,
    /// Where the API begins, for example `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model's name as the endpoint knows it.
    pub model: String,
    /// The environment variable that holds the key, if the endpoint wants one; read once at start.
    #[serde(default)]
    pub key_env: Option<String>,
    /// The person's word that source code may be sent to this host although it is not this machine.
    #[serde(default)]
    pub may_send_code: bool,
    /// How the API speaks; told by its host where it is left out, and by OpenAI's chat completions where the host is
    /// not known.
    #[serde(default)]
    pub dialect: Option<DialectName>,
    /// Headers that go with each request; never the key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What it costs, where the built-in list does not know it or is wrong.
    #[serde(default)]
    pub price: Option<PriceSetting>,
    /// Whether it is asked at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether it is only tried out: asked beside the others, logged, and never used.
    #[serde(default)]
    pub trial: bool,
    /// So many questions at a time.
    #[serde(default)]
    pub max_concurrent: Option<u32>,
}

impl ModelSetting {
    /// `model` at `base_url`, without a key and without leave for code.
    pub fn new(name: &str, base_url: &str, model: &str) -> Self {
        Self {
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            model: model.to_owned(),
            key_env: None,
            may_send_code: false,
            dialect: None,
            headers: BTreeMap::new(),
            price: None,
            enabled: true,
            trial: false,
            max_concurrent: None,
        }
    }
}

/// How an API speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialectName {
    /// Anthropic’s Messages.
    Anthropic,
    /// OpenAI’s chat completions, which everybody “compatible” speaks.
    OpenaiChat,
    /// OpenAI’s Responses.
    OpenaiResponses,
    /// Google’s Gemini.
    Gemini,
    /// Ollama’s own.
    Ollama,
}

/// What a model costs, in dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSetting {
    /// Tokens read.
    pub input: Money,
    /// Tokens written, reasoning included.
    pub output: Money,
    /// Tokens read from the server’s cache; as `input` where it is left out.
    #[serde(default)]
    pub cached: Option<Money>,
}

/// One model behind a program on this machine. The program gets no tools, no project and no configuration but this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CliSetting {
    /// A name for people and rules, for example `claude_cli`.
    pub name: String,
    /// Which program it is.
    #[serde(rename = "type")]
    pub kind: CliKind,
    /// The program, by name or path; the kind’s usual name where it is left out.
    #[serde(default)]
    pub command: Option<String>,
    /// Arguments of a `generic` program. `{model}`, `{system_file}` and `{schema_file}` stand for what they say; the
    /// question comes on standard input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The model, as the program knows it; the program’s own choice where it is left out.
    #[serde(default)]
    pub model: Option<String>,
    /// Put before the instructions of each question.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// The environment variable that holds the key; read once at start. Without one the keychain’s key of the host is
    /// used, and without that the program’s own login.
    #[serde(default)]
    pub key_env: Option<String>,
    /// Where the program is to send its questions, for example `https://api.anthropic.com`: the one place that it can
    /// reach. The kind’s usual place where it is left out.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Second tries after a failure, inside the time limit.
    #[serde(default = "two")]
    pub max_retries: u32,
    /// The pause before each, in milliseconds.
    #[serde(default = "second")]
    pub retry_delay_ms: u64,
    /// The person’s word that source code may be given to it.
    #[serde(default)]
    pub may_send_code: bool,
    /// Whether it is asked at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether it is only tried out: asked beside the others, logged, and never used.
    #[serde(default)]
    pub trial: bool,
    /// So many questions at a time.
    #[serde(default)]
    pub max_concurrent: Option<u32>,
}

/// A program that answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CliKind {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Any other, by its arguments.
    Generic,
}

/// One GGUF file, which Conclave’s worker `conclave-local` runs. It is never downloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalSetting {
    /// A name for people and rules.
    pub name: String,
    /// The file’s absolute path.
    pub file: String,
    /// The context in tokens; as much as the model has, up to 8192, where it is left out.
    #[serde(default)]
    pub context_tokens: Option<u32>,
    /// Threads; one less than there are cores, where it is left out.
    #[serde(default)]
    pub threads: Option<u32>,
    /// Whether it is asked at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether it is only tried out: asked beside the others, logged, and never used.
    #[serde(default)]
    pub trial: bool,
}

/// The model of a client that is connected to Conclave’s MCP server, by MCP sampling: an optional part of that protocol
/// that few clients offer and that is being withdrawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingSetting {
    /// Whether it is asked, where a client offers it.
    pub enabled: bool,
    /// The person’s word that source code may be given to it.
    pub may_send_code: bool,
    /// Whether it is only tried out: asked beside the others, logged, and never used.
    pub trial: bool,
}

/// What the sampling model is called in [`Settings::preference`] and in rules.
pub const SAMPLING: &str = "mcp_sampling";

/// What the person is called in rules; no model has this name.
pub const PERSON: &str = "person";

fn yes() -> bool {
    true
}

fn two() -> u32 {
    2
}

fn second() -> u64 {
    1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_comes_before_the_order_of_the_lists() {
        let text = r#"{
            "models": [
                { "name": "a", "base_url": "u", "model": "m" },
                { "name": "off", "base_url": "u", "model": "m", "enabled": false },
                { "name": "tried", "base_url": "u", "model": "m", "trial": true }
            ],
            "cli_models": [{ "name": "claude_cli", "type": "claude" }],
            "local_models": [{ "name": "file", "file": "/m.gguf" }],
            "sampling": { "enabled": true },
            "preference": ["mcp_sampling", "file", "off"]
        }"#;
        let settings: Settings = serde_json::from_str(text).expect("settings");
        assert_eq!(settings.order(), ["mcp_sampling", "file", "a", "claude_cli"]);
        assert!(Settings::default().order().is_empty());
    }

    #[test]
    fn what_was_written_is_read_again_and_a_slip_of_the_pen_is_not() {
        let text = r#"{ "models": [{ "name": "a", "base_url": "u", "model": "m", "price": { "input": 4, "output": "20.5" } }],
            "budget": { "per_day": 1.5 } }"#;
        let settings: Settings = serde_json::from_str(text).expect("settings");
        let again = serde_json::to_string(&settings).expect("text");
        assert_eq!(serde_json::from_str::<Settings>(&again).expect("settings"), settings);
        assert!(serde_json::from_str::<Settings>(r#"{ "budgets": {} }"#).is_err());
    }
}
