//! What was said to models and what they answered, for whoever wants to keep it.
//!
//! Whether anything is kept is for the settings, and that no secret is in it for whoever puts it here.
//! Invariants: an exchange belongs to a decision in the ledger; each text is at most [`MOST`] bytes, and its true size
//! stands beside it; what is removed is overwritten in the file, at the latest when the last process closes it.

use rusqlite::{OptionalExtension, Row, params};

use crate::db::Store;
use crate::error::Result;

// The texts come last, so that a list of heads does not read them.
pub(crate) const CREATE: &str = "
CREATE TABLE exchange (
    seq INTEGER PRIMARY KEY REFERENCES ledger (seq),
    at INTEGER NOT NULL,
    project TEXT,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    status INTEGER,
    request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL,
    request TEXT NOT NULL,
    response TEXT NOT NULL
) STRICT;
CREATE INDEX exchange_by_age ON exchange (at);
CREATE INDEX exchange_of_project ON exchange (project, seq);
";

/// The most bytes of a request or an answer that are kept: 1 MiB.
const MOST: usize = 1024 * 1024;

/// How many rows one transaction removes, so that nobody waits long for it.
const BATCH: u32 = 20;

/// One request to a model, with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExchange {
    /// The ledger's entry of the decision that let it out.
    pub seq: u64,
    /// When it was sent, in milliseconds since 1970.
    pub at_ms: i64,
    /// The folder of the project that it was about.
    pub project: Option<String>,
    /// The endpoint's name in the settings.
    pub endpoint: String,
    /// The model that was asked.
    pub model: String,
    /// The body as it was sent: secrets are out of it.
    pub request: String,
    /// What came back, with secrets taken out; or why nothing did, in words.
    pub response: String,
    /// The status of the answer; `None` when none came.
    pub status: Option<u16>,
}

/// An exchange that was kept, without its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeHead {
    /// See [`NewExchange::seq`].
    pub seq: u64,
    /// See [`NewExchange::at_ms`].
    pub at_ms: i64,
    /// See [`NewExchange::project`].
    pub project: Option<String>,
    /// See [`NewExchange::endpoint`].
    pub endpoint: String,
    /// See [`NewExchange::model`].
    pub model: String,
    /// See [`NewExchange::status`].
    pub status: Option<u16>,
    /// How long the request was, in bytes.
    pub request_bytes: u64,
    /// How long the answer was, in bytes.
    pub response_bytes: u64,
}

/// An exchange that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// All but the texts.
    pub head: ExchangeHead,
    /// The beginning of the request; all of it unless it is shorter than [`ExchangeHead::request_bytes`].
    pub request: String,
    /// The beginning of the answer; all of it unless it is shorter than [`ExchangeHead::response_bytes`].
    pub response: String,
}

/// A page of exchanges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangePage {
    /// Newest first.
    pub rows: Vec<ExchangeHead>,
    /// What to ask before for the next page; `None` on the last.
    pub next: Option<u64>,
}

impl Store {
    /// Keeps `exchange`, in place of what was kept for the same decision.
    ///
    /// # Errors
    /// A database that cannot be written, or a decision that is not in the ledger.
    pub fn put_exchange(&self, exchange: &NewExchange) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO exchange
                    (seq, at, project, endpoint, model, status, request_bytes, response_bytes, request, response)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    exchange.seq.cast_signed(),
                    exchange.at_ms,
                    exchange.project,
                    exchange.endpoint,
                    exchange.model,
                    exchange.status,
                    size(&exchange.request),
                    size(&exchange.response),
                    beginning(&exchange.request),
                    beginning(&exchange.response)
                ],
            )?;
            Ok(())
        })
    }

    /// A page of at most `limit` exchanges before the entry `before`, of one project's folder or of all.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn exchanges(&self, project: Option<&str>, before: Option<u64>, limit: u32) -> Result<ExchangePage> {
        let limit = limit.max(1) as usize;
        let before = before.map_or(i64::MAX, u64::cast_signed);
        self.read(|transaction| {
            let of_project = if project.is_some() { "project = ?3 AND" } else { "?3 IS NULL AND" };
            let sql = format!("SELECT {HEAD} FROM exchange WHERE {of_project} seq < ?1 ORDER BY seq DESC LIMIT ?2 + 1");
            let mut statement = transaction.prepare_cached(&sql)?;
            let rows = statement.query_map(params![before, limit as i64, project], head)?;
            let mut rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|last| last.seq);
            Ok(ExchangePage { rows, next })
        })
    }

    /// The exchange of the ledger's entry `seq`, if it was kept.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn exchange(&self, seq: u64) -> Result<Option<Exchange>> {
        self.read(|transaction| {
            let sql = format!("SELECT {HEAD}, request, response FROM exchange WHERE seq = ?1");
            let whole = |row: &Row<'_>| Ok(Exchange { head: head(row)?, request: row.get(8)?, response: row.get(9)? });
            Ok(transaction.query_row(&sql, [seq.cast_signed()], whole).optional()?)
        })
    }

    /// Removes what was kept more than `days` days ago; gives how many.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn remove_old_exchanges(&self, days: u32, now_ms: i64) -> Result<u64> {
        let oldest = now_ms.saturating_sub(i64::from(days) * 24 * 60 * 60 * 1000);
        self.remove_exchanges("at < ?1", oldest)
    }

    /// Removes all that was kept, or what was kept about the project in the folder `root`; gives how many.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn erase_exchanges(&self, root: Option<&str>) -> Result<u64> {
        match root {
            Some(root) => self.remove_exchanges("project = ?1", root),
            None => self.remove_exchanges("?1 IS NULL", rusqlite::types::Null),
        }
    }

    fn remove_exchanges(&self, condition: &str, value: impl rusqlite::ToSql) -> Result<u64> {
        let sql = format!(
            "DELETE FROM exchange WHERE seq IN (SELECT seq FROM exchange WHERE {condition} ORDER BY seq LIMIT {BATCH})"
        );
        let mut removed = 0;
        loop {
            let batch = self.write(|transaction| Ok(transaction.execute(&sql, params![value])?))?;
            removed += batch as u64;
            if batch < BATCH as usize {
                return Ok(removed);
            }
        }
    }
}

const HEAD: &str = "seq, at, project, endpoint, model, status, request_bytes, response_bytes";

fn head(row: &Row<'_>) -> rusqlite::Result<ExchangeHead> {
    Ok(ExchangeHead {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        at_ms: row.get(1)?,
        project: row.get(2)?,
        endpoint: row.get(3)?,
        model: row.get(4)?,
        status: row.get(5)?,
        request_bytes: row.get::<_, i64>(6)?.unsigned_abs(),
        response_bytes: row.get::<_, i64>(7)?.unsigned_abs(),
    })
}

fn size(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// As much of `text` as is kept.
fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, database, decision, fresh};
    use conclave_policy::{Effective, Ledger};

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn exchange(store: &Store, project: &str, at_ms: i64) -> NewExchange {
        NewExchange {
            seq: store.append(&decision(at_ms, "remote", Effective::Allow)).unwrap(),
            at_ms,
            project: Some(project.into()),
            endpoint: "Local Qwen".into(),
            model: "qwen3".into(),
            request: "{\"q\":\"é\"}".into(),
            response: "{}".into(),
            status: Some(200),
        }
    }

    /// A store with five exchanges, one a day, of two projects in turn.
    fn five() -> (tempfile::TempDir, Store, Vec<NewExchange>) {
        let (folder, store) = fresh();
        let all: Vec<_> = (0..5).map(|n| exchange(&store, ["/a", "/b"][n as usize % 2], NOW + n * DAY)).collect();
        for exchange in &all {
            store.put_exchange(exchange).unwrap();
        }
        (folder, store, all)
    }

    fn seqs(store: &Store) -> Vec<u64> {
        store.exchanges(None, None, 100).unwrap().rows.iter().map(|head| head.seq).collect()
    }

    #[test]
    fn an_exchange_comes_back_as_it_was_put() {
        let (_folder, store, all) = five();
        let kept = store.exchange(all[1].seq).unwrap().unwrap();
        let head = ExchangeHead {
            seq: all[1].seq,
            at_ms: all[1].at_ms,
            project: Some("/b".into()),
            endpoint: "Local Qwen".into(),
            model: "qwen3".into(),
            status: Some(200),
            request_bytes: 10,
            response_bytes: 2,
        };
        assert_eq!(kept, Exchange { head, request: all[1].request.clone(), response: "{}".into() });
        assert_eq!(store.exchange(99).unwrap(), None);
        store.put_exchange(&NewExchange { seq: 99, ..all[0].clone() }).unwrap_err();
    }

    #[test]
    fn pages_go_back_in_time_and_can_be_of_one_project() {
        let (_folder, store, _) = five();
        for (project, expected) in [(None, vec![vec![5, 4], vec![3, 2], vec![1]]), (Some("/b"), vec![vec![4, 2]])] {
            let (mut pages, mut before) = (Vec::new(), None);
            loop {
                let page = store.exchanges(project, before, 2).unwrap();
                pages.push(page.rows.iter().map(|head| head.seq).collect::<Vec<_>>());
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(pages, expected, "{project:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_letters_and_its_size_says_so() {
        let (_folder, store) = fresh();
        let long = format!("x{}", "é".repeat(MOST / 2));
        let new = NewExchange { request: long.clone(), ..exchange(&store, "/a", NOW) };
        store.put_exchange(&new).unwrap();
        let kept = store.exchange(new.seq).unwrap().unwrap();
        assert_eq!(kept.head.request_bytes, MOST as u64 + 1);
        assert_eq!(kept.request, long[..MOST - 1]);
    }

    #[test]
    fn old_ones_and_those_of_a_project_are_removed() {
        let (_folder, store, _) = five();
        assert_eq!(store.remove_old_exchanges(3, NOW + 5 * DAY).unwrap(), 2);
        assert_eq!(seqs(&store), [5, 4, 3]);
        assert_eq!(store.erase_exchanges(Some("/a")).unwrap(), 2);
        assert_eq!(seqs(&store), [4]);
        for _ in 0..=BATCH {
            store.put_exchange(&exchange(&store, "/c", NOW)).unwrap();
        }
        assert_eq!(store.erase_exchanges(Some("/c")).unwrap(), u64::from(BATCH) + 1);
        assert_eq!(seqs(&store), [4]);
        store.put_exchange(&NewExchange { project: None, ..exchange(&store, "/c", NOW) }).unwrap();
        assert_eq!(store.erase_exchanges(None).unwrap(), 2);
        assert_eq!(seqs(&store), [0; 0]);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "looks at the file from outside")]
    fn what_is_removed_is_in_no_byte_of_the_file() {
        let (folder, store) = fresh();
        let marked = |text: &str| text.repeat(20_000);
        for (project, text) in [("/a", "gone-client-code "), ("/b", "kept-client-code ")] {
            let new = NewExchange { request: marked(text), ..exchange(&store, project, NOW) };
            store.put_exchange(&new).unwrap();
        }
        store.erase_exchanges(Some("/a")).unwrap();
        drop(store);
        let bytes = std::fs::read(database(&folder)).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds("gone-client-code"));
        assert!(holds("kept-client-code"));
    }
}
