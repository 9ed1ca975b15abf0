//! What the person has chosen; one field with a default each.

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
}

impl Default for Settings {
    fn default() -> Self {
        Self { models: Vec::new(), check_timeout_s: 120, max_file_bytes: 1024 * 1024, semgrep_rules: None }
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
