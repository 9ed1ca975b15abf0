//! What was made of all answers and all evidence, for people.

use std::fmt::Write as _;

use conclave_api::view::{ResolutionView, SourceView, SynthesisView, ThoughtView};

use super::{Style, clean};

/// The explanation, edge cases and holes, and the thoughts where they are asked for.
pub(super) fn lines(out: &mut String, style: Style, made: &SynthesisView, thoughts: bool) {
    let by = made.model.as_deref().map_or_else(String::new, |model| format!(", in the words of {}", clean(model)));
    let _ = writeln!(out, "{}: {}", style.bold(&format!("Root cause{by}")), clean(&made.root_cause));
    if !made.edge_cases.is_empty() {
        let _ = writeln!(out, "{}", style.bold("Edge cases"));
        for case in &made.edge_cases {
            let _ = writeln!(out, "  {}{}", clean(&case.text), named(style, &case.sources));
        }
    }
    if !made.references.is_empty() {
        let _ = writeln!(out, "{}", style.bold("Published"));
        for reference in &made.references {
            let query = reference.query.as_deref().map(|query| format!(" to \u{201c}{}\u{201d}", clean(query)));
            let date = reference.date.as_deref().map(|date| format!(" on {}", clean(date)));
            let found = match (&query, &date) {
                (None, None) => String::new(),
                _ => format!(" [found{}{}]", query.unwrap_or_default(), date.unwrap_or_default()),
            };
            let _ = writeln!(out, "  {}: {}{}", clean(&reference.title), clean(&reference.url), style.faint(&found));
        }
    }
    for hole in &made.holes {
        let _ = writeln!(out, "Missing: {}: {}", clean(&hole.what), clean(&hole.why));
    }
    if thoughts {
        let _ = writeln!(out, "{}", style.bold("Thoughts"));
        for thought in &made.thoughts {
            let _ = writeln!(out, "  {}{}", step(thought), named(style, &thought.sources));
        }
    } else {
        let _ = writeln!(out, "{}", style.faint(&format!("{} thoughts: `--thoughts`", made.thoughts.len())));
    }
    out.push('\n');
}

fn step(thought: &ThoughtView) -> String {
    let mut head = format!("{}.", thought.number);
    if let Some(revised) = thought.revises {
        let _ = write!(head, " (revises {revised})");
    }
    if let Some(branch) = &thought.branch {
        let _ = write!(head, " (branch {} from {})", clean(&branch.id), branch.from);
    }
    format!("{head} {}", clean(&thought.text))
}

/// Whom something comes from, in brackets; nothing where it comes from nobody in particular.
fn named(style: Style, sources: &[SourceView]) -> String {
    if sources.is_empty() {
        return String::new();
    }
    let labels: Vec<String> = sources.iter().map(|source| clean(&source.label)).collect();
    style.faint(&format!(" [{}]", labels.join(", ")))
}

/// Both clocks and the money.
pub(super) fn took(out: &mut String, resolution: &ResolutionView) {
    let seconds = |ms: u64| format!("{:.1} s", ms as f64 / 1000.0);
    let clocks =
        format!("Proposing took {}, checking {}", seconds(resolution.analysis_ms), seconds(resolution.verification_ms));
    let money = match &resolution.cost {
        None => String::new(),
        Some(cost) if cost.calls == 0 => "; no model was asked".to_owned(),
        Some(cost) => {
            let unknown = match cost.unknown {
                0 => String::new(),
                n => format!(", and {n} at a cost that is not known"),
            };
            format!("; {} to models cost {}{unknown}", super::plural(cost.calls as usize, "call", "calls"), cost.spent)
        }
    };
    let _ = writeln!(out, "{clocks}{money}.\n");
}
