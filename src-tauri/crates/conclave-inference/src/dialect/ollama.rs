//! Ollama's own chat.
//!
//! The context is always set: where it is not, the server takes a small one and cuts the question without a word.

use conclave_core::settings::DialectName;
use serde_json::{Value, json};

use super::decode::{Draft, Finish, Framing, Reader, count};
use super::openai_chat::function;
use super::refusal::error_in_stream;
use super::{Beside, Dialect, ModelList, Question, ToolCall, Turn};
use crate::answer::Usage;
use crate::error::AskError;
use crate::request::ModelRequest;

/// The dialect.
pub static DIALECT: Dialect = Dialect {
    name: DialectName::Ollama,
    hosts: &["127.0.0.1:11434", "localhost:11434", "[::1]:11434", "ollama.com"],
    repeated: &["/v1", "/api"],
    path: |_| "/api/chat".to_owned(),
    headers: &[],
    key: ("authorization", "Bearer "),
    schema_beside_tools: Beside::Spent,
    body,
    framing: Framing::Lines,
    reader: || Box::new(Chunks),
    models: ModelList { path: "/api/tags", list: "models", name: "name", prefix: "" },
};

/// The smallest context that is asked for. Each size is loaded anew, so there are few of them.
const LEAST_CONTEXT: u64 = 8192;

fn body(question: &Question<'_>) -> Value {
    let Question { request, model, extras, context_tokens, .. } = question;
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({ "role": "system", "content": request.system }));
    }
    messages.push(json!({ "role": "user", "content": request.user }));
    messages.extend(question.tooling.turns.iter().flat_map(turn));
    let mut body = json!({
        "model": model,
        "messages": messages,
        "stream": true,
        "options": {
            "num_ctx": context(request, &question.tooling.words(), *context_tokens),
            "num_predict": request.max_tokens,
        },
    });
    // It knows no way to name tools that may not be used, and needs none.
    if question.may_call() {
        body["tools"] = question.offers().iter().map(function).collect();
    }
    if let Some(schema) = question.schema() {
        body["format"] = schema.clone();
        // Some versions hold the thoughts to the schema as well, and the model never gets to its answer.
        if extras.thinking {
            body["think"] = false.into();
        }
    }
    body
}

/// What was said and told in one turn.
fn turn(turn: &Turn) -> Vec<Value> {
    let mut said = json!({ "role": "assistant", "content": turn.said.text });
    if let Some(thought) = turn.said.thoughts.first() {
        said["thinking"] = thought.clone();
    }
    let call =
        |(_, call, _): (_, &ToolCall, _)| json!({ "function": { "name": call.name, "arguments": call.object() } });
    said["tool_calls"] = turn.pairs().map(call).collect();
    let told = turn.pairs();
    let told = told.map(|(_, call, result)| json!({ "role": "tool", "tool_name": call.name, "content": result.text }));
    std::iter::once(said).chain(told).collect()
}

/// A context that holds the question with the words `beside` it and the answer: a power of two, and no more than the
/// model has.
fn context(request: &ModelRequest, beside: &str, most: Option<u32>) -> u64 {
    // A token for three bytes of ASCII and for each other byte is more than models need.
    let tokens = |text: &str| {
        let ascii = text.bytes().filter(u8::is_ascii).count();
        (ascii.div_ceil(3) + (text.len() - ascii)) as u64
    };
    let needed = tokens(&request.system) + tokens(&request.user) + tokens(beside) + u64::from(request.max_tokens);
    let context = needed.max(LEAST_CONTEXT).next_power_of_two();
    most.map_or(context, |most| context.min(u64::from(most)))
}

/// Reads lines; each is understood by itself, and a whole answer is one.
#[derive(Debug)]
struct Chunks;

impl Reader for Chunks {
    fn event(&mut self, event: Value, draft: &mut Draft) -> Result<bool, AskError> {
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return Err(error_in_stream(&event, &draft.model));
        }
        if !event.is_object() {
            return Err(AskError::malformed("it has another shape than a chat"));
        }
        draft.named(&event["model"]);
        if let Some(thinking) = event["message"]["thinking"].as_str() {
            draft.reasoning(thinking);
            draft.thought(thinking);
        }
        for called in event["message"]["tool_calls"].as_array().into_iter().flatten() {
            if let Some(call) = draft.wanted.next() {
                called["function"]["name"].as_str().unwrap_or_default().clone_into(&mut call.name);
                call.argue(&called["function"]["arguments"]);
            }
        }
        draft.text(event["message"]["content"].as_str().unwrap_or_default());
        if event["done"] != true {
            return Ok(false);
        }
        draft.usage = usage_of(&event);
        draft.finish = event["done_reason"].as_str().map(|reason| match reason {
            "stop" => Finish::Whole,
            "length" => Finish::Failed(AskError::Truncated),
            other => Finish::odd(other),
        });
        Ok(true)
    }
}

/// The counts, unless the question was in the cache as a whole: then it is not counted, and nobody knows.
fn usage_of(event: &Value) -> Option<Usage> {
    Some(Usage {
        input_tokens: count(event, "/prompt_eval_count")?,
        output_tokens: count(event, "/eval_count")?,
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_holds_question_and_answer() {
        let request = |user: &str, max_tokens| ModelRequest {
            system: String::new(),
            user: user.to_owned(),
            max_tokens,
            schema: None,
            schema_name: String::new(),
            sample: 0,
        };
        for (user, max_tokens, most, expect) in [
            (String::new(), 1, None, 8192),
            ("x".repeat(30_000), 4096, None, 16_384),
            ("日".repeat(4000), 100, None, 16_384),
            ("x".repeat(30_000), 4096, Some(12_000), 12_000),
            (String::new(), 1, Some(2048), 2048),
        ] {
            assert_eq!(context(&request(&user, max_tokens), "", most), expect, "{} bytes", user.len());
        }
    }
}
