//! What the code did is gone: a body became a constant, a function ends early for everybody, code became a remark.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side, gained, short, squeezed};
use super::swallowed_error::is_constant;
use crate::syntax::Node;

const FUNCTIONS: [&str; 8] = [
    "function_definition",
    "function_declaration",
    "function_expression",
    "generator_function_declaration",
    "arrow_function",
    "method_definition",
    "method_declaration",
    "constructor_declaration",
];
const EXITS: [&str; 4] = ["return_statement", "raise_statement", "throw_statement", "break_statement"];
/// Calls that only build a text or turn a value into another one.
const BUILDS: [&str; 16] = [
    "str", "int", "repr", "format", "join", "String", "Number", "toString", "concat", "valueOf", "encode", "decode",
    "strip", "trim", "lower", "upper",
];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells = Vec::new();
    smells.extend(constant_bodies(pair));
    smells.extend(early_ends(pair));
    smells.extend(constant_results(pair));
    smells.extend(remarks(pair));
    smells.extend(nothing_instead(pair));
    smells
}

/// The functions of a text by name and number, with their bodies.
fn functions<'s, 't>(side: &'s Side<'t>) -> Vec<(String, Node<'t>)> {
    let mut found: Vec<(String, Node<'t>)> = Vec::new();
    for function in side.of_kind(&FUNCTIONS) {
        let Some(body) = function.field("body") else { continue };
        let name = side.function_name(&body);
        found.push((name, body));
    }
    found
}

fn constant_bodies(pair: &Pair<'_>) -> Vec<Smell> {
    let before = functions(&pair.before);
    let mut smells = Vec::new();
    for (name, body) in functions(&pair.after) {
        let Some((_, was)) = before.iter().find(|(other, _)| *other == name) else { continue };
        if pair.after.is_changed(&body) && is_idle(&body) && !is_idle(was) {
            smells.push(pair.smell(
                SmellKind::FeatureRemoved,
                &body,
                &format!("the body of `{name}` does nothing any more"),
            ));
        }
    }
    smells
}

/// Whether a body does nothing but give back something fixed, or refuse.
fn is_idle(body: &Node<'_>) -> bool {
    let statements = match body.is(&["block", "statement_block", "constructor_body"]) {
        true => body.parts(),
        false => return is_constant(body),
    };
    statements.iter().all(|statement| match statement.kind().as_ref() {
        "pass_statement" => true,
        "return_statement" => statement.parts().first().is_none_or(is_constant),
        "raise_statement" | "throw_statement" => true,
        "expression_statement" => statement.parts().first().is_some_and(is_constant),
        _ => false,
    })
}

/// An exit that comes for everybody and leaves code behind it that nobody reaches.
fn early_ends(pair: &Pair<'_>) -> Vec<Smell> {
    let ends = |side: &Side<'_>| {
        side.counts(|node| {
            let exit = node.is(&EXITS) || is_exit_for_all(node);
            let block = node
                .parent()
                .filter(|parent| parent.is(&["block", "statement_block", "constructor_body", "program", "module"]))?;
            let last = block.parts().last().is_some_and(|last| last.range() == node.range());
            (exit && !last && side.source.function(node).is_some()).then(|| side.function_name(node))
        })
    };
    let new = gained(&ends(&pair.before), &ends(&pair.after));
    new.iter()
        .map(|(name, _)| {
            pair.gone(
                SmellKind::FeatureRemoved,
                &format!("`{name}` ends early for everybody; the code behind is never reached"),
            )
        })
        .collect()
}

/// `if True: return`.
fn is_exit_for_all(node: &Node<'_>) -> bool {
    let condition = node.field("condition").filter(|_| node.is(&["if_statement"]));
    let always = condition.is_some_and(|condition| {
        matches!(condition.text().trim_matches(['(', ')']), "True" | "true" | "1" | "not False" | "!false" | "1 == 1")
    });
    always && node.walk().any(|inner| inner.is(&EXITS))
}

/// Results that were worked out and are fixed now.
fn constant_results(pair: &Pair<'_>) -> Vec<Smell> {
    let results = |side: &Side<'_>, constant: bool| {
        side.counts(|node| {
            let value = node.is(&["return_statement"]).then(|| node.parts().into_iter().next())??;
            (is_constant(&value) == constant).then(|| side.function_name(node))
        })
    };
    let fixed = gained(&results(&pair.before, true), &results(&pair.after, true));
    let worked = gained(&results(&pair.after, false), &results(&pair.before, false));
    let both = fixed.iter().filter(|(name, _)| worked.iter().any(|(other, _)| other == name));
    both.map(|(name, _)| pair.gone(SmellKind::FeatureRemoved, &format!("`{name}` gives back something fixed")))
        .collect()
}

/// Code that stands in a comment now.
fn remarks(pair: &Pair<'_>) -> Option<Smell> {
    let comments = |side: &Side<'_>| {
        side.counts(|node| {
            node.kind().contains("comment").then(|| {
                let text = squeezed(node);
                text.trim_start_matches(['/', '*', '#', ' ']).trim_end_matches(['/', '*', ' ', ';']).to_owned()
            })
        })
    };
    let new = gained(&comments(&pair.before), &comments(&pair.after));
    let lines: Vec<String> =
        pair.before.code.lines().map(|line| line.trim().trim_end_matches(';').to_owned()).collect();
    let left = |line: &String| pair.after.code.lines().any(|other| other.trim().trim_end_matches(';') == line);
    let code = new.iter().find(|(text, _)| text.len() > 3 && lines.contains(text) && !left(text))?;
    Some(pair.gone(SmellKind::FeatureRemoved, &format!("`{}` became a remark", short(&code.0))))
}

/// The reported call is gone and nothing is done in its place.
fn nothing_instead(pair: &Pair<'_>) -> Option<Smell> {
    let reported: Vec<_> = pair.before.calls.iter().filter(|site| pair.is_reported(&site.node)).collect();
    let names = |side: &Side<'_>| {
        let mut counts = super::pair::Counts::new();
        // A refusal is nothing that is done instead.
        let refuses = |site: &super::pair::Site<'_>| {
            site.node.parent().is_some_and(|parent| parent.is(&["raise_statement", "throw_statement"]))
        };
        for site in side.calls.iter().filter(|site| !refuses(site)) {
            *counts.entry(site.name.clone()).or_default() += 1;
        }
        counts
    };
    let (was, is) = (names(&pair.before), names(&pair.after));
    let acts = |site: &&&super::pair::Site<'_>| !BUILDS.contains(&site.name.as_str());
    let gone = reported.iter().filter(acts).find(|site| {
        is.get(&site.name).copied().unwrap_or_default() < was.get(&site.name).copied().unwrap_or_default()
    })?;
    let new_call = !gained(&was, &is).is_empty();
    let works = pair.after.nodes.iter().any(|node| {
        node.is(&[
            "assignment",
            "assignment_expression",
            "binary_operator",
            "binary_expression",
            "list",
            "array",
            "template_string",
        ]) && pair.after.is_changed(node)
    });
    (!new_call && !works).then(|| {
        pair.gone(
            SmellKind::FeatureRemoved,
            &format!("`{}` is no longer called and nothing is done instead", short(&gone.written)),
        )
    })
}
