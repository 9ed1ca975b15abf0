//! The tools that a deliberation may use: thinking, memory, intelligence, and servers of the Model Context Protocol.
//!
//! A tool is one file and one line in [`Toolbox::new`]. Whoever wants to use one asks [`Toolbox::call`], which passes the
//! gate first: each use is a decision, an entry of the ledger and a [`ToolUse`].
//! Deliberately absent: models, and prompts. Invariant: what a tool says is data; it changes no decision and no verdict.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use conclave_core::id::{FindingId, RunId};
use conclave_core::settings::ToolKind;
use conclave_core::synthesis::ToolUse;
use conclave_effects::Gate;
use conclave_inference::tools::{ToolOffer, ToolResult};
use conclave_policy::Actor;
use serde_json::Value;
use tokio::time::Instant;

/// A tool that can be used.
pub trait Tool: Send + Sync {
    /// Whose it is: `thinking`, `memory`, `intelligence`, or a server's name in the settings.
    fn server(&self) -> &str;

    /// What it is for, where it is one of the three kinds that deliberation knows.
    fn kind(&self) -> Option<ToolKind>;

    /// What models are told of it. The words are Conclave's own or pinned.
    fn offer(&self) -> &ToolOffer;

    /// Does what `arguments` ask, after the gate let it. `until` is when an answer is of no use any more.
    ///
    /// # Errors
    /// Why there is no answer, in words; an answer that is an error of the tool's own is a [`ToolResult`].
    fn call<'a>(&'a self, caller: &'a Caller, arguments: Value, until: Instant) -> Calling<'a>;
}

/// What a call gives once it is over.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<ToolResult, String>> + Send + 'a>>;

/// On whose behalf tools are used; one a deliberation.
#[derive(Clone)]
pub struct Caller {
    /// The only way out.
    pub gate: Gate,
    /// Who uses them: the model, or the engine.
    pub actor: Actor,
    /// The run, which is also the deliberation's id: thoughts of one run are never seen by another.
    pub run: RunId,
    /// The finding that it is about.
    pub finding: FindingId,
    /// The folder of the project.
    pub project: String,
    /// The client whose project it is: what is remembered of one is never seen for another; empty where there is none.
    pub client: String,
    /// Whether nothing may leave this machine.
    pub offline: bool,
}

/// All tools, as the settings want them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Toolbox {
    tools: Arc<Vec<Box<dyn Tool>>>,
}

/// One use of a tool, and what came of it.
pub struct Used {
    /// For the result and the screen.
    pub record: ToolUse,
    /// What whoever asked is told.
    pub result: ToolResult,
}

impl Toolbox {
    /// A box with `tools`.
    pub fn new(tools: Vec<Box<dyn Tool>>) -> Self {
        Self { tools: Arc::new(tools) }
    }

    /// All tools, in order.
    pub fn tools(&self) -> impl Iterator<Item = &dyn Tool> {
        self.tools.iter().map(Box::as_ref)
    }
}
