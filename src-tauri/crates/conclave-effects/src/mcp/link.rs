//! The conversation with a server in the sandbox: one question at a time, over lines.
//!
//! Invariants: every wait has an end; every line that does not answer what was asked is counted, and too many end the
//! server; after the handshake there is no second chance for whoever answers what nobody asked.

use std::collections::BTreeSet;
use std::time::Duration;

use conclave_policy::ToolRequest;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use super::wire::{self, Said};
use super::{Listing, PROTOCOL, ServerError};
use crate::agent::relay::Relay;
use crate::sandbox::Running;
use crate::{Exit, RunCommand, SandboxError};

/// How long a server may take to end once its input is closed.
const GRACE: Duration = Duration::from_secs(2);
/// Lines before the handshake that are no messages: some programs greet.
const GREETING: u32 = 16;
/// What a server may say without having been asked: so much at once, and so much each second.
const BURST: f64 = 1000.0;
const EACH_SECOND: f64 = 100.0;
/// Most pages of a list, and most tools.
const PAGES: usize = 32;
const MOST_TOOLS: usize = 256;
/// Kinds of questions of a server that are remembered.
const REMEMBERED: usize = 8;

/// What is still to be written to a server; more than so many lines are waiting for one that does not read.
const WAITING: usize = 64;

pub(super) struct Link {
    running: Running,
    /// Closing it closes the server's input.
    to: Option<mpsc::Sender<Zeroizing<Vec<u8>>>>,
    /// Writes to the server, and passes its connections on; ends with it.
    _tasks: JoinSet<()>,
    next: u64,
    /// Questions whose answers may still come and are not wanted any more.
    given_up: BTreeSet<u64>,
    opened: bool,
    faults: u32,
    allowance: Allowance,
    refused: BTreeSet<String>,
    over: Option<ServerError>,
}

/// How much a server may still say without having been asked.
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn take(&mut self, now: Instant) -> bool {
        self.left = (self.left + now.duration_since(self.at).as_secs_f64() * EACH_SECOND).min(BURST) - 1.0;
        self.at = now;
        self.left >= 0.0
    }
}

impl Link {
    /// Starts what was judged; one with a way out is told its orders first.
    pub(super) async fn start(
        command: RunCommand,
        judged: ToolRequest,
        out: Option<(Relay, Zeroizing<Vec<u8>>)>,
    ) -> Result<Self, SandboxError> {
        let own = out.iter().map(|(relay, _)| relay.mount()).collect();
        let (running, input) = Running::start_beside(command, judged, own).await?;
        let (to, lines) = mpsc::channel(WAITING);
        let mut tasks = JoinSet::new();
        if let Some((relay, orders)) = out {
            // The channel is empty, so there is room.
            let _ = to.try_send(orders);
            tasks.spawn(async move { match relay.serve().await {} });
        }
        tasks.spawn(write(input, lines));
        Ok(Self {
            running,
            to: Some(to),
            _tasks: tasks,
            next: 1,
            given_up: BTreeSet::new(),
            opened: false,
            faults: 0,
            allowance: Allowance { left: BURST, at: Instant::now() },
            refused: BTreeSet::new(),
            over: None,
        })
    }

    /// The handshake, and the list of tools.
    pub(super) async fn open(&mut self, until: Instant) -> Result<Listing, ServerError> {
        let params = json!({
            "protocolVersion": PROTOCOL,
            // Nothing is offered to a server.
            "capabilities": {},
            "clientInfo": { "name": "conclave", "version": env!("CARGO_PKG_VERSION") },
        });
        let said = self.ask("initialize", params, until).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if said["protocolVersion"].as_str().is_none() {
            return Err(self.fault("it greets without a version of the protocol"));
        }
        self.opened = true;
        self.say(&wire::notice("notifications/initialized", Value::Null))?;
        let tools = self.tools(until).await?;
        Ok(Listing {
            name: text(&said["serverInfo"]["name"]),
            version: text(&said["serverInfo"]["version"]),
            instructions: text(&said["instructions"]),
            tools,
        })
    }

    /// All pages of the list of tools.
    pub(super) async fn tools(&mut self, until: Instant) -> Result<Vec<Value>, ServerError> {
        let mut tools = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES {
            let params = cursor.map_or_else(|| json!({}), |cursor: String| json!({ "cursor": cursor }));
            let mut page = self.ask("tools/list", params, until).await?;
            let Value::Array(some) = page["tools"].take() else {
                return Err(self.fault("its list of tools is none"));
            };
            tools.extend(some);
            if tools.len() > MOST_TOOLS {
                return Err(self.fault("it offers more tools than anybody needs"));
            }
            match page["nextCursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(tools),
            }
        }
        Err(self.fault("its list of tools has no end"))
    }

    /// Asks one thing, and waits for the answer.
    pub(super) async fn ask(&mut self, method: &str, params: Value, until: Instant) -> Result<Value, ServerError> {
        if let Some(error) = &self.over {
            return Err(error.clone());
        }
        let id = self.next;
        self.next += 1;
        self.say(&wire::request(id, method, params))?;
        // Until it is answered: whoever waits may be gone before that.
        self.given_up.insert(id);
        match timeout_at(until, self.answer(id)).await {
            Ok(answer) => {
                self.given_up.remove(&id);
                if let Err(error) = answer.as_ref().map_err(Clone::clone) {
                    self.over = Some(error).filter(ServerError::is_final);
                }
                answer
            }
            Err(_) => {
                let given_up = json!({ "requestId": id, "reason": "it took too long" });
                self.say(&wire::notice("notifications/cancelled", given_up))?;
                Err(ServerError::Late)
            }
        }
    }

    /// Reads until `id` is answered.
    async fn answer(&mut self, id: u64) -> Result<Value, ServerError> {
        loop {
            let Some(line) = self.running.next_line().await else { return Err(self.no_more()) };
            match wire::read(&line) {
                Said::Answer { id: answered, outcome } if answered == id => {
                    return outcome.map_err(ServerError::Failed);
                }
                Said::Answer { id: answered, .. } if self.given_up.remove(&answered) => {}
                Said::Answer { .. } => return Err(self.fault("it answers what nobody asked")),
                Said::Asked { id, method } if method == "ping" => self.say(&wire::pong(id))?,
                Said::Asked { id, method } => {
                    tracing::warn!(method, "a tool server asked for what it is not offered");
                    if self.refused.len() < REMEMBERED {
                        self.refused.insert(method);
                    }
                    self.say(&wire::refusal(id))?;
                }
                Said::Told { .. } => {}
                Said::Garbage(_) if !self.opened && self.faults < GREETING => self.faults += 1,
                Said::Garbage(why) => return Err(self.fault(&format!("of what it says, {why}"))),
            }
            if !self.allowance.take(Instant::now()) {
                return Err(self.fault("it says too much that nobody asked for"));
            }
        }
    }

    fn say(&mut self, message: &Value) -> Result<(), ServerError> {
        let mut line = Zeroizing::new(message.to_string().into_bytes());
        line.push(b'\n');
        match self.to.as_ref().map(|to| to.try_send(line)) {
            Some(Ok(())) => Ok(()),
            Some(Err(mpsc::error::TrySendError::Full(_))) => Err(self.fault("it does not read what it is told")),
            // How it ended is known once there is nothing more to read.
            Some(Err(mpsc::error::TrySendError::Closed(_))) | None => Ok(()),
        }
    }

    fn fault(&mut self, why: &str) -> ServerError {
        let error = ServerError::Protocol(why.to_owned());
        self.over = Some(error.clone());
        error
    }

    fn no_more(&mut self) -> ServerError {
        let error = match self.running.overran() {
            true => ServerError::Protocol("it says a line that does not end".to_owned()),
            false => ServerError::Ended(" before it answered".to_owned()),
        };
        self.over = Some(error.clone());
        error
    }

    /// What it has asked for in vain.
    pub(super) fn refused(&self) -> Vec<String> {
        self.refused.iter().cloned().collect()
    }

    /// Closes its input, gives it a moment, and ends it.
    pub(super) async fn end(mut self) {
        self.to = None;
        let quiet = async { while self.running.next_line().await.is_some() {} };
        // A line that does not end says no more either; what does not end by itself is ended with all that it started.
        let _ = timeout(GRACE, quiet).await;
        let (exit, stderr) = self.running.end_with().await;
        if !matches!(exit, Some(Exit::Code(0))) {
            let last = String::from_utf8_lossy(&stderr);
            tracing::debug!(?exit, last = wire::shown(last.lines().last().unwrap_or_default()), "a tool server ended");
        }
    }
}

/// Writes until nothing more is to be written or nobody reads; then the server's input is closed.
async fn write(mut input: ChildStdin, mut lines: mpsc::Receiver<Zeroizing<Vec<u8>>>) {
    while let Some(line) = lines.recv().await {
        if input.write_all(&line).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
}
