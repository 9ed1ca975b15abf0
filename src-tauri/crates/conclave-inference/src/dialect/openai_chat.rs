//! OpenAI's chat completions, which everybody “compatible” speaks.
//!
//! What the servers want differently is a [`Profile`]; what they answer differently is understood from all of them.

mod profile;
mod read;

use conclave_core::settings::DialectName;
use serde_json::{Value, json};

pub use profile::{PROFILES, Profile, SchemaForm};

use super::decode::Framing;
use super::schema::is_strict;
use super::{Beside, Dialect, ModelList, Question, ToolCall, Turn};
use crate::tools::ToolOffer;

/// The dialect.
pub static DIALECT: Dialect = Dialect {
    name: DialectName::OpenaiChat,
    hosts: &[],
    repeated: &[],
    path: |_| "/chat/completions".to_owned(),
    headers: &[],
    key: ("authorization", "Bearer "),
    schema_beside_tools: Beside::Spent,
    body,
    framing: Framing::UntilDone,
    reader: || Box::new(read::Chunks),
    models: ModelList { path: "/models", list: "data", name: "id", prefix: "" },
};

fn body(question: &Question<'_>) -> Value {
    let Question { request, model, profile, extras, .. } = question;
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({ "role": "system", "content": request.system }));
    }
    messages.push(json!({ "role": "user", "content": request.user }));
    messages.extend(question.tooling.turns.iter().enumerate().flat_map(|each| turn(each, profile)));
    let mut body = json!({ "model": model, "messages": messages });
    if !question.offers().is_empty() {
        body["tools"] = question.offers().iter().map(function).collect();
        if !question.may_call() {
            body["tool_choice"] = "none".into();
        }
    }
    body[profile.max_tokens] = request.max_tokens.into();
    body["stream"] = true.into();
    if extras.usage && profile.usage {
        body["stream_options"] = json!({ "include_usage": true });
    }
    // Servers with this form refuse it where nobody speaks of JSON.
    let says_json = || [&request.system, &request.user].iter().any(|text| text.to_lowercase().contains("json"));
    match (question.schema(), profile.schema) {
        (Some(schema), SchemaForm::Schema) => {
            body["response_format"] = json!({
                "type": "json_schema",
                "json_schema": { "name": request.schema_name, "strict": is_strict(schema), "schema": schema },
            });
        }
        (Some(_), SchemaForm::Object) if says_json() => body["response_format"] = json!({ "type": "json_object" }),
        _ => {}
    }
    body
}

/// A tool in the form that Ollama took over.
pub(super) fn function(offer: &ToolOffer) -> Value {
    let ToolOffer { name, description, schema } = offer;
    json!({ "type": "function", "function": { "name": name, "description": description, "parameters": schema } })
}

/// What was said and told in one turn.
fn turn((number, turn): (usize, &Turn), profile: &Profile) -> Vec<Value> {
    let mut said = json!({ "role": "assistant", "content": turn.said.text });
    if profile.wants_thoughts {
        said["reasoning_content"] = turn.said.thoughts.first().cloned().unwrap_or_else(|| "".into());
    }
    let call = |(at, call, _): (usize, &ToolCall, _)| {
        let function = json!({ "name": call.name, "arguments": call.written() });
        json!({ "id": call.id_at(number, at), "type": "function", "function": function })
    };
    said["tool_calls"] = turn.pairs().map(call).collect();
    let told = turn.pairs().map(
        |(at, call, result)| json!({ "role": "tool", "tool_call_id": call.id_at(number, at), "content": result.text }),
    );
    std::iter::once(said).chain(told).collect()
}
