//! The ledger: every decision and what came of it, in a chain of hashes.
//!
//! What an entry says is one JSON text, which the chain covers whole; nothing beside it is stored. The head row keeps
//! number and hash of the last entry, so that entries dropped from the end are missed.
//! Invariants: an append reads the head and writes entry and head in one transaction, so that several processes share
//! one chain; entries are never changed. Not claimed: whoever can write the file can also build another consistent
//! chain. That shows only against a head that was written down elsewhere.

use conclave_policy::{Appended, GENESIS, Ledger, LedgerError, NewEntry, entry_hash};
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::db::Store;
use crate::error::{Result, StoreError};

pub(crate) const CREATE: &str = "
CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY,
    entry TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TABLE ledger_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    entries INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
INSERT INTO ledger_head (id, entries, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is only appended to'); END;
CREATE TRIGGER ledger_is_not_deleted BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is only appended to'); END;
CREATE INDEX ledger_egress ON ledger (seq) WHERE
    json_valid(entry) AND entry ->> '$.request.action' = 'send_http'
    AND entry ->> '$.request.context.place' = 'remote' AND entry ->> '$.decision.effect' = 'allow';
";

/// Has the index of what left go by where a model runs, not only by the address.
pub(crate) const MODEL_CLASS: &str = "
DROP INDEX ledger_egress;
CREATE INDEX ledger_egress ON ledger (seq) WHERE
    json_valid(entry) AND entry ->> '$.request.action' = 'send_http' AND entry ->> '$.decision.effect' = 'allow'
    AND (entry ->> '$.request.context.place' IS NOT 'loopback'
        OR entry ->> '$.request.context.model_class' IS 'hosted');
";

/// What a walk over the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerVerdict {
    /// How many entries there are.
    pub rows: u64,
    /// The hash of the last entry. Written down elsewhere, it also shows a chain that was built anew.
    pub head: String,
    /// The first thing that is wrong, in words; `None` for an unbroken chain.
    pub fault: Option<String>,
}

impl Store {
    /// Walks the whole chain and says whether an entry was changed, dropped, added or moved.
    ///
    /// # Errors
    /// A database that cannot be read; a broken chain is no error but a verdict.
    pub fn verify_ledger(&self) -> Result<LedgerVerdict> {
        // What this process has handed over belongs to it.
        self.writer().settle();
        self.read(verify)
    }

    /// How many requests that leave this machine were allowed; see [`leaves_machine`](crate::leaves_machine).
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn egress_count(&self) -> Result<u64> {
        self.read(|transaction| {
            let n: i64 = transaction.query_row(
                "SELECT count(*) FROM ledger WHERE
                    json_valid(entry) AND entry ->> '$.request.action' = 'send_http'
                    AND entry ->> '$.decision.effect' = 'allow'
                    AND (entry ->> '$.request.context.place' IS NOT 'loopback'
                        OR entry ->> '$.request.context.model_class' IS 'hosted')",
                [],
                |row| row.get(0),
            )?;
            Ok(n.unsigned_abs())
        })
    }

    /// How many of [`Store::egress_count`] went to a server on this machine that may pass them on: its model is not known
    /// to run here.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn passed_on_count(&self) -> Result<u64> {
        self.read(|transaction| {
            // The first conditions are those of the index.
            let n: i64 = transaction.query_row(
                "SELECT count(*) FROM ledger WHERE
                    json_valid(entry) AND entry ->> '$.request.action' = 'send_http'
                    AND entry ->> '$.decision.effect' = 'allow'
                    AND (entry ->> '$.request.context.place' IS NOT 'loopback'
                        OR entry ->> '$.request.context.model_class' IS 'hosted')
                    AND entry ->> '$.request.context.place' IS 'loopback'",
                [],
                |row| row.get(0),
            )?;
            Ok(n.unsigned_abs())
        })
    }

    /// The digest of what Conclave wrote last to the file at `path`, which it names by its name; `None` where it never did.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn last_written(&self, path: &str) -> Result<Option<String>> {
        self.writer().settle();
        self.read(|transaction| {
            let digest = transaction
                .query_row(
                    "SELECT entry ->> '$.request.context.digest' FROM ledger WHERE
                        json_valid(entry) AND entry ->> '$.request.action' = 'write_file'
                        AND entry ->> '$.request.resource' = ?1 AND entry ->> '$.decision.effect' = 'allow'
                        ORDER BY seq DESC LIMIT 1",
                    [path],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(digest.flatten())
        })
    }
}

impl Ledger for Store {
    fn append(&self, entry: &NewEntry) -> std::result::Result<u64, LedgerError> {
        let text = entry.canonical();
        self.writer().write_grouped(move |transaction| append_text(transaction, &text)).map_err(failed)
    }

    fn append_then(&self, entry: NewEntry, done: Appended) {
        let text = entry.canonical();
        self.writer()
            .hand_over(move |transaction| append_text(transaction, &text), move |result| done(result.map_err(failed)));
    }
}

fn failed(error: StoreError) -> LedgerError {
    LedgerError(error.to_string())
}

/// Appends within a transaction of somebody else's.
pub(crate) fn append(transaction: &Transaction<'_>, entry: &NewEntry) -> Result<u64> {
    append_text(transaction, &entry.canonical())
}

fn append_text(transaction: &Transaction<'_>, text: &str) -> Result<u64> {
    let (entries, previous): (i64, String) = transaction
        .prepare_cached("SELECT entries, hash FROM ledger_head")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| StoreError::Corrupt("the ledger\u{2019}s head is missing".to_owned()))?;
    let seq = entries + 1;
    let hash = entry_hash(&previous, seq.unsigned_abs(), text);
    transaction
        .prepare_cached("INSERT INTO ledger (seq, entry, hash) VALUES (?1, ?2, ?3)")?
        .execute(params![seq, text, hash])?;
    transaction.prepare_cached("UPDATE ledger_head SET entries = ?1, hash = ?2")?.execute(params![seq, hash])?;
    Ok(seq.unsigned_abs())
}

fn verify(transaction: &Transaction<'_>) -> Result<LedgerVerdict> {
    let mut statement = transaction.prepare("SELECT seq, entry, hash FROM ledger ORDER BY seq")?;
    let mut entries = statement.query([])?;
    let (mut rows, mut head, mut fault) = (0_u64, GENESIS.to_owned(), None);
    while let Some(row) = entries.next()? {
        rows += 1;
        if fault.is_none() {
            match follow(row, rows, &head)? {
                Ok(hash) => head = hash,
                Err(words) => fault = Some(words),
            }
        }
    }
    if fault.is_none() {
        fault = head_fault(transaction, rows, &head)?;
    }
    Ok(LedgerVerdict { rows, head, fault })
}

/// The hash of `row`, if it is what must come as entry number `expected` after `previous`; else what is wrong with it.
fn follow(row: &Row<'_>, expected: u64, previous: &str) -> Result<std::result::Result<String, String>> {
    let seq: i64 = row.get(0)?;
    if u64::try_from(seq) != Ok(expected) {
        let first = if seq < 1 { seq.to_string() } else { expected.to_string() };
        let what = if seq < 1 { "was added" } else { "is missing" };
        return Ok(Err(format!("entry {first} {what}")));
    }
    let changed = || format!("entry {expected} was changed, or one before it was");
    // Whatever type or encoding the bytes have: only text with the right hash follows.
    let (ValueRef::Text(text), ValueRef::Text(stored)) = (row.get_ref(1)?, row.get_ref(2)?) else {
        return Ok(Err(changed()));
    };
    let hash = std::str::from_utf8(text).map(|text| entry_hash(previous, expected, text));
    Ok(hash.ok().filter(|hash| hash.as_bytes() == stored).ok_or_else(changed))
}

fn head_fault(transaction: &Transaction<'_>, rows: u64, head: &str) -> Result<Option<String>> {
    let mut statement = transaction.prepare("SELECT entries, hash FROM ledger_head")?;
    let mut heads = statement.query([])?;
    let Some(row) = heads.next()? else {
        return Ok(Some("the head of the chain is missing".to_owned()));
    };
    let (ValueRef::Integer(entries), ValueRef::Text(hash)) = (row.get_ref(0)?, row.get_ref(1)?) else {
        return Ok(Some("the head of the chain was changed".to_owned()));
    };
    let entries = u64::try_from(entries).unwrap_or(0);
    Ok(match entries.cmp(&rows) {
        std::cmp::Ordering::Greater => Some(format!("{} entries are missing at the end", entries - rows)),
        std::cmp::Ordering::Less => Some(format!("{} entries were added at the end", rows - entries)),
        std::cmp::Ordering::Equal if hash != head.as_bytes() => Some("the head of the chain was changed".to_owned()),
        std::cmp::Ordering::Equal => None,
    })
}

#[cfg(test)]
mod tests;
