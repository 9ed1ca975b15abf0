//! Tests that take too long for every change: the program is stopped at every system call that apply and undo make, and a
//! model that obeys whoever wrote into the project tries every goal over every channel in every mode.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use crate::bench::build_release;
use crate::log::Log;
use crate::place::{Place, cargo};
use crate::step::{Done, Step, run_all};

/// What the tests print when they have counted.
const FIGURES: &[&str] = &["partial", "flipped bytes"];

/// Where files are in memory.
const MEMORY: &str = "/dev/shm";

const STEPS: &[Step] = &[
    Step { name: "kills", title: "every kill point and many flipped bytes (minutes)", run: exhaust },
    Step { name: "release", title: "the command line is built as it ships (minutes)", run: build_release },
    Step { name: "obedient", title: "an obedient model, every goal over every channel (an hour or more)", run: obey },
];

/// Runs the exhaustive tests of the engine and the store, and those of the whole program; or what `names` names, with the
/// program where it is needed.
pub fn run(place: &Place, names: &[&str]) -> Result<ExitCode> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is nothing called `{unknown}` to try; there are {}", known.join(", "));
    }
    let is_wanted = |step: &&Step| {
        let needed = step.name == "release" && names.contains(&"obedient");
        names.is_empty() || names.contains(&step.name) || needed
    };
    run_all(place, &STEPS.iter().filter(is_wanted).collect::<Vec<_>>())
}

/// One mode after the other, each on all cores; `CONCLAVE_DEEP_PART` such as 3/8 tries a part.
fn obey(place: &Place, log: &mut Log) -> Result<Done> {
    println!("  cargo speaks in {}", log.path().display());
    let mut tests = cargo();
    tests
        .args(["test", "--locked", "-p", "conclave-tests", "--test", "it", "obedient::", "--"])
        .args(["--nocapture", "--test-threads", "1"])
        .env("CONCLAVE_DEEP", "1")
        .env("CONCLAVE_BIN", place.target.join("release/conclave"))
        .current_dir(&place.root);
    // Hundreds of thousands of entries are made durable, and that they are is tried elsewhere.
    if Path::new(MEMORY).is_dir() {
        tests.env("TMPDIR", MEMORY);
    }
    let said = log.output(&mut tests)?;
    let Done::Figure(lines) = figures(&said, &["forbidden effects"])? else { bail!("no test printed its figure") };
    let modes = lines.lines().count();
    let (mut tried, mut of) = (0, 0);
    for line in lines.lines() {
        let (some, all) = cases(line).with_context(|| format!("no count of cases in `{line}`"))?;
        tried += some;
        of += all;
    }
    Ok(Done::Figure(format!("{lines}\n  {modes} modes: {tried} of {of} cases tried")))
}

/// How many cases of how many a line says that were tried.
fn cases(line: &str) -> Option<(usize, usize)> {
    let (before, _) = line.split_once(" cases tried")?;
    let mut words = before.rsplit(' ');
    let (of, "of", some) = (words.next()?, words.next()?, words.next()?) else { return None };
    Some((some.parse().ok()?, of.parse().ok()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_of_a_line_are_counted() {
        let line =
            "  panel: 658 goals over 11 channels: 905 of 7238 cases tried, 9 questions, 4 allowed, 0 forbidden effects";
        assert_eq!(cases(line), Some((905, 7238)));
        assert_eq!(cases("panel: 0 forbidden effects"), None);
    }
}
