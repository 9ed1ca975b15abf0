//! The sample project, bundled: source files only, no answers.

use std::collections::BTreeMap;

use conclave_core::digest::Digest;
use conclave_core::path::RelPath;
use conclave_core::project::Project;
use include_dir::{Dir, include_dir};

use crate::ctx::Ctx;
use crate::ingest;
use crate::project;
use crate::run::RunError;
use crate::scan;
use crate::source::Sources;

static SAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../../tests/fixtures/projects/corner-shop");

/// Where the sample lies in our own folder.
pub(crate) const FOLDER: &str = "demo/corner-shop";

/// Puts the sample into our own folder unless it is there, registers it and scans it.
///
/// # Errors
/// The folder cannot be written, or as for a scan.
pub async fn open(cx: &Ctx) -> Result<Project, RunError> {
    let mut files = Vec::new();
    collect(&SAMPLE, &mut files);
    let root = cx.data.unpack(FOLDER, &files)?;
    let project = project::add(cx, &root, true)?;
    for log in project::logs(cx, &project).await? {
        ingest::import_inside(cx, &project, &log).await?;
    }
    scan::scan(cx, &project, None).await?;
    Ok(project)
}

/// Whether the project is the sample and nothing else: each of its files is one of the bundled ones, byte for byte.
pub(crate) fn is_sample(sources: &Sources) -> bool {
    let mut files = Vec::new();
    collect(&SAMPLE, &mut files);
    let bundled: BTreeMap<&str, Digest> = files.into_iter().map(|(path, bytes)| (path, Digest::of(bytes))).collect();
    let found = sources.tree().walk(&|_| true).files;
    let is_ours = |path: &String| {
        let shipped = bundled.get(path.as_str());
        let now = || sources.now(&RelPath::new(path).ok()?).ok();
        shipped.is_some_and(|shipped| now().is_some_and(|now| now.digest == *shipped))
    };
    !found.is_empty() && found.iter().all(is_ours)
}

fn collect<'a>(dir: &'a Dir<'a>, files: &mut Vec<(&'a str, &'a [u8])>) {
    files.extend(dir.files().filter_map(|file| Some((file.path().to_str()?, file.contents()))));
    for sub in dir.dirs() {
        collect(sub, files);
    }
}
