//! OpenAI's chat completions, as OpenAI-compatible servers speak them: llama.cpp, Ollama, LM Studio, vLLM, DeepSeek,
//! Mistral.
//!
//! Only what all of them accept is sent. Two fields that some refuse are [`Extras`], left out once a server has
//! complained about them. Sampling parameters are never sent: several servers reject them, others ignore them.

mod decode;
mod refusal;

use serde_json::{Value, json};

pub use decode::{Decoder, Item, MAX_ANSWER_BYTES};
pub use refusal::error_of;

use crate::error::AskError;
use crate::request::ModelRequest;

/// Where the answers are, below the address of an endpoint.
pub const PATH: &str = "/chat/completions";

/// Fields that help where they are known, and that some servers refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extras {
    /// `response_format` with the schema of the request. DeepSeek refuses it, and llama.cpp the schemas it cannot
    /// translate.
    pub schema: bool,
    /// `stream_options`, without which most servers count no tokens in streams. Mistral refuses it and counts anyway.
    pub usage: bool,
}

impl Extras {
    /// Everything that helps `request`.
    pub fn for_request(request: &ModelRequest) -> Self {
        Self { schema: request.schema.is_some(), usage: true }
    }

    /// What is left of them after a server has complained; `None` when `error` is about something else.
    pub fn after(self, error: &AskError) -> Option<Self> {
        let AskError::Rejected { status: 400 | 422, message } = error else { return None };
        let message = message.to_lowercase();
        let about = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if self.usage && about(&["stream_options", "include_usage"]) {
            return Some(Self { usage: false, ..self });
        }
        if self.schema && about(&["response_format", "schema", "grammar", "structured output"]) {
            return Some(Self { schema: false, ..self });
        }
        None
    }
}

/// The body of a request to `model`.
pub fn request_body(request: &ModelRequest, model: &str, extras: Extras) -> Value {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({ "role": "system", "content": request.system }));
    }
    messages.push(json!({ "role": "user", "content": request.user }));
    let mut body = json!({
        "model": model,
        "messages": messages,
        "max_tokens": request.max_tokens,
        "stream": true,
    });
    if extras.usage {
        body["stream_options"] = json!({ "include_usage": true });
    }
    if let (true, Some(schema)) = (extras.schema, &request.schema) {
        body["response_format"] = json!({
            "type": "json_schema",
            "json_schema": { "name": request.schema_name, "strict": true, "schema": schema },
        });
    }
    body
}

#[cfg(test)]
mod tests;
