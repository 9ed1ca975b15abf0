//! Inputs that are no attack give the same before the fix and after it, and callers meet the same functions.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::language::Language;

use super::Subject;
use crate::proof::{self, Benign};

pub(crate) fn run(subject: &mut Subject<'_>) -> Evidence {
    let (benign, unseen) = match &subject.proved {
        Some(Ok(proved)) => {
            let sides = &proved.sides;
            (proof::benign(proved.proof, &sides.before, &sides.after), CheckOutcome::NotAvailable)
        }
        Some(Err(untried)) => (Benign::Unseen(untried.why().to_owned()), untried.outcome()),
        None => (Benign::Unseen("nothing was called".to_owned()), CheckOutcome::NotRun),
    };
    let change = subject.texts().find_map(|(path, before, after)| {
        conclave_fixers::signature_change(Language::of_path(path)?, before.text()?, after)
    });
    let (outcome, summary) = proof::behaviour(change.as_deref(), &benign);
    let outcome = if outcome == CheckOutcome::NotAvailable { unseen } else { outcome };
    Evidence::new(Check::Behaviour, outcome, summary)
}
