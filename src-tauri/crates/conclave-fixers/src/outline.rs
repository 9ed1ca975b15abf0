//! The functions and classes of a file, as far as a brief or a finding wants to name one.

use conclave_core::language::Language;

use crate::syntax::{Node, Tree};

pub(crate) const FUNCTIONS: [&str; 8] = [
    "function_definition",
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "method_declaration",
    "constructor_declaration",
];
pub(crate) const CLASSES: [&str; 6] = [
    "class_definition",
    "class_declaration",
    "interface_declaration",
    "enum_declaration",
    "record_declaration",
    "abstract_class_declaration",
];

/// First and last line, and the name, of the innermost named function around line `line` (from 1), else of the class.
pub fn enclosing(language: Language, text: &str, line: u32) -> Option<(u32, u32, String)> {
    Outline::of(&Tree::parse(language, text).root()).around(line)
}

/// A part of a file, by lines from 1, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its first line.
    pub first: u32,
    /// Its last line.
    pub last: u32,
    /// The name that it defines.
    pub name: String,
}

/// The named functions of a file, outermost first.
pub fn functions(language: Language, text: &str) -> Vec<Piece> {
    let outline = Outline::of(&Tree::parse(language, text).root());
    let functions = outline.0.into_iter().filter(|entry| entry.is_function);
    functions.map(|Entry { first, last, name, .. }| Piece { first, last, name }).collect()
}

/// The lines in which a file imports something, as first and last line, outermost ones only.
pub fn import_lines(language: Language, text: &str) -> Vec<(u32, u32)> {
    const IMPORTS: [&str; 5] = [
        "import_statement",
        "import_from_statement",
        "future_import_statement",
        "import_declaration",
        "package_declaration",
    ];
    let tree = Tree::parse(language, text);
    let is_require = |node: &Node<'_>| {
        node.is(&["lexical_declaration", "variable_declaration"])
            && node.walk().any(|part| part.is(&["call_expression"]) && part.text().starts_with("require("))
    };
    tree.root().children().iter().filter(|node| node.is(&IMPORTS) || is_require(node)).map(Node::lines).collect()
}

/// The names of what is called in lines `first` to `last`, each once, in order: the last name of a dotted one.
pub fn called(language: Language, text: &str, (first, last): (u32, u32)) -> Vec<String> {
    let tree = Tree::parse(language, text);
    let mut names: Vec<String> = Vec::new();
    for node in tree.root().walk() {
        if !node.is(&["call", "call_expression", "method_invocation"])
            || node.lines().0 < first
            || node.lines().1 > last
        {
            continue;
        }
        let Some(callee) = node.field("function").or_else(|| node.field("name")) else { continue };
        let name = callee.text();
        let name = name.rsplit('.').next().unwrap_or_default().trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
        if is_name && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The named functions and classes of a file, outermost first.
pub(crate) struct Outline(Vec<Entry>);

struct Entry {
    first: u32,
    last: u32,
    name: String,
    is_function: bool,
}

impl Outline {
    pub fn of(root: &Node<'_>) -> Self {
        let mut entries = Vec::new();
        for node in root.walk() {
            let is_function = node.is(&FUNCTIONS);
            if !is_function && !node.is(&CLASSES) {
                continue;
            }
            let decorated = node.parent().filter(|parent| parent.is(&["decorated_definition"]));
            let (first, last) = decorated.as_ref().unwrap_or(&node).lines();
            entries.extend(name(&node).map(|name| Entry { first, last, name, is_function }));
        }
        Self(entries)
    }

    /// See [`enclosing`].
    pub fn around(&self, line: u32) -> Option<(u32, u32, String)> {
        let inside = || self.0.iter().rev().filter(|entry| entry.first <= line && line <= entry.last);
        let innermost = inside().find(|entry| entry.is_function).or_else(|| inside().next())?;
        Some((innermost.first, innermost.last, innermost.name.clone()))
    }
}

/// The name of a function or class; for an arrow function that of the variable or property that holds it.
pub(crate) fn name(node: &Node<'_>) -> Option<String> {
    let own = node.field("name");
    let held = || {
        let parent = node.parent()?;
        let holder = parent.is(&["variable_declarator", "pair", "public_field_definition", "field_definition"]);
        holder.then(|| parent.field("name").or_else(|| parent.field("key")).or_else(|| parent.field("property")))?
    };
    own.or_else(held).map(|name| name.text().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_and_calls_are_found() {
        let python = "import os\nfrom .db import (\n    run,\n)\n\ndef f(x):\n    import late\n    return os.path.join(run(x), g(x)(1))\n";
        let javascript =
            "const { a } = require('./a');\nimport b from './b.js';\nlet c = 1;\nfunction f() { a(); b.c.d(); }\n";
        let java = "package p;\nimport java.util.List;\nclass A { void f() { g(); this.h(1); } }\n";
        for (language, text, imports, calls) in [
            (Language::Python, python, vec![(1, 1), (2, 4)], vec!["join", "run", "g"]),
            (Language::JavaScript, javascript, vec![(1, 1), (2, 2)], vec!["a", "d"]),
            (Language::Java, java, vec![(1, 1), (2, 2)], vec!["g", "h"]),
        ] {
            assert_eq!(import_lines(language, text), imports, "{language:?}");
            let at = functions(language, text).first().map(|piece| (piece.first, piece.last)).expect("a function");
            assert_eq!(called(language, text, at), calls, "{language:?}");
        }
    }

    #[test]
    fn the_innermost_named_function_is_found() {
        let python = "import a\n\nclass B:\n    c = 1\n\n    @d\n    def e(self):\n        def f():\n            pass\n        return f\n";
        let javascript =
            "const a = () => {\n  b(function () {\n    c();\n  });\n};\nclass D {\n  e() {\n    f();\n  }\n}\n";
        let java = "class A {\n  int b;\n  void c() {\n    d();\n  }\n}\n";
        for (language, text, line, expect) in [
            (Language::Python, python, 1, None),
            (Language::Python, python, 4, Some((3, 10, "B"))),
            (Language::Python, python, 6, Some((6, 10, "e"))),
            (Language::Python, python, 9, Some((8, 9, "f"))),
            (Language::Python, python, 10, Some((6, 10, "e"))),
            (Language::JavaScript, javascript, 3, Some((1, 5, "a"))),
            (Language::JavaScript, javascript, 8, Some((7, 9, "e"))),
            (Language::Java, java, 2, Some((1, 6, "A"))),
            (Language::Java, java, 4, Some((3, 5, "c"))),
        ] {
            let found = enclosing(language, text, line);
            assert_eq!(found.as_ref().map(|(a, b, name)| (*a, *b, name.as_str())), expect, "{language:?} {line}");
        }
    }
}
