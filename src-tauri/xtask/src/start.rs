//! `cargo xtask start`: install what is missing, build, and open the sample project.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::log::Log;
use crate::place::{Place, cargo};
use crate::setup;
use crate::step::{Done, Step, run_all};
use crate::test::{FEATURES, build_page};

const STEPS: &[Step] = &[
    Step { name: "set-up", title: "what is missing is installed", run: setup::to_start },
    Step { name: "page", title: "the page of the window is built", run: build_page },
    Step { name: "programs", title: "the window and the command line are built (minutes, the first time)", run: build },
    Step { name: "demo", title: "the sample project is opened", run: open },
];

/// Runs the steps; the last one shows the window, or the report where there is no display.
pub fn run(place: &Place) -> Result<ExitCode> {
    run_all(place, &STEPS.iter().collect::<Vec<_>>())
}

fn build(place: &Place, log: &mut Log) -> Result<Done> {
    println!("  cargo speaks in {}", log.path().display());
    log.run(
        cargo()
            .args(["build", "--locked", "-p", "conclave-app", "-p", "conclave-cli", "--features", FEATURES])
            .current_dir(&place.root),
    )?;
    Ok(Done::Passed)
}

fn open(place: &Place, log: &mut Log) -> Result<Done> {
    let (program, argument) = demo(place)?;
    log.say(&format!("$ {} {argument}", program.display()))?;
    // In the person's own terminal, so that the report can be read.
    let status = Command::new(&program)
        .arg(argument)
        .current_dir(&place.root)
        .status()
        .with_context(|| format!("cannot run `{}`", program.display()))?;
    ensure!(status.success(), "the demo ended with {status}");
    Ok(Done::Passed)
}

/// The window where there is a display, the command line where there is none.
fn demo(place: &Place) -> Result<(PathBuf, &'static str)> {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if set("DISPLAY") || set("WAYLAND_DISPLAY") {
        return Ok((place.program("conclave-app")?, "--demo"));
    }
    println!("  there is no display, so this is what the command line reports\n");
    Ok((place.program("conclave")?, "demo"))
}
