//! How a project is built and tested, and the person's word that it may be.

use std::path::{Path, PathBuf};

use conclave_core::settings::ProjectCommands;
use conclave_engine::doctor::sandbox_trouble;
use conclave_engine::project;
use conclave_engine::runner::consent::{self, Word};
use conclave_engine::runner::{Recognised, recognised};
use conclave_engine::source::Sources;

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{CommandChoice, CommandsView, GetCommands, RunnerView, SaveCommands};

pub(crate) async fn get_commands(api: &Api, request: GetCommands) -> Result<CommandsView, ApiError> {
    let root = folder(&request.root)?;
    let commands = consent::commands(api.cx(), &root);
    view(api, root, commands).await
}

pub(crate) async fn save_commands(api: &Api, request: SaveCommands) -> Result<CommandsView, ApiError> {
    let root = folder(&request.root)?;
    let word = Word {
        agreed: request.agreed,
        build: request.build.map(words).transpose()?,
        test: request.test.map(words).transpose()?,
    };
    let commands = consent::save(api.cx(), &root, &word).await?;
    view(api, root, commands).await
}

pub(super) fn folder(root: &str) -> Result<PathBuf, ApiError> {
    Ok(PathBuf::from(project::at(Path::new(root), false, false)?.root))
}

/// The words of a choice; `None` is the recognised command.
fn words(choice: CommandChoice) -> Result<Option<Vec<String>>, ApiError> {
    match choice {
        CommandChoice::Recognised => Ok(None),
        CommandChoice::Nothing => Ok(Some(Vec::new())),
        CommandChoice::Own { line } => {
            consent::split(&line).map(Some).map_err(|why| ApiError::new(ErrorCode::BadRequest, why))
        }
    }
}

async fn view(api: &Api, root: PathBuf, commands: ProjectCommands) -> Result<CommandsView, ApiError> {
    let sources = Sources::open_for_person(api.cx(), &root).await?;
    let choice = |words: Option<Vec<String>>| match words {
        None => CommandChoice::Recognised,
        Some(words) if words.is_empty() => CommandChoice::Nothing,
        Some(words) => CommandChoice::Own { line: consent::join(&words) },
    };
    let runner = |found: Recognised| RunnerView {
        name: found.runner,
        folder: found.folder,
        line: consent::join(&found.words),
        command: found.command,
        trouble: found.trouble,
    };
    Ok(CommandsView {
        root: root.display().to_string(),
        agreed: commands.agreed,
        build: choice(commands.build),
        test: choice(commands.test),
        recognised: recognised(&sources).into_iter().map(runner).collect(),
        sandbox: sandbox_trouble(),
    })
}
