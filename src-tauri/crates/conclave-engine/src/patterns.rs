//! Patterns: rewrites that are learned from the fixes which a person accepted, and where else their code stands.
//!
//! They are read anew from the journal and from what became of each fix, so that a fix that was taken back teaches
//! nothing any more. Deliberately absent: trust. What a pattern proposes is checked like every other answer.
//! Invariants: nothing of one client is used for another; what a recipe wrote teaches nothing; a place elsewhere is a
//! hint, and never a finding.

use std::collections::BTreeMap;

use conclave_core::brief::Brief;
use conclave_core::candidate::{Candidate, Draft, Origin, Seat};
use conclave_core::digest::Digest;
use conclave_core::finding::Finding;
use conclave_core::id::{CandidateId, FindingId};
use conclave_core::label::{Place, Standing};
use conclave_core::language::Language;
use conclave_core::patch::{FilePatch, Patch};
use conclave_core::path::RelPath;
use conclave_fixers::{Example, Learned};
use conclave_store::{KnownFix, StoreError};

use crate::ctx::Ctx;
use crate::learn::{self, Client};
use crate::project::facts;
use crate::run::RunError;
use crate::source::Sources;

/// The name of the seat of learned patterns.
const SEAT: &str = "Learned patterns";
/// Most accepted fixes of one kind of weakness that are learned from, newest first.
const MOST_EXAMPLES: usize = 16;
/// Largest file that is learned from, in bytes.
const LARGEST: usize = 256 * 1024;
/// Most files that are searched for the same code, and most places that are shown.
const MOST_FILES: usize = 5_000;
const MOST_PLACES: usize = 200;

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What tells it from others.
    pub id: String,
    /// Against which kind of weakness: a CWE number, else a rule.
    pub kind: String,
    /// The rewrite.
    pub learned: Learned,
    /// The findings whose fixes it was learned from, newest first.
    pub from: Vec<FindingId>,
}

/// A place with the same code as one that was fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The file.
    pub path: RelPath,
    /// First and last line.
    pub lines: (u32, u32),
    /// The first line as it stands there.
    pub text: String,
}

/// One accepted fix with the text of its file on both sides.
struct Accepted {
    finding: FindingId,
    kind: String,
    language: Language,
    before: String,
    after: String,
}

/// The patterns of `client` against `kind` of weakness, or all of them, those with the most fixes behind them first.
///
/// # Errors
/// The store fails.
pub fn known(cx: &Ctx, client: &str, kind: Option<&str>) -> Result<Vec<Pattern>, StoreError> {
    let dropped = cx.store.dropped_patterns(client)?;
    let fixes = cx.store.known_fixes(client)?;
    let wanted = |fix: &&KnownFix| kind.is_none_or(|kind| fix.vulnerability_type == kind);
    let mut read: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Accepted>> = Vec::new();
    for fix in fixes.iter().rev().filter(wanted) {
        let of_its_kind = read.entry(&fix.vulnerability_type).or_default();
        if *of_its_kind == MOST_EXAMPLES {
            continue;
        }
        let Some(accepted) = accepted(cx, fix)? else { continue };
        *of_its_kind += 1;
        // Where several generalise to one rewrite they are one pattern, else each is its own.
        let of_kind = |group: &&mut Vec<Accepted>| {
            group[0].kind == accepted.kind
                && group[0].language == accepted.language
                && generalised(group.iter().chain([&accepted])).is_some()
        };
        match groups.iter_mut().find(of_kind) {
            Some(group) => group.push(accepted),
            None => groups.push(vec![accepted]),
        }
    }
    let mut patterns: Vec<Pattern> = Vec::new();
    for group in groups {
        let Some(learned) = generalised(group.iter()) else { continue };
        let kind = group[0].kind.clone();
        let id = Digest::of_parts([kind.as_str(), &learned.signature()]).short().to_owned();
        if !dropped.contains(&id) {
            patterns.push(Pattern { id, kind, learned, from: group.into_iter().map(|one| one.finding).collect() });
        }
    }
    patterns.sort_by(|a, b| b.from.len().cmp(&a.from.len()).then_with(|| a.id.cmp(&b.id)));
    Ok(patterns)
}

fn generalised<'a>(group: impl Iterator<Item = &'a Accepted>) -> Option<Learned> {
    let group: Vec<&Accepted> = group.collect();
    let examples: Vec<Example<'_>> =
        group.iter().map(|one| Example { before: &one.before, after: &one.after }).collect();
    Learned::from(group.first()?.language, &examples)
}

/// `fix` with its texts, where it stands and teaches something: one file, written by no recipe.
fn accepted(cx: &Ctx, fix: &KnownFix) -> Result<Option<Accepted>, StoreError> {
    let standing = Standing::of(fix.events.iter().map(|(_, event)| event));
    let is_right = standing.label().is_some_and(|label| label.right);
    let taught =
        fix.attempts.iter().any(|attempt| matches!(attempt.origin, Origin::Recipe { .. } | Origin::Pattern { .. }));
    if standing.place != Place::Applied || !is_right || taught {
        return Ok(None);
    }
    let Some((candidate, language, before, after)) = texts(cx, &fix.finding)? else { return Ok(None) };
    if candidate != fix.fix {
        return Ok(None);
    }
    Ok(Some(Accepted { finding: fix.finding.clone(), kind: fix.vulnerability_type.clone(), language, before, after }))
}

/// The file of the applied fix of `finding`, before and after: its candidate, its language and both texts. `None` where
/// it is not of one file, or too large. A change that holds several fixes says of none of them alone what it did.
fn texts(cx: &Ctx, finding: &FindingId) -> Result<Option<(CandidateId, Language, String, String)>, StoreError> {
    let Some(intent) = cx.store.applied(finding)? else { return Ok(None) };
    let ([file], [fix]) = (intent.files.as_slice(), intent.fixes.as_slice()) else { return Ok(None) };
    let text = |digest: &str| {
        let bytes = cx.data.blob(digest).ok().filter(|bytes| bytes.len() <= LARGEST)?;
        String::from_utf8(bytes).ok()
    };
    let all = || Some((fix.candidate.clone(), Language::of_name(&file.path)?, text(&file.before)?, text(&file.after)?));
    Ok(all())
}

/// The seat of the patterns that know the kind of `brief`'s finding; `None` where there is none.
pub(crate) fn seat(cx: &Ctx, brief: &Brief, sources: &Sources) -> Option<Seat> {
    let file = brief.file.as_ref().filter(|_| brief.unusable.is_none())?;
    let region = brief.finding.detection.location.as_ref()?.region?;
    let (language, kind) = (file.language?, learn::kind(&brief.finding));
    let client = Client::of(&cx.settings(), &sources.root().to_string_lossy());
    if client.refused.is_some() {
        return None;
    }
    let patterns = match known(cx, &client.name, Some(&kind)) {
        Ok(patterns) => patterns,
        Err(error) => {
            tracing::warn!(%error, "learned patterns cannot be read");
            return None;
        }
    };
    let source = sources.file(&file.path).ok()?;
    let text = source.text()?;
    let facts = facts(sources);
    let mut drafts = Vec::new();
    for pattern in patterns.iter().filter(|pattern| pattern.learned.language == language) {
        let lines = (region.start_line, region.end_line.max(region.start_line));
        match pattern.learned.fix(text, lines, &facts) {
            Ok(edits) => {
                let path = file.path.clone();
                let patch = Patch::new(vec![FilePatch { path, base: source.digest.clone(), edits }]);
                let (before, after) = pattern.learned.shown();
                let title = format!("Rewrite `{before}` as `{after}`");
                let rationale = match pattern.from.len() {
                    1 => "You accepted this rewrite of the same kind of weakness before.".to_owned(),
                    n => format!("You accepted this rewrite of the same kind of weakness {n} times."),
                };
                let origin = Origin::Pattern { id: pattern.id.clone() };
                drafts.push(Draft::Proposed { candidate: Box::new(Candidate::new(origin, patch, title, rationale)) });
            }
            Err(reason) => drafts.push(Draft::Silent { reason }),
        }
    }
    let is_proposed = |draft: &Draft| matches!(draft, Draft::Proposed { .. });
    if drafts.iter().any(is_proposed) {
        drafts.retain(is_proposed);
    } else {
        drafts.truncate(1);
    }
    (!drafts.is_empty()).then(|| Seat { name: SEAT.to_owned(), drafts, role: None, late: false })
}

/// Where else in the project the code stands that the applied fix of `finding` rewrote.
///
/// # Errors
/// The store fails. Files that cannot be read are left out.
pub fn elsewhere(cx: &Ctx, finding: &Finding, sources: &Sources) -> Result<Vec<Hint>, RunError> {
    let Some((_, language, before, after)) = texts(cx, &finding.id)? else { return Ok(Vec::new()) };
    let learned = Learned::from(language, &[Example { before: &before, after: &after }]);
    let Some(learned) = learned else { return Ok(Vec::new()) };
    let walk = sources.tree().walk(&|name| Language::of_name(name) == Some(learned.language));
    let mut hints = Vec::new();
    for path in walk.files.iter().take(MOST_FILES).filter_map(|name| RelPath::new(name).ok()) {
        let Ok(source) = sources.file(&path) else { continue };
        let Some(text) = source.text() else { continue };
        for lines in learned.elsewhere(text) {
            let line = text.lines().nth(lines.0 as usize - 1).unwrap_or_default();
            hints.push(Hint { path: path.clone(), lines, text: line.trim().to_owned() });
            if hints.len() == MOST_PLACES {
                return Ok(hints);
            }
        }
    }
    Ok(hints)
}

#[cfg(test)]
mod tests;
