//! Inputs that are no attack give the same before the fix and after it, and callers meet the same functions.

use conclave_core::evidence::{Check, Evidence};
use conclave_core::language::Language;

use super::Subject;
use crate::proof::{self, Benign};

pub(crate) fn run(subject: &mut Subject<'_>) -> Evidence {
    let benign = match &subject.proved {
        Some(Ok(proved)) => proof::benign(proved.proof, &proved.sides.before, &proved.sides.after),
        Some(Err(why)) => Benign::Unseen(why.clone()),
        None => Benign::Unseen("nothing was called".to_owned()),
    };
    let change = subject.texts().find_map(|(path, before, after)| {
        conclave_fixers::signature_change(Language::of_path(path)?, before.text()?, after)
    });
    let (outcome, summary) = proof::behaviour(change.as_deref(), &benign);
    Evidence::new(Check::Behaviour, outcome, summary)
}
