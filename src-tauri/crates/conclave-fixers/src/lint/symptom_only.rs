//! Something is put around the place where it shows, and the dangerous call and the way to it stay as they were.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side, gained, squeezed};

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells = around(pair);
    smells.extend(length_only(pair));
    smells
}

/// A length, or whether there is anything, is asked for, and the reported call stays as it was.
fn length_only(pair: &Pair<'_>) -> Option<Smell> {
    const ASKS: [&str; 6] = ["len(", ".length", "is None", "is not None", "== null", "!= null"];
    /// Weaknesses that such a question does repair.
    const REPAIRS: [u32; 12] = [119, 120, 125, 190, 400, 476, 674, 770, 787, 789, 843, 1333];
    if pair.is_about(&REPAIRS) || !stays(pair) {
        return None;
    }
    let conditions = |side: &Side<'_>| {
        side.counts(|node| {
            let condition = node.field("condition").filter(|_| node.is(&["if_statement"]))?;
            Some(squeezed(&condition))
        })
    };
    let new = gained(&conditions(&pair.before), &conditions(&pair.after));
    let weak = |text: &str| ASKS.iter().any(|ask| text.contains(ask)) && !text.contains(" in ");
    (!new.is_empty() && new.iter().all(|(text, _)| weak(text)))
        .then(|| pair.gone(SmellKind::SymptomOnly, "only a length is asked for before the reported call"))
}

/// Whether the reported calls stay word for word.
fn stays(pair: &Pair<'_>) -> bool {
    let reported = pair.before.calls.iter().filter(|site| pair.is_reported(&site.node));
    let reported: Vec<String> = reported.map(|site| squeezed(&site.node)).collect();
    let after: Vec<String> = pair.after.calls.iter().map(|site| squeezed(&site.node)).collect();
    !reported.is_empty() && reported.iter().all(|call| after.contains(call))
}

fn around(pair: &Pair<'_>) -> Vec<Smell> {
    let (Some((first, last)), [source, .., _]) = (pair.place, pair.finding.flow.as_slice()) else { return Vec::new() };
    let begins = source.location.region.map_or(0, |region| region.start_line);
    let elsewhere = source.location.path != *pair.path || begins.abs_diff(first) > FAR;
    if !elsewhere {
        return Vec::new();
    }
    let leaves = pair.before.nodes.iter().filter(|node| node.parts().is_empty() && pair.before.is_changed(node));
    let near = leaves.map(|node| node.lines().0).all(|line| line + FAR >= first && line <= last + FAR);
    let kinds = |side: &Side<'_>| {
        side.counts(|node| node.is(&["try_statement", "if_statement"]).then(|| node.kind().into_owned()))
    };
    let wraps = !gained(&kinds(&pair.before), &kinds(&pair.after)).is_empty();
    match stays(pair) && near && wraps {
        true => vec![pair.gone(
            SmellKind::SymptomOnly,
            "only what stands around the reported call changes; the input comes from elsewhere",
        )],
        false => Vec::new(),
    }
}

/// So many lines away is elsewhere.
const FAR: u32 = 5;
