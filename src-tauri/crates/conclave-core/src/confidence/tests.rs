//! Caps, terms and what one more observation does.

use super::*;
use crate::patch::Patch;
use crate::record::{Fit, Record};
use crate::smell::SmellKind;
use proptest::prelude::*;

fn candidate(origin: Origin) -> Candidate {
    let patch = Patch::default();
    Candidate::new(origin, patch, "", "")
}

fn recipe() -> Candidate {
    candidate(Origin::Recipe { id: "r".to_owned() })
}

fn model() -> Candidate {
    let name = "claude-x".to_owned();
    candidate(Origin::Model { model: name, endpoint: "e".to_owned(), local: false, family: "claude".to_owned() })
}

fn context(record: &Record) -> Context<'_> {
    Context {
        record,
        severity: Severity::High,
        family: Family::Injection,
        language: Some(Language::Python),
        votes: &[],
        judge: None,
        alone: false,
        confirmed: false,
    }
}

fn reading(candidate: &Candidate, evidence: &[Evidence]) -> Confidence {
    assess(candidate, evidence, &[], &context(&Record::default()))
}

fn gates() -> Vec<Evidence> {
    let gates = Check::ALL.into_iter().filter(|check| check.is_gate());
    gates.map(|check| Evidence::new(check, CheckOutcome::Pass, "")).collect()
}

/// The gates and these passes; a `-` behind a name stands for one that says less.
fn passed(names: &str) -> Vec<Evidence> {
    let mut evidence = gates();
    for name in names.split_whitespace() {
        let check = match name.trim_end_matches('-') {
            "own" => Check::OwnRule,
            "scan" => Check::Rescan,
            "build" => Check::Build,
            "tests" => Check::Tests,
            "proof" => Check::RedGreen,
            "same" => Check::Behaviour,
            other => panic!("no check is called {other}"),
        };
        let weaker = name.ends_with('-');
        evidence.push(Evidence { weaker, ..Evidence::new(check, CheckOutcome::Pass, "") });
    }
    evidence
}

#[test]
fn caps_follow_the_highest_evidence() {
    for (names, cap, word) in [
        ("", 0.35, "Untested suggestion"),
        ("tests build", 0.35, "Untested suggestion"),
        ("own", 0.45, "Own rule satisfied"),
        ("own tests", 0.45, "Own rule satisfied"),
        ("scan", 0.55, "Scanner satisfied"),
        ("scan same", 0.55, "Scanner satisfied"),
        ("scan build", 0.60, "Scanner satisfied, builds"),
        ("scan tests-", 0.60, "Scanner satisfied, other tests pass"),
        ("scan tests", 0.75, "Tests still pass"),
        ("scan build tests", 0.75, "Tests still pass"),
        ("scan tests proof-", 0.80, "Reproduced and fixed (own test)"),
        ("scan tests proof- same", 0.80, "Reproduced and fixed (own test)"),
        ("scan tests proof", 0.88, "Reproduced and fixed"),
        ("scan tests proof same", 0.92, "Reproduced, fixed, behaviour kept"),
        // One step less for each that is missing below.
        ("scan proof", 0.80, "Reproduced and fixed"),
        ("scan tests- proof", 0.80, "Reproduced and fixed"),
        ("own proof", 0.75, "Reproduced and fixed"),
        ("own proof- same", 0.60, "Reproduced and fixed (own test)"),
        ("own proof same", 0.80, "Reproduced, fixed, behaviour kept"),
    ] {
        let confidence = reading(&recipe(), &passed(names));
        assert_eq!((confidence.cap, confidence.word.as_str()), (cap, word), "{names}");
        assert!(confidence.p <= cap && confidence.low <= confidence.p && confidence.p <= confidence.high, "{names}");
        assert!(confidence.raise.is_some(), "{names}");
    }
}

#[test]
fn one_author_alone_is_one_step_lower_unless_it_is_a_recipe_and_a_person_stands_above() {
    let record = Record::default();
    let evidence = passed("scan tests");
    for (candidate, alone, confirmed, cap) in [
        (model(), false, false, 0.75),
        (model(), true, false, 0.60),
        (recipe(), true, false, 0.75),
        (model(), true, true, 0.97),
    ] {
        let context = Context { alone, confirmed, ..context(&record) };
        let confidence = assess(&candidate, &evidence, &[], &context);
        assert_eq!(confidence.cap, cap, "{alone} {confirmed}");
    }
    let unseen = Context { alone: true, ..context(&record) };
    assert_eq!(assess(&model(), &gates(), &[], &unseen).cap, 0.35);
}

#[test]
fn a_failed_gate_leaves_no_confidence() {
    for gate in Check::ALL.into_iter().filter(|c| c.is_gate()) {
        for outcome in [CheckOutcome::Fail, CheckOutcome::NotRun, CheckOutcome::NotAvailable, CheckOutcome::Error] {
            let mut evidence = passed("scan tests proof");
            evidence.iter_mut().filter(|e| e.check == gate).for_each(|e| e.outcome = outcome);
            let record = Record::default();
            let context = Context { confirmed: true, ..context(&record) };
            assert_eq!(assess(&recipe(), &evidence, &[], &context).p, 0.0, "{gate:?} {outcome:?}");
        }
    }
}

#[test]
fn every_check_counts_what_the_table_says() {
    use CheckOutcome::{Error, Fail, Flaky, NotAvailable, NotRun, Pass};
    for (check, pass, weaker, fail) in [
        (Check::Rescan, 0.8, 0.8, -2.0),
        (Check::OwnRule, 0.3, 0.3, -2.0),
        (Check::SecondScan, 0.0, 0.0, -2.0),
        (Check::Build, 0.3, 0.3, -3.0),
        (Check::Tests, 0.7, 0.2, -3.0),
        (Check::RedGreen, 1.3, 0.4, -2.5),
        (Check::Behaviour, 0.5, 0.5, -1.5),
        (Check::Applies, 0.0, 0.0, 0.0),
    ] {
        let start = reading(&recipe(), &[]).log_odds();
        for (outcome, is_weaker, expect) in [
            (Pass, false, pass),
            (Pass, true, weaker),
            (Fail, false, fail),
            (Fail, true, fail),
            (NotRun, false, 0.0),
            (NotAvailable, false, 0.0),
            (Flaky, false, 0.0),
            (Error, true, 0.0),
        ] {
            let evidence = [Evidence { weaker: is_weaker, ..Evidence::new(check, outcome, "") }];
            let counts = reading(&recipe(), &evidence).log_odds() - start;
            assert!((counts - expect).abs() < 1e-12, "{check:?} {outcome:?} {is_weaker}: {counts}");
        }
    }
}

#[test]
fn suspicions_lower_within_bounds_and_each_kind_once() {
    let smell = |kind| Smell { kind, detail: "here".to_owned() };
    let again = |kind| Smell { kind, detail: "and there".to_owned() };
    use SmellKind::{BadPlaceholder, BrokenCall, FeatureRemoved, HiddenSink, LargeChange, WeakenedCheck};
    let start = reading(&recipe(), &gates()).log_odds();
    for (smells, expect) in [
        (vec![], 0.0),
        (vec![smell(LargeChange)], -0.2),
        (vec![smell(HiddenSink), again(HiddenSink)], -0.8),
        (vec![smell(HiddenSink), smell(BrokenCall), smell(BadPlaceholder)], -2.4),
        (
            vec![
                smell(HiddenSink),
                smell(BrokenCall),
                smell(BadPlaceholder),
                smell(FeatureRemoved),
                smell(WeakenedCheck),
            ],
            -2.4,
        ),
    ] {
        let confidence = assess(&recipe(), &gates(), &smells, &context(&Record::default()));
        assert!((confidence.log_odds() - start - expect).abs() < 1e-9, "{smells:?}");
    }
}

#[test]
fn a_fit_is_one_more_addend_and_only_from_enough_outcomes() {
    let mut record = Record::default();
    let evidence = passed("scan tests proof same");
    let plain = reading(&model(), &evidence);
    record.set_fit(Fit { severity: Severity::High, slope: 0.5, intercept: -0.2, n: 49 });
    assert_eq!(assess(&model(), &evidence, &[], &context(&record)), plain);
    record.set_fit(Fit { severity: Severity::High, slope: 0.5, intercept: -0.2, n: 50 });
    let fitted = assess(&model(), &evidence, &[], &context(&record));
    assert!((fitted.log_odds() - (0.5 * plain.log_odds() - 0.2)).abs() < 1e-12);
    assert_eq!((fitted.n, plain.n), (50, 0));
    assert!(fitted.high - fitted.low < plain.high - plain.low + 0.2);
}

fn outcome() -> impl Strategy<Value = (CheckOutcome, bool)> {
    use CheckOutcome::{Error, Fail, Flaky, NotAvailable, NotRun, Pass};
    (prop::sample::select(vec![Pass, Fail, NotAvailable, NotRun, Flaky, Error]), any::<bool>())
}

proptest! {
    /// Property 3, with the terms that say less; and the sum explains the figure.
    #[test]
    fn a_pass_never_lowers_and_a_fail_never_raises(
        outcomes in prop::collection::vec(outcome(), RUNGS.len()),
        at in 0..RUNGS.len(),
        alone in any::<bool>(),
        by_recipe in any::<bool>(),
    ) {
        let record = Record::default();
        let context = Context { alone, ..context(&record) };
        let candidate = if by_recipe { recipe() } else { model() };
        let mut list = gates();
        list.extend(RUNGS.iter().zip(&outcomes).map(|(rung, (outcome, weaker))| Evidence {
            weaker: *weaker,
            ..Evidence::new(rung.check, *outcome, "")
        }));
        let position = list.len() - RUNGS.len() + at;
        let mut with = |outcome, weaker| {
            (list[position].outcome, list[position].weaker) = (outcome, weaker);
            let confidence = assess(&candidate, &list, &[], &context);
            let explained = sigmoid(confidence.terms.iter().map(|t| t.value).sum()).min(confidence.cap);
            assert_eq!(confidence.p.to_bits(), explained.to_bits());
            confidence.p
        };
        let pass = with(CheckOutcome::Pass, false);
        let weak = with(CheckOutcome::Pass, true);
        let not_run = with(CheckOutcome::NotRun, false);
        let not_available = with(CheckOutcome::NotAvailable, false);
        let fail = with(CheckOutcome::Fail, false);
        prop_assert!(pass >= weak && weak >= not_run && not_run >= fail, "{pass} {weak} {not_run} {fail}");
        prop_assert_eq!(not_run.to_bits(), not_available.to_bits());
    }

    /// Property 2, on the reading alone: one more answer of the family, or of another.
    #[test]
    fn one_more_vote_raises_by_little(
        votes in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 1..6),
        outcomes in prop::collection::vec(outcome(), RUNGS.len()),
    ) {
        let record = Record::default();
        let votes: Vec<String> = votes.into_iter().map(str::to_owned).collect();
        let mut evidence = gates();
        evidence.extend(RUNGS.iter().zip(&outcomes).map(|(rung, (outcome, weaker))| Evidence {
            weaker: *weaker,
            ..Evidence::new(rung.check, *outcome, "")
        }));
        let p = |votes: &[String]| assess(&model(), &evidence, &[], &Context { votes, ..context(&record) }).p;
        let before = p(&votes);
        let with = |family: &str| p(&[votes.as_slice(), &[family.to_owned()]].concat());
        prop_assert!(with(&votes[0]) - before <= 0.03);
        prop_assert!(with("z") - before <= 0.12);
    }
}
