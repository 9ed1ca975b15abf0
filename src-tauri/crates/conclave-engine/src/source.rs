//! Source files as one run sees them: read once, by digest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use conclave_core::digest::Digest;
use conclave_core::path::RelPath;
use conclave_effects::fs::{ProjectTree, ReadProject, open_project};
use conclave_policy::Actor;

use crate::ctx::Ctx;
use crate::policies;
use crate::run::RunError;

/// One file.
#[derive(Debug)]
pub struct Source {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The digest of the bytes.
    pub digest: Digest,
}

impl Source {
    /// A file with these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }

    /// Its text, a byte order mark included; `None` where it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }
}

/// The files of one project, each read at most once.
pub struct Sources {
    tree: ProjectTree,
    max_bytes: u64,
    opened_ms: i64,
    read: Mutex<BTreeMap<RelPath, Arc<Source>>>,
}

impl Sources {
    /// Opens the project at `root` for reading.
    ///
    /// # Errors
    /// The policy denies it, or the folder cannot be opened.
    pub async fn open(cx: &Ctx, root: &Path) -> Result<Self, RunError> {
        Self::open_as(cx, Actor::Engine, root).await
    }

    /// The same for the person, who looks at files.
    ///
    /// # Errors
    /// As for [`Sources::open`].
    pub async fn open_for_person(cx: &Ctx, root: &Path) -> Result<Self, RunError> {
        Self::open_as(cx, Actor::Person, root).await
    }

    async fn open_as(cx: &Ctx, actor: Actor, root: &Path) -> Result<Self, RunError> {
        // A project may make the policy stricter, and has to be asked before anything is done with it.
        policies::reload(cx)?;
        let permit = cx.gate.authorize(actor, ReadProject { root: root.to_owned() }).await?;
        let tree = open_project(permit)?;
        Ok(Self { tree, max_bytes: cx.settings().max_file_bytes, opened_ms: cx.now_ms(), read: Mutex::default() })
    }

    /// The project's folder.
    pub fn root(&self) -> PathBuf {
        self.tree.root().to_owned()
    }

    /// When it was opened, in milliseconds since 1970-01-01 UTC.
    pub fn opened_ms(&self) -> i64 {
        self.opened_ms
    }

    /// The project as a tree.
    pub fn tree(&self) -> &ProjectTree {
        &self.tree
    }

    /// The file at `path`.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn file(&self, path: &RelPath) -> Result<Arc<Source>, String> {
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(source) = read.get(path) {
            return Ok(Arc::clone(source));
        }
        let source = Arc::new(self.now(path)?);
        read.insert(path.clone(), Arc::clone(&source));
        Ok(source)
    }

    /// The file at `path` as it is at this moment.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn now(&self, path: &RelPath) -> Result<Source, String> {
        let content = self.tree.read(path.as_str(), self.max_bytes).map_err(|error| error.to_string())?;
        Ok(Source::new(content.bytes))
    }
}
