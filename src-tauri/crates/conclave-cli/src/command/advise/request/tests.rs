//! Requests as programs write them, in either form and in neither.

use super::*;

fn said(request: &Value) -> Result<AgentCall, String> {
    read(&request.to_string()).map_err(|error| {
        assert!(error.hint.as_deref().is_some_and(|hint| hint.ends_with(FORMS)), "{error:?}");
        error.message
    })
}

#[test]
fn both_forms_of_one_call_are_the_same_call() {
    let parameters = json!({ "a": "../b" });
    let superego = json!({
        "tool_name": "mcp__git-hub__x.y", "parameters": parameters, "session_id": "s", "agent_id": "me", "cwd": "/w",
        "timestamp": "2026-01-01T00:00:00Z", "server": "h",
    });
    let own = json!({
        "actor": "agent:me", "tool": "mcp__git-hub__x.y", "parameters": parameters, "session": "s", "cwd": "/w",
        "server": "h",
    });
    let long = json!({
        "actor": "agent:me", "action": "call_tool",
        "call": { "tool": "mcp__git-hub__x.y", "parameters": parameters, "session": "s", "cwd": "/w", "server": "h" },
    });
    let call = said(&superego).expect("a request");
    assert_eq!((call.client.as_str(), call.tool.as_str()), ("me", "mcp__git-hub__x.y"));
    assert_eq!((&call.parameters, call.cwd.as_deref()), (&parameters, Some("/w")), "as it came");
    assert_eq!(said(&own), Ok(call.clone()));
    assert_eq!(said(&long), Ok(call));
    for line in FORMS.lines() {
        assert!(read(line).is_ok(), "{line}");
    }
}

#[test]
fn what_is_in_neither_form_is_refused_and_both_are_shown() {
    for (request, says) in [
        (json!([]), "not an object"),
        (json!("x"), "not an object"),
        (json!({}), "neither"),
        (json!({ "parameters": {} }), "neither"),
        (json!({ "tool_nam": "Bash" }), "neither"),
        (json!({ "tool_name": "Bash", "tool": "Bash" }), "two forms"),
        (json!({ "actor": "agent:a", "tool": "Bash", "agent_id": "b" }), "two forms"),
        (json!({ "tool_name": 1 }), "`tool_name` is not a text"),
        (json!({ "agent_id": "a" }), "`tool_name` is missing"),
        (json!({ "tool_name": "x", "paramters": {} }), "no part of a request `paramters`"),
        (json!({ "tool_name": "x", "cwd": [] }), "`cwd` is not a text"),
        (json!({ "tool": "Bash" }), "`actor` is missing"),
        (json!({ "actor": "me", "tool": "Bash" }), "is not an actor"),
        (json!({ "actor": "agent:a", "tol": "Bash" }), "did you mean `tool`?"),
        (json!({ "actor": "person", "tool": "Bash" }), "`person` does not ask here"),
        (json!({ "actor": "reviewer", "action": "send_http" }), "`reviewer` does not ask here"),
        (json!({ "actor": "agent:a", "action": "read_file", "reads": "/etc/passwd" }), "about `read_file`"),
        (json!({ "actor": "agent:a", "action": "read_key", "tool": "Bash" }), "about `read_key`"),
        (json!({ "actor": "agent:a", "tool": "Bash", "reads": [] }), "`reads` is read off the parameters"),
        (json!({ "actor": "agent:a", "tool": "Bash", "context": { "host": "a.example" } }), "`context` is read off"),
        (json!({ "actor": "agent:a", "tool": "Bash", "at": "2026-01-01T00:00:00Z" }), "`at` belongs to"),
    ] {
        match said(&request) {
            Err(error) => assert!(error.contains(says), "{request}: {error}"),
            Ok(call) => panic!("{request}: {call:?}"),
        }
    }
    for text in ["actor: agent:a\ntool: Bash", r#"{"tool_name": "a", "tool_name": "b"}"#, r#"{"actor": "agent:a""#] {
        let error = read(text).expect_err(text);
        assert!(error.message.starts_with("the request cannot be read: "), "{text}: {}", error.message);
    }
}
