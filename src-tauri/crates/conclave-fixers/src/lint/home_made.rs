//! A cipher, a digest or an escaping of its own.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, speaks_of};

const NAMES: [&str; 12] = [
    "escape",
    "sanitize",
    "sanitise",
    "encrypt",
    "decrypt",
    "cipher",
    "hash",
    "digest",
    "hmac",
    "obfuscate",
    "xor",
    "purify",
];
/// What is done by hand there: replacing characters, going through them, shifting bits.
const BY_HAND: [&str; 9] =
    ["replace", "replaceAll", "charCodeAt", "fromCharCode", "ord", "chr", "charAt", "translate", "join"];
const BITS: [&str; 4] = ["^", "<<", ">>", ">>>"];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let known: Vec<String> = pair.before.calls.iter().map(|site| site.name.clone()).collect();
    let mut smells = Vec::new();
    for body in
        pair.after.nodes.iter().filter_map(|node| node.field("body").filter(|_| node.field("parameters").is_some()))
    {
        let name = pair.after.function_name(&body);
        let old = pair.before.code.contains(name.as_str()) || known.contains(&name);
        if name.is_empty() || old || !speaks_of(&name, &NAMES) || !pair.after.is_changed(&body) {
            continue;
        }
        let inside = || pair.after.calls.iter().filter(|site| body.contains(&site.node));
        let by_hand = inside().any(|site| BY_HAND.contains(&site.name.as_str()));
        let bits = body
            .walk()
            .any(|node| node.field("operator").is_some_and(|operator| BITS.contains(&operator.text().as_ref())));
        if by_hand || bits {
            smells.push(pair.smell(SmellKind::HomeMade, &body, &format!("`{name}` is written by hand")));
        }
    }
    smells
}
