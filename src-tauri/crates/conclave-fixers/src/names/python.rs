//! Bindings of a Python file.

use super::{Bound, Names, Scope, Scopes};
use crate::syntax::{Node, Tree};

pub(super) fn collect<'t>(tree: &'t Tree, names: &mut Names<'t>) {
    let root = tree.root();
    let mut scopes = Scopes::new(&root);
    for node in root.walk() {
        scopes.advance(&node);
        match node.kind().as_ref() {
            "import_statement" => import(&node, &scopes, names),
            "import_from_statement" => import_from(&node, &scopes, names),
            "assignment" => targets(node.field("left"), node.field("right"), &scopes, names),
            "augmented_assignment" | "for_statement" => targets(node.field("left"), None, &scopes, names),
            "named_expression" => targets(node.field("name"), None, &scopes, names),
            "as_pattern" => targets(node.field("alias"), node.parts().into_iter().next(), &scopes, names),
            "for_in_clause" => {
                if let (Some(left), Some(comprehension)) = (node.field("left"), node.parent()) {
                    for name in identifiers(&left) {
                        names.add(&name, comprehension.range(), true, Bound::OTHER);
                    }
                }
            }
            "function_definition" => {
                bind(node.field("name"), &scopes, names, Bound::OTHER);
                parameters(&node, names);
                scopes.enter(&node, Scope::Function);
            }
            "lambda" => {
                parameters(&node, names);
                scopes.enter(&node, Scope::Function);
            }
            "class_definition" => {
                bind(node.field("name"), &scopes, names, Bound::OTHER);
                scopes.enter(&node, Scope::Class);
            }
            // The name means the module's, and somebody else assigns it there.
            "global_statement" => {
                for name in node.parts() {
                    names.add(&name, scopes.root(), true, Bound::OTHER);
                }
            }
            _ => {}
        }
    }
}

fn bind<'t>(name: Option<Node<'t>>, scopes: &Scopes, names: &mut Names<'t>, bound: Bound<'t>) {
    if let (Some(name), (scope, Scope::Function)) = (name, scopes.innermost()) {
        names.add(&name, scope, true, bound);
    }
}

fn targets<'t>(target: Option<Node<'t>>, value: Option<Node<'t>>, scopes: &Scopes, names: &mut Names<'t>) {
    let Some(target) = target else { return };
    let whole = target.is(&["identifier", "as_pattern_target"]);
    for name in identifiers(&target) {
        let value = if whole { value.clone() } else { None };
        bind(Some(name), scopes, names, Bound::Local { kind: None, value });
    }
}

/// The plain names in an assignment target; `a.b` and `a[b]` bind nothing.
fn identifiers<'t>(target: &Node<'t>) -> Vec<Node<'t>> {
    let (mut open, mut found) = (vec![target.clone()], Vec::new());
    while let Some(node) = open.pop() {
        match node.kind().as_ref() {
            "identifier" => found.push(node),
            "attribute" | "subscript" => {}
            _ => open.extend(node.parts()),
        }
    }
    found
}

fn parameters<'t>(function: &Node<'t>, names: &mut Names<'t>) {
    for parameter in function.field("parameters").map(|list| list.parts()).unwrap_or_default() {
        let name = match parameter.kind().as_ref() {
            "identifier" => Some(parameter.clone()),
            "default_parameter" | "typed_default_parameter" => parameter.field("name"),
            _ => parameter.walk().find(|node| node.is(&["identifier"])),
        };
        if let Some(name) = name {
            names.add(&name, function.range(), true, Bound::Local { kind: parameter.field("type"), value: None });
        }
    }
}

fn import<'t>(statement: &Node<'t>, scopes: &Scopes, names: &mut Names<'t>) {
    for item in statement.parts() {
        if let (Some(name), Some(alias)) = (item.field("name"), item.field("alias")) {
            bind(Some(alias), scopes, names, Bound::Import(name.text().into_owned()));
        } else if let Some(first) = item.parts().first() {
            bind(Some(first.clone()), scopes, names, Bound::Import(first.text().into_owned()));
        }
    }
}

fn import_from<'t>(statement: &Node<'t>, scopes: &Scopes, names: &mut Names<'t>) {
    let Some(module) = statement.field("module_name") else { return };
    let path = module.text();
    for item in statement.parts() {
        if item == module {
            continue;
        }
        if item.is(&["wildcard_import"]) {
            names.stars.push(path.clone().into_owned());
        } else if let (Some(name), Some(alias)) = (item.field("name"), item.field("alias")) {
            bind(Some(alias), scopes, names, Bound::Import(format!("{path}.{}", name.text())));
        } else if let Some(name) = item.parts().first() {
            bind(Some(name.clone()), scopes, names, Bound::Import(format!("{path}.{}", name.text())));
        }
    }
}
