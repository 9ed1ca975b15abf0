//! What runs ended with, one a run: the whole result as JSON, and beside it what a list shows of it.

use conclave_core::finding::Status;
use conclave_core::id::{FindingId, RunId};
use conclave_core::resolution::Resolution;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::db::Store;
use crate::error::Result;
use crate::table::finding::{ConfidenceRow, stand};
use crate::table::stage::save;
use crate::table::{from_word, word};

pub(crate) const CREATE: &str = "
CREATE TABLE resolution (
    run TEXT PRIMARY KEY REFERENCES job (run),
    finding TEXT NOT NULL REFERENCES finding (id),
    at INTEGER NOT NULL,
    resolution TEXT NOT NULL,
    status TEXT NOT NULL,
    note TEXT NOT NULL,
    confidence TEXT
) STRICT;
CREATE INDEX resolution_of_finding ON resolution (finding);
";

impl Store {
    /// Saves the result of a run together with where the finding stands by it; a fix that holds outweighs it.
    ///
    /// # Errors
    /// A database that cannot be written, or a run or finding that is not in it.
    pub fn save_resolution(
        &self,
        resolution: &Resolution,
        status: Status,
        note: &str,
        confidence: Option<ConfidenceRow>,
        now_ms: i64,
    ) -> Result<()> {
        let json = serde_json::to_string(resolution)?;
        let confidence = confidence.as_ref().map(serde_json::to_string).transpose()?;
        self.write(|transaction| write(transaction, resolution, (&json, confidence.as_deref()), (status, note), now_ms))
    }

    /// Saves `resolution` in the place of that of the same run, together with the stage that it is drawn from anew: what
    /// was stored of it before, and what is now. False where that stage says something else by now, another run has come
    /// to its end, or one is under way; then nothing is changed.
    ///
    /// # Errors
    /// A database that cannot be written, or a run or finding that is not in it.
    pub fn replace_resolution(
        &self,
        resolution: &Resolution,
        status: Status,
        note: &str,
        confidence: Option<ConfidenceRow>,
        (stage, before, after): (&str, Option<&str>, &str),
        now_ms: i64,
    ) -> Result<bool> {
        let json = serde_json::to_string(resolution)?;
        let confidence = confidence.as_ref().map(serde_json::to_string).transpose()?;
        let (run, finding) = (resolution.run.as_str(), resolution.finding.as_str());
        self.write(|transaction| {
            let is_as_it_was: bool = transaction.query_row(
                "SELECT ?1 IS (SELECT run FROM resolution JOIN job USING (run) WHERE resolution.finding = ?2
                               ORDER BY job.n DESC LIMIT 1)
                 AND ?4 IS (SELECT result FROM stage WHERE run = ?1 AND name = ?3)
                 AND NOT EXISTS (SELECT 1 FROM job WHERE finding = ?2 AND state = 'running')",
                params![run, finding, stage, before],
                |row| row.get(0),
            )?;
            if is_as_it_was {
                save(transaction, run, stage, after)?;
                write(transaction, resolution, (&json, confidence.as_deref()), (status, note), now_ms)?;
            }
            Ok(is_as_it_was)
        })
    }

    /// The result of `run` as it was written.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn resolution_json(&self, run: &RunId) -> Result<Option<String>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare("SELECT resolution FROM resolution WHERE run = ?1")?;
            Ok(statement.query_row([run.as_str()], |row| row.get(0)).optional()?)
        })
    }

    /// The result of the last run of `finding` that had one.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn resolution(&self, finding: &FindingId) -> Result<Option<Resolution>> {
        let json: Option<String> = self.read(|transaction| {
            let mut statement = transaction.prepare(
                "SELECT resolution FROM resolution JOIN job USING (run) WHERE resolution.finding = ?1
                 ORDER BY job.n DESC LIMIT 1",
            )?;
            Ok(statement.query_row([finding.as_str()], |row| row.get(0)).optional()?)
        })?;
        Ok(json.as_deref().map(serde_json::from_str).transpose()?)
    }
}

fn write(
    transaction: &Transaction<'_>,
    Resolution { run, finding, .. }: &Resolution,
    (json, confidence): (&str, Option<&str>),
    (status, note): (Status, &str),
    now_ms: i64,
) -> Result<()> {
    transaction.execute(
        "INSERT OR REPLACE INTO resolution (run, finding, at, resolution, status, note, confidence)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![run.as_str(), finding.as_str(), now_ms, json, word(&status)?, note, confidence],
    )?;
    stand(transaction, finding, "")
}

/// Where the last run of `finding` that had a result has left it.
pub(crate) fn last_summary(
    transaction: &Transaction<'_>,
    finding: &FindingId,
) -> Result<Option<(Status, String, Option<ConfidenceRow>)>> {
    let last: Option<(String, String, Option<String>)> = transaction
        .prepare_cached(
            "SELECT resolution.status, resolution.note, confidence FROM resolution JOIN job USING (run)
             WHERE resolution.finding = ?1 ORDER BY job.n DESC LIMIT 1",
        )?
        .query_row([finding.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((status, note, confidence)) = last else { return Ok(None) };
    Ok(Some((from_word(&status)?, note, confidence.as_deref().map(serde_json::from_str).transpose()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, finding, fresh_with_project, scan};
    use crate::{JobEnd, ScanState};
    use conclave_core::record::Record;
    use conclave_core::resolution::{Work, conclude};

    #[test]
    fn the_last_result_counts_and_the_status_comes_with_it() {
        let (_folder, store, project) = fresh_with_project();
        let found = finding(&project, "a.py", 1);
        store.save_scan(&scan(&project, "s", ScanState::Complete), std::slice::from_ref(&found), NOW).unwrap();
        assert_eq!(store.resolution(&found.id).unwrap(), None);
        for n in 1..=11 {
            let run = store.begin_run(&found.id, true, NOW).unwrap().run;
            let resolution =
                conclude(&found, run.clone(), Work { analysis_ms: n, ..Work::default() }, &Record::default());
            store.save_resolution(&resolution, Status::NoSafeFix, "no seat", None, NOW).unwrap();
            store.finish_job(&run, JobEnd::Done).unwrap();
            assert_eq!(store.resolution(&found.id).unwrap(), Some(resolution));
        }
        let stored = store.finding(&found.id).unwrap().unwrap();
        assert_eq!((stored.status, stored.note.as_str()), (Status::NoSafeFix, "no seat"));

        // Another stage than the one that was read, or a run under way, and nothing is replaced.
        let last = store.resolution(&found.id).unwrap().unwrap();
        let replace = |before, after| {
            store.replace_resolution(&last, Status::FixReady, "", None, ("edit", before, after), NOW).unwrap()
        };
        assert!(replace(None, "1") && !replace(None, "2") && replace(Some("1"), "2"));
        assert_eq!(store.finding(&found.id).unwrap().unwrap().status, Status::FixReady);
        let next = store.begin_run(&found.id, true, NOW).unwrap().run;
        assert!(!replace(Some("2"), "3"));
        store.finish_job(&next, JobEnd::Cancelled).unwrap();
        store.save_resolution(&last, Status::NoSafeFix, "no seat", None, NOW).unwrap();

        let stray = conclude(&found, RunId::new("never-begun"), Work::default(), &Record::default());
        store.save_resolution(&stray, Status::FixReady, "", None, NOW).unwrap_err();
        assert_eq!(store.finding(&found.id).unwrap().unwrap().status, Status::NoSafeFix);
    }
}
