//! What becomes of fixes is written down where it happens, and what that says changes the next reading.
//!
//! `attempt` says what is known of a fix, `look` goes and sees whether it still stands and is merged, `recall` keeps edge
//! cases and finds them again, `insights` adds it all up, `training` writes accepted fixes out. Deliberately absent: what
//! an outcome means (`core::label`), and any choice of a fix.
//! Invariants: nothing is learned of a client that is excluded, nor of anybody while learning is off; nothing of one
//! client is read for another; where anything of it fails, that is said, and applying and running go on.

mod attempt;
mod git;
pub mod insights;
mod look;
mod recall;
#[cfg(test)]
mod tests;
pub mod training;

use std::collections::BTreeMap;
use std::path::Path;

use conclave_core::calibration::{Labelled, fits};
use conclave_core::candidate::{Origin, family_of};
use conclave_core::finding::Finding;
use conclave_core::id::{CandidateId, FindingId, ProjectId};
use conclave_core::label::{Attempt, Event, Place, Standing};
use conclave_core::record::{Cell, Outcome, Record};
use conclave_core::resolution::{Resolution, Verdict};
use conclave_core::settings::Settings;
use conclave_store::{KnownFix, Rating, StoreError};

use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::event::{Event as Told, Topic};

pub(crate) use attempt::kind;
pub(crate) use look::look_back;
pub(crate) use recall::{keep_edge_cases, recall};

pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// What outcomes of another version of the same model still count.
const OTHER_VERSION: f64 = 0.5;

/// Why a rating is not kept.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// There is no such finding.
    #[error("there is no finding `{0}`")]
    NoFinding(FindingId),
    /// There is no such fix, or none to choose.
    #[error("{0}")]
    NoFix(String),
    /// Nothing is learned here.
    #[error("nothing is learned here: {0}")]
    Off(String),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose a project is, and whether anything is learned of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name; empty for nobody's.
    pub name: String,
    /// Why nothing is learned, in words; `None` where something is.
    pub refused: Option<String>,
}

impl Client {
    /// Whose the project at `root` is.
    pub fn of(settings: &Settings, root: &str) -> Self {
        match settings.client_of(root) {
            Some((name, client)) => Self::new(settings, name, client.excluded),
            None => Self::new(settings, "", false),
        }
    }

    /// The client `name` of the settings, or nobody where it is empty; `None` where they name no such client.
    pub fn named(settings: &Settings, name: &str) -> Option<Self> {
        match settings.clients.get(name) {
            Some(client) => Some(Self::new(settings, name, client.excluded)),
            None => name.is_empty().then(|| Self::new(settings, name, false)),
        }
    }

    fn new(settings: &Settings, name: &str, excluded: bool) -> Self {
        let name = name.to_owned();
        let refused = match (settings.learning.on, excluded) {
            (false, _) => Some("`learning.on` in the settings is false".to_owned()),
            (true, true) => Some(format!("`clients.{name}.excluded` in the settings is true")),
            (true, false) => None,
        };
        Self { name, refused }
    }

    /// That of `finding`'s project.
    fn of_finding(cx: &Ctx, finding: &Finding) -> Result<Self, StoreError> {
        let root = cx.store.project(&finding.project)?.map(|project| project.root).unwrap_or_default();
        Ok(Self::of(&cx.settings(), &root))
    }
}

/// What became of earlier fixes, as far as it may count for a finding in the project at `root`.
pub(crate) fn record(cx: &Ctx, root: &str) -> Record {
    let settings = cx.settings();
    let client = Client::of(&settings, root);
    if client.refused.is_some() {
        return Record::default();
    }
    let current = Current::of(cx);
    match cx.store.known_fixes(&client.name) {
        Ok(fixes) => build(&fixes, &current, cx.now_ms()),
        Err(error) => {
            tracing::warn!(%error, "what became of earlier fixes cannot be read");
            Record::faulty("the record of outcomes cannot be read")
        }
    }
}

/// The same, off the threads that serve everything else.
pub(crate) async fn recorded(cx: &Ctx, root: &Path) -> Record {
    let (cx, root) = (cx.clone(), root.to_string_lossy().into_owned());
    blocking(move || record(&cx, &root)).await
}

/// The models of the settings by name, each with the model as it is known at the other end.
pub(crate) struct Current(BTreeMap<String, String>);

impl Current {
    pub(crate) fn of(cx: &Ctx) -> Self {
        let all = cx.models.all();
        Self(all.iter().map(|model| (model.info().name.clone(), model.info().model.clone())).collect())
    }

    /// Under which author an outcome of `origin` counts today, and how much of it: where the settings' model of that name
    /// is another version of the same family now, half of it counts for the new one.
    fn author(&self, origin: &Origin) -> (Origin, f64) {
        let Origin::Model { model, endpoint, local, family } = origin else { return (origin.clone(), 1.0) };
        match self.0.get(endpoint) {
            Some(now) if now != model && !now.is_empty() && family_of(now) == *family => {
                let (model, endpoint, family) = (now.clone(), endpoint.clone(), family.clone());
                (Origin::Model { model, endpoint, local: *local, family }, OTHER_VERSION)
            }
            _ => (origin.clone(), 1.0),
        }
    }
}

/// The record that `fixes` make up at `now_ms`.
pub(crate) fn build(fixes: &[KnownFix], current: &Current, now_ms: i64) -> Record {
    let mut record = Record::default();
    let mut labelled = Vec::new();
    for fix in fixes {
        let Some(label) = Standing::of(fix.events.iter().map(|(_, event)| event)).label() else { continue };
        let last = fix.events.last().map_or(fix.created_at, |(at, _)| *at);
        let age_days = (now_ms - last).max(0) as f64 / DAY_MS as f64;
        for attempt in &fix.attempts {
            let (origin, share) = current.author(&attempt.origin);
            let (family, language) = (attempt.family, attempt.language);
            let weight = label.weight * share;
            record.add(&Outcome { origin, family, language, right: label.right, weight, age_days });
        }
        let Some(attempt) = fix.attempts.first() else { continue };
        let Attempt { severity, log_odds, .. } = *attempt;
        labelled.push(Labelled { severity, log_odds, right: label.right, weight: label.weight });
        // That somebody pressed a button opens no gate and lifts no cap.
        if label.weight >= 1.0 {
            record.count_under(attempt.cap, label.right);
            if let (Some(language), Some(rung)) = (attempt.language, attempt.rung) {
                record.count(Cell { severity, family: attempt.family, language, rung }, label.right);
            }
        }
    }
    fits(&labelled).into_iter().for_each(|fit| record.set_fit(fit));
    record
}

/// Writes down that the fix of `verdict` was applied while `head` was checked out; where that fails, nothing is learned of
/// it.
pub(crate) fn applied(
    cx: &Ctx,
    finding: &Finding,
    (resolution, verdict): (&Resolution, &Verdict),
    head: Option<String>,
) {
    let keep = || -> Result<(), StoreError> {
        let client = Client::of_finding(cx, finding)?;
        if client.refused.is_some() {
            return Ok(());
        }
        let new = attempt::new_fix(&client.name, finding, resolution, verdict);
        cx.store.know_fix(&new, cx.now_ms())?;
        let event = Event::Applied { tests: attempt::tests_passed(verdict), head: head.clone() };
        cx.store.add_fix_event(&client.name, &finding.id, &new.fix, &event, cx.now_ms())?;
        if !matches!(verdict.judged.candidate.origin, Origin::Person { .. }) {
            return Ok(());
        }
        // The fix that the person changed before they applied it was not good enough, nor was it wrong.
        for parent in verdict.judged.parents.iter().filter_map(|parent| resolution.verdict(parent)) {
            let new = attempt::new_fix(&client.name, finding, resolution, parent);
            cx.store.know_fix(&new, cx.now_ms())?;
            cx.store.add_fix_event(&client.name, &finding.id, &new.fix, &Event::Edited, cx.now_ms())?;
        }
        Ok(())
    };
    note(keep());
}

/// Writes down that `fix` of `finding` was taken back.
pub(crate) fn undone(cx: &Ctx, finding: &FindingId, fix: &CandidateId) {
    let keep = || -> Result<(), StoreError> {
        let Some(stored) = cx.store.finding(finding)? else { return Ok(()) };
        let fixes = cx.store.known_fixes_in(&stored.finding.project)?;
        match fixes.iter().find(|known| known.finding == *finding && known.fix == *fix) {
            Some(known) => cx.store.add_fix_event(&known.client, finding, fix, &Event::Reverted, cx.now_ms()),
            None => Ok(()),
        }
    };
    note(keep());
}

/// Writes down how the tests of the project at `root`, which had `heads` checked out before and after them, ended with
/// nothing but what is in it; where these differ, nobody knows what was tested.
///
/// They say nothing of a fix that was written to another branch. That they fail says something of a fix only where they
/// passed with it before: many a project has tests that never pass.
pub(crate) fn tests_after(cx: &Ctx, root: &str, [before, head]: [Option<&str>; 2], passed: bool) {
    if before != head {
        return;
    }
    let keep = || -> Result<(), StoreError> {
        for fix in cx.store.known_fixes_in(&ProjectId::of_root(root))? {
            let standing = Standing::of(fix.events.iter().map(|(_, event)| event));
            let seen = fix.events.iter().rev().find_map(|(_, event)| match event {
                Event::TestsAfter { passed } => Some(Some(*passed)),
                Event::Applied { .. } => Some(None),
                _ => None,
            });
            let is_news = if passed { seen != Some(Some(true)) } else { seen == Some(Some(true)) };
            if is_news && standing.place == Place::Applied && look::is_where_it_was(&fix, head) {
                let event = Event::TestsAfter { passed };
                cx.store.add_fix_event(&fix.client, &fix.finding, &fix.fix, &event, cx.now_ms())?;
            }
        }
        Ok(())
    };
    note(keep());
}

fn note(kept: Result<(), StoreError>) {
    if let Err(error) = kept {
        tracing::warn!(%error, "what became of a fix is not kept");
    }
}

/// Keeps what a person says of `fix`, or of the fix of `finding` that is applied or else recommended; gives that fix.
///
/// # Errors
/// See [`LearnError`].
pub fn rate(
    cx: &Ctx,
    finding: &FindingId,
    fix: Option<&CandidateId>,
    rating: &Rating,
) -> Result<CandidateId, LearnError> {
    let stored = cx.store.finding(finding)?.ok_or_else(|| LearnError::NoFinding(finding.clone()))?;
    let client = Client::of_finding(cx, &stored.finding)?;
    if let Some(why) = client.refused {
        return Err(LearnError::Off(why));
    }
    let resolution = cx.store.resolution(finding)?;
    let applied = cx.store.applied(finding)?.and_then(|intent| intent.candidate_for(finding).cloned());
    let known = cx.store.known_fixes_in(&stored.finding.project)?;
    let is_known = |fix: &CandidateId| known.iter().any(|one| one.finding == *finding && one.fix == *fix);
    let recommended = || Some(resolution.as_ref()?.recommended()?.judged.candidate.id.clone());
    let fix = fix.cloned().or(applied).or_else(recommended);
    let fix = fix.ok_or_else(|| LearnError::NoFix("no fix is applied or recommended for this finding".to_owned()))?;
    let verdict = resolution.as_ref().and_then(|resolution| Some((resolution, resolution.verdict(&fix)?)));
    match verdict {
        Some((resolution, verdict)) => {
            cx.store.know_fix(&attempt::new_fix(&client.name, &stored.finding, resolution, verdict), cx.now_ms())?;
        }
        // A later run may have come to other fixes.
        None if is_known(&fix) => {}
        None => return Err(LearnError::NoFix(format!("there is no fix `{fix}`"))),
    }
    cx.store.add_rating(&client.name, finding, &fix, rating, cx.now_ms())?;
    cx.events.send(Told::Changed(vec![Topic::Findings]));
    Ok(fix)
}

/// What was last said of the fixes of `finding`.
///
/// # Errors
/// The store fails.
pub fn ratings(cx: &Ctx, finding: &FindingId) -> Result<Vec<(CandidateId, Rating)>, LearnError> {
    let stored = cx.store.finding(finding)?.ok_or_else(|| LearnError::NoFinding(finding.clone()))?;
    let mut ratings = Vec::new();
    for known in cx.store.known_fixes_in(&stored.finding.project)?.iter().filter(|known| known.finding == *finding) {
        if let Some(rating) = cx.store.rating(&known.client, finding, &known.fix)? {
            ratings.push((known.fix.clone(), rating));
        }
    }
    Ok(ratings)
}

/// Forgets all that was learned: of `client` (the empty name is nobody), or of everybody. Gives the number of rows.
///
/// # Errors
/// The store fails.
pub fn reset(cx: &Ctx, client: Option<&str>) -> Result<u32, StoreError> {
    let rows = match client {
        Some(client) => cx.store.erase_client(client)?,
        None => cx.store.erase_learning()?,
    };
    cx.events.send(Told::Changed(vec![Topic::Findings]));
    Ok(rows)
}
