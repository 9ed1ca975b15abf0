//! A check is still there and does nothing: it comes too late, or nobody looks at its answer.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side, short, speaks_of, squeezed};
use super::weakened_check::{GUARDS, bare, is_condition, refuses};
use crate::syntax::Node;

/// How the name of a function begins whose answer is all that it gives.
const ANSWERS: [&str; 12] = [
    "is",
    "has",
    "may",
    "can",
    "includes",
    "startsWith",
    "startswith",
    "endsWith",
    "endswith",
    "contains",
    "equals",
    "compare",
];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells = let_go(pair);
    smells.extend(too_late(pair));
    smells
}

/// A refusal that comes only after what it used to guard.
fn too_late(pair: &Pair<'_>) -> Vec<Smell> {
    let after = refusals(&pair.after);
    let mut smells = Vec::new();
    for old in refusals(&pair.before) {
        let Some(now) = after.iter().find(|other| other.text == old.text) else { continue };
        let known = |name: &String| pair.before.calls.iter().any(|site| site.name == *name);
        let passed = now.earlier.iter().any(|name| known(name) && !old.earlier.contains(name));
        if passed || (now.is_last && !old.is_last && speaks_of(&old.text, &GUARDS)) {
            let what = format!("`{}` is asked only after what it guards", short(&old.text));
            smells.push(pair.gone(SmellKind::WeakenedCheck, &what));
        }
    }
    smells
}

/// A refusal and where it stands in its function.
struct Refusal {
    text: String,
    /// The names of the calls before it.
    earlier: Vec<String>,
    /// Whether nothing comes after it.
    is_last: bool,
}

fn refusals(side: &Side<'_>) -> Vec<Refusal> {
    let mut found = Vec::new();
    for node in side.of_kind(&["if_statement"]) {
        let (Some(condition), Some(then)) = (node.field("condition"), node.field("consequence")) else { continue };
        if let Some(function) = side.source.function(node).filter(|_| refuses(&then)) {
            let inside = side.calls.iter().filter(|site| function.contains(&site.node));
            let earlier = inside.filter(|site| site.node.range().end <= node.range().start);
            let body = function.field("body").and_then(|body| body.parts().pop());
            found.push(Refusal {
                text: squeezed(&bare(condition)),
                earlier: earlier.map(|site| site.name.clone()).collect(),
                is_last: body.is_some_and(|last| last.range() == node.range()),
            });
        }
    }
    found
}

/// A question whose answer nobody looks at.
fn let_go(pair: &Pair<'_>) -> Vec<Smell> {
    // Where the text is broken, what looks like a statement may be a part of one.
    if pair.after.nodes.iter().any(|node| node.is(&["ERROR"])) {
        return Vec::new();
    }
    let asks = |node: &Node<'_>| {
        let name =
            pair.after.calls.iter().find(|site| site.node.range() == node.range()).map(|site| site.name.as_str());
        is_condition(node)
            || name == Some("assert")
            || name.is_some_and(|name| ANSWERS.iter().any(|start| name.starts_with(start)))
    };
    let statements = pair.after.of_kind(&["expression_statement"]).filter(|node| pair.after.is_changed(node));
    let asked = statements.filter(|node| node.parts().first().is_some_and(|first| asks(&bare(first.clone()))));
    let new = asked.filter(|node| {
        !pair.before.nodes.iter().any(|old| old.is(&["expression_statement"]) && squeezed(old) == squeezed(node))
    });
    new.map(|node| {
        pair.smell(
            SmellKind::WeakenedCheck,
            node,
            &format!("nobody looks at the answer of `{}`", short(&squeezed(node))),
        )
    })
    .collect()
}
