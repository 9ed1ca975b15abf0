//! The servers of tools that the settings name: listed, added, imported, looked at, approved, removed.
//!
//! Invariants: a server is in the settings on the person's word alone, and nothing of it is used before the person has
//! approved what was seen of it; a setting holds no secret; each change and each approval is in the ledger before it is
//! made.

mod current;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use conclave_core::settings::{McpServer, Settings};
use conclave_effects::{DataDir, Gate, Secret, find_worker, host_of};
use conclave_policy::{Action, Actor, Effective, ToolCall, ToolRequest, digest, suggest};
use conclave_store::{Store, StoreError};
use conclave_toolbox::server::command::fetching;
use conclave_toolbox::server::definition::{DefinedTool, Definition};
use conclave_toolbox::server::import::{self, is_key, is_secret};
use conclave_toolbox::server::name::server_name;
use conclave_toolbox::server::{Asking, Keys, Surroundings, ToolServer};
use serde_json::{Value, json};

pub use conclave_toolbox::server::import::Imported;
pub use current::Toolboxes;

use crate::ctx::Ctx;
use crate::model_edit::{EditError, edit};
use crate::models::Models;
use crate::settings_file::{is_variable, more_than_a_place, part};

/// Shortest and longest time for one call, in milliseconds.
const TIMES: std::ops::RangeInclusive<u64> = 1_000..=600_000;

/// A server, and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerState {
    /// Its name.
    pub name: String,
    /// What the settings say.
    pub setting: McpServer,
    /// Whether it can be used.
    pub standing: Standing,
    /// Its own name and version, as it said last.
    pub called: String,
    /// What it wants models to be told, as it said last; they are not.
    pub instructions: String,
    /// Its tools, as it said last.
    pub tools: Vec<DefinedTool>,
    /// What differs from what was approved, in sentences.
    pub differences: Vec<String>,
    /// What tells what was seen last from all else; an approval repeats it.
    pub digest: Option<String>,
    /// When that was seen, in milliseconds since 1970-01-01 UTC.
    pub seen_at_ms: Option<i64>,
    /// When it was approved.
    pub approved_at_ms: Option<i64>,
    /// Whether there is a key for it.
    pub has_key: bool,
    /// Why it cannot be used as the settings have it.
    pub warning: Option<String>,
}

/// Whether a server can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The settings turn it off.
    Off,
    /// It was never looked at.
    Unseen,
    /// It was seen and waits for approval.
    NotApproved,
    /// It is what was approved.
    Approved,
    /// It is not what was approved any more; it is blocked until it is approved anew.
    Changed,
}

/// What looking at a server gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// How it stands now.
    pub state: ServerState,
    /// Why it could not be seen.
    pub failed: Option<String>,
    /// What it asked of us and was refused.
    pub refused: Vec<String>,
}

/// Why a server was not approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// The settings, or the name.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It is another one than was seen.
    #[error("`{0}` is not what you saw any more; look at it again")]
    Changed(String),
    /// The policy refuses it.
    #[error("`{name}` is not approved: {reason}")]
    Denied {
        /// The server.
        name: String,
        /// Why, in words.
        reason: String,
    },
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keys of the keychain, for servers.
struct ModelKeys(Arc<Models>);

impl Keys for ModelKeys {
    fn of<'a>(&'a self, gate: &'a Gate, actor: &'a Actor, host: &'a str) -> Asking<'a, Option<Secret>> {
        Box::pin(async move { self.0.keys().of(gate, actor, host).await.map_err(|error| error.to_string()) })
    }

    fn all<'a>(&'a self, gate: &'a Gate, actor: &'a Actor) -> Asking<'a, Vec<Secret>> {
        Box::pin(async move { self.0.keys().all(gate, actor, None).await.map_err(|error| error.to_string()) })
    }
}

/// The settings in force, and what servers need around them by these.
fn in_force(store: &Store, data: &Arc<DataDir>, models: &Arc<Models>) -> (Arc<Settings>, Surroundings) {
    let (settings, tls_roots) = models.settings_and_roots();
    let around = Surroundings {
        store: store.clone(),
        data: Arc::clone(data),
        keys: Arc::new(ModelKeys(Arc::clone(models))),
        // It stands in the sandbox between a server with a way out and its host, as for programs that are models.
        guest: find_worker("conclave", "CONCLAVE_PROGRAM"),
        proxy: settings.proxy.clone(),
        tls_roots,
    };
    (settings, around)
}

/// All servers of the settings, by name.
///
/// # Errors
/// The store fails.
pub fn list(cx: &Ctx) -> Result<Vec<ServerState>, StoreError> {
    let keys: Vec<String> = cx.store.keys()?.into_iter().map(|key| key.host).collect();
    cx.settings().mcp_servers.iter().map(|(name, setting)| state(cx, name, setting, &keys)).collect()
}

fn state(cx: &Ctx, name: &str, setting: &McpServer, keys: &[String]) -> Result<ServerState, StoreError> {
    let pin = cx.store.server_pin(name)?;
    let seen = pin.as_ref().and_then(|pin| Definition::from_text(&pin.seen));
    let approved_text = pin.as_ref().and_then(|pin| pin.approved.as_deref());
    let approved = approved_text.and_then(Definition::from_text);
    let differences = match (&approved, &seen) {
        // What it would be started as now, also where nobody has looked since.
        (Some(approved), Some(seen)) => approved.differences(&seen.set_as(setting)),
        _ => Vec::new(),
    };
    let standing = match (setting.enabled, &seen, &approved) {
        (false, ..) => Standing::Off,
        (true, None, _) => Standing::Unseen,
        (true, Some(_), None) => Standing::NotApproved,
        (true, Some(_), Some(_)) if differences.is_empty() => Standing::Approved,
        (true, Some(_), Some(_)) => Standing::Changed,
    };
    let host = setting.reaches.as_ref().or(setting.url.as_ref()).and_then(|url| host_of(url).ok());
    let fetched = setting.command.as_deref().and_then(|command| fetching(command, &setting.args));
    Ok(ServerState {
        name: name.to_owned(),
        standing,
        called: seen.as_ref().map(Definition::called).unwrap_or_default(),
        instructions: seen.as_ref().map(|seen| seen.instructions().to_owned()).unwrap_or_default(),
        tools: seen.as_ref().map(Definition::tools).unwrap_or_default(),
        differences,
        digest: pin.as_ref().map(|pin| digest(pin.seen.as_bytes())),
        seen_at_ms: pin.as_ref().map(|pin| pin.seen_at_ms),
        approved_at_ms: pin.as_ref().and_then(|pin| pin.approved_at_ms),
        has_key: host.is_some_and(|host| keys.contains(&host)),
        warning: fetched.map(|fetching| fetching.why()),
        setting: setting.clone(),
    })
}

/// The server `name`, as it stands.
///
/// # Errors
/// [`EditError::Unknown`] where the settings name none; [`EditError::Wrong`] where the store fails.
pub fn named(cx: &Ctx, name: &str) -> Result<ServerState, EditError> {
    let all = list(cx).map_err(|error| EditError::Wrong(error.to_string()))?;
    let names: Vec<&str> = all.iter().map(|server| server.name.as_str()).collect();
    let unknown = || EditError::Unknown(suggest::unknown("tool server", name, &names));
    all.iter().find(|server| server.name == name).cloned().ok_or_else(unknown)
}

/// Adds the server `name`, or puts it in the place of the one that is called so.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn save(cx: &Ctx, name: &str, setting: &McpServer) -> Result<(), EditError> {
    sound(name, setting).map_err(EditError::Wrong)?;
    edit(cx, |settings, root| {
        let before = settings.mcp_servers.get(name).cloned().unwrap_or_default();
        let alike = settings.mcp_servers.keys().find(|other| other.eq_ignore_ascii_case(name) && *other != name);
        if let Some(other) = alike {
            return Err(EditError::Wrong(format!(
                "there is a server `{other}` already, which is easily taken for `{name}`"
            )));
        }
        let servers = root.entry("mcp_servers").or_insert_with(|| json!({}));
        let raw = servers.get(name).cloned();
        let value = part(raw.as_ref(), (&before, setting), &McpServer::default(), &[]);
        if let Value::Object(servers) = servers {
            servers.insert(name.to_owned(), value);
        }
        Ok(())
    })
    .await
}

/// Takes the server `name` out of the settings, and forgets what was approved of it.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn remove(cx: &Ctx, name: &str) -> Result<(), EditError> {
    named(cx, name)?;
    edit(cx, |_, root| {
        if let Some(Value::Object(servers)) = root.get_mut("mcp_servers") {
            servers.shift_remove(name);
        }
        Ok(())
    })
    .await?;
    cx.store.forget_server(name).map_err(|error| EditError::Wrong(error.to_string()))?;
    cx.toolbox();
    Ok(())
}

/// The servers that another client's configuration names, and which of them were added: those that can be settings and
/// whose names are free. With `dry`, none is added.
///
/// # Errors
/// See [`EditError`]; what was added until then stays.
pub async fn import(cx: &Ctx, config: &str, dry: bool) -> Result<Vec<(Imported, bool)>, EditError> {
    let mut all = Vec::new();
    for mut server in import::read(config).map_err(EditError::Wrong)? {
        let Some(setting) = &server.setting else {
            all.push((server, false));
            continue;
        };
        let is_known = cx.settings().mcp_servers.keys().any(|known| known.eq_ignore_ascii_case(&server.name));
        let why = match is_known {
            true => Some("There is a server of this name already; it stays as it is.".to_owned()),
            false => sound(&server.name, setting).err().map(|why| format!("It is not added: {why}.")),
        };
        let is_added = why.is_none();
        if is_added && !dry {
            save(cx, &server.name, setting).await?;
        }
        server.remarks.extend(why);
        all.push((server, is_added));
    }
    Ok(all)
}

/// Starts the server `name` for a look; what it is now waits for approval, where it is not approved already.
///
/// # Errors
/// See [`EditError`]; that it cannot be seen is no error but what was found.
pub async fn look(cx: &Ctx, name: &str) -> Result<Looked, EditError> {
    let before = named(cx, name)?;
    // The one that is in use, where it is, so that it is used again after it has failed.
    let used = cx.tools.server(name).filter(|server| server.is_set(name, &before.setting));
    let fresh = || Arc::new(ToolServer::new(name, &before.setting, in_force(&cx.store, &cx.data, &cx.models).1));
    let server = used.unwrap_or_else(fresh);
    let (failed, refused) = match server.look(&cx.gate, &Actor::Person).await {
        Ok(seen) => (None, seen.refused),
        Err(why) => (Some(why), Vec::new()),
    };
    Ok(Looked { state: named(cx, name)?, failed, refused })
}

/// Lets the server `name` be used as it was seen last, which `seen` is the digest of.
///
/// # Errors
/// See [`ApproveError`]; then it is as it was.
pub async fn approve(cx: &Ctx, name: &str, seen: &str) -> Result<(), ApproveError> {
    let setting = named(cx, name)?.setting;
    let changed = || ApproveError::Changed(name.to_owned());
    let pin = cx.store.server_pin(name)?.filter(|pin| digest(pin.seen.as_bytes()) == seen).ok_or_else(changed)?;
    Definition::from_text(&pin.seen).filter(|seen| seen.set_as(&setting) == *seen).ok_or_else(changed)?;
    let mut request = ToolRequest::new(Actor::Person, Action::CallTool, format!("mcp://{name}"))
        .with("place", "server")
        .with("consent", "settings")
        .with("purpose", format!("approve the tool server `{name}`"))
        .with("digest", seen);
    let (tool, server) = ("*".to_owned(), Some(name.to_owned()));
    request.call = Some(Box::new(ToolCall { tool, server, session: None, cwd: None, parameters: Value::Null }));
    let denied = |reason| ApproveError::Denied { name: name.to_owned(), reason };
    let (decision, seq) = cx.gate.judge(&request).await.map_err(|error| denied(error.to_string()))?;
    if decision.effect != Effective::Allow {
        return Err(denied(decision.reason));
    }
    let approved = cx.store.approve_server(name, &pin.seen, cx.now_ms())?;
    cx.gate.note_outcome(seq, if approved { "approved" } else { "not approved: it changed meanwhile" });
    cx.toolbox();
    if approved { Ok(()) } else { Err(changed()) }
}

/// Whether the setting makes sense by itself and holds no secret.
fn sound(name: &str, setting: &McpServer) -> Result<(), String> {
    server_name(name)?;
    match (&setting.command, &setting.url) {
        (Some(command), None) if !command.trim().is_empty() => {
            if let Some(fetching) = fetching(command, &setting.args).filter(|_| setting.enabled) {
                return Err(fetching.why());
            }
        }
        (None, Some(_)) => {}
        _ => return Err("a server is either a command or an address".to_owned()),
    }
    for url in setting.url.iter().chain(&setting.reaches) {
        host_of(url).map_err(|error| error.to_string())?;
        more_than_a_place(url).map_or(Ok(()), Err)?;
    }
    if setting.args.iter().any(|word| is_secret(word)) {
        return Err("there is a secret among its arguments; keep it with `conclave keys set` instead".to_owned());
    }
    for (variable, value) in &setting.env {
        if !is_variable(variable) {
            return Err(format!("`{variable}` is no name of a variable"));
        }
        if is_key(variable) || is_secret(value) {
            return Err(format!(
                "`{variable}` holds a secret: keep it with `conclave keys set`, and say `\"key\": \"{variable}\"` and which \
                 host it is for in `reaches`"
            ));
        }
    }
    match (&setting.key, &setting.reaches, &setting.command) {
        (Some(variable), _, Some(_)) if !is_variable(variable) => {
            return Err(format!("`{variable}` is no name of a variable"));
        }
        (Some(_), None, Some(_)) if setting.enabled => {
            return Err("a server with a key has to say in `reaches` which host it is for".to_owned());
        }
        _ => {}
    }
    if !TIMES.contains(&setting.timeout_ms) {
        return Err(format!("one call may take {} to {} milliseconds", TIMES.start(), TIMES.end()));
    }
    Ok(())
}
