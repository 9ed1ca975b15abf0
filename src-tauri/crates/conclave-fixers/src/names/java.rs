//! Bindings of a Java file.

use super::{Bound, Names, Scope, Scopes};
use crate::syntax::{Node, Tree};

const SCOPES: [&str; 12] = [
    "block",
    "constructor_body",
    "method_declaration",
    "constructor_declaration",
    "lambda_expression",
    "for_statement",
    "enhanced_for_statement",
    "try_with_resources_statement",
    "catch_clause",
    "class_body",
    "interface_body",
    "enum_body",
];

pub(super) fn collect<'t>(tree: &'t Tree, names: &mut Names<'t>) {
    let root = tree.root();
    let mut scopes = Scopes::new(&root);
    for node in root.walk() {
        scopes.advance(&node);
        if node.is(&SCOPES) {
            scopes.enter(&node, Scope::Block);
        }
        match node.kind().as_ref() {
            "import_declaration" => import(&node, &scopes, names),
            "class_declaration" | "interface_declaration" | "enum_declaration" | "record_declaration" => {
                if let Some(name) = node.field("name") {
                    names.add(&name, scopes.root(), true, Bound::OTHER);
                }
            }
            "local_variable_declaration" | "field_declaration" => {
                let kind = node.field("type");
                for declarator in node.parts().iter().filter(|part| part.is(&["variable_declarator"])) {
                    variable(declarator, kind.clone(), &scopes, names);
                }
            }
            "formal_parameter" | "catch_formal_parameter" | "resource" | "enhanced_for_statement" => {
                variable(&node, node.field("type"), &scopes, names);
            }
            "inferred_parameters" => {
                for name in node.parts() {
                    names.add(&name, scopes.innermost().0, true, Bound::OTHER);
                }
            }
            "assignment_expression" | "update_expression" => {
                let target = node.field("left").or_else(|| node.parts().into_iter().next());
                if let Some(name) = target.filter(|target| target.is(&["identifier"])) {
                    names.add(&name, scopes.root(), false, Bound::OTHER);
                }
            }
            _ => {}
        }
    }
}

fn variable<'t>(node: &Node<'t>, kind: Option<Node<'t>>, scopes: &Scopes, names: &mut Names<'t>) {
    // The field `value` of a loop over a collection is the collection.
    let value = if node.is(&["enhanced_for_statement"]) { None } else { node.field("value") };
    if let Some(name) = node.field("name") {
        names.add(&name, scopes.innermost().0, true, Bound::Local { kind, value });
    }
}

fn import<'t>(statement: &Node<'t>, scopes: &Scopes, names: &mut Names<'t>) {
    let parts = statement.parts();
    let Some(path) = parts.first() else { return };
    if parts.iter().any(|part| part.is(&["asterisk"])) {
        names.stars.push(path.text().into_owned());
    } else if let Some(name) = path.field("name") {
        names.add(&name, scopes.root(), true, Bound::Import(path.text().into_owned()));
    }
}
