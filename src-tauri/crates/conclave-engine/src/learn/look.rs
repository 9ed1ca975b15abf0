//! Goes and sees what became of the fixes in a project: whether they still stand there, and whether they are merged.
//!
//! Every fix is looked for once a day at most. Invariant: what cannot be seen is no outcome, and a fix cannot be seen while
//! another branch is checked out than the one that it was written to.

use conclave_core::digest::Digest;
use conclave_core::id::ProjectId;
use conclave_core::label::{Event, KEPT_DAYS, Place, Standing, fate};
use conclave_effects::FsError;
use conclave_store::{IntentFile, KnownFix, StoreError};
use similar::{DiffOp, TextDiff};

use super::{DAY_MS, git};
use crate::ctx::Ctx;
use crate::head;
use crate::source::Sources;

/// The lines that a change took out, with those that it put in their place; one pair a hunk.
type Hunks = Vec<(Vec<String>, Vec<String>)>;

/// Looks for the fixes in the project of `sources` that nobody has looked for since yesterday. Where that fails, less is
/// known, and nothing else.
pub(crate) async fn look_back(cx: &Ctx, project: &ProjectId, sources: &Sources) {
    if cx.data.is_handed_over() {
        return;
    }
    if let Err(error) = look(cx, project, sources, head::of(sources.tree())).await {
        tracing::warn!(%error, "the fixes of a project cannot be looked for");
    }
}

/// Looks where `head` was checked out; what is seen where something else is by then is not.
pub(super) async fn look(
    cx: &Ctx,
    project: &ProjectId,
    sources: &Sources,
    head: Option<String>,
) -> Result<(), StoreError> {
    let now_ms = cx.now_ms();
    let due = cx.store.take_unlooked(project, now_ms - DAY_MS, now_ms)?;
    let mut branch = None;
    for fix in due {
        let standing = Standing::of(fix.events.iter().map(|(_, event)| event));
        if !matches!(standing.place, Place::Applied | Place::Edited) {
            continue;
        }
        let Some(files) = changed(cx, &fix)? else { continue };
        let tell = |event: Event| cx.store.add_fix_event(&fix.client, &fix.finding, &fix.fix, &event, now_ms);
        let max_bytes = cx.settings().max_file_bytes;
        let now = |path: &str| match sources.tree().read(path, max_bytes) {
            Ok(content) => String::from_utf8(content.bytes).ok().map(Some),
            Err(FsError::NotFound { .. }) => Some(None),
            Err(_) => None,
        };
        let texts: Option<Vec<Option<String>>> = files.iter().map(|(file, _)| now(&file.path)).collect();
        let Some(texts) = texts else { continue };
        if head::of(sources.tree()) != head {
            break;
        }
        let seen = together(files.iter().zip(&texts).map(|((_, hunks), text)| of_file(hunks, text.as_deref())));
        let stands = seen.is_none();
        if let Some(event) = seen.filter(|_| is_where_it_was(&fix, head.as_deref())) {
            if standing.after(&event) != standing {
                tell(event)?;
            }
            continue;
        }
        if standing.place == Place::Edited {
            continue;
        }
        if stands && !standing.kept && is_old(&fix, now_ms) {
            tell(Event::Kept)?;
        }
        if branch.is_none() {
            branch = Some(git::DefaultBranch::of(cx, sources).await);
        }
        if let Some(Some(branch)) = &branch
            && let Some(merged) = on_branch(branch, &files).await
        {
            match (merged, standing.merged) {
                (None, false) => tell(Event::Merged)?,
                (Some(Event::Reverted), true) => tell(Event::Reverted)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// The files that `fix` changed, with its hunks; `None` where its bytes are gone or no text.
fn changed(cx: &Ctx, fix: &KnownFix) -> Result<Option<Vec<(IntentFile, Hunks)>>, StoreError> {
    let Some(intent) = cx.store.applied(&fix.finding)? else { return Ok(None) };
    if intent.candidate_for(&fix.finding) != Some(&fix.fix) {
        return Ok(None);
    }
    let text = |digest: &str| String::from_utf8(cx.data.blob(digest).ok()?).ok();
    let file = |file: IntentFile| {
        let (before, after) = (text(&file.before)?, text(&file.after)?);
        let hunks = hunks(&before, &after);
        // Where the text before reads as if it were fixed, nothing can be told.
        (fate(&hunks, &before) == Some(Event::Reverted)).then_some((file, hunks))
    };
    Ok(intent.files.into_iter().map(file).collect())
}

fn hunks(before: &str, after: &str) -> Hunks {
    let diff = TextDiff::from_lines(before, after);
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let part = |lines: &[&str], range: std::ops::Range<usize>| -> Vec<String> {
        lines.get(range).unwrap_or_default().iter().map(|line| (*line).to_owned()).collect()
    };
    let changes = diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    changes.map(|op| (part(&old, op.old_range()), part(&new, op.new_range()))).collect()
}

/// What became of the change of one file; a file that is gone has been worked on.
fn of_file(hunks: &Hunks, text: Option<&str>) -> Option<Event> {
    text.map_or(Some(Event::Edited), |text| fate(hunks, text))
}

/// What became of a change of several files.
fn together(files: impl Iterator<Item = Option<Event>>) -> Option<Event> {
    let files: Vec<Option<Event>> = files.collect();
    if files.iter().all(Option::is_none) {
        None
    } else if files.iter().all(|file| *file == Some(Event::Reverted)) {
        Some(Event::Reverted)
    } else {
        Some(Event::Edited)
    }
}

fn is_old(fix: &KnownFix, now_ms: i64) -> bool {
    applied(fix).is_some_and(|(at, _)| now_ms - at >= KEPT_DAYS * DAY_MS)
}

/// Whether `head` is what was checked out when the fix was written; where that is not known, it is taken to be.
pub(super) fn is_where_it_was(fix: &KnownFix, head: Option<&str>) -> bool {
    applied(fix).and_then(|(_, at)| at).is_none_or(|at| Some(at) == head)
}

/// When it was last applied, and what was checked out then.
fn applied(fix: &KnownFix) -> Option<(i64, Option<&str>)> {
    fix.events.iter().rev().find_map(|(at, event)| match event {
        Event::Applied { head, .. } => Some((*at, head.as_deref())),
        _ => None,
    })
}

/// What became of the change on the default branch; `None` where that cannot be seen.
async fn on_branch(branch: &git::DefaultBranch<'_>, files: &[(IntentFile, Hunks)]) -> Option<Option<Event>> {
    let mut seen = Vec::new();
    for (file, hunks) in files {
        let bytes = branch.file(&file.path).await?;
        // Most often the whole file is as the fix left it.
        let same = Digest::of(&bytes).as_str() == file.after;
        seen.push(if same { None } else { of_file(hunks, Some(std::str::from_utf8(&bytes).ok()?)) });
    }
    Some(together(seen.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_its_hunks_and_each_is_found_again() {
        let before = "import yaml\n\na = yaml.load(x)\nb = 1\nc = md5(y)\n";
        let after = "import yaml\nimport hashlib\n\na = yaml.safe_load(x)\nb = 1\nc = hashlib.sha256(y)\n";
        let hunks = hunks(before, after);
        assert_eq!(hunks.len(), 3);
        for (now, expect) in [
            (after, None),
            (before, Some(Event::Reverted)),
            ("import hashlib\na = yaml.load(x)\n", Some(Event::Edited)),
        ] {
            assert_eq!(fate(&hunks, now), expect, "{now}");
        }
        let of = |text: Option<&str>| of_file(&hunks, text);
        assert_eq!(of(None), Some(Event::Edited));
        for (files, expect) in [
            (vec![None, None], None),
            (vec![Some(Event::Reverted), Some(Event::Reverted)], Some(Event::Reverted)),
            (vec![None, Some(Event::Reverted)], Some(Event::Edited)),
        ] {
            assert_eq!(together(files.clone().into_iter()), expect, "{files:?}");
        }
    }
}
