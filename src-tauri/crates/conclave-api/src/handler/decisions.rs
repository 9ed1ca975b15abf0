//! Applies and undoes fixes, dismisses findings and opens them again.

use conclave_core::finding::Dismissal;
use conclave_core::id::{CandidateId, FindingId};
use conclave_engine::decide::{self, DecideError};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{AppliedView, ApplyFix, DecidedView, DismissFindings, ReopenFindings, UndoFix, UndoneView};

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

/// The longest note that is kept, in characters.
const LONGEST_NOTE: usize = 2_000;

pub(crate) async fn dismiss_findings(api: &Api, request: DismissFindings) -> Result<DecidedView, ApiError> {
    let note = request.note.trim();
    if note.chars().count() > LONGEST_NOTE {
        return Err(ApiError::new(ErrorCode::BadRequest, "the note is too long")
            .with_hint(format!("say it in {LONGEST_NOTE} characters")));
    }
    let dismissal = Dismissal { reason: request.reason, note: note.to_owned(), at: api.cx().now_ms() };
    decided(api, &request.findings, |finding| decide::dismiss(api.cx(), finding, &dismissal))
}

pub(crate) async fn reopen_findings(api: &Api, request: ReopenFindings) -> Result<DecidedView, ApiError> {
    decided(api, &request.findings, |finding| decide::reopen(api.cx(), finding))
}

/// Decides about each of `findings`, in their order, up to the first about which that cannot be.
fn decided(
    api: &Api,
    findings: &[String],
    decide: impl Fn(&FindingId) -> Result<(), DecideError>,
) -> Result<DecidedView, ApiError> {
    let ids = findings.iter().map(|text| api.finding_id(text)).collect::<Result<Vec<_>, _>>()?;
    ids.iter().try_for_each(&decide)?;
    Ok(DecidedView { findings: ids.iter().map(ToString::to_string).collect() })
}
