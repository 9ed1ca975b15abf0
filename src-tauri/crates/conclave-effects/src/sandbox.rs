//! Running a program on a copy of a project, with no way out.
//!
//! The program sees the system's own tools read-only, a few named tool folders read-only, an empty home, and the copy
//! at `/scratch`. It has no network, no other process in sight, an environment of a few variables, and limits. When it
//! ends, everything it started ends with it.
//!
//! Three layers hold it, each by itself: namespaces (what there is to see), a filter of system calls (what may be asked of
//! the kernel) and, where the kernel has it, Landlock (what may be opened, should the first ever leak).
//!
//! Invariants: no other door of this crate starts a program; where the sandbox cannot be built nothing runs, and there
//! is no lesser variant to fall back to.

#[cfg(target_os = "linux")]
mod bubblewrap;
#[cfg(target_os = "linux")]
pub mod confine;
#[cfg(target_os = "linux")]
mod descent;
#[cfg(not(target_os = "linux"))]
pub mod confine {
    //! Without a sandbox there is no guest in it.

    /// Nothing is served here.
    pub fn serve() -> Option<u8> {
        None
    }
}
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod frozen;
mod guest;
#[cfg(target_os = "linux")]
mod known;
#[cfg(target_os = "linux")]
mod launch;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod output;
mod program;
#[cfg(target_os = "linux")]
mod running;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod tests;
#[cfg(target_os = "linux")]
mod usage;

use std::path::{Path, PathBuf};
use std::time::Duration;

use conclave_policy::{Access, Action, Actor, ToolRequest, digest_parts, keys};

pub(crate) use guest::guest;
#[cfg(target_os = "linux")]
pub(crate) use mounts::{Mount, SEARCHED};
pub use program::{find_program, tool_folders};
pub(crate) use program::{is_executable, script_interpreter};
#[cfg(target_os = "linux")]
pub(crate) use running::Running;
#[cfg(target_os = "linux")]
pub(crate) use supervise::supervise_fed;

use crate::touched::on_paths;
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
    /// Folders that appear read-only within `/scratch`, under this name: what a project has installed beside its own
    /// files. The copy has an empty folder in the place of each; no program is started out of them.
    pub within: Vec<(PathBuf, String)>,
    /// Whether it may talk to itself over the network of this machine, of which it has one of its own with nothing else in
    /// it. Without it no socket can be made at all but a pair of connected ones.
    pub loopback: bool,
    /// What the program may use up.
    pub limits: Limits,
    /// The project that the copy is of: absolute, links resolved.
    pub project: Option<PathBuf>,
}

/// What a sandboxed program may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time from start to end.
    pub wall: Duration,
    /// Address space of each process, and most that all of them together may hold in memory, in bytes.
    pub memory_bytes: u64,
    /// Processes and threads at a time.
    pub processes: u64,
    /// Largest file it may write, and most it may put in its home and in `/tmp` each, in bytes; the tree may grow by
    /// [`TREE_SHARE`] times as much.
    pub file_bytes: u64,
    /// Most bytes that are kept of each output: half of them from its beginning, half from its end.
    pub output_bytes: usize,
}

/// By how many times [`Limits::file_bytes`] a run may make its tree larger.
pub const TREE_SHARE: u64 = 16;

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
    /// By this signal. A program that itself ends with 128 and a signal's number, as shells do, reads the same. Who fills
    /// the disk or the memory is ended as the kernel would (`SIGXFSZ`, `SIGKILL`), with the reason behind its errors.
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
        let names: Vec<String> = self.env.iter().map(|(name, _)| name.clone()).collect();
        let env = self.env.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let access = if self.writable { Access::Write } else { Access::Read };
        let shown = self.read_only.iter().chain(self.within.iter().map(|(path, _)| path));
        let shown = shown.map(|path| (path.as_path(), Access::Read));
        let paths: Vec<(&Path, Access)> = std::iter::once((self.tree.as_path(), access)).chain(shown).collect();
        let program = self.argv.first().map(String::as_str).unwrap_or_default();
        let mut request = on_paths(actor, Action::RunCommand, Path::new(program), &paths)
            .with(keys::SANDBOX, "yes")
            .with(keys::ARGV, list(&self.argv))
            .with("root", self.tree.to_string_lossy())
            .with("writable", if self.writable { "yes" } else { "no" })
            .with("loopback", if self.loopback { "yes" } else { "no" })
            .with(keys::ENVIRONMENT, list(&names))
            .with("digest", digest_parts(env))
            .with("seconds", self.limits.wall.as_secs().to_string());
        if let Some(project) = &self.project {
            request = request.with(keys::PROJECT, project.to_string_lossy());
        }
        for (key, value) in executed(self) {
            request = request.with(key, value);
        }
        request
    }
}

/// What will be executed, as it is recorded: paths and digests of the program and of what interprets it.
#[cfg(target_os = "linux")]
pub(crate) fn executed(run: &RunCommand) -> Vec<(&'static str, String)> {
    // What cannot be found is not started either.
    let Ok(all) = mounts::mounts(run).and_then(|mounts| launch::executed(run, &mounts)) else { return Vec::new() };
    recorded(&all)
}

#[cfg(target_os = "linux")]
fn recorded(all: &[launch::Executed]) -> Vec<(&'static str, String)> {
    let join = |parts: Vec<String>| parts.join("\n");
    let path = |file: &launch::Executed| file.host.to_string_lossy().into_owned();
    let (program, interpreters) = all.split_at(all.len().min(1));
    let mut facts = Vec::new();
    for (keys, files) in
        [(["program", "program_digest"], program), (["interpreter", "interpreter_digest"], interpreters)]
    {
        if !files.is_empty() {
            facts.push((keys[0], join(files.iter().map(path).collect())));
            facts.push((keys[1], join(files.iter().map(|file| file.digest.clone()).collect())));
        }
    }
    facts
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn executed(_: &RunCommand) -> Vec<(&'static str, String)> {
    Vec::new()
}

/// Runs the program to its end, or to the end of its time.
///
/// Dropping the future ends the program and everything it started.
///
/// # Errors
/// [`SandboxError`]; a program that ran and failed is not an error but a report. [`SandboxError::Stale`] when a folder or
/// a program is another one than was judged: nothing has run then.
#[cfg(target_os = "linux")]
pub async fn run(permit: Permit<RunCommand>) -> Result<CommandReport, SandboxError> {
    let (command, request) = permit.open()?;
    let limits = command.limits;
    supervise::supervise(prepare(command, request).await?, &limits).await
}

/// Makes ready what was judged.
#[cfg(target_os = "linux")]
async fn prepare(command: RunCommand, judged: ToolRequest) -> Result<bubblewrap::Prepared, SandboxError> {
    prepare_beside(command, judged, Vec::new()).await
}

/// Makes ready what was judged, and shows what is our own beside it.
#[cfg(target_os = "linux")]
pub(crate) async fn prepare_beside(
    command: RunCommand,
    judged: ToolRequest,
    own: Vec<Mount>,
) -> Result<bubblewrap::Prepared, SandboxError> {
    let prepare = move || bubblewrap::detect()?.prepare(&command, Some(&judged), own);
    let prepared = tokio::task::spawn_blocking(prepare).await;
    prepared.map_err(|error| SandboxError::Io { reason: error.to_string() })?
}

/// Which sandbox programs run in, for example `bubblewrap 0.8.0, Landlock`, and why its second layer is missing where it
/// is. Tried once per process, by running a program in it.
///
/// # Errors
/// [`SandboxError::Unavailable`] says why none can be built here, and what would help.
#[cfg(target_os = "linux")]
pub fn probe() -> Result<String, SandboxError> {
    bubblewrap::detect().map(ToString::to_string)
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
