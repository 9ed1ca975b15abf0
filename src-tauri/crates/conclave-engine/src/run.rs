//! One finding, start to end. Read this first.
//!
//! Invariant: stages run in this order, each result is stored before the next stage begins, and no stage calls another.
//! A run that was cut off starts again at the first stage without a stored result of the same text.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use conclave_core::brief::Brief;
use conclave_core::configuration::Configuration;
use conclave_core::digest::Digest;
use conclave_core::finding::Status;
use conclave_core::id::RunId;
use conclave_core::record::Record;
use conclave_core::resolution::{Conclusion, Resolution, Verdict, Work, conclude};
use conclave_core::synthesis::{self, Synthesis};
use conclave_core::tier::RunPlan;
use conclave_effects::fs::FsError;
use conclave_effects::gate::Denied;
use conclave_store::{ConfidenceRow, Job, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::event::{Checking, Event, Progress, Stage, Topic};
use crate::learn;
use crate::source::Sources;
use crate::stage::{self, Panel};

/// Why a run could not conclude. What a seat or a check cannot do is a value, never one of these.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The finding or its project is gone.
    #[error("there is no finding `{0}`")]
    Gone(String),
    /// The policy denies reading the project.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The project cannot be read.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is no log that can be read.
    #[error(transparent)]
    Log(#[from] conclave_sarif::Refused),
    /// The log holds no run of any tool.
    #[error("the log holds no scan, so it says nothing about the code")]
    NoScan,
    /// A stored stage cannot be read back.
    #[error("the stored stage `{stage}` of this run cannot be read")]
    Stage {
        /// Which.
        stage: &'static str,
    },
    /// The person cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A fault of Conclave's own ended this run; the others go on.
    #[error("the run broke off: {0}")]
    Broken(String),
}

/// Takes `job`'s finding through all stages and stores the resolution.
///
/// # Errors
/// See [`RunError`].
pub async fn run_finding(cx: &Ctx, job: &Job) -> Result<Resolution, RunError> {
    run(cx, job, None).await
}

/// The same by `configuration`, as one side of a comparison: nothing is written of it but its stages.
///
/// # Errors
/// See [`RunError`].
pub(crate) async fn run_under(cx: &Ctx, job: &Job, configuration: &Configuration) -> Result<Resolution, RunError> {
    run(cx, job, Some(configuration)).await
}

async fn run(cx: &Ctx, job: &Job, under: Option<&Configuration>) -> Result<Resolution, RunError> {
    // What goes on beside the run ends with it when it is given up, and not when it comes to its end.
    let cx = &Ctx { cancel: cx.cancel.child_token(), ..cx.clone() };
    let given_up = cx.cancel.clone().drop_guard();
    let gone = || RunError::Gone(job.finding.to_string());
    let finding = cx.store.finding(&job.finding)?.ok_or_else(gone)?.finding;
    let project = cx.store.project(&finding.project)?.ok_or_else(gone)?;
    let plan = RunPlan::for_finding(&finding, &project.root, job.effort, &cx.settings());
    let plan = under.iter().fold(plan, |plan, configuration| plan.under(configuration));
    let sources = Arc::new(Sources::open(cx, &PathBuf::from(&project.root)).await?);
    let text = finding.detection.location.as_ref().and_then(|location| sources.file(&location.path).ok());
    let text = text.map(|source| source.digest.clone());
    let line = Line { cx, job, text, started_at: cx.now_ms() };

    let gather = {
        let (cx, root, sources, settings) = (cx.clone(), project.root.clone(), Arc::clone(&sources), cx.settings());
        move || learn::recall(&cx, &root, stage::gather(&finding, &sources, &settings))
    };
    let (brief, _) = line.stage(Stage::Gather, "Reading the code around", blocking(gather)).await?;
    let mut panel = Panel::default();
    let seats = stage::propose(&line, &brief, &sources, &plan, &mut panel);
    let (seats, analysis_ms) = line.stage(Stage::Propose, "Asking the panel", seats).await?;
    let judged = stage::verify(&line, &brief, &sources, &plan, &seats, &[]);
    let (judged, verification_ms) = line.stage(Stage::Verify, "Checking the fixes", judged).await?;
    let again = stage::again(&line, &brief, &sources, &plan, (&seats, &judged), &mut panel);
    let (again, more_ms) = line.stage(Stage::ProposeAgain, "Asking once more", again).await?;
    let (analysis_ms, seats) = (analysis_ms + more_ms, stage::with(seats, again));
    let judged = stage::verify(&line, &brief, &sources, &plan, &seats, &judged);
    let (judged, more_ms) = line.stage(Stage::VerifyAgain, "Checking what came after", judged).await?;
    let verification_ms = verification_ms + more_ms;
    let selection = plan.design.selection();
    let work = Work { seats, judged, selection, analysis_ms, verification_ms, ..Work::default() };
    let opinions = stage::judge(cx, &job.run, &brief, (&sources, &plan), &work);
    let (opinions, _) = line.stage(Stage::Judge, "Comparing the best fixes", opinions).await?;

    let work = Work { judgements: opinions.judgements, ..work };
    let record = &opinions.record;
    let said = stage::synthesise(&line, &brief, &sources, &plan, &work, record);
    let (said, took_ms) = line.stage(Stage::Synthesise, "Thinking it over", said).await?;
    let judged = stage::verify_made(&line, &brief, &sources, &plan, work.judged.clone(), &said);
    let (judged, more_ms) = line.stage(Stage::VerifyMerged, "Checking the merged fix", judged).await?;

    line.tell(Stage::Conclude, "Drawing the conclusion");
    let work = Work { judged, verification_ms: work.verification_ms + more_ms, ..work };
    let resolution = resolve(&brief, job.run.clone(), work, record, Synthesis { took_ms, ..said.said });
    if under.is_some() {
        given_up.disarm();
        return Ok(resolution);
    }
    let (status, note, confidence) = summary(&resolution);
    cx.store.save_resolution(&resolution, status, &note, confidence, cx.now_ms())?;
    learn::keep_edge_cases(cx, &project.root, &brief, &resolution);
    // For the next run: nobody waits for it.
    learn::look_back(cx, &project.id, &sources).await;
    cx.events.send(Event::Changed(vec![Topic::Findings, Topic::Runs]));
    given_up.disarm();
    Ok(resolution)
}

/// The conclusion on `work`, and then what is made of it in words, for which `said` is what a model said. Pure.
pub(crate) fn resolve(brief: &Brief, run: RunId, work: Work, record: &Record, said: Synthesis) -> Resolution {
    let mut resolution = conclude(&brief.finding, run, work, record);
    resolution.synthesis = Some(synthesis::complete(said, brief, &resolution));
    resolution
}

/// One run under way.
pub struct Line<'a> {
    cx: &'a Ctx,
    job: &'a Job,
    /// The digest of the reported file as it is now; results for another text are of no use.
    text: Option<Digest>,
    started_at: i64,
}

impl Line<'_> {
    /// The engine's surroundings.
    pub fn cx(&self) -> &Ctx {
        self.cx
    }

    /// The run's id.
    pub fn run(&self) -> &RunId {
        &self.job.run
    }

    /// Whether the person asked for this finding by itself.
    pub fn is_alone(&self) -> bool {
        self.job.alone
    }

    /// What was stored under `name` for the text as it is.
    pub fn kept<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let stored = self.cx.store.stage(&self.job.run, name).ok()??;
        let (text, result): (Option<Digest>, T) = serde_json::from_str(&stored).ok()?;
        (text == self.text).then_some(result)
    }

    /// What stores results of this run from another task.
    pub fn keeper(&self) -> Keeper {
        Keeper { store: self.cx.store.clone(), run: self.job.run.clone(), text: self.text.clone() }
    }

    /// Tells the faces where the run is.
    pub fn tell(&self, stage: Stage, text: impl Into<String>) {
        self.cx.events.send(self.at(stage, text.into(), None));
    }

    /// Tells the faces which check looks at which fix.
    pub(crate) fn tell_check(&self, text: String, checking: Checking) {
        self.cx.events.send(self.at(Stage::Verify, text, Some(checking)));
    }

    /// That the run is at `stage`, to be told by another task too.
    pub(crate) fn at(&self, stage: Stage, text: String, checking: Option<Checking>) -> Event {
        let (finding, started_at) = (self.job.finding.clone(), self.started_at);
        Event::Run(Progress { finding, stage, text, checking, started_at })
    }

    /// The stored result of `stage`, or that of `work`, stored; with the milliseconds that it took.
    async fn stage<T: Serialize + DeserializeOwned>(
        &self,
        stage: Stage,
        text: &str,
        work: impl Future<Output = T>,
    ) -> Result<(T, u64), RunError> {
        let name = stage_name(stage);
        if let Some(stored) = self.cx.store.stage(&self.job.run, name)? {
            let (text, result): (Option<Digest>, &RawValue) =
                serde_json::from_str(&stored).map_err(|_| RunError::Stage { stage: name })?;
            if text == self.text {
                return serde_json::from_str(result.get()).map_err(|_| RunError::Stage { stage: name });
            }
        }
        self.tell(stage, text);
        let begin = Instant::now();
        let result = tokio::select! {
            result = work => result,
            () = self.cx.cancel.cancelled() => return Err(RunError::Cancelled),
        };
        let took_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let stored =
            serde_json::to_string(&(&self.text, (&result, took_ms))).map_err(|_| RunError::Stage { stage: name })?;
        self.cx.store.save_stage(&self.job.run, name, &stored)?;
        Ok((result, took_ms))
    }
}

/// Stores what comes in the midst of a stage.
pub struct Keeper {
    store: Store,
    run: RunId,
    text: Option<Digest>,
}

impl Keeper {
    /// Keeps `result` under `name`. Where that fails, it would have to be found out again, and nothing else.
    pub fn save<T: Serialize>(&self, name: &str, result: &T) {
        let Ok(stored) = serde_json::to_string(&(&self.text, result)) else { return };
        if let Err(error) = self.store.save_stage(&self.run, name, &stored) {
            tracing::warn!(%error, name, "a part of a stage was not kept");
        }
    }
}

/// Under which name the result of `stage` is stored.
pub(crate) fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Queued => "queued",
        Stage::Gather => "gather",
        Stage::Propose => "propose",
        Stage::Verify => "verify",
        Stage::ProposeAgain => "propose_again",
        Stage::VerifyAgain => "verify_again",
        Stage::Judge => "judge",
        Stage::Synthesise => "synthesise",
        Stage::VerifyMerged => "verify_merged",
        Stage::Conclude => "conclude",
        Stage::Edit => "edit",
    }
}

/// What a list shows of `resolution`.
pub(crate) fn summary(resolution: &Resolution) -> (Status, String, Option<ConfidenceRow>) {
    let row = |verdict: &Verdict| {
        let c = &verdict.confidence;
        ConfidenceRow { p: c.p, low: c.low, high: c.high, cap: c.cap, word: c.word.clone() }
    };
    let best = match (&resolution.conclusion, resolution.recommended()) {
        (Conclusion::Disagreement { .. }, _) => {
            let note = "two fixes are as good as each other".to_owned();
            return (Status::Disagreement, note, resolution.verdicts.first().map(row));
        }
        (Conclusion::SuspectedFalsePositive { reason, .. }, _) => {
            return (Status::SuspectedFalsePositive, reason.clone(), None);
        }
        (Conclusion::NoSafeFix { reason, .. }, _) => return (Status::NoSafeFix, reason.clone(), None),
        (Conclusion::Recommended { .. }, None) => return (Status::NoSafeFix, String::new(), None),
        (Conclusion::Recommended { .. }, Some(best)) => best,
    };
    let note = match resolution.shown().count().saturating_sub(1) {
        0 => best.judged.candidate.origin.label(),
        1 => "1 alternative".to_owned(),
        n => format!("{n} alternatives"),
    };
    (Status::FixReady, note, Some(row(best)))
}

#[cfg(test)]
mod tests;
