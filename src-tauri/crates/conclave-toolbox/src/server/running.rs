//! One server: started when it is first used, kept, compared with what was approved, and ended when it misbehaves.
//!
//! Invariants: one question at a time, so that a server that loses what it is told at the same time loses nothing; a
//! server for thinking gets a process for each run, because it keeps one history for all that it is told; one for memory
//! gets a process and a file for each client; three failures in a row park a server until somebody looks at it, in this
//! process or in another. That it was not asked, because the gate or somebody else stood in the way, is none of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use conclave_core::id::RunId;
use conclave_core::settings::{McpServer, ToolKind};
use conclave_effects::{
    Body, CallServer, Consent, Facts, Gate, Installed, Listing, Permit, Secret, Server, ServerFolder, StartServer,
    host_of, start_server,
};
use conclave_inference::tools::ToolResult;
use conclave_policy::{Actor, digest};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::command::fetching;
use super::definition::Definition;
use super::hosted::Hosted;
use super::import::{is_key, is_secret};
use super::trouble::Trouble;
use super::{Surroundings, answer};
use crate::{Caller, Given};

/// Failures in a row after which a server is not started again.
pub(super) const MOST_FAILURES: u32 = 3;
/// Most processes of one server.
const MOST_OPEN: usize = 4;

/// A folder in which nothing is, for whoever has no project.
const NOWHERE: &str = "/nonexistent";

/// A server of the settings.
pub struct ToolServer {
    name: String,
    setting: McpServer,
    around: Surroundings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is under way, and for whom; the oldest first.
    open: Vec<(Whose, Open)>,
    failures: u32,
    /// When the last of them was.
    failed_at_ms: i64,
}

impl State {
    fn fail(&mut self, gate: &Gate) {
        self.failures += 1;
        self.failed_at_ms = gate.clock().now_ms();
    }
}

/// For whom a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whose {
    /// For one run.
    Run(RunId),
    /// For one client; what is remembered of one is never seen for another.
    Client(String),
    /// For whoever looks at it, before anything is used.
    Look,
}

impl Whose {
    /// What is put behind the server's name for the name of its folder.
    fn suffix(&self) -> String {
        match self {
            Self::Run(run) => format!("-{}", &digest(run.as_str().as_bytes())[..16]),
            Self::Client(client) if client.is_empty() => String::new(),
            Self::Client(client) => format!("-{}", &digest(client.as_bytes())[..16]),
            Self::Look => "-look".to_owned(),
        }
    }
}

struct Open {
    way: Way,
    /// What tells its files from all others.
    program: Option<String>,
    /// What it said of itself when it was started.
    listing: Listing,
}

enum Way {
    Program(Box<Server>, Option<ServerFolder>),
    Address(Hosted),
}

/// What was seen of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What it is now.
    pub definition: Definition,
    /// Whether that is what was approved.
    pub approved: bool,
    /// What is different from what was approved, in sentences; all of it is new where nothing was.
    pub differences: Vec<String>,
    /// What it asked of us and was refused.
    pub refused: Vec<String>,
}

impl ToolServer {
    /// The server `name` of the settings; nothing is started yet.
    pub fn new(name: &str, setting: &McpServer, around: Surroundings) -> Self {
        Self { name: name.to_owned(), setting: setting.clone(), around, state: Mutex::default() }
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the settings say of it.
    pub(super) fn setting(&self) -> &McpServer {
        &self.setting
    }

    /// Whether the settings have it so under this name.
    pub fn is_set(&self, name: &str, setting: &McpServer) -> bool {
        self.name == name && self.setting == *setting
    }

    /// Starts it for a look, and ends it; what it is now is kept, for the person to approve.
    ///
    /// # Errors
    /// Why it cannot be seen, in words.
    pub async fn look(&self, gate: &Gate, actor: &Actor) -> Result<Seen, String> {
        let until = Instant::now() + self.patience();
        let open = self.start((gate, actor), &Whose::Look, Path::new(NOWHERE), until).await.map_err(Trouble::why)?;
        let seen = self.seen(gate, &open);
        let refused = match open.way {
            Way::Program(server, _) => {
                let refused = server.refused();
                server.end().await;
                refused
            }
            Way::Address(_) => Vec::new(),
        };
        let (definition, approved, differences) = seen?;
        // Whoever has it parked, here or elsewhere, knows by this that somebody looked.
        let now_ms = gate.clock().now_ms();
        self.around.store.see_server(&self.name, &definition.text(), now_ms).map_err(|error| error.to_string())?;
        self.state.lock().await.failures = 0;
        Ok(Seen { definition, approved, differences, refused })
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.setting.timeout_ms)
    }

    /// What `open` is, whether that is approved, and what differs; written down when it was not seen before.
    fn seen(&self, gate: &Gate, open: &Open) -> Result<(Definition, bool, Vec<String>), String> {
        let definition = Definition::new(&self.setting, open.program.as_deref(), &open.listing)?;
        let text = definition.text();
        let pin = self.around.store.server_pin(&self.name).map_err(|error| error.to_string())?;
        if pin.as_ref().is_none_or(|pin| pin.seen != text) {
            let now = gate.clock().now_ms();
            self.around.store.see_server(&self.name, &text, now).map_err(|error| error.to_string())?;
        }
        let approved = pin.and_then(|pin| pin.approved);
        let before = approved.as_deref().and_then(Definition::from_text);
        let differences = before.as_ref().map_or_else(Vec::new, |before| before.differences(&definition));
        Ok((definition, approved.as_deref() == Some(&text), differences))
    }

    /// Uses `tool` for `caller`; see [`Tool::call`](crate::Tool::call).
    ///
    /// # Errors
    /// Why there is no answer, in words.
    pub(super) async fn call(
        &self,
        caller: &Caller,
        tool: &str,
        given: Given,
        read_only: bool,
        until: Instant,
    ) -> Result<ToolResult, String> {
        let until = until.min(Instant::now() + self.patience());
        let Ok(mut state) = timeout_at(until, self.state.lock()).await else {
            return Err("it is still busy with what it was asked before".to_owned());
        };
        let name = &self.name;
        if state.failures >= MOST_FAILURES && self.was_looked_at_after(state.failed_at_ms) {
            state.failures = 0;
        }
        if state.failures >= MOST_FAILURES {
            return Err(format!(
                "it failed {MOST_FAILURES} times in a row and is not started again; `conclave tools test {name}` looks at it"
            ));
        }
        let whose = match self.setting.serves {
            Some(ToolKind::Thinking) => Whose::Run(caller.run.clone()),
            // Whatever it is for, it may remember.
            _ => Whose::Client(caller.client.clone()),
        };
        // Every path begins with an empty one.
        let project = if caller.project.is_empty() { NOWHERE } else { &caller.project };
        let at = state.open.iter().position(|(other, _)| *other == whose);
        // Whoever gives up half-way leaves nothing behind that is half done.
        let mut open = match at.map(|at| state.open.remove(at).1) {
            Some(open) => open,
            None => match self.start((&caller.gate, &caller.actor), &whose, Path::new(project), until).await {
                Ok(open) => open,
                Err(trouble) => {
                    if matches!(trouble, Trouble::Failed(_)) {
                        state.fail(&caller.gate);
                    }
                    return Err(trouble.why());
                }
            },
        };
        let answered = self.ask(&mut open, caller, tool, given, read_only, until).await;
        match &answered {
            Err(Trouble::Failed(_)) => {
                state.fail(&caller.gate);
                open.end().await;
            }
            other => {
                // Who was not asked has shown nothing of itself.
                if !matches!(other, Err(Trouble::NotAsked(_))) {
                    state.failures = 0;
                }
                state.open.push((whose, open));
                if state.open.len() > MOST_OPEN {
                    state.open.remove(0).1.end().await;
                }
            }
        }
        answered.map_err(Trouble::why)
    }

    /// Whether somebody looked at it since.
    fn was_looked_at_after(&self, at_ms: i64) -> bool {
        let pin = self.around.store.server_pin(&self.name);
        pin.ok().flatten().is_some_and(|pin| pin.seen_at_ms > at_ms)
    }

    async fn ask(
        &self,
        open: &mut Open,
        caller: &Caller,
        tool: &str,
        given: Given,
        read_only: bool,
        until: Instant,
    ) -> Result<ToolResult, Trouble> {
        let by = (&caller.gate, &caller.actor);
        open.listing.tools = match &mut open.way {
            Way::Program(server, _) => server.tools(until).await?,
            Way::Address(hosted) => hosted.tools(by, until).await?,
        };
        let (_, approved, differences) = self.seen(&caller.gate, open).map_err(Trouble::Failed)?;
        if !approved {
            let name = &self.name;
            let what = match differences.first() {
                None => "it is not approved yet".to_owned(),
                Some(first) => format!("it is not what you approved: {}", first.trim_end_matches('.')),
            };
            return Err(Trouble::Failed(format!(
                "{what}; `conclave tools test {name}` shows it, `conclave tools approve {name}` lets it be used"
            )));
        }
        let project = (!caller.project.is_empty()).then(|| caller.project.clone());
        let result = match &mut open.way {
            Way::Address(hosted) => {
                let known = self.around.keys.all(by.0, by.1).await.map_err(Trouble::NotAsked)?;
                let known: Vec<&Secret> = known.iter().collect();
                hosted.call(by, (tool, project), given, &known, until).await?
            }
            Way::Program(server, folder) => {
                let known = match &self.setting.reaches {
                    Some(_) => self.around.keys.all(by.0, by.1).await.map_err(Trouble::NotAsked)?,
                    None => Vec::new(),
                };
                let known: Vec<&Secret> = known.iter().collect();
                let call = CallServer {
                    server: self.name.clone(),
                    tool: tool.to_owned(),
                    arguments: Body::redacted(given.arguments.to_string().into_bytes(), &known)
                        .map_err(|error| Trouble::NotAsked(error.to_string()))?,
                    reaches: self.setting.reaches.clone(),
                    consent: Consent::Settings,
                    facts: Facts { data: given.data, project, ..Facts::default() },
                };
                let permit = by.0.authorize(by.1.clone(), call).await;
                let permit = permit.map_err(|denied| Trouble::NotAsked(denied.reason))?;
                let writes = folder.as_ref().filter(|_| !read_only);
                if let Some(folder) = writes {
                    folder.back_up().map_err(|error| Trouble::NotAsked(error.to_string()))?;
                }
                let result = server.call(permit, until).await;
                // Read back: it may say that it wrote and have spoiled all that was there.
                match writes.map(ServerFolder::is_sound_or_restored) {
                    None | Some(Ok(true)) => {}
                    Some(Ok(false)) => {
                        return Err(Trouble::Failed("it spoiled its file; what was there before is back".to_owned()));
                    }
                    Some(Err(error)) => return Err(Trouble::Failed(error.to_string())),
                }
                result?
            }
        };
        answer::read(&result).map_err(Trouble::Useless)
    }

    /// Starts it and hears what it says of itself.
    async fn start(&self, by: (&Gate, &Actor), whose: &Whose, project: &Path, until: Instant) -> Result<Open, Trouble> {
        match (&self.setting.command, &self.setting.url) {
            (Some(command), None) => {
                let prepared = self.prepared(by, whose, (command, project)).await;
                let (permit, folder, digest) = prepared.map_err(Trouble::NotAsked)?;
                let (server, listing) = start_server(permit, until).await?;
                Ok(Open { way: Way::Program(Box::new(server), folder), program: Some(digest), listing })
            }
            (None, Some(url)) => {
                let key = match &self.setting.key {
                    Some(_) => self.key(by, url).await.map_err(Trouble::NotAsked)?,
                    None => None,
                };
                let (proxy, roots) = (self.around.proxy.clone(), self.around.tls_roots.clone());
                let roots = roots.map_err(Trouble::NotAsked)?;
                let mut hosted = Hosted::new(self.name.clone(), url.clone(), key, proxy, roots);
                let listing = hosted.open(by, until).await?;
                Ok(Open { way: Way::Address(hosted), program: None, listing })
            }
            _ => Err(Trouble::NotAsked("its settings have to name either a command or an address".to_owned())),
        }
    }

    /// Leave to start its program, with the folder that it may write and what tells its files from all others.
    async fn prepared(
        &self,
        (gate, actor): (&Gate, &Actor),
        whose: &Whose,
        (command, project): (&str, &Path),
    ) -> Result<(Permit<StartServer>, Option<ServerFolder>, String), String> {
        let args = &self.setting.args;
        if let Some(fetching) = fetching(command, args) {
            return Err(fetching.why());
        }
        // The settings file may have been written by hand.
        let has_secret = |(name, value): (&String, &String)| is_key(name) || is_secret(value);
        if let Some((name, _)) = self.setting.env.iter().find(|entry| has_secret(*entry)) {
            return Err(format!("`{name}` of its environment holds a secret; `conclave keys set` keeps it instead"));
        }
        if args.iter().any(|word| is_secret(word)) {
            return Err("there is a secret among its arguments; `conclave keys set` keeps it instead".to_owned());
        }
        let (program, args, digest) = found(command.to_owned(), args.clone(), project.to_owned()).await?;
        let secret_env = match (&self.setting.key, &self.setting.reaches) {
            (None, _) => None,
            (Some(_), None) => {
                return Err("it has a key and reaches no host; say in `reaches` for which one".to_owned());
            }
            (Some(variable), Some(reaches)) => {
                self.key((gate, actor), reaches).await?.map(|key| (variable.clone(), key))
            }
        };
        let mut env: Vec<(String, String)> =
            self.setting.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut set = |name: &str, value: String| {
            env.retain(|(known, _)| known != name);
            env.push((name.to_owned(), value));
        };
        // Otherwise each thought, and with it code, would be on its standard error.
        set("DISABLE_THOUGHT_LOGGING", "true".to_owned());
        let folder = match self.setting.serves {
            Some(ToolKind::Memory) => {
                let held = self
                    .around
                    .data
                    .server_folder(&format!("{}{}", self.name, whose.suffix()))
                    .map_err(|error| error.to_string())?;
                let folder = held.ok_or("another process of Conclave uses it now")?;
                // It may have been ended half-way the last time.
                folder.is_sound_or_restored().map_err(|error| error.to_string())?;
                set("MEMORY_FILE_PATH", ServerFolder::file_inside());
                Some(folder)
            }
            _ => None,
        };
        let start = StartServer {
            name: self.name.clone(),
            program,
            args,
            env,
            secret_env,
            folder: folder.as_ref().map(|folder| folder.path().to_owned()),
            reaches: self.setting.reaches.clone(),
            proxy: self.around.proxy.clone(),
            consent: Consent::Settings,
            guest: self.around.guest.clone(),
        };
        let permit = gate.authorize(actor.clone(), start).await.map_err(|denied| denied.reason)?;
        Ok((permit, folder, digest))
    }

    /// The key for the host of `url`, bound to it.
    async fn key(&self, (gate, actor): (&Gate, &Actor), url: &str) -> Result<Option<Secret>, String> {
        let host = host_of(url).map_err(|error| error.to_string())?;
        let key = self.around.keys.of(gate, actor, &host).await?;
        Ok(key.map(|key| key.for_host(host)))
    }
}

/// The program that `command` names, with what is left of its arguments and what tells its files from all others. A
/// script that an interpreter is given by its whole path is part of the program.
async fn found(
    command: String,
    mut args: Vec<String>,
    project: PathBuf,
) -> Result<(Installed, Vec<String>, String), String> {
    let look = move || {
        let missing = || format!("`{command}` is not installed, or not where programs are looked for");
        let mut program = Installed::find(&command, &project).ok_or_else(missing)?;
        let script = args.first().map(PathBuf::from).filter(|path| path.is_absolute() && !path.starts_with(&project));
        if let Some(running) = script.and_then(|script| program.clone().running(&script)) {
            program = running;
            args.remove(0);
        }
        let digest = program.digest().map_err(|error| format!("`{command}` cannot be read: {error}"))?;
        Ok((program, args, digest))
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_else(|error| Err(error.to_string()))
}

impl Open {
    async fn end(self) {
        if let Way::Program(server, _) = self.way {
            server.end().await;
        }
    }
}
