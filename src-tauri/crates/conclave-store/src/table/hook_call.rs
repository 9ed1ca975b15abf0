//! Which calls of outside agents were decided, by the number that the agent's program gave them.
//!
//! After a call the program reports what it did; this says which decision that call had and over which parameters.
//! Invariant: what a call wanted is in the ledger; here are only digests, and they are forgotten after [`KEEP_MS`].

use rusqlite::{OptionalExtension, params};

use crate::db::Store;
use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE TABLE hook_call (
    id INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    session TEXT NOT NULL,
    call TEXT NOT NULL,
    request TEXT NOT NULL,
    parameters TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES ledger (seq),
    at INTEGER NOT NULL,
    UNIQUE (client, session, call)
) STRICT;
CREATE INDEX hook_call_by_age ON hook_call (at);
";

/// How long a call is remembered, in milliseconds: 30 days.
const KEEP_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// How many old ones a new one removes at most, so that no call waits for a large clean-up.
const FORGET: u32 = 100;

/// A call that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCall {
    /// The program that asked, for example `claude-code`.
    pub client: String,
    /// Its session; empty where it names none.
    pub session: String,
    /// The call's number, in the program's words.
    pub call_id: String,
    /// The digest of the request that was judged.
    pub request_digest: String,
    /// The digest of the call's parameters.
    pub parameters_digest: String,
    /// The ledger's entry of the decision.
    pub seq: u64,
    /// When it was decided, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Store {
    /// Remembers `call`, in place of an earlier one of the same number, and forgets some that are too old.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn put_hook_call(&self, call: &HookCall) -> Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO hook_call (client, session, call, request, parameters, seq, at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                     ON CONFLICT (client, session, call) DO UPDATE SET request = excluded.request,
                        parameters = excluded.parameters, seq = excluded.seq, at = excluded.at",
                )?
                .execute(params![
                    call.client,
                    call.session,
                    call.call_id,
                    call.request_digest,
                    call.parameters_digest,
                    call.seq.cast_signed(),
                    call.at_ms
                ])?;
            transaction
                .prepare_cached(
                    "DELETE FROM hook_call
                     WHERE id IN (SELECT id FROM hook_call WHERE at < ?1 ORDER BY at LIMIT ?2)",
                )?
                .execute(params![call.at_ms.saturating_sub(KEEP_MS), FORGET])?;
            Ok(())
        })
    }

    /// The last decided call with that number.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn hook_call(&self, client: &str, session: &str, call_id: &str) -> Result<Option<HookCall>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT request, parameters, seq, at FROM hook_call WHERE client = ?1 AND session = ?2 AND call = ?3",
            )?;
            let found = statement.query_row([client, session, call_id], |row| {
                Ok(HookCall {
                    client: client.to_owned(),
                    session: session.to_owned(),
                    call_id: call_id.to_owned(),
                    request_digest: row.get(0)?,
                    parameters_digest: row.get(1)?,
                    seq: row.get::<_, i64>(2)?.unsigned_abs(),
                    at_ms: row.get(3)?,
                })
            });
            Ok(found.optional()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, decision, fresh};
    use conclave_policy::{Effective, Ledger};

    fn call(store: &Store, id: &str, at_ms: i64) -> HookCall {
        HookCall {
            client: "claude-code".into(),
            session: "s-1".into(),
            call_id: id.into(),
            request_digest: "d1".into(),
            parameters_digest: format!("p of {id}"),
            seq: store.append(&decision(at_ms, "remote", Effective::Allow)).unwrap(),
            at_ms,
        }
    }

    #[test]
    fn a_call_is_found_by_program_session_and_number() {
        let (_folder, store) = fresh();
        let call = call(&store, "toolu_1", NOW);
        store.put_hook_call(&call).unwrap();
        assert_eq!(store.hook_call("claude-code", "s-1", "toolu_1").unwrap(), Some(call));
        for (client, session, id) in
            [("codex", "s-1", "toolu_1"), ("claude-code", "s-2", "toolu_1"), ("claude-code", "s-1", "toolu_2")]
        {
            assert_eq!(store.hook_call(client, session, id).unwrap(), None, "{client} {session} {id}");
        }
    }

    #[test]
    fn the_last_decision_of_a_number_counts() {
        let (_folder, store) = fresh();
        store.put_hook_call(&call(&store, "1", NOW)).unwrap();
        let second = HookCall { parameters_digest: "other".into(), ..call(&store, "1", NOW + 1) };
        store.put_hook_call(&second).unwrap();
        assert_eq!(store.hook_call("claude-code", "s-1", "1").unwrap(), Some(second));
    }

    #[test]
    fn a_call_without_a_decision_in_the_ledger_is_refused() {
        let (_folder, store) = fresh();
        let call = HookCall { seq: 7, ..call(&store, "1", NOW) };
        store.put_hook_call(&call).unwrap_err();
    }

    #[test]
    fn calls_are_forgotten_after_thirty_days() {
        let (_folder, store) = fresh();
        for (id, at) in [("old", NOW - 1), ("kept", NOW), ("new", NOW + KEEP_MS)] {
            store.put_hook_call(&call(&store, id, at)).unwrap();
        }
        let found = ["old", "kept", "new"].map(|id| store.hook_call("claude-code", "s-1", id).unwrap().is_some());
        assert_eq!(found, [false, true, true]);
    }
}
