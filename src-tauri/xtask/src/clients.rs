//! The real clients of agents, from npm, with the hook of Conclave in them and a model on this machine before them.
//!
//! They are installed by `tests/clients/package-lock.json`, which pins each package with its digest, and none of their
//! installation scripts runs. Where the machine allows it, the tests of the hook run without a network, so that no
//! client of theirs can reach anybody.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::log::Log;
use crate::offline::{test_programs, without_network};
use crate::place::{Place, made};
use crate::setup::digest;
use crate::step::Done;
use crate::test::limited;

/// How many clients there are to install.
const CLIENTS: usize = 3;

/// Runs the tests that want them.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    let clients = match installed(place, log) {
        Ok(folder) => folder,
        Err(error) => return Ok(Done::Skipped(format!("the clients cannot be installed: {error:#}"))),
    };
    let alone = log.run(&mut without_network(Path::new("true"))).is_ok();
    let programs = test_programs(place, log)?;
    let hooked = asked(place, log, &programs, ("tests", alone), &clients)?;
    // A client that is asked as a model is in Conclave's own sandbox, which has no network and cannot be built in another.
    asked(place, log, &programs, ("src-tauri/crates/conclave-inference", false), &clients)?;
    let network = if alone { "without a network" } else { "with the network of this machine" };
    let missing = CLIENTS.saturating_sub(hooked.len());
    let ran_all = if missing > 0 { format!(", {missing} missing") } else { String::new() };
    Ok(Done::Figure(format!("  {}{ran_all}, {network}", hooked.join(", "))))
}

/// Runs the tests of `package` that want clients; gives those that they found.
fn asked(
    place: &Place,
    log: &mut Log,
    programs: &[(PathBuf, PathBuf)],
    (package, alone): (&str, bool),
    clients: &Path,
) -> Result<Vec<String>> {
    let folder = place.root.join(package);
    let is_it = |program: &Path| program.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"it-"));
    let found = programs.iter().find(|(package, program)| *package == folder && is_it(program));
    let (_, program) = found.with_context(|| format!("cargo built no integration tests of `{package}`"))?;
    let inner = if alone { without_network(program) } else { Command::new(program) };
    let mut command = limited(900, inner.get_program());
    let said = log.output(
        command
            .args(inner.get_args())
            .args(["clients::", "--nocapture"])
            .current_dir(&folder)
            .env("CONCLAVE_BIN", place.program("conclave")?)
            .env("CONCLAVE_CLIENTS", clients),
    )?;
    let mut ran: Vec<String> =
        said.lines().filter_map(|line| Some(line.split_once("ran with ")?.1.to_owned())).collect();
    ran.sort_unstable();
    ran.dedup();
    ensure!(!ran.is_empty(), "no test of `{package}` found a client");
    Ok(ran)
}

/// The folder with `node_modules` of the clients, installed when it is not there.
pub fn installed(place: &Place, log: &mut Log) -> Result<PathBuf> {
    packages(place, log, "tests/clients", "clients")
}

/// A folder `name` with `node_modules` by the lock file in `source`, installed when it is not there.
pub fn packages(place: &Place, log: &mut Log, source: &str, name: &str) -> Result<PathBuf> {
    let from = place.root.join(source);
    let folder = made(place.target.join(name))?;
    let (stamp, lock) = (folder.join("installed"), digest(&from.join("package-lock.json"))?);
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(from.join(name), folder.join(name)).with_context(|| format!("cannot copy `{name}`"))?;
    }
    println!("  installs with npm, into {}: the packages of {source}/package-lock.json", folder.display());
    let cache = folder.join("cache");
    log.run(
        limited(600, "npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache"])
            .arg(&cache)
            .current_dir(&folder),
    )?;
    // What is installed needs it no more, and it is as large again.
    std::fs::remove_dir_all(&cache).with_context(|| format!("cannot remove `{}`", cache.display()))?;
    std::fs::write(&stamp, lock).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(folder)
}
