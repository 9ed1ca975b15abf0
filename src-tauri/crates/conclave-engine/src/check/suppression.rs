//! No marker is added that tells a scanner to look away.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    for (path, before, after) in subject.texts() {
        if let Some(marker) = conclave_fixers::adds_suppression(before.text().unwrap_or_default(), after) {
            let why = format!("it silences the scanner with `{marker}` in `{path}` instead of fixing");
            return Evidence::new(Check::Suppression, CheckOutcome::Fail, why);
        }
    }
    Evidence::new(Check::Suppression, CheckOutcome::Pass, "no marker added")
}
