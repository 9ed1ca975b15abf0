//! Evaluations on real input, with figures that can be printed again by anyone.

pub mod ensemble;
pub mod local;
pub mod replay;
mod score;
mod seat;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::bench;
use crate::log::Log;
use crate::measure::{Cost, cost, measured};
use crate::place::{Place, copy_tree, made};
use crate::python::{Form, environment, first_on_path, unpacked};
use crate::step::{Done, Step, run_all};

use score::{Score, Tree};

const BANDIT: &str = "bandit==1.9.4";
/// With what writes SARIF.
pub const BANDIT_SARIF: &str = "bandit[sarif]==1.9.4";

/// Fewer clean fixes than this share are a failure.
const CLEAN_SHARE: f64 = 0.08;

const STEPS: &[Step] = &[
    Step { name: "release", title: "the command line is built as it ships (minutes)", run: bench::build_release },
    Step {
        name: "eval-bandit",
        title: "Bandit's own examples, fixed and scanned again",
        run: |place, log| evaluate(place, log, "release"),
    },
];

/// `cargo xtask eval bandit`: with the program as it ships.
pub fn run(place: &Place) -> Result<ExitCode> {
    run_all(place, &STEPS.iter().collect::<Vec<_>>())
}

/// The same among the tests, with the program that they use.
pub fn bandit(place: &Place, log: &mut Log) -> Result<Done> {
    evaluate(place, log, "debug")
}

fn evaluate(place: &Place, log: &mut Log, profile: &str) -> Result<Done> {
    let fetched = unpacked(place, log, BANDIT, Form::Source)
        .and_then(|sources| Ok((sources.join("bandit-1.9.4/examples"), environment(place, log, &[BANDIT_SARIF])?)));
    let (examples, bin) = match fetched {
        Ok(paths) => paths,
        Err(error) => {
            log.say(&format!("{error:#}"))?;
            return Ok(Done::Skipped("corpus absent".to_owned()));
        }
    };
    ensure!(examples.is_dir(), "`{}` is not in the source distribution", examples.display());

    let scratch = place.scratch("eval-bandit")?;
    let (before, after) = (scratch.join("before"), scratch.join("after"));
    copy_tree(&examples, &before)?;
    copy_tree(&examples, &after)?;
    let (log_before, log_after) = (scratch.join("before.sarif"), scratch.join("after.sarif"));
    scan(&bin, &before, &log_before, log)?;
    let cost = fix(place, &bin, &log_before, &after, &scratch, profile, log)?;
    scan(&bin, &after, &log_after, log)?;

    let tree = |root: &Path, sarif: &Path| Tree::read(root, sarif, &bin.join("python"));
    let score = score::score(&tree(&before, &log_before)?, &tree(&after, &log_after)?);
    let table = table(&score, &cost);
    log.say(&format!("{table}\n{}", score.details()))?;
    let from = format!(
        "Bandit 1.9.4 on its own {} examples; Conclave {} ({profile} build). \
         Time and memory include Bandit looking again at every fix.",
        score.files,
        version(place)
    );
    println!("\n{table}\n\n{from}\n");
    ensure!(score.broken == 0, "{} files no longer parse", score.broken);
    ensure!(score.silenced == 0, "{} files silence the scanner or lost code", score.silenced);
    ensure!(score.share(score.clean) >= CLEAN_SHARE, "fewer than {:.0} % clean", CLEAN_SHARE * 100.0);
    Ok(Done::Passed)
}

/// Bandit over the folder `root`, with paths relative to it.
fn scan(bin: &Path, root: &Path, sarif: &Path, log: &mut Log) -> Result<()> {
    log.run(
        Command::new(bin.join("bandit"))
            .args(["-q", "-r", ".", "--exit-zero", "-f", "sarif", "-o"])
            .arg(sarif)
            .current_dir(root),
    )
}

/// Conclave over the folder `root`, with Bandit at hand for the re-scan.
fn fix(
    place: &Place,
    bin: &Path,
    sarif: &Path,
    root: &Path,
    scratch: &Path,
    profile: &str,
    log: &mut Log,
) -> Result<Cost> {
    let conclave = place.target.join(profile).join("conclave");
    ensure!(conclave.is_file(), "`{}` is not built", conclave.display());
    let report = scratch.join("cost.json");
    let output = log.output(
        measured(&report, &conclave)?
            .args(["fix", "--apply", "--format", "json", "--sarif"])
            .arg(sarif)
            .arg("--project")
            .arg(root)
            .arg("--data-dir")
            .arg(made(scratch.join("data"))?)
            .env("PATH", first_on_path(bin)?),
    )?;
    std::fs::write(scratch.join("fix.json"), output).context("cannot keep the report")?;
    cost(&report)
}

fn table(score: &Score, cost: &Cost) -> String {
    let mut text = String::from("| findings | fixed | clean | new | harmful | broken | silenced | CPU s | peak MB |\n");
    text.push_str("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    let with_share = |count: usize| format!("{count} ({:.1} %)", score.share(count) * 100.0);
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "| {} | {} | {} | {} | {} | {} | {} | {:.1} | {:.0} |",
        score.findings,
        with_share(score.fixed),
        with_share(score.clean),
        score.new,
        score.harmful,
        score.broken,
        score.silenced,
        cost.cpu_seconds,
        cost.peak_megabytes,
    );
    text
}

/// The commit, where git can tell.
fn version(place: &Place) -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(&place.root).output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => env!("CARGO_PKG_VERSION").to_owned(),
    }
}
