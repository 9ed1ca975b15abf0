//! The servers that people use: sequential thinking and memory from npm, and Kagi's.
//!
//! `cargo xtask test servers` installs them and says where they are; without it each test says `skipped`.

use std::path::PathBuf;

use conclave_core::settings::{McpServer, ToolKind};
use conclave_core::synthesis::ToolOutcome;
use conclave_effects::probe;
use conclave_policy::Mode;
use serde_json::{Value, json};

use crate::ground::{Ground, Host, http};

/// The program `name` in the folder that `variable` says.
fn installed(variable: &str, name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os(variable) else {
        println!("skipped: `{variable}` does not say where `{name}` is");
        return None;
    };
    if let Err(error) = probe() {
        println!("skipped: {error}");
        return None;
    }
    let program = PathBuf::from(folder).join(name);
    assert!(program.exists(), "`{}` is missing", program.display());
    Some(program.to_str().expect("text").to_owned())
}

fn program(command: String, serves: ToolKind) -> McpServer {
    McpServer { command: Some(command), serves: Some(serves), timeout_ms: 180_000, ..McpServer::default() }
}

fn structured(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn sequential_thinking_thinks_in_each_run_from_the_beginning() {
    let Some(command) = installed("CONCLAVE_TOOL_SERVERS", "mcp-server-sequential-thinking") else { return };
    let ground = Ground::new("thinker", program(command, ToolKind::Thinking), None, Mode::Default);
    let (toolbox, seen) = ground.approved().await;
    let tools = seen.definition.tools();
    assert_eq!(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["sequentialthinking"]);
    let required = tools[0].schema["required"].as_array().map(Vec::len);
    assert_eq!((required, tools[0].read_only), (Some(4), true));
    let thought = |number: u32, more: Value| {
        let mut thought =
            json!({ "thought": "look", "thoughtNumber": number, "totalThoughts": 3, "nextThoughtNeeded": true });
        for (key, value) in more.as_object().expect("an object") {
            thought[key] = value.clone();
        }
        thought
    };
    for (number, more, length) in [
        (1, json!({}), 1),
        (2, json!({ "isRevision": true, "revisesThought": 1 }), 2),
        (4, json!({ "branchFromThought": 1, "branchId": "alt-a" }), 3),
    ] {
        let used = ground.call(&toolbox, "sequentialthinking", thought(number, more)).await;
        assert_eq!(used.record.outcome, ToolOutcome::Answered, "{:?}", used.result);
        assert_eq!(structured(&used.result.text)["thoughtHistoryLength"], length);
    }
    let wrong = ground.call(&toolbox, "sequentialthinking", thought(0, json!({}))).await;
    assert_eq!(wrong.record.outcome, ToolOutcome::Error);
    let mut other = ground.caller.clone();
    other.run = conclave_core::id::RunId::new("run-2");
    let until = tokio::time::Instant::now() + crate::ground::PATIENCE;
    let fresh = toolbox.call(&other, "sequentialthinking", thought(1, json!({})), until).await;
    assert_eq!(structured(&fresh.result.text)["thoughtHistoryLength"], 1, "another run thinks for itself");
    println!("ran with {}", seen.definition.called());
}

#[tokio::test]
async fn memory_keeps_what_it_is_told_at_the_same_time() {
    let Some(command) = installed("CONCLAVE_TOOL_SERVERS", "mcp-server-memory") else { return };
    let ground = Ground::new("memo", program(command, ToolKind::Memory), None, Mode::Default);
    let (toolbox, seen) = ground.approved().await;
    assert_eq!(seen.definition.tools().len(), 9);
    let entity = |n: usize| json!({ "entities": [{ "name": format!("e{n}"), "entityType": "fix_pattern", "observations": ["ok"] }] });
    let writes = (0..20).map(|n| ground.call(&toolbox, "create_entities", entity(n)));
    let mut done = Vec::new();
    let mut writes: Vec<_> = writes.map(Box::pin).collect();
    // All at the same time: each is polled before any is over.
    std::future::poll_fn(|cx| {
        writes.retain_mut(|write| match write.as_mut().poll(cx) {
            std::task::Poll::Ready(used) => {
                done.push(used);
                false
            }
            std::task::Poll::Pending => true,
        });
        if writes.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    assert!(done.iter().all(|used| used.record.outcome == ToolOutcome::Answered), "{done:?}");
    let graph = ground.call(&toolbox, "read_graph", json!({})).await;
    let stored = structured(&graph.result.text)["entities"].as_array().map(Vec::len);
    assert_eq!(stored, Some(20), "the server itself loses what is told at the same time");
    let missing = json!({ "observations": [{ "entityName": "missing", "contents": ["x"] }] });
    let missing = ground.call(&toolbox, "add_observations", missing).await;
    assert_eq!(missing.record.outcome, ToolOutcome::Error);
    assert!(missing.result.text.contains("not found"), "{}", missing.result.text);
    let mut other = ground.caller.clone();
    other.client = "another client".to_owned();
    let until = tokio::time::Instant::now() + crate::ground::PATIENCE;
    let theirs = toolbox.call(&other, "read_graph", json!({}), until).await;
    assert_eq!(
        theirs.record.outcome,
        ToolOutcome::Failed,
        "a server is not offered for a client: {}",
        theirs.record.said
    );
    println!("ran with {}", seen.definition.called());
}

fn kagi(command: String, host: &str) -> McpServer {
    McpServer {
        env: [("KAGI_API_HOST".to_owned(), host.to_owned()), ("KAGI_MAX_RETRIES".to_owned(), "0".to_owned())].into(),
        key: Some("KAGI_API_KEY".to_owned()),
        reaches: Some(host.to_owned()),
        ..program(command, ToolKind::Intelligence)
    }
}

#[tokio::test]
async fn kagi_searches_with_its_key_and_only_at_its_host() {
    let Some(command) = installed("CONCLAVE_KAGI", "kagimcp") else { return };
    let host = Host::new(|_| http(200, "text/markdown", "", "1. [Flask advisory](https://example.com/flask)"));
    let account = host.url.trim_start_matches("http://").to_owned();
    let key = "kagi-key-Qm7xT2vR9pL4";
    let ground = Ground::new("kagi", kagi(command.clone(), &host.url), Some((account, key.to_owned())), Mode::Default);
    let (toolbox, seen) = ground.approved().await;
    let names: Vec<String> = seen.definition.tools().into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["kagi_extract", "kagi_search_fetch"]);
    let query = || json!({ "query": "CWE-89 flask 3" });
    let (outcome, text) = ground.ask(&toolbox, "kagi_search_fetch", query()).await;
    assert_eq!(outcome, ToolOutcome::Answered, "{text}");
    assert!(text.contains("Flask advisory"), "{text}");
    let asked = host.asked();
    assert!(asked[0].contains(key) && asked[0].contains("CWE-89 flask 3"), "{asked:?}");
    // What a model asks may hold code.
    let denied = ground.call(&toolbox, "kagi_search_fetch", query()).await;
    assert_eq!(denied.record.outcome, ToolOutcome::Denied);
    let planted = json!({ "query": format!("what is {key}") });
    let (outcome, text) = ground.ask(&toolbox, "kagi_search_fetch", planted).await;
    assert!(outcome == ToolOutcome::Failed && !text.contains(key), "{text}");
    assert_eq!(host.asked().len(), 1, "nothing more was sent");

    let without = Ground::new("kagi", kagi(command, &host.url), None, Mode::Default);
    let (toolbox, _) = without.approved().await;
    let (_, text) = without.ask(&toolbox, "kagi_search_fetch", query()).await;
    assert!(text.contains("No Kagi API key found"), "{text}");
    println!("ran with {}", seen.definition.called());
}
