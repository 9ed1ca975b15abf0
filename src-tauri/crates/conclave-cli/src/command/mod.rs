//! The subcommands.

mod advise;
mod asks;
mod audit;
mod demo;
mod fix;
mod hook;
mod keys;
mod mcp;
mod policy;
mod projects;
mod single;

pub use advise::run as advise;
use conclave_api::Api;
use conclave_api::error::ApiError;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::output::Output;

/// Runs the command that was given.
pub async fn run(api: &Api, cli: &Cli, output: &Output) -> Result<Exit, ApiError> {
    match &cli.command {
        Command::Demo => demo::run(api, output).await,
        Command::Scan { dir } => projects::scan(api, output, dir).await,
        Command::Import { file, project } => projects::import(api, output, file, project).await,
        Command::Findings { project, query, all } => {
            projects::findings(api, output, project.as_deref(), &query.join(" "), *all).await
        }
        Command::Fix(fix) => fix::run(api, output, fix).await,
        Command::Show { id } => single::show(api, output, id).await,
        Command::Apply { id, fix } => single::apply(api, output, id, fix.clone()).await,
        Command::Undo { id } => single::undo(api, output, id).await,
        Command::Preview { id } => single::preview(api, output, id).await,
        Command::Policy { command } => policy::run(api, output, command).await,
        Command::Keys { command } => keys::run(api, output, command).await,
        Command::Asks { command } => asks::run(api, output, command.as_ref()).await,
        Command::Audit { command } => audit::run(api, output, command).await,
        Command::Doctor => single::doctor(api, output).await,
        Command::Hook { command } => hook::run(api, cli, output, command).await,
        Command::Mcp => mcp::run(api, cli.global.offline).await,
        Command::Rpc => crate::rpc::serve(api).await,
        // INVARIANT: completions are printed, and a request is decided, before Conclave is opened.
        Command::Completions { .. } | Command::Advise => Ok(Exit::Done),
    }
}

/// Runs one command of the list with its typed request and response.
pub async fn call<Request, Response>(api: &Api, name: &str, request: &Request) -> Result<Response, ApiError>
where
    Request: serde::Serialize,
    Response: serde::de::DeserializeOwned,
{
    use conclave_api::error::ErrorCode::Internal;
    let broken =
        |error: serde_json::Error| ApiError::new(Internal, format!("`{name}` failed")).with_details(error.to_string());
    let payload = serde_json::to_value(request).map_err(broken)?;
    serde_json::from_value(conclave_api::commands::dispatch(api, name, payload).await?).map_err(broken)
}
