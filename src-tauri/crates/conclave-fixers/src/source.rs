//! One parsed file with what is known around it, as guards and edits see it.

use std::cell::OnceCell;

use conclave_core::language::Language;

use crate::facts::ProjectFacts;
use crate::names::Names;
use crate::syntax::{Node, Tree};

const BLOCKS: [&str; 8] = [
    "module",
    "block",
    "program",
    "statement_block",
    "switch_case",
    "switch_default",
    "constructor_body",
    "switch_block_statement_group",
];
/// Functions without a statement of their own.
const LAMBDAS: [&str; 3] = ["lambda", "lambda_expression", "arrow_function"];
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

/// A file, its names and the facts of its project.
pub(crate) struct Source<'t> {
    tree: &'t Tree,
    names: OnceCell<Names<'t>>,
    /// What the manifests say.
    pub facts: &'t ProjectFacts,
}

impl<'t> Source<'t> {
    pub fn new(tree: &'t Tree, facts: &'t ProjectFacts) -> Self {
        Self { tree, names: OnceCell::new(), facts }
    }

    pub fn root(&self) -> Node<'t> {
        self.tree.root()
    }

    pub fn text(&self) -> &'t str {
        self.tree.text()
    }

    pub fn language(&self) -> Language {
        self.tree.language()
    }

    pub fn names(&self) -> &Names<'t> {
        self.names.get_or_init(|| Names::of(self.tree))
    }

    /// The line ending of the file: that of its first line.
    pub fn eol(&self) -> &'static str {
        match self.text().split_once('\n') {
            Some((line, _)) if line.ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// The bytes of the line around byte `at`, without its ending.
    pub fn line(&self, at: usize) -> std::ops::Range<usize> {
        let text = self.text();
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        start..if text[start..end].ends_with('\r') { end - 1 } else { end }
    }

    /// The blanks that the line around byte `at` begins with.
    pub fn indent(&self, at: usize) -> &'t str {
        let line = &self.text()[self.line(at)];
        &line[..line.len() - line.trim_start().len()]
    }

    /// The statement around `node`, when it stands directly in a block, so that another one may stand beside it.
    pub fn statement(&self, node: &Node<'t>) -> Option<Node<'t>> {
        let statement = std::iter::once(node.clone()).chain(node.ancestors()).find(|around| {
            around.kind().ends_with("_statement") || around.kind().ends_with("_declaration") || around.is(&LAMBDAS)
        })?;
        statement.parent().is_some_and(|parent| parent.is(&BLOCKS)).then_some(statement)
    }

    /// The bytes of a statement, with its lines where nothing else stands on them.
    pub fn room_of(&self, statement: &Node<'t>) -> std::ops::Range<usize> {
        let own = statement.range();
        let text = self.text();
        let (start, end) = (self.line(own.start).start, self.line(own.end).end);
        let alone = text[start..own.start].trim().is_empty() && text[own.end..end].trim().is_empty();
        if !alone {
            return own;
        }
        start..text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1)
    }

    /// The innermost function around `node`.
    pub fn function(&self, node: &Node<'t>) -> Option<Node<'t>> {
        node.ancestors().find(|around| around.is(&FUNCTIONS))
    }

    /// Whether `node` stands in the block of `outer`, or in a block inside that, so that it runs only after `outer`.
    pub fn follows(&self, node: &Node<'t>, outer: &Node<'t>) -> bool {
        outer.range().end <= node.range().start && outer.parent().is_some_and(|block| block.contains(node))
    }

    /// How often the variable `name`, as seen at byte `at`, is read.
    pub fn reads(&self, name: &str, at: usize) -> usize {
        let Some(scope) = self.names().scope(name, at) else { return 0 };
        let writes = self.names().assignments(name, &scope);
        let root = self.root();
        let identifiers = root.walk().filter(|node| node.is(&["identifier", "shorthand_property_identifier"]));
        identifiers
            .filter(|node| node.text() == name && scope.contains(&node.range().start))
            .filter(|node| !writes.contains(&node.range().start))
            .count()
    }

    /// The quotation mark that most string literals of the file begin with.
    pub fn quote(&self) -> char {
        let root = self.root();
        let strings = root.walk().filter(|node| node.is(&["string"]));
        let double: i32 = strings.map(|node| if node.text().starts_with('"') { 1 } else { -1 }).sum();
        if double > 0 { '"' } else { '\'' }
    }
}
