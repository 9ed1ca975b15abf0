//! Clients: a data folder each, so that nothing crosses between them; backed up, handed over, erased as a whole.
//!
//! Deliberately absent: any way from one client's data to another's. What a new client begins with is the person's own
//! settings without what they say of projects.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use conclave_core::settings::Settings;
use conclave_effects::data::DataDir;
pub use conclave_effects::data::{ClientName, NotAName};
use conclave_effects::fs::{FsError, ReadFile, WriteFile, open_file, write_file};
use conclave_effects::gate::Denied;
use conclave_policy::Actor;
use conclave_store::{Store, StoreError};

use crate::ctx::Ctx;
use crate::keys::{self, KeyError};
use crate::open::{self, OpenError, Options};

/// Largest archive that is read, in bytes.
const LARGEST: u64 = 2 << 30;

/// Why something about clients was not done.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It cannot be the name of a client.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// There is none of this name.
    #[error("there is no client `{0}`")]
    Unknown(ClientName),
    /// This folder belongs to no client.
    #[error("no client was named")]
    NoClient,
    /// Another process works for this client.
    #[error("another process works for the client `{0}`")]
    InUse(ClientName),
    /// A key could not be removed; those before it are, and all else is still there.
    #[error("the key for `{host}` could not be removed; the others before it are, and all else is there: {why}")]
    Key {
        /// Its host.
        host: String,
        /// What stands in the way.
        why: KeyError,
    },
    /// The client's folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The policy denies it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Files.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive cannot be written or read.
    #[error("the archive is of no use: {0}")]
    Archive(String),
    /// Settings that cannot be written.
    #[error("the settings cannot be copied: {0}")]
    Settings(#[from] serde_json::Error),
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientState {
    /// Its name.
    pub name: ClientName,
    /// Its projects, by folder.
    pub projects: Vec<String>,
    /// Hosts for which the keychain has a key of this client's own.
    pub keys: Vec<String>,
    /// Whether it was handed over, and is only read.
    pub handed_over: bool,
}

/// Where the data of `name` is below `base`.
///
/// # Errors
/// There is no such client.
pub fn folder(base: &Path, name: &ClientName) -> Result<PathBuf, ClientError> {
    let folder = name.folder(base);
    if folder.is_dir() { Ok(folder) } else { Err(ClientError::Unknown(name.clone())) }
}

/// All clients below `base`, by name.
///
/// # Errors
/// A client's folder cannot be opened.
pub fn list(base: &Path, now_ms: i64) -> Result<Vec<ClientState>, ClientError> {
    ClientName::all(base).into_iter().map(|name| state(base, name, now_ms)).collect()
}

fn state(base: &Path, name: ClientName, now_ms: i64) -> Result<ClientState, ClientError> {
    let data = DataDir::open(&folder(base, &name)?)?;
    let store = Store::open(&data.database(), now_ms)?.store;
    Ok(ClientState {
        projects: store.projects()?.into_iter().map(|project| project.root).collect(),
        keys: store.keys()?.into_iter().map(|key| key.host).collect(),
        handed_over: data.is_handed_over(),
        name,
    })
}

/// Makes a client, whose settings are those in `base` without what they say of projects.
///
/// # Errors
/// There is such a client, or its folder cannot be made.
pub fn add(base: &Path, name: &ClientName) -> Result<PathBuf, ClientError> {
    let own = open::settings(&DataDir::open(base)?)?;
    let data = DataDir::add_client(base, name, &serde_json::to_string_pretty(&without_projects(own))?)?;
    Ok(data.path().to_owned())
}

/// What may be carried from one client to another: nothing that names a project or was learned from one.
fn without_projects(settings: Settings) -> Settings {
    let mut settings = Settings {
        guidance: BTreeMap::new(),
        commands: BTreeMap::new(),
        project_tiers: BTreeMap::new(),
        clients: BTreeMap::new(),
        auto_apply: Vec::new(),
        ..settings
    };
    settings.exchange_log.projects = BTreeMap::new();
    settings
}

/// The same settings without anybody's word that something may be sent, run or applied.
fn without_consent(mut settings: Settings) -> Settings {
    settings.models.iter_mut().for_each(|model| model.may_send_code = false);
    settings.cli_models.iter_mut().for_each(|model| model.may_send_code = false);
    settings.sampling.may_send_code = false;
    settings.commands.values_mut().for_each(|commands| commands.agreed = false);
    settings.auto_apply.clear();
    settings
}

/// Writes everything of the client into one archive at `to`; gives its size in bytes. What is handed over can only be
/// read where it is opened.
///
/// # Errors
/// See [`ClientError`].
pub async fn archive(cx: &Ctx, to: &Path, hand_over: bool) -> Result<u64, ClientError> {
    if cx.data.client().is_none() {
        return Err(ClientError::NoClient);
    }
    let copy = cx.data.scratch_base().join("archive.db");
    cx.store.copy_to(&copy)?;
    let bytes = cx.data.archive(&copy, hand_over);
    Store::remove_copy(&copy)?;
    let bytes = bytes?;
    let size = bytes.len() as u64;
    if size > LARGEST {
        return Err(ClientError::Archive(format!(
            "it would be larger than {LARGEST} bytes, and could not be opened again"
        )));
    }
    let effect = WriteFile { path: to.to_owned(), bytes, base: None, backup: false };
    write_file(cx.gate.authorize(Actor::Person, effect).await?)?;
    Ok(size)
}

/// Makes the client `name` below `base` from the archive at `from`. An archive may come from anybody: no consent, no
/// approval and no key comes with it, and the person's policy is not in it.
///
/// # Errors
/// See [`ClientError`].
pub async fn restore(cx: &Ctx, base: &Path, name: &ClientName, from: &Path) -> Result<PathBuf, ClientError> {
    let effect = ReadFile { path: from.to_owned(), max_bytes: LARGEST };
    let mut file = open_file(cx.gate.authorize(Actor::Person, effect).await?)?;
    let mut archive = Vec::new();
    file.read_to_end(&mut archive).map_err(|error| ClientError::Archive(error.to_string()))?;
    let data = DataDir::from_archive(base, name, &archive)?;
    data.put_settings(&serde_json::to_string_pretty(&without_consent(open::settings(&data)?))?)?;
    let store = Store::open(&data.database(), cx.now_ms())?.store;
    store.unapprove_servers()?;
    for key in store.keys()? {
        store.erase_key(&key.host)?;
    }
    Ok(data.path().to_owned())
}

/// Removes everything of the client: keychain entries first, then its folder with database, ledger and kept contents.
///
/// # Errors
/// See [`ClientError`]; where a key could not be removed, everything but keys is still there.
pub async fn erase(base: &Path, name: &ClientName) -> Result<ClientState, ClientError> {
    let data_dir = folder(base, name)?;
    let database = DataDir::open(&data_dir)?.database();
    let in_use = || -> Result<(), ClientError> {
        if Store::is_closed(&database)? { Ok(()) } else { Err(ClientError::InUse(name.clone())) }
    };
    in_use()?;
    let (cx, _) = open::open(&Options { data_dir: data_dir.clone(), offline: true })?;
    let projects = cx.store.projects()?.into_iter().map(|project| project.root).collect();
    let hosts: Vec<String> = cx.store.keys()?.into_iter().map(|key| key.host).collect();
    for host in &hosts {
        keys::erase(&cx, host).await.map_err(|why| ClientError::Key { host: host.clone(), why })?;
    }
    let handed_over = cx.data.is_handed_over();
    cx.cancel.cancel();
    drop(cx);
    // Somebody may have come since.
    in_use()?;
    DataDir::open(&data_dir)?.erase_client()?;
    Ok(ClientState { name: name.clone(), projects, keys: hosts, handed_over })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests look at the folder from outside")]
mod tests {
    use conclave_core::id::ProjectId;
    use conclave_core::project::Project;
    use conclave_core::settings::SamplingSetting;

    use super::*;

    #[test]
    fn a_new_client_knows_nothing_of_other_projects() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        let settings = r#"{ "models": [{ "name": "a", "base_url": "http://127.0.0.1:1/v1", "model": "m" }],
            "guidance": { "/srv/other": "secret words" }, "commands": { "/srv/other": { "agreed": true } },
            "exchange_log": { "projects": { "/srv/other": true } }, "project_tiers": { "/srv/other": {} },
            "clients": { "globex": { "projects": ["/srv/other"] } } }"#;
        drop(DataDir::open(base).unwrap());
        std::fs::write(base.join("settings.json"), settings).unwrap();
        let name: ClientName = "acme".parse().unwrap();
        add(base, &name).unwrap();
        let text = std::fs::read_to_string(name.folder(base).join("settings.json")).unwrap();
        assert!(text.contains("\"name\": \"a\"") && !text.contains("/srv/other") && !text.contains("globex"), "{text}");
        assert!(matches!(add(base, &name), Err(ClientError::Fs(FsError::Exists { .. }))));
    }

    #[tokio::test]
    async fn an_erased_client_leaves_no_trace_and_an_archive_brings_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        let (acme, copy): (ClientName, ClientName) = ("acme".parse().unwrap(), "copy".parse().unwrap());
        let data_dir = add(base, &acme).unwrap();
        let options = Options { data_dir, offline: true };
        let (cx, _) = open::open(&options).unwrap();
        let root = folder.path().join("canary-project");
        std::fs::create_dir(&root).unwrap();
        let root = root.to_str().unwrap().to_owned();
        let project = Project {
            id: ProjectId::of_root(&root),
            root,
            name: "canary-project".to_owned(),
            watched: false,
            listed: true,
        };
        cx.store.save_project(&project, 1).unwrap();
        cx.store.put_key("api.example.com", 1).unwrap();
        let settings = Settings {
            sampling: SamplingSetting { may_send_code: true, ..SamplingSetting::default() },
            ..Settings::default()
        };
        cx.data.put_settings(&serde_json::to_string(&settings).unwrap()).unwrap();
        let archive = folder.path().join("acme.tar");
        assert!(super::archive(&cx, &archive, true).await.unwrap() > 0);
        cx.store.erase_key("api.example.com").unwrap();
        drop(cx);
        let (own, _) = open::open(&Options { data_dir: base.to_owned(), offline: true }).unwrap();
        let restored = restore(&own, base, &copy, &archive).await.unwrap();
        drop(own);
        let text = std::fs::read_to_string(restored.join("settings.json")).unwrap();
        let settings: Settings = serde_json::from_str(&text).unwrap();
        assert!(!settings.sampling.may_send_code && settings.auto_apply.is_empty(), "no consent comes with an archive");
        let store = Store::open(&restored.join("conclave.db"), 1).unwrap().store;
        assert!(store.keys().unwrap().is_empty(), "nor a key");
        drop(store);
        assert_eq!(erase(base, &acme).await.unwrap().projects.len(), 1);
        let all = list(base, 1).unwrap();
        assert_eq!(all.len(), 1);
        assert!(all[0].handed_over && all[0].projects[0].ends_with("canary-project"));
        erase(base, &copy).await.unwrap();
        std::fs::remove_file(&archive).unwrap();
        std::fs::remove_dir(folder.path().join("canary-project")).unwrap();
        for entry in files_below(base) {
            let bytes = std::fs::read(&entry).unwrap();
            let found = bytes.windows(14).any(|window| window == b"canary-project");
            assert!(!found, "{}", entry.display());
        }
    }

    /// All files below `base`.
    fn files_below(base: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![base.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }
}
