//! Opens Conclave: our own folder, database, settings, policy and gate.

use std::path::PathBuf;
use std::sync::Arc;

use conclave_core::settings::Settings;
use conclave_effects::data::DataDir;
pub use conclave_effects::data::default_data_dir;
use conclave_effects::gate::{Gate, Policies};
use conclave_effects::{Clock, FsError, Keychain, forbid_core_dumps};
use conclave_inference::provider::local::Place;
use conclave_policy::Nobody;
use conclave_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::apply::{self, ApplyError};
use crate::ctx::Ctx;
use crate::event::Events;
use crate::models::Models;
use crate::policies::{self, PolicyFiles};
use crate::queue::Runs;
use crate::review::EngineReviewer;
use crate::runner::baseline::Baselines;
use crate::settings_file;
use crate::tool_servers::Toolboxes;

/// How to open Conclave.
#[derive(Clone, Debug)]
pub struct Options {
    /// Our own folder.
    pub data_dir: PathBuf,
    /// Refuse every connection, to this machine included.
    pub offline: bool,
}

/// Why Conclave cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Our own folder.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a killed process left half done cannot be put right.
    #[error(transparent)]
    Recover(#[from] ApplyError),
    /// The settings file has something in it that is not a setting.
    #[error("the settings in `{}` cannot be read", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where in it.
        detail: String,
    },
}

/// Opens the data folder, finishes what a killed process left half done, reads the settings, and builds the gate.
///
/// The second value is what the person should know, in sentences.
///
/// # Errors
/// See [`OpenError`].
pub fn open(options: &Options) -> Result<(Ctx, Vec<String>), OpenError> {
    forbid_core_dumps();
    let clock = Clock::system();
    let data = DataDir::open(&options.data_dir)?;
    let opened = Store::open(&data.database(), clock.now_ms())?;
    let store = opened.store;
    let mut notices: Vec<String> = opened.notice.into_iter().collect();
    notices.extend(apply::recover(&store, &data, clock.now_ms())?.into_iter().map(|recovered| recovered.outcome));
    let settings = settings(&data)?;
    let kept = store.remove_old_exchanges(settings.exchange_log.keep_days, clock.now_ms());
    if let Err(error) = kept {
        notices.push(format!("old exchanges with models could not be removed: {error}"));
    }
    let data = Arc::new(data);
    let roots: Vec<String> = store.projects()?.into_iter().map(|project| project.root).collect();
    let policy = PolicyFiles::open(Arc::clone(&data), &settings, options.offline, &roots);
    notices.extend(policy.banner());
    notices.extend(reviewers_missing(&settings));
    notices.extend(settings_file::retired(&settings, clock.now_ms()));
    if let Err(error) = store.settle_lost() {
        notices.push(format!("what calls cost that broke off is not known: {error}"));
    }
    if let Err(error) = store.settle_cut_off("its run was cut off; the next one goes on with it") {
        notices.push(format!("runs that were cut off are still shown as running: {error}"));
    }
    let keychain = Keychain::open().of_client(data.client().as_ref());
    let models = Arc::new(Models::new(settings, store.clone(), keychain, Place::find(data.worker_folder().ok())));
    let events = Events::default();
    let gate = guard(policy.policies(), &store, &models, &events, clock);
    let cx = Ctx {
        store,
        gate,
        data,
        models,
        tools: Toolboxes::default(),
        policy,
        baselines: Baselines::default(),
        runs: Runs::default(),
        events,
        cancel: CancellationToken::new(),
    };
    Ok((cx, notices))
}

/// The settings in the folder `data`.
pub(crate) fn settings(data: &DataDir) -> Result<Settings, OpenError> {
    match data.settings()? {
        Some(text) => settings_file::read(&text)
            .map_err(|detail| OpenError::Settings { path: data.path().join("settings.json"), detail }),
        None => Ok(Settings::default()),
    }
}

/// The gate under `policies`, with its reviewer, who asks through a gate of its own: what that wants is reviewed by
/// nobody.
fn guard(policies: &Policies, store: &Store, models: &Arc<Models>, events: &Events, clock: Clock) -> Gate {
    let ledger = || Arc::new(store.clone());
    let own = Gate::new(policies.clone(), ledger(), Arc::new(Nobody), clock.clone());
    let reviewer = EngineReviewer::new(Arc::clone(models), own, store.clone(), events.clone());
    Gate::new(policies.clone(), ledger(), Arc::new(reviewer), clock)
}

/// Models that the settings want to review and do not name.
fn reviewers_missing(settings: &Settings) -> Option<String> {
    let names = policies::reviewers(settings);
    let known = |name: &&String| names.contains(*name);
    let missing: Vec<String> =
        settings.review.models.iter().filter(|name| !known(name)).map(|name| format!("`{name}`")).collect();
    let words = missing.join(", ");
    (!missing.is_empty()).then(|| format!("the settings want {words} to review and name no such model"))
}
