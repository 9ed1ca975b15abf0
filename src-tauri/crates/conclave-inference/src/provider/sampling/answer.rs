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
}
