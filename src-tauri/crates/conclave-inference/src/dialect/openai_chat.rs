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
use super::{Dialect, ModelList, Question};

/// The dialect.
pub static DIALECT: Dialect = Dialect {
    name: DialectName::OpenaiChat,
    hosts: &[],
    repeated: &[],
    path: |_| "/chat/completions".to_owned(),
    headers: &[],
    key: ("authorization", "Bearer "),
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
    let mut body = json!({ "model": model, "messages": messages });
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
