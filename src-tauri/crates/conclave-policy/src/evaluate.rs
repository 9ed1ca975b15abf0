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
        rules.sort_by_key(|rule| rule.priority);
        Self { layers: vec![rules] }
    }

    /// This policy and another one together: what either refuses is refused.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.layers.extend(other.layers);
        self
    }

    /// Judges `request`.
    pub fn evaluate(&self, request: &ToolRequest) -> Decision {
        let by_layer = self.layers.iter().filter_map(|rules| decide(rules, request));
        strictest(by_layer).unwrap_or_else(|| Decision {
            effect: Effective::Deny,
            rule: NO_MATCH.to_owned(),
            reason: "no rule allows it".to_owned(),
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
        Err(why) => Some(Decision { effect: Effective::Deny, rule: rule.id.clone(), reason: why.0 }),
    }
}

/// The first among the strictest.
fn strictest(decisions: impl Iterator<Item = Decision>) -> Option<Decision> {
    decisions.reduce(|held, next| if next.effect > held.effect { next } else { held })
}
