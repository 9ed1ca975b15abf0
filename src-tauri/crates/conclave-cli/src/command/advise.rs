//! `conclave advise`: decides one request from standard input.

use std::io::Read as _;
use std::path::Path;

use conclave_api::advise::{Advice, AdviseError, Advisor, AgentCall, Effective, LARGEST, read_exact};
use conclave_api::error::{ApiError, ErrorCode};
use serde_json::{Map, Value, json};

use crate::args::Format;
use crate::exit::Exit;
use crate::output::Output;

/// What this client of Conclave is called where it does not say.
const UNNAMED: &str = "advise";

/// Decides and says so: done when it may happen, denied when not, and when that needs a person who is not here.
pub fn run(data_dir: &Path, offline: bool, output: &Output) -> Result<Exit, ApiError> {
    let call = call(&read()?)?;
    let advice = Advisor::open(data_dir, offline).and_then(|advisor| advisor.judge(&call)).map_err(denied)?;
    output.raw(&match output.format() {
        Format::Text => text(&advice),
        Format::Json | Format::Sarif => format!("{:#}\n", decision(&advice)),
    });
    Ok(if advice.decision.effect == Effective::Allow { Exit::Done } else { Exit::Usage })
}

fn read() -> Result<Value, ApiError> {
    let mut bytes = Vec::new();
    let stdin = std::io::stdin().lock();
    let read = stdin.take(LARGEST as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| ApiError::new(ErrorCode::Internal, "standard input broke").with_details(error.to_string()))?;
    read_exact(&bytes).map_err(|error| ApiError::new(ErrorCode::BadRequest, error.to_string()))
}

/// The call that the request describes.
fn call(request: &Value) -> Result<AgentCall, ApiError> {
    let wrong = |what: String| {
        let hint = r#"a request is {"tool_name": "Bash", "parameters": {"command": "ls"}, "agent_id": "my-agent"}"#;
        Err(ApiError::new(ErrorCode::BadRequest, what).with_hint(hint))
    };
    let Some(request) = request.as_object() else { return wrong("the request is not an object".to_owned()) };
    const KEYS: [&str; 7] = ["tool_name", "parameters", "session_id", "agent_id", "cwd", "timestamp", "server"];
    if let Some(key) = request.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return wrong(format!("`{key}` is not a part of a request"));
    }
    let text = |key: &str| text_of(request, key);
    let Some(tool) = text("tool_name")? else { return wrong("`tool_name` is missing".to_owned()) };
    let client = text("agent_id")?.filter(|name| !name.is_empty()).unwrap_or_else(|| UNNAMED.to_owned());
    let parameters = request.get("parameters").cloned().unwrap_or_else(|| json!({}));
    Ok(AgentCall {
        session: text("session_id")?,
        server: text("server")?,
        cwd: text("cwd")?,
        ..AgentCall::new(client, tool, parameters)
    })
}

fn text_of(request: &Map<String, Value>, key: &str) -> Result<Option<String>, ApiError> {
    match request.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::new(ErrorCode::BadRequest, format!("`{key}` is not a text"))),
    }
}

fn denied(error: AdviseError) -> ApiError {
    let hint = "until it can be decided, it must not happen";
    ApiError::new(ErrorCode::Denied, error.to_string()).with_hint(hint)
}

fn text(advice: &Advice) -> String {
    let decision = &advice.decision;
    let word = match decision.effect {
        Effective::Allow => "Allowed",
        Effective::Sample => "Needs a person",
        Effective::Deny => "Denied",
    };
    let remedy = if advice.remedy.is_empty() { String::new() } else { format!("  {}\n", advice.remedy) };
    format!("{word}: {} (rule {}, entry {})\n{remedy}", decision.reason, decision.rule, advice.seq)
}

/// The decision for programs, in Superego's words and ours.
pub(super) fn decision(advice: &Advice) -> Value {
    json!({
        "schema": "conclave/advice/1",
        "action": advice.decision.effect,
        "reason": advice.decision.reason,
        "rule_id": advice.decision.rule,
        "layer": advice.decision.layer,
        "remedy": Some(&advice.remedy).filter(|remedy| !remedy.is_empty()),
        "review": advice.decision.review,
        "entry": advice.seq,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_as_it_stands_or_refused() {
        let request = json!({
            "tool_name": "mcp__git-hub__x.y", "parameters": {"a": "../b"}, "session_id": "s", "agent_id": "me", "cwd": "/w",
            "timestamp": "2026-01-01T00:00:00Z",
        });
        let call = call(&request).expect("a request");
        assert_eq!((call.client.as_str(), call.tool.as_str()), ("me", "mcp__git-hub__x.y"));
        assert_eq!(call.parameters, json!({"a": "../b"}));
        for request in [
            json!([]),
            json!({}),
            json!({"tool_name": 1}),
            json!({"tool_name": "x", "paramters": {}}),
            json!({"tool_name": "x", "cwd": []}),
        ] {
            assert!(super::call(&request).is_err(), "{request}");
        }
    }
}
