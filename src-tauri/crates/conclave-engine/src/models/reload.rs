//! Following the settings file: what it says is in force as soon as it is saved.
//!
//! Invariant: a file that cannot be read changes nothing, and is said to.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use conclave_core::settings::Settings;
use conclave_effects::FsError;
use conclave_effects::policy_files;

use super::{Models, Set};
use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::{open, policies};

impl Models {
    /// Why the settings file is not in force as it is, and what holds instead.
    pub fn banner(&self) -> Option<String> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.as_ref().map(|fault| format!("The settings from before still hold until the file is corrected: {fault}"))
    }

    /// Remembers why the settings file is not in force; whether that is news.
    fn set_fault(&self, fault: Option<String>) -> bool {
        let mut held = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *held != fault;
        *held = fault;
        is_news
    }

    /// Puts `settings` in force, in one step; gives the models from before.
    fn exchange(&self, settings: Settings) -> Arc<Set> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let set = Arc::new(Set::new(settings, &self.means.place, Some(&current)));
        std::mem::replace(&mut current, set)
    }
}

/// Reads the settings file again and puts it in force; whether anything is different now. Faces are told if so.
pub fn reload(cx: &Ctx) -> bool {
    let changed = match open::settings(&cx.data) {
        Err(fault) => cx.models.set_fault(Some(fault.to_string())),
        Ok(settings) => {
            let is_same = *cx.models.settings() == settings;
            if !is_same {
                let reviewers = policies::reviewers(&settings);
                let before = cx.models.exchange(settings);
                use_reviewers(cx, reviewers);
                retire(cx, before);
                // Servers of tools that are gone end.
                cx.toolbox();
            }
            cx.models.set_fault(None) || !is_same
        }
    };
    if changed {
        cx.events.send(Event::Changed(vec![Topic::Models, Topic::Keys, Topic::Policy, Topic::Spending]));
    }
    changed
}

/// Warnings about policies depend on whom the settings name.
fn use_reviewers(cx: &Ctx, reviewers: BTreeSet<String>) {
    cx.policy.set_reviewers(reviewers);
    if let Err(error) = policies::reload(cx) {
        tracing::warn!(%error, "the policy was not read again after the settings changed");
    }
}

/// Ends the models of `before` that are gone, when what was asked of them has come to its end.
fn retire(cx: &Ctx, before: Arc<Set>) {
    let mut aside = cx.models.aside.lock().unwrap_or_else(PoisonError::into_inner);
    while aside.try_join_next().is_some() {}
    let (models, gate) = (Arc::downgrade(&cx.models), cx.gate.clone());
    aside.spawn(async move {
        let Some(after) = models.upgrade().map(|models| models.current()) else { return };
        before.strategy.retire(&after.strategy).await;
        if let Some(models) = models.upgrade() {
            models.save_counts_of(&before, gate.clock().now_ms());
        }
    });
}

/// Follows the file until the context is cancelled, then ends the models' children.
///
/// # Errors
/// The file cannot be followed; the settings stay what they are.
pub async fn follow(cx: &Ctx) -> Result<(), FsError> {
    let mut following = policy_files::follow(&[cx.data.path().join("settings.json")])?;
    loop {
        reload(cx);
        tokio::select! {
            () = following.changed() => {}
            () = cx.cancel.cancelled() => break,
        }
    }
    cx.models.stop().await;
    Ok(())
}
