//! Settings that a configuration of another program brings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Asks what a configuration would make of the settings; nothing is written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct CheckConfig {
    /// Its text: YAML, with a block `inference` or `ai_sampling`.
    pub config: String,
}

/// Asks the same of a configuration in a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct CheckConfigFile {
    /// Its path; the person chose it.
    pub path: String,
}

/// What a configuration in a file would make of the settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ConfigFileCheck {
    /// Its text, to be given when it is imported; `null` where it cannot be used.
    pub config: Option<String>,
    /// What it would make of them.
    pub check: ConfigCheck,
}

/// What a configuration would make of the settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ConfigCheck {
    /// Everything that keeps it from being used; then the rest is empty.
    pub faults: Vec<ConfigRemark>,
    /// What the person should know, in the order of its lines.
    pub notes: Vec<ConfigRemark>,
    /// The settings that would be different.
    pub changes: Vec<ConfigChange>,
    /// The settings file.
    pub path: Option<String>,
    /// The digest of its text, to be given when the configuration is imported; `null` when there is no file.
    pub digest: Option<String>,
    /// What its text would be.
    pub settings: Option<String>,
}

/// Something about a place in a configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ConfigRemark {
    /// The line, from 1; `null` where it is about the whole file.
    pub line: Option<u32>,
    /// In words.
    pub text: String,
    /// Whether the person should do something about it.
    pub loud: bool,
}

/// One setting that would be, or is, different.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ConfigChange {
    /// Which, for example `answer_timeout_s` or `models: claude`.
    pub setting: String,
    /// What it was, as JSON; `null` where there was no such entry.
    pub before: Option<String>,
    /// What it is then, as JSON.
    pub after: String,
}

/// Puts what a configuration says into the settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ImportConfig {
    /// Its text.
    pub config: String,
    /// The digest of the settings file that was seen; when the file has another by now, nothing is written. `null` when
    /// there was no file.
    pub expected_digest: Option<String>,
}

/// A configuration that was put into the settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ConfigImported {
    /// The settings file.
    pub path: String,
    /// What is different in it; empty when it said all of it already, and was not written.
    pub changes: Vec<ConfigChange>,
    /// What the person should know.
    pub notes: Vec<ConfigRemark>,
    /// Where the text from before is; `null` where there was no file.
    pub backup: Option<String>,
}
