//! Servers in a real settings file.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_effects::Listing;
use tempfile::TempDir;

use super::*;
use crate::open::{Options, open};

fn ground(settings: &str) -> (TempDir, Ctx) {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    fs::write(data_dir.join("settings.json"), settings).unwrap();
    let cx = open(&Options { data_dir, offline: false }).unwrap().0;
    (folder, cx)
}

fn program(command: &str) -> McpServer {
    McpServer { command: Some(command.to_owned()), ..McpServer::default() }
}

/// The text of a server that is set so and has one tool.
fn said_of(setting: &McpServer, words: &str) -> String {
    let tools = vec![json!({ "name": "echo", "description": words, "inputSchema": { "type": "object" } })];
    let (name, version) = ("m".to_owned(), "1".to_owned());
    let listing = Listing { name, version, instructions: String::new(), tools };
    Definition::new(setting, Some("abc"), &listing).unwrap().text()
}

#[tokio::test]
async fn a_server_is_added_changed_and_removed_and_the_rest_of_the_file_stays() {
    let (folder, cx) = ground("{\n  \"check_timeout_s\": 60\n}\n");
    let text = || fs::read_to_string(folder.path().join("data/settings.json")).unwrap();
    save(&cx, "memo", &program("mcp-server-memory")).await.unwrap();
    let said: Value = serde_json::from_str(&text()).unwrap();
    assert_eq!(said, json!({ "check_timeout_s": 60, "mcp_servers": { "memo": { "command": "mcp-server-memory" } } }));
    let state = named(&cx, "memo").unwrap();
    assert_eq!((state.standing, state.digest), (Standing::Unseen, None));
    save(&cx, "memo", &McpServer { enabled: false, ..program("mcp-server-memory") }).await.unwrap();
    assert_eq!(named(&cx, "memo").unwrap().standing, Standing::Off);
    let alike = save(&cx, "Memo", &program("x")).await.unwrap_err();
    assert!(alike.to_string().contains("easily taken for"), "{alike}");
    remove(&cx, "memo").await.unwrap();
    assert!(list(&cx).unwrap().is_empty());
    assert!(matches!(remove(&cx, "memo").await, Err(EditError::Unknown(_))));
}

#[tokio::test]
async fn what_holds_a_secret_or_fetches_itself_is_not_taken() {
    let (_folder, cx) = ground("{}");
    let key = format!("ghp_{}", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5");
    let with_env =
        |name: &str, value: &str| McpServer { env: [(name.to_owned(), value.to_owned())].into(), ..program("server") };
    let keyed = McpServer { key: Some("KAGI_API_KEY".to_owned()), ..program("kagimcp") };
    for (name, setting, words) in [
        ("a", with_env("KAGI_API_KEY", "x"), "conclave keys set"),
        ("a", with_env("WHATEVER", &key), "conclave keys set"),
        ("a", McpServer { args: vec![key.clone()], ..program("server") }, "a secret among its arguments"),
        ("a", McpServer { args: vec!["-y".to_owned(), "x".to_owned()], ..program("npx") }, "npm install"),
        ("a", keyed.clone(), "reaches"),
        ("a", McpServer { url: Some("https://a:b@x.example/".to_owned()), ..McpServer::default() }, "user name"),
        ("a", McpServer { url: Some("http://x.example/".to_owned()), ..McpServer::default() }, "TLS"),
        ("a", McpServer::default(), "either a command or an address"),
        ("a", McpServer { timeout_ms: 1, ..program("server") }, "milliseconds"),
        ("thinking", program("server"), "Conclave\u{2019}s own"),
        ("a__b", program("server"), "`__`"),
    ] {
        let why = save(&cx, name, &setting).await.expect_err(words).to_string();
        assert!(why.contains(words), "{words}: {why}");
        assert!(!why.contains(&key));
    }
    let reaching = McpServer { reaches: Some("https://kagi.com".to_owned()), ..keyed };
    save(&cx, "kagi", &reaching).await.unwrap();
    assert!(!named(&cx, "kagi").unwrap().has_key);
}

#[tokio::test]
async fn servers_of_another_client_are_taken_over_once_and_nothing_of_them_is_approved() {
    let (_folder, cx) = ground("{}");
    let config = r#"{ "mcpServers": {
        "sequential-thinking": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-sequential-thinking"] },
        "none": {} } }"#;
    let seen = import(&cx, config, true).await.unwrap();
    assert_eq!(seen.iter().map(|(_, added)| *added).collect::<Vec<_>>(), [true, false]);
    assert!(list(&cx).unwrap().is_empty(), "a dry run");
    import(&cx, config, false).await.unwrap();
    let again = import(&cx, config, false).await.unwrap();
    assert!(again[0].0.remarks.last().unwrap().contains("stays as it is"));
    let state = named(&cx, "sequential-thinking").unwrap();
    assert_eq!(state.setting.command.as_deref(), Some("mcp-server-sequential-thinking"));
    assert_eq!(state.standing, Standing::Unseen);
    assert!(matches!(approve(&cx, "sequential-thinking", "x").await, Err(ApproveError::Changed(_))));
    assert!(import(&cx, "nonsense", false).await.is_err());
}

#[tokio::test]
async fn only_what_was_seen_is_approved_and_the_ledger_has_it() {
    let (_folder, cx) = ground("{}");
    save(&cx, "memo", &program("no-such-server")).await.unwrap();
    let looked = look(&cx, "memo").await.unwrap();
    assert!(looked.failed.unwrap().contains("is not installed"));
    let text = |words: &str| said_of(&program("no-such-server"), words);
    cx.store.see_server("memo", &text("Says."), 1).unwrap();
    let seen = named(&cx, "memo").unwrap();
    assert_eq!((seen.standing, seen.tools.len(), seen.called.as_str()), (Standing::NotApproved, 1, "m 1"));
    approve(&cx, "memo", &seen.digest.unwrap()).await.unwrap();
    assert_eq!(named(&cx, "memo").unwrap().standing, Standing::Approved);
    cx.store.see_server("memo", &text("Says all."), 2).unwrap();
    let changed = named(&cx, "memo").unwrap();
    assert_eq!(changed.standing, Standing::Changed);
    assert_eq!(changed.differences, ["The description of `echo` changed from `\"Says.\"` to `\"Says all.\"`."]);
    let old = digest(text("Says.").as_bytes());
    assert!(matches!(approve(&cx, "memo", &old).await, Err(ApproveError::Changed(_))));
}

#[tokio::test]
async fn what_is_approved_turned_off_or_removed_counts_at_once_whoever_did_it() {
    let (folder, cx) = ground("{}");
    let (other, _) = open(&Options { data_dir: folder.path().join("data"), offline: false }).unwrap();
    let said = |cx: &Ctx| -> Vec<String> {
        let toolbox = cx.toolbox();
        let servers = toolbox.tools().filter(|tool| tool.server() == "memo");
        servers.map(|tool| tool.offer().description.clone()).collect()
    };
    let text = |words: &str| said_of(&program("mcp-server-memory"), words);
    let nothing: [&str; 0] = [];
    save(&other, "memo", &program("mcp-server-memory")).await.unwrap();
    assert!(crate::models::reload(&cx), "as when the file is followed");
    for words in ["Says.", "Says all."] {
        other.store.see_server("memo", &text(words), 1).unwrap();
        let before = said(&cx);
        approve(&other, "memo", &digest(text(words).as_bytes())).await.unwrap();
        assert!(!before.contains(&words.to_owned()));
        assert_eq!((said(&cx), said(&other)), (vec![words.to_owned()], vec![words.to_owned()]));
    }
    let running = cx.tools.server("memo").unwrap();
    said(&cx);
    assert!(Arc::ptr_eq(&running, &cx.tools.server("memo").unwrap()), "nothing changed");
    save(&cx, "memo", &McpServer { enabled: false, ..program("mcp-server-memory") }).await.unwrap();
    assert_eq!(said(&cx), nothing);
    assert_eq!(Arc::strong_count(&running), 1, "nobody else holds it");
    save(&cx, "memo", &program("mcp-server-memory")).await.unwrap();
    assert_eq!(said(&cx), ["Says all."]);
    remove(&cx, "memo").await.unwrap();
    assert_eq!(said(&cx), nothing);
}

#[tokio::test]
async fn a_server_that_is_set_otherwise_than_it_was_approved_is_not_used_until_that_is_approved() {
    let (_folder, cx) = ground("{}");
    let memo = program("mcp-server-memory");
    save(&cx, "memo", &memo).await.unwrap();
    let text = said_of(&memo, "Says.");
    cx.store.see_server("memo", &text, 1).unwrap();
    approve(&cx, "memo", &digest(text.as_bytes())).await.unwrap();
    let is_used = || cx.toolbox().tools().any(|tool| tool.server() == "memo");
    assert!(is_used());
    let host = || Some("https://memo.example".to_owned());
    for (changed, words) in [
        (program("other-server"), "The command"),
        (McpServer { args: vec!["--verbose".to_owned()], ..memo.clone() }, "The arguments"),
        (McpServer { env: [("MODE".to_owned(), "x".to_owned())].into(), ..memo.clone() }, "Its environment"),
        (McpServer { key: Some("MEMO_KEY".to_owned()), reaches: host(), ..memo.clone() }, "The variable of its key"),
        (McpServer { url: host(), ..McpServer::default() }, "The command"),
        (McpServer { reaches: host(), ..memo.clone() }, "What it can reach"),
    ] {
        save(&cx, "memo", &changed).await.unwrap();
        let state = named(&cx, "memo").unwrap();
        assert_eq!((state.standing, is_used()), (Standing::Changed, false), "{words}");
        assert!(state.differences[0].starts_with(words), "{:?}", state.differences);
        let seen = approve(&cx, "memo", &digest(text.as_bytes())).await;
        assert!(matches!(seen, Err(ApproveError::Changed(_))), "{words}: it is not what was seen");
    }
    save(&cx, "memo", &McpServer { timeout_ms: 5_000, ..memo }).await.unwrap();
    assert_eq!((named(&cx, "memo").unwrap().standing, is_used()), (Standing::Approved, true));
}
