//! Python and JavaScript: values in a SQL text become placeholders and bound parameters.

use conclave_core::language::Language;

use super::{Rewrite, embeddable, movable, quoted, text};
use crate::call::{Call, insert};
use crate::facts::{Placeholder, placeholder};
use crate::source::Source;
use crate::sql::{self, Hole, Unbindable};
use crate::syntax::Node;
use crate::text::{Built, Cut, Part, PerCent, Value};

pub(super) fn run<'t>(source: &Source<'t>, node: &Node<'t>, query: &Node<'t>) -> Result<Rewrite, String> {
    let python = source.language() == Language::Python;
    let (value, text) = text(source, query, "the statement")?;
    check_arguments(node, query, python)?;
    let holes = holes(&text)?;
    let hint = if python { &source.facts.python_sql_driver } else { &source.facts.javascript_sql_driver };
    let style = placeholder(python, source.names().imports(), hint.as_deref())?;
    if value != *query {
        movable(source, &value, node, &text)?;
    }
    let values: Vec<&Value<'t>> = text.values().collect();
    let cut = |(index, hole): (usize, &Hole)| Cut { first: hole.first, last: hole.last, with: style.text(index + 1) };
    let cuts: Vec<Cut> = holes.iter().enumerate().map(cut).collect();
    let per_cent = if style == Placeholder::Percent { PerCent::Doubled } else { PerCent::Single };
    let mut edits = text.rewrite(source.text(), &cuts, per_cent)?;
    let parameters: Vec<String> = holes.iter().map(|hole| parameter(hole, &values, python)).collect();
    let bound = match (python, parameters.as_slice()) {
        (true, [one]) => format!("({one},)"),
        (true, several) => format!("({})", several.join(", ")),
        (false, several) => format!("[{}]", several.join(", ")),
    };
    edits.push(insert(query.range().end, &format!(", {bound}")));
    Ok(Rewrite { edits, review: review(&holes, &values) })
}

/// The places to bind, for a text that builds no list out of its values.
pub(super) fn holes(text: &Built<'_>) -> Result<Vec<Hole>, String> {
    for value in text.values() {
        let function = value.node.field("function").or_else(|| value.node.field("name"));
        if function.is_some_and(|function| function.text().ends_with("join")) {
            return Err("the value is a list in one text; each item needs its own placeholder".to_owned());
        }
    }
    sql::holes(&text.units()).map_err(|unbindable| match unbindable {
        Unbindable::NotSql => "the text is not a SQL statement that is read here".to_owned(),
        Unbindable::Refused(reason) => reason,
    })
}

/// Why a person should look although every place can be bound; `None` when nothing speaks against it.
pub(super) fn review(holes: &[Hole], values: &[&Value<'_>]) -> Option<String> {
    if holes.iter().any(|hole| hole.row_count) {
        return Some("some databases take only numbers as a row count".to_owned());
    }
    let number = |part: &Part| match part {
        Part::Value(index) => values[*index].numeric || values[*index].node.text().starts_with("int("),
        Part::Text(_) => false,
    };
    let bare = holes.iter().any(|hole| !hole.quoted && !hole.parts.iter().all(number));
    bare.then(|| "a value that held SQL of its own, such as `NULL` or `NOW()`, is now plain data".to_owned())
}

fn check_arguments<'t>(node: &Node<'t>, query: &Node<'t>, python: bool) -> Result<(), String> {
    let call = Call::at(node).ok_or("the arguments of the call are not read here")?;
    let after =
        call.positional.iter().position(|argument| argument == query).and_then(|at| call.positional.get(at + 1));
    let callback = |node: &Node<'_>| node.is(&["arrow_function", "function_expression"]);
    if after.is_some_and(|after| python || !callback(after)) || call.spread.is_some() {
        return Err("the call may already pass values to bind; mixing both is left to a person".to_owned());
    }
    if call.keyword("parameters").or_else(|| call.keyword("params")).or_else(|| call.keyword("args")).is_some() {
        return Err("the call already passes values to bind; mixing both is left to a person".to_owned());
    }
    Ok(())
}

/// What is bound at one place, as source.
fn parameter(hole: &Hole, values: &[&Value<'_>], python: bool) -> String {
    match hole.parts.as_slice() {
        [Part::Value(index)] => {
            let text = values[*index].node.text().into_owned();
            // Outside of quotation marks `str(x)` only served the sum; the value itself is bound.
            let inner = text.strip_prefix("str(").and_then(|rest| rest.strip_suffix(')'));
            match inner.filter(|inner| python && !hole.quoted && embeddable(inner) && !inner.contains(['(', ')', ',']))
            {
                Some(inner) => inner.to_owned(),
                None => text,
            }
        }
        parts if python => in_python(parts, values),
        parts => {
            let part = |part: &Part| match part {
                Part::Text(text) => {
                    let literal = quoted(text, '`');
                    literal[1..literal.len() - 1].replace("${", "\\${")
                }
                Part::Value(index) => format!("${{{}}}", values[*index].node.text()),
            };
            format!("`{}`", parts.iter().map(part).collect::<String>())
        }
    }
}

/// Text and values in one parameter: an f-string where that can be read, else a sum.
fn in_python(parts: &[Part], values: &[&Value<'_>]) -> String {
    let expression = |index: &usize| values[*index].node.text();
    let simple = parts.iter().all(|part| match part {
        Part::Text(text) => !text.contains(['"', '\\', '\n', '\r']),
        Part::Value(index) => embeddable(&expression(index)),
    });
    if simple {
        let part = |part: &Part| match part {
            Part::Text(text) => text.replace('{', "{{").replace('}', "}}"),
            Part::Value(index) => format!("{{{}}}", expression(index)),
        };
        return format!("f\"{}\"", parts.iter().map(part).collect::<String>());
    }
    let part = |part: &Part| match part {
        Part::Text(text) => quoted(text, '"'),
        Part::Value(index) => format!("str({})", expression(index)),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(" + ")
}
