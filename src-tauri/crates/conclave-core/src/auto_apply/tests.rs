//! The table of how many outcomes a target wants, and every reason to wait.

use super::*;
use crate::candidate::{Candidate, Origin};
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::id::RunId;
use crate::patch::{Edit, FilePatch, Patch};
use crate::path::RelPath;
use crate::resolution::tests::finding;
use crate::resolution::{Judged, Work, conclude};
use crate::smell::SmellKind;

/// Outcomes that a target needs, by how many of them are wrong.
#[test]
fn a_target_needs_as_many_outcomes_as_the_exact_bound_says() {
    for (target, needed) in [(0.70, [9, 14, 19, 24]), (0.80, [14, 22, 30, 37]), (0.90, [29, 46, 61, 76])] {
        for (wrong, n) in (0..).zip(needed) {
            let enough = lower_bound(n - wrong, wrong);
            let short = lower_bound(n - wrong - 1, wrong);
            assert!(enough >= target && short < target, "{target} with {wrong} wrong of {n}: {enough} {short}");
        }
    }
    assert_eq!((lower_bound(0, 0), lower_bound(0, 9)), (0.0, 0.0));
    // All right: the share whose nth power is 0.05.
    assert!((lower_bound(29, 0) - 0.05_f64.powf(1.0 / 29.0)).abs() < 1e-12);
    assert!(lower_bound(5000, 50) > 0.98);
}

fn resolution(finding: &Finding, smells: Vec<Smell>, outcomes: &[(Check, CheckOutcome)]) -> Resolution {
    let path = RelPath::new("a.py").expect("a path");
    let edits = vec![Edit { start: 0, end: 1, text: "b".to_owned() }];
    let patch = Patch::new(vec![FilePatch { path, base: Digest::of(b"a"), edits }]);
    let origin = Origin::Recipe { id: "r".to_owned() };
    let candidate = Candidate::new(origin, patch, "", "");
    let gates = Check::ALL.into_iter().filter(|check| check.is_gate()).map(|check| (check, CheckOutcome::Pass));
    let evidence = gates.chain(outcomes.iter().copied()).map(|(c, o)| Evidence::new(c, o, "")).collect();
    let judged = Judged { candidate, also_by: Vec::new(), evidence, smells, shape: None, parents: Vec::new() };
    let work = Work { judged: vec![judged], ..Work::default() };
    conclude(finding, RunId::new("r"), work, &Record::default())
}

type Outcomes<'a> = &'a [(Check, CheckOutcome)];
type Case<'a> = (&'a str, &'a [AutoApply], Severity, Vec<Smell>, Outcomes<'a>, (u32, u32), bool);

#[test]
fn nothing_is_applied_without_a_word_enough_evidence_and_enough_right_ones() {
    use CheckOutcome::{Fail, Pass};
    let cell = |severity, rung| AutoApply {
        severity,
        family: Family::Injection,
        language: Language::Python,
        rung,
        target: Target::try_from(90).expect("a target"),
    };
    let record = |right: u32, wrong: u32| {
        let mut record = Record::default();
        for (count, is_right) in [(right, true), (wrong, false)] {
            for _ in 0..count {
                for severity in Severity::ALL {
                    let (family, language) = (Family::Injection, Language::Python);
                    record.count(Cell { severity, family, language, rung: Check::Tests }, is_right);
                }
            }
        }
        record
    };
    let good = [(Check::Rescan, Pass), (Check::Tests, Pass)];
    let changed = [(Check::Rescan, Pass), (Check::Tests, Pass), (Check::Behaviour, Fail)];
    let smell = || vec![Smell { kind: SmellKind::LargeChange, detail: String::new() }];
    let allowed = [cell(Severity::Medium, Check::Tests)];
    let high = [cell(Severity::High, Check::Tests)];
    let low_rung = [cell(Severity::Medium, Check::Rescan)];
    let cases: [Case<'_>; 10] = [
        ("all is there", &allowed, Severity::Medium, vec![], &good, (29, 0), true),
        ("one too few", &allowed, Severity::Medium, vec![], &good, (28, 0), false),
        ("one wrong", &allowed, Severity::Medium, vec![], &good, (44, 1), false),
        ("one wrong of enough", &allowed, Severity::Medium, vec![], &good, (45, 1), true),
        ("no word", &[], Severity::Medium, vec![], &good, (29, 0), false),
        ("another severity", &allowed, Severity::Low, vec![], &good, (29, 0), false),
        ("too severe, whatever was said", &high, Severity::High, vec![], &good, (99, 0), false),
        ("too little evidence was asked for", &low_rung, Severity::Medium, vec![], &good, (99, 0), false),
        ("a suspicion", &allowed, Severity::Medium, smell(), &good, (29, 0), false),
        ("behaviour changed", &allowed, Severity::Medium, vec![], &changed, (29, 0), false),
    ];
    for (name, allowed, severity, smells, outcomes, (right, wrong), open) in cases {
        let finding = finding(severity);
        let resolution = resolution(&finding, smells, outcomes);
        let may = may_apply(allowed, &finding, &resolution, &record(right, wrong));
        assert_eq!(may.is_ok(), open, "{name}: {may:?}");
    }
    let finding = finding(Severity::Medium);
    let untested = resolution(&finding, vec![], &[(Check::Rescan, Pass)]);
    assert!(may_apply(&allowed, &finding, &untested, &record(99, 0)).is_err());
}

#[test]
fn a_target_that_promises_nothing_or_everything_is_refused() {
    for (text, ok) in [("49", false), ("50", true), ("99", true), ("100", false), ("-1", false)] {
        assert_eq!(serde_json::from_str::<Target>(text).is_ok(), ok, "{text}");
    }
}
