//! Keys in the operating system's keychain: one entry for each host, and never a file.
//!
//! An entry is JSON with the host, the time and the key, so that a key that was moved to another host's entry is found
//! out when it is read. Every call opens the keychain anew, so that whoever has unlocked it, or started it, only has to
//! try again.
//!
//! Invariants: no call takes longer than its limit, whatever the keychain does, and a call that hangs keeps neither the
//! caller nor the end of the process waiting; no request, error or log holds a key; our copies of it are overwritten.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use conclave_policy::{Action, Actor, ToolRequest, keys};
use keyring_core::{CredentialStore, Entry, Error};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::data::ClientName;
use crate::{Effect, Permit, Secret, Stale};

/// The service that our entries are of.
const SERVICE: &str = "conclave";

/// How long a call may take, with a person who types a password in it.
const LIMIT: Duration = Duration::from_secs(20);

/// What helps where there is no keychain.
const START_ONE: &str = "start GNOME Keyring or KWallet and try again, or name an environment variable that holds the \
                         key as `key_env` in the settings";

/// Longest key, in bytes.
const LONGEST_KEY: usize = 16 * 1024;

/// The effect of finding out whether there is a keychain; no entry is looked at and nobody is asked for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReachKeychain;

/// The effect of taking a key out of the keychain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadKey {
    /// Whose key: a host, with its port where that is not the usual one; see [`host_of`](crate::host_of).
    pub host: String,
}

/// The effect of putting a key into the keychain, in the place of the one before.
pub struct StoreKey {
    /// Whose key.
    pub host: String,
    /// The key.
    pub key: Secret,
}

/// The effect of removing a key from the keychain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EraseKey {
    /// Whose key.
    pub host: String,
}

impl Effect for ReachKeychain {
    fn request(&self, actor: &Actor) -> ToolRequest {
        ToolRequest::new(actor.clone(), Action::ReadKey, "the keychain").with("operation", "reach")
    }
}

impl Effect for ReadKey {
    fn request(&self, actor: &Actor) -> ToolRequest {
        about(actor, Action::ReadKey, &self.host)
    }
}

impl Effect for StoreKey {
    fn request(&self, actor: &Actor) -> ToolRequest {
        about(actor, Action::WriteKey, &self.host).with("operation", "store")
    }
}

impl Effect for EraseKey {
    fn request(&self, actor: &Actor) -> ToolRequest {
        about(actor, Action::WriteKey, &self.host).with("operation", "erase")
    }
}

fn about(actor: &Actor, action: Action, host: &str) -> ToolRequest {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    };
    ToolRequest::new(actor.clone(), action, host).with(keys::HOST, name.to_ascii_lowercase())
}

/// A key from the keychain.
pub struct StoredKey {
    /// The key, bound to its host.
    pub key: Secret,
    /// When it was stored, in milliseconds since 1970-01-01 UTC.
    pub set_at_ms: i64,
}

/// Why the keychain did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// It is too late.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// There is no keychain on this machine, or none that is running.
    #[error("no keychain is running: {reason}; {START_ONE}")]
    NoService {
        /// What the system says.
        reason: String,
    },
    /// It is locked, and nobody could or would unlock it.
    #[error("the keychain is locked; unlock it and try again")]
    Locked,
    /// It did not answer in time; most often it waits for its password.
    #[error("the keychain did not answer within {0} seconds; if it asks for its password, answer and try again")]
    TimedOut(u64),
    /// There is no key for this host.
    #[error("there is no key for `{host}` in the keychain; set one")]
    NotFound {
        /// Whose key.
        host: String,
    },
    /// The entry is not one that Conclave wrote for this host.
    #[error("the keychain's entry for `{host}` is damaged; set the key again")]
    Damaged {
        /// Whose key.
        host: String,
    },
    /// The key is empty, or too long, or the host is.
    #[error("{0}")]
    Refused(String),
    /// Anything else the keychain says.
    #[error("the keychain failed: {0}; try again")]
    Other(String),
}

/// An entry as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<T> {
    host: String,
    set_at_ms: i64,
    key: T,
}

type Connect = dyn Fn() -> Result<Arc<CredentialStore>, Error> + Send + Sync;

/// The operating system's keychain. Cheap to make and to clone; nothing is asked before the first call.
#[derive(Clone)]
pub struct Keychain {
    connect: Arc<Connect>,
    limit: Duration,
    /// Under which its entries stand: Conclave's, or those of one client.
    service: Arc<str>,
    /// One call at a time: behind one that hangs, others wait here and not each in a thread of its own.
    turn: Arc<Semaphore>,
}

impl Default for Keychain {
    fn default() -> Self {
        Self::open()
    }
}

impl Keychain {
    /// The keychain of this session.
    pub fn open() -> Self {
        Self::new(Arc::new(connect), LIMIT)
    }

    /// The same keychain with another limit for each call.
    #[cfg(test)]
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    fn new(connect: Arc<Connect>, limit: Duration) -> Self {
        Self { connect, limit, service: Arc::from(SERVICE), turn: Arc::new(Semaphore::new(1)) }
    }

    /// The same keychain with entries of its own for `client`: nobody else's are seen.
    #[must_use]
    pub fn of_client(self, client: Option<&ClientName>) -> Self {
        match client {
            Some(client) => Self { service: Arc::from(format!("{SERVICE}/{client}")), ..self },
            None => self,
        }
    }

    /// Whether there is a keychain that answers.
    ///
    /// # Errors
    /// [`KeychainError`] says what stands in the way, and what the person can do.
    pub async fn reach(&self, permit: Permit<ReachKeychain>) -> Result<(), KeychainError> {
        permit.open()?;
        self.with_store(|_| Ok(())).await
    }

    /// The key of the permit's host.
    ///
    /// # Errors
    /// [`KeychainError`] says what stands in the way, and what the person can do.
    pub async fn read(&self, permit: Permit<ReadKey>) -> Result<StoredKey, KeychainError> {
        let (ReadKey { host }, _) = permit.open()?;
        let bytes = self.call(&host, |entry| entry.get_secret().map(Zeroizing::new)).await?;
        let damaged = || KeychainError::Damaged { host: host.clone() };
        let record: Record<Zeroizing<String>> = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if record.host != host || record.key.is_empty() {
            return Err(damaged());
        }
        let key = Secret::from(record.key).for_host(host);
        Ok(StoredKey { key, set_at_ms: record.set_at_ms })
    }

    /// Stores the permit's key as set at `at_ms`, in the place of the one before.
    ///
    /// # Errors
    /// [`KeychainError`]; the key before is still there then.
    pub async fn store(&self, permit: Permit<StoreKey>, at_ms: i64) -> Result<(), KeychainError> {
        let (StoreKey { host, key }, _) = permit.open()?;
        let text = key.expose();
        if text.trim().is_empty() {
            return Err(KeychainError::Refused("the key is empty".to_owned()));
        }
        if text.len() > LONGEST_KEY {
            return Err(KeychainError::Refused(format!("the key is longer than {LONGEST_KEY} bytes")));
        }
        // Room for the worst escapes, so that no half-written copy is left behind by growing.
        let mut bytes = Zeroizing::new(Vec::with_capacity(6 * (host.len() + text.len()) + 100));
        let record = Record { host: host.clone(), set_at_ms: at_ms, key: text };
        serde_json::to_writer(&mut *bytes, &record).map_err(|error| KeychainError::Other(error.to_string()))?;
        self.call(&host, move |entry| entry.set_secret(&bytes)).await
    }

    /// Removes the key of the permit's host.
    ///
    /// # Errors
    /// [`KeychainError`]; [`KeychainError::NotFound`] when there was none.
    pub async fn erase(&self, permit: Permit<EraseKey>) -> Result<(), KeychainError> {
        let (EraseKey { host }, _) = permit.open()?;
        self.call(&host, |entry| entry.delete_credential()).await
    }

    /// Does `work` with the entry of `host`.
    async fn call<T: Send + 'static>(
        &self,
        host: &str,
        work: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, KeychainError> {
        if host.trim().is_empty() {
            return Err(KeychainError::Refused("the host is empty".to_owned()));
        }
        let (account, service) = (host.to_owned(), Arc::clone(&self.service));
        let with_entry = move |store: &CredentialStore| {
            let entry = store.build(&service, &account, None).map_err(|error| sort(&account, &error))?;
            work(&entry).map_err(|error| sort(&account, &error))
        };
        self.with_store(with_entry).await
    }

    /// Opens the keychain and does `work` with it, in a thread that may hang: threads of the runtime would keep its end
    /// waiting.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&CredentialStore) -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let deadline = Instant::now() + self.limit;
        let timed_out = |_| KeychainError::TimedOut(self.limit.as_secs());
        let turn = timeout_at(deadline, Arc::clone(&self.turn).acquire_owned()).await.map_err(timed_out)?;
        let connect = Arc::clone(&self.connect);
        let (give, given) = oneshot::channel();
        let body = move || {
            let done = connect()
                .map_err(|error| KeychainError::NoService { reason: words(&error) })
                .and_then(|store| work(&*store));
            // Nobody waits any more when it took too long.
            let _ = give.send(done);
            drop(turn);
        };
        let thread = std::thread::Builder::new().name("keychain".to_owned()).spawn(body);
        thread.map_err(|error| KeychainError::Other(error.to_string()))?;
        match timeout_at(deadline, given).await.map_err(timed_out)? {
            Ok(done) => done,
            Err(_) => Err(KeychainError::Other("its thread ended without an answer".to_owned())),
        }
    }
}

#[cfg(target_os = "macos")]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(not(target_os = "macos"))]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

fn sort(host: &str, error: &Error) -> KeychainError {
    match error {
        Error::NoEntry => KeychainError::NotFound { host: host.to_owned() },
        Error::NoStorageAccess(_) => KeychainError::Locked,
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::Ambiguous(_) => {
            KeychainError::Damaged { host: host.to_owned() }
        }
        error => KeychainError::Other(words(error)),
    }
}

/// The innermost cause in words. Only causes that hold no stored bytes are asked for theirs.
fn words(error: &Error) -> String {
    match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => {
            let causes = std::iter::successors(Some(&**cause as &dyn std::error::Error), |cause| cause.source());
            causes.last().map_or_else(String::new, ToString::to_string)
        }
        Error::BadStoreFormat(reason) | Error::NotSupportedByStore(reason) => reason.clone(),
        Error::TooLong(name, most) => format!("the {name} is longer than {most}"),
        Error::Invalid(name, reason) => format!("the {name} {reason}"),
        _ => "no reason given".to_owned(),
    }
}
