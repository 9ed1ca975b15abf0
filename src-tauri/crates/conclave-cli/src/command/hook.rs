//! `conclave hook add | list | remove`.

use std::path::{Path, PathBuf};

use conclave_api::Api;
use conclave_api::advise::client::{Client, Scope};
use conclave_api::advise::install::{self, Found, InstallError, Installed, Wanted};
use conclave_api::error::{ApiError, ErrorCode};
use serde_json::{Value, json};

use crate::args::{Cli, Format, Hook, HookPlace};
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
            let wanted = Wanted {
                client: place.client,
                scope: scope(root.as_deref(), &home),
                program: &program,
                offline: cli.global.offline,
                approve: *approve,
                version: *client_version,
            };
            let installed = install::add(api.cx(), wanted).await.map_err(wrong)?;
            output.raw(&match output.format() {
                Format::Text => added(place.client, &installed),
                Format::Json | Format::Sarif => format!("{:#}\n", changed("conclave/hook-add/1", place, &installed)),
            });
            Ok(Exit::Done)
        }
        Hook::List { project: root } => {
            let root = project(root.as_deref())?;
            let scopes: Vec<Scope<'_>> =
                std::iter::once(Scope::User(&home)).chain(root.as_deref().map(Scope::Project)).collect();
            let found = install::list(api.cx(), &scopes).await.map_err(wrong)?;
            output.raw(&match output.format() {
                Format::Text => listed(&found),
                Format::Json | Format::Sarif => format!("{:#}\n", list(&found)),
            });
            Ok(Exit::Done)
        }
        Hook::Remove { place } => {
            let root = project(place.project.as_deref())?;
            let installed =
                install::remove(api.cx(), place.client, scope(root.as_deref(), &home)).await.map_err(wrong)?;
            output.raw(&match output.format() {
                Format::Text if installed.changed => {
                    format!("Removed from {}. Restart {}.\n", installed.path.display(), place.client.title())
                }
                Format::Text => format!("There is no hook of Conclave in {}.\n", installed.path.display()),
                Format::Json | Format::Sarif => format!("{:#}\n", changed("conclave/hook-remove/1", place, &installed)),
            });
            Ok(Exit::Done)
        }
    }
}

fn home() -> Result<PathBuf, ApiError> {
    std::env::home_dir()
        .filter(|home| home.is_absolute())
        .ok_or_else(|| ApiError::new(ErrorCode::BadRequest, "there is no home folder").with_hint("set `HOME`"))
}

/// The folder of a project as an absolute path.
fn project(dir: Option<&Path>) -> Result<Option<PathBuf>, ApiError> {
    let absolute = |dir: &Path| {
        let found = dir.canonicalize().ok().filter(|dir| dir.is_dir());
        found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, format!("`{}` is not a folder", dir.display())))
    };
    dir.map(absolute).transpose()
}

fn scope<'a>(project: Option<&'a Path>, home: &'a Path) -> Scope<'a> {
    project.map_or(Scope::User(home), Scope::Project)
}

fn wrong(error: InstallError) -> ApiError {
    let message = error.to_string();
    match error {
        InstallError::Denied(denied) => denied.into(),
        InstallError::Fs(error) => error.into(),
        InstallError::Io { .. } => ApiError::new(ErrorCode::Internal, message),
        InstallError::SelfTest(_) => {
            ApiError::new(ErrorCode::Internal, message).with_hint("`conclave policy check` looks at your policy")
        }
        InstallError::NoFolder(_)
        | InstallError::Settings { .. }
        | InstallError::NoProgram(_)
        | InstallError::NotText(_) => ApiError::new(ErrorCode::BadRequest, message),
    }
}

fn added(client: Client, installed: &Installed) -> String {
    let (title, path) = (client.title(), installed.path.display());
    let mut words = if installed.changed {
        format!("{title} now asks Conclave before each tool call: {path}\n")
    } else {
        format!("{title} already asks Conclave before each tool call: {path}\n")
    };
    words.push_str("Self-test passed: an agent that rewrites your policy is refused.\n");
    match (installed.hook.as_ref().is_some_and(|hook| hook.blocks_on_failure), client.blocks_on_failure_from()) {
        (true, _) => words.push_str("A hook that crashes, hangs or is missing blocks the call.\n"),
        (false, Some(needed)) => {
            let found = installed.version.map_or_else(
                || "its version could not be found out".to_owned(),
                |version| format!("this is version {version}"),
            );
            words.push_str(&format!(
                "A hook that crashes or is missing blocks the call. One that hangs does not: {title} can do that from \
                 version {needed}, and {found}. Look with `{} --version`, then run this again with \
                 `--client-version`.\n",
                if client == Client::ClaudeCode { "claude" } else { client.name() }
            ));
        }
        (false, None) => words.push_str(&format!(
            "A hook that crashes or is missing blocks the call. {title} runs a call whose hook hangs.\n"
        )),
    }
    if client == Client::Codex && installed.changed {
        words.push_str(
            "Codex skips the hook until you trust it: start `codex`, open `/hooks` and trust both entries. Until then \
             nothing is guarded, and `codex exec` does not ask.\n",
        );
    }
    if installed.changed {
        words.push_str(&format!("Restart {title} for it to take effect.\n"));
    }
    words
}

fn listed(found: &[Found]) -> String {
    if found.is_empty() {
        return "No client asks Conclave. `conclave hook add claude-code` changes that.\n".to_owned();
    }
    let line = |found: &Found| {
        let (title, path) = (found.client.title(), found.path.display());
        match (&found.problem, &found.before) {
            (Some(problem), _) => format!("{title}: {path} cannot be read: {problem}\n"),
            (None, None) => format!("{title}: {path} has only the report after a call; add the hook again\n"),
            (None, Some(hook)) => {
                let failure = if hook.blocks_on_failure { "blocks on failure" } else { "does not block on failure" };
                let after = if found.after { "" } else { ", without the report after a call" };
                format!("{title}: {path} ({failure}{after})\n  {}\n", hook.command)
            }
        }
    };
    found.iter().map(line).collect()
}

fn changed(schema: &str, place: &HookPlace, installed: &Installed) -> Value {
    json!({
        "schema": schema,
        "client": place.client.name(),
        "path": installed.path,
        "changed": installed.changed,
        "command": installed.hook.as_ref().map(|hook| &hook.command),
        "blocks_on_failure": installed.hook.as_ref().map(|hook| hook.blocks_on_failure),
        "client_version": installed.version.map(|version| version.to_string()),
    })
}

fn list(found: &[Found]) -> Value {
    let hooks = found.iter().map(|found| {
        json!({
            "client": found.client.name(),
            "path": found.path,
            "command": found.before.as_ref().map(|hook| &hook.command),
            "blocks_on_failure": found.before.as_ref().map(|hook| hook.blocks_on_failure),
            "reports_after": found.after,
            "problem": found.problem,
        })
    });
    json!({ "schema": "conclave/hook-list/1", "hooks": hooks.collect::<Vec<_>>() })
}
