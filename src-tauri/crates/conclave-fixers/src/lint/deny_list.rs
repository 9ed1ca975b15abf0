//! What is forbidden is listed, or one character is taken out or escaped: what is not on the list comes through.

use std::sync::OnceLock;

use conclave_core::smell::{Smell, SmellKind};
use regex::Regex;

use super::pair::{Pair, Side, Site, gained, speaks_of, squeezed};

/// Calls that ask whether a text holds something.
const ASKS: [&str; 6] = ["includes", "contains", "indexOf", "find", "count", "has"];
/// Calls that take something out of a text.
const TAKES: [&str; 5] = ["replace", "replaceAll", "strip", "sub", "translate"];
/// Calls that look for a pattern anywhere in a text.
const SEARCHES: [&str; 4] = ["search", "test", "findall", "exec"];
/// Names that people give to such lists.
const NAMES: [&str; 10] = [
    "blacklist",
    "blocklist",
    "denylist",
    "deny_list",
    "forbidden",
    "dangerous",
    "banned",
    "bad_char",
    "badchar",
    "illegal",
];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells = Vec::new();
    for site in pair.after.calls.iter().filter(|site| pair.after.is_changed(&site.node)) {
        let old = pair.before.calls.iter().any(|other| squeezed(&other.node) == squeezed(&site.node));
        if let Some(what) = listed(pair, site).filter(|_| !old) {
            smells.push(pair.smell(SmellKind::DenyList, &site.node, what));
        }
    }
    // `";" in text`
    let asked = |side: &Side<'_>| {
        side.counts(|node| {
            let is_in = node.is(&["comparison_operator"]) && node.children().iter().any(|part| part.text() == "in");
            let literal = node.parts().into_iter().next().filter(|first| first.is(&["string"]));
            literal.filter(|literal| is_in && is_sharp(&literal.text())).map(|literal| literal.text().into_owned())
        })
    };
    if let Some((text, _)) = gained(&asked(&pair.before), &asked(&pair.after)).first() {
        smells.push(pair.gone(SmellKind::DenyList, &format!("looks for {text} and lets the rest through")));
    }
    let named = |side: &Side<'_>| {
        side.counts(|node| {
            let name = node.is(&["identifier", "property_identifier"]) && speaks_of(&node.text(), &NAMES);
            name.then(|| node.text().into_owned())
        })
    };
    let (was, is) = (named(&pair.before), named(&pair.after));
    if let Some((name, _)) = gained(&was, &is).iter().find(|(name, _)| !was.contains_key(name)) {
        smells.push(pair.gone(SmellKind::DenyList, &format!("`{name}` lists what is forbidden")));
    }
    smells
}

fn listed(pair: &Pair<'_>, site: &Site<'_>) -> Option<&'static str> {
    let arguments = site.arguments();
    let literal = |at: usize| {
        arguments.get(at).filter(|argument| {
            argument.is(&["string", "string_literal", "regex", "template_string", "character_literal"])
        })
    };
    let first = literal(0);
    match site.name.as_str() {
        name if ASKS.contains(&name) => {
            first.filter(|first| is_sharp(&first.text())).map(|_| "looks for one text and lets the rest through")
        }
        name if TAKES.contains(&name) => {
            let what = first?.text().into_owned();
            // The end of a line is the weakness itself where lines are forged.
            let line_end = what.contains("\\n") || what.contains("\\r");
            if (line_end && pair.is_about(&[93, 113, 117, 150])) || !is_sharp(&what) || is_inverted(&what) {
                return None;
            }
            // Writing every character of a language's markup another way is an escape, not a list.
            let chain = site.node.parent().map(|parent| parent.text().into_owned()).unwrap_or_default();
            let whole = ["&amp;", "&lt;", "&gt;", "&quot;"].iter().all(|entity| pair.after.code.contains(entity));
            (!(whole && chain.contains('&'))).then_some("takes one text out and lets the rest through")
        }
        name if SEARCHES.contains(&name) => {
            let pattern = first.cloned().or_else(|| site.callee.as_ref()?.field("object"))?;
            let text = pattern.text();
            let loose = !text.contains('^') && is_pattern_of_marks(&text);
            loose.then_some("looks for a pattern of what is forbidden")
        }
        "matches" => {
            first.filter(|first| first.text().contains(".*[")).map(|_| "looks for a pattern of what is forbidden")
        }
        _ => None,
    }
}

/// Whether a literal holds what attacks are made of: quotation marks, shell and markup characters, steps upward.
fn is_sharp(literal: &str) -> bool {
    let inner = literal.trim_start_matches(['r', 'b', 'f', 'u']).trim_end_matches(['g', 'i', 'm', 's', 'u']);
    let mut chars = inner.chars();
    chars.next();
    chars.next_back();
    let inner = chars.as_str();
    let marks = [';', '|', '&', '$', '<', '>', '\'', '"', '`', '\\'];
    let words =
        ["..", "--", "script", "drop", "union", "select", "javascript:", "rm ", "://", "%2e", "onerror", "eval"];
    let lower = inner.to_lowercase();
    (!inner.is_empty() && inner.chars().count() <= 24 && inner.contains(marks))
        || words.iter().any(|word| lower.contains(word))
}

/// Whether a pattern names what may stay: `[^a-z0-9]`.
fn is_inverted(pattern: &str) -> bool {
    pattern.contains("[^")
}

fn is_pattern_of_marks(pattern: &str) -> bool {
    static CLASS: OnceLock<Regex> = OnceLock::new();
    let class = CLASS.get_or_init(|| {
        // INVARIANT: the tests run this expression.
        #[allow(clippy::expect_used)]
        let class = Regex::new(r#"\[[^\]^]*[;|&$<>`'"\\]|\.\.|(?i:script|drop|union|select)"#).expect("it compiles");
        class
    });
    class.is_match(pattern)
}
