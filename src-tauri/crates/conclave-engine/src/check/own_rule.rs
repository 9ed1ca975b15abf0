//! Conclave's own detector looks again. It proves little: a recipe's match is gone after its own edit.

use conclave_core::candidate::Origin;
use conclave_core::evidence::{Check, CheckOutcome, Evidence, outcome_of};
use conclave_core::finding::Detection;
use conclave_core::language::Language;
use conclave_fixers::Recipes;

use super::Subject;
use crate::project::facts;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let evidence = |outcome, summary: String| Evidence::new(Check::OwnRule, outcome, summary);
    if outcome_of(&subject.seen, Check::Rescan) == CheckOutcome::Pass {
        return evidence(CheckOutcome::NotRun, "not needed: the scanner itself looked again".to_owned());
    }
    let detection = &subject.brief.finding.detection;
    let rule = match &subject.candidate.origin {
        _ if detection.tool.is_own() => &detection.rule.id,
        Origin::Recipe { id } => id,
        Origin::Scanner { .. } | Origin::Model { .. } => {
            return evidence(
                CheckOutcome::NotAvailable,
                "no detector of Conclave\u{2019}s own for this rule".to_owned(),
            );
        }
    };
    let facts = facts(subject.sources);
    let (mut count_before, mut count_after) = (0, 0);
    for (path, before, after) in subject.texts() {
        let (Some(language), Some(before)) = (Language::of_path(path), before.text()) else { continue };
        count_before += Recipes::shipped().still_reports(rule, language, before, &facts);
        count_after += Recipes::shipped().still_reports(rule, language, after, &facts);
        let detect = |text: &str| Recipes::shipped().detect(path, language, text, &facts);
        if let Some(new) = new_rule(&detect(before), &detect(after), detection) {
            return evidence(
                CheckOutcome::Fail,
                format!("Conclave\u{2019}s own rule `{new}` reports something new in `{path}`"),
            );
        }
    }
    if count_before == 0 {
        evidence(
            CheckOutcome::NotAvailable,
            format!("Conclave\u{2019}s rule `{rule}` did not report it before the fix"),
        )
    } else if count_after < count_before {
        evidence(CheckOutcome::Pass, format!("Conclave\u{2019}s rule `{rule}` no longer reports it"))
    } else {
        evidence(CheckOutcome::Fail, format!("Conclave\u{2019}s rule `{rule}` still reports it"))
    }
}

/// A rule at least as severe as the finding that reports more often after the fix.
fn new_rule(before: &[Detection], after: &[Detection], finding: &Detection) -> Option<String> {
    let count = |list: &[Detection], rule: &str| list.iter().filter(|d| d.rule.id == rule).count();
    after
        .iter()
        .filter(|d| d.severity.at_least(finding.severity))
        .map(|d| &d.rule.id)
        .find(|rule| count(after, rule) > count(before, rule))
        .cloned()
}
