//! Rewrites that are learned from fixes which a person accepted.
//!
//! Accepted fixes of one kind are generalised by anti-unification: what is the same in all of them stays, what differs
//! becomes a variable, and a variable of the new code must have been one of the old code. From a single fix only
//! arguments that it carried over become variables. (Plotkin 1970 and Reynolds 1970 describe the least general
//! generalisation of terms; here terms are syntax trees.)
//!
//! Deliberately absent: whether such a rewrite is right. It proposes; what it proposes is checked like everything else.
//! Invariants: a rewrite replaces one node by one; it names at least one thing of the code; the order of the examples
//! does not change where it matches.

use conclave_core::language::Language;
use conclave_core::patch::Edit;
use serde::{Deserialize, Serialize};

use crate::call::replace;
use crate::facts::ProjectFacts;
use crate::imports::Import;
use crate::rewrite::whole;
use crate::source::Source;
use crate::syntax::{Node, Tree};

#[cfg(test)]
mod tests;

/// Most bytes of the code that is rewritten.
const LARGEST: usize = 2000;
/// Most variables of one rewrite.
const MOST_VARIABLES: usize = 8;
/// Most examples that are looked at.
const MOST_EXAMPLES: usize = 16;

/// Calls, by the grammars' names.
const CALLS: [&str; 5] =
    ["call", "call_expression", "new_expression", "method_invocation", "object_creation_expression"];
/// What holds the arguments of a call.
const ARGUMENTS: [&str; 2] = ["argument_list", "arguments"];

/// One accepted fix of one file: the whole text before and after it.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// Before.
    pub before: &'a str,
    /// After.
    pub after: &'a str,
}

/// A rewrite that was learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// For files of this language.
    pub language: Language,
    /// What it looks for.
    before: Form,
    /// What takes its place.
    after: Vec<Segment>,
    /// Import lines that the new code wants.
    imports: Vec<String>,
}

/// The form of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Form {
    /// Any node; equal numbers stand for equal text.
    Any(usize),
    /// A node without children.
    Leaf(String, String),
    /// A node of this kind with these children, comments left out.
    Node(String, Vec<Form>),
}

/// A piece of new code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Segment {
    Text(String),
    Any(usize),
}

/// The one place where an example was changed, on both sides, and the imports that it added.
struct Changed<'t> {
    before: Node<'t>,
    after: Node<'t>,
    imports: Vec<String>,
}

impl Learned {
    /// The least general rewrite that does what all `examples` did; `None` where there is none that says anything.
    pub fn from(language: Language, examples: &[Example<'_>]) -> Option<Self> {
        let facts = ProjectFacts::default();
        let examples = &examples[..examples.len().min(MOST_EXAMPLES)];
        let after = examples.iter().map(|example| without_new_imports(language, example)).collect::<Vec<_>>();
        let trees: Vec<[Tree; 2]> = examples
            .iter()
            .zip(&after)
            .map(|(example, (after, _))| [Tree::parse(language, example.before), Tree::parse(language, after)])
            .collect();
        let changed: Vec<Changed<'_>> = trees
            .iter()
            .zip(&after)
            .map(|([before, after], (_, imports))| changed(before, after, imports.clone(), &facts))
            .collect::<Option<_>>()?;
        let imports = changed.first()?.imports.clone();
        if changed.iter().any(|one| one.imports != imports)
            || imports.iter().any(|line| Import::parse(language, line).is_err())
        {
            return None;
        }
        let befores: Vec<Node<'_>> = changed.iter().map(|one| one.before.clone()).collect();
        let afters: Vec<Node<'_>> = changed.iter().map(|one| one.after.clone()).collect();
        let carried = if changed.len() == 1 { carried_over(&befores[0], &afters[0]) } else { Vec::new() };
        let mut variables = Variables { carried, ..Variables::default() };
        let form = variables.form(&befores)?;
        variables.closed = true;
        let mut segments = Vec::new();
        variables.segments(&afters, trees.first()?[1].text(), &mut segments)?;
        let says_something = !matches!(form, Form::Any(_)) && names(&form) > 0;
        let learned = Self { language, before: form, after: joined(segments), imports };
        (says_something && variables.texts.len() <= MOST_VARIABLES).then_some(learned)
    }

    /// What tells it from others: the same rewrite has the same text.
    pub fn signature(&self) -> String {
        // INVARIANT: forms and segments hold strings and numbers, for which `serde_json` has no error to report.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The old and the new code for people, with `$A`, `$B` … for what may be anything.
    pub fn shown(&self) -> (String, String) {
        let after = self.after.iter().map(|segment| match segment {
            Segment::Text(text) => text.clone(),
            Segment::Any(index) => variable(*index),
        });
        (self.before.shown(), after.collect())
    }

    /// The edits that rewrite the one place on `lines` of `text` which this knows.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub fn fix(&self, text: &str, lines: (u32, u32), facts: &ProjectFacts) -> Result<Vec<Edit>, String> {
        let tree = Tree::parse(self.language, text);
        let source = Source::new(&tree, facts);
        let on_lines = |node: &Node<'_>| node.lines().0 <= lines.1 && lines.0 <= node.lines().1;
        let found: Vec<(Node<'_>, Vec<Option<String>>)> =
            tree.root().walk().filter(on_lines).filter_map(|node| Some((node.clone(), self.holds(&node)?))).collect();
        let (node, values) = match found.as_slice() {
            [] => return Err("the code there is not of the learned form".to_owned()),
            [one] => one,
            _ => return Err("the learned form stands there more than once".to_owned()),
        };
        let value = |index: usize| values.get(index).cloned().flatten().unwrap_or_default();
        let new: String = self
            .after
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => text.clone(),
                Segment::Any(index) => value(*index),
            })
            .collect();
        let mut edits = vec![replace(node.range(), &new)];
        for line in &self.imports {
            edits.extend(Import::parse(self.language, line)?.edit(&source, node)?);
        }
        whole(edits, &source)
    }

    /// First and last lines of the places in `text` that have the form which it rewrites.
    pub fn elsewhere(&self, text: &str) -> Vec<(u32, u32)> {
        let tree = Tree::parse(self.language, text);
        let mut lines: Vec<(u32, u32)> =
            tree.root().walk().filter(|node| self.holds(node).is_some()).map(|node| node.lines()).collect();
        lines.dedup();
        lines
    }

    /// What its variables hold at `node`, where that has its form.
    fn holds(&self, node: &Node<'_>) -> Option<Vec<Option<String>>> {
        let mut values = vec![None; MOST_VARIABLES];
        self.before.matches(node, &mut values).then_some(values)
    }
}

impl Form {
    fn matches(&self, node: &Node<'_>, values: &mut [Option<String>]) -> bool {
        match self {
            Self::Any(index) => {
                let Some(value) = values.get_mut(*index) else { return false };
                let text = node.text();
                match value {
                    Some(known) => *known == text,
                    None => {
                        *value = Some(text.into_owned());
                        true
                    }
                }
            }
            Self::Leaf(kind, text) => node.kind() == *kind && node.text() == *text,
            Self::Node(kind, forms) => {
                let children = children(node);
                node.kind() == *kind
                    && children.len() == forms.len()
                    && forms.iter().zip(&children).all(|(form, child)| form.matches(child, values))
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Any(index) => variable(*index),
            Self::Leaf(_, text) => text.clone(),
            Self::Node(_, forms) => {
                let mut shown = String::new();
                for form in forms {
                    let next = form.shown();
                    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '"' | '\'');
                    let between = shown.chars().next_back().zip(next.chars().next());
                    let apart = |(a, b): (char, char)| {
                        (is_word(a) && is_word(b)) || (a == ',') || "=+%".contains(a) || "=+%".contains(b)
                    };
                    // Inside a text literal nothing is put between its parts.
                    if !self.is_text() && between.is_some_and(apart) {
                        shown.push(' ');
                    }
                    shown.push_str(&next);
                }
                shown
            }
        }
    }

    fn is_text(&self) -> bool {
        matches!(self, Self::Node(kind, _) if kind.contains("string") || kind == "interpolation" || kind == "keyword_argument")
    }
}

/// The variables of one generalisation: which texts each stands for, one an example.
#[derive(Default)]
struct Variables {
    texts: Vec<Vec<String>>,
    /// What becomes a variable although it is the same in all examples.
    carried: Vec<String>,
    /// Whether there may be no new ones any more.
    closed: bool,
}

impl Variables {
    /// The variable for `nodes`, one an example.
    fn of(&mut self, nodes: &[Node<'_>]) -> Option<usize> {
        let texts: Vec<String> = nodes.iter().map(|node| node.text().into_owned()).collect();
        if let Some(known) = self.texts.iter().position(|other| *other == texts) {
            return Some(known);
        }
        // Punctuation is never free.
        if self.closed || !nodes.iter().all(Node::is_named) {
            return None;
        }
        self.texts.push(texts);
        Some(self.texts.len() - 1)
    }

    fn is_carried(&self, nodes: &[Node<'_>]) -> bool {
        let [node] = nodes else { return false };
        let is_argument = node.parent().is_some_and(|parent| parent.is(&ARGUMENTS) || parent.is(&["keyword_argument"]));
        is_argument && node.is_named() && self.carried.contains(&node.text().into_owned())
    }

    /// The form that all of `nodes` have.
    fn form(&mut self, nodes: &[Node<'_>]) -> Option<Form> {
        if self.is_carried(nodes) {
            return Some(Form::Any(self.of(nodes)?));
        }
        let alike = alike(nodes);
        match alike {
            Alike::Leaf => Some(Form::Leaf(nodes[0].kind().into_owned(), nodes[0].text().into_owned())),
            Alike::Node(rows) => {
                // A part that can only be taken as a whole takes its surroundings with it.
                let before = self.texts.len();
                match rows.iter().map(|row| self.form(row)).collect::<Option<Vec<_>>>() {
                    Some(forms) => Some(Form::Node(nodes[0].kind().into_owned(), forms)),
                    None => {
                        self.texts.truncate(before);
                        Some(Form::Any(self.of(nodes)?))
                    }
                }
            }
            Alike::Not => Some(Form::Any(self.of(nodes)?)),
        }
    }

    /// The new code, in the layout of the first example.
    fn segments(&mut self, nodes: &[Node<'_>], text: &str, segments: &mut Vec<Segment>) -> Option<()> {
        if let Some(index) = nodes.iter().all(Node::is_named).then(|| self.of(nodes)).flatten() {
            segments.push(Segment::Any(index));
            return Some(());
        }
        match alike(nodes) {
            Alike::Leaf => segments.push(Segment::Text(nodes[0].text().into_owned())),
            Alike::Node(rows) => {
                let mut at = nodes[0].range().start;
                for row in &rows {
                    let range = row[0].range();
                    segments.push(Segment::Text(text.get(at..range.start)?.to_owned()));
                    self.segments(row, text, segments)?;
                    at = range.end;
                }
                segments.push(Segment::Text(text.get(at..nodes[0].range().end)?.to_owned()));
            }
            Alike::Not => return None,
        }
        Some(())
    }
}

/// How far nodes are the same.
enum Alike<'t> {
    /// The same text without parts.
    Leaf,
    /// The same kind with as many parts: the parts, one row each.
    Node(Vec<Vec<Node<'t>>>),
    Not,
}

fn alike<'t>(nodes: &[Node<'t>]) -> Alike<'t> {
    let Some(first) = nodes.first() else { return Alike::Not };
    let parts: Vec<Vec<Node<'t>>> = nodes.iter().map(children).collect();
    let same_kind = nodes.iter().all(|node| node.kind_id() == first.kind_id());
    if !same_kind || parts.iter().any(|row| row.len() != parts[0].len()) {
        return Alike::Not;
    }
    if parts[0].is_empty() {
        return if nodes.iter().all(|node| node.text() == first.text()) { Alike::Leaf } else { Alike::Not };
    }
    Alike::Node((0..parts[0].len()).map(|at| parts.iter().map(|row| row[at].clone()).collect()).collect())
}

/// The children that say something.
fn children<'t>(node: &Node<'t>) -> Vec<Node<'t>> {
    node.children().into_iter().filter(|child| !child.kind().contains("comment")).collect()
}

/// How many names of the code a form holds.
fn names(form: &Form) -> usize {
    match form {
        Form::Any(_) => 0,
        Form::Leaf(kind, _) => usize::from(kind.contains("identifier")),
        Form::Node(_, forms) => forms.iter().map(names).sum(),
    }
}

fn variable(index: usize) -> String {
    let letter = u8::try_from(index).ok().and_then(|index| b'A'.checked_add(index)).unwrap_or(b'Z');
    format!("${}", char::from(letter))
}

/// Texts that stand beside each other as one.
fn joined(segments: Vec<Segment>) -> Vec<Segment> {
    let mut joined: Vec<Segment> = Vec::with_capacity(segments.len());
    for segment in segments {
        match (joined.last_mut(), segment) {
            (Some(Segment::Text(text)), Segment::Text(more)) => text.push_str(&more),
            (_, Segment::Text(text)) if text.is_empty() => {}
            (_, segment) => joined.push(segment),
        }
    }
    joined
}

/// The new text without the import lines that it has and the old text has not, and those lines.
fn without_new_imports(language: Language, example: &Example<'_>) -> (String, Vec<String>) {
    let imports = |text: &str| {
        let tree = Tree::parse(language, text);
        let root = tree.root();
        let is_import = |node: &Node<'_>| {
            node.is(&["import_statement", "import_from_statement", "import_declaration"])
                || (node.is(&["lexical_declaration", "variable_declaration"]) && node.text().contains("require("))
        };
        let facts = ProjectFacts::default();
        let source = Source::new(&tree, &facts);
        let all = root.parts().into_iter().filter(is_import);
        all.map(|node| (source.room_of(&node), node.text().into_owned())).collect::<Vec<_>>()
    };
    let known = imports(example.before);
    let (mut text, mut added) = (example.after.to_owned(), Vec::new());
    for (range, line) in imports(example.after).into_iter().rev() {
        if !known.iter().any(|(_, other)| *other == line) {
            text.replace_range(range, "");
            added.push(line);
        }
    }
    added.reverse();
    (text, added)
}

/// The one node of each side in which they differ: a call around the change, or the statement.
fn changed<'t>(
    before: &'t Tree,
    after: &'t Tree,
    imports: Vec<String>,
    facts: &'t ProjectFacts,
) -> Option<Changed<'t>> {
    let (old, new) = (before.text().as_bytes(), after.text().as_bytes());
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - start;
    let same_end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (old.len() - same_end, new.len() - same_end);
    if start == old_end && start == new_end {
        return None;
    }
    let around = |node: &Node<'_>, start: usize, end: usize| node.range().start <= start && end <= node.range().end;
    let mut inner: Option<Node<'t>> = None;
    for node in before.root().walk().filter(|node| node.is_named() && around(node, start, old_end)) {
        inner = Some(node);
    }
    let inner = inner?;
    let counterpart = |node: &Node<'t>| {
        let range = node.range();
        let end = (range.end + new.len()).checked_sub(old.len())?;
        after
            .root()
            .walk()
            .find(|other| other.is_named() && other.range() == (range.start..end) && around(other, start, new_end))
    };
    let statement = Source::new(before, facts).statement(&inner)?;
    let candidates = std::iter::once(inner.clone()).chain(inner.ancestors());
    let within: Vec<Node<'t>> = candidates.take_while(|node| statement.contains(node)).collect();
    let chosen = within.iter().filter(|node| node.is(&CALLS)).chain([&statement]);
    let pair = chosen.filter_map(|node| Some((node.clone(), counterpart(node)?))).next();
    let (before, after) = pair.filter(|(node, _)| node.range().len() <= LARGEST)?;
    Some(Changed { before, after, imports })
}

/// The arguments of the old code that stand in the new code as well.
fn carried_over(before: &Node<'_>, after: &Node<'_>) -> Vec<String> {
    let arguments = |node: &Node<'_>| {
        let lists = node.walk().filter(|inner| inner.is(&ARGUMENTS)).collect::<Vec<_>>();
        let parts = lists.iter().flat_map(Node::parts);
        let values =
            parts.filter_map(|part| if part.is(&["keyword_argument"]) { part.field("value") } else { Some(part) });
        values.map(|value| value.text().into_owned()).collect::<Vec<String>>()
    };
    let new: Vec<String> = after.walk().filter(|node| node.is_named()).map(|node| node.text().into_owned()).collect();
    arguments(before).into_iter().filter(|text| new.contains(text)).collect()
}
