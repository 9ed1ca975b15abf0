//! A client's settings file as text: puts a hook in, takes it out, and leaves every other byte as it is.
//!
//! Comments and trailing commas are kept. A file that could be read in two ways is refused, because the client may read
//! it the other way.

use std::collections::BTreeSet;

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::json;

use super::client::Client;
use crate::splice::{self, Container};

/// What is written for a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The command line that the client gives to a shell.
    pub command: String,
    /// Whether the client is told to block the call when the hook fails in any way, hanging too.
    pub blocks_on_failure: bool,
}

/// What turns all hooks of Claude Code off.
const OFF: &str = "disableAllHooks";

/// What leaves Claude Code with the hooks of whoever runs the machine; it counts in their settings alone.
const THEIRS_ONLY: &str = "allowManagedHooksOnly";

/// What a client's settings say about starting a person's hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The key that says it.
    pub key: &'static str,
    /// Whether they are not started.
    pub off: bool,
}

/// A settings file that is left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is not JSON, not even with comments.
    #[error("it is not JSON ({0}); correct it, or move it away")]
    Form(String),
    /// It is not TOML.
    #[error("it is not TOML (line {line}: {why}); correct it, or move it away")]
    Toml {
        /// Where, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// It is JSON without any key.
    #[error("it is not an object with keys, which is what the client expects; correct it, or move it away")]
    NotObject,
    /// A part of it is something else than the client expects there.
    #[error("`{place}` is not {expected}, which is what the client expects; correct it first")]
    Unexpected {
        /// Where, as a path of keys.
        place: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A key stands twice, and programs differ in which one they take.
    #[error("the key `{0}` stands there twice, and programs differ in which one counts; remove one of them first")]
    Doubled(String),
}

/// The text with `hook` in place of whatever hook of ours was there; a new file for an empty text.
///
/// The text comes back unchanged when the hook is there already, and nothing else of ours.
///
/// # Errors
/// See [`SettingsError`].
pub fn add(text: &str, client: Client, hook: &Hook) -> Result<String, SettingsError> {
    if of_ours(text, client)?.iter().map(|(_, hook)| hook).eq([hook, hook]) {
        return Ok(text.to_owned());
    }
    let mut text = if text.trim().is_empty() { "{}\n".to_owned() } else { remove(text, client)? };
    for event in [client.before(), client.after()] {
        text = add_group(&text, event, &group(client, hook))?;
    }
    Ok(text)
}

/// The text with one more element in the list of `event`, which is made where it is missing.
fn add_group(text: &str, event: &str, group: &serde_json::Value) -> Result<String, SettingsError> {
    let root = parse(text)?.ok_or(SettingsError::NotObject)?;
    let member = |key: &str, value: serde_json::Value| format!("{}: {value:#}", json!(key));
    Ok(match hooks(&root)? {
        None => splice::put(text, &members(&root), &member("hooks", json!({ event: [group] }))),
        Some(hooks) => match groups(hooks, event)? {
            None => splice::put(text, &members(hooks), &member(event, json!([group]))),
            Some(groups) => splice::put(text, &elements(groups), &format!("{group:#}")),
        },
    })
}

/// The text without any hook of ours, and without the lists and objects that held nothing else.
///
/// # Errors
/// See [`SettingsError`].
pub fn remove(text: &str, client: Client) -> Result<String, SettingsError> {
    let mut text = text.to_owned();
    while let Some(shorter) = remove_one(&text, client)? {
        text = shorter;
    }
    Ok(text)
}

/// The text without the first hook of ours; `None` when there is none.
fn remove_one(text: &str, client: Client) -> Result<Option<String>, SettingsError> {
    let Some(root) = parse(text)? else { return Ok(None) };
    let Some(hooks) = hooks(&root)? else { return Ok(None) };
    for event in [client.before(), client.after()] {
        let Some(groups) = groups(hooks, event)? else { continue };
        for (index, group) in groups.elements.iter().enumerate() {
            let Some(entries) = group.as_object().and_then(|group| group.get_array("hooks")) else { continue };
            let Some(entry) = entries.elements.iter().position(|entry| hook_of(entry, client).is_some()) else {
                continue;
            };
            let place = |object: &Object<'_>, key: &str| object.properties.iter().position(|p| p.name.as_str() == key);
            // The largest thing around it that holds nothing else.
            let (container, index) = match (entries.elements.len(), groups.elements.len(), hooks.properties.len()) {
                (1, 1, 1) => (members(&root), place(&root, "hooks")),
                (1, 1, _) => (members(hooks), place(hooks, event)),
                (1, _, _) => (elements(groups), Some(index)),
                _ => (elements(entries), Some(entry)),
            };
            return Ok(index.map(|index| splice::take(text, &container, index)));
        }
    }
    Ok(None)
}

/// What a client's settings in `text` say about starting a person's hooks, if anything; `managed` ones are those of
/// whoever runs the machine. Codex keeps its switch in a file of TOML.
///
/// # Errors
/// See [`SettingsError`].
pub fn switch(text: &str, client: Client, managed: bool) -> Result<Option<Switch>, SettingsError> {
    if client == Client::Codex {
        const KEY: &str = "features.hooks";
        let root: toml::Table = toml::from_str(text).map_err(|error| not_toml(text, &error))?;
        return match root.get("features").and_then(|features| features.get("hooks")) {
            None => Ok(None),
            Some(toml::Value::Boolean(on)) => Ok(Some(Switch { key: KEY, off: !on })),
            Some(_) => Err(unexpected(KEY, "`true` or `false`")),
        };
    }
    let Some(root) = parse(text)? else { return Ok(None) };
    let says = |object: &Object<'_>, key| object.get_boolean(key).map(|value| value.value);
    if client == Client::Gemini {
        let on = root.get_object("hooksConfig").and_then(|hooks| says(hooks, "enabled"));
        return Ok(on.map(|on| Switch { key: "hooksConfig.enabled", off: !on }));
    }
    let says = |key| says(&root, key).map(|off| Switch { key, off });
    let theirs_only = says(THEIRS_ONLY).filter(|switch| managed && switch.off);
    Ok(theirs_only.or_else(|| says(OFF)))
}

/// The hooks of ours in the text, each with its event.
///
/// # Errors
/// See [`SettingsError`].
pub fn of_ours(text: &str, client: Client) -> Result<Vec<(&'static str, Hook)>, SettingsError> {
    let Some(root) = parse(text)? else { return Ok(Vec::new()) };
    let Some(hooks) = hooks(&root)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for event in [client.before(), client.after()] {
        let groups = groups(hooks, event)?.into_iter().flat_map(|groups| &groups.elements);
        let entries = groups.filter_map(|group| group.as_object()?.get_array("hooks")).flat_map(|list| &list.elements);
        found.extend(entries.filter_map(|entry| hook_of(entry, client)).map(|hook| (event, hook)));
    }
    Ok(found)
}

/// The entry as a hook of ours, if it is one: its command calls `conclave … hook CLIENT`.
fn hook_of(entry: &Value<'_>, client: Client) -> Option<Hook> {
    let entry = entry.as_object()?;
    let command = entry.get_string("command")?.value.clone().into_owned();
    let (program, client_and_flags) = command.rsplit_once(" hook ")?;
    let ours = program.to_lowercase().contains("conclave") && client_and_flags.split(' ').next() == Some(client.name());
    let blocks_on_failure = entry.get_string("onFailure").is_some_and(|text| text.value == "block");
    ours.then_some(Hook { command, blocks_on_failure })
}

/// One element of an event's list. No matcher: it is asked about every tool.
fn group(client: Client, hook: &Hook) -> serde_json::Value {
    let mut entry = json!({ "type": "command", "command": hook.command, "timeout": client.timeout() });
    if hook.blocks_on_failure {
        entry["onFailure"] = json!("block");
    }
    json!({ "hooks": [entry] })
}

/// The file's object; `None` for a file without anything in it.
fn parse(text: &str) -> Result<Option<Object<'_>>, SettingsError> {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options);
    match parsed.map_err(|error| SettingsError::Form(error.to_string()))?.value {
        Some(Value::Object(object)) => no_doubled_keys(&object).map(|()| Some(object)),
        Some(_) => Err(SettingsError::NotObject),
        None => Ok(None),
    }
}

fn no_doubled_keys(object: &Object<'_>) -> Result<(), SettingsError> {
    let mut seen = BTreeSet::new();
    for property in &object.properties {
        let name = property.name.as_str();
        if !seen.insert(name) {
            return Err(SettingsError::Doubled(name.to_owned()));
        }
        no_doubled_keys_in(&property.value)?;
    }
    Ok(())
}

fn no_doubled_keys_in(value: &Value<'_>) -> Result<(), SettingsError> {
    match value {
        Value::Object(object) => no_doubled_keys(object),
        Value::Array(array) => array.elements.iter().try_for_each(no_doubled_keys_in),
        _ => Ok(()),
    }
}

fn hooks<'a, 'b>(root: &'b Object<'a>) -> Result<Option<&'b Object<'a>>, SettingsError> {
    let Some(property) = root.get("hooks") else { return Ok(None) };
    property.value.as_object().map(Some).ok_or_else(|| unexpected("hooks", "an object"))
}

fn groups<'a, 'b>(hooks: &'b Object<'a>, event: &str) -> Result<Option<&'b Array<'a>>, SettingsError> {
    let Some(property) = hooks.get(event) else { return Ok(None) };
    property.value.as_array().map(Some).ok_or_else(|| unexpected(&format!("hooks.{event}"), "a list"))
}

fn members(object: &Object<'_>) -> Container {
    let items = object.properties.iter().map(|property| property.start()..property.end()).collect();
    Container { range: object.start()..object.end(), items }
}

fn elements(array: &Array<'_>) -> Container {
    let items = array.elements.iter().map(|element| element.start()..element.end()).collect();
    Container { range: array.start()..array.end(), items }
}

fn not_toml(text: &str, error: &toml::de::Error) -> SettingsError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    SettingsError::Toml { line: before.matches('\n').count() + 1, why: error.message().trim().to_owned() }
}

fn unexpected(place: &str, expected: &'static str) -> SettingsError {
    SettingsError::Unexpected { place: place.to_owned(), expected }
}

#[cfg(test)]
mod tests;
