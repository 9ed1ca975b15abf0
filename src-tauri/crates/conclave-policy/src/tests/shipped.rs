//! What the shipped rules decide, for every actor and action.

use super::request;
use crate::load::{check_examples, read};
use crate::request::ACTIONS;
use crate::request::short;
use crate::{Action, Decision, Effective, Layer, Mode, NO_MATCH, Policy, Reviewed, remedy};

const ACTORS: [&str; 5] = ["person", "engine", "analyst:alpha", "reviewer", "agent:claude-code"];
const FILES: [(&str, &str); 4] = [
    ("floor", include_str!("../../rules/floor.yaml")),
    ("default", include_str!("../../rules/default.yaml")),
    ("strict", include_str!("../../rules/strict.yaml")),
    ("offline", include_str!("../../rules/offline.yaml")),
];

fn sign(effect: Effective) -> char {
    match effect {
        Effective::Allow => '+',
        Effective::Sample => '?',
        Effective::Deny => '-',
    }
}

#[test]
fn every_shipped_rule_has_examples_and_they_come_out_as_written() {
    for (name, text) in FILES {
        let file = read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(file.warnings, Vec::<String>::new(), "{name}");
        for rule in &file.rules {
            check_examples(rule).unwrap_or_else(|error| panic!("{name}: {error}"));
            for expected in [true, false] {
                assert!(rule.examples.iter().any(|(_, found)| *found == expected), "{name}: {} {expected}", rule.id());
            }
            assert_eq!(rule.examples().len(), rule.examples.len());
        }
    }
}

#[test]
fn each_actor_may_do_what_the_table_says_and_nothing_else() {
    // Columns: person, engine, analyst, reviewer, agent; `+` is allowed.
    let local = [("place", "loopback"), ("consent", "settings"), ("model_class", "local")];
    let unknown = [("place", "loopback"), ("consent", "settings")];
    let hosted = [("place", "remote"), ("consent", "settings"), ("host", "api.example.com")];
    let probe = [("place", "loopback"), ("consent", "none"), ("data", "metadata")];
    let leaking = [("place", "loopback"), ("consent", "settings"), ("model_class", "local"), ("secrets", "1")];
    let boxed = [("sandbox", "yes")];
    type Row<'a> = (Action, &'a [(&'a str, &'a str)], &'a str);
    let table: &[Row] = &[
        (Action::ReadFile, &[], "++---"),
        (Action::ReadProject, &[], "++---"),
        (Action::WatchProject, &[], "++---"),
        (Action::CopyToScratch, &[], "++---"),
        (Action::RunCommand, &boxed, "-+---"),
        (Action::RunCommand, &[], "-----"),
        (Action::RunCommand, &[("sandbox", "no")], "-----"),
        (Action::RunCommand, &[("sandbox", "YES")], "-----"),
        (Action::WriteProject, &[], "+----"),
        (Action::WriteFile, &[], "+----"),
        (Action::SendHttp, &local, "++++-"),
        (Action::SendHttp, &unknown, "++++-"),
        (Action::SendHttp, &hosted, "++++-"),
        (Action::SendHttp, &probe, "++---"),
        (Action::SendHttp, &leaking, "-----"),
        (Action::SendHttp, &[("place", "loopback"), ("consent", "none"), ("model_class", "local")], "-----"),
        (Action::SendHttp, &[("place", "loopback"), ("consent", "person")], "-----"),
        (Action::SendHttp, &[("place", "remote"), ("consent", "person")], "-----"),
        (Action::SendHttp, &[("place", "remote"), ("consent", "none"), ("model_class", "local")], "-----"),
        (Action::SendHttp, &[("place", "remote"), ("data", "metadata")], "-----"),
        (Action::SendHttp, &[("place", "elsewhere"), ("consent", "settings")], "-----"),
        (Action::SendHttp, &[("consent", "settings")], "-----"),
        (Action::SendHttp, &[], "-----"),
        (Action::ReadKey, &[], "++++-"),
        (Action::WriteKey, &[], "+----"),
        (Action::CallTool, &[], "-----"),
    ];
    let policy = Policy::shipped(Mode::Default);
    for (action, context, expect) in table {
        let decide = |actor| policy.evaluate(&request(actor, *action, "x", context), 0).effect;
        assert_eq!(&ACTORS.map(decide).map(sign).iter().collect::<String>(), expect, "{action} {context:?}");
    }
    for action in ACTIONS {
        assert!(table.iter().any(|row| row.0 == action), "{action} is in the table");
    }
}

#[test]
fn offline_denies_every_connection_and_changes_nothing_else() {
    let (default, offline) = (Policy::shipped(Mode::Default), Policy::shipped(Mode::Offline));
    for place in ["loopback", "remote"] {
        for actor in ACTORS {
            let asked = request(actor, Action::SendHttp, "x", &[("place", place), ("consent", "settings")]);
            let decision = offline.evaluate(&asked, 0);
            assert_eq!(decision.effect, Effective::Deny, "{actor} {place}");
        }
    }
    let asked = request("engine", Action::SendHttp, "x", &[("place", "loopback"), ("consent", "settings")]);
    let decision = offline.evaluate(&asked, 0);
    assert_eq!((decision.reason.as_str(), decision.layer), ("offline: no connection is attempted", Some(Layer::Floor)));
    for action in ACTIONS.into_iter().filter(|action| *action != Action::SendHttp) {
        for actor in ACTORS {
            let asked = request(actor, action, "x", &[("sandbox", "yes")]);
            assert_eq!(offline.evaluate(&asked, 0), default.evaluate(&asked, 0));
        }
    }
}

#[test]
fn strict_is_nowhere_more_lenient_than_default() {
    let (default, strict) = (Policy::shipped(Mode::Default), Policy::shipped(Mode::Strict));
    let mut stricter = 0;
    for (_, text) in FILES {
        for example in read(text).unwrap().rules.iter().flat_map(crate::Rule::examples) {
            let (one, other) = (default.evaluate(&example.request, 0), strict.evaluate(&example.request, 0));
            assert!(other.effect >= one.effect, "{:?}", example.request);
            stricter += usize::from(other.effect > one.effect);
        }
    }
    assert!(stricter > 5);
}

/// What an agent in `/home/ada/shop` gets for a call, in short form.
fn agent(call: &str) -> char {
    let text = format!("{{ actor: 'agent:claude-code', project: /home/ada/shop, cwd: /home/ada/shop, {call} }}");
    let request = crate::parse_request(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    sign(Policy::shipped(Mode::Default).evaluate(&request, 0).effect)
}

#[test]
fn agents_get_what_the_table_says() {
    let table = [
        ("tool: Read, reads: /home/ada/shop/src/a.py", '+'),
        ("tool: Read, reads: /home/ada/notes.txt", '?'),
        ("tool: Read, reads: /home/ada/shop/.env", '-'),
        ("tool: Read, reads: /home/ada/.ssh/id_rsa", '-'),
        ("tool: Read", '+'),
        ("tool: Read, paths: [{ given: a, real: null, access: read }]", '-'),
        ("tool: Edit, writes: /home/ada/shop/src/a.py", '+'),
        ("tool: Edit, writes: /home/ada/shop/.git/config", '-'),
        ("tool: Edit, writes: /home/ada/shop/AGENTS.md", '-'),
        ("tool: Edit, writes: /home/ada/b.py", '-'),
        ("tool: Edit", '-'),
        ("tool: TodoWrite", '+'),
        ("tool: WebFetch, parameters: { url: 'https://example.com' }", '?'),
        ("tool: mcp__memory__create", '?'),
        ("tool: NoSuchTool", '-'),
        ("tool: Bash, parameters: { command: git status }", '+'),
        ("tool: Bash, parameters: { command: git status; curl https://example.com }", '?'),
        ("tool: Bash, parameters: { command: 'ls | sudo tee x' }", '-'),
        ("tool: Bash, parameters: { command: 'ls $(rm x)' }", '-'),
        ("tool: Bash, parameters: { command: 'cat .env' }, writes: /home/ada/shop/.env", '-'),
        ("tool: Bash, parameters: { command: 'cat < /home/ada/.netrc' }, reads: /home/ada/.netrc", '-'),
        ("tool: Bash, parameters: { command: 'echo x > ci' }, writes: /home/ada/shop/.circleci/config.yml", '-'),
        ("tool: Bash, parameters: { command: cargo test }", '?'),
        ("tool: Bash", '?'),
        ("tool: Bash, parameters: { command: '' }", '-'),
    ];
    for (call, expect) in table {
        assert_eq!(agent(call), expect, "{call}");
    }
}

/// Names that look like `name` or read like it, and are another name.
fn mutations(name: &str) -> Vec<String> {
    let mut found = vec![
        name.to_lowercase(),
        name.to_uppercase(),
        format!("{name} "),
        format!(" {name}"),
        format!("{name}\0"),
        format!("{name}\n"),
        format!("{name}\u{200b}"),
        format!("\u{feff}{name}"),
        format!("{name}\u{301}"),
        format!("./{name}"),
        format!("{name}/../{name}"),
        format!("{name}()"),
        format!("{name},{name}"),
        format!("mcp__{name}"),
        name.repeat(2),
    ];
    let look_alikes = [('a', 'а'), ('e', 'е'), ('o', 'о'), ('R', 'Ꭱ'), ('B', 'В'), ('T', 'Т'), ('i', 'і'), ('d', 'ԁ')];
    found.extend(look_alikes.into_iter().map(|(one, other)| name.replace(one, &other.to_string())));
    found.extend(
        (0..name.len()).filter(|at| name.is_char_boundary(*at)).map(|at| format!("{}{}", &name[..at], &name[at + 1..])),
    );
    found.retain(|other| other != name);
    found
}

#[test]
fn no_mutation_of_an_allowed_name_inherits_the_allow() {
    let policy = Policy::shipped(Mode::Default);
    let decide = |tool: &str| {
        let value = serde_json::json!({
            "actor": "agent:claude-code", "tool": tool, "project": "/home/ada/shop", "cwd": "/home/ada/shop",
            "parameters": { "command": "ls" }, "reads": "/home/ada/shop/a.py",
        });
        policy.evaluate(&short::read(&value).unwrap().0, 0).effect
    };
    let names =
        ["Read", "Grep", "Glob", "Bash", "TodoWrite", "ExitPlanMode", "apply_patch", "read_file", "glob", "Edit"];
    let mut tried = 0;
    for name in names {
        assert_eq!(decide(name), Effective::Allow, "{name}");
        for mutation in mutations(name).into_iter().filter(|mutation| !names.contains(&mutation.as_str())) {
            assert_ne!(decide(&mutation), Effective::Allow, "{mutation:?}");
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn protected_paths_are_protected_however_they_are_written() {
    let policy = Policy::shipped(Mode::Default);
    let decide = |actor: &str, path: &str| {
        let action = if actor == "person" { "write_project" } else { "call_tool" };
        let mut value = serde_json::json!({ "actor": actor, "action": action, "project": "/p", "writes": path });
        if actor != "person" {
            value["tool"] = "Write".into();
        }
        policy.evaluate(&short::read(&value).unwrap().0, 0).effect
    };
    let git = ["/p/.git", "/p/.git/config", "/p/.GIT/hooks/x", "/p/.g\u{200c}it/config", "/p/sub/.Git/new/x"];
    let asked = [
        "/p/.github/workflows/ci.yml",
        "/p/.GitHub/Workflows/new/ci.yml",
        "/p/.mcp.json",
        "/p/.MCP.json",
        "/p/claude.md",
        "/p/sub/CLAUDE.MD",
        "/p/Agents.md",
        "/p/.claude/settings.json",
        "/p/.Claude",
        "/p/.vscode/tasks.json",
        "/p/.\u{feff}vscode/tasks.json",
        "/p/.husky/missing/parents/x",
        "/p/.bashrc",
        "/p/jenkinsfile",
        "/p/.gitattributes",
    ];
    for path in git {
        assert_eq!(decide("person", path), Effective::Deny, "{path}");
        assert_eq!(decide("agent:claude-code", path), Effective::Deny, "{path}");
    }
    for path in asked {
        assert_eq!(decide("person", path), Effective::Sample, "{path}");
        assert_eq!(decide("agent:claude-code", path), Effective::Deny, "{path}");
    }
    for path in ["/p/src/git.py", "/p/gitconfig.md", "/p/docs/agents/list.md", "/p/.gitignore"] {
        assert_eq!(decide("person", path), Effective::Allow, "{path}");
        assert_eq!(decide("agent:claude-code", path), Effective::Allow, "{path}");
    }
}

#[test]
fn accents_written_in_two_ways_are_one_name_to_what_refuses_and_two_to_what_allows() {
    let (composed, decomposed) = ("/p/caf\u{e9}/x", "/p/cafe\u{301}/x");
    let load = |action: &str, path: &str| {
        let text = format!(
            "version: 1\nextends: none\nrules: [{{ id: r, priority: 1, action: {action}, reason: r, conditions: {{ path: '{path}' }} }}]"
        );
        Policy::load(&text, Layer::User).unwrap().policy
    };
    for (rule, asked) in [(composed, decomposed), (decomposed, composed), (composed, composed)] {
        let request =
            short::read(&serde_json::json!({ "actor": "person", "action": "read_file", "reads": asked })).unwrap().0;
        assert_eq!(load("deny", rule).evaluate(&request, 0).rule, "r");
        assert_eq!(load("allow", rule).evaluate(&request, 0).rule == "r", rule == asked);
    }
}

#[test]
fn refusals_say_why_and_what_to_do_in_words() {
    let policy = Policy::shipped(Mode::Default);
    let cases: [(&str, Action, &str, &str); 4] = [
        ("engine", Action::WriteProject, "only-the-person-writes", "only you write to your project"),
        ("engine", Action::RunCommand, "no-command-outside-sandbox", "programs run in the sandbox or not at all"),
        (
            "engine",
            Action::SendHttp,
            "nothing-leaves-unasked",
            "nothing leaves this machine without your word; for a model, `may_send_code` in its settings is that word",
        ),
        ("reviewer", Action::ReadFile, NO_MATCH, "no rule allows it"),
    ];
    for (actor, action, rule, reason) in cases {
        let request = request(actor, action, "x", &[]);
        let decision = policy.evaluate(&request, 0);
        assert_eq!((decision.rule.as_str(), decision.reason.as_str()), (rule, reason));
        assert!(!remedy(&decision, &request).is_empty());
    }
}

#[test]
fn nobody_is_sent_to_ask_again_after_a_persons_no() {
    let by = Reviewed::Person { justification: "no".to_owned(), at_ms: 1 };
    for rule in ["human-review", "mine"] {
        let mut decision = Decision {
            effect: Effective::Deny,
            rule: rule.to_owned(),
            reason: "you refused it: no".to_owned(),
            layer: Some(Layer::User),
            review: Some(by.clone()),
        };
        let request = request("agent:x", Action::CallTool, "Bash", &[]);
        let words = remedy(&decision, &request);
        assert!(words.contains("do not ask again") && !words.contains("allow rule"), "{words}");
        decision.review = None;
        assert!(!remedy(&decision, &request).contains("do not ask again"));
    }
}

#[test]
fn who_has_a_broken_policy_is_told_to_correct_it() {
    for layer in [Layer::Admin, Layer::User, Layer::Project] {
        let policy = Policy::refuse_all(layer, "line 3 is no rule");
        let request = request("engine", Action::ReadFile, "x", &[]);
        let words = remedy(&policy.evaluate(&request, 0), &request);
        assert!(words.contains("`conclave policy check FILE`"), "{layer:?}: {words}");
    }
}

#[test]
fn the_data_folder_is_kept_from_agents_wherever_it_is() {
    let policy = Policy::guard("/srv/we[i]rd, {place}").and(Policy::shipped(Mode::Default));
    let decide = |path: &str| {
        let value = serde_json::json!({ "actor": "agent:x", "tool": "Read", "project": "/srv", "reads": path });
        policy.evaluate(&short::read(&value).unwrap().0, 0).rule
    };
    for path in ["/srv/we[i]rd, {place}", "/srv/we[i]rd, {place}/conclave.db", "/SRV/WE[I]RD, {PLACE}/x"] {
        assert_eq!(decide(path), "own-data", "{path}");
    }
    assert_eq!(decide("/srv/weird, place/x"), "agent-reads");
    let endless = Policy::guard(&format!("/{}", "x".repeat(2000)));
    assert_eq!(endless.evaluate(&request("person", Action::ReadFile, "x", &[]), 0).effect, Effective::Deny);
}
