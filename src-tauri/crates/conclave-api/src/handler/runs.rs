//! Starts and ends runs.

use conclave_core::finding::Status;
use conclave_core::id::{FindingId, ProjectId};
use conclave_engine::queue;
use conclave_store::FindingQuery;

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{Nothing, RunFix, RunStarted};

pub(crate) async fn run_fix(api: &Api, request: RunFix) -> Result<RunStarted, ApiError> {
    let findings = chosen(api, &request)?;
    let queued = queue::enqueue(api.cx(), &findings)?;
    api.wake();
    Ok(RunStarted { queued })
}

/// The findings that `request` means.
pub(crate) fn chosen(api: &Api, request: &RunFix) -> Result<Vec<FindingId>, ApiError> {
    if request.findings.is_empty() {
        return waiting(api, request);
    }
    let mut ids = Vec::new();
    for text in &request.findings {
        let id = api.finding_id(text)?;
        if api.cx().store.applied(&id)?.is_some() {
            return Err(ApiError::new(ErrorCode::BadRequest, format!("a fix of `{id}` is applied"))
                .with_hint("undo it before looking for another"));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Every finding that is open or ended without a fix, of the chosen project or of all that are in the list.
fn waiting(api: &Api, request: &RunFix) -> Result<Vec<FindingId>, ApiError> {
    let projects: Vec<ProjectId> = match &request.project {
        Some(id) => vec![ProjectId::new(id)],
        None => api.cx().store.projects()?.into_iter().filter(|p| p.listed).map(|p| p.id).collect(),
    };
    let mut ids = Vec::new();
    for project in projects {
        let mut query = FindingQuery {
            project: Some(project),
            statuses: vec![Status::Open, Status::NoSafeFix],
            severity_at_least: request.severity,
            limit: 1000,
            ..FindingQuery::default()
        };
        loop {
            let page = api.cx().store.list_findings(&query)?;
            ids.extend(page.items.into_iter().map(|stored| stored.finding.id));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
    }
    Ok(ids)
}

pub(crate) async fn cancel_runs(api: &Api, _: Nothing) -> Result<RunStarted, ApiError> {
    Ok(RunStarted { queued: api.cancel_runs()? })
}
