//! Accepted fixes, written out as a training set where the person allows it.
//!
//! Deliberately absent: the form of a line, which is the boundary's. Invariants: nothing is written unless
//! `learning.may_export` is true; what is of another client, or of one that is excluded, is left out; each line was looked
//! through for secrets as what is sent to a model is, and one that could not be is left out and counted. One fix is held
//! at a time.

mod example;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use conclave_core::finding::Finding;
use conclave_core::label::{Label, Standing};
use conclave_core::resolution::Verdict;
use conclave_core::settings::Settings;
use conclave_effects::{Body, Denied, FsError, Secret, Spool, WriteSpooled, write_spooled};
use conclave_policy::Actor;
use conclave_store::{KnownFix, StoreError};

use super::Client;
use crate::blocking::blocking;
use crate::ctx::Ctx;

pub use example::{Example, Piece};

/// Which fixes are wanted, and how much of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whose; empty for nobody's.
    pub client: String,
    /// Whether each piece says where in its project it stands.
    pub paths: bool,
}

/// How one example becomes a line.
pub type Line = fn(&Example) -> Result<String, serde_json::Error>;

/// What was written out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many fixes; with none, there is no file.
    pub rows: u64,
    /// How many secrets were taken out of them.
    pub redactions: u64,
    /// How many accepted fixes were left out, by why.
    pub left_out: BTreeMap<LeftOut, u64>,
}

/// Why an accepted fix is not written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Its project belongs to somebody else by now, or nothing is learned of it any more.
    Project,
    /// The finding, the run or the text is gone.
    Gone,
    /// Its files are no text, or the edits do not fit them.
    NotText,
    /// There is too much of it.
    Large,
    /// It cannot be looked through for secrets.
    Unscannable,
    /// A secret in it cannot be taken out without spoiling it.
    Entangled,
}

impl LeftOut {
    /// The words that people read, after how many.
    pub fn label(self) -> &'static str {
        match self {
            Self::Project => "of a project that is another client\u{2019}s by now, or of which nothing is learned",
            Self::Gone => "whose finding, run or text is not kept any more",
            Self::NotText => "whose files are no text that the edits fit",
            Self::Large => "with too much code",
            Self::Unscannable => "that could not be looked through for secrets",
            Self::Entangled => "with a secret that could not be taken out",
        }
    }
}

/// Why nothing is written out.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// Nobody said that it may be.
    #[error("accepted fixes may not be written out: `learning.may_export` is not true in `{}`", .0.display())]
    NotAllowed(PathBuf),
    /// The settings name no such client.
    #[error("there is no client `{0}`")]
    NoClient(String),
    /// Nothing is learned of this client.
    #[error("nothing is learned here, so nothing is written out: {0}")]
    Off(String),
    /// The keys that must not be in it cannot be had.
    #[error("it cannot be looked through for your keys: {0}")]
    Keys(String),
    /// The policy denies it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The file, or ours.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// What is kept until it is whole cannot be.
    #[error("it cannot be put together: {0}")]
    Spool(#[from] std::io::Error),
    /// A line has no text.
    #[error("a fix has no form as a line: {0}")]
    Line(#[from] serde_json::Error),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the accepted fixes that are `wanted` into the file at `to`, one line each, as `line` has it.
///
/// # Errors
/// See [`TrainingError`]; then the file is as it was.
pub async fn export(cx: &Ctx, to: &Path, wanted: Wanted, line: Line) -> Result<Exported, TrainingError> {
    let settings = cx.settings();
    if !settings.learning.may_export {
        return Err(TrainingError::NotAllowed(cx.data.path().join("settings.json")));
    }
    let client = Client::named(&settings, &wanted.client).ok_or(TrainingError::NoClient(wanted.client.clone()))?;
    if let Some(why) = client.refused {
        return Err(TrainingError::Off(why));
    }
    let keys = cx.models.keys().all(&cx.gate, &Actor::Person, None).await;
    let keys = keys.map_err(|error| TrainingError::Keys(error.to_string()))?;
    let engine = cx.clone();
    let gathered = blocking(move || gathered(&engine, &settings, &wanted, &keys, line)).await;
    let (content, exported) = gathered?;
    if exported.rows > 0 {
        let permit = cx.gate.authorize(Actor::Person, WriteSpooled { path: to.to_owned(), content }).await?;
        blocking(move || write_spooled(permit)).await?;
    }
    Ok(exported)
}

/// All lines, and what they are.
fn gathered(
    cx: &Ctx,
    settings: &Settings,
    wanted: &Wanted,
    keys: &[Secret],
    line: Line,
) -> Result<(Spool, Exported), TrainingError> {
    let (mut spool, mut exported) = (cx.data.spool()?, Exported::default());
    cx.store.each_known_fix(&wanted.client, |fix| -> Result<(), TrainingError> {
        let Some(label) = accepted(&fix) else { return Ok(()) };
        let made = match subject(cx, settings, &fix)? {
            Ok((finding, verdict)) => example::made(cx, (&finding, &verdict), label, keys, wanted.paths),
            Err(why) => Err(why),
        };
        let clean = match made {
            Ok(example) => clean(line(&example)?, keys).map(|text| (text, example.redactions)),
            Err(why) => Err(why),
        };
        match clean {
            Ok((text, redactions)) => {
                spool.write_all(&text)?;
                spool.write_all(b"\n")?;
                exported.rows += 1;
                exported.redactions += redactions as u64;
            }
            Err(why) => *exported.left_out.entry(why).or_default() += 1,
        }
        Ok(())
    })?;
    Ok((spool, exported))
}

/// What is known of a fix that was right; `None` for all others.
fn accepted(fix: &KnownFix) -> Option<Label> {
    Standing::of(fix.events.iter().map(|(_, event)| event)).label().filter(|label| label.right)
}

/// The finding of `fix` and what was seen of it.
fn subject(cx: &Ctx, settings: &Settings, fix: &KnownFix) -> Result<Result<(Finding, Verdict), LeftOut>, StoreError> {
    let project = cx.store.project(&fix.project)?;
    let (stored, resolution) = (cx.store.finding(&fix.finding)?, cx.store.resolution(&fix.finding)?);
    let (Some(project), Some(stored), Some(resolution)) = (project, stored, resolution) else {
        return Ok(Err(LeftOut::Gone));
    };
    let owner = Client::of(settings, &project.root);
    if owner.name != fix.client || owner.refused.is_some() {
        return Ok(Err(LeftOut::Project));
    }
    // A later run may have come to other fixes.
    let verdict = resolution.verdict(&fix.fix).cloned();
    Ok(verdict.map(|verdict| (stored.finding, verdict)).ok_or(LeftOut::Gone))
}

/// `line` as it may be written: a secret that shows only now, across what was looked through one by one, spoils it.
fn clean(line: String, keys: &[Secret]) -> Result<Vec<u8>, LeftOut> {
    let keys: Vec<&Secret> = keys.iter().collect();
    let body = Body::redacted(line.into_bytes(), &keys).map_err(|_| LeftOut::Unscannable)?;
    if body.redactions().is_empty() { Ok(body.bytes().to_vec()) } else { Err(LeftOut::Entangled) }
}
