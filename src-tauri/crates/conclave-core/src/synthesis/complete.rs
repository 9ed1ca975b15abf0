//! Puts what evidence says in place of what a synthesis lacks.
//!
//! Invariant: pure, and after the conclusion: whatever a model said, it finds the conclusion drawn and cannot change it.
//! What a fix does and why it is safe is told in a model's words only where the model writes of the fix that evidence
//! recommends, and beside the evidence.

use super::{EdgeCase, Reference, Synthesis, Synthesiser, TradeOff, chain, edge_case};
use crate::brief::Brief;
use crate::finding::{Finding, Location};
use crate::resolution::{Resolution, sentence};
use crate::weakness::{Weakness, weakness};

/// At most so many things that are not covered are named.
const MOST_OPEN: usize = 12;

/// `said` with everything that is missing from it, for the result `concluded` of a run about `brief`.
///
/// Of nothing at all, [`Synthesis::default`], it makes the whole.
pub fn complete(said: Synthesis, brief: &Brief, concluded: &Resolution) -> Synthesis {
    let explanation = &concluded.explanation;
    let recommended = concluded.recommended().map(|verdict| &verdict.judged.candidate.id);
    let of_recommended = said.prefers.is_some() && said.prefers.as_ref() == recommended;
    let root_cause = if said.root_cause.is_empty() { root_cause(brief, concluded) } else { said.root_cause };
    let change = if of_recommended && !said.change.is_empty() { said.change } else { explanation.change.clone() };
    let why_safe = match &said.by {
        Synthesiser::Model { name, .. } if of_recommended && !said.why_safe.is_empty() => {
            format!("{} {name} adds, as its opinion: {}", explanation.why_safe, said.why_safe)
        }
        Synthesiser::Model { .. } | Synthesiser::Evidence => explanation.why_safe.clone(),
    };
    Synthesis {
        by: said.by,
        root_cause,
        change,
        why_safe,
        not_covered: not_covered(concluded, said.not_covered),
        prefers: said.prefers.filter(|id| concluded.verdict(id).is_some()),
        trade_offs: trade_offs(concluded, &said.trade_offs),
        thoughts: if said.thoughts.is_empty() { chain::thoughts(brief, concluded) } else { said.thoughts },
        edge_cases: edge_cases(concluded, said.edge_cases),
        references: references(&brief.finding, concluded, said.references),
        pull_request: said.pull_request.filter(|_| of_recommended),
        tools: said.tools,
        holes: said.holes,
        took_ms: said.took_ms,
    }
}

/// The first of the reported numbers that something is known of.
pub(super) fn known(finding: &Finding) -> Option<&'static Weakness> {
    finding.detection.rule.cwe.iter().find_map(|number| weakness(*number))
}

/// ``line 5 of `a.py` ``, or the file alone.
pub(super) fn place(location: &Location) -> String {
    match location.region {
        Some(region) => format!("line {} of `{}`", region.start_line, location.path),
        None => format!("`{}`", location.path),
    }
}

fn root_cause(brief: &Brief, concluded: &Resolution) -> String {
    let finding = &brief.finding;
    let Some(weakness) = known(finding) else { return concluded.explanation.problem.clone() };
    let mut text = format!("{} (CWE-{})", weakness.name, weakness.cwe);
    if let Some(function) = brief.file.as_ref().and_then(|file| file.function.as_ref()) {
        text.push_str(&format!(" in `{function}`"));
    }
    if let Some(location) = &finding.detection.location {
        text.push_str(&format!(", {}", place(location)));
    }
    text.push_str(". ");
    text.push_str(weakness.family.cause().unwrap_or(&concluded.explanation.problem));
    if let [source, .., sink] = finding.detection.flow.as_slice() {
        let (source, sink) = (place(&source.location), place(&sink.location));
        text.push_str(&format!(" The report follows the value from {source} to {sink}."));
    }
    format!("{text} What removes it: {}", lower_first(weakness.remedy))
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// What evidence leaves open comes first, then what is suspicious about the fix, then what a model adds.
fn not_covered(concluded: &Resolution, said: Vec<String>) -> Vec<String> {
    let smells = concluded.recommended().into_iter().flat_map(|verdict| &verdict.judged.smells);
    let smells = smells.map(|smell| format!("{}: {}", smell.kind.label(), smell.detail));
    let mut all: Vec<String> = concluded.explanation.not_covered.iter().cloned().chain(smells).collect();
    for text in said {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all.truncate(MOST_OPEN);
    all
}

/// One sentence for each alternative: a model's, where it wrote one.
fn trade_offs(concluded: &Resolution, said: &[TradeOff]) -> Vec<TradeOff> {
    let one = |verdict: &crate::resolution::Verdict| {
        let id = &verdict.judged.candidate.id;
        let text = said.iter().find(|said| said.candidate == *id).map(|said| sentence(&said.text));
        Some(TradeOff { candidate: id.clone(), text: text.or_else(|| verdict.trade_off.clone())? })
    };
    // The first has nothing to be compared with.
    concluded.shown().filter(|verdict| verdict.trade_off.is_some()).filter_map(one).collect()
}

fn edge_cases(concluded: &Resolution, said: Vec<EdgeCase>) -> Vec<EdgeCase> {
    edge_case::joined(said.into_iter().chain(edge_case::of(concluded)))
}

/// What stands in the report comes first; each address once.
fn references(finding: &Finding, concluded: &Resolution, said: Vec<Reference>) -> Vec<Reference> {
    let rule = &finding.detection.rule;
    let named = |url: &String| {
        let number = rule.cwe.iter().find(|number| url.ends_with(&format!("/{number}.html")));
        let title = match (number, number.and_then(|number| weakness(*number))) {
            (Some(number), Some(weakness)) => format!("CWE-{number}: {}", weakness.name),
            (Some(number), None) => format!("CWE-{number}"),
            (None, _) => format!("{} on {}", finding.detection.tool.name, rule.id),
        };
        Reference { title, url: url.clone(), query: None, date: None }
    };
    let mut all: Vec<Reference> = concluded.explanation.references.iter().map(named).collect();
    for reference in said {
        if !all.iter().any(|known| known.url == reference.url) {
            all.push(reference);
        }
    }
    all
}
