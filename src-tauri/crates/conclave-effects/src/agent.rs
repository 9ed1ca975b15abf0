//! A program that takes a question to a model elsewhere: run in the sandbox, with one way out.
//!
//! What such a program is given leaves this machine, so it is judged as what is sent to the one host that the program can
//! reach. Inside the sandbox there is no network; a [`guest`] of ours listens there on the program's behalf and brings
//! its connections to a [`relay`] outside, which lets through those to that host and no other. The bytes of a connection
//! are not looked at: what the program is given was looked through before. Where whoever runs it has [`Lines`] for it, the
//! relay takes a second kind of connection, whose lines are answered in this process and go nowhere else.
//!
//! The program has an empty home, an empty working folder, an environment that is built up from nothing, and no project.
//! Its key is in its own environment and in no command line. Where no sandbox can be built it does not run.

pub mod guest;
mod installed;
#[cfg(target_os = "linux")]
pub(crate) mod relay;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use conclave_policy::secret::scan;
use conclave_policy::{Access, Action, Actor, ToolRequest, digest_parts, keys};

use crate::http::target::Target;
use crate::touched::on_paths;
use crate::{Body, Consent, Effect, Exit, Facts, HttpError, Limits, Permit, RunCommand, SandboxError, Secret};

pub use installed::Installed;

/// The program's home in the sandbox, and the empty folder in it where it starts.
pub const AGENT_HOME: &str = "/home/conclave";
const FOLDER: &str = "/home/conclave/empty";

/// How long a program may take to say its version.
const VERSION_LIMIT: Duration = Duration::from_secs(20);

/// What programs may reserve of their address space. Those that run JavaScript reserve far more than they ever use; what
/// they use is limited by [`AgentLimits::memory_bytes`].
const ADDRESS_SPACE: u64 = 1 << 42;

/// Largest file with a login that is put into the program's home, in bytes.
#[cfg(target_os = "linux")]
const LARGEST_LOGIN: u64 = 64 * 1024;

/// The effect of giving a question to a program that takes it to a model.
///
/// It has no `Debug`, because the keys it holds have none.
pub struct RunAgent {
    /// The program, as [`Installed::find`] found it.
    pub program: Installed,
    /// Its arguments.
    pub args: Vec<String>,
    /// The version that it said to have.
    pub version: String,
    /// Its environment, beside a search path, a home, a folder for temporary files and a language.
    pub env: Vec<(String, String)>,
    /// Variables whose values are secret; their names are recorded.
    pub secret_env: Vec<(String, Secret)>,
    /// Files in its home, by their path below it.
    pub files: Vec<(String, Body)>,
    /// A file of the person's with the program's own login, and its path below the program's home. It gets a copy.
    pub login: Option<(PathBuf, String)>,
    /// What it reads from its standard input.
    pub body: Body,
    /// The address of the one host that it can reach.
    pub url: String,
    /// The proxy that the person's settings name, which other machines are reached through.
    pub proxy: Option<String>,
    /// On whose word it is given.
    pub consent: Consent,
    /// What for, in a few words for the ledger.
    pub purpose: String,
    /// What rules may want to know of it.
    pub facts: Facts,
    /// What it may use up.
    pub limits: AgentLimits,
    /// Conclave's own program, which stands between the program and the relay; see [`guest`].
    pub guest: PathBuf,
    /// Whoever answers what the program says to Conclave itself, where it may say anything.
    pub lines: Option<Arc<dyn Lines>>,
}

/// Answers the lines that a program in the sandbox writes to `conclave relay-guest lines`, in order, one at a time.
pub trait Lines: Send + Sync {
    /// The answer to `line`, one line too, both without their ends; `None` where it wants none. What the line holds is a
    /// stranger's.
    fn answer<'a>(&'a self, line: &'a [u8]) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send + 'a>>;
}

/// What a program may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentLimits {
    /// Time from start to end.
    pub wall: Duration,
    /// Memory of each process, in bytes.
    pub memory_bytes: u64,
    /// Processes and threads at a time.
    pub processes: u64,
    /// Largest file it may write, and most it may put in its home and in `/tmp` each, in bytes.
    pub file_bytes: u64,
    /// Most bytes that are kept of each output.
    pub output_bytes: usize,
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentReport {
    /// How it ended.
    pub status: Exit,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
    /// Whether the middle of an output was left out.
    pub truncated: bool,
    /// Its connections.
    pub connections: Connections,
}

/// What a program's connections were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// How many there were to the one host.
    pub made: u64,
    /// Why the one host was not reached, the last time that it was not.
    pub failed: Option<String>,
    /// How many were refused, because they were to go elsewhere.
    pub refused: u64,
    /// Where those wanted to go, each once; the first ones where there were many.
    pub destinations: Vec<String>,
}

/// Why a program was not run, or its end is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// It cannot be given what it was to be given; it has not run.
    #[error(transparent)]
    Unfit(#[from] HttpError),
    /// The sandbox did not run it.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl Installed {
    /// The effect of asking the program for its version: it sees itself and nothing else, and has no way out.
    pub fn ask_version(&self, left: Duration) -> RunCommand {
        // By way of `env`, so that the sandbox does not copy a program of hundreds of megabytes for it.
        let argv = ["env".to_owned()].into_iter().chain(self.argv.iter().cloned()).chain(["--version".to_owned()]);
        RunCommand {
            argv: argv.collect(),
            tree: PathBuf::from("/usr"),
            writable: false,
            env: Vec::new(),
            read_only: self.shown.clone(),
            within: Vec::new(),
            loopback: true,
            limits: Limits {
                wall: VERSION_LIMIT.min(left),
                memory_bytes: ADDRESS_SPACE,
                processes: 256,
                file_bytes: 64 << 20,
                output_bytes: 16 << 10,
            },
            project: None,
        }
    }
}

impl RunAgent {
    /// What the sandbox starts: our guest, which sees the program.
    fn command(&self) -> RunCommand {
        let limits = self.limits;
        let guest = (!self.guest.starts_with("/usr")).then(|| self.guest.clone());
        RunCommand {
            argv: vec![self.guest.to_string_lossy().into_owned(), guest::SUBCOMMAND.to_owned()],
            // One that it sees anyway.
            tree: PathBuf::from("/usr"),
            writable: false,
            env: Vec::new(),
            read_only: guest.into_iter().chain(self.program.shown.iter().cloned()).collect(),
            within: Vec::new(),
            // Where the guest listens on the program's behalf.
            loopback: true,
            limits: Limits {
                wall: limits.wall,
                memory_bytes: ADDRESS_SPACE,
                processes: limits.processes,
                file_bytes: limits.file_bytes,
                output_bytes: limits.output_bytes,
            },
            project: None,
        }
    }

    fn argv(&self) -> Vec<String> {
        self.program.argv.iter().chain(&self.args).cloned().collect()
    }

    /// Over everything that it is given but the values of secret variables and its login.
    fn digest(&self) -> String {
        let argv = self.argv();
        let env = self.env.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let files = self.files.iter().flat_map(|(path, body)| [path.as_bytes(), body.bytes()]);
        digest_parts(argv.iter().map(String::as_bytes).chain(env).chain(files).chain([self.body.bytes()]))
    }

    fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.files.iter().map(|(_, body)| body).chain([&self.body])
    }

    /// Looks through everything that it is given but secret variables and its login, as it is about to be given.
    fn must_be_clean(&self) -> Result<(), HttpError> {
        let values = self.secret_env.iter().map(|(_, value)| value.expose());
        let known: Vec<&str> = values.chain(self.bodies().flat_map(Body::known)).collect();
        // Without their names, which may make a number of tokens look like one.
        let env = self.env.iter().map(|(_, value)| value.clone());
        let words = env.chain(self.args.iter().cloned()).collect::<Vec<_>>().join("\n").into_bytes();
        for bytes in self.bodies().map(Body::bytes).chain([words.as_slice()]) {
            if let Some(hit) = scan(bytes, &known)?.into_iter().next() {
                return Err(HttpError::Secret { label: hit.label });
            }
        }
        Ok(())
    }

    /// What was taken out of what it is given, as labels of formats with how often each was found.
    pub fn redactions(&self) -> Vec<(String, usize)> {
        let mut all: Vec<(String, usize)> = Vec::new();
        for (label, count) in self.bodies().flat_map(Body::redactions) {
            match all.iter_mut().find(|(known, _)| known == label) {
                Some((_, sum)) => *sum += count,
                None => all.push((label.clone(), *count)),
            }
        }
        all
    }
}

impl Effect for RunAgent {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let list = |texts: &[String]| serde_json::Value::from(texts).to_string();
        let target = Target::parse(&self.url);
        let (resource, host, port, loopback) = match &target {
            Ok(target) => (target.shown(), target.host.clone(), target.port.to_string(), target.loopback),
            // It will not be run; it is judged as the worst.
            Err(_) => ("unusable address".to_owned(), String::new(), String::new(), false),
        };
        let command = self.command();
        let shown = command.read_only.iter().chain(self.login.iter().map(|(path, _)| path)).map(PathBuf::as_path);
        let paths: Vec<(&Path, Access)> =
            [command.tree.as_path()].into_iter().chain(shown).map(|path| (path, Access::Read)).collect();
        let names = self.env.iter().map(|(name, _)| name).chain(self.secret_env.iter().map(|(name, _)| name));
        let names: Vec<String> = names.cloned().collect();
        let secret_names: Vec<&str> = self.secret_env.iter().map(|(name, _)| name.as_str()).collect();
        let taken: usize = self.redactions().iter().map(|(_, count)| count).sum();
        let bytes: usize = self.bodies().map(|body| body.bytes().len()).sum();
        let mut request = on_paths(actor, Action::SendHttp, Path::new(&resource), &paths)
            .with(keys::HOST, host)
            .with("port", port)
            .with("place", if loopback { "loopback" } else { "remote" })
            .with("consent", self.consent.as_str())
            .with("method", "a program")
            .with("purpose", self.purpose.clone())
            .with("bytes", bytes.to_string())
            .with(keys::REDACTIONS, taken.to_string())
            // A body is made by taking out all that are found.
            .with(keys::SECRETS, "0")
            .with("secret_environment", secret_names.join(" "))
            .with("digest", self.digest())
            .with(keys::SANDBOX, "yes")
            .with(keys::ARGV, list(&self.argv()))
            .with(keys::ENVIRONMENT, list(&names))
            .with("version", self.version.clone())
            .with("agent", self.program.state())
            .with("seconds", self.limits.wall.as_secs().to_string());
        if let (Some(proxy), false) = (&self.proxy, loopback) {
            let shown = crate::http::target::proxy(proxy).map_or_else(|_| "unusable address".to_owned(), Into::into);
            request = request.with("proxy", shown);
        }
        if self.lines.is_some() {
            request = request.with("lines", "answered here");
        }
        for (key, value) in crate::sandbox::executed(&command) {
            request = request.with(key, value);
        }
        self.facts.told(request)
    }
}

/// Runs the program to its end, or to the end of its time.
///
/// Dropping the future ends the program and everything it started, and its connections.
///
/// # Errors
/// [`AgentError`]; a program that ran and failed is not an error but a report.
#[cfg(target_os = "linux")]
pub async fn run_agent(permit: Permit<RunAgent>) -> Result<AgentReport, AgentError> {
    let (agent, judged) = permit.open().map_err(HttpError::from)?;
    let target = Target::parse(&agent.url)?;
    for bound in agent.secret_env.iter().filter_map(|(_, secret)| secret.host()) {
        if !target.is(bound) {
            return Err(HttpError::OtherHost { bound: bound.to_owned(), host: target.account() }.into());
        }
    }
    agent.must_be_clean()?;
    if judged.context.get("agent") != Some(&agent.program.state()) {
        let program = agent.program.argv.first().cloned().unwrap_or_default();
        return Err(HttpError::from(crate::Stale::changed(program)).into());
    }
    let relay = relay::Relay::open(&target, agent.proxy.as_deref(), agent.lines.clone())?;
    let input = agent.orders(&judged, &target)?.message(agent.body.bytes())?;
    let command = agent.command();
    let limits = command.limits;
    let prepared = crate::sandbox::prepare_beside(command, judged, vec![relay.mount()]).await?;
    let report = tokio::select! {
        report = crate::sandbox::supervise_fed(prepared, &limits, input) => report?,
        never = relay.serve() => match never {},
    };
    let crate::CommandReport { status, stdout, stderr, truncated, .. } = report;
    Ok(AgentReport { status, stdout, stderr, truncated, connections: relay.connections() })
}

/// Runs nothing: there is no sandbox on this operating system yet.
///
/// # Errors
/// Always [`SandboxError::Unavailable`].
#[cfg(not(target_os = "linux"))]
pub async fn run_agent(permit: Permit<RunAgent>) -> Result<AgentReport, AgentError> {
    drop(permit);
    let reason = "programs are sandboxed on Linux only so far".to_owned();
    Err(SandboxError::Unavailable { reason }.into())
}

#[cfg(target_os = "linux")]
impl RunAgent {
    /// What the guest is told.
    fn orders(&self, judged: &ToolRequest, target: &Target) -> Result<guest::Orders, AgentError> {
        let failed = |reason: String| SandboxError::Io { reason };
        let text = |body: &Body| String::from_utf8_lossy(body.bytes()).into_owned();
        let mut files: Vec<(String, String)> =
            self.files.iter().map(|(path, body)| (format!("{AGENT_HOME}/{path}"), text(body))).collect();
        if let Some((path, inside)) = &self.login {
            let number = 1 + self.command().read_only.len();
            let login = installed::read_judged(path, LARGEST_LOGIN, (judged, number))?;
            let login = String::from_utf8(login).map_err(|_| failed(format!("`{}` is no text", path.display())))?;
            files.push((format!("{AGENT_HOME}/{inside}"), login));
        }
        let secret = self.secret_env.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
        let path = self.program.search_path();
        let env = std::iter::once(("PATH".to_owned(), path)).chain(self.env.iter().cloned()).chain(secret).collect();
        let listen = relay::listens(target)?;
        let (argv, memory_bytes) = (self.argv(), self.limits.memory_bytes);
        Ok(guest::Orders {
            argv,
            env,
            files,
            folder: FOLDER.to_owned(),
            listen,
            to: relay::authority(target),
            memory_bytes,
        })
    }
}

/// The address `url` as a program in the sandbox reaches it: names of this machine as numbers, because nobody resolves
/// names in there.
///
/// # Errors
/// [`HttpError::BadUrl`] for an address that nothing is sent to.
pub fn url_inside(url: &str) -> Result<String, HttpError> {
    let target = Target::parse(url)?;
    let mut inside = target.url;
    if target.host == "localhost" {
        inside.set_host(Some("127.0.0.1")).map_err(|error| HttpError::BadUrl { reason: error.to_string() })?;
    }
    Ok(String::from(inside).trim_end_matches('/').to_owned())
}
