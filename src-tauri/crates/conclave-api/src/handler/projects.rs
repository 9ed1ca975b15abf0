//! Adds, lists, scans and fills projects.

use std::path::Path;

use conclave_core::finding::Status;
use conclave_core::id::ProjectId;
use conclave_core::project::Project;
use conclave_engine::scan::Scanned;
use conclave_engine::{demo, ingest, project, scan};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::show;
use crate::view::{AddProject, ImportSarif, ImportView, NamedProject, Nothing, ProjectList, ProjectView};

pub(crate) async fn list_projects(api: &Api, _: Nothing) -> Result<ProjectList, ApiError> {
    let projects = api.cx().store.projects()?;
    let items =
        projects.iter().filter(|project| project.listed).map(|project| view(api, project)).collect::<Result<_, _>>()?;
    Ok(ProjectList { items })
}

fn view(api: &Api, project: &Project) -> Result<ProjectView, ApiError> {
    let store = &api.cx().store;
    let counts = store.status_counts(Some(&project.id))?;
    let closed = |status: &Status| matches!(status, Status::Fixed | Status::Suppressed | Status::Dismissed);
    Ok(ProjectView {
        id: project.id.to_string(),
        name: project.name.clone(),
        root: project.root.clone(),
        watched: project.watched,
        present: project::is_present(project),
        open: counts.iter().filter(|(status, _)| !closed(status)).map(|(_, count)| count).sum(),
        scans: store.last_scans(&project.id)?.iter().map(|(record, at, new)| show::scan(record, *new, *at)).collect(),
    })
}

fn named(api: &Api, id: &str) -> Result<Project, ApiError> {
    let missing = || ApiError::new(ErrorCode::NotFound, format!("there is no project `{id}`"));
    api.cx().store.project(&ProjectId::new(id))?.ok_or_else(missing)
}

pub(crate) async fn add_project(api: &Api, request: AddProject) -> Result<ProjectView, ApiError> {
    let project = project::add(api.cx(), Path::new(&request.path), request.watch)?;
    api.follow(project.clone());
    view(api, &project)
}

pub(crate) async fn open_demo(api: &Api, _: Nothing) -> Result<ProjectView, ApiError> {
    let project = demo::open(api.cx()).await?;
    api.follow(project.clone());
    view(api, &project)
}

pub(crate) async fn import_sarif(api: &Api, request: ImportSarif) -> Result<ImportView, ApiError> {
    let project = named(api, &request.project)?;
    let scans = ingest::import(api.cx(), &project, request.path.into()).await?;
    Ok(import_view(api, &project, &scans))
}

pub(crate) async fn scan_project(api: &Api, request: NamedProject) -> Result<ImportView, ApiError> {
    let project = named(api, &request.project)?;
    let scanned = scan::scan(api.cx(), &project, None).await?;
    Ok(import_view(api, &project, &[scanned]))
}

fn import_view(api: &Api, project: &Project, scans: &[Scanned]) -> ImportView {
    let now = api.cx().now_ms();
    let scans = scans.iter().map(|scanned| show::scan(&scanned.record, scanned.saved.new, now)).collect();
    ImportView { project: project.id.to_string(), scans }
}
