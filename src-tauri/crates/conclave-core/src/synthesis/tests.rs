//! What evidence alone makes of a run, and what is left of a model's words.

use super::*;
use crate::brief::{Brief, BriefFile};
use crate::candidate::{Draft, RECIPES};
use crate::cluster::Mitigation;
use crate::digest::Digest;
use crate::evidence::{Check, CheckOutcome, Evidence};
use crate::finding::{Region, Severity};
use crate::id::RunId;
use crate::language::Language;
use crate::path::RelPath;
use crate::record::Record;
use crate::resolution::tests::{finding, judged, model, recipe, seat, shape};
use crate::resolution::{Judged, Resolution, Work, conclude};

fn brief(severity: Severity) -> Brief {
    let mut finding = finding(severity);
    if let Some(location) = &mut finding.detection.location {
        location.region = Some(Region::line(5));
    }
    let file = BriefFile {
        path: RelPath::new("a.py").expect("a path"),
        digest: Digest::of(b""),
        language: Some(Language::Python),
        function: Some("f".to_owned()),
        first_line: 4,
        excerpt: "def f():\n    run(x)\n".to_owned(),
    };
    Brief { finding, reported: None, file: Some(file), unusable: None, parts: Vec::new(), guidance: None }
}

/// A fix of `by` with its seat.
fn fix(name: &str, mut one: Judged, title: &str, edge_cases: &[&str]) -> (crate::candidate::Seat, Judged) {
    one.candidate.title = title.to_owned();
    one.candidate.edge_cases = edge_cases.iter().map(|&text| text.to_owned()).collect();
    let draft = Draft::Proposed { candidate: Box::new(one.candidate.clone()) };
    (seat(name, draft), one)
}

fn concluded(
    brief: &Brief,
    fixes: Vec<(crate::candidate::Seat, Judged)>,
    others: Vec<crate::candidate::Seat>,
) -> Resolution {
    let (mut seats, mut all): (Vec<_>, Vec<Judged>) = fixes.into_iter().unzip();
    seats.extend(others);
    // Equal patches are checked once.
    let mut known = Vec::new();
    all.retain(|one| {
        let is_new = !known.contains(&one.candidate.patch);
        known.push(one.candidate.patch.clone());
        is_new
    });
    conclude(&brief.finding, RunId::new("r"), Work { seats, judged: all, ..Work::default() }, &Record::default())
}

fn two_ways(brief: &Brief) -> Resolution {
    let seen = [Check::Rescan, Check::Tests];
    let mut list = judged(recipe(), "list", &seen);
    list.shape = Some(shape("list", Some(Mitigation::Parameterise)));
    let same = judged(model("gpt-6", "gpt"), "list", &seen);
    let mut limit = judged(model("claude", "claude"), "limit it", &[Check::Rescan]);
    limit.shape = Some(shape("limit", Some(Mitigation::Bound)));
    let doubt = seat("qwen", Draft::Doubted { reason: "the value is a constant".to_owned() });
    concluded(
        brief,
        vec![
            fix(RECIPES, list, "Pass a list without a shell", &["A command that uses a pipe stops working."]),
            fix("GPT", same, "Pass a list", &["a command which uses a pipe stops working"]),
            fix("Claude", limit, "Limit the length", &["Long names are refused."]),
        ],
        vec![doubt],
    )
}

#[test]
fn evidence_alone_makes_a_whole_synthesis() {
    let brief = brief(Severity::High);
    let concluded = two_ways(&brief);
    let made = complete(Synthesis::default(), &brief, &concluded);
    assert_eq!(
        made.root_cause,
        "OS command injection (CWE-78) in `f`, line 5 of `a.py`. What somebody else can choose becomes part of a command, \
         a query or code, and can change what it means. What removes it: start the program with a list of arguments and \
         no shell; where a shell is needed, quote every value."
    );
    assert!(made.why_safe.contains("Re-scan: seen") && made.not_covered.iter().any(|text| text.contains("Build")));
    let texts: Vec<String> =
        made.thoughts.iter().map(|thought| format!("{}: {}", thought.number, thought.text)).collect();
    assert_eq!(texts[0], "1: Bandit B602 reports at line 5 of `a.py`: shell.");
    assert_eq!(
        texts[2],
        "3: Recipe r and GPT come to the same: \u{201c}Pass a list without a shell\u{201d}, which keeps values apart from \
         code. Claude proposes \u{201c}Limit the length\u{201d}, which sets a limit. These are 2 different ways."
    );
    assert!(
        texts[3].starts_with("4: The fix of Recipe r passed its checks. Re-scan: seen; Tests: seen."),
        "{texts:#?}"
    );
    assert_eq!(texts[4], "5: Set aside: qwen would change nothing: the value is a constant.");
    assert!(texts[5].contains("against the first: sets a limit, where the first keeps values apart"), "{texts:#?}");
    assert!(texts[6].contains("Recommended is the fix of Recipe r"), "{texts:#?}");
    assert!(made.thoughts.iter().all(|thought| thought.total == 7));
    assert_eq!(made.references[0].title, "CWE-78: OS command injection");
    assert_eq!(made.trade_offs.len(), 1);
    assert_eq!(made.by, Synthesiser::Evidence);
}

#[test]
fn every_point_names_whom_it_comes_from() {
    let brief = brief(Severity::High);
    let made = complete(Synthesis::default(), &brief, &two_ways(&brief));
    let seat = |name: &str| Source::Seat { name: name.to_owned() };
    let check = |check: Check| Source::Check { name: check.label().to_owned() };
    assert_eq!(made.thoughts[2].sources, [seat(RECIPES), seat("GPT"), seat("Claude")]);
    assert_eq!(made.thoughts[3].sources, [check(Check::Rescan), check(Check::Tests)]);
    assert_eq!(made.thoughts[4].sources, [seat("qwen")]);
    // Two said the same in other words.
    let cases: Vec<_> = made.edge_cases.iter().map(|case| (case.text.as_str(), case.sources.clone())).collect();
    assert_eq!(
        cases,
        [
            ("A command that uses a pipe stops working.", vec![seat(RECIPES), seat("GPT")]),
            ("Long names are refused.", vec![seat("Claude")]),
        ]
    );
}

#[test]
fn a_check_that_speaks_against_the_most_is_a_revision() {
    let brief = brief(Severity::High);
    let mut wrong = judged(model("a-1", "a"), "quote", &[Check::Rescan]);
    wrong.evidence.push(Evidence::new(Check::Tests, CheckOutcome::Fail, "2 tests fail"));
    let again = judged(model("b-1", "b"), "quote", &[Check::Rescan]);
    let right = judged(recipe(), "list", &[Check::Rescan, Check::Tests]);
    let fixes = vec![
        fix("A", wrong, "Quote the value", &[]),
        fix("B", again, "Quote it", &[]),
        fix(RECIPES, right, "Pass a list", &[]),
    ];
    let concluded = concluded(&brief, fixes, Vec::new());
    assert!(concluded.recommended().is_some_and(|best| best.judged.candidate.title == "Pass a list"));
    let made = complete(Synthesis::default(), &brief, &concluded);
    let revision = made.thoughts.iter().find(|thought| thought.revises.is_some()).expect("a revision");
    let taken_back = &made.thoughts[revision.revises.expect("a step") as usize - 1];
    assert!(taken_back.text.starts_with("2 of 3 seats with a fix come to the same"), "{taken_back:?}");
    assert!(revision.text.contains("Tests speaks against it: 2 tests fail."), "{revision:?}");
    assert_eq!(revision.sources, [Source::Check { name: "Tests".to_owned() }]);
    assert_eq!(revision.number, taken_back.number + 1);
}

#[test]
fn whatever_a_run_ends_with_the_chain_has_five_to_nine_steps() {
    let brief = brief(Severity::Critical);
    let silent = || seat(RECIPES, Draft::Silent { reason: "no recipe answers".to_owned() });
    let empty = concluded(&brief, Vec::new(), vec![silent()]);
    let all = [two_ways(&brief), empty];
    for concluded in all {
        let made = complete(Synthesis::default(), &brief, &concluded);
        assert!((5..=9).contains(&made.thoughts.len()), "{:#?}", made.thoughts);
        assert!(made.thoughts.iter().zip(1..).all(|(thought, number)| thought.number == number));
        assert!(made.thoughts.iter().all(|thought| !thought.text.is_empty()));
    }
}

#[test]
fn a_models_words_stand_beside_the_evidence_and_never_in_its_place() {
    let brief = brief(Severity::High);
    let concluded = two_ways(&brief);
    let ids: Vec<_> = concluded.verdicts.iter().map(|verdict| verdict.judged.candidate.id.clone()).collect();
    let said = |prefers: &CandidateId| Synthesis {
        by: Synthesiser::Model { name: "Meta".to_owned(), model: "m".to_owned() },
        root_cause: "A shell reads the name.".to_owned(),
        change: "It passes a list.".to_owned(),
        why_safe: "All tests pass, trust me.".to_owned(),
        not_covered: vec!["Other callers.".to_owned()],
        prefers: Some(prefers.clone()),
        pull_request: Some(PullRequest { title: "Fix it".to_owned(), body: String::new() }),
        ..Synthesis::default()
    };
    let of_first = complete(said(&ids[0]), &brief, &concluded);
    assert_eq!(of_first.root_cause, "A shell reads the name.");
    assert_eq!(of_first.change, "It passes a list.");
    assert!(of_first.why_safe.starts_with(&concluded.explanation.why_safe), "{}", of_first.why_safe);
    assert!(of_first.why_safe.ends_with("Meta adds, as its opinion: All tests pass, trust me."));
    assert!(of_first.not_covered.last().is_some_and(|text| text == "Other callers."));
    assert!(of_first.pull_request.is_some() && of_first.thoughts.len() == 7);

    // It writes of a fix that evidence does not recommend.
    let of_other = complete(said(&ids[1]), &brief, &concluded);
    assert_eq!(
        (&of_other.change, &of_other.why_safe),
        (&concluded.explanation.change, &concluded.explanation.why_safe)
    );
    assert_eq!((of_other.prefers.as_ref(), &of_other.pull_request), (Some(&ids[1]), &None));
    let of_none = complete(said(&CandidateId::new("no-1")), &brief, &concluded);
    assert_eq!(of_none.prefers, None);
}
