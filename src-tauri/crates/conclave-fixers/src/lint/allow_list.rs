//! A list of what is allowed grows, or a pattern loses its ends.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side, gained, short, speaks_of, squeezed};

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    const LISTS: [&str; 9] =
        ["allow", "safe", "permit", "accept", "origin", "hosts", "scheme", "extension", "whitelist"];
    let mut smells = Vec::new();
    let lists = |side: &Side<'_>| {
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        for node in &side.nodes {
            let name = node.field("left").or_else(|| node.field("name")).or_else(|| node.field("key"));
            let value = node.field("right").or_else(|| node.field("value"));
            let (Some(name), Some(value)) = (name, value) else { continue };
            if speaks_of(&name.text(), &LISTS) {
                let texts = value.walk().filter(|part| part.is(&["string", "string_literal"]));
                found.push((
                    squeezed(&name),
                    texts.map(|part| part.text().trim_matches(['"', '\'']).to_owned()).collect(),
                ));
            }
        }
        found
    };
    let after = lists(&pair.after);
    for (name, was) in lists(&pair.before) {
        let Some((_, is)) = after.iter().find(|(other, _)| *other == name) else { continue };
        let grown = speaks_of(&name, &LISTS)
            && !was.is_empty()
            && was.iter().all(|item| is.contains(item))
            && is.len() > was.len();
        let anything =
            is.iter().any(|item| matches!(item.as_str(), "*" | ".*" | "**") && !was.contains(item)) && was.len() > 1;
        if grown || anything {
            smells.push(pair.gone(SmellKind::WeakenedCheck, &format!("`{name}` allows more")));
        }
    }
    let patterns = |side: &Side<'_>| {
        side.counts(|node| {
            node.is(&["string", "regex", "string_literal"])
                .then(|| node.text().into_owned())
                .filter(|text| text.contains(['^', '$']))
        })
    };
    let (was, is) = (patterns(&pair.before), patterns(&pair.after));
    let texts: Vec<String> = pair
        .after
        .nodes
        .iter()
        .filter(|node| node.is(&["string", "regex", "string_literal"]))
        .map(|node| node.text().into_owned())
        .collect();
    for (text, _) in gained(&is, &was) {
        let loose = text.replacen('^', "", 1).replacen('$', "", 1);
        let tail = text.replacen('$', "", 1);
        let head = text.replacen('^', "", 1);
        let any = [&loose, &tail, &head].iter().any(|form| **form != text && texts.contains(form));
        let open = texts
            .iter()
            .any(|other| (other.contains(".*") || other.contains(".+")) && !pair.before.code.contains(other.as_str()));
        if any || open {
            smells
                .push(pair.gone(SmellKind::WeakenedCheck, &format!("the pattern {} lets more through", short(&text))));
        }
    }
    smells
}
