//! Lists findings and shows one.

use std::collections::BTreeMap;

use conclave_core::finding::{Dismissal, Location, Region, Severity, Status, relocate};
use conclave_core::id::ProjectId;
use conclave_core::language::Language;
use conclave_core::resolution::{Resolution, Verdict};
use conclave_store::{FindingQuery, FindingSort, StoredFinding};

use crate::api::Api;
use crate::diff::file_diff;
use crate::error::{ApiError, ErrorCode};
use crate::show;
use crate::view::{
    AppliedView, DismissalView, Excerpt, FileDiff, FindingPage, FindingView, FlowStepView, GetFinding, ListFindings,
    Neighbours, ResolutionView, SavedView, Sort, ViewCounts,
};

const DEFAULT_LIMIT: u32 = 200;
const MAX_LIMIT: u32 = 1000;
/// Lines shown around the reported place.
const AROUND: u32 = 14;

pub(crate) async fn list_findings(api: &Api, request: ListFindings) -> Result<FindingPage, ApiError> {
    let project = request.project.map(ProjectId::new);
    let query = query(&request.query)?;
    let list = api.cx().store.list_findings(&FindingQuery {
        project: project.clone(),
        statuses: statuses(request.view),
        sort: match request.sort {
            Sort::Risk => FindingSort::Risk,
            Sort::Path => FindingSort::Path,
            Sort::Newest => FindingSort::Newest,
        },
        after: request.cursor,
        limit: request.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
        ..query
    })?;
    let counts = counts(&api.cx().store.status_counts(project.as_ref())?);
    let items = list.items.iter().map(show::row).collect();
    Ok(FindingPage { items, next_cursor: list.next, total: list.total, counts })
}

/// The statuses of a saved view; empty for all.
fn statuses(view: SavedView) -> Vec<Status> {
    match view {
        SavedView::NeedsYou => Status::STANDING.into_iter().filter(|status| *status != Status::Running).collect(),
        SavedView::FixReady => vec![Status::FixReady, Status::Disagreement],
        SavedView::Running => vec![Status::Running],
        SavedView::NoSafeFix => vec![Status::NoSafeFix, Status::SuspectedFalsePositive],
        SavedView::Fixed => vec![Status::Fixed],
        SavedView::Suppressed => vec![Status::Suppressed],
        SavedView::Dismissed => vec![Status::Dismissed],
        SavedView::All => Vec::new(),
    }
}

fn counts(by_status: &BTreeMap<Status, u32>) -> ViewCounts {
    let count = |view| statuses(view).iter().filter_map(|status| by_status.get(status)).sum();
    ViewCounts {
        needs_you: count(SavedView::NeedsYou),
        fix_ready: count(SavedView::FixReady),
        running: count(SavedView::Running),
        no_safe_fix: count(SavedView::NoSafeFix),
        fixed: count(SavedView::Fixed),
        suppressed: count(SavedView::Suppressed),
        dismissed: count(SavedView::Dismissed),
        all: by_status.values().sum(),
    }
}

/// Reads `severity:high rule:py-* path:src/** tool:bandit word …`.
fn query(text: &str) -> Result<FindingQuery, ApiError> {
    let mut query = FindingQuery::default();
    for word in text.split_whitespace() {
        match word.split_once(':') {
            Some(("severity", value)) => {
                let known = Severity::ALL.into_iter().find(|s| s.label().eq_ignore_ascii_case(value));
                query.severity_at_least = Some(known.ok_or_else(|| {
                    ApiError::new(ErrorCode::BadRequest, format!("`{value}` is not a severity"))
                        .with_hint("use critical, high, medium, low or note")
                })?);
            }
            Some(("rule", value)) => query.rule = Some(value.to_owned()),
            Some(("path", value)) => query.path = Some(value.to_owned()),
            Some(("tool", value)) => query.tool = Some(value.to_owned()),
            _ => query.words.push(word.to_owned()),
        }
    }
    Ok(query)
}

pub(crate) async fn get_finding(api: &Api, request: GetFinding) -> Result<FindingView, ApiError> {
    let id = api.finding_id(&request.finding)?;
    let store = &api.cx().store;
    let stored =
        store.finding(&id)?.ok_or_else(|| ApiError::new(ErrorCode::NotFound, format!("there is no finding `{id}`")))?;
    let resolution = store.resolution(&id)?;
    // A fix that was undone by hand, so that the finding was reported again, is in the project no longer.
    let fixed = stored.status == Status::Fixed;
    let applied = store.applied(&id)?.filter(|_| fixed).map(|intent| AppliedView {
        finding: id.to_string(),
        fix: intent.candidate_for(&id).map(ToString::to_string).unwrap_or_default(),
        with: intent.fixes.iter().filter(|fix| fix.finding != id).map(|fix| fix.finding.to_string()).collect(),
        files: intent.files.into_iter().map(|file| file.path).collect(),
        applied_at: intent.at,
    });
    let neighbours = store.neighbours(&id)?.map(|(previous, next, position, total)| Neighbours {
        previous: previous.map(|id| id.to_string()),
        next: next.map(|id| id.to_string()),
        position,
        total,
    });
    let detection = &stored.finding.detection;
    Ok(FindingView {
        row: show::row(&stored),
        message: detection.message.clone(),
        problem: resolution.as_ref().map_or_else(|| detection.message.clone(), |r| r.explanation.problem.clone()),
        tool_version: detection.tool.version.clone(),
        rule_help: detection.rule.help.clone(),
        references: references(&stored, resolution.as_ref()),
        unresolved: detection.unresolved.clone(),
        excerpt: excerpt(api, &stored).await?,
        flow: detection.flow.iter().map(|step| flow_step(&step.location, step.message.as_ref())).collect(),
        resolution: resolution.as_ref().map(|resolution| shown(api, resolution)).transpose()?,
        running: if stored.status == Status::Running { api.progress_of(&id) } else { None },
        applied,
        dismissed: store.dismissal(&id)?.map(|Dismissal { reason, note, at }| DismissalView { reason, note, at }),
        neighbours: neighbours.unwrap_or(Neighbours { previous: None, next: None, position: 1, total: 1 }),
    })
}

fn shown(api: &Api, resolution: &Resolution) -> Result<ResolutionView, ApiError> {
    let cost = super::spending::of_run(api, &resolution.run)?;
    Ok(ResolutionView { cost: Some(cost), ..show::resolution(resolution, |verdict| diffs(api, verdict)) })
}

fn references(stored: &StoredFinding, resolution: Option<&Resolution>) -> Vec<String> {
    match resolution {
        Some(resolution) => resolution.explanation.references.clone(),
        None => conclave_core::resolution::references(&stored.finding),
    }
}

fn flow_step(location: &Location, message: Option<&String>) -> FlowStepView {
    let line = location.region.map_or(0, |region| region.start_line);
    FlowStepView { path: location.path.to_string(), line, message: message.cloned() }
}

/// The file changes of `verdict`, against the texts that were kept when it was checked.
fn diffs(api: &Api, verdict: &Verdict) -> Vec<FileDiff> {
    let files = &verdict.judged.candidate.patch.files;
    files.iter().filter_map(|file| file_diff(file, &api.cx().data.blob(file.base.as_str()).ok()?)).collect()
}

/// The code around the place as it is now; `None` where there is no readable file.
async fn excerpt(api: &Api, stored: &StoredFinding) -> Result<Option<Excerpt>, ApiError> {
    let Some(location) = &stored.finding.detection.location else { return Ok(None) };
    let Ok(sources) = api.sources(&stored.finding).await else { return Ok(None) };
    let Ok(source) = sources.now(&location.path) else { return Ok(None) };
    let Some(text) = source.text() else { return Ok(None) };
    let reported = location.region.unwrap_or_else(|| Region::line(1));
    let place = relocate(text, &reported, &stored.finding.context);
    let shown = place.unwrap_or(reported);
    let total_lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    let first_line = shown.start_line.min(total_lines).saturating_sub(AROUND).max(1);
    let last_line = shown.end_line.saturating_add(AROUND);
    let lines = text
        .lines()
        .skip(first_line as usize - 1)
        .take(last_line.saturating_sub(first_line) as usize + 1)
        .map(str::to_owned)
        .collect();
    let marks = match (location.region, place) {
        (Some(_), Some(place)) => show::marks(text, &place),
        _ => Vec::new(),
    };
    let language = Language::of_path(&location.path).map(|l| l.label().to_owned());
    Ok(Some(Excerpt { path: location.path.to_string(), language, total_lines, first_line, lines, marks }))
}
