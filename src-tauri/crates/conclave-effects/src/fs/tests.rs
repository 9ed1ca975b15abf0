//! What is reached and what is not, by the kernel's promise and by the walk that stands in for it.

mod beneath;
mod named;
mod walk;

use std::fs;
use std::path::{Path, PathBuf};

use crate::gate::tests::permit_now;
use crate::{FsError, ProjectTree, ReadProject, open_project};

/// A folder with a project in it and a secret beside it.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(ground.at("project/src")).unwrap();
        fs::write(ground.at("secret"), "secret").unwrap();
        fs::write(ground.at("project/a.py"), "a").unwrap();
        fs::write(ground.at("project/src/b.py"), "bb").unwrap();
        ground
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    fn project(&self) -> ProjectTree {
        open(&self.at("project")).ok().unwrap()
    }
}

fn open(root: &Path) -> Result<ProjectTree, FsError> {
    open_project(permit_now(ReadProject { root: root.to_owned() }))
}

/// The name of an error's kind.
fn kind<T>(result: Result<T, FsError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(FsError::Stale(_)) => "stale",
        Err(FsError::NotFound { .. }) => "not found",
        Err(FsError::Outside { .. }) => "outside",
        Err(FsError::NotResolved { .. }) => "not resolved",
        Err(FsError::NotRegular { .. }) => "not regular",
        Err(FsError::NotFolder { .. }) => "not a folder",
        Err(FsError::TooLarge { .. }) => "too large",
        Err(FsError::NotOurs { .. }) => "not ours",
        Err(FsError::Damaged { .. }) => "damaged",
        Err(FsError::WatchLimit) => "watch limit",
        Err(FsError::NotConclaves { .. }) => "not Conclave's",
        Err(FsError::Exists { .. }) => "there already",
        Err(FsError::Io { .. }) => "io",
    }
}
