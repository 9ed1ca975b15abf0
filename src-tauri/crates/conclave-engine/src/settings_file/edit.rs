//! From one set of settings to another in the text of the file: what is the same keeps its bytes.
//!
//! Pure text work; only the settings that a configuration can bring are looked at.

use conclave_core::settings::{CliSetting, ModelSetting, Settings};
use jsonc_parser::ast::{Object, Value as Ast};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::Serialize;
use serde_json::{Value, json};

use crate::splice::{self, Container};

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
struct Edit {
    /// The object that holds it, below the root; `None` is the root.
    parent: Option<&'static str>,
    key: &'static str,
    /// The entry of a list, by its name.
    entry: Option<String>,
    before: Option<Value>,
    after: Value,
}

/// The text that says `new` where `text` says `old`, and what is different.
///
/// # Errors
/// The file is written in a way in which that cannot be done.
pub(super) fn edited(text: &str, old: &Settings, new: &Settings) -> Result<(String, Vec<Change>), String> {
    let edits = edits(old, new);
    let mut after = if text.trim().is_empty() { "{}\n".to_owned() } else { text.to_owned() };
    for edit in &edits {
        after = apply(&after, edit)?;
    }
    if super::read(&after).as_ref() != Ok(new) {
        return Err("they cannot be changed by themselves; change them by hand".to_owned());
    }
    let changes = edits.into_iter().map(|Edit { parent, key, entry, before, after }| {
        let setting = match (parent, entry) {
            (Some(parent), _) => format!("{parent}.{key}"),
            (None, Some(entry)) => format!("{key}: {entry}"),
            (None, None) => key.to_owned(),
        };
        Change { setting, before: before.map(|value| value.to_string()), after: after.to_string() }
    });
    Ok((after, changes.collect()))
}

fn edits(old: &Settings, new: &Settings) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut one = |parent, key, before: Value, after: Value| {
        if before != after {
            edits.push(Edit { parent, key, entry: None, before: Some(before), after });
        }
    };
    one(None, "answer_timeout_s", json!(old.answer_timeout_s), json!(new.answer_timeout_s));
    one(Some("answer_cache"), "keep_s", json!(old.answer_cache.keep_s), json!(new.answer_cache.keep_s));
    one(Some("sampling"), "enabled", json!(old.sampling.enabled), json!(new.sampling.enabled));
    one(None, "preference", json!(old.preference), json!(new.preference));
    edits.extend(entries("models", &old.models, &new.models, |model| &model.name, api));
    edits.extend(entries("cli_models", &old.cli_models, &new.cli_models, |model| &model.name, cli));
    edits
}

/// What is different between two lists of things with names; none of the old ones is gone.
fn entries<T: PartialEq>(
    key: &'static str,
    old: &[T],
    new: &[T],
    name: impl Fn(&T) -> &String,
    written: impl Fn(&T) -> Value,
) -> Vec<Edit> {
    let edit = |new: &T| {
        let before = old.iter().find(|old| name(old) == name(new));
        if before == Some(new) {
            return None;
        }
        let entry = Some(name(new).clone());
        Some(Edit { parent: None, key, entry, before: before.map(&written), after: written(new) })
    };
    new.iter().filter_map(edit).collect()
}

/// A model without what goes without saying.
fn api(model: &ModelSetting) -> Value {
    lean(model, &ModelSetting::new(&model.name, &model.base_url, &model.model), &["name", "base_url", "model"])
}

/// A program without what goes without saying.
fn cli(model: &CliSetting) -> Value {
    let plain: Result<CliSetting, _> = serde_json::from_value(json!({ "name": model.name, "type": model.kind }));
    match plain {
        Ok(plain) => lean(model, &plain, &["name", "type"]),
        Err(_) => json!(model),
    }
}

/// `value` as JSON without the fields that `plain` has too, but for those that must be there.
fn lean<T: Serialize>(value: &T, plain: &T, needed: &[&str]) -> Value {
    let (mut value, plain) = (json!(value), json!(plain));
    if let Value::Object(fields) = &mut value {
        fields.retain(|key, field| needed.contains(&key.as_str()) || plain.get(key) != Some(field));
    }
    value
}

fn apply(text: &str, edit: &Edit) -> Result<String, String> {
    let root = root(text)?;
    let Some(parent) = edit.parent else { return in_object(text, &root, edit) };
    match root.get(parent).map(|property| &property.value) {
        None => Ok(splice::put(text, &members(&root), &member(parent, &json!({ edit.key: edit.after })))),
        Some(Ast::Object(object)) => in_object(text, object, edit),
        Some(_) => Err(format!("`{parent}` is no object")),
    }
}

fn in_object(text: &str, object: &Object<'_>, edit: &Edit) -> Result<String, String> {
    let property = object.get(edit.key);
    match (&edit.entry, property.map(|property| &property.value)) {
        (None, None) => Ok(splice::put(text, &members(object), &member(edit.key, &edit.after))),
        (None, Some(value)) => Ok(splice::replace(text, value.start()..value.end(), &format!("{:#}", edit.after))),
        (Some(_), None) => Ok(splice::put(text, &members(object), &member(edit.key, &json!([edit.after])))),
        (Some(name), Some(Ast::Array(list))) => {
            let is_it = |value: &&Ast<'_>| {
                value.as_object().and_then(|entry| entry.get_string("name")).is_some_and(|found| found.value == *name)
            };
            let after = format!("{:#}", edit.after);
            Ok(match list.elements.iter().find(is_it) {
                Some(value) => splice::replace(text, value.start()..value.end(), &after),
                None => {
                    let items = list.elements.iter().map(|element| element.start()..element.end()).collect();
                    splice::put(text, &Container { range: list.start()..list.end(), items }, &after)
                }
            })
        }
        (Some(_), Some(_)) => Err(format!("`{}` is no list", edit.key)),
    }
}

fn member(key: &str, value: &Value) -> String {
    format!("{}: {value:#}", json!(key))
}

fn members(object: &Object<'_>) -> Container {
    let items = object.properties.iter().map(|property| property.start()..property.end()).collect();
    Container { range: object.start()..object.end(), items }
}

/// The file's object. It is JSON already: comments and the like were refused when it was read.
fn root(text: &str) -> Result<Object<'_>, String> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    match parsed.map_err(|error| error.to_string())?.value {
        Some(Ast::Object(object)) => Ok(object),
        _ => Err("it is no object".to_owned()),
    }
}
