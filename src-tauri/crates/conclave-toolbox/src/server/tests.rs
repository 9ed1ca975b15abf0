//! Servers that are Python, in the real sandbox. Where there is no sandbox or no Python the tests say so and end.

mod script;

use std::path::{Path, PathBuf};
use std::time::Duration;

use conclave_core::id::{FindingId, RunId};
use conclave_core::settings::McpServer;
use conclave_effects::{Clock, DataClass, Policies, probe};
use conclave_policy::{Layer, Nobody, Policy};
use conclave_store::StoreError;
use serde_json::{Value, json};

use super::running::MOST_FAILURES;
use super::*;
use crate::Given;
use crate::tests::given;
use script::SERVER;

const PATIENCE: Duration = Duration::from_secs(120);
const ALLOW: &str = "version: 1\nrules: [{ id: all, priority: 1, action: allow, reason: test, match: [{ actor: engine, action: read_file, resource: /a }], no_match: [] }]";

struct NoKeys;

impl Keys for NoKeys {
    fn of<'a>(&'a self, _: &'a Gate, _: &'a Actor, _: &'a str) -> Asking<'a, Option<Secret>> {
        Box::pin(async { Ok(None) })
    }

    fn all<'a>(&'a self, _: &'a Gate, _: &'a Actor) -> Asking<'a, Vec<Secret>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

struct Arena {
    folder: tempfile::TempDir,
    around: Surroundings,
    caller: Caller,
}

#[expect(clippy::disallowed_methods, reason = "tests make the servers that they run")]
impl Arena {
    fn new() -> Option<Self> {
        if !Path::new("/usr/bin/python3").exists() {
            println!("skipped: there is no /usr/bin/python3");
            return None;
        }
        if let Err(error) = probe() {
            println!("skipped: {error}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("server.py"), SERVER).unwrap();
        let data = DataDir::open(&folder.path().join("data")).unwrap();
        let store = Store::open(&data.database(), 0).unwrap().store;
        let policy = Policy::load(ALLOW, Layer::User).unwrap().policy;
        let gate = Gate::new(Policies::new(policy), Arc::new(store.clone()), Arc::new(Nobody), Clock::fixed(7));
        let around = Surroundings {
            store,
            data: Arc::new(data),
            keys: Arc::new(NoKeys),
            guest: None,
            proxy: None,
            tls_roots: Ok(None),
        };
        let caller = Caller {
            gate,
            actor: Actor::Engine,
            run: RunId::new("run-1"),
            finding: FindingId::new("finding"),
            project: "/srv/shop".to_owned(),
            remembers: true,
            client: String::new(),
            offline: false,
        };
        Some(Self { folder, around, caller })
    }

    fn script(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("server.py")
    }

    fn change(&self, text: &str) {
        std::fs::write(self.script(), text).unwrap();
    }

    fn setting(&self, mode: &str) -> McpServer {
        McpServer {
            command: Some("/usr/bin/python3".to_owned()),
            args: vec![self.script().to_str().unwrap().to_owned(), mode.to_owned()],
            timeout_ms: 120_000,
            ..McpServer::default()
        }
    }

    fn server(&self, setting: &McpServer) -> ToolServer {
        ToolServer::new("odd", setting, self.around.clone())
    }

    async fn approved(&self, setting: &McpServer) -> ToolServer {
        let server = self.server(setting);
        let seen = server.look(&self.caller.gate, &Actor::Engine).await.unwrap();
        assert!(self.around.store.approve_server("odd", &seen.definition.text(), 9).unwrap());
        server
    }

    async fn call(&self, server: &ToolServer, tool: &str, arguments: Value) -> Result<String, String> {
        let until = Instant::now() + PATIENCE;
        server.call(&self.caller, tool, given(arguments), false, until).await.map(|result| result.text)
    }
}

fn named(setting: McpServer) -> Settings {
    Settings { mcp_servers: [("odd".to_owned(), setting)].into(), ..Settings::default() }
}

#[tokio::test]
async fn a_server_that_stays_as_it_is_goes_on_and_one_that_is_gone_ends() {
    let Some(arena) = Arena::new() else { return };
    let setting = McpServer { serves: Some(ToolKind::Memory), ..arena.setting("remembers") };
    arena.approved(&setting).await;
    let settings = named(setting.clone());
    let is_running = || arena.around.data.server_folder("odd").unwrap().is_none();
    let first = approved(&settings, &arena.around, &[]);
    let offered = tools(&first);
    let echo = |word: &str| offered[0].call(&arena.caller, given(json!({ "word": word })), Instant::now() + PATIENCE);
    assert_eq!(echo("a").await.unwrap().text, "you said a");
    assert!(is_running());
    let mut more = settings.clone();
    more.mcp_servers.insert("other".to_owned(), setting.clone());
    let second = approved(&more, &arena.around, &first);
    assert!(second.len() == 1 && first[0].is(&second[0]), "the other one is not approved");
    let slower = named(McpServer { timeout_ms: 60_000, ..setting.clone() });
    assert!(!approved(&slower, &arena.around, &second)[0].is(&second[0]), "it is set otherwise");
    drop(first);
    assert_eq!(echo("b").await.unwrap().text, "you said b");
    drop(offered);
    assert!(is_running(), "the second has it still");
    assert!(approved(&named(McpServer { enabled: false, ..setting }), &arena.around, &second).is_empty());
    drop(second);
    assert!(!is_running());
}

#[tokio::test]
async fn a_server_is_used_only_as_it_was_approved() {
    let Some(arena) = Arena::new() else { return };
    let setting = arena.setting("good");
    let settings = named(setting.clone());
    let tools = |settings: &Settings| tools(&approved(settings, &arena.around, &[]));
    assert!(tools(&settings).is_empty(), "nothing is approved");
    let server = arena.server(&setting);
    let why = arena.call(&server, "echo", json!({ "word": "a" })).await.unwrap_err();
    assert!(why.starts_with("it is not approved yet; `conclave tools test odd`"), "{why}");
    let server = arena.approved(&setting).await;
    assert_eq!(arena.call(&server, "echo", json!({ "word": "a" })).await.as_deref(), Ok("you said a"));
    let offered = tools(&settings);
    let names: Vec<&str> = offered.iter().map(|tool| tool.offer().name.as_str()).collect();
    assert_eq!(names, ["echo", "other"]);
    assert!(tools(&named(McpServer { enabled: false, ..setting.clone() })).is_empty());
    // The order of its tools and of their keys is no change.
    let other = arena.setting("shuffled");
    let before = arena.server(&setting).look(&arena.caller.gate, &Actor::Engine).await.unwrap();
    assert!(before.approved && before.differences.is_empty());
    let shuffled = arena.server(&other).look(&arena.caller.gate, &Actor::Engine).await.unwrap();
    assert!(!shuffled.approved, "its arguments are others");
    assert_eq!(shuffled.differences.len(), 1, "{:?}", shuffled.differences);
    assert!(shuffled.differences[0].starts_with("The arguments changed"), "{:?}", shuffled.differences);
    // Another file, the same words.
    arena.change(&format!("{SERVER}\n# changed\n"));
    let changed = arena.server(&setting).look(&arena.caller.gate, &Actor::Engine).await.unwrap();
    assert!(changed.differences.len() == 1 && changed.differences[0].starts_with("The program\u{2019}s file changed"));
    let fresh = arena.server(&setting);
    let why = arena.call(&fresh, "echo", json!({ "word": "a" })).await.unwrap_err();
    assert!(why.starts_with("it is not what you approved: The program"), "{why}");
}

#[tokio::test]
async fn a_server_that_changes_while_it_runs_is_blocked_before_the_next_use() {
    let Some(arena) = Arena::new() else { return };
    for mode in ["changes", "changes-loudly"] {
        let server = arena.approved(&arena.setting(mode)).await;
        for _ in 0..2 {
            assert_eq!(
                arena.call(&server, "echo", json!({ "word": "a" })).await.as_deref(),
                Ok("you said a"),
                "{mode}"
            );
        }
        let why = arena.call(&server, "echo", json!({ "word": "a" })).await.unwrap_err();
        assert!(why.contains("The description of `echo` changed"), "{mode}: {why}");
        assert!(why.contains("send the key"), "{mode}: {why}");
    }
}

#[tokio::test]
async fn a_server_that_fails_is_parked_after_three_times_until_somebody_looks() {
    let Some(arena) = Arena::new() else { return };
    let server = arena.approved(&arena.setting("dies")).await;
    for n in 0..3 {
        let why = arena.call(&server, "echo", json!({})).await.unwrap_err();
        assert!(why.contains("it ended"), "{n}: {why}");
    }
    let why = arena.call(&server, "echo", json!({})).await.unwrap_err();
    assert!(why.contains("failed 3 times in a row"), "{why}");
    server.look(&arena.caller.gate, &Actor::Engine).await.unwrap();
    for _ in 0..3 {
        assert!(arena.call(&server, "echo", json!({})).await.unwrap_err().contains("it ended"));
    }
    // Somebody looks at it in another process, which knows nothing of its failures.
    let ledger = Arc::new(arena.around.store.clone());
    let policies = arena.caller.gate.policies().clone();
    let later = Gate::new(policies, ledger, Arc::new(Nobody), Clock::fixed(8));
    assert!(arena.call(&server, "echo", json!({})).await.unwrap_err().contains("failed 3 times"));
    arena.server(&arena.setting("dies")).look(&later, &Actor::Engine).await.unwrap();
    assert!(arena.call(&server, "echo", json!({})).await.unwrap_err().contains("it ended"));
}

#[tokio::test]
async fn a_refusal_or_a_folder_that_is_held_is_no_failure_of_the_servers() {
    let Some(arena) = Arena::new() else { return };
    let setting = McpServer { serves: Some(ToolKind::Memory), ..arena.setting("remembers") };
    let server = arena.approved(&setting).await;
    let gate = |policy| {
        let ledger = Arc::new(arena.around.store.clone());
        Gate::new(Policies::new(policy), ledger, Arc::new(Nobody), Clock::fixed(7))
    };
    // It is neither started nor, once it runs, given anything.
    let forbidding = Caller { gate: gate(Policy::floor()), ..arena.caller.clone() };
    let refused = async |word: &str| {
        let word = given(json!({ "word": word }));
        server.call(&forbidding, "echo", word, false, Instant::now() + PATIENCE).await.unwrap_err()
    };
    for n in 0..MOST_FAILURES + 1 {
        assert_eq!(refused("a").await, "no rule allows it", "{n}");
    }
    let held = arena.around.data.server_folder("odd").unwrap().unwrap();
    for n in 0..MOST_FAILURES + 1 {
        let busy = arena.call(&server, "echo", json!({ "word": "a" })).await.unwrap_err();
        assert_eq!(busy, "another process of Conclave uses it now", "{n}");
    }
    drop(held);
    assert_eq!(arena.call(&server, "echo", json!({ "word": "a" })).await.as_deref(), Ok("you said a"));
    for n in 0..MOST_FAILURES + 1 {
        assert_eq!(refused("b").await, "no rule allows it", "{n}");
    }
    assert_eq!(arena.call(&server, "other", json!({})).await.as_deref(), Ok("1"), "nothing was written");
}

#[tokio::test]
async fn the_kind_of_data_in_a_use_is_what_the_server_is_judged_by() {
    let Some(arena) = Arena::new() else { return };
    let server = arena.approved(&arena.setting("good")).await;
    let until = Instant::now() + PATIENCE;
    let code = || Given { data: vec![DataClass::Source, DataClass::Finding], ..given(json!({ "word": "a" })) };
    server.call(&arena.caller, "echo", code(), false, until).await.unwrap();
    let mut lines = Vec::new();
    let all = arena.around.store.export_ledger(|line| -> Result<(), StoreError> {
        lines.push(line.to_owned());
        Ok(())
    });
    all.unwrap();
    let judged = lines.iter().filter(|line| line.contains("mcp://odd/echo"));
    let judged: Vec<&String> = judged.filter(|line| line.contains("\"data\":\"source finding\"")).collect();
    assert_eq!(judged.len(), 1, "{lines:?}");
}

#[tokio::test]
async fn each_run_thinks_in_a_process_of_its_own() {
    let Some(arena) = Arena::new() else { return };
    let setting = McpServer { serves: Some(ToolKind::Thinking), ..arena.setting("counts") };
    let server = arena.approved(&setting).await;
    assert_eq!(arena.call(&server, "echo", json!({})).await.as_deref(), Ok("1 true"));
    assert_eq!(arena.call(&server, "echo", json!({})).await.as_deref(), Ok("2 true"));
    let other = Caller { run: RunId::new("run-2"), ..arena.caller.clone() };
    let said = server.call(&other, "echo", given(json!({})), false, Instant::now() + PATIENCE).await.unwrap();
    assert_eq!(said.text, "1 true", "its history is its own");
    assert_eq!(arena.call(&server, "echo", json!({})).await.as_deref(), Ok("3 true"));
}

#[tokio::test]
async fn a_memory_loses_nothing_to_parallel_writes_and_is_put_back_when_it_is_spoiled() {
    let Some(arena) = Arena::new() else { return };
    let setting = McpServer { serves: Some(ToolKind::Memory), ..arena.setting("remembers") };
    let server = Arc::new(arena.approved(&setting).await);
    let until = Instant::now() + PATIENCE;
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (server, caller) = (Arc::clone(&server), arena.caller.clone());
        let word = given(json!({ "word": n.to_string() }));
        writes.spawn(async move { server.call(&caller, "echo", word, false, until).await });
    }
    let done = writes.join_all().await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(arena.call(&server, "other", json!({})).await.as_deref(), Ok("20"));
    let held = arena.around.data.server_folder("odd").unwrap();
    assert!(held.is_none(), "another process would wait");
    let why = arena.call(&server, "echo", json!({ "word": "spoil" })).await.unwrap_err();
    assert!(why.contains("what was there before is back"), "{why}");
    assert_eq!(arena.call(&server, "other", json!({})).await.as_deref(), Ok("20"));
}

#[tokio::test]
async fn what_fetches_itself_or_asks_for_more_is_refused_in_words() {
    let Some(arena) = Arena::new() else { return };
    let look = async |setting: McpServer| {
        let seen = arena.server(&setting).look(&arena.caller.gate, &Actor::Engine).await;
        seen.map(|_| ()).unwrap_err()
    };
    let npx = McpServer {
        command: Some("npx".to_owned()),
        args: vec!["-y".to_owned(), "some-server".to_owned()],
        ..McpServer::default()
    };
    assert!(look(npx).await.contains("npm install --global some-server"));
    let missing = McpServer { command: Some("no-such-server".to_owned()), ..McpServer::default() };
    assert!(look(missing).await.contains("is not installed"));
    assert!(look(McpServer::default()).await.contains("either a command or an address"));
    let both = McpServer { url: Some("https://x.example".to_owned()), ..arena.setting("good") };
    assert!(look(both).await.contains("either a command or an address"));
    let key = McpServer { key: Some("KEY".to_owned()), ..arena.setting("good") };
    assert!(look(key).await.contains("reaches"));
    let leaky = McpServer { env: [("API_TOKEN".to_owned(), "x".to_owned())].into(), ..arena.setting("good") };
    assert!(look(leaky).await.contains("holds a secret"));
    assert!(look(arena.setting("confusing")).await.contains("easily taken for each other"));
    assert!(look(arena.setting("recursive")).await.contains("refers to itself"));
    let server = arena.approved(&arena.setting("wants-more")).await;
    let why = arena.call(&server, "echo", json!({})).await.unwrap_err();
    assert!(why.contains("asks for more"), "{why}");
}
