//! Weighs what was proposed and checked, and draws the conclusion.
//!
//! Order: gates, then a person's version that is shown and no more, then no failed check before one, then log-odds, then the
//! smaller change, then a deterministic author, then the id. Invariants: the order of what is handed in changes nothing;
//! nothing that a model wrote in words is read.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::explain::{explain, nothing, only_shown, trade_off, unchecked};
use super::{Conclusion, Judged, Resolution, Selection, Verdict, behind, vote};
use crate::candidate::{Draft, Origin, Seat};
use crate::cluster::clusters;
use crate::confidence::{ABSTAIN_BELOW, Context, assess};
use crate::evidence::{Check, CheckOutcome, Evidence, gates_pass, outcome_of};
use crate::finding::{Finding, Severity};
use crate::id::{CandidateId, RunId};
use crate::judgement::{self, Judgement, vote_family};
use crate::record::Record;

/// At most this many alternatives are shown beside the recommended fix.
pub const MAX_ALTERNATIVES: usize = 3;
/// Fixes whose log-odds are this near are told apart by a judge, and by a person where the finding is critical.
pub const UNDECIDED: f64 = 0.7;

/// What the stages before brought.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// All seats with their answers.
    pub seats: Vec<Seat>,
    /// Every distinct candidate with its evidence.
    pub judged: Vec<Judged>,
    /// What judges said.
    pub judgements: Vec<Judgement>,
    /// The fix that the person confirmed, where they did.
    pub confirmed: Option<CandidateId>,
    /// By what one is chosen; votes only where a configuration that is compared with another says so.
    pub selection: Selection,
    /// Time until all seats had answered, in milliseconds.
    pub analysis_ms: u64,
    /// Time for all checks, in milliseconds.
    pub verification_ms: u64,
}

/// Weighs `work` and draws the conclusion; pure. What is made of it in words comes after, and is not part of it.
///
/// A candidate with a failed gate, re-scan, build, test or proof is never recommended, nor one that only gates have
/// looked at; where votes choose, a failed gate alone is in the way. A person's own version that too little speaks for, or
/// that is behind the fix that it was made from, is shown and not recommended.
pub fn conclude(finding: &Finding, run: RunId, work: Work, record: &Record) -> Resolution {
    let mut verdicts = weigh(finding, &work, record);
    let winner = match work.selection {
        Selection::Evidence => None,
        Selection::Votes => vote::first(&mut verdicts, &work.seats),
    };
    // A person's own version is always shown to them.
    let counts = |v: &&mut Verdict| v.stopped.is_none() && !is_persons(&v.judged);
    for verdict in verdicts.iter_mut().filter(counts).skip(1 + MAX_ALTERNATIVES) {
        verdict.stopped = Some("more alternatives than are shown".to_owned());
    }
    if let Some((best, others)) = verdicts.split_first_mut() {
        for other in others.iter_mut().filter(|other| other.stopped.is_none()) {
            other.trade_off = Some(trade_off(other, best));
        }
    }
    let conclusion = match verdicts.first().filter(|v| v.stopped.is_none()) {
        Some(best) if winner.is_none() && is_only_shown(best, &work.judged) => {
            let why = doubt(&best.judged, best.confidence.p, &work.judged).unwrap_or_default();
            only_shown(best, &why)
        }
        Some(best) if winner.is_some() || looked_again(&best.judged) => match rivals(finding, &verdicts) {
            Some(two) if winner.is_none() => Conclusion::Disagreement {
                candidates: two.map(|one| one.judged.candidate.id.clone()),
                reason: format!(
                    "{} and {} speak for themselves equally well, and the finding is critical: a person must pick",
                    two[0].judged.candidate.origin.label(),
                    two[1].judged.candidate.origin.label()
                ),
            },
            _ => Conclusion::Recommended {
                candidate: best.judged.candidate.id.clone(),
                class: best.judged.candidate.class,
            },
        },
        Some(best) => unchecked(best),
        None => nothing(&verdicts, &work.seats),
    };
    let mut explanation = explain(finding, &conclusion, &verdicts, &work.seats);
    explanation.not_covered.extend(winner.map(vote::words));
    Resolution {
        finding: finding.id.clone(),
        run,
        conclusion,
        selection: work.selection,
        verdicts,
        seats: work.seats,
        judgements: work.judgements,
        explanation,
        synthesis: None,
        analysis_ms: work.analysis_ms,
        verification_ms: work.verification_ms,
    }
}

/// The two fixes that a judge is to tell apart, the better one first; `None` when evidence does, or when there are not two.
pub fn undecided(finding: &Finding, work: &Work, record: &Record) -> Option<[Judged; 2]> {
    let verdicts = weigh(finding, work, record);
    let mut best = verdicts.into_iter().filter(|v| v.stopped.is_none() && looked_again(&v.judged));
    let (one, other) = (best.next()?, best.next()?);
    let near = one.confidence.log_odds() - other.confidence.log_odds() <= UNDECIDED;
    (near || finding.detection.severity == Severity::Critical).then_some([one.judged, other.judged])
}

/// Whether nothing speaks against a fix and more than a gate speaks for it.
pub fn holds(judged: &Judged) -> bool {
    !failed(judged) && looked_again(judged)
}

/// Whether models of two families came to the same fix, and tests or a proof that ran speak for it: then nobody else has
/// to be asked.
pub fn is_settled(seats: &[Seat], judged: &[Judged]) -> bool {
    let of = grouped(judged);
    let ran = |judged: &Judged| {
        let passed = |check| outcome_of(&judged.evidence, check) == CheckOutcome::Pass;
        passed(Check::Tests) || passed(Check::RedGreen)
    };
    of.iter().collect::<BTreeSet<_>>().into_iter().any(|cluster| {
        let members: Vec<&Judged> = (0..judged.len()).filter(|i| of[*i] == *cluster).map(|i| &judged[i]).collect();
        let is_model = |judged: &&&Judged| matches!(judged.candidate.origin, Origin::Model { .. });
        let models: Vec<&Judged> = members.iter().filter(is_model).copied().collect();
        let families: BTreeSet<String> = votes(seats, &models).into_iter().collect();
        families.len() >= 2 && members.iter().any(|member| holds(member) && ran(member))
    })
}

/// The two best of a critical finding, where one is as good as the other. What was made from other fixes is no opinion of
/// its own: it neither makes a disagreement nor ends one.
fn rivals<'a>(finding: &Finding, verdicts: &'a [Verdict]) -> Option<[&'a Verdict; 2]> {
    let mut own = verdicts.iter().filter(|v| v.stopped.is_none() && v.judged.parents.is_empty());
    let (best, other) = (own.next()?, own.next()?);
    let near = best.confidence.log_odds() - other.confidence.log_odds() <= UNDECIDED;
    (finding.detection.severity == Severity::Critical && near && !failed(&other.judged) && looked_again(&other.judged))
        .then_some([best, other])
}

/// All verdicts in order: one of each cluster first, then what is stopped.
fn weigh(finding: &Finding, work: &Work, record: &Record) -> Vec<Verdict> {
    let judged = &work.judged;
    let of = grouped(judged);
    let alone = families(&work.seats, judged).len() < 2;
    let mut verdicts: Vec<(usize, Verdict)> = Vec::with_capacity(judged.len());
    for (index, one) in judged.iter().enumerate() {
        let members: Vec<&Judged> =
            (0..judged.len()).filter(|other| of[*other] == of[index]).map(|i| &judged[i]).collect();
        let votes = if one.parents.is_empty() { votes(&work.seats, &members) } else { Vec::new() };
        let candidate = &one.candidate;
        let context = Context {
            votes: &votes,
            judge: judgement::term(&candidate.id, &candidate.origin, &work.judgements),
            alone,
            confirmed: work.confirmed.as_ref() == Some(&candidate.id),
            ..Context::of(finding, record)
        };
        let confidence = assess(candidate, &one.evidence, &one.smells, &context);
        let stopped = stopped(one, confidence.p, judged);
        let verdict = Verdict { judged: one.clone(), confidence, stopped, cluster: 0, trade_off: None };
        verdicts.push((of[index], verdict));
    }
    one_of_each(&mut verdicts);
    let is_last = |v: &Verdict| is_only_shown(v, judged);
    let key = |v: &Verdict| (v.stopped.is_some(), is_last(v));
    verdicts.sort_by(|(_, a), (_, b)| key(a).cmp(&key(b)).then_with(|| order(a, b)));
    number(verdicts)
}

/// The cluster of each fix. What was made from other fixes joins one and never makes two into one; a person's version
/// stands alone, for nobody but them says what it comes to.
fn grouped(judged: &[Judged]) -> Vec<usize> {
    let same = |one: usize, other: usize| comes_to_the_same(&judged[one], &judged[other]);
    let is_own = |index: usize| judged[index].parents.is_empty();
    let mut of = clusters(judged.len(), |one, other| is_own(one) && is_own(other) && same(one, other));
    for made in (0..judged.len()).filter(|index| !is_own(*index) && !is_persons(&judged[*index])) {
        let near = (0..judged.len()).filter(|other| is_own(*other) && same(made, *other));
        // The order in which fixes stand means nothing.
        if let Some(near) = near.min_by_key(|other| &judged[*other].candidate.id) {
            of[made] = of[near];
        }
    }
    of
}

/// Stops all of a cluster but the one that stands for it: one that somebody proposed before one that was made from it,
/// then the one with the most evidence, then a deterministic author's, then the smallest change.
fn one_of_each(verdicts: &mut [(usize, Verdict)]) {
    let rest = |v: &Verdict| (!v.judged.candidate.origin.is_deterministic(), size(&v.judged));
    let better = |a: &Verdict, b: &Verdict| {
        let is_made = |v: &Verdict| !v.judged.parents.is_empty();
        is_made(a)
            .cmp(&is_made(b))
            .then_with(|| failed(&a.judged).cmp(&failed(&b.judged)))
            .then(b.confidence.earned.total_cmp(&a.confidence.earned))
            .then_with(|| rest(a).cmp(&rest(b)))
            .then_with(|| order(a, b))
    };
    let numbers: BTreeSet<usize> = verdicts.iter().map(|(cluster, _)| *cluster).collect();
    for number in numbers {
        let members = || verdicts.iter().filter(|(cluster, v)| *cluster == number && v.stopped.is_none());
        let Some((_, best)) = members().min_by(|(_, a), (_, b)| better(a, b)) else { continue };
        let (id, label) = (best.judged.candidate.id.clone(), best.judged.candidate.origin.label());
        for (cluster, verdict) in verdicts.iter_mut() {
            if *cluster == number && verdict.stopped.is_none() && verdict.judged.candidate.id != id {
                verdict.stopped = Some(format!("comes to the same as the fix of {label}, which stands for it"));
            }
        }
    }
}

/// Gives clusters their numbers, in the order of the verdicts.
fn number(verdicts: Vec<(usize, Verdict)>) -> Vec<Verdict> {
    let mut seen: Vec<usize> = Vec::new();
    let numbered = verdicts.into_iter().map(|(cluster, mut verdict)| {
        let place = seen.iter().position(|other| *other == cluster).unwrap_or_else(|| {
            seen.push(cluster);
            seen.len() - 1
        });
        verdict.cluster = u32::try_from(place + 1).unwrap_or(u32::MAX);
        verdict
    });
    numbered.collect()
}

fn order(a: &Verdict, b: &Verdict) -> Ordering {
    let key = |v: &Verdict| (v.stopped.is_some(), failed(&v.judged));
    let rest = |v: &Verdict| (size(&v.judged), !v.judged.candidate.origin.is_deterministic());
    key(a)
        .cmp(&key(b))
        .then(b.confidence.log_odds().total_cmp(&a.confidence.log_odds()))
        .then_with(|| rest(a).cmp(&rest(b)))
        .then_with(|| a.judged.candidate.id.cmp(&b.judged.candidate.id))
}

/// Why `one` is not shown as a fix.
fn stopped(one: &Judged, p: f64, all: &[Judged]) -> Option<String> {
    let evidence = &one.evidence;
    if let Some(gate) = evidence.iter().find(|e| e.check.is_gate() && e.outcome != CheckOutcome::Pass) {
        return Some(gate.summary.clone());
    }
    if !gates_pass(evidence) {
        return Some("a gate did not run".to_owned());
    }
    // A fix may change behaviour on purpose, so that alone is said and stops nothing.
    let fatal = |e: &&Evidence| e.outcome == CheckOutcome::Fail && e.check != Check::Behaviour;
    if let Some(failed) = evidence.iter().find(fatal) {
        return Some(failed.summary.clone());
    }
    // A person may prefer what fewer checks speak for; what a check speaks against is stopped all the same.
    if is_persons(one) { None } else { doubt(one, p, all) }
}

/// Whether a fix is shown only because it is the person's own: it stands behind all that can be recommended.
fn is_only_shown(verdict: &Verdict, all: &[Judged]) -> bool {
    let Verdict { judged, confidence, stopped, .. } = verdict;
    stopped.is_none() && is_persons(judged) && doubt(judged, confidence.p, all).is_some()
}

/// Why `one` is not recommended, though no check speaks against it.
fn doubt(one: &Judged, p: f64, all: &[Judged]) -> Option<String> {
    // Whoever made a fix says what from, and is not taken at the word: it may be behind none that touches its files.
    // Of a person's version that is known.
    let same_files =
        |other: &Judged| one.candidate.patch.files.iter().any(|file| other.candidate.patch.touches(&file.path));
    let is_parent = |other: &&Judged| {
        one.parents.contains(&other.candidate.id)
            || (!one.parents.is_empty()
                && !is_persons(one)
                && other.parents.is_empty()
                && gates_pass(&other.evidence)
                && same_files(other))
    };
    if let Some(check) = all.iter().filter(is_parent).find_map(|parent| behind(&one.evidence, &parent.evidence)) {
        return Some(format!("{}: it is behind a fix that it was made from", check.label()));
    }
    (p < ABSTAIN_BELOW).then(|| format!("too little speaks for it ({p:.2}, the least is {ABSTAIN_BELOW:.2})"))
}

/// Whether two fixes read alike and no check tells them apart. What failed a gate comes to nothing.
fn comes_to_the_same(one: &Judged, other: &Judged) -> bool {
    let told_apart = |check: Check| {
        use CheckOutcome::{Fail, Pass};
        let outcomes = (outcome_of(&one.evidence, check), outcome_of(&other.evidence, check));
        matches!(outcomes, (Pass, Fail) | (Fail, Pass))
    };
    let alike = one.candidate.patch == other.candidate.patch
        || matches!((&one.shape, &other.shape), (Some(one), Some(other)) if one.is_like(other));
    alike && gates_pass(&one.evidence) && gates_pass(&other.evidence) && !Check::ALL.into_iter().any(told_apart)
}

/// The families of the independent answers behind the fixes of a cluster, one a seat. What was made from other fixes is
/// no answer of its own.
pub(super) fn votes(seats: &[Seat], members: &[&Judged]) -> Vec<String> {
    let mut votes: Vec<String> = Vec::new();
    let mut counted: BTreeSet<usize> = BTreeSet::new();
    for member in members.iter().filter(|member| member.parents.is_empty()) {
        let mut from_a_seat = false;
        for (index, seat) in seats.iter().enumerate() {
            for draft in &seat.drafts {
                let Draft::Proposed { candidate } = draft else { continue };
                if candidate.patch == member.candidate.patch {
                    from_a_seat = true;
                    if counted.insert(index) {
                        votes.push(vote_family(&candidate.origin));
                    }
                }
            }
        }
        if !from_a_seat {
            votes.push(vote_family(&member.candidate.origin));
        }
    }
    votes.sort();
    votes
}

/// The families of all who proposed anything of their own.
fn families(seats: &[Seat], judged: &[Judged]) -> BTreeSet<String> {
    let proposed = seats.iter().flat_map(|seat| &seat.drafts).filter_map(|draft| match draft {
        Draft::Proposed { candidate } => Some(vote_family(&candidate.origin)),
        _ => None,
    });
    let own = judged.iter().filter(|one| one.parents.is_empty());
    proposed.chain(own.map(|one| vote_family(&one.candidate.origin))).collect()
}

fn is_persons(judged: &Judged) -> bool {
    matches!(judged.candidate.origin, Origin::Person { .. })
}

pub(super) fn failed(judged: &Judged) -> bool {
    judged.evidence.iter().any(|e| e.outcome == CheckOutcome::Fail)
}

/// Bytes taken out and put in.
pub(super) fn size(judged: &Judged) -> usize {
    judged.candidate.patch.files.iter().flat_map(|f| &f.edits).map(|e| e.text.len() + (e.end - e.start)).sum()
}

/// Whether anything but a gate has passed: who wrote a fix is no reason to recommend it. That another scanner sees
/// nothing new says nothing of the weakness.
fn looked_again(judged: &Judged) -> bool {
    let looks = |e: &Evidence| !e.check.is_gate() && e.check != Check::SecondScan;
    judged.evidence.iter().any(|e| looks(e) && e.outcome == CheckOutcome::Pass)
}
