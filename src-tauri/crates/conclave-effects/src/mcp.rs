//! A server of the Model Context Protocol that runs on this machine: a program in the sandbox, asked one thing at a time.
//!
//! Two effects, because they are two questions: whether the program may run, and whether these arguments may be given to
//! this tool of it. The program has no network, or a [`relay`](crate::agent) to the one host that the settings name; then
//! both are judged as what is sent there. Its environment is built up from nothing. Its key, if it has one, is in its own
//! environment and nowhere else.
//!
//! The client is small and our own: each line that a server says is counted before anything is made of it, which a client
//! that hands messages on to tasks as they come does not do. A server that does not keep to the protocol is ended.
//! Deliberately absent: what tools mean, which of them may be used, and all that a server may ask of a client.

mod folder;
#[cfg(target_os = "linux")]
mod link;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
pub mod wire;

use std::path::PathBuf;
use std::time::Duration;

use conclave_policy::{Action, Actor, ToolCall, ToolRequest, digest_parts, keys};
use serde_json::Value;
use tokio::time::Instant;

pub use folder::ServerFolder;

use crate::agent::guest;
#[cfg(target_os = "linux")]
use crate::agent::relay;
use crate::http::target::Target;
use crate::{Body, Consent, Effect, Facts, HttpError, Installed, Limits, Permit, RunCommand, SandboxError, Secret};

/// The revision that is spoken with programs: the last one with a handshake.
pub const PROTOCOL: &str = "2025-11-25";

/// Longest line that a server may say, in bytes.
pub const LONGEST_LINE: usize = 4 << 20;
/// Largest file that it may write, in bytes.
const LARGEST_FILE: u64 = 64 << 20;
/// Memory of each of its processes, in bytes.
const MEMORY: u64 = 1 << 30;
/// What it may reserve of its address space; programs that run JavaScript reserve far more than they use.
const ADDRESS_SPACE: u64 = 1 << 42;
/// Processes and threads at a time.
const PROCESSES: u64 = 64;
/// Time that it is kept, calculated by each of its processors.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The effect of starting a server.
///
/// It has no `Debug`, because the key it holds has none.
pub struct StartServer {
    /// Its name in the settings.
    pub name: String,
    /// The program, as [`Installed::find`] found it.
    pub program: Installed,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, beside a search path, a home, a folder for temporary files and a language.
    pub env: Vec<(String, String)>,
    /// The variable that holds its key, and the key.
    pub secret_env: Option<(String, Secret)>,
    /// The folder that it may write; it starts there.
    pub folder: Option<PathBuf>,
    /// The address of the one host that it can reach.
    pub reaches: Option<String>,
    /// The proxy that the person's settings name, which other machines are reached through.
    pub proxy: Option<String>,
    /// On whose word it is started.
    pub consent: Consent,
    /// Conclave's own program, which stands between a server with a way out and the relay.
    pub guest: Option<PathBuf>,
}

/// The effect of giving arguments to a tool of a server.
///
/// It has no `Debug`, because the secrets that the body was looked through for have none.
pub struct CallServer {
    /// The server's name in the settings.
    pub server: String,
    /// The tool's name.
    pub tool: String,
    /// The arguments: a JSON object.
    pub arguments: Body,
    /// The address of the one host that the server can reach.
    pub reaches: Option<String>,
    /// On whose word they are given.
    pub consent: Consent,
    /// What rules may want to know of it.
    pub facts: Facts,
}

/// What a server says of itself once it has started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Its own name.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
    /// What it wants a model to be told.
    pub instructions: String,
    /// Its tools, as it describes them.
    pub tools: Vec<Value>,
}

/// Why a server gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// What it is to be given cannot be given; nothing was.
    #[error(transparent)]
    Unfit(#[from] HttpError),
    /// The sandbox did not run it.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// It took too long.
    #[error("it did not answer in time")]
    Late,
    /// It is not there any more.
    #[error("it ended{0}")]
    Ended(String),
    /// It does what no server may; it was ended.
    #[error("it does not keep to the protocol: {0}")]
    Protocol(String),
    /// It answered with an error of its own.
    #[error("it answers `{message}` ({code})", message = .0.message, code = .0.code)]
    Failed(wire::Failure),
}

impl ServerError {
    /// Whether the server is of no more use.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Failed(_) | Self::Unfit(_))
    }
}

impl StartServer {
    fn argv(&self) -> Vec<String> {
        self.program.argv.iter().chain(&self.args).cloned().collect()
    }

    /// What the sandbox starts: the program under a limit of its memory, or our guest, which sets that limit itself.
    fn command(&self) -> RunCommand {
        let own = self.guest.as_ref().filter(|_| self.reaches.is_some());
        let argv = match own {
            Some(own) => vec![own.to_string_lossy().into_owned(), guest::SUBCOMMAND.to_owned()],
            None => {
                let limit = ["prlimit".to_owned(), format!("--data={MEMORY}"), "--".to_owned()];
                limit.into_iter().chain(self.argv()).collect()
            }
        };
        let shown = own.filter(|path| !path.starts_with("/usr")).cloned();
        RunCommand {
            argv,
            // Whoever has no folder of its own sees one that it sees anyway.
            tree: self.folder.clone().unwrap_or_else(|| PathBuf::from("/usr")),
            writable: self.folder.is_some(),
            env: if own.is_some() { Vec::new() } else { self.environment() },
            read_only: shown.into_iter().chain(self.program.shown.iter().cloned()).collect(),
            within: Vec::new(),
            // Where the guest listens on the program's behalf.
            loopback: own.is_some(),
            limits: Limits {
                wall: LIFE,
                memory_bytes: ADDRESS_SPACE,
                processes: PROCESSES,
                file_bytes: LARGEST_FILE,
                output_bytes: LONGEST_LINE,
            },
            project: None,
        }
    }

    /// Its environment without its key.
    fn environment(&self) -> Vec<(String, String)> {
        let path = std::iter::once(("PATH".to_owned(), self.program.search_path()));
        path.chain(self.env.iter().cloned()).collect()
    }
}

/// Where a server reaches, as a request says it: resource, host, port, and whether that is on this machine.
fn place(reaches: &str) -> (String, String, String, bool) {
    match Target::parse(reaches) {
        Ok(target) => (target.shown(), target.host.clone(), target.port.to_string(), target.loopback),
        // It will not be used; it is judged as the worst.
        Err(_) => ("unusable address".to_owned(), String::new(), String::new(), false),
    }
}

/// A request about a server that can reach `reaches` is one to send something there.
fn outward(mut request: ToolRequest, reaches: Option<&str>) -> ToolRequest {
    let Some(reaches) = reaches else { return request.with("place", "server") };
    let (resource, host, port, loopback) = place(reaches);
    request.action = Action::SendHttp;
    request.resource = resource;
    let place = if loopback { "loopback" } else { "remote" };
    request.with(keys::HOST, host).with("port", port).with("place", place).with("method", "a tool server")
}

impl Effect for StartServer {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let list = |texts: &[String]| Value::from(texts).to_string();
        let names = self.env.iter().map(|(name, _)| name).chain(self.secret_env.iter().map(|(name, _)| name));
        let names: Vec<String> = names.cloned().collect();
        let argv = self.argv();
        let env = self.env.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let digest = digest_parts(argv.iter().map(String::as_bytes).chain(env));
        let secret = self.secret_env.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
        let mut request = self
            .command()
            .request(actor)
            .with(keys::ARGV, list(&argv))
            .with(keys::ENVIRONMENT, list(&names))
            .with("digest", digest)
            .with("agent", self.program.state())
            .with("secret_environment", secret)
            .with("consent", self.consent.as_str())
            .with("purpose", format!("start the tool server `{}`", self.name))
            .with("server", self.name.clone())
            .with("bytes", "0")
            .with(keys::SECRETS, "0")
            .with("kept", "yes");
        request.resource = self.program.program().to_owned();
        if let Some(proxy) = self.proxy.as_ref().filter(|_| self.reaches.is_some()) {
            let shown = crate::http::target::proxy(proxy).map_or_else(|_| "unusable address".to_owned(), Into::into);
            request = request.with("proxy", shown);
        }
        outward(request, self.reaches.as_deref())
    }
}

impl Effect for CallServer {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let taken = self.arguments.redactions().iter().map(|(_, count)| count).sum::<usize>().to_string();
        let mut request =
            ToolRequest::new(actor.clone(), Action::CallTool, format!("mcp://{}/{}", self.server, self.tool))
                .with(keys::SANDBOX, "yes")
                .with("consent", self.consent.as_str())
                .with("purpose", format!("use `{}` of the tool server `{}`", self.tool, self.server))
                .with("server", self.server.clone())
                .with("bytes", self.arguments.bytes().len().to_string())
                .with(keys::REDACTIONS, taken.clone())
                // Where it could go on to somebody else, one that was there is reason enough to give nothing.
                .with(keys::SECRETS, if self.reaches.is_some() { taken } else { "0".to_owned() })
                .with("digest", digest_parts([self.arguments.bytes()]));
        request.call = Some(Box::new(ToolCall {
            tool: self.tool.clone(),
            server: Some(self.server.clone()),
            session: None,
            cwd: None,
            // They stand in the decision that let the tool be used; here the digest says that they are the same.
            parameters: Value::Null,
        }));
        outward(self.facts.told(request), self.reaches.as_deref())
    }
}

/// A server under way. Dropping it ends the server and everything that it started.
pub struct Server {
    name: String,
    reaches: Option<String>,
    #[cfg(target_os = "linux")]
    link: link::Link,
}

/// Starts a server and hears what it says of itself, until `until`.
///
/// # Errors
/// [`ServerError`]; then nothing of it is left.
#[cfg(target_os = "linux")]
pub async fn start_server(permit: Permit<StartServer>, until: Instant) -> Result<(Server, Listing), ServerError> {
    let (server, judged) = permit.open().map_err(HttpError::from)?;
    if judged.context.get("agent") != Some(&server.program.state()) {
        return Err(HttpError::from(crate::Stale::changed(server.program.program())).into());
    }
    let target = server.reaches.as_deref().map(Target::parse).transpose()?;
    match (&server.secret_env, &target) {
        (None, _) => {}
        (Some((_, secret)), Some(target)) if secret.host().is_none_or(|bound| target.is(bound)) => {}
        (Some((_, secret)), target) => {
            let bound = secret.host().unwrap_or("no host").to_owned();
            let host = target.as_ref().map_or_else(|| "a server without a network".to_owned(), Target::account);
            return Err(HttpError::OtherHost { bound, host }.into());
        }
    }
    let mut link = match target {
        None => link::Link::start(server.command(), judged, None).await?,
        Some(target) => {
            if server.guest.is_none() {
                let reason = "`conclave` is not there, which a server with a way out needs beside it".to_owned();
                return Err(SandboxError::Unavailable { reason }.into());
            }
            let relay = relay::Relay::open(&target, server.proxy.as_deref(), None).map_err(|error| match error {
                crate::AgentError::Unfit(error) => ServerError::Unfit(error),
                crate::AgentError::Sandbox(error) => ServerError::Sandbox(error),
            })?;
            let secret = server.secret_env.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
            let orders = guest::Orders {
                argv: server.argv(),
                env: server.environment().into_iter().chain(secret).collect(),
                files: Vec::new(),
                folder: format!("{}/empty", crate::agent::AGENT_HOME),
                listen: relay::listens(&target)?,
                to: relay::authority(&target),
                memory_bytes: MEMORY,
            };
            let orders = orders.message(&[])?;
            link::Link::start(server.command(), judged, Some((relay, orders))).await?
        }
    };
    match link.open(until).await {
        Ok(listing) => Ok((Server { name: server.name, reaches: server.reaches, link }, listing)),
        Err(error) => {
            link.end().await;
            Err(error)
        }
    }
}

/// Starts nothing: there is no sandbox on this operating system yet.
///
/// # Errors
/// Always [`SandboxError::Unavailable`].
#[cfg(not(target_os = "linux"))]
pub async fn start_server(permit: Permit<StartServer>, _: Instant) -> Result<(Server, Listing), ServerError> {
    drop(permit);
    let reason = "programs are sandboxed on Linux only so far".to_owned();
    Err(SandboxError::Unavailable { reason }.into())
}

impl Server {
    /// Gives a tool the arguments that were judged, and waits for its answer until `until`.
    ///
    /// # Errors
    /// [`ServerError`]; the server is of no more use where [`ServerError::is_final`] says so.
    pub async fn call(&mut self, permit: Permit<CallServer>, until: Instant) -> Result<Value, ServerError> {
        let (call, judged) = permit.open().map_err(HttpError::from)?;
        if (&call.server, &call.reaches) != (&self.name, &self.reaches) {
            return Err(HttpError::from(crate::Stale::changed(judged.resource)).into());
        }
        // Once more on the very bytes, as everywhere.
        let known: Vec<&str> = call.arguments.known().collect();
        let bytes = call.arguments.bytes();
        let found = conclave_policy::secret::scan(bytes, &known).map_err(HttpError::from)?;
        let taken = call.arguments.redactions().first().map(|(label, _)| label).filter(|_| self.reaches.is_some());
        if let Some(label) = found.first().map(|hit| &hit.label).or(taken) {
            return Err(HttpError::Secret { label: label.clone() }.into());
        }
        let Ok(arguments @ Value::Object(_)) = serde_json::from_slice::<Value>(bytes) else {
            return Err(HttpError::Unscannable("the arguments are no JSON object".to_owned()).into());
        };
        let params = serde_json::json!({ "name": call.tool, "arguments": arguments });
        self.ask("tools/call", params, until).await
    }

    /// Its tools as it describes them now.
    ///
    /// # Errors
    /// As [`Server::call`].
    pub async fn tools(&mut self, until: Instant) -> Result<Vec<Value>, ServerError> {
        #[cfg(target_os = "linux")]
        return self.link.tools(until).await;
        #[cfg(not(target_os = "linux"))]
        Err(ServerError::Ended(format!(" before {until:?}")))
    }

    #[cfg(target_os = "linux")]
    async fn ask(&mut self, method: &str, params: Value, until: Instant) -> Result<Value, ServerError> {
        self.link.ask(method, params, until).await
    }

    #[cfg(not(target_os = "linux"))]
    async fn ask(&mut self, _: &str, _: Value, _: Instant) -> Result<Value, ServerError> {
        Err(ServerError::Ended(String::new()))
    }

    /// What it has asked of us and was refused, each kind once.
    pub fn refused(&self) -> Vec<String> {
        #[cfg(target_os = "linux")]
        return self.link.refused();
        #[cfg(not(target_os = "linux"))]
        Vec::new()
    }

    /// Closes its input, gives it a moment to end, and ends it. When this returns, nothing of it is left.
    pub async fn end(self) {
        #[cfg(target_os = "linux")]
        self.link.end().await;
    }
}
