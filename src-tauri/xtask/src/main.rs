//! Set-up, start, test, bench and eval: `cargo xtask …`.
//!
//! It runs other programs and says how they ended. Nothing of it is needed when Conclave runs.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod clients;
mod deep;
mod eval;
mod licences;
mod llama;
mod local;
mod log;
mod measure;
mod notices;
mod offline;
mod package;
mod place;
mod python;
mod sample;
mod sampling;
mod servers;
mod setup;
mod start;
mod step;
mod test;
mod trace;
mod window;

use std::process::ExitCode;

use anyhow::Result;

use crate::place::Place;

const HELP: &str = "\
Usage: cargo xtask <command>

  start          install what is missing, build, and open the sample project
  test [STEP…]   install what is missing and run every test, or the named steps only
  local          build the worker for local models
  package        pack the window, the command line and the worker for Debian
  bench [WHAT]   print how long things take: commands, synthesis, policy, store, run, fanout
  eval bandit    fix Bandit's own examples and count what is left
  eval ensemble  choose one fix of many models' on public repair data, beside votes and a stacker
  eval replay    choose with and without what a hundred labels teach, made up and on the same data
  eval local     ask a model of 1.5 billion weights through the worker and through a server, and give it a seat for the
                 sample project (fetches 1.1 GB)
  deep [STEP…]   stop the program at every system call of apply and undo (kills); try every goal of an obedient model
                 over every channel in every mode (obedient; with CONCLAVE_DEEP_PART=3/8 the third eighth of it)

Logs of each step stand in target/xtask/. Nothing is installed without being named first.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Before anything else, because it must stay a small process.
    if let ["measure", report, program @ ..] = words.as_slice() {
        return measure::run_measured(report.as_ref(), program);
    }
    match words.as_slice() {
        ["start"] => start::run(&Place::find()?),
        ["test", "--help" | "-h"] => Ok(test::help()),
        ["test", names @ ..] => test::run(&Place::find()?, names),
        ["local"] => local::run(&Place::find()?),
        ["package"] => package::run(&Place::find()?),
        ["bench", names @ ..] => bench::run(&Place::find()?, names),
        ["eval", "bandit"] => eval::run(&Place::find()?),
        ["eval", "local", names @ ..] => eval::local::run(&Place::find()?, names),
        ["eval", "ensemble"] => eval::ensemble::run(&Place::find()?),
        ["eval", "replay"] => eval::replay::run(&Place::find()?),
        ["deep", names @ ..] => deep::run(&Place::find()?, names),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{HELP}");
            Ok(ExitCode::from(2))
        }
    }
}
