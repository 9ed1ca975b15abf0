//! One changed file as lints see it: both texts parsed, which lines changed, what is called where.

use std::collections::BTreeMap;
use std::ops::Range;

use conclave_core::finding::Detection;
use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_core::smell::{Smell, SmellKind};
use similar::{DiffTag, TextDiff};

use super::{Change, Knows};
use crate::facts::ProjectFacts;
use crate::gate::without_comments;
use crate::source::Source;
use crate::syntax::{Node, Tree};

/// A file before and after.
pub(super) struct Pair<'t> {
    pub path: &'t RelPath,
    pub language: Language,
    pub before: Side<'t>,
    pub after: Side<'t>,
    pub finding: &'t Detection,
    /// The reported lines of the text before, when the finding is in this file.
    pub place: Option<(u32, u32)>,
    pub knows: &'t Knows<'t>,
}

/// One of the two texts.
pub(super) struct Side<'t> {
    pub source: Source<'t>,
    /// All nodes, in the order of the text.
    pub nodes: Vec<Node<'t>>,
    /// Its calls and the objects that it makes.
    pub calls: Vec<Site<'t>>,
    /// The text without comments.
    pub code: String,
    /// Which lines the other text has not, by line from 0.
    changed: Vec<bool>,
}

/// A call, or an object that is made.
pub(super) struct Site<'t> {
    pub node: Node<'t>,
    /// What is called; in Java the object or the class.
    pub callee: Option<Node<'t>>,
    /// The last part of its name.
    pub name: String,
    /// What it may mean, by full names.
    pub full: Vec<String>,
    /// The name as written.
    pub written: String,
}

/// How often each text occurs.
pub(super) type Counts = BTreeMap<String, usize>;

impl<'t> Pair<'t> {
    pub fn of(
        change: &Change<'t>,
        [before, after]: [&'t Tree; 2],
        facts: &'t ProjectFacts,
        finding: &'t Detection,
        knows: &'t Knows<'t>,
    ) -> Self {
        let place = finding.location.as_ref().filter(|place| place.path == *change.path);
        let lines = |text: &str| text.lines().count() + 1;
        let mut old = vec![false; lines(change.before)];
        let mut new = vec![false; lines(change.after)];
        for op in TextDiff::from_lines(change.before, change.after).ops() {
            let (tag, was, is) = op.as_tag_tuple();
            if tag != DiffTag::Equal {
                mark(&mut old, was);
                mark(&mut new, is);
            }
        }
        Self {
            path: change.path,
            language: before.language(),
            before: Side::of(before, facts, old),
            after: Side::of(after, facts, new),
            finding,
            place: place
                .and_then(|place| place.region)
                .map(|region| (region.start_line, region.end_line.max(region.start_line))),
            knows,
        }
    }

    /// A smell at `node` of the text after.
    pub fn smell(&self, kind: SmellKind, node: &Node<'_>, what: &str) -> Smell {
        Smell { kind, detail: format!("`{}` line {}: {what}", self.path, node.lines().0) }
    }

    /// A smell that has no place in the text after.
    pub fn gone(&self, kind: SmellKind, what: &str) -> Smell {
        Smell { kind, detail: format!("`{}`: {what}", self.path) }
    }

    /// Whether `node` of the text before lies on the reported lines.
    pub fn is_reported(&self, node: &Node<'_>) -> bool {
        let (first, last) = node.lines();
        self.place.is_some_and(|(from, to)| first <= to && from <= last)
    }

    /// Whether the finding is about one of these weaknesses.
    pub fn is_about(&self, cwe: &[u32]) -> bool {
        self.finding.rule.cwe.iter().any(|number| cwe.contains(number))
    }
}

fn mark(lines: &mut [bool], range: Range<usize>) {
    for line in range {
        if let Some(line) = lines.get_mut(line) {
            *line = true;
        }
    }
}

impl<'t> Side<'t> {
    fn of(tree: &'t Tree, facts: &'t ProjectFacts, changed: Vec<bool>) -> Self {
        let source = Source::new(tree, facts);
        let nodes: Vec<Node<'t>> = tree.root().walk().collect();
        let calls = nodes.iter().filter_map(|node| Site::at(&source, node)).collect();
        let code = without_comments(tree.language(), tree.text());
        Self { source, nodes, calls, code, changed }
    }

    /// Whether one of the lines of `node` is not in the other text.
    pub fn is_changed(&self, node: &Node<'_>) -> bool {
        let (first, last) = node.lines();
        (first..=last).any(|line| self.changed.get(line as usize - 1).copied().unwrap_or_default())
    }

    /// The nodes of one of these kinds.
    pub fn of_kind<'s>(&'s self, kinds: &'s [&str]) -> impl Iterator<Item = &'s Node<'t>> {
        self.nodes.iter().filter(|node| node.is(kinds))
    }

    /// How often `pick` gives each text.
    pub fn counts(&self, pick: impl Fn(&Node<'t>) -> Option<String>) -> Counts {
        let mut counts = Counts::new();
        for text in self.nodes.iter().filter_map(pick) {
            *counts.entry(text).or_default() += 1;
        }
        counts
    }

    /// The function around `node`, by name; empty outside of named ones.
    pub fn function_name(&self, node: &Node<'t>) -> String {
        let name = |function: Node<'t>| {
            let held = function.parent().and_then(|holder| holder.field("name").or_else(|| holder.field("key")));
            function.field("name").or(held).map(|name| name.text().into_owned())
        };
        self.source.function(node).and_then(name).unwrap_or_default()
    }
}

impl<'t> Site<'t> {
    fn at(source: &Source<'t>, node: &Node<'t>) -> Option<Self> {
        let names = source.names();
        let (callee, name, full) = match node.kind().as_ref() {
            "call" | "call_expression" => {
                let callee = node.field("function")?;
                let last = callee.field("attribute").or_else(|| callee.field("property"));
                let plain = callee.is(&["identifier", "import", "super"]).then(|| callee.clone());
                let name = last.or(plain).map(|name| name.text().into_owned()).unwrap_or_default();
                let full = names.full_names(&callee);
                (Some(callee), name, full)
            }
            "new_expression" => {
                let callee = node.field("constructor")?;
                let full = names.full_names(&callee);
                let name = callee.field("property").unwrap_or_else(|| callee.clone()).text().into_owned();
                (Some(callee), name, full)
            }
            "object_creation_expression" => {
                let kind = node.field("type")?;
                let full = names.full_names(&kind);
                let name = kind.text().into_owned();
                (Some(kind), name, full)
            }
            "method_invocation" => {
                let name = node.field("name")?.text().into_owned();
                let object = node.field("object");
                let owners = object.as_ref().map_or_else(Vec::new, |object| {
                    let declared = names.declared_type(&object.text(), object.range().start);
                    declared.map_or_else(|| names.full_names(object), |kind| names.full_names(&kind))
                });
                let full = owners.into_iter().map(|owner| format!("{owner}.{name}")).collect();
                (object, name, full)
            }
            _ => return None,
        };
        let written = match (&callee, node.is(&["method_invocation"])) {
            (Some(object), true) => format!("{}.{name}", squeezed(object)),
            (Some(callee), false) => squeezed(callee),
            (None, _) => name.clone(),
        };
        Some(Self { node: node.clone(), callee, name, full, written })
    }

    /// Whether it means one of these functions or classes, by full name; without one, by the last part of the name.
    pub fn means(&self, targets: &[&str]) -> bool {
        self.full.iter().any(|name| targets.contains(&name.as_str()))
    }

    /// Its arguments in order, names of keywords left out.
    pub fn arguments(&self) -> Vec<Node<'t>> {
        self.node.field("arguments").map(|list| list.parts()).unwrap_or_default()
    }

    /// The value of the argument called `name`: a keyword, or an entry of an object that is handed over.
    pub fn option(&self, name: &str) -> Option<Node<'t>> {
        self.arguments().iter().find_map(|argument| match argument.kind().as_ref() {
            "keyword_argument" => argument.field("name").filter(|key| key.text() == name).and(argument.field("value")),
            "object" => argument.parts().iter().find_map(|entry| {
                let key = entry.field("key")?;
                (key.text().trim_matches(['"', '\'']) == name).then(|| entry.field("value"))?
            }),
            _ => None,
        })
    }
}

/// The text of a node with each run of white space as one blank.
pub(super) fn squeezed(node: &Node<'_>) -> String {
    conclave_core::fingerprint::normalise(&node.text())
}

/// What `after` counts more of than `before`, with how many more.
pub(super) fn gained(before: &Counts, after: &Counts) -> Vec<(String, usize)> {
    let more = |(text, count): (&String, &usize)| {
        let was = before.get(text).copied().unwrap_or_default();
        (*count > was).then(|| (text.clone(), count - was))
    };
    after.iter().filter_map(more).collect()
}

/// Whether a name speaks of one of these things; `words` are in small letters.
pub(super) fn speaks_of(name: &str, words: &[&str]) -> bool {
    let name = name.to_lowercase();
    words.iter().any(|word| name.contains(word))
}

/// The start of a text, for a message.
pub(super) fn short(text: &str) -> String {
    if text.chars().count() > 60 { text.chars().take(59).chain(['…']).collect() } else { text.to_owned() }
}
