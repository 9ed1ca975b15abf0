//! What is asked, and whom.

use std::fmt;

use conclave_core::settings::ModelSetting;
use conclave_effects::secret::Secret;

/// One question. Its words are the engine's; this crate only carries them.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// What the model is to be and to obey; left out when empty.
    pub system: String,
    /// The question with its material.
    pub user: String,
    /// The longest answer, in tokens; reasoning counts.
    pub max_tokens: u32,
    /// A JSON Schema for the answer. A server that refuses it is asked without, so `user` has to describe the form too.
    /// Its properties are sent in the order they have here, and written by the model in that order: reasons first.
    pub schema: Option<serde_json::Value>,
    /// A name for the schema: at most 64 letters, digits, `_` and `-`.
    pub schema_name: String,
}

/// A model at an address.
///
/// Its key is never printed: `Debug` says only whether there is one.
pub struct Endpoint {
    /// A name for people.
    pub name: String,
    /// Where the API begins, for example `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// The key, if the endpoint wants one.
    pub key: Option<Secret>,
    /// The person's word that source code may go to this host although it is not this machine.
    pub may_send_code: bool,
}

impl Endpoint {
    /// The endpoint of `setting`, with its key as the environment has it now.
    ///
    /// # Errors
    /// [`KeyMissing`] when the setting names an environment variable that holds nothing.
    pub fn from_setting(setting: &ModelSetting) -> Result<Self, KeyMissing> {
        let key = match &setting.key_env {
            Some(name) => Some(Secret::from_env(name).ok_or_else(|| KeyMissing(name.clone()))?),
            None => None,
        };
        Ok(Self {
            name: setting.name.clone(),
            base_url: setting.base_url.clone(),
            model: setting.model.clone(),
            key,
            may_send_code: setting.may_send_code,
        })
    }
}

/// The environment variable that should hold a key is unset or empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable `{0}` holds no key; set it before Conclave starts")]
pub struct KeyMissing(pub String);

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .field("has_key", &self.key.is_some())
            .field("may_send_code", &self.may_send_code)
            .finish()
    }
}
