//! A server of models for a program that measures, in a process of its own, so that its work is nobody's but its own.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// What a question is answered with.
pub struct Answer {
    /// How long it takes.
    pub after: Duration,
    /// The words.
    pub text: String,
    /// Tokens read and written, as the bill has them.
    pub tokens: [u64; 2],
}

/// A server that runs.
pub struct Server {
    process: Child,
    /// Where it listens, as `http://127.0.0.1:…`.
    pub address: String,
}

impl Server {
    /// Starts this program once more with `word`, which has it call [`serve`].
    pub fn start(word: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.arg(word).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a server");
        let mut address = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut address).expect("its address");
        Self { process, address: address.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Answers until standard input ends, and says that the model runs here if it `is_local`.
pub fn serve(is_local: bool, answer: impl Fn(&Value) -> Answer + Send + Sync + 'static) {
    let (listener, answer) = (TcpListener::bind("127.0.0.1:0").expect("a port"), Arc::new(answer));
    println!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || answer_all(stream, is_local, &*answer));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Answers each question of one connection.
fn answer_all(mut stream: TcpStream, is_local: bool, answer: &dyn Fn(&Value) -> Answer) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut path, mut length, mut line) = (String::new(), 0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let lower = line.to_ascii_lowercase();
            match lower.strip_prefix("content-length:") {
                Some(value) => length = value.trim().parse().unwrap_or(0),
                None if path.is_empty() => path = line.split(' ').nth(1).unwrap_or_default().to_owned(),
                None if line == "\r\n" => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (kind, text) = match path.as_str() {
            // So llama.cpp says that its model runs here.
            "/props" if is_local => ("application/json", json!({ "model_path": "/m.gguf" }).to_string()),
            // Whatever else a server is asked about itself.
            path if !path.ends_with("/chat/completions") => ("application/json", "{}".to_owned()),
            _ => {
                let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
                let answer = answer(&asked);
                thread::sleep(answer.after);
                let is_streamed = asked["stream"] == true;
                if is_streamed {
                    ("text/event-stream", streamed(&answer))
                } else {
                    ("application/json", whole(&answer))
                }
            }
        };
        let length = text.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all((head + &text).as_bytes())?;
    }
}

fn usage([read, written]: [u64; 2]) -> Value {
    json!({ "prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written })
}

fn whole(answer: &Answer) -> String {
    let message = json!({ "role": "assistant", "content": answer.text });
    json!({
        "id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage(answer.tokens),
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
    })
    .to_string()
}

fn streamed(answer: &Answer) -> String {
    let chunk = |delta: Value, reason: Value| {
        json!({ "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] })
    };
    let last = json!({ "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
                       "usage": usage(answer.tokens) });
    let events = [chunk(json!({ "content": answer.text }), Value::Null), chunk(json!({}), json!("stop")), last];
    events.iter().map(|event| format!("data: {event}\n\n")).chain(["data: [DONE]\n\n".to_owned()]).collect()
}
