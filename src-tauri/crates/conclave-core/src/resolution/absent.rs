//! Why a recommended fix stands without what one expects beside it: alternatives, and edge cases.
//!
//! Pure, and read by people. Where nothing is recommended, the conclusion itself says why.

use super::{Resolution, Verdict};
use crate::candidate::{Draft, FixClass};

/// Why no alternative is shown beside the recommended fix; `None` where there is one, or nothing is recommended.
pub fn no_alternative(resolution: &Resolution) -> Option<String> {
    let best = resolution.recommended()?;
    if resolution.shown().nth(1).is_some() {
        return None;
    }
    let is_other = |verdict: &&Verdict| verdict.judged.candidate.id != best.judged.candidate.id;
    let others: Vec<&Verdict> = resolution.verdicts.iter().filter(is_other).collect();
    let same = others.iter().filter(|other| other.cluster == best.cluster).count();
    let parts = [(same, "came to the same"), (others.len() - same, "did not hold")];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    Some(match others.len() {
        0 => alone(resolution),
        1 if same == 1 => "one other fix was proposed, and came to the same".to_owned(),
        1 => "one other fix was proposed, and did not hold".to_owned(),
        n => format!("{n} other fixes were proposed: {}", parts.join(", ")),
    })
}

/// Why nobody proposed another one.
fn alone(resolution: &Resolution) -> String {
    let asked = resolution.seats.iter().filter(|seat| seat.role.is_some()).flat_map(|seat| &seat.drafts);
    let (mut nothing, mut failed, mut proposed) = (0, 0, 0);
    for draft in asked {
        match draft {
            Draft::Proposed { .. } => proposed += 1,
            Draft::Doubted { .. } | Draft::Refused { .. } | Draft::Silent { .. } => nothing += 1,
            Draft::Failed { .. } | Draft::NotAsked { .. } => failed += 1,
            Draft::Empty { .. } => {}
        }
    }
    match (proposed, nothing, failed) {
        (0, 0, 0) => "no model was asked, and the other seats know this one way".to_owned(),
        (_, 0, 0) => "whoever was asked proposed this very fix".to_owned(),
        (_, nothing, 0) => format!("nobody else proposed a fix: {nothing} would change nothing here"),
        (_, 0, failed) => format!("nobody else proposed a fix: {failed} failed"),
        (_, nothing, failed) => {
            format!("nobody else proposed a fix: {nothing} would change nothing here, {failed} failed")
        }
    }
}

/// Why no edge case is named for the recommended fix; `None` where there is one, or nothing is recommended.
pub fn no_edge_case(resolution: &Resolution) -> Option<String> {
    let candidate = &resolution.recommended()?.judged.candidate;
    let by_others = resolution.synthesis.as_ref().is_some_and(|made| !made.edge_cases.is_empty());
    if by_others || !candidate.edge_cases.is_empty() {
        return None;
    }
    let why = match candidate.class {
        FixClass::SafeAuto => "it keeps behaviour for every input that is no attack",
        FixClass::Review => "neither its author nor a check names one",
    };
    Some(why.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::properties::{panel, severity};
    use super::super::tests::{judged, model, recipe, result, seat};
    use super::*;
    use crate::evidence::Check;
    use crate::finding::Severity;
    use crate::id::RunId;
    use crate::record::Record;
    use crate::resolution::tests::finding;
    use crate::resolution::{Conclusion, Work, conclude};
    use crate::tier::Role;

    proptest! {
        #[test]
        fn a_result_has_alternatives_and_edge_cases_or_says_why_not(work in panel(), severity in severity()) {
            let found = conclude(&finding(severity), RunId::new("r"), work, &Record::default());
            let said = |why: Option<String>| why.is_some_and(|why| !why.is_empty());
            match &found.conclusion {
                Conclusion::Recommended { candidate, .. } => {
                    let best = found.verdict(candidate).expect("it is there");
                    prop_assert!(found.shown().count() > 1 || said(no_alternative(&found)));
                    prop_assert!(!best.judged.candidate.edge_cases.is_empty() || said(no_edge_case(&found)));
                }
                Conclusion::Disagreement { reason, .. } => {
                    prop_assert!(found.shown().count() > 1 && !reason.is_empty());
                }
                Conclusion::NoSafeFix { reason, next } | Conclusion::SuspectedFalsePositive { reason, next } => {
                    prop_assert!(!reason.is_empty() && !next.is_empty());
                }
            }
        }
    }

    #[test]
    fn why_a_fix_stands_alone_is_said_in_words() {
        let best = judged(recipe(), "fix", &[Check::Rescan, Check::Tests]);
        let mut wrong = judged(model("a", "a"), "wrong", &[Check::Rescan]);
        wrong.evidence[0].outcome = crate::evidence::CheckOutcome::Fail;
        let mut same = judged(model("b", "b"), "fix too", &[Check::Rescan]);
        same.shape.clone_from(&best.shape);
        let of = |judged| no_alternative(&result(Severity::High, judged)).unwrap_or_default();
        assert_eq!(of(vec![best.clone()]), "no model was asked, and the other seats know this one way");
        assert_eq!(of(vec![best.clone(), same.clone()]), "one other fix was proposed, and came to the same");
        assert_eq!(
            of(vec![best.clone(), same, wrong]),
            "2 other fixes were proposed: 1 came to the same, 1 did not hold"
        );
        let doubt = Draft::Doubted { reason: "no weakness".to_owned() };
        let failed = Draft::Failed { why: "down".to_owned() };
        let seats = [doubt, failed].map(|draft| crate::candidate::Seat { role: Some(Role::Logic), ..seat("m", draft) });
        let work = Work { judged: vec![best.clone()], seats: seats.to_vec(), ..Work::default() };
        let found = conclude(&finding(Severity::High), RunId::new("r"), work, &Record::default());
        assert_eq!(
            no_alternative(&found).as_deref(),
            Some("nobody else proposed a fix: 1 would change nothing here, 1 failed")
        );
        let other = judged(model("a", "a"), "another way", &[Check::Rescan]);
        assert_eq!(no_alternative(&result(Severity::High, vec![best.clone(), other])), None);

        assert_eq!(
            no_edge_case(&result(Severity::High, vec![best.clone()])).as_deref(),
            Some("neither its author nor a check names one")
        );
        let mut careful = best;
        careful.candidate.edge_cases = vec!["an empty list".to_owned()];
        assert_eq!(no_edge_case(&result(Severity::High, vec![careful])), None);
    }
}
