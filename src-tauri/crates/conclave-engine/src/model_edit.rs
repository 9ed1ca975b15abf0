//! Changes what the settings file says about models and money.
//!
//! Invariants: only settings that load and make sense are written, whole or not at all; everything else in the file
//! stays as it says; what was edited is what is replaced, even when another process edits too; each change is in the
//! ledger before it is made.

use std::path::PathBuf;

use conclave_core::settings::{BudgetSetting, CliKind, ManualCost, PERSON, SAMPLING, Settings};
use conclave_effects::{Denied, FsError, WriteFile, host_of, write_file};
use conclave_policy::{Actor, Layer, digest, suggest};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::model_list::OneModel;
use crate::models;
use crate::settings_file;

/// The longest name of a model, in characters.
const LONGEST_NAME: usize = 100;

/// Headers that hold keys.
const KEY_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];

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

/// Takes the model `name` out of the settings, and out of what names it; the client's model is turned off.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn remove(cx: &Ctx, name: &str) -> Result<(), EditError> {
    not_in_use(cx, name)?;
    edit(cx, |settings, root| {
        known(settings, name)?;
        if name == SAMPLING {
            root.shift_remove("sampling");
        }
        for list in LISTS {
            elements(root, list).retain(|entry| entry["name"] != name);
        }
        names(root).for_each(|names| names.retain(|entry| entry != name));
        Ok(())
    })
    .await
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
    edit(cx, |_, root| {
        root.insert("budget".to_owned(), written(budget)?);
        root.insert("manual_cost".to_owned(), written(manual)?);
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
    let (list, value) = match model {
        OneModel::Api(setting) => ("models", written(setting)?),
        OneModel::Cli(setting) => ("cli_models", written(setting)?),
        OneModel::Local(setting) => ("local_models", written(setting)?),
        OneModel::McpSampling(setting) => {
            if replaces.is_some_and(|old| old != SAMPLING) {
                return Err(EditError::Wrong(format!("`{SAMPLING}` takes no other model\u{2019}s place")));
            }
            root.insert("sampling".to_owned(), written(setting)?);
            return Ok(());
        }
    };
    let Some(old) = replaces else {
        elements(root, list).push(value);
        return Ok(());
    };
    match elements(root, list).iter_mut().find(|entry| entry["name"] == old) {
        Some(entry) => *entry = value,
        None => {
            return Err(EditError::Wrong(format!("`{old}` is reached in another way; remove it and add `{name}`")));
        }
    }
    for entry in names(root).flatten().filter(|entry| **entry == old) {
        *entry = json!(name);
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

/// The lists of names in the file: the order of models, and who reviews.
fn names(root: &mut Map<String, Value>) -> impl Iterator<Item = &mut Vec<Value>> {
    let lists = root.iter_mut().filter_map(|(key, value)| match key.as_str() {
        "preference" => Some(value),
        "review" => value.get_mut("models"),
        _ => None,
    });
    lists.filter_map(Value::as_array_mut)
}

/// A setting as it is written: what is not set is left out.
fn written(setting: &impl Serialize) -> Result<Value, EditError> {
    let mut value = serde_json::to_value(setting).map_err(|error| EditError::Wrong(error.to_string()))?;
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(value)
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
    let address = |url: &str| match host_of(url) {
        Ok(_) => Ok(()),
        Err(error) => wrong(format!("`{name}` cannot be reached at this address: {error}")),
    };
    let variable = |variable: &Option<String>| match variable {
        Some(words) if words.is_empty() || words.contains(|c: char| c == '=' || c == '\0' || c.is_whitespace()) => {
            wrong("an environment variable\u{2019}s name is one word; the key itself goes into the keychain".to_owned())
        }
        _ => Ok(()),
    };
    let at_once = match model {
        OneModel::Api(setting) => {
            address(&setting.base_url)?;
            variable(&setting.key_env)?;
            if setting.model.trim().is_empty() {
                return wrong(format!("`{name}` names no model; say which one the server should use"));
            }
            let key = |header: &&String| KEY_HEADERS.iter().any(|known| header.eq_ignore_ascii_case(known));
            if let Some(header) = setting.headers.keys().find(key) {
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
            if setting.context_tokens == Some(0) || setting.threads == Some(0) {
                return wrong(format!(
                    "`{name}` cannot work with nothing; leave context and threads out to have it choose"
                ));
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
async fn edit(
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
    let after = Value::Object(root);
    settings_file::read(&after.to_string()).map_err(EditError::Wrong)?;
    let effect = WriteFile {
        path: path.clone(),
        bytes: format!("{after:#}\n").into_bytes(),
        base: before.map(|text| digest(text.as_bytes())),
        backup: false,
    };
    let permit = cx.gate.authorize(Actor::Person, effect).await?;
    blocking(move || write_file(permit)).await?;
    // In force before whoever changed it goes on; faces are told where anything is different.
    models::reload(cx);
    Ok(())
}

#[cfg(test)]
mod tests;
