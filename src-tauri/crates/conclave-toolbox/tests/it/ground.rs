//! A store, a gate with the shipped policy, and servers that are looked at and approved as a person does.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use conclave_core::id::{FindingId, RunId};
use conclave_core::settings::{McpServer, Settings};
use conclave_core::synthesis::ToolOutcome;
use conclave_effects::{Clock, DataClass, DataDir, Gate, Policies, Secret};
use conclave_policy::{Actor, Mode, Nobody, Policy};
use conclave_store::Store;
use conclave_toolbox::server::{Asking, Keys, Seen, Surroundings, ToolServer, approved, tools};
use conclave_toolbox::{Caller, Given, Toolbox, Used};
use serde_json::Value;
use tokio::time::Instant;

/// Long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The keychain: a host and its key.
pub struct OneKey(pub Option<(String, String)>);

impl Keys for OneKey {
    fn of<'a>(&'a self, _: &'a Gate, _: &'a Actor, host: &'a str) -> Asking<'a, Option<Secret>> {
        let key = self.0.as_ref().filter(|(known, _)| known == host).map(|(_, key)| Secret::new(key.clone()));
        Box::pin(async move { Ok(key) })
    }

    fn all<'a>(&'a self, _: &'a Gate, _: &'a Actor) -> Asking<'a, Vec<Secret>> {
        let keys = self.0.iter().map(|(_, key)| Secret::new(key.clone())).collect();
        Box::pin(async move { Ok(keys) })
    }
}

pub struct Ground {
    _folder: tempfile::TempDir,
    pub around: Surroundings,
    pub caller: Caller,
    pub settings: Settings,
}

impl Ground {
    pub fn new(name: &str, setting: McpServer, key: Option<(String, String)>, mode: Mode) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataDir::open(&folder.path().join("data")).expect("a data folder");
        let store = Store::open(&data.database(), 0).expect("a store").store;
        let policies = Policies::new(Policy::shipped(mode));
        let gate = Gate::new(policies, Arc::new(store.clone()), Arc::new(Nobody), Clock::fixed(7));
        let around = Surroundings {
            store,
            data: Arc::new(data),
            keys: Arc::new(OneKey(key)),
            guest: Some(guest()),
            proxy: None,
            tls_roots: Ok(None),
        };
        let caller = Caller {
            gate,
            actor: Actor::Engine,
            run: RunId::new("run-1"),
            finding: FindingId::new("finding"),
            project: String::new(),
            remembers: true,
            client: String::new(),
            offline: mode == Mode::Offline,
        };
        let settings = Settings { mcp_servers: BTreeMap::from([(name.to_owned(), setting)]), ..Settings::default() };
        Self { _folder: folder, around, caller, settings }
    }

    fn only(&self) -> (&String, &McpServer) {
        self.settings.mcp_servers.first_key_value().expect("a server")
    }

    pub async fn look(&self) -> Result<Seen, String> {
        let (name, setting) = self.only();
        ToolServer::new(name, setting, self.around.clone()).look(&self.caller.gate, &Actor::Person).await
    }

    /// The box, after the person has seen and approved the server.
    pub async fn approved(&self) -> (Toolbox, Seen) {
        let seen = self.look().await.expect("it is seen");
        let (name, _) = self.only();
        assert!(self.around.store.approve_server(name, &seen.definition.text(), 8).expect("a store"));
        (self.toolbox(), seen)
    }

    /// The box, as things are.
    pub fn toolbox(&self) -> Toolbox {
        Toolbox::new(tools(&approved(&self.settings, &self.around, &[])))
    }

    pub async fn call(&self, toolbox: &Toolbox, tool: &str, arguments: Value) -> Used {
        toolbox.call(&self.caller, tool, arguments, Instant::now() + PATIENCE).await
    }

    /// The same with arguments that Conclave made, which may go elsewhere: what comes of the tool itself.
    pub async fn ask(&self, toolbox: &Toolbox, tool: &str, arguments: Value) -> (ToolOutcome, String) {
        self.give(toolbox, tool, arguments, DataClass::Metadata).await
    }

    /// The lines of the ledger with `text` in them.
    pub fn lines(&self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let all = self.around.store.export_ledger(|line| -> Result<(), conclave_store::StoreError> {
            lines.extend(line.contains(text).then(|| line.to_owned()));
            Ok(())
        });
        all.expect("a ledger");
        lines
    }

    /// The same with arguments of this kind.
    pub async fn give(
        &self,
        toolbox: &Toolbox,
        tool: &str,
        arguments: Value,
        data: DataClass,
    ) -> (ToolOutcome, String) {
        let tool = toolbox.tools().find(|known| known.offer().name == tool).expect("the tool is there");
        let given = Given { arguments, data: vec![data] };
        match tool.call(&self.caller, given, Instant::now() + PATIENCE).await {
            Ok(result) if result.is_error => (ToolOutcome::Error, result.text),
            Ok(result) => (ToolOutcome::Answered, result.text),
            Err(why) => (ToolOutcome::Failed, why),
        }
    }
}

/// Conclave's own program in the sandbox: `CONCLAVE_BIN`, or the guest by itself, built now.
fn guest() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let cargo = std::env::var_os("CARGO").expect("tests run under cargo");
        let built = Command::new(cargo)
            .args(["build", "--package", "conclave-inference", "--example", "relay_guest"])
            .args(["--message-format", "json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        assert!(built.status.success(), "the guest does not build");
        let messages = String::from_utf8(built.stdout).expect("cargo writes text");
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let programs = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
        programs.reduce(|_, last| last).expect("cargo names the program")
    };
    BUILT.get_or_init(|| std::env::var_os("CONCLAVE_BIN").map_or_else(build, PathBuf::from)).clone()
}

/// A host on this machine that answers every request by `answer`, and keeps what it was asked.
pub struct Host {
    pub url: String,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Host {
    pub fn new(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(request) = read(&stream) {
                    let said = answer(&request);
                    heard.lock().expect("no panic").push(request);
                    let _ = (&stream).write_all(said.as_bytes());
                }
            }
        });
        Self { url, asked }
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

/// One request, head and body.
fn read(mut stream: &TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        text.extend_from_slice(&buffer[..count]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").and_then(|n| n.trim().parse().ok())
        });
        if body.len() >= length.unwrap_or(0) {
            return Some(whole);
        }
    }
}

/// An answer with `body`.
pub fn http(status: u16, kind: &str, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{more}connection: close\r\n\r\n{body}"
    )
}
