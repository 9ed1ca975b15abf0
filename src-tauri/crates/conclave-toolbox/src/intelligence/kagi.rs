//! Kagi, through whichever server the settings name for it.
//!
//! Invariant: what is asked is the words of a typed question and nothing else; what comes back is text of strangers.

use conclave_core::synthesis::{Reference, ToolOutcome};
use conclave_effects::DataClass;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{About, Found, Question, Searching, Source, one_line};
use crate::{Caller, Tool, call};

/// The tool of the server that searches.
pub(super) const TOOL: &str = "kagi_search_fetch";

/// Most results of a question.
const MOST: usize = 5;

/// Most characters of a title, an address and an excerpt.
const MOST_TITLE: usize = 160;
const MOST_URL: usize = 500;
const MOST_EXCERPT: usize = 400;

/// Kagi at one server.
pub(super) struct Kagi {
    tool: Box<dyn Tool>,
}

impl Kagi {
    pub(super) fn new(tool: Box<dyn Tool>) -> Self {
        Self { tool }
    }
}

impl Source for Kagi {
    fn name(&self) -> &str {
        "Kagi"
    }

    fn answers(&self, _: &Question) -> bool {
        true
    }

    fn search<'a>(&'a self, caller: &'a Caller, question: &'a Question, until: Instant) -> Searching<'a> {
        Box::pin(async move {
            let now = Timestamp::from_millisecond(caller.gate.clock().now_ms()).unwrap_or_default();
            let today = Offset::UTC.to_datetime(now).date();
            let year_ago = today.checked_sub(1.year()).unwrap_or(today).to_string();
            let query = question.query();
            let arguments = arguments(question.about, &query, &year_ago);
            let used = call::used(caller, self.tool.as_ref(), &[DataClass::Metadata], arguments, until).await;
            match used.record.outcome {
                ToolOutcome::Answered => Ok(results(&used.result.text, &query, &today.to_string())),
                ToolOutcome::Error => Err(trouble(&used.result.text)),
                ToolOutcome::Denied | ToolOutcome::Failed => Err(used.record.said),
            }
        })
    }
}

/// What the server is asked.
fn arguments(about: About, query: &str, year_ago: &str) -> Value {
    let mut arguments = json!({ "query": query, "limit": MOST });
    match about {
        About::LatestCves => arguments["time_relative"] = "month".into(),
        About::FrameworkUpdates => arguments["after"] = year_ago.into(),
        About::OwaspGuidance => arguments["include_domains"] = json!(["owasp.org"]),
        About::SimilarVulnerabilities => {}
    }
    arguments
}

/// An error of the server's in words for people.
fn trouble(text: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["No Kagi API key"]) {
        "it has no key; `conclave keys set kagi.com` keeps one".to_owned()
    } else if has(&["Max retries exceeded", "NameResolutionError", "Connection refused", "timed out"]) {
        "it reaches nobody; this machine may be offline".to_owned()
    } else if has(&["401", "403", "Unauthorized"]) {
        "it does not take the key".to_owned()
    } else {
        one_line(text, MOST_TITLE)
    }
}

/// The results in a Markdown text: a link or an address each, with the words behind it.
fn results(markdown: &str, query: &str, today: &str) -> Vec<Found> {
    let mut found: Vec<(String, String, Vec<&str>)> = Vec::new();
    let mut before = "";
    for line in markdown.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some((title, url)) = link(line) {
            let own = plain(title.unwrap_or(before));
            // A heading above a bare address is the title of what it leads to, not the end of what came before.
            if let (None, Some((_, _, words))) = (title, found.last_mut())
                && words.last() == Some(&before)
            {
                words.pop();
            }
            if found.iter().all(|(_, known, _)| known != url) {
                found.push((if own.is_empty() { url.to_owned() } else { own }, url.to_owned(), Vec::new()));
            }
        } else if let Some((_, _, words)) = found.last_mut() {
            words.push(line);
        }
        before = line;
    }
    let told = |(title, url, words): (String, String, Vec<&str>)| Found {
        source: "Kagi".to_owned(),
        reference: Reference {
            title: one_line(&title, MOST_TITLE),
            url,
            query: Some(query.to_owned()),
            date: Some(today.to_owned()),
        },
        excerpt: one_line(&plain(&words.join(" ")), MOST_EXCERPT),
    };
    found.into_iter().take(MOST).map(told).collect()
}

/// The first link of a line, with its title where it has one.
fn link(line: &str) -> Option<(Option<&str>, &str)> {
    let begins = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    let at = line.char_indices().map(|(at, _)| at).find(|at| begins(&line[*at..]))?;
    let rest = &line[at..];
    let is_end = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ')' | '>' | ']' | '"' | '`' | '<' | '|');
    let url = rest[..rest.find(is_end).unwrap_or(rest.len())].trim_end_matches(['.', ',', ';', '*']);
    let title = line[..at].strip_suffix("](").and_then(|before| before.rfind('[').map(|from| &before[from + 1..]));
    (url.len() <= MOST_URL && url.len() > "https://".len()).then_some((title, url))
}

/// Text without the marks of Markdown and without a label in front.
fn plain(text: &str) -> String {
    let text = text.trim_start_matches(['#', '*', '-', '>', ' ', '_']);
    let text = ["title:", "Title:", "**Title:**", "snippet:"]
        .iter()
        .find_map(|label| text.strip_prefix(label))
        .unwrap_or(text);
    text.replace("**", "").trim().trim_end_matches(['*', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_from_the_forms_that_search_engines_write() {
        let told = |markdown: &str| -> Vec<String> {
            let found = results(markdown, "q", "2026-11-27");
            let shown = |one: &Found| format!("{} | {} | {}", one.reference.title, one.reference.url, one.excerpt);
            found.iter().map(shown).collect()
        };
        for (markdown, expect) in [
            (
                "# Results\n\n1. [One **thing**](https://a.example/x)\nfirst\nsecond\n\n2. [Two](http://b.example)\n",
                vec!["One thing | https://a.example/x | first second", "Two | http://b.example | "],
            ),
            (
                "Title: One\nurl: https://a.example/x\nsnippet: first\n\n### Two\n<https://b.example/y>\nsecond",
                vec!["One | https://a.example/x | first", "Two | https://b.example/y | second"],
            ),
            ("https://a.example/x\nhttps://a.example/x", vec!["https://a.example/x | https://a.example/x | "]),
            ("nothing found", vec![]),
            ("[x](javascript:alert(1)) ftp://a.example file:///etc/passwd", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(told(markdown), expect, "{markdown}");
        }
        let many: String =
            (0..50).map(|number| format!("[{number}](https://a.example/{number})\n{}\n", "x ".repeat(900))).collect();
        let found = results(&many, "q", "2026-11-27");
        assert_eq!(found.len(), MOST);
        assert!(found.iter().all(|one| one.excerpt.chars().count() <= MOST_EXCERPT + 1));
    }

    #[test]
    fn the_servers_errors_are_told_in_words() {
        let error = "Error calling tool 'kagi_search_fetch': ";
        for (text, expect) in [
            ("No Kagi API key found. Send `Authorization: Bearer <key>` or set KAGI_API_KEY.", "it has no key"),
            (
                "HTTPSConnectionPool(host='kagi.com', port=443): Max retries exceeded with url: /api",
                "it reaches nobody",
            ),
            ("401 Client Error: Unauthorized for url", "does not take the key"),
            ("something else", "something else"),
        ] {
            let said = trouble(&format!("{error}{text}"));
            assert!(said.contains(expect), "{said}");
        }
    }
}
