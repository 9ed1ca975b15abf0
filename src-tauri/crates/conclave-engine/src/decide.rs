//! What the person decides: to apply a fix or take it back, to dismiss a finding or open it again.

use conclave_core::finding::{Dismissal, Status};
use conclave_core::id::{CandidateId, FindingId};
use conclave_core::resolution::{Resolution, Verdict};
use conclave_policy::Actor;
use conclave_store::StoreError;

use crate::apply::{self, Applied, ApplyError, ApplyPlan, Undone};
use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::learn;

/// Why a decision cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such finding.
    #[error("there is no finding `{0}`")]
    NoFinding(FindingId),
    /// There is no such fix, or none is recommended.
    #[error("{0}")]
    NoFix(String),
    /// A fix of it is applied already.
    #[error("a fix of this finding is applied already")]
    Already,
    /// It cannot be dismissed as it stands; why, in words.
    #[error("{0}")]
    NotDismissed(&'static str),
    /// Writing was refused or failed; the project is as it was.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of Conclave's own; what was begun in the project is settled at the next start.
    #[error("applying broke off: {0}; start Conclave again to have it put right")]
    Broken(String),
}

/// Applies `fix`, or the recommended one, to the finding's project, on the person's word.
///
/// # Errors
/// See [`DecideError`]. A fix that was stopped by a check is never applied.
pub async fn apply_fix(
    cx: &Ctx,
    finding: &FindingId,
    fix: Option<&CandidateId>,
) -> Result<(CandidateId, Applied), DecideError> {
    let stored = cx.store.finding(finding)?.ok_or_else(|| DecideError::NoFinding(finding.clone()))?;
    // A fix that was applied and is reported again, or was reverted in the file, is in nobody's way.
    if stored.status == Status::Fixed {
        return Err(DecideError::Already);
    }
    let project = cx.store.project(&stored.finding.project)?.ok_or_else(|| DecideError::NoFinding(finding.clone()))?;
    let resolution = cx.store.resolution(finding)?;
    let verdict = resolution.as_ref().map(|r| chosen(r, fix)).transpose()?;
    let (Some(resolution), Some(verdict)) = (&resolution, verdict) else {
        return Err(DecideError::NoFix("no fix has been looked for yet".to_owned()));
    };
    let candidate = verdict.judged.candidate.clone();
    let plan = ApplyPlan {
        root: project.root.into(),
        finding: Some(finding.clone()),
        candidate: Some(candidate.id.clone()),
        patch: candidate.patch,
    };
    let applied = apply::apply(&cx.gate, &cx.store, &cx.data, Actor::Person, plan).await?;
    learn::applied(cx, &stored.finding, resolution, verdict);
    cx.store.set_status(finding, Status::Fixed, &candidate.title, None)?;
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Ledger]));
    Ok((candidate.id, applied))
}

fn chosen<'a>(resolution: &'a Resolution, fix: Option<&CandidateId>) -> Result<&'a Verdict, DecideError> {
    let Some(fix) = fix else {
        return resolution
            .recommended()
            .ok_or_else(|| DecideError::NoFix("no fix is recommended for this finding".to_owned()));
    };
    let verdict = resolution
        .verdicts
        .iter()
        .find(|v| v.judged.candidate.id == *fix)
        .ok_or_else(|| DecideError::NoFix(format!("there is no fix `{fix}`")))?;
    match &verdict.stopped {
        Some(why) => Err(DecideError::NoFix(format!("this fix was stopped: {why}"))),
        None => Ok(verdict),
    }
}

/// Takes the applied fix of `finding` back.
///
/// # Errors
/// See [`DecideError`].
pub async fn undo_fix(cx: &Ctx, finding: &FindingId) -> Result<Undone, DecideError> {
    let fix = cx.store.applied(finding)?.and_then(|intent| intent.candidate);
    let undone = apply::undo(&cx.gate, &cx.store, &cx.data, Actor::Person, finding).await?;
    if let Some(fix) = fix {
        learn::undone(cx, finding, &fix);
    }
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Ledger]));
    Ok(undone)
}

/// Dismisses `finding`, on the person's word.
///
/// # Errors
/// A run of it is under way, or a fix of it is applied; else see [`DecideError`].
pub fn dismiss(cx: &Ctx, finding: &FindingId, dismissal: &Dismissal) -> Result<(), DecideError> {
    let stored = cx.store.finding(finding)?.ok_or_else(|| DecideError::NoFinding(finding.clone()))?;
    match stored.status {
        Status::Running => return Err(DecideError::NotDismissed("a run of this finding is under way")),
        Status::Fixed => return Err(DecideError::Already),
        _ => cx.store.dismiss(finding, Some(dismissal))?,
    }
    cx.events.send(Event::Changed(vec![Topic::Findings]));
    Ok(())
}

/// Opens a dismissed `finding` again: it stands as its last run has left it.
///
/// # Errors
/// It is not dismissed; else see [`DecideError`].
pub fn reopen(cx: &Ctx, finding: &FindingId) -> Result<(), DecideError> {
    if cx.store.dismissal(finding)?.is_none() {
        return Err(DecideError::NotDismissed("this finding is not dismissed"));
    }
    cx.store.dismiss(finding, None)?;
    cx.events.send(Event::Changed(vec![Topic::Findings]));
    Ok(())
}
