//! A model on this machine for agents' clients: it calls the tools that a test tells it to, one a turn, whatever it is
//! offered, and keeps all that it is sent.
//!
//! It speaks what the three clients speak, each told by its path: Anthropic Messages, OpenAI Responses and Gemini
//! `generateContent`. Which turn it is, is read off the results in the question, so that a repeated question gets the same
//! answer. It is no test of a dialect: it says only what a client needs to make a call.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// What the model says once all calls were answered.
pub const DONE: &str = "That is all.";

/// A call of a tool, as a model makes it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The tool. For OpenAI a tool of an MCP server is `namespace.tool`.
    pub tool: String,
    /// What it is given.
    pub input: Value,
}

/// A call of `tool` with `input`.
pub fn call(tool: &str, input: Value) -> Call {
    Call { tool: tool.to_owned(), input }
}

/// One question as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Value,
}

/// The model. Its thread ends with the test process.
pub struct AgentModel {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// The form of a question and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Anthropic,
    OpenAi,
    Gemini,
    GeminiWhole,
}

impl AgentModel {
    /// One that makes these calls in this order.
    pub fn calling(calls: Vec<Call>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (calls, questions) = (Arc::new(calls), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (calls, questions) = (Arc::clone(&calls), Arc::clone(&questions));
                // Whoever asked may be gone again.
                thread::spawn(move || serve(stream, &calls, &questions));
            }
        });
        Self { address, asked }
    }

    /// Its address, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("unpoisoned").clone()
    }

    /// Whether anything that it was sent contains `text`.
    pub fn was_told(&self, text: &str) -> bool {
        self.asked().iter().any(|asked| asked.body.to_string().contains(text))
    }

    /// The results of its calls, in order, as far as it was told them.
    pub fn results(&self) -> Vec<String> {
        let last = self.asked().into_iter().filter_map(|asked| Some((dialect(&asked.head)?, asked.body)));
        last.map(|(dialect, body)| results(dialect, &body)).max_by_key(Vec::len).unwrap_or_default()
    }
}

fn serve(mut stream: TcpStream, calls: &[Call], questions: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let dialect = dialect(&head);
    let question = Asked { head, body: serde_json::from_slice(&body).unwrap_or_default() };
    let (status, text) = match dialect {
        Some(dialect) => ("200 OK", answer(dialect, calls, &question.body)),
        None => ("404 Not Found", "{}".to_owned()),
    };
    questions.lock().expect("unpoisoned").push(question);
    let form = if text.starts_with('{') { "application/json" } else { "text/event-stream" };
    let length = text.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {form}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(&[head.as_bytes(), text.as_bytes()].concat())
}

fn dialect(head: &str) -> Option<Dialect> {
    let path = head.strip_prefix("POST ")?.split([' ', '?']).next()?;
    [
        ("/v1/messages", Dialect::Anthropic),
        ("/responses", Dialect::OpenAi),
        (":streamGenerateContent", Dialect::Gemini),
        (":generateContent", Dialect::GeminiWhole),
    ]
    .into_iter()
    .find_map(|(end, dialect)| path.ends_with(end).then_some(dialect))
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// The results of calls in a question.
fn results(dialect: Dialect, body: &Value) -> Vec<String> {
    let found: Vec<&Value> = match dialect {
        Dialect::Anthropic => items(body, "messages")
            .flat_map(|message| items(message, "content"))
            .filter(|part| part["type"] == "tool_result")
            .map(|part| &part["content"])
            .collect(),
        Dialect::OpenAi => items(body, "input")
            .filter(|item| item["type"].as_str().is_some_and(|kind| kind.ends_with("_output")))
            .map(|item| &item["output"])
            .collect(),
        Dialect::Gemini | Dialect::GeminiWhole => items(body, "contents")
            .flat_map(|content| items(content, "parts"))
            .filter_map(|part| part.get("functionResponse"))
            .map(|result| &result["response"])
            .collect(),
    };
    found.into_iter().map(|result| result.as_str().map_or_else(|| result.to_string(), str::to_owned)).collect()
}

fn answer(dialect: Dialect, calls: &[Call], body: &Value) -> String {
    let turn = results(dialect, body).len();
    let call = calls.get(turn);
    match dialect {
        Dialect::Anthropic => anthropic(turn, call, &body["model"]),
        Dialect::OpenAi => openai(turn, call),
        Dialect::Gemini => format!("data: {}\n\n", gemini(call)),
        Dialect::GeminiWhole => gemini(call).to_string(),
    }
}

fn anthropic(turn: usize, call: Option<&Call>, model: &Value) -> String {
    let (block, delta, stop) = match call {
        Some(Call { tool, input }) => (
            json!({ "type": "tool_use", "id": format!("toolu_{turn}"), "name": tool, "input": {} }),
            json!({ "type": "input_json_delta", "partial_json": input.to_string() }),
            "tool_use",
        ),
        None => (json!({ "type": "text", "text": "" }), json!({ "type": "text_delta", "text": DONE }), "end_turn"),
    };
    let message = json!({
        "id": format!("msg_{turn}"), "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 10, "output_tokens": 1 },
    });
    named(&[
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({
            "type": "message_delta", "delta": { "stop_reason": stop, "stop_sequence": null },
            "usage": { "output_tokens": 5 },
        }),
        json!({ "type": "message_stop" }),
    ])
}

fn openai(turn: usize, call: Option<&Call>) -> String {
    let item = match call {
        Some(Call { tool, input }) => {
            let (namespace, name) =
                tool.rsplit_once('.').map_or((None, tool.as_str()), |(space, name)| (Some(space), name));
            let mut item = json!({
                "type": "function_call", "id": format!("fc_{turn}"), "call_id": format!("call_{turn}"), "name": name,
                "arguments": input.to_string(), "status": "completed",
            });
            if let Some(namespace) = namespace {
                item["namespace"] = json!(namespace);
            }
            item
        }
        None => json!({
            "type": "message", "role": "assistant", "id": "msg_1", "content": [{ "type": "output_text", "text": DONE }],
        }),
    };
    let id = format!("resp_{turn}");
    let usage = json!({
        "input_tokens": 10, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 5,
        "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 15,
    });
    named(&[
        json!({ "type": "response.created", "response": { "id": id } }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item }),
        json!({ "type": "response.completed", "response": { "id": id, "usage": usage } }),
    ])
}

fn gemini(call: Option<&Call>) -> Value {
    let part = match call {
        Some(Call { tool, input }) => json!({ "functionCall": { "name": tool, "args": input } }),
        None => json!({ "text": DONE }),
    };
    json!({
        "candidates": [{ "content": { "role": "model", "parts": [part] }, "finishReason": "STOP", "index": 0 }],
        "usageMetadata": { "promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15 },
        "modelVersion": "stub",
    })
}

/// Events of a stream, each with its type as its name.
fn named(events: &[Value]) -> String {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default());
    events.iter().map(event).collect()
}
