//! Follows the folders of watched projects.
//!
//! A new or changed scanner log is imported; a changed source file marks its findings stale and is scanned again by
//! Conclave's own detectors. A removed file closes nothing.

use std::collections::BTreeSet;

use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_core::project::Project;
use conclave_effects::watch::{Change, WatchProject, watch};
use conclave_policy::Actor;
use conclave_store::{FindingQuery, StoreError, StoredFinding};

use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::project::{is_log, logs};
use crate::run::RunError;
use crate::{ingest, scan};

/// Catches up with `project`, then follows it until the context is cancelled.
///
/// # Errors
/// The folder cannot be followed. What goes wrong with a single change is handed to `complain` and does not end the watch.
pub async fn follow(cx: &Ctx, project: &Project, complain: &(dyn Fn(String) + Sync)) -> Result<(), RunError> {
    let permit = cx.gate.authorize(Actor::Engine, WatchProject { root: project.root.clone().into() }).await?;
    let mut changes = watch(permit)?;
    reconcile(cx, project, complain).await;
    loop {
        let batch = tokio::select! {
            batch = changes.next() => batch,
            () = cx.cancel.cancelled() => None,
        };
        let Some(batch) = batch else { return Ok(()) };
        if batch.contains(&Change::Rescan) {
            reconcile(cx, project, complain).await;
        } else {
            take(cx, project, &batch, complain).await;
        }
    }
}

/// Imports every log and scans everything: after a start, and when the system lost count of the changes.
async fn reconcile(cx: &Ctx, project: &Project, complain: &(dyn Fn(String) + Sync)) {
    match logs(cx, project).await {
        Ok(found) => import(cx, project, &found, complain).await,
        Err(error) => complain(format!("`{}` could not be searched for scanner logs: {error}", project.name)),
    }
    if let Err(error) = scan::scan(cx, project, None).await {
        complain(format!("`{}` could not be scanned: {error}", project.name));
    }
}

async fn take(cx: &Ctx, project: &Project, batch: &[Change], complain: &(dyn Fn(String) + Sync)) {
    let mut touched = BTreeSet::new();
    let mut changed = BTreeSet::new();
    for change in batch {
        let (name, there) = match change {
            Change::Touched(name) => (name, true),
            Change::Removed(name) => (name, false),
            Change::Rescan => continue,
        };
        let Ok(path) = RelPath::new(name) else { continue };
        changed.insert(path.as_str().to_owned());
        if there {
            touched.insert(path);
        }
    }
    for change in batch {
        if let Change::Removed(folder) = change {
            changed.extend(reported_under(cx, project, folder).unwrap_or_default());
        }
    }
    let changed: Vec<String> = changed.into_iter().collect();
    match cx.store.mark_stale(&project.id, &changed) {
        Ok(0) => {}
        Ok(_) => cx.events.send(Event::Changed(vec![Topic::Findings])),
        Err(error) => complain(error.to_string()),
    }
    let (found, sources): (Vec<RelPath>, Vec<RelPath>) = touched.into_iter().partition(|path| is_log(path.as_str()));
    let sources: Vec<RelPath> = sources.into_iter().filter(|path| Language::of_path(path).is_some()).collect();
    import(cx, project, &found, complain).await;
    if !sources.is_empty()
        && let Err(error) = scan::scan(cx, project, Some(&sources)).await
    {
        complain(format!("`{}` could not be scanned: {error}", project.name));
    }
}

/// The files with findings under the folder `name`, for when it goes away in one piece.
fn reported_under(cx: &Ctx, project: &Project, name: &str) -> Result<Vec<String>, StoreError> {
    let folder = format!("{name}/");
    let query =
        FindingQuery { project: Some(project.id.clone()), path: Some(folder.clone()), ..FindingQuery::default() };
    let path = |stored: StoredFinding| Some(stored.finding.detection.location?.path.to_string());
    let paths = cx.store.every_finding(&query)?.into_iter().filter_map(path);
    Ok(paths.filter(|path| path.starts_with(&folder)).collect())
}

async fn import(cx: &Ctx, project: &Project, found: &[RelPath], complain: &(dyn Fn(String) + Sync)) {
    for log in found {
        if let Err(error) = ingest::import_inside(cx, project, log).await {
            complain(format!("`{log}` was not imported: {error}"));
        }
    }
}
