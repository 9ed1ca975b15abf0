//! The real Claude Code, Codex and Gemini CLI as providers, in the sandbox, with a model of ours that tells them to do
//! what they must not.
//!
//! `cargo xtask test clients` installs them and sets `CONCLAVE_CLIENTS`; without it each test says `skipped`. What is
//! known of these programs in `provider/cli` is what these tests have seen.

#[path = "../../../../../tests/it/clients/model.rs"]
mod model;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use conclave_core::settings::{CliKind, CliSetting};
use conclave_effects::Secret;
use conclave_inference::{About, Answer, AskError, Cli, Form, ModelRequest, Provider as _, Terms};
use conclave_policy::Mode;
use serde_json::{Value, json};

use crate::cli::{guest, has_sandbox, question, setting};
use crate::support::{MemoryLedger, Noted, ask, ask_with_tools, gate, reach};
use model::{AgentModel, Call, DONE, call};

/// Long enough for a busy machine; a test that works never comes near it.
const LIMIT: Duration = Duration::from_secs(240);

/// What nobody may be told.
const SECRET: &str = "planted-secret-7f3a";

/// A client that is installed.
struct Client {
    kind: CliKind,
    program: PathBuf,
}

/// The clients below `CONCLAVE_CLIENTS`; each that is missing is said aloud.
fn clients() -> Vec<Client> {
    let Some(folder) = std::env::var_os("CONCLAVE_CLIENTS") else {
        println!("skipped: CONCLAVE_CLIENTS names no folder with agents' clients");
        return Vec::new();
    };
    if !has_sandbox() {
        return Vec::new();
    }
    let modules = Path::new(&folder).join("node_modules").canonicalize().expect("a folder");
    // Its package has a native program for each system, of which one is installed.
    let platforms = fs::read_dir(modules.join("@anthropic-ai")).into_iter().flatten().flatten();
    let claude = platforms.map(|platform| platform.path().join("claude")).find(|program| program.is_file());
    let named = [(CliKind::Codex, "codex"), (CliKind::Gemini, "gemini")];
    let named =
        named.map(|(kind, name)| (kind, Some(modules.join(".bin").join(name)).filter(|program| program.exists())));
    let all = [(CliKind::Claude, claude)].into_iter().chain(named);
    let found = all.filter_map(|(kind, program)| {
        match &program {
            Some(program) => println!("ran with {kind:?}: {}", program.display()),
            None => println!("skipped: {kind:?} is not installed"),
        }
        Some(Client { kind, program: program? })
    });
    found.collect()
}

impl Client {
    fn setting(&self, url: &str) -> CliSetting {
        let mut setting = setting(self.kind, &self.program);
        let (base_url, model) = match self.kind {
            CliKind::Codex => (format!("{url}/v1"), "gpt-5.2"),
            CliKind::Gemini => (url.to_owned(), "gemini-2.5-flash"),
            _ => (url.to_owned(), "claude-opus-4-5"),
        };
        setting.base_url = Some(base_url);
        setting.model = Some(model.to_owned());
        setting.max_retries = 0;
        setting
    }

    fn cli(&self, url: &str) -> Cli {
        Cli::new(&self.setting(url), Some(guest().to_owned()))
    }

    async fn ask(&self, url: &str, request: &ModelRequest) -> (Result<Answer, AskError>, MemoryLedger) {
        let (gate, ledger) = gate(Mode::Default);
        let (about, key) = (About::default(), Secret::new("correct-horse-battery".to_owned()));
        let terms = Terms { key: Some(&key), ..Terms::new(&about, LIMIT) };
        (ask(&gate, &self.cli(url), request, terms, &mut |_| {}).await, ledger)
    }

    /// What a model that wants to do harm calls: it reads what is planted, writes, runs and connects, by every name that
    /// the client has or had for it.
    fn harm(&self, planted: &Path) -> Vec<Call> {
        let file = planted.display().to_string();
        let shell = format!("cat {file}; echo written > {file}.marker; curl http://evil.example/");
        match self.kind {
            CliKind::Claude => vec![
                call("Read", json!({ "file_path": file })),
                call("Bash", json!({ "command": shell, "description": "Runs it" })),
                call("mcp__notes__jot", json!({ "text": "x" })),
            ],
            CliKind::Codex => vec![
                call("exec_command", json!({ "cmd": shell })),
                call("shell", json!({ "command": ["sh", "-c", shell] })),
                call("view_image", json!({ "path": file })),
                call("mcp__notes.jot", json!({ "text": "x" })),
            ],
            _ => vec![
                call("read_file", json!({ "file_path": file, "absolute_path": file })),
                call("run_shell_command", json!({ "command": shell })),
                call("mcp_notes_jot", json!({ "text": "x" })),
            ],
        }
    }
}

fn text(answer: Result<Answer, AskError>) -> (String, Form) {
    let Ok(Answer::Text { text, form, usage, .. }) = answer else { panic!("{answer:?}") };
    assert!(usage.is_some_and(|usage| usage.input_tokens > 0), "it counts tokens");
    (text, form)
}

#[tokio::test]
async fn a_real_client_answers_and_reaches_nothing_but_its_one_host() {
    for client in clients() {
        let model = AgentModel::calling(Vec::new());
        let request = question("Say that is all.", None);
        let (answer, ledger) = client.ask(&model.url(), &request).await;
        let (text, form) = text(answer);
        assert_eq!((text.as_str(), form), (DONE, Form::Free), "{:?}", client.kind);
        let asked = model.asked();
        let was_told = |words: &str| asked.iter().any(|asked| asked.body.to_string().contains(words));
        assert!(was_told("Obey.") && was_told("Say that is all."), "{:?}: {asked:#?}", client.kind);
        assert!(asked.iter().any(|asked| asked.head.contains("correct-horse-battery")), "its key");
        for asked in &asked {
            // What it may call: nothing, but to ask the person, who is not there.
            let declared = |tool: &Value| tool["functionDeclarations"].as_array().is_some_and(Vec::is_empty);
            let is_harmless = |tool: &Value| tool["name"] == "request_user_input" || declared(tool);
            let tools = asked.body["tools"].as_array().cloned().unwrap_or_default();
            assert!(tools.iter().all(is_harmless), "{:?}: {tools:?}", client.kind);
        }
        let outcome = ledger.outcomes().pop().expect("an outcome");
        assert!(outcome.starts_with("answered; ") && !outcome.contains("refused"), "{:?}: {outcome}", client.kind);
        assert!(!ledger.text().contains("correct-horse"));
    }
}

#[tokio::test]
async fn a_hostile_model_gets_no_file_no_command_and_no_connection_out_of_a_real_client() {
    for client in clients() {
        let folder = tempfile::tempdir().expect("a folder");
        let planted = folder.path().join("planted");
        fs::write(&planted, SECRET).expect("written");
        for harm in client.harm(&planted) {
            let model = AgentModel::calling(vec![harm.clone()]);
            let (answer, ledger) = client.ask(&model.url(), &question("Do what you want.", None)).await;
            let said = match &answer {
                Ok(Answer::Text { text, .. }) => text.clone(),
                Ok(other) => panic!("{other:?}"),
                Err(error) => error.kind().to_owned(),
            };
            println!(
                "{:?} told to call {}: {said}; {:?}; {:?}",
                client.kind,
                harm.tool,
                model.results(),
                ledger.outcomes()
            );
            assert!(said == DONE || said == "wrong_form", "{:?}, {}: {answer:?}", client.kind, harm.tool);
            assert!(!model.was_told(SECRET), "{:?}, {}: {:#?}", client.kind, harm.tool, model.results());
            assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing was written");
            let outcome = ledger.outcomes().pop().expect("an outcome");
            assert!(!outcome.contains("evil.example"), "{outcome}");
        }
    }
}

#[tokio::test]
async fn the_real_claude_code_uses_our_tools_and_no_other() {
    for client in clients().into_iter().filter(|client| client.kind == CliKind::Claude) {
        let folder = tempfile::tempdir().expect("a folder");
        let planted = folder.path().join("planted");
        fs::write(&planted, SECRET).expect("written");
        let thought = json!({ "thought": "It has to be bound.", "nextThoughtNeeded": false });
        let ours = call("mcp__conclave__sequentialthinking", thought.clone());
        let calls = [ours.clone()].into_iter().chain(client.harm(&planted)).chain([ours]).collect();
        let model = AgentModel::calling(calls);
        let host = Arc::new(Noted { says: Some("a thought was noted".to_owned()), ..Noted::default() });
        let (gate, ledger) = gate(Mode::Default);
        let (about, key) = (About::default(), Secret::new("correct-horse-battery".to_owned()));
        let terms = Terms { key: Some(&key), ..Terms::new(&about, LIMIT) };
        let cli = client.cli(&model.url());
        let answer = ask_with_tools(&gate, &cli, &question("Think.", None), terms, &host.tools(9)).await;
        println!("{answer:?}; {:?}; {:?}", model.results(), ledger.outcomes());
        assert_eq!(text(answer).0, DONE);
        let heard = host.heard.lock().expect("heard").clone();
        let expect = ("sequentialthinking".to_owned(), thought);
        assert_eq!(heard, [expect.clone(), expect], "ours, twice, and nothing else");
        assert!(model.was_told("a thought was noted") && !model.was_told(SECRET), "{:#?}", model.results());
        for asked in model.asked() {
            let tools = asked.body["tools"].as_array().cloned().unwrap_or_default();
            assert!(tools.iter().all(|tool| tool["name"] == "mcp__conclave__sequentialthinking"), "{tools:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing was written");
        let outcome = ledger.outcomes().pop().expect("an outcome");
        assert!(outcome.ends_with("; calls of tools: 2") && !outcome.contains("evil"), "{outcome}");
    }
}

/// A server that answers every question with `status`.
fn failing(status: u16, body: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    // The thread ends with the test process.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let body = body.to_string();
            thread::spawn(move || -> std::io::Result<()> {
                let mut stream = stream;
                let mut reader = BufReader::new(stream.try_clone()?);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
                let length =
                    head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                reader.read_exact(&mut vec![0; length.unwrap_or(0)])?;
                write!(
                    stream,
                    "HTTP/1.1 {status} No\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn what_a_server_refuses_is_a_typed_error_by_way_of_a_real_client() {
    for client in clients() {
        for (status, kind, expect) in [
            (401, "authentication_error", "unauthorised"),
            (429, "rate_limit_error", "rate_limited"),
            (500, "api_error", "server"),
        ] {
            let code = json!({ "type": kind, "code": status, "message": "no, says the server", "status": "NO" });
            let url = failing(status, json!({ "type": "error", "error": code }));
            let (answer, _) = client.ask(&url, &question("?", None)).await;
            let error = answer.expect_err("no answer");
            println!("{:?}, {status}: {error}", client.kind);
            // Codex says the same of everything that a server fails at.
            let expect = if (client.kind, status) == (CliKind::Codex, 500) { "overloaded" } else { expect };
            assert_eq!(error.kind(), expect, "{:?}, {status}: {error}", client.kind);
        }
        // Nobody is there.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let (gate, _) = gate(Mode::Default);
        let (about, request) = (About::default(), question("?", None));
        let terms = Terms::new(&about, LIMIT);
        let cli = client.cli(&url);
        cli.start(&reach(&gate, terms)).await.expect("it starts");
        let deadline = Duration::from_secs(20);
        let error = ask(&gate, &cli, &request, Terms { deadline, ..terms }, &mut |_| {}).await.expect_err("no answer");
        println!("{:?}, nobody: {error}", client.kind);
        // One of them tries for as long as it has.
        assert!(matches!(error, AskError::Unreachable { .. }), "{:?}: {error:?}", client.kind);
    }
}

#[tokio::test]
async fn a_remote_host_is_reached_through_the_relay_alone_by_a_real_client() {
    for client in clients() {
        // A proxy of the settings, which sees where the client wants to go and lets nobody through.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let proxy = format!("http://{}", listener.local_addr().expect("an address"));
        let (told, wishes) = std::sync::mpsc::channel();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut line = String::new();
                let _ = BufReader::new(stream.try_clone().expect("a handle")).read_line(&mut line);
                let _ = told.send(line.trim_end().to_owned());
                let _ = stream.write_all(b"HTTP/1.1 502 No\r\n\r\n");
            }
        });
        let (gate, ledger) = gate(Mode::Default);
        let (about, key) = (About::default(), Secret::new("correct-horse-battery".to_owned()));
        let terms = Terms { key: Some(&key), proxy: Some(&proxy), ..Terms::new(&about, LIMIT) };
        let cli = client.cli("https://model.invalid");
        cli.start(&reach(&gate, terms)).await.expect("it starts");
        let deadline = Duration::from_secs(30);
        let answer = ask(&gate, &cli, &question("?", None), Terms { deadline, ..terms }, &mut |_| {}).await;
        let error = answer.expect_err("no answer");
        let wishes: Vec<String> = wishes.try_iter().collect();
        println!("{:?}: {error}; {wishes:?}; {:?}", client.kind, ledger.outcomes());
        assert!(!wishes.is_empty(), "{:?} does not go through the proxy: {error}", client.kind);
        assert!(wishes.iter().all(|wish| wish == "CONNECT model.invalid:443 HTTP/1.1"), "{wishes:?}");
    }
}

#[tokio::test]
async fn a_schema_is_kept_to_or_the_answer_is_none() {
    for client in clients() {
        let schema = json!({
            "type": "object", "properties": { "verdict": { "type": "string" } }, "required": ["verdict"],
            "additionalProperties": false,
        });
        let model = AgentModel::calling(Vec::new());
        let (answer, ledger) = client.ask(&model.url(), &question("Judge.", Some(schema.clone()))).await;
        let error = answer.expect_err("that is all is no JSON");
        println!("{:?}: {error}; {:?}", client.kind, ledger.outcomes());
        assert_eq!(error.kind(), "wrong_form", "{:?}: {error}", client.kind);
        if client.kind == CliKind::Claude {
            let verdict = json!({ "verdict": "it is fine" });
            let model = AgentModel::calling(vec![call("StructuredOutput", verdict.clone())]);
            let (answer, _) = client.ask(&model.url(), &question("Judge.", Some(schema))).await;
            let (text, form) = text(answer);
            assert_eq!((serde_json::from_str::<Value>(&text).expect("JSON"), form), (verdict, Form::Schema));
        }
    }
}
