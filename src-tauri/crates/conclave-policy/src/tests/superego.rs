//! Files in Superego's format: they load, and mean what their authors meant.

use crate::{Effective, Layer, LoadError, Policy, parse_request};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../fixtures/superego/", $name, ".yaml"))
    };
}

/// What the file decides of a call of an agent, given as `tool: …`, at a time of the day in UTC.
fn decide(file: &str, call: &str, at_ms: i64) -> (Effective, String) {
    let policy = Policy::load(file, Layer::User).unwrap_or_else(|error| panic!("{error}")).policy;
    let request = parse_request(&format!("{{ actor: 'agent:claude-code', {call} }}")).expect(call);
    let decision = policy.evaluate(&request, at_ms);
    (decision.effect, decision.rule)
}

fn check(file: &str, cases: &[(&str, Effective, &str)]) {
    for (call, effect, rule) in cases {
        assert_eq!(decide(file, call, 0), (*effect, (*rule).to_owned()), "{call}");
    }
}

use Effective::{Allow, Deny, Sample};

#[test]
fn e1_what_no_rule_matches_is_denied() {
    check(
        fixture!("e1-no-match"),
        &[("tool: Look", Allow, "let-read"), ("tool: Fetch", Deny, "no_match"), ("tool: look", Deny, "no_match")],
    );
}

#[test]
fn e2_a_rule_that_cannot_be_judged_denies_and_is_not_skipped() {
    check(
        fixture!("e2-error-in-a-rule"),
        &[
            ("tool: transfer, parameters: { amount: 5000 }", Deny, "large-transfer"),
            ("tool: transfer, parameters: { amount: 5 }", Allow, "other-transfers"),
            ("tool: transfer, parameters: { amount: [5] }", Deny, "large-transfer"),
            ("tool: transfer, parameters: { amount: five }", Deny, "large-transfer"),
            ("tool: transfer", Allow, "other-transfers"),
        ],
    );
}

#[test]
fn e3_groups_inside_groups_count_and_so_does_the_time_there() {
    let file = fixture!("e3-nested-groups");
    let minutes = |hour: i64, minute: i64| (hour * 60 + minute) * 60_000;
    // 1970-01-01 in Berlin is an hour ahead of UTC; 2026-07-01 is two.
    let summer = 1_782_864_000_000;
    for (tool, at_ms, effect, rule) in [
        ("deploy", minutes(20, 59), Allow, "the-rest"),
        ("deploy", minutes(21, 0), Deny, "quiet-hours"),
        ("migrate", minutes(23, 59), Deny, "quiet-hours"),
        ("deploy", minutes(4, 59), Deny, "quiet-hours"),
        ("deploy", minutes(5, 0), Allow, "the-rest"),
        ("status", minutes(23, 0), Allow, "the-rest"),
        ("deploy", summer + minutes(19, 59), Allow, "the-rest"),
        ("deploy", summer + minutes(20, 0), Deny, "quiet-hours"),
        ("deploy", summer + minutes(3, 59), Deny, "quiet-hours"),
        ("deploy", summer + minutes(4, 0), Allow, "the-rest"),
        ("deploy", i64::MAX, Deny, "quiet-hours"),
    ] {
        let found = decide(file, &format!("tool: {tool}"), at_ms);
        assert_eq!(found, (effect, rule.to_owned()), "{tool} at {at_ms}");
    }
}

#[test]
fn e4_and_e5_an_unknown_key_and_an_unknown_zone_refuse_the_file() {
    for (file, expect) in [
        (fixture!("e4-unknown-key"), "there is no condition `cwd_patern`; did you mean `cwd_pattern`?"),
        (fixture!("e5-unknown-zone"), "there is no time zone `Europe/Atlantis`"),
    ] {
        match Policy::load(file, Layer::User) {
            Err(LoadError::Rule { problem, .. }) => assert!(problem.contains(expect), "{problem}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn e6_a_star_crosses_folders_only_where_it_refuses() {
    check(
        fixture!("e6-glob"),
        &[
            ("tool: save, parameters: { file: /srv/private/a }", Deny, "keep-out"),
            ("tool: save, parameters: { file: /srv/private/a/b }", Deny, "keep-out"),
            ("tool: save, parameters: { file: /srv/public/a }", Allow, "may-save"),
            ("tool: save, parameters: { file: /srv/public/a/b }", Deny, "no_match"),
            ("tool: save, parameters: { file: /srv/public/../private/a }", Deny, "no_match"),
        ],
    );
}

#[test]
fn e7_case_is_ignored_where_it_refuses_and_as_it_says() {
    check(
        fixture!("e7-case"),
        &[
            ("tool: run, parameters: { text: DROP Table users }", Deny, "any-case"),
            ("tool: run, parameters: { text: select SECRET }", Deny, "exact-case"),
            ("tool: run, parameters: { text: select secret }", Allow, "select"),
            ("tool: run, parameters: { text: SELECT 1 }", Deny, "no_match"),
            ("tool: run, parameters: { text: SHOW TABLES }", Allow, "show"),
        ],
    );
}

#[test]
fn e8_parameters_are_judged_as_they_came() {
    check(
        fixture!("e8-raw-parameters"),
        &[
            ("tool: open, parameters: { path: a/../b }", Deny, "no-climbing"),
            (r#"tool: open, parameters: { path: "a\0b" }"#, Deny, "no-control-characters"),
            ("tool: open, parameters: { 'a/../b': x }", Deny, "odd-key"),
            ("tool: open, parameters: { path: a/b }", Allow, "may-open"),
        ],
    );
    let request = parse_request(r#"{ actor: "agent:x", tool: open, parameters: { path: "..\\\e[2J" } }"#).unwrap();
    assert_eq!(request.call.unwrap().parameters["path"], "..\\\u{1b}[2J");
}

#[test]
fn e9_tools_may_be_called_anything() {
    check(
        fixture!("e9-any-name"),
        &[
            ("tool: mcp__git-hub.com__push-files", Deny, "no-push"),
            ("tool: mcp__notes-1__add", Allow, "notes"),
            ("tool: 'mcp__notes.\u{e9}:x/\u{442} '", Allow, "notes"),
        ],
    );
}

#[test]
fn e16_rules_that_never_match_load_with_a_warning() {
    let file = fixture!("e16-never-matches");
    let loaded = Policy::load(file, Layer::User).unwrap();
    let about = |rule: &str| loaded.warnings.iter().filter(|warning| warning.starts_with(rule)).count();
    assert_eq!(about("rule `piped-names`: no tool is called `Bash|Write|Edit`"), 1);
    assert_eq!(about("rule `parameters-as-text`: `parameters` is the text `rm -rf`"), 1);
    assert_eq!(about("rule `program-as-tool`: `rm` is a program"), 1);
    assert_eq!((about("rule `program-as-tool`: `sudo` is a program"), loaded.warnings.len()), (1, 4));
    check(file, &[("tool: Bash, parameters: { command: rm -rf / }", Sample, "plain")]);
    let rule = loaded.policy.rules().find(|rule| rule.id() == "plain").unwrap();
    assert_eq!((rule.provider(), rule.guidance()), (Some("local"), Some("does it remove anything?")));
}

#[test]
fn a_leading_look_ahead_is_translated_and_any_other_names_the_way_out() {
    check(
        fixture!("look-around"),
        &[
            ("tool: build, cwd: /home/ada", Deny, "outside-scratch"),
            ("tool: build, cwd: /tmp/workxd/a", Deny, "outside-scratch"),
            ("tool: build, cwd: /tmp/work.d/a", Allow, "inside-scratch"),
            ("tool: build", Allow, "inside-scratch"),
        ],
    );
    let load = |pattern: &str| {
        let text = format!(
            "rules: [{{ id: a, priority: 1, action: deny, reason: r, conditions: {{ cwd_pattern: '{pattern}' }} }}]"
        );
        Policy::load(&text, Layer::User)
    };
    assert!(load("^(?!/tmp/).*").is_ok());
    for pattern in ["^(?!/a|/b)", "^(?!/tmp)|x", "(?!/tmp)", "a(?=b)", "(?<=a)b", "(?<!a)b", "^(?!.*x)", r"^(?!\d)"] {
        match load(pattern) {
            Err(LoadError::Rule { problem, .. }) => assert!(problem.contains("under `not:`"), "{pattern}: {problem}"),
            other => panic!("{pattern}: {other:?}"),
        }
    }
}

#[test]
fn its_rules_are_about_tool_calls_and_nothing_of_conclaves_own() {
    let file = "rules: [{ id: all, priority: 1, action: allow, conditions: { NOT: { tool_name: x } } }]";
    let policy = Policy::load(file, Layer::User).unwrap().policy;
    for action in ["write_project", "send_http", "read_key"] {
        let request = parse_request(&format!("{{ actor: engine, action: {action} }}")).unwrap();
        assert_ne!(policy.evaluate(&request, 0).rule, "all", "{action}");
    }
    let call = parse_request("{ actor: 'agent:x', tool: y }").unwrap();
    assert_eq!(policy.evaluate(&call, 0).reason, "rule `all` says so");
    for text in [
        "rules: [{ id: a, priority: 1, action: allow, reason: r }]",
        "rules: [{ id: a, action: deny, conditions: {} }]",
    ] {
        assert!(Policy::load(text, Layer::User).is_err(), "{text}");
    }
}
