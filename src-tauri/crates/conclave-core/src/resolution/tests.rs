//! Clusters, alternatives, disagreement, abstention and the words for them.

use super::explain::nothing;
use super::*;
use crate::candidate::{Draft, Origin, RECIPES};
use crate::cluster::Mitigation;
use crate::digest::Digest;
use crate::evidence::{Check, CheckOutcome};
use crate::finding::{Detection, Finding, Location, Rule, Severity, Tool};
use crate::id::ProjectId;
use crate::judgement::Choice;
use crate::patch::{Edit, FilePatch, Patch};
use crate::path::RelPath;
use crate::record::Record;

pub(crate) fn finding(severity: Severity) -> Finding {
    let path = RelPath::new("a.py").expect("a path");
    let detection = Detection {
        tool: Tool { name: "Bandit".to_owned(), version: None },
        rule: Rule { id: "B602".to_owned(), name: None, description: None, help: None, help_uri: None, cwe: vec![78] },
        message: "shell".to_owned(),
        severity,
        location: Some(Location { path, region: None }),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    };
    Finding::new(&ProjectId::new("p"), detection, "", 0)
}

pub(crate) fn model(name: &str, family: &str) -> Origin {
    Origin::Model { model: name.to_owned(), endpoint: name.to_owned(), local: false, family: family.to_owned() }
}

pub(crate) fn recipe() -> Origin {
    Origin::Recipe { id: "r".to_owned() }
}

/// A candidate that puts `text` in.
pub(crate) fn candidate(origin: Origin, text: &str) -> Candidate {
    let path = RelPath::new("a.py").expect("a path");
    let edits = vec![Edit { start: 0, end: 0, text: text.to_owned() }];
    let patch = Patch::new(vec![FilePatch { path, base: Digest::of(b""), edits }]);
    Candidate::new(origin, patch, "", "")
}

/// A shape of which nothing but `body` tells two apart.
pub(crate) fn shape(body: &str, mitigation: Option<Mitigation>) -> Shape {
    let changed = vec![body.to_owned()];
    let body = Digest::of(body.as_bytes());
    Shape { symbols: vec!["a.py:f".to_owned()], mitigation, imports: Vec::new(), body, changed }
}

pub(crate) fn judged(origin: Origin, text: &str, passes: &[Check]) -> Judged {
    let gates = Check::ALL.into_iter().filter(|check| check.is_gate());
    let evidence = gates.chain(passes.iter().copied()).map(|c| Evidence::new(c, CheckOutcome::Pass, "seen"));
    Judged {
        candidate: candidate(origin, text),
        also_by: Vec::new(),
        evidence: evidence.collect(),
        smells: Vec::new(),
        shape: Some(shape(text, None)),
        parents: Vec::new(),
    }
}

pub(crate) fn seat(name: &str, draft: Draft) -> Seat {
    Seat { name: name.to_owned(), drafts: vec![draft], role: None, late: false }
}

pub(crate) fn result(severity: Severity, judged: Vec<Judged>) -> Resolution {
    let work = Work { judged, ..Work::default() };
    conclude(&finding(severity), RunId::new("r"), work, &Record::default())
}

fn stopped_verdict() -> Verdict {
    let mut one = judged(model("m", "m"), "x", &[]);
    one.evidence = vec![Evidence::new(Check::Applies, CheckOutcome::Fail, "it does not apply")];
    result(Severity::High, vec![one]).verdicts.remove(0)
}

const SEEN: [Check; 2] = [Check::Rescan, Check::Tests];

#[test]
fn alternatives_are_the_best_of_other_clusters_and_say_how_they_differ() {
    let mut longer = judged(model("b-1", "b"), "list, again and again", &SEEN);
    longer.shape = Some(shape("list", Some(Mitigation::Parameterise)));
    let mut first = judged(model("a-1", "a"), "list", &SEEN);
    first.shape = Some(shape("list", Some(Mitigation::Parameterise)));
    let mut quoted = judged(model("c-1", "c"), "quoted", &[Check::Rescan]);
    quoted.shape = Some(shape("quoted", Some(Mitigation::Encode)));
    let resolution = result(Severity::High, vec![longer.clone(), quoted.clone(), first.clone()]);
    let shown: Vec<_> = resolution.shown().map(|v| (v.cluster, v.judged.candidate.id.clone())).collect();
    // The smallest change stands for its cluster.
    assert_eq!(shown, [(1, first.candidate.id.clone()), (2, quoted.candidate.id.clone())]);
    let other = resolution.verdict(&quoted.candidate.id).expect("it is there");
    let said = other.trade_off.as_deref().expect("a sentence");
    assert_eq!(said, "Encodes values, where the first keeps values apart from code; without Tests.");
    let same = resolution.verdict(&longer.candidate.id).expect("it is there");
    assert!(same.stopped.as_deref().is_some_and(|why| why.contains("comes to the same")), "{:?}", same.stopped);
    assert_eq!((same.cluster, &same.trade_off), (1, &None));
    // Two of two families agree.
    let agreed = resolution.recommended().expect("one").confidence.terms.iter().find(|t| t.label.contains("agree"));
    assert_eq!(agreed.expect("a term").label, "2 answers of 2 families agree, worth 1.4");
}

#[test]
fn three_alternatives_are_shown_at_most() {
    let all = (0..6).map(|n| judged(model(&format!("m{n}"), "m"), &format!("fix {n}"), &SEEN)).collect();
    let resolution = result(Severity::High, all);
    assert_eq!(resolution.shown().count(), 1 + MAX_ALTERNATIVES);
    assert!(resolution.verdicts[4].stopped.as_deref().is_some_and(|why| why.contains("more alternatives")));
}

#[test]
fn fixes_that_a_check_tells_apart_are_two() {
    let mut one = judged(model("a-1", "a"), "first", &SEEN);
    let mut other = judged(model("b-1", "b"), "second", &SEEN);
    (one.shape, other.shape) = (Some(shape("same", None)), Some(shape("same", None)));
    other.evidence.push(Evidence::new(Check::Behaviour, CheckOutcome::Fail, "differs"));
    let together = result(Severity::High, vec![one.clone(), other.clone()]);
    assert!(together.verdicts.iter().all(|v| v.cluster == 1));
    one.evidence.push(Evidence::new(Check::Behaviour, CheckOutcome::Pass, "the same"));
    let apart = result(Severity::High, vec![one.clone(), other]);
    assert_eq!(apart.verdicts.iter().map(|v| v.cluster).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(apart.recommended().map(|v| &v.judged.candidate.id), Some(&one.candidate.id));
    // Behaviour that changes is said, and forbids nothing: the fix is there as an alternative.
    assert_eq!(apart.verdicts[1].stopped, None);
}

#[test]
fn two_equally_good_fixes_of_a_critical_finding_are_a_disagreement_until_something_tells_them_apart() {
    let one = judged(model("a-1", "a"), "first", &SEEN);
    let other = judged(model("b-1", "b"), "other one", &SEEN);
    let both = vec![one.clone(), other.clone()];
    let critical = result(Severity::Critical, both.clone());
    let Conclusion::Disagreement { candidates, .. } = &critical.conclusion else { panic!("{:?}", critical.conclusion) };
    assert_eq!(candidates, &[one.candidate.id.clone(), other.candidate.id.clone()]);
    assert!(critical.recommended().is_none() && critical.shown().count() == 2);
    assert!(matches!(result(Severity::High, both.clone()).conclusion, Conclusion::Recommended { .. }));

    let judgement = |orders| Judgement {
        a: one.candidate.id.clone(),
        b: other.candidate.id.clone(),
        orders,
        faults_a: Vec::new(),
        faults_b: Vec::new(),
        judge: "j".to_owned(),
        family: "j".to_owned(),
    };
    let judge = |orders| {
        let work = Work { judged: both.clone(), judgements: vec![judgement(orders)], ..Work::default() };
        conclude(&finding(Severity::Critical), RunId::new("r"), work, &Record::default())
    };
    let told = judge([Choice::B, Choice::B]);
    assert_eq!(told.recommended().map(|v| &v.judged.candidate.id), Some(&other.candidate.id));
    assert!(matches!(judge([Choice::A, Choice::B]).conclusion, Conclusion::Disagreement { .. }));
    // More evidence for one settles it as well.
    let mut proven = other.clone();
    proven.evidence.push(Evidence::new(Check::RedGreen, CheckOutcome::Pass, "red, then green"));
    let settled = result(Severity::Critical, vec![one, proven]);
    assert_eq!(settled.recommended().map(|v| &v.judged.candidate.id), Some(&other.candidate.id));
}

#[test]
fn a_judge_is_wanted_for_two_near_fixes_and_for_critical_ones() {
    let one = judged(recipe(), "first", &SEEN);
    let near = judged(recipe(), "other one", &SEEN);
    let far = judged(model("m", "m"), "other one", &[Check::Rescan]);
    let unseen = judged(recipe(), "other one", &[]);
    let mut gate = judged(recipe(), "other one", &SEEN);
    gate.evidence[0].outcome = CheckOutcome::Fail;
    for (severity, other, wanted) in [
        (Severity::High, &near, true),
        (Severity::High, &far, false),
        (Severity::Critical, &far, true),
        (Severity::Critical, &gate, false),
        (Severity::Critical, &unseen, false),
    ] {
        let work = Work { judged: vec![other.clone(), one.clone()], ..Work::default() };
        let two = undecided(&finding(severity), &work, &Record::default());
        assert_eq!(two.is_some(), wanted, "{severity:?} {other:?}");
    }
}

#[test]
fn what_is_weak_is_not_recommended_and_what_would_settle_it_is_said() {
    let mut weak = judged(
        Origin::Model { model: "m".to_owned(), endpoint: "m".to_owned(), local: true, family: "m".to_owned() },
        "x",
        &[Check::Rescan],
    );
    weak.smells = vec![Smell { kind: crate::smell::SmellKind::HiddenSink, detail: "here".to_owned() }];
    let resolution = result(Severity::High, vec![weak]);
    let Conclusion::NoSafeFix { reason, next } = &resolution.conclusion else { panic!("{:?}", resolution.conclusion) };
    assert!(reason.contains("too little speaks for it"), "{reason}");
    assert_eq!(next, "the project\u{2019}s tests, up to 0.75");
}

#[test]
fn models_that_find_nothing_to_fix_raise_a_suspicion_and_close_nothing() {
    let doubt = |name: &str| seat(name, Draft::Doubted { reason: "the value is a constant".to_owned() });
    let proposal = || seat("c", Draft::Proposed { candidate: Box::new(candidate(model("c", "c"), "x")) });
    let refusal = || seat(RECIPES, Draft::Refused { reason: "the command uses a pipe".to_owned() });
    let work = |seats, judged| Work { seats, judged, ..Work::default() };
    let end = |work| conclude(&finding(Severity::High), RunId::new("r"), work, &Record::default());
    let suspected = end(work(vec![doubt("a"), doubt("b")], vec![]));
    let Conclusion::SuspectedFalsePositive { reason, next } = &suspected.conclusion else { panic!("{suspected:?}") };
    assert_eq!(reason, "2 models would change nothing here: the value is a constant");
    assert!(next.contains("a person decides"), "{next}");
    for seats in [vec![doubt("a")], vec![doubt("a"), doubt("b"), proposal()], vec![doubt("a"), doubt("b"), refusal()]] {
        let resolution = end(work(seats, vec![]));
        assert!(matches!(resolution.conclusion, Conclusion::NoSafeFix { .. }), "{:?}", resolution.conclusion);
    }
    let fixed = end(work(vec![doubt("a"), doubt("b")], vec![judged(recipe(), "x", &SEEN)]));
    assert!(fixed.recommended().is_some());
    assert!(fixed.explanation.not_covered.iter().any(|text| text == "2 models would change nothing here"));
}

#[test]
fn the_reason_is_the_strongest_fact_and_an_opinion_comes_last() {
    let recipe = || seat(RECIPES, Draft::Refused { reason: "the command uses a pipe".to_owned() });
    let unusable = || seat(RECIPES, Draft::Failed { why: "`a.py` is gone".to_owned() });
    let broken = || seat("Local", Draft::Failed { why: "no connection".to_owned() });
    let opinion = || seat("Local", Draft::Refused { reason: "model\u{2019}s opinion: fine".to_owned() });
    let doubt = || seat("Local", Draft::Doubted { reason: "a constant".to_owned() });
    let silent = || seat("Local", Draft::Silent { reason: "no rule".to_owned() });
    for (verdicts, seats, expect) in [
        (vec![], vec![silent()], "no seat of the panel knows a fix for this rule"),
        (vec![], vec![opinion()], "model\u{2019}s opinion: fine"),
        (vec![], vec![doubt()], "a constant"),
        (vec![], vec![opinion(), broken()], "Local failed: no connection"),
        (vec![], vec![broken(), unusable()], "Local failed: no connection"),
        (vec![], vec![unusable(), broken()], "`a.py` is gone"),
        (vec![stopped_verdict()], vec![opinion(), broken()], "one fix was tried and stopped: it does not apply"),
        (
            vec![stopped_verdict(), stopped_verdict()],
            vec![opinion()],
            "2 fixes were tried, none was safe: it does not apply",
        ),
        (vec![stopped_verdict()], vec![opinion(), recipe()], "the command uses a pipe"),
    ] {
        let Conclusion::NoSafeFix { reason, .. } = nothing(&verdicts, &seats) else { panic!("{seats:?}") };
        assert_eq!(reason, expect, "{seats:?}");
    }
}

#[test]
fn two_families_settle_it_only_when_they_come_to_the_same_fix_and_something_ran() {
    let fix = |name: &str, family: &str, text: &str, passes: &[Check]| judged(model(name, family), text, passes);
    for (what, one, other, expect) in [
        ("the same, tested", fix("a", "x", "t", &SEEN), fix("b", "y", "t", &SEEN), true),
        ("the same, of one family", fix("a", "x", "t", &SEEN), fix("b", "x", "t", &SEEN), false),
        ("different", fix("a", "x", "t", &SEEN), fix("b", "y", "u", &SEEN), false),
        ("only scanned", fix("a", "x", "t", &[Check::Rescan]), fix("b", "y", "t", &[Check::Rescan]), false),
    ] {
        assert_eq!(is_settled(&[], &[one, other]), expect, "{what}");
    }
    // Equal patches are checked once; the seats say who else wrote one.
    let one = fix("a", "x", "t", &SEEN);
    let proposed = |origin| Draft::Proposed { candidate: Box::new(candidate(origin, "t")) };
    let seats = [seat("a", proposed(model("a", "x"))), seat("b", proposed(model("b", "y")))];
    assert!(is_settled(&seats, std::slice::from_ref(&one)) && !is_settled(&seats[..1], &[one]));
}
