//! The models that the settings name, and the keys that go with them.
//!
//! Invariant: a key is read when Conclave starts, if the settings name a variable for it, and otherwise just before the
//! request that needs it; it goes into that request and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::settings::{ExchangeLog, ModelSetting, Settings};
use conclave_effects::{Gate, Keychain, ModelClass, Secret};
use conclave_inference::{
    About, Answer, Api, AskError, Call, Exchanged, Info, Log, ModelRequest, Provider, Reach, Sketch, Terms,
};
use conclave_policy::Actor;
use conclave_store::{NewExchange, Store};
use tokio::time::Instant;

use crate::keys::Keys;

/// All models of the settings, in order of preference.
pub struct Models {
    models: Vec<Arc<Model>>,
    keys: Keys,
    proxy: Option<String>,
    log: ExchangeLog,
    store: Store,
}

/// One model.
pub struct Model {
    /// The way to it.
    pub provider: Box<dyn Provider>,
    /// Its key, where the settings name a variable that holds it.
    key: Option<Result<Secret, KeyMissing>>,
    /// The variable that the settings name.
    pub(crate) variable: Option<String>,
}

/// The environment variable that should hold a key is unset or empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable `{0}` holds no key; set it before Conclave starts")]
pub struct KeyMissing(pub String);

impl Model {
    fn new(provider: Box<dyn Provider>, variable: Option<String>) -> Self {
        let bound = |key: Secret| match &provider.info().host {
            Some(host) => key.for_host(host.clone()),
            None => key,
        };
        let key =
            variable.as_ref().map(|name| Secret::from_env(name).map(bound).ok_or_else(|| KeyMissing(name.clone())));
        Self { provider, key, variable }
    }

    /// What it is.
    pub fn info(&self) -> &Info {
        self.provider.info()
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.info().name
    }

    /// The key that it should have and has not.
    pub fn missing(&self) -> Option<&KeyMissing> {
        self.key.as_ref().and_then(|key| key.as_ref().err())
    }
}

fn api(setting: &ModelSetting) -> Model {
    Model::new(Box::new(Api::new(setting)), setting.key_env.clone())
}

impl Models {
    /// The models of `settings`, with their keys as the environment has them now.
    pub fn new(settings: &Settings, store: Store) -> Self {
        let apis = settings.models.iter().filter(|setting| setting.enabled).map(api);
        let models = apis.map(Arc::new).collect();
        let keys = Keys::new(Keychain::open(), store.clone());
        Self { models, keys, proxy: settings.proxy.clone(), log: settings.exchange_log.clone(), store }
    }

    /// Each model.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.models.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// The model that the settings call `name`.
    pub fn named(&self, name: &str) -> Option<&Arc<Model>> {
        self.models.iter().find(|model| model.name() == name)
    }

    /// The keychain's keys.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Asks `model` on behalf of `actor`.
    ///
    /// # Errors
    /// As [`ask`]; [`AskError::NoKey`] when its key cannot be had, or when another key cannot be looked for in what would
    /// leave this machine.
    pub async fn ask(
        &self,
        gate: &Gate,
        actor: Actor,
        model: &Model,
        (request, about): (&ModelRequest, &About),
        deadline: Duration,
    ) -> Result<Answer, AskError> {
        let until = Instant::now() + deadline;
        let taken = self.own_key(gate, &actor, model).await?;
        let key = match &model.key {
            Some(Ok(key)) => Some(key),
            Some(Err(missing)) => return Err(AskError::NoKey(missing.to_string())),
            None => taken.as_ref(),
        };
        let log = |exchanged| self.keep(model, about, gate.clock().now_ms(), exchanged);
        let log = self.is_kept(about.project.as_deref()).then_some(&log as &Log<'_>);
        let known = self.at_hand();
        let left = until.saturating_duration_since(Instant::now());
        let terms = Terms { key, known: &known, proxy: self.proxy.as_deref(), log, ..Terms::new(about, left) };
        let reach = Reach { gate, actor: actor.clone(), terms };
        // Where that cannot be found out, asking says why.
        let class = model.provider.class(&reach, until).await.unwrap_or(ModelClass::Hosted);
        let others = match class {
            ModelClass::Local => Vec::new(),
            ModelClass::Hosted => self.keys.all(gate, &actor, model.info().host.as_deref()).await?,
        };
        let known: Vec<&Secret> = known.iter().copied().chain(&others).collect();
        let left = until.saturating_duration_since(Instant::now());
        let reach = Reach { gate, actor, terms: Terms { known: &known, deadline: left, ..terms } };
        model.provider.ask(Call { reach, request, on_delta: &mut |_| {} }).await
    }

    /// What [`Models::ask`] would send, without its key.
    ///
    /// # Errors
    /// [`AskError`] when nothing would be sent.
    pub async fn sketch(
        &self,
        gate: &Gate,
        model: &Model,
        (request, about): (&ModelRequest, &About),
    ) -> Result<Sketch, AskError> {
        let class = model.provider.known_class();
        let others = match class {
            ModelClass::Local => Vec::new(),
            ModelClass::Hosted => self.keys.all(gate, &Actor::Person, None).await?,
        };
        let known: Vec<&Secret> = self.at_hand().into_iter().chain(&others).collect();
        let terms = Terms { known: &known, proxy: self.proxy.as_deref(), ..Terms::new(about, Duration::ZERO) };
        model.provider.sketch(request, &terms)
    }

    /// The model's key from the keychain, where the settings name no variable and there is one.
    async fn own_key(&self, gate: &Gate, actor: &Actor, model: &Model) -> Result<Option<Secret>, AskError> {
        match (&model.key, &model.info().host) {
            (None, Some(host)) => self.keys.of(gate, actor, host).await,
            _ => Ok(None),
        }
    }

    /// The keys that the environment held when Conclave started.
    fn at_hand(&self) -> Vec<&Secret> {
        self.models.iter().filter_map(|model| model.key.as_ref()?.as_ref().ok()).collect()
    }

    /// Whether questions about the project in the folder `project` are kept, with their answers.
    fn is_kept(&self, project: Option<&str>) -> bool {
        project.and_then(|project| self.log.projects.get(project)).copied().unwrap_or(self.log.on)
    }

    fn keep(&self, model: &Model, about: &About, at_ms: i64, exchanged: Exchanged) {
        let Exchanged { seq, request, response, status } = exchanged;
        let exchange = NewExchange {
            seq,
            at_ms,
            project: about.project.clone(),
            endpoint: model.name().to_owned(),
            model: model.info().model.clone(),
            request,
            response,
            status,
        };
        if let Err(error) = self.store.put_exchange(&exchange) {
            tracing::warn!(%error, "an exchange with a model was not kept");
        }
    }
}
