//! One fix as the title and the text of a pull request, in Markdown.
//!
//! Invariant: whatever a scanner, a project or a model wrote is text: it makes no heading, no link, no picture, and calls
//! nobody.

use conclave_core::evidence::CheckOutcome;
use conclave_core::synthesis::Source;

use super::Subject;

/// The first line is the title.
pub(super) fn written(subject: &Subject<'_>) -> String {
    let Subject { finding, resolution, verdict, is_recommended } = subject;
    let candidate = &verdict.judged.candidate;
    let made = resolution.synthesis.as_ref();
    let request = made.and_then(|made| made.pull_request.as_ref()).filter(|_| *is_recommended);
    let title = request.map_or(&candidate.title, |request| &request.title);
    let mut text = format!("# {}\n", plain(title));
    let mut section = |head: &str, body: String| {
        if !body.is_empty() {
            text.push_str(&format!("\n## {head}\n\n{body}\n"));
        }
    };
    let cause = made.map_or(&resolution.explanation.problem, |made| &made.root_cause);
    let rule = &finding.detection.rule;
    let cwe: String = rule.cwe.iter().map(|number| format!(", CWE-{number}")).collect();
    let reported = format!("Reported by {} {}{cwe}.", plain(&finding.detection.tool.name), plain(&rule.id));
    section("Problem", format!("{}\n\n{reported}", plain(cause)));
    let change = made.map(|made| made.change.as_str()).filter(|change| *is_recommended && !change.is_empty());
    let change = change.map_or_else(|| format!("{} {}", plain(&candidate.title), plain(&candidate.rationale)), plain);
    section("Change", format!("{change}\n\nFix of {}.", plain(&candidate.origin.label())));
    if let Some((request, by)) = request.zip(made.map(|made| &made.by)).filter(|(request, _)| !request.body.is_empty())
    {
        let conclave_core::synthesis::Synthesiser::Model { name, .. } = by else { return text };
        section(&format!("In the words of {}", plain(name)), block(&request.body));
    }
    let rungs = verdict.judged.evidence.iter().filter(|e| !e.check.is_gate() || e.outcome != CheckOutcome::Pass);
    let rows: Vec<String> =
        rungs.map(|e| format!("| {} | {} | {} |", e.check.label(), outcome(e.outcome), plain(&e.summary))).collect();
    let confidence = &verdict.confidence;
    let sure = format!("{}: {:.2} of at most {:.2}.", plain(&confidence.word), confidence.p, confidence.cap);
    section("Evidence", format!("| Check | Result | Seen |\n| --- | --- | --- |\n{}\n\n{sure}", rows.join("\n")));
    if *is_recommended {
        let open = made.map_or(&resolution.explanation.not_covered, |made| &made.not_covered);
        section("Not covered", items(open.iter().map(|open| plain(open))));
    }
    let cases = made.map(|made| made.edge_cases.as_slice()).unwrap_or_default();
    section("Edge cases", items(cases.iter().map(|case| format!("{}{}", plain(&case.text), named(&case.sources)))));
    let references = made.map(|made| made.references.as_slice()).unwrap_or_default();
    section(
        "References",
        items(references.iter().map(|one| format!("{}: `{}`", plain(&one.title), address(&one.url)))),
    );
    text
}

fn items(all: impl Iterator<Item = String>) -> String {
    all.map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
}

fn named(sources: &[Source]) -> String {
    let seats: Vec<String> = sources
        .iter()
        .filter_map(|source| match source {
            Source::Seat { name } | Source::Check { name } | Source::Memory { name } => Some(plain(name)),
            Source::Tool { .. } | Source::Synthesiser => None,
        })
        .collect();
    if seats.is_empty() { String::new() } else { format!(" ({})", seats.join(", ")) }
}

fn outcome(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Pass => "passed",
        CheckOutcome::Fail => "failed",
        CheckOutcome::NotAvailable => "not available",
        CheckOutcome::NotRun => "not run",
        CheckOutcome::Flaky => "flaky",
        CheckOutcome::Error => "broke",
    }
}

/// `text` on one line in which nothing means anything to Markdown, nor to who reads names and addresses out of it.
fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        let rest = &line[at..];
        let makes_a_list = at == 0 && matches!(c, '-' | '+' | '=');
        let makes_a_link = rest.starts_with("://") || (c == '.' && line[..at].to_ascii_lowercase().ends_with("www"));
        match c {
            // Alone in code, it calls nobody.
            '@' => plain.push_str("`@`"),
            c if c.is_control() => {}
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '!' | '|' | '~' | '&' | '$' => {
                plain.extend(['\\', c]);
            }
            c if makes_a_list || makes_a_link => plain.extend(['\\', c]),
            c => plain.push(c),
        }
    }
    plain
}

/// An address to be read in code: what would end the code is written as the address may have it.
fn address(url: &str) -> String {
    url.chars().filter(|c| !c.is_control()).map(|c| if c == '`' { "%60".to_owned() } else { c.to_string() }).collect()
}

/// `text` as a block in which nothing means anything, whatever it holds.
fn block(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}
