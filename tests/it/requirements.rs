//! Every requirement stands once in `requirements.toml`, and every test that a row names exists.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::Deserialize;

use crate::tree::{files, none, root};

/// How many requirements each group has; they are numbered from 1 without gaps.
const GROUPS: &[(&str, usize)] = &[
    ("A0", 6),
    ("A1", 5),
    ("A2", 5),
    ("A3", 15),
    ("A4", 8),
    ("A5", 7),
    ("A6", 6),
    ("A7", 18),
    ("A8", 12),
    ("A9", 11),
    ("B1", 6),
    ("B2", 3),
    ("B3", 10),
    ("B4", 8),
    ("B5", 4),
    ("B6", 7),
    ("B7", 3),
    ("B8", 6),
    ("B9", 3),
    ("C", 14),
    ("D", 17),
    ("E", 30),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    title: String,
    shown_by: Tests,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Tests {
    One(String),
    Many(Vec<String>),
}

impl Row {
    /// The tests that show it; none while it is open.
    fn tests(&self) -> &[String] {
        match &self.shown_by {
            Tests::One(name) if name == "open" => &[],
            Tests::One(name) => std::slice::from_ref(name),
            Tests::Many(names) => names,
        }
    }
}

/// Rows by group and id. A repeated id does not parse.
fn rows() -> BTreeMap<String, BTreeMap<String, Row>> {
    let text = std::fs::read_to_string(root().join("tests/requirements.toml")).expect("tests/requirements.toml");
    toml::from_str(&text).unwrap_or_else(|error| panic!("tests/requirements.toml: {error}"))
}

#[test]
fn every_requirement_stands_once() {
    let expected: BTreeSet<String> = GROUPS
        .iter()
        .flat_map(|(group, count)| {
            // `A0.1`, but `C1`.
            let dot = if group.len() > 1 { "." } else { "" };
            (1..=*count).map(move |number| format!("{group}: {group}{dot}{number}"))
        })
        .collect();
    let rows = rows();
    let found: BTreeSet<String> =
        rows.iter().flat_map(|(group, ids)| ids.keys().map(move |id| format!("{group}: {id}"))).collect();
    none(expected.difference(&found).cloned(), "requirements without a row");
    none(found.difference(&expected).cloned(), "rows without a requirement, or in the wrong group");
    none(
        rows.values().flatten().filter(|(_, row)| row.title.trim().is_empty()).map(|(id, _)| id.clone()),
        "rows that say nothing",
    );
}

#[test]
fn every_named_test_exists() {
    let known = test_names();
    let rows = rows();
    let mut shown = 0;
    let mut missing = Vec::new();
    for (id, row) in rows.values().flatten() {
        if let Tests::Many(names) = &row.shown_by
            && names.is_empty()
        {
            missing.push(format!("{id}: an empty list; write \"open\""));
        }
        for name in row.tests() {
            shown += 1;
            if !known.contains(name) {
                missing.push(format!("{id}: `{name}`"));
            }
        }
    }
    none(missing, "rows that name a test which does not exist");
    assert!(known.len() > 50, "only {} tests were found for {shown} names", known.len());
}

/// The names of all tests: Rust functions marked as tests or inside `proptest!`, and titles in scripts.
fn test_names() -> BTreeSet<String> {
    let function = Regex::new(r"^\s*(?:async )?fn (\w+)").expect("a pattern");
    let title = Regex::new(r#"\b(?:test|it)\(\s*(?:'([^'\n]+)'|"([^"\n]+)"|`([^`\n]+)`)"#).expect("a pattern");
    let mut names = BTreeSet::new();
    for file in files() {
        if file.is_rust() {
            let mut marked = false;
            for (_, line) in file.lines() {
                let line = line.trim();
                marked |= line == "#[test]" || line.starts_with("#[tokio::test");
                if let Some(found) = function.captures(line) {
                    if marked {
                        names.insert(found[1].to_owned());
                    }
                    marked = false;
                }
            }
        } else if file.is_script() {
            for found in title.captures_iter(file.text()) {
                names.extend(found.iter().skip(1).flatten().map(|group| group.as_str().to_owned()));
            }
        }
    }
    names
}
