//! A name is used that stands nowhere: a missing import, or a helper that was never written.

use std::collections::BTreeSet;

use conclave_core::language::Language;
use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side};
use crate::syntax::Node;

const PYTHON: &str = include_str!("words/python_builtins.txt");
const JAVASCRIPT: &str = include_str!("words/javascript_globals.txt");
/// Classes of Java's own packages, each line a package and its classes.
const JAVA: &str = include_str!("words/java_classes.txt");

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let was: BTreeSet<String> =
        unbound(&pair.before, pair.language).into_iter().map(|node| node.text().into_owned()).collect();
    let words: BTreeSet<&str> =
        pair.before.code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').collect();
    let bound_before = |name: &str| {
        let root = pair.before.source.root();
        !pair.before.source.names().lookup(name, root.range().end.saturating_sub(1)).is_empty()
    };
    let mut seen = BTreeSet::new();
    let mut smells = Vec::new();
    for node in unbound(&pair.after, pair.language) {
        let name = node.text().into_owned();
        // What stood in the file, bound or not, is not the fix's affair, unless the fix took its meaning away.
        let own = !was.contains(&name) && (!words.contains(name.as_str()) || bound_before(&name));
        if own && seen.insert(name.clone()) {
            smells.push(pair.smell(SmellKind::UnknownName, node, &format!("`{name}` stands nowhere")));
        }
    }
    smells
}

/// The uses of names that neither the file nor the language gives a meaning.
fn unbound<'s, 't>(side: &'s Side<'t>, language: Language) -> Vec<&'s Node<'t>> {
    let has = |list: &str, name: &str| list.split_whitespace().any(|word| word == name);
    let names = side.source.names();
    let free = |node: &Node<'t>| names.lookup(&node.text(), node.range().start).is_empty();
    match language {
        Language::Python => {
            if side.of_kind(&["wildcard_import"]).next().is_some() {
                return Vec::new();
            }
            // Names of a class body are not followed; a name that is given anywhere has a meaning.
            let given: BTreeSet<String> =
                side.nodes.iter().filter(|node| gives(node)).map(|node| node.text().into_owned()).collect();
            let used = side.of_kind(&["identifier"]).filter(|node| is_use(node));
            used.filter(|node| free(node) && !has(PYTHON, &node.text()) && !given.contains(node.text().as_ref()))
                .collect()
        }
        Language::Java => {
            let classes = side.of_kind(&["type_identifier"]).filter(|node| free(node));
            classes.filter(|node| is_unimported(side, &node.text())).collect()
        }
        _ => {
            let used = side.of_kind(&["identifier"]).filter(|node| is_use(node));
            used.filter(|node| free(node) && !has(JAVASCRIPT, &node.text())).collect()
        }
    }
}

/// Whether an identifier is the target of an assignment or names a thing that is defined.
fn gives(node: &Node<'_>) -> bool {
    let Some(parent) = node.parent().filter(|_| node.is(&["identifier"])) else { return false };
    let is = |field: &str| parent.field(field).is_some_and(|part| part == *node);
    match parent.kind().as_ref() {
        "assignment" | "for_statement" | "for_in_clause" | "augmented_assignment" => is("left"),
        "pattern_list" | "tuple_pattern" | "as_pattern_target" | "list_splat_pattern" | "case_pattern"
        | "global_statement" => true,
        "function_definition" | "class_definition" | "named_expression" => is("name"),
        _ => false,
    }
}

/// Whether an identifier is read, not the name of a member, a keyword, a label or a parameter.
fn is_use(node: &Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    let is = |field: &str| parent.field(field).is_some_and(|part| part == *node);
    match parent.kind().as_ref() {
        "attribute" => is("object"),
        "keyword_argument" => is("value"),
        "dotted_name"
        | "aliased_import"
        | "import_specifier"
        | "namespace_import"
        | "import_clause"
        | "export_specifier"
        | "parameters"
        | "lambda_parameters"
        | "formal_parameters"
        | "required_parameter"
        | "optional_parameter"
        | "global_statement"
        | "nonlocal_statement"
        | "labeled_statement"
        | "type"
        | "keyword_separator"
        | "class_heritage"
        | "case_pattern"
        | "pattern_list"
        | "tuple_pattern"
        | "jsx_opening_element"
        | "jsx_closing_element"
        | "jsx_self_closing_element"
        | "enum_declaration"
        | "enum_assignment"
        | "internal_module" => false,
        "default_parameter" | "typed_default_parameter" | "typed_parameter" => is("value"),
        "function_definition"
        | "class_definition"
        | "function_declaration"
        | "class_declaration"
        | "variable_declarator"
        | "function_expression"
        | "generator_function_declaration"
        | "class" => !is("name"),
        "assignment" | "for_statement" | "for_in_clause" | "augmented_assignment" | "assignment_expression" => {
            !is("left")
        }
        "catch_clause" => !is("parameter"),
        "arrow_function" => !is("parameter"),
        _ => true,
    }
}

/// Whether a class of Java's own packages is used without its import.
fn is_unimported(side: &Side<'_>, class: &str) -> bool {
    let package = JAVA.lines().find_map(|line| {
        let (package, classes) = line.split_once(": ")?;
        classes.split_whitespace().any(|word| word == class).then_some(package)
    });
    let imports: Vec<&str> = side.source.names().imports().collect();
    package.is_some_and(|package| {
        !imports.contains(&package) && !imports.iter().any(|import| import.ends_with(&format!(".{class}")))
    })
}
