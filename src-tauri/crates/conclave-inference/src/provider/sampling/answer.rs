//! Reads the result of `sampling/createMessage`, which a stranger wrote.
//!
//! Pure. Invariant: what is taken for an answer is text, whole, and said by the model.

use serde_json::Value;

use crate::answer::{Answer, Form};
use crate::error::AskError;

/// The longest result that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Reads `result`, which came from `client`.
pub(super) fn read(result: &Value, client: &str) -> Result<Answer, AskError> {
    if result.to_string().len() > LONGEST {
        return Err(AskError::TooLarge { max_bytes: LONGEST as u64 });
    }
    if result["role"] != "assistant" {
        return Err(AskError::malformed("it is no message of a model"));
    }
    let named = result["model"].as_str().map(str::trim).filter(|name| !name.is_empty());
    let model = named.unwrap_or(client).to_owned();
    match stop(&result["stopReason"])? {
        Stop::Whole => {}
        Stop::Declined => {
            let reason = "the model declined".to_owned();
            return Ok(Answer::Refusal { reason, usage: None, model });
        }
    }
    let content = match &result["content"] {
        Value::Array(blocks) => blocks.as_slice(),
        block => std::slice::from_ref(block),
    };
    let mut text = String::new();
    for block in content {
        match (block["type"].as_str(), block["text"].as_str()) {
            (Some("text"), Some(part)) => text.push_str(part),
            (Some("tool_use"), _) => return Err(tools()),
            _ => return Err(AskError::malformed("there is something in it that is no text")),
        }
    }
    if text.trim().is_empty() {
        return Err(AskError::Empty);
    }
    Ok(Answer::Text { text, form: Form::Free, usage: None, model })
}

/// How an answer ended that did not break off.
enum Stop {
    Whole,
    Declined,
}

/// Reads why the model stopped. MCP names four reasons and leaves the list open, so clients pass on the words of the
/// servers behind them. An answer that stopped for a reason nobody knows may be half of one.
fn stop(reason: &Value) -> Result<Stop, AskError> {
    match reason {
        Value::Null => Ok(Stop::Whole),
        Value::String(reason) => match reason.as_str() {
            "endTurn" | "stopSequence" | "end_turn" | "stop_sequence" | "stop" => Ok(Stop::Whole),
            "maxTokens" | "max_tokens" | "length" => Err(AskError::Truncated),
            "refusal" | "contentFilter" | "content_filter" => Ok(Stop::Declined),
            "toolUse" | "tool_use" | "tool_calls" => Err(tools()),
            other => Err(AskError::malformed(format!("it stopped for an unknown reason, `{other}`"))),
        },
        _ => Err(AskError::malformed("it does not say in words why it stopped")),
    }
}

fn tools() -> AskError {
    AskError::malformed("it wants to use a tool, and none was offered")
}

/// Whether `text` is one object with what `schema` needs and nothing that it leaves out. Whoever uses the answer reads it
/// again, and all of it; this is to know whether asking once more is worth it.
///
/// # Errors
/// What is wrong with it, without its words.
pub(super) fn fits(schema: &Value, text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text)
        .map_err(|_| "it is not JSON alone, or more than one value, or breaks off".to_owned())?;
    let Value::Object(object) = value else { return Err("it is no object".to_owned()) };
    let needed = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = needed.into_iter().find(|name| !object.contains_key(*name)) {
        return Err(format!("`{missing}` is missing"));
    }
    let is_closed = schema["additionalProperties"] == false;
    let unknown = |name: &&String| schema["properties"].get(name.as_str()).is_none();
    if is_closed && object.keys().any(|name| unknown(&name)) {
        return Err("it has a field that was not asked for".to_owned());
    }
    for (name, value) in &object {
        let choices = schema["properties"][name]["enum"].as_array();
        if choices.is_some_and(|choices| !choices.contains(value)) {
            return Err(format!("`{name}` is none of its choices"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result(content: Value, stop: Value) -> Value {
        json!({ "role": "assistant", "model": "m", "content": content, "stopReason": stop })
    }

    #[test]
    fn a_whole_text_of_the_model_is_an_answer() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        for (result, expect) in [
            (result(text("yes"), json!("endTurn")), "yes m"),
            (result(text("yes"), Value::Null), "yes m"),
            (result(json!([text("y"), text("es")]), json!("stop")), "yes m"),
            (json!({ "role": "assistant", "content": text("yes") }), "yes editor"),
            (json!({ "role": "assistant", "model": " ", "content": text("yes") }), "yes editor"),
        ] {
            match read(&result, "editor") {
                Ok(Answer::Text { text, form: Form::Free, usage: None, model }) => {
                    assert_eq!(format!("{text} {model}"), expect);
                }
                other => panic!("{result}: {other:?}"),
            }
        }
        let declined = read(&result(text("I cannot"), json!("refusal")), "editor");
        assert!(matches!(declined, Ok(Answer::Refusal { .. })), "{declined:?}");
    }

    #[test]
    fn anything_else_is_a_typed_failure() {
        let text = json!({ "type": "text", "text": "yes" });
        let tool = json!({ "type": "tool_use", "id": "1", "name": "read", "input": {} });
        for (result, kind) in [
            (Value::Null, "malformed"),
            (json!({}), "malformed"),
            (json!("yes"), "malformed"),
            (json!({ "role": "user", "model": "m", "content": text }), "malformed"),
            (json!({ "role": "assistant", "model": "m" }), "malformed"),
            (result(text.clone(), json!("maxTokens")), "truncated"),
            (result(text.clone(), json!("length")), "truncated"),
            (result(text.clone(), json!("toolUse")), "malformed"),
            (result(text.clone(), json!("because")), "malformed"),
            (result(text.clone(), json!(7)), "malformed"),
            (result(tool.clone(), Value::Null), "malformed"),
            (result(json!([text, tool]), Value::Null), "malformed"),
            (result(json!({ "type": "image", "data": "", "mimeType": "image/png" }), Value::Null), "malformed"),
            (result(json!([]), Value::Null), "empty"),
            (result(json!({ "type": "text", "text": " \n" }), Value::Null), "empty"),
            (result(json!({ "type": "text", "text": "x".repeat(LONGEST) }), Value::Null), "too_large"),
        ] {
            let error = read(&result, "editor").expect_err("no answer");
            assert_eq!(error.kind(), kind, "{error}");
        }
    }

    #[test]
    fn the_form_is_one_object_with_what_is_needed_and_no_more() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["a"],
            "properties": { "a": { "enum": ["x", "y"] }, "b": { "type": "string" } }
        });
        for (text, fitting) in [
            (r#"{"a":"x"}"#, true),
            (" {\"a\":\"y\",\"b\":\"\"}\n", true),
            (r#"{"a":"z"}"#, false),
            (r#"{"b":""}"#, false),
            (r#"{"a":"x","c":1}"#, false),
            (r#"{"a":"x"}{"a":"x"}"#, false),
            (r#"[{"a":"x"}]"#, false),
            (r#"Sure: {"a":"x"}"#, false),
            ("```json\n{\"a\":\"x\"}\n```", false),
            (r#"{"a":"x""#, false),
            ("", false),
        ] {
            assert_eq!(fits(&schema, text).is_ok(), fitting, "{text}");
        }
    }
}
