//! Tests that take too long for every change: the program is stopped at every system call that apply and undo make.

use std::process::ExitCode;

use anyhow::Result;

use crate::log::Log;
use crate::place::{Place, cargo};
use crate::step::{Done, Step, run_all};

/// Runs the engine's and the effects' tests with `CONCLAVE_DEEP` set.
pub fn run(place: &Place) -> Result<ExitCode> {
    run_all(place, &[&Step { name: "deep", title: "every kill point (minutes)", run: kill_points }])
}

fn kill_points(place: &Place, log: &mut Log) -> Result<Done> {
    println!("  cargo speaks in {}", log.path().display());
    log.run(
        cargo()
            .args(["test", "--locked", "-p", "conclave-engine", "-p", "conclave-effects", "--", "--nocapture"])
            .env("CONCLAVE_DEEP", "1")
            .current_dir(&place.root),
    )?;
    Ok(Done::Passed)
}
