//! A question on its way to an answer, with the tools that the model uses between.
//!
//! Deliberately absent: how a question is asked. Invariants: calls are made one after the other, in the order in which
//! the model wants them; what all turns may fill in memory is bounded; nothing is waited for past the deadline.

use tokio::time::{Instant, timeout_at};

use crate::answer::Answer;
use crate::dialect::{Calls, Tooling, Turn};
use crate::error::{AskError, Waiting};
use crate::tools::{Desk, ToolResult, Tools};

/// What all turns together may fill before no tool is used any more, in bytes.
const ROOM: usize = 4 * 1024 * 1024;

/// What was said so far, and what may still be used.
#[derive(Default)]
pub(super) struct Conversation {
    desk: Option<Desk>,
    turns: Vec<Turn>,
    /// What the turns fill.
    filled: usize,
}

impl Conversation {
    /// A conversation of which nothing is said yet.
    pub fn new(tools: Option<&Tools>) -> Self {
        let desk = tools.map(Desk::new).filter(|desk| !desk.offers().is_empty());
        Self { desk, ..Self::default() }
    }

    /// What the next question says of tools.
    pub fn tooling(&self) -> Tooling<'_> {
        let offers = self.desk.as_ref().map_or(&[][..], Desk::offers);
        Tooling { offers, turns: &self.turns, is_spent: self.desk.as_ref().is_none_or(Desk::is_spent) }
    }

    /// No tool is used any more; where none was, none is named either.
    pub fn close(&mut self) {
        match &mut self.desk {
            Some(desk) if !self.turns.is_empty() => desk.close(),
            desk => *desk = None,
        }
    }

    /// Makes the calls that the model wants.
    ///
    /// # Errors
    /// It wants some although it may not, or the deadline passes.
    pub async fn carry_out(&mut self, said: Calls, until: Instant) -> Result<(), AskError> {
        let Some(desk) = self.desk.as_mut().filter(|desk| !desk.is_spent()) else {
            return Err(AskError::WrongForm { why: "the model calls a tool where it has to answer".to_owned() });
        };
        let mut turn = Turn { said, results: Vec::new() };
        let said = turn.words().len();
        let mut room = ROOM.saturating_sub(self.filled.saturating_add(said));
        for call in &turn.said.calls {
            let result = match room {
                0 => ToolResult::error("this was not done: all that tools said is too long already"),
                _ => timeout_at(until, desk.call(&call.name, call.arguments.clone()))
                    .await
                    .map_err(|_| AskError::Timeout(Waiting::Tool))?,
            };
            room = room.saturating_sub(result.text.len());
            turn.results.push(result);
        }
        if room == 0 {
            desk.close();
        }
        self.filled = self.filled.saturating_add(turn.words().len());
        self.turns.push(turn);
        Ok(())
    }

    /// The answer, with what the turns before it cost added.
    pub fn counted(&self, answer: Answer) -> Answer {
        self.turns.iter().fold(answer, |answer, turn| answer.after(turn.said.usage))
    }
}
