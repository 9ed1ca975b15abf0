//! The evaluator against a second, plainer one, on rules and requests drawn at random.

use proptest::prelude::*;

use super::request;
use crate::rule::{ActorPattern, Condition, Pattern, Rule};
use crate::{Action, Actor, Effective, Layer, Policy, ToolRequest};

/// The semantics once more, as plain as can be: look at every rule of every layer, and argue from the whole list.
fn reference(layers: &[(Layer, Vec<Rule>)], asked: &ToolRequest) -> Effective {
    let mut strictest = None;
    for (layer, rules) in layers {
        let mut first: Option<(u32, Effective)> = None;
        for rule in rules {
            let (unjudgeable, matches) = match rule.matches(asked) {
                Ok(matches) => (false, matches),
                Err(_) => (true, true),
            };
            if !matches || *layer == Layer::Project && rule.effect == Effective::Allow {
                continue;
            }
            let effect = if unjudgeable { Effective::Deny } else { rule.effect };
            let comes_first = first
                .is_none_or(|(priority, held)| rule.priority < priority || rule.priority == priority && effect > held);
            if comes_first {
                first = Some((rule.priority, effect));
            }
        }
        strictest = strictest.max(first.map(|(_, effect)| effect));
    }
    strictest.unwrap_or(Effective::Deny)
}

fn effect() -> impl Strategy<Value = Effective> {
    prop_oneof![Just(Effective::Allow), Just(Effective::Sample), Just(Effective::Deny)]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![Just(Action::ReadFile), Just(Action::SendHttp), Just(Action::WriteProject)]
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        prop::sample::select(vec!["a", "b"]).prop_map(|value| Condition::Is(value.to_owned())),
        prop::sample::select(vec!["a", "b"]).prop_map(|value| Condition::IsNot(value.to_owned())),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let actor = prop_oneof![
        Just(ActorPattern::AnyAnalyst),
        Just(ActorPattern::Exactly(Actor::Person)),
        Just(ActorPattern::Exactly(Actor::Analyst("x".to_owned()))),
    ];
    let glob = prop::sample::select(vec!["/a/**", "/a/*", "**"]);
    (
        0..3u32,
        effect(),
        prop::option::of(prop::collection::vec(actor, 1..3)),
        prop::option::of(prop::collection::vec(action(), 1..3)),
        prop::option::of(glob),
        prop::collection::btree_map(prop::sample::select(vec!["k".to_owned(), "l".to_owned()]), condition(), 0..3),
    )
        .prop_map(|(priority, effect, actors, actions, glob, context)| Rule {
            id: "r".to_owned(),
            layer: Layer::User,
            guidance: None,
            provider: None,
            digest: String::new(),
            priority,
            effect,
            reason: "because".to_owned(),
            actors,
            actions,
            resource: glob.map(|glob| Pattern::new(glob).expect("a pattern")),
            context,
        })
}

fn layers() -> impl Strategy<Value = Vec<(Layer, Vec<Rule>)>> {
    let layer = prop::sample::select(vec![Layer::Floor, Layer::Admin, Layer::User, Layer::Project]);
    prop::collection::vec((layer, prop::collection::vec(rule(), 0..6)), 0..4)
}

fn asked() -> impl Strategy<Value = ToolRequest> {
    let actor = prop::sample::select(vec!["person", "engine", "reviewer", "analyst:x", "analyst:y"]);
    let long = format!("/a/{}", "x".repeat(17 * 1024));
    let resource =
        prop::sample::select(vec!["/a".to_owned(), "/a/b".to_owned(), "/a/b/c".to_owned(), "/z".to_owned(), long]);
    let value = || prop::option::of(prop::sample::select(vec!["a", "b", "c"]));
    (actor, action(), resource, value(), value()).prop_map(|(actor, action, resource, k, l)| {
        let context: Vec<_> = [("k", k), ("l", l)].into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        request(actor, action, &resource, &context)
    })
}

fn policy(layers: &[(Layer, Vec<Rule>)]) -> Policy {
    let nothing = Policy::layer(Layer::Floor, Vec::new());
    layers.iter().fold(nothing, |policy, (layer, rules)| policy.and(Policy::layer(*layer, rules.clone())))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_decides_as_the_reference_does(layers in layers(), asked in asked()) {
        prop_assert_eq!(policy(&layers).evaluate(&asked, 0).effect, reference(&layers, &asked));
    }

    #[test]
    fn another_layer_never_turns_a_refusal_into_a_permission(layers in layers(), more in layers(), asked in asked()) {
        let before = policy(&layers);
        let decided = before.evaluate(&asked, 0);
        let after = before.and(policy(&more)).evaluate(&asked, 0);
        prop_assert!(after.effect >= decided.effect || decided.rule == crate::NO_MATCH);
    }

    #[test]
    fn the_order_in_a_file_does_not_matter(rules in prop::collection::vec(rule(), 0..8), asked in asked()) {
        let backwards = rules.iter().rev().cloned().collect();
        let decide = |rules| Policy::layer(Layer::User, rules).evaluate(&asked, 0).effect;
        prop_assert_eq!(decide(rules.clone()), decide(backwards));
    }
}
