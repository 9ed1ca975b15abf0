//! The models that the settings name, and the keys that go with them.
//!
//! Invariant: a key is read when Conclave starts, if the settings name a variable for it, and otherwise just before the
//! request that needs it; it goes into that request and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::settings::{ModelSetting, Settings};
use conclave_effects::{Gate, Secret};
use conclave_inference::{About, Answer, AskError, Endpoint, ModelRequest, Terms, ask};
use conclave_policy::Actor;

/// All models of the settings, in order of preference.
pub struct Models(Vec<Arc<Model>>);

/// One model.
pub struct Model {
    /// Where it is asked.
    pub endpoint: Endpoint,
    /// Its key, where the settings name a variable that holds it.
    key: Option<Result<Secret, KeyMissing>>,
}

/// The environment variable that should hold a key is unset or empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable `{0}` holds no key; set it before Conclave starts")]
pub struct KeyMissing(pub String);

impl Model {
    fn new(setting: &ModelSetting) -> Self {
        let key = setting.key_env.as_ref().map(|name| Secret::from_env(name).ok_or_else(|| KeyMissing(name.clone())));
        Self { endpoint: Endpoint::new(setting), key }
    }

    /// The key that it should have and has not.
    pub fn missing(&self) -> Option<&KeyMissing> {
        self.key.as_ref().and_then(|key| key.as_ref().err())
    }
}

impl Models {
    /// The models of `settings`, with their keys as the environment has them now.
    pub fn new(settings: &Settings) -> Self {
        Self(settings.models.iter().map(|setting| Arc::new(Model::new(setting))).collect())
    }

    /// Each model.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The model that the settings call `name`.
    pub fn named(&self, name: &str) -> Option<&Arc<Model>> {
        self.0.iter().find(|model| model.endpoint.name == name)
    }

    /// Asks `model` on behalf of `actor`.
    ///
    /// # Errors
    /// As [`ask`]; [`AskError::NoKey`] when its key cannot be had.
    pub async fn ask(
        &self,
        gate: &Gate,
        actor: Actor,
        model: &Model,
        (request, about): (&ModelRequest, &About),
        deadline: Duration,
    ) -> Result<Answer, AskError> {
        let key = match &model.key {
            Some(Ok(key)) => Some(key),
            Some(Err(missing)) => return Err(AskError::NoKey(missing.to_string())),
            None => None,
        };
        ask(gate, actor, &model.endpoint, request, Terms { key, about, deadline }, &mut |_| {}).await
    }
}
