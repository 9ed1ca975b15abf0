//! Results of the stages of a run, so that a run cut short goes on at the first stage without one.
//!
//! The store does not look into them: what a stage stores is a text of the engine's.

use conclave_core::id::RunId;
use rusqlite::{OptionalExtension, Transaction};

use crate::db::Store;
use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE TABLE stage (
    run TEXT NOT NULL REFERENCES job (run),
    name TEXT NOT NULL,
    result TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
";

impl Store {
    /// Keeps `json` as the result of `stage` of `run`, in place of an earlier one.
    ///
    /// # Errors
    /// A database that cannot be written, or a run that is not in it.
    pub fn save_stage(&self, run: &RunId, stage: &str, json: &str) -> Result<()> {
        self.write(|transaction| save(transaction, run.as_str(), stage, json))
    }

    /// The stored result of `stage` of `run`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn stage(&self, run: &RunId, stage: &str) -> Result<Option<String>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare("SELECT result FROM stage WHERE run = ?1 AND name = ?2")?;
            Ok(statement.query_row([run.as_str(), stage], |row| row.get(0)).optional()?)
        })
    }
}

pub(crate) fn save(transaction: &Transaction<'_>, run: &str, stage: &str, json: &str) -> Result<()> {
    let sql = "INSERT INTO stage (run, name, result) VALUES (?1, ?2, ?3)
               ON CONFLICT (run, name) DO UPDATE SET result = excluded.result";
    Ok(transaction.execute(sql, [run, stage, json]).map(drop)?)
}

#[cfg(test)]
mod tests {
    use crate::tests::{NOW, finding, fresh_with_project, scan};
    use crate::{JobEnd, ScanState};

    #[test]
    fn a_stage_is_kept_until_the_finding_is_run_anew() {
        let (_folder, store, project) = fresh_with_project();
        let found = finding(&project, "a.py", 1);
        store.save_scan(&scan(&project, "s", ScanState::Complete), std::slice::from_ref(&found), NOW).unwrap();
        let run = store.begin_run(&found.id, true, NOW).unwrap().run;
        assert_eq!(store.stage(&run, "propose").unwrap(), None);
        for json in ["[1]", "[1,2]"] {
            store.save_stage(&run, "propose", json).unwrap();
            assert_eq!(store.stage(&run, "propose").unwrap().as_deref(), Some(json));
        }
        store.finish_job(&run, JobEnd::Done).unwrap();
        assert!(store.stage(&run, "propose").unwrap().is_some());
        store.begin_run(&found.id, true, NOW).unwrap();
        assert_eq!(store.stage(&run, "propose").unwrap(), None);
    }
}
