//! Offline: the core's tests and the demo where there is no network at all, and a record of what the command line
//! attempts when it is told to stay offline although models, keys and a proxy are set up.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::log::Log;
use crate::place::{Place, on_path};
use crate::step::Done;
use crate::test::{limited, workspace};
use crate::trace;

/// Crates whose tests must not notice that the network is gone.
const CORE: &[&str] =
    &["conclave-core", "conclave-sarif", "conclave-fixers", "conclave-policy", "conclave-store", "conclave-engine"];

/// What cargo says about one thing that it built.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Runs both, or says why this machine cannot cut the network.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    if log.run(&mut without_network(Path::new("true"))).is_err() {
        return Ok(Done::Skipped("this machine gives no network namespace (unshare -rn)".to_owned()));
    }
    let conclave = place.program("conclave")?;
    let data = place.scratch("offline")?;
    let report = log.output(without_network(&conclave).args(["demo", "--format", "json", "--data-dir"]).arg(&data))?;
    let report: Value = serde_json::from_str(&report).context("the report of the demo is not JSON")?;
    let resolutions = report["resolutions"].as_array().map_or(0, Vec::len);
    ensure!(resolutions > 0, "the demo resolved nothing");

    let mut programs = test_programs(place, log)?;
    programs.retain(|(package, _)| CORE.iter().any(|name| package.ends_with(name)));
    ensure!(programs.len() >= CORE.len(), "only {} test programs were found", programs.len());
    for (package, program) in &programs {
        log.run(without_network(program).arg("--quiet").current_dir(package))?;
    }
    let attempts = match on_path("strace") {
        Some(_) => record(place, log, &conclave)?,
        None => "no record of attempts: there is no strace".to_owned(),
    };
    Ok(Done::Figure(format!("  {resolutions} findings resolved, {} test programs; {attempts}", programs.len())))
}

/// Models that would be asked: one by name, one by address, one on this machine, all through a proxy.
const SETTINGS: &str = r#"{
  "proxy": "http://proxy.invalid:3128",
  "models": [
    { "name": "Hosted", "base_url": "https://model.invalid/v1", "model": "m", "may_send_code": true },
    { "name": "Address", "base_url": "https://192.0.2.1/v1", "model": "m", "may_send_code": true },
    { "name": "Here", "base_url": "http://127.0.0.1:1/v1", "model": "m", "may_send_code": true }
  ]
}"#;

/// A model on this machine that nobody serves.
const HERE: &str = r#"{
  "models": [{ "name": "Here", "base_url": "http://127.0.0.1:1/v1", "model": "m", "may_send_code": true }]
}"#;

/// Runs whole sessions under strace: none may attempt a connection offline, and the same session must when it is not,
/// or the record would prove nothing.
fn record(place: &Place, log: &mut Log, conclave: &Path) -> Result<String> {
    let folder = place.scratch("offline-record")?;
    let sample = folder.join("sample");
    crate::place::copy_tree(&place.sample(), &sample)?;
    let data = folder.join("data");
    std::fs::create_dir_all(data.join("blobs"))?;
    std::fs::write(data.join("settings.json"), SETTINGS)?;
    let sessions: [(&str, &[&str], &str); 6] = [
        ("scan", &["scan", "sample"], ""),
        ("fix", &["fix", "--all"], ""),
        ("doctor", &["doctor"], ""),
        ("rpc", &["rpc"], "{\"id\":1,\"cmd\":\"get_status\"}\n{\"id\":2,\"cmd\":\"list_keys\"}\n"),
        ("hook", &["hook", "claude-code"], HOOK),
        ("mcp", &["mcp"], MCP),
    ];
    let mut run = |name: &str, words: &[&str], input: &str| -> Result<usize> {
        let trace = folder.join(format!("{name}.trace"));
        let typed = folder.join(format!("{name}.in"));
        std::fs::write(&typed, input)?;
        let recorded = trace::traced(conclave, &trace);
        let mut command = limited(300, recorded.get_program());
        command.args(recorded.get_args()).arg("--data-dir").arg(&data).args(words);
        // Whatever its exit status: what counts is what it attempted. A hook that denies ends with 2.
        let _ = log.run_with(command.current_dir(&folder), std::fs::File::open(&typed)?.into());
        let attempts = trace::attempts(&trace)?;
        attempts.iter().take(20).try_for_each(|line| log.say(line))?;
        Ok(attempts.len())
    };
    for (name, words, input) in sessions {
        let attempts = run(name, &[&["--offline"], words].concat(), input)?;
        if attempts > 0 {
            bail!("`conclave --offline {}` attempted {attempts} connections", words.join(" "));
        }
    }
    std::fs::write(data.join("settings.json"), HERE)?;
    let online = run("online", &["fix", "--all"], "")?;
    ensure!(online > 0, "the record shows nothing even when connections are allowed");
    Ok(format!("0 connection attempts in {} offline sessions ({online} in one that is not)", sessions.len()))
}

const HOOK: &str = r#"{"session_id":"s","cwd":"/tmp","permission_mode":"default","hook_event_name":"PreToolUse","tool_name":"WebFetch","tool_input":{"url":"https://model.invalid/"},"tool_use_id":"t1"}
"#;

const MCP: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"record","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"evaluate_tool_request","arguments":{"tool_name":"WebFetch","parameters":{"url":"https://model.invalid/"}}}}
"#;

/// `program` where there is nothing but the machine itself: some tests play the server that they ask.
pub fn without_network(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]).arg(program);
    command
}

/// The folder of each package, with one of its test programs.
pub fn test_programs(place: &Place, log: &mut Log) -> Result<Vec<(PathBuf, PathBuf)>> {
    let messages = log.output(&mut workspace(place, "test", &["--no-run", "--message-format", "json", "-q"]))?;
    let mut programs = Vec::new();
    for line in messages.lines() {
        let Ok(Artifact { manifest_path: Some(manifest), executable: Some(program), profile: Some(profile) }) =
            serde_json::from_str(line)
        else {
            continue;
        };
        let package = manifest.parent().unwrap_or(&manifest).to_owned();
        if profile.test {
            programs.push((package, program));
        }
    }
    Ok(programs)
}
