//! Edge cases of finished runs are kept, and brought back for findings that are alike.
//!
//! Invariant: they stand in a brief as data under their id, and only those of the same client do.

use conclave_core::brief::{Brief, Part, PartKind};
use conclave_core::resolution::Resolution;
use conclave_core::synthesis::Source;
use conclave_core::weakness::Family;
use conclave_store::EdgeCaseOf;

use super::Client;
use crate::ctx::Ctx;

/// Most edge cases in one brief.
const MOST: u32 = 5;
/// Most edge cases of one run that are kept, and their longest text in bytes.
const MOST_KEPT: usize = 12;
const LONGEST: usize = 400;
/// Frameworks by the names of their packages: code that uses one has its edge cases.
const FRAMEWORKS: [&str; 16] = [
    "aiohttp",
    "angular",
    "django",
    "express",
    "fastapi",
    "fastify",
    "flask",
    "hapi",
    "koa",
    "nestjs",
    "next",
    "pyramid",
    "react",
    "spring",
    "starlette",
    "tornado",
];

/// `brief` with what is remembered of findings like it, in the project at `root`.
pub(crate) fn recall(cx: &Ctx, root: &str, mut brief: Brief) -> Brief {
    let client = Client::of(&cx.settings(), root);
    if client.refused.is_some() || brief.file.is_none() {
        return brief;
    }
    match cx.store.similar_edge_cases(&of(client.name, &brief), MOST) {
        Ok(cases) => brief.parts.extend(cases.into_iter().map(|case| Part {
            kind: PartKind::Remembered { id: format!("edge-{}", case.id) },
            path: None,
            first_line: None,
            text: format!("{} (named by {})", case.text, case.origin),
        })),
        Err(error) => tracing::warn!(%error, "what is remembered of earlier findings cannot be read"),
    }
    brief
}

/// Keeps the edge cases that the run of `brief`'s finding named.
pub(crate) fn keep_edge_cases(cx: &Ctx, root: &str, brief: &Brief, resolution: &Resolution) {
    let client = Client::of(&cx.settings(), root);
    if client.refused.is_some() {
        return;
    }
    if let Err(error) = cx.store.keep_edge_cases(&of(client.name, brief), &named(resolution), cx.now_ms()) {
        tracing::warn!(%error, "edge cases are not kept");
    }
}

fn of(client: String, brief: &Brief) -> EdgeCaseOf {
    let cwe = &brief.finding.detection.rule.cwe;
    EdgeCaseOf {
        client,
        cwe: cwe.first().copied(),
        family: Family::of(cwe),
        framework: framework(brief),
        language: brief.file.as_ref().and_then(|file| file.language),
        finding: brief.finding.id.clone(),
    }
}

/// The first framework among the libraries that the file uses.
fn framework(brief: &Brief) -> Option<String> {
    let libraries = brief.parts.iter().filter(|part| part.kind == PartKind::Libraries);
    let words: Vec<String> = libraries
        .flat_map(|part| part.text.split(|c: char| !c.is_ascii_alphanumeric()))
        .map(str::to_ascii_lowercase)
        .collect();
    let found = FRAMEWORKS.iter().find(|name| words.iter().any(|word| word == *name));
    found.map(|name| (*name).to_owned())
}

/// The edge cases of the fixes that are shown and of the synthesis, with who named each.
fn named(resolution: &Resolution) -> Vec<(String, String)> {
    let of_fixes = resolution.shown().flat_map(|verdict| {
        let candidate = &verdict.judged.candidate;
        candidate.edge_cases.iter().map(|text| (text.clone(), candidate.origin.label()))
    });
    let of_synthesis = resolution.synthesis.iter().flat_map(|synthesis| &synthesis.edge_cases);
    // What was only remembered is kept already, with whoever named it first.
    let is_new = |sources: &[Source]| !sources.iter().any(|source| matches!(source, Source::Memory { .. }));
    let of_synthesis = of_synthesis.filter(|case| is_new(&case.sources)).map(|case| {
        let sources: Vec<&str> = case.sources.iter().map(by).collect();
        (case.text.clone(), if sources.is_empty() { "the synthesis".to_owned() } else { sources.join(", ") })
    });
    let short = |(text, origin): (String, String)| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (text[..text.floor_char_boundary(LONGEST.min(text.len()))].to_owned(), origin)
    };
    of_fixes.chain(of_synthesis).map(short).filter(|(text, _)| !text.is_empty()).take(MOST_KEPT).collect()
}

fn by(source: &Source) -> &str {
    match source {
        Source::Seat { name } | Source::Check { name } | Source::Memory { name } => name,
        Source::Tool { .. } => "a tool",
        Source::Synthesiser => "the synthesis",
    }
}
