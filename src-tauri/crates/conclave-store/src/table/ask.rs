//! What waits for a person's word: a question in one process, its answer in another.
//!
//! Whoever needs a person puts a question and looks for its answer; any face lists what waits and answers.
//! Invariants: a question is answered once, and only while it waits; an allow is given out once, for the very request
//! that was shown, and at most [`FRESH_MS`] after the answer; what cannot be given out any more never can be again,
//! whatever the clock says later. Each of these is one transaction, so that it holds between processes.

use std::fmt;

use conclave_policy::{Layer, ToolRequest};
use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::{from_word, word};

pub(crate) const CREATE: &str = "
CREATE TABLE ask (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    request TEXT NOT NULL,
    rule TEXT NOT NULL,
    layer TEXT,
    reason TEXT NOT NULL,
    guidance TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'allowed', 'denied', 'expired')),
    justification TEXT NOT NULL,
    answered_at INTEGER,
    used_at INTEGER
) STRICT;
CREATE INDEX ask_waiting ON ask (id) WHERE state = 'waiting';
";

/// Adds the state of a question that its asker took back; SQLite changes what a column may hold only with its table.
pub(crate) const WITHDRAWN: &str = "
CREATE TABLE ask_next (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    request TEXT NOT NULL,
    rule TEXT NOT NULL,
    layer TEXT,
    reason TEXT NOT NULL,
    guidance TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'allowed', 'denied', 'expired', 'withdrawn')),
    justification TEXT NOT NULL,
    answered_at INTEGER,
    used_at INTEGER
) STRICT;
INSERT INTO ask_next (id, at, expires_at, digest, request, rule, layer, reason, guidance, state, justification,
    answered_at, used_at)
SELECT id, at, expires_at, digest, request, rule, layer, reason, guidance, state, justification, answered_at, used_at
FROM ask;
DROP TABLE ask;
ALTER TABLE ask_next RENAME TO ask;
CREATE INDEX ask_waiting ON ask (id) WHERE state = 'waiting';
";

/// How long after the answer an allow may be taken, in milliseconds.
const FRESH_MS: i64 = 60_000;

/// The number of a question, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AskId(pub i64);

impl fmt::Display for AskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A question to put.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAsk {
    /// When it is put, in milliseconds since 1970.
    pub at_ms: i64,
    /// From when on an answer comes too late, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// What somebody wants done; an answer is good for this request only.
    pub request: ToolRequest,
    /// The rule that wants it looked at.
    pub rule: String,
    /// Where that rule stands.
    pub layer: Option<Layer>,
    /// Why, in the rule's words.
    pub reason: String,
    /// What the rule's author wants looked at.
    pub guidance: Option<String>,
}

/// A question, and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Its number.
    pub id: AskId,
    /// What was asked.
    pub ask: NewAsk,
    /// The digest of the request.
    pub digest: String,
    /// How it stands.
    pub state: AskState,
    /// What the person gave as their reason, word for word; may be empty.
    pub justification: String,
    /// When it was answered, in milliseconds since 1970.
    pub answered_at_ms: Option<i64>,
    /// When its allow was given out, in milliseconds since 1970.
    pub used_at_ms: Option<i64>,
}

/// How a question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskState {
    /// Nobody has answered.
    Waiting,
    /// A person allowed it.
    Allowed,
    /// A person denied it.
    Denied,
    /// Nobody answered in time, or nobody took the allow in time.
    Expired,
    /// Whoever asked went away, or took it back, before anybody had answered.
    Withdrawn,
}

/// A person's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It may happen, once.
    Allow,
    /// It must not happen.
    Deny,
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// It stands.
    Done(Ask),
    /// It changed nothing: the question had ended, as its state says.
    TooLate(Ask),
}

/// What whoever asked gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nobody has answered yet.
    Waiting,
    /// It may happen, now and once.
    Allowed {
        /// The person's reason.
        justification: String,
        /// When they answered, in milliseconds since 1970.
        answered_at_ms: i64,
    },
    /// It must not happen.
    Denied {
        /// The person's reason.
        justification: String,
        /// When they answered, in milliseconds since 1970.
        answered_at_ms: i64,
    },
    /// Nobody answered in time, or the question was withdrawn.
    Expired,
    /// There is an answer, and it is not for this.
    Refused(Refusal),
}

/// Why an answer is not given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The question was about something else.
    #[error("the answer was for another request")]
    OtherRequest,
    /// An allow is good for one time.
    #[error("the approval was used before")]
    Used,
    /// The allow was not taken in time.
    #[error("the approval is too old; ask again")]
    Stale,
}

impl Store {
    /// Puts a question.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn put_ask(&self, ask: &NewAsk) -> Result<AskId> {
        self.write(|transaction| {
            let layer = ask.layer.as_ref().map(word).transpose()?;
            transaction.execute(
                "INSERT INTO ask (at, expires_at, digest, request, rule, layer, reason, guidance, state, justification)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting', '')",
                params![
                    ask.at_ms,
                    ask.expires_at_ms,
                    ask.request.digest(),
                    ask.request.canonical(),
                    ask.rule,
                    layer,
                    ask.reason,
                    ask.guidance
                ],
            )?;
            Ok(AskId(transaction.last_insert_rowid()))
        })
    }

    /// The questions that wait for an answer, oldest first; those whose time is over are marked and left out.
    ///
    /// # Errors
    /// A database that cannot be read, or not be written where something has to be marked.
    pub fn waiting_asks(&self, now_ms: i64) -> Result<Vec<Ask>> {
        let sql = format!("SELECT {COLUMNS} FROM ask WHERE state = 'waiting' ORDER BY id");
        let all = self.read(|transaction| select(transaction, &sql, []))?;
        let (over, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(|ask| ask.is_over(now_ms));
        if !over.is_empty() {
            self.write(|transaction| {
                let sql = "UPDATE ask SET state = 'expired' WHERE state = 'waiting' AND expires_at <= ?1";
                Ok(transaction.execute(sql, [now_ms])?)
            })?;
        }
        Ok(waiting)
    }

    /// Answers the question `id`, with the person's reason word for word.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for a question that was never put.
    pub fn answer_ask(&self, id: AskId, answer: Answer, justification: &str, now_ms: i64) -> Result<Answered> {
        self.write(|transaction| {
            let before = wanted(transaction, id)?;
            if before.state != AskState::Waiting {
                return Ok(Answered::TooLate(before));
            }
            if before.is_over(now_ms) {
                end(transaction, id)?;
                return Ok(Answered::TooLate(wanted(transaction, id)?));
            }
            let state = match answer {
                Answer::Allow => AskState::Allowed,
                Answer::Deny => AskState::Denied,
            };
            transaction.execute(
                "UPDATE ask SET state = ?2, justification = ?3, answered_at = ?4 WHERE id = ?1",
                params![id.0, word(&state)?, justification, now_ms],
            )?;
            Ok(Answered::Done(wanted(transaction, id)?))
        })
    }

    /// The answer to the question `id` for the request with `digest`; an allow is given out once.
    ///
    /// While nobody has answered this only reads, so it may be called often; [`Store::changes`] says when it is worth it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for a question that was never put, and a database that cannot be written: then there is
    /// no answer.
    pub fn take_answer(&self, id: AskId, digest: &str, now_ms: i64) -> Result<Taken> {
        let ask = self.read(|transaction| wanted(transaction, id))?;
        if ask.state == AskState::Waiting && ask.digest == digest && !ask.is_over(now_ms) {
            return Ok(Taken::Waiting);
        }
        self.write(|transaction| take(transaction, id, digest, now_ms))
    }

    /// Ends the question `id` without an answer, because whoever asked waits for none any more.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn withdraw_ask(&self, id: AskId) -> Result<()> {
        self.end_ask(id, AskState::Withdrawn)
    }

    /// Ends the question `id` without an answer, because nobody answered in time.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn expire_ask(&self, id: AskId) -> Result<()> {
        self.end_ask(id, AskState::Expired)
    }

    fn end_ask(&self, id: AskId, state: AskState) -> Result<()> {
        self.write(|transaction| {
            let sql = "UPDATE ask SET state = ?2 WHERE id = ?1 AND state = 'waiting'";
            transaction.execute(sql, params![id.0, word(&state)?])?;
            Ok(())
        })
    }

    /// The last `limit` questions with their answers, newest first.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn asks(&self, limit: u32) -> Result<Vec<Ask>> {
        let sql = format!("SELECT {COLUMNS} FROM ask ORDER BY id DESC LIMIT ?1");
        self.read(|transaction| select(transaction, &sql, [limit]))
    }
}

impl Ask {
    fn is_over(&self, now_ms: i64) -> bool {
        now_ms >= self.ask.expires_at_ms
    }
}

const COLUMNS: &str = "id, at, expires_at, digest, request, rule, layer, reason, guidance, state, justification,
    answered_at, used_at";

fn take(transaction: &Transaction<'_>, id: AskId, digest: &str, now_ms: i64) -> Result<Taken> {
    let ask = wanted(transaction, id)?;
    // Whoever asks for something else spoils nothing for whoever asks for the right thing.
    if ask.digest != digest {
        return Ok(Taken::Refused(Refusal::OtherRequest));
    }
    let Some(answered_at_ms) = ask.answered_at_ms else {
        if ask.state == AskState::Waiting && !ask.is_over(now_ms) {
            return Ok(Taken::Waiting);
        }
        end(transaction, id)?;
        return Ok(Taken::Expired);
    };
    let justification = ask.justification;
    match ask.state {
        AskState::Denied => Ok(Taken::Denied { justification, answered_at_ms }),
        AskState::Allowed if ask.used_at_ms.is_some() => Ok(Taken::Refused(Refusal::Used)),
        // An answer from the future means that the clock was set back: how old it is, nobody knows.
        AskState::Allowed if (0..=FRESH_MS).contains(&(now_ms.saturating_sub(answered_at_ms))) => {
            transaction.execute("UPDATE ask SET used_at = ?2 WHERE id = ?1", params![id.0, now_ms])?;
            Ok(Taken::Allowed { justification, answered_at_ms })
        }
        AskState::Allowed | AskState::Expired | AskState::Withdrawn | AskState::Waiting => {
            end(transaction, id)?;
            Ok(Taken::Refused(Refusal::Stale))
        }
    }
}

fn end(transaction: &Transaction<'_>, id: AskId) -> Result<()> {
    let sql = "UPDATE ask SET state = 'expired' WHERE id = ?1 AND state <> 'withdrawn'";
    transaction.execute(sql, [id.0])?;
    Ok(())
}

fn wanted(transaction: &Transaction<'_>, id: AskId) -> Result<Ask> {
    let sql = format!("SELECT {COLUMNS} FROM ask WHERE id = ?1");
    let mut statement = transaction.prepare_cached(&sql)?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(ask).transpose()?.ok_or_else(|| StoreError::Missing { what: "question", id: id.to_string() })
}

fn select(transaction: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<Vec<Ask>> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut asks = Vec::new();
    while let Some(row) = rows.next()? {
        asks.push(ask(row)?);
    }
    Ok(asks)
}

fn ask(row: &Row<'_>) -> Result<Ask> {
    let request: String = row.get(4)?;
    let (layer, state): (Option<String>, String) = (row.get(6)?, row.get(9)?);
    Ok(Ask {
        id: AskId(row.get(0)?),
        ask: NewAsk {
            at_ms: row.get(1)?,
            expires_at_ms: row.get(2)?,
            request: serde_json::from_str(&request)?,
            rule: row.get(5)?,
            layer: layer.as_deref().map(from_word).transpose()?,
            reason: row.get(7)?,
            guidance: row.get(8)?,
        },
        digest: row.get(3)?,
        state: from_word(&state)?,
        justification: row.get(10)?,
        answered_at_ms: row.get(11)?,
        used_at_ms: row.get(12)?,
    })
}

#[cfg(test)]
mod tests;
