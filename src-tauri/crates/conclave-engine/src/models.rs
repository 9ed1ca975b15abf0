//! The models that the settings name, asked by one strategy, and what goes with a question to them: keys, log, purse.
//!
//! The settings can change while Conclave runs: then all models are exchanged in one step, what is under way ends with
//! the models that it began with, and what stays the same keeps its state.
//! Invariant: a key is read when its model is set up, if the settings name a variable for it, and otherwise just before
//! the request that needs it; it goes into that request and nowhere else.

mod carry;
mod measure;
mod ready;
mod reload;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use conclave_core::id::{FindingId, RunId};
use conclave_core::settings::{CliSetting, LocalSetting, ModelSetting, SamplingSetting, Settings};
use conclave_effects::sample::Client;
use conclave_effects::{Gate, HttpError, Keychain, ModelClass, Secret, TlsRoots, find_worker, host_of};
use conclave_inference::provider::local::Place;
use conclave_inference::{
    About, Agrees, Api, Beside, Cli, Info, Local, Member, ModelRequest, Priority, Provider, Question, Sampling, Sketch,
    Strategy, StrategyError, Terms, ToolHost, Tools, Won,
};
use conclave_policy::Actor;
use conclave_store::Store;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::keys::Keys;
use crate::spending::TierCap;
use carry::Carry;
pub use conclave_inference::breaker::BreakerState;
pub use conclave_inference::{AskError, Counts, Health, State};
pub use measure::{check, counts, health, metrics_text, seen};
pub use ready::{start, stop};
pub use reload::{follow, reload};

/// All models of the settings, and how they are asked.
pub struct Models {
    current: RwLock<Arc<Set>>,
    means: Arc<Means>,
    /// Why the settings file is not in force as it is.
    fault: Mutex<Option<String>>,
    /// What goes on aside: ending the models that are gone, and loading those that are about to be asked.
    aside: Mutex<JoinSet<()>>,
}

/// The models of one reading of the settings.
struct Set {
    settings: Arc<Settings>,
    /// In order of preference; those that are only tried out come last.
    models: Vec<Arc<Model>>,
    strategy: Strategy,
    /// Certificates that are trusted beside the usual ones; why they cannot be, where they cannot.
    roots: Option<Result<TlsRoots, HttpError>>,
}

/// What questions need beside a model.
struct Means {
    keys: Keys,
    store: Store,
    place: Place,
}

/// One model.
pub struct Model {
    /// The way to it.
    pub provider: Arc<dyn Provider>,
    /// Its key, where the settings name a variable that holds it.
    key: Option<Result<Secret, KeyMissing>>,
    /// The variable that the settings name.
    pub(crate) variable: Option<String>,
    /// Its setting, and others that it depends on.
    wanted: String,
    trial: bool,
    at_once: Option<u32>,
}

/// The environment variable that should hold a key is unset or empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable `{0}` holds no key; set it before Conclave starts")]
pub struct KeyMissing(pub String);

/// A question to models: what is asked, on whose behalf, and what it belongs to.
#[derive(Clone)]
pub struct Errand {
    /// The way out.
    pub gate: Gate,
    /// On whose behalf the model of this name is asked.
    pub actor: fn(&str) -> Actor,
    /// The question.
    pub request: Arc<ModelRequest>,
    /// What is known of it.
    pub about: About,
    /// How urgent it is beside others that wait for the same model.
    pub priority: Priority,
    /// Time for an answer, over all models that are tried for it.
    pub deadline: Duration,
    /// What for, in a word, for the list of what was spent.
    pub purpose: &'static str,
    /// The finding that it is about.
    pub finding: Option<FindingId>,
    /// The run that it belongs to.
    pub run: Option<RunId>,
    /// The most that its run may cost, as far as prices are known.
    pub cap: Option<TierCap>,
    /// Whether the answer to an equal question in the same project will do.
    pub may_be_kept: bool,
    /// How an answer of a model that is only tried out is compared with the one that is used.
    pub agrees: Option<Agrees>,
    /// The MCP client on whose call's behalf it is asked, where it is.
    pub client: Option<Arc<dyn Client>>,
    /// Hears the answer while it is being given.
    pub live: Option<Arc<Hearer>>,
    /// Ends it, and what goes on beside it.
    pub cancel: CancellationToken,
}

/// Hears an answer while it is being given; what it has heard is worth nothing unless the answer comes.
pub type Hearer = dyn Fn(Heard<'_>) + Send + Sync;

/// What is heard of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// The model of this name begins; what another said before counts no more.
    Begin(&'a str),
    /// More of its text, as it came: nobody has looked at it.
    Text(&'a str),
    /// It says no more.
    End,
}

/// A model that the settings want, and how it is made.
struct Wanted<'a> {
    setting: String,
    variable: Option<&'a str>,
    trial: bool,
    at_once: Option<u32>,
    make: Box<dyn Fn() -> Box<dyn Provider> + 'a>,
}

impl Model {
    fn new(wanted: &Wanted<'_>) -> Self {
        let provider: Arc<dyn Provider> = Arc::from((wanted.make)());
        let bound = |key: Secret| match &provider.info().host {
            Some(host) => key.for_host(host.clone()),
            None => key,
        };
        let variable = wanted.variable.map(str::to_owned);
        let key =
            variable.as_ref().map(|name| Secret::from_env(name).map(bound).ok_or_else(|| KeyMissing(name.clone())));
        Self { provider, key, variable, wanted: wanted.setting.clone(), trial: wanted.trial, at_once: wanted.at_once }
    }

    /// What it is.
    pub fn info(&self) -> &Info {
        self.provider.info()
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.info().name
    }

    /// Whether it is only tried out: asked beside the others, and never used.
    pub fn is_trial(&self) -> bool {
        self.trial
    }

    /// The key that it should have and has not.
    pub fn missing(&self) -> Option<&KeyMissing> {
        self.key.as_ref().and_then(|key| key.as_ref().err())
    }
}

fn api(setting: &ModelSetting) -> Wanted<'_> {
    Wanted {
        setting: text(setting),
        variable: setting.key_env.as_deref(),
        trial: setting.trial,
        at_once: setting.max_concurrent,
        make: Box::new(|| Box::new(Api::new(setting))),
    }
}

fn cli(setting: &CliSetting) -> Wanted<'_> {
    // `conclave` is beside the window's program as well; it stands in the sandbox between the program and its host.
    let make = || Box::new(Cli::new(setting, find_worker("conclave", "CONCLAVE_PROGRAM"))) as Box<dyn Provider>;
    Wanted {
        setting: text(setting),
        variable: setting.key_env.as_deref(),
        trial: setting.trial,
        at_once: setting.max_concurrent,
        make: Box::new(make),
    }
}

fn sampling(setting: &SamplingSetting) -> Wanted<'_> {
    Wanted {
        setting: text(setting),
        variable: None,
        trial: setting.trial,
        at_once: None,
        make: Box::new(|| Box::new(Sampling::new(setting))),
    }
}

fn local<'a>(setting: &'a LocalSetting, place: &'a Place) -> Wanted<'a> {
    Wanted {
        setting: text(setting),
        variable: None,
        trial: setting.trial,
        // It answers four at a time in one context.
        at_once: Some(4),
        make: Box::new(|| Box::new(Local::new(setting, place.clone()))),
    }
}

/// What a setting is compared by.
fn text(setting: &impl Serialize) -> String {
    // INVARIANT: settings are read from JSON, so they can be written as JSON.
    serde_json::to_string(setting).unwrap_or_default()
}

/// The models that `settings` want; one line a kind.
fn wanted<'a>(settings: &'a Settings, place: &'a Place) -> Vec<Wanted<'a>> {
    let apis = settings.models.iter().filter(|setting| setting.enabled).map(api);
    let clis = settings.cli_models.iter().filter(|setting| setting.enabled).map(cli);
    let local = settings.local_models.iter().filter(|setting| setting.enabled).map(|setting| local(setting, place));
    apis.chain(clis).chain(local).chain(settings.sampling.enabled.then(|| sampling(&settings.sampling))).collect()
}

impl Set {
    /// The models of `settings`; those that are wanted as they were `before` are the same.
    fn new(settings: Settings, place: &Place, before: Option<&Self>) -> Self {
        let (roots, proxy) = (&settings.tls_roots, &settings.proxy);
        let model = |mut wanted: Wanted<'_>| {
            wanted.setting.push_str(&text(&(roots, proxy)));
            let known = before.and_then(|before| before.models.iter().find(|model| model.wanted == wanted.setting));
            known.cloned().unwrap_or_else(|| Arc::new(Model::new(&wanted)))
        };
        let mut models: Vec<Arc<Model>> = wanted(&settings, place).into_iter().map(model).collect();
        let order = settings.order();
        models.sort_by_key(|model| order.iter().position(|name| *name == model.name()).unwrap_or(usize::MAX));
        let member = |model: &Arc<Model>| Member {
            provider: Arc::clone(&model.provider),
            trial: model.trial,
            at_once: model.at_once,
        };
        let members = models.iter().map(member).collect();
        let strategy = Strategy::new(members, &settings, before.map(|before| &before.strategy));
        let roots = settings.tls_roots.as_ref().map(|path| TlsRoots::read(Path::new(path)));
        Self { settings: Arc::new(settings), models, strategy, roots }
    }

    fn named(&self, name: &str) -> Option<&Arc<Model>> {
        self.models.iter().find(|model| model.name() == name)
    }

    /// The certificates of the settings. Where they cannot be read nothing is asked: whoever names them would otherwise
    /// not learn that they are not in force.
    fn roots(&self) -> Result<Option<&TlsRoots>, AskError> {
        let read = self.roots.as_ref().map(Result::as_ref).transpose();
        read.map_err(|error| AskError::NotSent(error.to_string()))
    }

    /// The keys that the environment held when their models were set up.
    fn at_hand(&self) -> Vec<&Secret> {
        self.models.iter().filter_map(|model| model.key.as_ref()?.as_ref().ok()).collect()
    }
}

impl Models {
    /// The models of `settings`, with their keys as the environment has them now.
    /// `place` is where the worker of model files is.
    pub fn new(settings: Settings, store: Store, keychain: Keychain, place: Place) -> Self {
        let keys = Keys::new(keychain, store.clone());
        Self {
            current: RwLock::new(Arc::new(Set::new(settings, &place, None))),
            means: Arc::new(Means { keys, store, place }),
            fault: Mutex::default(),
            aside: Mutex::default(),
        }
    }

    fn current(&self) -> Arc<Set> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.current().settings)
    }

    /// Each model, in order of preference; those that are only tried out come last.
    pub fn all(&self) -> Vec<Arc<Model>> {
        self.current().models.clone()
    }

    /// The models whose answers are used, in order of preference.
    pub fn used(&self) -> Vec<Arc<Model>> {
        self.current().models.iter().filter(|model| !model.trial).cloned().collect()
    }

    /// The model that the settings call `name`.
    pub fn named(&self, name: &str) -> Option<Arc<Model>> {
        self.current().named(name).cloned()
    }

    /// The key of the model that `setting` names, whether it is turned on or not; `None` where it has none.
    ///
    /// # Errors
    /// [`AskError::NoKey`] when the keychain has it and does not give it.
    pub(crate) async fn key_of(&self, gate: &Gate, setting: &ModelSetting) -> Result<Option<Secret>, AskError> {
        let Ok(host) = host_of(&setting.base_url) else { return Ok(None) };
        match &setting.key_env {
            Some(variable) => Ok(Secret::from_env(variable).map(|key| key.for_host(host))),
            None => self.means.keys.of(gate, &Actor::Engine, &host).await,
        }
    }

    /// The keychain's keys.
    pub(crate) fn keys(&self) -> &Keys {
        &self.means.keys
    }

    /// The settings in force with their certificates, or why those cannot be read; nothing is asked elsewhere then.
    pub(crate) fn settings_and_roots(&self) -> (Arc<Settings>, Result<Option<TlsRoots>, String>) {
        let set = self.current();
        let roots = set.roots().map(|roots| roots.cloned()).map_err(|error| error.to_string());
        (Arc::clone(&set.settings), roots)
    }

    /// The first answer of the models that `order` names.
    ///
    /// # Errors
    /// See [`StrategyError`].
    pub async fn first(&self, order: &[&str], errand: Errand) -> Result<Won, StrategyError> {
        let set = self.current();
        set.strategy.first(order, &self.question(&set, errand)).await
    }

    /// The answer of the model `name`, and of nobody else.
    ///
    /// # Errors
    /// As [`Provider::ask`]; [`AskError::NoKey`] when its key cannot be had, or when another key cannot be looked for in
    /// what would leave this machine; [`AskError::NotOffered`] where there is no such model to be asked.
    pub async fn one(&self, name: &str, errand: Errand) -> Result<Won, Arc<AskError>> {
        let set = self.current();
        set.strategy.one(name, &self.question(&set, errand)).await
    }

    /// The answer of the model `name`, and of nobody else, which may use the tools of `host` on its way: `most_calls`
    /// times in all, and within the one deadline. A model that cannot use tools ([`Info::can`]) is asked once without.
    ///
    /// # Errors
    /// As [`Models::one`].
    pub async fn with_tools(
        &self,
        name: &str,
        errand: Errand,
        host: Arc<dyn ToolHost>,
        most_calls: u32,
    ) -> Result<Won, Arc<AskError>> {
        let set = self.current();
        // What tools answered is part of such a question, so no other is equal to it.
        let errand = Errand { may_be_kept: false, ..errand };
        set.strategy.one(name, &self.question_with(&set, errand, Some(Tools { host, most_calls }))).await
    }

    /// Asks the models that are only tried out.
    pub fn beside(&self, errand: Errand) -> Beside {
        let set = self.current();
        set.strategy.beside(&self.question(&set, errand))
    }

    fn question(&self, set: &Arc<Set>, errand: Errand) -> Question {
        self.question_with(set, errand, None)
    }

    fn question_with(&self, set: &Arc<Set>, errand: Errand, tools: Option<Tools>) -> Question {
        let scope = errand.about.project.clone().unwrap_or_default();
        Question {
            request: Arc::clone(&errand.request),
            priority: errand.priority,
            deadline: errand.deadline,
            scope: errand.may_be_kept.then_some(scope),
            agrees: errand.agrees,
            cancel: errand.cancel.clone(),
            carrier: Arc::new(Carry { set: Arc::clone(set), means: Arc::clone(&self.means), errand, tools }),
        }
    }

    /// What [`Models::one`] would send, without its key.
    ///
    /// # Errors
    /// [`AskError`] when nothing would be sent.
    pub async fn sketch(
        &self,
        gate: &Gate,
        model: &Model,
        (request, about): (&ModelRequest, &About),
    ) -> Result<Sketch, AskError> {
        let set = self.current();
        let others = match model.provider.known_class() {
            ModelClass::Local => Vec::new(),
            ModelClass::Hosted => self.means.keys.all(gate, &Actor::Person, None).await?,
        };
        let known: Vec<&Secret> = set.at_hand().into_iter().chain(&others).collect();
        let (proxy, tls_roots) = (set.settings.proxy.as_deref(), set.roots()?);
        let terms = Terms { known: &known, proxy, tls_roots, ..Terms::new(about, Duration::ZERO) };
        model.provider.sketch(request, &terms)
    }

    /// Ends the children and connections of every model.
    pub async fn stop(&self) {
        self.current().strategy.stop().await;
    }
}
