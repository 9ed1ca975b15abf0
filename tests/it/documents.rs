//! What the documents show is what works: every policy in them loads, and its examples come out as they say.

use crate::program::{Home, text};
use crate::tree::root;

/// The fenced blocks of `language` in the document at `path`.
fn blocks(path: &str, language: &str) -> Vec<String> {
    let document = std::fs::read_to_string(root().join(path)).expect("the document");
    let fence = format!("```{language}\n");
    // A block under an entry of a list stands in from the left, with its fences.
    let block = |rest: &str| {
        let lines: Vec<&str> = rest.lines().take_while(|line| line.trim() != "```").collect();
        format!("{}\n", lines.join("\n"))
    };
    document.split(fence.as_str()).skip(1).map(block).collect()
}

#[test]
fn every_policy_in_the_documents_loads() {
    let policies: Vec<String> =
        ["docs/policy.md", "docs/settings.md", "README.md"].iter().flat_map(|path| blocks(path, "yaml")).collect();
    assert!(policies.len() >= 2, "the documents show policies");
    let home = Home::new();
    for policy in policies {
        let file = home.write("policy.yaml", &policy);
        let output = home.run(&["policy", "check", file.to_str().expect("text")]);
        assert_eq!(output.status.code(), Some(0), "{policy}\n{}", text(&output));
    }
}

#[test]
fn every_configuration_in_the_documents_loads() {
    let configurations = blocks("docs/migration.md", "yaml");
    assert!(configurations.len() >= 2, "the document shows configurations");
    let home = Home::new();
    for configuration in configurations {
        let file = home.write("server.yaml", &configuration);
        let (path, kind) =
            (file.to_str().expect("text"), if configuration.contains("rules:") { "policy" } else { "config" });
        let output = home.run(&[kind, "check", path]);
        assert_eq!(output.status.code(), Some(0), "{configuration}\n{}", text(&output));
    }
}
