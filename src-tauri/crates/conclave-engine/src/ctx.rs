//! What every stage needs, handed down explicitly.

use std::sync::Arc;

use conclave_core::settings::Settings;
use conclave_effects::data::DataDir;
use conclave_effects::gate::Gate;
use conclave_store::Store;
use conclave_toolbox::Toolbox;
use tokio_util::sync::CancellationToken;

use crate::event::Events;
use crate::models::Models;
use crate::policies::PolicyFiles;
use crate::queue::Runs;
use crate::runner::baseline::Baselines;
use crate::tool_servers::Toolboxes;

/// The engine's surroundings; cheap to clone.
#[derive(Clone)]
pub struct Ctx {
    /// Our own database.
    pub store: Store,
    /// The only way to an effect; it also holds the clock.
    pub gate: Gate,
    /// Our own folder: preimages and scratch copies live there.
    pub data: Arc<DataDir>,
    /// What the person chose, and the models that it names; one whose key is missing keeps its seat, and the seat says so.
    pub models: Arc<Models>,
    /// What deliberations may use; each use passes the gate.
    pub tools: Toolboxes,
    /// Where the gate's policy comes from.
    pub policy: PolicyFiles,
    /// How the tests of projects end without any fix; all runs about a project share it.
    pub baselines: Baselines,
    /// The runs under way in this process, so that one can be ended and the others go on.
    pub runs: Runs,
    /// Where progress is told.
    pub events: Events,
    /// Ends everything that is under way.
    pub cancel: CancellationToken,
}

impl Ctx {
    /// What the person chose, as it is in force now.
    pub fn settings(&self) -> Arc<Settings> {
        self.models.settings()
    }

    /// What a deliberation may use, as the settings and the approvals are now.
    pub fn toolbox(&self) -> Toolbox {
        self.tools.current(&self.store, &self.data, &self.models)
    }

    /// Now, in milliseconds since 1970-01-01 UTC.
    pub fn now_ms(&self) -> i64 {
        self.gate.clock().now_ms()
    }
}
