//! What a name means at a place in one file: which import it comes from, which value it was given.
//!
//! One pass collects every binding with its scope; look-ups then take the innermost scope. Deliberately absent: other
//! files, inheritance, flow between functions. Where the answer is not certain it is "unknown", never a guess.

mod java;
mod javascript;
mod python;

use std::collections::HashMap;
use std::ops::Range;

use conclave_core::language::Language;

use crate::syntax::{Node, Tree};

/// Where and how a name gets a meaning.
pub(crate) struct Binding<'t> {
    /// The part of the file where it holds.
    scope: Range<usize>,
    /// First byte of the name.
    at: usize,
    /// Whether it opens a name of its own; a plain assignment in JavaScript or Java does not.
    declares: bool,
    /// What the name stands for.
    pub bound: Bound<'t>,
}

/// What a name stands for.
pub(crate) enum Bound<'t> {
    /// Something from another module, by its full name.
    Import(String),
    /// A member taken out of an object, as in `const { a } = b`.
    Member(Node<'t>, String),
    /// A variable, parameter, function or class of this file.
    Local {
        /// Its declared type.
        kind: Option<Node<'t>>,
        /// What is assigned there.
        value: Option<Node<'t>>,
    },
}

impl Bound<'_> {
    const OTHER: Self = Self::Local { kind: None, value: None };
}

/// All bindings of one file.
pub(crate) struct Names<'t> {
    language: Language,
    bindings: HashMap<String, Vec<Binding<'t>>>,
    /// Modules or packages whose every name is imported.
    stars: Vec<String>,
}

impl<'t> Names<'t> {
    /// Collects the bindings of `tree`.
    pub fn of(tree: &'t Tree) -> Self {
        let mut names = Self { language: tree.language(), bindings: HashMap::new(), stars: Vec::new() };
        match tree.language() {
            Language::Python => python::collect(tree, &mut names),
            Language::Java => java::collect(tree, &mut names),
            _ => javascript::collect(tree, &mut names),
        }
        names
    }

    fn add(&mut self, name: &Node<'t>, scope: Range<usize>, declares: bool, bound: Bound<'t>) {
        let binding = Binding { scope, at: name.range().start, declares, bound };
        self.bindings.entry(name.text().into_owned()).or_default().push(binding);
    }

    /// The declarations of `name` in the innermost scope around byte `at`; empty when it is declared nowhere.
    pub fn lookup(&self, name: &str, at: usize) -> Vec<&Binding<'t>> {
        let visible = || {
            let all = self.bindings.get(name).into_iter().flatten();
            all.filter(|binding| binding.declares && binding.scope.contains(&at))
        };
        let Some(innermost) = visible().map(|binding| binding.scope.len()).min() else { return Vec::new() };
        visible().filter(|binding| binding.scope.len() == innermost).collect()
    }

    /// Whether the expression or type `node` means one of `targets`, given by full name.
    pub fn refers(&self, node: &Node<'t>, targets: &[String]) -> bool {
        self.full_names(node).iter().any(|name| targets.contains(name))
    }

    /// The full names that `node` may mean: none when unknown, several only where whole packages are imported.
    pub fn full_names(&self, node: &Node<'t>) -> Vec<String> {
        self.full_names_within(node, 12)
    }

    /// The full names that the plain name `name` may mean at byte `at`.
    pub fn meanings(&self, name: &str, at: usize) -> Vec<String> {
        self.named(name, at, 12)
    }

    /// `hops` bounds both the length of a chain of members and the variables that are looked through.
    fn full_names_within(&self, node: &Node<'t>, hops: usize) -> Vec<String> {
        let Some(hops) = hops.checked_sub(1) else { return Vec::new() };
        let member = |object: &str, name: &str| match (node.field(object), node.field(name)) {
            (Some(object), Some(name)) => {
                let name = name.text();
                self.full_names_within(&object, hops).into_iter().map(|owner| format!("{owner}.{name}")).collect()
            }
            _ => Vec::new(),
        };
        match node.kind().as_ref() {
            "identifier" | "type_identifier" => self.named(&node.text(), node.range().start, hops),
            "attribute" => member("object", "attribute"),
            "member_expression" => member("object", "property"),
            "field_access" => member("object", "field"),
            "scoped_identifier" | "scoped_type_identifier" => vec![node.text().split_whitespace().collect()],
            "generic_type" | "parenthesized_expression" | "non_null_expression" => {
                node.parts().first().map_or_else(Vec::new, |inner| self.full_names_within(inner, hops))
            }
            "call_expression" | "await_expression" => javascript::required(node).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn named(&self, name: &str, at: usize, hops: usize) -> Vec<String> {
        let found = self.lookup(name, at);
        if found.is_empty() {
            return match self.language {
                Language::Python => self.stars.iter().map(|module| format!("{module}.{name}")).collect(),
                Language::Java => {
                    let packages = self.stars.iter().map(String::as_str).chain(["java.lang"]);
                    packages.map(|package| format!("{package}.{name}")).collect()
                }
                _ => vec![name.to_owned()],
            };
        }
        let mut meanings = found.iter().filter_map(|binding| self.meaning(binding, hops));
        let Some(first) = meanings.next() else { return Vec::new() };
        if meanings.all(|other| other == first) { first } else { Vec::new() }
    }

    /// The full names of what is bound; `None` for `x = None`, the usual fallback of an optional import.
    fn meaning(&self, binding: &Binding<'t>, hops: usize) -> Option<Vec<String>> {
        match &binding.bound {
            Bound::Import(name) => Some(vec![name.clone()]),
            Bound::Member(object, name) => {
                let owners = self.full_names_within(object, hops);
                Some(owners.into_iter().map(|owner| format!("{owner}.{name}")).collect())
            }
            Bound::Local { value: Some(value), .. } if value.is(&["none"]) => None,
            Bound::Local { value: Some(value), .. } if value.is(&["identifier", "attribute", "member_expression"]) => {
                Some(self.full_names_within(value, hops))
            }
            _ => Some(Vec::new()),
        }
    }

    /// What the variable `name` holds at byte `at`, when the file assigns it exactly once.
    pub fn only_value(&self, name: &str, at: usize) -> Option<Node<'t>> {
        match self.lookup(name, at).as_slice() {
            [binding] if self.assignments(name, &binding.scope).len() == 1 => match &binding.bound {
                Bound::Local { value, .. } => value.clone(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Everything that the file assigns to the variable `name`, as seen at byte `at`.
    pub fn values(&self, name: &str, at: usize) -> Vec<Node<'t>> {
        let Some(scope) = self.scope(name, at) else { return Vec::new() };
        let all = self.bindings.get(name).into_iter().flatten().filter(|binding| scope.contains(&binding.at));
        let values = all.filter_map(|binding| match &binding.bound {
            Bound::Local { value, .. } => value.clone(),
            _ => None,
        });
        values.collect()
    }

    /// The scope of the variable `name` at byte `at`.
    pub fn scope(&self, name: &str, at: usize) -> Option<Range<usize>> {
        self.lookup(name, at).first().map(|binding| binding.scope.clone())
    }

    /// Where inside `scope` the name is bound, by the first byte of the name.
    pub fn assignments(&self, name: &str, scope: &Range<usize>) -> Vec<usize> {
        let all = self.bindings.get(name).into_iter().flatten();
        all.map(|binding| binding.at).filter(|at| scope.contains(at)).collect()
    }

    /// The declared type of the variable `name` at byte `at`.
    pub fn declared_type(&self, name: &str, at: usize) -> Option<Node<'t>> {
        match self.lookup(name, at).as_slice() {
            [Binding { bound: Bound::Local { kind, .. }, .. }] => kind.clone(),
            _ => None,
        }
    }

    /// Whether the variable `name` was last given the result of one of the functions `makers`.
    pub fn made_by(&self, name: &str, at: usize, makers: &[String]) -> bool {
        let found = self.lookup(name, at);
        !found.is_empty()
            && found.iter().all(|binding| match &binding.bound {
                Bound::Local { value: Some(value), .. } => {
                    let callee = value.field("function").or_else(|| value.field("constructor"));
                    callee.is_some_and(|callee| self.refers(&callee, makers))
                }
                _ => false,
            })
    }

    /// Every module that the file imports from, by the full names that it binds.
    pub fn imports(&self) -> impl Iterator<Item = &str> {
        let bound = self.bindings.values().flatten().filter_map(|binding| match &binding.bound {
            Bound::Import(name) => Some(name.as_str()),
            _ => None,
        });
        bound.chain(self.stars.iter().map(String::as_str))
    }
}

/// The scopes that are open at a node, kept while a tree is walked in the order of its text.
struct Scopes {
    open: Vec<(Range<usize>, Scope)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Function,
    Block,
    /// The body of a Python class: its names are not seen by its methods.
    Class,
}

impl Scopes {
    fn new(root: &Node<'_>) -> Self {
        // Files that begin with blank lines have a root that starts after them.
        Self { open: vec![(0..root.range().end.max(1), Scope::Function)] }
    }

    /// Closes what ended before `node`.
    fn advance(&mut self, node: &Node<'_>) {
        let start = node.range().start;
        while self.open.len() > 1 && self.open.last().is_some_and(|(range, _)| range.end <= start) {
            self.open.pop();
        }
    }

    fn enter(&mut self, node: &Node<'_>, scope: Scope) {
        self.open.push((node.range(), scope));
    }

    fn root(&self) -> Range<usize> {
        self.open[0].0.clone()
    }

    fn innermost(&self) -> (Range<usize>, Scope) {
        self.open.last().cloned().unwrap_or_else(|| self.open[0].clone())
    }

    fn function(&self) -> Range<usize> {
        let functions = self.open.iter().rev().find(|(_, scope)| *scope == Scope::Function);
        functions.map_or_else(|| self.root(), |(range, _)| range.clone())
    }
}

#[cfg(test)]
mod tests;
