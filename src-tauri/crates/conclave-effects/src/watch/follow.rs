//! The thread that follows a project: it owns the system's watches and turns events into changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, DebouncedEvent, Debouncer, NoCache, new_debouncer_opt};
use rustix::fs::FileType;

use super::{Change, Outlet};
use crate::FsError;
use crate::fs::beneath::Root;
use crate::fs::ignores::{IGNORE_FILE, Ignores};
use crate::fs::walk_from;

/// How long a file must be at rest before it is reported.
const REST: Duration = Duration::from_millis(200);

pub(super) enum Message {
    Events(DebounceEventResult),
    Stop,
}

/// Ends the thread when dropped.
pub(super) struct Stop(pub(super) Sender<Message>);

impl Drop for Stop {
    fn drop(&mut self) {
        // Fails when the thread has ended already.
        let _ = self.0.send(Message::Stop);
    }
}

/// Follows one project.
pub(super) struct Follower {
    root: Root,
    watcher: Debouncer<RecommendedWatcher, NoCache>,
    /// The folders that are watched, as relative paths; empty for the root.
    watched: BTreeSet<String>,
    ignores: Ignores,
    outlet: Outlet,
}

impl Follower {
    /// Watches every folder of the project and starts the thread.
    pub(super) fn start(root: Root, outlet: Outlet) -> Result<Stop, FsError> {
        let (sender, messages) = channel();
        let path = root.path().to_owned();
        let to_thread = sender.clone();
        let handler = move |events| {
            // Fails when the thread has ended; then nobody wants to know.
            let _ = to_thread.send(Message::Events(events));
        };
        let config = notify::Config::default().with_follow_symlinks(false);
        let watcher = new_debouncer_opt(REST, None, handler, NoCache, config).map_err(|e| sort(&path, e))?;
        let mut follower = Self { root, watcher, watched: BTreeSet::new(), ignores: Ignores::default(), outlet };
        follower.enter("")?;
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(move || follower.follow(&messages));
        thread.map_err(|error| FsError::io(&path, error))?;
        Ok(Stop(sender))
    }

    fn follow(mut self, messages: &Receiver<Message>) {
        while let Ok(Message::Events(events)) = messages.recv() {
            let batch = match events {
                Ok(events) => self.look(&events),
                Err(_) => vec![Change::Rescan],
            };
            self.outlet.put(batch);
        }
    }

    /// Turns events into what is there now.
    fn look(&mut self, events: &[DebouncedEvent]) -> Vec<Change> {
        let mut batch = Vec::new();
        let mut places = BTreeSet::new();
        for event in events.iter().filter(|event| !event.kind.is_access()) {
            if event.need_rescan() {
                batch.push(Change::Rescan);
            }
            let below = event.paths.iter().filter_map(|path| path.strip_prefix(self.root.path()).ok()?.to_str());
            places.extend(below.filter(|place| !place.is_empty()).map(str::to_owned));
        }
        for place in places {
            self.look_at(place, &mut batch);
        }
        // Whether the system says so itself depends on how the folder went.
        if !self.root.path().exists() {
            batch.push(Change::Rescan);
        }
        batch
    }

    fn look_at(&mut self, place: String, batch: &mut Vec<Change>) {
        let kind = self.root.kind(&place);
        if self.ignores.leaves_out_below(&place, kind == Some(FileType::Directory)) {
            return;
        }
        if place == IGNORE_FILE || place.ends_with("/.gitignore") {
            // What is watched may have to change; the files themselves have not.
            self.start_over(batch);
        }
        match kind {
            Some(FileType::RegularFile) => batch.push(Change::Touched(place)),
            Some(FileType::Directory) if !self.watched.contains(&place) => match self.enter(&place) {
                // What was written before the folder was watched.
                Ok(files) => batch.extend(files.into_iter().map(Change::Touched)),
                Err(_) => batch.push(Change::Rescan),
            },
            Some(FileType::Directory) => {}
            // A link, pipe or socket in the place of a file is as good as no file.
            Some(_) | None => {
                self.leave(&place);
                batch.push(Change::Removed(place));
            }
        }
    }

    /// Watches the folder `start` and all folders beneath it, and gives the files in them.
    fn enter(&mut self, start: &str) -> Result<Vec<String>, FsError> {
        // A folder is watched before it is listed, so that a file is either listed or reported.
        let mut folders = vec![start.to_owned()];
        let mut files = Vec::new();
        while !folders.is_empty() {
            for folder in folders.drain(..) {
                self.watch(&folder)?;
            }
            let (found, entered) = walk_from(&self.root, start, &mut self.ignores, &|_| true);
            files = found.files;
            folders = entered.into_iter().filter(|folder| !self.watched.contains(folder)).collect();
        }
        Ok(files)
    }

    fn watch(&mut self, folder: &str) -> Result<(), FsError> {
        let path = in_root(&self.root, folder);
        match self.watcher.watch(&path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_owned());
                Ok(())
            }
            Err(error) => Err(sort(&path, error)),
        }
    }

    /// Stops watching `place` and everything beneath it.
    fn leave(&mut self, place: &str) {
        let beneath =
            |folder: &String| folder == place || folder.strip_prefix(place).is_some_and(|f| f.starts_with('/'));
        for folder in self.watched.extract_if(.., beneath) {
            // The system forgets a removed folder by itself.
            let _ = self.watcher.unwatch(in_root(&self.root, &folder));
        }
    }

    /// Watches what the ignore files now leave in.
    fn start_over(&mut self, batch: &mut Vec<Change>) {
        for folder in std::mem::take(&mut self.watched) {
            let _ = self.watcher.unwatch(in_root(&self.root, &folder));
        }
        self.ignores = Ignores::default();
        batch.push(Change::Rescan);
        if let Err(error) = self.enter("") {
            tracing::warn!(%error, "part of the project is no longer watched");
        }
    }
}

fn in_root(root: &Root, folder: &str) -> PathBuf {
    // Joining nothing would add a slash.
    if folder.is_empty() { root.path().to_owned() } else { root.path().join(folder) }
}

fn sort(path: &Path, error: notify::Error) -> FsError {
    match error.kind {
        ErrorKind::MaxFilesWatch => FsError::WatchLimit,
        ErrorKind::Io(source) => FsError::io(path, source),
        ErrorKind::PathNotFound => FsError::NotFound { path: path.to_owned() },
        kind => FsError::io(path, std::io::Error::other(format!("{kind:?}"))),
    }
}
