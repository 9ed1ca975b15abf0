//! Questions about the ledger: what was decided, page by page, how much left this machine, which rules decide.
//!
//! Every answer is worked out from the entries that the chain covers; the indexes hold nothing else.
//! Invariant: no call reads more than it is bounded to: a page looks at [`LOOKED_AT`] entries at most and then says
//! where to go on, counts read an index and no entry.

use conclave_policy::{Action, Decision, Effective, EntryKind, Layer, NewEntry, ToolRequest, keys};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::{from_word, word};

pub(crate) const CREATE: &str = "
CREATE INDEX ledger_decision ON ledger (entry ->> '$.request.action', entry ->> '$.decision.effect')
    WHERE json_valid(entry) AND entry ->> '$.kind' = 'decision';
CREATE INDEX ledger_time ON ledger (
        entry ->> '$.at_ms', entry ->> '$.request.action', entry ->> '$.decision.effect',
        entry ->> '$.request.context.place', entry ->> '$.request.context.bytes',
        entry ->> '$.decision.layer', entry ->> '$.decision.rule')
    WHERE json_valid(entry) AND entry ->> '$.kind' = 'decision';
CREATE INDEX ledger_outcome ON ledger (entry ->> '$.refers_to')
    WHERE json_valid(entry) AND entry ->> '$.kind' = 'outcome';
";

/// Puts where a model runs into the index that egress is counted by.
pub(crate) const MODEL_CLASS: &str = "
DROP INDEX ledger_time;
CREATE INDEX ledger_time ON ledger (
        entry ->> '$.at_ms', entry ->> '$.request.action', entry ->> '$.decision.effect',
        entry ->> '$.request.context.place', entry ->> '$.request.context.model_class',
        entry ->> '$.request.context.bytes', entry ->> '$.decision.layer', entry ->> '$.decision.rule')
    WHERE json_valid(entry) AND entry ->> '$.kind' = 'decision';
";

/// What a row must be for the indexes of decisions to be used.
const DECISION: &str = "json_valid(entry) AND entry ->> '$.kind' = 'decision'";

// What goes to this machine stays there unless the model behind the address is hosted. Grouping would make SQLite read the
// entries themselves, for the sorter.
const EGRESS_TOTALS: &str = "
SELECT count(*) FILTER (WHERE entry ->> '$.request.context.place' IS NOT 'loopback'
        OR entry ->> '$.request.context.model_class' IS 'hosted'),
    count(*) FILTER (WHERE (entry ->> '$.request.context.place' IS NOT 'loopback'
        OR entry ->> '$.request.context.model_class' IS 'hosted')
        AND entry ->> '$.decision.effect' IS NOT 'allow'),
    CAST(total(CAST(entry ->> '$.request.context.bytes' AS INTEGER))
        FILTER (WHERE (entry ->> '$.request.context.place' IS NOT 'loopback'
            OR entry ->> '$.request.context.model_class' IS 'hosted')
            AND entry ->> '$.decision.effect' IS 'allow') AS INTEGER),
    count(*)
FROM ledger INDEXED BY ledger_time
WHERE json_valid(entry) AND entry ->> '$.kind' = 'decision' AND entry ->> '$.at_ms' >= ?1
    AND entry ->> '$.request.action' = 'send_http'";

const RULE_HITS: &str = "
WITH hit AS MATERIALIZED (
    SELECT entry ->> '$.decision.layer' AS layer, entry ->> '$.decision.rule' AS rule
    FROM ledger INDEXED BY ledger_time
    WHERE json_valid(entry) AND entry ->> '$.kind' = 'decision' AND entry ->> '$.at_ms' >= ?1)
SELECT layer, rule, count(*) FROM hit GROUP BY layer, rule ORDER BY 3 DESC, rule, layer";

/// How many entries a page looks at before it leaves the rest to the next one.
const LOOKED_AT: usize = 25_000;

/// How many entries are read at a time for an export.
const EXPORTED_AT_ONCE: i64 = 1000;

/// Which decisions, and how many of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionQuery {
    /// Only about this; [`Action::SendHttp`] is what leaves, [`Action::CallTool`] what agents want.
    pub action: Option<Action>,
    /// Only with this answer.
    pub only: Only,
    /// Words that actor, resource, context, call, rule or reason must contain, each of them, whatever the case.
    pub words: Vec<String>,
    /// Only before this entry: where the page before ended.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

/// Decisions by their answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Only {
    /// All of them.
    #[default]
    All,
    /// What was allowed.
    Allowed,
    /// What was not.
    Denied,
}

/// A decision, with what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRow {
    /// The entry's number.
    pub seq: u64,
    /// When it was decided, in milliseconds since 1970.
    pub at_ms: i64,
    /// What was asked.
    pub request: ToolRequest,
    /// What was answered.
    pub decision: Decision,
    /// What came of it, in words; `None` while nothing is known.
    pub outcome: Option<String>,
    /// The entry's hash in the chain.
    pub hash: String,
}

/// A page of decisions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DecisionPage {
    /// Newest first; may be fewer than asked for, or none, while there is a next page.
    pub rows: Vec<LedgerRow>,
    /// The numbers of entries that should be decisions and cannot be read; the chain's verdict says more.
    pub unreadable: Vec<u64>,
    /// What to ask before for the next page; `None` on the last.
    pub next: Option<u64>,
}

/// Requests that leave this machine, counted.
///
/// One to a model that is not known to run here leaves it, also where a proxy on this machine takes it; see
/// [`leaves_machine`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EgressTotals {
    /// How many were wanted.
    pub requests: u64,
    /// How many of them were refused.
    pub denied: u64,
    /// How many bytes the bodies had that were allowed out.
    pub bytes_out: u64,
    /// How many more stayed on this machine.
    pub local: u64,
}

/// How often a rule decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleHits {
    /// Where the rule stands, as far as it was recorded.
    pub layer: Option<Layer>,
    /// Its id.
    pub rule: String,
    /// How often.
    pub count: u64,
}

impl Store {
    /// A page of recorded decisions, newest first.
    ///
    /// # Errors
    /// A database that cannot be read; an entry that cannot be read is no error.
    pub fn decisions(&self, query: &DecisionQuery) -> Result<DecisionPage> {
        let words: Vec<String> = query.words.iter().map(|word| word.to_lowercase()).collect();
        let before = query.before.map_or(i64::MAX, u64::cast_signed);
        let limit = query.limit.max(1) as usize;
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(&sql_of(query)?)?;
            let mut rows = statement.query([before])?;
            let mut page = DecisionPage::default();
            let mut looked_at = 0;
            while let Some(row) = rows.next()? {
                // One row more than is wanted tells whether there is another page.
                if page.rows.len() == limit || looked_at == LOOKED_AT {
                    page.next = Some(seq(row)? + 1);
                    break;
                }
                looked_at += 1;
                match decision(row)? {
                    Found::Decision(mut found) if query.only.fits(&found.decision) && found.contains(&words) => {
                        found.outcome = outcome_of(transaction, found.seq)?;
                        page.rows.push(*found);
                    }
                    Found::Decision(_) | Found::Outcome => {}
                    Found::Unreadable(seq) => page.unreadable.push(seq),
                }
            }
            Ok(page)
        })
    }

    /// What left this machine, or would have, from `since_ms` on.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn egress_totals(&self, since_ms: i64) -> Result<EgressTotals> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(EGRESS_TOTALS)?;
            let counts =
                statement.query_row([since_ms], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
            let [requests, denied, bytes_out, all] = counts.map(|count: i64| count.unsigned_abs());
            Ok(EgressTotals { requests, denied, bytes_out, local: all - requests })
        })
    }

    /// How often each rule decided from `since_ms` on, the busiest first.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn rule_hits(&self, since_ms: i64) -> Result<Vec<RuleHits>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(RULE_HITS)?;
            let mut rows = statement.query([since_ms])?;
            let mut hits = Vec::new();
            while let Some(row) = rows.next()? {
                // An entry that somebody changed may say anything here.
                let (Ok(layer), Ok(rule)) = (row.get::<_, Option<String>>(0), row.get(1)) else { continue };
                let layer = layer.and_then(|layer| from_word(&layer).ok());
                hits.push(RuleHits { layer, rule, count: row.get::<_, i64>(2)?.unsigned_abs() });
            }
            Ok(hits)
        })
    }

    /// Gives the whole ledger to `line`, entry by entry from the first: JSON objects with `seq`, `hash` and `entry`.
    ///
    /// The text of `entry` is the very text that the chain covers; one that is no JSON stands there as a string.
    ///
    /// # Errors
    /// A database that cannot be read, and whatever `line` says.
    pub fn export_ledger<E: From<StoreError>>(
        &self,
        mut line: impl FnMut(&str) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        // Entries are only appended, so that pages fit together without one long look that would hold up writers.
        let mut last = 0;
        loop {
            let lines = self.read(|transaction| lines_after(transaction, last))?;
            for (seq, text) in &lines {
                line(text)?;
                last = *seq;
            }
            if (lines.len() as i64) < EXPORTED_AT_ONCE {
                return Ok(());
            }
        }
    }
}

/// The rows before entry `?1` that can be what `query` wants, newest first.
fn sql_of(query: &DecisionQuery) -> Result<String> {
    let Some(action) = query.action else {
        return Ok("SELECT seq, entry, hash FROM ledger WHERE seq < ?1 ORDER BY seq DESC".to_owned());
    };
    // One look into the index for each answer; SQLite merges them as they come.
    let effects = [Effective::Allow, Effective::Deny, Effective::Sample];
    let mut looks = Vec::new();
    for effect in effects.into_iter().filter(|effect| query.only.is(*effect)) {
        looks.push(format!(
            "SELECT seq, entry, hash FROM ledger INDEXED BY ledger_decision
             WHERE {DECISION} AND entry ->> '$.request.action' = '{action}'
                AND entry ->> '$.decision.effect' = '{}' AND seq < ?1",
            word(&effect)?
        ));
    }
    Ok(format!("{} ORDER BY seq DESC", looks.join(" UNION ALL ")))
}

enum Found {
    Decision(Box<LedgerRow>),
    Outcome,
    Unreadable(u64),
}

fn seq(row: &Row<'_>) -> Result<u64> {
    Ok(row.get::<_, i64>(0)?.unsigned_abs())
}

fn decision(row: &Row<'_>) -> Result<Found> {
    let seq = seq(row)?;
    // Whoever edits the file may leave any bytes there.
    let texts = row.get_ref(1)?.as_str().ok().zip(row.get_ref(2)?.as_str().ok());
    let Some((entry, hash)) = texts.and_then(|(text, hash)| Some((serde_json::from_str(text).ok()?, hash))) else {
        return Ok(Found::Unreadable(seq));
    };
    let NewEntry { at_ms, kind } = entry;
    Ok(match kind {
        EntryKind::Outcome { .. } => Found::Outcome,
        EntryKind::Decision { request, decision } => {
            let hash = hash.to_owned();
            Found::Decision(Box::new(LedgerRow { seq, at_ms, request, decision, outcome: None, hash }))
        }
    })
}

/// The last thing said about what came of decision `seq`.
fn outcome_of(transaction: &Transaction<'_>, seq: u64) -> Result<Option<String>> {
    let mut statement = transaction.prepare_cached(
        "SELECT entry ->> '$.outcome' FROM ledger INDEXED BY ledger_outcome
         WHERE json_valid(entry) AND entry ->> '$.kind' = 'outcome' AND entry ->> '$.refers_to' = ?1
         ORDER BY seq DESC LIMIT 1",
    )?;
    let said: Option<Option<String>> =
        statement.query_row([seq.cast_signed()], |row| Ok(row.get(0).ok())).optional()?;
    Ok(said.flatten())
}

fn lines_after(transaction: &Transaction<'_>, last: i64) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT seq, hash, entry FROM ledger WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(params![last, EXPORTED_AT_ONCE])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        let (hash, entry) = (text(row, 1)?, text(row, 2)?);
        let json = if entry.contains(['\n', '\r']) { None } else { serde_json::from_str::<&RawValue>(&entry).ok() };
        let line = match json {
            Some(entry) => serde_json::to_string(&Line { seq, hash: &hash, entry }),
            None => serde_json::to_string(&Line { seq, hash: &hash, entry: &entry }),
        };
        lines.push((seq, line?));
    }
    Ok(lines)
}

/// The text of a column, whatever bytes somebody left there.
fn text(row: &Row<'_>, column: usize) -> Result<String> {
    Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes().unwrap_or_default()).into_owned())
}

#[derive(Serialize)]
struct Line<'a, T> {
    seq: i64,
    hash: &'a str,
    entry: T,
}

/// Whether `request`, or what it asks for, leaves this machine: what is not known to stay does.
pub fn leaves_machine(request: &ToolRequest) -> bool {
    let is = |key: &str, value: &str| request.context.get(key).is_some_and(|known| known == value);
    !is("place", "loopback") || is(keys::MODEL_CLASS, "hosted")
}

impl Only {
    fn is(self, effect: Effective) -> bool {
        match self {
            Self::All => true,
            Self::Allowed => effect == Effective::Allow,
            Self::Denied => effect != Effective::Allow,
        }
    }

    fn fits(self, decision: &Decision) -> bool {
        self.is(decision.effect)
    }
}

impl LedgerRow {
    /// Whether every one of `words`, in lower case, is somewhere in what people see of it.
    fn contains(&self, words: &[String]) -> bool {
        if words.is_empty() {
            return true;
        }
        let mut seen = vec![
            self.request.actor.to_string(),
            self.request.action.to_string(),
            self.request.resource.clone(),
            self.decision.rule.clone(),
            self.decision.reason.clone(),
        ];
        seen.extend(self.request.context.values().cloned());
        if let Some(call) = &self.request.call {
            seen.push(call.parameters.to_string());
            seen.extend([&call.server, &call.cwd].into_iter().flatten().cloned());
        }
        let seen = seen.join("\n").to_lowercase();
        words.iter().all(|word| seen.contains(word))
    }
}

#[cfg(test)]
mod tests;
