//! Callers of a function would have to change with it.

use std::collections::BTreeMap;

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side, squeezed};
use crate::syntax::Node;

const FUNCTIONS: [&str; 7] = [
    "function_definition",
    "function_declaration",
    "generator_function_declaration",
    "method_definition",
    "method_declaration",
    "constructor_declaration",
    "arrow_function",
];

struct Signature {
    parameters: Vec<Parameter>,
    is_async: bool,
    result: Option<String>,
}

#[derive(PartialEq)]
struct Parameter {
    name: String,
    optional: bool,
}

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let (before, after) = (signatures(&pair.before), signatures(&pair.after));
    let mut smells = Vec::new();
    for (name, was) in &before {
        let Some(is) = after.get(name) else { continue };
        if let Some(what) = differs(was, is) {
            smells.push(pair.gone(SmellKind::SignatureChanged, &format!("`{name}` {what}")));
        }
    }
    smells
}

/// The signatures of a text by name; a name that stands twice tells nothing and is left out.
fn signatures(side: &Side<'_>) -> BTreeMap<String, Signature> {
    let mut found: BTreeMap<String, Option<Signature>> = BTreeMap::new();
    for function in side.of_kind(&FUNCTIONS) {
        let Some(body) = function.field("body") else { continue };
        let name = side.function_name(&body);
        if name.is_empty() {
            continue;
        }
        let list = function.field("parameters").map(|list| list.parts()).unwrap_or_default();
        let signature = Signature {
            parameters: list.iter().chain(function.field("parameter").iter()).map(parameter).collect(),
            is_async: function.children().first().is_some_and(|first| first.text() == "async"),
            result: function.field("return_type").or_else(|| function.field("type")).map(|kind| squeezed(&kind)),
        };
        found.entry(name).and_modify(|twice| *twice = None).or_insert(Some(signature));
    }
    found.into_iter().filter_map(|(name, signature)| Some((name, signature?))).collect()
}

fn parameter(node: &Node<'_>) -> Parameter {
    let name = node.field("name").or_else(|| node.field("pattern")).or_else(|| node.field("left"));
    let optional = node.is(&[
        "default_parameter",
        "typed_default_parameter",
        "assignment_pattern",
        "optional_parameter",
        "list_splat_pattern",
        "dictionary_splat_pattern",
        "rest_pattern",
        "spread_parameter",
        "keyword_separator",
    ]) || node.field("value").is_some();
    let plain = name.or_else(|| node.walk().find(|part| part.is(&["identifier"])));
    Parameter { name: plain.map_or_else(|| squeezed(node), |name| name.text().into_owned()), optional }
}

fn differs(was: &Signature, is: &Signature) -> Option<&'static str> {
    if was.is_async != is.is_async {
        return Some(if is.is_async { "became asynchronous" } else { "is no longer asynchronous" });
    }
    let kept = was.parameters.iter().zip(&is.parameters).all(|(a, b)| a.name == b.name && (!a.optional || b.optional));
    if is.parameters.len() < was.parameters.len() {
        return Some("takes fewer parameters");
    }
    if !kept {
        return Some("takes other parameters");
    }
    if is.parameters[was.parameters.len()..].iter().any(|parameter| !parameter.optional) {
        return Some("needs one more parameter");
    }
    (was.result.is_some() && is.result.is_some() && was.result != is.result).then_some("gives back another type")
}
