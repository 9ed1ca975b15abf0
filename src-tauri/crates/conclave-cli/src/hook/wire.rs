//! What clients send to a hook and what they take for an answer, as pure translations.
//!
//! Claude Code and Codex share one form, Gemini CLI has its own. An answer holds no field that a client does not know:
//! Codex takes an unknown one for a failed hook, and then runs the call.

use conclave_api::advise::AgentCall;
use conclave_api::advise::client::Client;
use serde_json::{Map, Value, json};

/// Clients cut what is longer.
const LONGEST: usize = 10_000;

/// Before or after a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The client asks.
    Before,
    /// The client reports.
    After,
}

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Something about a tool call.
    Tool(Box<Event>),
    /// Something else, without a tool, which is none of our business.
    Other,
}

/// Something about a tool call.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub moment: Moment,
    /// The call.
    pub call: AgentCall,
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing speaks against it; whatever the client does by itself goes on.
    Nothing,
    /// It is approved, so that the client need not ask.
    Approve(String),
    /// The client's own person is asked.
    Ask(String),
    /// It must not happen, or should not have happened.
    Deny(String),
}

/// Input that is no event of this client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongEvent {
    /// It has no fields at all.
    #[error("the client\u{2019}s question is not an object")]
    Form,
    /// A field is missing or something else than it should be.
    #[error("the client\u{2019}s question has no {0} in `{1}`")]
    Field(&'static str, &'static str),
    /// It comes from another client.
    #[error("`{0}` is not an event of {1}; run `conclave hook add` for the right client")]
    Client(String, &'static str),
    /// It is about a tool, and none of the two events that are judged.
    #[error(
        "`{0}` comes with a tool call, and the events that are judged are `{before}` and `{after}`; correct its name where the \
         hook is set up, or take that out and run `conclave hook add {1}`",
        before = .1.before(),
        after = .1.after()
    )]
    Unknown(String, Client),
}

impl Event {
    /// Whether the call itself is a question to the person at the client, which nobody else may answer.
    pub fn asks_a_person(&self) -> bool {
        matches!(self.call.tool.as_str(), "AskUserQuestion" | "EnterPlanMode" | "ExitPlanMode")
    }
}

/// Takes the client's words apart.
///
/// # Errors
/// [`WrongEvent`] for anything that is not an event of this client as its documentation has it.
pub fn hear(client: Client, value: &Value) -> Result<Heard, WrongEvent> {
    let object = value.as_object().ok_or(WrongEvent::Form)?;
    let name = text(object, "hook_event_name")?.ok_or(WrongEvent::Field("text", "hook_event_name"))?;
    let moment = match name {
        name if name == client.before() => Moment::Before,
        name if name == client.after() => Moment::After,
        name if of_any_client(name) => return Err(WrongEvent::Client(name.to_owned(), client.title())),
        // Whatever it is called, a tool would go on unjudged.
        name if ["tool_name", "tool_input"]
            .iter()
            .any(|key| object.get(*key).is_some_and(|value| !value.is_null())) =>
        {
            return Err(WrongEvent::Unknown(name.to_owned(), client));
        }
        _ => return Ok(Heard::Other),
    };
    let tool = text(object, "tool_name")?.ok_or(WrongEvent::Field("text", "tool_name"))?.to_owned();
    let parameters = object.get("tool_input").cloned().ok_or(WrongEvent::Field("value", "tool_input"))?;
    let server = match object.get("mcp_context") {
        Some(Value::Object(context)) => text(context, "server_name")?.map(str::to_owned),
        _ => None,
    };
    let own = |key| Ok::<_, WrongEvent>(text(object, key)?.map(str::to_owned));
    let mut call = AgentCall {
        client: client.name().to_owned(),
        tool,
        server,
        session: own("session_id")?,
        call_id: own("tool_use_id")?,
        cwd: own("cwd")?,
        mode: own("permission_mode")?,
        parameters,
    };
    if call.call_id.is_none() && client == Client::Gemini {
        // It numbers no calls. By what the tool gets, a call that ran is still found to be one that was decided.
        call.call_id = Some(call.digest());
    }
    Ok(Heard::Tool(Box::new(Event { moment, call })))
}

/// Whether some client calls its tool events like this, whatever the case.
fn of_any_client(name: &str) -> bool {
    Client::ALL.iter().any(|client| [client.before(), client.after()].iter().any(|own| own.eq_ignore_ascii_case(name)))
}

/// A text in a field that may be missing or null, and nothing else.
fn text<'a>(object: &'a Map<String, Value>, key: &'static str) -> Result<Option<&'a str>, WrongEvent> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(WrongEvent::Field("text", key)),
    }
}

/// What is printed; and, where the answer is no, what goes to standard error beside exit status 2.
pub fn spoken(client: Client, moment: Moment, answer: &Answer) -> (Value, Option<String>) {
    let decision = |decision: &str, reason: &str| match client {
        Client::ClaudeCode | Client::Codex => json!({ "hookSpecificOutput": {
            "hookEventName": client.before(),
            "permissionDecision": decision,
            "permissionDecisionReason": short(reason),
        }}),
        Client::Gemini => json!({ "decision": decision, "reason": short(reason) }),
    };
    match (answer, moment) {
        (Answer::Deny(reason), Moment::Before) => (decision("deny", reason), Some(short(reason).to_owned())),
        (Answer::Deny(reason), Moment::After) => {
            let word = if client == Client::Gemini { "deny" } else { "block" };
            (json!({ "decision": word, "reason": short(reason) }), Some(short(reason).to_owned()))
        }
        (Answer::Ask(reason), Moment::Before) if client.can_ask() => (decision("ask", reason), None),
        // A client that cannot ask runs what it is asked about.
        (Answer::Ask(reason), _) => (decision("deny", reason), Some(short(reason).to_owned())),
        // Codex knows no approval by a hook.
        (Answer::Approve(reason), Moment::Before) if client != Client::Codex => (decision("allow", reason), None),
        (Answer::Approve(_) | Answer::Nothing, _) => (json!({}), None),
    }
}

/// As much of `reason` as clients show.
fn short(reason: &str) -> &str {
    match reason.char_indices().nth(LONGEST) {
        Some((at, _)) => &reason[..at],
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claude(event: &str) -> Value {
        json!({
            "session_id": "s", "transcript_path": "/t", "cwd": "/w", "permission_mode": "default", "effort": {"level": "high"},
            "hook_event_name": event, "tool_name": "mcp__git-hub__do.it", "tool_input": {"a": [1]}, "tool_use_id": "toolu_1",
        })
    }

    #[test]
    fn each_client_is_understood() {
        let heard = |client, value| match hear(client, &value) {
            Ok(Heard::Tool(event)) => *event,
            other => panic!("{other:?}"),
        };
        let event = heard(Client::ClaudeCode, claude("PreToolUse"));
        assert_eq!(event.moment, Moment::Before);
        assert_eq!((event.call.tool.as_str(), event.call.call_id.as_deref()), ("mcp__git-hub__do.it", Some("toolu_1")));
        assert_eq!(event.call.parameters, json!({"a": [1]}));
        let event = heard(Client::Codex, claude("PostToolUse"));
        assert_eq!((event.moment, event.call.client.as_str()), (Moment::After, "codex"));
        let gemini = json!({
            "session_id": "s", "cwd": "/w", "hook_event_name": "BeforeTool", "timestamp": "2026-01-01T00:00:00Z",
            "tool_name": "mcp_git_log", "tool_input": {}, "mcp_context": {"server_name": "git", "tool_name": "log"},
        });
        let event = heard(Client::Gemini, gemini);
        let digest = event.call.digest();
        assert_eq!((event.call.server.as_deref(), event.call.call_id), (Some("git"), Some(digest)));
    }

    #[test]
    fn other_events_pass_and_wrong_ones_do_not() {
        for client in Client::ALL {
            for name in ["UserPromptSubmit", "Stop", "SessionStart", "Notification"] {
                let event = json!({ "session_id": "s", "cwd": "/w", "hook_event_name": name, "tool_name": null });
                assert_eq!(hear(client, &event), Ok(Heard::Other), "{client} {name}");
            }
            for name in ["PreTolUse", "PermissionRequest", "PostToolUseFailure", "Stop", ""] {
                let mut event = claude(name);
                let expect = Err(WrongEvent::Unknown(name.to_owned(), client));
                assert_eq!(hear(client, &event), expect, "{client} {name}");
                event.as_object_mut().expect("an object").remove("tool_name");
                assert_eq!(hear(client, &event), expect, "{client} {name}: a tool without its name");
            }
        }
        for name in ["BeforeTool", "AfterTool", "pretooluse", "PRETOOLUSE"] {
            assert!(hear(Client::ClaudeCode, &claude(name)).is_err(), "{name}");
        }
        for (key, value) in [
            ("hook_event_name", json!(null)),
            ("hook_event_name", json!(["PreToolUse"])),
            ("tool_name", json!(7)),
            ("tool_name", json!(null)),
            ("cwd", json!(["/"])),
            ("permission_mode", json!({})),
            ("tool_use_id", json!(1)),
        ] {
            let mut event = claude("PreToolUse");
            event[key] = value;
            assert!(hear(Client::ClaudeCode, &event).is_err(), "{key} {event}");
        }
        let mut event = claude("PreToolUse");
        event.as_object_mut().expect("an object").remove("tool_input");
        assert!(hear(Client::ClaudeCode, &event).is_err());
        for value in [json!([]), json!("PreToolUse"), json!(null)] {
            assert!(hear(Client::ClaudeCode, &value).is_err(), "{value}");
        }
    }

    #[test]
    fn answers_are_in_the_clients_own_words() {
        let reason = || "why".to_owned();
        let specific = |word: &str| {
            json!({ "hookSpecificOutput": {
                "hookEventName": "PreToolUse", "permissionDecision": word, "permissionDecisionReason": "why" }})
        };
        let no = Some(reason());
        use Moment::{After, Before};
        for (client, moment, answer, line, refusal) in [
            (Client::ClaudeCode, Before, Answer::Nothing, json!({}), None),
            (Client::ClaudeCode, Before, Answer::Approve(reason()), specific("allow"), None),
            (Client::ClaudeCode, Before, Answer::Ask(reason()), specific("ask"), None),
            (Client::ClaudeCode, Before, Answer::Deny(reason()), specific("deny"), no.clone()),
            (
                Client::ClaudeCode,
                After,
                Answer::Deny(reason()),
                json!({"decision": "block", "reason": "why"}),
                no.clone(),
            ),
            (Client::Codex, Before, Answer::Approve(reason()), json!({}), None),
            (Client::Codex, Before, Answer::Ask(reason()), specific("deny"), no.clone()),
            (Client::Codex, Before, Answer::Deny(reason()), specific("deny"), no.clone()),
            (Client::Gemini, Before, Answer::Ask(reason()), json!({"decision": "deny", "reason": "why"}), no.clone()),
            (Client::Gemini, Before, Answer::Deny(reason()), json!({"decision": "deny", "reason": "why"}), no.clone()),
            (Client::Gemini, Before, Answer::Approve(reason()), json!({"decision": "allow", "reason": "why"}), None),
            (Client::Gemini, After, Answer::Nothing, json!({}), None),
        ] {
            assert_eq!(spoken(client, moment, &answer), (line, refusal), "{client} {moment:?} {answer:?}");
        }
    }

    #[test]
    fn a_question_to_a_person_is_not_answered_for_them() {
        for (tool, expect) in [("ExitPlanMode", true), ("AskUserQuestion", true), ("TodoWrite", false)] {
            let mut event = claude("PreToolUse");
            event["tool_name"] = json!(tool);
            let Ok(Heard::Tool(event)) = hear(Client::ClaudeCode, &event) else { panic!("{tool}") };
            assert_eq!(event.asks_a_person(), expect, "{tool}");
        }
    }

    #[test]
    fn reasons_are_cut_where_clients_cut_them() {
        let (line, refusal) = spoken(Client::Gemini, Moment::Before, &Answer::Deny("\u{e9}".repeat(LONGEST + 5)));
        assert_eq!(line["reason"].as_str().map(|reason| reason.chars().count()), Some(LONGEST));
        assert_eq!(refusal.map(|reason| reason.chars().count()), Some(LONGEST));
    }
}
