//! Names of servers and their tools. A tool's identity is the pair of both, never one text made of them.

use std::collections::BTreeMap;

/// Longest name of a server, and of a tool, in characters.
const LONGEST_SERVER: usize = 32;
const LONGEST_TOOL: usize = 64;

/// Whether `name` can be a server's.
///
/// # Errors
/// What is wrong with it, in words.
pub fn server_name(name: &str) -> Result<(), String> {
    if ["thinking", "memory", "intelligence"].contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("`{name}` is the name of one of Conclave\u{2019}s own; give the server another"));
    }
    plain(name, LONGEST_SERVER).map_err(|why| format!("`{name}` cannot be a server\u{2019}s name: {why}"))?;
    if name.contains("__") {
        return Err(format!(
            "`{name}` cannot be a server\u{2019}s name: clients put `__` between a server and its tool"
        ));
    }
    Ok(())
}

/// Whether these can be the names of one server's tools.
///
/// # Errors
/// What is wrong with them, in words.
pub(super) fn tool_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for name in names {
        plain(name, LONGEST_TOOL).map_err(|why| format!("a tool has the name `{}`: {why}", name.escape_default()))?;
        if let Some(other) = known.insert(folded(name), name) {
            return Err(format!("two tools have names that are easily taken for each other: `{other}` and `{name}`"));
        }
    }
    Ok(())
}

fn plain(name: &str, longest: usize) -> Result<(), String> {
    if name.is_empty() || name.len() > longest {
        return Err(format!("it has to have 1 to {longest} characters"));
    }
    match name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))) {
        Some(other) => Err(format!("`{}` is not a letter, digit, `_` or `-`", other.escape_default())),
        None => Ok(()),
    }
}

/// The name as somebody sees it at a glance: without case, and with what looks alike the same.
fn folded(name: &str) -> String {
    let alike = |c: char| match c.to_ascii_lowercase() {
        '0' => 'o',
        '1' | 'l' => 'i',
        '-' => '_',
        c => c,
    };
    name.chars().map(alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_taken_for_others_are_refused() {
        for name in ["kagi", "sequential-thinking", "my_memory", "A1"] {
            assert_eq!(server_name(name), Ok(()), "{name}");
        }
        let long = "x".repeat(33);
        for name in ["", "a__b", "a b", "k\u{430}gi", "ka\u{200b}gi", "a.b", "a/b", "Memory", "thinking", &long] {
            assert!(server_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn confusable_pairs_are_never_both_accepted() {
        // Each pair: names of two tools of one server.
        let pairs = [
            ("read_file", "Read_File"),
            ("read_file", "read-file"),
            ("read_file", "read_fi1e"),
            ("read_file", "read_fiIe"),
            ("go", "g0"),
            ("kagi", "k\u{430}gi"),
            ("kagi", "kagi\u{200b}"),
            ("kagi", "ka\u{2060}gi"),
            ("kagi", "kagi "),
            ("kagi", " kagi"),
            ("kagi", "kagi\n"),
            ("kagi", "kagi\0"),
            ("kagi", "kag\u{131}"),
            ("kagi", "\u{212a}agi"),
            ("search", "s\u{435}arch"),
            ("search", "SEARCH"),
            ("search", "sear\u{441}h"),
            ("search", "\u{ff53}earch"),
            ("a_b", "a-b"),
            ("a__b", "a_-b"),
            ("tool1", "tooll"),
            ("tool1", "toolI"),
            ("O", "0"),
            ("l", "I"),
            ("l", "1"),
            ("list", "1ist"),
            ("fetch", "fetch"),
            ("fetch", "f\u{435}tch"),
            ("fetch", "fet\u{0441}h"),
            ("fetch", "fetch\u{301}"),
            ("fetch", "fetch\u{fe0f}"),
            ("fetch", "\u{202e}hctef"),
            ("x.y", "x_y"),
            ("x/y", "x_y"),
            ("x:y", "x_y"),
            ("x y", "x_y"),
            ("\u{e9}", "e"),
            ("caf\u{e9}", "cafe"),
            ("\u{df}", "ss"),
            ("open", "\u{3bf}pen"),
            ("open", "0pen"),
            ("open", "OPEN"),
            ("open", "Open"),
            ("open_nodes", "open-nodes"),
            ("read_graph", "read_gr\u{430}ph"),
            ("read_graph", "READ_GRAPH"),
            ("read_graph", "read\u{2010}graph"),
            ("read_graph", "read\u{ad}_graph"),
            ("id", "Id"),
            ("id", "ld"),
            ("id", "1d"),
            ("mcp", "m\u{441}p"),
            ("mcp", "mc\u{440}"),
            ("tool", "t00l"),
            ("tool", "to\u{43e}l"),
            ("tool", "tooI"),
            ("a", "\u{251}"),
            ("a", "\u{ff41}"),
            ("a", "\u{1d41a}"),
            ("a", ""),
        ];
        assert_eq!(pairs.len(), 60);
        for (one, other) in pairs {
            assert!(tool_names([one, other]).is_err(), "{one} {other}");
        }
        assert_eq!(tool_names(["create_entities", "create_relations", "read_graph", "kagi_search_fetch"]), Ok(()));
    }
}
