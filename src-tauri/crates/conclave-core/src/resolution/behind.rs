//! Whether a fix that was made from another is worse than it on any check.

use crate::evidence::{Check, CheckOutcome, Evidence, outcome_of};

/// The first check, in ladder order, on which `child` is behind `parent`; `None` when it is nowhere.
///
/// A full pass is ahead of one that says less, that of not having looked, and that of a failure.
pub fn behind(child: &[Evidence], parent: &[Evidence]) -> Option<Check> {
    Check::ALL.into_iter().find(|check| rank(child, *check) < rank(parent, *check))
}

fn rank(evidence: &[Evidence], check: Check) -> u8 {
    let weaker = evidence.iter().any(|e| e.check == check && e.weaker);
    match outcome_of(evidence, check) {
        CheckOutcome::Pass if !weaker => 3,
        CheckOutcome::Pass => 2,
        CheckOutcome::NotAvailable | CheckOutcome::NotRun | CheckOutcome::Flaky | CheckOutcome::Error => 1,
        CheckOutcome::Fail => 0,
    }
}
