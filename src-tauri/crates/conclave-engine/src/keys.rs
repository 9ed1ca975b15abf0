//! The keys in the keychain: which hosts have one, and taking one out for the request that needs it.
//!
//! Invariants: a key is read just before its request and overwritten after it; while any key that is known to exist
//! cannot be read, nothing leaves this machine, because it could not be looked for in what leaves; models on this
//! machine and everything else go on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use conclave_effects::keychain::{EraseKey, Keychain, KeychainError, ReachKeychain, ReadKey, StoreKey};
use conclave_effects::{Denied, Gate, HttpError, Secret, host_of};
use conclave_inference::AskError;
use conclave_policy::Actor;
use conclave_store::{Store, StoreError};

use crate::ctx::Ctx;
use crate::event::{Event, Topic};

/// The longest text that is taken for a key, in bytes.
const LONGEST_KEY: usize = 8 * 1024;

/// The keys of the keychain.
pub(crate) struct Keys {
    keychain: Keychain,
    store: Store,
    /// What went wrong the last time, if anything did.
    trouble: Mutex<Option<KeychainError>>,
}

/// Why a key was not set or removed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text names no host.
    #[error("`{text}` is no host to keep a key for: {why}")]
    Host {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: HttpError,
    },
    /// The text cannot be a key.
    #[error("this is no key: a key is one word of at most {LONGEST_KEY} visible ASCII characters; nothing was kept")]
    Key,
    /// The policy refuses it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The keychain does not do it.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keychain, and every host that has a key or could use one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyList {
    /// Why no key can be kept or read now, in the keychain's words; `None` while nothing is known to be wrong.
    pub trouble: Option<String>,
    /// By name.
    pub hosts: Vec<KeyState>,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// The host, with its port where that is not the usual one.
    pub host: String,
    /// The models of the settings that are asked there, by name.
    pub models: Vec<String>,
    /// Where its key comes from.
    pub source: KeySource,
    /// When the keychain's key was set, in milliseconds since 1970-01-01 UTC.
    pub set_at_ms: Option<i64>,
}

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// From the keychain.
    Keychain,
    /// From an environment variable that the settings name.
    Environment {
        /// The variable.
        variable: String,
        /// Whether it was set when Conclave started.
        set: bool,
    },
    /// There is none.
    None,
}

impl Keys {
    pub(crate) fn new(keychain: Keychain, store: Store) -> Self {
        Self { keychain, store, trouble: Mutex::new(None) }
    }

    /// The key of `host`, if it has one.
    pub(crate) async fn of(&self, gate: &Gate, actor: &Actor, host: &str) -> Result<Option<Secret>, AskError> {
        if !self.hosts()?.iter().any(|known| known == host) {
            return Ok(None);
        }
        self.read(gate, actor, host).await.map(Some)
    }

    /// All keys but that of the host `but`.
    pub(crate) async fn all(&self, gate: &Gate, actor: &Actor, but: Option<&str>) -> Result<Vec<Secret>, AskError> {
        let mut all = Vec::new();
        for host in self.hosts()?.iter().filter(|host| Some(host.as_str()) != but) {
            all.push(self.read(gate, actor, host).await?);
        }
        Ok(all)
    }

    fn hosts(&self) -> Result<Vec<String>, AskError> {
        let keys = self.store.keys().map_err(|error| AskError::NoKey(format!("the keys are not known: {error}")))?;
        Ok(keys.into_iter().map(|key| key.host).collect())
    }

    async fn read(&self, gate: &Gate, actor: &Actor, host: &str) -> Result<Secret, AskError> {
        let permit = gate.authorize(actor.clone(), ReadKey { host: host.to_owned() }).await?;
        let read = self.keychain.read(permit).await;
        self.remember(read.as_ref().err());
        let why = |error| AskError::NoKey(format!("the key for `{host}` cannot be read, so nothing is sent: {error}"));
        read.map(|stored| stored.key).map_err(why)
    }

    /// What is wrong with the keychain now: whether it is there is found out, and whether it gives keys is known from the
    /// last one that was wanted, because asking for one may show a prompt.
    pub(crate) async fn state(&self, gate: &Gate) -> Option<String> {
        let Ok(permit) = gate.authorize(Actor::Person, ReachKeychain).await else { return self.trouble() };
        if let Err(error) = self.keychain.reach(permit).await {
            return Some(error.to_string());
        }
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.take_if(|before| matches!(before, KeychainError::NoService { .. }));
        trouble.as_ref().map(ToString::to_string)
    }

    fn remember(&self, error: Option<&KeychainError>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = error.cloned();
    }

    /// What went wrong with the keychain the last time, if anything did.
    fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map(ToString::to_string)
    }
}

/// Puts `key` into the keychain for `host`, in the place of the one before; gives the host as it is known from now on
/// and when that was.
///
/// # Errors
/// See [`KeyError`]; the key before is still there then.
pub async fn set(cx: &Ctx, host: &str, key: Secret) -> Result<(String, i64), KeyError> {
    let host = named(host)?;
    // What goes into a header: one word that can be seen.
    let words = key.expose();
    if words.is_empty() || words.len() > LONGEST_KEY || !words.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(KeyError::Key);
    }
    let before = cx.store.keys()?.into_iter().find(|known| known.host == host);
    let permit = cx.gate.authorize(Actor::Person, StoreKey { host: host.clone(), key }).await?;
    let seq = permit.seq();
    let now = cx.now_ms();
    // Written down first: a key that nobody knows of would not be looked for in what leaves.
    cx.store.put_key(&host, now)?;
    let keys = cx.models.keys();
    let stored = keys.keychain.store(permit, now).await;
    keys.remember(stored.as_ref().err());
    if stored.is_err() {
        match before {
            Some(before) => cx.store.put_key(&host, before.set_at_ms)?,
            None => drop(cx.store.erase_key(&host)?),
        }
    }
    record(cx, seq, stored.is_ok());
    stored?;
    Ok((host, now))
}

/// Removes the key of `host` from the keychain; gives the host and whether there was one.
///
/// # Errors
/// See [`KeyError`]; the key is still there then.
pub async fn erase(cx: &Ctx, host: &str) -> Result<(String, bool), KeyError> {
    let host = named(host)?;
    let permit = cx.gate.authorize(Actor::Person, EraseKey { host: host.clone() }).await?;
    let seq = permit.seq();
    let keys = cx.models.keys();
    let erased = match keys.keychain.erase(permit).await {
        Ok(()) => Ok(true),
        Err(KeychainError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    };
    keys.remember(erased.as_ref().err());
    record(cx, seq, erased.is_ok());
    let had_key = erased?;
    let was_known = cx.store.erase_key(&host)?;
    Ok((host, had_key || was_known))
}

fn record(cx: &Ctx, seq: u64, done: bool) {
    if let Err(error) = cx.gate.record_outcome(seq, if done { "done" } else { "not done" }) {
        tracing::warn!(seq, %error, "the outcome of a change of a key is not recorded");
    }
    cx.events.send(Event::Changed(vec![Topic::Keys]));
}

/// Every host that has a key or is asked by a model of the settings, and whether there is a keychain.
///
/// # Errors
/// The store fails.
pub async fn list(cx: &Ctx) -> Result<KeyList, StoreError> {
    let mut hosts: BTreeMap<String, KeyState> = BTreeMap::new();
    let state =
        |host: &String| KeyState { host: host.clone(), models: Vec::new(), source: KeySource::None, set_at_ms: None };
    for key in cx.store.keys()? {
        let host = hosts.entry(key.host.clone()).or_insert_with(|| state(&key.host));
        host.source = KeySource::Keychain;
        host.set_at_ms = Some(key.set_at_ms);
    }
    for model in cx.models.all() {
        let Some(name) = &model.info().host else { continue };
        let host = hosts.entry(name.clone()).or_insert_with(|| state(name));
        host.models.push(model.name().to_owned());
        // A variable that the settings name goes before the keychain.
        if let Some(variable) = &model.variable {
            host.source = KeySource::Environment { variable: variable.clone(), set: model.missing().is_none() };
        }
    }
    Ok(KeyList { trouble: cx.models.keys().state(&cx.gate).await, hosts: hosts.into_values().collect() })
}

/// The host that `text` names, as keys are stored for it: a host, a host with a port, or an address.
fn named(text: &str) -> Result<String, KeyError> {
    let text = text.trim();
    if text.contains('*') {
        let why = HttpError::BadUrl { reason: "it names more than one host".to_owned() };
        return Err(KeyError::Host { text: text.to_owned(), why });
    }
    let address = if text.contains("://") { text.to_owned() } else { format!("https://{text}/") };
    host_of(&address).map_err(|why| KeyError::Host { text: text.to_owned(), why })
}

#[cfg(test)]
mod tests;
