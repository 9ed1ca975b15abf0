//! Starts and ends runs.

use std::collections::HashSet;

use conclave_core::finding::Status;
use conclave_core::id::{CandidateId, FindingId, ProjectId, RunId};
use conclave_engine::export::{self, Exported};
use conclave_engine::queue;
use conclave_engine::replay::{replay, stages};
use conclave_store::{FindingQuery, StoreError, StoredFinding};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::show;
use crate::view::{
    CancelRun, ExportFix, ExportForm, ExportedFix, GetFinding, Nothing, QueueView, ReplayRun, ReplayView, RunCancelled,
    RunFix, RunStarted, StageTook, TimelineView,
};

pub(crate) async fn run_fix(api: &Api, request: RunFix) -> Result<RunStarted, ApiError> {
    let findings = chosen(api, &request, &[Status::Open, Status::NoSafeFix, Status::SuspectedFalsePositive])?;
    let queued = queue::enqueue(api.cx(), &findings, request.effort)?;
    api.wake();
    Ok(RunStarted { queued })
}

pub(crate) async fn export_fix(api: &Api, request: ExportFix) -> Result<ExportedFix, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let form = match request.form {
        ExportForm::Patch => export::Form::Patch,
        ExportForm::PullRequest => export::Form::PullRequest,
    };
    let Exported { name, text } = export::fix(api.cx(), &finding, request.fix.map(CandidateId::new).as_ref(), form)?;
    Ok(ExportedFix { name, text })
}

pub(crate) async fn replay_run(api: &Api, request: ReplayRun) -> Result<ReplayView, ApiError> {
    let store = &api.cx().store;
    let run = match api.finding_id(&request.run) {
        Ok(finding) => store.resolution(&finding)?.map(|resolution| resolution.run),
        Err(_) => Some(RunId::new(&request.run)),
    };
    let replayed = run.as_ref().map(|run| replay(store, run)).transpose()?.flatten();
    let none = || {
        ApiError::new(ErrorCode::NotFound, format!("there is no whole run `{}`", request.run))
            .with_hint("only the last run of a finding is kept with its stages, once it has come to its end")
    };
    replayed.as_ref().map(show::replayed).ok_or_else(none)
}

pub(crate) async fn get_timeline(api: &Api, request: GetFinding) -> Result<TimelineView, ApiError> {
    let (store, finding) = (&api.cx().store, api.finding_id(&request.finding)?);
    let open = store.open_jobs()?.into_iter().find(|(job, _)| job.finding == finding);
    let run = match open {
        Some((job, _)) => Some(job.run),
        None => store.resolution(&finding)?.map(|resolution| resolution.run),
    };
    let stages = run.as_ref().map(|run| stages(store, run)).transpose()?.unwrap_or_default();
    let stage = |(stage, took_ms)| StageTook { stage: show::stage(stage), took_ms };
    Ok(TimelineView { run: run.map(|run| run.to_string()), stages: stages.into_iter().map(stage).collect() })
}

/// The findings that `request` means.
///
/// When it names none: all of `statuses` in the chosen project, or in all that are in the list, and those whose run was
/// cut off with the process that did it.
pub(crate) fn chosen(api: &Api, request: &RunFix, statuses: &[Status]) -> Result<Vec<FindingId>, ApiError> {
    if request.findings.is_empty() {
        return waiting(api, request, statuses);
    }
    let mut ids = Vec::new();
    for text in &request.findings {
        let id = api.finding_id(text)?;
        let (why, hint) = match api.cx().store.finding(&id)?.map(|stored| stored.status) {
            Some(Status::Fixed) => (format!("a fix of `{id}` is applied"), "undo it before looking for another"),
            Some(Status::Dismissed) => (format!("`{id}` is dismissed"), "open it again before looking for a fix"),
            _ => {
                ids.push(id);
                continue;
            }
        };
        return Err(ApiError::new(ErrorCode::BadRequest, why).with_hint(hint));
    }
    Ok(ids)
}

fn waiting(api: &Api, request: &RunFix, statuses: &[Status]) -> Result<Vec<FindingId>, ApiError> {
    let projects: Vec<ProjectId> = match &request.project {
        Some(id) => vec![ProjectId::new(id)],
        None => api.cx().store.projects()?.into_iter().filter(|p| p.listed).map(|p| p.id).collect(),
    };
    let jobs = api.cx().store.open_jobs()?.into_iter();
    let busy: HashSet<FindingId> = jobs.filter(|(_, running)| *running).map(|(job, _)| job.finding).collect();
    let mut ids = Vec::new();
    for project in projects {
        let query = FindingQuery {
            project: Some(project),
            statuses: [statuses, &[Status::Running]].concat(),
            severity_at_least: request.severity,
            ..FindingQuery::default()
        };
        let waits = |stored: &StoredFinding| stored.status != Status::Running || !busy.contains(&stored.finding.id);
        let found = api.cx().store.every_finding(&query)?;
        ids.extend(found.into_iter().filter(waits).map(|stored| stored.finding.id));
    }
    Ok(ids)
}

pub(crate) async fn cancel_runs(api: &Api, _: Nothing) -> Result<RunStarted, ApiError> {
    Ok(RunStarted { queued: api.cancel_runs()? })
}

pub(crate) async fn cancel_run(api: &Api, request: CancelRun) -> Result<RunCancelled, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let was_under_way = match queue::cancel_run(api.cx(), &finding) {
        Ok(Some(was_under_way)) => was_under_way,
        Ok(None) => {
            let none = format!("no run of `{finding}` is under way or waits");
            return Err(ApiError::new(ErrorCode::BadRequest, none).with_hint("it may have come to its end just now"));
        }
        Err(error @ StoreError::Running { .. }) => {
            return Err(ApiError::from(error).with_hint("another window or command is at it; cancel it there"));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(RunCancelled { finding: finding.to_string(), was_under_way })
}

pub(crate) async fn pause_runs(api: &Api, _: Nothing) -> Result<QueueView, ApiError> {
    pause(api, true)
}

pub(crate) async fn resume_runs(api: &Api, _: Nothing) -> Result<QueueView, ApiError> {
    let view = pause(api, false)?;
    api.wake();
    Ok(view)
}

fn pause(api: &Api, pause: bool) -> Result<QueueView, ApiError> {
    queue::pause(api.cx(), pause)?;
    let open = u32::try_from(api.cx().store.open_jobs()?.len()).unwrap_or(u32::MAX);
    Ok(QueueView { paused: pause, open })
}
