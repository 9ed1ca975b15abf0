//! Adds up what was learned of one client: what people took, whether it was right, how sure Conclave was, what it cost.
//!
//! Invariant: every share comes with its count; where nothing is known, nothing is said.

use std::collections::BTreeMap;
use std::path::Path;

use conclave_core::calibration::{Said, bins, brier, ece, wilson};
use conclave_core::candidate::Origin;
use conclave_core::finding::Severity;
use conclave_core::id::{FindingId, ProjectId};
use conclave_core::label::{Event, Place, Standing, Thumb};
use conclave_core::money::Money;
use conclave_core::record::{Prior, Record};
use conclave_core::weakness::Family;
use conclave_store::{KnownFix, SpendOf, StoreError, SuccessfulPattern};

use super::{Current, build, look_back};
use crate::ctx::Ctx;
use crate::source::Sources;
use crate::spending::by_hand;

/// As wide as 95 of a hundred, to both sides.
const Z: f64 = 1.96;

/// Everything that can be said of one client's fixes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Insights {
    /// Fixes that somebody did something with.
    pub fixes: u32,
    /// Those of them of which it is known whether they were right.
    pub labelled: u32,
    /// What people took and what they did not, over all.
    pub approval: Approval,
    /// The same by rule, the most fixes first.
    pub rules: Vec<Approval>,
    /// The same by author.
    pub authors: Vec<Approval>,
    /// What was said and what was, in bins of equal count, the least sure first.
    pub reliability: Vec<Reliability>,
    /// The mean squared error of what was said; `None` without outcomes.
    pub brier: Option<f64>,
    /// The expected error of calibration.
    pub ece: Option<f64>,
    /// From the first report to the fix, in milliseconds: how many, and the middle one.
    pub time_to_fix: Option<(u32, i64)>,
    /// What models cost for this client's projects.
    pub spent: Money,
    /// Fixes that are in a project by now, by severity.
    pub accepted: BTreeMap<Severity, u32>,
    /// What those would have cost by hand, by the settings.
    pub by_hand: Money,
    /// What is known of each author for each family of weaknesses.
    pub learned: Vec<Learned>,
    /// Patterns that worked, the most used first.
    pub patterns: Vec<SuccessfulPattern>,
    /// Edge cases that are kept.
    pub edge_cases: u32,
    /// Why nothing is known although something should be.
    pub fault: Option<String>,
}

/// What people took and what they did not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Approval {
    /// Of what; empty for all.
    pub name: String,
    /// So many were taken and stayed.
    pub accepted: u32,
    /// So many were taken back, or judged bad.
    pub rejected: u32,
    /// The share of the first among both, with its interval; `None` without either.
    pub share: Option<(f64, f64, f64)>,
}

/// What was said of some fixes, and what they were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reliability {
    /// How many.
    pub n: u32,
    /// What was said on average.
    pub said: f64,
    /// The share of right ones, with its interval.
    pub was: (f64, f64, f64),
}

/// What is known of one author for one family of weaknesses.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// Who.
    pub author: String,
    /// Against what.
    pub family: Family,
    /// Outcomes of it, each counted once.
    pub n: u32,
    /// So many of them were right.
    pub right: u32,
    /// How sure Conclave was of them, on average.
    pub said: f64,
    /// Where a reading of its next fix begins.
    pub mean: f64,
    /// Where it began before anything was known.
    pub start: f64,
}

/// Looks for the fixes of `client` once more, and adds up.
///
/// # Errors
/// The store fails. Rows that make no sense are a [fault](Insights::fault).
pub async fn insights(cx: &Ctx, client: &str) -> Result<Insights, StoreError> {
    let projects = projects(cx, client)?;
    for (id, root) in &projects {
        // A project that cannot be opened now is not looked at.
        let Ok(sources) = Sources::open_for_person(cx, Path::new(root)).await else { continue };
        look_back(cx, id, &sources).await;
    }
    let fixes = match cx.store.known_fixes(client) {
        Ok(fixes) => fixes,
        Err(StoreError::Corrupt(_)) => {
            let fault = Some("what became of earlier fixes cannot be read, so start values count".to_owned());
            return Ok(Insights { fault, ..Insights::default() });
        }
        Err(error) => return Err(error),
    };
    let mut spent = Money::ZERO;
    for (id, _) in &projects {
        let total = cx.store.spend_total(&SpendOf::Project(id.clone()))?.spent;
        spent = spent.checked_add(total).unwrap_or(spent);
    }
    let record = build(&fixes, &Current::of(cx), cx.now_ms());
    let mut found = Insights {
        learned: learned(&fixes, &record),
        patterns: cx.store.successful_patterns(client)?,
        edge_cases: cx.store.edge_case_count(client)?,
        spent,
        ..added(&fixes)
    };
    let each = &cx.settings().manual_cost;
    for (severity, count) in &found.accepted {
        let one = by_hand(each, *severity).unwrap_or_default().micros();
        found.by_hand = Money::from_micros(found.by_hand.micros().saturating_add(one.saturating_mul((*count).into())));
    }
    found.time_to_fix = time_to_fix(cx, &fixes)?;
    Ok(found)
}

/// The projects that are `client`'s, with their folders.
fn projects(cx: &Ctx, client: &str) -> Result<Vec<(ProjectId, String)>, StoreError> {
    let settings = cx.settings();
    let of = |root: &str| settings.client_of(root).map_or("", |(name, _)| name).to_owned();
    let all = cx.store.projects()?.into_iter().map(|project| (project.id, project.root));
    Ok(all.filter(|(_, root)| of(root) == client).collect())
}

/// What the fixes alone say.
fn added(fixes: &[KnownFix]) -> Insights {
    let mut found = Insights { fixes: count(fixes.len()), ..Insights::default() };
    let (mut rules, mut authors) = (BTreeMap::new(), BTreeMap::new());
    let mut said: Vec<Said> = Vec::new();
    for fix in fixes {
        let standing = Standing::of(fix.events.iter().map(|(_, event)| event));
        let Some(attempt) = fix.attempts.first() else { continue };
        if let Some(label) = standing.label() {
            said.push((attempt.p, label.right));
        }
        let is_there = matches!(standing.place, Place::Applied | Place::Edited);
        if is_there {
            *found.accepted.entry(attempt.severity).or_default() += 1;
        }
        let Some(taken) = taken(standing, fix) else { continue };
        found.approval.count(taken);
        rules.entry(attempt.rule.clone()).or_insert_with(Approval::default).count(taken);
        for attempt in &fix.attempts {
            let author = super::attempt::name(&attempt.origin);
            authors.entry(author).or_insert_with(Approval::default).count(taken);
        }
    }
    found.approval.share = found.approval.interval();
    (found.rules, found.authors) = (listed(rules), listed(authors));
    found.labelled = count(said.len());
    if !said.is_empty() {
        (found.brier, found.ece) = (Some(brier(&said)), Some(ece(&said)));
    }
    found.reliability = bins(&said)
        .into_iter()
        .map(|bin| {
            let (low, high) = wilson(bin.was, bin.n as f64, Z);
            Reliability { n: count(bin.n), said: bin.said, was: (bin.was, low, high) }
        })
        .collect();
    found
}

/// Whether the person took the fix; `None` where they did neither.
fn taken(standing: Standing, fix: &KnownFix) -> Option<bool> {
    let last = fix.events.iter().rev().find_map(|(_, event)| match event {
        Event::Rated { thumb, .. } => Some(*thumb),
        _ => None,
    });
    match (standing.place, last) {
        (Place::Reverted, _) => Some(false),
        (Place::Applied | Place::Edited, _) => Some(true),
        (Place::Nowhere, Some(thumb)) => Some(thumb == Thumb::Up),
        (Place::Nowhere, None) => None,
    }
}

impl Approval {
    fn count(&mut self, taken: bool) {
        *(if taken { &mut self.accepted } else { &mut self.rejected }) += 1;
    }

    fn interval(&self) -> Option<(f64, f64, f64)> {
        let n = f64::from(self.accepted) + f64::from(self.rejected);
        let share = f64::from(self.accepted) / n;
        let (low, high) = wilson(share, n, Z);
        (n > 0.0).then_some((share, low, high))
    }
}

fn listed(by: BTreeMap<String, Approval>) -> Vec<Approval> {
    let mut list: Vec<Approval> =
        by.into_iter().map(|(name, one)| Approval { name, share: one.interval(), ..one }).collect();
    list.sort_by_key(|one| std::cmp::Reverse(one.accepted + one.rejected));
    list
}

/// Every author and family of which outcomes are known.
fn learned(fixes: &[KnownFix], record: &Record) -> Vec<Learned> {
    let mut cells: BTreeMap<(String, Family), (Origin, Vec<Said>)> = BTreeMap::new();
    for fix in fixes {
        let Some(label) = Standing::of(fix.events.iter().map(|(_, event)| event)).label() else { continue };
        for attempt in &fix.attempts {
            let key = (super::attempt::name(&attempt.origin), attempt.family);
            let (_, said) = cells.entry(key).or_insert_with(|| (attempt.origin.clone(), Vec::new()));
            said.push((attempt.p, label.right));
        }
    }
    let cell = |((author, family), (origin, all)): ((String, Family), (Origin, Vec<Said>))| {
        let Prior { p, .. } = record.prior(&origin, family, None);
        let Prior { p: start, .. } = Record::default().prior(&origin, family, None);
        let right = count(all.iter().filter(|(_, right)| *right).count());
        let said = all.iter().map(|(said, _)| said).sum::<f64>() / all.len() as f64;
        Learned { author, family, n: count(all.len()), right, said, mean: p, start }
    };
    cells.into_iter().map(cell).collect()
}

/// From the first report of a finding to its first fix.
fn time_to_fix(cx: &Ctx, fixes: &[KnownFix]) -> Result<Option<(u32, i64)>, StoreError> {
    let mut first: BTreeMap<&FindingId, i64> = BTreeMap::new();
    for fix in fixes {
        let applied = fix.events.iter().find(|(_, event)| matches!(event, Event::Applied { .. }));
        if let Some((at, _)) = applied {
            first.entry(&fix.finding).and_modify(|first| *first = (*first).min(*at)).or_insert(*at);
        }
    }
    let mut times = Vec::new();
    for (finding, at) in first {
        times.extend(cx.store.finding(finding)?.map(|stored| (at - stored.first_seen_at).max(0)));
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).map(|middle| (count(times.len()), *middle)))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
