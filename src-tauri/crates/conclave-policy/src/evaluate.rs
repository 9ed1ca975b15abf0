//! From a request and a policy to a decision.
//!
//! Inside a layer the lowest priority number comes first and the first matching rule decides; at equal priority deny
//! comes before sample before allow. The decision is the strictest over all layers that match. A rule that cannot be
//! judged matches as deny.

use std::cmp::Reverse;

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
        rules.sort_by_key(|rule| (rule.priority, Reverse(rule.effect)));
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
        let decisions = self.layers.iter().filter_map(|rules| first_match(rules, request));
        // `max_by_key` prefers the last of equals; reversed, the outermost layer gives the reason.
        decisions.rev().max_by_key(|decision| decision.effect).unwrap_or_else(|| Decision {
            effect: Effective::Deny,
            rule: NO_MATCH.to_owned(),
            reason: "no rule allows it".to_owned(),
        })
    }
}

fn first_match(rules: &[Rule], request: &ToolRequest) -> Option<Decision> {
    rules.iter().find_map(|rule| match rule.matches(request) {
        Ok(true) => Some(rule.decision()),
        Ok(false) => None,
        Err(why) => Some(Decision { effect: Effective::Deny, rule: rule.id.clone(), reason: why.0 }),
    })
}
