//! Asking the person: a question in the store, which any face of any process shows and answers.
//!
//! Invariants: without a face that has a person at it, nobody is waited for; an answer is good once, for the request that
//! was shown; a question that nobody waits for any more is withdrawn.

use std::time::Duration;

use conclave_policy::{Question, Review, Reviewed};
use conclave_store::{AskId, NewAsk, Store, StoreError, Taken};
use tokio::time::{MissedTickBehavior, interval};

use super::{EngineReviewer, refuse};
use crate::event::{Event, Topic};

/// How long the person may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The most questions that may wait at a time; nobody reads more, and a flood of them hides the one that matters.
const MOST_WAITING: usize = 100;
/// How often the store is looked at for an answer that another process may have written.
const PACE: Duration = Duration::from_millis(100);

/// What lets a person be asked the next time.
const BE_THERE: &str = "open Conclave\u{2019}s window, or run `conclave asks watch` in a terminal, and try again";

/// A question that is withdrawn when nobody waits for its answer any more.
struct Waiting<'a> {
    store: &'a Store,
    id: AskId,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.store.withdraw_ask(self.id) {
            tracing::warn!(%error, "a question that nobody waits for is not withdrawn; it runs out by itself");
        }
    }
}

impl EngineReviewer {
    /// Asks the person, if there is one; `why` says why no model decides.
    pub(super) async fn ask_person(&self, question: &Question<'_>, why: Option<&str>) -> Review {
        let because = why.map(|why| format!("; {why}")).unwrap_or_default();
        if !self.store.person_is_there() {
            return refuse(format!("a person has to allow it and nobody is there: {BE_THERE}{because}"), None);
        }
        match self.answer(question, &because).await {
            Ok(review) => review,
            Err(error) => refuse(format!("the person could not be asked: {error}"), None),
        }
    }

    async fn answer(&self, question: &Question<'_>, because: &str) -> Result<Review, StoreError> {
        let now = self.gate.clock().now_ms();
        if self.store.waiting_asks(now)?.len() >= MOST_WAITING {
            return Ok(refuse(format!("{MOST_WAITING} questions wait already; answer them first"), None));
        }
        let decision = question.decision;
        let digest = question.request.digest();
        let id = self.store.put_ask(&NewAsk {
            at_ms: now,
            expires_at_ms: now.saturating_add(i64::try_from(PATIENCE.as_millis()).unwrap_or(i64::MAX)),
            request: question.request.clone(),
            rule: decision.rule.clone(),
            layer: decision.layer,
            reason: format!("{}{because}", decision.reason),
            guidance: question.guidance.map(str::to_owned),
        })?;
        let waiting = Waiting { store: &self.store, id };
        let asked = Event::Changed(vec![Topic::Asks]);
        self.events.send(asked.clone());
        let taken = match tokio::time::timeout(PATIENCE, self.taken(id, &digest)).await {
            Ok(taken) => taken,
            Err(_) => self.store.expire_ask(id).map(|()| Taken::Expired),
        };
        drop(waiting);
        self.events.send(asked);
        Ok(match taken? {
            Taken::Allowed { justification, answered_at_ms } => {
                Review::Allow { by: Reviewed::Person { justification, at_ms: answered_at_ms }, digest }
            }
            Taken::Denied { justification, answered_at_ms } => {
                let words = if justification.is_empty() { String::new() } else { format!(": {justification}") };
                let by = Reviewed::Person { justification, at_ms: answered_at_ms };
                refuse(format!("you refused it{words}"), Some(by))
            }
            Taken::Refused(refusal) => refuse(refusal.to_string(), None),
            Taken::Expired | Taken::Waiting => {
                refuse(format!("nobody answered within {} s: {BE_THERE}", PATIENCE.as_secs()), None)
            }
        })
    }

    /// The answer to the question `id`, once there is one.
    async fn taken(&self, id: AskId, digest: &str) -> Result<Taken, StoreError> {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            match self.store.take_answer(id, digest, self.gate.clock().now_ms())? {
                Taken::Waiting => {}
                taken => return Ok(taken),
            }
        }
    }
}
