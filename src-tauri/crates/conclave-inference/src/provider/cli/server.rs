//! The one MCP server that a program is given: the tools that its model may use for one answer.
//!
//! The program starts `conclave relay-guest lines` as it starts any server, and what it says there ends here, in this
//! process: this is the server's side of the protocol without a transport. The four methods that a program needs of a
//! server are all there is. What it was offered stays as it was when the program started.
//! Deliberately absent: the revision of the protocol without a handshake; programs begin with the handshake over a pipe.
//! Invariants: calls are made one at a time; whatever a line holds, the answer is a line; what a tool said is looked
//! through for secrets before the program has it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};

use conclave_effects::{Body, Lines, Secret};
use conclave_policy::strict_json;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::dialect::MOST_ARGUMENTS;
use crate::tools::{Desk, ToolOffer, ToolResult, Tools};

/// The server's name, which is a part of its tools' names in the program.
pub(super) const NAME: &str = "conclave";

/// The revisions of the protocol that have a handshake. The first is spoken where none of them is asked for.
const REVISIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// Errors as JSON-RPC and MCP number them.
const NOT_JSON: i64 = -32700;
const NO_REQUEST: i64 = -32600;
const NO_METHOD: i64 = -32601;
const WRONG_PARAMETERS: i64 = -32602;

/// The tools for one answer, however often its program is run for it.
pub(super) struct Server {
    offers: Vec<ToolOffer>,
    most_calls: u32,
    desk: Mutex<Desk>,
    /// How often a call was made or tried.
    calls: AtomicU32,
    /// When an answer is of no use any more.
    until: Instant,
    /// What no tool's answer may hold.
    secrets: Vec<Secret>,
}

impl Server {
    /// A server of `tools`; `None` where there are none.
    pub(super) fn new(tools: &Tools, secrets: Vec<Secret>, until: Instant) -> Option<Self> {
        let desk = Desk::new(tools);
        let offers = desk.offers().to_vec();
        let most_calls = tools.most_calls;
        (!offers.is_empty()).then(|| Self {
            offers,
            most_calls,
            desk: Mutex::new(desk),
            calls: AtomicU32::new(0),
            until,
            secrets,
        })
    }

    /// What it offers.
    pub(super) fn offers(&self) -> &[ToolOffer] {
        &self.offers
    }

    /// The most calls that it takes.
    pub(super) fn most_calls(&self) -> u32 {
        self.most_calls
    }

    /// How many it has got so far.
    pub(super) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The answer to a message; `None` to one that wants none.
    async fn respond(&self, line: &[u8]) -> Option<Value> {
        let fail = |id: &Value, code: i64, why: &str| {
            Some(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": why } }))
        };
        let read = std::str::from_utf8(line).ok().and_then(|line| strict_json(line).ok());
        let Some(message) = read else { return fail(&Value::Null, NOT_JSON, "this is no JSON value") };
        let id = &message["id"];
        let Some(method) = message["method"].as_str() else {
            return fail(id, NO_REQUEST, "this is no request");
        };
        match id {
            // Nobody waits for an answer.
            Value::Null => return None,
            Value::String(_) | Value::Number(_) => {}
            _ => return fail(&Value::Null, NO_REQUEST, "the id is neither a string nor a number"),
        }
        let params = &message["params"];
        let result = match method {
            "initialize" => {
                let asked = params["protocolVersion"].as_str().unwrap_or_default();
                let revision = REVISIONS.into_iter().find(|known| *known == asked).unwrap_or(REVISIONS[0]);
                let server = json!({ "name": NAME, "version": env!("CARGO_PKG_VERSION") });
                json!({ "protocolVersion": revision, "capabilities": { "tools": {} }, "serverInfo": server })
            }
            "ping" => json!({}),
            "tools/list" => {
                let tool = |ToolOffer { name, description, schema }: &ToolOffer| json!({ "name": name, "description": description, "inputSchema": schema });
                json!({ "tools": self.offers.iter().map(tool).collect::<Vec<_>>() })
            }
            "tools/call" => {
                let Some(name) = params["name"].as_str() else {
                    return fail(id, WRONG_PARAMETERS, "the call names no tool");
                };
                let ToolResult { text, is_error } = self.call(name, &params["arguments"]).await;
                json!({ "content": [{ "type": "text", "text": text }], "isError": is_error })
            }
            _ => return fail(id, NO_METHOD, "there is no such method"),
        };
        Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    }

    async fn call(&self, name: &str, arguments: &Value) -> ToolResult {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let arguments = match arguments {
            Value::Null => Ok(Map::new()),
            Value::Object(arguments) if arguments_fit(arguments) => Ok(arguments.clone()),
            Value::Object(_) => Err(format!("the arguments are larger than {MOST_ARGUMENTS} bytes")),
            _ => Err("the arguments are no JSON object".to_owned()),
        };
        let result = timeout_at(self.until, async { self.desk.lock().await.call(name, arguments).await }).await;
        let Ok(ToolResult { text, is_error }) = result else {
            return ToolResult::error("the tool did not answer in time; answer with what you have");
        };
        let secrets: Vec<&Secret> = self.secrets.iter().collect();
        match Body::redacted(text.into_bytes(), &secrets) {
            Ok(body) => ToolResult { text: String::from_utf8_lossy(body.bytes()).into_owned(), is_error },
            Err(error) => ToolResult::error(format!("what the tool said is kept back: {error}")),
        }
    }
}

fn arguments_fit(arguments: &Map<String, Value>) -> bool {
    serde_json::to_vec(arguments).is_ok_and(|bytes| bytes.len() <= MOST_ARGUMENTS)
}

impl Lines for Server {
    fn answer<'a>(&'a self, line: &'a [u8]) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send + 'a>> {
        Box::pin(async move { self.respond(line).await.map(|answer| answer.to_string().into_bytes()) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::tools::ToolHost;

    /// A host with one tool, which answers with its arguments, or never.
    struct Echo;

    impl ToolHost for Echo {
        fn offers(&self) -> Vec<ToolOffer> {
            let schema = json!({ "type": "object" });
            vec![ToolOffer { name: "echo".to_owned(), description: "Says it again.".to_owned(), schema }]
        }

        fn call<'a>(&'a self, _: &'a str, arguments: Value) -> Pin<Box<dyn Future<Output = ToolResult> + Send + 'a>> {
            Box::pin(async move {
                if arguments["hang"] == true {
                    std::future::pending::<()>().await;
                }
                ToolResult { text: arguments.to_string(), is_error: false }
            })
        }
    }

    fn server(most_calls: u32) -> Server {
        let tools = Tools { host: Arc::new(Echo), most_calls };
        let secrets = vec![Secret::new("correct-horse-battery".to_owned())];
        Server::new(&tools, secrets, Instant::now() + Duration::from_secs(60)).expect("it offers one")
    }

    /// What stands at `pointer` in the answer to `line`; `None` where there is no answer.
    async fn at(server: &Server, line: &str, pointer: &str) -> Option<Value> {
        let answer = server.answer(line.as_bytes()).await?;
        assert!(!answer.contains(&b'\n'), "it is one line");
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        Some(answer.pointer(pointer).cloned().unwrap_or(answer))
    }

    fn asks(method: &str, params: Value) -> String {
        json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string()
    }

    #[tokio::test]
    async fn a_program_greets_and_is_told_of_the_tools() {
        let server = server(3);
        for (asked, expect) in [("2025-06-18", "2025-06-18"), ("2026-07-28", "2025-11-25"), ("", "2025-11-25")] {
            let line = asks("initialize", json!({ "protocolVersion": asked, "capabilities": {} }));
            assert_eq!(at(&server, &line, "/result/protocolVersion").await, Some(json!(expect)), "{asked}");
        }
        assert_eq!(at(&server, &asks("ping", json!({})), "/result").await, Some(json!({})));
        let listed = at(&server, &asks("tools/list", json!({})), "/result/tools").await;
        let tool = json!({ "name": "echo", "description": "Says it again.", "inputSchema": { "type": "object" } });
        assert_eq!(listed, Some(json!([tool])));
        let notice = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
        assert_eq!(at(&server, &notice, "").await, None);
    }

    #[tokio::test]
    async fn whatever_a_line_holds_the_answer_is_a_line() {
        let server = server(3);
        for (line, code) in [
            ("", NOT_JSON),
            ("certainly!", NOT_JSON),
            ("{\"id\":1,\"id\":2,\"method\":\"ping\"}", NOT_JSON),
            (&"[".repeat(100_000), NOT_JSON),
            ("[]", NO_REQUEST),
            ("{}", NO_REQUEST),
            ("{\"id\":1,\"method\":7}", NO_REQUEST),
            ("{\"id\":{},\"method\":\"ping\"}", NO_REQUEST),
            (&asks("server/discover", json!({})), NO_METHOD),
            (&asks("resources/read", json!({ "uri": "file:///etc/passwd" })), NO_METHOD),
            (&asks("tools/call", json!({})), WRONG_PARAMETERS),
        ] {
            let shown = &line[..line.len().min(60)];
            assert_eq!(at(&server, line, "/error/code").await, Some(json!(code)), "{shown}");
        }
        assert_eq!(server.calls(), 0);
    }

    #[tokio::test]
    async fn a_call_is_made_or_the_program_is_told_why_not() {
        for (params, is_error, part) in [
            (json!({ "name": "echo", "arguments": { "a": 1 } }), false, r#"{"a":1}"#),
            (json!({ "name": "echo" }), false, "{}"),
            (json!({ "name": "echo", "arguments": { "a": "correct-horse-battery" } }), false, r#"{"a":"["#),
            (json!({ "name": "echo", "arguments": [] }), true, "no JSON object"),
            (json!({ "name": "echo", "arguments": { "a": "x".repeat(300_000) } }), true, "larger than"),
            (json!({ "name": "Bash", "arguments": { "command": "id" } }), true, "there is no tool `Bash`"),
        ] {
            let server = server(1);
            let line = asks("tools/call", params);
            let result = at(&server, &line, "/result").await.expect("an answer");
            let text = result["content"][0]["text"].as_str().expect("text");
            assert!(text.contains(part) && !text.contains("horse"), "{part}: {text}");
            assert_eq!(result["isError"], is_error, "{part}");
            let more = at(&server, &line, "/result/content/0/text").await.expect("an answer").to_string();
            assert!(more.contains("no more than 1 calls"), "{more}");
            assert_eq!(server.calls(), 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tool_that_hangs_is_given_up_at_the_deadline() {
        let line = asks("tools/call", json!({ "name": "echo", "arguments": { "hang": true } }));
        let said = at(&server(3), &line, "/result/content/0/text").await.expect("an answer").to_string();
        assert!(said.contains("did not answer in time"), "{said}");
    }
}
