//! The policy as it holds for what happens in one folder, for people who ask why.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conclave_effects::policy_files::{self, PROJECT};
use conclave_policy::Layer;
use conclave_store::StoreError;

use super::{FileState, Layers, missing, roots};
use crate::ctx::Ctx;

/// All layers for a call that is made in `folder`, an absolute path without links, read now: those of the projects that
/// are known, and those of the folders around it that have rules of their own. Files that could be there are among
/// them.
///
/// # Errors
/// The store cannot say which projects there are.
pub fn seen_from(cx: &Ctx, folder: &Path) -> Result<Layers, StoreError> {
    let known: BTreeSet<String> = roots(cx)?.into_iter().collect();
    let around = folder.ancestors().filter(|folder| folder.join(".conclave").exists());
    let all: BTreeSet<String> = known.iter().cloned().chain(around.map(text)).collect();
    let mut layers = cx.policy.with(&all.into_iter().collect::<Vec<_>>(), None);

    let files = &mut layers.files;
    if files.iter().all(|file| file.layer != Layer::Admin) {
        let at = files.iter().take_while(|file| file.layer < Layer::Admin).count();
        files.insert(at, missing(Layer::Admin, "admin".to_owned(), PathBuf::from(policy_files::ADMIN)));
    }
    // Without a file of the person's own, the shipped rules stand in its place.
    if let Some(own) = files.iter_mut().find(|file| file.layer == Layer::User && file.state == FileState::BuiltIn) {
        own.path = Some(cx.data.policy_path());
    }
    let is_project = |folder: &&Path| {
        known.contains(&text(folder)) || [".git", ".conclave"].iter().any(|name| folder.join(name).exists())
    };
    let project = folder.ancestors().find(is_project).unwrap_or(folder);
    let path = project.join(PROJECT);
    if files.iter().all(|file| file.path.as_ref() != Some(&path)) {
        files.push(missing(Layer::Project, text(project), path));
    }
    Ok(layers)
}

fn text(folder: &Path) -> String {
    folder.to_string_lossy().into_owned()
}
