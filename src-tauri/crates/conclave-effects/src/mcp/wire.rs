//! What goes over a line between Conclave and a server of the Model Context Protocol: JSON-RPC 2.0, one message a line.
//!
//! Pure. Invariant: whatever a server says becomes one of [`Said`]; nothing that it says is an error here.

use serde_json::{Map, Value, json};

/// Longest words of a server's that are repeated, in characters.
const SHOWN: usize = 300;

/// One line of a server's.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It answers the request with this number.
    Answer {
        /// The number.
        id: u64,
        /// What it gives, or what went wrong.
        outcome: Result<Value, Failure>,
    },
    /// It asks something of whoever is connected.
    Asked {
        /// Its own number, which the answer repeats.
        id: Value,
        /// What it wants.
        method: String,
    },
    /// It tells something.
    Told {
        /// What kind of thing.
        method: String,
    },
    /// It is no message, for this reason.
    Garbage(&'static str),
}

/// An error that a server answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// JSON-RPC's number of the error.
    pub code: i64,
    /// The server's words, on one short line.
    pub message: String,
}

/// Reads one line.
pub fn read(line: &[u8]) -> Said {
    let Ok(text) = std::str::from_utf8(line) else { return Said::Garbage("it is not UTF-8") };
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Said::Garbage("it is not JSON") };
    message(value)
}

fn message(value: Value) -> Said {
    let Value::Object(mut message) = value else { return Said::Garbage("it is no JSON-RPC message") };
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Said::Garbage("it is not of JSON-RPC 2.0");
    }
    let id = message.remove("id").filter(|id| !id.is_null());
    if let Some(Value::String(method)) = message.remove("method") {
        let method = shown(&method);
        return match id {
            Some(id) => Said::Asked { id, method },
            None => Said::Told { method },
        };
    }
    let Some(id) = id.as_ref().and_then(Value::as_u64) else {
        return Said::Garbage("it answers without a number that was asked");
    };
    match (message.remove("result"), message.remove("error")) {
        (Some(result), None) => Said::Answer { id, outcome: Ok(result) },
        (None, Some(error)) => {
            let words = error.get("message").and_then(Value::as_str).unwrap_or("it gives no reason");
            let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
            Said::Answer { id, outcome: Err(Failure { code, message: shown(words) }) }
        }
        _ => Said::Garbage("it answers with neither a result nor an error, or with both"),
    }
}

/// A request with the number `id`.
pub fn request(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// A message that wants no answer.
pub fn notice(method: &str, params: Value) -> Value {
    let mut message = Map::new();
    message.insert("jsonrpc".to_owned(), json!("2.0"));
    message.insert("method".to_owned(), json!(method));
    if !params.is_null() {
        message.insert("params".to_owned(), params);
    }
    Value::Object(message)
}

/// The answer to a server that asks what it is not given.
pub fn refusal(id: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "this client does not offer that" } })
}

/// The answer to a server that wants to know whether somebody is there.
pub fn pong(id: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": {} })
}

/// A stranger's words on one short line.
pub fn shown(words: &str) -> String {
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_answer_a_question_a_notice_or_garbage() {
        let failure = |code, message: &str| Err(Failure { code, message: message.to_owned() });
        let garbage = |line: &[u8]| matches!(read(line), Said::Garbage(_));
        let cases: [(&str, Said); 6] = [
            (r#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#, Said::Answer { id: 3, outcome: Ok(json!({"a": 1})) }),
            (
                r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"no\u001b[31m such\ntool"}}"#,
                Said::Answer { id: 3, outcome: failure(-32602, "no [31m such tool") },
            ),
            (
                r#"{"jsonrpc":"2.0","id":3,"error":7}"#,
                Said::Answer { id: 3, outcome: failure(0, "it gives no reason") },
            ),
            (
                r#"{"jsonrpc":"2.0","id":"x","method":"roots/list"}"#,
                Said::Asked { id: json!("x"), method: "roots/list".to_owned() },
            ),
            (
                r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#,
                Said::Told { method: "notifications/progress".to_owned() },
            ),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"notifications/progress"}"#,
                Said::Told { method: "notifications/progress".to_owned() },
            ),
        ];
        for (line, expect) in cases {
            assert_eq!(read(line.as_bytes()), expect, "{line}");
        }
        for line in [
            "",
            "hello",
            r#"{"jsonrpc":"2.0","id":3,"res"#,
            r#"[{"jsonrpc":"2.0","id":3,"result":{}}]"#,
            r#"{"jsonrpc":"1.0","id":3,"result":{}}"#,
            r#"{"id":3,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":"3","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":-3,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":3.5,"result":{}}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":3}"#,
            r#"{"jsonrpc":"2.0","id":3,"result":{},"error":{}}"#,
        ] {
            assert!(garbage(line.as_bytes()), "{line}");
        }
        assert!(garbage(b"\xff\xfe"));
        assert!(garbage("[".repeat(100_000).as_bytes()), "what is nested too deep is no message");
    }
}
