//! What is known of models behind hosted APIs: where they are, what they cost, until when they live.
//!
//! The facts are in `models.toml`, each with its date; a model that is not there is unknown, and so is its price. What a
//! person sets goes before it. Pure: the day is handed in, and so is what a host says of its own models.
//!
//! Deliberately absent: models on this machine, which a person names by their file or server, and any lookup.

mod file;
mod state;

use std::sync::LazyLock;

use conclave_core::settings::{DialectName, ModelSetting};
use conclave_effects::host_of;
pub use jiff::civil::Date;

use crate::money::Price;

pub use state::{Listing, State, against, day, nearest, remarks, state};

/// One model at one host.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name at the host.
    pub id: String,
    /// Other names for the same model.
    pub aliases: Vec<String>,
    /// Who serves it.
    pub host: Host,
    /// Tokens of a question.
    pub context_tokens: Option<u32>,
    /// Tokens of an answer.
    pub output_tokens: Option<u32>,
    /// What it costs, with the day that this is known from; `None` is unknown and never free.
    pub price: Option<Price>,
    /// What it is good for, by [`Strength::id`].
    pub strengths: Vec<String>,
    /// How it ends.
    pub end: Option<End>,
    /// What takes its place.
    pub successor: Option<String>,
}

/// How a model ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// On the day that its host announced.
    On(Date),
    /// Some time before this day, on which its host no longer offered it.
    Before(Date),
}

/// A host of models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its short name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Where its API begins.
    pub base_url: String,
    /// How it speaks.
    pub dialect: DialectName,
    /// The environment variable that usually holds its key.
    pub key_env: String,
    /// The model of it that is taken where a person names none; `None` where the list has none of it.
    pub usual: Option<String>,
}

/// What models are good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// Its short name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Which weaknesses want it, in words.
    pub focus: String,
    /// The same as CWE numbers.
    pub cwe: Vec<u32>,
}

/// A choice of models that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its short name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// One a strength.
    pub seats: Vec<Seat>,
}

/// One place of a preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// By [`Strength::id`].
    pub strength: String,
    /// The model, as the preset names it.
    pub model: String,
}

/// Everything that is known.
struct Catalogue {
    models: Vec<Entry>,
    hosts: Vec<Host>,
    strengths: Vec<Strength>,
    presets: Vec<Preset>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // INVARIANT: the file is part of the program, and the tests read it.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    file::read(include_str!("../models.toml")).expect("the list of models is whole")
});

/// All models, grouped by host.
pub fn models() -> &'static [Entry] {
    &CATALOGUE.models
}

/// All hosts.
pub fn hosts() -> &'static [Host] {
    &CATALOGUE.hosts
}

/// The host called `id`.
pub fn host(id: &str) -> Option<&'static Host> {
    hosts().iter().find(|host| host.id == id)
}

/// What models are good for.
pub fn strengths() -> &'static [Strength] {
    &CATALOGUE.strengths
}

/// Choices of models that belong together.
pub fn presets() -> &'static [Preset] {
    &CATALOGUE.presets
}

/// The model that is called `id`, by its name or another name for it.
pub fn model(id: &str) -> Option<&'static Entry> {
    models().iter().find(|entry| entry.is_called(id))
}

/// The host that is asked at `base_url`.
pub fn host_at(base_url: &str) -> Option<&'static Host> {
    let asked = host_of(base_url).ok()?;
    hosts().iter().find(|host| host_of(&host.base_url).is_ok_and(|known| known == asked))
}

/// What is known of the model that `setting` names, at the host where it is asked: the same name elsewhere is another
/// model, with another price.
pub fn known(setting: &ModelSetting) -> Option<&'static Entry> {
    let host = host_at(&setting.base_url)?;
    models().iter().find(|entry| entry.host.id == host.id && entry.is_called(&setting.model))
}

/// What the model `id` costs at the host that is asked at `base_url`; `None` is unknown and never free.
pub fn price(id: &str, base_url: &str) -> Option<&'static Price> {
    known(&ModelSetting::new("", base_url, id))?.price.as_ref()
}

impl Entry {
    /// Whether `id` is a name of it.
    pub fn is_called(&self, id: &str) -> bool {
        self.id == id || self.aliases.iter().any(|alias| alias == id)
    }
}

#[cfg(test)]
mod tests;
