//! What is known of models behind hosted APIs, with the day that it is known from; what is not known is left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{ApiDialect, PriceView};

/// Everything that is known of models behind hosted APIs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KnownModelList {
    /// Who serves models.
    pub hosts: Vec<KnownHost>,
    /// The models, host by host.
    pub models: Vec<KnownModel>,
    /// What models are good for.
    pub strengths: Vec<KnownStrength>,
    /// Choices of models that belong together.
    pub presets: Vec<KnownPreset>,
}

/// A host of models.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KnownHost {
    /// Its short name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Where its API begins.
    pub base_url: String,
    /// How it speaks.
    pub dialect: ApiDialect,
    /// The environment variable that usually holds its key.
    pub key_env: String,
    /// The model that is taken where nobody names one; `null` where none of its models is known.
    pub usual: Option<String>,
}

/// Whether a model is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum KnownState {
    /// It is, and nothing else is announced.
    Living,
    /// It is, until an announced day.
    Retires,
    /// It is not any more.
    Retired,
}

/// One model at one host.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KnownModel {
    /// Its name at the host.
    pub id: String,
    /// Other names for the same model.
    pub aliases: Vec<String>,
    /// The host, by [`KnownHost::id`].
    pub host: String,
    /// Tokens of a question.
    pub context_tokens: Option<u32>,
    /// Tokens of an answer.
    pub output_tokens: Option<u32>,
    /// What it costs; `null` is unknown, never free.
    pub price: Option<PriceView>,
    /// What it is good for, by [`KnownStrength::id`].
    pub strengths: Vec<String>,
    /// Whether it is offered.
    pub state: KnownState,
    /// What is to be said of that, in a sentence; `null` where it is offered and nothing else is announced.
    pub remark: Option<String>,
    /// What takes its place, by its name at the same host.
    pub successor: Option<String>,
}

/// What models are good for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KnownStrength {
    /// Its short name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Which weaknesses want it.
    pub focus: String,
}

/// A choice of models that belong together.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KnownPreset {
    /// Its short name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// One place for a strength each.
    pub seats: Vec<KnownSeat>,
}

/// One place of a choice.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct KnownSeat {
    /// By [`KnownStrength::id`].
    pub strength: String,
    /// The model as the choice names it.
    pub named: String,
    /// What is to be said of that model, in a sentence; `null` where nothing is.
    pub remark: Option<String>,
    /// The model that has the place today: itself while it is offered, else what takes its place.
    pub model: String,
    /// The host of that, by [`KnownHost::id`].
    pub host: String,
}
