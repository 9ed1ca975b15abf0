//! The policy in force: from which files it comes, what is wrong with them, and what follows from a change.
//!
//! Floor, administrator, person, projects; what any of them refuses is refused. A missing file is the shipped one; a
//! file that cannot be read or trusted refuses everything in its scope until it is corrected, and says so.
//!
//! Invariants: a policy is put in force whole, in one step; nothing that a project holds can widen it; nothing here
//! decides about a request but by asking the policy.

mod always;
mod edit;
mod place;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use conclave_core::settings::{PERSON, Settings};
use conclave_effects::gate::Policies;
use conclave_effects::policy_files::{self, PolicyFileError, admin_policy, project_policy};
use conclave_effects::{DataDir, FsError};
use conclave_policy::{Layer, LoadError, Loaded, Policy, digest, suggest};
use tokio::sync::broadcast::{Receiver, error::RecvError};

pub use always::{always_allow, always_rule};
pub use edit::{PolicyError, Saved, check, save_user_policy, user_policy};
pub use place::seen_from;
pub use trial::{Changed, Simulation, TrialError, explain, simulate};

use conclave_store::StoreError;

use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::review::unknown;

/// One source of rules, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Where it stands.
    pub layer: Layer,
    /// Whose it is: `built in`, `admin`, `yours`, or the project's folder.
    pub origin: String,
    /// The file; `None` for what is built in.
    pub path: Option<PathBuf>,
    /// What became of it.
    pub state: FileState,
    /// The digest of its text; of the rules where they are built in; `None` where there is nothing.
    pub digest: Option<String>,
    /// How many rules it brings, those of the shipped policy that it extends included.
    pub rules: usize,
    /// How many of them it holds itself.
    pub own_rules: usize,
    /// Why it is not used; until it is corrected it refuses everything in its scope.
    pub fault: Option<String>,
    /// What is probably not meant as it is written.
    pub warnings: Vec<String>,
}

/// What became of a source of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is part of the program.
    BuiltIn,
    /// It is in force.
    Loaded,
    /// It cannot be used; everything in its scope is refused.
    Refused,
    /// There is no such file.
    Missing,
}

/// The policy in force and its files; cheap to clone, all clones are the same.
#[derive(Clone)]
pub struct PolicyFiles(Arc<Parts>);

struct Parts {
    data: Arc<DataDir>,
    offline: bool,
    /// Whom rules may name as reviewers.
    reviewers: Mutex<BTreeSet<String>>,
    policies: Policies,
    files: Mutex<Vec<PolicyFile>>,
}

/// All layers, read at one moment.
pub struct Layers {
    /// What they say together.
    pub policy: Policy,
    /// What they are.
    pub files: Vec<PolicyFile>,
}

impl PolicyFiles {
    /// Reads the policy of the data folder and of the projects in the folders `roots`.
    pub(crate) fn open(data: Arc<DataDir>, settings: &Settings, offline: bool, roots: &[String]) -> Self {
        let reviewers = reviewers(settings);
        let Layers { policy, files } = read(data.path(), offline, &reviewers, roots, None);
        let policies = Policies::new(policy);
        let (reviewers, files) = (Mutex::new(reviewers), Mutex::new(files));
        Self(Arc::new(Parts { data, offline, reviewers, policies, files }))
    }

    /// What the gate decides by.
    pub(crate) fn policies(&self) -> &Policies {
        &self.0.policies
    }

    /// The files in effect, outermost first.
    pub fn files(&self) -> Vec<PolicyFile> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What keeps the policy from being what its files say, and what holds instead.
    pub fn banner(&self) -> Option<String> {
        banner(&self.files())
    }

    /// Reads all files again and puts what they say in force; whether anything is different now.
    pub fn reload(&self, roots: &[String]) -> bool {
        // Held while the files are read: of two readers, the later one has the last word.
        let mut held = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Layers { policy, files } = self.with(roots, None);
        let changed = policy.digest() != self.0.policies.current().digest();
        let changed = changed || *held != files;
        if changed {
            self.0.policies.set(policy);
            *held = files;
        }
        changed
    }

    /// Whom rules may name as reviewers.
    fn reviewers(&self) -> BTreeSet<String> {
        self.0.reviewers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets rules name `reviewers`, from the next [`PolicyFiles::reload`] on.
    pub(crate) fn set_reviewers(&self, reviewers: BTreeSet<String>) {
        *self.0.reviewers.lock().unwrap_or_else(PoisonError::into_inner) = reviewers;
    }

    /// Whether nothing may leave this machine.
    pub(crate) fn is_offline(&self) -> bool {
        self.0.offline
    }

    /// What would be in force, with `user` in the place of the person's own file.
    fn with(&self, roots: &[String], user: Option<&str>) -> Layers {
        read(self.0.data.path(), self.0.offline, &self.reviewers(), roots, user)
    }
}

/// What keeps `files` from being in force as they are, and what holds instead.
pub fn banner(files: &[PolicyFile]) -> Option<String> {
    let mut faults = files.iter().filter_map(|file| Some((file, file.fault.as_deref()?)));
    let (file, fault) = faults.next()?;
    let more = match faults.count() {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    let scope = match file.layer {
        Layer::Project => format!("in `{}` ", file.origin),
        Layer::Floor | Layer::Admin | Layer::User => String::new(),
    };
    Some(format!("Everything {scope}is refused until a policy file is corrected{more}: {fault}"))
}

/// Reads every file again; faces are told when anything is different.
///
/// # Errors
/// The store cannot say which projects there are.
pub fn reload(cx: &Ctx) -> Result<bool, StoreError> {
    let changed = cx.policy.reload(&roots(cx)?);
    if changed {
        cx.events.send(Event::Changed(vec![Topic::Policy]));
    }
    Ok(changed)
}

/// Follows the files until the context is cancelled.
///
/// # Errors
/// The files cannot be followed, or the store cannot say which projects there are; the policy stays what it is.
pub async fn follow(cx: &Ctx) -> Result<(), FollowError> {
    let mut events = cx.events.subscribe();
    loop {
        // Anew each time: a folder that was missing may be there now, and a project may be new.
        let projects = roots(cx)?.into_iter().map(|root| Path::new(&root).join(policy_files::PROJECT));
        let own = [PathBuf::from(policy_files::ADMIN), cx.data.policy_path()];
        let mut following = policy_files::follow(&own.into_iter().chain(projects).collect::<Vec<_>>())?;
        reload(cx)?;
        tokio::select! {
            () = following.changed() => {}
            () = projects_changed(&mut events) => {}
            () = cx.cancel.cancelled() => return Ok(()),
        }
    }
}

/// Why the policy's files are not followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The operating system.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Waits until the list of projects may be another one.
async fn projects_changed(events: &mut Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event::Changed(topics)) if topics.contains(&Topic::Projects) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // The sender lives in the context.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// The folders of the projects whose own policy counts.
fn roots(cx: &Ctx) -> Result<Vec<String>, StoreError> {
    Ok(cx.store.projects()?.into_iter().map(|project| project.root).collect())
}

/// Whom rules may name as reviewers under `settings`.
pub(crate) fn reviewers(settings: &Settings) -> BTreeSet<String> {
    settings.names().into_iter().chain([PERSON]).map(str::to_owned).collect()
}

/// The policy of the data folder `data` and of projects, for whoever needs nothing else of Conclave.
pub fn layers(data: &Path, settings: &Settings, offline: bool, roots: &[String]) -> Layers {
    read(data, offline, &reviewers(settings), roots, None)
}

fn read(data: &Path, offline: bool, reviewers: &BTreeSet<String>, roots: &[String], user: Option<&str>) -> Layers {
    let mut policy = Policy::floor().and(Policy::guard(&data.to_string_lossy()));
    if offline {
        policy = policy.and(Policy::offline());
    }
    let mut files = vec![of_rules(Layer::Floor, "built in".to_owned(), &policy)];
    let own = match user {
        None => policy_files::user_policy(data),
        Some(text) => Ok(Some(text.to_owned())),
    };
    let admin = Path::new(policy_files::ADMIN);
    let mut sources = vec![
        (Layer::Admin, "admin".to_owned(), None, admin.to_owned(), admin_policy(admin)),
        (Layer::User, "yours".to_owned(), None, data.join(policy_files::USER), own),
    ];
    sources.extend(roots.iter().map(|root| {
        let folder = Path::new(root);
        (Layer::Project, root.clone(), Some(root), folder.join(policy_files::PROJECT), project_policy(folder))
    }));
    for (layer, origin, root, path, text) in sources {
        let Some((own, file)) = source(layer, origin, path, text, reviewers) else { continue };
        policy = policy.and(match root {
            Some(root) => own.scoped(root),
            None => own,
        });
        files.push(file);
    }
    Layers { policy, files }
}

/// What one file says; `None` where a layer without a file says nothing.
fn source(
    layer: Layer,
    origin: String,
    path: PathBuf,
    text: Result<Option<String>, PolicyFileError>,
    reviewers: &BTreeSet<String>,
) -> Option<(Policy, PolicyFile)> {
    match text {
        Ok(None) if layer == Layer::User => {
            let policy = shipped();
            let file = of_rules(layer, origin, &policy);
            Some((policy, file))
        }
        Ok(None) => None,
        Ok(Some(text)) => {
            let file = PolicyFile { digest: Some(digest(text.as_bytes())), ..missing(layer, origin, path.clone()) };
            Some(match load(&text, layer, reviewers) {
                Ok(Loaded { policy, warnings }) => {
                    let (rules, own_rules) = counted(&policy);
                    (policy, PolicyFile { state: FileState::Loaded, rules, own_rules, warnings, ..file })
                }
                Err(error) => refused(file, format!("`{}`: {error}", path.display())),
            })
        }
        // These errors name the file themselves.
        Err(error) => Some(refused(missing(layer, origin, path), error.to_string())),
    }
}

/// Loads the file of `layer` with this text, whose rules may name `reviewers`.
///
/// Who is no reviewer is an error in the person's own file: they know their models. Elsewhere it is a warning, because
/// whoever wrote the file cannot know them; what such a rule samples is refused.
fn load(text: &str, layer: Layer, reviewers: &BTreeSet<String>) -> Result<Loaded, LoadError> {
    let mut loaded = Policy::load(text, layer)?;
    let mut strangers = Vec::new();
    for rule in loaded.policy.rules() {
        let Some(name) = rule.provider().filter(|name| !reviewers.contains(*name)) else { continue };
        if layer == Layer::User {
            let known: Vec<&str> = reviewers.iter().map(String::as_str).collect();
            let problem = suggest::unknown("reviewer", name, &known);
            return Err(LoadError::Rule { rule: rule.id().to_owned(), problem });
        }
        strangers.push(format!("rule `{}`: {}", rule.id(), unknown(name)));
    }
    loaded.warnings.extend(strangers);
    Ok(loaded)
}

/// What the person's file would say if there were one: the shipped policy and no more.
fn shipped() -> Policy {
    // INVARIANT: a file without rules has nothing in it that could be wrong, and the tests load it.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    Policy::load("version: 1\nrules: []\n", Layer::User).expect("a file without rules loads").policy
}

/// Rules that are part of the program, as a source.
fn of_rules(layer: Layer, origin: String, policy: &Policy) -> PolicyFile {
    let (rules, own_rules) = counted(policy);
    PolicyFile {
        layer,
        origin,
        path: None,
        state: FileState::BuiltIn,
        digest: Some(policy.digest()),
        rules,
        own_rules,
        fault: None,
        warnings: Vec::new(),
    }
}

/// A file that is not there.
fn missing(layer: Layer, origin: String, path: PathBuf) -> PolicyFile {
    PolicyFile {
        layer,
        origin,
        path: Some(path),
        state: FileState::Missing,
        digest: None,
        rules: 0,
        own_rules: 0,
        fault: None,
        warnings: Vec::new(),
    }
}

/// How many rules there are, and how many of them do not ship with Conclave.
fn counted(policy: &Policy) -> (usize, usize) {
    (policy.rules().count(), policy.rules().filter(|rule| !rule.is_shipped()).count())
}

fn refused(file: PolicyFile, fault: String) -> (Policy, PolicyFile) {
    let policy = Policy::refuse_all(file.layer, &fault);
    (policy, PolicyFile { state: FileState::Refused, fault: Some(fault), ..file })
}
