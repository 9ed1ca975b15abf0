//! How long the command line takes, from a release build.

use std::path::Path;
use std::process::ExitCode;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::log::Log;
use crate::place::{Place, cargo};
use crate::step::{Done, Step, run_all};

const STEPS: &[Step] = &[
    Step { name: "release", title: "the command line is built as it ships (minutes)", run: build_release },
    Step { name: "bench", title: "times", run: times },
];

/// Builds and measures.
pub fn run(place: &Place) -> Result<ExitCode> {
    run_all(place, &STEPS.iter().collect::<Vec<_>>())
}

/// `conclave` in release, under `target/release`.
pub fn build_release(place: &Place, log: &mut Log) -> Result<Done> {
    println!("  cargo speaks in {}", log.path().display());
    log.run(cargo().args(["build", "--release", "--locked", "-p", "conclave-cli"]).current_dir(&place.root))?;
    Ok(Done::Passed)
}

fn times(place: &Place, log: &mut Log) -> Result<Done> {
    let conclave = place.target.join("release/conclave");
    let mut table = String::from("| command | n | median ms | slowest ms |\n| --- | ---: | ---: | ---: |");
    for (arguments, count) in [(&["--help"][..], 20), (&["demo", "--format", "json"][..], 5)] {
        let mut samples = Vec::new();
        for _ in 0..count {
            let data = place.scratch("bench")?;
            samples.push(milliseconds(&conclave, arguments, &data)?);
        }
        samples.sort_by(f64::total_cmp);
        log.say(&format!("{arguments:?}: {samples:?}"))?;
        let (median, slowest) = (median(&samples), samples[samples.len() - 1]);
        table.push_str(&format!("\n| `conclave {}` | {count} | {median:.0} | {slowest:.0} |", arguments[0]));
    }
    Ok(Done::Figure(table))
}

/// One run, with a data folder of its own so that nothing is remembered.
fn milliseconds(program: &Path, arguments: &[&str], data: &Path) -> Result<f64> {
    let mut command = Command::new(program);
    command.args(arguments).env("CONCLAVE_HOME", data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot run `{}`", program.display()))?;
    let time = start.elapsed();
    ensure!(status.success(), "`conclave {}` ended with {status}", arguments.join(" "));
    Ok(time.as_secs_f64() * 1000.0)
}

/// Of sorted samples; the mean of the two in the middle when their count is even.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
    }
}
