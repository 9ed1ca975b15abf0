//! The worker for local models: how it is built, and its tests with a real model.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::llama;
use crate::log::Log;
use crate::place::{Place, cargo, made};
use crate::setup;
use crate::step::{Done, Step, run_all};
use crate::test::{limited, workspace};

/// Its package and its program.
pub const PACKAGE: &str = "conclave-local";

/// What the kernels of llama.cpp are compiled for: without it they use nothing newer than SSE2, and with `native` they
/// crash where a virtual machine says that it has AMX.
const FLAGS: &str = "-C target-cpu=x86-64-v3";

const STEPS: &[Step] = &[
    Step { name: "set-up", title: "what is missing is installed", run: setup::to_build_local },
    Step {
        name: "local-build",
        title: "the worker for local models is built (10 minutes, the first time)",
        run: build,
    },
];

/// `cargo xtask local`: builds the worker and puts it where a program that was built by `start` finds it.
pub fn run(place: &Place) -> Result<ExitCode> {
    let code = run_all(place, &STEPS.iter().collect::<Vec<_>>())?;
    if let Ok(worker) = program(place) {
        let beside = made(place.target.join("debug"))?.join(PACKAGE);
        std::fs::copy(&worker, &beside).with_context(|| format!("cannot write `{}`", beside.display()))?;
        println!("{} and {}", worker.display(), beside.display());
    }
    Ok(code)
}

/// Builds it as it ships.
pub fn build(place: &Place, log: &mut Log) -> Result<Done> {
    if let Some(reason) = unfit() {
        return Ok(Done::Skipped(reason));
    }
    println!("  cargo speaks in {}", log.path().display());
    log.run(&mut worker(place, "build", &[]))?;
    Ok(Done::Passed)
}

/// Its lint and its tests, and those of the provider that starts it.
pub fn test(place: &Place, log: &mut Log) -> Result<Done> {
    if let Some(reason) = unfit() {
        return Ok(Done::Skipped(reason));
    }
    let program = program(place)?;
    let model = match llama::model(place, log) {
        Ok(model) => model,
        Err(error) => return Ok(Done::Skipped(format!("the model cannot be fetched: {error:#}"))),
    };
    log.run(&mut worker(place, "clippy", &["--all-targets", "--", "-D", "warnings"]))?;
    log.run(worker(place, "test", &[]).env(llama::MODEL_VARIABLE, &model))?;
    let said = log.output(
        workspace(place, "test", &["--test", "it", "local::", "--", "--nocapture"])
            .env("CONCLAVE_LOCAL", program)
            .env(llama::MODEL_VARIABLE, &model),
    )?;
    ensure!(said.contains("a worker answered"), "no test started the worker");
    Ok(Done::Passed)
}

/// Where [`build`] puts it.
pub fn program(place: &Place) -> Result<PathBuf> {
    let program = place.target.join("release").join(PACKAGE);
    ensure!(program.is_file(), "`{PACKAGE}` is not built: the step `local-build` comes first");
    Ok(program)
}

/// Cargo over the worker alone. Always the same profile and flags, because the C++ in it takes ten minutes.
fn worker(place: &Place, verb: &str, arguments: &[&str]) -> Command {
    let mut command = limited(3600, cargo().get_program());
    command.args([verb, "--release", "--locked", "--package", PACKAGE]).args(arguments);
    command.env("RUSTFLAGS", FLAGS).current_dir(&place.root);
    command
}

/// Why it cannot run here.
fn unfit() -> Option<String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("the worker runs on x86-64 Linux only".to_owned());
    }
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = |flag: &str| processors.split_whitespace().any(|word| word == flag);
    let missing: Vec<&str> = ["avx2", "bmi2", "f16c", "fma"].into_iter().filter(|flag| !has(flag)).collect();
    (!missing.is_empty()).then(|| format!("the processor has no {}", missing.join(", ")))
}
