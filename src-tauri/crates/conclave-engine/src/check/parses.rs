//! Every touched file parses with no more errors than before.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::language::Language;

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let evidence = |outcome, summary: String| Evidence::new(Check::Parses, outcome, summary);
    for (path, after) in &subject.after {
        let Some(language) = Language::of_path(path) else {
            return evidence(CheckOutcome::NotAvailable, format!("Conclave has no parser for `{path}`"));
        };
        let Ok(after) = std::str::from_utf8(after) else {
            return evidence(CheckOutcome::NotAvailable, format!("`{path}` is not UTF-8 text"));
        };
        let before = subject.sources.file(path).ok();
        let errors_before =
            before.as_deref().and_then(|b| b.text()).map_or(0, |b| conclave_fixers::parse_errors(language, b));
        let errors_after = conclave_fixers::parse_errors(language, after);
        if errors_after > errors_before {
            return evidence(CheckOutcome::Fail, format!("`{path}` no longer parses after the fix"));
        }
    }
    evidence(CheckOutcome::Pass, "no new syntax error".to_owned())
}
