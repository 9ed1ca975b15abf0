//! How long the command line, a synthesis, a decision of the policy, the hook, a write to the database, a finding and a
//! question to models take, from a release build.

use std::path::Path;
use std::process::ExitCode;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::eval::BANDIT_SARIF;
use crate::log::Log;
use crate::place::{Place, cargo};
use crate::python;
use crate::step::{Done, Step, run_all};

const RELEASE: Step =
    Step { name: "release", title: "the command line is built as it ships (minutes)", run: build_release };

const STEPS: &[Step] = &[
    Step { name: "commands", title: "commands from start to end", run: times },
    Step { name: "synthesis", title: "what deliberation adds to an offline run", run: synthesis },
    Step { name: "policy", title: "decisions with 1,000 rules, and the hook as a process", run: policy },
    Step { name: "store", title: "what becomes durable in a second, beside the disk's own time", run: store },
    Step { name: "run", title: "one finding from the question to the conclusion", run: finding },
    Step { name: "fanout", title: "five models at once, beside a plain client and LiteLLM", run: fanout },
];

/// Builds and measures everything, or what `names` names.
pub fn run(place: &Place, names: &[&str]) -> Result<ExitCode> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        bail!("there is nothing called `{unknown}` to measure");
    }
    let wanted = STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name));
    run_all(place, &std::iter::once(&RELEASE).chain(wanted).collect::<Vec<_>>())
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

/// How often the sample is run offline with deliberation, and as often without.
const PAIRS: usize = 20;

/// The sample is run offline with deliberation and without, in turn, and the two of a pair are compared. Then the
/// conclusion of each run is drawn again with all that is said of it, in a process of its own: what the words add to any
/// run is less.
fn synthesis(place: &Place, log: &mut Log) -> Result<Done> {
    let conclave = place.target.join("release/conclave");
    let data = place.scratch("bench-synthesis")?;
    let (mut without, mut with, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let run = |on: bool| {
            let home = data.join(format!("{pair}-{on}"));
            std::fs::create_dir(&home)?;
            std::fs::write(home.join("settings.json"), format!("{{\"deliberation\":{{\"on\":{on}}}}}"))?;
            milliseconds(&conclave, &["--offline", "demo", "--format", "json"], &home)
        };
        // Whoever goes first goes second the next time.
        let first = run(pair % 2 == 1)?;
        let second = run(pair % 2 == 0)?;
        let (off, on) = if pair % 2 == 1 { (second, first) } else { (first, second) };
        without.push(off);
        with.push(on);
        added.push(on - off);
    }
    let mut table = String::from("| the sample, offline | n | median ms | p95 ms |\n| --- | ---: | ---: | ---: |");
    for (name, samples) in
        [("without deliberation", &mut without), ("with it", &mut with), ("what it adds, by pairs", &mut added)]
    {
        log.say(&format!("{name}: {samples:?}"))?;
        samples.sort_by(f64::total_cmp);
        let (median, p95) = (median(samples), percentile(samples, 95));
        table.push_str(&format!("\n| {name} | {PAIRS} | {median:.0} | {p95:.0} |"));
    }
    let samples = drawn_again(&conclave, &data, log)?;
    let slowest = *samples.last().context("the sample has no findings")?;
    table.push_str("\n\n| drawn again | n | median ms | slowest ms |\n| --- | ---: | ---: | ---: |");
    let (count, median) = (samples.len(), median(&samples));
    table.push_str(&format!("\n| conclusion and synthesis | {count} | {median:.1} | {slowest:.1} |"));
    Ok(Done::Figure(table))
}

/// How long it takes to draw the conclusion of each finding of the sample again, in milliseconds, sorted.
fn drawn_again(conclave: &Path, data: &Path, log: &mut Log) -> Result<Vec<f64>> {
    let report = log.output(Command::new(conclave).args(["demo", "--format", "json"]).env("CONCLAVE_HOME", data))?;
    let report: serde_json::Value = serde_json::from_str(&report)?;
    let mut samples = Vec::new();
    for item in report["resolutions"].as_array().context("the report has no results")? {
        let id = item["finding"]["id"].as_str().context("a result has no finding")?;
        samples.push(milliseconds(conclave, &["replay", id], data)?);
    }
    samples.sort_by(f64::total_cmp);
    log.say(&format!("{samples:?}"))?;
    Ok(samples)
}

/// How often the hook is started.
const HOOKS: usize = 50;

/// A call that the shipped rules allow, as Claude Code hands it over.
const CALL: &str = r#"{"session_id":"s","cwd":"/home/ada/shop","permission_mode":"default","hook_event_name":"PreToolUse","tool_name":"TodoWrite","tool_input":{"todos":[]},"tool_use_id":"t"}"#;

fn policy(place: &Place, log: &mut Log) -> Result<Done> {
    let bench = |words: &[&str]| {
        let mut command = cargo();
        command.args(["bench", "--locked", "-q", "-p", "conclave-policy", "--bench", "decide", "--"]).args(words);
        command.current_dir(&place.root);
        command
    };
    let mut table = String::from("| decision | n | p50 \u{b5}s | p99 \u{b5}s |\n| --- | ---: | ---: | ---: |");
    for line in log.output(&mut bench(&[]))?.lines() {
        table.push_str(&format!("\n| {} |", line.replace('\t', " | ")));
    }
    let rules = log.output(&mut bench(&["--rules"]))?;
    table.push_str("\n\n| hook as a process | n | median ms | slowest ms |\n| --- | ---: | ---: | ---: |");
    for (name, policy) in [("default policy", None), ("1,000 rules", Some(&rules))] {
        let data = place.scratch("bench-hook")?;
        let conclave = place.target.join("release/conclave");
        // The first command makes the data folder.
        log.run(Command::new(&conclave).args(["audit", "verify"]).env("CONCLAVE_HOME", &data))?;
        if let Some(policy) = policy {
            std::fs::write(data.join("policy.yaml"), policy)?;
        }
        let call = data.join("call.json");
        std::fs::write(&call, CALL)?;
        let mut samples = Vec::new();
        for _ in 0..HOOKS {
            let mut command = Command::new(&conclave);
            command.args(["hook", "claude-code"]).env("CONCLAVE_HOME", &data).stdin(std::fs::File::open(&call)?);
            samples.push(timed(command, "hook claude-code")?);
        }
        samples.sort_by(f64::total_cmp);
        log.say(&format!("{name}: {samples:?}"))?;
        table.push_str(&format!("\n| {name} | {HOOKS} | {:.1} | {:.1} |", median(&samples), samples[HOOKS - 1]));
    }
    Ok(Done::Figure(table))
}

/// The rows of the first table have six cells, those of the second five, with an empty line between.
fn store(place: &Place, log: &mut Log) -> Result<Done> {
    let folder = place.scratch("bench-store")?;
    let mut command = cargo();
    command.args(["bench", "--locked", "-q", "-p", "conclave-store", "--bench", "write", "--"]).arg(folder);
    let lines = log.output(command.current_dir(&place.root))?;
    let (writes, waits) = lines.split_once("\n\n").context("the program has printed no second table")?;
    let mut table = String::from(
        "| write | at a time | n | a second | \u{b5}s each | CPU \u{b5}s |\n| --- | ---: | ---: | ---: | ---: | ---: |",
    );
    for line in writes.lines() {
        table.push_str(&format!("\n| {} |", line.replace('\t', " | ")));
    }
    table.push_str("\n\n| wait | n | p50 ms | p99 ms | slowest ms |\n| --- | ---: | ---: | ---: | ---: |");
    for line in waits.lines() {
        table.push_str(&format!("\n| {} |", line.replace('\t', " | ")));
    }
    Ok(Done::Figure(table))
}

/// The peer, in the version that was measured when this was written.
const LITELLM: &str = "litellm==1.106.2";

fn fanout(place: &Place, log: &mut Log) -> Result<Done> {
    let folder = place.scratch("bench-fanout")?;
    let mut command = cargo();
    command.args(["bench", "--locked", "-q", "-p", "conclave-engine", "--bench", "fanout", "--"]).arg(folder);
    match python::environment(place, log, &[LITELLM]) {
        Ok(bin) => drop(command.arg(bin.join("python"))),
        Err(error) => println!("  without LiteLLM, which cannot be installed: {error:#}"),
    }
    let lines = log.output(command.current_dir(&place.root))?;
    let (disk, rows) = lines.split_once("\n\n").context("the program has printed no second table")?;
    let mut table = String::from("| the disk alone | n | p50 ms | p99 ms |\n| --- | ---: | ---: | ---: |");
    table.push_str(&format!("\n| 4 KiB | {} |", disk.replace('\t', " | ")));
    table.push_str(
        "\n\n| five models of 200 ms | n | over p50 ms | over p99 ms | then, 100 at a time | a second | CPU ms each |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    );
    for line in rows.lines() {
        table.push_str(&format!("\n| {} |", line.replace('\t', " | ")));
    }
    Ok(Done::Figure(table))
}

/// What the program prints tables of.
const SLOW: &str =
    "| critical, models of 5 to 60 s at a scale of 1:60 | fixes of models | p50 s | p95 s | checks p95 s | p95 $ |";
const OVERHEAD: &str =
    "| models that answer at once | beside verification p50 ms | p95 ms | copies around the checks p50 ms |";
const LADDER: &str = "| runs with them | fixes of models | pass the tests | re-scan by | to the tests p50 s | p95 s | all checks p95 s |";

/// Once with what Conclave brings along, and once with Bandit looking again at its finding.
fn finding(place: &Place, log: &mut Log) -> Result<Done> {
    let folder = place.scratch("bench-run")?;
    let bench = || {
        let mut command = cargo();
        command.args(["bench", "--locked", "-q", "-p", "conclave-engine", "--bench", "run", "--"]).arg(&folder);
        command.current_dir(&place.root);
        command
    };
    let mut figure = tables(&log.output(&mut bench())?, &[SLOW, OVERHEAD, LADDER])?;
    match python::environment(place, log, &[BANDIT_SARIF]) {
        Ok(bin) => {
            let said = log.output(bench().arg("quick").env("PATH", python::first_on_path(&bin)?))?;
            figure.push_str("\n\nWith Bandit: ");
            figure.push_str(&tables(&said, &[OVERHEAD, LADDER])?);
        }
        Err(error) => println!("  without Bandit, which cannot be installed: {error:#}"),
    }
    Ok(Done::Figure(figure))
}

/// The machine, then a row below each head.
fn tables(said: &str, heads: &[&str]) -> Result<String> {
    let mut tables = said.split("\n\n");
    let mut figure = tables.next().context("the program has not said where it runs")?.trim().to_owned();
    for head in heads {
        let row = tables.next().context("the program has printed too few tables")?.trim();
        let rule = " ---: |".repeat(head.matches('|').count() - 2);
        figure.push_str(&format!("\n\n{head}\n| --- |{rule}\n| n = {} |", row.replace('\t', " | ")));
    }
    Ok(figure)
}

/// One run, with a data folder of its own so that nothing is remembered.
fn milliseconds(program: &Path, arguments: &[&str], data: &Path) -> Result<f64> {
    let mut command = Command::new(program);
    command.args(arguments).env("CONCLAVE_HOME", data).stdin(Stdio::null());
    timed(command, &arguments.join(" "))
}

/// Milliseconds from start to a good end. What it prints is read: the hook refuses when nobody could see its answer.
fn timed(mut command: Command, name: &str) -> Result<f64> {
    let start = Instant::now();
    let output = command.output().with_context(|| format!("cannot run `conclave {name}`"))?;
    let time = start.elapsed();
    ensure!(
        output.status.success(),
        "`conclave {name}` ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(time.as_secs_f64() * 1000.0)
}

/// The smallest of sorted samples that `percent` of a hundred do not exceed.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1)]
}

/// Of sorted samples; the mean of the two in the middle when their count is even.
pub fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let samples: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!((percentile(&samples, 95), percentile(&samples, 100), percentile(&samples, 1)), (19.0, 20.0, 1.0));
        assert_eq!(percentile(&[7.0], 95), 7.0);
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
    }
}
