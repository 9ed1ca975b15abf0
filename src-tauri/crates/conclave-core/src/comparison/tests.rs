//! Sides, standings and the sums of a report.

use super::*;
use crate::finding::Severity;
use crate::resolution::tests::{judged, model, result};

fn outcome(fix: Option<&str>, analysis_ms: u64) -> Outcome {
    let judged = fix.map(|text| judged(model("m", "m"), text, &[Check::Rescan, Check::Tests]));
    let resolution = Resolution { analysis_ms, ..result(Severity::High, judged.into_iter().collect()) };
    Outcome::Resolved { resolution: Box::new(resolution) }
}

fn failed() -> Outcome {
    Outcome::Failed { why: "it broke off".to_owned() }
}

fn pair(id: i64, a: Option<Outcome>, b: Option<Outcome>, preference: Option<Preference>) -> Pair {
    let finding = FindingId::new(format!("f{id}"));
    let runs = [RunId::nth(&finding, 1), RunId::nth(&finding, 2)];
    Pair { id, finding, runs, outcomes: [a, b], preference }
}

#[test]
fn the_same_seed_draws_the_same_sides_and_another_draws_others() {
    let findings: Vec<FindingId> = (0..200).map(|n| FindingId::new(format!("f{n}"))).collect();
    let sides = |seed| findings.iter().map(|finding| Arm::left(seed, finding)).collect::<Vec<_>>();
    let first = |seed| findings.iter().map(|finding| Arm::first(seed, finding)).collect::<Vec<_>>();
    assert_eq!(sides(7), sides(7));
    assert_ne!(sides(7), sides(8));
    assert_ne!(sides(7), first(7), "who is run first says nothing of the sides");
    let left = sides(7).iter().filter(|arm| **arm == Arm::A).count();
    assert!((70..=130).contains(&left), "{left} of 200");
}

#[test]
fn a_pair_is_shown_only_where_there_is_something_to_choose() {
    let some = |text| Some(outcome(Some(text), 1));
    let none = || Some(outcome(None, 1));
    for (a, b, preference, standing) in [
        (None, some("x"), None, Standing::Pending),
        (some("x"), Some(failed()), None, Standing::Failed),
        (some("x"), some("x"), None, Standing::Same),
        (none(), none(), None, Standing::NoFix),
        (some("x"), none(), None, Standing::Waiting),
        (some("x"), some("y"), None, Standing::Waiting),
        (some("x"), some("y"), Some(Preference::Both), Standing::Chosen(Preference::Both)),
    ] {
        assert_eq!(pair(1, a, b, preference).standing(), standing);
    }
}

#[test]
fn the_interval_of_a_share_is_wilsons() {
    // Newcombe (1998), table of intervals for single proportions: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for (a, b, low, high) in
        [(81, 182, 0.2553, 0.3662), (15, 133, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 28, 0.0061, 0.1718)]
    {
        let share = Tally { a, b, both: 3, neither: 4 }.share().expect("there are some");
        assert_eq!(share.n, a + b, "what prefers none is in no share");
        assert!((share.low - low).abs() < 5e-5 && (share.high - high).abs() < 5e-5, "{a} of {}: {share:?}", share.n);
    }
    assert_eq!(Tally { both: 1, neither: 1, ..Tally::default() }.share(), None);
}

#[test]
fn a_report_counts_what_is_settled_and_says_what_is_not() {
    let seed = 3;
    let prefers = |id: i64, arm: Arm| match Arm::left(seed, &FindingId::new(format!("f{id}"))) == arm {
        true => Preference::Left,
        false => Preference::Right,
    };
    let two = |id, a: u64, preference| pair(id, Some(outcome(Some("x"), a)), Some(outcome(Some("y"), 9)), preference);
    let pairs = [
        two(1, 10, Some(prefers(1, Arm::A))),
        two(2, 30, Some(prefers(2, Arm::A))),
        two(3, 20, Some(prefers(3, Arm::B))),
        two(4, 40, Some(Preference::Neither)),
        pair(5, Some(outcome(Some("x"), 50)), Some(outcome(Some("x"), 9)), None),
        pair(6, Some(outcome(None, 60)), Some(outcome(None, 9)), None),
        pair(7, Some(failed()), Some(outcome(Some("x"), 9)), None),
        two(8, 1000, None),
        pair(9, None, None, None),
    ];
    let cost =
        |run: &RunId| Cost { calls: 1, spent: Money::from_micros(100), unknown: u32::from(run.as_str() == "f1-1") };
    let report = report(&pairs, seed, (5, Digest::of(b"settings")), cost);
    assert_eq!((report.findings, report.open, report.failed, report.same, report.no_fix), (9, 2, 1, 1, 1));
    assert_eq!(report.chosen, Tally { a: 2, b: 1, both: 0, neither: 1 });
    assert_eq!(report.preference.map(|share| share.n), Some(3));
    let [a, b] = &report.arms;
    assert_eq!((a.n, a.fixes, b.fixes, a.analysis_ms), (7, 5, 6, Some(30)), "{a:?}");
    assert_eq!(a.cost, Cost { calls: 7, spent: Money::from_micros(700), unknown: 1 });
    let rung =
        |arm: &ArmReport, check| arm.rungs.iter().find(|rung| rung.check == check).map(|r| (r.passed, r.not_run));
    assert_eq!((rung(a, Check::Tests), rung(a, Check::Build)), (Some((5, 0)), Some((0, 5))));
}
