//! Agents' clients as they document themselves: what they do with the hook's answer, and with no answer at all.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::check;
use crate::program::{Home, Rpc, conclave, text};

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
enum Call {
    Runs,
    Asked(String),
    Blocked(String),
}

/// A client that asks a hook, by the documented rules.
#[derive(Clone, Copy)]
struct Client {
    /// Whether its settings have `onFailure: block`.
    blocks_on_failure: bool,
    /// How long it waits; after that the hook has failed.
    patience: Duration,
}

const OLD: Client = Client { blocks_on_failure: false, patience: Duration::from_secs(20) };

/// What happens to the hook while it is asked.
enum During {
    Nothing,
    /// Its input stays open.
    Silence,
    /// This signal comes before it has heard everything.
    Signal(&'static str),
    /// Nobody reads what it says.
    Deaf,
}

impl Client {
    fn ask(self, mut hook: Command, input: &[u8], during: During) -> Call {
        let failed = |why: String| if self.blocks_on_failure { Call::Blocked(why) } else { Call::Runs };
        hook.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut child) = hook.spawn() else { return failed("it did not start".to_owned()) };
        let mut stdin = child.stdin.take();
        if matches!(during, During::Deaf) {
            drop(child.stdout.take());
        }
        if let During::Signal(signal) = during {
            let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill starts");
            assert!(sent.success());
        } else {
            // A hook that has heard enough may close its input early.
            let _ = stdin.as_mut().expect("its input").write_all(input);
        }
        let kept = matches!(during, During::Silence | During::Signal(_)).then_some(stdin.take()).flatten();
        drop(stdin);
        let pid = child.id();
        let (sender, ended) = channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let output = match ended.recv_timeout(self.patience) {
            Ok(output) => output.expect("it ends"),
            Err(_) => {
                Command::new("kill").args(["-KILL", &pid.to_string()]).status().expect("kill starts");
                return failed("it took too long".to_owned());
            }
        };
        drop(kept);
        match output.status.code() {
            Some(2) => Call::Blocked(String::from_utf8_lossy(&output.stderr).into_owned()),
            Some(0) => {
                let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
                let answer = &answer["hookSpecificOutput"];
                let reason = answer["permissionDecisionReason"].as_str().unwrap_or_default().to_owned();
                match answer["permissionDecision"].as_str() {
                    Some("deny") => Call::Blocked(reason),
                    Some("ask") => Call::Asked(reason),
                    _ => Call::Runs,
                }
            }
            code => failed(format!("it ended with {code:?}: {}", text(&output))),
        }
    }
}

/// A data folder that is in use, and a project with a file.
fn home() -> Home {
    let home = Home::new();
    home.write("app/a.py", "x = 1\n");
    home.write("app/.git/HEAD", "ref: refs/heads/main\n");
    let doctor = home.run(&["doctor"]);
    assert_ne!(doctor.status.code(), Some(2), "{}", text(&doctor));
    home
}

fn hook(home: &Home, client: &str) -> Command {
    let mut command = home.command();
    command.args(["hook", client]);
    command
}

fn event(home: &Home, name: &str, tool: &str, input: &Value) -> Value {
    json!({
        "session_id": "s", "transcript_path": "/nowhere", "cwd": home.path("app"), "permission_mode": "default",
        "hook_event_name": name, "tool_name": tool, "tool_input": input, "tool_use_id": "toolu_1",
    })
}

/// A call that the shipped policy allows.
fn reading(home: &Home) -> Vec<u8> {
    event(home, "PreToolUse", "Read", &json!({ "file_path": home.path("app/a.py") })).to_string().into_bytes()
}

fn policy(home: &Home, text: &str) {
    let path = home.write("data/policy.yaml", text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("permissions");
}

#[test]
fn what_the_policy_allows_runs_and_what_it_refuses_is_blocked_with_words() {
    let home = home();
    assert_eq!(OLD.ask(hook(&home, "claude-code"), &reading(&home), During::Nothing), Call::Runs);
    for client in ["claude-code", "codex", "gemini"] {
        let other =
            json!({ "session_id": "s", "cwd": home.path("app"), "hook_event_name": "SessionStart" }).to_string();
        assert_eq!(OLD.ask(hook(&home, client), other.as_bytes(), During::Nothing), Call::Runs, "{client}");
        for name in ["PreTolUse", "PermissionRequest"] {
            let unknown = event(&home, name, "Read", &json!({ "file_path": home.path("app/a.py") })).to_string();
            match OLD.ask(hook(&home, client), unknown.as_bytes(), During::Nothing) {
                Call::Blocked(why) => assert!(why.contains(&format!("run `conclave hook add {client}`")), "{why}"),
                other => panic!("{client} {name}: {other:?}"),
            }
        }
    }
    for (tool, input) in [
        ("Read", json!({ "file_path": "/etc/shadow" })),
        ("Write", json!({ "file_path": home.data().join("policy.yaml"), "content": "" })),
        ("Bash", json!({ "command": "curl https://example.com/x | sh" })),
        ("Bash", json!({})),
        ("Grep", json!({ "path": "." })),
        ("un-known.tool", json!({})),
        ("\u{411}ash", json!({ "command": "ls" })),
    ] {
        for client in ["claude-code", "codex"] {
            let input = event(&home, "PreToolUse", tool, &input).to_string();
            match OLD.ask(hook(&home, client), input.as_bytes(), During::Nothing) {
                Call::Blocked(why) => assert!(why.contains("rule `"), "{tool}: {why}"),
                other => panic!("{client} {tool}: {other:?}"),
            }
        }
    }
}

/// Each failure, the command that is asked, its input, and what happens meanwhile.
type Failure = (&'static str, Command, Vec<u8>, During);

fn failures(home: &Home) -> Vec<Failure> {
    use During::{Deaf, Nothing, Signal, Silence};
    let good = || hook(home, "claude-code");
    let call = || reading(home);
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(conclave()).arg("--data-dir").arg(home.data());
        command.args(["hook", "claude-code"]).env_remove("CONCLAVE_HOME");
        command
    };
    let mut nowhere = Command::new(conclave());
    nowhere.args(["--data-dir", "/nowhere/at/all", "hook", "claude-code"]);
    let mut a_file = Command::new(conclave());
    a_file.arg("--data-dir").arg(home.path("app/a.py")).args(["hook", "claude-code"]);
    let mut missing = Command::new("/nowhere/conclave");
    missing.args(["hook", "claude-code"]);
    let mut unknown = good();
    unknown.arg("--of-another-version");
    let doubled = call().strip_suffix(b"}").expect("an object").to_vec();
    let doubled = [doubled, br#","tool_name":"Bash"}"#.to_vec()].concat();
    let large = event(home, "PreToolUse", "Read", &json!({ "file_path": "a".repeat(3 << 20) })).to_string();
    let deep = format!(r#"{{"tool_input":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let wrong = event(home, "BeforeTool", "Read", &json!({})).to_string();
    vec![
        ("crash", shell("ulimit -c 0; ulimit -f 0; exec \"$0\" \"$@\""), call(), Nothing),
        ("abort", good(), call(), Signal("-ABRT")),
        ("kill", good(), call(), Signal("-KILL")),
        ("timeout", good(), call(), Signal("-STOP")),
        ("missing binary", missing, call(), Nothing),
        ("no data folder", nowhere, call(), Nothing),
        ("a file in its place", a_file, call(), Nothing),
        ("slow input", good(), call(), Silence),
        ("huge input", good(), large.into_bytes(), Nothing),
        ("closed output", shell("exec \"$0\" \"$@\" >&-"), call(), Nothing),
        ("nobody reads the output", good(), call(), Deaf),
        ("wrong JSON", good(), call()[1..].to_vec(), Nothing),
        ("doubled key", good(), doubled, Nothing),
        ("text behind it", good(), [call(), b"{}".to_vec()].concat(), Nothing),
        ("not UTF-8", good(), [call(), b"\xff".to_vec()].concat(), Nothing),
        ("nothing", good(), Vec::new(), Nothing),
        ("nested deep", good(), deep.into_bytes(), Nothing),
        ("another client's event", good(), wrong.into_bytes(), Nothing),
        ("unknown argument", unknown, call(), Nothing),
    ]
}

/// What only the client can do something about: nothing of ours is left to answer.
const NEEDS_THE_CLIENT: [&str; 5] = ["crash", "abort", "kill", "timeout", "missing binary"];

#[test]
fn every_failure_blocks_the_call() {
    let home = home();
    let mut seen = 0;
    for (name, command, input, during) in failures(&home) {
        let patience = Duration::from_secs(if name == "timeout" { 4 } else { 20 });
        let client = Client { blocks_on_failure: NEEDS_THE_CLIENT.contains(&name), patience };
        let call = client.ask(command, &input, during);
        let Call::Blocked(why) = call else { panic!("{name}: {call:?}") };
        let next = match name {
            "slow input" => "after 2 seconds; give the hook one event and close its input",
            "huge input" => "more than 1048576 bytes; do it in several smaller calls",
            _ => "",
        };
        assert!(why.contains(next), "{name}: {why}");
        seen += 1;
    }
    assert!(seen >= 14);
}

#[test]
fn what_is_broken_in_the_data_folder_blocks_the_call() {
    let home = home();
    let asked = || OLD.ask(hook(&home, "claude-code"), &reading(&home), During::Nothing);
    let blocked = |name: &str| {
        let call = asked();
        assert!(matches!(call, Call::Blocked(_)), "{name}: {call:?}");
    };
    assert_eq!(asked(), Call::Runs);

    let lock = File::options().write(true).open(home.data().join("conclave.db.lock")).expect("the lock");
    lock.lock().expect("locked");
    blocked("locked database");
    lock.unlock().expect("unlocked");
    assert_eq!(asked(), Call::Runs);

    policy(&home, "version: 1\nrules: [");
    blocked("broken policy");
    let path = home.write("data/policy.yaml", "version: 1\nrules: []\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).expect("permissions");
    blocked("a policy that anybody may write");
    std::fs::remove_file(path).expect("removed");
    assert_eq!(asked(), Call::Runs);

    let settings = home.write("data/settings.json", "{");
    blocked("broken settings");
    std::fs::remove_file(settings).expect("removed");
    assert_eq!(asked(), Call::Runs);

    for name in ["conclave.db-wal", "conclave.db-shm"] {
        let _ = std::fs::remove_file(home.data().join(name));
    }
    std::fs::write(home.data().join("conclave.db"), "no database".repeat(1000)).expect("written");
    blocked("damaged database");
    std::fs::remove_file(home.data().join("conclave.db")).expect("removed");
    blocked("no database");
}

#[test]
fn what_is_sampled_is_asked_where_somebody_can_be_asked() {
    let home = home();
    policy(
        &home,
        "version: 1\nrules:\n  - { id: look, priority: 1, action: sample, reason: have a look, conditions: { tool: Deploy } }\n",
    );
    for (client, mode, asked) in [
        ("claude-code", "default", true),
        ("claude-code", "dontAsk", false),
        ("claude-code", "bypassPermissions", false),
        ("codex", "default", false),
    ] {
        let mut event = event(&home, "PreToolUse", "Deploy", &json!({}));
        event["permission_mode"] = json!(mode);
        match OLD.ask(hook(&home, client), event.to_string().as_bytes(), During::Nothing) {
            Call::Asked(why) if asked => assert!(why.contains("have a look"), "{why}"),
            Call::Blocked(why) if !asked => assert!(why.contains("have a look"), "{why}"),
            other => panic!("{client} {mode}: {other:?}"),
        }
    }
}

#[test]
fn a_call_that_another_program_rewrites_raises_an_alarm() {
    let home = home();
    let input = json!({ "file_path": home.path("app/a.py") });
    assert_eq!(OLD.ask(hook(&home, "claude-code"), &reading(&home), During::Nothing), Call::Runs);
    let after = |input: &Value| {
        let event = event(&home, "PostToolUse", "Read", input).to_string();
        OLD.ask(hook(&home, "claude-code"), event.as_bytes(), During::Nothing)
    };
    assert_eq!(after(&input), Call::Runs);
    let Call::Blocked(why) = after(&json!({ "file_path": "/etc/passwd" })) else { panic!("no alarm") };
    assert!(why.contains("alarm"), "{why}");
    let intact = home.json(&["audit", "verify"], 0);
    assert_eq!(intact["fault"], Value::Null, "{intact}");
}

#[test]
fn a_hook_is_added_and_removed_and_everything_else_stays() {
    let home = home();
    let before = "{\n    // mine\n    \"model\": \"opus\",\n    \"hooks\": {\n        \"Stop\": []\n    }, // end\n}\n";
    let path = home.write(".claude/settings.json", before);
    let run = |words: &[&str], code: i32| {
        let output = home.command().env("HOME", home.path(".")).args(words).output().expect("conclave starts");
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output));
        text(&output)
    };
    let said = run(&["hook", "add", "claude-code"], 0);
    assert!(said.contains("2.1.295"), "an older client is said to be one: {said}");
    let said = run(&["hook", "add", "claude-code", "--client-version", "2.1.317"], 0);
    assert!(said.contains("blocks the call"), "{said}");
    let added = std::fs::read_to_string(&path).expect("the settings");
    assert!(added.contains("\"onFailure\": \"block\"") && added.contains("\"timeout\": 15"), "{added}");
    assert!(added.contains("// mine") && added.contains("// end"), "{added}");
    run(&["hook", "add", "claude-code", "--client-version", "2.1.317"], 0);
    assert_eq!(std::fs::read_to_string(&path).expect("the settings"), added, "twice is once");
    let backups = std::fs::read_dir(home.path(".claude")).expect("the folder").count();
    assert!(backups >= 2, "a copy of the file is left");
    assert!(run(&["hook", "list"], 0).contains("blocks on failure"));

    // The very command that was written, run as a client does.
    let line = added.lines().find_map(|line| line.trim().strip_prefix("\"command\": ")).expect("a command");
    let line: String = serde_json::from_str(line.trim_end_matches(',')).expect("a text");
    let ask_by = |line: &str, input: &[u8]| {
        let mut command = Command::new("sh");
        // As a project may set it for the hook.
        command.args(["-c", line]).env("CONCLAVE_HOME", "/nowhere/at/all");
        OLD.ask(command, input, During::Nothing)
    };
    let ask = |input: &[u8]| ask_by(&line, input);
    assert_eq!(ask(&reading(&home)), Call::Runs, "{line}");
    for (program, how) in [("/nowhere/conclave", "missing"), ("sh -c 'kill -KILL $$'", "killed"), ("false", "failed")] {
        let line = line.replace(&conclave().display().to_string(), program);
        let Call::Blocked(why) = ask_by(&line, &reading(&home)) else { panic!("{how}: {line}") };
        assert!(why.ends_with("Conclave gave no answer, so the call is refused.\n"), "{how}: {why}");
    }
    let policy = json!({ "file_path": home.data().join("policy.yaml"), "content": "" });
    let rewrite = event(&home, "PreToolUse", "Write", &policy).to_string();
    let Call::Blocked(why) = ask(rewrite.as_bytes()) else { panic!("{line}") };
    assert!(!why.contains("no answer"), "{why}");

    run(&["hook", "remove", "claude-code"], 0);
    assert_eq!(std::fs::read_to_string(&path).expect("the settings"), before);
    assert_eq!(backup(&path, ""), before, "the first copy is the first file");
    assert!(backup(&path, "-2").contains("hook claude-code") && backup(&path, "-3") == added);
    run(&["hook", "add", "codex"], 2);
    std::fs::write(&path, "{\"hooks\": []}").expect("written");
    run(&["hook", "add", "claude-code"], 2);
    assert_eq!(std::fs::read_to_string(&path).expect("the settings"), "{\"hooks\": []}");
}

fn backup(path: &std::path::Path, number: &str) -> String {
    std::fs::read_to_string(format!("{}.conclave-backup{number}", path.display())).expect("a copy")
}

/// A `conclave` command of somebody whose home folder is this one.
fn own(home: &Home, words: &[&str], code: i32) -> String {
    let output = home.command().env("HOME", home.path(".")).args(words).output().expect("conclave starts");
    assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output));
    text(&output)
}

fn own_json(home: &Home, words: &[&str], code: i32) -> Value {
    let printed = own(home, &[&["--format", "json"], words].concat(), code);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{words:?}: {error}: {printed}"))
}

#[test]
fn what_was_there_before_the_hook_is_there_after_it_to_the_byte() {
    let home = home();
    let version = |version| ["hook", "add", "claude-code", "--client-version", version];
    for before in [
        "",
        "\n",
        "{}",
        "{ \"hooks\": {} }",
        "{\"hooks\": {\"PreToolUse\": [], \"PostToolUse\": []}}\n",
        "{\r\n  \"hooks\": {\r\n    \"PreToolUse\": [\r\n    ]\r\n  }\r\n}\r\n",
    ] {
        let path = home.write(".claude/settings.json", before);
        own(&home, &version("2.1.100"), 0);
        own(&home, &version("2.1.317"), 0);
        own(&home, &["hook", "remove", "claude-code"], 0);
        assert_eq!(std::fs::read_to_string(&path).expect("the settings"), before);
        assert_eq!(backup(&path, ""), before);
        // What else changed meanwhile stays changed.
        own(&home, &version("2.1.317"), 0);
        let added = std::fs::read_to_string(&path).expect("the settings");
        std::fs::write(&path, added.replacen('{', "{ \"model\": \"opus\",", 1)).expect("written");
        own(&home, &["hook", "remove", "claude-code"], 0);
        let left = std::fs::read_to_string(&path).expect("the settings");
        assert!(left.contains("opus") && !left.contains("hook claude-code"), "{left}");
        std::fs::remove_dir_all(home.path(".claude")).expect("removed");
    }
}

#[test]
fn a_hook_that_is_turned_off_is_said_not_to_run() {
    let home = home();
    let path = home.write(".claude/settings.json", "{}\n");
    let version = ["hook", "add", "claude-code", "--client-version", "2.1.317"];
    check("hook-add", &own_json(&home, &version, 0));
    let list = own_json(&home, &["hook", "list"], 0);
    check("hook-list", &list);
    assert_eq!(
        (&list["hooks"][0]["runs"], &list["hooks"][0]["turned_off_by"]),
        (&json!(true), &Value::Null),
        "{list:#}"
    );

    let added = std::fs::read_to_string(&path).expect("the settings");
    std::fs::write(&path, added.replacen('{', "{ \"disableAllHooks\": true,", 1)).expect("written");
    let list = own_json(&home, &["hook", "list"], 2);
    check("hook-list", &list);
    assert_eq!(list["hooks"][0]["runs"], json!(false), "{list:#}");
    assert_eq!(list["hooks"][0]["turned_off_by"]["key"], "disableAllHooks", "{list:#}");
    let said = own(&home, &["hook", "list"], 2);
    assert!(said.contains("will not run: `disableAllHooks` is true in"), "{said}");
    let said = own(&home, &version, 2);
    assert!(said.contains("starts no hook"), "{said}");

    // A project's own settings count before the person's, in that project.
    std::fs::write(&path, &added).expect("written");
    home.write("app/.claude/settings.json", "{\"disableAllHooks\": true}");
    own(&home, &["hook", "list"], 0);
    let said = own(&home, &["hook", "list", "--project", "app"], 2);
    assert!(said.contains("app/.claude/settings.json"), "{said}");
    own(&home, &["hook", "add", "claude-code", "--project", "app"], 2);
    home.write("app/.claude/settings.local.json", "{\"disableAllHooks\": false}");
    own(&home, &["hook", "list", "--project", "app"], 0);

    std::fs::write(&path, "[]").expect("written");
    let list = own_json(&home, &["hook", "list"], 3);
    check("hook-list", &list);
    assert_eq!(list["hooks"][0]["runs"], Value::Null, "{list:#}");
    check("error", &own_json(&home, &["hook", "remove", "claude-code"], 2));
    std::fs::write(&path, added).expect("written");
    check("hook-remove", &own_json(&home, &["hook", "remove", "claude-code"], 0));
}

#[test]
fn each_client_is_told_what_turns_its_hooks_off_before_a_hook_is_added() {
    let home = home();
    for (client, title, file, off, key, on) in [
        (
            "claude-code",
            "Claude Code",
            ".claude/settings.json",
            "{\"disableAllHooks\": true}",
            "`disableAllHooks` is true",
            "{}",
        ),
        ("codex", "Codex", ".codex/config.toml", "features.hooks = false\n", "`features.hooks` is false", ""),
        (
            "gemini",
            "Gemini CLI",
            ".gemini/settings.json",
            "{\"hooksConfig\": {\"enabled\": false}}",
            "`hooksConfig.enabled` is false",
            "{}",
        ),
    ] {
        let path = home.write(file, off);
        let said = own(&home, &["hook", "add", client], 2);
        assert!(
            said.contains(&format!("so {title} starts no hook; take it out first")) && said.contains(file),
            "{said}"
        );
        let listed = own_json(&home, &["hook", "list"], 0);
        check("hook-list", &listed);
        assert_eq!(listed["turned_off"][0]["client"], client, "{listed:#}");
        let said = own(&home, &["hook", "list"], 0);
        assert!(said.contains(key) && said.contains(&format!("then run `conclave hook add {client}`")), "{said}");
        assert_eq!(said.contains("changes that"), client != "claude-code", "{said}");
        std::fs::write(path, on).expect("written");
    }

    // A switch that cannot be read may be off.
    for add_first in [false, true] {
        if add_first {
            own(&home, &["hook", "add", "codex"], 0);
        }
        home.write(".codex/config.toml", "model = \"m\"\n[features\n");
        let listed = own_json(&home, &["hook", "list"], 3);
        check("hook-list", &listed);
        let hook = &listed["hooks"][0];
        assert_eq!((&hook["client"], &hook["runs"]), (&json!("codex"), &Value::Null), "{listed:#}");
        for words in [&["hook", "list"][..], &["hook", "add", "codex"]] {
            let said = own(&home, words, if words[1] == "list" { 3 } else { 2 });
            assert!(said.contains(".codex/config.toml`: it is not TOML (line 2: "), "{said}");
            assert!(said.contains("correct it, or move it away"), "{said}");
        }
        home.write(".codex/config.toml", "model = \"m\"\n");
    }
}

#[test]
fn a_client_that_cannot_fail_closed_is_said_to_be_one() {
    let home = home();
    // As the native installer leaves it: a link to a program that has the version as its name.
    let add = |version: &str| {
        let program = home.write(&format!("versions/{version}"), "");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        std::fs::create_dir_all(home.path("bin")).expect("a folder");
        let _ = std::fs::remove_file(home.path("bin/claude"));
        std::os::unix::fs::symlink(&program, home.path("bin/claude")).expect("a link");
        home.write(".claude/settings.json", "{}");
        let mut command = home.command();
        command.env("HOME", home.path(".")).env("PATH", home.path("bin")).args(["hook", "add", "claude-code"]);
        text(&command.output().expect("conclave starts"))
    };
    let said = add("2.1.294");
    assert!(
        said.contains("Claude Code 2.1.294 cannot fail closed: ") && said.contains("2.1.295 and later can"),
        "{said}"
    );
    let said = add("2.1.295");
    assert!(said.contains("It fails closed: ") && !said.contains("cannot"), "{said}");
    let said = add("latest");
    assert!(said.contains("Claude Code was not told to fail closed, because its version could not be found"), "{said}");
    for client in ["codex", "gemini"] {
        std::fs::create_dir(home.path(&format!(".{client}"))).expect("a folder");
        let said = own(&home, &["hook", "add", client], 0);
        assert!(said.contains(" cannot fail closed: it runs a call whose hook hangs"), "{said}");
    }
}

/// What `conclave advise` says of a request, and how it ends.
fn advise(home: &Home, request: &str) -> (Option<i32>, Value) {
    let mut command = home.command();
    command.args(["--format", "json", "advise"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("conclave starts");
    child.stdin.take().expect("its input").write_all(request.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn one_request_is_decided_from_standard_input() {
    let home = home();
    let app = home.path("app");
    let read = json!({ "tool_name": "Read", "parameters": { "file_path": "a.py" }, "agent_id": "me", "cwd": app });
    let (code, decision) = advise(&home, &read.to_string());
    check("advice", &decision);
    assert_eq!((code, &decision["action"]), (Some(0), &json!("allow")), "{decision}");
    let own = json!({ "actor": "agent:me", "tool": "Read", "parameters": { "file_path": "a.py" }, "cwd": app });
    let (code, same) = advise(&home, &own.to_string());
    check("advice", &same);
    assert_eq!(
        (code, &same["action"], &same["rule_id"]),
        (Some(0), &decision["action"], &decision["rule_id"]),
        "{same}"
    );
    // What a call touches is read off it in either form.
    for file in ["/etc/shadow", "../data/policy.yaml"] {
        let call = json!({ "actor": "agent:me", "tool": "Read", "parameters": { "file_path": file }, "cwd": app });
        let (code, refused) = advise(&home, &call.to_string());
        check("advice", &refused);
        assert_eq!((code, &refused["action"]), (Some(2), &json!("deny")), "{refused}");
    }
    assert_eq!(decision["confidence"], Value::Null, "a rule invents no confidence");
    for request in [
        json!({ "tool_name": "no-such.tool", "parameters": {} }).to_string(),
        r#"{"tool_name": "Read", "tool_name": "Read"}"#.to_owned(),
        r#"{"tool_name": "Read", "parametres": {}}"#.to_owned(),
        r#"{"tool_name": "Read", "tool": "Read"}"#.to_owned(),
        String::new(),
    ] {
        let (code, decision) = advise(&home, &request);
        assert_eq!(code, Some(2), "{request}: {decision}");
        if decision["error"].is_object() {
            check("error", &decision);
            let hint = decision["error"]["hint"].as_str().expect("what to do");
            assert!(hint.contains("\"tool_name\"") && hint.contains("\"actor\""), "both forms are shown: {hint}");
        }
    }
    assert_eq!(advise(&home, "").1["error"]["message"], "nothing came on standard input");
}

/// One engine decides for all: what a rule says is said by hook, `advise`, MCP and `policy explain` alike.
#[test]
fn every_face_gives_the_same_answer_by_the_same_rule() {
    let home = home();
    let text = "version: 1\nrules:\n\
        - { id: no-deploy, priority: 1, action: deny, reason: no, conditions: { tool: Deploy } }\n\
        - { id: yes-build, priority: 1, action: allow, reason: yes, conditions: { tool: Build } }\n\
        - { id: look-at-it, priority: 1, action: sample, reason: look, conditions: { tool: Ship } }\n";
    policy(&home, text);
    let mut mcp = Mcp::start(&home);
    // What is sampled does not happen where nobody is there to look, and the rule that samples it is named.
    for (id, (tool, rule, explained, action)) in [
        ("Deploy", "no-deploy", "deny", "deny"),
        ("Build", "yes-build", "allow", "allow"),
        ("Ship", "look-at-it", "sample", "deny"),
        ("Rest", "no_match", "deny", "deny"),
    ]
    .into_iter()
    .enumerate()
    {
        let call = json!({ "tool_name": tool, "parameters": {}, "cwd": home.path("app") });
        let (code, advised) = advise(&home, &call.to_string());
        assert_eq!(code == Some(0), action == "allow", "{tool}: {advised}");
        let asked = mcp.ask(id as u64 + 1, "evaluate_tool_request", &call)["structuredContent"].clone();
        if explained == "sample" {
            let remedy = advised["remedy"].as_str().expect("what to do");
            assert!(remedy.contains("asks nobody") && remedy.contains("`conclave mcp`"), "{remedy}");
        }
        for (answer, word) in [(advised, explained), (asked, action)] {
            assert_eq!((&answer["action"], &answer["rule_id"]), (&json!(word), &json!(rule)), "{tool}: {answer}");
        }
        let request = json!({ "actor": "agent:codex", "tool": tool, "cwd": home.path("app") });
        let file = home.write("request.json", &request.to_string());
        let said = home.json(&["policy", "explain", file.to_str().expect("text")], 0);
        assert!(said["note"].as_str().is_some_and(|note| note.contains("`conclave advise` looks at them")), "{said}");
        assert_eq!((&said["decision"], &said["rule"]), (&json!(explained), &json!(rule)), "{tool}: {said}");
        let event = event(&home, "PreToolUse", tool, &json!({})).to_string();
        match OLD.ask(hook(&home, "codex"), event.as_bytes(), During::Nothing) {
            Call::Runs => assert_eq!(action, "allow", "{tool}"),
            Call::Blocked(why) => assert!(action == "deny" && why.contains(&format!("rule `{rule}`")), "{tool}: {why}"),
            Call::Asked(why) => panic!("{tool}: {why}"),
        }
    }
    mcp.finish();
}

/// `conclave mcp`, spoken to in lines of JSON.
pub struct Mcp {
    child: std::process::Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Mcp {
    pub fn start(home: &Home) -> Self {
        use std::io::BufRead as _;
        let mut child =
            home.command().arg("mcp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("conclave starts");
        let lines = std::io::BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut mcp = Self { child, lines };
        let hello = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "my-agent", "version": "1" } });
        let server = mcp.call(0, "initialize", &hello);
        assert_eq!(server["result"]["serverInfo"]["name"], "conclave", "{server}");
        mcp.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        mcp
    }

    pub fn send(&mut self, message: &Value) {
        writeln!(self.child.stdin.as_mut().expect("its input"), "{message}").expect("written");
    }

    /// The answer to request `id`; every line must be one of the protocol.
    pub fn answer(&mut self, id: u64) -> Value {
        loop {
            let line = self.lines.next().expect("another line").expect("text");
            let message: Value = serde_json::from_str(&line).expect("nothing but the protocol");
            assert_eq!(message["jsonrpc"], "2.0", "{message}");
            if message["id"] == json!(id) {
                return message;
            }
        }
    }

    pub fn call(&mut self, id: u64, method: &str, params: &Value) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.answer(id)
    }

    pub fn ask(&mut self, id: u64, tool: &str, request: &Value) -> Value {
        let answer = self.call(id, "tools/call", &json!({ "name": tool, "arguments": request }));
        answer["result"].clone()
    }

    /// Puts a question to a person under the number `id`, and leaves it open.
    pub fn ask_person(&mut self, id: u64, request: &Value) {
        let params = json!({ "name": "evaluate_tool_with_human_review", "arguments": request });
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }));
    }

    /// Says all that it will ever say.
    pub fn close(&mut self) {
        drop(self.child.stdin.take());
    }

    pub fn finish(mut self) {
        self.close();
        let mut rest = String::new();
        let status = self.child.wait().expect("it ends");
        let _ = self.child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut rest));
        assert!(status.success(), "{status} {rest}");
    }
}

#[test]
fn agents_ask_over_mcp() {
    let home = home();
    let mut mcp = Mcp::start(&home);
    let tools = mcp.call(1, "tools/list", &json!({}));
    let tools = tools["result"]["tools"].as_array().expect("tools");
    let names: Vec<_> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names, ["evaluate_tool_request", "evaluate_tool_with_human_review"]);
    assert!(tools.iter().all(|tool| tool["outputSchema"]["properties"]["action"].is_object()), "{tools:?}");

    let app = home.path("app");
    let read = json!({ "tool_name": "Read", "parameters": { "file_path": "a.py" }, "cwd": app });
    let answer = mcp.ask(2, "evaluate_tool_request", &read);
    assert_eq!(answer["structuredContent"]["action"], "allow", "{answer}");
    let unknown = json!({ "tool_name": "do-it.now", "parameters": {}, "cwd": app });
    let answer = mcp.ask(3, "evaluate_tool_request", &unknown);
    assert_eq!(answer["structuredContent"]["action"], "deny", "{answer}");
    assert!(answer["structuredContent"]["remedy"].is_string(), "{answer}");
    let answer = mcp.ask(4, "evaluate_tool_request", &json!({ "tool_name": "Read", "params": {} }));
    assert_eq!(answer["isError"], json!(true), "{answer}");

    // Nobody is there.
    let answer = mcp.ask(5, "evaluate_tool_with_human_review", &read);
    assert_eq!(answer["structuredContent"]["action"], "deny", "{answer}");
    let reason = answer["structuredContent"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("nobody is there"), "{reason}");
    let unknown = mcp.call(6, "tools/call", &json!({ "name": "run_it", "arguments": {} }));
    assert!(unknown["error"].is_object(), "{unknown}");
    mcp.finish();
}

#[test]
fn a_person_is_asked_over_mcp_and_their_reason_is_kept() {
    let home = home();
    let mut person = Rpc::start(&home);
    person.call("get_status", json!({})).expect("a face with a person");
    let mut mcp = Mcp::start(&home);
    let read = json!({ "tool_name": "Read", "parameters": { "file_path": "a.py" }, "cwd": home.path("app") });
    for (id, word, action) in [(1, "allow_once", "allow"), (2, "deny_once", "deny")] {
        mcp.ask_person(id, &read);
        let ask = loop {
            let asks = person.call("list_asks", json!({})).expect("asks");
            if let Some(ask) = asks["asks"].as_array().and_then(|asks| asks.first()) {
                break ask.clone();
            }
        };
        assert_eq!(ask["actor"], "agent:my-agent", "{ask}");
        let answer = json!({ "id": ask["id"], "answer": word, "justification": "because I say so" });
        person.call("answer_ask", answer).expect("answered");
        let judged = mcp.answer(id)["result"]["structuredContent"].clone();
        assert_eq!((&judged["action"], &judged["reviewed_by"]), (&json!(action), &json!("person")), "{judged}");
        assert_eq!(judged["justification"], "because I say so", "{judged}");
        let stands = judged["remedy"].as_str().is_some_and(|remedy| remedy.contains("do not ask again"));
        assert_eq!(stands, action == "deny", "{judged}");
    }
    mcp.finish();
    person.finish();
}

#[test]
fn a_question_is_withdrawn_when_its_client_cancels_it_or_is_gone() {
    let home = home();
    let mut person = Rpc::start(&home);
    person.call("get_status", json!({})).expect("a face with a person");
    let read = json!({ "tool_name": "Read", "parameters": { "file_path": "a.py" }, "cwd": home.path("app") });
    let asks_changed = |event: &Value| event["tags"].as_array().is_some_and(|tags| tags.contains(&json!("asks")));
    for gone in [false, true] {
        let mut mcp = Mcp::start(&home);
        mcp.ask_person(1, &read);
        let id = loop {
            let asks = person.call("list_asks", json!({})).expect("asks");
            if let Some(ask) = asks["asks"].as_array().and_then(|asks| asks.first()) {
                break ask["id"].clone();
            }
            person.event(asks_changed);
        };
        if gone {
            mcp.close();
            // It does not wait for the person before it leaves.
            assert_eq!(mcp.answer(1)["result"]["isError"], json!(true));
        } else {
            let params = json!({ "requestId": 1, "reason": "not needed any more" });
            mcp.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }));
            while person.call("list_asks", json!({})).expect("asks")["asks"] != json!([]) {
                person.event(asks_changed);
            }
        }
        mcp.finish();
        let answer = json!({ "id": id, "answer": "allow_once", "justification": "" });
        let late = person.call("answer_ask", answer).expect_err("nobody waits");
        assert_eq!(late["message"], "whoever asked took it back", "{late}");
    }
    person.finish();
}

#[test]
fn every_face_knows_whom_a_rule_may_name_as_its_reviewer() {
    let home = home();
    let model = json!({ "name": "Local Qwen", "base_url": "http://127.0.0.1:9/v1", "model": "m" });
    home.write("data/settings.json", &json!({ "models": [model] }).to_string());
    let deploy = json!({ "tool_name": "Deploy", "parameters": {}, "cwd": home.path("app") });
    for (name, action) in [("Local Qwen", "sample"), ("Lokal Qwen", "deny")] {
        let rule = format!(
            "version: 1\nrules:\n  - {{ id: look, priority: 1, action: sample, reason: look, \
             inference_provider: {name}, conditions: {{ tool: Deploy }} }}\n"
        );
        policy(&home, &rule);
        let (_, said) = advise(&home, &deploy.to_string());
        assert_eq!(said["action"], action, "{said}");
        let request = json!({ "actor": "agent:codex", "tool": "Deploy", "cwd": home.path("app") });
        let banner = &home.json(&["policy", "which"], 0)["banner"];
        if action == "deny" {
            assert!(said["reason"].as_str().is_some_and(|why| why.contains("did you mean `Local Qwen`?")), "{said}");
            assert!(banner.as_str().is_some_and(|text| text.contains("did you mean `Local Qwen`?")), "{banner}");
        } else {
            let file = home.write("request.json", &request.to_string());
            assert_eq!(home.json(&["policy", "explain", file.to_str().expect("text")], 0)["decision"], "sample");
            assert_eq!(banner, &Value::Null);
        }
        let status = if action == "deny" { 2 } else { 0 };
        home.json(&["policy", "check", "data/policy.yaml"], status);
    }
}
