//! Servers of the Model Context Protocol that the settings name, as tools.
//!
//! A server is a program in the sandbox or an address. What it is and says of itself (command, files, instructions, tools)
//! is approved by the person before anything of it is used, and compared with what was approved each time it is started
//! and before each use; any difference blocks it until it is approved anew.
//!
//! Deliberately absent: whether a tool may be used (the gate says so), and what it is for. Invariants: models are told
//! only what was approved; a server never gets an environment, a folder, a network or a key but its own; whatever it does
//! is an answer or a reason in words.

mod answer;
pub mod command;
pub mod definition;
mod hosted;
pub mod import;
pub mod name;
mod running;
mod schema;
#[cfg(test)]
mod tests;
mod trouble;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use conclave_core::settings::{Settings, ToolKind};
use conclave_effects::{DataDir, Gate, Secret, TlsRoots, ToolPlace, host_of};
use conclave_inference::tools::ToolOffer;
use conclave_policy::Actor;
use conclave_store::Store;
use tokio::time::Instant;

use crate::{Caller, Calling, Given, Tool};
use definition::{DefinedTool, Definition};
pub use running::{Seen, ToolServer};

/// Where the keys of hosts are.
pub trait Keys: Send + Sync {
    /// The key of `host`, for `actor`; `None` where it has none.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    fn of<'a>(&'a self, gate: &'a Gate, actor: &'a Actor, host: &'a str) -> Asking<'a, Option<Secret>>;

    /// All keys, none of which may be in what leaves.
    ///
    /// # Errors
    /// Why they cannot be had, in words; nothing leaves then.
    fn all<'a>(&'a self, gate: &'a Gate, actor: &'a Actor) -> Asking<'a, Vec<Secret>>;
}

/// What asking for keys gives.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// What servers need around them; cheap to clone.
#[derive(Clone)]
pub struct Surroundings {
    /// What was approved.
    pub store: Store,
    /// Where their folders are.
    pub data: Arc<DataDir>,
    /// Where their keys are.
    pub keys: Arc<dyn Keys>,
    /// Conclave's own program, which stands between a program with a way out and its host.
    pub guest: Option<PathBuf>,
    /// The proxy of the settings.
    pub proxy: Option<String>,
    /// The certificates of the settings; why they cannot be read, and then no address is asked.
    pub tls_roots: Result<Option<TlsRoots>, String>,
}

/// A server that may be used as it was approved. Its processes end when nobody holds it any more.
#[derive(Clone)]
pub struct Approved {
    server: Arc<ToolServer>,
    /// The text of the definition that was approved.
    text: String,
}

impl Approved {
    /// The server.
    pub fn server(&self) -> &Arc<ToolServer> {
        &self.server
    }

    /// Whether both are the very same server, approved as the same.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.server, &other.server) && self.text == other.text
    }
}

/// All servers that `settings` turn on and the person has approved as they are set, in the order of their names; one that
/// is among `before` with the same setting and the same approval goes on as it is.
///
/// Nothing is started for it. A server that is set otherwise than it was approved is left out: by the time that it could
/// be compared it would have been started, with its key.
pub fn approved(settings: &Settings, around: &Surroundings, before: &[Approved]) -> Vec<Approved> {
    let on = settings.mcp_servers.iter().filter(|(_, setting)| setting.enabled);
    let all = on.filter_map(|(name, setting)| {
        let text = around.store.server_pin(name).ok().flatten()?.approved?;
        let definition = Definition::from_text(&text)?;
        if definition.set_as(setting) != definition {
            return None;
        }
        let same = before.iter().find(|one| one.text == text && one.server.is_set(name, setting));
        let server = same.map(|one| Arc::clone(&one.server));
        let server = server.unwrap_or_else(|| Arc::new(ToolServer::new(name, setting, around.clone())));
        Some(Approved { server, text })
    });
    all.collect()
}

/// The tools of `servers`, in their order.
pub fn tools(servers: &[Approved]) -> Vec<Box<dyn Tool>> {
    let mut tools: Vec<Box<dyn Tool>> = Vec::new();
    for Approved { server, text } in servers {
        let approved = Definition::from_text(text).map(|definition| definition.tools()).unwrap_or_default();
        for tool in approved {
            tools.push(Box::new(ServerTool::new(server, tool)));
        }
    }
    tools
}

/// One approved tool of a server.
struct ServerTool {
    server: Arc<ToolServer>,
    kind: Option<ToolKind>,
    /// The host elsewhere that it can reach.
    reaches: Option<String>,
    offer: ToolOffer,
    /// Whether the server says that it changes nothing.
    read_only: bool,
}

impl ServerTool {
    fn new(server: &Arc<ToolServer>, tool: DefinedTool) -> Self {
        let setting = server.setting();
        let DefinedTool { name, description, schema, read_only } = tool;
        let offer = ToolOffer { name, description, schema };
        let address = setting.url.as_ref().or(setting.reaches.as_ref());
        // An address that cannot be used is judged as one elsewhere; nothing is sent there.
        let reaches = address.map(|url| host_of(url).unwrap_or_else(|_| "unusable".to_owned()));
        Self { server: Arc::clone(server), kind: setting.serves, reaches, offer, read_only }
    }
}

impl Tool for ServerTool {
    fn server(&self) -> &str {
        self.server.name()
    }

    fn kind(&self) -> Option<ToolKind> {
        self.kind
    }

    fn place(&self) -> ToolPlace {
        ToolPlace::Server { reaches: self.reaches.clone() }
    }

    fn offer(&self) -> &ToolOffer {
        &self.offer
    }

    fn call<'a>(&'a self, caller: &'a Caller, given: Given, until: Instant) -> Calling<'a> {
        Box::pin(self.server.call(caller, &self.offer.name, given, self.read_only, until))
    }
}
