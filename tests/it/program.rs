//! Starts the `conclave` program on a data folder of its own.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tree::root;

/// The built program: `CONCLAVE_BIN`, or built now.
pub fn conclave() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| match std::env::var_os("CONCLAVE_BIN") {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").expect("tests run under cargo");
    let built = Command::new(cargo)
        .args(["build", "--package", "conclave-cli", "--message-format", "json-render-diagnostics"])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "conclave-cli does not build");
    String::from_utf8(built.stdout)
        .expect("cargo writes text")
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .expect("cargo names the program")
}

/// A data folder and a working folder, removed at the end.
pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A path in the working folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the working folder, with the folders above it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(&path, text).expect("the file is written");
        path
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(conclave());
        command
            .env_remove("CONCLAVE_HOME")
            .env_remove("CONCLAVE_WORKSPACE")
            .env_remove("CONCLAVE_LOG")
            .env("NO_COLOR", "1");
        command.arg("--data-dir").arg(self.data()).current_dir(self.folder.path());
        command
    }

    /// Runs `conclave` with `words` to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command().args(words).output().expect("conclave starts")
    }

    /// Runs `conclave --format json` and reads what it prints; the exit status must be `code`.
    pub fn json(&self, words: &[&str], code: i32) -> Value {
        let output = self.run(&[&["--format", "json"], words].concat());
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}: {}", text(&output)))
    }
}

/// Both outputs as text.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A running `conclave rpc`; killed when dropped.
pub struct Rpc {
    child: Child,
    input: Option<ChildStdin>,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    next: u64,
    /// Events read while waiting for answers.
    pub events: Vec<Value>,
}

impl Rpc {
    pub fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    /// Starts it with these variables as well.
    pub fn start_with(home: &Home, variables: &[(&str, &OsStr)]) -> Self {
        let mut command = home.command();
        command.arg("rpc").envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("conclave starts");
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, input, lines, next: 0, events: Vec::new() }
    }

    /// Sends a raw line.
    pub fn send(&mut self, line: &str) {
        let input = self.input.as_mut().expect("its input is open");
        writeln!(input, "{line}").expect("the line is written");
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> Value {
        let line = self.lines.next().expect("another line").expect("text");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Calls a command: the answer or the error.
    pub fn call(&mut self, cmd: &str, payload: Value) -> Result<Value, Value> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "id": id, "cmd": cmd, "payload": payload }).to_string());
        loop {
            let line = self.line();
            if let Some(event) = line.get("event") {
                self.events.push(event.clone());
            } else if line["id"] == json!(id) {
                return line.get("ok").cloned().ok_or_else(|| line["error"].clone());
            }
        }
    }

    /// Waits for an event that `wanted` accepts, those already read included.
    pub fn event(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.events.iter().position(&wanted) {
            return self.events.remove(at);
        }
        loop {
            let line = self.line();
            if let Some(event) = line.get("event")
                && wanted(event)
            {
                return event.clone();
            }
        }
    }

    /// Kills it without a warning.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Ends its input and waits for it to leave by itself.
    pub fn finish(mut self) -> Option<i32> {
        self.input = None;
        for line in self.lines.by_ref() {
            drop(line);
        }
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Rpc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
