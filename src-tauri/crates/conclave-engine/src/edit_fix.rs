//! A person's own version of a fix: made from one that is shown, and checked like any other.
//!
//! The texts that a fix leaves are given out and taken back changed; what they come to is one more candidate, which climbs
//! the whole ladder. Then the conclusion is drawn again, with it. Deliberately absent: writing to the project.
//! Invariants: a version has none of the votes of the fix that it was made from, and no gate opens for it; it is kept with
//! the stages of its run, so that the conclusion comes out the same from them.

mod ends;
pub(crate) mod unified;

use std::path::PathBuf;

use conclave_core::candidate::{Candidate, Origin};
use conclave_core::digest::Digest;
use conclave_core::finding::Status;
use conclave_core::id::{CandidateId, FindingId, RunId};
use conclave_core::patch::{Edit, FilePatch, Patch};
use conclave_core::path::{PathError, RelPath};
use conclave_core::resolution::{Resolution, Verdict};
use conclave_core::tier::{Effort, RunPlan};
use conclave_store::StoreError;
use similar::{DiffOp, TextDiff};

use crate::ctx::Ctx;
use crate::event::{Event, Stage, Topic};
use crate::replay::Kept;
use crate::run::{RunError, stage_name, summary};
use crate::source::Sources;
use crate::stage::{compare_with, examine};

/// Why there is no version.
#[derive(Debug, thiserror::Error)]
pub enum EditFixError {
    /// There is no such finding.
    #[error("there is no finding `{0}`")]
    NoFinding(FindingId),
    /// There is no such fix, or none at all.
    #[error("{0}")]
    NoFix(String),
    /// The finding stands so that nothing can be edited.
    #[error("{0}")]
    Busy(&'static str),
    /// The run's stages are no longer kept.
    #[error("the last run of `{0}` is no longer kept whole")]
    Gone(FindingId),
    /// The path leaves the project.
    #[error("`{path}` is no file of the project: {why}")]
    Path {
        /// As it was given.
        path: String,
        /// Why.
        why: PathError,
    },
    /// The file cannot be read as text.
    #[error("`{path}` cannot be edited: {why}")]
    File {
        /// The file.
        path: RelPath,
        /// Why.
        why: String,
    },
    /// The file is another one than the fix was written against.
    #[error("`{0}` was changed since the fix was made")]
    Changed(RelPath),
    /// Nothing is different from the project, or from the fix.
    #[error("{0}")]
    Nothing(&'static str),
    /// The patch cannot be read, or does not fit.
    #[error("{0}")]
    Patch(String),
    /// The project cannot be read, or what was stored.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file as a fix leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The file.
    pub path: String,
    /// Its text in the project.
    pub before: String,
    /// Its text after the fix.
    pub after: String,
}

/// What a person made of a fix.
#[derive(Clone, Debug)]
pub enum Change {
    /// Whole texts of files, by path; files that are not named stay as in the project.
    Texts(Vec<(String, String)>),
    /// A unified diff against the project as it is.
    Patch(String),
}

/// A version that was checked.
#[derive(Clone, Debug)]
pub struct Edited {
    /// Its id.
    pub fix: CandidateId,
    /// What came of it.
    pub verdict: Verdict,
}

/// The texts that `fix` of `finding` leaves, or the one that is shown first.
///
/// # Errors
/// See [`EditFixError`].
pub fn texts(
    cx: &Ctx,
    finding: &FindingId,
    fix: Option<&CandidateId>,
) -> Result<(CandidateId, Vec<Text>), EditFixError> {
    let resolution = resolution(cx, finding)?;
    let candidate = &chosen(&resolution, fix)?.judged.candidate;
    let text = |file: &FilePatch| {
        let wrong = |why: &str| EditFixError::File { path: file.path.clone(), why: why.to_owned() };
        let bytes = cx.data.blob(file.base.as_str()).map_err(|_| EditFixError::Changed(file.path.clone()))?;
        let after = file.apply(&bytes).map_err(|error| wrong(&error.to_string()))?;
        let text = |bytes| String::from_utf8(bytes).map_err(|_| wrong("it is no text"));
        Ok(Text { path: file.path.to_string(), before: text(bytes)?, after: text(after)? })
    };
    let texts = candidate.patch.files.iter().map(text).collect::<Result<_, EditFixError>>()?;
    Ok((candidate.id.clone(), texts))
}

/// Checks what the person made of `fix` of `finding`, or of the one that is shown first, and draws the conclusion again.
///
/// # Errors
/// See [`EditFixError`]; then everything is as it was. A version that a check speaks against is no error: it is kept, and
/// says so.
pub async fn edit(
    cx: &Ctx,
    finding: &FindingId,
    fix: Option<&CandidateId>,
    change: &Change,
) -> Result<Edited, EditFixError> {
    let before = resolution(cx, finding)?;
    let run = &before.run;
    let parent = chosen(&before, fix)?;
    let kept = whole(cx, finding, run)?;
    let project = cx.store.project(&kept.brief.finding.project)?;
    let root = project.ok_or_else(|| EditFixError::NoFinding(finding.clone()))?.root;
    let sources = Sources::open(cx, &PathBuf::from(&root)).await?;
    let patch = patch(&sources, change)?;
    for file in &parent.judged.candidate.patch.files {
        if !sources.file(&file.path).is_ok_and(|source| source.digest == file.base) {
            return Err(EditFixError::Changed(file.path.clone()));
        }
    }
    let is_there =
        |kept: &Kept, patch: &Patch| match kept.judged().iter().any(|one| is_same(cx, &one.candidate.patch, patch)) {
            true => Err(EditFixError::Nothing("this is a fix that is there already")),
            false => Ok(()),
        };
    is_there(&kept, &patch)?;
    if patch.is_empty() {
        return Err(EditFixError::Nothing("with this the project would be as it is"));
    }

    let candidate = version(&parent.judged.candidate, patch);
    let id = candidate.id.clone();
    let plan = RunPlan::for_finding(&kept.brief.finding, &root, Effort::Usual, &cx.settings());
    let begin = std::time::Instant::now();
    let mut judged = examine(cx, &kept.brief, &sources, &plan, candidate, |_| {}).await;
    let took_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    judged.parents = vec![parent.judged.candidate.id.clone()];
    compare_with(&mut judged, &kept.judged());

    // Others may have gone on while it was checked, and go on until it is written.
    resolution(cx, finding)?;
    let name = stage_name(Stage::Edit);
    let edits = cx.store.stage(run, name)?;
    let mut kept = whole(cx, finding, run)?;
    is_there(&kept, &judged.candidate.patch)?;
    kept.edits.0.push(judged);
    kept.edits.1 += took_ms;
    let after = kept.resolve(run);
    let stored = serde_json::to_string(&(None::<()>, &kept.edits));
    let stored = stored.map_err(|_| RunError::Stage { stage: name })?;
    let (status, note, confidence) = summary(&after);
    let stage = (name, edits.as_deref(), stored.as_str());
    if !cx.store.replace_resolution(&after, status, &note, confidence, stage, cx.now_ms())? {
        return Err(EditFixError::Busy("another run or version of this finding came in between"));
    }
    cx.events.send(Event::Changed(vec![Topic::Findings]));
    let verdict = after.verdict(&id).cloned().ok_or_else(|| EditFixError::NoFix(format!("there is no fix `{id}`")))?;
    Ok(Edited { fix: id, verdict })
}

/// The result of the last run of `finding`, where a version of its fixes can be made.
fn resolution(cx: &Ctx, finding: &FindingId) -> Result<Resolution, EditFixError> {
    let stored = cx.store.finding(finding)?.ok_or_else(|| EditFixError::NoFinding(finding.clone()))?;
    match stored.status {
        Status::Running => return Err(EditFixError::Busy("a run of this finding is under way")),
        Status::Fixed => return Err(EditFixError::Busy("a fix of this finding is applied already")),
        _ => {}
    }
    cx.store.resolution(finding)?.ok_or_else(|| EditFixError::NoFix("no fix has been looked for yet".to_owned()))
}

fn chosen<'a>(resolution: &'a Resolution, fix: Option<&CandidateId>) -> Result<&'a Verdict, EditFixError> {
    match fix {
        Some(id) => resolution.verdict(id).ok_or_else(|| EditFixError::NoFix(format!("there is no fix `{id}`"))),
        None => {
            let first = resolution.verdicts.first();
            first.ok_or_else(|| EditFixError::NoFix("no seat proposed a fix that could be edited".to_owned()))
        }
    }
}

fn whole(cx: &Ctx, finding: &FindingId, run: &RunId) -> Result<Kept, EditFixError> {
    Kept::of(&cx.store, run)?.ok_or_else(|| EditFixError::Gone(finding.clone()))
}

/// What `change` does to the project.
fn patch(sources: &Sources, change: &Change) -> Result<Patch, EditFixError> {
    let before = |path: &str| -> Result<(RelPath, String), EditFixError> {
        let path = RelPath::new(path).map_err(|why| EditFixError::Path { path: path.to_owned(), why })?;
        let source = sources.file(&path).map_err(|why| EditFixError::File { path: path.clone(), why })?;
        let text = source.text().map(str::to_owned);
        let text = text.ok_or_else(|| EditFixError::File { path: path.clone(), why: "it is no text".to_owned() })?;
        Ok((path, text))
    };
    let mut files: Vec<FilePatch> = Vec::new();
    let mut add = |path: RelPath, before: &str, after: &str| match files.iter().any(|file| file.path == path) {
        true => Err(EditFixError::Patch(format!("`{path}` is changed twice"))),
        false => {
            files.push(between(path, before, after));
            Ok(())
        }
    };
    match change {
        Change::Texts(texts) => {
            for (path, after) in texts {
                let (path, before) = before(path)?;
                add(path, &before, &ends::put_back(&before, after))?;
            }
        }
        Change::Patch(text) => {
            for file in unified::read(text).map_err(EditFixError::Patch)? {
                let (path, before) = before(&file.path)?;
                let after = file.apply(&before).map_err(EditFixError::Patch)?;
                add(path, &before, &after)?;
            }
        }
    }
    Ok(Patch::new(files))
}

/// The edits that turn `before` into `after`: whole lines, and only those that differ.
fn between(path: RelPath, before: &str, after: &str) -> FilePatch {
    let lines = |text: &'_ str| -> Vec<usize> {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at < text.len());
        std::iter::once(0).chain(ends).chain([text.len()]).collect()
    };
    let (old, new) = (lines(before), lines(after));
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let diff = TextDiff::from_slices(&old_lines, &new_lines);
    let edit = |op: &DiffOp| {
        let (from, to) = (op.old_range(), op.new_range());
        Edit { start: old[from.start], end: old[from.end], text: after[new[to.start]..new[to.end]].to_owned() }
    };
    let changed = diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    FilePatch { path, base: Digest::of(before.as_bytes()), edits: changed.map(edit).collect() }
}

/// Whether two patches leave the same texts.
fn is_same(cx: &Ctx, one: &Patch, other: &Patch) -> bool {
    let same = |one: &FilePatch, other: &FilePatch| {
        let after = |file: &FilePatch| file.apply(&cx.data.blob(file.base.as_str()).ok()?).ok();
        one.path == other.path && one.base == other.base && after(one) == after(other)
    };
    one.files.len() == other.files.len() && one.files.iter().zip(&other.files).all(|(one, other)| same(one, other))
}

/// The person's version of `parent` that `patch` is. What its author said of edge cases and effects may hold no longer.
fn version(parent: &Candidate, patch: Patch) -> Candidate {
    let (recipe, title, rationale) = match &parent.origin {
        Origin::Person { recipe } => (recipe.clone(), parent.title.clone(), parent.rationale.clone()),
        origin => {
            let recipe = if let Origin::Recipe { id } = origin { Some(id.clone()) } else { None };
            let rationale = format!("You changed the fix of {}.", origin.label());
            (recipe, format!("Your version of: {}", parent.title), rationale)
        }
    };
    Candidate {
        red_test: parent.red_test.clone(),
        successors: parent.successors.clone(),
        ..Candidate::new(Origin::Person { recipe }, patch, title, rationale)
    }
}

#[cfg(test)]
mod tests;
