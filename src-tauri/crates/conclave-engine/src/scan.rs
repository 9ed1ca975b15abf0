//! Scans a project with Conclave's own detectors.

use conclave_core::finding::{Detection, Finding, OWN_TOOL, Status, Tool, relocate};
use conclave_core::id::FindingId;
use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_core::project::Project;
use conclave_effects::fs::{SkipReason, Skipped};
use conclave_fixers::{Answer, ProjectFacts, Recipes};
use conclave_store::{FindingQuery, ScanRecord, ScanSaved, ScanState};

use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::ingest::{self, Named};
use crate::project::facts;
use crate::run::RunError;
use crate::source::Sources;

/// What a scan brought.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The scan.
    pub record: ScanRecord,
    /// What was new.
    pub saved: ScanSaved,
    /// All findings that it reported, in its order.
    pub findings: Vec<FindingId>,
}

/// Scans all files of `project` that Conclave can parse, or just `only`.
///
/// A weakness that another scanner reports at the same place is left to that scanner, whose re-scan proves more.
///
/// # Errors
/// The project cannot be opened, or the store fails. Files that cannot be read are complaints; when none of those that
/// should be read could be, the scan has failed.
pub async fn scan(cx: &Ctx, project: &Project, only: Option<&[RelPath]>) -> Result<Scanned, RunError> {
    let sources = Sources::open(cx, project.root.as_ref()).await?;
    let mut complaints = Vec::new();
    let (paths, unseen) = match only {
        Some(paths) => (paths.to_vec(), None),
        None => listed(&sources, &mut complaints),
    };
    let facts = facts(&sources);
    let foreign = cx.store.last_scans(&project.id)?.iter().any(|(record, ..)| !record.tool.is_own());
    let (mut findings, mut wanted, mut read) = (Vec::new(), 0_u32, 0_u32);
    for path in &paths {
        let Some(language) = Language::of_path(path) else { continue };
        if only.is_some() && !sources.tree().exists(path.as_str()) {
            continue;
        }
        wanted += 1;
        let source = match sources.file(path) {
            Ok(source) => source,
            Err(why) => {
                complaints.push(format!("{path}: {why}"));
                continue;
            }
        };
        let Some(text) = source.text() else {
            complaints.push(format!("{path}: not UTF-8 text"));
            continue;
        };
        read += 1;
        let detections = Recipes::shipped().detect(path, language, text, &facts);
        let mut new = named(project, detections, text);
        if foreign && !new.is_empty() {
            new = leave_to_others(cx, project, path, (language, text, &facts), new)?;
        }
        findings.extend(new);
    }
    let state = if wanted > 0 && read == 0 {
        ScanState::Failed { reason: format!("none of {wanted} source files could be read") }
    } else if let (0, Some(first)) = (wanted, unseen) {
        ScanState::Failed { reason: format!("the folder could not be looked through: {first}") }
    } else {
        ScanState::Complete
    };
    if wanted == 0 && only.is_none() {
        complaints.push("no file of a language that Conclave scans (Python, JavaScript, TypeScript, Java)".to_owned());
    }
    let tool = Tool { name: OWN_TOOL.to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
    let results = match only {
        None => findings.len(),
        Some(paths) => findings.len() + reported_elsewhere(cx, project, paths)?,
    };
    let record = ingest::record(project, tool, "built-in".to_owned(), state, results, complaints, cx.now_ms());
    let saved = cx.store.save_scan(&record, &findings, cx.now_ms())?;
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Projects]));
    let findings = findings.into_iter().map(|finding| finding.id).collect();
    Ok(Scanned { record, saved, findings })
}

/// Folders of other people's code, which their package manager overwrites.
const DEPENDENCIES: [&str; 7] =
    ["node_modules", "bower_components", ".venv", "venv", "site-packages", ".tox", "__pypackages__"];

/// The files that may be scanned, and the first part of the folder that could not be looked into.
fn listed(sources: &Sources, complaints: &mut Vec<String>) -> (Vec<RelPath>, Option<String>) {
    let walk = sources.tree().walk(&|name| Language::of_name(name).is_some());
    complaints.extend(walk.skipped.iter().map(|skipped| format!("{}: {}", skipped.path, skipped.reason)));
    let unseen = |skipped: &&Skipped| matches!(skipped.reason, SkipReason::Unreadable(_) | SkipReason::TooMany);
    let first = walk.skipped.iter().find(unseen).map(|skipped| format!("{}: {}", skipped.path, skipped.reason));
    let (mut paths, mut left_out) = (Vec::new(), 0_u32);
    for name in &walk.files {
        match RelPath::new(name) {
            Ok(path) if path.components().any(|part| DEPENDENCIES.contains(&part)) => left_out += 1,
            Ok(path) => paths.push(path),
            Err(error) => complaints.push(format!("{}: not scanned, {error}", name.escape_debug())),
        }
    }
    if left_out > 0 {
        complaints.push(format!("{left_out} files of installed dependencies were left out"));
    }
    (paths, first)
}

fn named(project: &Project, detections: Vec<Detection>, text: &str) -> Vec<Finding> {
    let mut names = Named::default();
    detections.into_iter().map(|detection| names.finding(&project.id, detection, Some(text))).collect()
}

/// How many of our own findings stand in files other than `paths`: a scan of some files says what holds for all.
fn reported_elsewhere(cx: &Ctx, project: &Project, paths: &[RelPath]) -> Result<usize, RunError> {
    let count = |path: Option<String>| {
        let statuses = Status::STANDING.to_vec();
        let (project, tool) = (Some(project.id.clone()), Some(OWN_TOOL.to_owned()));
        let query = FindingQuery { project, statuses, tool, path, limit: 1, ..FindingQuery::default() };
        cx.store.list_findings(&query).map(|list| list.total as usize)
    };
    let mut here = 0;
    for path in paths {
        here += count(Some(path.as_str().to_owned()))?;
    }
    Ok(count(None)?.saturating_sub(here))
}

/// Those of `new` that no other scanner reports at the same place.
///
/// One that was there before the other scanner came stays: nothing is closed by absence.
fn leave_to_others(
    cx: &Ctx,
    project: &Project,
    path: &RelPath,
    (language, text, facts): (Language, &str, &ProjectFacts),
    new: Vec<Finding>,
) -> Result<Vec<Finding>, RunError> {
    let others = reported_by_others(cx, project, path, text)?;
    let known = |other: &Detection| answering(Recipes::shipped().answer(other, language, text, facts));
    let others: Vec<_> = others.into_iter().map(|other| (known(&other), other)).collect();
    let mut kept = Vec::new();
    for finding in new {
        let own = &finding.detection;
        let reported = others
            .iter()
            .any(|(recipes, other)| overlap(own, other) && (recipes.contains(&own.rule.id) || common_cwe(own, other)));
        if !reported || cx.store.finding(&finding.id)?.is_some() {
            kept.push(finding);
        }
    }
    Ok(kept)
}

/// What other scanners report in the file at `path`, their regions moved to where the lines stand in `text`.
fn reported_by_others(cx: &Ctx, project: &Project, path: &RelPath, text: &str) -> Result<Vec<Detection>, RunError> {
    let path_of = Some(path.as_str().to_owned());
    let query = FindingQuery { project: Some(project.id.clone()), path: path_of, ..FindingQuery::default() };
    let mut others = Vec::new();
    for stored in cx.store.every_finding(&query)? {
        let Finding { mut detection, context, .. } = stored.finding;
        let Some(location) = detection.location.as_mut().filter(|location| location.path == *path) else { continue };
        location.region = location.region.and_then(|region| relocate(text, &region, &context));
        if !detection.tool.is_own() && location.region.is_some() {
            others.push(detection);
        }
    }
    Ok(others)
}

/// The recipes that know what a foreign finding is about.
fn answering(answer: Answer) -> Vec<String> {
    match answer {
        Answer::Fixes(fixes) => fixes.into_iter().map(|fix| fix.recipe).collect(),
        Answer::Refused { recipe, .. } => vec![recipe],
        Answer::None => Vec::new(),
    }
}

/// Whether both stand on a common line.
fn overlap(one: &Detection, other: &Detection) -> bool {
    let region = |detection: &Detection| detection.location.as_ref()?.region;
    match (region(one), region(other)) {
        (Some(one), Some(other)) => one.start_line <= other.end_line && other.start_line <= one.end_line,
        _ => false,
    }
}

fn common_cwe(one: &Detection, other: &Detection) -> bool {
    one.rule.cwe.iter().any(|cwe| other.rule.cwe.contains(cwe))
}
