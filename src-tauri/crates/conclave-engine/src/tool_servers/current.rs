//! The toolbox in force: as the settings and the approvals have it at the moment, whoever changed them.
//!
//! It is made anew when either is different, also where another process changed it. A server that stays as it is keeps its
//! processes; those of one that is gone end with the last call that began there. Deliberately absent: what is approved, and
//! how a server is kept.
//! Invariants: what was thought in a run is in every toolbox; settings that were in force before never replace later ones.

use std::sync::{Arc, Mutex, PoisonError};

use conclave_core::settings::Settings;
use conclave_effects::DataDir;
use conclave_store::Store;
use conclave_toolbox::server::{self, Approved, Surroundings, ToolServer};
use conclave_toolbox::{Thoughts, Toolbox};

use super::in_force;
use crate::models::Models;

/// The toolboxes of one process, of which one is in force. Cheap to clone.
#[derive(Clone, Default)]
pub struct Toolboxes {
    held: Arc<Mutex<Option<Held>>>,
    thoughts: Thoughts,
}

struct Held {
    toolbox: Toolbox,
    servers: Vec<Approved>,
    /// How other machines are reached, which all of the servers were made with.
    way: (Option<String>, Option<String>),
}

impl Toolboxes {
    /// What was thought in each run.
    pub fn thoughts(&self) -> &Thoughts {
        &self.thoughts
    }

    /// The toolbox in force now.
    pub(crate) fn current(&self, store: &Store, data: &Arc<DataDir>, models: &Arc<Models>) -> Toolbox {
        self.made(store, || in_force(store, data, models))
    }

    /// The toolbox by what `in_force` gives, which is asked when nobody else can put another one in force.
    fn made(&self, store: &Store, in_force: impl FnOnce() -> (Arc<Settings>, Surroundings)) -> Toolbox {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (settings, around) = in_force();
        let way = way(&settings);
        let before = held.as_ref().filter(|held| held.way == way).map(|held| held.servers.as_slice());
        let servers = server::approved(&settings, &around, before.unwrap_or_default());
        if let (Some(before), Some(held)) = (before, &*held)
            && before.len() == servers.len()
            && before.iter().zip(&servers).all(|(one, other)| one.is(other))
        {
            return held.toolbox.clone();
        }
        let toolbox = conclave_toolbox::open(store, server::tools(&servers), self.thoughts.clone());
        let old = held.replace(Held { toolbox: toolbox.clone(), servers, way });
        drop(held);
        // What ends with it ends outside of the lock.
        drop(old);
        toolbox
    }

    /// The server `name` of the toolbox in force.
    pub(super) fn server(&self, name: &str) -> Option<Arc<ToolServer>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref()?.servers.iter().map(Approved::server).find(|server| server.name() == name).cloned()
    }
}

fn way(settings: &Settings) -> (Option<String>, Option<String>) {
    (settings.proxy.clone(), settings.tls_roots.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{Options, open};

    #[test]
    fn settings_are_read_when_nobody_else_can_put_another_toolbox_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).unwrap();
        let mut is_alone = false;
        cx.tools.made(&cx.store, || {
            is_alone = cx.tools.held.try_lock().is_err();
            in_force(&cx.store, &cx.data, &cx.models)
        });
        assert!(is_alone);
    }
}
