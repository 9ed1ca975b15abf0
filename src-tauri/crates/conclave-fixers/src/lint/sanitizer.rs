//! A value that was cleaned on its way goes the same way uncleaned.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Site, short, speaks_of, squeezed};

/// Parts of the names of functions that clean a value or compare one safely.
const CLEANS: [&str; 24] = [
    "escape",
    "quote",
    "sanitiz",
    "sanitis",
    "clean",
    "encode",
    "purify",
    "validat",
    "verif",
    "check",
    "basename",
    "normpath",
    "normalize",
    "realpath",
    "resolve",
    "secure_filename",
    "strip_tags",
    "bleach",
    "parseint",
    "int",
    "uuid",
    "forhtml",
    "forjavascript",
    "allow",
];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let after: Vec<String> = pair.after.nodes.iter().filter(|node| pair.after.is_changed(node)).map(squeezed).collect();
    let mut smells = Vec::new();
    for site in
        pair.before.calls.iter().filter(|site| speaks_of(&site.name, &CLEANS) && pair.before.is_changed(&site.node))
    {
        let arguments = site.arguments();
        let Some(value) = arguments.iter().find(|argument| !argument.is(&["keyword_argument", "string"])) else {
            continue;
        };
        if unwrapped(site, &squeezed(value)).is_some_and(|text| after.contains(&text)) {
            let what = format!("`{}` no longer cleans `{}`", short(&site.written), short(&squeezed(value)));
            smells.push(pair.gone(SmellKind::WeakenedCheck, &what));
        }
    }
    smells
}

/// What stands around the call, with the bare value in its place.
fn unwrapped(site: &Site<'_>, value: &str) -> Option<String> {
    let call = squeezed(&site.node);
    let mut around = site.node.parent()?;
    // A pair of parentheses with nothing else in it says too little.
    while squeezed(&around).replace(&call, "").chars().filter(|c| c.is_alphanumeric()).count() < 2 {
        around = around.parent()?;
    }
    Some(squeezed(&around).replacen(&call, value, 1))
}
