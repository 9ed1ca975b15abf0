//! What the shipped rules decide, for every actor and action.

use super::request;
use crate::{Action, Effective, Mode, NO_MATCH, Policy};

const ACTORS: [&str; 4] = ["person", "engine", "analyst:alpha", "reviewer"];
const EVERY_ACTION: [Action; 8] = [
    Action::ReadFile,
    Action::ReadProject,
    Action::WatchProject,
    Action::CopyToScratch,
    Action::RunCommand,
    Action::WriteProject,
    Action::WriteFile,
    Action::SendHttp,
];

#[test]
fn each_actor_may_do_what_the_table_says_and_nothing_else() {
    // Columns: person, engine, analyst, reviewer; `+` is allowed.
    let local = [("place", "loopback"), ("consent", "settings")];
    let hosted = [("place", "remote"), ("consent", "settings"), ("host", "api.example.com")];
    let boxed = [("sandbox", "yes")];
    type Row<'a> = (Action, &'a [(&'a str, &'a str)], &'a str);
    let table: &[Row] = &[
        (Action::ReadFile, &[], "++--"),
        (Action::ReadProject, &[], "++--"),
        (Action::WatchProject, &[], "++--"),
        (Action::CopyToScratch, &[], "++--"),
        (Action::RunCommand, &boxed, "-+--"),
        (Action::RunCommand, &[], "----"),
        (Action::RunCommand, &[("sandbox", "no")], "----"),
        (Action::RunCommand, &[("sandbox", "YES")], "----"),
        (Action::WriteProject, &[], "+---"),
        (Action::WriteFile, &[], "+---"),
        (Action::SendHttp, &local, "+++-"),
        (Action::SendHttp, &hosted, "+++-"),
        (Action::SendHttp, &[("place", "loopback"), ("consent", "none")], "----"),
        (Action::SendHttp, &[("place", "loopback"), ("consent", "person")], "----"),
        (Action::SendHttp, &[("place", "remote"), ("consent", "person")], "----"),
        (Action::SendHttp, &[("place", "remote"), ("consent", "none")], "----"),
        (Action::SendHttp, &[("place", "elsewhere"), ("consent", "settings")], "----"),
        (Action::SendHttp, &[("consent", "settings")], "----"),
        (Action::SendHttp, &[], "----"),
    ];
    let policy = Policy::shipped(Mode::Default);
    for (action, context, expect) in table {
        let found: String = ACTORS
            .iter()
            .map(|actor| match policy.evaluate(&request(actor, *action, "x", context), 0).effect {
                Effective::Allow => '+',
                Effective::Sample => '?',
                Effective::Deny => '-',
            })
            .collect();
        assert_eq!(&found, expect, "{action} {context:?}");
    }
    for action in EVERY_ACTION {
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
    assert_eq!(offline.evaluate(&asked, 0).reason, "offline: no connection is attempted");
    for action in EVERY_ACTION.into_iter().filter(|action| *action != Action::SendHttp) {
        for actor in ACTORS {
            let asked = request(actor, action, "x", &[("sandbox", "yes")]);
            assert_eq!(offline.evaluate(&asked, 0), default.evaluate(&asked, 0));
        }
    }
}

#[test]
fn refusals_say_why_in_words() {
    let policy = Policy::shipped(Mode::Default);
    let cases: [(&str, Action, &str, &str); 4] = [
        ("engine", Action::WriteProject, "only-the-person-writes", "only you write to your project"),
        ("engine", Action::RunCommand, "no-command-outside-sandbox", "programs run in the sandbox or not at all"),
        ("engine", Action::SendHttp, "nothing-leaves-unasked", "nothing leaves this machine without your word"),
        ("reviewer", Action::ReadFile, NO_MATCH, "no rule allows it"),
    ];
    for (actor, action, rule, reason) in cases {
        let decision = policy.evaluate(&request(actor, action, "x", &[]), 0);
        assert_eq!((decision.rule.as_str(), decision.reason.as_str()), (rule, reason));
    }
}

#[test]
fn every_shipped_rule_decides_one_of_its_own_examples() {
    for (name, text) in
        [("default", include_str!("../../rules/default.yaml")), ("offline", include_str!("../../rules/offline.yaml"))]
    {
        // Loading checks the examples; here it is held that there are some to check.
        for rule in text.split("\n  - id: ").skip(1) {
            let own = rule.matches("expect: ").count() - rule.matches("by: ").count();
            assert!(own > 0, "{name}: {}", rule.lines().next().unwrap_or_default());
        }
    }
}
