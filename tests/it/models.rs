//! Models as a person sets them up, looks at them, orders them and pays for them, at a terminal and from a script.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cli::{check, project};
use crate::model::Model;
use crate::program::{Home, Rpc, text};

/// An answer of the agreed form that fixes nothing.
const REFUSES: &str = r#"{"explanation": "no", "edits": []}"#;

struct Ground {
    home: Home,
    model: Model,
}

impl Ground {
    /// A data folder without settings, and a model on this machine.
    fn new() -> Self {
        Self { home: Home::new(), model: Model::answering(REFUSES) }
    }

    fn url(&self) -> String {
        format!("http://{}/v1", self.model.address)
    }

    /// What a terminal shows of these commands, one after the other, without what differs from run to run.
    fn transcript(&self, commands: &[&[&str]]) -> String {
        let mut all = String::new();
        for words in commands {
            let output = self.home.run(words);
            let code = output.status.code().expect("it ends by itself");
            all.push_str(&format!("$ conclave {}\n{}[{code}]\n\n", words.join(" "), text(&output)));
        }
        let folder = self.home.path("").canonicalize().expect("a folder").display().to_string();
        all.replace(&self.model.address.to_string(), "SERVER").replace(&folder, "/HOME")
    }

    fn settings(&self) -> Value {
        let file = self.home.path("data/settings.json");
        serde_json::from_str(&std::fs::read_to_string(file).expect("settings")).expect("JSON")
    }

    fn file(&self) -> PathBuf {
        self.home.write("models/small.gguf", "GGUF")
    }
}

#[test]
fn models_are_added_looked_at_ordered_and_removed() {
    let ground = Ground::new();
    let (url, file) = (ground.url(), ground.file().display().to_string());
    let transcript = ground.transcript(&[
        &["models"],
        &["models", "add", "mine", "--url", &url, "--model", "stub"],
        &["models", "add", "file", "--file", &file, "--context", "2048", "--trial"],
        &["models", "add", "far", "--url", "https://models.example/v1", "--model", "big", "--key-env", "NO_SUCH_KEY"],
        &["models", "add", "claude_cli", "--cli", "claude"],
        &["models", "add", "mcp_sampling"],
        &["models", "remove", "claude_cli"],
        &["models", "order", "far", "mine"],
        &["models", "check", "mine"],
        &["models", "add", "mine", "--url", &url, "--model", "stub", "--at-once", "2", "--replace"],
        &["models"],
        &["spending"],
    ]);
    insta::assert_snapshot!("models", transcript);
    let settings = ground.settings();
    assert_eq!(settings["preference"], json!(["far", "mine"]));
    assert_eq!(settings["models"][0]["max_concurrent"], json!(2));
    assert_eq!(settings["cli_models"], json!([]));
}

#[test]
fn a_program_of_another_kind_is_added_with_its_arguments_and_the_place_it_reaches() {
    let ground = Ground::new();
    let add = ["models", "add", "own", "--cli", "generic", "--command", "/usr/bin/ask", "--arg", "--model", "--arg"];
    ground.home.json(&[&add[..], &["{model}", "--base-url", "https://models.example/v1"]].concat(), 0);
    let [own] = ground.settings()["cli_models"].as_array().expect("a list").clone().try_into().expect("one");
    assert_eq!((&own["type"], &own["args"]), (&json!("generic"), &json!(["--model", "{model}"])));
    assert_eq!(own["base_url"], json!("https://models.example/v1"));
    let refused = |words: &[&str], expect: &str| {
        let said = text(&ground.home.run(&[&["models", "add", "x"], words].concat()));
        assert!(said.contains(expect), "{said}");
    };
    // What would be left out is refused.
    refused(&["--cli", "claude", "--arg", "-v"], "`--arg` says nothing of a program whose arguments Conclave knows");
    refused(&["--url", &ground.url(), "--model", "m", "--base-url", "https://a.example"], "`--base-url` says nothing");
    refused(&["--cli", "generic", "--command", "/usr/bin/ask"], "base_url");
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    let ground = Ground::new();
    let url = ground.url();
    ground.home.json(&["models", "add", "mine", "--url", &url, "--model", "stub"], 0);
    let before = ground.settings();
    let transcript = ground.transcript(&[
        &["models", "add", "mine", "--url", &url, "--model", "stub"],
        &["models", "add", "x"],
        &["models", "add", "x", "--url", &url],
        &["models", "add", "x", "--url", "models.example", "--model", "m"],
        &["models", "add", "x", "--url", "http://models.example/v1", "--model", "m"],
        &["models", "add", "person", "--url", &url, "--model", "m"],
        &["models", "add", "mcp_sampling", "--url", &url, "--model", "m"],
        &["models", "add", "x", "--file", "nowhere.gguf"],
        &["models", "add", "x", "--cli", "claude", "--threads", "2"],
        &["models", "add", "x", "--url", &url, "--model", "m", "--at-once", "0"],
        &["models", "add", "x", "--url", &url, "--model", "m", "--replace"],
        &["models", "check", "mein"],
        &["models", "remove", "other"],
        &["models", "order", "mine", "mine"],
        &["spending", "abcdef"],
    ]);
    insta::assert_snapshot!("models_refused", transcript);
    assert_eq!(ground.settings(), before, "nothing was changed");
    check("error", &ground.home.json(&["models", "add", "x"], 2));
}

#[test]
fn health_lists_every_model_in_one_shape_whatever_they_answer() {
    let ground = Ground::new();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let models = json!([
        { "name": "mine", "base_url": ground.url(), "model": "stub" },
        { "name": "dead", "base_url": format!("http://{dead}/v1"), "model": "m" },
        { "name": "keyless", "base_url": "https://models.example/v1", "model": "m", "key_env": "NO_SUCH_KEY" },
    ]);
    ground.home.write("data/settings.json", &json!({ "models": models }).to_string());
    let health = ground.home.json(&["models", "health"], 2);
    check("models-health", &health);
    let list = health["models"].as_array().expect("a list");
    let seen: Vec<(&str, &str)> =
        list.iter().map(|one| (one["model"].as_str().unwrap_or(""), one["state"].as_str().unwrap_or(""))).collect();
    assert_eq!((seen.len(), seen[1].1, seen[2].1), (3, "down", "down"), "{health:#}");
    assert_eq!((seen[0].0, seen[0].1 != "down"), ("mine", true), "{health:#}");
    let keys = |one: &Value| one.as_object().map(|one| one.keys().cloned().collect::<Vec<_>>());
    assert!(list.iter().all(|one| keys(one) == keys(&list[0])), "one shape: {health:#}");
    check("model-health", &ground.home.json(&["models", "check", "dead"], 2));
    let offline = ground.home.json(&["--offline", "models", "health"], 2);
    assert!(offline["models"].as_array().is_some_and(|list| list.iter().all(|one| one["state"] == "down")));
    // What a model of this machine can do is tried with a question of Conclave's own; nothing of the person's is sent.
    let own = json!([{ "role": "user", "content": "What is two and two? Answer as JSON." }]);
    for asked in ground.model.asked() {
        assert_eq!(asked.body["messages"], own);
    }
}

#[test]
fn a_server_on_this_machine_is_found_on_request_and_not_while_offline() {
    let ground = Ground::new();
    ground.home.write("data/settings.json", &ground.model.settings());
    let origin = format!("http://{}", ground.model.address);
    let place = |found: &Value| -> String {
        let looks = found["looked_at"].as_array().expect("a list");
        let look = looks.iter().find(|look| look["origin"] == origin.as_str()).expect("it was looked at");
        look["found"].as_str().expect("words").to_owned()
    };
    let found = ground.home.json(&["models", "discover"], 0);
    check("models-found", &found);
    assert_eq!(found["looked_at"].as_array().map(Vec::len), Some(4), "the usual places and its own: {found:#}");
    assert_eq!(place(&found), "llama.cpp");
    let offline = ground.home.json(&["--offline", "models", "discover"], 0);
    check("models-found", &offline);
    assert_eq!(offline["servers"], json!([]));
    assert!(place(&offline).contains("offline"), "{offline:#}");
    assert!(offline["remedy"].as_str().is_some_and(|words| words.contains("offline")));
    let egress = ground.home.json(&["audit", "egress", "what the server of"], 0);
    let decided = |decision: &str| {
        let rows = egress["rows"].as_array().expect("rows").iter();
        rows.filter(|row| row["decision"] == decision).count()
    };
    assert!(decided("allow") >= 4 && decided("deny") >= 4, "each look is a row: {egress:#}");
}

#[test]
fn a_server_that_wants_its_key_gets_it_on_this_machine_when_it_is_looked_for() {
    let home = Home::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    // The thread ends with the test process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
            let (status, body) = match (head.contains("authorization: bearer of-this-server\r\n"), &head) {
                (false, _) => ("401 Unauthorized", ""),
                (true, head) if head.starts_with("get /v1/models ") => ("200 OK", r#"{"data":[{"id":"guarded"}]}"#),
                (true, _) => ("404 Not Found", ""),
            };
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n{body}").as_bytes());
        }
    });
    let model =
        json!({ "name": "a", "base_url": format!("http://{address}/v1"), "model": "m", "key_env": "GUARD_KEY" });
    home.write("data/settings.json", &json!({ "models": [model] }).to_string());
    let found = |key: Option<&str>| -> Value {
        let mut command = home.command();
        command.args(["models", "discover", "--format", "json"]).envs(key.map(|key| ("GUARD_KEY", key)));
        let output = command.output().expect("it runs");
        let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let origin = format!("http://{address}");
        let servers = list["servers"].as_array().expect("a list");
        servers.iter().find(|server| server["origin"] == origin.as_str()).expect("the server").clone()
    };
    let unknown = found(None);
    assert_eq!((&unknown["wants_key"], &unknown["models"]), (&json!(true), &json!([])));
    let known = found(Some("of-this-server"));
    assert_eq!((&known["wants_key"], &known["models"][0]["id"]), (&json!(false), &json!("guarded")), "{known:#}");
}

#[test]
fn what_is_known_of_models_is_listed_with_its_day() {
    let ground = Ground::new();
    check("models-known", &ground.home.json(&["models", "known"], 0));
    let text = text(&ground.home.run(&["models", "known"]));
    for expect in [
        "claude-opus-5-5            $4.00 in, $20.00 out for a million tokens, on 2026-10-21 · context 1000000",
        "the model `claude-opus-4-20250514` was retired on 2026-06-15 and answers no more; take `claude-opus-5-5`",
        "mistral-large-latest       price unknown",
        "Google Gemini  https://generativelanguage.googleapis.com/v1beta, key in GEMINI_API_KEY",
        "Deep reasoning     claude-opus-4\n",
    ] {
        assert!(text.contains(expect), "{expect}\n{text}");
    }
}

#[test]
fn calls_are_counted_for_each_model_and_summed_up() {
    let ground = Ground::new();
    ground.home.write(
        "data/settings.json",
        &json!({
            "models": [{ "name": "mine", "base_url": ground.url(), "model": "stub", "price": { "input": 4, "output": 20 } }],
            "budget": { "per_day": 1.5 },
        })
        .to_string(),
    );
    let app = project(&ground.home);
    ground.home.json(&["scan", &app], 0);
    let id = ground.home.json(&["findings"], 0)["findings"][0]["id"].as_str().expect("an id").to_owned();
    ground.home.json(&["fix", &id], 0);
    assert!(!ground.model.asked().is_empty());

    let spending = ground.home.json(&["spending", &id], 0);
    check("spending", &spending);
    let calls = |sum: &Value| sum["calls"].as_u64().expect("a number");
    let total = calls(&spending["total"]);
    assert!(total > 0 && spending["total"]["open"] == json!(0), "{spending:#}");
    for sum in [
        &spending["today"],
        &spending["month"],
        &spending["finding"]["total"],
        &spending["models"][0]["sum"],
        &spending["models_this_month"][0]["sum"],
    ] {
        assert_eq!(calls(sum), total, "{spending:#}");
    }
    assert_eq!((&spending["models"][0]["name"], &spending["budget"]["per_day"]), (&json!("mine"), &json!(1.5)));

    let models = ground.home.json(&["models"], 0);
    check("models", &models);
    assert_eq!(calls(&models["models"][0]), total);
    let metrics = ground.home.json(&["models", "metrics"], 0);
    check("metrics", &metrics);
    assert_eq!(metrics["models"][0]["model"], json!("mine"), "{metrics:#}");
    let prometheus = text(&ground.home.run(&["models", "metrics"]));
    assert!(prometheus.contains("# TYPE") && prometheus.contains("mine"), "{prometheus}");
    check("model-removed", &ground.home.json(&["models", "remove", "mine"], 0));
    check("model-saved", &ground.home.json(&["models", "add", "b", "--url", &ground.url(), "--model", "m"], 0));
}

#[test]
fn what_is_measured_stays_on_this_machine() {
    let ground = Ground::new();
    let model = json!({ "name": "mine", "base_url": ground.url(), "model": "stub" });
    ground.home.write("data/settings.json", &json!({ "models": [model] }).to_string());
    let app = project(&ground.home);
    ground.home.json(&["scan", &app], 0);
    let id = ground.home.json(&["findings"], 0)["findings"][0]["id"].as_str().expect("an id").to_owned();
    ground.home.json(&["fix", "--all", "--apply"], 0);
    ground.home.json(&["rate", &id, "up"], 0);
    let measured = ground.home.json(&["models", "metrics"], 0);
    assert!(measured["models"][0]["model"] == "mine", "{measured:#}");
    assert_eq!(ground.home.json(&["insights"], 0)["fixes"], json!(1));

    // All that leaves is in the ledger, and it is the questions.
    let export = text(&ground.home.run(&["audit", "export"]));
    let entries = export.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let sent: Vec<Value> = entries.map(|line| line["entry"]["request"].clone()).collect();
    let sent: Vec<&Value> = sent.iter().filter(|request| request["action"] == "send_http").collect();
    let here = format!("http://{}/", ground.model.address);
    let to_model = |request: &&&Value| request["resource"].as_str().is_some_and(|to| to.starts_with(&here));
    assert!(!sent.is_empty());
    assert_eq!(sent.iter().filter(to_model).count(), sent.len(), "{sent:#?}");
    let asked: String = ground.model.asked().iter().map(|asked| asked.body.to_string()).collect();
    assert!(["metrics", "telemetry", "latency", "approval"].iter().all(|word| !asked.contains(word)), "{asked}");
}

#[test]
fn a_question_that_the_policy_holds_back_is_no_call() {
    let ground = Ground::new();
    ground.home.json(&["models", "add", "mine", "--url", &ground.url(), "--model", "stub"], 0);
    let app = project(&ground.home);
    ground.home.json(&["scan", &app], 0);
    let id = ground.home.json(&["findings"], 0)["findings"][0]["id"].as_str().expect("an id").to_owned();
    let rule = "{ id: nobody, priority: 1, action: deny, reason: not today, conditions: { actor: \"analyst:*\" } }";
    ground.home.write("data/policy.yaml", &format!("version: 1\nextends: default\nrules:\n  - {rule}\n"));
    ground.home.run(&["fix", &id]);
    let held_back = text(&ground.home.run(&["audit", "egress", "--denied"]));
    assert!(held_back.contains("nobody"), "{held_back}");
    let spending = ground.home.json(&["spending", &id], 0);
    assert_eq!((&spending["total"]["calls"], &spending["models"]), (&json!(0), &json!([])), "{spending:#}");
}

/// A worker of model files that is a script: it notes what it is told, loads, and answers nothing.
const WORKER: &str = r#"#!/bin/sh
file='"name":"Tiny","architecture":"x","parameters":2000000,"quantisation":"F16","licence":"mit","trained_context":512'
file="$file"',"chat_template":true,"size_bytes":9,"context":512,"memory_bytes":1048576'
while read -r line; do
    case "$line" in
        *'"do":"load"'*) echo load >> log; echo '{"is":"loaded","file":{'"$file"'},"sha256":"00","threads":1}' ;;
        *'"do":"inspect"'*) echo '{"is":"inspected",'"$file"'}' ;;
    esac
done
"#;

#[test]
fn a_model_file_is_loaded_on_a_word_and_before_a_client_needs_its_review() {
    use std::os::unix::fs::PermissionsExt as _;
    let ground = Ground::new();
    let (file, program) = (ground.file(), ground.home.write("worker.sh", WORKER));
    for (path, mode) in [(&file, 0o644), (&program, 0o755)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
    }
    let settings = json!({
        "local_models": [{ "name": "file", "file": file.canonicalize().expect("a file") }],
        "models": [{ "name": "mine", "base_url": ground.url(), "model": "stub" }],
        "review": { "models": ["file", "mine"] },
    });
    ground.home.write("data/settings.json", &settings.to_string());
    let doctor = text(&ground.home.run(&["doctor"]));
    let program = program.canonicalize().expect("a program");
    let run = |words: &[&str]| {
        let output = ground.home.command().env("CONCLAVE_LOCAL", &program).args(words).output().expect("it starts");
        (output.status.code(), text(&output))
    };
    let (code, said) = run(&["models", "check", "file", "--load"]);
    if said.contains("sandbox") {
        return println!("skipped: no sandbox: {said} {doctor}");
    }
    assert!(code == Some(0) && said.contains("Tiny"), "{said}");
    let log = ground.home.path("data/worker/log");
    assert_eq!(std::fs::read_to_string(&log).expect("a log"), "load\n");
    assert_eq!(run(&["models", "check", "mine", "--load"]).0, Some(0), "there is nothing to load");

    let mut rpc = Rpc::start_with(&ground.home, &[("CONCLAVE_LOCAL", program.as_os_str())]);
    let loaded = |rpc: &mut Rpc| {
        let list = rpc.call("list_models", json!({})).expect("a list");
        let of =
            |name: &str| list["models"].as_array().expect("models").iter().find(|row| row["name"] == name).cloned();
        (of("file").expect("a row")["loaded"].clone(), of("mine").expect("a row")["loaded"].clone())
    };
    assert_eq!(loaded(&mut rpc), (json!(false), Value::Null));
    rpc.call("start_model", json!({ "model": "file" })).expect("it loads");
    assert_eq!(loaded(&mut rpc).0, json!(true));
    rpc.call("stop_model", json!({ "model": "file" })).expect("it is let go");
    assert_eq!(loaded(&mut rpc).0, json!(false));
    rpc.call("start_model", json!({ "model": "nobody" })).expect_err("there is none");

    // A client's first call, which the policy settles by itself.
    std::fs::remove_file(&log).expect("removed");
    let mut server = ground.home.command();
    server.arg("mcp").env("CONCLAVE_LOCAL", &program).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut server = server.spawn().expect("conclave starts");
    let hello =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
    let call = json!({ "name": "evaluate_tool_request", "arguments": { "tool_name": "Rest" } });
    for (id, method, params) in [(0, "initialize", hello), (1, "tools/call", call)] {
        let line = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        writeln!(server.stdin.as_mut().expect("its input"), "{line}").expect("written");
    }
    while std::fs::read_to_string(&log).unwrap_or_default().is_empty() {
        assert!(server.try_wait().expect("its state").is_none(), "it ended");
        std::thread::yield_now();
    }
    server.kill().and_then(|()| server.wait()).expect("it ends");
}
