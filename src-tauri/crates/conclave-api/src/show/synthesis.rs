//! Turns what was made of a run into what crosses the boundary.

use conclave_core::synthesis::{Source, Synthesis, Synthesiser, ToolUse};

use crate::view::{
    BranchView, EdgeCaseView, HoleView, ReferenceView, SourceKind, SourceView, SynthesisView, ThoughtView, ToolUseView,
    TradeOffView,
};

pub(super) fn synthesis(synthesis: &Synthesis) -> SynthesisView {
    let sources = |sources: &[Source]| sources.iter().map(|one| source(one, synthesis)).collect();
    let thoughts = synthesis.thoughts.iter().map(|thought| ThoughtView {
        number: thought.number,
        total: thought.total,
        text: thought.text.clone(),
        revises: thought.revises,
        branch: thought.branch.as_ref().map(|branch| BranchView { id: branch.id.clone(), from: branch.from }),
        sources: sources(&thought.sources),
    });
    let cases = synthesis.edge_cases.iter();
    let cases = cases.map(|case| EdgeCaseView { text: case.text.clone(), sources: sources(&case.sources) });
    let references = synthesis.references.iter().map(|reference| ReferenceView {
        title: reference.title.clone(),
        url: reference.url.clone(),
        query: reference.query.clone(),
        date: reference.date.clone(),
    });
    let trade_offs = synthesis.trade_offs.iter();
    let holes = synthesis.holes.iter();
    SynthesisView {
        model: model(&synthesis.by),
        root_cause: synthesis.root_cause.clone(),
        change: synthesis.change.clone(),
        why_safe: synthesis.why_safe.clone(),
        not_covered: synthesis.not_covered.clone(),
        prefers: synthesis.prefers.as_ref().map(ToString::to_string),
        trade_offs: trade_offs
            .map(|one| TradeOffView { fix: one.candidate.to_string(), text: one.text.clone() })
            .collect(),
        thoughts: thoughts.collect(),
        edge_cases: cases.collect(),
        references: references.collect(),
        tools: synthesis.tools.iter().map(tool_use).collect(),
        holes: holes.map(|hole| HoleView { what: hole.what.clone(), why: hole.why.clone() }).collect(),
        took_ms: synthesis.took_ms,
    }
}

pub(super) fn tool_use(used: &ToolUse) -> ToolUseView {
    ToolUseView {
        server: used.server.clone(),
        tool: used.tool.clone(),
        asked: used.asked.clone(),
        outcome: used.outcome,
        said: used.said.clone(),
        entry: used.entry,
        took_ms: used.took_ms,
    }
}

fn model(by: &Synthesiser) -> Option<String> {
    match by {
        Synthesiser::Evidence => None,
        Synthesiser::Model { name, .. } => Some(name.clone()),
    }
}

fn source(source: &Source, synthesis: &Synthesis) -> SourceView {
    let (kind, label, call) = match source {
        Source::Seat { name } => (SourceKind::Seat, name.clone(), None),
        Source::Check { name } => (SourceKind::Check, name.clone(), None),
        Source::Memory { name } => (SourceKind::Memory, name.clone(), None),
        Source::Tool { call } => {
            let used = (*call as usize).checked_sub(1).and_then(|index| synthesis.tools.get(index));
            (SourceKind::Tool, used.map_or_else(String::new, |used| used.tool.clone()), Some(*call))
        }
        Source::Synthesiser => {
            (SourceKind::Synthesiser, model(&synthesis.by).unwrap_or_else(|| "Conclave".to_owned()), None)
        }
    };
    SourceView { kind, label, call }
}
