//! The subcommands.

mod advise;
mod asks;
mod audit;
mod clients;
mod compare;
mod config;
mod demo;
mod edit;
mod fix;
mod hook;
mod keys;
mod learning;
mod mcp;
mod models;
mod patterns;
mod plan;
mod policy;
mod project;
mod projects;
mod single;
mod stdin;
mod tiers;
mod tools;

use std::path::{Path, PathBuf};

use conclave_api::Api;
use conclave_api::error::{ApiError, ErrorCode};

use crate::args::{Cli, Command, Policy, Tools};
use crate::exit::Exit;
use crate::output::Output;

pub use advise::run as advise;

/// Runs the command that was given.
pub async fn run(api: &Api, cli: &Cli, output: &Output) -> Result<Exit, ApiError> {
    match &cli.command {
        Command::Demo => demo::run(api, output).await,
        Command::Scan { dir } => projects::scan(api, output, dir).await,
        Command::Import { file, project } => projects::import(api, output, file, project).await,
        Command::Findings { project, query, all } => {
            projects::findings(api, output, project.as_deref(), &query.join(" "), *all).await
        }
        Command::Clients { command } => clients::run(api, output, &cli.global, command).await,
        Command::Patterns { command } => patterns::run(api, output, command).await,
        Command::Elsewhere { id } => patterns::elsewhere(api, output, id).await,
        Command::Fix(fix) => fix::run(api, output, fix).await,
        Command::Show { id, thoughts } => single::show(api, output, id, *thoughts).await,
        Command::Replay { run } => single::replay(api, output, run).await,
        Command::Export(export) => single::export(api, output, export).await,
        Command::Edit(edit) => edit::run(api, output, edit).await,
        Command::Apply { id, fix } => single::apply(api, output, id, fix.clone()).await,
        Command::Undo { id } => single::undo(api, output, id).await,
        Command::Dismiss { ids, reason, note } => single::dismiss(api, output, ids, *reason, note).await,
        Command::Reopen { ids } => single::reopen(api, output, ids).await,
        Command::Rate(rate) => learning::rate(api, output, rate).await,
        Command::Insights { client, command } => {
            learning::insights(api, output, client.as_deref(), command.as_ref()).await
        }
        Command::Compare { client, command } => compare::run(api, output, client.as_deref(), command).await,
        Command::Plan(plan) => plan::run(api, output, plan).await,
        Command::Preview { id } => single::preview(api, output, id).await,
        Command::Policy { command } => policy::run(api, output, command).await,
        Command::Config { command } => config::run(api, output, command).await,
        Command::Models { command } => models::run(api, output, command.as_ref()).await,
        Command::Tiers { command } => tiers::run(api, output, command.as_ref()).await,
        Command::Spending { finding } => models::spending(api, output, finding.as_deref()).await,
        Command::Keys { command } => keys::run(api, output, command).await,
        Command::Tools { command } => tools::run(api, output, command.as_ref().unwrap_or(&Tools::List)).await,
        Command::Asks { command } => asks::run(api, output, command.as_ref()).await,
        Command::Audit { command } => audit::run(api, output, command).await,
        Command::Project { command } => project::run(api, output, command).await,
        Command::Doctor => single::doctor(api, output).await,
        Command::Hook { command } => hook::run(api, cli, output, command).await,
        Command::Mcp => mcp::run(api, cli.global.offline).await,
        Command::Rpc => crate::rpc::serve(api).await,
        // INVARIANT: completions are printed, and a request is decided, before Conclave is opened.
        Command::Completions { .. } | Command::Advise => Ok(Exit::Done),
    }
}

/// Whether the command itself says what keeps the policy from being in force.
pub fn shows_policy(command: &Command) -> bool {
    matches!(command, Command::Policy { command: Policy::Which { .. } | Policy::Test { file: None } })
}

/// A folder that the person names, as an absolute path without links.
fn real_folder(dir: &Path) -> Result<PathBuf, ApiError> {
    let found = dir.canonicalize().ok().filter(|dir| dir.is_dir());
    found.ok_or_else(|| {
        ApiError::new(ErrorCode::NotFound, format!("`{}` is not a folder", dir.display()))
            .with_hint("name the folder of a project")
    })
}

/// The name of a file that the person names, as the list of commands takes it.
fn name(file: &Path) -> Result<String, ApiError> {
    file.to_str().map(str::to_owned).ok_or_else(|| {
        ApiError::new(ErrorCode::BadRequest, format!("`{}` is not UTF-8", file.display()))
            .with_hint("give the file another name")
    })
}

/// The text of a file; where it cannot be had, `next` says what to do, unless that was said already.
async fn text(api: &Api, file: &Path, next: &str) -> Result<String, ApiError> {
    let hint = |error: ApiError| if error.hint.is_some() { error } else { error.with_hint(next) };
    api.read_text(file).await.map_err(hint)
}

/// Runs one command of the list with its typed request and response.
pub async fn call<Request, Response>(api: &Api, name: &str, request: &Request) -> Result<Response, ApiError>
where
    Request: serde::Serialize,
    Response: serde::de::DeserializeOwned,
{
    let broken = |error: serde_json::Error| {
        ApiError::new(ErrorCode::Internal, format!("`{name}` failed")).with_details(error.to_string())
    };
    let payload = serde_json::to_value(request).map_err(broken)?;
    serde_json::from_value(conclave_api::commands::dispatch(api, name, payload).await?).map_err(broken)
}
