//! Puts the hook into a client's settings, takes it out, and says how it stands.
//!
//! Files are read and written through the gate as the person, because the person asked; a client's settings are
//! otherwise nobody's to write. Programs are not started: a client's version is read off its installed package.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use conclave_effects::fs::backup;
use conclave_effects::gate::Denied;
use conclave_effects::{FsError, ReadFile, WriteFile, find_program, open_file, resolve, write_file};
use conclave_policy::{Actor, Effective, digest};
use serde_json::{Value, json};

use super::advisor::{AdviseError, Advisor};
use super::call::AgentCall;
use super::client::{Client, Scope, Version};
use super::settings::{self, Hook, SettingsError};
use crate::ctx::Ctx;

/// Larger settings files, in bytes, are not looked at.
const LARGEST: u64 = 4 * 1024 * 1024;

/// So many copies of a settings file are looked at.
const MOST_BACKUPS: u32 = 1000;

/// Why a client's settings are as they were.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The policy does not let the person do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The file cannot be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The settings are no text.
    #[error("`{}` is not UTF-8; save it as UTF-8, or move it away", .0.display())]
    NotUtf8(PathBuf),
    /// The settings are larger than any that a person writes.
    #[error("`{}` is larger than {LARGEST} bytes; make it smaller, or move it away", .0.display())]
    TooLarge(PathBuf),
    /// The client starts no hook.
    #[error(
        "`{}` sets `{}` to {}, so {} starts no hook; take it out first",
        .0.path.display(), .0.key, .0.value(), .0.client.title()
    )]
    Off(Off),
    /// The file cannot be looked at.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder for the settings is not there.
    #[error("`{}` does not exist; start the client there once, or make the folder", .0.display())]
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
    /// Whose settings the client reads then, the same ones among them.
    pub scopes: &'a [Scope<'a>],
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

/// What keeps a client from starting hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Off {
    /// Which client.
    pub client: Client,
    /// The settings file.
    pub path: PathBuf,
    /// The key in it.
    pub key: &'static str,
}

impl Off {
    /// What the key says there: Claude Code has keys that turn hooks off, the others have one that leaves them on.
    pub fn value(&self) -> bool {
        self.client == Client::ClaudeCode
    }
}

/// The hooks of ours in some settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Those that were found, and the settings that cannot be understood.
    pub found: Vec<Found>,
    /// What would keep a client from starting one, of the clients that have none.
    pub off: Vec<Off>,
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
    /// What keeps the client from starting it, as far as that stands in its settings.
    pub off: Option<Off>,
    /// The settings that cannot be understood, in words.
    pub problem: Option<String>,
}

impl Found {
    /// Settings that cannot be understood.
    fn unknown(client: Client, path: PathBuf, problem: String) -> Self {
        Self { client, path, before: None, after: false, off: None, problem: Some(problem) }
    }

    /// Whether the client asks before each call, as far as that stands in its settings; `None` when they cannot be
    /// understood.
    pub fn runs(&self) -> Option<bool> {
        self.problem.is_none().then(|| self.before.is_some() && self.off.is_none())
    }
}

/// Puts the hook in place, or in the place of an older one, and leaves a copy of the file as it was.
///
/// # Errors
/// See [`InstallError`]; then the settings are as they were.
pub async fn add(cx: &Ctx, wanted: Wanted<'_>) -> Result<Installed, InstallError> {
    let Wanted { client, scope, program, .. } = wanted;
    can_be_started(program)?;
    self_test(cx, client, wanted.offline)?;
    if let Some(off) = turned_off(cx, client, wanted.scopes).await.map_err(|(_, error)| error)? {
        return Err(InstallError::Off(off));
    }
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

/// Takes the hook out, and leaves a copy of the file as it was. Where nothing else changed since the hook came in, the
/// bytes from before are back.
///
/// # Errors
/// See [`InstallError`]; then the settings are as they were.
pub async fn remove(cx: &Ctx, client: Client, scope: Scope<'_>) -> Result<Installed, InstallError> {
    let path = client.settings_file(scope);
    let there = path.try_exists().map_err(|error| io(&path, error))?;
    let backups = backups(cx, &path).await;
    let changed = there && change(cx, &path, |text| without(text, client, &backups)).await?;
    Ok(Installed { path, hook: None, changed, version: None })
}

/// The hooks of ours in the settings of these clients.
///
/// # Errors
/// The policy does not let the person read them.
pub async fn list(cx: &Ctx, scopes: &[Scope<'_>]) -> Result<Listed, InstallError> {
    let mut listed = Listed { found: Vec::new(), off: Vec::new() };
    for client in Client::ALL {
        let (off, problem) = match turned_off(cx, client, scopes).await {
            Ok(off) => (off, None),
            Err((_, InstallError::Denied(denied))) => return Err(denied.into()),
            Err((path, error)) => (None, Some((path, error.to_string()))),
        };
        let unread = || problem.as_ref().map(|(_, why)| why.clone());
        let mut found = Vec::new();
        for scope in scopes {
            let path = client.settings_file(*scope);
            let text = match read(cx, &path).await {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                Err(InstallError::Denied(denied)) => return Err(denied.into()),
                Err(error) => {
                    found.push(Found::unknown(client, path, error.to_string()));
                    continue;
                }
            };
            match settings::of_ours(&text, client) {
                Ok(hooks) if hooks.is_empty() => {}
                Ok(hooks) => {
                    let after = hooks.iter().any(|(event, _)| *event == client.after());
                    let before = hooks.into_iter().find(|(event, _)| *event == client.before()).map(|(_, hook)| hook);
                    found.push(Found { client, path, before, after, off: off.clone(), problem: unread() });
                }
                Err(why) => {
                    let problem = InstallError::Settings { path: path.clone(), why }.to_string();
                    found.push(Found::unknown(client, path, problem));
                }
            }
        }
        if found.is_empty() {
            listed.off.extend(off);
            // One that cannot be read may hold the switch.
            found.extend(problem.map(|(path, why)| Found::unknown(client, path, why)));
        }
        listed.found.extend(found);
    }
    Ok(listed)
}

/// What keeps `client` from starting hooks under these settings.
///
/// # Errors
/// The file that may hold the switch and cannot be read, where none that counts before it holds it.
async fn turned_off(cx: &Ctx, client: Client, scopes: &[Scope<'_>]) -> Result<Option<Off>, (PathBuf, InstallError)> {
    for path in client.switches(scopes) {
        let text = match read(cx, &path).await {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(error) => return Err((path, error)),
        };
        let managed = client.managed().is_some_and(|managed| path == Path::new(managed));
        match settings::switch(&text, client, managed) {
            Ok(Some(switch)) => return Ok(switch.off.then_some(Off { client, path, key: switch.key })),
            Ok(None) => {}
            Err(why) => return Err((path.clone(), InstallError::Settings { path, why })),
        }
    }
    Ok(None)
}

/// The copies beside the settings, from before each change that was made to them here.
async fn backups(cx: &Ctx, path: &Path) -> Vec<String> {
    let mut backups = Vec::new();
    // They are beside the file itself, where the settings are a link.
    let Ok(path) = resolve(path) else { return backups };
    for number in 1.. {
        match read(cx, &backup(&path, number)).await {
            Ok(Some(text)) => backups.push(text),
            // One that cannot be read helps as little as one that is not there.
            Err(_) if number < MOST_BACKUPS => {}
            Ok(None) | Err(_) => break,
        }
    }
    backups
}

/// The text without any hook of ours: the one from before, where adding the hook to it gives this very text.
fn without(text: &str, client: Client, backups: &[String]) -> Result<String, SettingsError> {
    let mut text = text.to_owned();
    // Each step goes back to an older copy; more steps than copies would be a circle.
    for _ in backups {
        let Some((_, hook)) = settings::of_ours(&text, client)?.into_iter().next() else { return Ok(text) };
        let gives = |before: &&String| settings::add(before, client, &hook).is_ok_and(|after| after == text);
        let Some(before) = backups.iter().find(|before| **before != text && gives(before)) else { break };
        text.clone_from(before);
    }
    settings::remove(&text, client)
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
    match file.read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(match error.kind() {
            ErrorKind::InvalidData => InstallError::NotUtf8(path.to_owned()),
            ErrorKind::FileTooLarge => InstallError::TooLarge(path.to_owned()),
            _ => io(path, error),
        }),
    }
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
pub(crate) fn quoted(text: &str) -> String {
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
    let program = resolve(&program).ok()?;
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
                scopes: &[],
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
