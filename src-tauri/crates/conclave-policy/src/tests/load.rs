//! What a policy file may look like, and every way in which one is refused.

use super::request;
use crate::{Action, Effective, Layer, LoadError, NO_MATCH, Policy};

const RULE: &str = "{ id: a, priority: 1, effect: allow, reason: because";

fn file(rules: &str) -> String {
    format!("version: 1\nrules: [{rules}]\n")
}

fn load(rules: &str) -> Result<Policy, LoadError> {
    Policy::load(&file(rules), Layer::User)
}

#[test]
fn files_that_are_not_quite_right_are_refused_whole() {
    let form = [
        String::new(),
        "rules: []".to_owned(),
        "version: 1".to_owned(),
        "version: 1\nversion: 1\nrules: []".to_owned(),
        "version: 1\nrules: []\nextra: true".to_owned(),
        file(&format!("{RULE}, actor: [person] }}")),
        file(&format!("{RULE}, actions: [read] }}")),
        file(&format!("{RULE}, priority: 2 }}")),
        file(&format!("{RULE}, context: {{ host: {{ equals: a }} }} }}")),
        file(&format!("{RULE}, context: {{ host: {{ is: a, is_not: b }} }} }}")),
        file(&format!("{RULE}, context: {{ host: a }} }}")),
        file("{ id: a, priority: 1, effect: permit, reason: because }"),
        file("{ id: a, priority: -1, effect: allow, reason: because }"),
        file("{ id: a, effect: allow, reason: because }"),
        file("{ id: a, priority: 1, effect: allow }"),
        file(&format!("{RULE}, examples: [{{ actor: root, action: read_file, resource: x, expect: deny }}] }}")),
        file(&format!("{RULE}, examples: [{{ actor: person, action: read_file, resource: x, expects: deny }}] }}")),
    ];
    for text in form {
        assert!(matches!(Policy::load(&text, Layer::User), Err(LoadError::Form(_))), "{text}");
    }
    assert!(matches!(Policy::load("version: 2\nrules: []", Layer::User), Err(LoadError::Version(2))));
    assert!(matches!(load(&format!("{RULE} }}, {RULE} }}")), Err(LoadError::Duplicate(id)) if id == "a"));
    let meaningless = [
        format!("{RULE}, actors: [] }}"),
        format!("{RULE}, actions: [] }}"),
        format!("{RULE}, actors: [everybody] }}"),
        format!("{RULE}, actors: ['analyst:'] }}"),
        format!("{RULE}, resource: '/a/[' }}"),
        "{ id: a, priority: 1, effect: allow, reason: ' ' }".to_owned(),
        "{ id: '', priority: 1, effect: allow, reason: because }".to_owned(),
        format!("{{ id: {NO_MATCH}, priority: 1, effect: allow, reason: because }}"),
    ];
    for rules in meaningless {
        assert!(matches!(load(&rules), Err(LoadError::Rule { .. })), "{rules}");
    }
}

#[test]
fn an_example_that_comes_out_differently_refuses_the_file() {
    let example =
        |line: &str| load(&format!("{RULE}, actions: [read_file], examples: [{{ actor: person, {line} }}] }}"));
    assert!(example("action: read_file, resource: x, expect: allow").is_ok());
    assert!(example("action: write_file, resource: x, expect: deny, by: no_match").is_ok());
    for wrong in [
        "action: read_file, resource: x, expect: deny",
        "action: read_file, resource: x, expect: allow, by: b",
        "action: write_file, resource: x, expect: deny",
    ] {
        assert!(matches!(example(wrong), Err(LoadError::Example { number: 1, .. })), "{wrong}");
    }
}

#[test]
fn resource_patterns_match_whole_paths() {
    let cases = [
        ("/home/ada/**", "/home/ada/shop/a.py", true),
        ("/home/ada/**", "/home/ada2/a.py", false),
        ("/home/ada/*", "/home/ada/a.py", true),
        ("/home/ada/*", "/home/ada/shop/a.py", false),
        ("**/*.sarif", "/tmp/x.sarif", true),
        ("**/*.sarif", "/tmp/x.sarif/y", false),
        ("https://api.example.com/**", "https://api.example.com/v1/chat", true),
        ("https://api.example.com/**", "https://api.example.com.evil.example/v1", false),
        ("/a\\*b", "/a*b", true),
        ("/a\\*b", "/axb", false),
    ];
    for (pattern, resource, expect) in cases {
        let policy = load(&format!("{RULE}, resource: '{pattern}' }}")).expect(pattern);
        let found = policy.evaluate(&request("person", Action::ReadFile, resource, &[]), 0).effect == Effective::Allow;
        assert_eq!(found, expect, "{pattern} on {resource}");
    }
}

#[test]
fn a_rule_that_cannot_be_judged_denies_as_itself() {
    let policy = load(&format!("{RULE}, resource: '/**' }}")).expect("loads");
    let decide = |length: usize| policy.evaluate(&request("person", Action::ReadFile, &"/a".repeat(length), &[]), 0);
    assert_eq!(decide(8 * 1024).effect, Effective::Allow);
    let denied = decide(8 * 1024 + 1);
    assert_eq!((denied.effect, denied.rule.as_str()), (Effective::Deny, "a"));
}

#[test]
fn a_project_can_make_the_policy_stricter_and_nothing_else() {
    let allow_all = file(&format!("{RULE} }}"));
    let deny_reading = file("{ id: d, priority: 9, effect: deny, reason: private, actions: [read_file] }");
    let shielded = file(&format!("{RULE} }}, {{ id: d, priority: 9, effect: deny, reason: private }}"));
    let decide = |base: &Policy, project: &str, action| {
        let policy = base.clone().and(Policy::load(project, Layer::Project).expect("loads"));
        policy.evaluate(&request("person", action, "x", &[]), 0).rule
    };
    let nothing = Policy::load("version: 1\nrules: []", Layer::User).expect("loads");
    let everything = Policy::load(&file("{ id: all, priority: 1, effect: allow, reason: mine }"), Layer::User);
    let everything = everything.expect("loads");
    assert_eq!(decide(&nothing, &allow_all, Action::ReadFile), NO_MATCH);
    assert_eq!(decide(&everything, &allow_all, Action::ReadFile), "all");
    assert_eq!(decide(&everything, &deny_reading, Action::ReadFile), "d");
    assert_eq!(decide(&everything, &deny_reading, Action::WriteFile), "all");
    assert_eq!(decide(&everything, &shielded, Action::ReadFile), "d", "an ignored allow shields nothing");
}
