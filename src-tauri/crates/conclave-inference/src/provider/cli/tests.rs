//! What each program is told and how its words are read, without running any.

use std::path::Path;
use std::time::Duration;

use conclave_core::settings::{CliKind, CliSetting};
use conclave_effects::Exit;
use serde_json::{Value, json};

use super::program::{Asked, Offered, Plan, Ran, Said, of};
use crate::error::AskError;
use crate::request::ModelRequest;
use crate::tools::ToolOffer;

/// How a program is asked by a setting with a hostile model's name.
fn plan(kind: CliKind, schema: Option<Value>) -> Plan {
    plan_with(kind, schema, &[])
}

/// The same with these tools, five times in all.
fn plan_with(kind: CliKind, schema: Option<Value>, offers: &[ToolOffer]) -> Plan {
    let text = json!({ "name": "x", "type": "generic", "model": "--evil=1", "args": ["--model", "{model}"] });
    let setting: CliSetting = serde_json::from_value(text).expect("a setting");
    let request = ModelRequest {
        system: String::new(),
        user: "--dangerously-skip-permissions".to_owned(),
        max_tokens: 7,
        schema,
        schema_name: "s".to_owned(),
        sample: 0,
    };
    let url = Some("https://model.example/\"v1");
    let left = Duration::from_secs(9);
    (of(kind).plan)(&Asked {
        setting: &setting,
        request: &request,
        system: "Obey.",
        url,
        by_login: false,
        most: None,
        left,
        offered: (!offers.is_empty()).then_some(Offered { offers, most_calls: 5, guest: Path::new("/opt/conclave") }),
    })
}

#[test]
fn with_tools_claude_code_has_one_server_and_leave_for_its_tools_alone() {
    let offer = |name: &str| ToolOffer {
        name: name.to_owned(),
        description: String::new(),
        schema: json!({ "type": "object" }),
    };
    let plan = plan_with(CliKind::Claude, Some(json!({ "type": "object" })), &[offer("cwe"), offer("read_graph")]);
    let has = |word: &str| assert!(plan.args.iter().any(|arg| arg == word), "{word}: {:?}", plan.args);
    has("--allowedTools=mcp__conclave__cwe,mcp__conclave__read_graph");
    has("--mcp-config=/home/conclave/servers.json");
    has("--strict-mcp-config");
    has("--max-turns=8");
    assert!(plan.args.windows(2).any(|two| two == ["--tools", ""]), "built-in tools are off: {:?}", plan.args);
    assert!(!plan.args.iter().any(|arg| arg == "--disallowedTools"), "{:?}", plan.args);
    let (_, servers) = plan.files.iter().find(|(path, _)| path == "servers.json").expect("its servers");
    let ours = json!({
        "type": "stdio", "command": "/opt/conclave", "args": ["relay-guest", "lines"], "env": {},
    });
    assert_eq!(serde_json::from_str::<Value>(servers).expect("JSON"), json!({ "mcpServers": { "conclave": ours } }));
}

#[test]
fn each_program_is_told_what_it_may_not_do() {
    let told = |kind, schema: bool| plan(kind, schema.then(|| json!({ "type": "object" })));
    let has = |plan: &Plan, words: &[&str]| {
        assert!(plan.args.windows(words.len()).any(|window| window == words), "{words:?}: {:?}", plan.args);
    };
    let claude = told(CliKind::Claude, true);
    for words in [
        ["--output-format", "json"].as_slice(),
        &["--tools", ""],
        &["--disallowedTools", "mcp__*"],
        &["--strict-mcp-config"],
        &["--permission-mode", "dontAsk"],
        &["--settings", r#"{"disableAllHooks":true}"#],
        &["--no-session-persistence"],
        &["--max-turns=3"],
        &["--json-schema={\"type\":\"object\"}"],
        &["--model=--evil=1"],
    ] {
        has(&claude, words);
    }
    let codex = told(CliKind::Codex, true);
    for words in [
        ["--sandbox", "read-only"].as_slice(),
        &["--ephemeral"],
        &["--ignore-user-config"],
        &["--ignore-rules"],
        &["--disable", "shell_tool"],
        &["-c", "web_search=\"disabled\""],
        &["--model=--evil=1"],
        &["--output-schema=/home/conclave/schema.json", "-"],
    ] {
        has(&codex, words);
    }
    let provider = codex.args.iter().find(|word| word.starts_with("model_providers.")).expect("its server");
    assert!(provider.contains(r#"base_url="https://model.example/\"v1","#), "{provider}");
    let gemini = told(CliKind::Gemini, true);
    for words in [
        ["--approval-mode", "plan"].as_slice(),
        &["-e", "none"],
        &["--allowed-mcp-server-names", "none"],
        &["--admin-policy=/home/conclave/policy.toml"],
        &["--model=--evil=1"],
    ] {
        has(&gemini, words);
    }
    assert!(gemini.files.iter().any(|(path, text)| path == "policy.toml" && text.contains("decision = \"deny\"")));
    let generic = told(CliKind::Generic, false);
    assert_eq!(generic.args, ["--model", "--evil=1"]);
    for (plan, held) in [(&claude, true), (&codex, true), (&gemini, false), (&generic, false)] {
        assert!(plan.input.ends_with("--dangerously-skip-permissions"), "the question is on standard input");
        assert!(!plan.args.iter().any(|word| word.contains("skip-permissions")), "{:?}", plan.args);
        assert_eq!(plan.is_held, held);
    }
}

fn read(kind: CliKind, status: Exit, stdout: &str, stderr: &str) -> Result<Said, AskError> {
    let program = of(kind);
    (program.read)(&Ran { program, status, stdout, stderr }).map_err(|unsaid| unsaid.0)
}

fn word(said: &Result<Said, AskError>) -> String {
    match said {
        Ok(Said { refused: Some(why), .. }) => format!("refused {why}"),
        Ok(said) => said.text.clone(),
        Err(error) => error.kind().to_owned(),
    }
}

#[test]
fn what_claude_code_prints_is_an_answer_or_a_typed_error() {
    let result = |more: Value| {
        let mut all = json!({ "type": "result", "subtype": "success", "is_error": false, "unknown": 1 });
        all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        all.to_string()
    };
    let failed =
        |status: Value, words: &str| result(json!({ "is_error": true, "api_error_status": status, "result": words }));
    for (code, stdout, expect) in [
        (0, result(json!({ "result": "yes" })), "yes"),
        (0, result(json!({ "result": "said", "structured_output": { "a": 1 } })), "{\"a\":1}"),
        (0, result(json!({ "result": "I will not", "stop_reason": "refusal" })), "refused I will not"),
        (0, result(json!({ "result": "half", "stop_reason": "max_tokens" })), "truncated"),
        // JSON, and then a crash.
        (1, result(json!({ "result": "yes" })), "ended"),
        (1, failed(json!(401), "no"), "unauthorised"),
        (1, failed(json!(429), "no"), "rate_limited"),
        (1, failed(json!(400), "Your credit balance is too low"), "no_money"),
        (1, failed(json!(400), "prompt is too long: 9 tokens"), "too_long"),
        (1, failed(json!(404), "no"), "not_found"),
        (1, failed(json!(500), "no"), "server"),
        (1, failed(json!(529), "no"), "overloaded"),
        (1, failed(Value::Null, "Not logged in · Please run /login"), "unauthorised"),
        (1, result(json!({ "subtype": "error_max_turns" })), "wrong_form"),
        (1, result(json!({ "subtype": "error_max_structured_output_retries" })), "wrong_form"),
        (1, result(json!({ "subtype": "error_max_budget_usd" })), "over_budget"),
        (1, result(json!({ "subtype": "error_during_execution", "errors": ["x"] })), "ended"),
        (0, "no JSON".to_owned(), "malformed"),
        (0, r#"{"type":"assistant"}"#.to_owned(), "malformed"),
        (0, r#"{"type":"result","content":"yes"#.to_owned(), "malformed"),
        (1, "Invalid API key · Please run /login".to_owned(), "unauthorised"),
        (1, String::new(), "ended"),
    ] {
        assert_eq!(word(&read(CliKind::Claude, Exit::Code(code), &stdout, "")), expect, "{code} {stdout}");
    }
    let old = read(CliKind::Claude, Exit::Code(1), "", "error: unknown option '--strict-mcp-config'");
    assert!(old.is_err_and(|error| error.to_string().contains("2.1.240 or newer")));
}

#[test]
fn what_codex_prints_is_an_answer_or_a_typed_error() {
    let said = r#"{"type":"item.completed","item":{"type":"agent_message","text":"yes"}}"#;
    let done = r#"{"type":"turn.completed","usage":{"input_tokens":5,"cached_input_tokens":3,"output_tokens":2}}"#;
    let failed = |words: &str| json!({ "type": "turn.failed", "error": { "message": words } }).to_string();
    for (code, stdout, expect) in [
        (0, format!("noise\n{said}\n{done}\n"), "yes"),
        (0, format!("{said}\n"), "malformed"),
        (0, format!("{done}\n"), "empty"),
        (1, format!("{said}\n{done}\n"), "ended"),
        (1, failed("unexpected status 401 Unauthorized: no"), "unauthorised"),
        (1, failed("exceeded retry limit, last status: 429 Too Many Requests"), "rate_limited"),
        (1, failed("We\u{2019}re currently experiencing high demand"), "overloaded"),
        (1, failed("Your input exceeds the context window"), "too_long"),
        (1, failed("You've hit your usage limit."), "rate_limited"),
        (1, failed("stream disconnected"), "ended"),
        (1, String::new(), "ended"),
    ] {
        assert_eq!(word(&read(CliKind::Codex, Exit::Code(code), &stdout, "")), expect, "{code} {stdout}");
    }
}

#[test]
fn what_gemini_cli_prints_is_an_answer_or_a_typed_error() {
    let answer = r#"{"response":"yes","stats":{"models":{"m":{"tokens":{"prompt":5,"candidates":2,"thoughts":1}}}}}"#;
    let failed = r#"{"error":{"type":"Error","message":"no","code":1}}"#;
    for (status, stdout, stderr, expect) in [
        (Exit::Code(0), answer, "", "yes"),
        (Exit::Code(0), "yes", "", "malformed"),
        (Exit::Code(0), "{}", "", "empty"),
        (Exit::Code(41), "", failed, "unauthorised"),
        (Exit::Code(53), "", failed, "wrong_form"),
        // A status of the server as far as it fits into an exit code, which reads as a signal.
        (Exit::Signal(145 - 128), "", failed, "unauthorised"),
        (Exit::Signal(173 - 128), "", failed, "rate_limited"),
        (Exit::Signal(148 - 128), "", "Error\n    at call { x }", "not_found"),
        (Exit::Code(244), "", failed, "server"),
        (Exit::Signal(17), "", "", "ended"),
        (Exit::Signal(9), "", "", "ended"),
        (Exit::Code(1), "", "Unknown argument: admin-policy", "not_installed"),
    ] {
        assert_eq!(word(&read(CliKind::Gemini, status, stdout, stderr)), expect, "{status:?} {stdout} {stderr}");
    }
}
