//! Functions are changed that have nothing to do with the finding.

use std::collections::BTreeSet;

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side};
use crate::outline::Outline;

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let Some((line, _)) = pair.place else { return Vec::new() };
    let outline = Outline::of(&pair.before.source.root());
    let Some((first, last, reported)) = outline.around(line) else { return Vec::new() };
    let touched = touched(&pair.before, &outline);
    let text = |first: u32, last: u32| {
        let lines = pair.before.source.text().lines().skip(first.saturating_sub(1) as usize);
        lines.take((last + 1 - first) as usize).collect::<Vec<_>>().join("\n")
    };
    let own = text(first, last);
    let in_flow = |from: u32, to: u32| {
        pair.finding.flow.iter().any(|step| {
            step.location.path == *pair.path
                && step.location.region.is_some_and(|region| (from..=to).contains(&region.start_line))
        })
    };
    let mut smells = Vec::new();
    for (from, to, name) in touched {
        let around = from <= first && last <= to;
        let inner = first <= from && to <= last;
        let related = says(&own, &name) || says(&text(from, to), &reported) || in_flow(from, to);
        if !around && !inner && !related {
            smells
                .push(pair.gone(SmellKind::UnrelatedChange, &format!("`{name}` has nothing to do with `{reported}`")));
        }
    }
    smells
}

/// The functions that changed lines of the text before stand in.
fn touched(side: &Side<'_>, outline: &Outline) -> BTreeSet<(u32, u32, String)> {
    let leaves = side.nodes.iter().filter(|node| node.parts().is_empty() && side.is_changed(node));
    leaves.filter_map(|node| outline.around(node.lines().0)).collect()
}

/// Whether `text` has `name` as a whole word.
fn says(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}
