//! `conclave hook add | list | remove`.

use std::path::{Path, PathBuf};

use conclave_api::Api;
use conclave_api::advise::client::Scope;
use conclave_api::advise::install::{self, Found, InstallError, Wanted};
use conclave_api::error::{ApiError, ErrorCode};

use crate::args::{Cli, Hook};
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(api: &Api, cli: &Cli, output: &Output, command: &Hook) -> Result<Exit, ApiError> {
    let home = home()?;
    match command {
        // INVARIANT: questions of clients are answered before Conclave is opened.
        Hook::ClaudeCode(_) | Hook::Codex(_) | Hook::Gemini(_) => Ok(Exit::Usage),
        Hook::Add { place, approve, client_version } => {
            let root = project(place.project.as_deref())?;
            let program = std::env::current_exe().map_err(|error| {
                ApiError::new(ErrorCode::Internal, "this program cannot find itself").with_details(error.to_string())
            })?;
            let scopes = scopes(root.as_deref(), &home);
            let wanted = Wanted {
                client: place.client,
                scope: scopes.last().copied().unwrap_or(Scope::User(&home)),
                scopes: &scopes,
                program: &program,
                offline: cli.global.offline,
                approve: *approve,
                version: *client_version,
            };
            let installed = install::add(api.cx(), wanted).await.map_err(wrong)?;
            output.hook_added(place.client, &installed);
            Ok(Exit::Done)
        }
        Hook::List { project: root } => {
            let root = project(root.as_deref())?;
            let listed = install::list(api.cx(), &scopes(root.as_deref(), &home)).await.map_err(wrong)?;
            output.hooks(&listed);
            Ok(standing(&listed.found))
        }
        Hook::Remove { place } => {
            let root = project(place.project.as_deref())?;
            let scope = root.as_deref().map_or(Scope::User(&home), Scope::Project);
            let installed = install::remove(api.cx(), place.client, scope).await.map_err(wrong)?;
            output.hook_removed(place.client, &installed);
            Ok(Exit::Done)
        }
    }
}

/// Done when every hook that is there is started before each call: a hook that is not started guards nothing.
fn standing(found: &[Found]) -> Exit {
    let runs = |wanted| found.iter().any(|found| found.runs() == wanted);
    match (runs(Some(false)), runs(None)) {
        (true, _) => Exit::Usage,
        (false, true) => Exit::Unknown,
        (false, false) => Exit::Done,
    }
}

fn home() -> Result<PathBuf, ApiError> {
    std::env::home_dir()
        .filter(|home| home.is_absolute())
        .ok_or_else(|| ApiError::new(ErrorCode::BadRequest, "there is no home folder").with_hint("set `HOME`"))
}

/// The folder of a project as an absolute path.
fn project(dir: Option<&Path>) -> Result<Option<PathBuf>, ApiError> {
    dir.map(super::real_folder).transpose()
}

/// Whose settings count: the person's, and those of the project where one is named.
fn scopes<'a>(project: Option<&'a Path>, home: &'a Path) -> Vec<Scope<'a>> {
    std::iter::once(Scope::User(home)).chain(project.map(Scope::Project)).collect()
}

/// What the person can do, in every case in which the error does not say it.
fn wrong(error: InstallError) -> ApiError {
    const UNCHANGED: &str = "nothing was changed; it has to be a file that you may read and write";
    let message = error.to_string();
    match error {
        InstallError::Denied(denied) => denied.into(),
        InstallError::Fs(error) => {
            let error = ApiError::from(error);
            if error.hint.is_some() { error } else { error.with_hint(UNCHANGED) }
        }
        InstallError::Io { .. } => ApiError::new(ErrorCode::BadRequest, message).with_hint(UNCHANGED),
        InstallError::SelfTest(_) => {
            ApiError::new(ErrorCode::Internal, message).with_hint("`conclave policy which` names the rules in force")
        }
        InstallError::NoFolder(_)
        | InstallError::NotUtf8(_)
        | InstallError::TooLarge(_)
        | InstallError::Off(_)
        | InstallError::Settings { .. }
        | InstallError::NoProgram(_)
        | InstallError::NotText(_) => ApiError::new(ErrorCode::BadRequest, message).with_hint("nothing was changed"),
    }
}
