//! Something that matters changes, and no code is replaced by a promise of code.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::fingerprint::normalise;

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let fail = |why: &str| Evidence::new(Check::Effective, CheckOutcome::Fail, why);
    let mut changed = false;
    for file in &subject.candidate.patch.files {
        if file.edits.iter().any(|edit| conclave_fixers::has_elision(&edit.text)) {
            return fail("it replaces code by a remark that code was there");
        }
    }
    for (_, before, after) in subject.texts() {
        changed |= normalise(before.text().unwrap_or_default()) != normalise(after);
    }
    if changed {
        Evidence::new(Check::Effective, CheckOutcome::Pass, "more than white space")
    } else {
        fail("it changes white space only")
    }
}
