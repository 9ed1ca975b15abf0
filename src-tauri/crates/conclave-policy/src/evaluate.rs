//! From a request and a policy to a decision.
//!
//! Inside a layer the rules of the file itself come before those it extends; among each the lowest priority number comes
//! first and the first matching rule decides; at equal priority the strictest that matches does. The decision is the
//! strictest over all layers that match. A rule that cannot be judged matches as deny.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::condition::Name;
use crate::digest::digest_parts;
use crate::facts::Facts;
use crate::predicate::is_within;
use crate::request::{ACTIONS, keys};
use crate::rule::Rule;
use crate::{Decision, Effective, Layer, ToolRequest};

/// The rule id of a decision that no rule made.
pub const NO_MATCH: &str = "no_match";

/// Layers of rules, ready to be evaluated. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy {
    layers: Vec<Ply>,
}

/// The rules of one file with those it extends, for requests in one place or anywhere.
#[derive(Clone, Debug)]
struct Ply {
    rules: Arc<Rules>,
    /// The folder that requests must be about for the rules to count.
    root: Option<Arc<str>>,
}

/// Rules in the order in which they are tried, and which of them can matter for a request.
#[derive(Debug)]
struct Rules {
    rules: Vec<Rule>,
    /// How many of them stand in the file itself; the others are those it extends.
    own: usize,
    /// The rules that are about named tools, by each name and by each beginning of a name.
    by_tool: HashMap<String, Vec<usize>>,
    by_beginning: HashMap<String, Vec<usize>>,
    /// The most characters of such a beginning.
    longest_beginning: usize,
    /// The other rules, by the place of each action they may be about.
    by_action: Vec<Vec<usize>>,
}

impl Policy {
    /// A policy of one layer: `own` rules, then those of the file they extend.
    pub(crate) fn layer(layer: Layer, own: Vec<Rule>, extended: Vec<Rule>) -> Self {
        let in_order = |mut rules: Vec<Rule>| {
            if layer == Layer::Project {
                rules.retain(|rule| rule.effect != Effective::Allow);
            }
            rules.iter_mut().for_each(|rule| rule.layer = layer);
            rules.sort_by_key(|rule| (rule.priority, Reverse(rule.effect)));
            rules
        };
        let mut rules = in_order(own);
        let own = rules.len();
        rules.extend(in_order(extended));
        Self { layers: vec![Ply { rules: Arc::new(Rules::new(rules, own)), root: None }] }
    }

    /// This policy and another one together: what either refuses is refused.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.layers.extend(other.layers);
        self
    }

    /// This policy for requests about the folder `root` alone: those whose project, working folder or any path is it or
    /// lies in it. A path that is not known may lie in it.
    #[must_use]
    pub fn scoped(mut self, root: &str) -> Self {
        let root: Arc<str> = root.into();
        self.layers.iter_mut().for_each(|layer| layer.root = Some(Arc::clone(&root)));
        self
    }

    /// The rule that made `decision`.
    pub fn rule_of(&self, decision: &Decision) -> Option<&Rule> {
        self.rules().find(|rule| Some(rule.layer) == decision.layer && rule.id == decision.rule)
    }

    /// All rules, layer by layer, in the order in which they are tried; those that are switched off too.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.layers.iter().flat_map(|layer| &layer.rules.rules)
    }

    /// Changes whenever anything about any rule, their order or their scope changes.
    pub fn digest(&self) -> String {
        let parts = self.layers.iter().flat_map(|layer| {
            let scope = layer.root.as_deref().unwrap_or_default();
            std::iter::once(scope).chain(layer.rules.rules.iter().map(Rule::digest))
        });
        digest_parts(parts.map(str::as_bytes))
    }

    /// Judges `request` as of `at_ms`, in milliseconds since 1970-01-01 UTC.
    pub fn evaluate(&self, request: &ToolRequest, at_ms: i64) -> Decision {
        let facts = Facts::new(request, at_ms);
        let by_layer = self.about(request).filter_map(|rules| rules.decide(&facts));
        by_layer.reduce(stricter).unwrap_or_else(|| Decision {
            effect: Effective::Deny,
            rule: NO_MATCH.to_owned(),
            reason: "no rule allows it".to_owned(),
            layer: None,
            review: None,
        })
    }

    /// The rules of each layer that counts for `request`, in the order in which they are tried; no rule that is switched
    /// off.
    pub(crate) fn tried(&self, request: &ToolRequest) -> impl Iterator<Item = impl Iterator<Item = &Rule>> {
        self.about(request).map(|rules| rules.rules.iter().filter(|rule| rule.enabled))
    }

    fn about(&self, request: &ToolRequest) -> impl Iterator<Item = &Rules> {
        let counts = |layer: &&Ply| layer.root.as_deref().is_none_or(|root| is_about(request, root));
        self.layers.iter().filter(counts).map(|layer| &*layer.rules)
    }
}

impl Rules {
    fn new(rules: Vec<Rule>, own: usize) -> Self {
        let mut by_tool: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_beginning: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_action = vec![Vec::new(); ACTIONS.len()];
        for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.enabled) {
            if let Some(names) = rule.condition.only_tools() {
                for name in names {
                    let (index, text) = match name {
                        Name::Exactly(text) => (&mut by_tool, text),
                        Name::Beginning(text) => (&mut by_beginning, text),
                    };
                    index.entry(text.to_owned()).or_default().push(at);
                }
                continue;
            }
            let only = rule.condition.only_actions();
            for (place, action) in by_action.iter_mut().zip(ACTIONS) {
                if only.is_none_or(|actions| actions.contains(&action)) {
                    place.push(at);
                }
            }
        }
        let longest_beginning = by_beginning.keys().map(|beginning| beginning.chars().count()).max().unwrap_or(0);
        Self { rules, own, by_tool, by_beginning, longest_beginning, by_action }
    }

    /// The strictest decision of those rules that match first.
    fn decide(&self, facts: &Facts<'_>) -> Option<Decision> {
        let mut held: Option<((bool, u32), Decision)> = None;
        for at in self.candidates(facts.request) {
            let rule = &self.rules[at];
            let place = (at >= self.own, rule.priority);
            if held.as_ref().is_some_and(|(first, _)| *first != place) {
                break;
            }
            let decision = match rule.judge(facts) {
                Ok(false) => continue,
                Ok(true) => rule.decision(),
                Err(why) => Decision { effect: Effective::Deny, reason: why.0, ..rule.decision() },
            };
            held = Some((
                place,
                match held {
                    None => decision,
                    Some((_, before)) => stricter(before, decision),
                },
            ));
        }
        held.map(|(_, decision)| decision)
    }

    /// The places of the rules that may match `request`, in the order in which they are tried.
    fn candidates(&self, request: &ToolRequest) -> Vec<usize> {
        let mut found = Vec::new();
        if let Some(at) = ACTIONS.iter().position(|action| *action == request.action) {
            found.extend_from_slice(&self.by_action[at]);
        }
        if let Some(call) = &request.call {
            found.extend(self.by_tool.get(&call.tool).into_iter().flatten());
            let ends = call.tool.char_indices().map(|(at, one)| at + one.len_utf8()).take(self.longest_beginning);
            found.extend(ends.filter_map(|end| self.by_beginning.get(&call.tool[..end])).flatten());
        }
        found.sort();
        found.dedup();
        found
    }
}

fn is_about(request: &ToolRequest, root: &str) -> bool {
    let call = request.call.as_deref();
    let places = [request.context.get(keys::PROJECT).map(String::as_str), call.and_then(|call| call.cwd.as_deref())];
    let named = places.into_iter().flatten().chain([request.resource.as_str()]);
    named.into_iter().any(|place| is_within(place, root))
        || request.paths.iter().any(|path| path.real.as_deref().is_none_or(|real| is_within(real, root)))
}

/// The stricter of two decisions, the first where they are equally strict.
fn stricter(one: Decision, other: Decision) -> Decision {
    if other.effect > one.effect { other } else { one }
}
