//! The one place where effects are allowed.
//!
//! [`Gate::authorize`] is a straight line: describe the effect, judge it, let a reviewer narrow a sampled one, record
//! the decision durably, and only then mint the permit. Every way off that line is a refusal: no rule, an unjudgeable
//! rule, a reviewer that says no or says nothing, an approval of something else, a ledger that cannot be written.
//!
//! The gate decides nothing itself and carries nothing out.

#[cfg(test)]
mod hostile;
mod permit;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use conclave_policy::{
    Actor, Decision, Effective, EntryKind, Layer, Ledger, LedgerError, NewEntry, Policy, Question, Review, Reviewed,
    Reviewer, ToolRequest, inside_envelope, remedy,
};
use tokio::sync::oneshot;

pub use permit::{Effect, PERMIT_LASTS, Permit, Stale};

use crate::Clock;

/// How long a reviewer may take, a person included; silence is a refusal. Reviewers have shorter limits of their own.
const REVIEW_LIMIT: Duration = Duration::from_secs(600);

/// How old an approval may be when it is used, in milliseconds.
const APPROVAL_MS: i64 = 60_000;

/// The policy in force: what is put in is seen whole by every decision that begins afterwards.
#[derive(Clone, Debug)]
pub struct Policies(Arc<RwLock<Arc<Policy>>>);

impl Policies {
    /// Starts with `policy`.
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(policy))))
    }

    /// Puts `policy` in the place of the one before, in one step.
    pub fn set(&self, policy: Policy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    /// The policy in force now.
    pub fn current(&self) -> Arc<Policy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Allows or refuses effects. Cheap to clone; all clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Parts>);

struct Parts {
    policies: Policies,
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
    /// Where the rule stands; `None` when none refused.
    pub layer: Option<Layer>,
    /// What was asked.
    pub request: Box<ToolRequest>,
}

impl Gate {
    /// A gate with its policies and the parts it asks.
    pub fn new(policies: Policies, ledger: Arc<dyn Ledger>, reviewer: Arc<dyn Reviewer>, clock: Clock) -> Self {
        Self(Arc::new(Parts { policies, ledger, reviewer, clock }))
    }

    /// The policies it decides by.
    pub fn policies(&self) -> &Policies {
        &self.0.policies
    }

    /// Judges what somebody outside wants to do, and records the decision; what is allowed, they do themselves.
    ///
    /// What comes back allows or denies: *sample* has been resolved.
    ///
    /// # Errors
    /// [`LedgerError`] when the decision is not durable; then it must count as a refusal.
    pub async fn judge(&self, request: &ToolRequest) -> Result<(Decision, u64), LedgerError> {
        let decision = self.decide(request).await;
        let seq = self.record(request, &decision).await?;
        Ok((decision, seq))
    }

    /// Asks for leave to carry out `effect` on behalf of `actor`.
    ///
    /// The decision, whichever way it goes, is in the ledger when this returns; decisions that are made at the same time
    /// wait for the disk together. Dropped before, it may leave a decision behind that nothing followed.
    ///
    /// # Errors
    /// [`Denied`] when the policy or the reviewer refuses, and when the decision cannot be recorded.
    pub async fn authorize<E: Effect>(&self, actor: Actor, effect: E) -> Result<Permit<E>, Denied> {
        let request = effect.request(&actor);
        let (decision, seq) = match self.judge(&request).await {
            Ok(judged) => judged,
            Err(error) => return Err(Denied::new("ledger", &error.to_string(), None, request)),
        };
        match decision.effect {
            Effective::Allow => Ok(Permit::mint(effect, request, seq)),
            Effective::Sample | Effective::Deny => {
                Err(Denied::new(&decision.rule, &decision.reason, decision.layer, request))
            }
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

    /// Hands over what came of the effect whose decision is entry `seq`, without waiting until it is durable. Where it
    /// cannot be recorded, the log says so, and the decision stands without an outcome, which an audit shows.
    pub fn note_outcome(&self, seq: u64, outcome: &str) {
        let kind = EntryKind::Outcome { refers_to: seq, outcome: outcome.to_owned() };
        let done = move |result| {
            if let Err(error) = result {
                tracing::warn!(seq, %error, "the outcome of an effect is not recorded");
            }
        };
        self.0.ledger.append_then(NewEntry { at_ms: self.0.clock.now_ms(), kind }, Box::new(done));
    }

    /// The clock that dates the ledger.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The policy's decision, with *sample* resolved: what comes back allows or denies.
    async fn decide(&self, request: &ToolRequest) -> Decision {
        let policy = self.0.policies.current();
        let decision = policy.evaluate(request, self.0.clock.now_ms());
        if decision.effect != Effective::Sample {
            return decision;
        }
        let refuse = |reason: &str, review| Decision {
            effect: Effective::Deny,
            reason: reason.to_owned(),
            review,
            ..decision.clone()
        };
        // A reviewer that had to be reviewed before it may be asked would never come to an end.
        if request.actor == Actor::Reviewer {
            return refuse("a reviewer\u{2019}s own request is never sampled", None);
        }
        let rule = policy.rule_of(&decision);
        let question = Question {
            request,
            decision: &decision,
            guidance: rule.and_then(|rule| rule.guidance()),
            provider: rule.and_then(|rule| rule.provider()),
            rule_digest: rule.map_or("", |rule| rule.digest()),
        };
        match tokio::time::timeout(REVIEW_LIMIT, self.0.reviewer.review(question)).await {
            Ok(Review::Deny { reason, by }) => refuse(&reason, by),
            Err(_) => refuse("the reviewer did not answer in time", None),
            Ok(Review::Allow { by, digest }) => match self.holds(request, &by, &digest) {
                Ok(()) => Decision { effect: Effective::Allow, review: Some(by), ..decision },
                Err(reason) => refuse(reason, Some(by)),
            },
        }
    }

    /// Whether an approval is one of `request`, by somebody who may approve it, and still fresh.
    fn holds(&self, request: &ToolRequest, by: &Reviewed, digest: &str) -> Result<(), &'static str> {
        let at_ms = match by {
            Reviewed::Person { at_ms, .. } => *at_ms,
            Reviewed::Model { .. } if !inside_envelope(request) => {
                return Err("a model may refuse this but not allow it: it leaves this machine or cannot be taken back");
            }
            // A cached answer is older by design; how long it may be used is the cache's affair.
            Reviewed::Model { .. } => self.0.clock.now_ms(),
        };
        if digest != request.digest() {
            return Err("the approval was for another request");
        }
        if !(0..=APPROVAL_MS).contains(&(self.0.clock.now_ms() - at_ms)) {
            return Err("the approval is too old; ask again");
        }
        Ok(())
    }

    async fn record(&self, request: &ToolRequest, decision: &Decision) -> Result<u64, LedgerError> {
        let kind = EntryKind::Decision { request: request.clone(), decision: decision.clone() };
        let (done, told) = oneshot::channel();
        // Nobody listens any more when the effect has been given up.
        let done = move |result| done.send(result).unwrap_or_default();
        self.0.ledger.append_then(NewEntry { at_ms: self.0.clock.now_ms(), kind }, Box::new(done));
        told.await.unwrap_or_else(|_| Err(LedgerError("it gave no answer".to_owned())))
    }
}

impl Denied {
    fn new(rule: &str, reason: &str, layer: Option<Layer>, request: ToolRequest) -> Self {
        Self { rule: rule.to_owned(), reason: reason.to_owned(), layer, request: Box::new(request) }
    }

    /// What the person can do about it, in words.
    pub fn remedy(&self) -> String {
        let (rule, reason) = (self.rule.clone(), self.reason.clone());
        let decision = Decision { effect: Effective::Deny, rule, reason, layer: self.layer, review: None };
        remedy(&decision, &self.request)
    }
}
