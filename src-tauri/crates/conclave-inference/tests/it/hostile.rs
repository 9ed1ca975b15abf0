//! A server on this machine that misbehaves in every way that a test can script, in every dialect, asked over the real
//! gate and HTTP.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::money::Money;
use conclave_core::settings::{DialectName, ModelSetting, PriceSetting};
use conclave_effects::{Gate, Secret};
use conclave_inference::money::Setting;
use conclave_inference::{
    About, Answer, Api, AskError, Exchanged, Form, Hold, ModelRequest, Provider as _, Purse, Spent, Terms, Waiting,
};
use conclave_policy::Mode;
use serde_json::{Value, json};

use crate::stub::{self, read, response};
use crate::support::{MemoryLedger, ask, gate, reach};
use crate::voice::{CHAT, VOICES, Voice};

const KEY: &str = "sk-hostile-4711";

/// What the server does with one connection.
enum Reply {
    /// Sends this and closes.
    Say(Vec<u8>),
    /// Sends this, then nothing, and holds the connection until the other side gives up.
    Hold(String),
    /// Sends the first, then the second over and over until the other side gives up.
    Flood(String, String),
    /// Sends this byte by byte, and waits before each as long as the other side says nothing.
    Drip(String),
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

/// Starts a server that gives one reply a question; one that asks where the model runs is told that it runs here.
fn serve(ledger: &MemoryLedger, replies: Vec<Reply>) -> Server {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (ledger, log, mut replies) = (ledger.clone(), seen.clone(), replies.into_iter());
    let address = stub::serve(move |mut stream| {
        let mut start = [0; 10];
        while stream.peek(&mut start)? < start.len() {}
        if &start == b"GET /props" {
            read(&stream)?;
            return stream.write_all(response(200, "", r#"{"model_path":"/models/m-1.gguf"}"#).as_bytes());
        }
        // Nobody is there for a question too many.
        let Some(reply) = replies.next() else { return Ok(()) };
        if matches!(reply, Reply::Reset) {
            // Unread bytes make the close a reset.
            return Ok(());
        }
        let request = read(&stream)?;
        let (body, decisions) = (request.json(), ledger.decisions());
        log.lock().expect("log").push(Seen { head: request.head, body, decisions });
        answer(stream, reply)
    });
    Server { address, seen }
}

fn answer(mut stream: TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Say(bytes) => stream.write_all(&bytes),
        Reply::Hold(text) => {
            stream.write_all(text.as_bytes())?;
            stream.read_to_end(&mut Vec::new()).map(drop)
        }
        Reply::Flood(first, then) => {
            stream.write_all(first.as_bytes())?;
            loop {
                stream.write_all(then.as_bytes())?;
            }
        }
        Reply::Drip(text) => {
            stream.set_read_timeout(Some(Duration::from_millis(20)))?;
            for byte in text.bytes().cycle() {
                match stream.read(&mut [0]) {
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    _ => return Ok(()),
                }
                stream.write_all(&[byte])?;
            }
            Ok(())
        }
        Reply::Reset => Ok(()),
    }
}

fn say(text: impl Into<String>) -> Reply {
    Reply::Say(text.into().into_bytes())
}

/// A whole answer.
fn good(voice: Voice) -> Reply {
    say(voice.says("{}"))
}

fn setting(voice: Voice, address: SocketAddr) -> ModelSetting {
    let base_url = format!("http://{address}{}", voice.base);
    ModelSetting { dialect: Some(voice.name), ..ModelSetting::new("Hostile", &base_url, "m-1") }
}

fn endpoint(voice: Voice, address: SocketAddr) -> Api {
    Api::new(&setting(voice, address))
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
        schema: schema.then(|| json!({ "type": "object", "properties": { "a": { "type": "string" } } })),
        schema_name: "fix".to_owned(),
        sample: 0,
    }
}

struct Asked {
    result: Result<Answer, AskError>,
    deltas: String,
    seen: Vec<Seen>,
    ledger: MemoryLedger,
}

async fn ask_server(voice: Voice, replies: Vec<Reply>, schema: bool, deadline: Duration) -> Asked {
    let (gate, ledger) = gate(Mode::Default);
    let server = serve(&ledger, replies);
    let mut deltas = String::new();
    let mut on_delta = |piece: &str| deltas.push_str(piece);
    let (endpoint, request) = (endpoint(voice, server.address), request(schema));
    let result = ask_with(&gate, &endpoint, &request, KEY, deadline, &mut on_delta).await;
    let seen = std::mem::take(&mut *server.seen.lock().expect("log"));
    Asked { result, deltas, seen, ledger }
}

const PLENTY: Duration = Duration::from_secs(60);

fn text(text: &str, form: Form) -> Answer {
    Answer::Text { text: text.to_owned(), form, usage: None, model: "m-1".to_owned() }
}

/// What each dialect is told, and the error that it is.
fn refusals(voice: Voice) -> Vec<(String, &'static str)> {
    let echo = format!("{{\"error\":{{\"message\":\"no {KEY}\"}}}}");
    let (hi, end, stream) = (voice.text("hi"), voice.end(), |body: &str| voice.streams(body));
    vec![
        (response(302, "location: http://127.0.0.1:1/elsewhere\r\n", ""), "redirected"),
        (response(307, &format!("location: {}\r\n", voice.path), ""), "redirected"),
        (response(308, "location: https://elsewhere.example/\r\n", ""), "redirected"),
        (response(400, "", &echo), "rejected"),
        (response(401, "", &echo), "unauthorised"),
        (response(402, "", &echo), "no_money"),
        (response(403, "", &echo), "unauthorised"),
        (response(404, "", &echo), "not_found"),
        (response(413, "", &echo), "too_long"),
        (response(429, "retry-after: 315360000\r\n", &echo), "rate_limited"),
        (response(429, "", r#"{"error":{"code":"insufficient_quota","message":"x"}}"#), "no_money"),
        (response(500, "retry-after: 315360000\r\n", &echo), "server"),
        (response(501, "", &echo), "server"),
        (response(503, "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n", &echo), "overloaded"),
        (response(529, "retry-after-ms: 315360000000\r\n", &echo), "overloaded"),
        (response(204, "", ""), "rejected"),
        (response(200, "content-type: text/html\r\n", "<html>Sign in</html>"), "malformed"),
        (response(200, "content-type: application/json\r\ncontent-encoding: gzip\r\n", "\x1f\u{8b}"), "malformed"),
        (response(200, &format!("content-type: {}\r\n", voice.stream), &voice.failure(500)), "server"),
        (stream(&(hi.clone() + &voice.failure(400))), "rejected"),
        (stream(&(hi.clone() + &voice.failure(429))), "rate_limited"),
        (stream(&(hi.clone() + &voice.failure(529))), "overloaded"),
        (stream(&hi), "cut"),
        (stream(""), "cut"),
        (stream("\n\n\n"), "cut"),
        (format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: 999\r\n\r\n{hi}", voice.stream), "cut"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nda".to_owned(), "cut"),
        (stream(&(hi + &voice.too_long())), "truncated"),
        (stream(&end), "empty"),
        (stream(&(voice.text(" \n ") + &end)), "empty"),
    ]
}

#[tokio::test]
async fn each_refusal_has_its_own_error_and_is_not_repeated() {
    let mut cases = 0;
    for voice in VOICES {
        for (reply, kind) in refusals(voice) {
            let name = format!("{:?}: {reply}", voice.name);
            let asked = ask_server(voice, vec![say(reply), good(voice)], true, PLENTY).await;
            let error = asked.result.expect_err(&name);
            assert_eq!(error.kind(), kind, "{name}: {error}");
            assert_eq!(asked.seen.len(), 1, "{name}: asked again");
            assert_eq!(asked.ledger.outcomes(), [format!("no answer: {kind}")], "{name}");
            for text in [format!("{error}"), format!("{error:?}"), asked.ledger.text()] {
                assert!(!text.contains(KEY), "{name}: the key is in {text}");
            }
            cases += 1;
        }
    }
    println!("{cases} cases");
}

#[tokio::test]
async fn an_answer_that_is_cut_at_any_byte_is_none() {
    for voice in VOICES {
        let body = voice.text("{}") + &voice.end();
        let body = body.trim_ascii_end();
        let whole = response(200, &format!("content-type: {}\r\n", voice.stream), body);
        let head = whole.len() - body.len();
        let cuts = (0..body.len()).map(|at| say(&whole[..head + at])).chain([say(whole.clone())]);
        let (gate, ledger) = gate(Mode::Default);
        let server = serve(&ledger, cuts.collect());
        let (endpoint, request) = (endpoint(voice, server.address), request(true));
        for at in 0..body.len() {
            let result = ask_with(&gate, &endpoint, &request, KEY, PLENTY, &mut |_| {}).await;
            assert_eq!(result.expect_err("cut").kind(), "cut", "{:?} at {at}", voice.name);
        }
        let result = ask_with(&gate, &endpoint, &request, KEY, PLENTY, &mut |_| {}).await;
        assert_eq!(result.expect("whole"), text("{}", Form::Schema), "{:?}", voice.name);
    }
}

#[tokio::test]
async fn blank_lines_are_no_answer_and_do_not_harm_one() {
    for voice in VOICES {
        let body = format!("\n\r\n \n\n{}\n\n\n{}", voice.text("{}"), voice.end());
        let asked = ask_server(voice, vec![say(voice.streams(&body))], true, PLENTY).await;
        assert_eq!(asked.result.expect("answered"), text("{}", Form::Schema), "{:?}", voice.name);
    }
}

#[tokio::test]
async fn what_is_not_utf8_is_no_answer() {
    for voice in VOICES {
        let mut bytes = voice.says("{\"a\":\"?\"}").into_bytes();
        let at = bytes.iter().rposition(|byte| *byte == b'?').expect("there");
        bytes[at] = 0xff;
        let asked = ask_server(voice, vec![Reply::Say(bytes), good(voice)], true, PLENTY).await;
        assert_eq!(asked.result.expect_err("no text").kind(), "malformed", "{:?}", voice.name);
        assert_eq!(asked.seen.len(), 1);
    }
}

#[tokio::test]
async fn an_answer_in_another_form_is_asked_for_once_more_and_then_given_up() {
    for voice in VOICES {
        let name = voice.name;
        for wrong in ["{\"a\":7}", "{} {}", "[]", "Sure: {}", "```json\n{}\n```", "{\"a\":\"x\",\"a\":\"y\"}"] {
            let asked = ask_server(voice, vec![say(voice.says(wrong)), good(voice)], true, PLENTY).await;
            assert_eq!(asked.result.expect("the second is right"), text("{}", Form::Schema), "{name:?}: {wrong}");
            assert_eq!(asked.deltas, wrong, "{name:?}: only the first is shown as it comes");
            assert_eq!(asked.ledger.decisions(), 2, "{name:?}: each asks the gate");
            assert!(asked.seen[1].body.to_string().len() > asked.seen[0].body.to_string().len() + wrong.len());
        }
        let twice = || say(voice.says("{\"a\":7}"));
        let asked = ask_server(voice, vec![twice(), twice(), good(voice)], true, PLENTY).await;
        let error = asked.result.expect_err("given up");
        assert_eq!((error.kind(), asked.seen.len()), ("wrong_form", 2), "{name:?}");
        assert!(error.to_string().contains("/a"), "{error}");
        let asked = ask_server(voice, vec![twice(), good(voice)], false, PLENTY).await;
        assert_eq!(asked.result.expect("no form is asked for"), text("{\"a\":7}", Form::Free), "{name:?}");
    }
}

#[tokio::test]
async fn a_failure_before_the_first_byte_is_tried_twice_more() {
    for voice in VOICES {
        let first = || say(response(429, "retry-after: 0\r\n", ""));
        let again = [
            first(),
            say(response(500, "retry-after-ms: 1\r\n", "")),
            say(response(503, "retry-after: Thu, 01 Jan 1970 00:00:01 GMT\r\n", "")),
            say(response(529, "retry-after: 0\r\n", "")),
        ];
        for reply in again {
            let asked = ask_server(voice, vec![reply, first(), good(voice)], false, PLENTY).await;
            assert_eq!(asked.result.expect("the third answers"), text("{}", Form::Free));
            assert_eq!(asked.ledger.decisions(), 3, "each try asks the gate");
            assert_eq!(asked.ledger.outcomes()[2], "answered");
        }
        let asked = ask_server(voice, vec![first(), first(), first(), good(voice)], false, PLENTY).await;
        assert_eq!(asked.result.expect_err("two more tries and no third").kind(), "rate_limited");
        assert_eq!(asked.seen.len(), 3);
    }
}

#[tokio::test]
async fn without_a_hint_the_next_try_comes_by_itself() {
    let after = |voice: Voice, reply| ask_server(voice, vec![reply, good(voice)], false, PLENTY);
    let none = || say(response(429, "", ""));
    let [chat, responses, anthropic, gemini, ollama] = VOICES;
    let asked = tokio::join!(
        after(chat, none()),
        after(responses, none()),
        after(anthropic, none()),
        after(gemini, none()),
        after(ollama, none()),
        after(chat, Reply::Reset),
    );
    let asked = [asked.0, asked.1, asked.2, asked.3, asked.4, asked.5];
    for asked in asked {
        assert_eq!(asked.result.expect("the second answers"), text("{}", Form::Free));
        assert_eq!(asked.ledger.decisions(), 2);
    }
}

#[tokio::test]
async fn what_a_server_refuses_is_left_out_and_said() {
    let no_schema =
        || say(response(400, "", r#"{"error":{"message":"the compiled grammar of your schema is too large"}}"#));
    let no_usage = || say(response(422, "", r#"{"message":{"detail":[{"loc":["body","stream_options"]}]}}"#));
    for voice in VOICES {
        let asked = ask_server(voice, vec![no_schema(), good(voice)], true, PLENTY).await;
        assert_eq!(asked.result.expect("answered"), text("{}", Form::Free));
        let sent = |at: usize| asked.seen[at].body.to_string();
        assert!(sent(0).contains("properties") && !sent(1).contains("properties"), "{}", sent(1));

        let asked = ask_server(voice, vec![no_schema(), no_schema(), good(voice)], true, PLENTY).await;
        assert_eq!(asked.result.expect_err("once only").kind(), "rejected");
        assert_eq!(asked.seen.len(), 2);

        let asked = ask_server(voice, vec![good(voice)], true, PLENTY).await;
        assert_eq!(asked.result.expect("answered"), text("{}", Form::Schema));
    }
    let asked = ask_server(CHAT, vec![no_usage(), no_schema(), good(CHAT)], true, PLENTY).await;
    assert_eq!(asked.result.expect("answered"), text("{}", Form::Free));
    let has = |at: usize, field| asked.seen[at].body.get(field).is_some();
    assert!(!has(1, "stream_options") && has(1, "response_format"));
    assert!(!has(2, "stream_options") && !has(2, "response_format"));
}

#[tokio::test]
async fn a_request_is_in_the_ledger_before_it_is_sent_and_its_key_only_in_one_header() {
    for voice in VOICES {
        let asked = ask_server(voice, vec![good(voice)], false, PLENTY).await;
        assert_eq!(asked.result.expect("answered"), text("{}", Form::Free));
        assert_eq!(asked.deltas, "{}");
        let (seen, head) = (&asked.seen[0], asked.seen[0].head.to_lowercase());
        assert_eq!(seen.decisions, 1, "the decision is there when the request arrives");
        assert!(seen.head.starts_with(&format!("POST {} HTTP/1.1\r\n", voice.path)), "{head}");
        assert!(head.contains("accept-encoding: identity\r\n") && head.contains(voice.stream), "{head}");
        assert_eq!(head.contains("anthropic-version: 2026-10-21\r\n"), voice.key == "x-api-key: ", "{head}");
        assert_eq!(seen.head.matches(KEY).count(), 1);
        assert!(head.contains(&format!("{}{KEY}\r\n", voice.key)), "{head}");
        assert_eq!(asked.ledger.outcomes(), ["answered"]);
        assert!(!asked.ledger.text().contains(KEY), "{}", asked.ledger.text());
    }
}

#[tokio::test]
async fn headers_of_the_settings_go_along_and_never_in_place_of_the_key() {
    let with = |voice, address, name: &str| {
        let headers = [(name.to_owned(), "x".to_owned())].into();
        Api::new(&ModelSetting { headers, ..setting(voice, address) })
    };
    for voice in VOICES {
        for (header, expect) in [
            ("x-title", Some("x-title: x\r\n")),
            ("Anthropic-Version", Some("anthropic-version: x\r\n")),
            ("Authorization", None),
            (voice.key.split(':').next().expect("a name"), None),
            ("host", None),
            ("Content-Length", None),
            ("two\r\nlines", None),
        ] {
            let (gate, ledger) = gate(Mode::Default);
            let server = serve(&ledger, vec![good(voice)]);
            let endpoint = with(voice, server.address, header);
            let asked = ask_with(&gate, &endpoint, &request(false), KEY, PLENTY, &mut |_| {}).await;
            let seen = server.seen.lock().expect("log");
            match expect {
                Some(line) => {
                    let head = seen[0].head.to_lowercase();
                    assert!(asked.is_ok() && head.matches(line).count() == 1, "{header}: {head}");
                    assert_eq!(head.matches(line.split(':').next().expect("a name")).count(), 1, "{head}");
                }
                None => {
                    assert_eq!(asked.expect_err(header).kind(), "not_sent", "{header}");
                    assert!(seen.is_empty(), "{header}");
                }
            }
        }
    }
}

#[tokio::test]
async fn another_host_that_a_server_names_hears_nothing() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    other.set_nonblocking(true).expect("a listener");
    let there = other.local_addr().expect("an address");
    for voice in VOICES {
        for status in [301, 302, 303, 307, 308] {
            let reply = response(status, &format!("location: http://{there}{}\r\n", voice.path), "");
            let asked = ask_server(voice, vec![say(reply)], false, PLENTY).await;
            assert_eq!(asked.result.expect_err("not followed").kind(), "redirected", "{:?} {status}", voice.name);
        }
    }
    assert_eq!(other.accept().expect_err("nobody").kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn what_a_server_says_of_itself_is_fit_for_a_screen() {
    let refusal = format!(
        "data: {{\"model\":\"m\\u001b[2J\\n{KEY}\",\"choices\":[{{\"delta\":{{\"refusal\":\"no {KEY}\\u202e\"}}}}]}}\n\n"
    );
    let asked = ask_server(CHAT, vec![say(CHAT.streams(&(refusal + &CHAT.end())))], false, PLENTY).await;
    let answer = asked.result.expect("a refusal is an answer");
    let expected = Answer::Refusal { reason: "no [key]".to_owned(), usage: None, model: "m [2J [key]".to_owned() };
    assert_eq!(answer, expected);
    assert_eq!(asked.ledger.outcomes(), ["the model declined"]);
}

#[tokio::test]
async fn a_server_that_does_not_stop_is_stopped_at_the_limit() {
    for voice in VOICES {
        // A hundred megabytes, as far as the server is concerned.
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: 104857600\r\n\r\n", voice.stream);
        let flood = Reply::Flood(head, voice.text(&"x".repeat(50_000)));
        let asked = ask_server(voice, vec![flood], false, PLENTY).await;
        assert_eq!(asked.result.expect_err("a limit").kind(), "too_large", "{:?}", voice.name);
    }
    let stream = CHAT.streams("");
    let floods = [
        (stream.clone(), ": keep-alive\n\n".repeat(1000)),
        (stream.clone() + "data: ", "x".repeat(4096)),
        ("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{".to_owned(), " ".repeat(4096)),
        (stream, "\n".repeat(4096)),
    ];
    for (first, then) in floods {
        let asked = ask_server(CHAT, vec![Reply::Flood(first, then.clone())], false, PLENTY).await;
        assert_eq!(asked.result.expect_err("a limit").kind(), "too_large", "{:?}", &then[..10.min(then.len())]);
    }
    let flood = Reply::Flood("HTTP/1.1 500 x\r\nretry-after: 99\r\n\r\n".to_owned(), "x".repeat(4096));
    let asked = ask_server(CHAT, vec![flood], false, PLENTY).await;
    assert!(asked.result.expect_err("a failure").to_string().chars().count() < 400);
}

#[tokio::test]
async fn a_server_that_is_slow_or_falls_silent_is_left_at_the_deadline() {
    for voice in VOICES {
        let hi = voice.streams(&voice.text("hi"));
        let endless = voice.streams(&voice.text("hi").repeat(1000));
        let cases = [
            (Reply::Hold(String::new()), [Waiting::FirstByte, Waiting::End]),
            (Reply::Hold("HTTP/1.1 200 OK\r\ncontent-".to_owned()), [Waiting::FirstByte, Waiting::End]),
            (Reply::Hold(hi), [Waiting::NextByte, Waiting::End]),
            (Reply::Drip(endless), [Waiting::FirstByte, Waiting::End]),
        ];
        for (reply, expected) in cases {
            let asked = ask_server(voice, vec![reply, good(voice)], false, Duration::from_millis(300)).await;
            match asked.result {
                Err(AskError::Timeout(waiting)) => assert!(expected.contains(&waiting), "{waiting:?}"),
                other => panic!("{:?}: {other:?}", voice.name),
            }
            assert!(asked.seen.len() <= 1, "no time for another try");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_done_but_does_not_close_is_not_waited_for() {
    // Gemini has no other end than that of the body.
    for voice in VOICES.into_iter().filter(|voice| !voice.path.contains("streamGenerateContent")) {
        let asked = ask_server(voice, vec![Reply::Hold(voice.says("{}"))], false, PLENTY).await;
        assert_eq!(asked.result.expect("answered"), text("{}", Form::Free), "{:?}", voice.name);
    }
}

#[tokio::test]
async fn a_look_at_a_server_costs_nothing_and_finds_the_nearest_name() {
    for voice in VOICES {
        let (gate, ledger) = gate(Mode::Default);
        let list = json!({
            "data": [{ "id": "m-2" }, { "id": "other" }],
            "models": [{ "name": "m-2" }, { "name": "models/other" }],
        });
        let none = "{}".to_owned();
        // A server of one model may answer to any name; Ollama does not.
        let missing = if voice.name == DialectName::Ollama { Err("not_found") } else { Ok(2) };
        for (reply, expect) in [
            (response(200, "", &list.to_string()), missing),
            (response(200, "", &list.to_string().replace("m-2", "m-1")), Ok(2)),
            (response(404, "", &none), Ok(0)),
            (response(200, "", "<html>"), Err("malformed")),
            (response(200, "", r#"{"error":"log in"}"#), Err("malformed")),
            (response(401, "", &none), Err("unauthorised")),
            (response(500, "", &none), Err("server")),
        ] {
            let server = serve(&ledger, vec![say(reply.clone())]);
            let (key, about) = (Secret::new(KEY.to_owned()), About::default());
            let terms = Terms { key: Some(&key), ..Terms::new(&about, PLENTY) };
            let endpoint = endpoint(voice, server.address);
            let checked = endpoint.check(&reach(&gate, terms)).await;
            let seen = server.seen.lock().expect("log");
            assert!(seen[0].head.starts_with(&format!("GET {} HTTP/1.1\r\n", voice.models)), "{}", seen[0].head);
            assert!(seen[0].head.to_lowercase().contains(&format!("{}{KEY}\r\n", voice.key)), "{}", seen[0].head);
            assert_eq!(seen.len(), 1);
            match (checked, expect) {
                (Ok(checked), Ok(count)) => {
                    assert_eq!(checked.models.len(), count, "{:?}: {reply}", voice.name);
                    let doubted = checked.warnings.iter().any(|warning| warning.contains("check the address"));
                    assert_eq!(doubted, count == 0, "{:?}: {:?}", voice.name, checked.warnings);
                    let warned = checked.warnings.iter().any(|warning| warning.contains("`m-2`"));
                    assert_eq!(warned, reply.contains("m-2"), "{:?}", checked.warnings);
                }
                (Err(error), Err(kind)) => {
                    assert_eq!(error.kind(), kind, "{:?}: {reply}", voice.name);
                    assert!(kind != "not_found" || error.to_string().contains("`m-2`"), "{error}");
                }
                (checked, _) => panic!("{:?}: {reply}: {checked:?}", voice.name),
            }
        }
        assert_eq!(ledger.decisions(), 0, "no question was asked");
    }
}

/// A purse that counts.
#[derive(Default)]
struct Counting {
    reserved: AtomicUsize,
    settled: Arc<Mutex<Vec<Spent>>>,
}

impl Purse for Counting {
    fn reserve<'a>(&'a self, _: &'a str, _: &'a str, most: Option<Money>) -> Setting<'a> {
        assert!(most.is_some(), "the price is known");
        self.reserved.fetch_add(1, Ordering::SeqCst);
        let settled = Arc::clone(&self.settled);
        Box::pin(async { Ok(Box::new(Held(settled)) as Box<dyn Hold>) })
    }
}

struct Held(Arc<Mutex<Vec<Spent>>>);

impl Hold for Held {
    fn settle(self: Box<Self>, spent: Spent) {
        self.0.lock().expect("settled").push(spent);
    }

    fn give_back(self: Box<Self>) {}
}

#[tokio::test]
async fn money_is_set_aside_for_every_exchange() {
    for voice in VOICES {
        let (gate, ledger) = gate(Mode::Default);
        let busy = say(response(529, "retry-after: 0\r\n", ""));
        let server = serve(&ledger, vec![busy, say(voice.says("[]")), good(voice)]);
        let dollar = Money::from_micros(1_000_000);
        let price = Some(PriceSetting { input: dollar, output: dollar, cached: None });
        let endpoint = Api::new(&ModelSetting { price, ..setting(voice, server.address) });
        let (purse, about) = (Counting::default(), About::default());
        let terms = Terms { purse: Some(&purse), ..Terms::new(&about, PLENTY) };
        let answer = ask(&gate, &endpoint, &request(true), terms, &mut |_| {}).await;
        assert_eq!(answer.expect("answered"), text("{}", Form::Schema));
        assert_eq!(purse.reserved.load(Ordering::SeqCst), 3);
        let outcomes: Vec<_> = purse.settled.lock().expect("settled").iter().map(|spent| spent.outcome).collect();
        assert_eq!(outcomes, ["overloaded", "answered", "answered"], "{:?}", voice.name);
    }
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
    let server = serve(&ledger, vec![good(CHAT)]);
    let here = endpoint(CHAT, server.address);
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
    let server = serve(&ledger, vec![good(CHAT)]);
    let endpoint = endpoint(CHAT, server.address);
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
    let echo = CHAT.says(&format!("hi {KEY}"));
    let refusal = response(500, "retry-after: 99\r\n", "other-hosts-key-0815 is down");
    for (reply, status, expect) in [(echo, Some(200), "\"content\":\"hi "), (refusal, Some(500), " is down")] {
        let (gate, ledger) = gate(Mode::Default);
        let server = serve(&ledger, vec![say(reply)]);
        let kept = Mutex::new(Vec::new());
        let log = |exchanged: Exchanged| kept.lock().expect("log").push(exchanged);
        let known = [&other];
        let terms = Terms { key: Some(&key), known: &known, log: Some(&log), ..Terms::new(&about, PLENTY) };
        let question = ModelRequest { user: words.clone(), ..request(false) };
        let _ = ask(&gate, &endpoint(CHAT, server.address), &question, terms, &mut |_| {}).await;
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
