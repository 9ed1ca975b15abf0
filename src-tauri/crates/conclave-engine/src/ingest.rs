//! Takes a scanner's log into a project.
//!
//! Invariants: a malformed result is a complaint beside the good ones; a scanner that failed is recorded as failed and
//! closes nothing; a path in the log is only ever opened inside the project.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use conclave_core::digest::Digest;
use conclave_core::finding::{Detection, Finding, Tool, context_of};
use conclave_core::fingerprint::normalise;
use conclave_core::id::{ProjectId, ScanId};
use conclave_core::path::RelPath;
use conclave_core::project::Project;
use conclave_effects::fs::{ReadFile, open_file};
use conclave_policy::Actor;
use conclave_sarif::{ReadOptions, RunReport, RunState};
use conclave_store::{ScanRecord, ScanState};

use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::run::RunError;
use crate::scan::Scanned;
use crate::source::{Source, Sources};

/// The largest SARIF file that is read, in bytes.
const MAX_LOG_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// So many complaints of one run are kept in words; all are counted.
const MAX_COMPLAINTS: usize = 20;

/// Imports the SARIF file at `path`, which the person named, into `project`: one scan for each run in it.
///
/// # Errors
/// The file or the project cannot be opened, the file is no SARIF 2.1.0 log, the policy denies it, or the store fails.
pub async fn import(cx: &Ctx, project: &Project, path: PathBuf) -> Result<Vec<Scanned>, RunError> {
    let sources = Sources::open(cx, project.root.as_ref()).await?;
    let source = path.display().to_string();
    let permit = cx.gate.authorize(Actor::Person, ReadFile { path, max_bytes: MAX_LOG_BYTES }).await?;
    take(cx, project, &sources, open_file(permit)?, &source)
}

/// Imports the SARIF file at `path` inside `project`.
///
/// # Errors
/// As for [`import`].
pub async fn import_inside(cx: &Ctx, project: &Project, path: &RelPath) -> Result<Vec<Scanned>, RunError> {
    let sources = Sources::open(cx, project.root.as_ref()).await?;
    let reader = sources.tree().open(path.as_str(), MAX_LOG_BYTES)?;
    take(cx, project, &sources, reader, path.as_str())
}

fn take(
    cx: &Ctx,
    project: &Project,
    sources: &Sources,
    reader: impl Read + Seek,
    source: &str,
) -> Result<Vec<Scanned>, RunError> {
    let mut found: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    let mut names = Named::default();
    let mut last: Option<(RelPath, Option<Arc<Source>>)> = None;
    let log = conclave_sarif::read(reader, &ReadOptions::at_root(&project.root), &mut |run, detection| {
        let path = detection.location.as_ref().map(|location| &location.path);
        if last.as_ref().map(|(path, _)| path) != path {
            last = path.map(|path| (path.clone(), sources.file(path).ok()));
        }
        let source = last.as_ref().and_then(|(_, source)| source.as_deref());
        let finding = names.finding(&project.id, detection, source.and_then(Source::text));
        found.entry(run).or_default().push(finding);
    })?;

    let now = cx.now_ms();
    let mut scans = Vec::new();
    for (index, run) in log.runs.into_iter().enumerate() {
        let findings = found.remove(&index).unwrap_or_default();
        let (state, left_out) = state_of(&run);
        let complaints: Vec<String> =
            left_out.into_iter().chain(log.complaints.iter().chain(&run.complaints).map(ToString::to_string)).collect();
        let count = complaints.len().max(run.complaint_count as usize);
        let origin = format!("{source}, run {}", index + 1);
        let record = ScanRecord {
            complaint_count: u32::try_from(count).unwrap_or(u32::MAX),
            ..record(project, run.tool, origin, state, findings.len(), complaints, now)
        };
        let saved = cx.store.save_scan(&record, &findings, now)?;
        let findings = match record.state {
            ScanState::Complete => findings.into_iter().map(|finding| finding.id).collect(),
            ScanState::Failed { .. } => Vec::new(),
        };
        scans.push(Scanned { record, saved, findings });
    }
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Projects]));
    Ok(scans)
}

/// Whether the run can be believed, and what it left out although it can.
///
/// A log without a result that says neither that the tool succeeded nor what it looked at proves nothing: a scanner
/// that failed may write just that.
fn state_of(run: &RunReport) -> (ScanState, Option<String>) {
    match &run.state {
        RunState::Failed { reason } => (ScanState::Failed { reason: reason.clone() }, None),
        RunState::Partial { reason } => (ScanState::Complete, Some(reason.clone())),
        RunState::Complete => (ScanState::Complete, None),
    }
}

/// A scan of `project` by `tool`, `now` in milliseconds since 1970-01-01 UTC.
pub(crate) fn record(
    project: &Project,
    tool: Tool,
    source: String,
    state: ScanState,
    results: usize,
    mut complaints: Vec<String>,
    now: i64,
) -> ScanRecord {
    let id = Digest::of_parts(["scan", project.id.as_str(), &tool.name, &source, &now.to_string()]);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let complaint_count = number(complaints.len());
    complaints.truncate(MAX_COMPLAINTS);
    ScanRecord {
        id: ScanId::new(id.short()),
        project: project.id.clone(),
        tool,
        source,
        state,
        results: number(results),
        complaints,
        complaint_count,
    }
}

/// Gives detections their identity, counting equal ones in file order.
#[derive(Default)]
pub(crate) struct Named(HashMap<Digest, u32>);

impl Named {
    /// `detection` in `project`; `text` is the reported file, where it can be read.
    pub(crate) fn finding(&mut self, project: &ProjectId, detection: Detection, text: Option<&str>) -> Finding {
        let region = detection.location.as_ref().and_then(|location| location.region);
        let context = match (text, region) {
            (Some(text), Some(region)) => context_of(text, &region),
            _ => "",
        };
        let path = detection.location.as_ref().map_or("", |location| location.path.as_str());
        let symbol = detection.symbol.as_deref().unwrap_or_default();
        let parts = [&detection.tool.name, &detection.rule.id, path, symbol, &normalise(context), &detection.message];
        let nth = self.0.entry(Digest::of_parts(parts)).or_default();
        let finding = Finding::new(project, detection, context, *nth);
        *nth += 1;
        finding
    }
}
