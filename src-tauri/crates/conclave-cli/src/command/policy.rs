//! `conclave policy`.

use std::path::Path;

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{
    CheckPolicy, ExplainRequest, ExplanationView, Nothing, PolicyCheck, PolicyView, SimulatePolicy, SimulationView,
};

use super::{call, real_folder, stdin, text};
use crate::args::Policy;
use crate::exit::Exit;
use crate::output::Output;

/// What to do about a file in which no policy can be looked for.
const NAME_A_POLICY: &str =
    "name a text file that you may read; the smallest policy is two lines, `version: 1` and `rules: []`";

/// One line that is a request.
const REQUEST: &str =
    r#"{"actor": "agent:claude-code", "tool": "Bash", "parameters": {"command": "git push"}, "cwd": "/work"}"#;

pub(super) async fn run(api: &Api, output: &Output, command: &Policy) -> Result<Exit, ApiError> {
    match command {
        Policy::Check { file } | Policy::Test { file: Some(file) } => check(api, output, file).await,
        Policy::Test { file: None } => test(api, output).await,
        Policy::Explain { file } => explain(api, output, file).await,
        Policy::Which { project } => which(api, output, project.as_deref()),
        Policy::Simulate { file, limit } => simulate(api, output, file, *limit).await,
    }
}

async fn check(api: &Api, output: &Output, file: &Path) -> Result<Exit, ApiError> {
    let policy = text(api, file, NAME_A_POLICY).await?;
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
    let request = if file == Path::new("-") {
        stdin::read(&format!("pipe a request into it, as in this line:\n{REQUEST}"))?
    } else {
        text(api, file, &format!("name a text file that you may read, with a request as in this line:\n{REQUEST}"))
            .await?
    };
    let view: ExplanationView = call(api, "explain_request", &ExplainRequest { request }).await?;
    output.explanation(&view);
    Ok(Exit::Done)
}

/// The files that count for a call made in `project`, or here.
fn which(api: &Api, output: &Output, project: Option<&Path>) -> Result<Exit, ApiError> {
    let view = api.policy_in(&real_folder(project.unwrap_or(Path::new(".")))?)?;
    output.policy_files(&view);
    Ok(Exit::Done)
}

async fn simulate(api: &Api, output: &Output, file: &Path, limit: Option<u32>) -> Result<Exit, ApiError> {
    let policy = text(api, file, NAME_A_POLICY).await?;
    let view: SimulationView = call(api, "simulate_policy", &SimulatePolicy { policy, limit }).await?;
    output.simulation(&view);
    Ok(if view.fault.is_none() { Exit::Done } else { Exit::Usage })
}
