//! Folders that Conclave looks after, and what their manifests say.

use std::path::Path;

use conclave_core::id::ProjectId;
use conclave_core::path::RelPath;
use conclave_core::project::Project;
use conclave_effects::fs::{FsError, resolve};
use conclave_fixers::ProjectFacts;
use conclave_toolbox::intelligence::{self, Framework};

use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::run::RunError;
use crate::source::Sources;

/// Registers the folder at `path`.
///
/// # Errors
/// It is not a folder that can be read, or the store fails.
pub fn add(cx: &Ctx, path: &Path, watched: bool) -> Result<Project, RunError> {
    let project = at(path, watched, true)?;
    cx.store.save_project(&project, cx.now_ms())?;
    cx.events.send(Event::Changed(vec![Topic::Projects]));
    Ok(project)
}

/// The project that the folder at `path` is, kept in the list by the person or not.
///
/// # Errors
/// It is not a folder that can be read.
pub fn at(path: &Path, watched: bool, listed: bool) -> Result<Project, RunError> {
    let root = resolve(path)?;
    if !root.is_dir() {
        return Err(FsError::NotFolder { path: root }.into());
    }
    let name = root.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned());
    let root = root.display().to_string();
    Ok(Project { id: ProjectId::of_root(&root), root, name, watched, listed })
}

/// Whether the project's folder is there.
pub fn is_present(project: &Project) -> bool {
    resolve(Path::new(&project.root)).is_ok_and(|root| root.is_dir())
}

/// Whether `path` is named like a scanner's log.
pub fn is_log(path: &str) -> bool {
    path.ends_with(".sarif") || path.ends_with(".sarif.json")
}

/// The scanner logs that lie in the project.
///
/// # Errors
/// The project cannot be opened.
pub async fn logs(cx: &Ctx, project: &Project) -> Result<Vec<RelPath>, RunError> {
    let sources = Sources::open(cx, project.root.as_ref()).await?;
    let walk = sources.tree().walk(&is_log);
    Ok(walk.files.iter().filter_map(|name| RelPath::new(name).ok()).collect())
}

/// What the project's manifests say that a recipe has to know.
pub fn facts(sources: &Sources) -> ProjectFacts {
    of_manifests(sources, |manifests| ProjectFacts::of_manifests(manifests.iter().copied()))
}

/// The frameworks that the project's manifests name, as far as they may be looked up by name.
pub fn frameworks(sources: &Sources) -> Vec<Framework> {
    of_manifests(sources, |manifests| intelligence::of_manifests(manifests.iter().copied()))
}

/// What `read` makes of the manifests that lie in the project's folder, each a name and its text.
fn of_manifests<T>(sources: &Sources, read: impl FnOnce(&[(&str, &str)]) -> T) -> T {
    const MANIFESTS: [&str; 8] = [
        "requirements.txt",
        "pyproject.toml",
        "setup.cfg",
        "Pipfile",
        "package.json",
        "pom.xml",
        "build.gradle",
        "build.gradle.kts",
    ];
    let files = MANIFESTS.map(|name| Some((name, sources.file(&RelPath::new(name).ok()?).ok()?)));
    let texts: Vec<(&str, &str)> =
        files.iter().flatten().filter_map(|(name, source)| Some((*name, source.text()?))).collect();
    read(&texts)
}
