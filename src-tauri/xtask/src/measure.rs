//! What a program costs: processor time and memory, read from the kernel's own account.
//!
//! The account of waited-for children is cumulative, so this program starts itself once more as a small process whose
//! only child is the one to be measured. On Linux it also adopts what that child leaves behind, such as the first
//! process of a sandbox, so that times cover the whole tree; memory is that of its largest process.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::wait::{WaitStatus, wait};
use serde::{Deserialize, Serialize};

/// The bill.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// User and system time of all its processes.
    pub cpu_seconds: f64,
    /// Resident memory of the largest process at its peak, in megabytes of 10^6 bytes.
    pub peak_megabytes: f64,
    /// From start to end.
    pub wall_seconds: f64,
    /// How it ended; `None` for a signal.
    pub code: Option<i32>,
}

/// The command that runs `program` and leaves its cost in `report`.
pub fn measured(report: &Path, program: &Path) -> Result<Command> {
    // The file of this program may have been built anew meanwhile; the kernel still has the one that runs.
    let own = if cfg!(target_os = "linux") { PathBuf::from("/proc/self/exe") } else { std::env::current_exe()? };
    let mut command = Command::new(own);
    command.arg("measure").arg(report).arg(program);
    Ok(command)
}

/// Reads what [`measured`] left.
pub fn cost(report: &Path) -> Result<Cost> {
    let text = std::fs::read(report).with_context(|| format!("`{}` was not written", report.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

/// The other side: runs `program`, writes its cost to `report`, and ends as it ended.
pub fn run_measured(report: &Path, program: &[&str]) -> Result<ExitCode> {
    let (name, arguments) = program.split_first().context("nothing to measure")?;
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    let start = Instant::now();
    let child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run `{name}`"))?;
    let code = wait_for(child.id())?;
    let wall_seconds = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    // Linux counts in kibibytes, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1.0 } else { 1024.0 };
    let cost = Cost {
        cpu_seconds: seconds(usage.user_time()) + seconds(usage.system_time()),
        peak_megabytes: usage.max_rss() as f64 * unit / 1e6,
        wall_seconds,
        code,
    };
    std::fs::write(report, serde_json::to_vec(&cost)?)
        .with_context(|| format!("cannot write `{}`", report.display()))?;
    Ok(code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Waits for `child` and for all that it leaves behind; the code is `None` after a signal.
fn wait_for(child: u32) -> Result<Option<i32>> {
    let is_child = |pid: nix::unistd::Pid| u32::try_from(pid.as_raw()) == Ok(child);
    let mut code = None;
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, status)) if is_child(pid) => code = Some(status),
            Ok(_) => {}
            Err(Errno::ECHILD) => return Ok(code),
            Err(error) => return Err(error.into()),
        }
    }
}
