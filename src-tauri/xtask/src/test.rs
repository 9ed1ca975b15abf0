//! `cargo xtask test`: everything that can go wrong, in one run.

use std::ffi::OsStr;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::log::Log;
use crate::place::{Place, cargo, on_path};
use crate::step::{Done, Step, run_all};
use crate::{clients, eval, licences, llama, local, offline, sample, sampling, servers, setup, window};

/// The window as it ships, with the page inside it. One set for build, lint and tests, so that nothing is built twice.
pub const FEATURES: &str = "tauri/custom-protocol";

const STEPS: &[Step] = &[
    Step { name: "set-up", title: "what is missing is installed", run: setup::to_test },
    Step { name: "page", title: "the page builds", run: build_page },
    Step { name: "page-lint", title: "the page is well formed", run: |place, log| npm(place, log, "lint") },
    Step { name: "page-test", title: "the page's own tests", run: |place, log| npm(place, log, "test") },
    Step { name: "licences", title: "every crate may be linked", run: licences::run },
    Step { name: "format", title: "Rust is formatted", run: format },
    Step { name: "build", title: "everything builds (minutes, the first time)", run: build },
    Step { name: "lint", title: "Clippy has nothing to say", run: lint },
    Step { name: "rust", title: "the Rust tests", run: rust },
    Step { name: "sample", title: "the sample project works before and after its fixes", run: sample::run },
    Step { name: "offline", title: "the demo and the core in a machine without a network", run: offline::run },
    Step { name: "browser", title: "the page over the real core, in Chromium", run: browser },
    Step { name: "window", title: "the real window", run: window::run },
    Step { name: "clients", title: "the real clients of agents, with the hook and as models", run: clients::run },
    Step { name: "servers", title: "the real servers of tools, in the sandbox", run: servers::run },
    Step { name: "sampling", title: "the official SDKs of MCP offer their model", run: sampling::run },
    Step { name: "llama", title: "a real local model behind a server", run: llama::run },
    Step {
        name: "local-build",
        title: "the worker for local models builds (minutes, the first time)",
        run: local::build,
    },
    Step { name: "local", title: "the worker with a real model", run: local::test },
    Step { name: "eval-ensemble", title: "one fix of many models', on public repair data", run: eval::ensemble::step },
    Step { name: "eval-replay", title: "the first choice after a hundred labels, and before", run: eval::replay::step },
    Step { name: "eval-bandit", title: "Bandit's own examples, fixed and scanned again", run: eval::bandit },
];

/// Always run, because the other steps stand on them.
const FIRST: &[&str] = &["set-up", "page", "build"];

/// Prints the steps by name.
pub fn help() -> ExitCode {
    println!("Usage: cargo xtask test [STEP…]\n");
    for step in STEPS {
        println!("  {:12} {}", step.name, step.title);
    }
    println!("\n{} always run.", FIRST.join(", "));
    ExitCode::SUCCESS
}

/// Runs all steps, or the named ones after those that they stand on.
pub fn run(place: &Place, names: &[&str]) -> Result<ExitCode> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        bail!("there is no step `{unknown}`; `cargo xtask test --help` lists them");
    }
    let wanted = |step: &&Step| names.is_empty() || names.contains(&step.name) || FIRST.contains(&step.name);
    run_all(place, &STEPS.iter().filter(wanted).collect::<Vec<_>>())
}

/// `npm run build`, which `cargo build` of the window needs.
pub fn build_page(place: &Place, log: &mut Log) -> Result<Done> {
    npm(place, log, "build")
}

fn npm(place: &Place, log: &mut Log, script: &str) -> Result<Done> {
    log.run(Command::new("npm").args(["run", script]).env("CI", "true").current_dir(place.root.join("ui")))?;
    Ok(Done::Passed)
}

fn format(place: &Place, log: &mut Log) -> Result<Done> {
    log.run(cargo().args(["fmt", "--all", "--check"]).current_dir(&place.root))?;
    Ok(Done::Passed)
}

fn build(place: &Place, log: &mut Log) -> Result<Done> {
    println!("  cargo speaks in {}", log.path().display());
    log.run(&mut workspace(place, "build", &["--all-targets"]))?;
    Ok(Done::Passed)
}

fn lint(place: &Place, log: &mut Log) -> Result<Done> {
    log.run(&mut workspace(place, "clippy", &["--all-targets", "--", "-D", "warnings"]))?;
    Ok(Done::Passed)
}

fn rust(place: &Place, log: &mut Log) -> Result<Done> {
    let program = place.program("conclave")?;
    let outcome = log.run(workspace(place, "test", &["--no-fail-fast"]).env("CONCLAVE_BIN", program));
    let text = log.text();
    let failed = failed_tests(&text);
    if failed.is_empty() {
        return outcome.map(|()| Done::Passed);
    }
    bail!("{} tests failed: {}", failed.len(), failed.join(", "))
}

/// The tests that the test harness reports as failed.
fn failed_tests(log: &str) -> Vec<&str> {
    log.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED")).collect()
}

fn browser(place: &Place, log: &mut Log) -> Result<Done> {
    let Some(chromium) = setup::CHROMIUM.iter().find_map(|name| on_path(name)) else {
        return Ok(Done::Skipped("there is no Chromium".to_owned()));
    };
    log.run(
        limited(900, "npm")
            .args(["run", "e2e"])
            .env("CI", "true")
            .env("CONCLAVE_BIN", place.program("conclave")?)
            .env("CHROMIUM", chromium)
            .current_dir(place.root.join("ui")),
    )?;
    Ok(Done::Passed)
}

/// Cargo over the whole workspace but the worker, always with the same features, and never for more than an hour.
///
/// The worker is built with other flags, and takes longer than everything else together.
pub fn workspace(place: &Place, verb: &str, arguments: &[&str]) -> Command {
    let mut command = limited(3600, cargo().get_program());
    command
        .args([verb, "--workspace", "--exclude", local::PACKAGE, "--locked", "--features", FEATURES])
        .args(arguments);
    // A snapshot that differs is a failure, and leaves nothing in the tree.
    command.env("INSTA_UPDATE", "no").current_dir(&place.root);
    command
}

/// `program`, ended after `seconds`.
pub fn limited(seconds: u32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=10").arg(seconds.to_string()).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_are_named() {
        let log = "test a::b ... ok\ntest a::c ... FAILED\ntest result: FAILED. 1 passed; 1 failed\n";
        assert_eq!(failed_tests(log), ["a::c"]);
    }

    #[test]
    fn the_first_steps_exist_and_names_are_unique() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        assert!(FIRST.iter().all(|name| names.contains(name)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
