//! Tests that take too long for every change: the program is stopped at every system call that apply and undo make.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::log::Log;
use crate::place::{Place, cargo};
use crate::step::{Done, Step, run_all};

/// What the tests print when they have counted.
const FIGURES: &[&str] = &["partial", "flipped bytes"];

/// Runs the engine's and the store's exhaustive tests.
pub fn run(place: &Place) -> Result<ExitCode> {
    run_all(place, &[&Step { name: "deep", title: "every kill point and many flipped bytes (minutes)", run: exhaust }])
}

fn exhaust(place: &Place, log: &mut Log) -> Result<Done> {
    println!("  cargo speaks in {}", log.path().display());
    let said = log.output(
        cargo()
            .args(["test", "--locked", "--lib", "-p", "conclave-engine", "-p", "conclave-store", "--", "--nocapture"])
            .args(["kill", "damage"])
            .env("CONCLAVE_DEEP", "1")
            .current_dir(&place.root),
    )?;
    if said.contains("skipped: strace absent") {
        return Ok(Done::Skipped("strace is not installed".to_owned()));
    }
    let figures: Vec<String> = said
        .lines()
        .filter(|line| FIGURES.iter().any(|figure| line.contains(figure)))
        .map(|line| format!("  {}", line.trim()))
        .collect();
    ensure!(!figures.is_empty(), "no test printed its figure");
    Ok(Done::Figure(figures.join("\n")))
}
