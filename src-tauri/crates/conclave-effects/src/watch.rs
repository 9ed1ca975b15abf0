//! Being told when a project's files change.
//!
//! Events of the operating system only say *where* to look; what is reported is what is there when we look. Only
//! folders that no ignore file leaves out are watched, each by itself, so that a `node_modules` costs nothing; folders
//! that appear later are watched from then on.
//!
//! Invariant: memory is bounded. Whoever cannot keep up loses details, never the fact that something changed: the
//! queue then holds one [`Change::Rescan`].

mod follow;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conclave_policy::{Action, Actor, ToolRequest};
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

use crate::fs::open_judged;
use crate::touched::on_project;
use crate::{Effect, FsError, Permit};
use follow::Follower;

/// Batches that wait for a reader before details are dropped.
const QUEUE: usize = 64;
/// Changes in one batch before details are dropped.
const LARGEST_BATCH: usize = 4096;

/// The effect of watching a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchProject {
    /// The project's folder: absolute, without symbolic links in it.
    pub root: PathBuf,
}

impl Effect for WatchProject {
    fn request(&self, actor: &Actor) -> ToolRequest {
        on_project(actor, Action::WatchProject, &self.root)
    }
}

/// One change; paths are relative and '/'-joined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A regular file is there, with a content that may be new.
    Touched(String),
    /// A file, or a folder with everything in it, is gone.
    Removed(String),
    /// More happened than can be told: look at everything.
    Rescan,
}

/// A project that is being watched; dropping it ends the watching.
pub struct Watch {
    changes: Receiver<Vec<Change>>,
    overflowed: Arc<AtomicBool>,
    _stop: follow::Stop,
}

/// Starts watching; changes from then on are reported, about 200 ms after a file comes to rest.
///
/// # Errors
/// [`FsError::WatchLimit`] when the system watches no more folders; otherwise as
/// [`open_project`](crate::open_project).
pub fn watch(permit: Permit<WatchProject>) -> Result<Watch, FsError> {
    let (WatchProject { root }, request) = permit.open()?;
    let root = open_judged(&root, &request)?;
    let (sender, changes) = channel(QUEUE);
    let overflowed = Arc::new(AtomicBool::new(false));
    let outlet = Outlet { sender, overflowed: Arc::clone(&overflowed) };
    Ok(Watch { changes, overflowed, _stop: Follower::start(root, outlet)? })
}

impl Watch {
    /// The next changes, sorted and each once; `None` when the project can no longer be watched. May be cancelled.
    pub async fn next(&mut self) -> Option<Vec<Change>> {
        let batch = self.changes.recv().await?;
        if !self.overflowed.swap(false, Ordering::AcqRel) {
            return Some(batch);
        }
        // What still waits is part of what a rescan finds.
        while self.changes.try_recv().is_ok() {}
        Some(vec![Change::Rescan])
    }
}

/// Where changes go: a queue that never waits.
struct Outlet {
    sender: Sender<Vec<Change>>,
    overflowed: Arc<AtomicBool>,
}

impl Outlet {
    fn put(&self, mut batch: Vec<Change>) {
        batch.sort_unstable();
        batch.dedup();
        if batch.is_empty() {
            return;
        }
        if batch.len() > LARGEST_BATCH || batch.contains(&Change::Rescan) {
            batch = vec![Change::Rescan];
        }
        if let Err(TrySendError::Full(_)) = self.sender.try_send(batch) {
            // A full queue has batches in it, so the reader will come by and see this.
            self.overflowed.store(true, Ordering::Release);
        }
    }
}
