//! Codex.
//!
//! It has no switch for *no tools*; each of its features that is one is turned off by name, and its own sandbox allows
//! reading at most. It is inside ours, with nothing to read.

use conclave_core::settings::CliKind;
use conclave_effects::agent::AGENT_HOME;
use serde_json::Value;

use super::program::{Asked, Login, Plan, Program, Ran, SCHEMA_FILE, Said, Unsaid, of_status, status_in};
use crate::answer::Usage;
use crate::error::AskError;

pub(super) static PROGRAM: Program = Program {
    kind: CliKind::Codex,
    title: "Codex",
    command: "codex",
    install: "install it with `npm install -g @openai/codex`, or name it in the settings",
    oldest: (0, 169, 0),
    url: "https://api.openai.com/v1",
    wants_url: true,
    login: Some(Login { file: ".codex/auth.json", url: "https://chatgpt.com" }),
    has_schema: true,
    has_tools: false,
    counts: true,
    // It refuses more than 2^20 characters.
    most_input: 1 << 20,
    memory_bytes: 4 << 30,
    plan,
    read,
};

/// Features by which a model could do something.
const FEATURES: [&str; 13] = [
    "shell_tool",
    "unified_exec",
    "view_image",
    "apps",
    "multi_agent",
    "goals",
    "plugins",
    "remote_plugin",
    "hooks",
    "image_generation",
    "skill_search",
    "tool_suggest",
    "sleep_tool",
];

/// The variable for the key.
const KEY: &str = "CONCLAVE_MODEL_KEY";

fn plan(asked: &Asked<'_>) -> Plan {
    let fixed = [
        "exec",
        "--json",
        "--sandbox",
        "read-only",
        "--ephemeral",
        "--skip-git-repo-check",
        "--ignore-user-config",
        "--ignore-rules",
    ];
    let mut args: Vec<String> = fixed.map(str::to_owned).into();
    args.extend(FEATURES.iter().flat_map(|name| ["--disable".to_owned(), (*name).to_owned()]));
    let mut set = vec![
        r#"web_search="disabled""#.to_owned(),
        "project_doc_max_bytes=0".to_owned(),
        "analytics.enabled=false".to_owned(),
        "check_for_update_on_startup=false".to_owned(),
        r#"approval_policy="never""#.to_owned(),
    ];
    if let (Some(url), false) = (asked.url, asked.by_login) {
        set.push(r#"model_provider="conclave""#.to_owned());
        // A JSON text is one of TOML too.
        set.push(format!(
            r#"model_providers.conclave={{name="conclave",base_url={},wire_api="responses",env_key="{KEY}",request_max_retries=0,stream_max_retries=0}}"#,
            Value::from(url)
        ));
    }
    args.extend(set.into_iter().flat_map(|value| ["-c".to_owned(), value]));
    if let Some(model) = &asked.setting.model {
        args.push(format!("--model={model}"));
    }
    let schema = asked.schema_file();
    if schema.is_some() {
        args.push(format!("--output-schema={AGENT_HOME}/{SCHEMA_FILE}"));
    }
    // The question is on standard input.
    args.push("-".to_owned());
    Plan {
        args,
        env: Vec::new(),
        key_name: KEY.to_owned(),
        is_held: schema.is_some(),
        files: schema.into_iter().collect(),
        input: asked.all(),
    }
}

fn read(ran: &Ran<'_>) -> Result<Said, Unsaid> {
    let (mut text, mut usage, mut failure, mut is_complete) = (None, None, None, false);
    for line in ran.stdout.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        match event["type"].as_str() {
            Some("item.completed") if event["item"]["type"] == "agent_message" => {
                text = event["item"]["text"].as_str().map(str::to_owned);
            }
            Some("turn.completed") => {
                is_complete = true;
                usage = Some(tokens(&event["usage"]));
            }
            Some("turn.failed") => failure = event["error"]["message"].as_str().map(str::to_owned),
            Some("error") if failure.is_none() => failure = event["message"].as_str().map(str::to_owned),
            _ => {}
        }
    }
    match (text, failure) {
        (Some(text), _) if is_complete && ran.is_well() => {
            Ok(Said { text, is_enforced: true, usage, ..Said::default() })
        }
        (None, None) if is_complete && ran.is_well() => Err(Box::new((AskError::Empty, usage, None))),
        (_, Some(words)) => Err(Box::new((failed(ran, &words), usage, None))),
        (_, None) if ran.is_well() => {
            Err(Box::new((AskError::malformed("what it printed is no complete turn of Codex"), usage, None)))
        }
        (_, None) => Err(Box::new((ran.ended(""), usage, None))),
    }
}

fn failed(ran: &Ran<'_>, words: &str) -> AskError {
    let lower = words.to_lowercase();
    if lower.contains("usage limit") {
        return AskError::RateLimited { retry_after: None };
    }
    if lower.contains("context window") {
        return AskError::TooLong;
    }
    // In place of every status of a server that failed.
    if lower.contains("high demand") {
        return AskError::Overloaded { retry_after: None };
    }
    match status_in(words) {
        Some(status) => of_status(status, words, None),
        None if lower.contains("quota exceeded") => AskError::NoMoney,
        None => ran.ended(words),
    }
}

fn tokens(usage: &Value) -> Usage {
    let count = |name: &str| usage[name].as_u64().unwrap_or_default();
    Usage {
        input_tokens: count("input_tokens"),
        output_tokens: count("output_tokens"),
        cached_tokens: count("cached_input_tokens"),
        reasoning_tokens: count("reasoning_output_tokens"),
    }
}
