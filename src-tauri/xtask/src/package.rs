//! `cargo xtask package`: everything a person installs, in one Debian package.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::local;
use crate::log::Log;
use crate::notices;
use crate::place::{Place, cargo};
use crate::setup;
use crate::step::{Done, Step, run_all};
use crate::test::FEATURES;

/// The programs beside the window.
const BESIDE: [&str; 2] = ["conclave", local::PACKAGE];

/// Where a person finds the licences.
const COPYRIGHT: &str = "/usr/share/doc/conclave/copyright";

const STEPS: &[Step] = &[
    Step { name: "set-up", title: "what is missing is installed", run: setup::to_start },
    Step { name: "set-up-local", title: "what the worker needs is installed", run: setup::to_build_local },
    Step {
        name: "local-build",
        title: "the worker for local models is built (10 minutes, the first time)",
        run: local::build,
    },
    Step { name: "programs", title: "the command line is built as it ships", run: command_line },
    Step { name: "package", title: "the window is built as it ships, and all of it is packed (minutes)", run: pack },
];

/// Runs the steps and says where the package is.
pub fn run(place: &Place) -> Result<ExitCode> {
    run_all(place, &STEPS.iter().collect::<Vec<_>>())
}

fn command_line(place: &Place, log: &mut Log) -> Result<Done> {
    log.run(cargo().args(["build", "--locked", "--release", "-p", "conclave-cli"]).current_dir(&place.root))?;
    Ok(Done::Passed)
}

fn pack(place: &Place, log: &mut Log) -> Result<Done> {
    let release = place.target.join("release");
    let (here, missing): (Vec<_>, Vec<_>) = BESIDE.iter().partition(|name| release.join(name).is_file());
    let mut files: serde_json::Map<_, _> =
        here.iter().map(|name| (format!("/usr/bin/{name}"), json!(release.join(name)))).collect();
    files.insert(COPYRIGHT.to_owned(), json!(notices::write(place, log)?));
    let config = json!({ "bundle": { "linux": { "deb": { "files": files } } } }).to_string();
    let mut tauri = Command::new(place.root.join("ui/node_modules/.bin/tauri"));
    tauri.args(["build", "--ci", "--bundles", "deb", "--config", &config, "--features", FEATURES]);
    // Without it cargo builds every program of the workspace once more.
    tauri.args(["--", "--package", "conclave-app"]);
    log.run(tauri.env("CARGO_TARGET_DIR", &place.target).current_dir(&place.root))?;
    let package = newest(&release.join("bundle/deb"))?;
    let list = log.output(Command::new("dpkg-deb").arg("--contents").arg(&package))?;
    let programs = here.iter().copied().chain([&"conclave-app"]).map(|name| format!("/usr/bin/{name}"));
    for file in programs.chain([COPYRIGHT.to_owned()]) {
        let is_there = list.lines().any(|line| line.ends_with(file.trim_start_matches('/')));
        ensure!(is_there, "`{}` holds no `{file}`", package.display());
    }
    println!("  {}", package.display());
    Ok(match missing.as_slice() {
        [] => Done::Passed,
        missing => Done::Skipped(format!("the package holds no {missing:?}: they are not built here")),
    })
}

fn newest(folder: &Path) -> Result<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let packages = entries.flatten().map(|entry| entry.path());
    let packages = packages.filter(|path| path.extension().is_some_and(|extension| extension == "deb"));
    let newest = packages.max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    match newest {
        Some(package) => Ok(package),
        None => bail!("`{}` holds no package", folder.display()),
    }
}
