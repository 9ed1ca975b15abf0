//! Conclave's own detector looks again. It proves little: a recipe's match is gone after its own edit.

use conclave_core::candidate::Origin;
use conclave_core::evidence::{Check, CheckOutcome, Evidence, outcome_of};
use conclave_core::finding::Detection;
use conclave_core::language::Language;
use conclave_fixers::Recipes;

use super::Subject;
use super::moved::Moved;
use crate::project::facts;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let evidence = |outcome, summary: String| Evidence::new(Check::OwnRule, outcome, summary);
    if outcome_of(&subject.seen, Check::Rescan) == CheckOutcome::Pass {
        return evidence(CheckOutcome::NotRun, "not needed: the scanner itself looked again".to_owned());
    }
    let detection = &subject.brief.finding.detection;
    let rule = match &subject.candidate.origin {
        _ if detection.tool.is_own() => &detection.rule.id,
        Origin::Recipe { id } | Origin::Person { recipe: Some(id) } => id,
        Origin::Scanner { .. }
        | Origin::Model { .. }
        | Origin::Synthesis { .. }
        | Origin::Pattern { .. }
        | Origin::Person { recipe: None } => {
            return evidence(
                CheckOutcome::NotAvailable,
                "no detector of Conclave\u{2019}s own for this rule".to_owned(),
            );
        }
    };
    let facts = facts(subject.sources);
    let place = detection.location.as_ref();
    let mut gone = None;
    for (path, before, after) in subject.texts() {
        let (Some(language), Some(before)) = (Language::of_path(path), before.text()) else { continue };
        if let Some(place) = place.filter(|place| place.path == *path) {
            let reports = |text: &str| Recipes::shipped().still_reports(rule, language, text, &facts);
            let line = place.region.map_or(0, |region| region.start_line);
            gone = its_own_is_gone(&subject.moved(path), line, &reports(before), &reports(after));
        }
        let detect = |text: &str| Recipes::shipped().detect(path, language, text, &facts);
        if let Some(new) = new_rule(&detect(before), &detect(after), detection) {
            return evidence(
                CheckOutcome::Fail,
                format!("Conclave\u{2019}s own rule `{new}` reports something new in `{path}`"),
            );
        }
    }
    match gone {
        None => evidence(
            CheckOutcome::NotAvailable,
            format!("Conclave\u{2019}s rule `{rule}` did not report it before the fix"),
        ),
        Some(true) => evidence(CheckOutcome::Pass, format!("Conclave\u{2019}s rule `{rule}` no longer reports it")),
        Some(false) => evidence(CheckOutcome::Fail, format!("Conclave\u{2019}s rule `{rule}` still reports it")),
    }
}

/// Whether the report nearest to `line` is gone; `None` where there was none. Reports are first and last lines.
fn its_own_is_gone(moved: &Moved, line: u32, before: &[(u32, u32)], after: &[(u32, u32)]) -> Option<bool> {
    let away = |(first, last): (u32, u32)| line.clamp(first, last.max(first)).abs_diff(line);
    let (first, last) = *before.iter().min_by_key(|place| away(**place))?;
    let firsts = |places: &[(u32, u32)]| places.iter().map(|(first, _)| *first).collect::<Vec<_>>();
    Some(moved.gone(&(first..last.saturating_add(1)), &firsts(before), &firsts(after)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use conclave_core::patch::Edit;

    #[test]
    fn another_place_that_was_fixed_does_not_count() {
        let text = "f(1)\ng()\nf(\n  2)\n";
        let fixed = |old: &str| {
            let start = text.find(old).expect("it stands there");
            Moved::of(text, &[Edit { start, end: start + old.len(), text: "h()".to_owned() }])
        };
        for (moved, line, after, gone) in [
            (fixed("f(1)"), 1, vec![(3, 4)], Some(true)),
            (fixed("f(1)"), 4, vec![(3, 4)], Some(false)),
            (fixed("f(\n  2)"), 4, vec![(1, 1)], Some(true)),
            (fixed("f(\n  2)"), 1, vec![(1, 1)], Some(false)),
        ] {
            assert_eq!(its_own_is_gone(&moved, line, &[(1, 1), (3, 4)], &after), gone, "{line} {after:?}");
        }
        assert_eq!(its_own_is_gone(&fixed("g()"), 1, &[], &[]), None);
    }
}
