//! How sure we may be of a candidate, from evidence only.
//!
//! `L = logit(prior) + sum of rung terms`, `p = min(cap, sigmoid(L))`. Every term is kept and shown. Agreement, judges and
//! calibration are not here: with fewer than 50 outcomes of a kind the fixed caps below hold, and a word stands in
//! for the figure.

use serde::{Deserialize, Serialize};

use crate::candidate::{Candidate, Origin};
use crate::evidence::{Check, CheckOutcome, Evidence, gates_pass, outcome_of};

/// One addend of the log-odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// What it stands for.
    pub label: String,
    /// Its log-odds.
    pub value: f64,
}

/// A probability with everything that made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// The reading, 0 to 1, never over `cap`.
    pub p: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval, never over `cap`.
    pub high: f64,
    /// The highest value that this evidence allows.
    pub cap: f64,
    /// The highest evidence, as a word.
    pub word: String,
    /// Why the cap is where it is.
    pub cap_reason: String,
    /// What would raise the cap; `None` at the top.
    pub raise: Option<String>,
    /// The addends, prior first.
    pub terms: Vec<Term>,
    /// On how many outcomes of this kind the reading is calibrated.
    pub n: u32,
}

/// Below this, nothing is recommended.
pub const ABSTAIN_BELOW: f64 = 0.30;

/// The confidence in `candidate` after `evidence`.
///
/// Start values and caps: `docs/confidence.md`.
pub fn assess(candidate: &Candidate, evidence: &[Evidence]) -> Confidence {
    let prior = prior(&candidate.origin);
    let mut terms = vec![Term { label: format!("Start {prior:.2}: {}", kind(&candidate.origin)), value: logit(prior) }];
    for (check, pass, fail) in TERMS {
        let value = match outcome_of(evidence, check) {
            CheckOutcome::Pass => pass,
            CheckOutcome::Fail => fail,
            CheckOutcome::NotAvailable | CheckOutcome::NotRun | CheckOutcome::Flaky | CheckOutcome::Error => continue,
        };
        let verb = if value > 0.0 { "passed" } else { "failed" };
        terms.push(Term { label: format!("{} {verb}", check.label()), value });
    }
    let (cap, word, cap_reason, raise) = cap(evidence);
    let p = sigmoid(terms.iter().map(|term| term.value).sum()).min(cap);
    // Beta posterior of ten pseudo-observations at the reading (Wilson's score interval at z = 1).
    let (low, high) = wilson(p, 10.0);
    Confidence {
        p,
        low,
        high: high.min(cap),
        cap,
        word: word.to_owned(),
        cap_reason: cap_reason.to_owned(),
        raise: raise.map(str::to_owned),
        terms,
        n: 0,
    }
}

/// Check, log-odds when it passes, log-odds when it fails.
const TERMS: [(Check, f64, f64); 6] = [
    (Check::Rescan, 0.8, -2.0),
    (Check::OwnRule, 0.3, -2.0),
    (Check::Build, 0.3, -3.0),
    (Check::Tests, 0.7, -3.0),
    (Check::RedGreen, 1.3, -2.5),
    (Check::Behaviour, 0.5, -1.5),
];

fn prior(origin: &Origin) -> f64 {
    match origin {
        Origin::Recipe { .. } | Origin::Scanner { .. } => 0.60,
        Origin::Model { local: true, .. } => 0.20,
        Origin::Model { local: false, .. } => 0.35,
    }
}

fn kind(origin: &Origin) -> &'static str {
    match origin {
        Origin::Recipe { .. } => "a deterministic recipe",
        Origin::Scanner { .. } => "the scanner\u{2019}s own fix",
        Origin::Model { local: true, .. } => "a local model",
        Origin::Model { local: false, .. } => "a hosted model",
    }
}

/// Cap, word, reason and what would raise it, by the highest unbroken evidence.
fn cap(evidence: &[Evidence]) -> (f64, &'static str, &'static str, Option<&'static str>) {
    let passed = |check| outcome_of(evidence, check) == CheckOutcome::Pass;
    if !gates_pass(evidence) {
        return (0.0, "Stopped at a gate", "a gate failed or did not run", None);
    }
    if !passed(Check::Rescan) {
        return if passed(Check::OwnRule) {
            let raise = "a re-scan by the tool that reported it, up to 0.55";
            (0.45, "Own rule satisfied", "only the recipe\u{2019}s own detector looked again", Some(raise))
        } else {
            (0.35, "Untested suggestion", "no scanner looked again", Some("a re-scan, up to 0.55"))
        };
    }
    match (passed(Check::Build), passed(Check::Tests), passed(Check::RedGreen), passed(Check::Behaviour)) {
        (_, true, true, true) => (0.92, "Reproduced, fixed, behaviour kept", "nobody has confirmed it yet", None),
        (_, true, true, false) => {
            (0.88, "Reproduced and fixed", "behaviour was not compared", Some("a comparison of behaviour, up to 0.92"))
        }
        (_, true, false, _) => {
            (0.75, "Tests still pass", "no test reproduces the weakness", Some("a test that fails before, up to 0.88"))
        }
        (true, false, ..) => (
            0.60,
            "Scanner satisfied, builds",
            "the project\u{2019}s tests did not run",
            Some("the project\u{2019}s tests, up to 0.75"),
        ),
        (false, false, ..) => {
            (0.55, "Scanner satisfied", "neither build nor tests ran", Some("the project\u{2019}s tests, up to 0.75"))
        }
    }
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Wilson's score interval at z = 1 for a share `p` of `n`.
fn wilson(p: f64, n: f64) -> (f64, f64) {
    let centre = (p + 0.5 / n) / (1.0 + 1.0 / n);
    let half = (p * (1.0 - p) / n + 0.25 / (n * n)).sqrt() / (1.0 + 1.0 / n);
    ((centre - half).max(0.0).min(p), (centre + half).min(1.0).max(p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::FixClass;
    use crate::patch::Patch;
    use proptest::prelude::*;

    fn candidate(origin: Origin) -> Candidate {
        let patch = Patch::default();
        Candidate {
            id: Candidate::id_of(&origin, &patch),
            origin,
            patch,
            class: FixClass::Review,
            title: String::new(),
            rationale: String::new(),
            edge_cases: Vec::new(),
            side_effects: Vec::new(),
            disproof: None,
            red_test: None,
            successors: Vec::new(),
        }
    }

    fn recipe() -> Candidate {
        candidate(Origin::Recipe { id: "r".to_owned() })
    }

    fn seen(outcomes: &[(Check, CheckOutcome)]) -> Vec<Evidence> {
        outcomes.iter().map(|(check, outcome)| Evidence::new(*check, *outcome, "")).collect()
    }

    fn gates() -> Vec<(Check, CheckOutcome)> {
        Check::ALL.into_iter().filter(|c| c.is_gate()).map(|c| (c, CheckOutcome::Pass)).collect()
    }

    #[test]
    fn caps_follow_the_highest_evidence() {
        use Check::{Build, OwnRule, RedGreen, Rescan, Tests};
        let cases: [(&[Check], f64); 7] = [
            (&[], 0.35),
            (&[OwnRule], 0.45),
            (&[Rescan], 0.55),
            (&[Rescan, Build], 0.60),
            (&[Rescan, Tests], 0.75),
            (&[Rescan, Tests, RedGreen], 0.88),
            (&[Rescan, Tests, RedGreen, Check::Behaviour], 0.92),
        ];
        for (checks, cap) in cases {
            let mut outcomes = gates();
            outcomes.extend(checks.iter().map(|c| (*c, CheckOutcome::Pass)));
            let confidence = assess(&recipe(), &seen(&outcomes));
            assert_eq!(confidence.cap, cap, "{checks:?}");
            assert!(confidence.p <= cap && confidence.low <= confidence.p && confidence.p <= confidence.high);
        }
    }

    #[test]
    fn a_failed_gate_leaves_no_confidence() {
        for gate in Check::ALL.into_iter().filter(|c| c.is_gate()) {
            for outcome in [CheckOutcome::Fail, CheckOutcome::NotRun, CheckOutcome::NotAvailable, CheckOutcome::Error] {
                let mut outcomes = gates();
                outcomes.retain(|(check, _)| *check != gate);
                outcomes.push((gate, outcome));
                outcomes.push((Check::Rescan, CheckOutcome::Pass));
                assert_eq!(assess(&recipe(), &seen(&outcomes)).p, 0.0, "{gate:?} {outcome:?}");
            }
        }
    }

    fn outcome() -> impl Strategy<Value = CheckOutcome> {
        use CheckOutcome::{Error, Fail, Flaky, NotAvailable, NotRun, Pass};
        prop::sample::select(vec![Pass, Fail, NotAvailable, NotRun, Flaky, Error])
    }

    proptest! {
        #[test]
        fn a_pass_never_lowers_and_a_fail_never_raises(
            outcomes in prop::collection::vec(outcome(), 6),
            at in 0usize..6,
        ) {
            let mut list = gates();
            list.extend(TERMS.iter().zip(&outcomes).map(|((check, ..), outcome)| (*check, *outcome)));
            let position = list.len() - 6 + at;
            let mut with = |outcome| {
                list[position].1 = outcome;
                assess(&recipe(), &seen(&list)).p
            };
            let (pass, fail, not_run, not_available) = (
                with(CheckOutcome::Pass),
                with(CheckOutcome::Fail),
                with(CheckOutcome::NotRun),
                with(CheckOutcome::NotAvailable),
            );
            prop_assert!(pass >= not_run && not_run >= fail);
            prop_assert_eq!(not_run, not_available);
        }
    }
}
