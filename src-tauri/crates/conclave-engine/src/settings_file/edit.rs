//! From one set of settings to another in the text of the file.
//!
//! Pure text work; only the settings that a configuration can bring are looked at.

use conclave_core::settings::Settings;
use serde_json::{Map, Value, json};

use super::rewrite::rewritten;
use super::written::written;
use crate::model_list::OneModel;

/// One setting that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which, for example `answer_timeout_s` or `models: claude`.
    pub setting: String,
    /// What it is now, as JSON; `None` where the file does not say.
    pub before: Option<String>,
    /// What it will be, as JSON.
    pub after: String,
}

/// One edit.
enum Edit {
    /// Of a value, in the object called `parent` where it is in one.
    Value { parent: Option<&'static str>, key: &'static str, before: Value, after: Value },
    /// Of an entry of the list `key`.
    Entry { key: &'static str, before: Option<Box<OneModel>>, after: Box<OneModel> },
}

/// The text that says `new` where `text` says `old`, and what is different.
///
/// # Errors
/// The file is written in a way in which that cannot be done.
pub(super) fn edited(text: &str, old: &Settings, new: &Settings) -> Result<(String, Vec<Change>), String> {
    let edits = edits(old, new);
    let text_now = if text.trim().is_empty() { "{}" } else { text };
    let mut root: Map<String, Value> = serde_json::from_str(text_now).map_err(|error| error.to_string())?;
    for edit in &edits {
        edit.put_into(&mut root)?;
    }
    let after = rewritten(text, &root)?;
    if super::read(&after).as_ref() != Ok(new) {
        return Err("they cannot be changed by themselves; change them by hand".to_owned());
    }
    Ok((after, edits.into_iter().map(Edit::change).collect()))
}

fn edits(old: &Settings, new: &Settings) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut one = |parent, key, before: Value, after: Value| {
        if before != after {
            edits.push(Edit::Value { parent, key, before, after });
        }
    };
    one(None, "answer_timeout_s", json!(old.answer_timeout_s), json!(new.answer_timeout_s));
    one(Some("answer_cache"), "keep_s", json!(old.answer_cache.keep_s), json!(new.answer_cache.keep_s));
    one(Some("sampling"), "enabled", json!(old.sampling.enabled), json!(new.sampling.enabled));
    one(None, "preference", json!(old.preference), json!(new.preference));
    let apis = |settings: &Settings| settings.models.iter().cloned().map(OneModel::Api).collect();
    let clis = |settings: &Settings| settings.cli_models.iter().cloned().map(OneModel::Cli).collect();
    edits.extend(entries("models", apis(old), apis(new)));
    edits.extend(entries("cli_models", clis(old), clis(new)));
    edits
}

/// What is different between two lists of models; none of the old ones is gone.
fn entries(key: &'static str, old: Vec<OneModel>, new: Vec<OneModel>) -> Vec<Edit> {
    let edit = |after: OneModel| {
        let before = old.iter().find(|old| old.name() == after.name());
        let is_new = before != Some(&after);
        is_new.then(|| Edit::Entry { key, before: before.cloned().map(Box::new), after: Box::new(after) })
    };
    new.into_iter().filter_map(edit).collect()
}

impl Edit {
    fn put_into(&self, root: &mut Map<String, Value>) -> Result<(), String> {
        match self {
            Self::Value { parent: None, key, after, .. } => drop(root.insert((*key).to_owned(), after.clone())),
            Self::Value { parent: Some(parent), key, after, .. } => {
                let object = root.entry(*parent).or_insert_with(|| json!({})).as_object_mut();
                object.ok_or(format!("`{parent}` is no object"))?.insert((*key).to_owned(), after.clone());
            }
            Self::Entry { key, before, after } => {
                let list = root.entry(*key).or_insert_with(|| json!([])).as_array_mut();
                let list = list.ok_or(format!("`{key}` is no list"))?;
                match list.iter_mut().find(|entry| entry["name"] == after.name()).zip(before.as_deref()) {
                    Some((raw, before)) => *raw = written(after, Some((&*raw, before))),
                    None => list.push(written(after, None)),
                }
            }
        }
        Ok(())
    }

    fn change(self) -> Change {
        match self {
            Self::Value { parent, key, before, after } => Change {
                setting: parent.map_or_else(|| key.to_owned(), |parent| format!("{parent}.{key}")),
                before: Some(before.to_string()),
                after: after.to_string(),
            },
            Self::Entry { key, before, after } => Change {
                setting: format!("{key}: {}", after.name()),
                before: before.map(|before| written(&before, None).to_string()),
                after: written(&after, None).to_string(),
            },
        }
    }
}
