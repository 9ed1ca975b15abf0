//! A program of Conclave's own that runs a model: started in the sandbox, kept, and told one line at a time.
//!
//! Two effects, because they are two questions: whether the program may run with this model file, and whether this text
//! may be given to it. The program sees the system's libraries, itself, the model and one folder of its own; it has no
//! network. Where no sandbox can be built it does not run.
//!
//! What the lines mean is no business of this crate.

use std::path::PathBuf;
use std::time::Duration;

use conclave_policy::secret::scan;
use conclave_policy::{Action, Actor, ToolRequest, digest_parts, keys};
use tokio::io::AsyncWriteExt as _;

#[cfg(target_os = "linux")]
use crate::sandbox::Running;
use crate::{Body, Effect, Exit, Facts, Limits, Permit, RunCommand, SandboxError, resolve};

/// Longest time that a worker is kept, calculated by each of its processors; a limit, so that nothing calculates for ever.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Largest file that it may write.
const LARGEST_FILE: u64 = 1 << 30;
/// Address space beside its model.
const ROOM: u64 = 32 << 30;
/// Longest line that it may say, and most that is kept of what it writes to standard error, in bytes.
const LONGEST_LINE: usize = 4 << 20;
/// Longest line that may be said without asking, in bytes.
const LONGEST_SIGNAL: usize = 4096;

/// The effect of starting a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartWorker {
    /// The program: absolute.
    pub program: PathBuf,
    /// The model file that it will read: absolute. It is shown at its own path.
    pub model: PathBuf,
    /// A folder that it may write, as [`DataDir::worker_folder`](crate::DataDir::worker_folder) makes it; it appears as
    /// [`WORK`](crate::sandbox::WORK).
    pub folder: Option<PathBuf>,
}

impl StartWorker {
    fn command(&self) -> RunCommand {
        let outside_usr = |path: &&PathBuf| !path.starts_with("/usr");
        RunCommand {
            argv: vec![self.program.to_string_lossy().into_owned()],
            // Whoever has no folder of its own sees one that it sees anyway.
            tree: self.folder.clone().unwrap_or_else(|| PathBuf::from("/usr")),
            writable: self.folder.is_some(),
            // Without it a failed check of the model's library would look for a debugger.
            env: vec![("GGML_NO_BACKTRACE".to_owned(), "1".to_owned())],
            read_only: [&self.program, &self.model].into_iter().filter(outside_usr).cloned().collect(),
            within: Vec::new(),
            loopback: false,
            limits: Limits {
                wall: LIFE,
                memory_bytes: self.address_space(),
                processes: 256,
                file_bytes: LARGEST_FILE,
                output_bytes: LONGEST_LINE,
            },
            project: None,
        }
    }
}

impl StartWorker {
    /// The file is mapped and laid out anew, and there are the context and room to calculate: far more than is needed,
    /// and not endless.
    fn address_space(&self) -> u64 {
        let file = self.model.metadata().map_or(0, |found| found.len());
        file.saturating_mul(3).saturating_add(ROOM)
    }
}

impl Effect for StartWorker {
    fn request(&self, actor: &Actor) -> ToolRequest {
        self.command().request(actor).with("purpose", "run a model on this machine").with("kept", "yes")
    }
}

/// The effect of giving a worker a text.
///
/// It has no `Debug`, because the secrets that the body was looked through for have none.
pub struct TellWorker {
    /// The program.
    pub program: PathBuf,
    /// The text: one line.
    pub body: Body,
    /// What rules may want to know of it.
    pub facts: Facts,
    /// What for, in a few words for the ledger.
    pub purpose: String,
}

impl Effect for TellWorker {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let request = ToolRequest::new(actor.clone(), Action::RunCommand, self.program.to_string_lossy())
            .with(keys::SANDBOX, "yes")
            .with("place", "worker")
            // Who sets up a model file consents to its use.
            .with("consent", "settings")
            .with("purpose", self.purpose.clone())
            .with("bytes", self.body.bytes().len().to_string())
            .with(keys::REDACTIONS, self.body.redacted_count().to_string())
            // A body is made by taking out all that are found.
            .with(keys::SECRETS, "0")
            .with("digest", digest_parts([self.body.bytes()]));
        self.facts.told(request)
    }
}

/// Why a worker cannot be told something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// It is too late, or no longer what was judged.
    #[error(transparent)]
    Stale(#[from] crate::Stale),
    /// There is a secret in what is to be told; nothing was told.
    #[error("nothing was told: there is a secret in it, which looks like `{label}`")]
    Secret {
        /// What it was taken for.
        label: String,
    },
    /// The text cannot be told: it is not one line, is too long, or cannot be looked through for secrets.
    #[error("nothing was told: {0}")]
    Unfit(String),
    /// It has ended.
    #[error("the worker has ended")]
    Ended,
}

/// The way to a worker. Dropping it closes the worker's input.
pub struct Worker {
    program: PathBuf,
    #[cfg(target_os = "linux")]
    input: tokio::process::ChildStdin,
}

/// The way from a worker. Dropping it ends the worker.
pub struct Hearing {
    #[cfg(target_os = "linux")]
    running: Running,
}

/// Starts a worker.
///
/// # Errors
/// As [`run`](crate::run).
#[cfg(target_os = "linux")]
pub async fn start_worker(permit: Permit<StartWorker>) -> Result<(Worker, Hearing), SandboxError> {
    let (worker, judged) = permit.open()?;
    let (running, input) = Running::start(worker.command(), judged).await?;
    Ok((Worker { program: worker.program, input }, Hearing { running }))
}

/// Starts nothing: there is no sandbox on this operating system yet.
///
/// # Errors
/// Always [`SandboxError::Unavailable`].
#[cfg(not(target_os = "linux"))]
pub async fn start_worker(permit: Permit<StartWorker>) -> Result<(Worker, Hearing), SandboxError> {
    drop(permit);
    Err(SandboxError::Unavailable { reason: "programs are sandboxed on Linux only so far".to_owned() })
}

impl Worker {
    /// Gives it the text that was judged.
    ///
    /// # Errors
    /// [`WorkerError`]; nothing was told then, but for [`WorkerError::Ended`].
    pub async fn tell(&mut self, permit: Permit<TellWorker>) -> Result<(), WorkerError> {
        let (told, judged) = permit.open()?;
        if told.program != self.program {
            return Err(crate::Stale::changed(judged.resource).into());
        }
        // Once more on the very bytes, as everywhere.
        let known: Vec<&str> = told.body.known().collect();
        let hits = scan(told.body.bytes(), &known).map_err(|error| WorkerError::Unfit(error.to_string()))?;
        if let Some(hit) = hits.first() {
            return Err(WorkerError::Secret { label: hit.label.clone() });
        }
        self.say(told.body.bytes()).await
    }

    /// Tells it what carries nothing of anybody's: to load its model, or to give a question up.
    ///
    /// # Errors
    /// As [`Worker::tell`].
    pub async fn signal(&mut self, line: &str) -> Result<(), WorkerError> {
        if line.len() > LONGEST_SIGNAL {
            return Err(WorkerError::Unfit(format!("a signal has at most {LONGEST_SIGNAL} bytes")));
        }
        self.say(line.as_bytes()).await
    }

    async fn say(&mut self, line: &[u8]) -> Result<(), WorkerError> {
        if line.contains(&b'\n') {
            return Err(WorkerError::Unfit("it is more than one line".to_owned()));
        }
        self.write(&[line, b"\n"].concat()).await.map_err(|_| WorkerError::Ended)
    }

    #[cfg(target_os = "linux")]
    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.input.write_all(bytes).await?;
        self.input.flush().await
    }

    #[cfg(not(target_os = "linux"))]
    async fn write(&mut self, _: &[u8]) -> std::io::Result<()> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
}

impl Hearing {
    /// The next line that it says; `None` when it says no more.
    ///
    /// May be dropped half-way: what has come of a line is kept.
    pub async fn next_line(&mut self) -> Option<Vec<u8>> {
        #[cfg(target_os = "linux")]
        return self.running.next_line().await;
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// Waits for its end after it has said its last line, and brings it about when it does not come. Gives how it ended,
    /// `None` where that is not known, and what it wrote to standard error, as far as that is kept.
    pub async fn ended(self) -> (Option<Exit>, Vec<u8>) {
        #[cfg(target_os = "linux")]
        return self.running.ended().await;
        #[cfg(not(target_os = "linux"))]
        (None, Vec::new())
    }

    /// Ends it. When this returns, nothing of it is left.
    pub async fn end(self) {
        #[cfg(target_os = "linux")]
        self.running.end().await;
    }
}

/// Finds the program `name`: what the environment variable `variable` says, else what lies beside our own program.
///
/// The variable is the person's own; a project has no say in it.
pub fn find_worker(name: &str, variable: &str) -> Option<PathBuf> {
    let said = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join(name));
    let path = said.or_else(beside)?;
    path.is_absolute().then(|| resolve(&path).ok()).flatten().filter(|path| path.is_file())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
