//! Parsing and matching: the only module that names the `ast-grep` crates.
//!
//! Everything else in this crate works on [`Tree`], [`Node`], [`Matcher`] and [`Match`], so a new release of the
//! libraries, or another library, changes this file alone. Deliberately absent: anything about recipes.
//! Invariant: offsets are bytes into the text that was parsed, and lines count from 1.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use ast_grep_config::{DeserializeEnv, RuleCore, SerializableRuleCore};
use ast_grep_core::matcher::MatcherExt;
use ast_grep_core::meta_var::MetaVarEnv;
use ast_grep_core::tree_sitter::{LanguageExt, StrDoc};
use ast_grep_core::{AstGrep, Matcher as _, NodeMatch};
use ast_grep_language::SupportLang;
use conclave_core::language::Language;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A rule object in `ast-grep`'s own form: pattern, kind, regex, inside, has, any, all, not and so on.
pub(crate) type RuleObject = ast_grep_config::SerializableRule;

type Document = StrDoc<SupportLang>;

/// What a case looks for, as written in a recipe file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchFile {
    /// The rule that a node must satisfy.
    pub rule: RuleObject,
    /// Further rules on what a metavariable may hold.
    pub constraints: Option<HashMap<String, RuleObject>>,
    /// Named rules for `matches`.
    pub utils: Option<HashMap<String, RuleObject>>,
}

/// Reads strict YAML 1.2: `on` and `y` are text, a repeated key is an error.
pub(crate) fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    ast_grep_config::from_str(text).map_err(|error| error.to_string())
}

fn grammar(language: Language) -> SupportLang {
    match language {
        Language::Python => SupportLang::Python,
        Language::JavaScript => SupportLang::JavaScript,
        Language::TypeScript => SupportLang::TypeScript,
        Language::Tsx => SupportLang::Tsx,
        Language::Java => SupportLang::Java,
    }
}

/// A parsed file.
pub(crate) struct Tree {
    root: AstGrep<Document>,
    language: Language,
}

impl Tree {
    /// Parses `text`; a text with mistakes gives a tree with error nodes.
    pub fn parse(language: Language, text: &str) -> Self {
        Self { root: grammar(language).ast_grep(text), language }
    }

    /// The node that spans the file.
    pub fn root(&self) -> Node<'_> {
        Node(self.root.root())
    }

    /// The text that was parsed.
    pub fn text(&self) -> &str {
        self.root.source()
    }

    /// The language it was parsed as.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Whether nodes are nested deeper than `limit`.
    pub fn deeper_than(&self, limit: usize) -> bool {
        let mut cursor = self.root.root().get_inner_node().walk();
        loop {
            if cursor.depth() as usize > limit {
                return true;
            }
            if cursor.goto_first_child() || cursor.goto_next_sibling() {
                continue;
            }
            loop {
                if !cursor.goto_parent() {
                    return false;
                }
                if cursor.goto_next_sibling() {
                    break;
                }
            }
        }
    }

    /// How many nodes are errors or were made up by the parser to go on.
    pub fn errors(&self) -> usize {
        if !self.root.root().get_inner_node().has_error() {
            return 0;
        }
        self.root.root().dfs().filter(|node| node.is_error() || node.is_missing()).count()
    }
}

/// A node of a [`Tree`].
#[derive(Clone)]
pub(crate) struct Node<'t>(ast_grep_core::Node<'t, Document>);

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.node_id() == other.0.node_id()
    }
}

impl<'t> Node<'t> {
    /// The grammar's name for this kind of node.
    pub fn kind(&self) -> Cow<'_, str> {
        self.0.kind()
    }

    /// The number of [`Self::kind`] in this grammar.
    pub fn kind_id(&self) -> u16 {
        self.0.kind_id()
    }

    /// Whether the node is of one of `kinds`.
    pub fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.0.kind().as_ref())
    }

    /// Whether the grammar names it; punctuation and keywords are not named.
    pub fn is_named(&self) -> bool {
        self.0.is_named()
    }

    /// The source text.
    pub fn text(&self) -> Cow<'t, str> {
        self.0.text()
    }

    /// The bytes it spans.
    pub fn range(&self) -> Range<usize> {
        self.0.range()
    }

    /// First and last line.
    pub fn lines(&self) -> (u32, u32) {
        let line = |position: ast_grep_core::Position| u32::try_from(position.line() + 1).unwrap_or(u32::MAX);
        (line(self.0.start_pos()), line(self.0.end_pos()))
    }

    /// The child that the grammar calls `name`.
    pub fn field(&self, name: &str) -> Option<Self> {
        self.0.field(name).map(Self)
    }

    /// All children, punctuation included.
    pub fn children(&self) -> Vec<Self> {
        self.0.children().map(Self).collect()
    }

    /// The children that are named and no comments.
    pub fn parts(&self) -> Vec<Self> {
        self.0.children().filter(|node| node.is_named() && !node.kind().contains("comment")).map(Self).collect()
    }

    /// The node around it.
    pub fn parent(&self) -> Option<Self> {
        self.0.parent().map(Self)
    }

    /// The nodes around it, innermost first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        self.0.ancestors().map(Self)
    }

    /// The sibling before it, punctuation included.
    pub fn previous(&self) -> Option<Self> {
        self.0.prev().map(Self)
    }

    /// The sibling after it, punctuation included.
    pub fn next(&self) -> Option<Self> {
        self.0.next().map(Self)
    }

    /// The node and everything below it, in the order of the text.
    pub fn walk(&self) -> impl Iterator<Item = Self> {
        self.0.dfs().map(Self)
    }

    /// Whether `other` lies inside it.
    pub fn contains(&self, other: &Self) -> bool {
        let (outer, inner) = (self.range(), other.range());
        outer.start <= inner.start && inner.end <= outer.end
    }
}

/// A compiled [`MatchFile`].
pub(crate) struct Matcher(RuleCore);

impl Matcher {
    /// Compiles `file` for one language.
    ///
    /// # Errors
    /// The libraries' words on what is wrong, or that the rule would have to look at every node.
    pub fn compile(file: &MatchFile, language: Language) -> Result<Self, String> {
        let core = SerializableRuleCore {
            rule: file.rule.clone(),
            constraints: file.constraints.clone(),
            utils: file.utils.clone(),
            transform: None,
        };
        let matcher = core.get_matcher(DeserializeEnv::new(grammar(language))).map_err(|error| with_causes(&error))?;
        if matcher.potential_kinds().is_none() {
            return Err("the rule names no kind of node; add `kind` or `pattern`".to_owned());
        }
        Ok(Self(matcher))
    }

    /// The numbers of the kinds of node that can match.
    pub fn kinds(&self) -> Vec<u16> {
        let kinds = self.0.potential_kinds().unwrap_or_default();
        kinds.iter().filter_map(|kind| u16::try_from(kind).ok()).collect()
    }

    /// The match at exactly this node.
    pub fn at<'t>(&self, node: &Node<'t>) -> Option<Match<'t>> {
        self.0.match_node(node.0.clone()).map(Match)
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// A node that a rule matched, with what its metavariables hold.
pub(crate) struct Match<'t>(NodeMatch<'t, Document>);

impl<'t> Match<'t> {
    /// The node.
    pub fn node(&self) -> Node<'t> {
        Node(self.0.get_node().clone())
    }

    /// What `$name` holds.
    pub fn var(&self, name: &str) -> Option<Node<'t>> {
        self.0.get_env().get_match(name).cloned().map(Node)
    }

    /// The range of what `$$$name` holds, `None` when it holds nothing.
    pub fn vars(&self, name: &str) -> Option<Range<usize>> {
        let nodes = self.0.get_env().get_multiple_matches(name);
        Some(nodes.first()?.range().start..nodes.last()?.range().end)
    }

    /// Lets `$name` hold `node`; `false` when it already holds something else.
    pub fn bind(&mut self, name: &str, node: Node<'t>) -> bool {
        let env: &mut MetaVarEnv<'t, Document> = self.0.get_env_mut();
        env.insert(name, node.0).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grammar upgrade that renames a node kind shows here first.
    #[test]
    fn each_grammar_has_the_kinds_that_the_code_names() {
        let cases: [(Language, &str, &[&str]); 5] = [
            (
                Language::Python,
                "import a\nfrom b import c as d\n@e\ndef f(g=f'{h}', *i):\n    with j as k:\n        return 'l' 'm' + n(o, p=q, **r)\n",
                &[
                    "import_statement",
                    "import_from_statement",
                    "aliased_import",
                    "dotted_name",
                    "function_definition",
                    "decorated_definition",
                    "string",
                    "string_start",
                    "string_content",
                    "string_end",
                    "interpolation",
                    "concatenated_string",
                    "binary_operator",
                    "call",
                    "argument_list",
                    "keyword_argument",
                    "dictionary_splat",
                    "as_pattern_target",
                    "return_statement",
                ],
            ),
            (
                Language::JavaScript,
                "import a, { b as c } from 'd';\nconst { e: f } = require(`g${h}`);\nclass I { j() { k.l({ m: 'n' }); } }\nconst o = () => p = q;\n",
                &[
                    "import_statement",
                    "import_specifier",
                    "variable_declarator",
                    "object_pattern",
                    "pair_pattern",
                    "template_string",
                    "template_substitution",
                    "class_declaration",
                    "method_definition",
                    "member_expression",
                    "pair",
                    "string",
                    "string_fragment",
                    "arrow_function",
                    "assignment_expression",
                    "call_expression",
                    "arguments",
                    "statement_block",
                ],
            ),
            (Language::TypeScript, "const a = (b: string) => b as any;\n", &["required_parameter", "as_expression"]),
            (Language::Tsx, "const a = <b c={d} />;\n", &["jsx_self_closing_element"]),
            (
                Language::Java,
                "package a;\nimport b.C;\nclass D { void e(String f) { try (G g = h.i()) { String j = \"k\" + f; new L(); } } }\n",
                &[
                    "package_declaration",
                    "import_declaration",
                    "class_declaration",
                    "method_declaration",
                    "formal_parameter",
                    "try_with_resources_statement",
                    "resource",
                    "local_variable_declaration",
                    "variable_declarator",
                    "binary_expression",
                    "string_literal",
                    "object_creation_expression",
                    "method_invocation",
                    "type_identifier",
                ],
            ),
        ];
        for (language, text, kinds) in cases {
            let tree = Tree::parse(language, text);
            assert_eq!(tree.errors(), 0, "{language:?}");
            for kind in kinds {
                assert!(tree.root().walk().any(|node| node.kind() == *kind), "{language:?} has no `{kind}`");
            }
        }
    }

    #[test]
    fn errors_are_counted() {
        for (text, errors) in [("a = 1\n", 0), ("def f(:\n    pass\n", 1)] {
            assert_eq!(Tree::parse(Language::Python, text).errors() > 0, errors > 0, "{text:?}");
        }
    }

    #[test]
    fn a_rule_for_every_node_is_refused() {
        let file: MatchFile = from_yaml("rule: {regex: x}").expect("a rule");
        assert!(Matcher::compile(&file, Language::Python).is_err());
    }
}
