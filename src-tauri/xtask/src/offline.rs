//! The demo and the core's tests where there is no network at all: a namespace of its own without a route.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::log::Log;
use crate::place::Place;
use crate::step::Done;
use crate::test::workspace;

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

    let programs = test_programs(place, log)?;
    ensure!(programs.len() >= CORE.len(), "only {} test programs were found", programs.len());
    for (package, program) in &programs {
        log.run(without_network(program).arg("--quiet").current_dir(package))?;
    }
    Ok(Done::Figure(format!("  {resolutions} findings resolved, {} test programs", programs.len())))
}

fn without_network(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.arg("--map-root-user").arg("--net").arg(program);
    command
}

/// The folder of each package of the core, with one of its test programs.
fn test_programs(place: &Place, log: &mut Log) -> Result<Vec<(PathBuf, PathBuf)>> {
    let messages = log.output(&mut workspace(place, "test", &["--no-run", "--message-format", "json", "-q"]))?;
    let mut programs = Vec::new();
    for line in messages.lines() {
        let Ok(Artifact { manifest_path: Some(manifest), executable: Some(program), profile: Some(profile) }) =
            serde_json::from_str(line)
        else {
            continue;
        };
        let package = manifest.parent().unwrap_or(&manifest).to_owned();
        if profile.test && CORE.iter().any(|name| package.ends_with(name)) {
            programs.push((package, program));
        }
    }
    Ok(programs)
}
