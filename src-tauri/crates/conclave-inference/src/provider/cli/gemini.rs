//! Gemini CLI.
//!
//! Its tools are taken away by a policy that denies each of them before any other rule; MCP servers and extensions are
//! named away. It knows no schema, so the answer's form is asked for in the question and looked at here.

use conclave_core::settings::CliKind;
use conclave_effects::Exit;
use conclave_effects::agent::AGENT_HOME;
use serde_json::{Value, json};

use super::program::{Asked, Login, Plan, Program, Ran, SYSTEM_FILE, Said, Unsaid, of_status, status_in};
use crate::answer::Usage;
use crate::error::AskError;

pub(super) static PROGRAM: Program = Program {
    kind: CliKind::Gemini,
    title: "Gemini CLI",
    command: "gemini",
    install: "install it with `npm install -g @google/gemini-cli`, or name it in the settings",
    oldest: (0, 61, 0),
    url: "https://generativelanguage.googleapis.com",
    wants_url: false,
    login: Some(Login { file: ".gemini/oauth_creds.json", url: "https://cloudcode-pa.googleapis.com" }),
    has_schema: false,
    has_tools: false,
    counts: true,
    // It cuts what is longer than eight megabytes.
    most_input: 8_000_000,
    memory_bytes: 4 << 30,
    plan,
    read,
};

/// The file in its home with its policy.
const POLICY_FILE: &str = "policy.toml";

/// What it may do: nothing.
const POLICY: &str = "[[rule]]\ntoolName = \"*\"\ndecision = \"deny\"\npriority = 999\n";

fn plan(asked: &Asked<'_>) -> Plan {
    let fixed = [
        "-p",
        "",
        "--output-format",
        "json",
        "--approval-mode",
        "plan",
        "--skip-trust",
        "-e",
        "none",
        "--allowed-mcp-server-names",
        "none",
    ];
    let mut args: Vec<String> = fixed.map(str::to_owned).into();
    args.push(format!("--admin-policy={AGENT_HOME}/{POLICY_FILE}"));
    if let Some(model) = &asked.setting.model {
        args.push(format!("--model={model}"));
    }
    let auth = if asked.by_login { "oauth-personal" } else { "gemini-api-key" };
    let settings = json!({
        "security": { "auth": { "selectedType": auth } },
        "general": { "maxAttempts": 1, "enableAutoUpdate": false },
        "privacy": { "usageStatisticsEnabled": false },
        "hooksConfig": { "enabled": false },
        "model": { "maxSessionTurns": 2 },
    });
    let mut files =
        vec![(".gemini/settings.json".to_owned(), settings.to_string()), (POLICY_FILE.to_owned(), POLICY.to_owned())];
    let mut env = vec![
        ("GEMINI_CLI_HOME".to_owned(), AGENT_HOME.to_owned()),
        // Else it starts itself once more.
        ("GEMINI_CLI_NO_RELAUNCH".to_owned(), "true".to_owned()),
    ];
    if let Some(system) = asked.system_file() {
        files.push(system);
        env.push(("GEMINI_SYSTEM_MD".to_owned(), format!("{AGENT_HOME}/{SYSTEM_FILE}")));
    }
    env.extend(asked.url.map(|url| ("GOOGLE_GEMINI_BASE_URL".to_owned(), url.to_owned())));
    Plan { args, env, key_name: "GEMINI_API_KEY".to_owned(), files, input: asked.request.user.clone(), is_held: false }
}

fn read(ran: &Ran<'_>) -> Result<Said, Unsaid> {
    let object = |output: &str| {
        let start = output.find('{')?;
        serde_json::from_str::<Value>(output[start..].trim()).ok()
    };
    // Above 128 it may be a status of the server, which a signal's number looks like.
    let code = match ran.status {
        Exit::Code(code) => code,
        Exit::Signal(signal) => 128 + signal,
        Exit::TimedOut => 0,
    };
    if code != 0 {
        let said = object(ran.stderr).or_else(|| object(ran.stdout));
        let words = said.as_ref().and_then(|said| said["error"]["message"].as_str());
        // No signal from 16 on ends a program that had anything to say.
        let is_status = code >= 144 && !ran.stderr.trim().is_empty();
        let error = match words {
            Some(words) => failed(ran, code, words),
            None if is_status => failed(ran, code, ran.words()),
            None if code < 128 => failed(ran, code, ""),
            None => ran.ended(""),
        };
        return Err(Box::new((error, None, None)));
    }
    let Some(said) = object(ran.stdout).filter(|_| ran.is_well()) else {
        let error = match ran.is_well() {
            true => AskError::malformed("what it printed is no result of Gemini CLI"),
            false => ran.ended(""),
        };
        return Err(Box::new((error, None, None)));
    };
    let (usage, model) = tokens(&said["stats"]["models"]);
    if let Some(words) = said["error"]["message"].as_str() {
        return Err(Box::new((ran.ended(words), usage, None)));
    }
    match said["response"].as_str() {
        Some(text) => Ok(Said { text: text.to_owned(), usage, model, ..Said::default() }),
        None => Err(Box::new((AskError::Empty, usage, None))),
    }
}

/// Its exit codes; for what a server says, the status without what does not fit into one.
fn failed(ran: &Ran<'_>, code: i32, words: &str) -> AskError {
    let status = u16::try_from(code + 256).ok().filter(|status| (400..512).contains(status));
    match (code, status.or_else(|| status_in(words))) {
        (41, _) => AskError::Unauthorised,
        (53, _) => AskError::WrongForm { why: "the model took more turns than an answer needs".to_owned() },
        // 500 to 599 less 512 would be codes of its own.
        (_, Some(status)) => of_status(status, words, None),
        _ => ran.ended(words),
    }
}

/// What all models together used, and the one that it was, if it was one.
fn tokens(models: &Value) -> (Option<Usage>, Option<String>) {
    let Some(models) = models.as_object().filter(|models| !models.is_empty()) else { return (None, None) };
    let sum = |name: &str| models.values().filter_map(|model| model["tokens"][name].as_u64()).sum::<u64>();
    let thoughts = sum("thoughts");
    let usage = Usage {
        input_tokens: sum("prompt"),
        output_tokens: sum("candidates").saturating_add(thoughts),
        cached_tokens: sum("cached"),
        reasoning_tokens: thoughts,
    };
    let mut names = models.keys();
    (Some(usage), names.next().filter(|_| models.len() == 1).cloned())
}
