//! Chooses by count alone, as a baseline that evidence is compared with.
//!
//! Invariants: a vote is one answer of a model, whatever evidence says of it; what fails a gate is no answer; nothing here
//! changes a confidence.

use super::conclude::votes;
use super::{Judged, Verdict};
use crate::candidate::{Candidate, Draft, Origin, Seat};
use crate::evidence::gates_pass;

/// So many of all answers came to one fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub of: usize,
    pub all: usize,
}

/// Puts the fix that most answers of models came to first and lets it be shown, whatever stopped it; of fixes with as
/// many, the one that evidence prefers. Gives the count; `None` where no model has an answer.
pub(super) fn first(verdicts: &mut Vec<Verdict>, seats: &[Seat]) -> Option<Count> {
    let by_model = |candidate: &Candidate| matches!(candidate.origin, Origin::Model { .. });
    let may_win = |verdict: &Verdict| by_model(&verdict.judged.candidate) && gates_pass(&verdict.judged.evidence);
    let count = |cluster: u32| {
        let members: Vec<&Judged> =
            verdicts.iter().filter(|v| v.cluster == cluster && may_win(v)).map(|v| &v.judged).collect();
        votes(seats, &members).len()
    };
    let counts: Vec<usize> = verdicts.iter().map(|v| if may_win(v) { count(v.cluster) } else { 0 }).collect();
    let of = counts.iter().copied().max().filter(|most| *most > 0)?;
    let place = counts.iter().position(|votes| *votes == of)?;
    let mut winner = verdicts.remove(place);
    winner.stopped = None;
    verdicts.insert(0, winner);
    let answered = |seat: &&Seat| {
        let answers = |draft: &Draft| matches!(draft, Draft::Proposed { candidate } if by_model(candidate));
        seat.drafts.iter().any(answers)
    };
    Some(Count { of, all: seats.iter().filter(answered).count() })
}

/// How it was chosen, in words.
pub(super) fn words(Count { of, all }: Count) -> String {
    format!("It was chosen by votes: {of} of {all} answers came to it. Evidence did not choose it.")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{candidate, finding, judged, model, seat};
    use super::super::{Conclusion, Resolution, Selection, Work, conclude};
    use super::*;
    use crate::evidence::{Check, CheckOutcome, Evidence};
    use crate::finding::Severity;
    use crate::id::RunId;
    use crate::record::Record;

    /// The end where each of `answers` is a model's, with the checks above the gates that its fix passes or fails.
    fn end(answers: &[(&str, &str)], checks: &[(&str, Check, CheckOutcome)], selection: Selection) -> Resolution {
        let mut work = Work { selection, ..Work::default() };
        for (name, text) in answers {
            let proposal = candidate(model(name, name), text);
            work.seats.push(seat(name, Draft::Proposed { candidate: Box::new(proposal.clone()) }));
            if work.judged.iter().any(|one| one.candidate.patch == proposal.patch) {
                continue;
            }
            let mut one = judged(model(name, name), text, &[]);
            let own = checks.iter().filter(|(of, ..)| of == text);
            for (_, check, outcome) in own {
                one.evidence.retain(|evidence| evidence.check != *check);
                one.evidence.push(Evidence::new(*check, *outcome, "seen"));
            }
            work.judged.push(one);
        }
        conclude(&finding(Severity::High), RunId::new("r"), work, &Record::default())
    }

    const FEW_ARE_RIGHT: [(&str, &str); 3] = [("a", "wrong"), ("b", "wrong"), ("c", "right")];
    const CHECKS: [(&str, Check, CheckOutcome); 3] = [
        ("wrong", Check::Rescan, CheckOutcome::Fail),
        ("right", Check::Rescan, CheckOutcome::Pass),
        ("right", Check::Tests, CheckOutcome::Pass),
    ];

    fn text(resolution: &Resolution) -> &str {
        &resolution.recommended().expect("a fix").judged.candidate.patch.files[0].edits[0].text
    }

    #[test]
    fn the_most_frequent_fix_wins_by_count_alone_and_is_labelled() {
        let by_evidence = end(&FEW_ARE_RIGHT, &CHECKS, Selection::Evidence);
        let by_votes = end(&FEW_ARE_RIGHT, &CHECKS, Selection::Votes);
        assert_eq!((text(&by_evidence), text(&by_votes)), ("right", "wrong"));
        assert_eq!((by_evidence.selection, by_votes.selection), (Selection::Evidence, Selection::Votes));
        let said = "It was chosen by votes: 2 of 3 answers came to it. Evidence did not choose it.";
        assert!(by_votes.explanation.not_covered.contains(&said.to_owned()), "{:?}", by_votes.explanation);

        // Its confidence is that which evidence gives it.
        let of = |resolution: &Resolution, text: &str| {
            let found = resolution.verdicts.iter().find(|v| v.judged.candidate.patch.files[0].edits[0].text == text);
            found.expect("it was weighed").confidence.clone()
        };
        assert_eq!(of(&by_votes, "wrong"), of(&by_evidence, "wrong"));
        assert!(of(&by_votes, "wrong").p < of(&by_votes, "right").p);
    }

    #[test]
    fn what_fails_a_gate_has_no_vote_and_evidence_breaks_a_tie() {
        let gate = [("wrong", Check::Suppression, CheckOutcome::Fail), CHECKS[1]];
        let resolution = end(&FEW_ARE_RIGHT, &gate, Selection::Votes);
        assert_eq!(text(&resolution), "right");
        let tie = end(&[("a", "wrong"), ("c", "right")], &CHECKS, Selection::Votes);
        assert_eq!(text(&tie), "right");
        let none = end(&[], &[], Selection::Votes);
        assert!(matches!(none.conclusion, Conclusion::NoSafeFix { .. }) && none.explanation.not_covered.is_empty());
    }
}
