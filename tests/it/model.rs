//! A server on this machine that speaks the OpenAI-compatible chat API, plays a local model, and keeps what it is asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// One question as it came.
#[derive(Clone)]
pub struct Asked {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Value,
}

/// What the server answers: the head with its status, and the body.
type Answer = Box<dyn Fn(&Asked) -> (String, String) + Send>;

pub struct Model {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Model {
    /// One that always says `reply`.
    pub fn answering(reply: &str) -> Self {
        let answer = stream(reply, "stop");
        Self::with(move |_| answer.clone())
    }

    /// One that answers as `answer` says, with a status, further headers and a body.
    pub fn with(answer: impl Fn(&Asked) -> (String, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, questions): (Answer, _) = (Box::new(answer), Arc::clone(&asked));
        // The thread ends with the test process; each connection is answered and closed.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever asked may be gone again.
                let _ = serve(stream, &answer, &questions);
            }
        });
        Self { address, asked }
    }

    /// What it was asked, in order; questions about itself are not counted.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("unpoisoned").clone()
    }

    /// Settings that name it as the only model, which only sits in the panel.
    pub fn settings(&self) -> String {
        let model = json!({ "name": "Stub", "base_url": format!("http://{}/v1", self.address), "model": "stub" });
        json!({ "models": [model], "deliberation": { "on": false } }).to_string()
    }
}

/// The head and the body with which a stream says `reply`, and ends for the reason `finish`.
pub fn stream(reply: &str, finish: &str) -> (String, String) {
    let delta = json!({ "choices": [{ "index": 0, "delta": { "content": reply }, "finish_reason": null }] });
    let stop = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": finish }] });
    let body = format!("data: {delta}\n\ndata: {stop}\n\ndata: [DONE]\n\n");
    ("200 OK\r\nContent-Type: text/event-stream".to_owned(), body)
}

/// The head and the body of a request.
pub fn request(stream: &TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok((head, body))
}

fn serve(mut stream: TcpStream, answer: &Answer, questions: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let (head, body) = request(&stream)?;
    let (status, text) = if head.starts_with("GET /props ") {
        (
            "200 OK\r\nContent-Type: application/json".to_owned(),
            json!({ "model_path": "/models/stub.gguf" }).to_string(),
        )
    } else if head.starts_with("GET /v1/models ") {
        ("200 OK\r\nContent-Type: application/json".to_owned(), json!({ "data": [{ "id": "stub" }] }).to_string())
    } else if head.starts_with("POST /v1/chat/completions ") {
        let question = Asked { head, body: serde_json::from_slice(&body)? };
        let answer = answer(&question);
        questions.lock().expect("unpoisoned").push(question);
        answer
    } else {
        ("404 Not Found".to_owned(), String::new())
    };
    stream.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n{text}").as_bytes())
}
