//! What stands behind all commands: the opened data folder, the workers, the events.

mod others;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use conclave_core::finding::Finding;
use conclave_core::id::{FindingId, ProjectId};
use conclave_core::project::Project;
use conclave_engine::ctx::Ctx;
use conclave_engine::event;
pub use conclave_engine::open::{Options, default_data_dir};
use conclave_engine::source::Sources;
use conclave_engine::{models, named, open, policies, queue, watch};
use conclave_store::Presence;
use tokio::sync::{Notify, broadcast};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::error::{ApiError, ErrorCode};
use crate::view::{Event, PolicyView, RunProgress, Tag};
use crate::{handler, show};

/// Conclave, opened; cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    cx: Ctx,
    offline: bool,
    wake: Notify,
    runs: Mutex<CancellationToken>,
    sources: Mutex<HashMap<ProjectId, Arc<Sources>>>,
    progress: Mutex<HashMap<FindingId, RunProgress>>,
    notices: Mutex<Vec<String>>,
    /// Who follows which project.
    followers: Mutex<HashMap<ProjectId, AbortHandle>>,
    /// Whether this process works the queue by itself.
    serving: Mutex<bool>,
    /// Says to all processes that a person is here.
    presence: Mutex<Option<Presence>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Api {
    /// Opens the data folder, finishes what a killed process left half done, and reads the settings.
    ///
    /// # Errors
    /// The folder or the database cannot be used, or the settings cannot be read.
    pub fn open(options: &Options) -> Result<Self, ApiError> {
        let (cx, notices) = open::open(options)?;
        Ok(Self(Arc::new(Inner {
            cx,
            offline: options.offline,
            wake: Notify::new(),
            runs: Mutex::default(),
            sources: Mutex::default(),
            progress: Mutex::default(),
            notices: Mutex::new(notices),
            followers: Mutex::default(),
            serving: Mutex::new(false),
            presence: Mutex::default(),
        })))
    }

    /// The engine's surroundings.
    pub fn cx(&self) -> &Ctx {
        &self.0.cx
    }

    /// Whether anything may be changed or run: not in what was handed over to be read.
    pub(crate) fn may_change(&self) -> Result<(), ApiError> {
        if self.cx().data.is_handed_over() {
            let error = ApiError::new(ErrorCode::Denied, "this client was handed over, and can only be read");
            return Err(error.with_hint("look at its findings, fixes and ledger; work goes on where it came from"));
        }
        Ok(())
    }

    pub(crate) fn offline(&self) -> bool {
        self.0.offline
    }

    /// What the person should know, in sentences.
    pub fn notices(&self) -> Vec<String> {
        lock(&self.0.notices).clone()
    }

    fn notice(&self, text: String) {
        let mut notices = lock(&self.0.notices);
        if !notices.contains(&text) {
            notices.push(text);
        }
        drop(notices);
        self.changed(&[Tag::Projects]);
    }

    /// Tells every face that `tags` changed.
    pub fn changed(&self, tags: &[Tag]) {
        self.cx().events.send(event::Event::Changed(tags.iter().map(|tag| show::topic(*tag)).collect()));
    }

    /// Listens to what happens from now on; a lagging listener is told to refresh everything.
    pub fn subscribe(&self) -> Subscription {
        Subscription(self.cx().events.subscribe())
    }

    /// The context for runs. [`Api::cancel_runs`] ends its token; [`Api::stop`] does not, so that runs can be resumed.
    pub fn run_cx(&self) -> Ctx {
        Ctx { cancel: lock(&self.0.runs).clone(), ..self.cx().clone() }
    }

    /// Ends the runs under way and empties the queue; returns how many waited.
    pub(crate) fn cancel_runs(&self) -> Result<u32, ApiError> {
        std::mem::take(&mut *lock(&self.0.runs)).cancel();
        Ok(queue::cancel_waiting(self.cx())?)
    }

    /// Has this process hear of what other processes ask and decide, until Conclave ends.
    pub fn hear_others(&self) {
        tokio::spawn(self.clone().follow_others());
    }

    /// Says that a person is at this face and will answer what waits for one, until Conclave ends; this face hears of
    /// what other processes ask.
    ///
    /// # Errors
    /// It cannot be said; then this person is not asked.
    pub fn person_arrives(&self) -> Result<(), ApiError> {
        *lock(&self.0.presence) = Some(self.cx().store.person_arrives()?);
        self.hear_others();
        Ok(())
    }

    /// As [`Api::person_arrives`], for a face that has other work too and goes on where that fails.
    pub fn person_is_here(&self) {
        if let Err(error) = self.person_arrives() {
            self.hear_others();
            self.notice(format!("you will not be asked for anything: {error}"));
        }
    }

    /// Starts the workers of a face that stays, with a person at it: the queue, the watched folders, the record of
    /// progress, what other processes do.
    pub fn start(&self) {
        *lock(&self.0.serving) = true;
        self.person_is_here();
        tokio::spawn(self.clone().follow_policy());
        tokio::spawn(self.clone().follow_settings());
        tokio::spawn(self.clone().record_progress());
        // What was handed over is only read: runs that waited there wait on, and its folders are not followed.
        if self.may_change().is_err() {
            return;
        }
        tokio::spawn(self.clone().serve_queue());
        match self.cx().store.projects() {
            Ok(projects) => projects.into_iter().for_each(|project| self.follow(project)),
            Err(error) => self.notice(error.to_string()),
        }
    }

    /// Ends all workers; the next process goes on with the runs under way.
    pub fn stop(&self) {
        *lock(&self.0.presence) = None;
        self.cx().cancel.cancel();
    }

    /// Wakes the queue.
    pub(crate) fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Follows `project` from now on if it is to be watched, else no longer; only where this process has workers.
    pub(crate) fn follow(&self, project: Project) {
        if !*lock(&self.0.serving) {
            return;
        }
        let mut followers = lock(&self.0.followers);
        let id = project.id.clone();
        if !project.watched {
            if let Some(follower) = followers.remove(&id) {
                follower.abort();
            }
            return;
        }
        if followers.get(&id).is_some_and(|follower| !follower.is_finished()) {
            return;
        }
        let api = self.clone();
        let follower = tokio::spawn(async move {
            let complain = |text: String| api.notice(text);
            if let Err(error) = watch::follow(api.cx(), &project, &complain).await {
                api.notice(format!("`{}` is not followed: {error}", project.name));
            }
        });
        followers.insert(id, follower.abort_handle());
    }

    async fn serve_queue(self) {
        let serve = async {
            loop {
                if let Err(error) = queue::drain(&self.run_cx(), parallel()).await {
                    self.notice(error.to_string());
                }
                tokio::select! {
                    () = self.0.wake.notified() => {}
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                }
            }
        };
        // Dropping it leaves the jobs under way with their claim and their stages, as a kill does.
        tokio::select! {
            () = serve => {}
            () = self.cx().cancel.cancelled() => {}
        }
    }

    async fn follow_policy(self) {
        if let Err(error) = policies::follow(self.cx()).await {
            self.notice(format!("the policy files are not followed; restart Conclave after you change one: {error}"));
        }
    }

    async fn follow_settings(self) {
        if let Err(error) = models::follow(self.cx()).await {
            self.notice(format!("the settings file is not followed; restart Conclave after you change it: {error}"));
        }
    }

    async fn record_progress(self) {
        let mut events = self.cx().events.subscribe();
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = self.cx().cancel.cancelled() => return,
            };
            match event {
                Ok(event::Event::Run(progress)) => {
                    lock(&self.0.progress).insert(progress.finding.clone(), show::progress(&progress));
                }
                Ok(event::Event::Changed(_) | event::Event::Delta(_) | event::Event::Tool(_))
                | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    /// Where the run of `finding` was last seen by this process.
    pub(crate) fn progress_of(&self, finding: &FindingId) -> Option<RunProgress> {
        lock(&self.0.progress).get(finding).cloned()
    }

    /// The finding that `text` names, whole or by its first digits.
    ///
    /// # Errors
    /// None or more than one is named so.
    pub fn finding_id(&self, text: &str) -> Result<FindingId, ApiError> {
        let found = self.cx().store.finding_by_prefix(text)?;
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(ApiError::new(ErrorCode::NotFound, format!("there is no finding `{text}`"))
                .with_hint("`conclave findings` lists them")),
            _ => Err(ApiError::new(ErrorCode::BadRequest, format!("`{text}` names more than one finding"))
                .with_hint("give more digits")),
        }
    }

    /// The text of a file that the person names, at most 1 MiB.
    ///
    /// # Errors
    /// It cannot be read, or holds no text.
    pub async fn read_text(&self, path: &Path) -> Result<String, ApiError> {
        Ok(named::read_text(self.cx(), path).await?)
    }

    /// Puts `text` into a file that the person names, which is replaced when it exists.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn write_text(&self, path: &Path, text: String) -> Result<(), ApiError> {
        Ok(named::write(self.cx(), path, text.into_bytes()).await?)
    }

    /// The policy as it holds for what happens in `folder`, an absolute path without links, with every file that counts
    /// there or could.
    ///
    /// # Errors
    /// The database says nothing.
    pub fn policy_in(&self, folder: &Path) -> Result<PolicyView, ApiError> {
        handler::policy_in(self, folder)
    }

    /// The project's files for showing; opened once a session.
    pub(crate) async fn sources(&self, finding: &Finding) -> Result<Arc<Sources>, ApiError> {
        if let Some(sources) = lock(&self.0.sources).get(&finding.project) {
            return Ok(Arc::clone(sources));
        }
        let project = self
            .cx()
            .store
            .project(&finding.project)?
            .ok_or_else(|| ApiError::new(ErrorCode::NotFound, "the finding\u{2019}s project is gone"))?;
        let sources = Arc::new(Sources::open_for_person(self.cx(), project.root.as_ref()).await?);
        lock(&self.0.sources).insert(finding.project.clone(), Arc::clone(&sources));
        Ok(sources)
    }
}

/// So often the queue is looked at unasked: for jobs of a process that died, and after the store failed.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// So many findings run at the same time.
pub fn parallel() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4)
}

/// A face's ear.
pub struct Subscription(broadcast::Receiver<event::Event>);

impl Subscription {
    /// The next event; `None` when Conclave has ended.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(show::event(&event)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Event::Changed { tags: Tag::ALL.to_vec() }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests;
