//! Whatever is asked and whatever a file says, there is an answer.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Access, Action, Actor, Effective, Layer, Matched, Mode, NO_MATCH, Policy, ToolCall, ToolRequest, TouchedPath,
    parse_request, remedy, strict_json,
};

static SHIPPED: LazyLock<[Policy; 3]> =
    LazyLock::new(|| [Mode::Default, Mode::Strict, Mode::Offline].map(Policy::shipped));

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]|command|cmd", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn asked() -> impl Strategy<Value = ToolRequest> {
    let actor = prop::sample::select(vec!["person", "engine", "reviewer", "analyst:a", "agent:claude-code"]);
    let action = prop::sample::select(crate::request::ACTIONS.to_vec());
    let tool =
        prop_oneof![prop::sample::select(vec!["Bash", "Read", "Edit", "mcp__a__b"]).prop_map(str::to_owned), ".{0,8}"];
    let key = prop::sample::select(vec![
        "project",
        "host",
        "model_class",
        "data",
        "secrets",
        "redactions",
        "sandbox",
        "argv",
    ]);
    let context = prop::collection::btree_map(key.prop_map(str::to_owned), ".{0,8}", 0..4);
    let path = (prop::option::of("(/[a-z.\u{e9}]{1,6}){0,4}|.{0,6}"), any::<bool>()).prop_map(|(real, writes)| {
        TouchedPath { given: "x".to_owned(), real, access: if writes { Access::Write } else { Access::Read } }
    });
    let call = (tool, prop::option::of("/[a-z]{0,5}"), json())
        .prop_map(|(tool, cwd, parameters)| Box::new(ToolCall { tool, server: None, session: None, cwd, parameters }));
    (actor, action, ".{0,12}", context, prop::collection::vec(path, 0..3), prop::option::of(call)).prop_map(
        |(actor, action, resource, context, paths, call)| {
            let actor: Actor = actor.parse().expect("an actor");
            ToolRequest { context, paths, call, ..ToolRequest::new(actor, action, resource) }
        },
    )
}

fn text_of_a_rule() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "tool",
        "path",
        "parameters",
        "all",
        "any",
        "not",
        "command",
        "time_range",
        "data",
        "cost",
        "context",
        "x",
    ]);
    (key, json()).prop_map(|(key, value)| {
        json!({ "version": 1, "extends": "none", "rules": [
            { "id": "r", "priority": 1, "action": "deny", "reason": "r", "conditions": { key: value } }
        ] })
        .to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn every_request_has_an_answer_from_a_rule_that_matched_it(asked in asked(), at_ms in any::<i64>()) {
        for policy in &*SHIPPED {
            let explained = policy.explain(&asked, at_ms);
            let decision = &explained.decision;
            let step = explained.steps.iter().find(|step| step.rule == decision.rule && step.matched != Matched::NotMatched);
            prop_assert_eq!(step.is_none(), decision.rule == NO_MATCH);
            prop_assert_eq!(policy.rule_of(decision).is_none(), decision.rule == NO_MATCH);
            prop_assert_eq!(remedy(decision, &asked).is_empty(), decision.effect == Effective::Allow);
            if decision.effect == Effective::Allow {
                prop_assert_ne!(asked.action, Action::RunCommand, "a context drawn at random is not the sandbox's");
            }
        }
        let read = parse_request(&asked.canonical());
        prop_assert!(read.is_err() || read == Ok(asked));
    }

    #[test]
    fn every_text_is_read_or_refused(text in ".{0,60}", rule in text_of_a_rule(), asked in asked()) {
        let _ = parse_request(&text);
        let _ = strict_json(&text);
        for text in [text, rule] {
            if let Ok(loaded) = Policy::load(&text, Layer::User) {
                loaded.policy.evaluate(&asked, 0);
                prop_assert!(loaded.policy.rules().all(|rule| rule.describes().len() < 2_000));
            }
        }
    }
}
