//! Anthropic's Messages.
//!
//! The instructions are marked as the end of what the server may keep in its cache: they are the same for every question
//! of a kind, and a prefix that is too short for the cache costs nothing. Nothing else is marked, because what is marked
//! and not asked again costs more than without.

use conclave_core::settings::DialectName;
use serde_json::{Value, json};

use super::decode::{Draft, Finish, Framing, Reader, count};
use super::refusal::error_in_stream;
use super::schema::closed;
use super::{Beside, Dialect, ModelList, Question, Turn};
use crate::answer::Usage;
use crate::error::AskError;
use crate::tools::ToolOffer;

/// The dialect.
pub static DIALECT: Dialect = Dialect {
    name: DialectName::Anthropic,
    hosts: &["api.anthropic.com"],
    repeated: &["/v1"],
    path: |_| "/v1/messages".to_owned(),
    headers: &[("anthropic-version", "2026-10-21")],
    key: ("x-api-key", ""),
    schema_beside_tools: Beside::Always,
    body,
    framing: Framing::UntilLast,
    reader: || Box::new(Events::default()),
    models: ModelList { path: "/v1/models?limit=1000", list: "data", name: "id", prefix: "" },
};

/// Keywords that the server refuses in a schema. The answer is checked against them all the same.
const REFUSED: [&str; 10] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
];

fn body(question: &Question<'_>) -> Value {
    let Question { request, model, .. } = question;
    let mut body = json!({ "model": model, "max_tokens": request.max_tokens, "stream": true });
    if !request.system.is_empty() {
        body["system"] = json!([{ "type": "text", "text": request.system, "cache_control": { "type": "ephemeral" } }]);
    }
    let mut messages = vec![json!({ "role": "user", "content": request.user })];
    messages.extend(question.tooling.turns.iter().enumerate().flat_map(turn));
    if !question.offers().is_empty() {
        let tool = |offer: &ToolOffer| json!({ "name": offer.name, "description": offer.description, "input_schema": offer.schema });
        body["tools"] = question.offers().iter().map(tool).collect();
        if !question.may_call() {
            body["tool_choice"] = json!({ "type": "none" });
        } else if let Some(last) = messages.last_mut().and_then(|last| last["content"].as_array_mut()?.last_mut()) {
            // It will be asked again with all that stands before.
            last["cache_control"] = json!({ "type": "ephemeral" });
        }
    }
    body["messages"] = messages.into();
    if let Some(schema) = question.schema() {
        body["output_config"] = json!({ "format": { "type": "json_schema", "schema": closed(schema, &REFUSED) } });
    }
    body
}

/// What was said and told in one turn. Thoughts come first and as they were, or the server refuses them.
fn turn((number, turn): (usize, &Turn)) -> [Value; 2] {
    let mut said = turn.said.thoughts.clone();
    if !turn.said.text.trim().is_empty() {
        said.push(json!({ "type": "text", "text": turn.said.text }));
    }
    let mut told = Vec::new();
    for (at, call, result) in turn.pairs() {
        let id = call.id_at(number, at);
        said.push(json!({ "type": "tool_use", "id": id, "name": call.name, "input": call.object() }));
        told.push(json!({
            "type": "tool_result", "tool_use_id": id, "content": result.text, "is_error": result.is_error,
        }));
    }
    [json!({ "role": "assistant", "content": said }), json!({ "role": "user", "content": told })]
}

/// Reads events. Counts come in parts, the later ones in place of the earlier.
#[derive(Debug, Default)]
struct Events {
    usage: serde_json::Map<String, Value>,
}

impl Reader for Events {
    fn event(&mut self, event: Value, draft: &mut Draft) -> Result<bool, AskError> {
        match event["type"].as_str() {
            Some("message_start") => {
                draft.named(&event["message"]["model"]);
                self.counted(&event["message"]["usage"], draft);
            }
            Some("content_block_start") => block(&event["content_block"], number(&event["index"]), draft),
            Some("content_block_delta") => block(&event["delta"], number(&event["index"]), draft),
            Some("message_delta") => {
                stopped(&event["delta"], draft);
                self.counted(&event["usage"], draft);
            }
            Some("message_stop") => return Ok(true),
            Some("error") => return Err(error_in_stream(&event, &draft.model)),
            Some("message") => {
                draft.named(&event["model"]);
                for (at, part) in (0..).zip(event["content"].as_array().into_iter().flatten()) {
                    block(part, at, draft);
                }
                stopped(&event, draft);
                self.counted(&event["usage"], draft);
                return Ok(true);
            }
            // `ping`, and what there may be one day.
            Some(_) => {}
            None if event["error"].is_object() => return Err(error_in_stream(&event, &draft.model)),
            None => return Err(AskError::malformed("it has another shape than a message")),
        }
        Ok(false)
    }
}

impl Events {
    fn counted(&mut self, usage: &Value, draft: &mut Draft) {
        let counts = usage.as_object().into_iter().flatten().filter(|(_, count)| !count.is_null());
        self.usage.extend(counts.map(|(name, count)| (name.clone(), count.clone())));
        draft.usage = usage_of(&Value::Object(self.usage.clone()));
    }
}

fn number(index: &Value) -> u64 {
    index.as_u64().unwrap_or(0)
}

/// Takes the block number `at`, or a piece of it.
fn block(block: &Value, at: u64, draft: &mut Draft) {
    match block["type"].as_str() {
        Some("text" | "text_delta") => draft.text(block["text"].as_str().unwrap_or_default()),
        Some("thinking") => {
            draft.reasoning(block["thinking"].as_str().unwrap_or_default());
            draft.thoughts.push(block.clone());
        }
        Some("thinking_delta") => {
            draft.reasoning(block["thinking"].as_str().unwrap_or_default());
            lengthen(draft.thoughts.last_mut(), "thinking", &block["thinking"]);
        }
        Some("signature_delta") => lengthen(draft.thoughts.last_mut(), "signature", &block["signature"]),
        // Thoughts that are not shown.
        Some("redacted_thinking") => draft.thoughts.push(block.clone()),
        Some("tool_use") => {
            if let Some(call) = draft.wanted.at(at) {
                block["id"].as_str().unwrap_or_default().clone_into(&mut call.id);
                block["name"].as_str().unwrap_or_default().clone_into(&mut call.name);
                // In a stream it is empty here and comes in pieces.
                if block["input"].as_object().is_none_or(|input| !input.is_empty()) {
                    call.argue(&block["input"]);
                }
            }
        }
        Some("input_json_delta") => {
            if let Some(call) = draft.wanted.at(at) {
                call.argue(&block["partial_json"]);
            }
        }
        _ => {}
    }
}

/// Puts `piece` behind what the field of a block holds.
fn lengthen(block: Option<&mut Value>, field: &str, piece: &Value) {
    let Some(field) =
        block.and_then(|block| block.as_object_mut()).map(|block| block.entry(field).or_insert("".into()))
    else {
        return;
    };
    if let (Value::String(field), Some(piece)) = (field, piece.as_str()) {
        field.push_str(piece);
    }
}

fn stopped(message: &Value, draft: &mut Draft) {
    let Some(reason) = message["stop_reason"].as_str() else { return };
    draft.finish = Some(match reason {
        "end_turn" | "stop_sequence" => Finish::Whole,
        "refusal" => {
            let why = message["stop_details"]["explanation"].as_str();
            Finish::Declined(why.unwrap_or("the model declined to answer").to_owned())
        }
        "max_tokens" => Finish::Failed(AskError::Truncated),
        "model_context_window_exceeded" => Finish::Failed(AskError::TooLong),
        "tool_use" => Finish::Called,
        other => Finish::odd(other),
    });
}

fn usage_of(usage: &Value) -> Option<Usage> {
    let cached_tokens = count(usage, "/cache_read_input_tokens").unwrap_or(0);
    let kept = count(usage, "/cache_creation_input_tokens").unwrap_or(0);
    Some(Usage {
        input_tokens: count(usage, "/input_tokens")?.saturating_add(kept).saturating_add(cached_tokens),
        output_tokens: count(usage, "/output_tokens")?,
        cached_tokens,
        reasoning_tokens: count(usage, "/output_tokens_details/thinking_tokens").unwrap_or(0),
    })
}
