//! One step on a fresh copy of the project, in the sandbox, and what it left there.
//!
//! Invariants: every run has a copy of its own, so that nothing one of them leaves reaches the next; the project itself
//! is never shown to it but for what is installed in it; there is no network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use conclave_core::path::RelPath;
use conclave_effects::sandbox::{self, CommandReport, Exit, Limits, RunCommand, SandboxError};
use conclave_effects::scratch::Scratch;
use conclave_policy::Actor;

use super::compare::Run;
use super::folder::ancestors;
use super::report::Printed;
use super::{OURS, Place, Step, tool};
use crate::ctx::Ctx;
use crate::scanner::{self, ScanError};

/// Most bytes of a report.
const MOST_REPORT: u64 = 32 << 20;
/// Most files of a report.
const MOST_REPORTS: usize = 10_000;
/// Folders in which the packages of a project are installed, beside its own files.
const INSTALLED: [&str; 2] = ["node_modules", "vendor"];

/// How a step ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub run: Run,
    /// The end of what it printed.
    pub log: String,
}

impl Ended {
    fn early(run: Run) -> Self {
        Self { run, log: String::new() }
    }
}

/// Where steps are tried.
pub(crate) struct Trial<'a> {
    pub cx: &'a Ctx,
    /// The project’s folder: absolute, links resolved.
    pub root: &'a Path,
    /// Its files, sorted.
    pub files: &'a [String],
    /// Time for one step.
    pub wall: Duration,
}

impl Trial<'_> {
    /// Runs `step` in the folder `at` of a copy in which `files` are as given.
    pub async fn run(&self, at: &str, step: &Step, files: &BTreeMap<RelPath, Vec<u8>>) -> Ended {
        match self.try_run(at, step, files).await {
            Ok((report, printed)) => ended(step, &report, &printed),
            Err(run) => Ended::early(run),
        }
    }

    async fn try_run(
        &self,
        at: &str,
        step: &Step,
        files: &BTreeMap<RelPath, Vec<u8>>,
    ) -> Result<(CommandReport, Printed), Run> {
        let broken = |error: &dyn std::fmt::Display| Run::Broken(error.to_string());
        let name = step.argv.first().map(String::as_str).unwrap_or_default();
        let tool = tool::find(name, self.root, at, std::env::home_dir().as_deref()).map_err(Run::Missing)?;
        let scratch = scanner::scratch(self.cx, self.root.to_owned()).await.map_err(|error| match error {
            ScanError::Unavailable(_) => Run::Missing(error.to_string()),
            ScanError::Failed(_) | ScanError::Denied(_) => Run::Broken(error.to_string()),
        })?;
        for (path, bytes) in files {
            scratch.write(path.as_str(), bytes).map_err(|error| broken(&error))?;
        }
        let within = self.installed(at);
        put(&scratch, step, &within).map_err(|error| broken(&error))?;
        let effect = RunCommand {
            argv: argv(at, &tool.program, &step.argv),
            tree: scratch.path().to_owned(),
            writable: true,
            env: step.env.iter().cloned().chain(tool.env).collect(),
            read_only: tool.read_only,
            within,
            // Tests often serve themselves.
            loopback: true,
            limits: Limits {
                wall: self.wall,
                memory_bytes: step.address_space_gib << 30,
                processes: 512,
                file_bytes: 1 << 30,
                ..Limits::default()
            },
            project: Some(self.root.to_owned()),
        };
        let permit = self.cx.gate.authorize(Actor::Engine, effect).await.map_err(|denied| broken(&denied))?;
        let report = sandbox::run(permit).await.map_err(|error| match error {
            SandboxError::Unavailable { .. } | SandboxError::NotFound { .. } => Run::Missing(error.to_string()),
            SandboxError::Io { .. } | SandboxError::Stale(_) => Run::Broken(error.to_string()),
        })?;
        let printed = Printed {
            exit: report.status,
            stdout: report.stdout.clone(),
            truncated: report.truncated,
            reports: reports(&scratch, &step.place),
        };
        Ok((report, printed))
    }

    /// What is installed in the folder `at` and those above it, where it belongs in a copy.
    fn installed(&self, at: &str) -> Vec<(PathBuf, String)> {
        let places = ancestors(at)
            .flat_map(|at| INSTALLED.map(|name| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") }));
        let in_copy = |place: &str| {
            let start = format!("{place}/");
            let next = self.files.partition_point(|file| file.as_str() < start.as_str());
            self.files.get(next).is_some_and(|file| file.starts_with(&start))
        };
        // A link may lead anywhere.
        let is_own = |folder: &Path| folder.is_dir() && folder.canonicalize().is_ok_and(|real| real == folder);
        places
            .filter(|place| !in_copy(place))
            .map(|place| (self.root.join(&place), place))
            .filter(|(f, _)| is_own(f))
            .collect()
    }
}

/// A step starts in the top of the copy; `env` takes it to a folder.
fn argv(at: &str, program: &str, argv: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    if !at.is_empty() {
        all.extend(["/usr/bin/env".to_owned(), "-C".to_owned(), format!("/scratch/{at}")]);
    }
    all.push(program.to_owned());
    all.extend(argv.iter().skip(1).cloned());
    all
}

/// Puts what is ours into the copy; a report that lies there already is emptied.
fn put(scratch: &Scratch, step: &Step, within: &[(PathBuf, String)]) -> Result<(), conclave_effects::FsError> {
    scratch.write(&format!("{OURS}/report"), b"")?;
    for (name, text) in step.programs {
        scratch.write(&format!("{OURS}/{name}"), text.as_bytes())?;
    }
    if let Place::Folders(folders, end) = &step.place {
        for file in folders.iter().flat_map(|folder| scratch.files_in(folder, &|file| file.ends_with(end))) {
            scratch.write(&file, b"")?;
        }
    }
    within.iter().try_for_each(|(_, place)| scratch.make_folder(place))
}

fn reports(scratch: &Scratch, place: &Place) -> Vec<Vec<u8>> {
    let files = match place {
        Place::Status | Place::Stdout => Vec::new(),
        Place::File => vec![format!("{OURS}/report")],
        Place::Folders(folders, end) => {
            folders.iter().flat_map(|folder| scratch.files_in(folder, &|file| file.ends_with(end))).collect()
        }
    };
    files.iter().take(MOST_REPORTS).filter_map(|file| scratch.read(file, MOST_REPORT).ok()).collect()
}

/// What a step’s end says; pure.
fn ended(step: &Step, report: &CommandReport, printed: &Printed) -> Ended {
    let because = || said(&report.stdout, &report.stderr).map_or_else(String::new, |line| format!(": `{line}`"));
    let run = match report.status {
        Exit::TimedOut => Run::TimedOut { limit_ms: report.wall_ms },
        Exit::Signal(signal) => Run::Killed(signal),
        Exit::Code(code) => match (step.read)(printed) {
            Ok(tests) if tests.is_empty() => Run::Nothing(format!("no test ran{}", because())),
            Ok(tests) => {
                let tests = tests.into_iter().map(|test| (test.id.clone(), test)).collect();
                let said = said(&report.stdout, &report.stderr);
                Run::Ran { tests, code, wall_ms: report.wall_ms, said }
            }
            Err(why) => Run::Nothing(format!("{why}{}", because())),
        },
    };
    Ended { run, log: scanner::tail(&report.stderr, &report.stdout) }
}

/// The line that says why, as far as a line can be told to: the last that speaks of an error, else the last one.
fn said(stdout: &[u8], stderr: &[u8]) -> Option<String> {
    const SIGNS: [&str; 6] = ["No module named", "Cannot find", "Error:", "error:", "not found", "could not"];
    let text = format!("{}\n{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    let lines = || text.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let found = SIGNS[..2].iter().find_map(|sign| lines().find(|line| line.contains(sign)));
    let found = found
        .or_else(|| lines().find(|line| SIGNS.iter().any(|sign| line.contains(sign))))
        .or_else(|| lines().next())?;
    Some(found.chars().filter(|c| !c.is_control() && *c != '`').take(200).collect())
}

#[cfg(test)]
mod tests;
