//! Findings: what a list needs in narrow columns, and beside them the whole report as JSON.
//!
//! The report stands in a table of its own, so that counting and filtering 100,000 findings does not read it.
//! `fixed_by` is the intent whose fix holds: none after it was undone, nor after the finding was reported again.

use std::collections::BTreeMap;

use conclave_core::finding::{Dismissal, Finding, Severity, Status};
use conclave_core::id::{FindingId, ProjectId};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::{count, from_word, resolution, word};

pub(crate) const CREATE: &str = "
CREATE TABLE finding (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES project (id),
    severity INTEGER NOT NULL,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    tool TEXT NOT NULL,
    rule TEXT NOT NULL,
    status TEXT NOT NULL,
    stale INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    newest INTEGER GENERATED ALWAYS AS (-first_seen_at) VIRTUAL,
    confidence TEXT,
    note TEXT NOT NULL,
    words TEXT NOT NULL,
    fixed_by INTEGER
) STRICT;
CREATE INDEX finding_by_risk ON finding (severity, path, line, id, project, status);
CREATE INDEX finding_by_path ON finding (path, line, severity, id, project, status);
CREATE INDEX finding_by_newest ON finding (newest, severity, path, line, id, project, status);
CREATE INDEX finding_by_status ON finding (project, status, severity);
CREATE TABLE report (
    finding TEXT PRIMARY KEY REFERENCES finding (id),
    report TEXT NOT NULL
) STRICT;
";

/// Why the person dismissed it, as JSON.
pub(crate) const DISMISSED: &str = "ALTER TABLE finding ADD COLUMN dismissed TEXT;";

/// A finding with what the store knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFinding {
    /// What was reported last.
    pub finding: Finding,
    /// Where it stands.
    pub status: Status,
    /// Whether its file changed after the report.
    pub stale: bool,
    /// When it was first reported, in milliseconds since 1970.
    pub first_seen_at: i64,
    /// When it was last reported.
    pub last_seen_at: i64,
    /// How sure the last run is of its fix.
    pub confidence: Option<ConfidenceRow>,
    /// A few words under the status; empty where there is nothing to say.
    pub note: String,
}

/// Confidence, as far as a list needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceRow {
    /// The reading, 0 to 1.
    pub p: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The highest value that the evidence allows.
    pub cap: f64,
    /// The highest evidence, as a word.
    pub word: String,
}

/// The columns that [`stored`] reads, of `finding` joined with `report`.
pub(crate) const COLUMNS: &str = "report.report, status, stale, first_seen_at, last_seen_at, confidence, note";

impl Store {
    /// The finding `id`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn finding(&self, id: &FindingId) -> Result<Option<StoredFinding>> {
        self.read(|transaction| {
            let sql = format!(
                "SELECT {COLUMNS} FROM finding JOIN report ON report.finding = finding.id WHERE finding.id = ?1"
            );
            let mut statement = transaction.prepare_cached(&sql)?;
            let mut rows = statement.query([id.as_str()])?;
            rows.next()?.map(stored).transpose()
        })
    }

    /// The ids that begin with `prefix`: none, the one, or two of several.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn finding_by_prefix(&self, prefix: &str) -> Result<Vec<FindingId>> {
        self.read(|transaction| {
            // Ids that share a prefix stand together, the first of them at the prefix itself or right after it.
            let mut statement = transaction.prepare("SELECT id FROM finding WHERE id >= ?1 ORDER BY id LIMIT 2")?;
            let ids = statement.query_map([prefix], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
            Ok(ids.into_iter().filter(|id| id.starts_with(prefix)).map(FindingId::new).collect())
        })
    }

    /// How many findings there are of each status, in `project` or everywhere.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn status_counts(&self, project: Option<&ProjectId>) -> Result<BTreeMap<Status, u32>> {
        self.read(|transaction| {
            let (filter, values) = match project {
                Some(project) => ("WHERE project = ?1", vec![project.as_str()]),
                None => ("", Vec::new()),
            };
            let sql = format!("SELECT status, count(*) FROM finding {filter} GROUP BY status");
            let mut statement = transaction.prepare(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut counts = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let status: String = row.get(0)?;
                counts.insert(from_word(&status)?, count(row.get(1)?));
            }
            Ok(counts)
        })
    }

    /// How many findings are fixed now, by severity; those that have none of a severity are left out.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn fixed_by_severity(&self) -> Result<BTreeMap<Severity, u32>> {
        self.read(|transaction| {
            let mut statement =
                transaction.prepare("SELECT severity, count(*) FROM finding WHERE status = ?1 GROUP BY severity")?;
            let mut rows = statement.query([word(&Status::Fixed)?])?;
            let mut counts = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let number: i64 = row.get(0)?;
                if let Some(severity) = Severity::ALL.into_iter().find(|severity| rank(*severity) == number) {
                    counts.insert(severity, count(row.get(1)?));
                }
            }
            Ok(counts)
        })
    }

    /// Writes where the finding stands.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a finding.
    pub fn set_status(
        &self,
        id: &FindingId,
        status: Status,
        note: &str,
        confidence: Option<ConfidenceRow>,
    ) -> Result<()> {
        self.write(|transaction| set_status(transaction, id, status, note, confidence.as_ref()))
    }

    /// Writes that the person dismissed the finding, or that it is not dismissed, and where it stands by that.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a finding.
    pub fn dismiss(&self, id: &FindingId, dismissal: Option<&Dismissal>) -> Result<()> {
        let json = dismissal.map(serde_json::to_string).transpose()?;
        self.write(|transaction| {
            let sql = "UPDATE finding SET dismissed = ?2 WHERE id = ?1";
            match transaction.execute(sql, params![id.as_str(), json])? {
                0 => Err(StoreError::Missing { what: "finding", id: id.to_string() }),
                _ => stand(transaction, id, ""),
            }
        })
    }

    /// Why the person dismissed the finding; `None` where that is not so.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn dismissal(&self, id: &FindingId) -> Result<Option<Dismissal>> {
        let json: Option<Option<String>> = self.read(|transaction| {
            let mut statement = transaction.prepare_cached("SELECT dismissed FROM finding WHERE id = ?1")?;
            Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?)
        })?;
        Ok(json.flatten().as_deref().map(serde_json::from_str).transpose()?)
    }

    /// Marks the findings in `paths` as older than their files; gives how many were not marked before.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn mark_stale(&self, project: &ProjectId, paths: &[String]) -> Result<u32> {
        self.write(|transaction| {
            let mut statement = transaction.prepare(
                "UPDATE finding INDEXED BY finding_by_path SET stale = 1
                 WHERE project = ?1 AND path = ?2 AND path <> '' AND stale = 0",
            )?;
            let mut marked = 0;
            for path in paths {
                marked += statement.execute([project.as_str(), path])?;
            }
            Ok(u32::try_from(marked).unwrap_or(u32::MAX))
        })
    }
}

/// Writes what was reported now; true when it was never reported before.
pub(crate) fn upsert(transaction: &Transaction<'_>, finding: &Finding, now_ms: i64) -> Result<bool> {
    let detection = &finding.detection;
    let id = finding.id.as_str();
    let place = detection.location.as_ref();
    let path = place.map_or("", |place| place.path.as_str());
    let line = place.and_then(|place| place.region).map_or(0, |region| region.start_line);
    let (tool, rule) = (&detection.tool.name, &detection.rule.id);
    let words = [finding.title(), &detection.message, rule, path, tool].join("\n").to_lowercase();
    let report = serde_json::to_string(finding)?;

    let before: Option<String> = transaction
        .prepare_cached("SELECT status FROM finding WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(before) = before else {
        let status = word(&if detection.suppressed { Status::Suppressed } else { Status::Open })?;
        transaction
            .prepare_cached(
                "INSERT INTO finding (id, project, severity, path, line, tool, rule, status, stale, first_seen_at,
                    last_seen_at, note, words)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?9, '', ?10)",
            )?
            .execute(params![
                id,
                finding.project.as_str(),
                rank(detection.severity),
                path,
                line,
                tool,
                rule,
                status,
                now_ms,
                words
            ])?;
        transaction.prepare_cached("INSERT INTO report (finding, report) VALUES (?1, ?2)")?.execute([id, &report])?;
        return Ok(true);
    };

    let before: Status = from_word(&before)?;
    let status = match (before, detection.suppressed) {
        (Status::Open, true) => Status::Suppressed,
        (Status::Suppressed | Status::Fixed, false) => Status::Open,
        (kept, _) => kept,
    };
    transaction
        .prepare_cached(
            "UPDATE finding SET severity = ?2, path = ?3, line = ?4, tool = ?5, rule = ?6, status = ?7, stale = 0,
                last_seen_at = ?8, words = ?9, note = iif(status = ?7, note, ?10), fixed_by = iif(?11, fixed_by, NULL)
             WHERE id = ?1",
        )?
        .execute(params![
            id,
            rank(detection.severity),
            path,
            line,
            tool,
            rule,
            word(&status)?,
            now_ms,
            words,
            if before == Status::Fixed { "reported again after its fix was applied" } else { "" },
            detection.suppressed
        ])?;
    transaction.prepare_cached("UPDATE report SET report = ?2 WHERE finding = ?1")?.execute([id, &report])?;
    Ok(false)
}

/// Writes where a finding stands within a transaction of somebody else's.
pub(crate) fn set_status(
    transaction: &Transaction<'_>,
    id: &FindingId,
    status: Status,
    note: &str,
    confidence: Option<&ConfidenceRow>,
) -> Result<()> {
    let confidence = confidence.map(serde_json::to_string).transpose()?;
    let changed = transaction
        .prepare_cached("UPDATE finding SET status = ?2, note = ?3, confidence = ?4 WHERE id = ?1")?
        .execute(params![id.as_str(), word(&status)?, note, confidence])?;
    match changed {
        0 => Err(StoreError::Missing { what: "finding", id: id.to_string() }),
        _ => Ok(()),
    }
}

/// Writes which intent has fixed a finding, and where it stands by that; one that is not in the store is nobody's loss.
pub(crate) fn set_fixed_by(transaction: &Transaction<'_>, id: &FindingId, intent: Option<i64>) -> Result<()> {
    transaction.execute("UPDATE finding SET fixed_by = ?2 WHERE id = ?1", params![id.as_str(), intent])?;
    stand(transaction, id, "")
}

/// Writes where a finding stands when no run of it is under way: a fix holds, or the person dismissed it, or the last
/// result counts, or the tool's word does. `why` is its note where there is nothing better to say. One that is not in the store is nobody's loss.
pub(crate) fn stand(transaction: &Transaction<'_>, id: &FindingId, why: &str) -> Result<()> {
    type Known = (String, String, Option<i64>, bool, Option<String>);
    let known: Option<Known> = transaction
        .prepare_cached(
            "SELECT status, note, fixed_by, report ->> '$.detection.suppressed', dismissed
             FROM finding JOIN report ON report.finding = finding.id WHERE id = ?1",
        )?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .optional()?;
    let Some((status, note, fixed_by, suppressed, dismissed)) = known else { return Ok(()) };
    if fixed_by.is_some() {
        let note = if from_word::<Status>(&status)? == Status::Fixed { note } else { String::new() };
        return set_status(transaction, id, Status::Fixed, &note, None);
    }
    if let Some(dismissed) = dismissed {
        let Dismissal { reason, note, .. } = serde_json::from_str(&dismissed)?;
        let why = if note.is_empty() { reason.label().to_owned() } else { format!("{}: {note}", reason.label()) };
        return set_status(transaction, id, Status::Dismissed, &why, None);
    }
    let (status, note, confidence) = match resolution::last_summary(transaction, id)? {
        Some(summary) => summary,
        None => (if suppressed { Status::Suppressed } else { Status::Open }, String::new(), None),
    };
    let note = if note.is_empty() { why } else { &note };
    set_status(transaction, id, status, note, confidence.as_ref())
}

/// Severities as numbers that sort like them, most severe first.
pub(crate) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Critical => 0,
        Severity::High => 1,
        Severity::Medium => 2,
        Severity::Low => 3,
        Severity::Note => 4,
    }
}

/// Reads the columns of [`COLUMNS`].
pub(crate) fn stored(row: &Row<'_>) -> Result<StoredFinding> {
    let (report, status): (String, String) = (row.get(0)?, row.get(1)?);
    let confidence: Option<String> = row.get(5)?;
    Ok(StoredFinding {
        finding: serde_json::from_str(&report)?,
        status: from_word(&status)?,
        stale: row.get(2)?,
        first_seen_at: row.get(3)?,
        last_seen_at: row.get(4)?,
        confidence: confidence.as_deref().map(serde_json::from_str).transpose()?,
        note: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, finding, fresh_with_project, scan};
    use crate::{JobEnd, ScanState};
    use conclave_core::finding::DismissReason;

    #[test]
    fn what_a_tool_says_again_is_renewed_and_what_a_person_knows_is_kept() {
        let (_folder, store, project) = fresh_with_project();
        let mut reported = finding(&project, "a.py", 3);
        let id = reported.id.clone();
        let save = |id: &str, reported: &Finding, at| {
            store.save_scan(&scan(&project, id, ScanState::Complete), std::slice::from_ref(reported), at).unwrap()
        };
        save("s1", &reported, NOW);
        let sure = ConfidenceRow { p: 0.5, low: 0.25, high: 0.75, cap: 0.8, word: "Re-scanned".into() };
        store.set_status(&id, Status::FixReady, "2 alternatives", Some(sure.clone())).unwrap();
        assert_eq!(store.mark_stale(&project, &["a.py".into(), "b.py".into()]).unwrap(), 1);
        assert_eq!(store.mark_stale(&project, &["a.py".into()]).unwrap(), 0, "it is stale already");
        assert!(store.finding(&id).unwrap().unwrap().stale);

        reported.detection.severity = Severity::Low;
        reported.detection.message = "said otherwise".into();
        save("s2", &reported, NOW + 9);
        let expected = StoredFinding {
            finding: reported.clone(),
            status: Status::FixReady,
            stale: false,
            first_seen_at: NOW,
            last_seen_at: NOW + 9,
            confidence: Some(sure),
            note: "2 alternatives".into(),
        };
        assert_eq!(store.finding(&id).unwrap(), Some(expected));
    }

    #[test]
    fn the_status_follows_suppression_and_a_fixed_finding_that_returns_is_open() {
        let cases = [
            (Status::Open, true, Status::Suppressed),
            (Status::Suppressed, false, Status::Open),
            (Status::Suppressed, true, Status::Suppressed),
            (Status::Fixed, false, Status::Open),
            (Status::Fixed, true, Status::Fixed),
            (Status::NoSafeFix, false, Status::NoSafeFix),
            (Status::FixReady, true, Status::FixReady),
            (Status::Dismissed, false, Status::Dismissed),
            (Status::Dismissed, true, Status::Dismissed),
        ];
        for (before, suppressed, after) in cases {
            let (_folder, store, project) = fresh_with_project();
            let mut reported = finding(&project, "a.py", 3);
            let id = reported.id.clone();
            let complete = scan(&project, "s", ScanState::Complete);
            store.save_scan(&complete, std::slice::from_ref(&reported), NOW).unwrap();
            store.set_status(&id, before, "a note", None).unwrap();
            reported.detection.suppressed = suppressed;
            store.save_scan(&complete, &[reported], NOW + 1).unwrap();
            let stored = store.finding(&id).unwrap().unwrap();
            assert_eq!(stored.status, after, "{before:?}, suppressed: {suppressed}");
            assert_eq!(stored.note == "a note", before == after, "a note speaks of the status it was written under");
        }
    }

    #[test]
    fn what_is_dismissed_stays_so_over_a_run_until_it_is_taken_back() {
        let (_folder, store, project) = fresh_with_project();
        let reported = finding(&project, "a.py", 3);
        let id = &reported.id;
        store.save_scan(&scan(&project, "s", ScanState::Complete), std::slice::from_ref(&reported), NOW).unwrap();
        let stands = || store.finding(id).unwrap().map(|stored| (stored.status, stored.note)).unwrap();
        let dismissal = Dismissal { reason: DismissReason::UsedInTests, note: "a fixture".into(), at: NOW };
        store.dismiss(id, Some(&dismissal)).unwrap();
        let dismissed = (Status::Dismissed, "used in tests only: a fixture".to_owned());
        assert_eq!(stands(), dismissed);
        assert_eq!(store.dismissal(id).unwrap(), Some(dismissal));

        let run = store.begin_run(id, true, NOW).unwrap().run;
        assert_eq!(stands().0, Status::Running);
        store.finish_job(&run, JobEnd::Cancelled).unwrap();
        assert_eq!(stands(), dismissed);

        store.dismiss(id, None).unwrap();
        assert_eq!((stands().0, store.dismissal(id).unwrap()), (Status::Open, None));
        assert!(store.dismiss(&FindingId::new("nowhere"), None).is_err());
        assert_eq!(store.dismissal(&FindingId::new("nowhere")).unwrap(), None);
    }

    #[test]
    fn a_prefix_names_none_one_or_several() {
        let (_folder, store, project) = fresh_with_project();
        let mut found: Vec<Finding> = (1..=3).map(|n| finding(&project, "a.py", n)).collect();
        for (finding, id) in found.iter_mut().zip(["aa11", "aa12", "bb00"]) {
            finding.id = FindingId::new(id);
        }
        store.save_scan(&scan(&project, "s", ScanState::Complete), &found, NOW).unwrap();
        for (prefix, expected) in
            [("aa", &["aa11", "aa12"][..]), ("aa12", &["aa12"]), ("b", &["bb00"]), ("ab", &[]), ("bb000", &[])]
        {
            let ids = store.finding_by_prefix(prefix).unwrap();
            assert_eq!(ids.iter().map(FindingId::as_str).collect::<Vec<_>>(), expected, "{prefix}");
        }
    }

    #[test]
    fn an_unknown_finding_has_no_status_to_set() {
        let (_folder, store, _) = fresh_with_project();
        let error = store.set_status(&FindingId::new("nowhere"), Status::Fixed, "", None).unwrap_err();
        assert_eq!(error.to_string(), "there is no finding `nowhere`");
    }
}
