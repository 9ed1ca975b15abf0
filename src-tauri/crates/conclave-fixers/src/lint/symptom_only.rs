//! Something is put around the place where it shows, and the dangerous call and the way to it stay as they were.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, gained, squeezed};

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let (Some((first, last)), [source, .., _]) = (pair.place, pair.finding.flow.as_slice()) else { return Vec::new() };
    let begins = source.location.region.map_or(0, |region| region.start_line);
    let elsewhere = source.location.path != *pair.path || begins.abs_diff(first) > FAR;
    if !elsewhere {
        return Vec::new();
    }
    // Only where the reported calls stay word for word is nothing changed about them.
    let reported: Vec<String> =
        pair.before.calls.iter().filter(|site| pair.is_reported(&site.node)).map(|site| squeezed(&site.node)).collect();
    let after: Vec<String> = pair.after.calls.iter().map(|site| squeezed(&site.node)).collect();
    let stays = !reported.is_empty() && reported.iter().all(|call| after.contains(call));
    let leaves = pair.before.nodes.iter().filter(|node| node.parts().is_empty() && pair.before.is_changed(node));
    let near = leaves.map(|node| node.lines().0).all(|line| line + FAR >= first && line <= last + FAR);
    let kinds = |side: &super::pair::Side<'_>| {
        side.counts(|node| node.is(&["try_statement", "if_statement"]).then(|| node.kind().into_owned()))
    };
    let wraps = !gained(&kinds(&pair.before), &kinds(&pair.after)).is_empty();
    match stays && near && wraps {
        true => vec![pair.gone(
            SmellKind::SymptomOnly,
            "only what stands around the reported call changes; the input comes from elsewhere",
        )],
        false => Vec::new(),
    }
}

/// So many lines away is elsewhere.
const FAR: u32 = 5;
