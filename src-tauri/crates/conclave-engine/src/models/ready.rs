//! Loading models before they are asked, and letting them go: model files take their time and their memory.
//!
//! Whoever asks a model that is not loaded loads it, within the time for the answer; this is for whoever would rather not
//! wait then. What nobody asks is let go after a while by itself.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use conclave_inference::{AskError, Health};

use super::Models;
use super::measure::looking;
use crate::ctx::Ctx;

/// How long a model may take to be loaded: a large file on a slow disk.
const LOAD: Duration = Duration::from_secs(300);

/// Loads the model `name` and looks at it; `None` where the settings turn none on that is called so. One that has nothing
/// to load is only looked at.
///
/// # Errors
/// It cannot be loaded.
pub async fn start(cx: &Ctx, name: &str) -> Result<Option<Health>, AskError> {
    let set = cx.models.current();
    match set.strategy.start(name, &looking(cx, &set), LOAD).await {
        Some(started) => started?,
        None => return Ok(None),
    }
    Ok(super::check(cx, name).await)
}

/// Lets go of what the model `name` holds in this process; whether the settings turn one on that is called so.
pub async fn stop(cx: &Ctx, name: &str) -> bool {
    let set = cx.models.current();
    let model = set.named(name);
    if let Some(model) = model {
        model.provider.stop().await;
    }
    model.is_some()
}

impl Models {
    /// Has the models of `names` that are not loaded loaded in the background, because they are about to be asked.
    pub(crate) fn warm(&self, cx: &Ctx, names: &[String]) {
        let set = self.current();
        let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if set.named(name).is_none_or(|model| model.provider.is_loaded() != Some(false)) {
                continue;
            }
            let (carry, set, name) = (looking(cx, &set), Arc::clone(&set), name.clone());
            aside.spawn(async move {
                if let Some(Err(error)) = set.strategy.start(&name, &carry, LOAD).await {
                    tracing::warn!(model = name, %error, "a model was not loaded ahead");
                }
            });
        }
    }
}
