//! `conclave policy`.

use std::io::Read as _;
use std::path::Path;

use conclave_api::Api;
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{
    CheckPolicy, ExplainRequest, ExplanationView, Nothing, PolicyCheck, PolicyView, SimulatePolicy, SimulationView,
};

use super::call;
use crate::args::Policy;
use crate::exit::Exit;
use crate::output::Output;

/// The longest request that is read from standard input, in bytes.
const LONGEST_REQUEST: u64 = 1024 * 1024;

pub(super) async fn run(api: &Api, output: &Output, command: &Policy) -> Result<Exit, ApiError> {
    match command {
        Policy::Check { file } | Policy::Test { file: Some(file) } => check(api, output, file).await,
        Policy::Test { file: None } => test(api, output).await,
        Policy::Explain { file } => explain(api, output, file).await,
        Policy::Which => which(api, output).await,
        Policy::Simulate { file, limit } => simulate(api, output, file, *limit).await,
    }
}

async fn check(api: &Api, output: &Output, file: &Path) -> Result<Exit, ApiError> {
    let policy = api.read_text(file).await?;
    let view: PolicyCheck = call(api, "check_policy", &CheckPolicy { policy }).await?;
    output.policy_check(&view);
    Ok(if view.fault.is_none() { Exit::Done } else { Exit::Usage })
}

/// A file whose examples fail is not in effect, and says so; all others have passed.
async fn test(api: &Api, output: &Output) -> Result<Exit, ApiError> {
    let view: PolicyView = call(api, "get_policy", &Nothing {}).await?;
    output.policy_test(&view);
    Ok(if view.files.iter().all(|file| file.fault.is_none()) { Exit::Done } else { Exit::Usage })
}

async fn explain(api: &Api, output: &Output, file: &Path) -> Result<Exit, ApiError> {
    let request = if file == Path::new("-") { standard_input()? } else { api.read_text(file).await? };
    let view: ExplanationView = call(api, "explain_request", &ExplainRequest { request }).await?;
    output.explanation(&view);
    Ok(Exit::Done)
}

fn standard_input() -> Result<String, ApiError> {
    let wrong = |why: String| ApiError::new(ErrorCode::BadRequest, "standard input holds no request").with_details(why);
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST_REQUEST + 1).read_to_string(&mut text);
    match read.map_err(|error| wrong(error.to_string()))? as u64 {
        0..=LONGEST_REQUEST => Ok(text),
        _ => Err(wrong(format!("it is longer than {LONGEST_REQUEST} bytes"))),
    }
}

async fn which(api: &Api, output: &Output) -> Result<Exit, ApiError> {
    let view: PolicyView = call(api, "get_policy", &Nothing {}).await?;
    output.policy_files(&view);
    Ok(Exit::Done)
}

async fn simulate(api: &Api, output: &Output, file: &Path, limit: Option<u32>) -> Result<Exit, ApiError> {
    let policy = api.read_text(file).await?;
    let view: SimulationView = call(api, "simulate_policy", &SimulatePolicy { policy, limit }).await?;
    output.simulation(&view);
    Ok(if view.fault.is_none() { Exit::Done } else { Exit::Usage })
}
