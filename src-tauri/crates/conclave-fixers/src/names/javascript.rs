//! Bindings of a JavaScript or TypeScript file.

use super::{Bound, Names, Scope, Scopes};
use crate::syntax::{Node, Tree};

pub(super) fn collect<'t>(tree: &'t Tree, names: &mut Names<'t>) {
    let root = tree.root();
    let mut scopes = Scopes::new(&root);
    for node in root.walk() {
        scopes.advance(&node);
        match node.kind().as_ref() {
            "import_statement" => import(&node, &scopes, names),
            "variable_declarator" => declarator(&node, &scopes, names),
            "assignment_expression" | "augmented_assignment_expression" => {
                if let Some(left) = node.field("left").filter(|left| left.is(&["identifier"])) {
                    let value = node.field("right");
                    names.add(&left, scopes.root(), false, Bound::Local { kind: None, value });
                }
            }
            "function_declaration" | "generator_function_declaration" | "class_declaration" => {
                if let Some(name) = node.field("name") {
                    names.add(&name, scopes.innermost().0, true, Bound::OTHER);
                }
                function(&node, &mut scopes, names);
            }
            "function_expression" | "generator_function" | "arrow_function" | "method_definition" => {
                function(&node, &mut scopes, names);
            }
            "statement_block" | "for_statement" | "switch_body" => scopes.enter(&node, Scope::Block),
            "catch_clause" | "for_in_statement" => {
                scopes.enter(&node, Scope::Block);
                let bound = node.field("parameter").or_else(|| node.field("left"));
                for name in bound.iter().flat_map(pattern_names) {
                    names.add(&name, node.range(), true, Bound::OTHER);
                }
            }
            _ => {}
        }
    }
}

fn function<'t>(node: &Node<'t>, scopes: &mut Scopes, names: &mut Names<'t>) {
    let list = node.field("parameters").map(|list| list.parts()).unwrap_or_default();
    for parameter in list.into_iter().chain(node.field("parameter")) {
        let kind = parameter.field("type");
        for name in pattern_names(&parameter) {
            names.add(&name, node.range(), true, Bound::Local { kind: kind.clone(), value: None });
        }
    }
    scopes.enter(node, Scope::Function);
}

/// The names that a pattern binds.
fn pattern_names<'t>(pattern: &Node<'t>) -> Vec<Node<'t>> {
    let (mut open, mut found) = (vec![pattern.clone()], Vec::new());
    while let Some(node) = open.pop() {
        match node.kind().as_ref() {
            "identifier" | "shorthand_property_identifier_pattern" => found.push(node),
            "required_parameter" | "optional_parameter" => open.extend(node.field("pattern")),
            "assignment_pattern" | "object_assignment_pattern" => open.extend(node.field("left")),
            "pair_pattern" => open.extend(node.field("value")),
            "object_pattern" | "array_pattern" | "rest_pattern" => open.extend(node.parts()),
            _ => {}
        }
    }
    found
}

fn declarator<'t>(node: &Node<'t>, scopes: &Scopes, names: &mut Names<'t>) {
    let Some(name) = node.field("name") else { return };
    let is_var = node.parent().is_some_and(|parent| parent.is(&["variable_declaration"]));
    let scope = if is_var { scopes.function() } else { scopes.innermost().0 };
    let value = node.field("value");
    if name.is(&["identifier"]) {
        let bound = match value.as_ref().and_then(required) {
            Some(module) => Bound::Import(module),
            None => Bound::Local { kind: node.field("type"), value },
        };
        names.add(&name, scope, true, bound);
        return;
    }
    for part in name.parts() {
        let member = match part.kind().as_ref() {
            "shorthand_property_identifier_pattern" => Some((part.clone(), part.text().into_owned())),
            "pair_pattern" => match (part.field("key"), part.field("value").filter(|v| v.is(&["identifier"]))) {
                (Some(key), Some(local)) => Some((local, key.text().into_owned())),
                _ => None,
            },
            _ => None,
        };
        match (member, &value) {
            (Some((local, key)), Some(value)) if name.is(&["object_pattern"]) => {
                let bound = match required(value) {
                    Some(module) => Bound::Import(format!("{module}.{key}")),
                    None => Bound::Member(value.clone(), key),
                };
                names.add(&local, scope.clone(), true, bound);
            }
            _ => {
                for local in pattern_names(&part) {
                    names.add(&local, scope.clone(), true, Bound::OTHER);
                }
            }
        }
    }
}

/// The module that `require('m')`, `require('m').member` or `await import('m')` gives.
pub(super) fn required(node: &Node<'_>) -> Option<String> {
    match node.kind().as_ref() {
        "await_expression" => required(node.parts().first()?),
        "member_expression" => {
            let module = required(&node.field("object")?)?;
            Some(format!("{module}.{}", node.field("property")?.text()))
        }
        "call_expression" => {
            let function = node.field("function")?;
            if !matches!(function.text().as_ref(), "require" | "import") {
                return None;
            }
            module_of(node.field("arguments")?.parts().first()?)
        }
        _ => None,
    }
}

/// The module that a string literal names; `node:fs` is `fs`.
fn module_of(literal: &Node<'_>) -> Option<String> {
    let text = literal.text();
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    literal.is(&["string"]).then(|| inner.strip_prefix("node:").unwrap_or(inner).to_owned())
}

fn import<'t>(statement: &Node<'t>, scopes: &Scopes, names: &mut Names<'t>) {
    if let Some(clause) = statement.parts().into_iter().find(|part| part.is(&["import_require_clause"])) {
        let parts = clause.parts();
        if let (Some(name), Some(module)) = (parts.first(), parts.last().and_then(module_of)) {
            names.add(name, scopes.root(), true, Bound::Import(module));
        }
        return;
    }
    let Some(module) = statement.field("source").as_ref().and_then(module_of) else { return };
    for node in statement.walk() {
        match node.kind().as_ref() {
            "import_specifier" => {
                let Some(name) = node.field("name") else { continue };
                let local = node.field("alias").unwrap_or_else(|| name.clone());
                let full = if name.text() == "default" { module.clone() } else { format!("{module}.{}", name.text()) };
                names.add(&local, scopes.root(), true, Bound::Import(full));
            }
            "import_clause" | "namespace_import" => {
                for name in node.parts().iter().filter(|part| part.is(&["identifier"])) {
                    names.add(name, scopes.root(), true, Bound::Import(module.clone()));
                }
            }
            _ => {}
        }
    }
}
