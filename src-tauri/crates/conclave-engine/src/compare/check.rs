//! Whether two configurations can be run, and are two.

use conclave_core::configuration::Configuration;

use super::CompareError;
use crate::ctx::Ctx;

/// Refuses what cannot be run under the settings in force.
pub(super) fn configurations(cx: &Ctx, arms: &[Configuration; 2]) -> Result<(), CompareError> {
    let [a, b] = arms;
    if a.is_like(b) {
        return Err(CompareError::Same);
    }
    for arm in arms {
        if let Some(why) = wrong(cx, arm) {
            return Err(CompareError::Configuration { name: arm.name.clone(), why });
        }
    }
    Ok(())
}

fn wrong(cx: &Ctx, arm: &Configuration) -> Option<String> {
    let used = cx.models.used();
    for name in &arm.models {
        if !used.iter().any(|model| model.name() == name) {
            let names: Vec<String> = used.iter().map(|model| format!("`{}`", model.name())).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Some(format!("there is no model `{name}` to be asked; the settings have {known}"));
        }
    }
    if let Some((severity, _)) = arm.tiers.iter().find(|(_, tier)| tier.seats.is_empty()) {
        return Some(format!("`tiers.{}` has no seats", severity.label().to_lowercase()));
    }
    if let Some((severity, fault)) = arm.tiers.iter().find_map(|(severity, tier)| Some((severity, tier.fault()?))) {
        return Some(format!("`tiers.{}`: {fault}", severity.label().to_lowercase()));
    }
    let asks = |name: &str| arm.models.is_empty() || arm.models.iter().any(|model| model == name);
    let can_be_asked = used.iter().any(|model| asks(model.name()) && model.missing().is_none());
    (arm.design.is_bare() && !can_be_asked).then(|| "it asks models, and none of the settings can be asked".to_owned())
}
