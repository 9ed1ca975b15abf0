//! `conclave project`: what may run of a project.

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{CommandChoice, CommandsView, GetCommands, SaveCommands};

use super::{call, real_folder};
use crate::args::{Project, ProjectCommands};
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(api: &Api, output: &Output, command: &Project) -> Result<Exit, ApiError> {
    let Project::Commands(commands) = command;
    let root = real_folder(&commands.dir)?.display().to_string();
    let view: CommandsView = match request(root.clone(), commands) {
        Some(request) => call(api, "save_commands", &request).await?,
        None => call(api, "get_commands", &GetCommands { root }).await?,
    };
    output.commands(&view);
    Ok(Exit::Done)
}

/// What is to be kept; `None` where only a look is asked for.
fn request(root: String, commands: &ProjectCommands) -> Option<SaveCommands> {
    let agreed = match (commands.agree, commands.revoke) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    let choice = |line: &Option<String>| match line {
        None => commands.recognised.then_some(CommandChoice::Recognised),
        Some(line) if line.trim().is_empty() => Some(CommandChoice::Nothing),
        Some(line) => Some(CommandChoice::Own { line: line.clone() }),
    };
    let request = SaveCommands { root, agreed, build: choice(&commands.build), test: choice(&commands.test) };
    (request.agreed.is_some() || request.build.is_some() || request.test.is_some()).then_some(request)
}
