//! Changes how much effort findings of one severity get: everywhere, or in one project.
//!
//! Deliberately absent: any file of a project. Tiers say what is spent and who is asked, so only the person's own settings
//! hold them. Invariant: what makes no sense is refused before anything is written.

use conclave_core::finding::Severity;
use conclave_core::settings::Settings;
use conclave_core::tier::{Tier, TierFault, Tiers};
use serde_json::{Map, Value, json};

use crate::ctx::Ctx;
use crate::model_edit::{EditError, edit};

/// Why tiers were not changed.
#[derive(Debug, thiserror::Error)]
pub enum TierError {
    /// It makes no sense.
    #[error("{fault}", fault = .0)]
    Fault(TierFault),
    /// There is nothing to take back.
    #[error("{0}")]
    NotSet(String),
    /// The settings cannot be changed.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// The effort for findings of one severity, and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The severity.
    pub severity: Severity,
    /// The effort.
    pub tier: Tier,
    /// Whether it is set here.
    pub is_own: bool,
    /// What it would be if nothing were set here: as everywhere for a project, as it ships for everywhere.
    pub inherited: Tier,
}

/// The effort by severity in the project in the folder `project`, or everywhere.
pub fn standing(settings: &Settings, project: Option<&str>) -> Vec<Standing> {
    let (common, shipped) = (&settings.tiers, Tiers::default());
    let of = |severity| {
        let (own, inherited) = match project {
            None => (Some(common.of(severity)).filter(|tier| *tier != shipped.of(severity)), shipped.of(severity)),
            Some(root) => (settings.project_tiers.get(root).and_then(|tiers| tiers.of(severity)), common.of(severity)),
        };
        Standing {
            severity,
            tier: own.unwrap_or(inherited).clone(),
            is_own: own.is_some(),
            inherited: inherited.clone(),
        }
    };
    Severity::ALL.map(of).to_vec()
}

/// Has findings of `severity` get the effort `tier`: in the project in the folder `project`, or everywhere.
///
/// # Errors
/// See [`TierError`]; then the settings are as they were.
pub async fn save(cx: &Ctx, project: Option<&str>, severity: Severity, tier: &Tier) -> Result<(), TierError> {
    if let Some(fault) = tier.fault() {
        return Err(TierError::Fault(fault));
    }
    let change = |root: &mut Map<String, Value>| {
        let tiers = match project {
            None => object(root, "tiers"),
            Some(project) => object(object(root, "project_tiers"), project),
        };
        tiers.insert(key(severity), json!(tier));
    };
    edit(cx, |_, root| {
        change(root);
        Ok(())
    })
    .await?;
    Ok(())
}

/// Takes back what is set for `severity`, or for all of them: a project is as everywhere again, and everywhere it is as
/// Conclave ships it.
///
/// # Errors
/// See [`TierError`]; then the settings are as they were.
pub async fn reset(cx: &Ctx, project: Option<&str>, severity: Option<Severity>) -> Result<(), TierError> {
    let severities = severity.map_or_else(|| Severity::ALL.to_vec(), |severity| vec![severity]);
    let mut taken = false;
    edit(cx, |_, root| {
        taken = match project {
            None => take(root, "tiers", &severities),
            Some(project) => {
                let all = object(root, "project_tiers");
                let taken = take(all, project, &severities);
                if all.is_empty() {
                    root.shift_remove("project_tiers");
                }
                taken
            }
        };
        Ok(())
    })
    .await?;
    match (taken, project) {
        (true, _) => Ok(()),
        (false, None) => Err(TierError::NotSet("it is as Conclave ships it already".to_owned())),
        (false, Some(project)) => Err(TierError::NotSet(format!("`{project}` has it as everywhere already"))),
    }
}

/// Takes `severities` out of the object `of`, and that out of `parent` where it is empty then; whether any was there.
fn take(parent: &mut Map<String, Value>, of: &str, severities: &[Severity]) -> bool {
    let Some(tiers) = parent.get_mut(of).and_then(Value::as_object_mut) else { return false };
    let before = tiers.len();
    tiers.retain(|name, _| !severities.iter().any(|severity| key(*severity) == *name));
    let (taken, is_empty) = (tiers.len() < before, tiers.is_empty());
    if is_empty {
        parent.shift_remove(of);
    }
    taken
}

/// The object `key` of `parent`, which is made where it is missing.
fn object<'a>(parent: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let value = parent.entry(key).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    // INVARIANT: the line above made it an object where it was none.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    value.as_object_mut().expect("an object")
}

/// What the settings call the tier of `severity`.
fn key(severity: Severity) -> String {
    severity.label().to_lowercase()
}

#[cfg(test)]
mod tests;
