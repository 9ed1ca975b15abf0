//! Changes what the settings file says about models and money.
//!
//! Invariants: only settings that load and make sense are written, whole or not at all; everything else in the file
//! keeps its bytes; what was edited is what is replaced, even when another process edits too; each change is in the
//! ledger before it is made.

use std::path::PathBuf;

use conclave_core::settings::{BudgetSetting, CliKind, HealthSetting, ManualCost, PERSON, SAMPLING, Settings};
use conclave_effects::{Denied, FsError, host_of};
use conclave_policy::{Layer, digest, suggest};
use serde_json::{Map, Value, json};

use crate::ctx::Ctx;
use crate::model_list::OneModel;
use crate::settings_file::{
    self, NO_VARIABLE, PutError, holds_key, is_variable, more_than_a_place, part, rewritten, written,
};

/// The longest name of a model, in characters.
const LONGEST_NAME: usize = 100;

/// Why the settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The settings file has something in it that is not a setting.
    #[error("the settings in `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where in it.
        detail: String,
    },
    /// There is no such model.
    #[error("{0}")]
    Unknown(String),
    /// What was given makes no sense.
    #[error("{0}")]
    Wrong(String),
    /// The policy asks this model by its name.
    #[error("rule `{rule}` of your policy has `{name}` review; change the rule first")]
    InUse {
        /// The model.
        name: String,
        /// The rule.
        rule: String,
    },
    /// The policy denies it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The file cannot be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// Adds `model`, or puts it in the place of the one that is called `replaces`; what names that one follows.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn save(cx: &Ctx, model: &OneModel, replaces: Option<&str>) -> Result<(), EditError> {
    sound(model)?;
    if let Some(old) = replaces.filter(|old| *old != model.name()) {
        not_in_use(cx, old)?;
    }
    edit(cx, |settings, root| put(settings, root, model, replaces)).await
}

/// Takes the model `name` out of the settings, and out of what names it; the client's model is turned off. Gives the
/// settings that named it.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn remove(cx: &Ctx, name: &str) -> Result<Vec<String>, EditError> {
    not_in_use(cx, name)?;
    let mut also = Vec::new();
    edit(cx, |settings, root| {
        known(settings, name)?;
        if name == SAMPLING {
            root.shift_remove("sampling");
        }
        for list in LISTS {
            if let Some(entries) = root.get_mut(list).and_then(Value::as_array_mut) {
                entries.retain(|entry| entry["name"] != name);
            }
        }
        for (setting, names) in names(root) {
            if names.iter().any(|entry| entry == name) {
                names.retain(|entry| entry != name);
                also.push(setting.to_owned());
            }
        }
        for (role, sitting) in seats(root) {
            if sitting.iter().any(|entry| entry["model"] == name) {
                sitting.retain(|entry| entry["model"] != name);
                also.push(format!("roles.{role}"));
            }
        }
        Ok(())
    })
    .await?;
    Ok(also)
}

/// Has models tried in the order of `names`; those that are not named follow as they stand.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn order(cx: &Ctx, names: &[String]) -> Result<(), EditError> {
    edit(cx, |settings, root| {
        for (index, name) in names.iter().enumerate() {
            known(settings, name)?;
            if names[..index].contains(name) {
                return Err(EditError::Wrong(format!("`{name}` stands twice in the order")));
            }
        }
        let rest = settings.preference.iter().filter(|name| !names.contains(name));
        let order: Vec<&String> = names.iter().chain(rest).collect();
        root.insert("preference".to_owned(), json!(order));
        Ok(())
    })
    .await
}

/// Says what may be spent, and what fixing by hand costs in comparison.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn budget(cx: &Ctx, budget: &BudgetSetting, manual: &ManualCost) -> Result<(), EditError> {
    edit(cx, |settings, root| {
        let plain = BudgetSetting::default();
        let limits = part(root.get("budget"), (&settings.budget, budget), &plain, &[]);
        root.insert("budget".to_owned(), limits);
        let (plain, costs) = (ManualCost::default(), (&settings.manual_cost, manual));
        let by_hand = part(root.get("manual_cost"), costs, &plain, &["critical", "high", "medium"]);
        root.insert("manual_cost".to_owned(), by_hand);
        Ok(())
    })
    .await
}

/// Says when a model counts as degraded or down.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn thresholds(cx: &Ctx, health: &HealthSetting) -> Result<(), EditError> {
    let HealthSetting { slow_percent, degraded_percent, down_percent } = health;
    let wrong = |words: &str| Err(EditError::Wrong(words.to_owned()));
    if *slow_percent < 100 {
        return wrong("a model is slow from more than its usual time on: 100 percent of it at least");
    }
    if *degraded_percent > 100 || *down_percent > 100 {
        return wrong("no more than 100 of a hundred calls can fail");
    }
    if degraded_percent > down_percent {
        return wrong("a model that counts as down has to count as degraded before");
    }
    edit(cx, |settings, root| {
        let plain = HealthSetting::default();
        let limits = part(root.get("health"), (&settings.health, health), &plain, &[]);
        root.insert("health".to_owned(), limits);
        Ok(())
    })
    .await
}

/// Whether the settings name the model `name`.
///
/// # Errors
/// They do not.
pub fn named(cx: &Ctx, name: &str) -> Result<(), EditError> {
    known(&cx.settings(), name)
}

/// The lists of models in the settings file.
const LISTS: [&str; 3] = ["models", "cli_models", "local_models"];

fn put(
    settings: &Settings,
    root: &mut Map<String, Value>,
    model: &OneModel,
    replaces: Option<&str>,
) -> Result<(), EditError> {
    let name = model.name();
    if let Some(old) = replaces {
        known(settings, old)?;
    }
    let is_free = Some(name) == replaces || name == SAMPLING || known(settings, name).is_err();
    if !is_free {
        return Err(EditError::Wrong(format!("there is a model `{name}` already; give this one another name")));
    }
    let before = replaces.and_then(|old| OneModel::all(settings).into_iter().find(|model| model.name() == old));
    let list = match model {
        OneModel::Api(_) => "models",
        OneModel::Cli(_) => "cli_models",
        OneModel::Local(_) => "local_models",
        OneModel::McpSampling(_) => {
            if replaces.is_some_and(|old| old != SAMPLING) {
                return Err(EditError::Wrong(format!("`{SAMPLING}` takes no other model\u{2019}s place")));
            }
            let before = OneModel::McpSampling(settings.sampling.clone());
            let sampling = written(model, root.get("sampling").map(|raw| (raw, &before)));
            root.insert("sampling".to_owned(), sampling);
            return Ok(());
        }
    };
    let Some((old, before)) = replaces.zip(before) else {
        elements(root, list).push(written(model, None));
        return Ok(());
    };
    match elements(root, list).iter_mut().find(|entry| entry["name"] == old) {
        Some(entry) => *entry = written(model, Some((&*entry, &before))),
        None => {
            return Err(EditError::Wrong(format!("`{old}` is reached in another way; remove it and add `{name}`")));
        }
    }
    for entry in names(root).flat_map(|(_, names)| names).filter(|entry| **entry == old) {
        *entry = json!(name);
    }
    for entry in seats(root).flat_map(|(_, sitting)| sitting).filter(|entry| entry["model"] == old) {
        entry["model"] = json!(name);
    }
    Ok(())
}

/// The entries of a list of the file, which is made where it is missing.
fn elements<'a>(root: &'a mut Map<String, Value>, list: &str) -> &'a mut Vec<Value> {
    let value = root.entry(list).or_insert_with(|| json!([]));
    if !value.is_array() {
        *value = json!([]);
    }
    // INVARIANT: the line above made it an array where it was none.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    value.as_array_mut().expect("an array")
}

/// The lists of names in the file, with their settings: the order of models, and who reviews.
fn names(root: &mut Map<String, Value>) -> impl Iterator<Item = (&'static str, &mut Vec<Value>)> {
    root.iter_mut().filter_map(|(key, value)| match key.as_str() {
        "preference" => Some(("preference", value.as_array_mut()?)),
        "review" => Some(("review.models", value.get_mut("models")?.as_array_mut()?)),
        _ => None,
    })
}

/// The lists of models in the file that sit for a role before all others, with their roles.
fn seats(root: &mut Map<String, Value>) -> impl Iterator<Item = (&String, &mut Vec<Value>)> {
    let roles = root.get_mut("roles").and_then(Value::as_object_mut);
    roles.into_iter().flatten().filter_map(|(role, sitting)| Some((role, sitting.as_array_mut()?)))
}

fn known(settings: &Settings, name: &str) -> Result<(), EditError> {
    let all = OneModel::all(settings);
    let names: Vec<&str> = all.iter().map(OneModel::name).collect();
    match names.contains(&name) {
        true => Ok(()),
        false => Err(EditError::Unknown(suggest::unknown("model", name, &names))),
    }
}

/// A rule of the person's that names a model that is gone would have everything refused.
fn not_in_use(cx: &Ctx, name: &str) -> Result<(), EditError> {
    let policy = cx.policy.policies().current();
    let mut rules = policy.rules().filter(|rule| rule.layer() == Layer::User && rule.provider() == Some(name));
    match rules.next() {
        None => Ok(()),
        Some(rule) => Err(EditError::InUse { name: name.to_owned(), rule: rule.id().to_owned() }),
    }
}

/// Whether the setting of one model makes sense by itself.
fn sound(model: &OneModel) -> Result<(), EditError> {
    let wrong = |words: String| Err(EditError::Wrong(words));
    let name = model.name();
    if name.trim() != name || name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control)
    {
        return wrong(format!("a model\u{2019}s name is one line of 1 to {LONGEST_NAME} characters"));
    }
    if name == PERSON || (name == SAMPLING && !matches!(model, OneModel::McpSampling(_))) {
        return wrong(format!("`{name}` is the name of something else; give the model another one"));
    }
    let address = |url: &str| match (more_than_a_place(url), host_of(url)) {
        (Some(more), _) => wrong(format!("`{name}` cannot be reached at this address: {more}")),
        (None, Ok(_)) => Ok(()),
        (None, Err(error)) => wrong(format!("`{name}` cannot be reached at this address: {error}")),
    };
    let variable = |variable: &Option<String>| match variable {
        Some(words) if !is_variable(words) => wrong(NO_VARIABLE.to_owned()),
        _ => Ok(()),
    };
    let at_once = match model {
        OneModel::Api(setting) => {
            address(&setting.base_url)?;
            variable(&setting.key_env)?;
            if setting.model.trim().is_empty() {
                return wrong(format!("`{name}` names no model; say which one the server should use"));
            }
            if let Some(header) = setting.headers.keys().find(|header| holds_key(header)) {
                return wrong(format!("the header `{header}` holds a key; put the key into the keychain instead"));
            }
            setting.max_concurrent
        }
        OneModel::Cli(setting) => {
            setting.base_url.as_deref().map_or(Ok(()), address)?;
            variable(&setting.key_env)?;
            if setting.kind == CliKind::Generic
                && setting.command.as_deref().is_none_or(|command| command.trim().is_empty())
            {
                return wrong(format!("`{name}` names no program; say which one answers"));
            }
            setting.max_concurrent
        }
        OneModel::Local(setting) => {
            if !setting.file.starts_with('/') {
                return wrong(format!("`{name}` needs the absolute path of a model file"));
            }
            if setting.context_tokens == Some(0) {
                return wrong(format!("`{name}` cannot work with nothing; leave its context out to have it choose"));
            }
            if setting.threads == Some(0) {
                return wrong(format!("`{name}` cannot work without a thread; leave threads out to have it choose"));
            }
            None
        }
        OneModel::McpSampling(_) => None,
    };
    match at_once {
        Some(0) => wrong(format!("`{name}` would never be asked; turn it off instead")),
        _ => Ok(()),
    }
}

/// Changes the settings file by `change`, which sees the settings and their text as JSON.
pub(crate) async fn edit(
    cx: &Ctx,
    change: impl FnOnce(&Settings, &mut Map<String, Value>) -> Result<(), EditError>,
) -> Result<(), EditError> {
    let path = cx.data.path().join("settings.json");
    let before = cx.data.settings()?;
    let unreadable = |error: serde_json::Error| EditError::Unreadable { path: path.clone(), detail: error.to_string() };
    let text = before.as_deref().unwrap_or("{}");
    let settings: Settings = serde_json::from_str(text).map_err(unreadable)?;
    let mut root: Map<String, Value> = serde_json::from_str(text).map_err(unreadable)?;
    change(&settings, &mut root)?;
    let after = rewritten(before.as_deref().unwrap_or_default(), &root).map_err(EditError::Wrong)?;
    settings_file::read(&after).map_err(EditError::Wrong)?;
    if before.as_ref() == Some(&after) {
        return Ok(());
    }
    let base = before.map(|text| digest(text.as_bytes()));
    let put = settings_file::put(cx, base.as_deref(), &after).await;
    put.map(drop).map_err(|error| match error {
        PutError::Denied(denied) => EditError::Denied(denied),
        PutError::Fs(error) => EditError::Fs(error),
    })
}

#[cfg(test)]
mod tests;
