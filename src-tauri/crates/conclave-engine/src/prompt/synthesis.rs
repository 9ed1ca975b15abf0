//! What a model is shown that thinks a run over: the weakness, every fix with its authors and what the checks saw, and
//! what tools said before.
//!
//! Unlike a judge it has to know who wrote what, for it says whom each point comes from. Invariant: all of that stands
//! between fences, analysts' words and results of tools included.

use conclave_core::brief::Brief;
use conclave_core::candidate::Draft;
use conclave_core::digest::Digest;
use conclave_core::evidence::CheckOutcome;
use conclave_core::resolution::{Conclusion, Resolution, Verdict};
use conclave_inference::ModelRequest;

use super::{BYTES_A_TOKEN, USUAL_ROOM, filled, visible};

const SYNTHESIS: &str = include_str!("../../prompt/synthesis.md");
pub(super) const SYNTHESIS_SCHEMA: &str = include_str!("../../prompt/synthesis.schema.json");
/// Room for an answer, in tokens; a model that thinks first needs most of it for that.
const MAX_TOKENS: u32 = 8192;

/// One fix as it is shown.
pub(crate) struct Shown<'a> {
    /// The letter by which the answer names it.
    pub letter: char,
    /// What became of it.
    pub verdict: &'a Verdict,
    /// What it changes, as text.
    pub change: String,
}

/// What a tool said before the model was asked.
#[derive(Clone)]
pub(crate) struct Told {
    /// Which tool, and what it was asked.
    pub label: String,
    /// The name of what is remembered, by which it is cited.
    pub name: Option<String>,
    /// Its answer.
    pub text: String,
}

/// Asks to think over `concluded`, of whose fixes those that go first are `fixes`.
///
/// `None` where not even one fix fits in what the model reads; what does not fit beside is left out, the last fixes first.
pub(crate) fn synthesis_request(
    brief: &Brief,
    concluded: &Resolution,
    fixes: &[Shown<'_>],
    told: &[Told],
    context_tokens: Option<u32>,
) -> Option<ModelRequest> {
    let room = context_tokens.map_or(USUAL_ROOM, |tokens| {
        let tokens = tokens.saturating_sub(MAX_TOKENS);
        (tokens as usize * BYTES_A_TOKEN).saturating_sub(SYNTHESIS.len() + 512)
    });
    let whole = (fixes.len().min(1)..=fixes.len()).rev().map(|count| data(brief, concluded, &fixes[..count], told));
    let mut data = whole.into_iter().find(|data| data.len() <= room)?;
    for part in &brief.parts {
        let piece = format!("\n[[{}]]\n{}", visible(&part.label()), lines(&part.text));
        if data.len() + piece.len() <= room {
            data.push_str(&piece);
        }
    }
    let fence = format!("----- data {} -----", Digest::of(data.as_bytes()).short());
    Some(ModelRequest {
        system: filled(SYNTHESIS, &[("{fence}", fence.as_str())]),
        user: format!("{fence}\n{data}\n{fence}\n"),
        max_tokens: MAX_TOKENS,
        // INVARIANT: the schema is part of the program and a test parses it.
        schema: serde_json::from_str(SYNTHESIS_SCHEMA).ok(),
        schema_name: "synthesis".to_owned(),
        sample: 0,
    })
}

fn data(brief: &Brief, concluded: &Resolution, fixes: &[Shown<'_>], told: &[Told]) -> String {
    let detection = &brief.finding.detection;
    let cwe = detection.rule.cwe.iter().map(|n| format!("CWE-{n}")).collect::<Vec<_>>().join(", ");
    let [rule, message] = [&detection.rule.id, &detection.message].map(|text| visible(text));
    let mut data = format!("[[what the scanner reports]]\nrule: {rule}\nweakness: {cwe}\nmessage: {message}");
    if let Some(file) = &brief.file {
        let (path, excerpt) = (visible(file.path.as_str()), lines(&file.excerpt));
        data.push_str(&format!("\n[[the reported code (`{path}` from line {})]]\n{excerpt}", file.first_line));
    }
    for fix in fixes {
        data.push_str(&one(concluded, fix));
    }
    let silent = silent(concluded);
    if !silent.is_empty() {
        data.push_str(&format!("\n[[analysts without a fix]]\n{silent}"));
    }
    let ended = match &concluded.conclusion {
        Conclusion::Recommended { candidate, .. } => {
            let fix = fixes.iter().find(|fix| fix.verdict.judged.candidate.id == *candidate);
            fix.map_or_else(String::new, |fix| format!("fix {} is recommended", fix.letter))
        }
        Conclusion::Disagreement { reason, .. }
        | Conclusion::SuspectedFalsePositive { reason, .. }
        | Conclusion::NoSafeFix { reason, .. } => format!("none is recommended: {}", visible(reason)),
    };
    data.push_str(&format!("\n[[what follows from the checks so far]]\n{ended}"));
    for Told { label, text, .. } in told {
        data.push_str(&format!("\n[[result of a tool: {}]]\n{}", visible(label), lines(text)));
    }
    data
}

fn one(concluded: &Resolution, fix: &Shown<'_>) -> String {
    let Verdict { judged, stopped, .. } = fix.verdict;
    let candidate = &judged.candidate;
    let mut names: Vec<String> = Vec::new();
    for (seat, _) in concluded.proposals(&candidate.patch) {
        let name = visible(&seat.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut text = format!("\n[[fix {}, by {}]]\n", fix.letter, names.join(", "));
    for (what, words) in [("title", &candidate.title), ("its author says", &candidate.rationale)] {
        if !words.is_empty() {
            text.push_str(&format!("{what}: {}\n", visible(words)));
        }
    }
    for (what, all) in [("edge case", &candidate.edge_cases), ("side effect", &candidate.side_effects)] {
        all.iter().for_each(|words| text.push_str(&format!("{what}: {}\n", visible(words))));
    }
    for evidence in judged.evidence.iter().filter(|e| !e.check.is_gate() || e.outcome != CheckOutcome::Pass) {
        let outcome = match evidence.outcome {
            CheckOutcome::Pass => "passed",
            CheckOutcome::Fail => "failed",
            CheckOutcome::NotAvailable | CheckOutcome::NotRun => "did not run",
            CheckOutcome::Flaky => "differs from run to run",
            CheckOutcome::Error => "broke",
        };
        text.push_str(&format!("check {} {outcome}: {}\n", evidence.check.label(), visible(&evidence.summary)));
    }
    for smell in &judged.smells {
        text.push_str(&format!("suspicious: {}: {}\n", smell.kind.label(), visible(&smell.detail)));
    }
    if let Some(why) = stopped {
        text.push_str(&format!("it is not shown as a fix: {}\n", visible(why)));
    }
    text.push_str(&fix.change);
    text
}

/// Why each seat that proposes nothing does not.
fn silent(concluded: &Resolution) -> String {
    let mut text = String::new();
    for seat in &concluded.seats {
        for draft in &seat.drafts {
            let (what, why) = match draft {
                Draft::Refused { reason } => ("will not touch it", reason),
                Draft::Doubted { reason } => ("would change nothing", reason),
                Draft::Silent { reason } => ("has nothing to say", reason),
                Draft::Failed { why } => ("gave no answer", why),
                Draft::NotAsked { why } => ("was not asked", why),
                Draft::Proposed { .. } | Draft::Empty { .. } => continue,
            };
            text.push_str(&format!("{} {what}: {}\n", visible(&seat.name), visible(why)));
        }
    }
    text
}

/// `text` line by line, every character that is not seen as an escape.
fn lines(text: &str) -> String {
    text.lines().map(|line| visible(&line.replace('\t', "    ")) + "\n").collect()
}
