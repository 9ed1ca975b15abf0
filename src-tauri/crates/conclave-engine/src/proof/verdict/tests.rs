//! Every row of the truth tables, and what counts as an attack that worked.

use super::*;
use conclave_fixers::{Attack as Inputs, Benign as Harmless, Given, Watch};

fn why() -> String {
    "why".to_owned()
}

#[test]
fn red_green_passes_only_from_works_to_fails() {
    use Attack::{Breaks, Fails, Unseen, Works};
    use CheckOutcome::{Fail, NotAvailable, Pass};
    let states = [Works, Fails, Breaks(why()), Unseen(why())];
    let table = [
        [Fail, Pass, Fail, NotAvailable],
        [Fail, NotAvailable, Fail, NotAvailable],
        [NotAvailable; 4],
        [NotAvailable; 4],
    ];
    for (before, row) in states.iter().zip(table) {
        for (after, outcome) in states.iter().zip(row) {
            let seen = red_green(before, after);
            assert_eq!(seen.0, outcome, "{before:?} to {after:?}: {}", seen.1);
            assert!(!seen.1.is_empty());
        }
    }
}

#[test]
fn behaviour_passes_only_with_both_parts() {
    use CheckOutcome::{Fail, NotAvailable, Pass};
    let states = [Benign::Same(2), Benign::Differs(why()), Benign::Unseen(why())];
    for (change, row) in [(None, [Pass, Fail, NotAvailable]), (Some("f is gone"), [Fail; 3])] {
        for (benign, outcome) in states.iter().zip(row) {
            assert_eq!(behaviour(change, benign).0, outcome, "{change:?} {benign:?}");
        }
    }
}

#[test]
fn a_red_test_counts_only_by_the_tests_that_ran() {
    use TestOutcome::{Broken, Failed, Passed, Skipped};
    let run = |tests: &[(&str, TestOutcome)]| {
        let tests = tests.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect();
        Ok(Run { tests, ..Run::default() })
    };
    let unseen = |seen: &Attack| matches!(seen, Attack::Unseen(_));
    let red = run(&[("a", Failed), ("b", Passed)]);
    assert_eq!(red_test(&red, None), Attack::Works);
    assert_eq!(red_test(&run(&[("a", Passed), ("b", Passed)]), red.as_ref().ok()), Attack::Fails);
    assert_eq!(red_test(&run(&[("a", Passed), ("b", Failed)]), red.as_ref().ok()), Attack::Works);
    // A test that vanished, or another in its place, is no green one.
    assert!(unseen(&red_test(&run(&[("b", Passed)]), red.as_ref().ok())));
    assert!(unseen(&red_test(&run(&[("a", Passed), ("c", Passed)]), red.as_ref().ok())));
    assert!(unseen(&red_test(&run(&[("a", Skipped), ("b", Passed)]), red.as_ref().ok())));
    assert!(unseen(&red_test(&run(&[]), None)));
    assert!(unseen(&red_test(&run(&[("a", Skipped)]), None)));
    // A test that cannot import its subject is no red one.
    assert!(unseen(&red_test(&run(&[("a", Broken)]), None)));
    assert!(unseen(&red_test(&Err(why()), None)));
}

fn proof(seen: Sign) -> Proof {
    let attack = Inputs { values: vec!["<b>".to_owned()], control: None, seen };
    let benign = Harmless { values: vec!["pear".to_owned()], returns: Returns::Value };
    let watch = vec![Watch { name: "m.f".to_owned(), answer: Given::Fake }];
    Proof {
        cases: Vec::new(),
        attack: Some(attack),
        benign: Some(benign),
        watch,
        content: false,
        example: String::new(),
    }
}

fn run(facts: &[(&str, Facts)]) -> Run {
    Run { facts: facts.iter().map(|(name, facts)| ((*name).to_owned(), facts.clone())).collect(), ..Run::default() }
}

fn raising(class: &str) -> Facts {
    Facts { raised: Some(class.to_owned()), ..Facts::default() }
}

#[test]
fn an_attack_works_by_its_own_sign_alone() {
    let called = |argument: &str, is: &[&str], unless: &[&str]| {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Sign::Called { argument: argument.to_owned(), is: list(is), unless: list(unless) }
    };
    let call = |argument: &str, value: &str| {
        let arguments = [(argument.to_owned(), value.to_owned())].into();
        Facts { calls: vec![Call { name: "m.f".to_owned(), arguments }], ..Facts::default() }
    };
    let text = "a <b> c".to_owned();
    let rows = |rows| Facts { rows, ..Facts::default() };
    let twice = |again: &str, kind: &str| Facts {
        returned: "1".to_owned(),
        again: Some(again.to_owned()),
        kind: kind.to_owned(),
        ..Facts::default()
    };
    for (sign, facts, works) in [
        (Sign::Marker, Facts { marker: true, ..Facts::default() }, true),
        (Sign::Marker, rows(9), false),
        (Sign::Rows, rows(2), true),
        (Sign::Rows, rows(1), false),
        (Sign::Statement, Facts { statements: vec![text.clone()], ..Facts::default() }, true),
        (Sign::Statement, Facts { html: vec![text.clone()], ..Facts::default() }, false),
        (Sign::Markup, Facts { html: vec![text.clone()], ..Facts::default() }, true),
        (Sign::Markup, Facts { returned: text.clone(), ..Facts::default() }, true),
        (Sign::Markup, Facts { html: vec!["&lt;b&gt;".to_owned()], ..Facts::default() }, false),
        (Sign::Markup, Facts { printed: text, ..Facts::default() }, false),
        (Sign::Repeated, twice("1", "str"), true),
        (Sign::Repeated, twice("2", "str"), false),
        (Sign::Repeated, twice("1", "NoneType"), false),
        (Sign::Repeated, Facts { raised: Some(why()), ..twice("1", "str") }, false),
        (called("verify", &["False"], &[]), call("verify", "False"), true),
        (called("verify", &["False"], &[]), call("verify", "True"), false),
        (called("verify", &["False"], &[]), call("other", "False"), false),
        (called("safe", &[], &["False"]), call("other", "1"), true),
        (called("safe", &[], &["False"]), call("safe", "False"), false),
        (called("safe", &[], &["False"]), Facts::default(), false),
    ] {
        let seen = Ok(run(&[("control", rows(1)), ("attack 0", facts.clone())]));
        let expect = if works { Attack::Works } else { Attack::Fails };
        assert_eq!(attack(&proof(sign.clone()), &seen, None), expect, "{sign:?} {facts:?}");
    }
}

#[test]
fn an_attack_that_ended_on_a_mistake_did_not_fail_for_the_fix() {
    let proof = proof(Sign::Marker);
    let seen = |facts: Facts| Ok(run(&[("attack 0", facts)]));
    let before = run(&[("attack 0", Facts { marker: true, ..Facts::default() })]);
    let after = |class: &str| attack(&proof, &seen(raising(class)), Some(&before));
    assert!(matches!(after("NameError"), Attack::Breaks(_)));
    assert!(matches!(after("ReferenceError"), Attack::Breaks(_)));
    assert!(matches!(after("AttributeError"), Attack::Unseen(_)));
    assert!(matches!(after("ModuleNotFoundError"), Attack::Unseen(_)));
    assert_eq!(after("ValueError"), Attack::Fails);
    // What was raised before too does not come from the fix.
    let before = run(&[("attack 0", Facts { marker: true, ..raising("TypeError") })]);
    assert_eq!(attack(&proof, &seen(raising("TypeError")), Some(&before)), Attack::Fails);
    assert!(matches!(attack(&proof, &Ok(run(&[])), None), Attack::Unseen(_)));
    assert!(matches!(attack(&proof, &Err(why()), None), Attack::Unseen(_)));
}

#[test]
fn benign_inputs_show_what_became_another() {
    let called = |argument: &str| {
        let arguments = [(argument.to_owned(), "1".to_owned())].into();
        Facts { calls: vec![Call { name: "m.f".to_owned(), arguments }], ..Facts::default() }
    };
    let verify =
        proof(Sign::Called { argument: "verify".to_owned(), is: vec!["False".to_owned()], unless: Vec::new() });
    let texts = |text: &str| vec![text.to_owned()];
    let was = Facts { returned: "1".to_owned(), kind: "int".to_owned(), ..Facts::default() };
    let judge = |was: &Facts, now: &Facts| {
        benign(&verify, &Ok(run(&[("benign 0", was.clone())])), &Ok(run(&[("benign 0", now.clone())])))
    };
    assert_eq!(judge(&was, &was), Benign::Same(1));
    // The argument that the fix is about does not count.
    let mut mended = called("verify");
    mended.calls[0].arguments.insert("verify".to_owned(), "True".to_owned());
    assert_eq!(judge(&called("verify"), &mended), Benign::Same(1));
    for now in [
        Facts { returned: "2".to_owned(), ..was.clone() },
        Facts { raised: Some("NameError".to_owned()), ..was.clone() },
        Facts { runs: vec![texts("rm")], ..was.clone() },
        Facts { rows: 1, ..was.clone() },
        Facts { told: texts("a"), ..was.clone() },
        Facts { shown: texts("a"), ..was.clone() },
        Facts { printed: "a".to_owned(), ..was.clone() },
        Facts { files: texts("a"), ..was.clone() },
        Facts { calls: called("other").calls, ..was.clone() },
    ] {
        assert!(matches!(judge(&was, &now), Benign::Differs(_)), "{now:?}");
    }
    // Nothing to compare is not the same thing.
    for (was, now) in [
        (raising("TypeError"), raising("TypeError")),
        (was.clone(), raising("ModuleNotFoundError")),
        (Facts { missing: texts("ffmpeg"), ..was.clone() }, was.clone()),
    ] {
        assert!(matches!(judge(&was, &now), Benign::Unseen(_)), "{was:?}");
    }
    assert!(matches!(benign(&verify, &Ok(run(&[])), &Ok(run(&[]))), Benign::Unseen(_)));
    assert!(matches!(benign(&verify, &Ok(run(&[])), &Err(why())), Benign::Unseen(_)));
}
