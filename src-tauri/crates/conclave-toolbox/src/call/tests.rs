//! What becomes of a use, whatever the tool and the policy do.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::synthesis::ToolOutcome;
use conclave_effects::{DataClass, ToolPlace};
use conclave_inference::tools::ToolHost;
use conclave_policy::{Actor, EntryKind};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{OFFLINE, short, used};
use crate::tests::{Does, Stub, caller, elsewhere, soon};
use crate::{Caller, Host, MOST_ANSWER, Tool, Toolbox};

const KEY: &str = concat!("ghp_", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5");

fn answers() -> Does {
    Does::Answer("all is well".to_owned())
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_is_a_value_with_words() {
    let agent = Actor::Agent("codex".to_owned());
    for (name, does, actor, outcome, said, entries) in [
        ("answered", answers(), None, ToolOutcome::Answered, "all is well", 2),
        ("its own error", Does::Complain("no such entity".to_owned()), None, ToolOutcome::Error, "no such entity", 2),
        ("failing", Does::Fail("it has ended".to_owned()), None, ToolOutcome::Failed, "it has ended", 2),
        ("silent", Does::Nothing, None, ToolOutcome::Failed, "it did not answer in time", 2),
        ("denied", answers(), Some(agent), ToolOutcome::Denied, "no rule allows this", 1),
    ] {
        let (caller, ledger) = caller("r1", "", false);
        let caller = Caller { actor: actor.unwrap_or_else(|| caller.actor.clone()), ..caller };
        let tool = Stub::new("thinking", "think", ToolPlace::Builtin, does);
        let (calls, toolbox) = (tool.calls.clone(), Toolbox::new(vec![Box::new(tool)]));
        let used = toolbox.call(&caller, "think", json!({ "thought": "so" }), soon()).await;
        assert_eq!(used.record.outcome, outcome, "{name}");
        assert!(used.record.said.contains(said) || outcome == ToolOutcome::Denied, "{name}: {}", used.record.said);
        assert_eq!(used.result.is_error, outcome != ToolOutcome::Answered, "{name}");
        assert!(!used.result.text.is_empty(), "{name}");
        assert_eq!((used.record.server.as_str(), used.record.asked.as_str()), ("thinking", "thought: so"), "{name}");
        assert_eq!(calls.load(Ordering::Relaxed), usize::from(outcome != ToolOutcome::Denied), "{name}");
        // The decision, and what came of it.
        assert_eq!(ledger.entries().len(), entries, "{name}");
        assert_eq!(used.record.entry, (outcome != ToolOutcome::Denied).then_some(1), "{name}");
    }
}

#[tokio::test]
async fn a_wish_for_nothing_or_too_much_reaches_no_tool() {
    let (caller, ledger) = caller("r1", "", false);
    let tool = Stub::new("thinking", "think", ToolPlace::Builtin, answers());
    let (calls, toolbox) = (tool.calls.clone(), Toolbox::new(vec![Box::new(tool)]));
    for (name, arguments, words) in [
        ("thinks", json!({}), "no such tool"),
        ("think", json!([1]), "no object"),
        ("think", json!({ "thought": "x".repeat(70_000) }), "larger than 64 KiB"),
    ] {
        let used = toolbox.call(&caller, name, arguments, soon()).await;
        assert_eq!(used.record.outcome, ToolOutcome::Failed);
        assert!(used.record.said.contains(words) && used.result.is_error, "{}", used.record.said);
    }
    assert_eq!((calls.load(Ordering::Relaxed), ledger.entries().len()), (0, 0));
    // No arguments are an empty object.
    let used = toolbox.call(&caller, "think", Value::Null, soon()).await;
    assert_eq!(used.record.outcome, ToolOutcome::Answered);
}

#[tokio::test]
async fn a_secret_reaches_neither_a_tool_nor_the_record() {
    let (caller, ledger) = caller("r1", "", false);
    let tool = Stub::new("thinking", "think", ToolPlace::Builtin, Does::Answer(format!("you said {KEY}")));
    let (given, toolbox) = (tool.given.clone(), Toolbox::new(vec![Box::new(tool)]));
    let used = toolbox.call(&caller, "think", json!({ "thought": format!("the key is {KEY}") }), soon()).await;
    assert_eq!(used.record.outcome, ToolOutcome::Answered);
    let seen = [given.lock().unwrap()[0].to_string(), used.record.asked, used.record.said];
    for text in seen.into_iter().chain(ledger.entries().iter().map(|entry| entry.canonical())) {
        assert!(!text.contains(KEY), "{text}");
    }
}

#[tokio::test]
async fn what_leaves_this_machine_holds_neither_code_nor_secrets_and_is_on_record_when_refused() {
    let code = "cursor.execute(\"SELECT * FROM users WHERE name = '\" + name + \"'\")\n".repeat(3);
    let (metadata, source) = (&[DataClass::Metadata][..], &[DataClass::Source, DataClass::Finding][..]);
    for (name, query, data, offline, outcome, calls) in [
        ("built by code", "CWE-89 guidance", metadata, false, ToolOutcome::Answered, 1),
        ("a planted key", KEY, metadata, false, ToolOutcome::Denied, 0),
        ("code of the client", &*code, source, false, ToolOutcome::Denied, 0),
        ("offline", "CWE-89 guidance", metadata, true, ToolOutcome::Failed, 0),
    ] {
        let (caller, ledger) = caller("r1", "", offline);
        let tool = Stub::new("kagi", "kagi_search_fetch", elsewhere(), answers());
        let used = used(&caller, &tool, data, json!({ "query": query }), soon()).await;
        assert_eq!(used.record.outcome, outcome, "{name}");
        assert_eq!(tool.calls.load(Ordering::Relaxed), calls, "{name}");
        assert_eq!(used.record.said == OFFLINE, offline, "{name}: {}", used.record.said);
        let entries = ledger.entries();
        let EntryKind::Decision { request, .. } = &entries[0].kind else { panic!("{name}: a decision") };
        assert_eq!(request.resource, "mcp://kagi/kagi_search_fetch", "{name}");
    }
}

#[tokio::test]
async fn offline_holds_whatever_the_policy_says() {
    let (online, _) = caller("r1", "", false);
    let caller = Caller { offline: true, ..online };
    let tool = Stub::new("kagi", "kagi_search_fetch", elsewhere(), answers());
    let used = used(&caller, &tool, &[DataClass::Metadata], json!({ "query": "CWE-89" }), soon()).await;
    assert_eq!((used.record.outcome, used.record.said.as_str()), (ToolOutcome::Failed, OFFLINE));
    assert_eq!(tool.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_long_answer_is_cut_and_the_cut_is_said() {
    let (caller, _) = caller("r1", "", false);
    let tool = Stub::new("b", "talk", ToolPlace::Builtin, Does::Answer("\u{e4}".repeat(MOST_ANSWER)));
    let toolbox = Toolbox::new(vec![Box::new(tool)]);
    let used = toolbox.call(&caller, "talk", json!({}), soon()).await;
    assert!(used.result.text.len() < MOST_ANSWER + 40 && used.result.text.ends_with("(the rest is left out)"));
    assert!(used.record.said.chars().count() <= 201);
}

#[test]
fn a_record_is_one_short_line() {
    for (text, expect) in [
        ("a\n\n b\t c", "a b c".to_owned()),
        ("\u{1b}[31mred", "[31mred".to_owned()),
        (&"ab ".repeat(100), format!("{}\u{2026}", "ab ".repeat(67).trim_end().chars().take(200).collect::<String>())),
        ("", String::new()),
    ] {
        assert_eq!(short(text), expect);
    }
}

fn always(toolbox: Toolbox) -> impl Fn() -> Toolbox + Send + Sync {
    move || toolbox.clone()
}

#[tokio::test]
async fn a_use_ends_in_the_box_where_it_began_and_the_next_one_begins_in_the_new_one() {
    let stub = |does| Stub::new("a", "talk", ToolPlace::Builtin, does);
    let release = Arc::new(Notify::new());
    let old = stub(Does::Wait(Arc::clone(&release), "old".to_owned()));
    let (calls, alive) = (Arc::clone(&old.calls), Arc::downgrade(&old.given));
    let current = Arc::new(Mutex::new(Toolbox::new(vec![Box::new(old)])));
    let held = Arc::clone(&current);
    let host = Host::new(move || held.lock().unwrap().clone(), caller("r1", "", false).0, soon(), 3);
    let mut begun = host.call("talk", json!({}));
    while calls.load(Ordering::Relaxed) == 0 {
        tokio::select! {
            biased;
            _ = &mut begun => panic!("it waits"),
            () = tokio::task::yield_now() => {}
        }
    }
    *current.lock().unwrap() = Toolbox::new(vec![Box::new(stub(Does::Answer("new".to_owned())))]);
    assert!(alive.upgrade().is_some(), "the old box is there while something goes on in it");
    release.notify_one();
    assert_eq!(begun.await.text, "old");
    assert!(alive.upgrade().is_none(), "and no longer");
    assert_eq!(host.call("talk", json!({})).await.text, "new");
}

#[tokio::test]
async fn a_name_means_the_tool_that_was_offered_under_it_or_none() {
    let tool = |server, name: &str, said: &str| -> Box<dyn Tool> {
        Box::new(Stub::new(server, name, ToolPlace::Builtin, Does::Answer(said.to_owned())))
    };
    let both = || vec![tool("a", "search", "a"), tool("b", "search", "b")];
    for (name, now, said) in [
        ("search", both(), Some("a")),
        // The first is gone, and its name is free.
        ("search", vec![tool("b", "search", "b")], None),
        ("b_search", vec![tool("b", "search", "b")], None),
        ("b_search", vec![tool("a", "search", "a"), tool("a", "b_search", "other")], None),
    ] {
        let current = Arc::new(Mutex::new(Toolbox::new(both())));
        let held = Arc::clone(&current);
        let host = Host::new(move || held.lock().unwrap().clone(), caller("r1", "", false).0, soon(), 3);
        assert_eq!(host.offers().len(), 2);
        *current.lock().unwrap() = Toolbox::new(now);
        let result = host.call(name, json!({})).await;
        assert_eq!((!result.is_error).then_some(result.text.as_str()), said, "{name}");
        if said.is_none() {
            assert!(result.text.contains("gone") || result.text.contains("no such tool"), "{}", result.text);
            assert_eq!(host.uses()[0].outcome, ToolOutcome::Failed);
        }
        // Whoever is told anew means the new one.
        host.offers();
        let again = host.call("search", json!({})).await;
        assert!(!again.is_error, "{}", again.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_uses_tools_as_often_as_it_may_and_each_use_is_kept_in_order() {
    let (caller, _) = caller("r1", "", false);
    let tools: Vec<Box<dyn Tool>> = vec![
        Box::new(Stub::new("a", "quick", ToolPlace::Builtin, answers())),
        Box::new(Stub::new("a", "never", ToolPlace::Builtin, Does::Nothing)),
    ];
    let host = Host::new(always(Toolbox::new(tools)), caller, Instant::now() + Duration::from_secs(5), 3);
    assert_eq!(host.offers().len(), 2);
    // One is given up before its time, one runs into it.
    let given_up = tokio::time::timeout(Duration::from_secs(1), host.call("never", json!({}))).await;
    assert!(given_up.is_err());
    let (late, quick) = tokio::join!(host.call("never", json!({})), host.call("quick", json!({})));
    assert!(late.is_error && !quick.is_error);
    let refused = host.call("quick", json!({})).await;
    assert!(refused.is_error && refused.text.contains("no more tools"), "{}", refused.text);
    let uses = host.uses();
    let told: Vec<(&str, ToolOutcome, &str)> =
        uses.iter().map(|used| (used.tool.as_str(), used.outcome, used.said.as_str())).collect();
    assert_eq!(
        told,
        [
            ("never", ToolOutcome::Failed, "it was given up before it answered"),
            ("never", ToolOutcome::Failed, "it did not answer in time"),
            ("quick", ToolOutcome::Answered, "all is well"),
        ]
    );
}
