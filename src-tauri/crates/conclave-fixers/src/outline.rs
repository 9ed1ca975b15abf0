//! The functions and classes of a file, as far as a brief or a finding wants to name one.

use conclave_core::language::Language;

use crate::syntax::{Node, Tree};

const FUNCTIONS: [&str; 8] = [
    "function_definition",
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "method_declaration",
    "constructor_declaration",
];
const CLASSES: [&str; 6] = [
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
fn name(node: &Node<'_>) -> Option<String> {
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
