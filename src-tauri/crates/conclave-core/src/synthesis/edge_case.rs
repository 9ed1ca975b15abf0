//! Inputs and situations that want care, each once, with everybody who named it.

use std::collections::BTreeSet;

use super::{EdgeCase, Source};
use crate::evidence::{Check, CheckOutcome, Evidence};
use crate::resolution::Resolution;

/// At most so many are kept.
const MOST: usize = 12;
/// Sentences that share this part of their words say the same.
const ALIKE: f64 = 0.7;

/// Those that seats and checks named, of the first fix first.
pub(super) fn of(concluded: &Resolution) -> Vec<EdgeCase> {
    let mut all = Vec::new();
    for verdict in &concluded.verdicts {
        let mut nobody = true;
        for (seat, candidate) in concluded.proposals(&verdict.judged.candidate.patch) {
            nobody = false;
            let source = Source::Seat { name: seat.name.clone() };
            all.extend(candidate.edge_cases.iter().map(|text| case(text, source.clone())));
        }
        // What nobody proposed was made of other fixes.
        if nobody {
            all.extend(verdict.judged.candidate.edge_cases.iter().map(|text| case(text, Source::Synthesiser)));
        }
        let wants_care = |e: &&Evidence| {
            e.outcome == CheckOutcome::Flaky || (e.check == Check::Behaviour && e.outcome == CheckOutcome::Fail)
        };
        if verdict.stopped.is_none() {
            let seen = verdict.judged.evidence.iter().filter(wants_care);
            all.extend(seen.map(|e| case(&e.summary, Source::Check { name: e.check.label().to_owned() })));
        }
    }
    all
}

fn case(text: &str, source: Source) -> EdgeCase {
    EdgeCase { text: text.to_owned(), sources: vec![source] }
}

/// `cases` without those that say the same as one before, which gets their sources.
pub(super) fn joined(cases: impl IntoIterator<Item = EdgeCase>) -> Vec<EdgeCase> {
    let mut all: Vec<(BTreeSet<String>, EdgeCase)> = Vec::new();
    for case in cases {
        let words = words(&case.text);
        if words.is_empty() {
            continue;
        }
        match all.iter_mut().find(|(known, _)| are_alike(known, &words)) {
            Some((_, known)) => {
                for source in case.sources {
                    if !known.sources.contains(&source) {
                        known.sources.push(source);
                    }
                }
            }
            None => all.push((words, case)),
        }
    }
    all.into_iter().take(MOST).map(|(_, case)| case).collect()
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn are_alike(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    one.intersection(other).count() as f64 >= ALIKE * one.union(other).count() as f64
}
