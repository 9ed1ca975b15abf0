//! Nothing is added that has no place in a fix: a secret, an encoded text, characters that mislead, a promise of code.
//!
//! Each test looks at the added lines alone, so that what stood in the file before is never held against a fix.
//! Invariant: no test keeps or shows a secret that it found.

mod character;
mod churn;
mod literal;

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_fixers::Change;
use conclave_policy::secret;

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let binary = subject.after.iter().find(|(path, after)| {
        let before = subject.sources.file(path).ok();
        is_binary(after) && !before.is_some_and(|source| is_binary(&source.bytes))
    });
    let why = match binary {
        Some((path, _)) => Some(format!("it turns `{path}` into a binary file")),
        None => subject.with_changes(fault),
    };
    match why {
        Some(why) => Evidence::new(Check::Content, CheckOutcome::Fail, why),
        None => Evidence::new(Check::Content, CheckOutcome::Pass, "no secret, encoded text or misleading character"),
    }
}

/// What is looked for, in this order; each gives what it found in words that follow "it".
const TESTS: [fn(&Added<'_>) -> Option<String>; 7] = [
    character::hidden,
    character::look_alike,
    elision,
    new_secret,
    literal::encoded,
    literal::bound_name,
    churn::white_space,
];

/// One changed file with its new lines.
struct Added<'a> {
    change: &'a Change<'a>,
    lines: Vec<&'a str>,
}

/// What the changes add that has no place in a fix.
pub(super) fn fault(changes: &[Change<'_>]) -> Option<String> {
    changes.iter().find_map(|change| {
        let added = Added { change, lines: conclave_fixers::added_lines(change.before, change.after) };
        TESTS.iter().find_map(|test| test(&added)).map(|what| format!("it {what} in `{}`", change.path))
    })
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.contains(&0) || std::str::from_utf8(bytes).is_err()
}

fn elision(added: &Added<'_>) -> Option<String> {
    let line = added.lines.iter().find(|line| conclave_fixers::has_elision(line))?;
    Some(format!("replaces code by a remark that code was there, `{}`,", short(line)))
}

fn new_secret(added: &Added<'_>) -> Option<String> {
    let text = added.lines.join("\n");
    // What cannot be looked through is left to the size limits of the other gates.
    let hits = secret::scan(text.as_bytes(), &[]).ok()?;
    let new = hits.iter().find(|hit| {
        let found = text.get(hit.range.clone()).unwrap_or_default();
        !added.change.before.contains(found) && !is_plain_word(found)
    })?;
    Some(format!("adds {} as a literal", article(secret::title(&new.label))))
}

/// Whether a text is only letters in words, as a name in code is.
fn is_plain_word(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).all(|part| part.chars().all(char::is_alphabetic))
}

fn article(title: &str) -> String {
    let starts = |words: &[&str]| words.iter().any(|word| title.starts_with(word));
    match () {
        () if starts(&["a ", "an ", "the "]) => title.to_owned(),
        () if title.starts_with(|c: char| "aeioAEIO".contains(c)) => format!("an {title}"),
        () => format!("a {title}"),
    }
}

/// The start of a line, for a message.
fn short(line: &str) -> String {
    let line = line.trim();
    if line.chars().count() > 60 { line.chars().take(59).chain(['…']).collect() } else { line.to_owned() }
}

#[cfg(test)]
mod tests;
