//! How steps end, and what calls do, without any fix: steps are run once for a state of the project, which all runs about
//! it share, calls once for a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use conclave_core::digest::Digest;
use conclave_effects::fs::{ReadProject, open_project};
use conclave_policy::Actor;

use super::compare::Run;
use super::recognised::Planned;
use super::trial::{Ended, Trial};
use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::proof;

/// Most ends that are kept.
const MOST: u64 = 256;
/// Largest file whose bytes count for the state of a project; of a larger one it counts that it is there.
const LARGEST: u64 = 64 << 20;

/// What is known; cheap to clone.
#[derive(Clone)]
pub struct Baselines {
    steps: moka::future::Cache<Digest, Arc<Known>>,
    calls: moka::future::Cache<Digest, Arc<proof::Run>>,
}

/// How a step ended.
pub(crate) struct Known {
    pub ended: Ended,
    at_ms: i64,
}

impl Default for Baselines {
    fn default() -> Self {
        Self { steps: moka::future::Cache::new(MOST), calls: moka::future::Cache::new(MOST) }
    }
}

/// The files of a project as they are now.
pub(crate) struct State {
    /// Their paths, sorted.
    pub files: Vec<String>,
    /// The digest of paths and bytes.
    pub digest: Digest,
}

/// Looks at the project in `root`.
///
/// # Errors
/// Why it cannot be read, in words.
pub(crate) async fn state(cx: &Ctx, root: PathBuf) -> Result<State, String> {
    let permit = cx.gate.authorize(Actor::Engine, ReadProject { root }).await.map_err(|denied| denied.to_string())?;
    let look = move || {
        let tree = open_project(permit).map_err(|error| error.to_string())?;
        let files = tree.walk(&|_| true).files;
        let bytes = |path: &String| match tree.read(path, LARGEST) {
            Ok(content) => Digest::of(&content.bytes).to_string(),
            Err(error) => error.to_string(),
        };
        let digests: Vec<String> = files.iter().map(bytes).collect();
        let digest = Digest::of_parts(files.iter().chain(&digests).map(String::as_str));
        Ok(State { files, digest })
    };
    blocking(look).await
}

impl Baselines {
    /// How `planned` ends without a fix in the state `digest`; that it cannot be run, or passes nothing, is only believed
    /// when it was seen since `since_ms`: what was missing may be there by now.
    pub(crate) async fn of(&self, trial: &Trial<'_>, digest: &Digest, planned: &Planned, since_ms: i64) -> Arc<Known> {
        let Planned { at, step } = planned;
        let place =
            [trial.root.display().to_string(), digest.to_string(), trial.wall.as_secs().to_string(), at.clone()];
        let env = step.env.iter().map(|(name, value)| format!("{name}={value}"));
        let parts: Vec<String> = place.into_iter().chain(step.argv.iter().cloned()).chain(env).collect();
        let key = Digest::of_parts(parts.iter().map(String::as_str));
        let look = async {
            let ended = trial.run(at, step, &BTreeMap::new()).await;
            Arc::new(Known { ended, at_ms: trial.cx.now_ms() })
        };
        let is_stale = |known: &Arc<Known>| known.at_ms < since_ms && !works(&known.ended.run);
        self.steps.entry(key).or_insert_with_if(look, is_stale).await.into_value()
    }

    /// What calls do without a fix, as `look` sees it: once for what `parts` name, a failure each time anew.
    pub(crate) async fn calls(
        &self,
        parts: &[&str],
        look: impl Future<Output = Result<proof::Run, String>>,
    ) -> Result<proof::Run, String> {
        let key = Digest::of_parts(parts.iter().copied());
        let look = async { look.await.map(Arc::new) };
        let known = self.calls.try_get_with(key, look).await;
        known.map(|run| (*run).clone()).map_err(|why| (*why).clone())
    }
}

fn works(run: &Run) -> bool {
    matches!(run, Run::Ran { code: 0, .. })
}
