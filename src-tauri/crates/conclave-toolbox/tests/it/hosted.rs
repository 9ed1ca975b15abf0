//! A server at an address, in both eras of the protocol.

use conclave_core::settings::{McpServer, ToolKind};
use conclave_core::synthesis::ToolOutcome;
use conclave_effects::DataClass;
use conclave_policy::Mode;
use serde_json::{Value, json};

use crate::ground::{Ground, Host, http};

/// A stand-in for Kagi's own: its two tools, its errors' words; `modern` says which era it knows.
fn host(modern: bool, description: &'static str) -> Host {
    Host::new(move |request| {
        let (head, body) = request.split_once("\r\n\r\n").expect("a whole request");
        if !head.to_ascii_lowercase().contains("authorization: bearer kagi-key-qm7xt2vr9pl4") {
            return http(401, "text/plain", "", "no");
        }
        let message: Value = serde_json::from_str(body).expect("JSON");
        let id = &message["id"];
        let answer = |result: Value| json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
        let tool =
            |name: &str| json!({ "name": name, "description": description, "inputSchema": { "type": "object" } });
        let said = json!({ "serverInfo": { "name": "kagi", "version": "1" }, "protocolVersion": "2025-11-25" });
        let is_new = head.to_ascii_lowercase().contains("mcp-protocol-version: 2026-07-28");
        match message["method"].as_str().expect("a method") {
            "server/discover" if modern => http(200, "application/json", "", &answer(said)),
            "initialize" if !modern => http(200, "application/json", "mcp-session-id: s1\r\n", &answer(said)),
            "notifications/initialized" if !modern => http(202, "text/plain", "", ""),
            _ if modern != is_new || (!modern && !head.to_ascii_lowercase().contains("mcp-session-id: s1")) => {
                http(400, "text/plain", "", "not in this era")
            }
            "tools/list" => http(
                200,
                "application/json",
                "",
                &answer(json!({ "tools": [tool("kagi_extract"), tool("kagi_search_fetch")] })),
            ),
            "tools/call" => {
                let query = message["params"]["arguments"]["query"].as_str().unwrap_or_default();
                match query {
                    "down" => return http(503, "text/plain", "", "no"),
                    "wrong" => {
                        let error = json!({ "code": -32602, "message": "no such thing" });
                        let body = json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string();
                        return http(400, "application/json", "", &body);
                    }
                    _ => {}
                }
                let error = |words: &str| json!({ "content": [{ "type": "text", "text": words }], "isError": true });
                let result = match query {
                    "no key" => error(
                        "Error calling tool 'kagi_search_fetch': No Kagi API key found. Send `Authorization: Bearer <key>` or set KAGI_API_KEY.",
                    ),
                    "offline" => error(
                        "Error calling tool 'kagi_search_fetch': Error calling Kagi Search API: HTTPSConnectionPool(host='kagi.com', port=443): Max retries exceeded with url: /api/v1/search (Caused by NameResolutionError(x))",
                    ),
                    "more" => json!({ "resultType": "input_required", "inputRequests": {} }),
                    _ => json!({ "content": [{ "type": "text", "text": "1. Flask advisory" }] }),
                };
                let notice = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {} });
                let stream = format!("data: {notice}\n\nevent: message\ndata: {}\n\n", answer(result));
                http(200, "text/event-stream", "", &stream)
            }
            _ => http(400, "text/plain", "", "no such thing"),
        }
    })
}

fn ground(host: &Host, key: &str, mode: Mode) -> Ground {
    let setting = McpServer {
        url: Some(format!("{}/mcp", host.url)),
        key: Some("Authorization".to_owned()),
        serves: Some(ToolKind::Intelligence),
        ..McpServer::default()
    };
    let account = host.url.trim_start_matches("http://").to_owned();
    Ground::new("kagi", setting, Some((account, key.to_owned())), mode)
}

#[tokio::test]
async fn both_eras_answer_the_same() {
    for modern in [true, false] {
        let host = host(modern, "Searches.");
        let ground = ground(&host, "kagi-key-Qm7xT2vR9pL4", Mode::Default);
        let (toolbox, seen) = ground.approved().await;
        assert_eq!(seen.definition.tools().len(), 2);
        for (query, outcome, words) in [
            ("CWE-89 flask", ToolOutcome::Answered, "Flask advisory"),
            ("no key", ToolOutcome::Error, "No Kagi API key found"),
            ("offline", ToolOutcome::Error, "Max retries exceeded"),
            ("more", ToolOutcome::Failed, "asks for more"),
            ("CWE-89 flask", ToolOutcome::Answered, "Flask advisory"),
        ] {
            let (came, text) = ground.ask(&toolbox, "kagi_search_fetch", json!({ "query": query })).await;
            assert_eq!(came, outcome, "{modern} {query}: {text}");
            assert!(text.contains(words), "{modern} {query}: {text}");
        }
        // Whoever decides knows what kind of data is in it, here as well.
        let kinds = ground.lines("\"data\":");
        assert!(!kinds.is_empty() && kinds.iter().all(|line| line.contains("\"data\":\"metadata\"")), "{kinds:?}");
        ground.give(&toolbox, "kagi_search_fetch", json!({ "query": "x" }), DataClass::Source).await;
        assert_eq!(ground.lines("\"data\":\"source\"").len(), 1);
        let before = host.asked().len();
        let planted = json!({ "query": "kagi-key-Qm7xT2vR9pL4" });
        assert_eq!(ground.ask(&toolbox, "kagi_search_fetch", planted).await.0, ToolOutcome::Failed);
        let calls = host.asked()[before..].iter().filter(|asked| asked.contains("tools/call")).count();
        assert_eq!(calls, 0, "nothing was asked");
    }
}

#[tokio::test]
async fn a_status_without_an_answer_is_a_failure_and_an_error_that_it_answers_is_none() {
    let host = host(true, "Searches.");
    let mut ground = ground(&host, "kagi-key-Qm7xT2vR9pL4", Mode::Default);
    ground.caller.project = "/srv/shop".to_owned();
    let (toolbox, _) = ground.approved().await;
    let said = async |query: &str| ground.ask(&toolbox, "kagi_search_fetch", json!({ "query": query })).await.1;
    for _ in 0..4 {
        assert!(said("wrong").await.contains("`no such thing` (-32602)"));
    }
    for _ in 0..3 {
        assert!(said("down").await.contains("HTTP 503"));
    }
    assert!(said("CWE-89").await.contains("failed 3 times in a row"));
    let uses = ground.lines("use `kagi_search_fetch`");
    assert_eq!(uses.len(), 7);
    assert!(uses.iter().all(|line| line.contains("\"project\":\"/srv/shop\"")), "{uses:?}");
}

#[tokio::test]
async fn without_a_key_a_network_or_its_old_words_it_is_a_reason() {
    let host_now = host(true, "Searches.");
    let wrong = ground(&host_now, "another-key-Zz81kLm3", Mode::Default).look().await.unwrap_err();
    assert!(wrong.contains("it wants a key"), "{wrong}");
    let offline = ground(&host_now, "kagi-key-Qm7xT2vR9pL4", Mode::Offline);
    let why = offline.look().await.unwrap_err();
    assert!(why.contains("offline"), "{why}");

    // It is approved with other words than it has when it is used.
    let ground = ground(&host_now, "kagi-key-Qm7xT2vR9pL4", Mode::Default);
    let seen = ground.look().await.unwrap();
    let other = seen.definition.text().replace("Searches.", "Searched.");
    ground.around.store.see_server("kagi", &other, 9).unwrap();
    assert!(ground.around.store.approve_server("kagi", &other, 9).unwrap());
    let toolbox = ground.toolbox();
    let (outcome, text) = ground.ask(&toolbox, "kagi_search_fetch", json!({ "query": "x" })).await;
    assert_eq!(outcome, ToolOutcome::Failed);
    assert!(text.contains("The description of `kagi_extract` changed"), "{text}");
}
