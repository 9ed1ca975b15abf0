//! Conditions on a match that a rule object cannot say.

use crate::call::Call;
use crate::native::followed;
use crate::recipe::Guard;
use crate::recipe::file::Place;
use crate::source::Source;
use crate::sql::{self, Unbindable};
use crate::syntax::{Match, Node};
use crate::text::{Unread, read};

/// Whether `guard` holds for the match.
pub(crate) fn holds<'t>(guard: &Guard, source: &Source<'t>, found: &Match<'t>) -> bool {
    let with = |var: &str, test: &dyn Fn(&Node<'t>) -> bool| found.var(var).is_some_and(|node| test(&node));
    match guard {
        Guard::Not(inner) => !holds(inner, source, found),
        Guard::Resolves { var, to } => with(var, &|node| source.names().refers(node, to)),
        Guard::Keyword { name, value } => Call::at(&found.node()).is_some_and(|call| {
            let given = call.keyword(name);
            given.is_some_and(|given| value.as_ref().is_none_or(|value| value.is_match(&given.text())))
        }),
        Guard::MadeBy { var, by } => with(var, &|node| source.names().made_by(&node.text(), node.range().start, by)),
        Guard::DeclaredType { var, to } => with(var, &|node| {
            let kind = source.names().declared_type(&node.text(), node.range().start);
            kind.is_some_and(|kind| source.names().refers(&kind, to))
        }),
        Guard::Literal { var, matches } => with(var, &|node| {
            let plain = read(source, node).ok().and_then(|text| text.plain());
            plain.is_some_and(|plain| matches.is_match(&plain))
        }),
        Guard::Text { var, values } => with(var, &|node| match read(source, &followed(source, node)) {
            Ok(text) => (text.values().next().is_some()) == *values,
            Err(Unread::Odd(_)) => *values,
            Err(Unread::NotText) => false,
        }),
        Guard::Sql { var } => with(var, &|node| match read(source, &followed(source, node)) {
            Ok(text) if text.plain().is_none() => sql::holes(&text.units()) != Err(Unbindable::NotSql),
            Err(Unread::Odd(_)) => sql::seems_sql(&node.text()),
            _ => false,
        }),
        Guard::Given { var, matches } => with(var, &|node| {
            let values = source.names().values(&node.text(), node.range().start);
            values.iter().any(|value| matches.is_match(&value.text()))
        }),
        Guard::Source { var, matches } => with(var, &|node| matches.is_match(&node.text())),
        Guard::Mentions { place, words } => {
            let around = match place {
                Place::Target => target(source, &found.node()),
                Place::Entry => entry(&found.node()),
                Place::FunctionName => {
                    let function = source.function(&found.node()).and_then(|function| function.field("name"));
                    function.map(|name| name.text().into_owned()).unwrap_or_default()
                }
                Place::Function => around(source, &found.node()),
            };
            mentions(&around, words)
        }
        Guard::Around(matches) => matches.is_match(&around(source, &found.node())),
        Guard::File(matches) => matches.is_match(source.text()),
    }
}

/// The text of the function around `node`; outside of functions, that of its lines.
fn around<'t>(source: &Source<'t>, node: &Node<'t>) -> String {
    match source.function(node) {
        Some(function) => {
            let holder = function.parent().filter(|parent| parent.is(&["variable_declarator", "pair"]));
            holder.unwrap_or(function).text().into_owned()
        }
        None => {
            let range = node.range();
            source.text()[source.line(range.start).start..source.line(range.end).end].to_owned()
        }
    }
}

/// The key of the dictionary entry whose value `node` is.
fn entry(node: &Node<'_>) -> String {
    let pair = node.parent().filter(|parent| parent.is(&["pair"]));
    pair.and_then(|pair| pair.field("key")).map(|key| key.text().into_owned()).unwrap_or_default()
}

/// The names that receive the value of `node`.
fn target<'t>(source: &Source<'t>, node: &Node<'t>) -> String {
    let mut names = Vec::new();
    for around in node.ancestors() {
        let name = match around.kind().as_ref() {
            "assignment" | "assignment_expression" | "augmented_assignment" => around.field("left"),
            "variable_declarator" | "keyword_argument" => around.field("name"),
            "pair" => around.field("key"),
            "return_statement" => source.function(&around).and_then(|function| function.field("name")),
            kind if kind.ends_with("_statement") || kind == "block" || kind == "statement_block" => break,
            _ => None,
        };
        names.extend(name.map(|name| name.text().into_owned()));
        if around.is(&["return_statement"]) {
            break;
        }
    }
    names.join(" ")
}

/// Whether one of `words` occurs as a whole word, or a run of words, in the names and texts of `code`.
fn mentions(code: &str, words: &[String]) -> bool {
    let spoken = spoken(code);
    words.iter().any(|word| spoken.contains(&format!(" {word} ")))
}

/// Code as words in small letters with single blanks: `resetToken_v2` is ` reset token v 2 `.
fn spoken(code: &str) -> String {
    let mut out = String::from(" ");
    let mut previous = ' ';
    for c in code.chars() {
        let breaks = (c.is_uppercase() && previous.is_lowercase()) || (c.is_numeric() != previous.is_numeric());
        if breaks && !out.ends_with(' ') {
            out.push(' ');
        }
        match c.is_alphanumeric() {
            true => out.extend(c.to_lowercase()),
            false if !out.ends_with(' ') => out.push(' '),
            false => {}
        }
        previous = c;
    }
    out.push(' ');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_words() {
        for (code, word, expect) in [
            ("resetToken = f()", "token", true),
            ("RESET_TOKEN", "token", true),
            ("apiKey", "api key", true),
            ("tokenizer", "token", false),
            ("\"The user's password\"", "password", true),
            ("password2", "password", true),
            ("compass", "pass", false),
        ] {
            assert_eq!(mentions(code, &[word.to_owned()]), expect, "{code}");
        }
    }
}
