//! Durable jobs: which findings wait for a run, which run is under way, and by whom.
//!
//! A job is one run of one finding and keeps its run id for life. A running job belongs to a claimant, see `claim`;
//! when that process dies, the job can be taken over at once and goes on with the same run id and its stored stages.
//! Invariant: a finding has at most one job that is queued or running.

use conclave_core::finding::Status;
use conclave_core::id::{FindingId, RunId};
use conclave_core::tier::Effort;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::db::Store;
use crate::error::{Result, StoreError};
use crate::table::finding::{set_status, stand};
use crate::table::{from_word, word};

pub(crate) const CREATE: &str = "
CREATE TABLE job (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL UNIQUE,
    finding TEXT NOT NULL REFERENCES finding (id),
    n INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    note TEXT NOT NULL,
    claimant INTEGER,
    queued_at INTEGER NOT NULL,
    started_at INTEGER
) STRICT;
CREATE UNIQUE INDEX job_open ON job (finding) WHERE state IN ('queued', 'running');
CREATE INDEX job_state ON job (state, seq);
CREATE INDEX job_of_finding ON job (finding, n);
";

/// Whether a run was asked for by itself, and not as one of many.
pub(crate) const ALONE: &str = "ALTER TABLE job ADD COLUMN alone INTEGER NOT NULL DEFAULT 1;";

/// How much is to be done.
pub(crate) const EFFORT: &str = "ALTER TABLE job ADD COLUMN effort TEXT NOT NULL DEFAULT 'usual';";

/// The queue is paused while this has its one row.
pub(crate) const PAUSE: &str = "CREATE TABLE pause (one INTEGER PRIMARY KEY CHECK (one = 1)) STRICT;";

/// One run of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Of which finding.
    pub finding: FindingId,
    /// The run's id.
    pub run: RunId,
    /// Whether it was worked on before and left; stages that were stored are there.
    pub resumed: bool,
    /// Whether the person asked for this finding by itself, and not for many at once.
    pub alone: bool,
    /// How much is to be done.
    pub effort: Effort,
}

/// How a job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// With a resolution, whatever that says.
    Done,
    /// Without one; why, in words.
    Failed(String),
    /// By the person's word.
    Cancelled,
}

impl Store {
    /// Queues a run of each finding that has none queued or running, with `note` under its status; gives those queued.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for a finding that is not in the store; then none is queued.
    pub fn enqueue(&self, findings: &[FindingId], effort: Effort, note: &str, now_ms: i64) -> Result<Vec<FindingId>> {
        self.write(|transaction| {
            let mut queued = Vec::new();
            for finding in findings {
                if open_job(transaction, finding)?.is_none() {
                    insert(transaction, finding, "queued", (findings.len() == 1, effort), now_ms)?;
                    set_status(transaction, finding, Status::Running, note, None)?;
                    queued.push(finding.clone());
                }
            }
            Ok(queued)
        })
    }

    /// Claims the next job for this process: first one whose process died, then the most severe, then the oldest; none
    /// while the queue is paused.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn next_job(&self, now_ms: i64) -> Result<Option<Job>> {
        let claimant = self.claimant()?;
        self.write(|transaction| {
            if is_paused(transaction)? {
                return Ok(None);
            }
            for open in running(transaction)? {
                if !self.lives(open.claimant) {
                    return Ok(Some(claim(transaction, open.job, claimant, now_ms)?));
                }
            }
            let next = select_open(transaction, "state = 'queued' ORDER BY severity, seq LIMIT 1", &[])?.pop();
            next.map(|open| claim(transaction, open.job, claimant, now_ms)).transpose()
        })
    }

    /// Has the queue give no jobs, to no process, until it is told otherwise; or give them again.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn pause_queue(&self, pause: bool) -> Result<()> {
        let sql = if pause { "INSERT OR IGNORE INTO pause (one) VALUES (1)" } else { "DELETE FROM pause" };
        self.write(|transaction| Ok(transaction.execute(sql, []).map(drop)?))
    }

    /// Whether the queue gives no jobs.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn is_queue_paused(&self) -> Result<bool> {
        self.read(is_paused)
    }

    /// Claims a run of `finding` for this process at once: the queued one, one whose process died, or a new one, which
    /// is `alone` or one of many.
    ///
    /// # Errors
    /// [`StoreError::Running`] when a living process, this one included, is at it.
    pub fn begin_run(&self, finding: &FindingId, alone: bool, now_ms: i64) -> Result<Job> {
        let claimant = self.claimant()?;
        self.write(|transaction| {
            let job = match open_job(transaction, finding)? {
                None => {
                    let effort = Effort::Usual;
                    let run = insert(transaction, finding, "queued", (alone, effort), now_ms)?;
                    Job { finding: finding.clone(), run, resumed: false, alone, effort }
                }
                Some(open) if open.running && self.lives(open.claimant) => {
                    return Err(StoreError::Running { what: "finding", id: finding.to_string() });
                }
                Some(open) => open.job,
            };
            claim(transaction, job, claimant, now_ms)
        })
    }

    /// Ends the job of `run`; its finding stands where a fix, an earlier result or its tool has it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when that job is not running.
    pub fn finish_job(&self, run: &RunId, end: JobEnd) -> Result<()> {
        let (state, note) = match end {
            JobEnd::Done => ("done", String::new()),
            JobEnd::Failed(why) => ("failed", why),
            JobEnd::Cancelled => ("cancelled", String::new()),
        };
        self.write(|transaction| {
            let finding = leave(transaction, run, state, &note)?;
            stand(transaction, &finding, &note)
        })
    }

    /// Lets the findings whose run died with its process stand where they stood before, with `note`; gives how many. The
    /// run itself is kept and goes on when it is claimed again.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn settle_cut_off(&self, note: &str) -> Result<u32> {
        let open = self.read(running)?;
        let dead: Vec<FindingId> =
            open.into_iter().filter(|open| !self.lives(open.claimant)).map(|open| open.job.finding).collect();
        if dead.is_empty() {
            return Ok(0);
        }
        self.write(|transaction| {
            for finding in &dead {
                stand(transaction, finding, note)?;
            }
            Ok(u32::try_from(dead.len()).unwrap_or(u32::MAX))
        })
    }

    /// Puts the job of `run` back into the queue with the stages that it has.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when that job is not running.
    pub fn release(&self, run: &RunId) -> Result<()> {
        self.write(|transaction| leave(transaction, run, "queued", "").map(drop))
    }

    /// Cancels every job that no living process is at; gives how many.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn cancel_waiting(&self) -> Result<u32> {
        self.write(|transaction| {
            let mut cancelled = 0;
            for OpenJob { job, running, claimant } in select_open(transaction, OPEN, &[])? {
                if running && self.lives(claimant) {
                    continue;
                }
                cancel(transaction, &job)?;
                cancelled += 1;
            }
            Ok(cancelled)
        })
    }

    /// Cancels the job of `finding`, unless a living process is at it; false when there is none.
    ///
    /// # Errors
    /// [`StoreError::Running`] when a living process is at it.
    pub fn cancel_job(&self, finding: &FindingId) -> Result<bool> {
        self.write(|transaction| {
            let Some(open) = open_job(transaction, finding)? else { return Ok(false) };
            if open.running && self.lives(open.claimant) {
                return Err(StoreError::Running { what: "finding", id: finding.to_string() });
            }
            cancel(transaction, &open.job)?;
            Ok(true)
        })
    }

    /// All jobs that are not ended, in the order of the queue; true beside one that a living process is at.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn open_jobs(&self) -> Result<Vec<(Job, bool)>> {
        let open = self.read(|transaction| select_open(transaction, OPEN, &[]))?;
        Ok(open.into_iter().map(|open| (open.job, open.running && self.lives(open.claimant))).collect())
    }
}

/// All that are not ended, in the order of the queue.
const OPEN: &str = "state IN ('queued', 'running') ORDER BY state = 'queued', severity, seq";

fn is_paused(transaction: &Transaction<'_>) -> Result<bool> {
    Ok(transaction.query_row("SELECT EXISTS (SELECT 1 FROM pause)", [], |row| row.get(0))?)
}

struct OpenJob {
    job: Job,
    running: bool,
    claimant: i64,
}

fn running(transaction: &Transaction<'_>) -> Result<Vec<OpenJob>> {
    select_open(transaction, "state = 'running' ORDER BY severity, seq", &[])
}

fn open_job(transaction: &Transaction<'_>, finding: &FindingId) -> Result<Option<OpenJob>> {
    let open = select_open(transaction, "state IN ('queued', 'running') AND job.finding = ?1", &[finding.as_str()])?;
    Ok(open.into_iter().next())
}

fn select_open(transaction: &Transaction<'_>, condition: &str, values: &[&str]) -> Result<Vec<OpenJob>> {
    let sql = format!(
        "SELECT job.finding, run, state, claimant, started_at IS NOT NULL, alone, effort
         FROM job JOIN finding ON finding.id = job.finding WHERE {condition}"
    );
    let mut statement = transaction.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut open = Vec::new();
    while let Some(row) = rows.next()? {
        let (finding, run, state): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let running = state == "running";
        let (resumed, alone, effort): (bool, bool, String) = (row.get(4)?, row.get(5)?, row.get(6)?);
        let effort = from_word(&effort)?;
        let job = Job { finding: FindingId::new(finding), run: RunId::new(run), resumed, alone, effort };
        open.push(OpenJob { job, running, claimant: row.get::<_, Option<i64>>(3)?.unwrap_or_default() });
    }
    Ok(open)
}

/// Adds a run of `finding` that is no business of the queue: it is over from the start, nobody claims it, and what comes
/// of it is not where the finding stands.
pub(crate) fn insert_aside(transaction: &Transaction<'_>, finding: &FindingId, now_ms: i64) -> Result<RunId> {
    insert(transaction, finding, "done", (true, Effort::Usual), now_ms)
}

/// Adds a job in `state`, which is alone or not and of some effort, and gives its run's id, which counts the runs of the
/// finding.
fn insert(
    transaction: &Transaction<'_>,
    finding: &FindingId,
    state: &str,
    (alone, effort): (bool, Effort),
    now_ms: i64,
) -> Result<RunId> {
    let (known, last): (bool, u32) = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM finding WHERE id = ?1), ifnull((SELECT max(n) FROM job WHERE finding = ?1), 0)",
        [finding.as_str()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if !known {
        return Err(StoreError::Missing { what: "finding", id: finding.to_string() });
    }
    let run = RunId::nth(finding, last + 1);
    transaction.execute(
        "INSERT INTO job (run, finding, n, state, note, queued_at, alone, effort)
         VALUES (?1, ?2, ?3, ?7, '', ?4, ?5, ?6)",
        params![run.as_str(), finding.as_str(), last + 1, now_ms, alone, word(&effort)?, state],
    )?;
    Ok(run)
}

/// Takes the running job of `run` from its claimant and gives its finding.
fn leave(transaction: &Transaction<'_>, run: &RunId, state: &str, note: &str) -> Result<FindingId> {
    let sql = "UPDATE job SET state = ?2, note = ?3, claimant = NULL WHERE run = ?1 AND state = 'running'
               RETURNING finding";
    let finding: Option<String> =
        transaction.query_row(sql, [run.as_str(), state, note], |row| row.get(0)).optional()?;
    finding.map(FindingId::new).ok_or_else(|| StoreError::Missing { what: "running job", id: run.to_string() })
}

fn cancel(transaction: &Transaction<'_>, job: &Job) -> Result<()> {
    transaction.execute("UPDATE job SET state = 'cancelled', claimant = NULL WHERE run = ?1", [job.run.as_str()])?;
    stand(transaction, &job.finding, "")
}

/// Makes `claimant` the one who works on `job`. Stages of earlier runs of the finding are of no use any more, but for those
/// of a comparison, which goes on by itself.
fn claim(transaction: &Transaction<'_>, job: Job, claimant: i64, now_ms: i64) -> Result<Job> {
    transaction.execute(
        "UPDATE job SET state = 'running', claimant = ?2, started_at = ifnull(started_at, ?3) WHERE run = ?1",
        params![job.run.as_str(), claimant, now_ms],
    )?;
    transaction.execute(
        "DELETE FROM stage WHERE run IN (SELECT run FROM job WHERE finding = ?1 AND run <> ?2)
         AND run NOT IN (SELECT run_a FROM comparison_pair UNION SELECT run_b FROM comparison_pair)",
        [job.finding.as_str(), job.run.as_str()],
    )?;
    set_status(transaction, &job.finding, Status::Running, "", None)?;
    Ok(job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, again, finding, fresh_with_project, scan};
    use crate::{Fix, IntentKind, IntentState, NewIntent, ScanState};
    use conclave_core::finding::Severity;
    use conclave_core::id::CandidateId;
    use conclave_core::record::Record;
    use conclave_core::resolution::{Work, conclude};

    #[test]
    fn how_much_is_to_be_done_is_kept_with_the_job() {
        let (_folder, store, [a, b, _]) = with_findings();
        store.enqueue(std::slice::from_ref(&a), Effort::Most, "", NOW).unwrap();
        let job = store.next_job(NOW).unwrap().unwrap();
        assert_eq!(job.effort, Effort::Most);
        store.release(&job.run).unwrap();
        assert_eq!(store.next_job(NOW).unwrap().map(|job| job.effort), Some(Effort::Most));
        assert_eq!(store.begin_run(&b, true, NOW).unwrap().effort, Effort::Usual);
    }

    /// A store with findings in `a.py`, `b.py` and `c.py`: medium, critical, medium.
    fn with_findings() -> (tempfile::TempDir, Store, [FindingId; 3]) {
        let (folder, store, project) = fresh_with_project();
        let mut found = ["a.py", "b.py", "c.py"].map(|path| finding(&project, path, 1));
        found[1].detection.severity = Severity::Critical;
        store.save_scan(&scan(&project, "s", ScanState::Complete), &found, NOW).unwrap();
        (folder, store, found.map(|finding| finding.id))
    }

    #[test]
    fn the_queue_gives_the_most_severe_and_then_the_oldest_once_each() {
        let (_folder, store, [a, b, c]) = with_findings();
        let all = [c.clone(), a.clone(), b.clone()];
        assert_eq!(store.enqueue(&all[..2], Effort::Usual, "", NOW).unwrap(), all[..2]);
        assert_eq!(store.enqueue(&all, Effort::Usual, "", NOW).unwrap(), all[2..], "two are queued already");
        for expected in [&b, &c, &a] {
            let job = store.next_job(NOW).unwrap().unwrap();
            assert_eq!((&job.finding, job.resumed), (expected, false));
        }
        assert_eq!(store.next_job(NOW).unwrap(), None);
        assert_eq!(store.enqueue(&all, Effort::Usual, "", NOW).unwrap(), [], "they are running");
    }

    #[test]
    fn a_run_is_counted_and_only_one_is_open() {
        let (_folder, store, [a, ..]) = with_findings();
        let first = store.begin_run(&a, true, NOW).unwrap();
        assert_eq!(first.run, RunId::nth(&a, 1));
        assert!(matches!(store.begin_run(&a, true, NOW), Err(StoreError::Running { .. })));
        store.finish_job(&first.run, JobEnd::Failed("no seat answered".into())).unwrap();
        assert!(matches!(store.finish_job(&first.run, JobEnd::Done), Err(StoreError::Missing { .. })));
        store.enqueue(std::slice::from_ref(&a), Effort::Usual, "", NOW).unwrap();
        let second = store.begin_run(&a, true, NOW).unwrap();
        assert_eq!((second.run.clone(), second.resumed), (RunId::nth(&a, 2), false), "the queued one is taken");
        store.finish_job(&second.run, JobEnd::Done).unwrap();
        assert_eq!(store.open_jobs().unwrap(), []);
    }

    #[test]
    fn what_nobody_has_begun_can_be_cancelled() {
        let (_folder, store, [a, b, c]) = with_findings();
        store.enqueue(&[a.clone(), b.clone(), c.clone()], Effort::Usual, "", NOW).unwrap();
        let running = store.next_job(NOW).unwrap().unwrap();
        let open: Vec<_> = store.open_jobs().unwrap().into_iter().map(|(job, runs)| (job.finding, runs)).collect();
        assert_eq!(open, [(b, true), (a, false), (c, false)]);
        assert_eq!(store.cancel_waiting().unwrap(), 2);
        store.finish_job(&running.run, JobEnd::Cancelled).unwrap();
        assert_eq!(store.next_job(NOW).unwrap(), None);
    }

    #[test]
    fn one_job_is_cancelled_where_nobody_is_at_it() {
        let (folder, store, [a, b, c]) = with_findings();
        store.enqueue(&[a.clone(), c.clone()], Effort::Usual, "waits", NOW).unwrap();
        let other = again(&folder);
        other.begin_run(&b, true, NOW).unwrap();
        assert!(store.cancel_job(&a).unwrap());
        assert!(!store.cancel_job(&a).unwrap(), "there is none any more");
        assert!(matches!(store.cancel_job(&b), Err(StoreError::Running { .. })));
        assert_eq!((stands(&store, &a).0, stands(&store, &c).0), (Status::Open, Status::Running));
        drop(other);
        assert!(store.cancel_job(&b).unwrap(), "its process is gone");
        let open: Vec<FindingId> = store.open_jobs().unwrap().into_iter().map(|(job, _)| job.finding).collect();
        assert_eq!(open, [c]);
    }

    #[test]
    fn a_job_whose_process_ended_is_taken_over_with_its_run_and_its_stages() {
        let (folder, store, [a, b, _]) = with_findings();
        store.enqueue(&[a.clone(), b.clone()], Effort::Usual, "", NOW).unwrap();
        let other = again(&folder);
        let lost = other.next_job(NOW).unwrap().unwrap();
        other.save_stage(&lost.run, "gather", "{\"brief\":1}").unwrap();
        assert_eq!(store.next_job(NOW).unwrap().unwrap().finding, a, "the other one lives and keeps its job");
        assert_eq!(store.next_job(NOW).unwrap(), None);

        drop(other);
        let taken = store.next_job(NOW + 5).unwrap().unwrap();
        assert_eq!(taken, Job { resumed: true, ..lost });
        assert_eq!(store.stage(&taken.run, "gather").unwrap().as_deref(), Some("{\"brief\":1}"));
    }

    #[test]
    fn a_finding_that_is_unknown_cannot_be_queued_and_takes_the_others_with_it() {
        let (_folder, store, [a, ..]) = with_findings();
        let error = store.enqueue(&[a, FindingId::new("nowhere")], Effort::Usual, "", NOW).unwrap_err();
        assert!(matches!(error, StoreError::Missing { .. }));
        assert_eq!(store.open_jobs().unwrap(), []);
    }

    fn stands(store: &Store, id: &FindingId) -> (Status, String) {
        let stored = store.finding(id).unwrap().unwrap();
        (stored.status, stored.note)
    }

    /// Ends `run` with a result that the list shows as `status` and `note`.
    fn conclude_as(store: &Store, id: &FindingId, run: &RunId, status: Status, note: &str) {
        let finding = store.finding(id).unwrap().unwrap().finding;
        let resolution = conclude(&finding, run.clone(), Work::default(), &Record::default());
        store.save_resolution(&resolution, status, note, None, NOW).unwrap();
        store.finish_job(run, JobEnd::Done).unwrap();
    }

    #[test]
    fn a_queued_and_a_claimed_finding_say_so_at_once() {
        let (_folder, store, [a, b, _]) = with_findings();
        store.enqueue(&[a.clone(), b.clone()], Effort::Usual, "waits", NOW).unwrap();
        assert_eq!(stands(&store, &a), (Status::Running, "waits".into()));
        let job = store.next_job(NOW).unwrap().unwrap();
        assert_eq!((stands(&store, &b), job.finding), ((Status::Running, String::new()), b));
    }

    #[test]
    fn a_run_without_a_result_leaves_the_finding_where_it_stood() {
        let ends = [
            (JobEnd::Cancelled, (Status::Open, "")),
            (JobEnd::Failed("no seat answered".into()), (Status::Open, "no seat answered")),
        ];
        for (end, first) in ends {
            let (_folder, store, [a, ..]) = with_findings();
            let run = store.begin_run(&a, true, NOW).unwrap().run;
            store.finish_job(&run, end.clone()).unwrap();
            assert_eq!(stands(&store, &a), (first.0, first.1.into()), "there was no result before");

            let run = store.begin_run(&a, true, NOW).unwrap().run;
            conclude_as(&store, &a, &run, Status::FixReady, "2 alternatives");
            let run = store.begin_run(&a, true, NOW).unwrap().run;
            store.finish_job(&run, end).unwrap();
            assert_eq!(stands(&store, &a), (Status::FixReady, "2 alternatives".into()), "the old result stands");
        }
    }

    #[test]
    fn what_its_tool_suppresses_is_suppressed_again_after_a_cancelled_run() {
        let (_folder, store, project) = fresh_with_project();
        let mut found = finding(&project, "a.py", 1);
        found.detection.suppressed = true;
        store.save_scan(&scan(&project, "s", ScanState::Complete), std::slice::from_ref(&found), NOW).unwrap();
        store.enqueue(std::slice::from_ref(&found.id), Effort::Usual, "", NOW).unwrap();
        assert_eq!(store.cancel_waiting().unwrap(), 1);
        assert_eq!(stands(&store, &found.id).0, Status::Suppressed);
    }

    #[test]
    fn a_fix_applied_while_a_run_is_under_way_outweighs_its_result_until_it_is_reported_again() {
        let (_folder, store, [a, ..]) = with_findings();
        let run = store.begin_run(&a, true, NOW).unwrap().run;
        let new = NewIntent {
            fixes: vec![Fix { finding: a.clone(), candidate: CandidateId::new("c1") }],
            kind: IntentKind::Apply,
            root: "/srv".into(),
            files: Vec::new(),
            permit: 1,
        };
        let intent = store.open_intent(&new, NOW).unwrap();
        store.close_intent(intent, IntentState::Applied, "applied", NOW).unwrap();
        store.set_status(&a, Status::Fixed, "use a list", None).unwrap();
        conclude_as(&store, &a, &run, Status::FixReady, "1 alternative");
        assert_eq!(stands(&store, &a), (Status::Fixed, "use a list".into()));

        let finding = store.finding(&a).unwrap().unwrap().finding;
        store
            .save_scan(&scan(&finding.project, "t", ScanState::Complete), std::slice::from_ref(&finding), NOW)
            .unwrap();
        assert_eq!(stands(&store, &a).0, Status::Open);
        let run = store.begin_run(&a, true, NOW).unwrap().run;
        conclude_as(&store, &a, &run, Status::NoSafeFix, "no seat");
        assert_eq!(stands(&store, &a), (Status::NoSafeFix, "no seat".into()), "that fix holds no more");
    }

    #[test]
    fn a_job_of_a_dead_process_can_be_begun_or_cancelled_and_one_of_a_living_process_neither() {
        let (folder, store, [a, b, c]) = with_findings();
        let other = again(&folder);
        for id in [&a, &b] {
            other.begin_run(id, true, NOW).unwrap();
        }
        assert!(matches!(store.begin_run(&a, true, NOW), Err(StoreError::Running { .. })));
        assert_eq!(store.cancel_waiting().unwrap(), 0);
        store.begin_run(&c, true, NOW).unwrap();

        drop(other);
        let open: Vec<_> = store.open_jobs().unwrap().into_iter().map(|(job, runs)| (job.finding, runs)).collect();
        assert_eq!(open, [(b.clone(), false), (a.clone(), false), (c.clone(), true)]);
        assert_eq!(store.settle_cut_off("cut off").unwrap(), 2);
        assert_eq!(stands(&store, &a), (Status::Open, "cut off".to_owned()), "nobody is at it");
        assert_eq!(stands(&store, &c).0, Status::Running);
        let taken = store.begin_run(&a, true, NOW).unwrap();
        assert_eq!(
            taken,
            Job { finding: a.clone(), run: RunId::nth(&a, 1), resumed: true, alone: true, effort: Effort::Usual }
        );
        assert_eq!(store.cancel_waiting().unwrap(), 1);
        assert_eq!((stands(&store, &a).0, stands(&store, &b).0), (Status::Running, Status::Open));
    }

    #[test]
    fn a_paused_queue_gives_nothing_to_any_process_and_loses_nothing() {
        let (folder, store, [a, b, _]) = with_findings();
        store.enqueue(&[a.clone(), b.clone()], Effort::Usual, "", NOW).unwrap();
        store.pause_queue(true).unwrap();
        store.pause_queue(true).unwrap();
        let other = again(&folder);
        assert!(other.is_queue_paused().unwrap());
        assert_eq!(other.next_job(NOW).unwrap(), None);
        assert!(other.begin_run(&a, true, NOW).is_ok(), "a run that is asked for by itself does not queue");
        store.pause_queue(false).unwrap();
        assert_eq!(other.next_job(NOW).unwrap().unwrap().finding, b);
    }

    #[test]
    fn a_job_that_is_released_waits_again_with_its_stages() {
        let (_folder, store, [a, ..]) = with_findings();
        let run = store.begin_run(&a, true, NOW).unwrap().run;
        store.save_stage(&run, "gather", "{}").unwrap();
        store.release(&run).unwrap();
        assert!(matches!(store.release(&run), Err(StoreError::Missing { .. })), "it is nobody's now");
        assert_eq!(
            store.next_job(NOW).unwrap(),
            Some(Job { finding: a, run: run.clone(), resumed: true, alone: true, effort: Effort::Usual })
        );
        assert_eq!(store.stage(&run, "gather").unwrap().as_deref(), Some("{}"));
    }
}
