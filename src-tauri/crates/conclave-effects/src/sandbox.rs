//! Running a program on a copy of a project, with no way out.
//!
//! The program sees the system's own tools read-only, a few named tool folders read-only, an empty home, and the copy
//! at `/scratch`. It has no network, no other process in sight, an environment of a few variables, and limits. When it
//! ends, everything it started ends with it.
//!
//! Invariants: no other door of this crate starts a program; where the sandbox cannot be built nothing runs, and there
//! is no lesser variant to fall back to.

#[cfg(target_os = "linux")]
mod bubblewrap;
#[cfg(target_os = "linux")]
mod descent;
#[cfg(target_os = "linux")]
mod filter;
mod guest;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod output;
mod program;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use conclave_policy::{Action, Actor, ToolRequest, digest_parts};

pub(crate) use guest::guest;
pub use program::{find_program, tool_folders};

use crate::{Effect, Permit, Stale};

/// Where the sandbox shows [`RunCommand::tree`].
pub const WORK: &str = "/scratch";

/// The effect of running one program in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCommand {
    /// The program and its arguments. The program by name, looked up in the system's folders, or by its path in the
    /// sandbox.
    pub argv: Vec<String>,
    /// The folder that appears as `/scratch`, where the program starts: a scratch copy, never the project itself.
    pub tree: PathBuf,
    /// Whether the program may change `/scratch`.
    pub writable: bool,
    /// Environment variables beside `PATH`, `HOME`, `TMPDIR` and `LANG`.
    pub env: Vec<(String, String)>,
    /// Folders and files of tools that appear read-only at their own path, beside the system's own: never a home, nor
    /// anything above one.
    pub read_only: Vec<PathBuf>,
    /// What the program may use up.
    pub limits: Limits,
}

/// What a sandboxed program may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time from start to end.
    pub wall: Duration,
    /// Address space of each process, in bytes.
    pub memory_bytes: u64,
    /// Processes and threads at a time.
    pub processes: u64,
    /// Largest file it may write, and most it may put in its home and in `/tmp` each, in bytes.
    pub file_bytes: u64,
    /// Most bytes that are kept of each output: half of them from its beginning, half from its end.
    pub output_bytes: usize,
}

impl Default for Limits {
    /// Two minutes, 2 GiB, 64 processes, files of 64 MiB, 8 MiB of each output.
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(120),
            memory_bytes: 2 << 30,
            processes: 64,
            file_bytes: 64 << 20,
            output_bytes: 8 << 20,
        }
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal. A program that itself ends with 128 and a signal's number, as shells do, reads the same.
    Signal(i32),
    /// By us, when its time was up.
    TimedOut,
}

/// What a sandboxed program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandReport {
    /// How it ended.
    pub status: Exit,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
    /// Whether the middle of an output was left out.
    pub truncated: bool,
    /// Milliseconds from start to end.
    pub wall_ms: u64,
}

/// Why a program was not run, or its end is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// It is too late, or no longer what was judged.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// No sandbox can be built on this machine.
    #[error("no sandbox can be built here: {reason}")]
    Unavailable {
        /// Why, and what would help.
        reason: String,
    },
    /// The program is missing.
    #[error("`{program}` is not there, or not where the sandbox can see it")]
    NotFound {
        /// The program.
        program: String,
    },
    /// This one run could not be set up or brought to its end.
    #[error("the sandbox failed: {reason}")]
    Io {
        /// Why.
        reason: String,
    },
}

impl Effect for RunCommand {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let list = |texts: &[String]| serde_json::Value::from(texts).to_string();
        let read_only: Vec<String> = self.read_only.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let names: Vec<String> = self.env.iter().map(|(name, _)| name.clone()).collect();
        let env = self.env.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let context = [
            ("sandbox", "yes".to_owned()),
            ("argv", list(&self.argv)),
            ("root", self.tree.to_string_lossy().into_owned()),
            ("writable", if self.writable { "yes" } else { "no" }.to_owned()),
            ("read_only", list(&read_only)),
            ("environment", list(&names)),
            ("digest", digest_parts(env)),
            ("seconds", self.limits.wall.as_secs().to_string()),
        ];
        ToolRequest {
            context: BTreeMap::from(context.map(|(key, value)| (key.to_owned(), value))),
            ..ToolRequest::new(actor.clone(), Action::RunCommand, self.argv.first().cloned().unwrap_or_default())
        }
    }
}

/// Runs the program to its end, or to the end of its time.
///
/// Dropping the future ends the program and everything it started.
///
/// # Errors
/// [`SandboxError`]; a program that ran and failed is not an error but a report.
#[cfg(target_os = "linux")]
pub async fn run(permit: Permit<RunCommand>) -> Result<CommandReport, SandboxError> {
    let (command, _) = permit.open()?;
    let sandbox = tokio::task::spawn_blocking(bubblewrap::detect);
    let sandbox = sandbox.await.map_err(|error| SandboxError::Io { reason: error.to_string() })??;
    let prepared = sandbox.prepare(&command)?;
    supervise::supervise(prepared, &command.limits).await
}

/// Which sandbox programs run in, for example `bubblewrap 0.8.0`. Tried once per process, by running a program in it.
///
/// # Errors
/// [`SandboxError::Unavailable`] says why none can be built here, and what would help.
#[cfg(target_os = "linux")]
pub fn probe() -> Result<String, SandboxError> {
    bubblewrap::detect().map(|sandbox| format!("bubblewrap {}", sandbox.version()))
}

/// Runs nothing: there is no sandbox on this operating system yet.
///
/// # Errors
/// Always [`SandboxError::Unavailable`].
#[cfg(not(target_os = "linux"))]
pub async fn run(permit: Permit<RunCommand>) -> Result<CommandReport, SandboxError> {
    drop(permit);
    Err(no_sandbox())
}

/// Which sandbox programs run in.
///
/// # Errors
/// Always [`SandboxError::Unavailable`].
#[cfg(not(target_os = "linux"))]
pub fn probe() -> Result<String, SandboxError> {
    Err(no_sandbox())
}

#[cfg(not(target_os = "linux"))]
fn no_sandbox() -> SandboxError {
    SandboxError::Unavailable { reason: "programs are sandboxed on Linux only so far".to_owned() }
}
