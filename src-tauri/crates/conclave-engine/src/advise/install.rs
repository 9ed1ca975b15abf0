//! Puts the hook into a client's settings, takes it out, and says how it stands.
//!
//! Files are read and written through the gate as the person, because the person asked; a client's settings are
//! otherwise nobody's to write. Programs are not started: a client's version is read off its installed package.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use conclave_effects::gate::Denied;
use conclave_effects::{FsError, ReadFile, WriteFile, find_program, open_file, write_file};
use conclave_policy::{Actor, Effective, digest};
use serde_json::{Value, json};

use super::advisor::{AdviseError, Advisor};
use super::call::AgentCall;
use super::client::{Client, Scope, Version};
use super::settings::{self, Hook, SettingsError};
use crate::ctx::Ctx;

/// Larger settings files, in bytes, are not looked at.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Why a client's settings are as they were.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The policy does not let the person do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The file cannot be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The file cannot be looked at.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder for the settings is not there.
    #[error("`{}` does not exist; start the client once, or make the folder", .0.display())]
    NoFolder(PathBuf),
    /// The settings are not what the client expects.
    #[error("`{}`: {why}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: SettingsError,
    },
    /// The program that the hook would start cannot be started.
    #[error("`{}` is no program that can be started", .0.display())]
    NoProgram(PathBuf),
    /// A path cannot be written into a command line.
    #[error("`{}` is not text; the hook needs a path that is", .0.display())]
    NotText(PathBuf),
    /// The hook would not refuse what it must refuse.
    #[error("the self-test failed: {0}; nothing was written")]
    SelfTest(String),
}

/// What to put where.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// For which client.
    pub client: Client,
    /// Into whose settings.
    pub scope: Scope<'a>,
    /// The program `conclave` itself.
    pub program: &'a Path,
    /// Whether the hook judges as offline.
    pub offline: bool,
    /// Whether what is allowed is approved too.
    pub approve: bool,
    /// The client's version, where the person says it.
    pub version: Option<Version>,
}

/// How a client's settings stand after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The settings file.
    pub path: PathBuf,
    /// What stands in it now.
    pub hook: Option<Hook>,
    /// Whether the file was changed.
    pub changed: bool,
    /// The client's version, as far as it is known.
    pub version: Option<Version>,
}

/// A hook that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// For which client.
    pub client: Client,
    /// In which file.
    pub path: PathBuf,
    /// The hook before a call; `None` where the file has only others.
    pub before: Option<Hook>,
    /// Whether there is one after a call too.
    pub after: bool,
    /// The settings that cannot be understood, in words.
    pub problem: Option<String>,
}

/// Puts the hook in place, or in the place of an older one, and leaves a copy of the file as it was.
///
/// # Errors
/// See [`InstallError`]; then the settings are as they were.
pub async fn add(cx: &Ctx, wanted: Wanted<'_>) -> Result<Installed, InstallError> {
    let Wanted { client, scope, program, .. } = wanted;
    can_be_started(program)?;
    self_test(cx, client, wanted.offline)?;
    let version = wanted.version.or(installed_version(cx, client).await);
    let needed = client.blocks_on_failure_from();
    let hook = Hook {
        command: command(&wanted, cx.data.path())?,
        blocks_on_failure: needed.zip(version).is_some_and(|(needed, version)| version >= needed),
    };
    let path = client.settings_file(scope);
    let changed = change(cx, &path, |text| settings::add(text, client, &hook)).await?;
    Ok(Installed { path, hook: Some(hook), changed, version })
}

/// Takes the hook out, and leaves a copy of the file as it was.
///
/// # Errors
/// See [`InstallError`]; then the settings are as they were.
pub async fn remove(cx: &Ctx, client: Client, scope: Scope<'_>) -> Result<Installed, InstallError> {
    let path = client.settings_file(scope);
    let there = path.try_exists().map_err(|error| io(&path, error))?;
    let changed = there && change(cx, &path, |text| settings::remove(text, client)).await?;
    Ok(Installed { path, hook: None, changed, version: None })
}

/// The hooks of ours in the settings of these clients.
///
/// # Errors
/// The policy does not let the person read them.
pub async fn list(cx: &Ctx, scopes: &[Scope<'_>]) -> Result<Vec<Found>, InstallError> {
    let mut found = Vec::new();
    for client in Client::ALL {
        for scope in scopes {
            let path = client.settings_file(*scope);
            let text = match read(cx, &path).await {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                Err(InstallError::Denied(denied)) => return Err(denied.into()),
                Err(error) => {
                    let problem = Some(error.to_string());
                    found.push(Found { client, path, before: None, after: false, problem });
                    continue;
                }
            };
            match settings::of_ours(&text, client) {
                Ok(hooks) if hooks.is_empty() => {}
                Ok(hooks) => {
                    let after = hooks.iter().any(|(event, _)| *event == client.after());
                    let before = hooks.into_iter().find(|(event, _)| *event == client.before()).map(|(_, hook)| hook);
                    found.push(Found { client, path, before, after, problem: None });
                }
                Err(why) => {
                    found.push(Found { client, path, before: None, after: false, problem: Some(why.to_string()) });
                }
            }
        }
    }
    Ok(found)
}

/// Writes what `edit` makes of the file; whether that changed anything.
async fn change(
    cx: &Ctx,
    path: &Path,
    edit: impl FnOnce(&str) -> Result<String, SettingsError>,
) -> Result<bool, InstallError> {
    let before = read(cx, path).await?;
    if before.is_none() && !path.parent().is_some_and(Path::is_dir) {
        return Err(InstallError::NoFolder(path.parent().unwrap_or(path).to_owned()));
    }
    let text = before.as_deref().unwrap_or_default();
    let after = edit(text).map_err(|why| InstallError::Settings { path: path.to_owned(), why })?;
    if Some(&after) == before.as_ref() {
        return Ok(false);
    }
    let base = before.as_ref().map(|text| digest(text.as_bytes()));
    let effect = WriteFile { path: path.to_owned(), bytes: after.into_bytes(), base, backup: before.is_some() };
    let permit = cx.gate.authorize(Actor::Person, effect).await?;
    write_file(permit)?;
    Ok(true)
}

/// The file's text; `None` when it is not there.
async fn read(cx: &Ctx, path: &Path) -> Result<Option<String>, InstallError> {
    if !path.try_exists().map_err(|error| io(path, error))? {
        return Ok(None);
    }
    let effect = ReadFile { path: path.to_owned(), max_bytes: LARGEST };
    let mut file = open_file(cx.gate.authorize(Actor::Person, effect).await?)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| io(path, error))?;
    Ok(Some(text))
}

fn io(path: &Path, source: std::io::Error) -> InstallError {
    InstallError::Io { path: path.to_owned(), source }
}

/// Blocks the call where no hook is left to answer: clients run a call whose hook is missing or killed, and block it when
/// the hook ends with 2 and has said why. Any shell takes it as one word.
const OR_ELSE: &str = "sh -c '\"$0\" \"$@\"; case $? in 0) exit 0;; 2) exit 2;; esac; \
                       echo \"Conclave gave no answer, so the call is refused.\" >&2; exit 2'";

/// The command line that the client gives to a shell.
///
/// It names the data folder, because a project's own files can set variables for a hook: `.env` where Gemini CLI works,
/// `env` in the settings that Claude Code finds there.
fn command(wanted: &Wanted<'_>, data_dir: &Path) -> Result<String, InstallError> {
    let text = |path: &Path| path.to_str().map(quoted).ok_or_else(|| InstallError::NotText(path.to_owned()));
    let mut words = vec![OR_ELSE.to_owned(), text(wanted.program)?, "--data-dir".to_owned(), text(data_dir)?];
    if wanted.offline {
        words.push("--offline".to_owned());
    }
    words.extend(["hook".to_owned(), wanted.client.name().to_owned()]);
    if wanted.approve {
        words.push("--approve".to_owned());
    }
    Ok(words.join(" "))
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ':' | '@' | ',');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn can_be_started(program: &Path) -> Result<(), InstallError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = program.metadata().ok().filter(std::fs::Metadata::is_file);
    let can = metadata.is_some_and(|metadata| metadata.permissions().mode() & 0o111 != 0);
    if can && program.is_absolute() { Ok(()) } else { Err(InstallError::NoProgram(program.to_owned())) }
}

/// Asks what the hook would answer to a call that must never happen: an agent that rewrites the policy.
fn self_test(cx: &Ctx, client: Client, offline: bool) -> Result<(), InstallError> {
    let policy = cx.data.path().join("policy.yaml");
    let call = AgentCall {
        client: client.name().to_owned(),
        tool: "Write".to_owned(),
        server: None,
        session: None,
        call_id: None,
        cwd: Some("/".to_owned()),
        mode: None,
        parameters: json!({ "file_path": policy, "content": "version: 1\nrules: []\n" }),
    };
    let judged = Advisor::open(cx.data.path(), offline).and_then(|advisor| advisor.judge(&call));
    match judged {
        Ok(advice) if advice.decision.effect == Effective::Deny => Ok(()),
        Ok(_) => Err(InstallError::SelfTest("an agent may rewrite your policy".to_owned())),
        Err(error) => Err(InstallError::SelfTest(AdviseError::to_string(&error))),
    }
}

/// The version of the installed client, read off its package; `None` where that cannot be told.
async fn installed_version(cx: &Ctx, client: Client) -> Option<Version> {
    client.blocks_on_failure_from()?;
    let program = find_program(client.program(), cx.data.path())?;
    let program = conclave_effects::resolve(&program).ok()?;
    // The native installer gives each version's program the version as its name.
    if let Some(version) = program.file_name().and_then(|name| name.to_str()?.parse().ok()) {
        return Some(version);
    }
    for folder in program.ancestors().skip(1).take(3) {
        let Ok(Some(text)) = read(cx, &folder.join("package.json")).await else { continue };
        let package: Value = serde_json::from_str(&text).ok()?;
        if package["name"].as_str().is_some_and(|name| client.package() == name) {
            return package["version"].as_str()?.parse().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_survives_the_shell() {
        for (program, expect) in [
            ("/usr/bin/conclave", "/usr/bin/conclave --data-dir '/my data' --offline hook codex"),
            ("/my tools/conclave", "'/my tools/conclave' --data-dir '/my data' --offline hook codex"),
            ("/it's/$HOME/conclave", r"'/it'\''s/$HOME/conclave' --data-dir '/my data' --offline hook codex"),
        ] {
            let wanted = Wanted {
                client: Client::Codex,
                scope: Scope::User(Path::new("/home/ada")),
                program: Path::new(program),
                offline: true,
                approve: false,
                version: None,
            };
            let line = command(&wanted, Path::new("/my data")).expect("a command line");
            assert_eq!(line, format!("{OR_ELSE} {expect}"));
        }
    }
}
