//! A server of tools at an address on this machine: it has one tool, answers as a test wants, and keeps what it was asked.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::model::request;
use crate::program::Home;

/// The server. Its thread ends with the test process.
pub struct Far {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Far {
    /// One with `tool`, which `description` describes; `answer` says what it answers to arguments.
    pub fn new(tool: &'static str, description: String, answer: impl Fn(&Value) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Ok((head, body)) = request(&stream) else { continue };
                let message: Value = serde_json::from_slice(&body).unwrap_or_default();
                let result = match message["method"].as_str() {
                    Some("server/discover") => json!({ "serverInfo": { "name": "far", "version": "1" } }),
                    Some("tools/list") => {
                        let schema = json!({ "type": "object" });
                        json!({ "tools": [{ "name": tool, "description": description, "inputSchema": schema }] })
                    }
                    _ => {
                        let text = answer(&message["params"]["arguments"]);
                        json!({ "content": [{ "type": "text", "text": text }] })
                    }
                };
                heard.lock().expect("unpoisoned").push(format!("{head}{}", String::from_utf8_lossy(&body)));
                let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
                // Whoever asked may be gone again.
                let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            }
        });
        Self { address, asked }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// The requests that it got, head and body, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("unpoisoned").clone()
    }
}

/// Approves `server` of the settings as it is now.
pub fn approve(home: &Home, server: &str) {
    let seen = home.json(&["tools", "test", server], 2);
    assert_eq!(seen["failed"], Value::Null, "{server}: {seen:#}");
    let digest = seen["server"]["digest"].as_str().expect("it was seen");
    home.json(&["tools", "approve", server, "--digest", digest], 0);
}
