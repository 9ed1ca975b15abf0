//! Tests that take too long for every change: the program is stopped at every system call that apply and undo make, and a
//! model that obeys whoever wrote into the project tries every goal over every channel in every mode.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::bench::build_release;
use crate::log::Log;
use crate::place::{Place, cargo};
use crate::step::{Done, Step, run_all};

/// What the tests print when they have counted.
const FIGURES: &[&str] = &["partial", "flipped bytes"];

/// Runs the exhaustive tests of the engine and the store, and those of the whole program.
pub fn run(place: &Place) -> Result<ExitCode> {
    let steps = [
        Step { name: "deep", title: "every kill point and many flipped bytes (minutes)", run: exhaust },
        Step { name: "release", title: "the command line is built as it ships (minutes)", run: build_release },
        Step { name: "obedient", title: "an obedient model, every goal over every channel (minutes)", run: obey },
    ];
    run_all(place, &steps.each_ref())
}

fn obey(place: &Place, log: &mut Log) -> Result<Done> {
    println!("  cargo speaks in {}", log.path().display());
    let said = log.output(
        cargo()
            .args(["test", "--locked", "-p", "conclave-tests", "--test", "it", "obedient::", "--", "--nocapture"])
            .env("CONCLAVE_DEEP", "1")
            .env("CONCLAVE_BIN", place.target.join("release/conclave"))
            .current_dir(&place.root),
    )?;
    figures(&said, &["forbidden effects"])
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
    figures(&said, FIGURES)
}

/// The lines in which the tests say what they counted.
fn figures(said: &str, words: &[&str]) -> Result<Done> {
    let figures: Vec<String> = said
        .lines()
        .filter(|line| words.iter().any(|word| line.contains(word)))
        .map(|line| format!("  {}", line.trim()))
        .collect();
    ensure!(!figures.is_empty(), "no test printed its figure");
    Ok(Done::Figure(figures.join("\n")))
}
