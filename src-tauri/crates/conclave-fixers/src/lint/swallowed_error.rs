//! An exception is caught and nothing happens, around code that stood there before.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side, gained, squeezed};
use crate::syntax::Node;

const HANDLERS: [&str; 3] = ["except_clause", "except_group_clause", "catch_clause"];
/// Words of calls that only speak of the error.
const SPEAKS: [&str; 8] = ["print", "log", "logger", "logging", "console", "printStackTrace", "warn", "System"];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells: Vec<Smell> = pair
        .after
        .of_kind(&HANDLERS)
        .filter(|handler| pair.after.is_changed(handler) && swallows(pair, handler))
        .map(|handler| pair.smell(SmellKind::SwallowedError, handler, "an error is caught and nothing happens"))
        .collect();
    // A result that is given back from there takes the place of the error.
    let ends = |node: &Node<'_>| {
        node.walk().any(|inner| inner.is(&["return_statement", "break_statement", "continue_statement"]))
    };
    let finals = pair.after.of_kind(&["finally_clause"]).filter(|node| pair.after.is_changed(node) && ends(node));
    smells
        .extend(finals.map(|node| pair.smell(SmellKind::SwallowedError, node, "the end takes the place of an error")));
    let quiet = |side: &Side<'_>| side.counts(|node| is_quiet(node).then(|| node.kind().into_owned()));
    if !gained(&quiet(&pair.before), &quiet(&pair.after)).is_empty() {
        smells.push(pair.gone(SmellKind::SwallowedError, "errors of a call are let go"));
    }
    smells
}

/// `.catch(() => {})` and `contextlib.suppress(…)`.
fn is_quiet(node: &Node<'_>) -> bool {
    let Some(function) = node.field("function").filter(|_| node.is(&["call", "call_expression"])) else { return false };
    let name = function.field("property").or_else(|| function.field("attribute")).unwrap_or(function);
    match name.text().as_ref() {
        "suppress" => true,
        "catch" => {
            let handler = node.field("arguments").and_then(|list| list.parts().into_iter().next());
            let body = handler.and_then(|handler| handler.field("body"));
            body.is_some_and(|body| body.parts().is_empty() || (!body.is(&["statement_block"]) && is_constant(&body)))
        }
        _ => false,
    }
}

fn swallows<'t>(pair: &Pair<'t>, handler: &Node<'t>) -> bool {
    let parts = handler.parts();
    let Some(body) = parts.iter().rfind(|part| part.is(&["block", "statement_block"])) else { return false };
    let statements = body.parts();
    let empty =
        statements.iter().all(|statement| statement.is(&["pass_statement", "continue_statement", "break_statement"]));
    if empty {
        return true;
    }
    let idle = statements.iter().all(|statement| does_nothing(statement));
    idle && is_broad(handler) && guards_old_code(pair, handler)
}

/// Whether a statement only speaks, or gives back something that was there before.
fn does_nothing(statement: &Node<'_>) -> bool {
    match statement.kind().as_ref() {
        "pass_statement" | "continue_statement" | "break_statement" => true,
        "return_statement" => statement.parts().first().is_none_or(is_constant),
        "expression_statement" => {
            let text = statement.text();
            let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            SPEAKS.contains(&first) || text.contains("printStackTrace") || is_constant(statement)
        }
        _ => false,
    }
}

/// Whether an expression holds no call, no name and no text worth reading.
pub(super) fn is_constant(node: &Node<'_>) -> bool {
    let text = node.text();
    let word = text.trim().trim_end_matches(';').trim_matches(['(', ')']);
    let plain = ["None", "True", "False", "null", "undefined", "true", "false", "''", "\"\"", "[]", "{}", "...", ""];
    plain.contains(&word) || word.parse::<f64>().is_ok() || is_plain_text(word)
}

fn is_plain_text(word: &str) -> bool {
    let quoted = |mark: char| word.len() >= 2 && word.starts_with(mark) && word.ends_with(mark);
    let inner = word.trim_matches(['"', '\'', '`']);
    (quoted('"') || quoted('\'') || quoted('`')) && !inner.contains(['{', '"', '\'', '`'])
}

/// Whether a handler takes every kind of error. In JavaScript each does.
fn is_broad(handler: &Node<'_>) -> bool {
    let head: String = handler.text().lines().next().unwrap_or_default().to_owned();
    let named = |words: &[&str]| head.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word));
    match handler.kind().as_ref() {
        "catch_clause" if handler.field("parameter").is_some() || !head.contains("Exception") => true,
        "catch_clause" => named(&["Exception", "Throwable", "RuntimeException"]),
        _ => head.trim_end_matches(':').trim() == "except" || named(&["Exception", "BaseException"]),
    }
}

/// Whether a statement inside the guarded block stood in the file before.
fn guards_old_code<'t>(pair: &Pair<'t>, handler: &Node<'t>) -> bool {
    let Some(guarded) = handler.parent().and_then(|whole| whole.field("body")) else { return true };
    let old: Vec<String> = pair.before.nodes.iter().filter(|node| is_statement(node)).map(squeezed).collect();
    guarded.walk().filter(is_statement).any(|node| old.contains(&squeezed(&node)))
}

fn is_statement(node: &Node<'_>) -> bool {
    node.is(&["expression_statement", "return_statement", "lexical_declaration", "variable_declaration"])
        || node.is(&["local_variable_declaration", "call", "call_expression", "method_invocation"])
}
