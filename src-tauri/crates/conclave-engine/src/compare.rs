//! Compares two configurations on the same findings, blind.
//!
//! Both are run on each finding along the same line and through the same gate, one after another, so that what each costs
//! and how long it takes is its own. Deliberately absent: any say in what a project's fixes are; a run for a comparison
//! changes no finding and teaches nothing.
//! Invariants: before a person has chosen, nothing of a pair is given away but the two changes; a choice is made once; a
//! comparison goes on only under the settings that it began with; nothing of one client is found for another.

mod check;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use conclave_core::candidate::Draft;
use conclave_core::comparison::{Arm, Cost, Outcome, Pair, Preference, Report, Standing, is_settled, report as add_up};
use conclave_core::configuration::Configuration;
use conclave_core::digest::Digest;
use conclave_core::finding::Finding;
use conclave_core::id::{FindingId, ProjectId, RunId};
use conclave_core::patch::{FilePatch, Patch};
use conclave_core::resolution::Resolution;
use conclave_core::tier::Effort;
use conclave_store::{Comparison, Job, NewComparison, SpendOf, Store, StoreError, StoredFinding};

use crate::ctx::Ctx;
use crate::event::{Event, Events, Topic};
use crate::learn::Client;
use crate::plan::{self, Deferred};
use crate::queue::alone;
use crate::run::{RunError, run_under};
use crate::source::Sources;

/// Why a comparison is not begun, not shown or not chosen in.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Both sides are the same.
    #[error("both configurations come to fixes in the same way")]
    Same,
    /// A configuration cannot be run.
    #[error("`{name}` cannot be run: {why}")]
    Configuration {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is nothing to run.
    #[error("there is no finding to compare on: {0}")]
    Nothing(String),
    /// The findings are of several projects.
    #[error("the findings are of more than one project")]
    Projects,
    /// There is no such comparison.
    #[error("there is no comparison `{0}`")]
    Unknown(i64),
    /// There is no such pair.
    #[error("there is no pair `{0}`")]
    NoPair(i64),
    /// It was chosen already.
    #[error("pair `{0}` was chosen already, and a choice is made once")]
    Chosen(i64),
    /// There is nothing to choose.
    #[error("pair `{id}` cannot be chosen in: {why}")]
    NotOpen {
        /// Its number.
        id: i64,
        /// Why, in words.
        why: &'static str,
    },
    /// The settings are others than those that it began with.
    #[error("the settings have changed since comparison `{0}` began")]
    Settings(i64),
    /// A limit, a rule or something that is missing kept a model out, which says nothing of its configuration.
    #[error("comparison `{id}` stopped, because {name} was not asked: {why}")]
    NotAsked {
        /// The comparison.
        id: i64,
        /// The seat.
        name: String,
        /// What stood before it, in words.
        why: String,
    },
    /// No seed could be drawn.
    #[error("no seed can be drawn: {0}")]
    Seed(String),
    /// A run could not be begun or was cancelled.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The two configurations.
    pub arms: [Configuration; 2],
    /// On these findings, all of one project.
    pub findings: Vec<FindingId>,
    /// So many of them at most, the most severe.
    pub most: Option<usize>,
    /// What the sides are drawn with; drawn itself when left out.
    pub seed: Option<u32>,
}

/// What a comparison would take.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// The findings that would be run, most severe first.
    pub chosen: Vec<StoredFinding>,
    /// Those that cannot be run. What comes after the most that were asked for is in neither.
    pub deferred: Vec<Deferred>,
    /// What each configuration would cost.
    pub costs: [plan::Cost; 2],
}

/// Two fixes to choose between, and nothing that says whose they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The number of the pair.
    pub pair: i64,
    /// The number of the comparison.
    pub comparison: i64,
    /// So many of it wait, this one included.
    pub waiting: u32,
    /// The finding.
    pub finding: Finding,
    /// What each side changes, left first; `None` where it has no fix.
    pub sides: [Option<Patch>; 2],
}

/// A pair that was chosen in, with whose the sides are.
#[derive(Clone, Debug)]
pub struct Revealed {
    /// The comparison.
    pub comparison: Comparison,
    /// The pair.
    pub pair: Pair,
    /// What was preferred.
    pub preference: Preference,
    /// Whose the left side is.
    pub left: Arm,
}

/// Says what `wish` would take; nothing is sent.
///
/// # Errors
/// A configuration cannot be run, the findings are of several projects, or the store fails.
pub async fn plan(cx: &Ctx, wish: &Wish) -> Result<Outlook, CompareError> {
    check::configurations(cx, &wish.arms)?;
    let find = |id: &FindingId| cx.store.finding(id)?.ok_or_else(|| RunError::Gone(id.to_string()));
    let mut named = BTreeSet::new();
    let once = wish.findings.iter().filter(|id| named.insert(*id));
    let mut findings = once.map(find).collect::<Result<Vec<StoredFinding>, RunError>>()?;
    if findings.iter().any(|one| one.finding.project != findings[0].finding.project) {
        return Err(CompareError::Projects);
    }
    findings.sort_by_key(|stored| stored.finding.detection.severity);
    let mut outlook = Outlook { chosen: Vec::new(), deferred: Vec::new(), costs: Default::default() };
    let mut opened = HashMap::new();
    for finding in findings {
        if wish.most.is_some_and(|most| outlook.chosen.len() >= most) {
            break;
        }
        let planned = match plan::sources(cx, &mut opened, &finding.finding.project).await? {
            Err(why) => Err(why),
            Ok(sources) => {
                let [a, b] = &wish.arms;
                match plan::under(cx, &finding, &sources, a).await {
                    Ok(a) => plan::under(cx, &finding, &sources, b).await.map(|b| [a, b]),
                    Err(why) => Err(why),
                }
            }
        };
        match planned {
            Ok(both) => {
                for (cost, planned) in outlook.costs.iter_mut().zip(&both) {
                    cost.join(&planned.cost);
                }
                outlook.chosen.push(finding);
            }
            Err(why) => outlook.deferred.push(Deferred { finding, why }),
        }
    }
    Ok(outlook)
}

/// Begins what `wish` says, and gives the number of the comparison; [`go_on`] runs it.
///
/// # Errors
/// As for [`plan`]; there is nothing to compare on.
pub async fn begin(cx: &Ctx, wish: &Wish) -> Result<(String, i64), CompareError> {
    let outlook = plan(cx, wish).await?;
    let Some(first) = outlook.chosen.first() else {
        let why = outlook.deferred.into_iter().next().map(|one| one.why);
        return Err(CompareError::Nothing(why.unwrap_or_else(|| "none is open".to_owned())));
    };
    let project: ProjectId = first.finding.project.clone();
    let root = cx.store.project(&project)?.map(|project| project.root).unwrap_or_default();
    let client = Client::of(&cx.settings(), &root).name;
    let seed = wish.seed.map_or_else(seed, Ok)?;
    let new = NewComparison { client: client.clone(), project, seed, arms: wish.arms.clone(), settings: settings(cx) };
    let findings: Vec<FindingId> = outlook.chosen.into_iter().map(|one| one.finding.id).collect();
    let id = cx.store.add_comparison(&new, &findings, cx.now_ms())?;
    cx.events.send(Event::Changed(vec![Topic::Findings]));
    Ok((client, id))
}

/// Runs what of a comparison has not been run. What was run is not run again, and a run that was cut off resumes.
///
/// # Errors
/// There is no such comparison, or none any more; the settings have changed, it was cancelled, or the store fails. A run
/// that breaks off for another reason is an outcome.
pub async fn go_on(cx: &Ctx, client: &str, id: i64) -> Result<(), CompareError> {
    let comparison = find(cx, client, id)?;
    cx.store.claim_comparison(id)?;
    let _claim = Claim { store: &cx.store, id };
    for pair in cx.store.comparison_pairs(client, id)? {
        let first = Arm::first(comparison.seed, &pair.finding);
        let mut before: Option<Outcome> = None;
        for arm in [first, first.other()] {
            if let Some(outcome) = pair.outcome(arm) {
                before = Some(outcome.clone());
                continue;
            }
            same_settings(cx, &comparison)?;
            let mut outcome = outcome(cx, &pair, arm, comparison.configuration(arm)).await?;
            // They may have been others for a part of the run.
            same_settings(cx, &comparison)?;
            if let Some((name, why)) = not_asked(&outcome) {
                cx.store.forget_stages(pair.run(arm))?;
                return Err(CompareError::NotAsked { id, name, why });
            }
            if let Some(before) = &before
                && is_of_another_text(cx, &comparison, [before, &outcome]).await?
            {
                outcome = Outcome::Failed { why: "the code changed between the two runs".to_owned() };
            }
            if !cx.store.save_outcome(pair.id, arm, pair.run(arm), &outcome)? {
                return Err(CompareError::Unknown(id));
            }
            cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Spending]));
            before = Some(outcome);
        }
    }
    conclude(cx, &comparison)
}

/// A seat of `outcome` that nobody was asked for, and why.
fn not_asked(outcome: &Outcome) -> Option<(String, String)> {
    let Outcome::Resolved { resolution } = outcome else { return None };
    resolution.seats.iter().find_map(|seat| {
        let why = seat.drafts.iter().find_map(|draft| match draft {
            Draft::NotAsked { why } => Some(why.clone()),
            _ => None,
        })?;
        Some((seat.name.clone(), why))
    })
}

fn same_settings(cx: &Ctx, comparison: &Comparison) -> Result<(), CompareError> {
    if settings(cx) == comparison.settings { Ok(()) } else { Err(CompareError::Settings(comparison.id)) }
}

/// Whether a fix of two outcomes begins from another text than its file has now.
async fn is_of_another_text(cx: &Ctx, comparison: &Comparison, both: [&Outcome; 2]) -> Result<bool, CompareError> {
    let files = both.into_iter().filter_map(Outcome::fix).flat_map(|fix| &fix.judged.candidate.patch.files);
    let files: Vec<&FilePatch> = files.collect();
    if files.is_empty() {
        return Ok(false);
    }
    let gone = || RunError::Gone(comparison.project.to_string());
    let root = cx.store.project(&comparison.project)?.ok_or_else(gone)?.root;
    let sources = Sources::open(cx, Path::new(&root)).await?;
    Ok(files.iter().any(|file| sources.file(&file.path).is_ok_and(|now| now.digest != file.base)))
}

/// Has a comparison to itself for as long as it lives.
struct Claim<'a> {
    store: &'a Store,
    id: i64,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.store.leave_comparison(self.id) {
            tracing::warn!(%error, "a comparison stays claimed until this process ends");
        }
    }
}

async fn outcome(cx: &Ctx, pair: &Pair, arm: Arm, configuration: &Configuration) -> Result<Outcome, RunError> {
    let (finding, run) = (pair.finding.clone(), pair.run(arm).clone());
    let job = Job { finding, run, resumed: true, alone: true, effort: Effort::Usual };
    let ended: Result<Resolution, RunError> = {
        // Who says what, and whose fix is being checked, is told to nobody before it was chosen between.
        let (cx, configuration) = (Ctx { events: Events::default(), ..cx.clone() }, configuration.clone());
        let work = alone(async move { run_under(&cx, &job, &configuration).await });
        work.await.unwrap_or_else(|why| Err(RunError::Broken(why)))
    };
    cx.models.save_counts(cx.now_ms());
    match ended {
        Ok(resolution) => Ok(Outcome::Resolved { resolution: Box::new(resolution) }),
        Err(error @ (RunError::Cancelled | RunError::Store(_))) => Err(error),
        Err(error) => Ok(Outcome::Failed { why: error.to_string() }),
    }
}

/// The comparisons of `client` with their pairs, the newest first.
///
/// # Errors
/// The store fails.
pub fn list(cx: &Ctx, client: &str) -> Result<Vec<(Comparison, Vec<Pair>)>, StoreError> {
    let with_pairs = |one: Comparison| {
        let pairs = cx.store.comparison_pairs(client, one.id)?;
        Ok((one, pairs))
    };
    cx.store.comparisons(client)?.into_iter().map(with_pairs).collect()
}

/// The next pair of a comparison to choose in, or of the newest that has one.
///
/// # Errors
/// There is no such comparison, or the store fails.
pub fn next(cx: &Ctx, client: &str, id: Option<i64>) -> Result<Option<Shown>, CompareError> {
    let comparisons = match id {
        Some(id) => vec![find(cx, client, id)?],
        None => cx.store.comparisons(client)?,
    };
    for comparison in comparisons {
        let mut pairs = cx.store.comparison_pairs(client, comparison.id)?;
        pairs.retain(|pair| pair.standing() == Standing::Waiting);
        let waiting = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
        let Some(pair) = pairs.into_iter().next() else { continue };
        let finding = cx.store.finding(&pair.finding)?.ok_or_else(|| RunError::Gone(pair.finding.to_string()))?;
        let left = Arm::left(comparison.seed, &pair.finding);
        let patch = |arm: Arm| pair.outcome(arm)?.fix().map(|fix| fix.judged.candidate.patch.clone());
        return Ok(Some(Shown {
            pair: pair.id,
            comparison: comparison.id,
            waiting,
            finding: finding.finding,
            sides: [patch(left), patch(left.other())],
        }));
    }
    Ok(None)
}

/// Keeps what a person prefers of a pair, and only then says whose the sides are.
///
/// # Errors
/// There is no such pair, nothing is to be chosen in it, or it was chosen already.
pub fn choose(cx: &Ctx, client: &str, id: i64, preference: Preference) -> Result<Revealed, CompareError> {
    let comparison = cx.store.comparison_of_pair(client, id)?.ok_or(CompareError::NoPair(id))?;
    let comparison = find(cx, client, comparison)?;
    let pairs = cx.store.comparison_pairs(client, comparison.id)?;
    let pair = pairs.into_iter().find(|pair| pair.id == id).ok_or(CompareError::NoPair(id))?;
    let why = match pair.standing() {
        Standing::Waiting => None,
        Standing::Chosen(_) => return Err(CompareError::Chosen(id)),
        Standing::Pending => Some("its runs have not come to their end"),
        Standing::Failed => Some("one of its runs broke off"),
        Standing::Same => Some("both sides have the same fix"),
        Standing::NoFix => Some("none of its sides has a fix"),
    };
    if let Some(why) = why {
        return Err(CompareError::NotOpen { id, why });
    }
    if !cx.store.save_preference(id, preference, cx.now_ms())? {
        return Err(CompareError::Chosen(id));
    }
    conclude(cx, &comparison)?;
    let left = Arm::left(comparison.seed, &pair.finding);
    Ok(Revealed { pair: Pair { preference: Some(preference), ..pair }, comparison, preference, left })
}

/// A comparison with what came out of it: as it was kept once nothing was left to choose, else as far as it is.
///
/// # Errors
/// There is no such comparison, or the store fails.
pub fn report(cx: &Ctx, client: &str, id: i64) -> Result<(Comparison, Report), CompareError> {
    let mut comparison = find(cx, client, id)?;
    let report = match comparison.report.take() {
        Some(report) => report,
        None => now(cx, &comparison, &cx.store.comparison_pairs(client, id)?)?,
    };
    Ok((comparison, report))
}

/// What `run` cost.
///
/// # Errors
/// The store fails.
pub fn cost(cx: &Ctx, run: &RunId) -> Result<Cost, StoreError> {
    let total = cx.store.spend_total(&SpendOf::Run(run.clone()))?;
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Cost { calls: count(total.calls), spent: total.spent, unknown: count(total.unknown) })
}

fn now(cx: &Ctx, comparison: &Comparison, pairs: &[Pair]) -> Result<Report, StoreError> {
    let mut costs = HashMap::new();
    for run in pairs.iter().flat_map(|pair| &pair.runs) {
        costs.insert(run.clone(), cost(cx, run)?);
    }
    let of = |run: &RunId| costs.get(run).copied().unwrap_or_default();
    Ok(add_up(pairs, comparison.seed, (cx.now_ms(), comparison.settings.clone()), of))
}

/// Keeps the report where nothing is left to run or to choose.
fn conclude(cx: &Ctx, comparison: &Comparison) -> Result<(), CompareError> {
    let pairs = cx.store.comparison_pairs(&comparison.client, comparison.id)?;
    if pairs.iter().all(is_settled) {
        cx.store.save_report(comparison.id, &now(cx, comparison, &pairs)?)?;
    }
    cx.events.send(Event::Changed(vec![Topic::Findings]));
    Ok(())
}

fn find(cx: &Ctx, client: &str, id: i64) -> Result<Comparison, CompareError> {
    let found = cx.store.comparisons(client)?.into_iter().find(|comparison| comparison.id == id);
    found.ok_or(CompareError::Unknown(id))
}

/// The digest of the settings in force.
fn settings(cx: &Ctx) -> Digest {
    // INVARIANT: settings are read from JSON, so they can be written as JSON.
    Digest::of(serde_json::to_string(cx.settings().as_ref()).unwrap_or_default().as_bytes())
}

fn seed() -> Result<u32, CompareError> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|error| CompareError::Seed(error.to_string()))?;
    Ok(u32::from_le_bytes(bytes))
}
