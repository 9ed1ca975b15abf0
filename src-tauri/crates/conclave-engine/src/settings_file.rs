//! The settings file: read with words that help, and changed by what another configuration brings.
//!
//! A change touches what it changes and no other byte, is in the ledger before it is made, and leaves a copy of the text
//! as somebody else had left it beside it. Invariant: only a text that reads as exactly the intended settings is written.

mod edit;
mod rewrite;
mod sense;
mod written;

use std::path::PathBuf;

use conclave_core::settings::{PERSON, SAMPLING, Settings};
use conclave_effects::fs::backup;
use conclave_effects::{Denied, FsError, WriteFile, write_file};
pub use conclave_inference::config::Remark;
use conclave_inference::{catalogue, config};
use conclave_policy::{Actor, digest, suggest};

use serde_json::Value;

use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::models;

pub use edit::Change;
pub(crate) use rewrite::rewritten;
pub(crate) use sense::{NO_VARIABLE, holds_key, is_variable, more_than_a_place};
pub(crate) use written::{part, written};

/// So many copies of the file are counted at most.
const MOST_BACKUPS: u32 = 10_000;

/// The settings that `text` holds.
///
/// # Errors
/// What is wrong with it, and which word may have been meant.
pub fn read(text: &str) -> Result<Settings, String> {
    let settings: Settings = serde_json::from_str(text).map_err(|error| words(&error))?;
    let given: Value = serde_json::from_str(text).map_err(|error| words(&error))?;
    let meant = serde_json::to_value(&settings).map_err(|error| words(&error))?;
    match listed(&given, &meant, "").or_else(|| fault(&settings)) {
        Some(fault) => Err(fault),
        None => Ok(settings),
    }
}

/// The first list at `place` in `given` that stands where `meant`, which was read from it, has an object: the reader
/// takes a list for the values of the fields in their order, which nobody means.
fn listed(given: &Value, meant: &Value, place: &str) -> Option<String> {
    match (given, meant) {
        (Value::Array(_), Value::Object(_)) if place.is_empty() => {
            Some("the settings are a list; allowed is one object: `{ \"models\": [] }`".to_owned())
        }
        (Value::Array(_), Value::Object(fields)) => {
            let fields: Vec<String> = fields.keys().map(|field| format!("`{field}`")).collect();
            Some(format!("`{place}` is a list; allowed is one object with {}", fields.join(", ")))
        }
        (Value::Array(given), Value::Array(meant)) => {
            let mut pairs = given.iter().zip(meant).enumerate();
            pairs.find_map(|(at, (given, meant))| listed(given, meant, &format!("{place}[{at}]")))
        }
        (Value::Object(given), Value::Object(meant)) => given.iter().find_map(|(field, given)| {
            let place = if place.is_empty() { field.clone() } else { format!("{place}.{field}") };
            listed(given, meant.get(field)?, &place)
        }),
        _ => None,
    }
}

/// The reader's complaint, with the nearest known word in place of all of them.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line(), error.column());
    for (start, what) in [("unknown field `", "setting"), ("unknown variant `", "value")] {
        let Some((word, rest)) = text.strip_prefix(start).and_then(|rest| rest.split_once("`, expected ")) else {
            continue;
        };
        // Every other piece between backticks is a known word.
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        return format!("{place}: {}", suggest::unknown(what, word, &known));
    }
    text
}

/// What is wrong with settings of which each one is right.
fn fault(settings: &Settings) -> Option<String> {
    let mut names = settings.names();
    // The last one is the sampling model's own.
    names.pop();
    for (at, name) in names.iter().enumerate() {
        if *name == SAMPLING || *name == PERSON {
            return Some(format!("no model can be called `{name}`, which is somebody else; take another name"));
        }
        if names[..at].contains(name) {
            return Some(format!("two models are called `{name}`; give one of them another name"));
        }
    }
    names.push(SAMPLING);
    for (at, name) in settings.preference.iter().enumerate() {
        if !names.contains(&name.as_str()) {
            return Some(format!("`preference`: {}", suggest::unknown("model", name, &names)));
        }
        if settings.preference[..at].contains(name) {
            return Some(format!("`preference` names `{name}` twice; keep one of them"));
        }
    }
    sense::senseless(settings)
}

/// The models of the settings that are retired on the day of `now_ms`, or will be, each in a sentence that names what
/// takes its place.
pub fn retired(settings: &Settings, now_ms: i64) -> Vec<String> {
    let today = catalogue::day(now_ms);
    let apis = settings.models.iter().filter(|model| model.enabled && catalogue::known(model).is_some());
    let apis = apis.map(|model| (&model.name, model.model.as_str()));
    let clis = settings.cli_models.iter().filter(|model| model.enabled);
    let clis = clis.filter_map(|model| Some((&model.name, model.model.as_deref()?)));
    let words = |(name, model): (&String, &str)| match catalogue::state(model, today) {
        // A program may have names of its own for models.
        catalogue::State::Unknown { .. } => None,
        state => state.words(model).map(|words| format!("`{name}`: {words}")),
    };
    apis.chain(clis).filter_map(words).collect()
}

/// What becomes of the settings file.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The file.
    pub path: PathBuf,
    /// The digest of its text now; `None` where there is no file.
    pub digest: Option<String>,
    /// Its text afterwards.
    pub after: String,
    /// What is different then; empty when the settings say all of it already.
    pub changes: Vec<Change>,
    /// What the person should know.
    pub notes: Vec<Remark>,
}

/// A change that was made, or found not to be needed.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What it was.
    pub plan: Plan,
    /// Where the text from before is; `None` where there was none, or nothing was written.
    pub backup: Option<PathBuf>,
}

/// Why the settings are as they were.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The configuration is wrong.
    #[error("it is no configuration that can be used")]
    Config(Vec<Remark>),
    /// The settings as they are, or as they would be, are wrong.
    #[error("the settings in `{}`: {why}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Somebody changed the file meanwhile.
    #[error("`{}` was changed meanwhile; look at it again first", .0.display())]
    Changed(PathBuf),
    /// The policy does not let the person do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The file cannot be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// What the configuration in `yaml` would make of the settings; nothing is written.
///
/// # Errors
/// See [`ImportError`].
pub fn plan(cx: &Ctx, yaml: &str) -> Result<Plan, ImportError> {
    let today = catalogue::day(cx.now_ms());
    let loaded = config::read(yaml, today).map_err(ImportError::Config)?;
    let path = cx.data.path().join("settings.json");
    let before = cx.data.settings()?;
    let wrong = |why| ImportError::Settings { path: path.clone(), why };
    let old = before.as_deref().map_or(Ok(Settings::default()), read).map_err(wrong)?;
    let mut new = old.clone();
    loaded.parts.put_into(&mut new);
    if let Some(fault) = fault(&new) {
        return Err(wrong(format!("with this configuration they would not load: {fault}")));
    }
    let text = before.as_deref().unwrap_or_default();
    let (after, changes) = edit::edited(text, &old, &new).map_err(wrong)?;
    let digest = before.as_ref().map(|text| digest(text.as_bytes()));
    Ok(Plan { path, digest, after, changes, notes: loaded.notes })
}

/// Puts what the configuration in `yaml` says into the settings; `expected` is the digest of the file that the person
/// saw, `None` where there was none.
///
/// # Errors
/// See [`ImportError`]; then the file is as it was.
pub async fn import(cx: &Ctx, yaml: &str, expected: Option<&str>) -> Result<Imported, ImportError> {
    let plan = plan(cx, yaml)?;
    if plan.digest.as_deref() != expected {
        return Err(ImportError::Changed(plan.path));
    }
    if plan.changes.is_empty() {
        return Ok(Imported { plan, backup: None });
    }
    let backup = put(cx, plan.digest.as_deref(), &plan.after).await.map_err(|error| match error {
        PutError::Denied(denied) => ImportError::Denied(denied),
        PutError::Fs(error) => ImportError::Fs(error),
    })?;
    Ok(Imported { plan, backup })
}

/// Why the settings file was not written.
pub(crate) enum PutError {
    /// The policy denies it.
    Denied(Denied),
    /// It cannot be written, or is another one by now.
    Fs(FsError),
}

/// Has the settings file say `text`, in force when this ends; `base` is the digest of its text until now, `None` where
/// there is no file. Gives the copy of that text, where one is kept: of what Conclave itself wrote last there is none.
pub(crate) async fn put(cx: &Ctx, base: Option<&str>, text: &str) -> Result<Option<PathBuf>, PutError> {
    let path = cx.data.path().join("settings.json");
    let is_kept = match base {
        // What was written last is in the ledger, whichever process wrote it.
        Some(base) => cx.store.last_written(&path.to_string_lossy()).ok().flatten().as_deref() != Some(base),
        None => false,
    };
    let effect = WriteFile {
        path: path.clone(),
        bytes: text.as_bytes().to_vec(),
        base: base.map(str::to_owned),
        backup: is_kept,
    };
    let permit = cx.gate.authorize(Actor::Person, effect).await.map_err(PutError::Denied)?;
    blocking(move || write_file(permit)).await.map_err(PutError::Fs)?;
    // In force before whoever changed it goes on; faces are told where anything is different.
    models::reload(cx);
    let copies = (1..MOST_BACKUPS).map(|number| backup(&path, number)).take_while(|path| path.exists());
    Ok(copies.last().filter(|_| is_kept))
}

#[cfg(test)]
mod tests;
