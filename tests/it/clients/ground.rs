//! A home and a project of a client's own, and the client in them: nothing of this machine's user, no other environment.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::model::{AgentModel, Call, call};
use crate::program::{Home, conclave, text};

/// What nobody may be told.
pub const SECRET: &str = "planted-secret-7f3a";

/// What stands in the file that may be read.
pub const READABLE: &str = "A shop for plums";

/// A real client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    ClaudeCode,
    Codex,
    Gemini,
}

use Client::{ClaudeCode, Codex, Gemini};

impl Client {
    /// Its name in Conclave.
    pub fn name(self) -> &'static str {
        match self {
            ClaudeCode => "claude-code",
            Codex => "codex",
            Gemini => "gemini",
        }
    }

    fn package(self) -> &'static str {
        match self {
            ClaudeCode => "@anthropic-ai/claude-code",
            Codex => "@openai/codex",
            Gemini => "@google/gemini-cli",
        }
    }

    /// The file of its home with its hooks.
    pub fn hooks_file(self) -> &'static str {
        match self {
            ClaudeCode => ".claude/settings.json",
            Codex => ".codex/hooks.json",
            Gemini => ".gemini/settings.json",
        }
    }

    /// A shell command, as its model asks for one.
    pub fn shell(self, line: &str) -> Call {
        match self {
            ClaudeCode => call("Bash", json!({ "command": line, "description": "Runs it" })),
            Codex => call("exec_command", json!({ "cmd": line })),
            Gemini => call("run_shell_command", json!({ "command": line })),
        }
    }

    /// A file of the project to read.
    pub fn read(self, name: &str) -> Call {
        match self {
            ClaudeCode => call("Read", json!({ "file_path": name })),
            Codex => self.shell(&format!("cat {name}")),
            Gemini => call("read_file", json!({ "file_path": name })),
        }
    }

    /// A search of the whole project for `text`.
    pub fn search(self, text: &str) -> Call {
        match self {
            ClaudeCode | Codex => self.shell(&format!("grep -r {text} .")),
            Gemini => call("grep_search", json!({ "pattern": text })),
        }
    }

    /// The tool of the MCP server, which leaves a file.
    pub fn jot(self) -> Call {
        let name = match self {
            ClaudeCode => "mcp__notes__jot",
            Codex => "mcp__notes.jot",
            Gemini => "mcp_notes_jot",
        };
        call(name, json!({ "text": "hello" }))
    }
}

/// A client that is installed.
#[derive(Clone, Debug)]
pub struct Installed {
    pub client: Client,
    /// Its version, off its package.
    pub version: String,
    modules: PathBuf,
}

/// The clients below `CONCLAVE_CLIENTS`, where `cargo xtask test clients` puts them; each that is missing is said aloud.
pub fn installed() -> Vec<Installed> {
    let Some(folder) = std::env::var_os("CONCLAVE_CLIENTS") else {
        println!("skipped: CONCLAVE_CLIENTS names no folder with agents' clients");
        return Vec::new();
    };
    let modules = Path::new(&folder).join("node_modules");
    let find = |client: Client| {
        let package = std::fs::read_to_string(modules.join(client.package()).join("package.json")).ok()?;
        let package: Value = serde_json::from_str(&package).ok()?;
        let version = package["version"].as_str()?.to_owned();
        Some(Installed { client, version, modules: modules.clone() })
    };
    let found = [ClaudeCode, Codex, Gemini].into_iter().filter_map(|client| {
        let found = find(client);
        match &found {
            Some(installed) => println!("ran with {} {}", client.name(), installed.version),
            None => println!("skipped: {} is not installed", client.name()),
        }
        found
    });
    found.collect()
}

impl Installed {
    /// Its program, and the arguments that come before all others.
    pub fn program(&self) -> Vec<OsString> {
        let bin = self.modules.join(".bin");
        match self.client {
            // Its package has a native program for each system, of which one is installed.
            ClaudeCode => {
                let platforms = std::fs::read_dir(self.modules.join("@anthropic-ai")).expect("its packages");
                let programs = platforms.flatten().map(|platform| platform.path().join("claude"));
                vec![programs.into_iter().find(|program| program.is_file()).expect("its program").into()]
            }
            Codex => vec!["node".into(), bin.join("codex").into()],
            Gemini => vec!["node".into(), bin.join("gemini").into()],
        }
    }

    /// The program in this home and project, and nothing of this process's environment but the search path. Whoever
    /// takes longer than two minutes is ended.
    pub fn command(&self, ground: &Ground, model: &AgentModel) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", "120"]).args(self.program()).current_dir(ground.project());
        command.env_clear().env("HOME", ground.home()).env("PATH", self.path());
        match self.client {
            ClaudeCode => command
                .env("ANTHROPIC_BASE_URL", model.url())
                .env("ANTHROPIC_API_KEY", "no-key")
                .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            // The address is in its settings, which name this variable.
            Codex => command.env("STUB_KEY", "no-key"),
            Gemini => command.env("GOOGLE_GEMINI_BASE_URL", model.url()).env("GEMINI_API_KEY", "no-key"),
        };
        command
    }

    /// The search path with the installed clients in front.
    fn path(&self) -> OsString {
        let own = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.modules.join(".bin")).chain(std::env::split_paths(&own));
        std::env::join_paths(folders).expect("a search path")
    }

    /// Lets the client work until its model has nothing more to say, allowed by its own rules to do everything.
    pub fn work(&self, ground: &Ground, model: &AgentModel) -> Output {
        let mut command = self.command(ground, model);
        match self.client {
            ClaudeCode => {
                command.args(["-p", "--output-format", "stream-json", "--verbose", "--strict-mcp-config"]);
                command.args(["--allowedTools", "Read,Bash,mcp__notes", "--mcp-config"]).arg(ground.path("mcp.json"));
            }
            Codex => {
                command.args(["exec", "--json", "-"]);
            }
            Gemini => {
                command.args(["--prompt", "", "--model", "gemini-2.5-flash", "--output-format", "stream-json"]);
                command.args(["--approval-mode", "yolo", "--skip-trust"]);
            }
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client starts");
        child.stdin.take().expect("its input").write_all(b"Do what you want.").expect("the prompt is written");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}: {}: {}", self.client.name(), output.status, text(&output));
        output
    }

    /// Puts the hook in place, for `program`, as a person does; what it said.
    pub fn add_hook(&self, ground: &Ground, program: &Path) -> String {
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(ground.conclave.data()).args(["hook", "add", self.client.name()]);
        command
            .env("HOME", ground.home())
            .env("PATH", self.path())
            .env_remove("CONCLAVE_HOME")
            .env_remove("CONCLAVE_WORKSPACE");
        let output = command.output().expect("conclave starts");
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    }

    /// Trusts the hooks that Codex has found, by the way that its own window takes; other clients ask nobody.
    pub fn trust_hooks(&self, ground: &Ground, model: &AgentModel) {
        if self.client != Codex {
            return;
        }
        let mut command = self.command(ground, model);
        let mut server = command
            .arg("app-server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("its server starts");
        let mut input = server.stdin.take().expect("its input");
        let mut lines = BufReader::new(server.stdout.take().expect("its output")).lines();
        let mut ask = |id: u64, method: &str, params: Value| {
            writeln!(input, "{}", json!({ "id": id, "method": method, "params": params })).expect("written");
            loop {
                let line = lines.next().expect("another line").expect("text");
                let message: Value = serde_json::from_str(&line).expect("JSON");
                if message["id"] == json!(id) {
                    assert!(message["error"].is_null(), "{method}: {message}");
                    break message["result"].clone();
                }
            }
        };
        let who = json!({ "name": "conclave-tests", "title": "Tests", "version": "1" });
        ask(1, "initialize", json!({ "clientInfo": who }));
        let here = json!({ "cwds": [ground.project()] });
        let listed = ask(2, "hooks/list", here.clone());
        let edits: Vec<Value> = hooks(&listed)
            .map(|hook| {
                let key = hook["key"].as_str().expect("a key");
                let trusted = json!({ key: { "trusted_hash": hook["currentHash"] } });
                json!({ "keyPath": "hooks.state", "value": trusted, "mergeStrategy": "upsert" })
            })
            .collect();
        assert_eq!(edits.len(), 2, "before and after a call: {listed}");
        ask(3, "config/batchWrite", json!({ "edits": edits }));
        let listed = ask(4, "hooks/list", here);
        assert!(hooks(&listed).all(|hook| hook["trustStatus"] == "trusted"), "{listed}");
        // Without its input it ends.
        drop(input);
        server.wait().expect("it ends");
    }
}

fn hooks(listed: &Value) -> impl Iterator<Item = &Value> {
    let folders = listed["data"].as_array().into_iter().flatten();
    folders.flat_map(|folder| folder["hooks"].as_array().into_iter().flatten())
}

/// The server of the tool `jot`: it adds what it is told to the file that its argument names.
const NOTES: &str = r#"
const out = process.argv[2];
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const { id, method, params } = JSON.parse(line);
  const say = more => console.log(JSON.stringify({ jsonrpc: '2.0', id, ...more }));
  if (method === 'initialize') {
    const serverInfo = { name: 'notes', version: '1' };
    say({ result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo } });
  } else if (method === 'tools/list') {
    const inputSchema = { type: 'object', properties: { text: { type: 'string' } } };
    say({ result: { tools: [{ name: 'jot', description: 'Keeps a note.', inputSchema }] } });
  } else if (method === 'tools/call') {
    require('fs').appendFileSync(out, 'called\n');
    say({ result: { content: [{ type: 'text', text: 'kept' }] } });
  } else if (id !== undefined) {
    say({ error: { code: -32601, message: 'unknown method' } });
  }
});
"#;

/// Where a client lives for one test, with a data folder of Conclave that is in use.
pub struct Ground {
    pub conclave: Home,
}

impl Ground {
    /// A home in which `client` finds `model`, and a project with a secret and a file to read.
    pub fn new(client: Client, model: &AgentModel) -> Self {
        let ground = Self { conclave: Home::new() };
        let doctor = ground.conclave.run(&["doctor"]);
        assert_ne!(doctor.status.code(), Some(2), "{}", text(&doctor));
        ground.write("app/.git/HEAD", "ref: refs/heads/main\n");
        ground.write("app/README.md", &format!("# {READABLE}\n"));
        ground.write("app/.env", &format!("TOKEN={SECRET}\n"));
        ground.write("app/server.pem", &format!("{SECRET}\n"));
        let server = ground.write("notes.cjs", NOTES);
        let notes = json!({ "notes": { "command": "node", "args": [server, ground.path("jotted")] } });
        match client {
            ClaudeCode => {
                ground.write("mcp.json", &json!({ "mcpServers": notes }).to_string());
                std::fs::create_dir_all(ground.home().join(".claude")).expect("a folder");
            }
            Codex => {
                let notes = &notes["notes"];
                // Its own sandbox is off, so that only the hook can be what blocks a call.
                let settings = format!(
                    "model = \"stub\"\nmodel_provider = \"stub\"\napproval_policy = \"never\"\n\
                     sandbox_mode = \"danger-full-access\"\n[model_providers.stub]\nname = \"stub\"\n\
                     base_url = \"{}/v1\"\nwire_api = \"responses\"\nenv_key = \"STUB_KEY\"\n\
                     [mcp_servers.notes]\ncommand = {}\nargs = {}\n",
                    model.url(),
                    notes["command"],
                    notes["args"],
                );
                ground.write("home/.codex/config.toml", &settings);
            }
            Gemini => {
                let settings = json!({
                    "security": { "auth": { "selectedType": "gemini-api-key" } },
                    "privacy": { "usageStatisticsEnabled": false },
                    "general": { "enableAutoUpdate": false },
                    "mcpServers": notes,
                });
                ground.write("home/.gemini/settings.json", &settings.to_string());
            }
        }
        ground
    }

    /// The home of the client.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The project that it works in.
    pub fn project(&self) -> PathBuf {
        self.path("app")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.conclave.path(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        self.conclave.write(name, text)
    }

    /// Whether a command or the MCP server left anything.
    pub fn is_untouched(&self) -> bool {
        !self.project().join("marker").exists() && !self.path("jotted").exists()
    }

    /// The entries of the ledger about an agent's calls.
    pub fn ledger(&self) -> Vec<Value> {
        let output = self.conclave.run(&["audit", "export"]);
        let lines = text(&output);
        let entries = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        entries.filter(|line| line["entry"]["request"]["actor"].as_str().is_none_or(|name| name != "person")).collect()
    }

    /// A program of the name `conclave` for a hook, which can be taken away or broken.
    pub fn own_conclave(&self) -> PathBuf {
        let program = self.path("bin/conclave");
        std::fs::create_dir_all(self.path("bin")).expect("a folder");
        if std::fs::hard_link(conclave(), &program).is_err() {
            std::fs::copy(conclave(), &program).expect("a copy");
        }
        program
    }
}
