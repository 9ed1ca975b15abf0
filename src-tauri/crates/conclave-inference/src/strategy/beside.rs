//! Asking providers that are only tried out, beside those whose answers are used.
//!
//! Invariant: nobody waits for them, and nothing that they say goes anywhere but into a count and one line of the log.

use std::sync::{Arc, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::slot::Slot;
use super::{Question, Strategy};
use crate::answer::Answer;

/// Providers on trial that are being asked. Dropped before its end, it calls them off.
pub struct Beside(Option<(watch::Sender<Option<Answer>>, DropGuard)>);

impl Strategy {
    /// Asks each provider on trial, with the whole deadline for each, until the question's token is cancelled.
    pub fn beside(&self, question: &Question) -> Beside {
        let slots: Vec<&Arc<Slot>> = self.slots.iter().filter(|slot| slot.is_trial()).collect();
        if slots.is_empty() {
            return Beside(None);
        }
        let stop = question.cancel.child_token();
        let (used, hear) = watch::channel(None);
        let mut running = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        for slot in slots {
            let (slot, room, question) = (Arc::clone(slot), Arc::clone(&self.room), question.clone());
            let (hear, stop): (_, CancellationToken) = (hear.clone(), stop.clone());
            running.spawn(async move {
                let tried = async {
                    let begin = Instant::now();
                    let result = slot.ask(&room, &question, begin + question.deadline).await;
                    compare(&slot, &question, result.map_err(|error| error.kind()), begin, hear).await;
                };
                tokio::select! {
                    () = tried => {}
                    () = stop.cancelled() => {}
                }
            });
        }
        Beside(Some((used, stop.drop_guard())))
    }
}

impl Beside {
    /// Says which answer was used, if any; those on trial go on until their own deadline.
    pub fn end(self, used: Option<Answer>) {
        if let Some((sender, guard)) = self.0 {
            guard.disarm();
            sender.send_replace(used);
        }
    }
}

/// Waits for the answer that is used, and counts and logs what became of the trial.
async fn compare(
    slot: &Slot,
    question: &Question,
    result: Result<Answer, &'static str>,
    begin: Instant,
    mut hear: watch::Receiver<Option<Answer>>,
) {
    let took_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    // An error says that no answer is used.
    let used = hear.wait_for(Option::is_some).await.ok().and_then(|used| used.clone());
    let agrees = match (&result, &used, question.agrees) {
        (Ok(answer), Some(used), Some(agrees)) => agrees(answer, used),
        _ => None,
    };
    slot.tried(result.is_ok(), agrees);
    let outcome = match &result {
        Ok(Answer::Text { .. }) => "answered",
        Ok(Answer::Refusal { .. }) => "declined",
        Err(kind) => kind,
    };
    tracing::info!(provider = slot.info().name, outcome, took_ms, agrees, "a provider on trial was asked");
}
