//! Starting a prepared command and staying with it until nothing of it is left.

use std::fs::File;
use std::io::{PipeReader, Read as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use zeroize::Zeroizing;

use super::bubblewrap::Prepared;
use super::output::HeadTail;
use super::usage::exceeded;
use super::{CommandReport, Exit, Limits, SandboxError};
use crate::Stale;

/// How long the kernel may take to end what was killed.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the command for at most `limits.wall`, then ends whatever is left of it.
pub(super) async fn supervise(prepared: Prepared, limits: &Limits) -> Result<CommandReport, SandboxError> {
    supervise_with(prepared, limits, None).await
}

/// The same, with `input` for its standard input.
pub(crate) async fn supervise_fed(
    prepared: Prepared,
    limits: &Limits,
    input: Zeroizing<Vec<u8>>,
) -> Result<CommandReport, SandboxError> {
    supervise_with(prepared, limits, Some(input)).await
}

async fn supervise_with(
    prepared: Prepared,
    limits: &Limits,
    input: Option<Zeroizing<Vec<u8>>>,
) -> Result<CommandReport, SandboxError> {
    let started = Instant::now();
    let Prepared { command, status, mut seen, tree } = prepared;
    let (mut child, _held) = start(command, if input.is_some() { Stdio::piped() } else { Stdio::null() }).await?;
    let stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let everything = async {
        let (outputs, ()) = tokio::join!(
            async {
                tokio::join!(collect(stdout, limits.output_bytes), collect(stderr, limits.output_bytes), follow(status))
            },
            feed(stdin, input),
        );
        outputs
    };
    tokio::pin!(everything);
    let over = child.id().map(|process| exceeded(tree, process, *limits));
    let over = async {
        match over {
            Some(over) => over.await,
            None => std::future::pending().await,
        }
    };
    let (stopped, ended) = tokio::select! {
        ended = &mut everything => (None, Some(ended)),
        () = tokio::time::sleep(limits.wall) => (Some((Exit::TimedOut, String::new())), None),
        excess = over => (Some((excess.exit(), excess.reason())), None),
    };
    let ended = match ended {
        Some(ended) => Some(ended),
        None => {
            // All of it is tied to the outermost process by the kernel.
            child.start_kill().map_err(|error| failed(error.to_string()))?;
            tokio::time::timeout(GRACE, &mut everything).await.ok()
        }
    };
    let not_ended = || failed("the program could not be ended".to_owned());
    let ((stdout, cut_out), (mut stderr, cut_err), ending) = ended.ok_or_else(not_ended)?;
    tokio::time::timeout(GRACE, child.wait()).await.map_err(|_| not_ended())?.map_err(|e| failed(e.to_string()))?;
    let exit = ending.exit();
    if let Some(first) = ending.first_process {
        let gone = tokio::task::spawn_blocking(move || wait_for(&first)).await;
        gone.unwrap_or(false).then_some(()).ok_or_else(not_ended)?;
    }
    // Nobody is left who could write into it.
    let mut said = String::new();
    seen.read_to_string(&mut said).map_err(|error| failed(error.to_string()))?;
    if said.is_empty() && exit.is_some() && stopped.is_none() {
        return Err(Stale::changed("a folder or program of the run").into());
    }
    let status = match (stopped, exit) {
        (Some((exit, reason)), _) => {
            stderr.extend(reason.into_bytes());
            exit
        }
        (None, Some(exit)) => exit,
        // Bubblewrap tells a code only once the program has been started.
        (None, None) => return Err(failed(last_line(&stderr))),
    };
    let wall_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(CommandReport { status, stdout, stderr, truncated: cut_out || cut_err, wall_ms })
}

/// Keeps the thread alive that started the child: the kernel ends a child that dies with its parent when the *thread*
/// that started it ends, and threads of the runtime come and go.
pub(super) struct Held {
    _until_dropped: std::sync::mpsc::Sender<()>,
}

/// Starts a prepared command. Dropping the child ends it, and with it everything in the sandbox.
pub(super) async fn start(command: std::process::Command, stdin: Stdio) -> Result<(Child, Held), SandboxError> {
    let mut command = Command::from(command);
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let runtime = tokio::runtime::Handle::current();
    let (give, given) = tokio::sync::oneshot::channel();
    let (until_dropped, released) = std::sync::mpsc::channel();
    let body = move || {
        let _in_runtime = runtime.enter();
        let child = command.spawn();
        // Our copies of the child's descriptors go, so that they are closed when the child closes them.
        drop(command);
        if give.send(child).is_ok() {
            // Fails when the other end is dropped, which is what it waits for.
            let _ = released.recv();
        }
    };
    let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(body);
    thread.map_err(|error| failed(error.to_string()))?;
    let child = given.await.map_err(|_| failed("the program was not started".to_owned()))?;
    Ok((child.map_err(|error| failed(error.to_string()))?, Held { _until_dropped: until_dropped }))
}

/// Writes the input as far as it is read, and closes it.
async fn feed(stdin: Option<ChildStdin>, input: Option<Zeroizing<Vec<u8>>>) {
    if let (Some(mut stdin), Some(input)) = (stdin, input) {
        // Fails when the program has ended, or wants no more of it: its own affair.
        let _ = stdin.write_all(&input).await;
    }
}

/// Reads an output to its end; what cannot be read ends it.
pub(super) async fn collect(output: Option<impl AsyncRead + Unpin>, limit: usize) -> (Vec<u8>, bool) {
    let mut kept = HeadTail::new(limit);
    if let Some(mut output) = output {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = output.read(&mut buffer).await {
            kept.push(&buffer[..count]);
        }
    }
    kept.finish()
}

/// What bubblewrap tells: one JSON object a line.
#[derive(Deserialize)]
struct Told {
    #[serde(rename = "child-pid")]
    child_pid: Option<i32>,
    #[serde(rename = "exit-code")]
    exit_code: Option<i32>,
}

#[derive(Default)]
pub(super) struct Ending {
    /// The first process of the sandbox; when it has ended, the kernel has ended all others.
    first_process: Option<OwnedFd>,
    code: Option<i32>,
}

impl Ending {
    /// How the program ended; `None` when it was never started.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.code.map(|code| if (129..=192).contains(&code) { Exit::Signal(code - 128) } else { Exit::Code(code) })
    }
}

/// Listens to bubblewrap until it has ended.
pub(super) async fn follow(status: PipeReader) -> Ending {
    let mut ending = Ending::default();
    let file = tokio::fs::File::from_std(File::from(OwnedFd::from(status)));
    let mut lines = BufReader::new(file).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(told) = serde_json::from_str::<Told>(&line) else { continue };
        if let Some(pid) = told.child_pid.and_then(Pid::from_raw) {
            // Fails when the process has ended already.
            ending.first_process = pidfd_open(pid, PidfdFlags::empty()).ok();
        }
        ending.code = told.exit_code.or(ending.code);
    }
    ending
}

/// Waits until the process has ended.
fn wait_for(process: &OwnedFd) -> bool {
    let grace = Timespec { tv_sec: GRACE.as_secs().cast_signed(), tv_nsec: 0 };
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&grace)).is_ok_and(|ready| ready > 0)
}

pub(super) fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    text.lines().last().unwrap_or("it gave no reason").chars().take(300).collect()
}

pub(super) fn failed(reason: String) -> SandboxError {
    SandboxError::Io { reason }
}
