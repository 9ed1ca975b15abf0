//! A server on this machine that misbehaves in every way that a test can script, asked over the real gate and HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::settings::ModelSetting;
use conclave_effects::{Gate, Secret};
use conclave_inference::{About, Answer, Api, AskError, Exchanged, Form, ModelRequest, Provider as _, Terms, Waiting};
use conclave_policy::Mode;
use serde_json::{Value, json};

use crate::support::{MemoryLedger, ask, gate};

const KEY: &str = "sk-hostile-4711";
const HI: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// What the server does with one connection.
enum Reply {
    /// Sends this and closes.
    Say(String),
    /// Sends this, then nothing, and holds the connection until the other side gives up.
    Hold(String),
    /// Sends the first, then the second over and over until the other side gives up.
    Flood(String, String),
    /// Closes without having read the request, which resets the connection.
    Reset,
}

/// A request as the server saw it.
struct Seen {
    head: String,
    body: Value,
    /// Decisions in the ledger when it came.
    decisions: usize,
}

struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Starts a server that gives one reply a connection and is gone after the last.
fn serve(ledger: &MemoryLedger, replies: Vec<Reply>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("address");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (ledger, log) = (ledger.clone(), seen.clone());
    std::thread::spawn(move || {
        for reply in replies {
            let Some(stream) = question(&listener) else { return };
            // The other side may be gone at any point; that is what is being tested.
            let _ = answer(stream, reply, &ledger, &log);
        }
    });
    Server { address, seen }
}

/// The next connection with a question; one that asks where the model runs is told that it runs here.
fn question(listener: &TcpListener) -> Option<TcpStream> {
    loop {
        let mut stream = listener.accept().ok()?.0;
        let mut start = [0; 10];
        while stream.peek(&mut start).ok()? < start.len() {}
        if &start != b"GET /props" {
            return Some(stream);
        }
        let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
        while !lines.next()?.ok()?.is_empty() {}
        stream.write_all(response(200, "", r#"{"model_path":"/models/m-1.gguf"}"#).as_bytes()).ok()?;
    }
}

fn answer(mut stream: TcpStream, reply: Reply, ledger: &MemoryLedger, log: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    if matches!(reply, Reply::Reset) {
        // Unread bytes make the close a reset; one byte says that there are some.
        return stream.peek(&mut [0]).map(drop);
    }
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    log.lock().expect("log").push(Seen { head, body, decisions: ledger.decisions() });
    match reply {
        Reply::Say(text) => stream.write_all(text.as_bytes()),
        Reply::Hold(text) => {
            stream.write_all(text.as_bytes())?;
            reader.read_to_end(&mut Vec::new()).map(drop)
        }
        Reply::Flood(first, then) => {
            stream.write_all(first.as_bytes())?;
            loop {
                stream.write_all(then.as_bytes())?;
            }
        }
        Reply::Reset => Ok(()),
    }
}

fn response(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// The head of a stream whose end is the end of the connection.
fn stream(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{text}")
}

fn good() -> Reply {
    Reply::Say(stream(&format!("{HI}{STOP}{DONE}")))
}

fn endpoint(address: SocketAddr) -> Api {
    at(&format!("http://{address}/v1/"), false)
}

fn at(base_url: &str, may_send_code: bool) -> Api {
    Api::new(&ModelSetting { may_send_code, ..ModelSetting::new("Hostile", base_url, "m-1") })
}

/// Asks with the key `key`.
async fn ask_with(
    gate: &Gate,
    endpoint: &Api,
    request: &ModelRequest,
    key: &str,
    deadline: Duration,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<Answer, AskError> {
    let (key, about) = (Secret::new(key.to_owned()), About::default());
    let terms = Terms { key: Some(&key), ..Terms::new(&about, deadline) };
    ask(gate, endpoint, request, terms, on_delta).await
}

fn request(schema: bool) -> ModelRequest {
    ModelRequest {
        system: String::new(),
        user: "code".to_owned(),
        max_tokens: 10,
        schema: schema.then(|| json!({ "type": "object" })),
        schema_name: "fix".to_owned(),
    }
}

struct Asked {
    result: Result<Answer, AskError>,
    deltas: String,
    seen: Vec<Seen>,
    ledger: MemoryLedger,
}

async fn ask_server(replies: Vec<Reply>, schema: bool, deadline: Duration) -> Asked {
    let (gate, ledger) = gate(Mode::Default);
    let server = serve(&ledger, replies);
    let mut deltas = String::new();
    let mut on_delta = |piece: &str| deltas.push_str(piece);
    let (endpoint, request) = (endpoint(server.address), request(schema));
    let result = ask_with(&gate, &endpoint, &request, KEY, deadline, &mut on_delta).await;
    let seen = std::mem::take(&mut *server.seen.lock().expect("log"));
    Asked { result, deltas, seen, ledger }
}

const PLENTY: Duration = Duration::from_secs(60);

fn hi(form: Form) -> Answer {
    Answer::Text { text: "hi".to_owned(), form, usage: None, model: "m-1".to_owned() }
}

#[tokio::test]
async fn each_refusal_has_its_own_error_and_is_not_repeated() {
    let echo = format!("{{\"error\":{{\"message\":\"no {KEY}\"}}}}");
    let cases = [
        (response(302, "location: http://127.0.0.1:1/elsewhere\r\n", ""), "redirected"),
        (response(307, "location: /v1/chat/completions\r\n", ""), "redirected"),
        (response(400, "", &echo), "rejected"),
        (response(401, "", &echo), "unauthorised"),
        (response(402, "", &echo), "no_money"),
        (response(404, "", &echo), "not_found"),
        (response(413, "", &echo), "too_long"),
        (response(429, "retry-after: 315360000\r\n", &echo), "rate_limited"),
        (response(429, "", r#"{"error":{"code":"insufficient_quota","message":"x"}}"#), "no_money"),
        (response(501, "", &echo), "server"),
        (response(503, "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n", &echo), "server"),
        (response(204, "", ""), "rejected"),
        (response(200, "content-type: text/html\r\n", "<html>Sign in</html>"), "malformed"),
        (response(200, "content-type: application/json\r\n", "{\"choices\":[]}"), "malformed"),
        (response(200, "content-type: application/json\r\ncontent-encoding: gzip\r\n", "\x1f\u{8b}"), "malformed"),
        (response(200, "content-type: text/event-stream\r\n", &format!("data: {echo}\n\n")), "server"),
        (stream(&format!("{HI}data: {{\"error\":{{\"code\":400,\"message\":\"schema\"}}}}\n\n")), "rejected"),
        (stream(HI), "cut"),
        (stream(&format!("{HI}{STOP}")), "cut"),
        (stream(""), "cut"),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 999\r\n\r\n".to_owned() + HI, "cut"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nda".to_owned(), "cut"),
        (stream(&format!("{HI}data: {{\"choices\":[{{\"finish_reason\":\"length\"}}]}}\n\n{DONE}")), "truncated"),
        (stream(&format!("{STOP}{DONE}")), "empty"),
    ];
    for (reply, kind) in cases {
        let name = reply.clone();
        let asked = ask_server(vec![Reply::Say(reply), good()], true, PLENTY).await;
        let error = asked.result.expect_err(&name);
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_eq!(asked.seen.len(), 1, "{name}: asked again");
        assert_eq!(asked.ledger.outcomes(), [format!("no answer: {kind}")], "{name}");
        for text in [format!("{error}"), format!("{error:?}"), asked.ledger.text()] {
            assert!(!text.contains(KEY), "{name}: the key is in {text}");
        }
    }
}

#[tokio::test]
async fn a_failure_before_the_first_byte_is_tried_once_more() {
    let again = [
        Reply::Say(response(429, "retry-after: 0\r\n", "")),
        Reply::Say(response(500, "retry-after-ms: 1\r\n", "")),
        Reply::Say(response(503, "retry-after: Thu, 01 Jan 1970 00:00:01 GMT\r\n", "")),
        Reply::Reset,
    ];
    for reply in again {
        let asked = ask_server(vec![reply, good()], false, PLENTY).await;
        assert_eq!(asked.result.expect("the second try answers"), hi(Form::Free));
        assert_eq!(asked.ledger.decisions(), 2, "each try asks the gate");
        assert_eq!(asked.ledger.outcomes()[1], "answered");
    }
    let twice = || Reply::Say(response(503, "retry-after: 0\r\n", ""));
    let asked = ask_server(vec![twice(), twice(), good()], false, PLENTY).await;
    assert_eq!(asked.result.expect_err("only one more try").kind(), "server");
    assert_eq!(asked.seen.len(), 2);
}

#[tokio::test]
async fn what_a_server_refuses_is_left_out_and_said() {
    let no_schema = || Reply::Say(response(400, "", r#"{"error":{"message":"unknown response_format"}}"#));
    let no_usage = || Reply::Say(response(422, "", r#"{"message":{"detail":[{"loc":["body","stream_options"]}]}}"#));

    let asked = ask_server(vec![no_schema(), good()], true, PLENTY).await;
    assert_eq!(asked.result.expect("answered"), hi(Form::Free));
    assert!(asked.seen[0].body.get("response_format").is_some() && asked.seen[1].body.get("response_format").is_none());

    let asked = ask_server(vec![no_usage(), no_schema(), good()], true, PLENTY).await;
    assert_eq!(asked.result.expect("answered"), hi(Form::Free));
    assert!(asked.seen[1].body.get("stream_options").is_none() && asked.seen[1].body.get("response_format").is_some());
    assert!(asked.seen[2].body.get("stream_options").is_none() && asked.seen[2].body.get("response_format").is_none());

    let asked = ask_server(vec![no_schema(), no_schema(), good()], true, PLENTY).await;
    assert_eq!(asked.result.expect_err("once only").kind(), "rejected");
    assert_eq!(asked.seen.len(), 2);

    let asked = ask_server(vec![good()], true, PLENTY).await;
    assert_eq!(asked.result.expect("answered"), hi(Form::Schema));
}

#[tokio::test]
async fn a_request_is_in_the_ledger_before_it_is_sent_and_its_key_only_in_one_header() {
    let asked = ask_server(vec![good()], false, PLENTY).await;
    assert_eq!(asked.result.expect("answered"), hi(Form::Free));
    assert_eq!(asked.deltas, "hi");
    let seen = &asked.seen[0];
    assert_eq!(seen.decisions, 1, "the decision is there when the request arrives");
    assert!(seen.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", seen.head);
    assert!(seen.head.to_lowercase().contains("accept-encoding: identity\r\n"), "{}", seen.head);
    assert_eq!(seen.head.matches(KEY).count(), 1);
    assert!(seen.head.to_lowercase().contains(&format!("authorization: bearer {KEY}\r\n")), "{}", seen.head);
    assert_eq!(asked.ledger.outcomes(), ["answered"]);
    assert!(!asked.ledger.text().contains(KEY), "{}", asked.ledger.text());
}

#[tokio::test]
async fn what_a_server_says_of_itself_is_fit_for_a_screen() {
    let refusal = format!(
        "data: {{\"model\":\"m\\u001b[2J\\n{KEY}\",\"choices\":[{{\"delta\":{{\"refusal\":\"no {KEY}\\u202e\"}}}}]}}\n\n"
    );
    let asked = ask_server(vec![Reply::Say(stream(&format!("{refusal}{STOP}{DONE}")))], false, PLENTY).await;
    let answer = asked.result.expect("a refusal is an answer");
    let expected = Answer::Refusal { reason: "no [key]".to_owned(), usage: None, model: "m [2J [key]".to_owned() };
    assert_eq!(answer, expected);
    assert_eq!(asked.ledger.outcomes(), ["the model declined"]);
}

#[tokio::test]
async fn a_server_that_does_not_stop_is_stopped_at_the_limit() {
    let floods = [
        (stream(""), HI.to_owned()),
        (stream(""), ": keep-alive\n\n".repeat(1000)),
        (stream("data: "), "x".repeat(4096)),
        ("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{".to_owned(), " ".repeat(4096)),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".to_owned(), "\n".repeat(4096)),
    ];
    for (first, then) in floods {
        let asked = ask_server(vec![Reply::Flood(first, then.clone())], false, PLENTY).await;
        assert_eq!(asked.result.expect_err("a limit").kind(), "too_large", "{:?}", &then[..10.min(then.len())]);
    }
    let flood = Reply::Flood("HTTP/1.1 500 x\r\nretry-after: 99\r\n\r\n".to_owned(), "x".repeat(4096));
    let asked = ask_server(vec![flood], false, PLENTY).await;
    assert!(asked.result.expect_err("a failure").to_string().chars().count() < 400);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_at_the_deadline() {
    let cases = [
        (Reply::Hold(String::new()), [Waiting::FirstByte, Waiting::End]),
        (Reply::Hold(stream(HI)), [Waiting::NextByte, Waiting::End]),
        (Reply::Hold(stream(&format!("{HI}{STOP}"))), [Waiting::NextByte, Waiting::End]),
    ];
    for (reply, expected) in cases {
        let asked = ask_server(vec![reply, good()], false, Duration::from_millis(300)).await;
        match asked.result {
            Err(AskError::Timeout(waiting)) => assert!(expected.contains(&waiting), "{waiting:?}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(asked.seen.len(), 1, "no time for another try");
    }
}

#[tokio::test]
async fn a_server_that_is_done_but_does_not_close_is_not_waited_for() {
    let asked = ask_server(vec![Reply::Hold(stream(&format!("{HI}{STOP}{DONE}")))], false, PLENTY).await;
    assert_eq!(asked.result.expect("answered"), hi(Form::Free));
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let address = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("address");
    let deadline = Duration::from_millis(400);
    // Where the person has not let code go anywhere, the first question is where the model runs, and it is the last.
    for (may_send_code, questions) in [(false, 0), (true, 1)] {
        let (gate, ledger) = gate(Mode::Default);
        let endpoint = at(&format!("http://{address}/v1"), may_send_code);
        let error = ask_with(&gate, &endpoint, &request(false), KEY, deadline, &mut |_| {}).await;
        assert_eq!(error.expect_err("nobody").kind(), "unreachable");
        assert_eq!(ledger.decisions(), questions);
    }
}

#[tokio::test]
async fn without_leave_nothing_is_sent() {
    let (offline, ledger) = gate(Mode::Offline);
    let server = serve(&ledger, vec![good()]);
    let here = endpoint(server.address);
    let result = ask_with(&offline, &here, &request(false), KEY, PLENTY, &mut |_| {}).await;
    assert_eq!(result.expect_err("offline").kind(), "denied");
    assert!(server.seen.lock().expect("log").is_empty());

    let (online, ledger) = gate(Mode::Default);
    let away = at("https://models.example/v1", false);
    let result = ask_with(&online, &away, &request(false), KEY, PLENTY, &mut |_| {}).await;
    assert_eq!(result.expect_err("no consent").kind(), "denied");
    assert_eq!((ledger.decisions(), ledger.outcomes().len()), (1, 0));
}

#[tokio::test]
async fn an_address_that_cannot_be_asked_is_named_as_such() {
    let (gate, ledger) = gate(Mode::Default);
    let addresses = [
        "",
        "not an address",
        "ftp://127.0.0.1/",
        "http://",
        "file:///etc/passwd",
        "http://models.example/v1",
        "https://me:hunter2@models.example/v1",
    ];
    for address in addresses {
        for may_send_code in [false, true] {
            let endpoint = at(address, may_send_code);
            let result = ask_with(&gate, &endpoint, &request(false), KEY, PLENTY, &mut |_| {}).await;
            let error = result.expect_err(address);
            assert_eq!(error.kind(), "bad_address", "{address}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            assert!(endpoint.is_class_known(), "{address}");
        }
    }
    assert!(!ledger.text().contains(KEY) && !ledger.text().contains("hunter2"), "{}", ledger.text());
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_is_a_wrong_key() {
    let (gate, ledger) = gate(Mode::Default);
    let server = serve(&ledger, vec![good()]);
    let endpoint = endpoint(server.address);
    let result = ask_with(&gate, &endpoint, &request(false), "two\r\nlines: x", PLENTY, &mut |_| {}).await;
    assert_eq!(result.expect_err("a key over two lines").kind(), "unauthorised");
    assert!(server.seen.lock().expect("log").is_empty());
}

#[test]
fn an_endpoint_is_on_this_machine_where_the_gate_says_so() {
    let cases = [
        ("http://127.0.0.1:8080/v1", true),
        ("http://localhost:11434/v1/", true),
        ("http://[::1]:1234/v1", true),
        ("https://localhost.example/v1", false),
        ("https://127.0.0.1.example/v1", false),
        ("https://192.168.1.1/v1", false),
    ];
    for (address, expected) in cases {
        // Only of a server on this machine there is something to be asked.
        assert_eq!(!at(address, false).is_class_known(), expected, "{address}");
    }
}

#[tokio::test]
async fn what_was_said_is_kept_only_where_it_is_to_be_and_without_keys() {
    let other = Secret::new("other-hosts-key-0815".to_owned());
    let key = Secret::new(KEY.to_owned());
    let about = About::default();
    let words = format!("code with {KEY} and other-hosts-key-0815");
    let echo = stream(&format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"hi {KEY}\"}}}}]}}\n\n{STOP}{DONE}"));
    let refusal = response(500, "retry-after: 99\r\n", "other-hosts-key-0815 is down");
    for (reply, status, expect) in [(echo, Some(200), "\"content\":\"hi "), (refusal, Some(500), " is down")] {
        let (gate, ledger) = gate(Mode::Default);
        let server = serve(&ledger, vec![Reply::Say(reply)]);
        let kept = Mutex::new(Vec::new());
        let log = |exchanged: Exchanged| kept.lock().expect("log").push(exchanged);
        let known = [&other];
        let terms = Terms { key: Some(&key), known: &known, log: Some(&log), ..Terms::new(&about, PLENTY) };
        let question = ModelRequest { user: words.clone(), ..request(false) };
        let _ = ask(&gate, &endpoint(server.address), &question, terms, &mut |_| {}).await;
        let kept = kept.lock().expect("log");
        let [exchanged] = kept.as_slice() else { panic!("one exchange: {kept:?}") };
        assert_eq!(exchanged.status, status);
        assert!(exchanged.request.contains("code with ") && exchanged.response.contains(expect), "{exchanged:?}");
        let sent = server.seen.lock().expect("log")[0].body.to_string();
        for text in [&exchanged.request, &exchanged.response, &sent] {
            assert!(!text.contains(KEY) && !text.contains("other-hosts-key-0815"), "{text}");
        }
    }
}
