//! `conclave show`, `replay`, `preview`, `export`, `apply`, `undo`, `dismiss`, `reopen` and `doctor`.

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{
    AppliedView, ApplyFix, DecidedView, DismissFindings, DoctorView, ExportFix, ExportForm, ExportedFix, FindingView,
    GetFinding, Nothing, PreviewRequest, PreviewView, ReopenFindings, ReplayRun, ReplayView, UndoFix, UndoneView,
};

use super::call;
use crate::args::{Export, ExportAs, Reason};
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn show(api: &Api, output: &Output, id: &str, thoughts: bool) -> Result<Exit, ApiError> {
    let view: FindingView = call(api, "get_finding", &GetFinding { finding: id.to_owned() }).await?;
    output.finding(&view, thoughts);
    Ok(Exit::Done)
}

/// A conclusion that comes out differently is nothing to rely on.
pub(super) async fn replay(api: &Api, output: &Output, run: &str) -> Result<Exit, ApiError> {
    let view: ReplayView = call(api, "replay_run", &ReplayRun { run: run.to_owned() }).await?;
    output.replayed(&view);
    Ok(if view.same { Exit::Done } else { Exit::Unknown })
}

pub(super) async fn preview(api: &Api, output: &Output, id: &str) -> Result<Exit, ApiError> {
    let view: PreviewView = call(api, "preview_request", &PreviewRequest { finding: id.to_owned() }).await?;
    output.preview(&view);
    Ok(Exit::Done)
}

pub(super) async fn export(api: &Api, output: &Output, export: &Export) -> Result<Exit, ApiError> {
    let form = match export.form {
        ExportAs::Patch => ExportForm::Patch,
        ExportAs::Pr => ExportForm::PullRequest,
    };
    let request = ExportFix { finding: export.id.clone(), fix: export.fix.clone(), form };
    let view: ExportedFix = call(api, "export_fix", &request).await?;
    match &export.output {
        None => output.exported(&view),
        Some(file) => {
            api.write_text(file, view.text.clone()).await?;
            output.export_written(&view, file);
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn apply(api: &Api, output: &Output, id: &str, fix: Option<String>) -> Result<Exit, ApiError> {
    let view: AppliedView = call(api, "apply_fix", &ApplyFix { finding: id.to_owned(), fix }).await?;
    output.applied(&view);
    Ok(Exit::Done)
}

pub(super) async fn undo(api: &Api, output: &Output, id: &str) -> Result<Exit, ApiError> {
    let view: UndoneView = call(api, "undo_fix", &UndoFix { finding: id.to_owned() }).await?;
    output.undone(&view);
    Ok(Exit::Done)
}

pub(super) async fn dismiss(
    api: &Api,
    output: &Output,
    ids: &[String],
    reason: Reason,
    note: &str,
) -> Result<Exit, ApiError> {
    let request = DismissFindings { findings: ids.to_vec(), reason: reason.into(), note: note.to_owned() };
    let view: DecidedView = call(api, "dismiss_findings", &request).await?;
    output.dismissed(&view);
    Ok(Exit::Done)
}

pub(super) async fn reopen(api: &Api, output: &Output, ids: &[String]) -> Result<Exit, ApiError> {
    let view: DecidedView = call(api, "reopen_findings", &ReopenFindings { findings: ids.to_vec() }).await?;
    output.reopened(&view);
    Ok(Exit::Done)
}

/// What is missing can be done without; what is there and broken cannot be relied on.
pub(super) async fn doctor(api: &Api, output: &Output) -> Result<Exit, ApiError> {
    let view: DoctorView = call(api, "get_doctor", &Nothing {}).await?;
    output.doctor(&view);
    Ok(if view.items.iter().any(|item| item.wrong) { Exit::Unknown } else { Exit::Done })
}
