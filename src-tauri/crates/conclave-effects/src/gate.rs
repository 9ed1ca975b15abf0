//! The one place where effects are allowed.
//!
//! [`Gate::authorize`] is a straight line: describe the effect, judge it, let a reviewer narrow a sampled one, record
//! the decision durably, and only then mint the permit. Every way off that line is a refusal: no rule, an unjudgeable
//! rule, a reviewer that says no or says nothing, a ledger that cannot be written.
//!
//! The gate decides nothing itself and carries nothing out.

mod permit;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use conclave_policy::{
    Actor, Decision, Effective, EntryKind, Ledger, LedgerError, NewEntry, Policy, Review, Reviewer, ToolRequest,
};

pub use permit::{Effect, Permit};

use crate::Clock;

/// How long a reviewer may take; silence is a refusal.
const REVIEW_LIMIT: Duration = Duration::from_secs(60);

/// Allows or refuses effects. Cheap to clone; all clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Parts>);

struct Parts {
    policy: Policy,
    ledger: Arc<dyn Ledger>,
    reviewer: Arc<dyn Reviewer>,
    clock: Clock,
}

/// A refusal, with the request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` of `{}` is refused: {reason}", request.action, request.resource)]
pub struct Denied {
    /// The rule that refused, or what stands in its place.
    pub rule: String,
    /// Why, in words for people.
    pub reason: String,
    /// What was asked.
    pub request: Box<ToolRequest>,
}

impl Gate {
    /// A gate with its policy and the parts it asks.
    pub fn new(policy: Policy, ledger: Arc<dyn Ledger>, reviewer: Arc<dyn Reviewer>, clock: Clock) -> Self {
        Self(Arc::new(Parts { policy, ledger, reviewer, clock }))
    }

    /// Asks for leave to carry out `effect` on behalf of `actor`.
    ///
    /// The decision, whichever way it goes, is in the ledger when this returns; the append is one small commit and
    /// runs on the calling thread.
    ///
    /// # Errors
    /// [`Denied`] when the policy or the reviewer refuses, and when the decision cannot be recorded.
    pub async fn authorize<E: Effect>(&self, actor: Actor, effect: E) -> Result<Permit<E>, Denied> {
        let request = effect.request(&actor);
        let decision = self.decide(&request).await;
        let seq = match self.record(&request, &decision) {
            Ok(seq) => seq,
            Err(error) => return Err(Denied::new("ledger", &error.to_string(), request)),
        };
        match decision.effect {
            Effective::Allow => Ok(Permit::mint(effect, seq)),
            Effective::Sample | Effective::Deny => Err(Denied::new(&decision.rule, &decision.reason, request)),
        }
    }

    /// Records what came of the effect whose decision is entry `seq`.
    ///
    /// # Errors
    /// [`LedgerError`] when the outcome is not durable. The effect has happened; its decision stands without an outcome,
    /// which an audit shows.
    pub fn record_outcome(&self, seq: u64, outcome: &str) -> Result<(), LedgerError> {
        let kind = EntryKind::Outcome { refers_to: seq, outcome: outcome.to_owned() };
        self.0.ledger.append(&NewEntry { at_ms: self.0.clock.now_ms(), kind })?;
        Ok(())
    }

    /// The clock that dates the ledger.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The policy's decision, with *sample* resolved: what comes back allows or denies.
    async fn decide(&self, request: &ToolRequest) -> Decision {
        let decision = self.0.policy.evaluate(request);
        if decision.effect != Effective::Sample {
            return decision;
        }
        let refuse = |reason: String| Decision { effect: Effective::Deny, rule: decision.rule.clone(), reason };
        // A reviewer that had to be reviewed before it may be asked would never come to an end.
        if request.actor == Actor::Reviewer {
            return refuse("a reviewer's own request is never sampled".to_owned());
        }
        let review = self.0.reviewer.review(request, &decision.rule);
        match tokio::time::timeout(REVIEW_LIMIT, review).await {
            Ok(Review::Allow) => Decision { effect: Effective::Allow, ..decision },
            Ok(Review::Deny(reason)) => refuse(reason),
            Err(_) => refuse("the reviewer did not answer in time".to_owned()),
        }
    }

    fn record(&self, request: &ToolRequest, decision: &Decision) -> Result<u64, LedgerError> {
        let kind = EntryKind::Decision { request: request.clone(), decision: decision.clone() };
        self.0.ledger.append(&NewEntry { at_ms: self.0.clock.now_ms(), kind })
    }
}

impl Denied {
    fn new(rule: &str, reason: &str, request: ToolRequest) -> Self {
        Self { rule: rule.to_owned(), reason: reason.to_owned(), request: Box::new(request) }
    }
}
