//! Requests to servers of our own on the loopback interface, none kinder than a real one.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use conclave_policy::Mode;

use super::*;
use crate::gate::tests::{permit, shipped};

const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(20),
    first_byte: Duration::from_secs(20),
    idle: Duration::from_secs(20),
    total: Duration::from_secs(60),
};
const SOON: Duration = Duration::from_millis(50);

/// What a server does once it has read a request.
enum Then {
    Write(Vec<u8>),
    /// Neither write nor close until the other side does.
    Hang,
}
use Then::{Hang, Write};

fn write(text: &str) -> Then {
    Write(text.as_bytes().to_vec())
}

/// Answers one request; gives its address, and the request that it got.
fn serve(script: Vec<Then>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let request = read_request(&mut stream);
        for step in script {
            match step {
                // The other side may have had enough.
                Write(bytes) => drop(stream.write_all(&bytes)),
                Hang => drop(stream.read(&mut [0])),
            }
        }
        request
    });
    (address, server)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

pub(super) fn get(url: &str) -> SendHttp {
    SendHttp {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body: Body::default(),
        consent: Consent::Settings,
        purpose: "a test".to_owned(),
        facts: Facts::default(),
        proxy: None,
        tls_roots: None,
        timeouts: PATIENT,
        max_response_bytes: 1000,
    }
}

fn body(text: &str) -> Body {
    Body::redacted(text.into(), &[]).unwrap()
}

pub(super) async fn fetch(request: SendHttp) -> Result<String, HttpError> {
    send(permit(request).await).await?.text().await
}

#[tokio::test]
async fn a_request_arrives_as_it_was_judged_and_its_answer_comes_back() {
    let (address, server) =
        serve(vec![write("HTTP/1.1 418 Odd\r\nX-One: 1\r\nx-two: 2\r\ncontent-length: 5\r\n\r\nhello")]);
    let request = SendHttp {
        method: Method::Post,
        headers: vec![("content-type".into(), "application/json".into())],
        secret_headers: vec![("authorization".into(), Secret::new("Bearer k-123".to_owned()))],
        body: body("{}"),
        ..get(&format!("{address}/v1/chat?a=b"))
    };
    let answer = send(permit(request).await).await.ok().unwrap();
    assert_eq!(answer.status, 418);
    for (name, value) in [("x-one", "1"), ("x-two", "2")] {
        assert!(answer.headers.contains(&(name.to_owned(), value.to_owned())));
    }
    assert_eq!(answer.text().await.unwrap(), "hello");
    let request = server.join().unwrap();
    assert!(request.starts_with("post /v1/chat?a=b http/1.1\r\n") && request.ends_with("\r\n\r\n{}"), "{request}");
    for header in ["authorization: bearer k-123", "content-type: application/json", "user-agent: conclave/"] {
        assert!(request.contains(header), "{header} in {request}");
    }
    for header in ["cookie", "referer", "accept-encoding"] {
        assert!(!request.contains(header), "{header} in {request}");
    }
}

#[tokio::test]
async fn a_stream_arrives_whole_wherever_it_is_cut() {
    let body = "data: häßlich ✓\r\n\r\ndata: [DONE]\n\n";
    let mut wire = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.as_bytes().chunks(7) {
        wire.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
    }
    wire.extend(b"0\r\n\r\n");
    for size in [1, 2, 3, 5, 17, wire.len()] {
        let (address, _server) = serve(wire.chunks(size).map(|piece| Write(piece.to_vec())).collect());
        assert_eq!(fetch(get(&address)).await.as_deref(), Ok(body), "in pieces of {size}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    for status in [301, 302, 303, 307, 308] {
        let target = elsewhere.local_addr().unwrap();
        let answer = format!("HTTP/1.1 {status} Moved\r\nlocation: http://{target}/\r\ncontent-length: 0\r\n\r\n");
        let (address, _server) = serve(vec![write(&answer)]);
        let answer = send(permit(get(&address)).await).await.ok().unwrap();
        assert_eq!(answer.status, status);
    }
    assert!(elsewhere.accept().is_err(), "somebody came");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_broken_off() {
    let long = "x".repeat(1001);
    let with_length = format!("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{long}");
    let without = format!("HTTP/1.1 200 OK\r\n\r\n{long}");
    let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{long}");
    for answer in [with_length, without, endless] {
        let (address, _server) = serve(vec![write(&answer), Hang]);
        assert_eq!(fetch(get(&address)).await, Err(HttpError::TooLarge { max: 1000 }));
    }
    let (address, _server) = serve(vec![write("HTTP/1.1 200 OK\r\n\r\n"), write(&long[1..])]);
    assert_eq!(fetch(get(&address)).await.map(|text| text.len()), Ok(1000));
}

#[tokio::test]
async fn every_wait_has_its_own_limit() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";
    let hasty = Timeouts { connect: Duration::ZERO, first_byte: SOON, ..PATIENT };
    let cases = [
        (vec![Hang], Timeouts { connect: SOON, ..hasty }, TimeoutKind::FirstByte),
        (vec![write("HTTP/1.1 2"), Hang], Timeouts { connect: SOON, ..hasty }, TimeoutKind::FirstByte),
        (vec![Hang], Timeouts { total: SOON, ..PATIENT }, TimeoutKind::Total),
        (vec![write(head), Hang], Timeouts { idle: SOON, ..PATIENT }, TimeoutKind::Idle),
        (vec![write(head), write("abc"), Hang], Timeouts { idle: SOON, ..PATIENT }, TimeoutKind::Idle),
        (vec![write(head), write("abc"), Hang], Timeouts { total: SOON, ..PATIENT }, TimeoutKind::Total),
    ];
    for (script, timeouts, kind) in cases {
        let (address, _server) = serve(script);
        let answer = fetch(SendHttp { timeouts, ..get(&address) }).await;
        assert_eq!(answer, Err(HttpError::Timeout(kind)), "{timeouts:?}");
    }
}

#[tokio::test]
async fn what_is_not_a_whole_answer_is_never_taken_for_one() {
    let cases = [
        "",
        "HTTP/1.1 200",
        "this is no HTTP\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n\u{ff}",
    ];
    for answer in cases {
        let (address, _server) = serve(vec![write(answer)]);
        assert!(matches!(fetch(get(&address)).await, Err(HttpError::Broken(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn an_error_stays_an_error_when_asked_again() {
    let (address, _server) = serve(vec![write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")]);
    let mut answer = send(permit(get(&address)).await).await.ok().unwrap();
    assert_eq!(answer.chunk().await, Ok(Some(b"abc".to_vec())));
    let error = answer.chunk().await;
    assert!(error.is_err());
    assert_eq!(answer.chunk().await, error);
}

#[tokio::test]
async fn who_is_not_there_or_not_who_it_should_be_is_told_apart() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = fetch(get(&format!("http://{nobody}/?key=k-123"))).await.unwrap_err();
    assert!(matches!(&refused, HttpError::Connect { host, .. } if host == "127.0.0.1"), "{refused:?}");
    assert!(!refused.to_string().contains("k-123"), "{refused}");
    let without_tls = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = without_tls.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = without_tls.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let plain = fetch(get(&format!("https://localhost:{port}/"))).await;
    assert!(matches!(plain, Err(HttpError::Tls { .. })), "{plain:?}");
}

#[tokio::test]
async fn localhost_is_dialled_without_asking_anybody() {
    let (address, _server) = serve(vec![write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")]);
    assert_eq!(fetch(get(&address.replace("127.0.0.1", "localhost"))).await.as_deref(), Ok("ok"));
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_sent() {
    for url in ["http://example.com/", "file:///etc/passwd", "http://k-123@127.0.0.1/", "k-123"] {
        let error = fetch(get(url)).await.unwrap_err();
        assert!(matches!(error, HttpError::BadUrl { .. }) && !error.to_string().contains("k-123"), "{url}: {error}");
    }
    for (name, value) in [("a b", "x"), ("x", "a\r\nhost: evil.example"), ("", "x")] {
        let request = SendHttp {
            secret_headers: vec![(name.to_owned(), Secret::new(value.to_owned()))],
            ..get("http://127.0.0.1:1/")
        };
        assert_eq!(fetch(request).await, Err(HttpError::BadHeader { name: name.to_owned() }));
    }
}

#[tokio::test]
async fn a_key_is_in_no_ledger_and_in_no_refusal() {
    let request = |consent| SendHttp {
        secret_headers: vec![("authorization".into(), Secret::new("k-123".to_owned()))],
        consent,
        body: body("source code"),
        ..get("https://api.example.com/v1/chat?key=k-123")
    };
    for (mode, consent, allowed) in [
        (Mode::Default, Consent::Settings, true),
        (Mode::Default, Consent::None, false),
        (Mode::Default, Consent::Person, false),
        (Mode::Offline, Consent::Settings, false),
    ] {
        let (gate, ledger) = shipped(mode);
        let answer = gate.authorize(Actor::Engine, request(consent)).await;
        assert_eq!(answer.is_ok(), allowed, "{mode:?} {consent:?}");
        let denied = answer.err().map(|denied| format!("{denied} {denied:?}")).unwrap_or_default();
        let row = ledger.entries()[0].canonical();
        assert!(!row.contains("k-123") && !denied.contains("k-123"), "{row} {denied}");
        assert!(row.contains("api.example.com") && row.contains("authorization") && !row.contains("source code"));
    }
}

#[tokio::test]
async fn a_request_is_judged_by_where_it_goes_and_on_whose_word() {
    let judged = |url: &str| {
        let request = get(url).request(&Actor::Engine);
        ["place", "host", "port"].map(|key| request.context[key].clone()).join(" ")
    };
    assert_eq!(judged("http://127.0.0.1:8080/v1"), "loopback 127.0.0.1 8080");
    assert_eq!(judged("https://api.example.com/"), "remote api.example.com 443");
    assert_eq!(judged("http://api.example.com/"), "remote  ");
    assert_eq!(judged("nonsense"), "remote  ");
    let digest = |request: SendHttp| request.request(&Actor::Engine).context["digest"].clone();
    let first = digest(get("https://a.example/"));
    assert_eq!(digest(get("https://a.example/")), first);
    assert_ne!(digest(get("https://a.example/?q")), first);
    assert_ne!(digest(SendHttp { body: body("x"), ..get("https://a.example/") }), first);
    assert_ne!(digest(SendHttp { headers: vec![("a".into(), "b".into())], ..get("https://a.example/") }), first);
}

#[test]
fn a_proxy_in_the_environment_is_not_used() {
    let test = "http::tests::a_request_arrives_as_it_was_judged_and_its_answer_comes_back";
    #[expect(clippy::disallowed_methods, reason = "only a new process has another environment")]
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, "http://127.0.0.1:1");
    }
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn secrets_are_taken_out_of_a_body_and_what_was_taken_out_is_said() {
    let key = Secret::new("my-own-key-4711".to_owned());
    let text = serde_json::json!({ "a": "my-own-key-4711", "b": "k: my-own-key-4711", "c": "let x = 1;" }).to_string();
    let request = SendHttp {
        body: Body::redacted(text.into_bytes(), &[&key]).unwrap(),
        facts: Facts {
            model: Some("m-1".to_owned()),
            model_class: Some(ModelClass::Hosted),
            data: vec![DataClass::Source, DataClass::Finding],
            project: Some("/home/ada/shop".to_owned()),
            tier: Some("high".to_owned()),
            cost_usd: Some(0.25),
        },
        ..get("https://api.example.com/")
    };
    let body = String::from_utf8(request.body.bytes().to_vec()).unwrap();
    assert!(!body.contains("my-own-key") && body.contains("let x = 1;"), "{body}");
    assert_eq!(request.redactions().iter().map(|(_, count)| count).sum::<usize>(), 2, "{:?}", request.redactions());
    let context = request.request(&Actor::Engine).context;
    let expect = [
        ("model", "m-1"),
        ("model_class", "hosted"),
        ("data", "source finding"),
        ("project", "/home/ada/shop"),
        ("tier", "high"),
        ("cost_usd", "0.25"),
        ("redactions", "2"),
        ("secrets", "0"),
        ("bytes", &body.len().to_string()),
    ];
    for (key, value) in expect {
        assert_eq!(context.get(key).map(String::as_str), Some(value), "{key}");
    }
}

#[tokio::test]
async fn what_holds_a_secret_when_it_is_sent_is_not_sent() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    nobody.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", nobody.local_addr().unwrap());
    let key = || Secret::new("Bearer my-own-key-4711".to_owned());
    let header = |value: &str| vec![("x-note".to_owned(), value.to_owned())];
    let cases = [
        SendHttp {
            secret_headers: vec![("authorization".to_owned(), key())],
            ..get(&format!("{url}?q=my-own-key-4711"))
        },
        SendHttp {
            secret_headers: vec![("authorization".to_owned(), key())],
            // The body did not know of the key when it was made.
            body: body("{\"note\": \"my-own-key-4711\"}"),
            ..get(&url)
        },
        SendHttp {
            secret_headers: vec![("authorization".to_owned(), key())],
            headers: header("my-own-key-4711"),
            ..get(&url)
        },
    ];
    for (number, request) in cases.into_iter().enumerate() {
        let error = fetch(request).await.unwrap_err();
        assert!(matches!(error, HttpError::Secret { .. }), "{number}: {error:?}");
        assert!(!error.to_string().contains("4711"), "{error}");
    }
    let large = vec![b'x'; conclave_policy::secret::MAX_BYTES + 1];
    assert!(matches!(Body::redacted(large, &[]), Err(HttpError::Unscannable(_))), "what cannot be scanned is not sent");
    assert!(nobody.accept().is_err(), "somebody came");
}

#[tokio::test]
async fn a_key_goes_to_its_own_host_and_to_no_look_alike() {
    let sends = |url: &str, bound: &str| {
        let key = Secret::new("k-4711-k-4711".to_owned()).for_host(bound).prefixed("Bearer ");
        SendHttp { secret_headers: vec![("authorization".to_owned(), key)], ..get(url) }
    };
    let look_alikes = [
        "https://api.example.com.evil.example/",
        "https://evil.example/api.example.com",
        "https://evil.example/?api.example.com",
        "https://evil.example/#api.example.com",
        "https://api.example.com@evil.example/",
        "https://api.example.com:443@evil.example/",
        "https://api.example.com%40evil.example/",
        "https://api.example.com%2eevil.example/",
        "https://api-example.com/",
        "https://apiexample.com/",
        "https://api.example.co/",
        "https://api.example.com.",
        "https://example.com/",
        "https://www.api.example.com/",
        "https://xapi.example.com/",
        "https://api.examp1e.com/",
        "https://api.exarnple.com/",
        "https://\u{430}pi.example.com/",
        "https://api.ex\u{e4}mple.com/",
        "https://api.example.c\u{3bf}m/",
        "https://api\u{3002}example\u{3002}com.evil.example/",
        "https://api.example.com:8443/",
        "https://api.example.com\\.evil.example/",
        "https://evil.example\\@api.example.com/",
        "https://evil.example/@api.example.com",
        "https:///evil.example@api.example.com",
        "https://api.example.com\t.evil.example/",
        "https://93.184.216.34/",
        "https://localhost/",
        "http://api.example.com/",
        "ftp://api.example.com/",
        "//api.example.com/",
        "api.example.com",
    ];
    assert!(look_alikes.len() >= 30);
    for url in look_alikes {
        let error = fetch(sends(url, "api.example.com")).await.unwrap_err();
        assert!(matches!(error, HttpError::OtherHost { .. } | HttpError::BadUrl { .. }), "{url}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("4711"), "{error}");
    }
    for (url, account) in [
        ("https://API.example.com/v1", "api.example.com"),
        ("https://api.example.com:443/v1", "api.example.com"),
        ("https://api.example.com:8443/v1", "api.example.com:8443"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ] {
        assert_eq!(host_of(url).as_deref(), Ok(account));
    }
    let (address, _server) = serve(vec![write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")]);
    let host = host_of(&address).unwrap();
    assert_eq!(fetch(sends(&address, &host)).await.as_deref(), Ok("ok"));
    assert!(matches!(fetch(sends(&address, "127.0.0.1")).await, Err(HttpError::OtherHost { .. })), "another port");
}

#[tokio::test]
async fn a_proxy_is_used_when_the_settings_name_it_and_never_for_this_machine() {
    let (address, proxy) = serve(vec![write("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")]);
    let request = SendHttp { proxy: Some(address.clone()), ..get("https://api.example.com/") };
    assert_eq!(request.request(&Actor::Engine).context["proxy"], format!("{address}/"));
    assert!(fetch(request).await.is_err());
    assert!(proxy.join().unwrap().starts_with("connect api.example.com:443 http/1.1\r\n"));

    let (address, _server) = serve(vec![write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")]);
    let here = SendHttp { proxy: Some("http://127.0.0.1:1".to_owned()), ..get(&address) };
    assert!(!here.request(&Actor::Engine).context.contains_key("proxy"));
    assert_eq!(fetch(here).await.as_deref(), Ok("ok"));

    for bad in ["", "proxy:3128", "socks5://proxy:1080", "http://me:hunter2@proxy:3128", "http://proxy:3128/path"] {
        let error =
            fetch(SendHttp { proxy: Some(bad.to_owned()), ..get("https://api.example.com/") }).await.unwrap_err();
        assert!(matches!(error, HttpError::BadProxy { .. }), "{bad}: {error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_too_old_sends_nothing() {
    let permit = permit(get("http://127.0.0.1:1/")).await;
    tokio::time::advance(crate::gate::PERMIT_LASTS + Duration::from_millis(1)).await;
    assert_eq!(send(permit).await.err(), Some(HttpError::Stale(Stale::Expired)));
}

#[tokio::test]
async fn a_key_of_a_known_format_leaves_neither_in_a_body_nor_in_an_address() {
    // Made here, so that none lies in the tree.
    let token = format!("ghp_{}", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5");
    let body = Body::redacted(serde_json::json!({ "code": token }).to_string().into_bytes(), &[]).unwrap();
    assert!(!String::from_utf8_lossy(body.bytes()).contains(&token));
    assert_eq!(body.redactions().iter().map(|(_, count)| count).sum::<usize>(), 1);
    for request in [
        get(&format!("http://127.0.0.1:1/?q={token}")),
        SendHttp { headers: vec![("x-note".to_owned(), token.clone())], ..get("http://127.0.0.1:1/") },
    ] {
        let error = fetch(request).await.unwrap_err();
        assert!(matches!(&error, HttpError::Secret { .. }) && !error.to_string().contains(&token), "{error:?}");
    }
}
