//! Being told when one of a few files changes, is created or goes.
//!
//! The folders are watched and not the files, because files are replaced by renaming. Of a folder that is missing, the
//! nearest one above it is watched, so that its creation is told too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use tokio::sync::watch::{Receiver, channel};

use crate::FsError;

/// How long a file must be at rest before a change is told.
const REST: Duration = Duration::from_millis(200);

/// Some files that are followed; dropping it ends the following.
pub struct Following {
    changes: Receiver<u64>,
    _watcher: Debouncer<RecommendedWatcher, NoCache>,
}

/// Follows `files`, which are absolute and need not exist.
///
/// Whoever reads the files after this returns, and again after each [`Following::changed`], has the last of each.
///
/// # Errors
/// [`FsError::WatchLimit`] when the system watches no more folders; [`FsError::Io`] otherwise.
pub fn follow(files: &[PathBuf]) -> Result<Following, FsError> {
    let (sender, changes) = channel(0);
    let wanted: Vec<PathBuf> = files.to_vec();
    let handler = move |events: DebounceEventResult| {
        let touches = |path: &PathBuf| wanted.iter().any(|file| file.starts_with(path));
        let is_news = match events {
            Ok(events) => events
                .iter()
                .filter(|event| !event.kind.is_access())
                .any(|event| event.need_rescan() || event.paths.iter().any(touches)),
            Err(_) => true,
        };
        if is_news {
            sender.send_modify(|count| *count += 1);
        }
    };
    let sort = |path: &Path, error: notify::Error| match error.kind {
        notify::ErrorKind::MaxFilesWatch => FsError::WatchLimit,
        notify::ErrorKind::Io(source) => FsError::io(path, source),
        kind => FsError::io(path, std::io::Error::other(format!("{kind:?}"))),
    };
    let config = notify::Config::default().with_follow_symlinks(false);
    let first = files.first().map_or(Path::new("/"), PathBuf::as_path);
    let mut watcher = new_debouncer_opt(REST, None, handler, NoCache, config).map_err(|error| sort(first, error))?;
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| nearest(file)).collect();
    for folder in folders {
        watcher.watch(folder, RecursiveMode::NonRecursive).map_err(|error| sort(folder, error))?;
    }
    Ok(Following { changes, _watcher: watcher })
}

impl Following {
    /// Waits until a file changed since the last call; several changes count as one. May be cancelled.
    ///
    /// A folder that was missing and is there now is one: follow anew then, to be told of what happens in it.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // INVARIANT: the sender lives in the watcher, which lives as long as this.
            std::future::pending::<()>().await;
        }
    }
}

/// The folder of `file`, or the nearest one above it that exists.
fn nearest(file: &Path) -> Option<&Path> {
    file.ancestors().skip(1).find(|folder| folder.is_dir())
}
