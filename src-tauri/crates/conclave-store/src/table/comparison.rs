//! Comparisons of two configurations: what each came to for every finding, and what a person preferred.
//!
//! Invariants: a row is found only for its own client; what an arm came to is written once, and so is what was preferred.

use conclave_core::comparison::{Arm, Outcome, Pair, Preference, Report};
use conclave_core::configuration::Configuration;
use conclave_core::digest::Digest;
use conclave_core::id::{FindingId, ProjectId, RunId};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::job::insert_aside;
use crate::table::{from_word, word};

pub(crate) const CREATE: &str = "
CREATE TABLE comparison (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    project TEXT NOT NULL,
    seed INTEGER NOT NULL,
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    settings TEXT NOT NULL,
    at INTEGER NOT NULL,
    claimant INTEGER,
    report TEXT
) STRICT;
CREATE INDEX comparison_of_client ON comparison (client);
CREATE TABLE comparison_pair (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    comparison INTEGER NOT NULL REFERENCES comparison (id),
    client TEXT NOT NULL,
    finding TEXT NOT NULL,
    run_a TEXT NOT NULL,
    run_b TEXT NOT NULL,
    a TEXT,
    b TEXT,
    preference TEXT,
    chosen_at INTEGER,
    UNIQUE (comparison, finding)
) STRICT;
CREATE TRIGGER comparison_pair_is_chosen_once BEFORE UPDATE OF preference ON comparison_pair
WHEN old.preference IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was preferred is not changed'); END;
CREATE TRIGGER comparison_pair_leaves_no_stages AFTER DELETE ON comparison_pair
BEGIN DELETE FROM stage WHERE run IN (old.run_a, old.run_b); END;
";

/// A comparison to begin.
#[derive(Clone, Debug)]
pub struct NewComparison {
    /// Whose; empty for nobody's.
    pub client: String,
    /// Of findings of this project.
    pub project: ProjectId,
    /// What the sides are drawn with.
    pub seed: u32,
    /// The two configurations.
    pub arms: [Configuration; 2],
    /// The digest of the settings that all runs go by.
    pub settings: Digest,
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Its number.
    pub id: i64,
    /// Whose; empty for nobody's.
    pub client: String,
    /// Of findings of this project.
    pub project: ProjectId,
    /// What the sides are drawn with.
    pub seed: u32,
    /// The two configurations.
    pub arms: [Configuration; 2],
    /// The digest of the settings that all runs go by.
    pub settings: Digest,
    /// When it was begun, in milliseconds since 1970-01-01 UTC.
    pub at: i64,
    /// What came out, once nothing is left to choose.
    pub report: Option<Report>,
}

impl Comparison {
    /// The configuration of `arm`.
    pub fn configuration(&self, arm: Arm) -> &Configuration {
        &self.arms[arm as usize]
    }
}

impl Store {
    /// Begins a comparison on `findings`, with two runs for each that are none of the queue's; gives its number.
    ///
    /// # Errors
    /// A database that cannot be written, or a finding that is not in it.
    pub fn add_comparison(&self, new: &NewComparison, findings: &[FindingId], now_ms: i64) -> Result<i64> {
        let [a, b] = [serde_json::to_string(&new.arms[0])?, serde_json::to_string(&new.arms[1])?];
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO comparison (client, project, seed, a, b, settings, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![new.client, new.project.as_str(), new.seed, a, b, new.settings.as_str(), now_ms],
            )?;
            let id = transaction.last_insert_rowid();
            for finding in findings {
                let runs = [insert_aside(transaction, finding, now_ms)?, insert_aside(transaction, finding, now_ms)?];
                transaction.execute(
                    "INSERT INTO comparison_pair (comparison, client, finding, run_a, run_b) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![id, new.client, finding.as_str(), runs[0].as_str(), runs[1].as_str()],
                )?;
            }
            Ok(id)
        })
    }

    /// The comparisons of `client`, the newest first.
    ///
    /// # Errors
    /// A database that cannot be read, or a row that makes no sense.
    pub fn comparisons(&self, client: &str) -> Result<Vec<Comparison>> {
        self.read(|transaction| {
            let mut statement =
                transaction.prepare_cached("SELECT * FROM comparison WHERE client = ?1 ORDER BY id DESC")?;
            let mut rows = statement.query([client])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(comparison(row)?);
            }
            Ok(found)
        })
    }

    /// The pairs of a comparison of `client`, in the order in which they were named.
    ///
    /// # Errors
    /// A database that cannot be read, or a row that makes no sense.
    pub fn comparison_pairs(&self, client: &str, comparison: i64) -> Result<Vec<Pair>> {
        self.read(|transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT * FROM comparison_pair WHERE client = ?1 AND comparison = ?2 ORDER BY id")?;
            let mut rows = statement.query(params![client, comparison])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(pair(row)?);
            }
            Ok(found)
        })
    }

    /// The comparison of `client` that has the pair with this number.
    ///
    /// # Errors
    /// A database that cannot be read, or a row that makes no sense.
    pub fn comparison_of_pair(&self, client: &str, pair: i64) -> Result<Option<i64>> {
        let sql = "SELECT comparison FROM comparison_pair WHERE client = ?1 AND id = ?2";
        self.read(|transaction| Ok(transaction.query_row(sql, params![client, pair], |row| row.get(0)).optional()?))
    }

    /// Makes this process the one that runs a comparison, until it leaves it or ends.
    ///
    /// # Errors
    /// [`StoreError::Running`] when a living process, this one included, is at it.
    pub fn claim_comparison(&self, comparison: i64) -> Result<()> {
        let claimant = self.claimant()?;
        self.write(|transaction| {
            let sql = "SELECT claimant FROM comparison WHERE id = ?1";
            let other: Option<i64> = transaction.query_row(sql, [comparison], |row| row.get(0))?;
            if other.is_some_and(|other| self.lives(other)) {
                return Err(StoreError::Running { what: "comparison", id: comparison.to_string() });
            }
            let sql = "UPDATE comparison SET claimant = ?2 WHERE id = ?1";
            Ok(transaction.execute(sql, [comparison, claimant]).map(drop)?)
        })
    }

    /// Lets another process run a comparison.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn leave_comparison(&self, comparison: i64) -> Result<()> {
        let sql = "UPDATE comparison SET claimant = NULL WHERE id = ?1";
        self.write(|transaction| Ok(transaction.execute(sql, [comparison]).map(drop)?))
    }

    /// Keeps what `arm` of a pair came to in `run`, unless that is known already; false where there is no such pair any
    /// more. The stages of the run are of no use any more.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn save_outcome(&self, pair: i64, arm: Arm, run: &RunId, outcome: &Outcome) -> Result<bool> {
        let arm = word(&arm)?;
        let json = serde_json::to_string(outcome)?;
        self.write(|transaction| {
            transaction.execute(
                &format!("UPDATE comparison_pair SET {arm} = ?2 WHERE id = ?1 AND {arm} IS NULL"),
                params![pair, json],
            )?;
            transaction.execute("DELETE FROM stage WHERE run = ?1", [run.as_str()])?;
            let sql = "SELECT EXISTS (SELECT 1 FROM comparison_pair WHERE id = ?1)";
            Ok(transaction.query_row(sql, [pair], |row| row.get(0))?)
        })
    }

    /// Forgets how far `run` has come, so that it begins anew.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn forget_stages(&self, run: &RunId) -> Result<()> {
        self.write(|transaction| {
            Ok(transaction.execute("DELETE FROM stage WHERE run = ?1", [run.as_str()]).map(drop)?)
        })
    }

    /// Keeps what a person prefers of a pair; false where that was said already, and stays as it is.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn save_preference(&self, pair: i64, preference: Preference, now_ms: i64) -> Result<bool> {
        let preference = word(&preference)?;
        self.write(|transaction| {
            let kept = transaction.execute(
                "UPDATE comparison_pair SET preference = ?2, chosen_at = ?3 WHERE id = ?1 AND preference IS NULL",
                params![pair, preference, now_ms],
            )?;
            Ok(kept == 1)
        })
    }

    /// Keeps what came out of a comparison, unless that is known already.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn save_report(&self, comparison: i64, report: &Report) -> Result<()> {
        let json = serde_json::to_string(report)?;
        self.write(|transaction| {
            let sql = "UPDATE comparison SET report = ?2 WHERE id = ?1 AND report IS NULL";
            Ok(transaction.execute(sql, params![comparison, json]).map(drop)?)
        })
    }
}

fn comparison(row: &Row<'_>) -> Result<Comparison> {
    let text = |name: &str| row.get::<_, String>(name);
    let report: Option<String> = row.get("report")?;
    let settings: String = text("settings")?;
    Ok(Comparison {
        id: row.get("id")?,
        client: text("client")?,
        project: ProjectId::new(text("project")?),
        seed: row.get("seed")?,
        arms: [serde_json::from_str(&text("a")?)?, serde_json::from_str(&text("b")?)?],
        settings: from_word(&settings)?,
        at: row.get("at")?,
        report: report.as_deref().map(serde_json::from_str).transpose()?,
    })
}

fn pair(row: &Row<'_>) -> Result<Pair> {
    let text = |name: &str| row.get::<_, String>(name);
    let outcome = |name: &str| -> Result<Option<Outcome>> {
        let json: Option<String> = row.get(name)?;
        Ok(json.as_deref().map(serde_json::from_str).transpose()?)
    };
    let preference: Option<String> = row.get("preference")?;
    Ok(Pair {
        id: row.get("id")?,
        finding: FindingId::new(text("finding")?),
        runs: [RunId::new(text("run_a")?), RunId::new(text("run_b")?)],
        outcomes: [outcome("a")?, outcome("b")?],
        preference: preference.as_deref().map(from_word).transpose()?,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ScanState;
    use crate::tests::{NOW, again, finding, fresh_with_project, scan};
    use conclave_core::configuration::Design;
    use conclave_core::finding::Status;
    use conclave_core::tier::Effort;

    /// A comparison of `client` to begin.
    pub(crate) fn new_comparison(client: &str) -> NewComparison {
        NewComparison {
            client: client.to_owned(),
            project: ProjectId::new("p"),
            seed: 7,
            arms: [Design::Panel.into(), Design::Chain.into()],
            settings: Digest::of(b"settings"),
        }
    }

    fn broke() -> Outcome {
        Outcome::Failed { why: "it broke off".to_owned() }
    }

    fn begun(client: &str) -> (tempfile::TempDir, Store, FindingId, i64) {
        let (folder, store, project) = fresh_with_project();
        let found = finding(&project, "a.py", 1);
        store.save_scan(&scan(&project, "s", ScanState::Complete), std::slice::from_ref(&found), NOW).unwrap();
        let id = store.add_comparison(&new_comparison(client), std::slice::from_ref(&found.id), NOW).unwrap();
        (folder, store, found.id, id)
    }

    #[test]
    fn what_was_preferred_is_said_once_and_what_an_arm_came_to_is_written_once() {
        let (_folder, store, finding, id) = begun("");
        let pair = |store: &Store| store.comparison_pairs("", id).unwrap().remove(0);
        let first = pair(&store);
        assert_eq!(
            (first.finding.clone(), first.runs.clone()),
            (finding.clone(), [RunId::nth(&finding, 1), RunId::nth(&finding, 2)])
        );
        store.save_outcome(first.id, Arm::B, first.run(Arm::B), &broke()).unwrap();
        store
            .save_outcome(first.id, Arm::B, first.run(Arm::B), &Outcome::Failed { why: "another".to_owned() })
            .unwrap();
        assert_eq!(pair(&store).outcomes, [None, Some(broke())]);

        assert!(store.save_preference(first.id, Preference::Left, NOW).unwrap());
        assert!(!store.save_preference(first.id, Preference::Right, NOW).unwrap());
        assert_eq!(pair(&store).preference, Some(Preference::Left));
        let changed = store.write(|t| Ok(t.execute("UPDATE comparison_pair SET preference = 'right'", [])?));
        assert!(changed.unwrap_err().to_string().contains("not changed"));
    }

    #[test]
    fn a_run_of_a_comparison_is_none_of_the_queues_and_leaves_the_finding_as_it_stands() {
        let (_folder, store, finding, id) = begun("");
        let pair = store.comparison_pairs("", id).unwrap().remove(0);
        assert_eq!((store.next_job(NOW).unwrap(), store.open_jobs().unwrap()), (None, Vec::new()));
        store.save_stage(pair.run(Arm::A), "gather", "{}").unwrap();
        assert_eq!(store.finding(&finding).unwrap().map(|stored| stored.status), Some(Status::Open));
        store.save_outcome(pair.id, Arm::A, pair.run(Arm::A), &broke()).unwrap();
        assert_eq!(store.stage(pair.run(Arm::A), "gather").unwrap(), None);

        store.enqueue(std::slice::from_ref(&finding), Effort::Usual, "", NOW).unwrap();
        let id = store.add_comparison(&new_comparison(""), std::slice::from_ref(&finding), NOW).unwrap();
        let beside = store.comparison_pairs("", id).unwrap();
        assert_eq!(beside.len(), 1, "a finding that waits can be compared beside");

        // The finding's own run leaves what a comparison has half done; erasing leaves nothing of it.
        let run = beside[0].run(Arm::A);
        store.save_stage(run, "gather", "{}").unwrap();
        store.next_job(NOW).unwrap().unwrap();
        assert!(store.stage(run, "gather").unwrap().is_some());
        store.erase_learning().unwrap();
        assert_eq!(store.stage(run, "gather").unwrap(), None);
        assert!(!store.save_outcome(beside[0].id, Arm::A, run, &broke()).unwrap(), "whoever runs it is told");
    }

    #[test]
    fn a_comparison_is_run_by_one_at_a_time() {
        let (folder, store, _, id) = begun("");
        store.claim_comparison(id).unwrap();
        assert!(matches!(store.claim_comparison(id), Err(StoreError::Running { .. })));
        let other = again(&folder);
        assert!(matches!(other.claim_comparison(id), Err(StoreError::Running { .. })));
        store.leave_comparison(id).unwrap();
        other.claim_comparison(id).unwrap();
        drop(other);
        store.claim_comparison(id).unwrap();
    }

    #[test]
    fn no_client_finds_the_comparisons_of_another() {
        let (_folder, store, _, id) = begun("acme");
        let pair = store.comparison_pairs("acme", id).unwrap().remove(0);
        assert_eq!(store.comparisons("acme").unwrap().len(), 1);
        for other in ["", "other"] {
            assert_eq!(store.comparisons(other).unwrap(), []);
            assert_eq!(store.comparison_pairs(other, id).unwrap(), []);
            assert_eq!(store.comparison_of_pair(other, pair.id).unwrap(), None);
        }
        assert_eq!(store.comparison_of_pair("acme", pair.id).unwrap(), Some(id));
    }
}
