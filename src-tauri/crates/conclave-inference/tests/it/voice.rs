//! How a server of each dialect says the same things.

use conclave_core::settings::DialectName;
use serde_json::json;

/// A dialect from the other side.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    pub name: DialectName,
    /// What people write behind the host.
    pub base: &'static str,
    /// Where the questions come in.
    pub path: &'static str,
    /// Where the list of models is.
    pub models: &'static str,
    /// The beginning of the header with the key.
    pub key: &'static str,
    /// The type of a stream.
    pub stream: &'static str,
}

const EVENTS: &str = "text/event-stream";

pub const VOICES: [Voice; 5] = [
    Voice {
        name: DialectName::OpenaiChat,
        base: "/v1/",
        path: "/v1/chat/completions",
        models: "/v1/models",
        key: "authorization: bearer ",
        stream: EVENTS,
    },
    Voice {
        name: DialectName::OpenaiResponses,
        base: "/v1",
        path: "/v1/responses",
        models: "/v1/models",
        key: "authorization: bearer ",
        stream: EVENTS,
    },
    Voice {
        name: DialectName::Anthropic,
        base: "",
        path: "/v1/messages",
        models: "/v1/models?limit=1000",
        key: "x-api-key: ",
        stream: EVENTS,
    },
    Voice {
        name: DialectName::Gemini,
        base: "/v1beta/",
        path: "/v1beta/models/m-1:streamGenerateContent?alt=sse",
        models: "/v1beta/models?pageSize=1000",
        key: "x-goog-api-key: ",
        stream: EVENTS,
    },
    Voice {
        name: DialectName::Ollama,
        base: "",
        path: "/api/chat",
        models: "/api/tags",
        key: "authorization: bearer ",
        stream: "application/x-ndjson",
    },
];

/// OpenAI's chat.
pub const CHAT: Voice = VOICES[0];

impl Voice {
    fn event(&self, value: &serde_json::Value) -> String {
        if self.name == DialectName::Ollama { format!("{value}\n") } else { format!("data: {value}\n\n") }
    }

    /// A piece of the answer.
    pub fn text(&self, piece: &str) -> String {
        self.event(&match self.name {
            DialectName::OpenaiChat => json!({ "choices": [{ "delta": { "content": piece } }] }),
            DialectName::OpenaiResponses => json!({ "type": "response.output_text.delta", "delta": piece }),
            DialectName::Anthropic => {
                json!({ "type": "content_block_delta", "delta": { "type": "text_delta", "text": piece } })
            }
            DialectName::Gemini => json!({ "candidates": [{ "content": { "parts": [{ "text": piece }] } }] }),
            DialectName::Ollama => json!({ "message": { "content": piece }, "done": false }),
        })
    }

    /// The end of a whole answer, without what only ends the stream.
    fn stop(&self) -> String {
        self.reason(match self.name {
            DialectName::OpenaiChat | DialectName::Ollama => "stop",
            DialectName::OpenaiResponses => "completed",
            DialectName::Anthropic => "end_turn",
            DialectName::Gemini => "STOP",
        })
    }

    fn reason(&self, reason: &str) -> String {
        self.event(&match self.name {
            DialectName::OpenaiChat => json!({ "choices": [{ "delta": {}, "finish_reason": reason }] }),
            DialectName::OpenaiResponses => json!({
                "type": "response.completed",
                "response": { "status": reason, "incomplete_details": { "reason": "max_output_tokens" }, "output": [] },
            }),
            DialectName::Anthropic => json!({ "type": "message_delta", "delta": { "stop_reason": reason } }),
            DialectName::Gemini => json!({ "candidates": [{ "finishReason": reason }] }),
            DialectName::Ollama => json!({ "message": { "content": "" }, "done": true, "done_reason": reason }),
        })
    }

    /// What only ends the stream.
    fn last(&self) -> &'static str {
        match self.name {
            DialectName::OpenaiChat => "data: [DONE]\n\n",
            DialectName::Anthropic => "data: {\"type\":\"message_stop\"}\n\n",
            _ => "",
        }
    }

    /// The end of a whole answer.
    pub fn end(&self) -> String {
        self.stop() + self.last()
    }

    /// A call of the tool `name` with `arguments`, which are JSON or not.
    pub fn call(&self, number: usize, name: &str, arguments: &str) -> String {
        let id = format!("id-{number}");
        // Servers of these two say them as they are.
        let value = || serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
        match self.name {
            DialectName::OpenaiChat => self.event(&json!({ "choices": [{ "delta": { "tool_calls": [{
                "index": number, "id": id, "function": { "name": name, "arguments": arguments },
            }] } }] })),
            DialectName::OpenaiResponses => self.event(&json!({ "type": "response.output_item.done", "item": {
                "type": "function_call", "call_id": id, "name": name, "arguments": arguments,
            } })),
            DialectName::Anthropic => {
                let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
                let begin = json!({ "type": "content_block_start", "index": number, "content_block": block });
                let delta = json!({ "type": "input_json_delta", "partial_json": arguments });
                self.event(&begin)
                    + &self.event(&json!({ "type": "content_block_delta", "index": number, "delta": delta }))
            }
            DialectName::Gemini => self.event(&json!({ "candidates": [{ "content": { "parts": [{
                "functionCall": { "name": name, "args": value(), "id": id },
            }] } }] })),
            DialectName::Ollama => self.event(&json!({ "message": { "content": "", "tool_calls": [{
                "function": { "name": name, "arguments": value() },
            }] }, "done": false })),
        }
    }

    /// `calls` as a whole answer.
    pub fn calls(&self, calls: &[(&str, &str)]) -> String {
        let calls = calls.iter().enumerate().map(|(number, (name, arguments))| self.call(number, name, arguments));
        let end = match self.name {
            DialectName::OpenaiChat => self.reason("tool_calls") + self.last(),
            DialectName::Anthropic => self.reason("tool_use") + self.last(),
            _ => self.end(),
        };
        self.streams(&(calls.collect::<String>() + &end))
    }

    /// The end of an answer that was too long.
    pub fn too_long(&self) -> String {
        let reason = match self.name {
            DialectName::OpenaiChat | DialectName::Ollama => "length",
            DialectName::OpenaiResponses => "incomplete",
            DialectName::Anthropic => "max_tokens",
            DialectName::Gemini => "MAX_TOKENS",
        };
        self.reason(reason) + self.last()
    }

    /// An error after the stream has begun.
    pub fn failure(&self, code: u16) -> String {
        self.event(&json!({ "error": { "code": code, "message": "schema" } }))
    }

    /// `text` as a whole answer.
    pub fn says(&self, text: &str) -> String {
        self.streams(&(self.text(text) + &self.end()))
    }

    /// A response whose end is the end of the connection.
    pub fn streams(&self, body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\nconnection: close\r\n\r\n{body}", self.stream)
    }
}
