//! What a run of a finding ends with.

use serde::{Deserialize, Serialize};

use crate::candidate::{Candidate, Draft, FixClass, RECIPES, Seat};
use crate::confidence::{ABSTAIN_BELOW, Confidence, assess};
use crate::evidence::{Check, CheckOutcome, Evidence, gates_pass};
use crate::finding::Finding;
use crate::id::{CandidateId, FindingId, RunId};
use crate::smell::Smell;

/// A candidate with what was observed about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The candidate.
    pub candidate: Candidate,
    /// Labels of other seats that proposed the very same patch.
    pub also_by: Vec<String>,
    /// The observations, in ladder order.
    pub evidence: Vec<Evidence>,
    /// What is suspicious about it, sorted.
    #[serde(default)]
    pub smells: Vec<Smell>,
}

/// What becomes of one candidate, and how sure we are of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The candidate with its evidence.
    pub judged: Judged,
    /// From the evidence alone.
    pub confidence: Confidence,
    /// Why it is not shown as a fix; `None` for the recommended one and the alternatives.
    pub stopped: Option<String>,
}

/// How the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Conclusion {
    /// One fix is recommended; it is the first verdict.
    Recommended {
        /// Which.
        candidate: CandidateId,
        /// How much it wants to be read.
        class: FixClass,
    },
    /// Nothing can be recommended.
    NoSafeFix {
        /// Why, in words.
        reason: String,
        /// What would settle it.
        next: String,
    },
}

/// What the explanation says; each part one or more sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What is wrong.
    pub problem: String,
    /// What the recommended fix changes; empty without one.
    pub change: String,
    /// Why that is safe, from evidence; empty without a fix.
    pub why_safe: String,
    /// What was not checked, or is not covered.
    pub not_covered: Vec<String>,
    /// Links for reading on; shown, never fetched.
    pub references: Vec<String>,
}

/// The result of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// For which finding.
    pub finding: FindingId,
    /// By which run.
    pub run: RunId,
    /// How it ended.
    pub conclusion: Conclusion,
    /// All candidates: recommended first, then alternatives, then stopped ones.
    pub verdicts: Vec<Verdict>,
    /// All seats with their answers.
    pub seats: Vec<Seat>,
    /// In words.
    pub explanation: Explanation,
    /// Time until all seats had answered, in milliseconds.
    pub analysis_ms: u64,
    /// Time for all checks, in milliseconds.
    pub verification_ms: u64,
}

impl Resolution {
    /// The recommended verdict.
    pub fn recommended(&self) -> Option<&Verdict> {
        match &self.conclusion {
            Conclusion::Recommended { candidate, .. } => self.verdict(candidate),
            Conclusion::NoSafeFix { .. } => None,
        }
    }

    /// The verdict on `candidate`.
    pub fn verdict(&self, candidate: &CandidateId) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.judged.candidate.id == *candidate)
    }

    /// The fixes that are shown: the recommended one and its alternatives.
    pub fn shown(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| verdict.stopped.is_none())
    }
}

/// At most this many alternatives are shown beside the recommended fix.
pub const MAX_ALTERNATIVES: usize = 3;

/// Weighs `judged` and draws the conclusion; pure.
///
/// Order: no failed check before one, then confidence, then smaller change, then deterministic author, then id.
/// A candidate with a failed gate or a failed re-scan is never recommended, nor one that only gates have looked at.
pub fn conclude(
    finding: &Finding,
    run: RunId,
    judged: Vec<Judged>,
    seats: Vec<Seat>,
    times_ms: (u64, u64),
) -> Resolution {
    let mut verdicts: Vec<Verdict> = judged.into_iter().map(verdict).collect();
    verdicts.sort_by(|a, b| {
        let key = |v: &Verdict| {
            (v.stopped.is_some(), failed(&v.judged), size(&v.judged), !v.judged.candidate.origin.is_deterministic())
        };
        let ((stop_a, fail_a, size_a, model_a), (stop_b, fail_b, size_b, model_b)) = (key(a), key(b));
        (stop_a, fail_a)
            .cmp(&(stop_b, fail_b))
            .then(b.confidence.p.total_cmp(&a.confidence.p))
            .then((size_a, model_a, &a.judged.candidate.id).cmp(&(size_b, model_b, &b.judged.candidate.id)))
    });
    let mut shown = 0;
    for verdict in verdicts.iter_mut().filter(|v| v.stopped.is_none()) {
        shown += 1;
        if shown > 1 + MAX_ALTERNATIVES {
            verdict.stopped = Some("more alternatives than are shown".to_owned());
        }
    }
    let conclusion = match verdicts.first().filter(|v| v.stopped.is_none()) {
        Some(best) if looked_again(&best.judged) => {
            Conclusion::Recommended { candidate: best.judged.candidate.id.clone(), class: best.judged.candidate.class }
        }
        Some(best) => unchecked(best),
        None => nothing(&verdicts, &seats),
    };
    let explanation = explain(finding, &conclusion, &verdicts);
    let (analysis_ms, verification_ms) = times_ms;
    Resolution {
        finding: finding.id.clone(),
        run,
        conclusion,
        verdicts,
        seats,
        explanation,
        analysis_ms,
        verification_ms,
    }
}

fn verdict(judged: Judged) -> Verdict {
    let confidence = assess(&judged.candidate, &judged.evidence);
    let fails = |e: &&Evidence| e.outcome == CheckOutcome::Fail;
    let stopped =
        if let Some(gate) = judged.evidence.iter().find(|e| e.check.is_gate() && e.outcome != CheckOutcome::Pass) {
            Some(gate.summary.clone())
        } else if !gates_pass(&judged.evidence) {
            Some("a gate did not run".to_owned())
        } else if let Some(failed) = judged.evidence.iter().find(fails) {
            Some(failed.summary.clone())
        } else if confidence.p < ABSTAIN_BELOW {
            Some(format!("too little speaks for it ({:.2}, the least is {ABSTAIN_BELOW:.2})", confidence.p))
        } else {
            None
        };
    Verdict { judged, confidence, stopped }
}

fn failed(judged: &Judged) -> bool {
    judged.evidence.iter().any(|e| e.outcome == CheckOutcome::Fail)
}

fn size(judged: &Judged) -> usize {
    judged.candidate.patch.files.iter().flat_map(|f| &f.edits).map(|e| e.text.len() + (e.end - e.start)).sum()
}

/// Whether anything but a gate has passed: who wrote a fix is no reason to recommend it.
fn looked_again(judged: &Judged) -> bool {
    judged.evidence.iter().any(|e| !e.check.is_gate() && e.outcome == CheckOutcome::Pass)
}

/// A fix that nothing could check is shown, and left to the person.
fn unchecked(best: &Verdict) -> Conclusion {
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

fn nothing(verdicts: &[Verdict], seats: &[Seat]) -> Conclusion {
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
            _ => None,
        })
    };
    let reason = refused(true)
        .or_else(stopped)
        .or_else(failed)
        .or_else(|| refused(false))
        .unwrap_or_else(|| "no seat of the panel knows a fix for this rule".to_owned());
    let fills: Vec<&str> = drafts()
        .filter_map(|(_, draft)| if let Draft::Empty { fill } = draft { Some(fill.as_str()) } else { None })
        .collect();
    let next = fills
        .first()
        .map_or_else(|| "fix it by hand with the rule\u{2019}s help".to_owned(), |fill| (*fill).to_owned());
    Conclusion::NoSafeFix { reason, next }
}

/// Links on the weakness itself: the CWE pages, then the tool's page.
pub fn references(finding: &Finding) -> Vec<String> {
    let rule = &finding.detection.rule;
    let pages = rule.cwe.iter().map(|n| format!("https://cwe.mitre.org/data/definitions/{n}.html"));
    let own = rule.help_uri.clone().filter(|uri| uri.starts_with("https://") || uri.starts_with("http://"));
    pages.chain(own).collect()
}

fn explain(finding: &Finding, conclusion: &Conclusion, verdicts: &[Verdict]) -> Explanation {
    let detection = &finding.detection;
    let problem = match detection.rule.description.as_deref().filter(|text| *text != detection.message) {
        Some(description) => format!("{} {description}", sentence(&detection.message)),
        None => sentence(&detection.message),
    };
    let references = references(finding);
    let best = match conclusion {
        Conclusion::Recommended { .. } => verdicts.first(),
        Conclusion::NoSafeFix { .. } => None,
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
    let not_covered = Check::ALL
        .into_iter()
        .filter(|check| !check.is_gate() && *check != Check::OwnRule)
        .filter_map(|check| match best.judged.evidence.iter().find(|e| e.check == check) {
            Some(e) if e.outcome == CheckOutcome::Pass => None,
            Some(e) => Some(format!("{}: {}", check.label(), e.summary)),
            None => Some(format!("{}: not run", check.label())),
        })
        .collect();
    Explanation {
        problem,
        change: format!("{} {}", sentence(&candidate.title), candidate.rationale),
        why_safe,
        not_covered,
        references,
    }
}

/// `text` with a full stop, unless it ends in a mark already.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Origin;
    use crate::patch::Patch;

    fn seat(name: &str, draft: Draft) -> Seat {
        Seat { name: name.to_owned(), drafts: vec![draft], role: None, late: false }
    }

    fn stopped_verdict() -> Verdict {
        let origin =
            Origin::Model { model: "m".to_owned(), endpoint: "e".to_owned(), local: true, family: "m".to_owned() };
        let candidate = Candidate {
            id: CandidateId::new("c"),
            origin,
            patch: Patch::default(),
            class: FixClass::Review,
            title: String::new(),
            rationale: String::new(),
            edge_cases: Vec::new(),
            side_effects: Vec::new(),
            disproof: None,
            red_test: None,
            successors: Vec::new(),
        };
        let evidence = vec![Evidence::new(Check::Applies, CheckOutcome::Fail, "it does not apply")];
        verdict(Judged { candidate, also_by: Vec::new(), evidence, smells: Vec::new() })
    }

    #[test]
    fn the_reason_is_the_strongest_fact_and_an_opinion_comes_last() {
        let recipe = || seat(RECIPES, Draft::Refused { reason: "the command uses a pipe".to_owned() });
        let unusable = || seat(RECIPES, Draft::Failed { why: "`a.py` is gone".to_owned() });
        let broken = || seat("Local", Draft::Failed { why: "no connection".to_owned() });
        let opinion = || seat("Local", Draft::Refused { reason: "model\u{2019}s opinion: fine".to_owned() });
        let silent = || seat("Local", Draft::Silent { reason: "no rule".to_owned() });
        for (verdicts, seats, expect) in [
            (vec![], vec![silent()], "no seat of the panel knows a fix for this rule"),
            (vec![], vec![opinion()], "model\u{2019}s opinion: fine"),
            (vec![], vec![opinion(), broken()], "Local failed: no connection"),
            (vec![], vec![broken(), unusable()], "Local failed: no connection"),
            (vec![], vec![unusable(), broken()], "`a.py` is gone"),
            (vec![stopped_verdict()], vec![opinion(), broken()], "one fix was tried and stopped: it does not apply"),
            (
                vec![stopped_verdict(), stopped_verdict()],
                vec![opinion()],
                "2 fixes were tried, none was safe: it does not apply",
            ),
            (vec![stopped_verdict()], vec![opinion(), recipe()], "the command uses a pipe"),
        ] {
            let Conclusion::NoSafeFix { reason, .. } = nothing(&verdicts, &seats) else { panic!("{seats:?}") };
            assert_eq!(reason, expect, "{seats:?}");
        }
    }
}
