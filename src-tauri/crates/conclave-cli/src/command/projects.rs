//! `conclave scan`, `import` and `findings`.

use std::path::Path;

use conclave_api::error::ApiError;
use conclave_api::view::{FindingPage, FindingRow, ListFindings, SavedView, ScanState, ScanView};
use conclave_api::{Api, Status};

use super::call;
use crate::args::Format;
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn scan(api: &Api, output: &Output, dir: &Path) -> Result<Exit, ApiError> {
    let (project, scans) = api.scan_folder(dir).await?;
    output.scans(&project, &scans);
    Ok(exit(&scans))
}

pub(super) async fn import(api: &Api, output: &Output, file: &Path, project: &Path) -> Result<Exit, ApiError> {
    let (project, scans) = api.import_folder(file.to_owned(), project).await?;
    output.scans(&project, &scans);
    Ok(exit(&scans))
}

fn exit(scans: &[ScanView]) -> Exit {
    if scans.iter().any(|scan| scan.state == ScanState::Failed) { Exit::Unknown } else { Exit::Done }
}

pub(super) async fn findings(
    api: &Api,
    output: &Output,
    project: Option<&Path>,
    query: &str,
    all: bool,
) -> Result<Exit, ApiError> {
    let mut request = ListFindings {
        project: project.map(|root| api.project_at(root)).transpose()?.map(|id| id.to_string()),
        view: SavedView::All,
        query: query.to_owned(),
        limit: Some(1000),
        ..ListFindings::default()
    };
    let mut rows = Vec::new();
    loop {
        let page: FindingPage = call(api, "list_findings", &request).await?;
        let stands =
            |row: &FindingRow| all || !matches!(row.status, Status::Fixed | Status::Suppressed | Status::Dismissed);
        rows.extend(page.items.into_iter().filter(stands));
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    if output.format() == Format::Sarif {
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        output.raw(&api.sarif(&ids, &api.scan_failures(request.project.as_deref())?)?);
    } else {
        output.findings(&rows, !query.is_empty());
    }
    Ok(Exit::Done)
}
