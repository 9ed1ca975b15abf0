//! An attack that works before the fix and no longer after it: the recipe's proof, else the fix author's own test.

use std::time::Instant;

use conclave_core::digest::Digest;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};

use super::Subject;
use crate::proof::{self, Proved};

pub(crate) async fn run(subject: &mut Subject<'_>) -> Evidence {
    let begin = Instant::now();
    let proved = proof::prove(subject).await;
    let mut evidence = match &proved {
        Ok(proved) => by_recipe(proved),
        Err(untried) => Evidence::new(Check::RedGreen, untried.outcome(), untried.why()),
    };
    subject.proved = Some(proved);
    let is_decided = matches!(evidence.outcome, CheckOutcome::Pass | CheckOutcome::Fail);
    if !is_decided && subject.candidate.red_test.is_some() {
        evidence = by_own_test(subject).await;
    }
    evidence.duration_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    evidence
}

fn by_recipe(proved: &Proved) -> Evidence {
    let Proved { proof, called, sides } = proved;
    let before = proof::attack(proof, &sides.before, None);
    let after = proof::attack(proof, &sides.after, sides.before.as_ref().ok());
    let (outcome, summary) = proof::red_green(&before, &after);
    let mut evidence = Evidence::new(Check::RedGreen, outcome, format!("{called}: {summary}"));
    let log = proof::account(proof, [("before the fix", &sides.before), ("after the fix", &sides.after)]);
    evidence.log_digest = Some(Digest::of(log.as_bytes()));
    evidence.log = Some(log);
    evidence
}

async fn by_own_test(subject: &Subject<'_>) -> Evidence {
    let (outcome, summary) = match proof::prove_by_test(subject).await {
        Err(untried) => return Evidence::new(Check::RedGreen, untried.outcome(), untried.why()),
        Ok(sides) => {
            let before = proof::red_test(&sides.before, None);
            let after = proof::red_test(&sides.after, sides.before.as_ref().ok());
            proof::red_green(&before, &after)
        }
    };
    let mut evidence =
        Evidence::new(Check::RedGreen, outcome, format!("by the test of the fix\u{2019}s own author: {summary}"));
    evidence.weaker = true;
    evidence
}
