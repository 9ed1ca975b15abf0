//! Fixes many findings at once and, on the person's word, applies what is recommended.

use std::collections::BTreeMap;

use conclave_core::auto_apply::may_apply;
use conclave_core::candidate::FixClass;
use conclave_core::id::FindingId;
use conclave_core::resolution::{Conclusion, Resolution};
use conclave_store::StoreError;
use tokio::task::JoinSet;

use crate::apply::Applied;
use crate::ctx::Ctx;
use crate::decide::DecideError;
use crate::learn;
use crate::queue::{alone, run_job};
use crate::run::RunError;
use crate::together::{Wanted, apply_fixes};

/// Which recommended fixes the person lets Conclave write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// None.
    Nothing,
    /// Those of class safe-auto.
    SafeOnly,
    /// Those of class safe-auto and review.
    Recommended,
}

impl Consent {
    fn covers(self, resolution: &Resolution) -> bool {
        match (&resolution.conclusion, self) {
            (_, Self::Nothing) => false,
            (Conclusion::Recommended { class, .. }, Self::SafeOnly) => *class == FixClass::SafeAuto,
            (Conclusion::Recommended { .. }, Self::Recommended) => true,
            // A person picks, or there is nothing to pick.
            (
                Conclusion::Disagreement { .. }
                | Conclusion::SuspectedFalsePositive { .. }
                | Conclusion::NoSafeFix { .. },
                _,
            ) => false,
        }
    }
}

/// What became of one finding.
#[derive(Debug)]
pub struct Treated {
    /// The finding.
    pub finding: FindingId,
    /// The result of its run.
    pub resolution: Result<Resolution, RunError>,
    /// The fix that was written, or why it was not; `None` when nothing was to be written.
    pub applied: Option<Result<Applied, DecideError>>,
}

/// Runs `findings`, `parallel` files at a time, and applies what `consent` covers or the settings let be applied.
///
/// The findings of one file are run first, and then written together: see [`crate::together`]. What goes wrong with one
/// finding is its own affair and ends no other.
///
/// # Errors
/// The store cannot say where the findings are; then nothing was begun.
pub async fn fix(
    cx: &Ctx,
    findings: &[FindingId],
    consent: Consent,
    parallel: usize,
) -> Result<Vec<Treated>, StoreError> {
    let mut by_file: BTreeMap<String, Vec<(usize, FindingId)>> = BTreeMap::new();
    for (index, id) in findings.iter().enumerate() {
        let Some(stored) = cx.store.finding(id)? else { continue };
        let file = stored.finding.detection.location.map_or_else(String::new, |location| location.path.to_string());
        by_file.entry(file).or_default().push((index, id.clone()));
    }
    let is_only = findings.len() == 1;
    let mut files = by_file.into_values();
    let mut running = JoinSet::new();
    let mut treated = Vec::with_capacity(findings.len());
    loop {
        while running.len() < parallel.max(1) {
            let Some(group) = files.next() else { break };
            let cx = cx.clone();
            running.spawn(async move { one_file(&cx, group, consent, is_only).await });
        }
        match running.join_next().await {
            Some(Ok(group)) => treated.extend(group),
            // Only the end of the runtime comes here: runs and applying are caught one by one.
            Some(Err(_)) => {}
            None => break,
        }
    }
    treated.sort_by_key(|(index, _)| *index);
    Ok(treated.into_iter().map(|(_, treated)| treated).collect())
}

async fn one_file(cx: &Ctx, group: Vec<(usize, FindingId)>, consent: Consent, is_only: bool) -> Vec<(usize, Treated)> {
    let mut treated = Vec::with_capacity(group.len());
    for (index, id) in group {
        if cx.cancel.is_cancelled() {
            break;
        }
        let resolution = run(cx, &id, is_only).await;
        treated.push((index, Treated { finding: id, resolution, applied: None }));
    }
    let may = |treated: &Treated| match &treated.resolution {
        Ok(resolution) => consent.covers(resolution) || is_allowed(cx, &treated.finding, resolution),
        Err(_) => false,
    };
    let mut wanted: Vec<&mut Treated> = treated.iter_mut().map(|(_, one)| one).filter(|one| may(one)).collect();
    let ids: Vec<Wanted> = wanted.iter().map(|one| (one.finding.clone(), None)).collect();
    let ends = write(cx, ids).await;
    for (one, end) in wanted.iter_mut().zip(ends) {
        one.applied = Some(end);
    }
    treated
}

/// Applies the recommended fixes of `findings`, unless the person has cancelled by now.
async fn write(cx: &Ctx, findings: Vec<Wanted>) -> Vec<Result<Applied, DecideError>> {
    let count = findings.len();
    let all = |error: &dyn Fn() -> DecideError| (0..count).map(|_| Err(error())).collect();
    if cx.cancel.is_cancelled() {
        return all(&|| DecideError::NoFix("cancelled before it was applied".to_owned()));
    }
    let owned = cx.clone();
    match alone(async move { apply_fixes(&owned, &findings).await }).await {
        Ok(ends) => ends.into_iter().map(|end| end.map(|(_, applied)| applied)).collect(),
        Err(why) => all(&|| DecideError::Broken(why.clone())),
    }
}

/// Whether the person's settings let the recommended fix of `resolution` be applied without another word.
fn is_allowed(cx: &Ctx, finding: &FindingId, resolution: &Resolution) -> bool {
    let settings = cx.settings();
    if settings.auto_apply.is_empty() {
        return false;
    }
    let Ok(Some(stored)) = cx.store.finding(finding) else { return false };
    let Ok(Some(project)) = cx.store.project(&stored.finding.project) else { return false };
    let record = learn::record(cx, &project.root);
    match may_apply(&settings.auto_apply, &stored.finding, resolution, &record) {
        Ok(_) => true,
        Err(waits) => {
            tracing::info!(%finding, %waits, "a person is waited for");
            false
        }
    }
}

async fn run(cx: &Ctx, finding: &FindingId, is_only: bool) -> Result<Resolution, RunError> {
    let job = cx.store.begin_run(finding, is_only, cx.now_ms())?;
    run_job(cx, job).await?.1
}

#[cfg(test)]
mod tests;
