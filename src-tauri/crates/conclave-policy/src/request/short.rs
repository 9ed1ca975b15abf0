//! Requests as people write them: in examples, in tests of a policy and when they want a decision explained.
//!
//! The long form, as the ledger holds it, is read too. What is not written is not there; nothing is looked up.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::keys;
use crate::json::{AmbiguousInput, strict_json};
use crate::suggest::unknown;
use crate::{Access, Action, Actor, ToolCall, ToolRequest, TouchedPath};

const KEYS: &[&str] = &[
    "actor",
    "action",
    "resource",
    "tool",
    "server",
    "session",
    "cwd",
    "parameters",
    "call",
    "reads",
    "writes",
    "paths",
    "project",
    "context",
    "at",
];

/// Reads a request that a person wrote, as JSON or YAML.
///
/// The short form has `actor`; `action`, which is `call_tool` where a `tool` is named; `resource`; `tool`, `server`,
/// `session`, `cwd` and `parameters`; `reads` and `writes`, which are absolute paths; `project`; and `context`.
///
/// # Errors
/// [`AmbiguousInput`] for a doubled or unknown key, for anything behind the request, and for what is no request.
pub fn parse_request(text: &str) -> Result<ToolRequest, AmbiguousInput> {
    let is_json = text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
    let value = if is_json { strict_json(text)? } else { crate::load::yaml(text).map_err(AmbiguousInput)? };
    let (request, at_ms) = read(&value).map_err(AmbiguousInput)?;
    match at_ms {
        None => Ok(request),
        Some(_) => Err(AmbiguousInput("`at` belongs to the examples of a rule; leave it out".to_owned())),
    }
}

/// Reads a request, and the time at which it is to be judged where one is given.
pub(crate) fn read(value: &Value) -> Result<(ToolRequest, Option<i64>), String> {
    let Some(object) = value.as_object() else {
        return Err(
            if value.is_null() { "it is empty" } else { "a request has keys: `actor`, `tool` and so on" }.to_owned()
        );
    };
    if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(unknown("part of a request", key, KEYS));
    }
    let actor: Actor = text(object, "actor")?
        .ok_or("`actor` is missing: who asks?")?
        .parse()
        .map_err(|error: crate::UnknownActor| error.to_string())?;
    let call = call(object)?;
    let action = match object.get("action") {
        Some(action) => Action::named(action.as_str().ok_or("`action` is not a text")?)?,
        None if call.is_some() => Action::CallTool,
        None => return Err("`tool` is missing, or `action`: what is to be done?".to_owned()),
    };
    let paths = paths(object)?;
    let named = call.as_ref().map(|call| call.tool.as_str()).or_else(|| Some(paths.first()?.given.as_str()));
    let resource = text(object, "resource")?.or(named).unwrap_or_default().to_owned();
    let mut request = ToolRequest { paths, ..ToolRequest::new(actor, action, resource) };
    if let Some(context) = object.get("context") {
        for (key, value) in context.as_object().ok_or("`context` is an object")? {
            request = request.with(key, plain(value).ok_or_else(|| format!("`{key}` in `context` is not a text"))?);
        }
    }
    if let Some(project) = text(object, "project")? {
        request = request.with(keys::PROJECT, project);
    }
    request.call = call.map(Box::new);
    let at_ms = match text(object, "at")? {
        None => None,
        Some(at) => Some(at.parse::<Timestamp>().map_err(|_| format!("`{at}` is no time"))?.as_millisecond()),
    };
    Ok((request, at_ms))
}

fn call(object: &Map<String, Value>) -> Result<Option<ToolCall>, String> {
    let parts = ["tool", "server", "session", "cwd", "parameters"];
    if let Some(call) = object.get("call") {
        if parts.iter().any(|part| object.contains_key(*part)) {
            return Err("`call` says what the tool is; the short form beside it is too much".to_owned());
        }
        return serde_json::from_value(call.clone()).map_err(|error| format!("`call`: {error}"));
    }
    let Some(tool) = text(object, "tool")? else {
        return match parts.into_iter().find(|part| object.contains_key(*part)) {
            Some(part) => Err(format!("`{part}` belongs to a `tool`")),
            None => Ok(None),
        };
    };
    let owned = |key| Ok::<_, String>(text(object, key)?.map(str::to_owned));
    Ok(Some(ToolCall {
        tool: tool.to_owned(),
        server: owned("server")?,
        session: owned("session")?,
        cwd: owned("cwd")?,
        parameters: object.get("parameters").cloned().unwrap_or_else(|| Value::Object(Map::new())),
    }))
}

fn paths(object: &Map<String, Value>) -> Result<Vec<TouchedPath>, String> {
    let mut paths = match object.get("paths") {
        None => Vec::new(),
        Some(paths) => serde_json::from_value(paths.clone()).map_err(|error| format!("`paths`: {error}"))?,
    };
    for (key, access) in [("reads", Access::Read), ("writes", Access::Write)] {
        let given: Option<Vec<&str>> = match object.get(key) {
            None => Some(Vec::new()),
            Some(Value::String(one)) => Some(vec![one]),
            Some(Value::Array(list)) => list.iter().map(Value::as_str).collect(),
            Some(_) => None,
        };
        for path in given.ok_or_else(|| format!("`{key}` is a path or a list of paths"))? {
            paths.push(TouchedPath { given: path.to_owned(), real: Some(path.to_owned()), access });
        }
    }
    Ok(paths)
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` is not a text")),
    }
}

/// The text of a plain value.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
