//! Tells faces what a model says while it says it.
//!
//! Invariant: what is told here is only shown. The engine reads the whole answer when it has come, and never this.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use conclave_core::id::FindingId;
use tokio::time::Instant;

use crate::event::{Delta, Event, Events};
use crate::models::{Heard, Hearer};

/// What comes within this time is told together.
const TOGETHER: Duration = Duration::from_millis(50);

/// What one seat says about one finding.
#[derive(Default)]
struct Telling {
    model: String,
    /// What was said and not told yet.
    text: String,
    /// Whether nothing of this answer was told.
    is_new: bool,
    /// When something was told last.
    told: Option<Instant>,
}

/// Tells through `events` what is said about `finding` for `seat`.
pub(crate) fn told(events: Events, finding: FindingId, seat: String) -> Arc<Hearer> {
    let telling = Mutex::new(Telling::default());
    Arc::new(move |heard| {
        let mut telling = telling.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = match heard {
            Heard::Begin(model) => {
                *telling = Telling { model: model.to_owned(), is_new: true, ..Telling::default() };
                true
            }
            Heard::Text(text) => {
                telling.text.push_str(text);
                telling.told.is_none_or(|told| told.elapsed() >= TOGETHER)
            }
            Heard::End => !telling.text.is_empty(),
        };
        if is_due {
            let (model, text) = (telling.model.clone(), std::mem::take(&mut telling.text));
            let is_new = std::mem::take(&mut telling.is_new);
            telling.told = (!text.is_empty()).then(Instant::now);
            events.send(Event::Delta(Delta { finding: finding.clone(), seat: seat.clone(), model, text, is_new }));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_together_is_told_together_and_another_model_begins_anew() {
        let events = Events::default();
        let mut told_now = events.subscribe();
        let hear = told(events, FindingId::new("f"), "A, answer 2".to_owned());
        let mut next = || {
            let mut all = Vec::new();
            while let Ok(Event::Delta(Delta { seat, model, text, is_new, .. })) = told_now.try_recv() {
                assert_eq!(seat, "A, answer 2", "whoever speaks for it");
                all.push(format!("{}{model}: {text}", if is_new { "!" } else { "" }));
            }
            all.join(" | ")
        };
        hear(Heard::Begin("A"));
        hear(Heard::Text("one"));
        assert_eq!(next(), "!A:  | A: one", "the first is told at once");
        hear(Heard::Text(" two"));
        tokio::time::advance(TOGETHER - Duration::from_millis(1)).await;
        hear(Heard::Text(" three"));
        assert_eq!(next(), "");
        tokio::time::advance(Duration::from_millis(1)).await;
        hear(Heard::Text(" four"));
        assert_eq!(next(), "A:  two three four");
        hear(Heard::Text(" five"));
        hear(Heard::End);
        assert_eq!(next(), "A:  five");
        hear(Heard::Begin("B"));
        hear(Heard::End);
        assert_eq!(next(), "!B: ", "what A said counts no more");
    }
}
