//! What a person sees of a question before it is sent.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor and for a model")]

use std::fs;
use std::net::TcpListener;

use conclave_policy::Effective;
use serde_json::json;

use super::*;
use crate::open::{Options, open};
use crate::{project, scan};

/// The token is in no use anywhere; it has the form of one.
const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'\n    return yaml.load(stream)\n";

#[tokio::test]
async fn the_whole_body_is_shown_without_secrets_and_without_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let data = folder.path().join("data");
    let options = Options { data_dir: data.clone(), offline: false };
    drop(open(&options).unwrap());
    let settings = json!({ "models": [
        { "name": "Here", "base_url": format!("http://{address}/v1"), "model": "m" },
        { "name": "Away", "base_url": "https://models.example/v1", "model": "n", "may_send_code": true },
        { "name": "Keyless", "base_url": "https://models.example/v1", "model": "o", "key_env": "CONCLAVE_NO_SUCH_KEY" },
    ] });
    fs::write(data.join("settings.json"), settings.to_string()).unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/a.py"), WEAK).unwrap();
    let (cx, _) = open(&options).unwrap();
    let project = project::add(&cx, &folder.path().join("shop"), false).unwrap();
    let found = scan::scan(&cx, &project, None).await.unwrap().findings;
    let entries = cx.store.verify_ledger().unwrap().rows;

    let seen = preview(&cx, &found[0]).await.unwrap();
    let [here, away] = seen.requests.as_slice() else { panic!("{seen:?}") };
    assert_eq!((here.name.as_str(), here.host.as_str(), here.class), ("Here", "127.0.0.1", ModelClass::Hosted));
    assert_eq!((here.decision.effect, away.decision.effect), (Effective::Deny, Effective::Allow), "{seen:?}");
    assert_eq!(away.address, "https://models.example/v1/chat/completions");
    for request in [here, away] {
        assert_eq!(request.bytes, request.body.len() as u64);
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["model"], request.model);
        assert!(request.body.contains("yaml.load(stream)") && !request.body.contains("ghp_"), "{}", request.body);
        assert_eq!(request.redactions.len(), 1, "{:?}", request.redactions);
        // The fence around the data is none of what is taken out.
        let user = body["messages"][1]["content"].as_str().unwrap();
        let (first, last) = (user.lines().next().unwrap(), user.lines().last().unwrap());
        let mark = first.strip_prefix("----- data ").unwrap().strip_suffix(" -----").unwrap();
        assert!(first == last && mark.len() == 16 && mark.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    }
    assert_eq!(seen.notes.len(), 2, "{:?}", seen.notes);
    assert!(seen.notes.iter().any(|note| note.contains("CONCLAVE_NO_SUCH_KEY")));
    // Reading the project is recorded; nothing else is.
    assert_eq!(cx.store.verify_ledger().unwrap().rows, entries + 1);
    assert!(listener.accept().is_err(), "nobody has connected");
}
