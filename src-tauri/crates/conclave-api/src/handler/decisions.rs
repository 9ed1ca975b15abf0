//! Applies and undoes fixes, dismisses findings and opens them again.

use conclave_core::finding::Dismissal;
use conclave_core::id::{CandidateId, FindingId};
use conclave_engine::decide::{self, DecideError};
use conclave_engine::together::{self, End};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{
    AppliedView, ApplyFix, ApplyFixes, DecidedView, DismissFindings, FixRefused, FixesApplied, ReopenFindings, UndoFix,
    UndoneView,
};

pub(crate) async fn apply_fix(api: &Api, request: ApplyFix) -> Result<AppliedView, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let fix = request.fix.map(CandidateId::new);
    let (fix, applied) = decide::apply_fix(api.cx(), &finding, fix.as_ref()).await?;
    let applied_at = api.cx().now_ms();
    let with = Vec::new();
    Ok(AppliedView { finding: finding.to_string(), fix: fix.to_string(), files: applied.files, with, applied_at })
}

pub(crate) async fn apply_fixes(api: &Api, request: ApplyFixes) -> Result<FixesApplied, ApiError> {
    let mut wanted = Vec::new();
    for one in request.fixes {
        wanted.push((api.finding_id(&one.finding)?, one.fix.map(CandidateId::new)));
    }
    let ends = together::apply_fixes(api.cx(), &wanted).await;
    let applied_at = api.cx().now_ms();
    let in_one = |intent: i64, but: &FindingId| -> Vec<String> {
        let same = |end: &End| end.as_ref().is_ok_and(|(_, applied)| applied.intent == intent);
        let all = wanted.iter().zip(&ends).filter(|((finding, _), end)| finding != but && same(end));
        all.map(|((finding, _), _)| finding.to_string()).collect()
    };
    let (mut applied, mut refused) = (Vec::new(), Vec::new());
    let withs: Vec<Vec<String>> = wanted
        .iter()
        .zip(&ends)
        .map(|((finding, _), end)| end.as_ref().map_or_else(|_| Vec::new(), |(_, done)| in_one(done.intent, finding)))
        .collect();
    for (((finding, _), end), with) in wanted.into_iter().zip(ends).zip(withs) {
        let finding = finding.to_string();
        match end {
            Ok((fix, done)) => {
                applied.push(AppliedView { finding, fix: fix.to_string(), files: done.files, with, applied_at });
            }
            Err(error) => {
                let ApiError { message, hint, .. } = error.into();
                refused.push(FixRefused { finding, message, hint });
            }
        }
    }
    Ok(FixesApplied { applied, refused })
}

pub(crate) async fn undo_fix(api: &Api, request: UndoFix) -> Result<UndoneView, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let undone = decide::undo_fix(api.cx(), &finding).await.map_err(|error| {
        let error = ApiError::from(error);
        let moved_on = "nothing was written; take later fixes of this file back first, or restore it by hand";
        if error.code == ErrorCode::Changed { error.with_hint(moved_on) } else { error }
    })?;
    let with = undone.with.iter().map(FindingId::to_string).collect();
    Ok(UndoneView { finding: finding.to_string(), files: undone.files, with })
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
