//! What the workers of a face that stays do with runs and followers.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor and for a model")]

use std::fs;
use std::net::{TcpListener, TcpStream};

use conclave_core::finding::Status;
use conclave_engine::event::Topic;
use conclave_policy::{Action, Actor, ToolRequest};
use conclave_store::{NewAsk, Taken};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::clients;
use crate::commands::{COMMANDS, Kind, dispatch};
use crate::view::AskList;

const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";

fn open(folder: &TempDir) -> Api {
    Api::open(&Options { data_dir: folder.path().join("data"), offline: false }).unwrap()
}

/// Conclave with one run under way, which waits for a model that never answers.
struct Held {
    _folder: TempDir,
    api: Api,
    serving: JoinHandle<()>,
    finding: FindingId,
    _connection: TcpStream,
}

async fn held() -> Held {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (connected, connects) = oneshot::channel();
    std::thread::spawn(move || connected.send(listener.accept().unwrap().0));
    drop(open(&folder));
    let settings =
        json!({ "models": [{ "name": "Mute", "base_url": base_url, "model": "mute", "may_send_code": true }] });
    fs::write(folder.path().join("data/settings.json"), settings.to_string()).unwrap();
    let api = open(&folder);

    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/a.py"), WEAK).unwrap();
    api.scan_folder(&folder.path().join("shop")).await.unwrap();
    dispatch(&api, "run_fix", json!({})).await.unwrap();
    let serving = tokio::spawn(api.clone().serve_queue());
    let connection = connects.await.unwrap();
    let open = api.cx().store.open_jobs().unwrap();
    let [(job, true)] = open.as_slice() else { panic!("one run is under way: {open:?}") };
    Held { finding: job.finding.clone(), _folder: folder, api, serving, _connection: connection }
}

fn status(api: &Api, finding: &FindingId) -> Status {
    api.cx().store.finding(finding).unwrap().unwrap().status
}

#[tokio::test]
async fn the_end_of_conclave_leaves_a_run_to_be_resumed() {
    let Held { api, serving, finding, _folder, _connection } = held().await;
    api.stop();
    serving.await.unwrap();
    let open = api.cx().store.open_jobs().unwrap();
    let [(job, _)] = open.as_slice() else { panic!("the run is still open: {open:?}") };
    assert!(job.resumed && api.cx().store.stage(&job.run, "gather").unwrap().is_some());
    assert_eq!(status(&api, &finding), Status::Running);
}

#[tokio::test]
async fn the_persons_word_ends_a_run() {
    let Held { api, serving, finding, _folder, _connection } = held().await;
    let mut events = api.cx().events.subscribe();
    api.cancel_runs().unwrap();
    while !api.cx().store.open_jobs().unwrap().is_empty() {
        while !matches!(events.recv().await.unwrap(), event::Event::Changed(topics) if topics.contains(&Topic::Runs)) {}
    }
    assert_eq!(status(&api, &finding), Status::Open);
    assert!(!serving.is_finished(), "the queue goes on");
    serving.abort();
}

#[tokio::test]
async fn one_run_is_cancelled_and_the_others_go_on() {
    let Held { api, serving, finding, _folder, _connection } = held().await;
    fs::write(_folder.path().join("shop/b.py"), WEAK).unwrap();
    api.cx().store.pause_queue(true).unwrap();
    let (_, scans) = api.scan_folder(&_folder.path().join("shop")).await.unwrap();
    assert_eq!(scans[0].new_findings, 1);
    dispatch(&api, "run_fix", json!({})).await.unwrap();
    let jobs = api.cx().store.open_jobs().unwrap();
    let waits = jobs.iter().map(|(job, _)| job.finding.clone()).find(|id| *id != finding).unwrap();

    let mut events = api.cx().events.subscribe();
    let cancel = async |id: &FindingId| dispatch(&api, "cancel_run", json!({ "finding": id.as_str() })).await;
    let ended = cancel(&finding).await.unwrap();
    assert_eq!(ended, json!({ "finding": finding.as_str(), "was_under_way": true }));
    while status(&api, &finding) == Status::Running {
        events.recv().await.unwrap();
    }
    let left: Vec<FindingId> = api.cx().store.open_jobs().unwrap().into_iter().map(|(job, _)| job.finding).collect();
    assert_eq!((status(&api, &finding), left), (Status::Open, vec![waits.clone()]));
    assert_eq!(cancel(&waits).await.unwrap(), json!({ "finding": waits.as_str(), "was_under_way": false }));
    assert_eq!((status(&api, &waits), api.cx().store.open_jobs().unwrap()), (Status::Open, Vec::new()));
    let none = cancel(&waits).await.unwrap_err();
    assert_eq!(
        (none.code, none.hint.as_deref()),
        (ErrorCode::BadRequest, Some("it may have come to its end just now"))
    );

    let other = open(&_folder);
    other.cx().store.begin_run(&finding, true, 0).unwrap();
    let elsewhere = cancel(&finding).await.unwrap_err();
    assert!(elsewhere.hint.unwrap().contains("another window or command is at it"));
    serving.abort();
}

#[tokio::test]
async fn a_project_is_followed_once_and_no_longer_than_it_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    let api = open(&folder);
    api.start();
    let followers = || lock(&api.0.followers).values().cloned().collect::<Vec<_>>();
    let add = async |watch: bool| {
        dispatch(&api, "add_project", json!({ "path": folder.path().join("shop"), "watch": watch })).await.unwrap();
    };
    add(true).await;
    let first = followers();
    assert_eq!(first.len(), 1);
    add(true).await;
    let ids = |followers: Vec<AbortHandle>| followers.iter().map(AbortHandle::id).collect::<Vec<_>>();
    assert_eq!(ids(followers()), ids(first.clone()));

    add(false).await;
    assert!(followers().is_empty());
    while !first[0].is_finished() {
        tokio::task::yield_now().await;
    }
    api.stop();
}

#[tokio::test]
async fn what_another_process_asks_is_told_shown_whole_and_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let (hook, window) = (open(&folder), open(&folder));
    assert!(!hook.cx().store.person_is_there());
    window.start();
    assert!(hook.cx().store.person_is_there());
    let mut events = window.subscribe();

    let request = ToolRequest::new(Actor::Agent("claude-code".to_owned()), Action::CallTool, "Bash\u{202e}");
    let now = hook.cx().now_ms();
    let ask = NewAsk {
        at_ms: now,
        expires_at_ms: now + 120_000,
        request: request.clone(),
        rule: "look".to_owned(),
        layer: None,
        reason: "it is new".to_owned(),
        guidance: None,
    };
    let id = hook.cx().store.put_ask(&ask).unwrap();
    while !matches!(events.next().await.unwrap(), Event::Changed { tags } if tags.contains(&Tag::Asks)) {}
    let list: AskList = serde_json::from_value(dispatch(&window, "list_asks", json!({})).await.unwrap()).unwrap();
    assert_eq!(list.asks.len(), 1);
    assert!(list.asks[0].request.contains(r"Bash\u202e"), "{}", list.asks[0].request);
    let shown: ToolRequest = serde_json::from_str(&list.asks[0].request).unwrap();
    assert_eq!(shown.digest(), request.digest(), "what is shown is what the answer is good for");

    let answer = json!({ "id": list.asks[0].id, "answer": "allow_once", "justification": "I asked for it" });
    dispatch(&window, "answer_ask", answer.clone()).await.unwrap();
    let again = dispatch(&window, "answer_ask", answer).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::Changed);
    let taken = hook.cx().store.take_answer(id, &request.digest(), hook.cx().now_ms()).unwrap();
    assert!(matches!(taken, Taken::Allowed { justification, .. } if justification == "I asked for it"));
    window.stop();
    assert!(!hook.cx().store.person_is_there());
}

#[tokio::test]
async fn what_was_handed_over_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("data");
    drop(open(&folder));
    clients::add(&base, "acme").unwrap();
    let theirs = Api::open(&Options { data_dir: base.join("clients/acme"), offline: true }).unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/a.py"), WEAK).unwrap();
    theirs.scan_folder(&folder.path().join("shop")).await.unwrap();
    dispatch(&theirs, "run_fix", json!({})).await.unwrap();
    let archive = folder.path().join("acme.tar");
    clients::archive(&theirs, "acme", &archive, true).await.unwrap();
    drop(theirs);
    clients::restore(&open(&folder), &base, "read", &archive).await.unwrap();

    let read = Api::open(&Options { data_dir: base.join("clients/read"), offline: true }).unwrap();
    read.start();
    for command in COMMANDS.iter().filter(|command| command.kind == Kind::Mutation) {
        let refused = dispatch(&read, command.name, json!({})).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Denied, "{}", command.name);
    }
    assert!(read.scan_folder(&folder.path().join("shop")).await.is_err());
    assert_eq!(read.cx().store.open_jobs().unwrap().len(), 1, "what waited waits");
    assert!(dispatch(&read, "list_findings", json!({})).await.is_ok());
    read.stop();
}
