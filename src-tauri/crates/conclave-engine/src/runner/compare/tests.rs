//! The truth table: every way in which a run can end without the fix, against every way with it.

use super::*;

/// A run as text: `+a -b .c` for passed, failed and skipped tests with `!1` for an exit status, or a word.
fn run(text: &str) -> Run {
    match text {
        "nothing" => return Run::Nothing("no test ran".to_owned()),
        "late" => return Run::TimedOut { limit_ms: 10_000 },
        "killed" => return Run::Killed(9),
        "missing" => return Run::Missing("pytest is not installed".to_owned()),
        "broken" => return Run::Broken("the sandbox failed".to_owned()),
        _ => {}
    }
    let (mut tests, mut code, mut wall_ms) = (BTreeMap::new(), None, 1000);
    for word in text.split_whitespace() {
        let (sign, id) = word.split_at(1);
        let ending = match sign {
            "+" => Ending::Passed,
            "-" => Ending::Failed,
            "." => Ending::Skipped,
            "!" => {
                code = id.parse().ok();
                continue;
            }
            "@" => {
                wall_ms = id.parse().expect("milliseconds");
                continue;
            }
            _ => panic!("{word}"),
        };
        tests.insert(id.to_owned(), Test::new(id, ending));
    }
    let failed = tests.values().any(|test| test.ending == Ending::Failed);
    Run::Ran { tests, code: code.unwrap_or(i32::from(failed)), wall_ms, said: None }
}

fn runs(texts: &[&str]) -> Vec<Run> {
    texts.iter().map(|text| run(text)).collect()
}

/// The outcome when every further run ends as the last one given did.
fn settled(before: &[&str], after: &[&str]) -> (CheckOutcome, String) {
    let (mut before, mut after) = (runs(before), runs(after));
    for _ in 0..8 {
        match compare(&before, &after) {
            Next::Done(outcome, words) => return (outcome, words),
            Next::AgainWith => after.push(after[after.len() - 1].clone()),
            Next::AgainWithout => before.push(before[before.len() - 1].clone()),
        }
    }
    panic!("it never ends");
}

#[test]
fn every_pair_of_ends_has_its_outcome() {
    use CheckOutcome::{Error, Fail, NotAvailable, Pass};
    let ends = ["+a +b", "+a -b", "-a -b", "+a !3", ".a", "nothing", "late", "killed", "missing", "broken"];
    let table = [
        ("+a +b", [Pass, Fail, Fail, Fail, Fail, Fail, Fail, Fail, Error, Error]),
        ("+a -b", [Pass, Pass, Fail, Fail, Fail, Fail, Fail, Fail, Error, Error]),
        ("-a -b", [NotAvailable; 10]),
        ("+a !3", [NotAvailable; 10]),
        (".a", [NotAvailable; 10]),
        ("nothing", [NotAvailable; 10]),
        ("late", [NotAvailable; 10]),
        ("killed", [NotAvailable; 10]),
        ("missing", [NotAvailable; 10]),
        ("broken", [Error; 10]),
    ];
    for (before, outcomes) in table {
        for (after, expect) in ends.into_iter().zip(outcomes) {
            let (outcome, words) = settled(&[before], &[after]);
            assert_eq!(outcome, expect, "{before} to {after}: {words}");
        }
    }
}

#[test]
fn only_the_same_tests_passing_again_is_a_pass() {
    use CheckOutcome::{Error, Fail, Flaky, NotAvailable, Pass};
    let cases: [(&[&str], &[&str], CheckOutcome, &str); 21] = [
        (&["+a +b"], &["+a +b"], Pass, "2 tests still pass"),
        (&["+a"], &["+a"], Pass, "the one test still passes"),
        (&["+a -b"], &["+a -b"], Pass, "1 test still pass; 1 more fails"),
        (&["+a -b"], &["+a"], Pass, "1 test still pass"),
        (&["+a"], &["+a +new"], Pass, "still passes"),
        // A file that cannot be loaded any more is a test of its own.
        (&["+a"], &["+a -new"], Fail, "`new` fails with the fix and did not run without it"),
        (&["+a +b"], &["+a"], Fail, "1 of 2 tests that pass without the fix got worse: `b` does not run"),
        (&["+a +b"], &["+a .b"], Fail, "`b` is left out"),
        (&["+a +b"], &["-a -b"], Fail, "2 of 2 tests"),
        (&["+a"], &["nothing"], Fail, "none of 1 test"),
        (&["+a"], &["killed"], Fail, "signal 9"),
        (&["+a"], &["+a !5"], Fail, "status 5 although none of them fails"),
        (&["+a @1000"], &["late"], Fail, "without it they took 1.0 s"),
        (&["+a @6000"], &["late"], Error, "within 10 s"),
        (&[".a"], &["+a"], NotAvailable, "no test passes without the fix"),
        // Three runs are needed to say that it is the fix.
        (&["+a +b"], &["+a -b", "+a +b"], Flaky, "`b` comes out"),
        (&["+a +b"], &["+a -b", "+a -b", "+a +b"], Flaky, "`b` comes out"),
        (&["+a +b"], &["-a +b", "+a -b", "+a +b"], Flaky, "now one way"),
        (&["+a"], &["nothing", "+a"], Flaky, "`a` comes out"),
        (&["+a"], &["+a !5", "+a"], Flaky, "the exit status"),
        (&["+a +b", "+a"], &["+a", "+a", "+a"], Flaky, "`b` comes out"),
    ];
    for (before, after, outcome, words) in cases {
        let seen = settled(before, after);
        assert_eq!(seen.0, outcome, "{before:?} to {after:?}: {}", seen.1);
        assert!(seen.1.contains(words), "{before:?} to {after:?}: {}", seen.1);
    }
}

#[test]
fn a_failure_is_believed_after_three_runs_with_and_two_without() {
    let steps = [(1, 1, Next::AgainWith), (1, 2, Next::AgainWith), (1, 3, Next::AgainWithout)];
    for (before, after, next) in steps {
        assert_eq!(compare(&vec![run("+a"); before], &vec![run("-a"); after]), next, "{before} and {after}");
    }
    assert!(matches!(compare(&vec![run("+a"); 2], &vec![run("-a"); 3]), Next::Done(CheckOutcome::Fail, _)));
    // What also fails without the fix on a second look is not the fix's.
    assert!(matches!(compare(&runs(&["+a", "-a"]), &vec![run("-a"); 3]), Next::Done(CheckOutcome::Flaky, _)));
    assert!(matches!(compare(&[], &runs(&["+a"])), Next::Done(CheckOutcome::NotRun, _)));
    assert!(matches!(compare(&runs(&["+a"]), &[]), Next::Done(CheckOutcome::NotRun, _)));
}

#[test]
fn only_a_build_that_worked_before_can_pass_or_fail() {
    use CheckOutcome::{Error, Fail, NotAvailable, Pass};
    let ends = ["+build", "-build", "nothing", "late", "killed", "missing", "broken"];
    let table = [
        ("+build", [Pass, Fail, Error, Fail, Error, Error, Error]),
        ("+build @6000", [Pass, Fail, Error, Error, Error, Error, Error]),
        ("-build", [NotAvailable; 7]),
        ("nothing", [NotAvailable; 7]),
        ("late", [NotAvailable; 7]),
        ("killed", [NotAvailable; 7]),
        ("missing", [NotAvailable; 7]),
        ("broken", [Error; 7]),
    ];
    for (before, outcomes) in table {
        for (after, expect) in ends.into_iter().zip(outcomes) {
            let (outcome, words) = compare_build(&run(before), &run(after));
            assert_eq!(outcome, expect, "{before} to {after}: {words}");
        }
    }
}
