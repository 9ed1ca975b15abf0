//! Fixes that somebody did something with, one row an author: who wrote it, against what, how sure Conclave was, and
//! what came of it. What happened to each stands in [`fix_event`](super::fix_event) and [`rating`](super::rating).
//!
//! Invariant: every row belongs to one client (the empty name is none), and nothing reads across clients unasked.

use std::collections::BTreeMap;

use conclave_core::id::{CandidateId, FindingId, ProjectId};
use conclave_core::label::{Attempt, Event};
use rusqlite::{Params, Row, Transaction, params};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::{fix_event, successful_patterns};

pub(crate) const CREATE: &str = "
CREATE TABLE model_performance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    model_id TEXT NOT NULL,
    vulnerability_type TEXT NOT NULL,
    fix_id TEXT NOT NULL,
    was_merged INTEGER,
    confidence_score REAL NOT NULL,
    edge_cases_found INTEGER NOT NULL,
    customer_satisfaction INTEGER,
    created_at INTEGER NOT NULL,
    project TEXT NOT NULL,
    finding TEXT NOT NULL,
    signature TEXT NOT NULL,
    attempt TEXT NOT NULL,
    looked_at INTEGER NOT NULL,
    UNIQUE (client, finding, fix_id, model_id)
) STRICT;
CREATE INDEX model_performance_looked ON model_performance (client, looked_at);
CREATE INDEX model_performance_of_project ON model_performance (project);
";

/// Fixes that are given at once.
const AT_ONCE: i64 = 100;

/// A fix that is to be known from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFix {
    /// Whose; empty for nobody's.
    pub client: String,
    /// In which project.
    pub project: ProjectId,
    /// Of which finding.
    pub finding: FindingId,
    /// Which.
    pub fix: CandidateId,
    /// The kind of weakness, for example `CWE-78`.
    pub vulnerability_type: String,
    /// What such a fix looks like: those with one signature are one pattern.
    pub signature: String,
    /// Who came to the same.
    pub consensus: Vec<String>,
    /// How many edge cases were named.
    pub edge_cases: u32,
    /// All who wrote the very same patch, each with a name.
    pub attempts: Vec<(String, Attempt)>,
}

/// A fix with everything that happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownFix {
    /// Whose; empty for nobody's.
    pub client: String,
    /// In which project.
    pub project: ProjectId,
    /// Of which finding.
    pub finding: FindingId,
    /// Which.
    pub fix: CandidateId,
    /// The kind of weakness.
    pub vulnerability_type: String,
    /// When somebody first did something with it, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was last looked for in the project.
    pub looked_at: i64,
    /// All who wrote it.
    pub attempts: Vec<Attempt>,
    /// What happened, oldest first, each with its time.
    pub events: Vec<(i64, Event)>,
}

impl Store {
    /// Makes `fix` known, unless it is; one row an author.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn know_fix(&self, fix: &NewFix, now_ms: i64) -> Result<()> {
        self.write(|transaction| {
            for (name, attempt) in &fix.attempts {
                transaction.execute(
                    "INSERT INTO model_performance (client, model_id, vulnerability_type, fix_id, confidence_score,
                        edge_cases_found, created_at, project, finding, signature, attempt, looked_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?7) ON CONFLICT DO NOTHING",
                    params![
                        fix.client,
                        name,
                        fix.vulnerability_type,
                        fix.fix.as_str(),
                        attempt.p,
                        fix.edge_cases,
                        now_ms,
                        fix.project.as_str(),
                        fix.finding.as_str(),
                        fix.signature,
                        serde_json::to_string(attempt)?
                    ],
                )?;
            }
            successful_patterns::know(transaction, fix, now_ms)
        })
    }

    /// Every fix of `client` that somebody did something with, oldest first.
    ///
    /// # Errors
    /// A database that cannot be read, or a row that makes no sense.
    pub fn known_fixes(&self, client: &str) -> Result<Vec<KnownFix>> {
        self.read(|transaction| select(transaction, "client = ?1", [client]))
    }

    /// Gives every fix of `client` that somebody did something with to `each`, oldest first; a few are held at a time.
    ///
    /// # Errors
    /// A database that cannot be read, a row that makes no sense, and whatever `each` says.
    pub fn each_known_fix<E: From<StoreError>>(
        &self,
        client: &str,
        mut each: impl FnMut(KnownFix) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut last = 0;
        loop {
            let names = self.read(|transaction| names_after(transaction, client, last))?;
            for (first, finding, fix) in &names {
                let of = "client = ?1 AND finding = ?2 AND fix_id = ?3";
                let known =
                    self.read(|transaction| select(transaction, of, [client, finding.as_str(), fix.as_str()]))?;
                known.into_iter().try_for_each(&mut each)?;
                last = *first;
            }
            if (names.len() as i64) < AT_ONCE {
                return Ok(());
            }
        }
    }

    /// The fixes in `project` that somebody did something with, of whatever client, oldest first.
    ///
    /// # Errors
    /// A database that cannot be read, or a row that makes no sense.
    pub fn known_fixes_in(&self, project: &ProjectId) -> Result<Vec<KnownFix>> {
        self.read(|transaction| select(transaction, "project = ?1", [project.as_str()]))
    }

    /// Takes the fixes of `project` that nobody has looked for since `before_ms`; they count as looked for from now on.
    ///
    /// # Errors
    /// A database that cannot be written, or a row that makes no sense.
    pub fn take_unlooked(&self, project: &ProjectId, before_ms: i64, now_ms: i64) -> Result<Vec<KnownFix>> {
        let due = |transaction: &Transaction<'_>| {
            select(transaction, "project = ?1 AND looked_at <= ?2", params![project.as_str(), before_ms])
        };
        // Most often there is nothing to look for, and then nobody waits for a write.
        if self.read(due)?.is_empty() {
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            let due = due(transaction)?;
            transaction.execute(
                "UPDATE model_performance SET looked_at = ?3 WHERE project = ?1 AND looked_at <= ?2",
                params![project.as_str(), before_ms, now_ms],
            )?;
            Ok(due)
        })
    }
}

/// The fixes of `client` whose first row comes after the row `last`, by that row.
fn names_after(transaction: &Transaction<'_>, client: &str, last: i64) -> Result<Vec<(i64, String, String)>> {
    let mut statement = transaction.prepare_cached(
        "SELECT MIN(id) AS first, finding, fix_id FROM model_performance WHERE client = ?1
         GROUP BY finding, fix_id HAVING first > ?2 ORDER BY first LIMIT ?3",
    )?;
    let names =
        statement.query_map(params![client, last, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

fn select(transaction: &Transaction<'_>, condition: &str, values: impl Params) -> Result<Vec<KnownFix>> {
    let sql = format!(
        "SELECT project, finding, fix_id, vulnerability_type, created_at, looked_at, attempt, client
         FROM model_performance WHERE {condition} ORDER BY id"
    );
    let mut statement = transaction.prepare_cached(&sql)?;
    let mut rows = statement.query(values)?;
    let mut fixes: Vec<KnownFix> = Vec::new();
    let mut places: BTreeMap<(String, FindingId, CandidateId), usize> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let fix = read(row)?;
        let key = (fix.client.clone(), fix.finding.clone(), fix.fix.clone());
        match places.get(&key) {
            Some(at) => fixes[*at].attempts.extend(fix.attempts),
            None => {
                places.insert(key, fixes.len());
                fixes.push(fix);
            }
        }
    }
    for ((client, finding, fix), at) in places {
        fixes[at].events = fix_event::of(transaction, &client, &finding, &fix)?;
    }
    Ok(fixes)
}

fn read(row: &Row<'_>) -> Result<KnownFix> {
    let attempt: String = row.get("attempt")?;
    Ok(KnownFix {
        client: row.get("client")?,
        project: ProjectId::new(row.get::<_, String>("project")?),
        finding: FindingId::new(row.get::<_, String>("finding")?),
        fix: CandidateId::new(row.get::<_, String>("fix_id")?),
        vulnerability_type: row.get("vulnerability_type")?,
        created_at: row.get("created_at")?,
        looked_at: row.get("looked_at")?,
        attempts: vec![serde_json::from_str(&attempt)?],
        events: Vec::new(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::tests::{NOW, fresh};
    use conclave_core::candidate::Origin;
    use conclave_core::finding::Severity;
    use conclave_core::weakness::Family;

    /// A fix of finding `f` by a recipe, of `client`.
    pub(crate) fn new_fix(client: &str, fix: &str) -> NewFix {
        let attempt = Attempt {
            origin: Origin::Recipe { id: "r".into() },
            family: Family::Injection,
            language: None,
            severity: Severity::High,
            rule: "B602".into(),
            rung: None,
            p: 0.55,
            log_odds: 1.2,
            cap: 0.55,
        };
        NewFix {
            client: client.into(),
            project: ProjectId::new("p"),
            finding: FindingId::new("f"),
            fix: CandidateId::new(fix),
            vulnerability_type: "CWE-78".into(),
            signature: "s".into(),
            consensus: vec!["Recipe r".into()],
            edge_cases: 2,
            attempts: vec![("Recipe r".into(), attempt.clone()), ("b".into(), attempt)],
        }
    }

    #[test]
    fn outcomes_per_model_and_weakness_are_kept_and_belong_to_one_client() {
        let (_folder, store) = fresh();
        for client in ["", "acme"] {
            store.know_fix(&new_fix(client, "one"), NOW).unwrap();
            store.know_fix(&new_fix(client, "one"), NOW + 5).unwrap();
        }
        let (id, finding) = (CandidateId::new("one"), FindingId::new("f"));
        store.add_fix_event("acme", &finding, &id, &Event::Applied { tests: true, head: None }, NOW + 1).unwrap();
        store.add_fix_event("acme", &finding, &id, &Event::Merged, NOW + 2).unwrap();
        let own = store.known_fixes("acme").unwrap();
        let [fix] = own.as_slice() else { panic!("{own:?}") };
        assert_eq!((fix.attempts.len(), fix.created_at), (2, NOW));
        assert_eq!(fix.events, [(NOW + 1, Event::Applied { tests: true, head: None }), (NOW + 2, Event::Merged)]);
        assert_eq!(store.known_fixes("").unwrap()[0].events, []);
        assert_eq!(store.known_fixes("other").unwrap(), []);

        let columns: Vec<(Option<i64>, f64, i64, Option<i64>)> = store
            .read(|transaction| {
                let sql = "SELECT was_merged, confidence_score, edge_cases_found, customer_satisfaction
                           FROM model_performance WHERE client = 'acme' AND vulnerability_type = 'CWE-78' ORDER BY id";
                let mut statement = transaction.prepare(sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap();
        assert_eq!(columns, [(Some(1), 0.55, 2, None); 2]);
    }

    #[test]
    fn a_fix_is_looked_for_once_in_a_while() {
        let (_folder, store) = fresh();
        store.know_fix(&new_fix("", "one"), NOW).unwrap();
        let project = ProjectId::new("p");
        let count = |before, now| store.take_unlooked(&project, before, now).unwrap().len();
        assert_eq!(
            (count(NOW - 1, NOW + 1), count(NOW, NOW + 9), count(NOW, NOW + 10), count(NOW + 9, NOW + 11)),
            (0, 1, 0, 1)
        );
    }

    #[test]
    fn a_row_that_makes_no_sense_is_an_error_and_not_left_out() {
        let (_folder, store) = fresh();
        store.know_fix(&new_fix("", "one"), NOW).unwrap();
        store.write(|t| Ok(t.execute("UPDATE model_performance SET attempt = '{}'", [])?)).unwrap();
        store.known_fixes("").unwrap_err();
    }

    #[test]
    fn all_fixes_are_given_one_at_a_time_and_whole() {
        let (_folder, store) = fresh();
        let count = usize::try_from(2 * AT_ONCE + 1).unwrap();
        for number in 0..count {
            store.know_fix(&new_fix("acme", &number.to_string()), NOW).unwrap();
        }
        store.know_fix(&new_fix("other", "theirs"), NOW).unwrap();
        let mut given = Vec::new();
        let all = store.each_known_fix("acme", |fix| -> Result<()> {
            given.push(fix);
            Ok(())
        });
        all.unwrap();
        assert_eq!(given, store.known_fixes("acme").unwrap());
        let stopped =
            store.each_known_fix("acme", |fix| Err(StoreError::Missing { what: "room", id: fix.fix.to_string() }));
        assert!(matches!(stopped, Err(StoreError::Missing { id, .. }) if id == "0"));
    }
}
