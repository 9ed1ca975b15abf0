//! Draws the conclusion of a run again, from what its stages stored, and says whether it is the same to the byte.
//!
//! Nothing is asked, run or written. Invariant: only stored results go in, so that anybody with the database comes to the
//! same conclusion, and a conclusion that was changed afterwards is found out.

use conclave_core::brief::Brief;
use conclave_core::candidate::Seat;
use conclave_core::digest::Digest;
use conclave_core::id::RunId;
use conclave_core::resolution::{Judged, Resolution, Work};
use conclave_core::synthesis::Synthesis;
use conclave_store::Store;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::deliberate::Deliberated;
use crate::event::Stage;
use crate::run::{RunError, resolve, stage_name};
use crate::stage::{Opinions, with};

/// A conclusion that was drawn again.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The conclusion as it comes out now.
    pub resolution: Resolution,
    /// Whether the stored one is the same, to the byte.
    pub same: bool,
}

/// Draws the conclusion of `run` again; `None` when a stage or the conclusion is not stored, as of a run that has not
/// come to its end or was followed by another.
///
/// # Errors
/// The store fails, or a stage cannot be read.
pub fn replay(store: &Store, run: &RunId) -> Result<Option<Replayed>, RunError> {
    let Some(before) = store.resolution_json(run)? else { return Ok(None) };
    let Some(kept) = Kept::of(store, run)? else { return Ok(None) };
    let resolution = kept.resolve(run);
    let now = serde_json::to_string(&resolution).map_err(|_| RunError::Stage { stage: stage_name(Stage::Conclude) })?;
    Ok(Some(Replayed { resolution, same: now == before }))
}

/// What the stages of a run stored: all that its conclusion is drawn from.
pub(crate) struct Kept {
    /// What was asked.
    pub brief: Brief,
    work: Work,
    opinions: Opinions,
    said: Synthesis,
    /// The person's own versions, with the milliseconds that checking them took.
    pub edits: (Vec<Judged>, u64),
}

impl Kept {
    /// That of `run`; `None` when a stage is not stored.
    pub fn of(store: &Store, run: &RunId) -> Result<Option<Self>, RunError> {
        let Some((brief, _)) = stored::<Brief>(store, run, Stage::Gather)? else { return Ok(None) };
        let Some((seats, analysis_ms)) = stored::<Vec<Seat>>(store, run, Stage::Propose)? else { return Ok(None) };
        let Some((_, verification_ms)) = stored::<Vec<Judged>>(store, run, Stage::Verify)? else { return Ok(None) };
        let Some((again, more_analysis_ms)) = stored(store, run, Stage::ProposeAgain)? else { return Ok(None) };
        let Some((_, more_verification_ms)) = stored::<Vec<Judged>>(store, run, Stage::VerifyAgain)? else {
            return Ok(None);
        };
        let Some((opinions, _)) = stored::<Opinions>(store, run, Stage::Judge)? else { return Ok(None) };
        let Some((said, took_ms)) = stored::<Deliberated>(store, run, Stage::Synthesise)? else { return Ok(None) };
        let Some((judged, last_verification_ms)) = stored(store, run, Stage::VerifyMerged)? else { return Ok(None) };
        let work = Work {
            seats: with(seats, again),
            judged,
            judgements: opinions.judgements.clone(),
            analysis_ms: analysis_ms + more_analysis_ms,
            verification_ms: verification_ms + more_verification_ms + last_verification_ms,
            ..Work::default()
        };
        let edits = stored(store, run, Stage::Edit)?.unwrap_or_default();
        Ok(Some(Self { brief, work, opinions, said: Synthesis { took_ms, ..said.said }, edits }))
    }

    /// Every candidate of the run, the person's own versions last.
    pub fn judged(&self) -> Vec<Judged> {
        self.work.judged.iter().chain(&self.edits.0).cloned().collect()
    }

    /// The conclusion.
    pub fn resolve(&self, run: &RunId) -> Resolution {
        let verification_ms = self.work.verification_ms + self.edits.1;
        let work = Work { judged: self.judged(), verification_ms, ..self.work.clone() };
        resolve(&self.brief, run.clone(), work, &self.opinions.record, self.said.clone())
    }
}

/// The stages of `run` that are stored, in their order, each with the milliseconds that it took; those of a run that was
/// followed by another are gone.
///
/// # Errors
/// The store fails, or a stage cannot be read.
pub fn stages(store: &Store, run: &RunId) -> Result<Vec<(Stage, u64)>, RunError> {
    let took = |stage| Ok(stored::<IgnoredAny>(store, run, stage)?.map(|(_, took_ms)| (stage, took_ms)));
    STORED.into_iter().filter_map(|stage| took(stage).transpose()).collect()
}

/// The stages that store a result, in their order.
const STORED: [Stage; 9] = [
    Stage::Gather,
    Stage::Propose,
    Stage::Verify,
    Stage::ProposeAgain,
    Stage::VerifyAgain,
    Stage::Judge,
    Stage::Synthesise,
    Stage::VerifyMerged,
    Stage::Edit,
];

/// What a stage stored, with the milliseconds that it took.
pub(crate) fn stored<T: DeserializeOwned>(
    store: &Store,
    run: &RunId,
    stage: Stage,
) -> Result<Option<(T, u64)>, RunError> {
    let name = stage_name(stage);
    let Some(text) = store.stage(run, name)? else { return Ok(None) };
    let (_, result): (Option<Digest>, (T, u64)) =
        serde_json::from_str(&text).map_err(|_| RunError::Stage { stage: name })?;
    Ok(Some(result))
}
