//! Fixes that look alike, with how often they were used and how often that was right.
//!
//! Invariant: counts are what [`model_performance`](super::model_performance) and the events of its fixes say; all
//! change in one transaction.

use conclave_core::id::{CandidateId, FindingId};
use conclave_core::label::{Event, Standing};
use rusqlite::{Transaction, params};

use crate::db::Store;
use crate::error::Result;
use crate::table::count as counted;
use crate::table::fix_event;
use crate::table::model_performance::NewFix;

pub(crate) const CREATE: &str = "
CREATE TABLE successful_patterns (
    client TEXT NOT NULL,
    vulnerability_type TEXT NOT NULL,
    pattern_signature TEXT NOT NULL,
    model_consensus TEXT NOT NULL,
    times_used INTEGER NOT NULL,
    success_rate REAL,
    last_used INTEGER NOT NULL,
    PRIMARY KEY (client, vulnerability_type, pattern_signature)
) STRICT, WITHOUT ROWID;
";

/// A way of fixing something that people used.
#[derive(Clone, Debug, PartialEq)]
pub struct SuccessfulPattern {
    /// The kind of weakness, for example `CWE-78`.
    pub vulnerability_type: String,
    /// What such a fix looks like.
    pub signature: String,
    /// Who came to it, when it was used last.
    pub consensus: Vec<String>,
    /// How often it was applied.
    pub times_used: u32,
    /// The share of right ones, weighed; `None` while nothing is known of any.
    pub success_rate: Option<f64>,
    /// When it was used last, in milliseconds since 1970.
    pub last_used: i64,
}

impl Store {
    /// The patterns of `client` that were used, the most used first.
    ///
    /// # Errors
    /// A database that cannot be read, or a row that makes no sense.
    pub fn successful_patterns(&self, client: &str) -> Result<Vec<SuccessfulPattern>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT vulnerability_type, pattern_signature, model_consensus, times_used, success_rate, last_used
                 FROM successful_patterns WHERE client = ?1 AND times_used > 0
                 ORDER BY times_used DESC, last_used DESC, pattern_signature",
            )?;
            let mut rows = statement.query([client])?;
            let mut patterns = Vec::new();
            while let Some(row) = rows.next()? {
                let consensus: String = row.get(2)?;
                patterns.push(SuccessfulPattern {
                    vulnerability_type: row.get(0)?,
                    signature: row.get(1)?,
                    consensus: serde_json::from_str(&consensus)?,
                    times_used: counted(row.get(3)?),
                    success_rate: row.get(4)?,
                    last_used: row.get(5)?,
                });
            }
            Ok(patterns)
        })
    }
}

/// Makes the pattern of `fix` known, with who came to it this time.
pub(crate) fn know(transaction: &Transaction<'_>, fix: &NewFix, now_ms: i64) -> Result<()> {
    transaction.execute(
        "INSERT INTO successful_patterns (client, vulnerability_type, pattern_signature, model_consensus, times_used,
            last_used) VALUES (?1, ?2, ?3, ?4, 0, ?5)
         ON CONFLICT DO UPDATE SET model_consensus = excluded.model_consensus",
        params![fix.client, fix.vulnerability_type, fix.signature, serde_json::to_string(&fix.consensus)?, now_ms],
    )?;
    Ok(())
}

/// Counts the pattern of `fix` anew, after something happened to that fix.
pub(crate) fn count(transaction: &Transaction<'_>, client: &str, finding: &FindingId, fix: &CandidateId) -> Result<()> {
    let mut statement = transaction.prepare_cached(
        "SELECT DISTINCT one.finding, one.fix_id, one.vulnerability_type, one.signature
         FROM model_performance one JOIN model_performance this
           USING (client, vulnerability_type, signature)
         WHERE client = ?1 AND this.finding = ?2 AND this.fix_id = ?3",
    )?;
    let mut rows = statement.query(params![client, finding.as_str(), fix.as_str()])?;
    let mut pattern = None;
    let (mut used, mut last, mut right, mut all) = (0_i64, None, 0.0, 0.0);
    while let Some(row) = rows.next()? {
        let (finding, fix) = (FindingId::new(row.get::<_, String>(0)?), CandidateId::new(row.get::<_, String>(1)?));
        pattern = Some((row.get::<_, String>(2)?, row.get::<_, String>(3)?));
        let events = fix_event::of(transaction, client, &finding, &fix)?;
        for (at, event) in &events {
            if let Event::Applied { .. } = event {
                used += 1;
                last = last.max(Some(*at));
            }
        }
        if let Some(label) = Standing::of(events.iter().map(|(_, event)| event)).label() {
            all += label.weight;
            right += if label.right { label.weight } else { 0.0 };
        }
    }
    let Some((kind, signature)) = pattern else { return Ok(()) };
    transaction.execute(
        "UPDATE successful_patterns SET times_used = ?4, success_rate = ?5, last_used = coalesce(?6, last_used)
         WHERE client = ?1 AND vulnerability_type = ?2 AND pattern_signature = ?3",
        params![client, kind, signature, used, (all > 0.0).then_some(right / all), last],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::model_performance::tests::new_fix;
    use crate::tests::{NOW, fresh};

    #[test]
    fn patterns_that_worked_are_counted_with_who_came_to_them() {
        let (_folder, store) = fresh();
        let finding = FindingId::new("f");
        let tell = |fix: &str, event: Event, at: i64| {
            store.add_fix_event("", &finding, &CandidateId::new(fix), &event, at).unwrap();
        };
        for fix in ["one", "two"] {
            store.know_fix(&new_fix("", fix), NOW).unwrap();
        }
        assert_eq!(store.successful_patterns("").unwrap(), []);
        tell("one", Event::Applied { tests: false, head: None }, NOW + 1);
        tell("two", Event::Applied { tests: false, head: None }, NOW + 2);
        let found = || store.successful_patterns("").unwrap().remove(0);
        assert_eq!((found().times_used, found().success_rate, found().last_used), (2, Some(1.0), NOW + 2));
        assert_eq!((found().vulnerability_type, found().consensus), ("CWE-78".to_owned(), vec!["Recipe r".to_owned()]));
        tell("one", Event::Merged, NOW + 3);
        tell("two", Event::Reverted, NOW + 4);
        assert_eq!((found().times_used, found().success_rate), (2, Some(0.5)));
        assert_eq!(store.successful_patterns("acme").unwrap(), []);
    }
}
