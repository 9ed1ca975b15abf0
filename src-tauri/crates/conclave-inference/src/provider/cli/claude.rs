//! Claude Code.
//!
//! It has no switch that turns off everything, so it is held back one by one: no built-in tools, no MCP server, nobody
//! to ask for leave, no hooks, no settings of a project, no session kept. What is left of the person's own is not there,
//! because its home is empty. Where its model may use tools it has exactly one MCP server, which is Conclave's, and leave
//! for exactly the tools that this offers.

use conclave_core::settings::CliKind;
use conclave_effects::agent::{AGENT_HOME, guest};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::program::{Asked, Login, Offered, Plan, Program, Ran, SYSTEM_FILE, Said, Unsaid, dollars, of_status};
use super::server;
use crate::answer::Usage;
use crate::error::AskError;

pub(super) static PROGRAM: Program = Program {
    kind: CliKind::Claude,
    title: "Claude Code",
    command: "claude",
    install: "install it with `npm install -g @anthropic-ai/claude-code`, or name it in the settings",
    oldest: (2, 1, 240),
    url: "https://api.anthropic.com",
    wants_url: false,
    login: Some(Login { file: ".claude/.credentials.json", url: "https://api.anthropic.com" }),
    has_schema: true,
    has_tools: true,
    counts: true,
    // What it reads from its input is limited to ten megabytes.
    most_input: 9_000_000,
    memory_bytes: 8 << 30,
    plan,
    read,
};

/// Turns for an answer in a schema: it takes one more to hand it over, and one to mend it.
const TURNS: u64 = 3;

/// The file in its home that names its servers.
const SERVERS_FILE: &str = "servers.json";

/// The longest answer of a tool that it gives its model whole, in tokens; Conclave has cut them before.
const MOST_OF_A_TOOL: u32 = 200_000;

fn plan(asked: &Asked<'_>) -> Plan {
    let own = if asked.request.schema.is_some() { TURNS } else { 1 };
    let turns = own + asked.offered.map_or(0, |offered| u64::from(offered.most_calls));
    let left = asked.left.as_millis().to_string();
    let fixed = [
        "-p",
        "--output-format",
        "json",
        "--tools",
        "",
        "--strict-mcp-config",
        "--permission-mode",
        "dontAsk",
        "--setting-sources",
        "user",
        "--settings",
        r#"{"disableAllHooks":true}"#,
        "--no-session-persistence",
    ];
    let mut args: Vec<String> = fixed.map(str::to_owned).into();
    // With `=`, so that no value is taken for a flag.
    args.push(format!("--max-turns={turns}"));
    match &asked.offered {
        Some(offered) => {
            args.push(format!("--mcp-config={AGENT_HOME}/{SERVERS_FILE}"));
            args.push(format!("--allowedTools={}", names(offered)));
        }
        None => args.extend(["--disallowedTools", "mcp__*"].map(str::to_owned)),
    }
    // With tools it is the sum for all turns already.
    let times = if asked.offered.is_some() { 1 } else { turns };
    if let Some(most) = asked.most.and_then(|most| most.micros().checked_mul(times)) {
        args.push(format!("--max-budget-usd={}.{:06}", most / 1_000_000, most % 1_000_000));
    }
    let system = asked.system_file();
    if system.is_some() {
        args.push(format!("--system-prompt-file={AGENT_HOME}/{SYSTEM_FILE}"));
    }
    if let Some(schema) = &asked.request.schema {
        args.push(format!("--json-schema={schema}"));
    }
    if let Some(model) = &asked.setting.model {
        args.push(format!("--model={model}"));
    }
    let mut env = vec![
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC".to_owned(), "1".to_owned()),
        ("CLAUDE_CODE_MAX_RETRIES".to_owned(), "0".to_owned()),
        ("CLAUDE_CODE_MAX_OUTPUT_TOKENS".to_owned(), asked.request.max_tokens.to_string()),
        ("API_TIMEOUT_MS".to_owned(), left.clone()),
    ];
    if asked.offered.is_some() {
        // It begins once it knows the tools, knows them all from the beginning, and waits for them as long as for itself.
        let with_tools = [
            ("MCP_CONNECTION_NONBLOCKING", "false".to_owned()),
            ("ENABLE_TOOL_SEARCH", "false".to_owned()),
            ("MCP_TIMEOUT", left.clone()),
            ("MCP_TOOL_TIMEOUT", left),
            ("MAX_MCP_OUTPUT_TOKENS", MOST_OF_A_TOOL.to_string()),
        ];
        env.extend(with_tools.map(|(name, value)| (name.to_owned(), value)));
    }
    let servers = asked.offered.as_ref().map(|offered| (SERVERS_FILE.to_owned(), servers(offered)));
    env.extend(asked.url.map(|url| ("ANTHROPIC_BASE_URL".to_owned(), url.to_owned())));
    Plan {
        args,
        env,
        key_name: "ANTHROPIC_API_KEY".to_owned(),
        files: system.into_iter().chain(servers).collect(),
        input: asked.request.user.clone(),
        is_held: asked.request.schema.is_some(),
    }
}

/// The names that the tools have in it.
fn names(offered: &Offered<'_>) -> String {
    let names = offered.offers.iter().map(|offer| format!("mcp__{}__{}", server::NAME, offer.name));
    names.collect::<Vec<_>>().join(",")
}

/// Its list of servers, with ours as the only one.
fn servers(offered: &Offered<'_>) -> String {
    let args = [guest::SUBCOMMAND, guest::LINES];
    let ours = json!({ "type": "stdio", "command": offered.guest.to_string_lossy(), "args": args, "env": {} });
    json!({ "mcpServers": { server::NAME: ours } }).to_string()
}

/// The one object that it prints; unknown fields are its own affair.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Printed {
    r#type: String,
    subtype: String,
    is_error: bool,
    api_error_status: Option<u16>,
    result: Option<String>,
    structured_output: Option<Value>,
    errors: Vec<Value>,
    stop_reason: Option<String>,
    usage: Option<Tokens>,
    total_cost_usd: Option<f64>,
    #[serde(rename = "modelUsage")]
    models: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        let read = tokens.input_tokens.saturating_add(tokens.cache_creation_input_tokens);
        Self {
            input_tokens: read.saturating_add(tokens.cache_read_input_tokens),
            output_tokens: tokens.output_tokens,
            cached_tokens: tokens.cache_read_input_tokens,
            reasoning_tokens: 0,
        }
    }
}

fn read(ran: &Ran<'_>) -> Result<Said, Unsaid> {
    let printed = serde_json::from_str::<Printed>(ran.stdout.trim()).ok().filter(|it| it.r#type == "result");
    let Some(printed) = printed else {
        let lower = ran.stdout.to_lowercase();
        let is_login =
            ["invalid api key", "please run /login", "not logged in"].iter().any(|sign| lower.contains(sign));
        let error = match ran.is_well() {
            _ if is_login => AskError::Unauthorised,
            true => AskError::malformed("what it printed is no result of Claude Code"),
            false => ran.ended(""),
        };
        return Err(Box::new((error, None, None)));
    };
    let usage = printed.usage.map(Usage::from);
    let cost = printed.total_cost_usd.and_then(dollars);
    let mut models = printed.models.keys();
    let model = models.next().filter(|_| printed.models.len() == 1).cloned();
    let fail = |error: AskError| Err(Box::new((error, usage, cost)));
    let words = printed.result.clone().unwrap_or_else(|| {
        let words = printed.errors.iter().map(|error| error.as_str().map_or_else(|| error.to_string(), str::to_owned));
        words.collect::<Vec<_>>().join("; ")
    });
    let wrong_form = |why: &str| AskError::WrongForm { why: why.to_owned() };
    match printed.subtype.as_str() {
        "error_max_turns" => return fail(wrong_form("the model took more turns than an answer needs")),
        "error_max_structured_output_retries" => return fail(wrong_form("the model did not keep to the schema")),
        "error_max_budget_usd" => {
            return fail(AskError::OverBudget("Claude Code reached the limit for one question".to_owned()));
        }
        _ => {}
    }
    if printed.is_error {
        let lower = words.to_lowercase();
        return fail(match printed.api_error_status {
            Some(status) => of_status(status, &words, model.as_deref()),
            None if lower.contains("/login") || lower.contains("api key") => AskError::Unauthorised,
            None => ran.ended(&words),
        });
    }
    if printed.subtype != "success" || !ran.is_well() {
        return fail(ran.ended(&words));
    }
    match printed.stop_reason.as_deref() {
        Some("max_tokens") => return fail(AskError::Truncated),
        Some("model_context_window_exceeded") => return fail(AskError::TooLong),
        Some("refusal") => return Ok(Said { refused: Some(words), usage, cost, model, ..Said::default() }),
        _ => {}
    }
    let structured = printed.structured_output.filter(|value| !value.is_null()).map(|value| value.to_string());
    let is_enforced = structured.is_some();
    Ok(Said { text: structured.unwrap_or(words), is_enforced, refused: None, usage, cost, model })
}
