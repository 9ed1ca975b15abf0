//! Where the worker is, and what it says of a file.

use std::path::{Path, PathBuf};

use conclave_core::local::{ModelFile, Reply, Request};
use conclave_effects::{Permit, StartWorker, find_worker, start_worker};
use conclave_policy::Actor;
use tokio::time::{Instant, timeout_at};

use super::alive::Fault;
use crate::error::{AskError, Waiting, quote};
use crate::provider::Reach;

/// The worker's program, and the variable that says where it is when it is not beside our own.
const NAME: &str = "conclave-local";
const VARIABLE: &str = "CONCLAVE_LOCAL";

/// Where workers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The program; `None` where it is not installed.
    pub program: Option<PathBuf>,
    /// Where workers keep what they have read, as [`DataDir::worker_folder`](conclave_effects::DataDir::worker_folder)
    /// makes it; without it nothing is kept.
    pub folder: Option<PathBuf>,
}

impl Place {
    /// The program beside our own, or where `CONCLAVE_LOCAL` says.
    pub fn find(folder: Option<PathBuf>) -> Self {
        Self { program: program(), folder }
    }

    pub(super) fn program(&self) -> Result<&Path, AskError> {
        self.program.as_deref().ok_or_else(not_installed)
    }
}

/// The worker's program, where it is installed and can run.
fn program() -> Option<PathBuf> {
    find_worker(NAME, VARIABLE).filter(|_| is_new_enough())
}

/// What the person is told when there is none.
fn not_installed() -> AskError {
    let why = if is_new_enough() {
        format!(
            "the worker for local models is not installed: `{NAME}` is neither beside this program nor where \
             `{VARIABLE}` says; install a package that has it, or build it with `cargo xtask local`"
        )
    } else {
        "this processor is too old for local models, which want AVX2; everything else works without them".to_owned()
    };
    AskError::NotInstalled(why)
}

/// Whether the processor has what the worker is compiled for (x86-64-v3).
#[cfg(target_arch = "x86_64")]
fn is_new_enough() -> bool {
    std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("f16c")
        && std::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn is_new_enough() -> bool {
    true
}

/// What the model file says about itself, with the memory that it needs for `context` tokens; its weights stay on the
/// disk.
///
/// # Errors
/// The worker is not installed, may not be started or does not take the file.
pub async fn inspect(
    reach: &Reach<'_>,
    place: &Place,
    file: &Path,
    context: Option<u32>,
) -> Result<ModelFile, AskError> {
    let until = Instant::now() + reach.terms.deadline;
    let effect = StartWorker { program: place.program()?.to_owned(), model: file.to_owned(), folder: None };
    let leave = reach.gate.authorize(Actor::Engine, effect);
    let permit = timeout_at(until, leave).await.map_err(|_| AskError::Timeout(Waiting::Leave))??;
    let seq = permit.seq();
    let result = match timeout_at(until, look(permit, file, context)).await {
        Ok(result) => result.map_err(|fault| fault.error_of(&file.to_string_lossy())),
        Err(_) => Err(AskError::Timeout(Waiting::End)),
    };
    let outcome =
        result.as_ref().map_or_else(|error| format!("no answer: {}", error.kind()), |_| "answered".to_owned());
    reach.gate.note_outcome(seq, &outcome);
    result
}

/// Lets a worker of its own look at the file.
async fn look(permit: Permit<StartWorker>, file: &Path, context: Option<u32>) -> Result<ModelFile, Fault> {
    let started = start_worker(permit).await;
    let (mut worker, mut hearing) = started.map_err(|error| Fault::NotStarted(error.to_string()))?;
    let inspect = Request::Inspect { model: file.to_string_lossy().into_owned(), context };
    let line = serde_json::to_string(&inspect).unwrap_or_default();
    // One that has ended says so below.
    let _ = worker.signal(&line).await;
    match hearing.next_line().await {
        Some(line) => {
            hearing.end().await;
            match serde_json::from_slice(&line) {
                Ok(Reply::Inspected(file)) => Ok(file),
                Ok(Reply::Failed { kind, why, .. }) => Err(Fault::Failed(kind, why)),
                _ => Err(Fault::unknown()),
            }
        }
        None => {
            let (exit, stderr) = hearing.ended().await;
            Err(Fault::died(exit, &stderr))
        }
    }
}

/// The file in a few words.
pub(super) fn words(file: &ModelFile) -> String {
    let name = file.name.as_deref().map_or_else(|| "a model without a name".to_owned(), |name| quote(name, None));
    let licence = file.licence.as_deref().map_or_else(|| "unknown licence".to_owned(), |name| quote(name, None));
    format!(
        "{name}: {} million weights in {}, {licence}, context {}, needs about {} MiB of memory",
        file.parameters / 1_000_000,
        file.quantisation,
        file.context,
        file.memory_bytes >> 20
    )
}
