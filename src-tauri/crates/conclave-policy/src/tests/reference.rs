//! The evaluator against a second, plainer one, on rules and requests drawn at random, and laws that hold for all.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::condition::read::Dialect;
use crate::load::rule as compile;
use crate::{
    Access, Action, Actor, Decision, Effective, Layer, NO_MATCH, Policy, Rule, ToolCall, ToolRequest, TouchedPath,
};

/// A rule as it is written, which both evaluators read.
type Written = Value;

/// The semantics once more, as plain as can be: look at every rule of every layer, and argue from the whole list.
fn reference(layers: &[(Layer, Vec<Written>)], asked: &ToolRequest) -> Effective {
    let mut strictest = None;
    for (layer, rules) in layers {
        let mut first: Option<(u64, Effective)> = None;
        for rule in rules {
            let action: Effective = serde_json::from_value(rule["action"].clone()).expect("an action");
            if *layer == Layer::Project && action == Effective::Allow || rule["enabled"] == false {
                continue;
            }
            // No truth is what cannot be judged.
            let effect = match truth(&rule["conditions"], action != Effective::Allow, asked) {
                Some(false) => continue,
                Some(true) => action,
                None => Effective::Deny,
            };
            let priority = rule["priority"].as_u64().expect("a number");
            let comes_first =
                first.is_none_or(|(held, strictest)| priority < held || priority == held && effect > strictest);
            if comes_first {
                first = Some((priority, effect));
            }
        }
        strictest = strictest.max(first.map(|(_, effect)| effect));
    }
    strictest.unwrap_or(Effective::Deny)
}

fn truth(conditions: &Value, wide: bool, asked: &ToolRequest) -> Option<bool> {
    let parts = conditions.as_object().into_iter().flatten().map(|(key, value)| match key.as_str() {
        "all" => all(value.as_array().expect("a list").iter().map(|one| truth(one, wide, asked))),
        "any" => not(all(value.as_array().expect("a list").iter().map(|one| not(truth(one, wide, asked))))),
        "not" => not(truth(value, !wide, asked)),
        "action" => Some(asked.action.as_str() == value),
        "context" => all(value.as_object().expect("an object").iter().map(|(key, wanted)| {
            let found = asked.context.get(key);
            if let Some(wanted) = wanted.get("gt") {
                return match found {
                    None => Some(false),
                    Some(found) => found.parse::<f64>().ok().map(|found| found > wanted.as_f64().expect("a number")),
                };
            }
            match wanted.get("neq") {
                Some(unwanted) => Some(found.is_none_or(|found| found != unwanted)),
                None => Some(found.is_some_and(|found| found == wanted)),
            }
        })),
        "tool" => Some(asked.call.as_ref().is_some_and(|call| match wanted_beginning(value) {
            Some(beginning) => call.tool.starts_with(beginning),
            None => call.tool == *value,
        })),
        "path" => {
            let each = asked.paths.iter().map(|path| path.real.as_deref().map(|real| real == value));
            if wide {
                not(all(each.map(not)))
            } else if asked.paths.is_empty() {
                Some(false)
            } else {
                all(each)
            }
        }
        other => panic!("{other}"),
    });
    all(parts)
}

/// What stands before the only `*` of a glob.
fn wanted_beginning(value: &Value) -> Option<&str> {
    value.get("glob")?.as_str()?.strip_suffix('*')
}

fn not(truth: Option<bool>) -> Option<bool> {
    truth.map(|held| !held)
}

fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let truths: Vec<_> = truths.collect();
    if truths.contains(&Some(false)) {
        return Some(false);
    }
    if truths.contains(&None) { None } else { Some(true) }
}

fn effect() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["allow", "sample", "deny"])
}

fn leaf() -> impl Strategy<Value = Value> {
    let value = prop::sample::select(vec!["1", "2", "many"]);
    prop_oneof![
        prop::sample::select(vec!["read_file", "send_http", "write_project"])
            .prop_map(|action| json!({ "action": action })),
        value.clone().prop_map(|value| json!({ "context": { "k": value } })),
        value.prop_map(|value| json!({ "context": { "l": { "neq": value } } })),
        (0..3u32).prop_map(|least| json!({ "context": { "k": { "gt": least } } })),
        prop::sample::select(vec!["/a", "/b"]).prop_map(|path| json!({ "path": path })),
        prop::sample::select(vec!["a", "ab"]).prop_map(|tool| json!({ "tool": tool })),
        prop::sample::select(vec!["a*", "ab*", "*"]).prop_map(|tool| json!({ "tool": { "glob": tool } })),
    ]
}

fn conditions() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({ "all": parts })),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({ "any": parts })),
            inner.prop_map(|part| json!({ "not": part })),
        ]
    })
}

fn rule() -> impl Strategy<Value = Written> {
    (0..3u32, effect(), conditions(), prop::bool::weighted(0.9)).prop_map(|(priority, action, conditions, enabled)| {
        json!({
            "id": "r", "priority": priority, "action": action, "reason": "because", "conditions": conditions,
            "enabled": enabled,
        })
    })
}

fn layer() -> impl Strategy<Value = Layer> {
    prop::sample::select(vec![Layer::Floor, Layer::Admin, Layer::User, Layer::Project])
}

fn layers() -> impl Strategy<Value = Vec<(Layer, Vec<Written>)>> {
    prop::collection::vec((layer(), prop::collection::vec(rule(), 0..6)), 0..4)
}

fn asked() -> impl Strategy<Value = ToolRequest> {
    let action = prop::sample::select(vec![Action::ReadFile, Action::SendHttp, Action::WriteProject]);
    let value = || prop::option::of(prop::sample::select(vec!["1", "2", "many"]));
    let path = prop::option::of(prop::sample::select(vec!["/a", "/b", "/c"]));
    let tool = prop::option::of(prop::sample::select(vec!["a", "ab", "abc", "b"]));
    (action, value(), value(), prop::collection::vec(path, 0..3), tool).prop_map(|(action, k, l, paths, tool)| {
        let mut request = ToolRequest::new(Actor::Person, action, "x");
        request.call = tool.map(|tool| {
            let parameters = Value::Null;
            Box::new(ToolCall { tool: tool.to_owned(), server: None, session: None, cwd: None, parameters })
        });
        for (key, value) in [("k", k), ("l", l)] {
            request = value.into_iter().fold(request, |request, value| request.with(key, value));
        }
        let touched = |real: Option<&str>| TouchedPath {
            given: "given".to_owned(),
            real: real.map(str::to_owned),
            access: Access::Read,
        };
        paths.into_iter().map(touched).fold(request, ToolRequest::touching)
    })
}

fn compiled(rules: &[Written]) -> Vec<Rule> {
    rules.iter().map(|rule| compile(rule.clone(), Dialect::Native, &mut Vec::new()).expect("a rule")).collect()
}

fn policy(layers: &[(Layer, Vec<Written>)]) -> Policy {
    let nothing = Policy::layer(Layer::Floor, Vec::new(), Vec::new());
    layers.iter().fold(nothing, |policy, (layer, rules)| policy.and(Policy::layer(*layer, compiled(rules), Vec::new())))
}

/// What one rule makes of a request: it matches, it does not, or it cannot be judged.
fn judged(conditions: &Value, action: &str, asked: &ToolRequest) -> Option<bool> {
    let rule = json!({ "id": "r", "priority": 1, "action": action, "reason": "because", "conditions": conditions });
    let rules = compiled(&[rule]);
    rules[0].judge(&crate::facts::Facts::new(asked, 0)).ok()
}

fn decide(policy: &Policy, asked: &ToolRequest) -> Decision {
    policy.evaluate(asked, 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn it_decides_as_the_reference_does(layers in layers(), asked in asked()) {
        prop_assert_eq!(decide(&policy(&layers), &asked).effect, reference(&layers, &asked));
    }

    #[test]
    fn another_layer_never_turns_a_refusal_into_a_permission(layers in layers(), more in layers(), asked in asked()) {
        let before = policy(&layers);
        let decided = decide(&before, &asked);
        let after = decide(&before.and(policy(&more)), &asked);
        prop_assert!(after.effect >= decided.effect || decided.rule == NO_MATCH);
    }

    #[test]
    fn adding_a_deny_never_widens(layers in layers(), at in 0..4usize, deny in rule(), asked in asked()) {
        let before = decide(&policy(&layers), &asked).effect;
        let mut more = layers;
        let mut deny = deny;
        deny["action"] = json!("deny");
        // In a layer of its own, in a layer that is there, and before or behind everything.
        match more.get_mut(at) {
            Some((_, rules)) => {
                rules.push(deny);
                let first = rules.iter().map(|rule| rule["priority"].as_u64().unwrap()).min().unwrap();
                let last = rules.len() - 1;
                rules[last]["priority"] = json!(first);
            }
            None => more.push((Layer::User, vec![deny])),
        }
        prop_assert!(decide(&policy(&more), &asked).effect >= before);
    }

    #[test]
    fn a_project_s_allow_changes_nothing(layers in layers(), allow in rule(), asked in asked()) {
        let before = policy(&layers);
        let mut allow = allow;
        allow["action"] = json!("allow");
        let after = before.clone().and(policy(&[(Layer::Project, vec![allow])]));
        prop_assert_eq!(decide(&before, &asked), decide(&after, &asked));
    }

    #[test]
    fn a_rule_that_cannot_be_judged_denies(conditions in conditions(), action in effect(), asked in asked()) {
        let rule = json!({ "id": "r", "priority": 1, "action": action, "reason": "because", "conditions": conditions });
        let decision = decide(&policy(&[(Layer::User, vec![rule])]), &asked);
        match judged(&conditions, action, &asked) {
            None => prop_assert_eq!((decision.effect, decision.rule.as_str()), (Effective::Deny, "r")),
            Some(false) => prop_assert_eq!(decision.rule.as_str(), NO_MATCH),
            Some(true) => prop_assert_eq!(decision.rule.as_str(), "r"),
        }
    }

    #[test]
    fn the_laws_of_all_any_and_not_hold(one in conditions(), other in conditions(), asked in asked()) {
        let same = |left: Value, right: Value| {
            for action in ["allow", "deny", "sample"] {
                prop_assert_eq!(judged(&left, action, &asked), judged(&right, action, &asked), "{} {} {}", left, right, action);
            }
            Ok(())
        };
        let not = |part: &Value| json!({ "not": part });
        same(not(&not(&one)), one.clone())?;
        same(json!({ "all": [one, other] }), json!({ "all": [other, one] }))?;
        same(json!({ "any": [one, other] }), json!({ "any": [other, one] }))?;
        same(json!({ "all": [one, one] }), one.clone())?;
        same(not(&json!({ "any": [one, other] })), json!({ "all": [not(&one), not(&other)] }))?;
        same(not(&json!({ "all": [one, other] })), json!({ "any": [not(&one), not(&other)] }))?;
        same(json!({ "any": [one, { "all": [one, other] }] }), one.clone())?;
    }

    #[test]
    fn the_order_in_a_file_does_not_matter(rules in prop::collection::vec(rule(), 0..8), asked in asked()) {
        let backwards: Vec<_> = rules.iter().rev().cloned().collect();
        let effect = |rules| decide(&policy(&[(Layer::User, rules)]), &asked).effect;
        prop_assert_eq!(effect(rules.clone()), effect(backwards));
    }

    #[test]
    fn an_explanation_says_what_was_decided_and_by_what(layers in layers(), asked in asked()) {
        let policy = policy(&layers);
        let explained = policy.explain(&asked, 0);
        prop_assert_eq!(&explained.decision, &decide(&policy, &asked));
        let none_matched = explained.steps.iter().all(|step| step.matched == crate::Matched::NotMatched);
        prop_assert_eq!(none_matched, explained.decision.rule == NO_MATCH);
    }
}
