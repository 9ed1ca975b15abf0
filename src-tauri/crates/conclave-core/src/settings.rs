//! What the person has chosen; one field with a default each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// All settings. Unknown fields are an error, so that a slip of the pen is not silently ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Models that may be asked, in order of preference.
    pub models: Vec<ModelSetting>,
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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            check_timeout_s: 120,
            max_file_bytes: 1024 * 1024,
            semgrep_rules: None,
            proxy: None,
            review: ReviewSetting::default(),
            exchange_log: ExchangeLog::default(),
        }
    }
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

/// One model behind an OpenAI-compatible endpoint.
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
}
