//! Keys where no keychain can be had: what is off, what goes on, and what is said of it.
//!
//! The tests have no session bus, or one without this entry: either way the keychain gives no key.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor and for a model")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use conclave_inference::{About, ModelRequest, Priority};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::models::Errand;
use crate::open::{Options, open};

#[test]
fn a_host_is_named_in_one_way() {
    for (text, expect) in [
        ("api.example.com", Some("api.example.com")),
        (" API.Example.com ", Some("api.example.com")),
        ("https://api.example.com/v1", Some("api.example.com")),
        ("https://api.example.com:443/v1", Some("api.example.com")),
        ("api.example.com:8443", Some("api.example.com:8443")),
        ("http://127.0.0.1:8080/v1", Some("127.0.0.1:8080")),
        ("127.0.0.1:8080", Some("127.0.0.1:8080")),
        ("", None),
        ("ftp://api.example.com", None),
        ("http://api.example.com", None),
    ] {
        assert_eq!(named(text).ok().as_deref(), expect, "{text}");
    }
}

/// A data folder whose settings name a model on this machine, which answers everything in the same way, and one
/// elsewhere.
fn ground() -> (tempfile::TempDir, Ctx) {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // The thread ends with the test process. One answer serves both questions: where the model runs, and the other.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let body = r#"{"model_path":"/m.gguf","model":"m","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all((head + body).as_bytes());
        }
    });
    let data = folder.path().join("data");
    let options = Options { data_dir: data.clone(), offline: false };
    drop(open(&options).unwrap());
    let settings = json!({ "models": [
        { "name": "Here", "base_url": format!("http://{address}/v1"), "model": "m" },
        { "name": "Away", "base_url": "https://127.0.0.2:9/v1", "model": "n", "may_send_code": true },
        { "name": "Variable", "base_url": "https://models.example/v1", "model": "o", "key_env": "PATH" },
    ] });
    fs::write(data.join("settings.json"), settings.to_string()).unwrap();
    let cx = open(&options).unwrap().0;
    (folder, cx)
}

fn errand(cx: &Ctx, words: &str, about: About) -> Errand {
    let request = ModelRequest {
        system: String::new(),
        user: words.to_owned(),
        max_tokens: 10,
        schema: None,
        schema_name: "x".to_owned(),
        sample: 0,
    };
    Errand {
        gate: cx.gate.clone(),
        actor: |_| Actor::Engine,
        request: Arc::new(request),
        about,
        priority: Priority::Medium,
        deadline: Duration::from_secs(60),
        purpose: "test",
        finding: None,
        run: None,
        cap: None,
        may_be_kept: false,
        agrees: None,
        client: None,
        live: None,
        cancel: CancellationToken::new(),
    }
}

async fn ask(cx: &Ctx, name: &str) -> Result<String, Arc<AskError>> {
    let won = cx.models.one(name, errand(cx, "code", About::default())).await;
    won.map(|won| format!("{:?}", won.answer))
}

#[tokio::test]
async fn a_key_that_cannot_be_read_stops_what_would_leave_and_nothing_else() {
    let (_folder, cx) = ground();
    assert!(ask(&cx, "Here").await.unwrap().contains("hi"));
    assert_eq!(ask(&cx, "Away").await.unwrap_err().kind(), "unreachable", "without a key it is asked");

    cx.store.put_key("api.example.com", 7).unwrap();
    let error = ask(&cx, "Away").await.unwrap_err();
    assert_eq!(error.kind(), "no_key", "{error}");
    assert!(error.to_string().contains("`api.example.com`"), "{error}");
    assert!(ask(&cx, "Here").await.unwrap().contains("hi"), "a model on this machine goes on");
    assert!(list(&cx).await.unwrap().trouble.is_some());

    cx.store.erase_key("api.example.com").unwrap();
    let here = cx.models.named("Here").unwrap().info().host.clone().unwrap();
    cx.store.put_key(&here, 7).unwrap();
    assert_eq!(ask(&cx, "Here").await.unwrap_err().kind(), "no_key", "its own key is missing");
}

/// Asks the model on this machine about the project in `/shop`, under the exchange log that `settings` sets.
async fn kept(log: serde_json::Value) -> Vec<conclave_store::Exchange> {
    let (folder, cx) = ground();
    let data = folder.path().join("data");
    let mut settings: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(data.join("settings.json")).unwrap()).unwrap();
    settings["exchange_log"] = log;
    drop(cx);
    fs::write(data.join("settings.json"), settings.to_string()).unwrap();
    let cx = open(&Options { data_dir: data, offline: false }).unwrap().0;
    let about = About { project: Some("/shop".to_owned()), ..About::default() };
    let words = "code with ghp_0123456789abcdefghijABCDEFGHIJ012345";
    cx.models.one("Here", errand(&cx, words, about)).await.unwrap();
    let rows = cx.store.exchanges(None, None, 9).unwrap().rows;
    rows.iter().map(|row| cx.store.exchange(row.seq).unwrap().unwrap()).collect()
}

#[tokio::test]
async fn exchanges_are_kept_by_project_and_without_secrets() {
    for (log, expect) in [
        (json!({ "on": false }), 0),
        (json!({ "on": true }), 1),
        (json!({ "on": true, "projects": { "/shop": false } }), 0),
        (json!({ "on": false, "projects": { "/shop": true } }), 1),
        (json!({ "on": false, "projects": { "/other": true } }), 0),
    ] {
        let kept = kept(log.clone()).await;
        assert_eq!(kept.len(), expect, "{log}");
        for exchange in kept {
            assert_eq!((exchange.head.project.as_deref(), exchange.head.status), (Some("/shop"), Some(200)));
            assert!(exchange.request.contains("code with ") && !exchange.request.contains("ghp_"), "{exchange:?}");
            assert!(exchange.response.contains("hi"), "{exchange:?}");
        }
    }
}

#[tokio::test]
async fn every_host_is_listed_with_its_key() {
    let (_folder, cx) = ground();
    cx.store.put_key("127.0.0.2:9", 7).unwrap();
    cx.store.put_key("old.example", 8).unwrap();
    let hosts = list(&cx).await.unwrap().hosts;
    let seen: Vec<_> = hosts.iter().map(|key| (key.host.as_str(), key.models.join(" "), key.set_at_ms)).collect();
    let here = cx.models.named("Here").unwrap().info().host.clone().unwrap();
    let expect = [
        (here.as_str(), "Here".to_owned(), None),
        ("127.0.0.2:9", "Away".to_owned(), Some(7)),
        ("models.example", "Variable".to_owned(), None),
        ("old.example", String::new(), Some(8)),
    ];
    assert_eq!(seen, expect);
    let sources: Vec<&KeySource> = hosts.iter().map(|key| &key.source).collect();
    let variable = KeySource::Environment { variable: "PATH".to_owned(), set: true };
    assert_eq!(sources, [&KeySource::None, &KeySource::Keychain, &variable, &KeySource::Keychain]);
}
