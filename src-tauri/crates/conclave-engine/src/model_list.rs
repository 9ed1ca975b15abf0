//! The models of the settings as a person sees them: what each is, how it stands, what it is asked about.
//!
//! Deliberately absent: asking any of them; everything here is known already.

use std::path::PathBuf;

use conclave_core::finding::Severity;
use conclave_core::record::Record;
use conclave_core::settings::{CliKind, CliSetting, LocalSetting, ModelSetting, SAMPLING, SamplingSetting, Settings};
use conclave_core::tier::RunPlan;
use conclave_effects::{ModelClass, Secret, find_worker, host_of};
pub use conclave_inference::catalogue as known;
use conclave_inference::{Api, Provider as _, catalogue};
pub use conclave_inference::{Capabilities, Info, Kind, LongPrice, Price};
use conclave_store::{KeyHost, SpendOf, SpendTotal, StoreError};
use serde::{Deserialize, Serialize};

use crate::ctx::Ctx;
use crate::day;
use crate::keys::KeySource;
use crate::models::{self, Health};
use crate::stage::panel;

/// One model of the settings, of whichever kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "setting", rename_all = "snake_case")]
pub enum OneModel {
    /// Behind an API.
    Api(ModelSetting),
    /// Behind a program on this machine.
    Cli(CliSetting),
    /// The model of the client that is connected to Conclave's MCP server.
    McpSampling(SamplingSetting),
    /// A file that Conclave's worker runs.
    Local(LocalSetting),
}

/// Every model of the settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelList {
    /// In the order in which they are tried; those that are off stand where they would be.
    pub models: Vec<ModelState>,
    /// What the person should know about the settings, in sentences.
    pub notices: Vec<String>,
    /// The program that runs model files; `None` where it is not installed.
    pub worker: Option<PathBuf>,
}

/// One model and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelState {
    /// Its setting.
    pub setting: OneModel,
    /// What it is.
    pub info: Info,
    /// Where it runs; `None` while nobody has found out, then it counts as hosted.
    pub class: Option<ModelClass>,
    /// Its place among those whose answers are used, from 1.
    pub position: Option<u32>,
    /// Where its key comes from.
    pub key: KeySource,
    /// Whether it is loaded in this process; `None` where there is nothing to load.
    pub loaded: Option<bool>,
    /// The severities whose findings it is asked about.
    pub tiers: Vec<Severity>,
    /// What its calls cost, ever.
    pub spend: SpendTotal,
    /// What those since the first of the month cost.
    pub month: SpendTotal,
    /// How it is; `None` while nobody has looked.
    pub health: Option<Health>,
    /// What is to be said of it, loudly.
    pub warnings: Vec<String>,
}

impl OneModel {
    /// All models of `settings`, in the order in which they are tried; those that are off stand where they would be.
    pub fn all(settings: &Settings) -> Vec<Self> {
        let apis = settings.models.iter().cloned().map(Self::Api);
        let clis = settings.cli_models.iter().cloned().map(Self::Cli);
        let local = settings.local_models.iter().cloned().map(Self::Local);
        let sampling = [Self::McpSampling(settings.sampling.clone())];
        let mut all: Vec<Self> = apis.chain(clis).chain(local).chain(sampling).collect();
        let place = |name: &str| settings.preference.iter().position(|wanted| wanted == name);
        all.sort_by_key(|model| place(model.name()).unwrap_or(usize::MAX));
        all
    }

    /// Its name; unique.
    pub fn name(&self) -> &str {
        match self {
            Self::Api(setting) => &setting.name,
            Self::Cli(setting) => &setting.name,
            Self::McpSampling(_) => SAMPLING,
            Self::Local(setting) => &setting.name,
        }
    }

    /// Whether it is asked at all, and whether it is only tried out.
    pub fn switches(&self) -> (bool, bool) {
        match self {
            Self::Api(setting) => (setting.enabled, setting.trial),
            Self::Cli(setting) => (setting.enabled, setting.trial),
            Self::McpSampling(setting) => (setting.enabled, setting.trial),
            Self::Local(setting) => (setting.enabled, setting.trial),
        }
    }

    fn key_env(&self) -> Option<&str> {
        match self {
            Self::Api(setting) => setting.key_env.as_deref(),
            Self::Cli(setting) => setting.key_env.as_deref(),
            Self::McpSampling(_) | Self::Local(_) => None,
        }
    }

    /// What it is, as far as its setting says.
    fn info(&self) -> Info {
        let blank = |kind, place: &str| Info {
            name: self.name().to_owned(),
            kind,
            model: String::new(),
            place: place.to_owned(),
            host: None,
            may_send_code: false,
            can: Capabilities::default(),
            price: None,
        };
        match self {
            Self::Api(setting) => Api::new(setting).info().clone(),
            Self::Cli(setting) => Info {
                model: setting.model.clone().unwrap_or_default(),
                host: setting.base_url.as_deref().and_then(|url| host_of(url).ok()),
                may_send_code: setting.may_send_code,
                ..blank(Kind::Cli, setting.command.as_deref().unwrap_or_else(|| program(setting.kind)))
            },
            Self::McpSampling(setting) => Info {
                may_send_code: setting.may_send_code,
                ..blank(Kind::McpSampling, "the client that is connected to `conclave mcp`")
            },
            Self::Local(setting) => Info {
                model: setting.file.rsplit('/').next().unwrap_or_default().to_owned(),
                may_send_code: true,
                can: Capabilities { context_tokens: setting.context_tokens, ..Capabilities::default() },
                price: Some(Price::FREE),
                ..blank(Kind::Local, &setting.file)
            },
        }
    }
}

/// What the program is usually called.
fn program(kind: CliKind) -> &'static str {
    match kind {
        CliKind::Claude => "claude",
        CliKind::Codex => "codex",
        CliKind::Gemini => "gemini",
        CliKind::Generic => "",
    }
}

/// Every model of the settings, and how it stands.
///
/// # Errors
/// The store fails.
pub fn list(cx: &Ctx) -> Result<ModelList, StoreError> {
    let settings = &cx.settings();
    let keys = cx.store.keys()?;
    let order = settings.order();
    let seen = models::seen(cx);
    let month = cx.store.spend_since(day::month(cx.gate.clock().today()))?;
    let state = |setting: OneModel| {
        let info = setting.info();
        let place = order.iter().position(|name| *name == setting.name());
        let spend = cx.store.spend_total(&SpendOf::Provider(info.name.clone()))?;
        Ok(ModelState {
            class: class(cx, &setting),
            position: place.and_then(|place| u32::try_from(place + 1).ok()),
            key: key(cx, &setting, info.host.as_deref(), &keys),
            loaded: cx.models.named(setting.name()).and_then(|model| model.provider.is_loaded()),
            tiers: tiers(cx, setting.name()),
            spend,
            month: month.iter().find(|(name, _)| *name == info.name).map(|(_, total)| *total).unwrap_or_default(),
            health: seen.iter().find(|health| health.name == info.name).cloned(),
            warnings: warnings(cx, &setting),
            info,
            setting,
        })
    };
    let models = OneModel::all(settings).into_iter().map(state).collect::<Result<_, StoreError>>()?;
    let worker = find_worker("conclave-local", "CONCLAVE_LOCAL");
    let notices = cx.models.banner().into_iter().chain(strangers(settings)).collect();
    Ok(ModelList { models, notices, worker })
}

/// Where the model runs, where that is known.
fn class(cx: &Ctx, setting: &OneModel) -> Option<ModelClass> {
    match (setting, cx.models.named(setting.name())) {
        (OneModel::Local(_), _) => Some(ModelClass::Local),
        (_, Some(model)) if model.provider.is_class_known() => Some(model.provider.known_class()),
        (OneModel::Cli(_) | OneModel::McpSampling(_), _) => Some(ModelClass::Hosted),
        _ => None,
    }
}

/// What the list of known models has to say of it, loudly.
fn warnings(cx: &Ctx, setting: &OneModel) -> Vec<String> {
    match setting {
        OneModel::Api(setting) => {
            catalogue::remarks(&setting.model, &setting.base_url, &[], catalogue::day(cx.now_ms()))
        }
        OneModel::Cli(_) | OneModel::McpSampling(_) | OneModel::Local(_) => Vec::new(),
    }
}

fn key(cx: &Ctx, setting: &OneModel, host: Option<&str>, keys: &[KeyHost]) -> KeySource {
    if let Some(variable) = setting.key_env() {
        let set = match cx.models.named(setting.name()) {
            Some(model) => model.missing().is_none(),
            None => Secret::from_env(variable).is_some(),
        };
        return KeySource::Environment { variable: variable.to_owned(), set };
    }
    match keys.iter().any(|key| Some(key.host.as_str()) == host) {
        true => KeySource::Keychain,
        false => KeySource::None,
    }
}

/// The severities whose findings the model `name` is asked about.
fn tiers(cx: &Ctx, name: &str) -> Vec<Severity> {
    let is_asked = |severity: &Severity| {
        let plan = RunPlan::for_severity(*severity, &cx.settings());
        panel(&cx.models, &plan, None, &Record::default()).iter().any(|model| model.name() == name)
    };
    Severity::ALL.into_iter().filter(is_asked).collect()
}

/// Names in the settings that name no model.
fn strangers(settings: &Settings) -> Vec<String> {
    let all = OneModel::all(settings);
    let known = |name: &str| all.iter().any(|model| model.name() == name);
    let stranger = |(name, place): (&String, &str)| {
        (!known(name)).then(|| format!("The settings name `{name}` {place}, and there is no such model."))
    };
    let order = settings.preference.iter().map(|name| (name, "in the order of models"));
    let review = settings.review.models.iter().map(|name| (name, "to review"));
    let roles = settings.roles.values().flatten().map(|role| (&role.model, "for a role"));
    order.chain(review).chain(roles).filter_map(stranger).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_models_stand_in_order_those_that_are_off_too() {
        let off = ModelSetting { enabled: false, ..ModelSetting::new("off", "http://127.0.0.1:1/v1", "m") };
        let text = r#"{ "cli_models": [{ "name": "claude_cli", "type": "claude", "key_env": "K" }],
            "local_models": [{ "name": "file", "file": "/models/a.gguf", "context_tokens": 2048 }],
            "preference": ["file", "off", "gone"], "review": { "models": ["who"] } }"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        let settings =
            Settings { models: vec![ModelSetting::new("a", "https://one.example/v1", "m"), off], ..settings };
        let all = OneModel::all(&settings);
        let names: Vec<&str> = all.iter().map(OneModel::name).collect();
        assert_eq!(names, ["file", "off", "a", "claude_cli", "mcp_sampling"]);
        let places: Vec<(Kind, String, Option<String>)> = all
            .iter()
            .map(OneModel::info)
            .map(|info| (info.kind, [info.model, info.place].join(" at "), info.host))
            .collect();
        assert_eq!(places[0], (Kind::Local, "a.gguf at /models/a.gguf".to_owned(), None));
        assert_eq!(places[2], (Kind::Api, "m at https://one.example/v1".to_owned(), Some("one.example".to_owned())));
        assert_eq!(places[3], (Kind::Cli, " at claude".to_owned(), None));
        let words = strangers(&settings).join(" ");
        assert!(words.contains("`gone` in the order") && words.contains("`who` to review"), "{words}");
    }
}
