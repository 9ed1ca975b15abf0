//! How to find, run and believe an outside scanner: the facts are in `scanners/*.toml`, one file a tool.
//!
//! Only scanners that execute nothing from the project are listed; each runs on a scratch copy, in the sandbox, with the
//! project's own configuration switched off.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use conclave_core::finding::Severity;
use conclave_core::path::RelPath;
use conclave_core::tier::RunPlan;
use conclave_effects::gate::Denied;
use conclave_effects::sandbox::{self, CommandReport, Exit, Limits, RunCommand, SandboxError, find_program};
use conclave_effects::scratch::{CopyToScratch, Scratch, copy};
use conclave_policy::Actor;
use conclave_sarif::{ReadOptions, RunState};
use serde::Deserialize;

use crate::blocking::blocking;
use crate::ctx::Ctx;

/// The form of a scanner's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// SARIF 2.1.0.
    Sarif,
    /// Bandit's own JSON, which every Bandit writes; its SARIF needs an extra package.
    Bandit,
    /// Semgrep's own JSON.
    Semgrep,
}

/// One known scanner.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanner {
    /// `tool.driver.name`, compared without case.
    pub name: String,
    /// Other names that it goes by.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The program.
    pub program: String,
    /// Extensions of the files that it reads.
    pub extensions: Vec<String>,
    /// Its arguments; `{files}` stands for the files, `{rules}` for the rules folder of the settings.
    pub args: Vec<String>,
    /// What it prints.
    pub format: Format,
    /// The address space that it needs, in GiB, where that is more than programs get.
    pub address_space_gib: Option<u64>,
    /// Whether a rule's name begins with the folders of its file.
    #[serde(default)]
    pub dotted_rules: bool,
}

const FILES: [(&str, &str); 3] = [
    ("bandit", include_str!("../scanners/bandit.toml")),
    ("ruff", include_str!("../scanners/ruff.toml")),
    ("semgrep", include_str!("../scanners/semgrep.toml")),
];

impl Scanner {
    /// All known scanners.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Scanner>> = OnceLock::new();
        // INVARIANT: the files are part of the program and a test reads each of them.
        ALL.get_or_init(|| FILES.iter().filter_map(|(_, text)| toml::from_str(text).ok()).collect())
    }

    /// The scanner that calls itself `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all()
            .iter()
            .find(|s| s.name.eq_ignore_ascii_case(name) || s.aliases.iter().any(|a| a.eq_ignore_ascii_case(name)))
    }

    /// Whether `one` and `other` name one rule.
    pub fn same_rule(&self, one: &str, other: &str) -> bool {
        let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('.'));
        one == other || (self.dotted_rules && (ends(one, other) || ends(other, one)))
    }

    /// Whether it runs only with a folder of rules from the settings.
    pub fn needs_rules(&self) -> bool {
        self.args.iter().any(|arg| arg == "{rules}")
    }

    /// Whether it reads `path`.
    pub fn reads(&self, path: &RelPath) -> bool {
        path.file_name()
            .rsplit_once('.')
            .is_some_and(|(_, e)| self.extensions.iter().any(|x| x.eq_ignore_ascii_case(e)))
    }
}

/// One result, as far as a comparison needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The rule.
    pub rule: String,
    /// The file.
    pub path: RelPath,
    /// The first line, 0 where unknown.
    pub line: u32,
    /// As the scanner rates it.
    pub severity: Severity,
}

/// One complete look.
#[derive(Clone, Debug)]
pub struct Report {
    /// All results.
    pub seen: Vec<Seen>,
    /// The command as a person could repeat it in the project's folder.
    pub command: String,
    /// The end of what it printed.
    pub log: String,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It cannot run here.
    #[error("{0}")]
    Unavailable(String),
    /// It ran and failed, or did not read what it should.
    #[error("{0}")]
    Failed(String),
    /// The policy denies it.
    #[error(transparent)]
    Denied(#[from] Denied),
}

/// A scratch copy of the project at `root`, for one candidate.
///
/// # Errors
/// The policy denies it, or the copy cannot be made.
pub async fn scratch(cx: &Ctx, root: PathBuf) -> Result<Scratch, ScanError> {
    let effect = CopyToScratch { root, base: cx.data.scratch_base(), max_bytes: MAX_COPY_BYTES };
    let permit = cx.gate.authorize(Actor::Engine, effect).await?;
    blocking(move || copy(permit)).await.map_err(|error| ScanError::Unavailable(format!("no scratch copy: {error}")))
}

/// The largest project that is copied, in bytes.
const MAX_COPY_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Runs `scanner` on `files`, written over their copies in `scratch`, a copy of `project`.
///
/// # Errors
/// See [`ScanError`]; a report exists only when every file was read.
pub async fn scan_files(
    cx: &Ctx,
    plan: &RunPlan,
    scanner: &Scanner,
    project: &Path,
    scratch: &Scratch,
    files: &BTreeMap<RelPath, Vec<u8>>,
) -> Result<Report, ScanError> {
    let unreadable = files.keys().find(|path| !scanner.reads(path));
    if let Some(path) = unreadable {
        return Err(ScanError::Unavailable(format!("{} does not read `{path}`", scanner.name)));
    }
    let program = find_program(&scanner.program, project).ok_or_else(|| {
        ScanError::Unavailable(format!("{} is not installed: install `{}`", scanner.name, scanner.program))
    })?;
    for (path, bytes) in files {
        scratch.write(path.as_str(), bytes).map_err(|error| ScanError::Failed(error.to_string()))?;
    }
    let rules = rules_folder(cx, scanner)?;
    let argv = arguments(scanner, &program, rules.as_deref(), files.keys());
    let shown = shown(scanner, &argv);
    let mut read_only = sandbox::tool_folders(&program);
    read_only.extend(rules);
    let effect = RunCommand {
        argv,
        tree: scratch.path().to_owned(),
        writable: false,
        env: vec![("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned())],
        read_only,
        within: Vec::new(),
        loopback: false,
        limits: limits(scanner, Duration::from_secs(plan.check_s)),
        project: Some(project.to_owned()),
    };
    let permit = cx.gate.authorize(Actor::Engine, effect).await?;
    let report = sandbox::run(permit).await.map_err(|error| match error {
        SandboxError::Unavailable { .. } | SandboxError::NotFound { .. } => ScanError::Unavailable(error.to_string()),
        SandboxError::Io { .. } | SandboxError::Stale(_) => ScanError::Failed(error.to_string()),
    })?;
    believe(scanner, &report, files, shown)
}

fn limits(scanner: &Scanner, wall: Duration) -> Limits {
    let usual = Limits::default();
    let memory_bytes = scanner.address_space_gib.map_or(usual.memory_bytes, |gib| gib << 30);
    Limits { wall, memory_bytes, ..usual }
}

fn rules_folder(cx: &Ctx, scanner: &Scanner) -> Result<Option<PathBuf>, ScanError> {
    if !scanner.needs_rules() {
        return Ok(None);
    }
    match &cx.settings().semgrep_rules {
        Some(folder) => Ok(Some(PathBuf::from(folder))),
        None => Err(ScanError::Unavailable(format!(
            "{} needs its rules on this machine: name their folder as `semgrep_rules` in the settings",
            scanner.name
        ))),
    }
}

fn arguments<'a>(
    scanner: &Scanner,
    program: &Path,
    rules: Option<&Path>,
    files: impl Iterator<Item = &'a RelPath> + Clone,
) -> Vec<String> {
    let mut argv = vec![program.display().to_string()];
    for arg in &scanner.args {
        match arg.as_str() {
            // A leading `./` keeps a file whose name starts with a dash from being read as an option.
            "{files}" => argv.extend(files.clone().map(|path| format!("./{path}"))),
            "{rules}" => argv.extend(rules.map(|folder| folder.display().to_string())),
            _ => argv.push(arg.clone()),
        }
    }
    argv
}

fn shown(scanner: &Scanner, argv: &[String]) -> String {
    std::iter::once(scanner.program.as_str())
        .chain(argv.iter().skip(1).map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Reads the report, and refuses it unless the scanner ended well and read every file.
fn believe(
    scanner: &Scanner,
    report: &CommandReport,
    files: &BTreeMap<RelPath, Vec<u8>>,
    command: String,
) -> Result<Report, ScanError> {
    let failed = |why: &str| ScanError::Failed(format!("{} failed: {why}", scanner.name));
    match report.status {
        Exit::Code(0) => {}
        Exit::Code(code) => {
            let said = last_line(&tail(&report.stderr, &report.stdout));
            return Err(failed(&format!("exit status {code}{said}")));
        }
        Exit::Signal(signal) => return Err(failed(&format!("ended by signal {signal}"))),
        Exit::TimedOut => return Err(failed("it ran out of time")),
    }
    if report.truncated {
        return Err(failed("its report is larger than is read"));
    }
    let seen = match scanner.format {
        Format::Bandit => bandit(&report.stdout, files),
        Format::Sarif => sarif(&report.stdout, files),
        Format::Semgrep => semgrep(&report.stdout, files),
    }
    .map_err(|why| failed(&why))?;
    Ok(Report { seen, command, log: tail(&report.stderr, &report.stdout) })
}

#[derive(Deserialize)]
struct BanditReport {
    results: Vec<BanditResult>,
    errors: Vec<BanditError>,
    metrics: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct BanditResult {
    test_id: String,
    filename: String,
    line_number: u32,
    issue_severity: String,
}

#[derive(Deserialize)]
struct BanditError {
    filename: String,
    reason: String,
}

/// Bandit's JSON: `results`, `errors`, and `metrics` with one entry for each file that was read.
fn bandit(stdout: &[u8], files: &BTreeMap<RelPath, Vec<u8>>) -> Result<Vec<Seen>, String> {
    let report: BanditReport = serde_json::from_slice(stdout).map_err(|_| "its report cannot be read".to_owned())?;
    if let Some(error) = report.errors.first() {
        return Err(format!("it could not read `{}`: {}", error.filename, error.reason));
    }
    let read: Vec<RelPath> = report.metrics.keys().filter_map(|name| RelPath::new(name).ok()).collect();
    all_read(&read, files)?;
    let seen = report.results.into_iter().filter_map(|result| {
        let severity = match result.issue_severity.as_str() {
            "HIGH" => Severity::High,
            "MEDIUM" => Severity::Medium,
            _ => Severity::Low,
        };
        Some(Seen {
            rule: result.test_id,
            path: RelPath::new(&result.filename).ok()?,
            line: result.line_number,
            severity,
        })
    });
    Ok(seen.collect())
}

#[derive(Deserialize)]
struct SemgrepReport {
    results: Vec<SemgrepResult>,
    errors: Vec<SemgrepError>,
    paths: SemgrepPaths,
    #[serde(default)]
    time: SemgrepTime,
}

#[derive(Deserialize)]
struct SemgrepResult {
    check_id: String,
    path: String,
    start: SemgrepPosition,
    extra: SemgrepExtra,
}

#[derive(Deserialize)]
struct SemgrepPosition {
    line: u32,
}

#[derive(Deserialize)]
struct SemgrepExtra {
    severity: String,
}

#[derive(Deserialize)]
struct SemgrepError {
    level: String,
    path: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct SemgrepPaths {
    scanned: Vec<String>,
}

#[derive(Default, Deserialize)]
struct SemgrepTime {
    #[serde(default)]
    fixpoint_timeouts: Vec<serde::de::IgnoredAny>,
}

/// Semgrep's JSON: `results`, `errors`, and the files that were read in `paths.scanned`.
///
/// A file that it parsed in part, or a rule that ran out of time on it, is only a warning there; results are missing
/// all the same.
fn semgrep(stdout: &[u8], files: &BTreeMap<RelPath, Vec<u8>>) -> Result<Vec<Seen>, String> {
    let report: SemgrepReport = serde_json::from_slice(stdout).map_err(|_| "its report cannot be read".to_owned())?;
    let error = report.errors.iter().find(|error| error.path.is_some() || error.level == "error");
    if let Some(SemgrepError { path, message, .. }) = error {
        let message = message.as_deref().unwrap_or("it says no more").lines().next().unwrap_or_default();
        let place = path.as_ref().map_or_else(String::new, |path| format!(" at `{path}`"));
        return Err(format!("it reports an error{place}: {message}"));
    }
    if !report.time.fixpoint_timeouts.is_empty() {
        return Err("it ran out of time while it followed the data".to_owned());
    }
    let read: Vec<RelPath> = report.paths.scanned.iter().filter_map(|name| RelPath::new(name).ok()).collect();
    all_read(&read, files)?;
    let seen = report.results.into_iter().filter_map(|result| {
        let severity = match result.extra.severity.as_str() {
            "CRITICAL" => Severity::Critical,
            "ERROR" | "HIGH" => Severity::High,
            "WARNING" | "MEDIUM" => Severity::Medium,
            _ => Severity::Low,
        };
        Some(Seen { rule: result.check_id, path: RelPath::new(&result.path).ok()?, line: result.start.line, severity })
    });
    Ok(seen.collect())
}

fn all_read(read: &[RelPath], files: &BTreeMap<RelPath, Vec<u8>>) -> Result<(), String> {
    match files.keys().find(|path| !read.contains(path)) {
        Some(path) => Err(format!("it did not read `{path}`")),
        None => Ok(()),
    }
}

fn sarif(stdout: &[u8], files: &BTreeMap<RelPath, Vec<u8>>) -> Result<Vec<Seen>, String> {
    let mut seen = Vec::new();
    let reader = std::io::Cursor::new(stdout);
    let log = conclave_sarif::read(reader, &ReadOptions::at_root(sandbox::WORK), &mut |_, detection| {
        let Some(location) = detection.location else { return };
        seen.push(Seen {
            rule: detection.rule.id,
            path: location.path,
            line: location.region.map_or(0, |region| region.start_line),
            severity: detection.severity,
        });
    })
    .map_err(|refused| refused.to_string())?;
    for run in &log.runs {
        if let RunState::Failed { reason } | RunState::Partial { reason } = &run.state {
            return Err(reason.clone());
        }
        if let Some(analysed) = &run.analysed {
            all_read(&analysed.files, files)?;
        }
    }
    if log.runs.is_empty() { Err("its report has no run".to_owned()) } else { Ok(seen) }
}

/// The last line of `log` that says something, in one clause; empty without one.
fn last_line(log: &str) -> String {
    let line = log.lines().rev().map(str::trim).find(|line| !line.is_empty());
    line.map_or_else(String::new, |line| format!(", `{}`", line.chars().take(200).collect::<String>()))
}

/// At most this much of a scanner's output is kept, in bytes.
const LOG_BYTES: usize = 16 * 1024;

/// The end of the output, without control characters: errors first, the report when there are none.
pub(crate) fn tail(stderr: &[u8], stdout: &[u8]) -> String {
    let bytes = if stderr.is_empty() { stdout } else { stderr };
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LOG_BYTES)..]);
    text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests;
