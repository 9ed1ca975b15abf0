//! The real servers of tools: sequential thinking and memory from npm, Kagi's from pip where there is a Python 3.12.
//!
//! The npm packages are installed by `tests/servers/package-lock.json`, which pins each of them with its digest, and none
//! of their installation scripts runs. What cannot be installed is left out and counted.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::clients::packages;
use crate::log::Log;
use crate::offline::test_programs;
use crate::place::{Place, made};
use crate::step::Done;
use crate::test::limited;

/// How many servers there are to install.
const SERVERS: usize = 3;
/// Kagi's server, which runs with this Python only.
const KAGI: &str = "kagimcp==1.0.2";
const PYTHON: &str = "python3.12";

/// Runs the tests that want them.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    let npm = packages(place, log, "tests/servers", "servers").map(|folder| folder.join("node_modules/.bin"));
    let kagi = kagi(place, log);
    if let (Err(npm), Err(kagi)) = (&npm, &kagi) {
        return Ok(Done::Skipped(format!("no server can be installed: {npm:#}; {kagi:#}")));
    }
    let folder = place.root.join("src-tauri/crates/conclave-toolbox");
    let programs = test_programs(place, log)?;
    let is_it = |program: &Path| program.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"it-"));
    let found = programs.iter().find(|(package, program)| *package == folder && is_it(program));
    let (_, program) = found.context("cargo built no integration tests of the toolbox")?;
    let mut command = limited(900, program);
    command.args(["servers::", "--nocapture"]).current_dir(&folder).env("CONCLAVE_BIN", place.program("conclave")?);
    for (variable, found) in [("CONCLAVE_TOOL_SERVERS", &npm), ("CONCLAVE_KAGI", &kagi)] {
        match found {
            Ok(folder) => command.env(variable, folder),
            Err(_) => command.env_remove(variable),
        };
    }
    let said = log.output(&mut command)?;
    let ran: Vec<&str> = said.lines().filter_map(|line| Some(line.split_once("ran with ")?.1)).collect();
    ensure!(!ran.is_empty(), "no test found a server");
    let missing = SERVERS.saturating_sub(ran.len());
    let ran_all = if missing > 0 { format!(", {missing} missing") } else { String::new() };
    Ok(Done::Figure(format!("  {}{ran_all}", ran.join(", "))))
}

/// The folder with Kagi's server, installed when it is not there.
fn kagi(place: &Place, log: &mut Log) -> Result<PathBuf> {
    let folder = made(place.cache.join("python"))?.join(KAGI.replace("==", "-"));
    let (bin, stamp) = (folder.join("bin"), folder.join("installed"));
    if stamp.is_file() {
        return Ok(bin);
    }
    log.run(Command::new(PYTHON).args(["-m", "venv", "--clear"]).arg(&folder)).context("there is no Python 3.12")?;
    println!("  installs with pip, into {}: {KAGI}", folder.display());
    log.run(limited(600, bin.join("pip")).args(["install", "-q", "--disable-pip-version-check", KAGI]))?;
    std::fs::write(&stamp, "").with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(bin)
}
