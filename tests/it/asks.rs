//! Requests that wait for the person, asked and answered at a terminal.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use crate::cli::check;
use crate::hook::Mcp;
use crate::program::{Home, Rpc, text};

/// `conclave asks watch` in a terminal of its own; killed when dropped.
struct Watch {
    child: Child,
    terminal: File,
    /// What was written and not looked at yet.
    seen: String,
}

impl Watch {
    fn start(home: &Home) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("it can be used");
        let name = ptsname(&terminal, Vec::new()).expect("its name");
        let side = || -> Stdio {
            let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
            OpenOptions::new().read(true).write(true).open(path).expect("its other side").into()
        };
        let mut command = home.command();
        command.args(["asks", "watch"]).stdin(side()).stdout(side()).stderr(side());
        let child = command.spawn().expect("conclave starts");
        // The command holds the other side open, and the end of the terminal is seen only when nobody does.
        drop(command);
        let mut watch = Self { child, terminal: terminal.into(), seen: String::new() };
        watch.until("You are asked here");
        watch
    }

    /// Reads on to `words`; gives all up to their end.
    fn until(&mut self, words: &str) -> String {
        let mut bytes = [0; 4096];
        loop {
            if let Some(at) = self.seen.find(words) {
                let rest = self.seen.split_off(at + words.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let n = self.terminal.read(&mut bytes).unwrap_or_else(|end| panic!("{end} before {words}: {}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
    }

    fn types(&mut self, text: &str) {
        self.terminal.write_all(text.as_bytes()).expect("it is typed");
    }

    fn ends(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn home() -> Home {
    let home = Home::new();
    std::fs::create_dir_all(home.path("app")).expect("a folder");
    home.run(&["doctor"]);
    home
}

fn read(home: &Home, path: &str) -> Value {
    json!({ "tool_name": "Read", "parameters": { "file_path": path }, "cwd": home.path("app") })
}

fn attended(home: &Home) -> Value {
    home.json(&["asks"], 0)["attended"].clone()
}

#[test]
fn a_person_at_a_terminal_is_asked_and_answers_there() {
    let home = home();
    let mut watch = Watch::start(&home);
    assert_eq!(attended(&home), json!(true));
    let mut mcp = Mcp::start(&home);
    let of = |answer: Value| answer["result"]["structuredContent"].clone();

    // What an agent writes neither reaches the terminal as it is nor answers anything.
    let hostile = "a.py\u{1b}[2J\r\nyes 1\n\u{202e}Type `yes 9`";
    mcp.ask_person(1, &read(&home, hostile));
    let shown = watch.until("Type `yes 1` to let it happen once; anything else refuses it: ");
    let shown = shown.replace("\r\u{1b}[2K", "").replace("\r\n", "\n");
    assert!(shown.contains("agent:my-agent") && shown.contains("human-review"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\r', '\u{202e}']) && !shown.lines().any(|line| line == "yes 1"), "{shown}");
    watch.types("yes 1\n");
    let judged = of(mcp.answer(1));
    assert_eq!((&judged["action"], &judged["reviewed_by"]), (&json!("allow"), &json!("person")), "{judged}");

    for (id, line) in [(2, "y\n"), (3, "yes\n"), (4, "yes 3\n"), (5, "\n")] {
        mcp.ask_person(id, &read(&home, "a.py"));
        watch.until(&format!("Type `yes {id}`"));
        watch.types(line);
        let judged = of(mcp.answer(id));
        assert_eq!((&judged["action"], &judged["reviewed_by"]), (&json!("deny"), &json!("person")), "{judged}");
        watch.until("It does not happen.");
    }
    // Typed before the question is there: it answers nothing.
    watch.types("yes 6\n");
    watch.until("yes 6");
    mcp.ask_person(6, &read(&home, "a.py"));
    watch.until("Type `yes 6`");
    watch.types("no\n");
    assert_eq!(of(mcp.answer(6))["action"], "deny");

    mcp.ask_person(7, &read(&home, "a.py"));
    watch.until("Type `yes 7`");
    mcp.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } }));
    watch.until("7 does not wait any more.");

    mcp.ask_person(8, &read(&home, "a.py"));
    watch.until("Type `yes 8`");
    watch.types("\u{4}");
    assert_eq!(of(mcp.answer(8))["action"], "deny", "the end of the input refuses what is shown");
    assert_eq!(watch.ends(), Some(0));
    assert_eq!(attended(&home), json!(false));
    mcp.finish();
}

#[test]
fn whoever_ends_or_kills_the_watch_is_not_there_any_more() {
    let home = home();
    let signal = |watch: &Watch, name: &str| {
        let pid = watch.child.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().expect("kill starts").success());
    };
    for name in ["-INT", "-HUP", "-KILL"] {
        let mut watch = Watch::start(&home);
        assert_eq!(attended(&home), json!(true), "{name}");
        signal(&watch, name);
        watch.ends();
        assert_eq!(attended(&home), json!(false), "{name}");
    }
    let mut mcp = Mcp::start(&home);
    let answer = mcp.ask(1, "evaluate_tool_with_human_review", &read(&home, "a.py"));
    let reason = answer["structuredContent"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("`conclave asks watch`"), "{reason}");
    mcp.finish();
    let said = text(&home.run(&["asks"]));
    assert!(said.contains("Open the window, or run `conclave asks watch` in a terminal"), "{said}");
}

#[test]
fn without_a_terminal_nobody_is_asked_and_programs_get_lines() {
    let home = home();
    let output = home.command().args(["asks", "watch"]).stdin(Stdio::null()).output().expect("conclave starts");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));

    let mut command = home.command();
    command.args(["--format", "json", "asks", "watch"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut lines = command.spawn().expect("conclave starts");
    let mut said = BufReader::new(lines.stdout.take().expect("its output")).lines();
    assert_eq!(attended(&home), json!(false));
    let mut person = Rpc::start(&home);
    person.call("get_status", json!({})).expect("a face with a person");
    let mut mcp = Mcp::start(&home);
    for id in 1..=2 {
        mcp.ask_person(id, &read(&home, "a.py"));
        let line: Value = serde_json::from_str(&said.next().expect("a line").expect("text")).expect("JSON");
        check("ask", &line);
        assert_eq!(line["id"], id.to_string());
    }
    mcp.close();
    mcp.finish();
    person.finish();
    lines.kill().expect("it can be killed");
    lines.wait().expect("it ends");
}
