//! A program in the sandbox that stays: lines go to it and come from it until it ends or is dropped.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use conclave_policy::ToolRequest;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinSet;

use super::bubblewrap::Prepared;
use super::supervise::{Held, collect, failed, follow, last_line, start};
use super::{Exit, Mount, RunCommand, SandboxError, prepare_beside};
use crate::Stale;

/// How long a program that says no more may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// A program under way. Dropping it ends the program and everything that it started.
pub(crate) struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
    /// What has come of the next line.
    line: Vec<u8>,
    /// Follows how it ends and what it writes to standard error; ends with it.
    others: JoinSet<Told>,
    /// Longest line, in bytes.
    longest: usize,
    /// Whether its last line was longer than that.
    overran: bool,
    _held: Held,
}

/// What is known of a program only when it has ended.
enum Told {
    Exit(Option<Exit>),
    Stderr(Vec<u8>),
}

impl Running {
    /// Starts what was judged, and waits until it is certain that it was this that started.
    pub(crate) async fn start(run: RunCommand, judged: ToolRequest) -> Result<(Self, ChildStdin), SandboxError> {
        Self::start_beside(run, judged, Vec::new()).await
    }

    /// Starts what was judged, and shows it what is our own beside it.
    pub(crate) async fn start_beside(
        run: RunCommand,
        judged: ToolRequest,
        own: Vec<Mount>,
    ) -> Result<(Self, ChildStdin), SandboxError> {
        let limits = run.limits;
        let Prepared { command, status, seen, .. } = prepare_beside(run, judged, own).await?;
        let (mut child, held) = start(command, Stdio::piped()).await?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(failed("the program has no input or output".to_owned()));
        };
        let mut others = JoinSet::new();
        others.spawn(async { Told::Exit(follow(status).await.exit()) });
        others.spawn(async move { Told::Stderr(collect(stderr, limits.output_bytes).await.0) });
        let output = BufReader::new(stdout);
        let running =
            Self { child, output, line: Vec::new(), others, longest: limits.output_bytes, overran: false, _held: held };
        let mut seen = tokio::fs::File::from_std(File::from(OwnedFd::from(seen)));
        if seen.read(&mut [0; 8]).await.is_ok_and(|count| count > 0) {
            return Ok((running, stdin));
        }
        drop(stdin);
        match running.ended().await {
            (Some(_), _) => Err(Stale::changed("a folder or program of the run").into()),
            (None, stderr) => Err(failed(last_line(&stderr))),
        }
    }

    /// The next line of its output, without its end; `None` when there are no more, or when one is too long.
    ///
    /// May be dropped half-way: what has come of a line is kept.
    pub(crate) async fn next_line(&mut self) -> Option<Vec<u8>> {
        let left = u64::try_from(self.longest.saturating_sub(self.line.len())).unwrap_or(u64::MAX);
        (&mut self.output).take(left).read_until(b'\n', &mut self.line).await.ok()?;
        let mut line = std::mem::take(&mut self.line);
        self.overran = line.len() >= self.longest && line.last() != Some(&b'\n');
        line.pop_if(|last| *last == b'\n').map(|_| line)
    }

    /// Whether there are no more lines because one was too long.
    pub(crate) fn overran(&self) -> bool {
        self.overran
    }

    /// Waits for its end, which is due, and brings it about when it does not come. Gives how it ended, `None` where that
    /// is not known, and what it wrote to standard error.
    pub(crate) async fn ended(mut self) -> (Option<Exit>, Vec<u8>) {
        let (mut exit, mut stderr) = (None, Vec::new());
        let mut grace = Box::pin(tokio::time::sleep(GRACE));
        loop {
            tokio::select! {
                told = self.others.join_next() => match told {
                    Some(Ok(Told::Exit(told))) => exit = told,
                    Some(Ok(Told::Stderr(told))) => stderr = told,
                    Some(Err(_)) => {}
                    None => break,
                },
                // Fails when it has ended meanwhile. All of it is tied to the outermost process by the kernel.
                () = &mut grace => {
                    let _ = self.child.start_kill();
                    grace = Box::pin(tokio::time::sleep(GRACE));
                }
            }
        }
        let _ = self.child.wait().await;
        (exit, stderr)
    }

    /// Ends it, with everything that it started.
    pub(crate) async fn end(self) {
        self.end_with().await;
    }

    /// The same; gives what [`Running::ended`] gives.
    pub(crate) async fn end_with(mut self) -> (Option<Exit>, Vec<u8>) {
        let _ = self.child.start_kill();
        self.ended().await
    }
}
