//! Ways to reach a model, all alike to whoever asks.
//!
//! A provider is one model reached in one way: an HTTP API, a program, the client at the other end of an MCP connection,
//! a worker on this machine. Each is one file here. What is the same for all of them (order, breaker, limits, cache,
//! budget) is not a provider's business.
//!
//! Invariants: nothing leaves without a permit; a provider holds no key; after the first byte of an answer nothing is
//! repeated; when [`Provider::stop`] has returned, no child of it lives.

pub mod api;
pub mod cli;
mod conversation;
mod form;
pub mod local;
mod retry;
pub mod sampling;

use std::future::Future;
use std::pin::Pin;

use conclave_effects::{Gate, ModelClass};
use conclave_policy::{Actor, ToolRequest};
use serde::Serialize;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::error::AskError;
use crate::money::Price;
use crate::request::{ModelRequest, Terms};
use crate::tools::Tools;

/// What a provider does for its caller, until it is done.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, AskError>> + Send + 'a>>;

/// One model reached in one way.
pub trait Provider: Send + Sync {
    /// What it is; the same for its whole life.
    fn info(&self) -> &Info;

    /// Where the model runs, as far as that is known without asking anybody; whatever is unknown is hosted.
    fn known_class(&self) -> ModelClass;

    /// Whether asking anybody could change [`Provider::known_class`].
    fn is_class_known(&self) -> bool {
        true
    }

    /// Where the model runs, asked of whoever knows, before `until`.
    ///
    /// # Errors
    /// Nobody could be asked: the model counts as hosted, and the next caller asks again.
    fn class<'a>(&'a self, _reach: &'a Reach<'a>, _until: Instant) -> Asking<'a, ModelClass> {
        Box::pin(async { Ok(self.known_class()) })
    }

    /// Takes the question to the model and brings back the whole answer before the deadline of its terms.
    ///
    /// # Errors
    /// What stood in the way, fit for a screen. A model that declines is an [`Answer`].
    fn ask<'a>(&'a self, call: Call<'a>) -> Asking<'a, Answer>;

    /// What [`Provider::ask`] would hand out first, without handing it out.
    ///
    /// # Errors
    /// Nothing would be.
    fn sketch(&self, request: &ModelRequest, terms: &Terms<'_>) -> Result<Sketch, AskError>;

    /// Whether the model could be asked now. Asks as little as possible and never a question that costs money.
    ///
    /// # Errors
    /// It could not.
    fn check<'a>(&'a self, reach: &'a Reach<'a>) -> Asking<'a, Checked>;

    /// Whether what takes time is done, so that asking begins at once; `None` where nothing does.
    fn is_loaded(&self) -> Option<bool> {
        None
    }

    /// Does what takes time, so that the next question need not wait for it.
    ///
    /// # Errors
    /// It cannot be done; asking would fail alike.
    fn start<'a>(&'a self, _reach: &'a Reach<'a>) -> Asking<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Ends its children and connections. Asking again afterwards starts them anew.
    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// On whose behalf, through which gate and on what terms.
#[derive(Clone)]
pub struct Reach<'a> {
    /// The only way out.
    pub gate: &'a Gate,
    /// Who wants it.
    pub actor: Actor,
    /// What it needs.
    pub terms: Terms<'a>,
}

/// One question on its way.
pub struct Call<'a> {
    /// On whose behalf, through which gate and on what terms.
    pub reach: Reach<'a>,
    /// The question.
    pub request: &'a ModelRequest,
    /// What the model may use while it answers. Providers that cannot offer it ([`Capabilities::tools`]) ask without.
    pub tools: Option<&'a Tools>,
    /// Sees the text grow; what it has seen is worth nothing unless an answer comes.
    pub on_delta: &'a mut (dyn FnMut(&str) + Send),
}

/// The kinds of ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An HTTP API.
    Api,
    /// A program.
    Cli,
    /// The client of Conclave's MCP server.
    McpSampling,
    /// Conclave's own worker.
    Local,
}

/// What a provider is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Info {
    /// Its name for people, rules and preferences; unique.
    pub name: String,
    /// The kind of way.
    pub kind: Kind,
    /// The model, as it is known at the other end; empty where the other end chooses.
    pub model: String,
    /// Where it goes, for people: an address, a program, a file.
    pub place: String,
    /// The host as keys are stored for it; `None` where no key is wanted.
    pub host: Option<String>,
    /// The person's word that source code may be given to it although it does not run on this machine.
    pub may_send_code: bool,
    /// What it can do.
    pub can: Capabilities,
    /// What it costs; `None` is unknown and never free.
    pub price: Option<Price>,
}

/// What a model can do by way of its provider, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// It can be held to a JSON Schema.
    pub schema: Option<bool>,
    /// It says how sure it was of each token.
    pub log_probabilities: Option<bool>,
    /// It counts the tokens it used.
    pub usage: Option<bool>,
    /// It can use tools while it answers.
    pub tools: Option<bool>,
    /// Tokens of question and answer together.
    pub context_tokens: Option<u32>,
}

/// What would be handed out.
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    /// As the policy would judge it.
    pub request: ToolRequest,
    /// To the byte, secrets taken out.
    pub bytes: Vec<u8>,
    /// What was taken out, by label, with how often.
    pub redactions: Vec<(String, usize)>,
}

/// What a look at a provider found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// In words, for example the server's or program's version.
    pub found: String,
    /// What is not as it should be although it answers, for example a model that retires soon.
    pub warnings: Vec<String>,
    /// Models that it offers, where it says so.
    pub models: Vec<String>,
    /// What it can do, as far as it said.
    pub can: Capabilities,
}
