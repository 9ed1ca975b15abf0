//! What callers see of a file's functions, and which function a place belongs to.
//!
//! Deliberately absent: functions inside functions, which nobody else calls. Invariant: layout, comments, annotations
//! and bodies do not count.

use std::collections::{BTreeMap, BTreeSet};

use conclave_core::fingerprint::normalise;
use conclave_core::language::Language;

use crate::outline::{self, CLASSES, FUNCTIONS};
use crate::set::MAX_DEPTH;
use crate::syntax::{Node, Tree};

/// The function that a place belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callee {
    /// The class that has it as a method.
    pub class: Option<String>,
    /// Its name; `None` for lines that stand outside of functions.
    pub function: Option<String>,
    /// Its parameters whose values may come to the place.
    pub reach: Vec<String>,
}

/// How a caller calls a function.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Signature {
    parameters: Vec<String>,
    /// Words that change what a call means: `async`, `*`, the result and exceptions of a Java method.
    form: Vec<String>,
}

impl Signature {
    fn of(function: &Node<'_>) -> Self {
        let own = function.children();
        let words = own.iter().filter(|child| child.is(&["async", "*", "throws", "modifiers"]));
        let result = function.field("type").filter(|_| function.is(&["method_declaration"]));
        let form = words.chain(result.as_ref()).map(|node| normalise(&node.text())).collect();
        Self { parameters: parameters(function).iter().filter_map(parameter).collect(), form }
    }

    fn words(&self, name: &str) -> String {
        let form: String = self.form.iter().map(|word| format!("{word} ")).collect();
        format!("`{form}{name}({})`", self.parameters.join(", "))
    }
}

/// What a caller of `before` meets that is another in `after`, in words; `None` for nothing.
///
/// Functions may come; one that goes or is called another way is a change.
pub fn signature_change(language: Language, before: &str, after: &str) -> Option<String> {
    let (before, after) = (signatures(language, before), signatures(language, after));
    before.iter().find_map(|(name, was)| {
        let Some(now) = after.get(name) else { return Some(format!("the function `{name}` is gone")) };
        let lost = was.iter().find(|one| !now.contains(one))?;
        let instead = now.iter().find(|one| !was.contains(one));
        Some(match instead {
            Some(instead) => format!("{} became {}", lost.words(name), instead.words(name)),
            None => format!("{} is gone", lost.words(name)),
        })
    })
}

fn signatures(language: Language, text: &str) -> BTreeMap<String, BTreeSet<Signature>> {
    let tree = Tree::parse(language, text);
    let mut all: BTreeMap<String, BTreeSet<Signature>> = BTreeMap::new();
    if tree.deeper_than(MAX_DEPTH) {
        return all;
    }
    for function in tree.root().walk().filter(|node| node.is(&FUNCTIONS)) {
        if function.ancestors().any(|around| around.is(&FUNCTIONS)) {
            continue;
        }
        if let Some(name) = full_name(&function) {
            all.entry(name).or_default().insert(Signature::of(&function));
        }
    }
    all
}

/// The name with those of the classes around it.
fn full_name(function: &Node<'_>) -> Option<String> {
    let mut names = vec![outline::name(function)?];
    names.extend(function.ancestors().filter(|node| node.is(&CLASSES)).filter_map(|class| outline::name(&class)));
    names.reverse();
    Some(names.join("."))
}

fn parameters<'t>(function: &Node<'t>) -> Vec<Node<'t>> {
    match (function.field("parameters"), function.field("parameter")) {
        (Some(list), _) => list.parts(),
        (None, one) => one.into_iter().collect(),
    }
}

/// A parameter without its annotation; `None` for what only looks like one.
fn parameter(node: &Node<'_>) -> Option<String> {
    let text = |node: Node<'_>| normalise(&node.text());
    let value = || node.field("value").map_or_else(String::new, |value| format!("={}", text(value)));
    let name = match node.kind().as_ref() {
        "typed_parameter" => node.parts().first().cloned().map(text)?,
        "default_parameter" | "typed_default_parameter" => text(node.field("name")?),
        "required_parameter" => text(node.field("pattern")?),
        "optional_parameter" => format!("{}?", text(node.field("pattern")?)),
        _ => return Some(text(node.clone())),
    };
    Some(format!("{name}{}", value()))
}

/// The function around `node` that can be called from outside, and what of its input comes to `node`.
pub(crate) fn callee(node: &Node<'_>) -> Callee {
    let Some(function) = std::iter::once(node.clone()).chain(node.ancestors()).filter(|n| n.is(&FUNCTIONS)).last()
    else {
        return Callee::default();
    };
    let class = function.ancestors().find(|around| around.is(&CLASSES)).and_then(|class| outline::name(&class));
    let known = reaching(&function, node);
    let own = |part: &Node<'_>| {
        names(part).take(if part.is(&["object_pattern"]) { usize::MAX } else { 1 }).collect::<Vec<_>>()
    };
    let all: Vec<String> = parameters(&function).iter().flat_map(own).collect();
    let reach: Vec<String> = all.iter().filter(|name| known.contains(*name)).cloned().collect();
    // Where nothing is known to come there, anything may.
    Callee { class, function: outline::name(&function), reach: if reach.is_empty() { all } else { reach } }
}

const NAMES: [&str; 3] = ["identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"];

/// The names in `node`, in order: a parameter's own first, before those of its annotation and default.
fn names(node: &Node<'_>) -> impl Iterator<Item = String> {
    node.walk().filter(|part| part.is(&NAMES)).map(|part| part.text().into_owned())
}

/// The names whose values `node` is made from, through the assignments of `function`.
fn reaching(function: &Node<'_>, node: &Node<'_>) -> BTreeSet<String> {
    let inside = |node: &Node<'_>| names(node).collect::<BTreeSet<String>>();
    let assignments: Vec<(BTreeSet<String>, BTreeSet<String>)> = function
        .walk()
        .filter_map(|node| {
            let target = node.field("left").or_else(|| node.field("name")).or_else(|| node.field("alias"))?;
            let value = node.field("right").or_else(|| node.field("value"))?;
            Some((inside(&target), inside(&value)))
        })
        .chain(function.walk().filter(|node| node.is(&["as_pattern"])).map(|node| (inside(&node), inside(&node))))
        .collect();
    let mut known = inside(node);
    loop {
        let before = known.len();
        for (targets, values) in &assignments {
            if !targets.is_disjoint(&known) {
                known.extend(values.iter().cloned());
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

#[cfg(test)]
mod tests;
