//! What the person decides: to apply a fix or take it back, to dismiss a finding or open it again.

use std::path::PathBuf;

use conclave_core::finding::{Dismissal, Finding, Status};
use conclave_core::id::{CandidateId, FindingId, RunId};
use conclave_core::patch::Patch;
use conclave_core::resolution::{Judged, Resolution, Verdict};
use conclave_policy::Actor;
use conclave_store::{Fix, StoreError};

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
    /// It does not go with fixes of other findings that touch the same files; those are applied, this one is not.
    #[error("{0}")]
    NotTogether(String),
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
    let chosen = choose(cx, finding, fix)?;
    let fix = chosen.judged.candidate.id.clone();
    let patch = chosen.judged.candidate.patch.clone();
    Ok((fix, write(cx, &[chosen], patch).await?))
}

/// A fix that the person wants in the project.
#[derive(Clone)]
pub(crate) struct Chosen {
    /// For this finding.
    pub finding: Finding,
    /// The project's folder.
    pub root: PathBuf,
    /// The run that found it.
    pub run: RunId,
    /// It, with what was seen of it.
    pub judged: Judged,
    /// How sure we are of it.
    pub p: f64,
}

/// `fix` of `finding`, or the recommended one, if it may be applied.
pub(crate) fn choose(cx: &Ctx, finding: &FindingId, fix: Option<&CandidateId>) -> Result<Chosen, DecideError> {
    let stored = cx.store.finding(finding)?.ok_or_else(|| DecideError::NoFinding(finding.clone()))?;
    // A fix that was applied and is reported again, or was reverted in the file, is in nobody's way.
    if stored.status == Status::Fixed {
        return Err(DecideError::Already);
    }
    let project = cx.store.project(&stored.finding.project)?.ok_or_else(|| DecideError::NoFinding(finding.clone()))?;
    let none = || DecideError::NoFix("no fix has been looked for yet".to_owned());
    let resolution = cx.store.resolution(finding)?.ok_or_else(none)?;
    let verdict = verdict(&resolution, fix)?;
    Ok(Chosen {
        finding: stored.finding,
        root: project.root.into(),
        run: resolution.run.clone(),
        judged: verdict.judged.clone(),
        p: verdict.confidence.p,
    })
}

/// Writes `patch`, which holds the fixes of all of `chosen`, as one change of their project.
pub(crate) async fn write(cx: &Ctx, chosen: &[Chosen], patch: Patch) -> Result<Applied, DecideError> {
    let Some(first) = chosen.first() else { return Err(ApplyError::Empty.into()) };
    let fix = |one: &Chosen| Fix { finding: one.finding.id.clone(), candidate: one.judged.candidate.id.clone() };
    let plan = ApplyPlan { root: first.root.clone(), fixes: chosen.iter().map(fix).collect(), patch };
    let applied = apply::apply(&cx.gate, &cx.store, &cx.data, Actor::Person, plan).await?;
    for one in chosen {
        let resolution = cx.store.resolution(&one.finding.id)?;
        if let Some((resolution, verdict)) =
            resolution.as_ref().and_then(|found| Some((found, found.verdict(&one.judged.candidate.id)?)))
        {
            learn::applied(cx, &one.finding, (resolution, verdict), applied.head.clone());
        }
        cx.store.set_status(&one.finding.id, Status::Fixed, &one.judged.candidate.title, None)?;
    }
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Ledger]));
    Ok(applied)
}

fn verdict<'a>(resolution: &'a Resolution, fix: Option<&CandidateId>) -> Result<&'a Verdict, DecideError> {
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
    let fixes = cx.store.applied(finding)?.map(|intent| intent.fixes).unwrap_or_default();
    let undone = apply::undo(&cx.gate, &cx.store, &cx.data, Actor::Person, finding).await?;
    for fix in &fixes {
        learn::undone(cx, &fix.finding, &fix.candidate);
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
