//! What is made from other fixes: it is weighed like any other, and nothing about the others changes by it.

use proptest::prelude::*;

use super::properties::{one, panel, severity};
use super::tests::{finding, judged, model, result, shape};
use super::*;
use crate::candidate::Origin;
use crate::evidence::{Check, CheckOutcome, Evidence};
use crate::finding::Severity;
use crate::record::Record;
use crate::smell::SmellKind;

proptest! {
    #[test]
    fn a_made_fix_is_recommended_only_where_it_is_behind_no_parent(
        work in panel(), child in one(), body in 0..6u8, severity in severity(),
        parents in prop::collection::vec(any::<prop::sample::Index>(), 1..3),
    ) {
        let before = conclude(&finding(severity), RunId::new("r"), work.clone(), &Record::default());
        let parents: Vec<Judged> = parents.iter().map(|at| at.get(&work.judged).clone()).collect();
        let mut child = Judged { parents: parents.iter().map(|p| p.candidate.id.clone()).collect(), ..child };
        child.candidate.origin = Origin::Synthesis { by: "meta".to_owned(), local: false, family: "meta".to_owned() };
        child.candidate.id = CandidateId::new("made");
        child.shape = Some(shape(&format!("body {body}"), None));
        let more = Work { judged: work.judged.iter().cloned().chain([child.clone()]).collect(), ..work };
        let after = conclude(&finding(severity), RunId::new("r"), more, &Record::default());

        for verdict in &before.verdicts {
            let same = after.verdict(&verdict.judged.candidate.id).expect("it is there");
            prop_assert_eq!(&verdict.confidence, &same.confidence);
        }
        // Which of the others come to the same stays as it was.
        let together = |resolution: &Resolution| {
            let ids: Vec<_> = before.verdicts.iter().map(|v| &v.judged.candidate.id).collect();
            let of = |id| resolution.verdict(id).map(|verdict| verdict.cluster);
            ids.iter().flat_map(|a| ids.iter().map(move |b| of(a) == of(b))).collect::<Vec<_>>()
        };
        prop_assert_eq!(together(&before), together(&after));

        let own = after.verdict(&child.candidate.id).expect("it is there");
        prop_assert!(!own.confidence.terms.iter().any(|term| term.label.contains("agree")));
        if own.stopped.is_none() {
            for parent in &parents {
                prop_assert_eq!(behind(&child.evidence, &parent.evidence), None);
            }
        }
        if after.recommended().is_none_or(|best| best.judged.candidate.id != child.candidate.id) {
            let chosen = |r: &Resolution| r.recommended().map(|best| best.judged.candidate.id.clone());
            if chosen(&before).is_some() && own.stopped.is_some() {
                prop_assert_eq!(chosen(&before), chosen(&after));
            }
        }
    }
}

#[test]
fn a_made_fix_stands_for_nobody_and_is_no_rival_of_its_parents() {
    let parent = judged(model("a", "a"), "a long way to fix it", &[Check::Rescan, Check::Tests]);
    let mut child = judged(model("meta", "meta"), "short", &[Check::Rescan, Check::Tests]);
    child.parents = vec![parent.candidate.id.clone()];
    child.shape.clone_from(&parent.shape);
    let alike = result(Severity::High, vec![parent.clone(), child.clone()]);
    assert_eq!(alike.recommended().map(|v| &v.judged.candidate.id), Some(&parent.candidate.id));

    // As good as its parent, of a critical finding: that are not two opinions of which a person has to pick one.
    child.shape = Some(shape("another", None));
    let near = result(Severity::Critical, vec![parent, child]);
    assert!(matches!(near.conclusion, Conclusion::Recommended { .. }), "{:?}", near.conclusion);
}

#[test]
fn a_persons_version_is_always_shown_has_no_votes_and_is_stopped_only_by_a_check() {
    let parent = judged(model("a", "a"), "a long way to fix it", &[Check::Rescan, Check::Tests, Check::Build]);
    let mut edited = judged(Origin::Person { recipe: None }, "its own way", &[Check::Rescan]);
    edited.parents = vec![parent.candidate.id.clone()];
    edited.shape.clone_from(&parent.shape);
    let others = ["b", "c", "d", "e", "f"].map(|name| {
        let mut other = judged(model(name, name), name, &[Check::Rescan, Check::Tests]);
        other.shape = Some(shape(name, None));
        other
    });
    let all: Vec<Judged> = [parent.clone(), edited.clone()].into_iter().chain(others).collect();
    let after = result(Severity::High, all);
    let own = after.verdict(&edited.candidate.id).expect("it is there");
    assert_eq!(own.stopped, None, "behind its parent, alike, and the last of many: it is shown");
    assert!(!own.confidence.terms.iter().any(|term| term.label.contains("agree")), "{:?}", own.confidence.terms);
    assert_eq!(after.recommended().map(|v| &v.judged.candidate.id), Some(&parent.candidate.id));
    let parent = after.verdict(&parent.candidate.id).expect("it is there");
    assert_ne!(own.cluster, parent.cluster, "it speaks for itself alone");

    // What a check speaks against is stopped, whoever wrote it.
    for (check, outcome) in [(Check::Paths, CheckOutcome::Fail), (Check::Rescan, CheckOutcome::Fail)] {
        let mut wrong = edited.clone();
        wrong.evidence.retain(|seen| seen.check != check);
        wrong.evidence.push(Evidence::new(check, outcome, "it speaks against it"));
        let after = result(Severity::High, vec![parent.judged.clone(), wrong.clone()]);
        let own = after.verdict(&wrong.candidate.id).expect("it is there");
        assert_eq!(own.stopped.as_deref(), Some("it speaks against it"), "{check:?}");
    }
}

#[test]
fn a_persons_version_is_recommended_only_where_it_could_be_if_somebody_else_had_made_it() {
    let ladder = [Check::Rescan, Check::Tests, Check::Build];
    let mut parent = judged(model("a", "a"), "a long way to fix it", &ladder);
    let version = |looks: &[Check]| {
        let mut edited = judged(Origin::Person { recipe: None }, "its own way", looks);
        edited.parents = vec![parent.candidate.id.clone()];
        edited
    };
    let (as_good, behind, mut unlikely) = (version(&ladder), version(&ladder[..2]), version(&ladder[..1]));
    unlikely.smells = [SmellKind::HiddenSink, SmellKind::FeatureRemoved, SmellKind::WeakenedCheck, SmellKind::HomeMade]
        .map(|kind| Smell { kind, detail: "here".to_owned() })
        .to_vec();
    parent.evidence.push(Evidence::new(Check::RedGreen, CheckOutcome::Fail, "it is still there"));
    // Its parent is stopped, and all the same the least that it may be measured by.
    for (edited, why) in [(&as_good, None), (&behind, Some("behind a fix")), (&unlikely, Some("too little speaks"))] {
        let measured =
            if why == Some("too little speaks") { vec![edited.clone()] } else { vec![parent.clone(), edited.clone()] };
        let after = result(Severity::High, measured);
        let first = &after.verdicts[0];
        assert_eq!((&first.judged.candidate.id, &first.stopped), (&edited.candidate.id, &None), "it is shown");
        match (&after.conclusion, why) {
            (Conclusion::Recommended { candidate, .. }, None) => assert_eq!(*candidate, edited.candidate.id),
            (Conclusion::NoSafeFix { reason, .. }, Some(why)) => assert!(reason.contains(why), "{reason}"),
            other => panic!("{other:?}"),
        }
    }

    // One that others cannot be recommended before stands behind them.
    let other = judged(model("b", "b"), "another, and a much longer, way to fix it", &[Check::Rescan]);
    let after = result(Severity::High, vec![behind.clone(), parent, other.clone()]);
    assert_eq!(after.recommended().map(|v| &v.judged.candidate.id), Some(&other.candidate.id));
    assert_eq!(after.verdict(&behind.candidate.id).map(|v| &v.stopped), Some(&None));
}
