//! OpenAI's Responses.
//!
//! A stream is a series of typed events; the last carries the response whole, and a response that was not streamed is
//! what that event carries. What is asked is never stored at the other end (`store: false`).

use conclave_core::settings::DialectName;
use serde_json::{Value, json};

use super::decode::{Draft, Finish, Framing, Reader, count};
use super::refusal::error_in_stream;
use super::schema::is_strict;
use super::{Beside, Dialect, ModelList, Question, ToolCall, Turn};
use crate::answer::Usage;
use crate::error::AskError;
use crate::tools::ToolOffer;

/// The dialect.
pub static DIALECT: Dialect = Dialect {
    name: DialectName::OpenaiResponses,
    hosts: &["api.openai.com"],
    repeated: &["/v1"],
    path: |_| "/v1/responses".to_owned(),
    headers: &[],
    key: ("authorization", "Bearer "),
    schema_beside_tools: Beside::Always,
    body,
    framing: Framing::UntilLast,
    reader: || Box::new(Events),
    models: ModelList { path: "/v1/models", list: "data", name: "id", prefix: "" },
};

fn body(question: &Question<'_>) -> Value {
    let Question { request, model, .. } = question;
    let mut body = json!({
        "model": model,
        "input": request.user,
        "max_output_tokens": request.max_tokens,
        "store": false,
        "stream": true,
    });
    if !request.system.is_empty() {
        body["instructions"] = request.system.as_str().into();
    }
    if !question.tooling.turns.is_empty() {
        let turns = question.tooling.turns.iter().enumerate().flat_map(turn);
        body["input"] = std::iter::once(json!({ "role": "user", "content": request.user })).chain(turns).collect();
    }
    if !question.offers().is_empty() {
        body["tools"] = question.offers().iter().map(function).collect();
        if !question.may_call() {
            body["tool_choice"] = "none".into();
        }
        // What is not stored there has to be carried here.
        if question.extras.thinking {
            body["include"] = json!(["reasoning.encrypted_content"]);
        }
    }
    if let Some(schema) = question.schema() {
        let (name, strict) = (&request.schema_name, is_strict(schema));
        body["text"] = json!({ "format": { "type": "json_schema", "name": name, "strict": strict, "schema": schema } });
    }
    body
}

fn function(offer: &ToolOffer) -> Value {
    let ToolOffer { name, description, schema } = offer;
    json!({ "type": "function", "name": name, "description": description, "parameters": schema, "strict": false })
}

/// What was said and told in one turn.
fn turn((number, turn): (usize, &Turn)) -> Vec<Value> {
    let mut items = turn.said.thoughts.clone();
    if !turn.said.text.trim().is_empty() {
        items.push(json!({ "role": "assistant", "content": turn.said.text }));
    }
    let call = |(at, call, _): (usize, &ToolCall, _)| {
        let (id, arguments) = (call.id_at(number, at), call.written());
        json!({ "type": "function_call", "call_id": id, "name": call.name, "arguments": arguments })
    };
    items.extend(turn.pairs().map(call));
    items.extend(turn.pairs().map(|(at, call, result)| {
        json!({ "type": "function_call_output", "call_id": call.id_at(number, at), "output": result.text })
    }));
    items
}

/// Reads events; each is understood by itself.
#[derive(Debug)]
struct Events;

impl Reader for Events {
    fn event(&mut self, event: Value, draft: &mut Draft) -> Result<bool, AskError> {
        let delta = || event["delta"].as_str().unwrap_or_default();
        match event["type"].as_str() {
            Some("response.output_text.delta") => draft.text(delta()),
            Some("response.refusal.delta") => draft.refusal(delta()),
            Some("response.reasoning_summary_text.delta" | "response.reasoning_text.delta") => draft.reasoning(delta()),
            // The last event may leave out what came before.
            Some("response.output_item.done") => beside(&event["item"], draft),
            Some("response.completed" | "response.incomplete" | "response.failed") => {
                return whole(&event["response"], draft).map(|()| true);
            }
            Some("error") => return Err(error_in_stream(&event, &draft.model)),
            // Events that only say what others have said or will say.
            Some(_) => {}
            None if event["error"].is_object() && event["output"].is_null() => {
                return Err(error_in_stream(&event, &draft.model));
            }
            None => return whole(&event, draft).map(|()| true),
        }
        Ok(false)
    }
}

/// Takes a response as it stands at its end.
fn whole(response: &Value, draft: &mut Draft) -> Result<(), AskError> {
    draft.named(&response["model"]);
    draft.usage = usage_of(&response["usage"]);
    let parts = || response["output"].as_array().into_iter().flatten().filter(|item| item["type"] == "message");
    if draft.is_blank() {
        for part in parts().filter_map(|item| item["content"].as_array()).flatten() {
            match part["type"].as_str() {
                Some("output_text") => draft.text(part["text"].as_str().unwrap_or_default()),
                Some("refusal") => draft.refusal(part["refusal"].as_str().unwrap_or_default()),
                _ => {}
            }
        }
    }
    if draft.wanted.is_empty() && draft.thoughts.is_empty() {
        for item in response["output"].as_array().into_iter().flatten() {
            beside(item, draft);
        }
    }
    let called = !draft.wanted.is_empty();
    draft.finish = Some(match response["status"].as_str() {
        Some("completed") if called => Finish::Called,
        Some("completed") => Finish::Whole,
        Some("incomplete") => match response["incomplete_details"]["reason"].as_str() {
            Some("max_output_tokens") => Finish::Failed(AskError::Truncated),
            Some("content_filter") => Finish::Declined("a content filter stopped the answer".to_owned()),
            other => Finish::odd(other.unwrap_or("incomplete")),
        },
        Some("failed") => return Err(error_in_stream(response, &draft.model)),
        Some(other) => Finish::odd(other),
        None => return Err(AskError::malformed("it has another shape than a response")),
    });
    Ok(())
}

/// Takes what stands beside the words of an answer: a call, or a thought that can be carried.
fn beside(item: &Value, draft: &mut Draft) {
    match item["type"].as_str() {
        Some("function_call") => {
            if let Some(call) = draft.wanted.next() {
                item["call_id"].as_str().unwrap_or_default().clone_into(&mut call.id);
                item["name"].as_str().unwrap_or_default().clone_into(&mut call.name);
                call.argue(&item["arguments"]);
            }
        }
        Some("reasoning") if item["encrypted_content"].is_string() => draft.thoughts.push(json!({
            "type": "reasoning",
            "id": item["id"],
            "summary": item["summary"],
            "encrypted_content": item["encrypted_content"],
        })),
        _ => {}
    }
}

fn usage_of(usage: &Value) -> Option<Usage> {
    Some(Usage {
        input_tokens: count(usage, "/input_tokens")?,
        output_tokens: count(usage, "/output_tokens")?,
        cached_tokens: count(usage, "/input_tokens_details/cached_tokens").unwrap_or(0),
        reasoning_tokens: count(usage, "/output_tokens_details/reasoning_tokens").unwrap_or(0),
    })
}
