//! Works through the durable jobs.
//!
//! Invariants: a job is in the store before it runs, and every way in which it can end is written back, a panic among
//! them; a job whose process died is claimed again and resumes, and so is one whose future was dropped, when its process
//! ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use conclave_core::id::FindingId;
use conclave_core::resolution::Resolution;
use conclave_core::tier::Effort;
use conclave_store::{Job, JobEnd, StoreError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ctx::Ctx;
use crate::event::{Event, Progress, Stage, Topic};
use crate::run::{RunError, run_finding};

/// How one job ended.
pub type Ended = (FindingId, Result<Resolution, RunError>);

/// Queues runs of `findings` with `effort`; those that wait or run already are left as they are. Returns how many were added.
///
/// # Errors
/// The store fails.
pub fn enqueue(cx: &Ctx, findings: &[FindingId], effort: Effort) -> Result<u32, StoreError> {
    let (now, text) = (cx.now_ms(), "Waiting for its turn");
    let queued = cx.store.enqueue(findings, effort, text, now)?;
    let count = u32::try_from(queued.len()).unwrap_or(u32::MAX);
    for finding in queued {
        let text = text.to_owned();
        cx.events.send(Event::Run(Progress { finding, stage: Stage::Queued, text, checking: None, started_at: now }));
    }
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Runs]));
    Ok(count)
}

/// Takes what waits out of the queue; what runs is ended by the token of the context.
///
/// # Errors
/// The store fails.
pub fn cancel_waiting(cx: &Ctx) -> Result<u32, StoreError> {
    let cancelled = cx.store.cancel_waiting()?;
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Runs]));
    Ok(cancelled)
}

/// Cancels the run of `finding`: ends it where this process is at it, takes it out of the queue where it waits. Gives
/// whether it was under way; `None` when there is none.
///
/// # Errors
/// [`StoreError::Running`] when another process is at it; else the store fails.
pub fn cancel_run(cx: &Ctx, finding: &FindingId) -> Result<Option<bool>, StoreError> {
    if cx.runs.cancel(finding) {
        return Ok(Some(true));
    }
    let cancelled = cx.store.cancel_job(finding)?;
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Runs]));
    Ok(cancelled.then_some(false))
}

/// The runs under way in this process, each with what ends it; cheap to clone.
#[derive(Clone, Default)]
pub struct Runs(Arc<Mutex<HashMap<FindingId, CancellationToken>>>);

impl Runs {
    fn lock(&self) -> MutexGuard<'_, HashMap<FindingId, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the run of `finding`; false when none is under way.
    fn cancel(&self, finding: &FindingId) -> bool {
        let token = self.lock().get(finding).cloned();
        token.inspect(CancellationToken::cancel).is_some()
    }

    fn begin(&self, finding: &FindingId, token: CancellationToken) -> UnderWay {
        self.lock().insert(finding.clone(), token);
        UnderWay { runs: self.clone(), finding: finding.clone() }
    }
}

/// Has a run among the runs for as long as it lives.
struct UnderWay {
    runs: Runs,
    finding: FindingId,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.runs.lock().remove(&self.finding);
    }
}

/// Begins no further jobs, in any process and over its end, until it is told otherwise; or begins them again. What runs
/// comes to its end.
///
/// # Errors
/// The store fails.
pub fn pause(cx: &Ctx, pause: bool) -> Result<(), StoreError> {
    cx.store.pause_queue(pause)?;
    cx.events.send(Event::Changed(vec![Topic::Runs]));
    Ok(())
}

/// Runs jobs, `parallel` at a time, until none waits; returns how each ended, in no particular order.
///
/// # Errors
/// The store fails; the jobs under way have come to their end by then, and no further one was begun.
pub async fn drain(cx: &Ctx, parallel: usize) -> Result<Vec<Ended>, StoreError> {
    let mut running = JoinSet::new();
    let mut ended = Vec::new();
    let mut failure = None;
    loop {
        while running.len() < parallel.max(1) && failure.is_none() && !cx.cancel.is_cancelled() {
            match cx.store.next_job(cx.now_ms()) {
                Ok(Some(job)) => {
                    let cx = cx.clone();
                    running.spawn(async move { run_job(&cx, job).await });
                }
                Ok(None) => break,
                Err(error) => failure = Some(error),
            }
        }
        match running.join_next().await {
            Some(Ok(Ok(end))) => ended.push(end),
            Some(Ok(Err(error))) => failure = failure.or(Some(error)),
            // Only the end of the runtime comes here: a run that panics is caught in `run_job`.
            Some(Err(_)) => {}
            None => return failure.map_or(Ok(ended), Err),
        }
    }
}

/// Runs one claimed job and writes its end back.
///
/// # Errors
/// The store fails.
pub async fn run_job(cx: &Ctx, job: Job) -> Result<Ended, StoreError> {
    let result = {
        let (cx, job) = (Ctx { cancel: cx.cancel.child_token(), ..cx.clone() }, job.clone());
        let _under_way = cx.runs.begin(&job.finding, cx.cancel.clone());
        alone(async move { run_finding(&cx, &job).await }).await.unwrap_or_else(|why| Err(RunError::Broken(why)))
    };
    cx.models.save_counts(cx.now_ms());
    let end = match &result {
        Ok(_) => JobEnd::Done,
        Err(RunError::Cancelled) => JobEnd::Cancelled,
        Err(error) => JobEnd::Failed(error.to_string()),
    };
    let finished = cx.store.finish_job(&job.run, end);
    if finished.is_err() {
        // Its stages are kept, so whoever takes it next concludes at once. If this fails too, the next process takes it.
        let _ = cx.store.release(&job.run);
    }
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Runs]));
    finished.map(|()| (job.finding, result))
}

/// Does `work` in a task of its own, so that a panic ends it alone and is told; dropping the future ends the work.
pub(crate) async fn alone<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, String> {
    let mut task = JoinSet::new();
    task.spawn(work);
    match task.join_next().await {
        Some(done) => done.map_err(|error| error.to_string()),
        None => Err("it was never begun".to_owned()),
    }
}

#[cfg(test)]
mod tests;
