//! Questions that wait for the person, and their answers.

use conclave_store::{Answer, Answered, Ask, AskId, StoreError};

use crate::ctx::Ctx;
use crate::event::{Event, Topic};

/// The questions that wait, oldest first.
///
/// # Errors
/// The store fails.
pub fn list(cx: &Ctx) -> Result<Vec<Ask>, StoreError> {
    cx.store.waiting_asks(cx.now_ms())
}

/// Answers the question `id` with the person's reason, word for word.
///
/// # Errors
/// The store fails, or there was no such question.
pub fn answer(cx: &Ctx, id: AskId, answer: Answer, justification: &str) -> Result<Answered, StoreError> {
    let answered = cx.store.answer_ask(id, answer, justification, cx.now_ms())?;
    cx.events.send(Event::Changed(vec![Topic::Asks]));
    Ok(answered)
}
