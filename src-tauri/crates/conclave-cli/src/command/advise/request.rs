//! The two forms in which a tool call is described to `conclave advise`, told apart by their keys.
//!
//! Invariants: a text that could be read in both forms, or in neither, is refused; what a call touches is read off its
//! parameters, and nobody's word is taken for it.

use conclave_api::advise::{Action, Actor, AgentCall, parse_request, read_exact};
use conclave_api::error::{ApiError, ErrorCode};
use serde_json::{Map, Value, json};

/// One line of each form, for whoever wrote something else.
pub(super) const FORMS: &str = r#"{"actor": "agent:my-agent", "tool": "Bash", "parameters": {"command": "ls"}, "cwd": "/work"}
{"agent_id": "my-agent", "tool_name": "Bash", "parameters": {"command": "ls"}, "cwd": "/work"}"#;

/// Keys that Superego's form has alone.
const SUPEREGO: [&str; 4] = ["tool_name", "agent_id", "session_id", "timestamp"];
/// Keys that both forms have.
const BOTH: [&str; 3] = ["parameters", "cwd", "server"];
/// Keys that Conclave's own form has alone, as in the examples of rules.
const OWN: [&str; 5] = ["actor", "tool", "action", "session", "call"];
/// Keys of that form with which a rule's example says what an effect touches.
const READ_OFF: [&str; 7] = ["resource", "reads", "writes", "paths", "project", "context", "at"];

/// What an agent is called that does not say.
const UNNAMED: &str = "advise";

/// The call that `text` describes.
pub(super) fn read(text: &str) -> Result<AgentCall, ApiError> {
    call(text).map_err(|what| {
        ApiError::new(ErrorCode::BadRequest, what).with_hint(format!("write it as one of these:\n{FORMS}"))
    })
}

fn call(text: &str) -> Result<AgentCall, String> {
    let value = read_exact(text.as_bytes()).map_err(|error| format!("the request cannot be read: {error}"))?;
    let Some(request) = value.as_object() else { return Err("the request is not an object".to_owned()) };
    let has = |keys: &[&str]| request.keys().find(|key| keys.contains(&key.as_str()));
    match (has(&SUPEREGO), has(&[&OWN[..], &READ_OFF].concat())) {
        (Some(_), None) => superego(request),
        (None, Some(_)) => own(text, request),
        (Some(one), Some(other)) => Err(format!("`{one}` and `{other}` belong to two forms of a request")),
        (None, None) => Err("the request is in neither of two forms".to_owned()),
    }
}

/// In Superego's form.
fn superego(request: &Map<String, Value>) -> Result<AgentCall, String> {
    if let Some(key) = request.keys().find(|key| !SUPEREGO.contains(&key.as_str()) && !BOTH.contains(&key.as_str())) {
        return Err(format!("there is no part of a request `{key}` beside `tool_name`"));
    }
    let text = |key: &str| match request.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{key}` is not a text")),
    };
    let tool = text("tool_name")?.ok_or("`tool_name` is missing: which tool is it?")?;
    let client = text("agent_id")?.filter(|name| !name.is_empty()).unwrap_or_else(|| UNNAMED.to_owned());
    let parameters = request.get("parameters").cloned().unwrap_or_else(|| json!({}));
    Ok(AgentCall {
        session: text("session_id")?,
        server: text("server")?,
        cwd: text("cwd")?,
        ..AgentCall::new(client, tool, parameters)
    })
}

/// In Conclave's own form, short or as the ledger has it.
fn own(text: &str, request: &Map<String, Value>) -> Result<AgentCall, String> {
    const ELSEWHERE: &str = "`conclave policy explain` takes any request";
    let asked = parse_request(text).map_err(|error| error.to_string())?;
    let Actor::Agent(client) = asked.actor else {
        let actor = asked.actor;
        return Err(format!("`{actor}` does not ask here: the actor is `agent:` and a name; {ELSEWHERE}"));
    };
    let call = asked.call.filter(|_| asked.action == Action::CallTool);
    let call = call.ok_or_else(|| format!("this is about `{}`, not about a tool; {ELSEWHERE}", asked.action))?;
    if let Some(key) = request.keys().find(|key| READ_OFF.contains(&key.as_str())) {
        return Err(format!("`{key}` is read off the parameters here; leave it out; {ELSEWHERE}"));
    }
    Ok(AgentCall {
        session: call.session,
        server: call.server,
        cwd: call.cwd,
        ..AgentCall::new(client, call.tool, call.parameters)
    })
}

#[cfg(test)]
mod tests;
