//! A worker under way, in the care of one task that speaks with it.

use std::collections::HashMap;
use std::time::Duration;

use conclave_core::local::{FailKind, Loaded, Reply, Request};
use conclave_effects::{Exit, Gate, Hearing, Permit, StartWorker, TellWorker, Worker, WorkerError, start_worker};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::error::{AskError, quote};
use crate::provider::Info;

/// How long a worker may take to give a question up: it does so between two steps of the model.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a worker that nobody asks keeps its memory.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// A worker. Dropping it ends it.
pub(super) struct Alive {
    handle: Handle,
    task: JoinSet<()>,
}

/// The way to the task.
#[derive(Clone)]
pub(super) struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    status: watch::Receiver<Status>,
}

/// How it stands with a worker.
#[derive(Clone, Debug)]
pub(super) enum Status {
    /// It loads its model.
    Loading,
    /// It can be asked.
    Ready(Loaded),
    /// It is no more.
    Over(Fault),
}

/// Why a worker is no more, or did not do what it was told.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It was stopped, or nobody needed it.
    Stopped,
    /// It did not start.
    NotStarted(String),
    /// It said so.
    Failed(FailKind, String),
    /// It died, or had to be ended.
    Died {
        /// By what.
        how: String,
        /// Its last words.
        message: String,
    },
}

/// What the task is told.
pub(super) enum Command {
    /// To put a question.
    Ask {
        /// The word that it may be put.
        permit: Box<Permit<TellWorker>>,
        /// Its number.
        id: u64,
        /// Where the replies go.
        replies: mpsc::UnboundedSender<Reply>,
        /// Whether it was put.
        told: oneshot::Sender<Result<(), WorkerError>>,
    },
    /// That a question needs no answer any more.
    GiveUp(u64),
    /// To end.
    Stop,
}

/// A question that has been put. Dropping it gives the question up, if it is not answered.
pub(super) struct Asked {
    commands: mpsc::UnboundedSender<Command>,
    id: u64,
}

impl Asked {
    pub(super) fn new(handle: &Handle, ask: Command, id: u64) -> Self {
        // A task that has ended drops it, which whoever waits for it sees.
        let _ = handle.commands.send(ask);
        Self { commands: handle.commands.clone(), id }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::GiveUp(self.id));
    }
}

impl Alive {
    /// Starts a worker, and lets it load its model.
    pub(super) fn start(gate: Gate, permit: Permit<StartWorker>, load: &Request) -> Self {
        let (commands, heard) = mpsc::unbounded_channel();
        let (tell, status) = watch::channel(Status::Loading);
        let load = serde_json::to_string(load).unwrap_or_default();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let seq = permit.seq();
            let fault = match start_worker(permit).await {
                Ok((worker, hearing)) => {
                    gate.note_outcome(seq, "started");
                    Care { worker, commands: heard, status: &tell, asked: HashMap::new(), given_up: HashMap::new() }
                        .attend(hearing, &load)
                        .await
                }
                Err(error) => {
                    gate.note_outcome(seq, "not started");
                    Fault::NotStarted(error.to_string())
                }
            };
            tracing::debug!(?fault, "the worker is no more");
            let _ = tell.send(Status::Over(fault));
        });
        Self { handle: Handle { commands, status }, task }
    }

    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends it. When this returns, nothing of it is left.
    pub(super) async fn stop(mut self) {
        let _ = self.handle.commands.send(Command::Stop);
        while self.task.join_next().await.is_some() {}
    }
}

impl Handle {
    pub(super) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until the model is loaded.
    pub(super) async fn loaded(&mut self) -> Result<Loaded, Fault> {
        match self.status.wait_for(|status| !matches!(status, Status::Loading)).await.as_deref() {
            Ok(Status::Ready(loaded)) => Ok(loaded.clone()),
            Ok(Status::Over(fault)) => Err(fault.clone()),
            Ok(Status::Loading) | Err(_) => Err(Fault::Stopped),
        }
    }
}

impl Handle {
    /// Why the worker is no more, once it is; it is being ended.
    pub(super) async fn over(&self) -> Fault {
        let mut status = self.status.clone();
        match status.wait_for(|status| matches!(status, Status::Over(_))).await.as_deref() {
            Ok(Status::Over(fault)) => fault.clone(),
            _ => Fault::Stopped,
        }
    }
}

/// The task's part.
struct Care<'a> {
    worker: Worker,
    commands: mpsc::UnboundedReceiver<Command>,
    status: &'a watch::Sender<Status>,
    /// Questions under way.
    asked: HashMap<u64, mpsc::UnboundedSender<Reply>>,
    /// Questions that were given up and are still being answered, with when that has to end.
    given_up: HashMap<u64, Instant>,
}

impl Care<'_> {
    /// Stays with the worker to its end.
    async fn attend(mut self, mut hearing: Hearing, load: &str) -> Fault {
        // One that has ended is heard of below.
        let _ = self.worker.signal(load).await;
        let mut idle = Instant::now() + IDLE;
        loop {
            if !self.asked.is_empty() || matches!(*self.status.borrow(), Status::Loading) {
                idle = Instant::now() + IDLE;
            }
            let overdue = self.given_up.values().min().copied();
            let fault = tokio::select! {
                command = self.commands.recv() => match command {
                    None | Some(Command::Stop) => Some(Fault::Stopped),
                    Some(command) => {
                        self.obey(command).await;
                        None
                    }
                },
                line = hearing.next_line() => match line {
                    Some(line) => self.hear(&line),
                    None => {
                        let (exit, stderr) = hearing.ended().await;
                        return Fault::died(exit, &stderr);
                    }
                },
                () = sleep_until(overdue.unwrap_or(idle)) => Some(match overdue {
                    Some(_) => Fault::Died { how: "ended by Conclave".to_owned(), message: "it did not stop when told to".to_owned() },
                    None => Fault::Stopped,
                }),
            };
            if let Some(fault) = fault {
                hearing.end().await;
                return fault;
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Ask { permit, id, replies, told } => {
                let result = self.worker.tell(*permit).await;
                if result.is_ok() {
                    self.asked.insert(id, replies);
                }
                // Whoever does not wait for it any more has given it up.
                let _ = told.send(result);
            }
            Command::GiveUp(id) => {
                if self.asked.remove(&id).is_some() {
                    self.given_up.insert(id, Instant::now() + PATIENCE);
                    let cancel = serde_json::to_string(&Request::Cancel { id }).unwrap_or_default();
                    let _ = self.worker.signal(&cancel).await;
                }
            }
            Command::Stop => {}
        }
    }

    /// Passes a reply on; what comes back is why there can be no more.
    fn hear(&mut self, line: &[u8]) -> Option<Fault> {
        let Ok(reply) = serde_json::from_slice::<Reply>(line) else { return Some(Fault::unknown()) };
        let (id, is_last) = match &reply {
            Reply::Loaded(loaded) => {
                self.status.send_replace(Status::Ready(loaded.clone()));
                return None;
            }
            Reply::Failed { id: None, kind, why } => return Some(Fault::Failed(*kind, why.clone())),
            Reply::Inspected(_) => return None,
            Reply::Delta { id, .. } => (*id, false),
            Reply::Done(done) => (done.id, true),
            Reply::Failed { id: Some(id), .. } => (*id, true),
        };
        if let Some(replies) = self.asked.get(&id) {
            // Whoever does not hear it has given the question up.
            let _ = replies.send(reply);
        }
        if is_last {
            self.asked.remove(&id);
            self.given_up.remove(&id);
        }
        None
    }
}

impl Fault {
    /// A worker that ended by itself.
    pub(super) fn died(exit: Option<Exit>, stderr: &[u8]) -> Self {
        let how = match exit {
            Some(Exit::Code(code)) => format!("exit code {code}"),
            Some(Exit::Signal(signal)) => format!("signal {signal}"),
            Some(Exit::TimedOut) | None => "unknown".to_owned(),
        };
        let text = String::from_utf8_lossy(stderr);
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
        Self::Died { how, message: last.to_owned() }
    }

    /// One that says what nobody understands.
    pub(super) fn unknown() -> Self {
        let message = "it is of another version than this program".to_owned();
        Self::Died { how: "ended by Conclave".to_owned(), message }
    }

    pub(super) fn error(self, info: &Info) -> AskError {
        self.error_of(&info.place)
    }

    /// As whoever asked sees it; `file` is the model file.
    pub(super) fn error_of(self, file: &str) -> AskError {
        match self {
            Self::Stopped => AskError::Cut,
            Self::NotStarted(why) => {
                AskError::NotInstalled(format!("the worker for local models does not start: {why}"))
            }
            Self::Died { how, message } => {
                AskError::Ended { program: "conclave-local".to_owned(), how, message: quote(&message, None) }
            }
            Self::Failed(FailKind::NoFile, _) => {
                let file = quote(file, None);
                AskError::NotInstalled(format!(
                    "the model file `{file}` cannot be read; choose it again in the settings"
                ))
            }
            Self::Failed(FailKind::TooLong, _) => AskError::TooLong,
            Self::Failed(FailKind::NotAModel | FailKind::NoChatTemplate | FailKind::NoMemory, why) => {
                AskError::NotOffered(quote(&why, None))
            }
            Self::Failed(FailKind::BadSchema, why) => AskError::WrongForm { why: quote(&why, None) },
            Self::Failed(FailKind::BadRequest | FailKind::Broken, why) => AskError::Ended {
                program: "conclave-local".to_owned(),
                how: "refused".to_owned(),
                message: quote(&why, None),
            },
        }
    }
}
