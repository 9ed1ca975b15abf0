//! How sure we may be of a candidate, from evidence only.
//!
//! `L = logit(start) + checks + agreement + smells + judge`, `p = min(cap, sigmoid(L))`. Every addend is kept and shown:
//! they sum to the log-odds of `p`, unless the cap is lower. What a model says of its own sureness is none of them.
//! Start values and caps: `docs/confidence.md`.

use serde::{Deserialize, Serialize};

use crate::calibration::wilson;
use crate::candidate::{Candidate, Origin};
use crate::cluster;
use crate::evidence::{Check, CheckOutcome, Evidence, gates_pass, outcome_of};
use crate::finding::{Finding, Severity};
use crate::language::Language;
use crate::record::Record;
use crate::smell::Smell;
use crate::weakness::Family;

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
    /// The cap of the evidence alone, before outcomes raised it: what outcomes are counted under.
    #[serde(default)]
    pub earned: f64,
    /// Why the cap is where it is.
    pub cap_reason: String,
    /// What would raise the cap; `None` at the top.
    pub raise: Option<String>,
    /// The addends, prior first.
    pub terms: Vec<Term>,
    /// On how many outcomes of this kind the reading is calibrated.
    pub n: u32,
}

impl Confidence {
    /// The sum of the addends: what fixes are ordered by, since many share a cap.
    pub fn log_odds(&self) -> f64 {
        self.terms.iter().map(|term| term.value).sum()
    }

    /// The same before a fit: what the next fit is made from.
    pub fn unfitted(&self) -> f64 {
        // The fit is the last addend.
        let own = self.terms.len() - usize::from(self.n > 0 && !self.terms.is_empty());
        self.terms[..own].iter().map(|term| term.value).sum()
    }
}

/// Below this, nothing is recommended.
pub const ABSTAIN_BELOW: f64 = 0.30;

/// What a reading depends on beside the candidate and its evidence.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// What became of earlier fixes.
    pub record: &'a Record,
    /// How severe the finding is.
    pub severity: Severity,
    /// Which kind of weakness it is.
    pub family: Family,
    /// In which language.
    pub language: Option<Language>,
    /// The families of all independent answers that come to the same, the candidate's own included.
    pub votes: &'a [String],
    /// What judges said of it.
    pub judge: Option<Term>,
    /// Whether nobody of another family proposed anything.
    pub alone: bool,
    /// Whether a person confirmed it.
    pub confirmed: bool,
}

impl<'a> Context<'a> {
    /// That of a fix of `finding` that nobody else proposed or judged.
    pub fn of(finding: &Finding, record: &'a Record) -> Self {
        let detection = &finding.detection;
        Self {
            record,
            severity: detection.severity,
            family: Family::of(&detection.rule.cwe),
            language: detection.location.as_ref().and_then(|location| Language::of_path(&location.path)),
            votes: &[],
            judge: None,
            alone: false,
            confirmed: false,
        }
    }
}

/// The confidence in `candidate` after `evidence`.
pub fn assess(candidate: &Candidate, evidence: &[Evidence], smells: &[Smell], context: &Context<'_>) -> Confidence {
    let mut terms = vec![start(&candidate.origin, context)];
    terms.extend(RUNGS.iter().filter_map(|rung| rung.term(evidence)));
    terms.extend(agreement(context.votes));
    terms.extend(smell_terms(smells));
    terms.extend(context.judge.clone());
    let mut n = 0;
    if let Some(fit) = context.record.fit(context.severity) {
        let sum: f64 = terms.iter().map(|term| term.value).sum();
        n = fit.n;
        let value = fit.slope * sum + fit.intercept - sum;
        terms.push(Term { label: format!("Fitted to {n} outcomes"), value });
    }
    let Cap { cap, word, mut reason, raise } = cap(&candidate.origin, evidence, context);
    let earned = cap;
    let (cap, outcomes) = if cap > 0.0 { context.record.allowed(cap) } else { (cap, None) };
    if let Some(outcomes) = outcomes {
        reason.push_str(&format!("; {outcomes} outcomes speak for more than that alone would"));
    }
    let p = sigmoid(terms.iter().map(|term| term.value).sum()).min(cap);
    // Beta posterior of ten pseudo-observations and the outcomes, at the reading (Wilson's score interval at z = 1).
    let (low, high) = wilson(p, 10.0 + f64::from(n), 1.0);
    Confidence { p, low, high: high.min(cap), cap, earned, word: word.to_owned(), cap_reason: reason, raise, terms, n }
}

fn start(origin: &Origin, context: &Context<'_>) -> Term {
    let prior = context.record.prior(origin, context.family, context.language);
    let kind = match origin {
        Origin::Recipe { .. } => "a deterministic recipe",
        Origin::Scanner { .. } => "the scanner\u{2019}s own fix",
        Origin::Model { local: true, .. } => "a local model",
        Origin::Model { local: false, .. } => "a hosted model",
        Origin::Synthesis { .. } => "made from other fixes",
        Origin::Pattern { .. } => "a learned pattern",
        Origin::Person { .. } => "edited by hand",
    };
    let from = match (context.record.fault(), prior.n) {
        (Some(fault), _) => format!("{kind}; {fault}, so outcomes do not count"),
        (None, n) if n >= 0.5 => format!("{kind}, {n:.0} outcomes of its own"),
        (None, _) => kind.to_owned(),
    };
    Term { label: format!("Start {:.2}: {from}", prior.p), value: logit(prior.p) }
}

/// What a check is worth, in log-odds.
struct Rung {
    check: Check,
    pass: f64,
    /// What a pass that says less is worth, and why it does.
    weaker: Option<(f64, &'static str)>,
    fail: f64,
}

/// Every check that counts, in ladder order; a gate allows and adds nothing.
const RUNGS: [Rung; 7] = [
    Rung { check: Check::Rescan, pass: 0.8, weaker: None, fail: -2.0 },
    Rung { check: Check::OwnRule, pass: 0.3, weaker: None, fail: -2.0 },
    // That nothing else is seen is what is expected.
    Rung { check: Check::SecondScan, pass: 0.0, weaker: None, fail: -2.0 },
    Rung { check: Check::Build, pass: 0.3, weaker: None, fail: -3.0 },
    Rung { check: Check::Tests, pass: 0.7, weaker: Some((0.2, "away from the change")), fail: -3.0 },
    Rung { check: Check::RedGreen, pass: 1.3, weaker: Some((0.4, "with the author\u{2019}s own test")), fail: -2.5 },
    Rung { check: Check::Behaviour, pass: 0.5, weaker: None, fail: -1.5 },
];

impl Rung {
    fn term(&self, evidence: &[Evidence]) -> Option<Term> {
        let name = self.check.label();
        let (verb, value) = match outcome_of(evidence, self.check) {
            CheckOutcome::Pass => match self.weaker.filter(|_| is_weaker(evidence, self.check)) {
                Some((value, why)) => (format!("passed, {why}"), value),
                None => ("passed".to_owned(), self.pass),
            },
            CheckOutcome::Fail => ("failed".to_owned(), self.fail),
            CheckOutcome::NotAvailable | CheckOutcome::NotRun | CheckOutcome::Flaky | CheckOutcome::Error => {
                return None;
            }
        };
        (value != 0.0).then(|| Term { label: format!("{name} {verb}"), value })
    }
}

fn is_weaker(evidence: &[Evidence], check: Check) -> bool {
    evidence.iter().find(|e| e.check == check).is_some_and(|e| e.weaker)
}

fn agreement(votes: &[String]) -> Option<Term> {
    if votes.len() < 2 {
        return None;
    }
    let mut families = votes.to_vec();
    families.sort();
    families.dedup();
    let of = if families.len() == 1 { "one family".to_owned() } else { format!("{} families", families.len()) };
    let worth = cluster::independent(votes);
    let label = format!("{} answers of {of} agree, worth {worth:.1}", votes.len());
    Some(Term { label, value: cluster::agreement(votes) })
}

/// Smells together count this much at most.
const MOST_SMELLS: f64 = -2.4;

fn smell_terms(smells: &[Smell]) -> Vec<Term> {
    let mut smells: Vec<&Smell> = smells.iter().collect();
    smells.sort();
    // One kind is seen once, however often it is there.
    smells.dedup_by_key(|smell| smell.kind);
    let mut terms: Vec<Term> = smells
        .iter()
        .map(|smell| Term { label: smell.kind.label().to_owned(), value: smell.kind.weight().clamp(-0.8, 0.0) })
        .collect();
    let sum: f64 = terms.iter().map(|term| term.value).sum();
    if sum < MOST_SMELLS {
        let label = format!("Suspicions count {MOST_SMELLS:.1} at most");
        terms.push(Term { label, value: MOST_SMELLS - sum });
    }
    terms
}

/// The steps of the caps; their names below.
const STEPS: [f64; 9] = [0.35, 0.45, 0.55, 0.60, 0.75, 0.80, 0.88, 0.92, 0.97];
const UNTESTED: usize = 0;
const OWN_RULE: usize = 1;
const RESCAN: usize = 2;
const BUILD: usize = 3;
const TESTS: usize = 4;
const OWN_PROOF: usize = 5;
const PROOF: usize = 6;
const BEHAVIOUR: usize = 7;
const CONFIRMED: usize = 8;

struct Cap {
    cap: f64,
    word: &'static str,
    reason: String,
    raise: Option<String>,
}

/// By the highest evidence. A proof that has no re-scan or no tests below it counts one step less for each.
fn cap(origin: &Origin, evidence: &[Evidence], context: &Context<'_>) -> Cap {
    let passed = |check| outcome_of(evidence, check) == CheckOutcome::Pass;
    let full = |check| passed(check) && !is_weaker(evidence, check);
    if !gates_pass(evidence) {
        return Cap {
            cap: 0.0,
            word: "Stopped at a gate",
            reason: "a gate failed or did not run".to_owned(),
            raise: None,
        };
    }
    let up_to = |what: &str, step: usize| Some(format!("{what}, up to {:.2}", STEPS[step]));
    let proof = "a test that fails before";
    let (mut step, mut word, mut reason, mut raise) = match (passed(Check::Rescan), full(Check::Tests)) {
        (false, _) if passed(Check::OwnRule) => (
            OWN_RULE,
            "Own rule satisfied",
            "only Conclave\u{2019}s own detector looked again",
            up_to("a re-scan by another tool", RESCAN),
        ),
        (false, _) => (UNTESTED, "Untested suggestion", "no scanner looked again", up_to("a re-scan", RESCAN)),
        (true, true) => (TESTS, "Tests still pass", "no test reproduces the weakness", up_to(proof, PROOF)),
        (true, false) if passed(Check::Tests) => (
            BUILD,
            "Scanner satisfied, other tests pass",
            "no test reaches the change",
            up_to("tests that reach the change", TESTS),
        ),
        (true, false) if passed(Check::Build) => (
            BUILD,
            "Scanner satisfied, builds",
            "the project\u{2019}s tests did not run",
            up_to("the project\u{2019}s tests", TESTS),
        ),
        (true, false) => {
            (RESCAN, "Scanner satisfied", "neither build nor tests ran", up_to("the project\u{2019}s tests", TESTS))
        }
    };
    if passed(Check::RedGreen) {
        let (top, top_word, top_reason, top_raise) = match (full(Check::RedGreen), passed(Check::Behaviour)) {
            (false, _) => (
                OWN_PROOF,
                "Reproduced and fixed (own test)",
                "the fix\u{2019}s own author wrote the test",
                up_to("a test by somebody else", PROOF),
            ),
            (true, false) => (
                PROOF,
                "Reproduced and fixed",
                "behaviour was not compared",
                up_to("a comparison of behaviour", BEHAVIOUR),
            ),
            (true, true) => (
                BEHAVIOUR,
                "Reproduced, fixed, behaviour kept",
                "nobody has confirmed it yet",
                up_to("a person\u{2019}s confirmation", CONFIRMED),
            ),
        };
        let (no_scan, no_tests) = (!passed(Check::Rescan), !full(Check::Tests));
        let reached = top - usize::from(no_scan) - usize::from(no_tests);
        if reached > step {
            (step, word) = (reached, top_word);
            (reason, raise) = match (no_tests, no_scan) {
                (true, _) => {
                    ("no test of the project reaches the change", up_to("the project\u{2019}s tests", reached + 1))
                }
                (false, true) => ("no outside scanner looked again", up_to("a re-scan", reached + 1)),
                (false, false) => (top_reason, top_raise),
            };
        }
    }
    if context.confirmed {
        (step, word, reason, raise) = (CONFIRMED, "Confirmed by you", "a person can be wrong as well", None);
    }
    let mut reason = reason.to_owned();
    if context.alone && !origin.is_deterministic() && !context.confirmed {
        step = step.saturating_sub(1);
        reason.push_str("; only one family of authors answered, so one step lower");
    }
    Cap { cap: STEPS[step], word, reason, raise }
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests;
