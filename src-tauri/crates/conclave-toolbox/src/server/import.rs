//! Servers that another client's configuration names: `mcpServers` as most have it, OpenCode's and VS Code's forms, and
//! Codex' TOML.
//!
//! Pure. Invariant: no secret comes along: a value that is one, or whose name says so, is left out and said to belong into
//! the keychain; and nothing comes along that fetches a program when it is started.

use conclave_core::settings::{McpServer, ToolKind};
use conclave_policy::secret::scan;
use serde_json::{Map, Value};

use super::command::fetching;
use super::name::server_name;

/// Largest configuration, in bytes.
const LARGEST: usize = 1 << 20;
/// Most servers in one.
const MOST: usize = 100;

/// A server that a configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its name, as far as it can be one.
    pub name: String,
    /// The setting; `None` where it cannot be one.
    pub setting: Option<McpServer>,
    /// What was changed, left out or cannot be, in sentences.
    pub remarks: Vec<String>,
}

/// Reads the servers of a configuration, JSON or TOML.
///
/// # Errors
/// It is none, in words.
pub fn read(text: &str) -> Result<Vec<Imported>, String> {
    if text.len() > LARGEST {
        return Err(format!("it is larger than {} KiB", LARGEST / 1024));
    }
    let root: Value = match serde_json::from_str(text) {
        Ok(root) => root,
        Err(json) => {
            toml::from_str(text).map_err(|toml| format!("it is neither JSON ({json}) nor TOML ({})", toml.message()))?
        }
    };
    let Some((form, servers)) = ["mcpServers", "mcp_servers", "servers", "mcp"]
        .into_iter()
        .find_map(|key| Some((key, root.get(key)?.as_object()?)))
    else {
        return Err("it names no servers: none of `mcpServers`, `mcp_servers`, `servers` or `mcp` is in it".to_owned());
    };
    // Newer forms of VS Code's settings have the list one level deeper.
    let servers = servers.get("servers").and_then(Value::as_object).filter(|_| form == "mcp").unwrap_or(servers);
    if servers.len() > MOST {
        return Err(format!("it names more than {MOST} servers"));
    }
    Ok(servers.iter().map(|(name, value)| one(name, value)).collect())
}

fn one(name: &str, value: &Value) -> Imported {
    let mut remarks = Vec::new();
    let name = fitting(name, &mut remarks);
    let setting = match (server_name(&name), value.as_object()) {
        (Err(why), _) => Err(why),
        (Ok(()), None) => Err("it is no object".to_owned()),
        (Ok(()), Some(entry)) => setting(&name, entry, &mut remarks),
    };
    let setting = setting.map_err(|why| remarks.push(sentence(&why))).ok();
    Imported { name, setting, remarks }
}

/// The name as a server's can be: Conclave's own are left alone, and what is no letter, digit or hyphen becomes `-`.
fn fitting(name: &str, remarks: &mut Vec<String>) -> String {
    let own = |name: &str| ["thinking", "memory", "intelligence"].contains(&name.to_ascii_lowercase().as_str());
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(32).collect();
    let plain = plain.replace("__", "_");
    let fit = if own(&plain) { format!("{plain}-server") } else { plain };
    if fit != name {
        remarks.push(format!("`{}` is called `{fit}` here.", name.escape_default()));
    }
    fit
}

fn setting(name: &str, entry: &Map<String, Value>, remarks: &mut Vec<String>) -> Result<McpServer, String> {
    let mut setting = McpServer { enabled: !turned_off(entry), ..McpServer::default() };
    if let Some(millis) = entry.get("timeout").and_then(Value::as_u64).filter(|millis| *millis >= 1000) {
        setting.timeout_ms = millis;
    }
    let url = ["url", "serverUrl", "httpUrl"].into_iter().find_map(|key| entry.get(key)?.as_str());
    match (words(entry.get("command")), url) {
        (Some(mut command), None) => {
            command.extend(words(entry.get("args")).unwrap_or_default());
            let program = (!command.is_empty()).then(|| command.remove(0)).ok_or("its command is empty")?;
            started(&mut setting, program, command, remarks);
        }
        (None, Some(url)) => {
            if matches!(entry.get("type").and_then(Value::as_str), Some("sse" | "ws")) {
                return Err("it is reached by a transport that is being withdrawn; its provider names a newer address"
                    .to_owned());
            }
            setting.url = Some(url.to_owned());
        }
        _ => return Err("it names neither a command nor an address, or both".to_owned()),
    }
    if let Some(word) = setting.args.iter().find(|word| is_secret(word)) {
        let start: String = word.chars().take(4).collect();
        return Err(format!(
            "there is a secret among its arguments (`{start}\u{2026}`); keep it in the keychain instead"
        ));
    }
    let environment = ["env", "environment"].into_iter().find_map(|key| entry.get(key)?.as_object());
    for (variable, value) in environment.into_iter().flatten() {
        variables(&mut setting, variable, value, remarks);
    }
    let headers = ["headers", "http_headers"].into_iter().find_map(|key| entry.get(key)?.as_object());
    for (header, _) in headers.into_iter().flatten() {
        match header.eq_ignore_ascii_case("authorization") {
            true => {
                setting.key = Some("Authorization".to_owned());
                remarks.push("Its key is not taken over: `conclave keys set` keeps it for its host.".to_owned());
            }
            false => remarks.push(format!("The header `{}` is not taken over.", header.escape_default())),
        }
    }
    if let Some(variable) = entry.get("bearer_token_env_var").and_then(Value::as_str) {
        setting.key = Some("Authorization".to_owned());
        remarks.push(format!("The key in `{variable}` is not taken over: `conclave keys set` keeps it for its host."));
    }
    kinds(name, &mut setting);
    if setting.key.is_some() && setting.command.is_some() && setting.reaches.is_none() {
        setting.enabled = false;
        remarks.push("It is turned off until `reaches` says which host it and its key are for.".to_owned());
    }
    Ok(setting)
}

/// An installed program stays; one that is fetched becomes the one that installing it would bring.
fn started(setting: &mut McpServer, program: String, args: Vec<String>, remarks: &mut Vec<String>) {
    match fetching(&program, &args) {
        None => {
            setting.command = Some(program);
            setting.args = args;
        }
        Some(fetching) => {
            remarks.push(sentence(&fetching.why()));
            setting.command = Some(fetching.program);
            setting.args = fetching.arguments;
        }
    }
}

fn variables(setting: &mut McpServer, variable: &str, value: &Value, remarks: &mut Vec<String>) {
    let Some(value) = value.as_str() else { return };
    let is_name = !variable.is_empty() && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        remarks.push(format!("The variable `{}` is not taken over.", variable.escape_default()));
    } else if is_key(variable) || is_secret(value) {
        setting.key = Some(variable.to_owned());
        remarks.push(format!(
            "The value of `{variable}` is a secret and is not taken over: `conclave keys set` keeps it for its host, and the \
             server gets it in `{variable}`."
        ));
    } else if value.contains("${") || value.starts_with("{env:") {
        remarks.push(format!("`{variable}` is taken from your environment elsewhere; here it is left out."));
    } else {
        setting.env.insert(variable.to_owned(), value.to_owned());
    }
}

/// What the three well-known servers are for, and what they reach.
fn kinds(name: &str, setting: &mut McpServer) {
    let words = [name, setting.command.as_deref().unwrap_or_default(), setting.url.as_deref().unwrap_or_default()];
    let has = |part: &str| words.iter().any(|word| word.to_ascii_lowercase().contains(part));
    if has("sequential-thinking") || has("sequentialthinking") {
        setting.serves = Some(ToolKind::Thinking);
    } else if has("server-memory") || name.starts_with("memory") {
        setting.serves = Some(ToolKind::Memory);
        // It keeps its file in a folder of Conclave's, wherever that was.
        setting.env.remove("MEMORY_FILE_PATH");
    } else if has("kagi") {
        setting.serves = Some(ToolKind::Intelligence);
        if setting.command.is_some() {
            setting.key = Some("KAGI_API_KEY".to_owned());
            setting.reaches = Some("https://kagi.com".to_owned());
        }
    }
}

/// Whether the name of a variable says that its value is a secret.
pub fn is_key(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"].iter().any(|word| upper.contains(word))
}

/// Whether a value looks like a secret; one that cannot be looked through counts as one.
pub fn is_secret(value: &str) -> bool {
    scan(value.as_bytes(), &[]).map_or(true, |hits| !hits.is_empty())
}

/// Whether another client was told not to use it.
fn turned_off(entry: &Map<String, Value>) -> bool {
    entry.get("disabled") == Some(&Value::Bool(true)) || entry.get("enabled") == Some(&Value::Bool(false))
}

/// A text as one word, a list as its words.
fn words(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::String(word) => Some(vec![word.clone()]),
        Value::Array(words) => words.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Those that can be settings, by name.
    fn settings(servers: &[Imported]) -> BTreeMap<String, McpServer> {
        servers.iter().filter_map(|server| Some((server.name.clone(), server.setting.clone()?))).collect()
    }

    #[test]
    fn configurations_of_other_clients_are_read_and_no_secret_comes_along() {
        let key = format!("ghp_{}", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5");
        let usual = format!(
            r#"{{ "mcpServers": {{
                "sequential-thinking": {{ "command": "npx", "args": ["-y", "@modelcontextprotocol/server-sequential-thinking"], "env": {{ "DISABLE_THOUGHT_LOGGING": "true" }} }},
                "memory": {{ "command": "mcp-server-memory", "env": {{ "MEMORY_FILE_PATH": "/abs/memory.jsonl" }} }},
                "kagi": {{ "type": "http", "url": "https://mcp.kagi.com/mcp", "headers": {{ "Authorization": "Bearer ${{KAGI_API_KEY}}" }}, "timeout": 15000 }},
                "git hub": {{ "command": "/opt/github-mcp", "env": {{ "GITHUB_PERSONAL_ACCESS_TOKEN": "{key}", "LEVEL": "info", "HOST": "${{HOST}}" }} }},
                "leaky": {{ "command": "leaky", "args": ["--auth", "{key}"] }},
                "old": {{ "type": "sse", "url": "https://old.example/sse" }},
                "none": {{}}
            }} }}"#
        );
        let servers = read(&usual).unwrap();
        assert!(!format!("{servers:?}").contains(&key));
        let by_name = settings(&servers);
        assert_eq!(by_name.keys().collect::<Vec<_>>(), ["git-hub", "kagi", "memory-server", "sequential-thinking"]);
        let thinking = &by_name["sequential-thinking"];
        assert_eq!(thinking.command.as_deref(), Some("mcp-server-sequential-thinking"));
        assert_eq!((thinking.args.len(), thinking.serves), (0, Some(ToolKind::Thinking)));
        let memory = &by_name["memory-server"];
        assert_eq!((memory.env.len(), memory.serves), (0, Some(ToolKind::Memory)));
        let kagi = &by_name["kagi"];
        assert_eq!(
            (kagi.url.as_deref(), kagi.key.as_deref()),
            (Some("https://mcp.kagi.com/mcp"), Some("Authorization"))
        );
        assert_eq!((kagi.timeout_ms, kagi.serves), (15_000, Some(ToolKind::Intelligence)));
        let github = &by_name["git-hub"];
        assert_eq!(github.key.as_deref(), Some("GITHUB_PERSONAL_ACCESS_TOKEN"));
        assert!(!github.enabled);
        assert_eq!(github.env.keys().collect::<Vec<_>>(), ["LEVEL"]);
        let remarks = |name: &str| servers.iter().find(|server| server.name == name).unwrap().remarks.join(" ");
        assert!(remarks("sequential-thinking").contains("install"), "{}", remarks("sequential-thinking"));
        assert!(remarks("git-hub").contains("is a secret and is not taken over"), "{}", remarks("git-hub"));
        assert!(remarks("leaky").contains("a secret among its arguments"));
        assert!(remarks("old").contains("being withdrawn"));
    }

    #[test]
    fn each_client_s_form_gives_the_same_server() {
        for text in [
            r#"{ "mcpServers": { "files": { "command": "/opt/files", "args": ["--root", "/srv"] } } }"#,
            r#"{ "servers": { "files": { "type": "stdio", "command": "/opt/files", "args": ["--root", "/srv"] } } }"#,
            r#"{ "mcp": { "servers": { "files": { "command": "/opt/files", "args": ["--root", "/srv"] } } } }"#,
            r#"{ "mcp": { "files": { "type": "local", "command": ["/opt/files", "--root", "/srv"], "environment": {} } } }"#,
            "[mcp_servers.files]\ncommand = \"/opt/files\"\nargs = [\"--root\", \"/srv\"]\n",
        ] {
            let servers = read(text).unwrap();
            let setting = McpServer {
                command: Some("/opt/files".to_owned()),
                args: vec!["--root".to_owned(), "/srv".to_owned()],
                ..McpServer::default()
            };
            assert_eq!(
                servers,
                [Imported { name: "files".to_owned(), setting: Some(setting), remarks: Vec::new() }],
                "{text}"
            );
        }
        for text in ["", "{}", "[]", "mcpServers", r#"{ "mcpServers": [] }"#, "\u{0}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
