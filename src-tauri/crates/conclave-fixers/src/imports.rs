//! Adding an import where it is missing.
//!
//! The new line goes after the last import at the top of the file, else after what must stand first. A name that
//! already means something else in the file is never bound again.

use conclave_core::language::Language;
use conclave_core::patch::Edit;

use crate::call::insert;
use crate::source::Source;
use crate::syntax::Node;

/// One import that an edit relies on.
#[derive(Debug, PartialEq)]
pub(crate) struct Import {
    /// The name that the edit uses.
    local: String,
    /// What that name must mean.
    full: String,
    /// The line; JavaScript in the form of an ES module.
    line: String,
}

impl Import {
    /// Reads `import a`, `from a import b` (Python), `import a.b.C;` (Java), `import a from 'm';` or
    /// `import { a } from 'm';` (JavaScript).
    ///
    /// # Errors
    /// In words, when `text` has none of these forms.
    pub fn parse(language: Language, text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an import that can be added");
        let words: Vec<&str> = text.split([' ', ';']).filter(|word| !word.is_empty()).collect();
        let import = |local: &str, full: String| Self { local: local.to_owned(), full, line: text.to_owned() };
        match (language, words.as_slice()) {
            (Language::Python, ["import", module]) if !module.contains('.') => Ok(import(module, (*module).to_owned())),
            (Language::Python, ["from", module, "import", name]) => Ok(import(name, format!("{module}.{name}"))),
            (Language::Java, ["import", path]) => {
                let name = path.rsplit('.').next().ok_or_else(wrong)?;
                Ok(import(name, (*path).to_owned()))
            }
            (Language::JavaScript | Language::TypeScript | Language::Tsx, ["import", rest @ .., "from", module]) => {
                let module = module.trim_matches('\'').trim_start_matches("node:");
                match rest {
                    ["{", name, "}"] => Ok(import(name, format!("{module}.{name}"))),
                    [name] => Ok(import(name, module.to_owned())),
                    _ => Err(wrong()),
                }
            }
            _ => Err(wrong()),
        }
    }

    /// The edit that adds it for a use at `node`; `None` when it is there.
    ///
    /// # Errors
    /// In words, when its name already means something else.
    pub fn edit<'t>(&self, source: &Source<'t>, node: &Node<'t>) -> Result<Option<Edit>, String> {
        let (names, at) = (source.names(), node.range().start);
        let bound = !names.lookup(&self.local, at).is_empty();
        // A name that nothing binds is a global in JavaScript; elsewhere an import of a whole package may bind it.
        let anywhere = bound || matches!(source.language(), Language::Python | Language::Java);
        if anywhere && names.meanings(&self.local, at).contains(&self.full) {
            return Ok(None);
        }
        if bound {
            return Err(format!("the name `{}` already means something else in this file", self.local));
        }
        Ok(Some(place(source, node, &self.line_for(source))))
    }

    /// The line in the module system and with the quotation marks of the file.
    fn line_for(&self, source: &Source<'_>) -> String {
        if matches!(source.language(), Language::Python | Language::Java) {
            return self.line.clone();
        }
        let quote = source.quote();
        let line = if uses_require(source) {
            let module = self.line.split('\'').nth(1).unwrap_or(&self.full).trim_start_matches("node:");
            let what = self.line.trim_start_matches("import ").split(" from ").next().unwrap_or(&self.local);
            format!("const {what} = require('{module}');")
        } else {
            self.line.clone()
        };
        line.replace('\'', &quote.to_string())
    }
}

/// Whether a JavaScript file is a CommonJS module.
pub(crate) fn uses_require(source: &Source<'_>) -> bool {
    let root = source.root();
    let module = root.parts().iter().any(|node| node.is(&["import_statement", "export_statement"]));
    !module && (source.text().contains("require(") || source.text().contains("module.exports"))
}

/// The edit that adds `line` above `node`.
fn place<'t>(source: &Source<'t>, node: &Node<'t>, line: &str) -> Edit {
    let eol = source.eol();
    let root = source.root();
    let mut last_import: Option<Node<'t>> = None;
    let mut header: Option<Node<'t>> = None;
    let mut first: Option<Node<'t>> = None;
    for (index, statement) in root.parts().into_iter().enumerate() {
        if statement.range().end > node.range().start && !statement.is(&["import_declaration"]) {
            first = first.or(Some(statement));
            break;
        }
        if is_import(&statement) {
            last_import = Some(statement);
        } else if first.is_none() && last_import.is_none() && is_header(&statement, index) {
            header = Some(statement);
        } else if statement.is(&[
            "function_definition",
            "class_definition",
            "function_declaration",
            "class_declaration",
        ]) {
            first = first.or(Some(statement));
            break;
        } else {
            first = first.or(Some(statement));
        }
    }
    if let Some(import) = last_import {
        return insert(source.line(import.range().end).end, &format!("{eol}{line}"));
    }
    if let Some(header) = header {
        return insert(source.line(header.range().end).end, &format!("{eol}{eol}{line}"));
    }
    let start = first.map_or(0, |first| source.line(first.range().start).start);
    let start = if start == 0 && source.text().starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start };
    insert(start, &format!("{line}{eol}{eol}"))
}

fn is_import(statement: &Node<'_>) -> bool {
    match statement.kind().as_ref() {
        "import_statement" | "import_from_statement" | "future_import_statement" | "import_declaration" => true,
        "lexical_declaration" | "variable_declaration" => {
            let required =
                |part: &Node<'_>| part.field("value").is_some_and(|value| value.text().starts_with("require("));
            statement.parts().iter().any(required)
        }
        _ => false,
    }
}

/// Whether a statement must stay above the imports: a module's text, `'use strict'`, the package, `#!`.
fn is_header(statement: &Node<'_>, index: usize) -> bool {
    match statement.kind().as_ref() {
        "package_declaration" | "hash_bang_line" => true,
        "expression_statement" if index == 0 || statement.text().trim_matches(['\'', '"', ';']) == "use strict" => {
            statement.parts().first().is_some_and(|inner| inner.is(&["string", "concatenated_string"]))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use conclave_core::patch::splice;

    use super::*;
    use crate::facts::ProjectFacts;
    use crate::syntax::Tree;

    /// Adds `import` for the last node `use` in the file.
    fn check(language: Language, import: &str, before: &str, after: Result<&str, &str>) {
        let (tree, facts) = (Tree::parse(language, before), ProjectFacts::default());
        let source = Source::new(&tree, &facts);
        let root = tree.root();
        let node = root.walk().filter(|node| node.is_named() && node.text() == "used").last().expect("a use");
        let edit = Import::parse(language, import).expect("an import").edit(&source, &node);
        match (edit, after) {
            (Ok(edit), Ok(after)) => {
                let edits: Vec<Edit> = edit.into_iter().collect();
                let text = splice(before.as_bytes(), &edits).expect("one edit");
                assert_eq!(String::from_utf8(text).expect("text"), after);
            }
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
            (found, _) => panic!("{before}: {found:?}"),
        }
    }

    #[test]
    fn python_imports_go_under_the_last_import() {
        for (before, after) in [
            ("import os\n\nused\n", Ok("import os\nimport yaml\n\nused\n")),
            ("import os  # why\nused\n", Ok("import os  # why\nimport yaml\nused\n")),
            ("import yaml\nused\n", Ok("import yaml\nused\n")),
            ("\"\"\"Doc.\"\"\"\n\nused\n", Ok("\"\"\"Doc.\"\"\"\n\nimport yaml\n\nused\n")),
            ("#!/usr/bin/env python\n# why\nused\n", Ok("#!/usr/bin/env python\n# why\nimport yaml\n\nused\n")),
            ("\u{feff}used\n", Ok("\u{feff}import yaml\n\nused\n")),
            ("from __future__ import a\r\nused\r\n", Ok("from __future__ import a\r\nimport yaml\r\nused\r\n")),
            (
                "import os\ndef f():\n    import re\n    used\n",
                Ok("import os\nimport yaml\ndef f():\n    import re\n    used\n"),
            ),
            ("from x import yaml\nused\n", Err("`yaml` already means something else")),
            ("def f(yaml):\n    used\n", Err("`yaml` already means something else")),
        ] {
            check(Language::Python, "import yaml", before, after);
        }
    }

    #[test]
    fn javascript_imports_follow_the_module_system() {
        for (before, after) in [
            ("import a from \"a\";\nused;\n", Ok("import a from \"a\";\nimport crypto from \"node:crypto\";\nused;\n")),
            (
                "const a = require('a');\nused;\n",
                Ok("const a = require('a');\nconst crypto = require('crypto');\nused;\n"),
            ),
            (
                "'use strict';\nmodule.exports = used;\n",
                Ok("'use strict';\n\nconst crypto = require('crypto');\nmodule.exports = used;\n"),
            ),
            ("const crypto = require('node:crypto');\nused;\n", Ok("const crypto = require('node:crypto');\nused;\n")),
            ("const crypto = f();\nused;\n", Err("already means something else")),
        ] {
            check(Language::JavaScript, "import crypto from 'node:crypto';", before, after);
        }
    }

    #[test]
    fn java_imports_follow_the_package() {
        for (before, after) in [
            (
                "package a;\n\nclass A { Object b = used; }\n",
                Ok("package a;\n\nimport b.C;\n\nclass A { Object b = used; }\n"),
            ),
            (
                "import x.Y;\nclass A { Object b = used; }\n",
                Ok("import x.Y;\nimport b.C;\nclass A { Object b = used; }\n"),
            ),
            ("import b.*;\nclass A { Object b = used; }\n", Ok("import b.*;\nclass A { Object b = used; }\n")),
            ("import x.C;\nclass A { Object b = used; }\n", Err("already means something else")),
        ] {
            check(Language::Java, "import b.C;", before, after);
        }
    }
}
