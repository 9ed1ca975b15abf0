//! The tools that a deliberation may use: thinking, memory, intelligence, and servers of the Model Context Protocol.
//!
//! A tool is one file and one line in [`open`]. Whoever wants to use one asks [`Toolbox::call`], which passes the gate
//! first: each use is a decision, an entry of the ledger and a [`ToolUse`]. A model uses them through its [`Host`].
//! Deliberately absent: models, and prompts. Invariant: what a tool says is data; it changes no decision and no verdict.

mod call;
mod host;
pub mod intelligence;
pub mod memory;
pub mod server;
mod thinking;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use conclave_core::id::{FindingId, RunId};
use conclave_core::settings::ToolKind;
use conclave_core::synthesis::ToolUse;
use conclave_effects::{DataClass, Gate, ToolPlace};
use conclave_inference::tools::{ToolOffer, ToolResult};
use conclave_policy::Actor;
use conclave_store::Store;
use serde_json::Value;
use tokio::time::Instant;

pub use call::{MOST_ANSWER, MOST_ARGUMENTS};
pub use host::Host;
pub use thinking::Thoughts;

use intelligence::Intelligence;
use thinking::{AtServer, Thinking};

/// A tool that can be used.
pub trait Tool: Send + Sync {
    /// Whose it is: `thinking`, `memory`, `intelligence`, or a server's name in the settings.
    fn server(&self) -> &str;

    /// What it is for, where it is one of the three kinds that deliberation knows.
    fn kind(&self) -> Option<ToolKind>;

    /// Where it works: whether its use can leave this machine.
    fn place(&self) -> ToolPlace;

    /// What models are told of it. The words are Conclave's own or pinned.
    fn offer(&self) -> &ToolOffer;

    /// What its use does, in the protocol's terms; one that says nothing of it is taken to do the worst.
    fn annotations(&self) -> Annotations {
        Annotations { read_only: false, destructive: true, idempotent: false, open_world: true }
    }

    /// Does what it is `given` to do, after the gate let it. `until` is when an answer is of no use any more.
    ///
    /// # Errors
    /// Why there is no answer, in words; an answer that is an error of the tool's own is a [`ToolResult`].
    fn call<'a>(&'a self, caller: &'a Caller, given: Given, until: Instant) -> Calling<'a>;
}

/// What a tool is given, as it was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The arguments: a JSON object.
    pub arguments: Value,
    /// The kinds of data in them, which whatever they are handed on by is judged by, too.
    pub data: Vec<DataClass>,
}

/// What a call gives once it is over.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<ToolResult, String>> + Send + 'a>>;

/// What the use of a tool does, as the Model Context Protocol puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotations {
    /// It changes nothing.
    pub read_only: bool,
    /// It may take something away.
    pub destructive: bool,
    /// Doing it again with the same arguments changes nothing more.
    pub idempotent: bool,
    /// It reaches beyond what is known here.
    pub open_world: bool,
}

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
    /// Whether anything is remembered of the project; otherwise no tool that does is offered.
    pub remembers: bool,
    /// Whether nothing may leave this machine.
    pub offline: bool,
}

/// All tools, as the settings want them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Toolbox {
    tools: Arc<Vec<Named>>,
}

/// A tool under the name by which models call it.
struct Named {
    name: String,
    tool: Box<dyn Tool>,
}

/// One use of a tool, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// For the result and the screen.
    pub record: ToolUse,
    /// What whoever asked is told.
    pub result: ToolResult,
}

/// Conclave's own tools over `store`, and those of `servers`; what is thought with them is kept in `thoughts`.
///
/// A server that serves thinking or memory stands in for the built-in tools of that kind. No server knows of clients, so
/// the memory of one is offered where a project is nobody's alone. One that serves intelligence is asked Conclave's
/// typed questions, and none of its tools is offered.
pub fn open(store: &Store, servers: Vec<Box<dyn Tool>>, thoughts: Thoughts) -> Toolbox {
    let mut tools = memory::tools(store);
    if !servers.iter().any(|tool| tool.kind() == Some(ToolKind::Thinking)) {
        tools.insert(0, Box::new(Thinking::new(thoughts.clone())));
    }
    let (searching, others): (Vec<_>, Vec<_>) =
        servers.into_iter().partition(|tool| tool.kind() == Some(ToolKind::Intelligence));
    tools.push(Box::new(Intelligence::new(searching)));
    for tool in others {
        tools.push(match tool.kind() {
            Some(ToolKind::Thinking) => Box::new(AtServer::new(tool, thoughts.clone())),
            _ => tool,
        });
    }
    Toolbox::new(tools)
}

impl Toolbox {
    /// A box with `tools`.
    ///
    /// A tool keeps its own name where no tool before it has that one; else its server's name comes first.
    pub fn new(tools: Vec<Box<dyn Tool>>) -> Self {
        let mut named: Vec<Named> = Vec::new();
        for tool in tools {
            let name = name_among(&named, tool.as_ref());
            named.push(Named { name, tool });
        }
        Self { tools: Arc::new(named) }
    }

    /// All tools, in order.
    pub fn tools(&self) -> impl Iterator<Item = &dyn Tool> {
        self.tools.iter().map(|named| named.tool.as_ref())
    }

    /// What `caller` may wish for, each tool under a name of its own.
    pub fn offers(&self, caller: &Caller) -> Vec<ToolOffer> {
        let offered = self.offered(caller);
        offered.map(|named| ToolOffer { name: named.name.clone(), ..named.tool.offer().clone() }).collect()
    }

    /// Uses the tool that is offered to `caller` as `name`, as far as the gate lets it; after `until` the answer is of no
    /// use. Whatever goes wrong is in what comes back, in words.
    pub async fn call(&self, caller: &Caller, name: &str, arguments: Value, until: Instant) -> Used {
        match self.find(caller, name) {
            // Whoever writes the arguments has seen the code.
            Some(tool) => call::used(caller, tool, &[DataClass::Source, DataClass::Finding], arguments, until).await,
            None => call::unknown(name, &arguments),
        }
    }

    /// The tool that is offered to `caller` as `name`.
    fn find(&self, caller: &Caller, name: &str) -> Option<&dyn Tool> {
        self.named(caller, name).map(|named| named.tool.as_ref())
    }

    /// The same, with the name under which it is offered.
    fn named(&self, caller: &Caller, name: &str) -> Option<&Named> {
        let called = |name: &str| self.offered(caller).find(|named| named.name == name);
        // A model may write the one tool that thinks in either way.
        called(name).or_else(|| if thinking::is_thinking(name) { called(thinking::NAME) } else { None })
    }

    /// The tools that `caller` may wish for.
    fn offered<'a>(&'a self, caller: &Caller) -> impl Iterator<Item = &'a Named> + use<'a> {
        let remembers = |named: &Named| named.tool.kind() == Some(ToolKind::Memory);
        let at_server =
            caller.client.is_empty() && self.tools.iter().any(|named| remembers(named) && !is_builtin(named));
        let may_remember = caller.remembers;
        self.tools.iter().filter(move |named| !remembers(named) || (may_remember && is_builtin(named) != at_server))
    }
}

/// Whether a tool is Conclave's own.
fn is_builtin(named: &Named) -> bool {
    named.tool.place() == ToolPlace::Builtin
}

/// A name for `tool` that no other of `named` has: at most 64 letters, digits, `_` and `-`.
fn name_among(named: &[Named], tool: &dyn Tool) -> String {
    let fit = |text: &str, most: usize| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(most).collect()
    };
    let is_free = |name: &String| !name.is_empty() && named.iter().all(|other| other.name != *name);
    let own = &tool.offer().name;
    let whole = [fit(own, 64), fit(&format!("{}_{own}", tool.server()), 64)];
    let counted = (2_usize..).map(|n| format!("{}_{n}", fit(own, 50)));
    whole.into_iter().chain(counted).find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests;
