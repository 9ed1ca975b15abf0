//! Applies and undoes.

use conclave_core::id::CandidateId;
use conclave_engine::decide;

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{AppliedView, ApplyFix, UndoFix, UndoneView};

pub(crate) async fn apply_fix(api: &Api, request: ApplyFix) -> Result<AppliedView, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let fix = request.fix.map(CandidateId::new);
    let (fix, applied) = decide::apply_fix(api.cx(), &finding, fix.as_ref()).await?;
    let applied_at = api.cx().now_ms();
    Ok(AppliedView { finding: finding.to_string(), fix: fix.to_string(), files: applied.files, applied_at })
}

pub(crate) async fn undo_fix(api: &Api, request: UndoFix) -> Result<UndoneView, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let undone = decide::undo_fix(api.cx(), &finding).await.map_err(|error| {
        let error = ApiError::from(error);
        let moved_on = "nothing was written; take later fixes of this file back first, or restore it by hand";
        if error.code == ErrorCode::Changed { error.with_hint(moved_on) } else { error }
    })?;
    Ok(UndoneView { finding: finding.to_string(), files: undone.files })
}
