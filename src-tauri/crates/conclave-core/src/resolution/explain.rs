//! What a conclusion says in words.
//!
//! Deliberately absent: deciding. A sentence here follows from what was decided and seen, never the other way round.

use super::conclude::{failed as any_failed, size};
use super::{Conclusion, Explanation, Verdict};
use crate::candidate::{Draft, RECIPES, Seat};
use crate::evidence::{Check, CheckOutcome, gates_pass, outcome_of};
use crate::finding::Finding;

/// So many models must want to change nothing, and none propose anything, before a finding is suspected.
const DOUBTS: usize = 2;
/// What a person has to know before a finding is dismissed.
const GATES: &str = "a person decides: can the code be reached, can the input be chosen by somebody else, what harm would \
                     follow, does a proof run, do limits hold, is the environment as the report supposes";

/// A fix that nothing could check is shown, and left to the person.
pub(super) fn unchecked(best: &Verdict) -> Conclusion {
    let why = best
        .judged
        .evidence
        .iter()
        .find(|e| e.check == Check::Rescan)
        .map_or("no scanner looked again", |e| &e.summary);
    Conclusion::NoSafeFix {
        reason: format!("{} could not be checked here: {why}", best.judged.candidate.origin.label()),
        next: "read the fix, and apply it by its id if it is right".to_owned(),
    }
}

/// What is concluded where nothing but a person's own version is left, of which `why` is said.
pub(super) fn only_shown(best: &Verdict, why: &str) -> Conclusion {
    Conclusion::NoSafeFix {
        reason: format!("{} cannot be recommended: {why}", best.judged.candidate.origin.label()),
        next: "read the fix, and apply it by its id if it is right".to_owned(),
    }
}

pub(super) fn nothing(verdicts: &[Verdict], seats: &[Seat]) -> Conclusion {
    let drafts = || seats.iter().flat_map(|seat| seat.drafts.iter().map(move |draft| (seat.name.as_str(), draft)));
    // A recipe's refusal is a fact about the code, a failure is one about the run; a model's refusal is an opinion.
    let refused = |by_recipe: bool| {
        drafts().find_map(|(name, draft)| match draft {
            Draft::Refused { reason } if (name == RECIPES) == by_recipe => Some(reason.clone()),
            _ => None,
        })
    };
    let stopped = || {
        let why = verdicts.first()?.stopped.as_deref().unwrap_or("no evidence");
        Some(match verdicts.len() {
            1 => format!("one fix was tried and stopped: {why}"),
            tried => format!("{tried} fixes were tried, none was safe: {why}"),
        })
    };
    let failed = || {
        drafts().find_map(|(name, draft)| match draft {
            Draft::Failed { why } if name == RECIPES => Some(why.clone()),
            Draft::Failed { why } => Some(format!("{name} failed: {why}")),
            Draft::NotAsked { why } => Some(format!("{name} was not asked: {why}")),
            _ => None,
        })
    };
    let doubts = doubts(seats);
    let proposed = drafts().any(|(_, draft)| matches!(draft, Draft::Proposed { .. }));
    if doubts.len() >= DOUBTS && !proposed && refused(true).is_none() {
        return Conclusion::SuspectedFalsePositive {
            reason: format!("{} models would change nothing here: {}", doubts.len(), doubts[0]),
            next: GATES.to_owned(),
        };
    }
    let reason = refused(true)
        .or_else(stopped)
        .or_else(failed)
        .or_else(|| refused(false))
        .or_else(|| doubts.first().map(|reason| (*reason).to_owned()))
        .unwrap_or_else(|| "no seat of the panel knows a fix for this rule".to_owned());
    let fills: Vec<&str> = drafts()
        .filter_map(|(_, draft)| if let Draft::Empty { fill } = draft { Some(fill.as_str()) } else { None })
        .collect();
    // What would have lifted the best of them, where nothing speaks against it.
    let raise = || {
        let best = verdicts.iter().find(|v| gates_pass(&v.judged.evidence) && !any_failed(&v.judged))?;
        best.confidence.raise.clone()
    };
    let next = raise()
        .or_else(|| fills.first().map(|fill| (*fill).to_owned()))
        .unwrap_or_else(|| "fix it by hand with the rule\u{2019}s help".to_owned());
    Conclusion::NoSafeFix { reason, next }
}

/// Links on the weakness itself: the CWE pages, then the tool's page.
pub fn references(finding: &Finding) -> Vec<String> {
    let rule = &finding.detection.rule;
    let pages = rule.cwe.iter().map(|n| format!("https://cwe.mitre.org/data/definitions/{n}.html"));
    let own = rule.help_uri.clone().filter(|uri| uri.starts_with("https://") || uri.starts_with("http://"));
    pages.chain(own).collect()
}

pub(super) fn explain(finding: &Finding, conclusion: &Conclusion, verdicts: &[Verdict], seats: &[Seat]) -> Explanation {
    let detection = &finding.detection;
    let problem = match detection.rule.description.as_deref().filter(|text| *text != detection.message) {
        Some(description) => format!("{} {description}", sentence(&detection.message)),
        None => sentence(&detection.message),
    };
    let references = references(finding);
    let best = match conclusion {
        Conclusion::Recommended { .. } => verdicts.first(),
        Conclusion::Disagreement { .. } | Conclusion::SuspectedFalsePositive { .. } | Conclusion::NoSafeFix { .. } => {
            None
        }
    };
    let Some(best) = best else {
        return Explanation {
            problem,
            change: String::new(),
            why_safe: String::new(),
            not_covered: Vec::new(),
            references,
        };
    };
    let candidate = &best.judged.candidate;
    let passed: Vec<String> = best
        .judged
        .evidence
        .iter()
        .filter(|e| e.outcome == CheckOutcome::Pass && !e.check.is_gate())
        .map(|e| format!("{}: {}", e.check.label(), e.summary))
        .collect();
    let why_safe = match passed.is_empty() {
        true => "It applies and parses; nothing more was checked.".to_owned(),
        false => format!("{}.", passed.join(". ")),
    };
    let mut not_covered: Vec<String> = Check::ALL
        .into_iter()
        .filter(|check| !check.is_gate() && *check != Check::OwnRule)
        .filter_map(|check| match best.judged.evidence.iter().find(|e| e.check == check) {
            Some(e) if e.outcome == CheckOutcome::Pass => None,
            Some(e) => Some(format!("{}: {}", check.label(), e.summary)),
            None => Some(format!("{}: not run", check.label())),
        })
        .collect();
    match doubts(seats).len() {
        0 => {}
        1 => not_covered.push("One model would change nothing here".to_owned()),
        n => not_covered.push(format!("{n} models would change nothing here")),
    }
    Explanation {
        problem,
        change: format!("{} {}", sentence(&candidate.title), candidate.rationale),
        why_safe,
        not_covered,
        references,
    }
}

/// `text` with a full stop, unless it ends in a mark already.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) { text.to_owned() } else { format!("{text}.") }
}

/// Why each model that would change nothing says so.
fn doubts(seats: &[Seat]) -> Vec<&str> {
    let drafts = seats.iter().flat_map(|seat| &seat.drafts);
    drafts
        .filter_map(|draft| if let Draft::Doubted { reason } = draft { Some(reason.as_str()) } else { None })
        .collect()
}

/// How `other` differs from the first fix, in one sentence.
pub(super) fn trade_off(other: &Verdict, best: &Verdict) -> String {
    let mut parts = Vec::new();
    let means = |verdict: &Verdict| verdict.judged.shape.as_ref().and_then(|shape| shape.mitigation);
    if let (Some(own), Some(first)) = (means(other), means(best))
        && own != first
    {
        parts.push(format!("{}, where the first {}", own.label(), first.label()));
    }
    let labels = |ahead: &Verdict, behind: &Verdict| -> Vec<&str> {
        let passed = |verdict: &Verdict, check| outcome_of(&verdict.judged.evidence, check) == CheckOutcome::Pass;
        let only = |check: &Check| passed(ahead, *check) && !passed(behind, *check);
        Check::ALL.into_iter().filter(only).map(Check::label).collect()
    };
    match labels(best, other).as_slice() {
        [] => {}
        fewer => parts.push(format!("without {}", fewer.join(", "))),
    }
    match labels(other, best).as_slice() {
        [] => {}
        more => parts.push(format!("passed {} beside", more.join(", "))),
    }
    let (own, first) = (size(&other.judged), size(&best.judged));
    if own * 2 < first {
        parts.push("a much smaller change".to_owned());
    } else if own > first * 2 {
        parts.push("a much larger change".to_owned());
    }
    let known: Vec<_> = best.judged.smells.iter().map(|smell| smell.kind).collect();
    let mut smells: Vec<_> =
        other.judged.smells.iter().map(|smell| smell.kind).filter(|k| !known.contains(k)).collect();
    smells.dedup();
    parts.extend(smells.into_iter().map(|kind| lower_first(kind.label())));
    if parts.is_empty() {
        parts.push("another way to the same end, with the same evidence".to_owned());
    }
    sentence(&upper_first(&parts.join("; ")))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
