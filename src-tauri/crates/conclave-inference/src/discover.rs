//! Servers on this machine that offer models, found by asking at the ports that they usually have.
//!
//! Only on request, and only on loopback: every question passes the gate and is in the ledger, and when the gate says
//! no, nobody is asked. The questions are about the server itself and carry nothing else.
//!
//! Deliberately absent: other machines, scanning of ports, and any question to a model ([`probe`](crate::probe) has
//! those). Invariant: whatever a server does not say is unknown, and a model that nobody vouches for is hosted.

mod ask;
#[cfg(test)]
mod tests;
mod told;

use std::time::Duration;

use conclave_effects::{ModelClass, Secret};
use tokio::time::{Instant, timeout_at};

use crate::error::{AskError, Waiting};
use crate::provider::{Capabilities, Reach};

pub(crate) use ask::{Asker, Told};

/// Where servers of each kind usually are.
pub const USUAL: [(ServerKind, &str); 3] = [
    (ServerKind::Ollama, "http://127.0.0.1:11434"),
    (ServerKind::LmStudio, "http://127.0.0.1:1234"),
    (ServerKind::LlamaCpp, "http://127.0.0.1:8080"),
];

/// How long a look at one address may take.
const LIMIT: Duration = Duration::from_secs(5);

/// So many models of a server are looked at one by one.
pub(crate) const MOST_MODELS: usize = 64;

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// Ollama.
    Ollama,
    /// LM Studio.
    LmStudio,
    /// The server of llama.cpp.
    LlamaCpp,
    /// Something else that lists models as OpenAI does.
    Other,
}

/// An address to look at.
#[derive(Clone, Copy)]
pub struct Address<'a> {
    /// Where the server is, or its API.
    pub url: &'a str,
    /// Its key, where it has one.
    pub key: Option<&'a Secret>,
}

/// A server that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What it is.
    pub kind: ServerKind,
    /// Where it is, for example `http://127.0.0.1:11434`.
    pub origin: String,
    /// Its version, as it says.
    pub version: Option<String>,
    /// Whether it says no more without a key.
    pub wants_key: bool,
    /// The models that it offers and that answer questions.
    pub models: Vec<Offered>,
}

/// A model that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its name there.
    pub id: String,
    /// Where it runs.
    pub class: ModelClass,
    /// What it can do, as far as the server says.
    pub can: Capabilities,
}

/// What a look at one address gave.
#[derive(Debug)]
pub struct Look {
    /// Where.
    pub origin: String,
    /// The server; `None` where whoever answers offers no models.
    pub found: Result<Option<Server>, AskError>,
}

impl Offered {
    /// Whether `name` is its name; a missing tag is `latest`, as Ollama has it.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.id == name || self.id.strip_suffix(":latest") == Some(name)
    }
}

impl ServerKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::LmStudio => "LM Studio",
            Self::LlamaCpp => "llama.cpp",
            Self::Other => "a server",
        }
    }
}

impl Server {
    /// What it is, with its version where it says one.
    pub fn words(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.kind.name()),
            None => self.kind.name().to_owned(),
        }
    }

    /// Where its API begins, as a setting has it.
    pub fn base_url(&self) -> String {
        match self.kind {
            ServerKind::Ollama => self.origin.clone(),
            ServerKind::LmStudio | ServerKind::LlamaCpp | ServerKind::Other => format!("{}/v1", self.origin),
        }
    }
}

/// Looks at `addresses`, one after the other, and at each place once; one that is not on this machine is passed over.
pub async fn discover(reach: &Reach<'_>, addresses: &[Address<'_>]) -> Vec<Look> {
    let mut looks: Vec<Look> = Vec::new();
    for address in addresses {
        let Some(asker) = Asker::new(reach, *address) else { continue };
        if looks.iter().any(|look| look.origin == asker.origin) {
            continue;
        }
        let until = Instant::now() + LIMIT;
        let found = timeout_at(until, look(&asker, until)).await;
        let found = found.unwrap_or(Err(AskError::Timeout(Waiting::FirstByte)));
        looks.push(Look { origin: asker.origin, found });
    }
    looks
}

/// Whether `url` is on this machine, as the gate will see it.
pub fn is_here(reach: &Reach<'_>, url: &str) -> bool {
    Asker::new(reach, Address { url, key: None }).is_some()
}

/// What is at one address.
pub(crate) async fn look(asker: &Asker<'_>, until: Instant) -> Result<Option<Server>, AskError> {
    let server =
        |kind, version, models| Server { kind, origin: asker.origin.clone(), version, wants_key: false, models };
    // The kind that usually is here is asked for first.
    let usual = USUAL.iter().find(|(_, url)| *url == asker.origin).map(|(kind, _)| *kind);
    let rest = USUAL.iter().map(|(kind, _)| *kind).filter(|kind| Some(*kind) != usual);
    let mut wants_key = false;
    for kind in usual.into_iter().chain(rest) {
        let (path, is_it): (_, fn(&serde_json::Value) -> bool) = match kind {
            ServerKind::Ollama => ("/api/version", told::is_ollama),
            ServerKind::LmStudio => ("/api/v0/models", told::is_lm_studio),
            ServerKind::LlamaCpp => ("/props", told::is_llama_cpp),
            ServerKind::Other => continue,
        };
        let first = match asker.get(path, until).await? {
            Told::Json(first) if is_it(&first) => first,
            Told::WantsKey => {
                wants_key = true;
                continue;
            }
            Told::Json(_) | Told::Nothing => continue,
        };
        return Ok(Some(match kind {
            ServerKind::Ollama => server(kind, told::text(&first["version"]), ollama(asker, until).await?),
            ServerKind::LmStudio => server(kind, None, told::lm_studio(&first)),
            ServerKind::LlamaCpp | ServerKind::Other => {
                let models = asker.get("/v1/models", until).await?.json();
                server(kind, told::text(&first["build_info"]), told::llama_cpp(&first, &models))
            }
        }));
    }
    let listed = match asker.get("/v1/models", until).await? {
        Told::Json(models) => told::listed(&models),
        Told::WantsKey => {
            wants_key = true;
            None
        }
        Told::Nothing => None,
    };
    if listed.is_none() && !wants_key {
        return Ok(None);
    }
    let models = listed.unwrap_or_default();
    Ok(Some(Server { wants_key, ..server(ServerKind::Other, None, models) }))
}

async fn ollama(asker: &Asker<'_>, until: Instant) -> Result<Vec<Offered>, AskError> {
    let tags = asker.get("/api/tags", until).await?.json();
    let mut models = Vec::new();
    for id in told::names(&tags).into_iter().take(MOST_MODELS) {
        let body = serde_json::json!({ "model": id });
        let shown = asker.post("/api/show", &body, until).await?.json();
        models.extend(told::ollama(id, &tags, &shown));
    }
    Ok(models)
}
