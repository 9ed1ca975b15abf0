//! Literals that hide what they hold, and placeholders that stand for a name.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex::Regex;

use super::Added;

/// A run of characters this long says nothing to a reader, in letters of base64.
const BASE64_RUN: usize = 100;
/// The same in hexadecimal digits; the longest usual digest has 128.
const HEX_RUN: usize = 129;
/// Shorter runs that together say nothing.
const PIECES: usize = 200;
/// Bits for each character over which a run of letters is no word of any language.
const CHANCE: f64 = 4.3;

macro_rules! expression {
    ($name:ident, $text:expr) => {
        fn $name() -> &'static Regex {
            static CELL: OnceLock<Regex> = OnceLock::new();
            CELL.get_or_init(|| {
                // INVARIANT: a test runs every expression of this file.
                #[allow(clippy::expect_used)]
                let expression = Regex::new($text).expect("the expression compiles");
                expression
            })
        }
    };
}

expression!(runs, r"[A-Za-z0-9+/=_-]{24,}");
expression!(
    decoders,
    r#"(?i)(b64decode|b32decode|a85decode|\batob|fromhex|unhexlify|getDecoder|decodeBase64|decodeHex|\.decompress|codecs\.decode|Buffer\.from|loads)\s*\(.*["'`]([^"'`]{16,})["'`]"#
);
expression!(escapes, r"(\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]+\}|\\[0-7]{3}){6,}");
expression!(
    code_points,
    r"(?i)((\bchr\s*\(\s*\d+\s*\)[\s+,]*){4,}|fromCharCode\s*\((\s*(0x)?[0-9a-f]+\s*,){3,}|fromCodePoint\s*\((\s*(0x)?[0-9a-f]+\s*,){3,})"
);
expression!(numbers, r"(?i)(\b(0x[0-9a-f]{1,2}|\d{1,3})\s*,\s*){24,}");
expression!(
    names,
    r#"(?i)(\b(?:delete\s+from|from|join|into|update|table|truncate)\s+|\b(?:order|group)\s+by\s+|\.)(\?|\$\d|:[a-z_]\w*\b|%s)(\s|\.|,|;|\)|["'`]|$)|\bwhere\s+\?\s*(=|<|>|like\b|in\b)|\bset\s+\?\s*=|\?\s*\.\s*\?"#
);
expression!(
    statement,
    r"(?i)\b(select\b.*\bfrom|insert\s+into|update\s+.*\bset|delete\s+from|truncate|drop|alter|create)\b"
);
expression!(filled, r#"["'`]\s*(%|\.format\b|\.formatted\b)|String\.format"#);
expression!(
    from_in_function,
    r"(?i)\b(extract|substring|trim|overlay|position)\s*\([^)]*\bfrom\s*[?$:%]|distinct\s+from\s*[?$:%]"
);

/// A literal that nobody can read: encoded, escaped, or a row of numbers.
pub(super) fn encoded(added: &Added<'_>) -> Option<String> {
    let is_new = |text: &str| !added.change.before.contains(text);
    let mut pieces = 0;
    for line in &added.lines {
        for run in runs().find_iter(line).map(|found| found.as_str()).filter(|run| is_new(run)) {
            let hex = run.chars().all(|c| c.is_ascii_hexdigit());
            let has = |kind: fn(char) -> bool| run.contains(kind);
            let mixed = has(char::is_uppercase) && has(char::is_lowercase) && has(char::is_numeric);
            if (hex && run.len() >= HEX_RUN) || (mixed && run.len() >= BASE64_RUN && entropy(run) >= CHANCE) {
                return Some(format!("adds an encoded text of {} characters", run.len()));
            }
            if hex || (mixed && entropy(run) >= 4.0) {
                pieces += run.len();
            }
        }
        if pieces >= PIECES {
            return Some(format!("adds an encoded text of {pieces} characters, in pieces,"));
        }
        if let Some(found) = decoders().captures(line).and_then(|found| found.get(2)) {
            let text = found.as_str();
            if is_new(text) && !text.contains(' ') && text.chars().all(|c| c.is_ascii_graphic()) {
                return Some("adds a literal that is decoded when the program runs".to_owned());
            }
        }
        for form in [escapes(), code_points(), numbers()] {
            if form.find(line).is_some_and(|found| is_new(found.as_str())) {
                return Some("adds a text that is written in numbers".to_owned());
            }
        }
    }
    None
}

/// A placeholder where a statement needs a name: no driver puts one there.
pub(super) fn bound_name(added: &Added<'_>) -> Option<String> {
    let found = added.lines.iter().find(|line| {
        let bound = |found: regex::Captures<'_>| {
            let place = found.get(0).map_or("", |all| all.as_str());
            // A `%s` that the program fills itself is no placeholder.
            if place.starts_with('.') { place.contains('?') } else { !place.contains("%s") || !filled().is_match(line) }
        };
        statement().is_match(line) && !from_in_function().is_match(line) && names().captures_iter(line).any(bound)
    })?;
    Some(format!("binds a value where a name has to stand, `{}`,", super::short(found)))
}

/// Shannon's entropy of the characters, in bits for each.
fn entropy(text: &str) -> f64 {
    let mut counts: HashMap<char, f64> = HashMap::new();
    for c in text.chars() {
        *counts.entry(c).or_default() += 1.0;
    }
    let total: f64 = counts.values().sum();
    counts.values().map(|count| -(count / total) * (count / total).log2()).sum()
}
