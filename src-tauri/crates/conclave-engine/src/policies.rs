//! The policy in force: from which files it comes, what is wrong with them, and what follows from a change.
//!
//! Floor, administrator, person, projects; what any of them refuses is refused. A missing file is the shipped one; a
//! file that cannot be read or trusted refuses everything in its scope until it is corrected, and says so.
//!
//! Invariants: a policy is put in force whole, in one step; nothing that a project holds can widen it; nothing here
//! decides about a request but by asking the policy.

mod always;
mod edit;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use conclave_core::settings::Settings;
use conclave_effects::DataDir;
use conclave_effects::gate::Policies;
use conclave_effects::policy_file::{self, Place, PolicyText};
use conclave_policy::{Layer, Policy, digest};
use tokio::time::{MissedTickBehavior, interval};

pub use always::{always_allow, always_rule};
pub use edit::{PolicyError, Saved, check, save_user_policy, user_policy};
pub use trial::{Changed, Simulation, TrialError, explain, simulate};

use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::review;

/// How often the files are looked at. They are few and small, and editors replace them in ways that no watch survives.
const PACE: Duration = Duration::from_secs(2);

/// One source of rules, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Where it stands.
    pub layer: Layer,
    /// Whose it is: `built in`, `admin`, `yours`, or the project's folder.
    pub origin: String,
    /// The file; `None` for what is built in.
    pub path: Option<PathBuf>,
    /// The digest of its text; `None` where there is none.
    pub digest: Option<String>,
    /// Why it is not used; until it is corrected it refuses everything in its scope.
    pub fault: Option<String>,
    /// What is probably not meant as it is written.
    pub warnings: Vec<String>,
}

/// The policy in force and its files; cheap to clone, all clones are the same.
#[derive(Clone)]
pub struct PolicyFiles(Arc<Parts>);

struct Parts {
    data: Arc<DataDir>,
    offline: bool,
    /// Whom rules may name as reviewers.
    reviewers: BTreeSet<String>,
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
        Self(Arc::new(Parts { data, offline, reviewers, policies, files: Mutex::new(files) }))
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
        let files = self.files();
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

    /// Reads all files again and puts what they say in force; whether anything is different now.
    pub fn reload(&self, roots: &[String]) -> bool {
        let Layers { policy, files } = self.with(roots, None);
        let changed = policy.digest() != self.0.policies.current().digest();
        let mut held = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changed || *held != files;
        if changed {
            self.0.policies.set(policy);
            *held = files;
        }
        changed
    }

    /// What would be in force, with `user` in the place of the person's own file.
    fn with(&self, roots: &[String], user: Option<&str>) -> Layers {
        read(self.0.data.path(), self.0.offline, &self.0.reviewers, roots, user)
    }
}

/// Reads every file again; faces are told when anything is different.
///
/// # Errors
/// The store cannot say which projects there are.
pub fn reload(cx: &Ctx) -> Result<bool, conclave_store::StoreError> {
    let changed = cx.policy.reload(&roots(cx)?);
    if changed {
        cx.events.send(Event::Changed(vec![Topic::Policy]));
    }
    Ok(changed)
}

/// Follows the files until the context is cancelled. What goes wrong is handed to `complain` and does not end it.
pub async fn follow(cx: &Ctx, complain: &(dyn Fn(String) + Sync)) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = pace.tick() => {}
            () = cx.cancel.cancelled() => return,
        }
        if let Err(error) = reload(cx) {
            complain(format!("the policy files could not be followed: {error}"));
        }
    }
}

/// The folders of the projects whose own policy counts.
fn roots(cx: &Ctx) -> Result<Vec<String>, conclave_store::StoreError> {
    Ok(cx.store.projects()?.into_iter().map(|project| project.root).collect())
}

/// Whom rules may name as reviewers under `settings`.
fn reviewers(settings: &Settings) -> BTreeSet<String> {
    let models = settings.models.iter().map(|model| model.name.clone());
    models.chain([review::PERSON.to_owned()]).collect()
}

/// The policy of the data folder `data` and of projects, for whoever needs nothing else of Conclave.
pub fn layers(data: &Path, settings: &Settings, offline: bool, roots: &[String]) -> Layers {
    read(data, offline, &reviewers(settings), roots, None)
}

fn read(data: &Path, offline: bool, reviewers: &BTreeSet<String>, roots: &[String], user: Option<&str>) -> Layers {
    let built_in = PolicyFile {
        layer: Layer::Floor,
        origin: "built in".to_owned(),
        path: None,
        digest: None,
        fault: None,
        warnings: Vec::new(),
    };
    let mut policy = Policy::floor().and(Policy::guard(&data.to_string_lossy()));
    if offline {
        policy = policy.and(Policy::offline());
    }
    let mut files = vec![built_in];
    let own = match user {
        None => policy_file::read(Place::User(data)),
        Some(text) => Ok(Some(PolicyText { path: data.join(policy_file::NAME), text: text.to_owned() })),
    };
    let mut sources = vec![
        (Layer::Admin, "admin".to_owned(), None, policy_file::read(Place::Admin)),
        (Layer::User, "yours".to_owned(), None, own),
    ];
    sources.extend(roots.iter().map(|root| {
        (Layer::Project, root.clone(), Some(root.as_str()), policy_file::read(Place::Project(root.as_ref())))
    }));
    for (layer, origin, root, text) in sources {
        let Some((own, file)) = source(layer, origin, text, reviewers) else { continue };
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
    text: Result<Option<PolicyText>, conclave_effects::FsError>,
    reviewers: &BTreeSet<String>,
) -> Option<(Policy, PolicyFile)> {
    let file = PolicyFile { layer, origin, path: None, digest: None, fault: None, warnings: Vec::new() };
    match text {
        Ok(None) if layer == Layer::User => Some((shipped(), file)),
        Ok(None) => None,
        Ok(Some(PolicyText { path, text })) => {
            let (digest, path) = (Some(digest(text.as_bytes())), Some(path));
            Some(match Policy::load(&text, layer) {
                Ok(loaded) => {
                    let strangers = loaded.policy.rules().filter_map(|rule| {
                        let name = rule.provider().filter(|name| !reviewers.contains(*name))?;
                        Some(format!("rule `{}`: {}", rule.id(), review::unknown(name)))
                    });
                    let warnings = loaded.warnings.iter().cloned().chain(strangers).collect();
                    (loaded.policy, PolicyFile { path, digest, warnings, ..file })
                }
                Err(error) => refused(PolicyFile { path, digest, ..file }, &error.to_string()),
            })
        }
        Err(error) => Some(refused(file, &error.to_string())),
    }
}

/// What the person's file would say if there were one: the shipped policy and no more.
fn shipped() -> Policy {
    // INVARIANT: a file without rules has nothing in it that could be wrong, and the tests load it.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    Policy::load("version: 1\nrules: []\n", Layer::User).expect("a file without rules loads").policy
}

fn refused(file: PolicyFile, why: &str) -> (Policy, PolicyFile) {
    let name = file.path.as_ref().map_or_else(String::new, |path| format!("`{}`: ", path.display()));
    let fault = format!("{name}{why}");
    (Policy::refuse_all(file.layer, &fault), PolicyFile { fault: Some(fault), ..file })
}
