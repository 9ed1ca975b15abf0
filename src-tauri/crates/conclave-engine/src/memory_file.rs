//! What is remembered for a client, as a file of the memory server's that the person names.
//!
//! Deliberately absent: the form of its lines (`conclave_toolbox::memory`). Invariants: a file is taken in whole or not at
//! all, and not for a client of which nothing is learned.

use std::path::Path;

use conclave_core::settings::Settings;
use conclave_store::{MemoryAdded, StoreError};
use conclave_toolbox::memory;

use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::learn::Client;
use crate::named::{self, NamedError};

pub use conclave_toolbox::memory::{Complaint, Fault, ImportError};

/// Largest file that is read, in bytes; what is larger can be taken in in parts.
const LARGEST: u64 = 64 << 20;

/// Why a file was not written or not taken in.
#[derive(Debug, thiserror::Error)]
pub enum MemoryFileError {
    /// The settings name no such client.
    #[error("there is no client `{0}`")]
    NoClient(String),
    /// Nothing is learned of this client.
    #[error("nothing is remembered here: {0}")]
    Off(String),
    /// The file.
    #[error(transparent)]
    Named(#[from] NamedError),
    /// What stands in the file, or a memory that is full.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes what is remembered for `client` (nobody where it is empty) into the file at `to`; gives the number of its lines.
///
/// # Errors
/// See [`MemoryFileError`]; then the file is as it was.
pub async fn export(cx: &Ctx, client: &str, to: &Path) -> Result<usize, MemoryFileError> {
    let client = named_client(&cx.settings(), client)?;
    let store = cx.store.clone();
    let text = blocking(move || memory::export(&store, &client.name)).await?;
    let lines = text.lines().count();
    named::write(cx, to, text.into_bytes()).await?;
    Ok(lines)
}

/// Remembers for `client` (nobody where it is empty) what stands in the file at `from`.
///
/// # Errors
/// See [`MemoryFileError`]; then nothing of it is remembered.
pub async fn import(cx: &Ctx, client: &str, from: &Path) -> Result<MemoryAdded, MemoryFileError> {
    let client = named_client(&cx.settings(), client)?;
    if let Some(why) = client.refused {
        return Err(MemoryFileError::Off(why));
    }
    let text = named::read_text_up_to(cx, from, LARGEST).await?;
    let (store, now_ms) = (cx.store.clone(), cx.now_ms());
    Ok(blocking(move || memory::import(&store, &client.name, now_ms, &text)).await?)
}

fn named_client(settings: &Settings, name: &str) -> Result<Client, MemoryFileError> {
    Client::named(settings, name).ok_or_else(|| MemoryFileError::NoClient(name.to_owned()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests stand in for the person")]
mod tests {
    use std::fs;

    use super::*;
    use crate::open::{Options, open};

    const LINE: &str = r#"{"type":"entity","name":"house","entityType":"client_context","observations":["tabs"]}"#;

    #[tokio::test]
    async fn a_memory_goes_out_and_comes_in_by_the_persons_word_and_only_where_something_is_learned() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        fs::create_dir(&data_dir).unwrap();
        let settings = r#"{"clients": {"acme": {}, "globex": {"excluded": true}}}"#;
        fs::write(data_dir.join("settings.json"), settings).unwrap();
        let (cx, _) = open(&Options { data_dir: data_dir.clone(), offline: true }).unwrap();
        let (file, copy) = (folder.path().join("memory.jsonl"), folder.path().join("copy.jsonl"));
        fs::write(&file, format!("{LINE}\n")).unwrap();
        let added = import(&cx, "acme", &file).await.unwrap();
        assert_eq!((added.entities, added.observations, added.relations), (1, 0, 0));
        assert_eq!(export(&cx, "acme", &copy).await.unwrap(), 1);
        assert_eq!(fs::read_to_string(&copy).unwrap(), format!("{LINE}\n"));
        assert_eq!(export(&cx, "", &copy).await.unwrap(), 0, "it is nobody else's");
        for (client, expect) in [("globex", "`clients.globex.excluded`"), ("other", "there is no client `other`")] {
            let why = import(&cx, client, &file).await.unwrap_err().to_string();
            assert!(why.contains(expect), "{why}");
        }
        fs::write(&file, format!("{LINE}\nnonsense\n")).unwrap();
        let Err(MemoryFileError::Import(ImportError::Lines(complaints))) = import(&cx, "", &file).await else {
            panic!("it was taken in")
        };
        assert!(matches!(complaints.as_slice(), [Complaint { line: 2, fault: Fault::NotJson(_) }]), "{complaints:?}");
        assert_eq!(cx.store.memory("").unwrap().entities.len(), 0, "nothing is half imported");
        fs::File::create(&file).unwrap().set_len(LARGEST + 1).unwrap();
        let large = import(&cx, "", &file).await.unwrap_err();
        assert!(
            matches!(&large, MemoryFileError::Named(_)) && large.to_string().ends_with("67108864 bytes"),
            "{large}"
        );
        let mut decided = 0;
        let all = cx.store.export_ledger(|line| -> Result<(), StoreError> {
            decided += usize::from(line.contains("\"write_file\"") && line.contains("copy.jsonl"));
            Ok(())
        });
        all.unwrap();
        assert_eq!(decided, 2, "each file was a decision");
    }
}
