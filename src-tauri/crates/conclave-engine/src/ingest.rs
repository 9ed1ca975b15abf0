//! Takes a scanner's log into a project.
//!
//! Invariants: a malformed result is a complaint beside the good ones; a scanner that failed is recorded as failed and
//! closes nothing; a path in the log is only ever opened inside the project.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use conclave_core::digest::Digest;
use conclave_core::finding::{Detection, Finding, Status, Tool, context_of};
use conclave_core::fingerprint::Fingerprint;
use conclave_core::id::{FindingId, ProjectId, ScanId};
use conclave_core::path::RelPath;
use conclave_core::project::Project;
use conclave_effects::fs::{ReadFile, open_file};
use conclave_policy::Actor;
use conclave_sarif::{ReadOptions, RunReport, RunState};
use conclave_store::{FindingQuery, ScanRecord, ScanSaved, ScanState};

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
    mut reader: impl Read + Seek,
    source: &str,
) -> Result<Vec<Scanned>, RunError> {
    let log_digest = digest(&mut reader).map_err(conclave_sarif::Refused::Io)?;
    let mut found: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    let mut names = Named::default();
    let mut last: Option<(RelPath, Option<Arc<Source>>)> = None;
    let log = conclave_sarif::read(reader, &ReadOptions::at_root(&project.root), &mut |run, mut detection| {
        detection.tool = foreign(detection.tool);
        let path = detection.location.as_ref().map(|location| &location.path);
        if last.as_ref().map(|(path, _)| path) != path {
            last = path.map(|path| (path.clone(), sources.file(path).ok()));
        }
        let source = last.as_ref().and_then(|(_, source)| source.as_deref());
        let finding = names.finding(&project.id, detection, source.and_then(Source::text));
        found.entry(run).or_default().push(finding);
    })?;
    if log.runs.is_empty() {
        return Err(RunError::NoScan);
    }

    let now = cx.now_ms();
    let mut scans = Vec::new();
    for (index, run) in log.runs.into_iter().enumerate() {
        let findings = found.remove(&index).unwrap_or_default();
        let (state, left_out) = state_of(&run);
        let complaints: Vec<String> =
            left_out.into_iter().chain(log.complaints.iter().chain(&run.complaints).map(ToString::to_string)).collect();
        let count = complaints.len().max(run.complaint_count as usize);
        let origin = format!("{source}, run {}", index + 1);
        let id = Digest::of_parts(["log", project.id.as_str(), log_digest.as_str(), &index.to_string()]);
        let record = ScanRecord {
            id: ScanId::new(id.short()),
            complaint_count: u32::try_from(count).unwrap_or(u32::MAX),
            ..record(project, foreign(run.tool), origin, state, findings.len(), complaints, now)
        };
        scans.push(save(cx, record, findings)?);
    }
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Projects]));
    Ok(scans)
}

/// Saves a run, unless this very log was taken before.
///
/// A log that did not change says nothing new. The lines that it names may read differently by now, after a fix for
/// one; named anew, its findings would come back as others.
fn save(cx: &Ctx, record: ScanRecord, findings: Vec<Finding>) -> Result<Scanned, RunError> {
    if cx.store.has_scan(&record.id)? {
        let findings = match record.state {
            ScanState::Complete => standing(cx, &record)?,
            ScanState::Failed { .. } => Vec::new(),
        };
        let known = u32::try_from(findings.len()).unwrap_or(u32::MAX);
        return Ok(Scanned { record, saved: ScanSaved { new: 0, known }, findings });
    }
    let saved = cx.store.save_scan(&record, &findings, cx.now_ms())?;
    let findings = match record.state {
        ScanState::Complete => findings.into_iter().map(|finding| finding.id).collect(),
        ScanState::Failed { .. } => Vec::new(),
    };
    Ok(Scanned { record, saved, findings })
}

/// The findings of the record's tool that still stand.
fn standing(cx: &Ctx, record: &ScanRecord) -> Result<Vec<FindingId>, RunError> {
    let query = FindingQuery {
        project: Some(record.project.clone()),
        statuses: Status::STANDING.to_vec(),
        tool: Some(record.tool.name.clone()),
        ..FindingQuery::default()
    };
    Ok(cx.store.every_finding(&query)?.into_iter().map(|stored| stored.finding.id).collect())
}

/// The digest of all that `reader` holds; it stands at its start again afterwards.
fn digest(reader: &mut (impl Read + Seek)) -> std::io::Result<Digest> {
    let mut parts = Vec::new();
    let mut piece = vec![0; 1024 * 1024];
    loop {
        let mut filled = 0;
        while filled < piece.len() {
            match reader.read(&mut piece[filled..])? {
                0 => break,
                n => filled += n,
            }
        }
        parts.push(Digest::of(&piece[..filled]));
        if filled < piece.len() {
            reader.rewind()?;
            return Ok(Digest::of_parts(parts.iter().map(Digest::as_str)));
        }
    }
}

/// A tool as a log names it; no log speaks in Conclave's own name.
fn foreign(tool: Tool) -> Tool {
    if tool.is_own() { Tool { name: format!("{} (log)", tool.name), ..tool } } else { tool }
}

/// Whether the run can be believed, and what is to be said of it although it can.
fn state_of(run: &RunReport) -> (ScanState, Option<String>) {
    match &run.state {
        RunState::Failed { reason } => (ScanState::Failed { reason: reason.clone() }, None),
        RunState::Partial { reason } => (ScanState::Complete, Some(reason.clone())),
        RunState::Complete if run.results == 0 && run.analysed.is_none() => {
            let words = "it reports nothing and does not say what it looked at";
            (ScanState::Complete, Some(words.to_owned()))
        }
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
pub(crate) struct Named(HashMap<Fingerprint, u32>);

impl Named {
    /// `detection` in `project`; `text` is the reported file, where it can be read.
    pub(crate) fn finding(&mut self, project: &ProjectId, detection: Detection, text: Option<&str>) -> Finding {
        let region = detection.location.as_ref().and_then(|location| location.region);
        let context = match (text, region) {
            (Some(text), Some(region)) => context_of(text, &region),
            _ => "",
        };
        let nth = self.0.entry(Fingerprint::of(&detection, context, 0)).or_default();
        let finding = Finding::new(project, detection, context, *nth);
        *nth += 1;
        finding
    }
}
