//! The commands as a face calls them: by name, with JSON.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_policy::{Action, Actor, Decision, Effective, EntryKind, Ledger as _, NewEntry, ToolRequest};
use conclave_store::NewExchange;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::{Api, Options};
use crate::batch::{Consent, Which};
use crate::commands::dispatch;
use crate::error::{ApiError, ErrorCode};
use crate::view::SetKey;

fn open(folder: &TempDir) -> Api {
    Api::open(&Options { data_dir: folder.path().join("data"), offline: false }).unwrap()
}

async fn call(api: &Api, name: &str, request: Value) -> Value {
    dispatch(api, name, request).await.unwrap()
}

async fn fails(api: &Api, name: &str, request: Value) -> ApiError {
    dispatch(api, name, request).await.unwrap_err()
}

const NO_PUSH: &str = "\
version: 1
rules:
  - id: no-push
    priority: 5
    action: deny
    reason: pushing is mine to do
    conditions: { tool: Bash, parameters: { command: { glob: 'git push*' } } }
    match:
      - { actor: agent:claude-code, tool: Bash, parameters: { command: git push origin } }
    no_match:
      - { actor: agent:claude-code, tool: Bash, parameters: { command: git status } }
";
const PUSH: &str = r#"{"actor": "agent:claude-code", "tool": "Bash", "parameters": {"command": "git push origin"}}"#;

#[tokio::test]
async fn a_saved_policy_is_in_force_at_once_and_replaces_only_what_was_edited() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    let before = call(&api, "get_policy", json!({})).await;
    assert_eq!(
        (&before["banner"], &before["digest"], &before["user_policy"]),
        (&Value::Null, &Value::Null, &json!(""))
    );

    let save = |policy: &str, digest: &Value| json!({ "policy": policy, "expected_digest": digest });
    let saved = call(&api, "save_policy", save(NO_PUSH, &Value::Null)).await;
    let stale = fails(&api, "save_policy", save("version: 1\nrules: []\n", &Value::Null)).await;
    assert_eq!(stale.code, ErrorCode::Changed);

    let after = call(&api, "get_policy", json!({})).await;
    assert_eq!((&after["digest"], &after["user_policy"]), (&saved["digest"], &json!(NO_PUSH)));
    let rules = after["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == "no-push").unwrap();
    assert_eq!((&rule["layer"], &rule["action"], &rule["enabled"]), (&json!("user"), &json!("deny"), &json!(true)));
    assert_eq!(rule["origin"], "yours");
    assert_eq!(rule["examples"].as_array().unwrap().len(), 2);

    let explained = call(&api, "explain_request", json!({ "request": PUSH })).await;
    assert_eq!((&explained["decision"], &explained["rule"]), (&json!("deny"), &json!("no-push")), "{explained:#}");
    assert!(explained["remedy"].as_str().is_some_and(|words| words.contains("no-push")), "{explained:#}");
    assert!(explained["steps"].as_array().unwrap().iter().any(|step| step["outcome"] == "match"));
    assert_eq!(fails(&api, "explain_request", json!({ "request": "{" })).await.code, ErrorCode::BadRequest);

    let broken = fails(&api, "save_policy", save("version: 1\nrules: [{}]\n", &saved["digest"])).await;
    assert_eq!(broken.code, ErrorCode::BadRequest);
    assert_eq!(fs::read_to_string(after["path"].as_str().unwrap()).unwrap(), NO_PUSH);
}

#[tokio::test]
async fn a_policy_is_checked_and_tried_before_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    let good = call(&api, "check_policy", json!({ "policy": NO_PUSH })).await;
    assert_eq!((&good["fault"], &good["rules"], &good["examples"]), (&Value::Null, &json!(1), &json!(2)));
    let wrong = NO_PUSH.replace("git status", "git push --tags");
    let bad = call(&api, "check_policy", json!({ "policy": wrong })).await;
    assert!(bad["fault"].as_str().is_some_and(|fault| fault.contains("no-push")), "{bad:#}");

    let status = r#"{"actor": "agent:claude-code", "tool": "Bash", "parameters": {"command": "git status"}}"#;
    for (text, rule) in [(PUSH, "ask"), (status, "ask")] {
        let request = conclave_policy::parse_request(text).unwrap();
        append(&api, request, Effective::Allow, rule);
    }
    let tried = call(&api, "simulate_policy", json!({ "policy": NO_PUSH })).await;
    assert_eq!(tried["checked"], 2, "{tried:#}");
    for change in tried["changed"].as_array().unwrap() {
        assert_eq!((&change["after"], &change["after_rule"]), (&json!("deny"), &json!("no-push")), "{tried:#}");
        assert!(change["what"].as_str().unwrap().contains("git push"), "{tried:#}");
    }
    let tried = call(&api, "simulate_policy", json!({ "policy": wrong })).await;
    assert_eq!((&tried["checked"], tried["fault"].is_string()), (&json!(0), true));
}

fn append(api: &Api, request: ToolRequest, effect: Effective, rule: &str) -> u64 {
    let reason = "because".to_owned();
    let decision = Decision { effect, rule: rule.to_owned(), reason, layer: None, review: None };
    let entry = NewEntry { at_ms: api.cx().now_ms(), kind: EntryKind::Decision { request, decision } };
    api.cx().store.append(&entry).unwrap()
}

#[tokio::test]
async fn exchanges_are_listed_by_folder_and_page_and_shown_whole() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    let mut kept = Vec::new();
    for (root, status) in [("/shop", Some(200)), ("/other", None), ("/shop", Some(500))] {
        let sent = ToolRequest::new(Actor::Engine, Action::SendHttp, "https://one.example/v1");
        let seq = append(&api, sent, Effective::Allow, "ok");
        kept.push(seq);
        let exchange = NewExchange {
            seq,
            at_ms: 7,
            project: Some(root.to_owned()),
            endpoint: "Big".to_owned(),
            model: "big-1".to_owned(),
            request: format!("question {seq}"),
            response: "x".repeat(2 * 1024 * 1024),
            status,
        };
        api.cx().store.put_exchange(&exchange).unwrap();
    }
    let seqs = |page: &Value| {
        page["rows"].as_array().unwrap().iter().map(|row| row["seq"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let all = call(&api, "list_exchanges", json!({})).await;
    assert_eq!((seqs(&all), &all["next_cursor"]), (vec![kept[2], kept[1], kept[0]], &Value::Null));
    assert_eq!((&all["rows"][1]["status"], &all["rows"][1]["root"]), (&Value::Null, &json!("/other")));
    let first = call(&api, "list_exchanges", json!({ "root": "/shop", "limit": 1 })).await;
    let second =
        call(&api, "list_exchanges", json!({ "root": "/shop", "limit": 1, "cursor": first["next_cursor"] })).await;
    assert_eq!((seqs(&first), seqs(&second)), (vec![kept[2]], vec![kept[0]]));
    assert_eq!(fails(&api, "list_exchanges", json!({ "cursor": "x" })).await.code, ErrorCode::BadRequest);

    let whole = call(&api, "get_exchange", json!({ "seq": kept[0] })).await;
    assert_eq!((&whole["exchange"], &whole["request"]), (&all["rows"][2], &json!(format!("question {}", kept[0]))));
    assert_eq!(
        (&whole["exchange"]["response_bytes"], whole["response"].as_str().unwrap().len()),
        (&json!(2 << 20), 1 << 20)
    );
    let missing = fails(&api, "get_exchange", json!({ "seq": 9999 })).await;
    assert_eq!((missing.code, missing.hint.is_some()), (ErrorCode::NotFound, true));
}

#[tokio::test]
async fn what_left_is_listed_newest_first_and_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    let send = |host: &str, place: &str, bytes: &str| {
        ToolRequest::new(Actor::Analyst("Big".to_owned()), Action::SendHttp, format!("https://{host}/v1"))
            .with("place", place)
            .with("bytes", bytes)
            .with("purpose", "ask for a fix")
    };
    append(&api, send("one.example:8443", "remote", "100"), Effective::Allow, "ok");
    append(&api, send("two.example", "remote", "50"), Effective::Deny, "no");
    let seq = append(&api, send("127.0.0.1", "loopback", "7"), Effective::Allow, "ok");
    api.cx()
        .store
        .append(&NewEntry {
            at_ms: api.cx().now_ms(),
            kind: EntryKind::Outcome { refers_to: seq, outcome: "200".to_owned() },
        })
        .unwrap();

    let first = call(&api, "list_egress", json!({ "limit": 2 })).await;
    let hosts = |page: &Value| {
        page["rows"].as_array().unwrap().iter().map(|row| row["host"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(hosts(&first), ["127.0.0.1", "two.example"]);
    assert_eq!((&first["rows"][0]["remote"], &first["rows"][0]["outcome"]), (&json!(false), &json!("200")));
    assert_eq!(first["today"], json!({ "requests": 1, "denied": 1, "bytes": 100 }));
    let second = call(&api, "list_egress", json!({ "limit": 2, "cursor": first["next_cursor"] })).await;
    assert_eq!((hosts(&second), &second["next_cursor"]), (vec!["one.example:8443".to_owned()], &Value::Null));
    assert_eq!(second["rows"][0]["bytes"], 100);

    assert_eq!(hosts(&call(&api, "list_egress", json!({ "only": "denied" })).await), ["two.example"]);
    assert_eq!(hosts(&call(&api, "list_egress", json!({ "filter": "ONE fix" })).await), ["one.example:8443"]);
    assert_eq!(fails(&api, "list_egress", json!({ "cursor": "x" })).await.code, ErrorCode::BadRequest);

    let path = folder.path().join("ledger.jsonl");
    let exported = call(&api, "export_ledger", json!({ "path": path })).await;
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported["rows"], lines.len());
    assert_eq!(lines[0]["entry"]["request"]["resource"], "https://one.example:8443/v1");
}

#[tokio::test]
async fn a_key_is_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    for request in [json!("sk-canary"), json!({ "host": "a.example", "key": ["sk-canary"] }), json!({ "sk-canary": 1 })]
    {
        let error = fails(&api, "set_key", request).await;
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let no_host = fails(&api, "set_key", json!({ "host": "not a host", "key": "sk-canary" })).await;
    assert_eq!(no_host.code, ErrorCode::BadRequest);
    assert!(!format!("{no_host:?}").contains("canary"), "{no_host:?}");
    let request = SetKey { host: "a.example".to_owned(), key: "sk-canary".to_owned() };
    assert!(!format!("{request:?}").contains("canary"));
    assert_eq!(call(&api, "list_keys", json!({})).await["hosts"], json!([]));
}

#[tokio::test]
async fn a_refusal_says_what_can_be_done() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    let policy = "version: 1\nrules:\n  - { id: no-files, priority: 1, action: deny, reason: not now, conditions: { action: write_file } }\n";
    call(&api, "save_policy", json!({ "policy": policy, "expected_digest": null })).await;
    let path = folder.path().join("ledger.jsonl");
    let error = fails(&api, "export_ledger", json!({ "path": path })).await;
    assert_eq!((error.code, error.message.as_str()), (ErrorCode::Denied, "not now"));
    assert!(error.hint.is_some_and(|hint| hint.contains("no-files")) && !path.exists());
}

/// Every setting of every kind of model, and none at its default where that would hide it.
const EVERY_MODEL: &str = r#"{
    "models": [{ "name": "a", "base_url": "https://one.example/v1", "model": "m", "key_env": "K", "may_send_code": true,
        "dialect": "openai_responses", "headers": { "x-team": "red" },
        "price": { "input": 4, "output": 20.5, "cached": 0.4 }, "enabled": false, "trial": true, "max_concurrent": 3 }],
    "cli_models": [{ "name": "c", "type": "generic", "command": "/bin/answer", "args": ["--model", "{model}"],
        "model": "m", "system_prompt": "Be brief.", "key_env": "K", "base_url": "https://two.example",
        "max_retries": 1, "retry_delay_ms": 5, "may_send_code": true, "enabled": false, "trial": true,
        "max_concurrent": 1 }],
    "local_models": [{ "name": "f", "file": "/m/a.gguf", "context_tokens": 2048, "threads": 2, "enabled": false,
        "trial": true }],
    "sampling": { "enabled": true, "may_send_code": true, "trial": true }
}"#;

#[tokio::test]
async fn every_setting_of_a_model_comes_to_an_editor_and_back() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let file = folder.path().join("data/settings.json");
    fs::write(&file, EVERY_MODEL).unwrap();
    let api = open(&folder);
    let list = call(&api, "list_models", json!({})).await;
    for row in list["models"].as_array().unwrap() {
        let save = json!({ "model": row["setting"], "replaces": row["name"] });
        assert_eq!(call(&api, "save_model", save).await["model"], row["name"]);
    }
    let after: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(after, serde_json::from_str::<Value>(EVERY_MODEL).unwrap());
}

#[tokio::test]
async fn models_and_limits_that_are_saved_are_in_force_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    let setting = json!({ "name": "a", "base_url": "http://127.0.0.1:9/v1", "model": "m", "key_env": null,
        "may_send_code": false, "dialect": null, "price": null, "enabled": true, "trial": false, "max_concurrent": null });
    call(&api, "save_model", json!({ "model": { "kind": "api", "setting": setting }, "replaces": null })).await;
    let list = call(&api, "list_models", json!({})).await;
    let row = &list["models"][0];
    assert_eq!((&row["name"], &row["position"], &row["class_known"]), (&json!("a"), &json!(1), &json!(false)));
    assert_eq!(row["tiers"].as_array().unwrap().len(), 5, "{row:#}");
    assert_eq!(api.cx().models.all().len(), 1);
    let manual = json!({ "critical": 300, "high": 100, "medium": 50 });
    let budget = json!({ "per_call": 0.1, "per_finding": null, "per_run": null, "per_day": 2, "per_project": null, "manual": manual });
    let spending = call(&api, "save_budget", budget.clone()).await;
    assert_eq!(spending["budget"], budget);
    call(&api, "remove_model", json!({ "model": "a" })).await;
    assert!(api.cx().models.all().is_empty());
}

#[tokio::test]
async fn what_is_known_of_models_says_its_day_and_what_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let known = call(&open(&folder), "list_known_models", json!({})).await;
    let of = |list: &str, id: &str| {
        let found = known[list].as_array().unwrap().iter().find(|one| one["id"] == id);
        found.unwrap_or_else(|| panic!("{list} has no {id}")).clone()
    };
    let opus = of("models", "claude-opus-5-5");
    assert_eq!((&opus["state"], &opus["remark"], &opus["host"]), (&json!("living"), &Value::Null, &json!("anthropic")));
    assert_eq!((&opus["price"]["input"], &opus["price"]["dated"]), (&json!(4), &json!("2026-10-21")));
    let gone = of("models", "claude-opus-4-20250514");
    assert_eq!((&gone["state"], &gone["successor"]), (&json!("retired"), &json!("claude-opus-5-5")));
    assert_eq!(of("models", "mistral-large-latest")["price"], Value::Null);
    assert_eq!(of("hosts", "gemini")["dialect"], "gemini");
    assert_eq!(of("hosts", "openrouter")["usual"], Value::Null);
    let seats = of("presets", "first-five")["seats"].clone();
    assert_eq!((&seats[0]["named"], &seats[0]["model"]), (&json!("claude-opus-4"), &json!("claude-opus-5-5")));
    assert!(seats[0]["remark"].as_str().is_some_and(|words| words.contains("retired")), "{seats:#}");
}

#[tokio::test]
async fn a_configuration_in_a_file_is_read_and_its_text_comes_back_only_where_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        json!({ "path": path })
    };
    let good = call(&api, "check_config_file", file("good.yaml", "inference: { timeout_seconds: 12 }\n")).await;
    assert_eq!(good["check"]["changes"][0]["setting"], "answer_timeout_s", "{good:#}");
    let import = json!({ "config": good["config"], "expected_digest": good["check"]["digest"] });
    call(&api, "import_config", import).await;
    assert_eq!(api.cx().settings().answer_timeout_s, 12, "in force at once");
    let bad = call(&api, "check_config_file", file("bad.yaml", "inferense: {}\n")).await;
    assert_eq!((&bad["config"], bad["check"]["faults"].as_array().unwrap().len()), (&Value::Null, 1), "{bad:#}");
    assert_eq!(
        fails(&api, "check_config_file", json!({ "path": "/nowhere/at/all.yaml" })).await.code,
        ErrorCode::NotFound
    );
}

#[tokio::test]
async fn a_paused_queue_is_paused_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    assert_eq!(call(&api, "get_status", json!({})).await["paused"], false);
    assert_eq!(call(&api, "pause_runs", json!({})).await, json!({ "paused": true, "open": 0 }));
    drop(api);
    let api = open(&folder);
    assert_eq!(call(&api, "get_status", json!({})).await["paused"], true);
    assert_eq!(call(&api, "resume_runs", json!({})).await, json!({ "paused": false, "open": 0 }));
    assert_eq!(call(&api, "get_status", json!({})).await["paused"], false);
}

#[tokio::test]
async fn a_dismissed_finding_stands_apart_with_its_reason_until_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let api = open(&folder);
    let shop = folder.path().join("shop");
    fs::create_dir(&shop).unwrap();
    fs::write(shop.join("load.py"), "import yaml\n\n\ndef load(text):\n    return yaml.load(text)\n").unwrap();
    let project = call(&api, "add_project", json!({ "path": shop, "watch": false })).await;
    call(&api, "scan_project", json!({ "project": project["id"] })).await;
    let list = |view: &str| call(&api, "list_findings", json!({ "view": view }));
    let found = list("needs_you").await;
    let id = &found["items"][0]["id"];

    let dismiss = json!({ "findings": [id], "reason": "used_in_tests", "note": " a fixture " });
    assert_eq!(call(&api, "dismiss_findings", dismiss).await, json!({ "findings": [id] }));
    let view = call(&api, "get_finding", json!({ "finding": id })).await;
    assert_eq!((&view["row"]["status"], &view["dismissed"]["note"]), (&json!("dismissed"), &json!("a fixture")));
    assert_eq!(list("dismissed").await["items"][0]["note"], "used in tests only: a fixture");
    assert_eq!(list("needs_you").await["total"].as_u64(), found["total"].as_u64().map(|total| total - 1));
    let refused = fails(&api, "run_fix", json!({ "findings": [id] })).await;
    assert_eq!((refused.code, refused.hint.is_some()), (ErrorCode::BadRequest, true));
    let plan = call(&api, "plan_runs", json!({ "findings": [id] })).await;
    assert_eq!(plan["deferred"][0]["why"], "you dismissed it", "{plan:#}");
    let long = json!({ "findings": [id], "reason": "wont_fix", "note": "a".repeat(2_001) });
    assert_eq!(fails(&api, "dismiss_findings", long).await.code, ErrorCode::BadRequest);

    call(&api, "reopen_findings", json!({ "findings": [id] })).await;
    assert_eq!(list("needs_you").await["total"], found["total"]);
    assert_eq!(fails(&api, "reopen_findings", json!({ "findings": [id] })).await.code, ErrorCode::BadRequest);
    let none = call(&api, "get_timeline", json!({ "finding": id })).await;
    assert_eq!(none, json!({ "run": null, "stages": [] }));
}

#[tokio::test]
async fn fixes_of_one_file_are_applied_and_taken_back_together() {
    let folder = tempfile::tempdir().unwrap();
    let (api, shop) = (open(&folder), folder.path().join("shop"));
    fs::create_dir(&shop).unwrap();
    let weak = "import yaml\n\n\ndef read(s):\n    return yaml.load(s)\n\n\ndef again(s):\n    return yaml.load(s)\n";
    fs::write(shop.join("a.py"), weak).unwrap();
    api.scan_folder(&shop).await.unwrap();
    let which = Which::Open { project: None, severity: None };
    let report = api.fix(&which, Consent::Nothing).await.unwrap();
    let ids: Vec<&str> = report.resolutions.iter().map(|item| item.finding.id.as_str()).collect();
    let [first, second] = ids[..] else { panic!("two findings: {ids:?}") };

    let fixes: Vec<Value> = ids.iter().map(|id| json!({ "finding": id, "fix": null })).collect();
    let done = call(&api, "apply_fixes", json!({ "fixes": fixes })).await;
    let of = |n: usize| (&done["applied"][n]["finding"], &done["applied"][n]["with"], &done["applied"][n]["files"]);
    assert_eq!(of(0), (&json!(first), &json!([second]), &json!(["a.py"])));
    assert_eq!((of(1), &done["refused"]), ((&json!(second), &json!([first]), &json!(["a.py"])), &json!([])));
    assert_eq!(fs::read_to_string(shop.join("a.py")).unwrap().matches("yaml.load(s)").count(), 0);
    let shown = call(&api, "get_finding", json!({ "finding": second })).await;
    assert_eq!(shown["applied"]["with"], json!([first]));
    let again = call(&api, "apply_fixes", json!({ "fixes": [fixes[0]] })).await;
    assert_eq!(again["refused"][0]["message"], "a fix of this finding is applied already");

    let undone = call(&api, "undo_fix", json!({ "finding": second })).await;
    assert_eq!((&undone["with"], &undone["files"]), (&json!([first]), &json!(["a.py"])));
    assert_eq!(fs::read_to_string(shop.join("a.py")).unwrap(), weak);
    assert_eq!(call(&api, "get_finding", json!({ "finding": first })).await["row"]["status"], "fix_ready");
}
