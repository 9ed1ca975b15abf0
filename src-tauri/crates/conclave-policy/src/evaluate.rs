//! From a request and a policy to a decision.
//!
//! Inside a layer the lowest priority number comes first and the first matching rule decides; at equal priority deny
//! comes before sample before allow. The decision is the strictest over all layers that match. A rule that cannot be
//! judged matches as deny.

use crate::rule::Rule;
use crate::{Decision, Effective, Layer, ToolRequest};

/// The rule id of a decision that no rule made.
pub const NO_MATCH: &str = "no_match";

/// Layers of rules, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Policy {
    layers: Vec<Vec<Rule>>,
}

impl Policy {
    /// A policy of one layer.
    pub(crate) fn layer(layer: Layer, mut rules: Vec<Rule>) -> Self {
        if layer == Layer::Project {
            rules.retain(|rule| rule.effect != Effective::Allow);
        }
        rules.iter_mut().for_each(|rule| rule.layer = layer);
        rules.sort_by_key(|rule| rule.priority);
        Self { layers: vec![rules] }
    }

    /// This policy and another one together: what either refuses is refused.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.layers.extend(other.layers);
        self
    }

    /// The rule that made `decision`.
    pub fn rule_of(&self, decision: &Decision) -> Option<&Rule> {
        self.rules().find(|rule| Some(rule.layer) == decision.layer && rule.id == decision.rule)
    }

    /// All rules, layer by layer, in the order in which they are tried.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.layers.iter().flatten()
    }

    /// Judges `request` as of `at_ms`, in milliseconds since 1970-01-01 UTC.
    pub fn evaluate(&self, request: &ToolRequest, _at_ms: i64) -> Decision {
        let by_layer = self.layers.iter().filter_map(|rules| decide(rules, request));
        strictest(by_layer).unwrap_or_else(|| Decision {
            effect: Effective::Deny,
            rule: NO_MATCH.to_owned(),
            reason: "no rule allows it".to_owned(),
            layer: None,
            review: None,
        })
    }
}

/// One layer's decision.
fn decide(rules: &[Rule], request: &ToolRequest) -> Option<Decision> {
    let mut matching = rules.iter().filter_map(|rule| Some((rule.priority, judge(rule, request)?)));
    let (priority, first) = matching.next()?;
    let equals = matching.take_while(|(other, _)| *other == priority).map(|(_, decision)| decision);
    strictest(std::iter::once(first).chain(equals))
}

fn judge(rule: &Rule, request: &ToolRequest) -> Option<Decision> {
    match rule.matches(request) {
        Ok(true) => Some(rule.decision()),
        Ok(false) => None,
        Err(why) => Some(Decision { effect: Effective::Deny, reason: why.0, ..rule.decision() }),
    }
}

/// The first among the strictest.
fn strictest(decisions: impl Iterator<Item = Decision>) -> Option<Decision> {
    decisions.reduce(|held, next| if next.effect > held.effect { next } else { held })
}
