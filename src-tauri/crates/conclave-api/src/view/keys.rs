//! Which hosts have a key. A key itself comes in once and never goes out.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// The keychain, and every host that has a key or could use one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KeyList {
    /// The operating system's keychain.
    pub keychain: KeychainView,
    /// By name.
    pub hosts: Vec<KeyHost>,
}

/// The state of the keychain.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KeychainView {
    /// Whether it can be used.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do where it cannot.
    pub remedy: Option<String>,
}

/// One host.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KeyHost {
    /// The host, with its port where it is not the usual one.
    pub host: String,
    /// The models of the settings that are asked there, by name.
    pub models: Vec<String>,
    /// Where its key comes from.
    pub source: KeySource,
    /// When the key was put into the keychain.
    #[specta(type = Option<Number>)]
    pub set_at: Option<i64>,
}

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum KeySource {
    /// From the keychain.
    Keychain,
    /// From an environment variable that the settings name.
    Environment {
        /// The variable.
        variable: String,
        /// Whether it was set when Conclave started.
        set: bool,
    },
    /// There is none.
    None,
}

/// Puts a key into the keychain, in the place of the one before.
#[derive(Clone, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct SetKey {
    /// The host that the key is for; it is sent nowhere else.
    pub host: String,
    /// The key.
    pub key: String,
}

impl fmt::Debug for SetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetKey").field("host", &self.host).finish_non_exhaustive()
    }
}

/// A key that was put into the keychain.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KeySaved {
    /// The host.
    pub host: String,
    /// When.
    #[specta(type = Number)]
    pub set_at: i64,
}

/// Removes a key from the keychain.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct EraseKey {
    /// The host.
    pub host: String,
}

/// A key that is gone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KeyErased {
    /// The host.
    pub host: String,
    /// Whether there was one.
    pub had_key: bool,
}
