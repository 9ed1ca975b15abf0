//! Judges an agent's call in full: what the policy samples is reviewed, and a person can be asked for their word.
//!
//! For those who can wait. Invariant: what a person is asked about has passed every rule that refuses it.

use std::sync::{Arc, Once};

use conclave_effects::gate::{Gate, Policies};
use conclave_effects::resolve_touched;
use conclave_effects::sample::Client;
use conclave_policy::{Effective, Layer, Policy, ToolRequest, remedy};

use super::advisor::{Advice, AdviseError, policy_for};
use super::call::AgentCall;
use super::reach;
use crate::ctx::Ctx;
use crate::review::{EngineReviewer, way_out};

/// Whose word is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The policy's, and a reviewer's where a rule samples.
    Policy,
    /// A person's as well, whatever the policy would allow.
    Person,
}

/// The rule that asks for a person. It matches everything, and beside other layers it can only make them stricter.
const ASK_A_PERSON: &str = "version: 1
extends: none
rules:
  - id: human-review
    priority: 0
    action: sample
    reason: the agent asked for a person\u{2019}s word
    inference_provider: person
";

/// A place where calls are judged; cheap to clone, all clones share what reviewers said.
#[derive(Clone)]
pub struct Hearing {
    cx: Ctx,
    offline: bool,
    reviewer: EngineReviewer,
    /// The first call has the reviewing models loaded that take their time.
    warm: Arc<Once>,
}

impl Hearing {
    /// A hearing with the reviewers of the settings.
    pub fn new(cx: &Ctx, offline: bool) -> Self {
        let reviewer =
            EngineReviewer::new(Arc::clone(&cx.models), cx.gate.clone(), cx.store.clone(), cx.events.clone());
        Self { cx: cx.clone(), offline, reviewer, warm: Arc::new(Once::new()) }
    }

    /// The same hearing for a call of `client`'s, whose model may be asked about it.
    #[must_use]
    pub fn serving(&self, client: Arc<dyn Client>) -> Self {
        Self { reviewer: self.reviewer.serving(client), ..self.clone() }
    }

    /// Judges `call`, which is refused as soon as one of the requests that it amounts to is.
    ///
    /// Dropping the future withdraws a question that nobody has answered.
    ///
    /// # Errors
    /// See [`AdviseError`]; then the call must not be made.
    pub async fn judge(&self, call: &AgentCall, word: Word) -> Result<Advice, AdviseError> {
        self.warm.call_once(|| self.cx.models.warm(&self.cx, &self.cx.settings().review.models));
        let (mut first, mut others) = call.requests(&resolve_touched)?;
        let policy = policy_for(&self.cx.store, self.cx.data.path(), &self.cx.settings(), self.offline, &first)?;
        let mut all: Vec<&mut ToolRequest> = std::iter::once(&mut first).chain(&mut others).collect();
        reach::add(call, &policy, self.cx.gate.clock().now_ms(), &mut all);
        let mut advice = self.judge_one(&first, word).await?;
        for request in &others {
            if advice.decision.effect != Effective::Allow {
                break;
            }
            advice = self.judge_one(request, word).await?;
        }
        Ok(advice)
    }

    async fn judge_one(&self, request: &ToolRequest, word: Word) -> Result<Advice, AdviseError> {
        let policy = policy_for(&self.cx.store, self.cx.data.path(), &self.cx.settings(), self.offline, request)?;
        let policy = match word {
            Word::Policy => policy,
            Word::Person => person_first().and(policy),
        };
        let ledger = Arc::new(self.cx.store.clone());
        let clock = self.cx.gate.clock().clone();
        let gate = Gate::new(Policies::new(policy), ledger, Arc::new(self.reviewer.clone()), clock);
        let (decision, seq) = gate.judge(request).await?;
        // Where somebody reviewed it, their verdict stands, whatever words are in it.
        let silent = decision.effect == Effective::Deny && decision.review.is_none();
        let way_out = silent.then(|| way_out(&decision.reason)).flatten();
        let remedy = way_out.unwrap_or_else(|| remedy(&decision, request));
        Ok(Advice { decision, seq, remedy })
    }
}

fn person_first() -> Policy {
    // INVARIANT: the text is compiled in, and the tests of this module load it.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    Policy::load(ASK_A_PERSON, Layer::User).expect("the rule loads").policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_asks_a_person_loads_and_matches_everything() {
        let request = ToolRequest::new(conclave_policy::Actor::Person, conclave_policy::Action::CallTool, "x");
        let decision = person_first().evaluate(&request, 0);
        assert_eq!((decision.effect, decision.rule.as_str()), (Effective::Sample, "human-review"));
    }
}
