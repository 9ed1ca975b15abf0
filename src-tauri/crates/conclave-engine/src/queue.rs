//! Works through the durable jobs.
//!
//! Invariant: a job is in the store before it runs, and every way in which it can end is written back; a job whose
//! process died is claimed again and resumes.

use conclave_core::finding::Status;
use conclave_core::id::FindingId;
use conclave_core::resolution::Resolution;
use conclave_store::{Job, JobEnd, StoreError};
use tokio::task::JoinSet;

use crate::ctx::Ctx;
use crate::event::{Event, Progress, Stage, Topic};
use crate::run::{RunError, run_finding};

/// How one job ended.
pub type Ended = (FindingId, Result<Resolution, RunError>);

/// Queues `findings`; those that wait or run already are left as they are. Returns how many were added.
///
/// # Errors
/// The store fails.
pub fn enqueue(cx: &Ctx, findings: &[FindingId]) -> Result<u32, StoreError> {
    let now = cx.now_ms();
    let queued = cx.store.enqueue(findings, now)?;
    for finding in findings {
        let text = "Waiting for its turn".to_owned();
        cx.store.set_status(finding, Status::Running, &text, None)?;
        cx.events.send(Event::Run(Progress { finding: finding.clone(), stage: Stage::Queued, text, started_at: now }));
    }
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Runs]));
    Ok(queued)
}

/// Takes what waits out of the queue; what runs is ended by the token of the context.
///
/// # Errors
/// The store fails.
pub fn cancel_waiting(cx: &Ctx) -> Result<u32, StoreError> {
    let waiting: Vec<FindingId> =
        cx.store.open_jobs()?.into_iter().filter(|(_, running)| !running).map(|(job, _)| job.finding).collect();
    let cancelled = cx.store.cancel_queued()?;
    for finding in &waiting {
        cx.store.set_status(finding, Status::Open, "", None)?;
    }
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Runs]));
    Ok(cancelled)
}

/// Runs jobs, `parallel` at a time, until none waits; returns how each ended, in no particular order.
///
/// # Errors
/// The store fails; jobs under way are ended and stay claimable.
pub async fn drain(cx: &Ctx, parallel: usize) -> Result<Vec<Ended>, StoreError> {
    let mut running = JoinSet::new();
    let mut ended = Vec::new();
    loop {
        while running.len() < parallel.max(1) && !cx.cancel.is_cancelled() {
            let Some(job) = cx.store.next_job(cx.now_ms())? else { break };
            let cx = cx.clone();
            running.spawn(async move { run_job(&cx, job).await });
        }
        match running.join_next().await {
            Some(Ok(end)) => ended.push(end?),
            // A job that panicked stays claimed by this process and is resumed by the next one.
            Some(Err(_)) => {}
            None => return Ok(ended),
        }
    }
}

/// Runs one claimed job and writes its end back.
///
/// # Errors
/// The store fails.
pub async fn run_job(cx: &Ctx, job: Job) -> Result<Ended, StoreError> {
    let result = run_finding(cx, &job).await;
    let end = match &result {
        Ok(_) => JobEnd::Done,
        Err(RunError::Cancelled) => JobEnd::Cancelled,
        Err(error) => JobEnd::Failed(error.to_string()),
    };
    if let Err(error) = &result {
        let note = if matches!(error, RunError::Cancelled) { String::new() } else { error.to_string() };
        cx.store.set_status(&job.finding, Status::Open, &note, None)?;
    }
    cx.store.finish_job(&job.run, end)?;
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Runs]));
    Ok((job.finding, result))
}
