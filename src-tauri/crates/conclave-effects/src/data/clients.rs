//! A data folder for each client, below the one that Conclave has anyway: nothing in one is ever read for another.
//!
//! A client's folder has a database, settings, ledger, kept contents and keychain entries of its own, so that a client's
//! work can be backed up, handed over or erased as a whole. A folder that was handed over is read and no more.
//! Deliberately absent: any list of clients; the folders are the list.

use std::fmt;
use std::io::{self, Cursor, Read as _};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::{DataDir, OURS};
use crate::FsError;
use crate::fs::write_whole;

/// The folder with the clients' folders.
const FOLDER: &str = "clients";
/// The name of the client whose folder it is.
const NAME: &str = "client";
/// Says that the folder was handed over.
const HANDED_OVER: &str = "handed-over";
/// The longest name of a client.
const LONGEST: usize = 40;
/// Largest archive that is taken apart, in bytes.
const LARGEST: u64 = 4 << 30;

/// A client's name: small letters, digits and `-`, at most 40 of them, a letter or a digit first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientName(String);

/// A text that is no client's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be a client\u{2019}s name: use small letters, digits and `-`, at most {LONGEST} of them")]
pub struct NotAName(String);

impl FromStr for ClientName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = !text.is_empty() && text.len() <= LONGEST && text.chars().all(fits) && !text.starts_with('-');
        if is_name { Ok(Self(text.to_owned())) } else { Err(NotAName(text.to_owned())) }
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ClientName {
    /// Where the client's folder is below the data folder `base`.
    pub fn folder(&self, base: &Path) -> PathBuf {
        base.join(FOLDER).join(&self.0)
    }

    /// The names of all clients below `base`, sorted.
    pub fn all(base: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(base.join(FOLDER)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<Self> = names.filter_map(|name| name.parse().ok()).collect();
        names.sort();
        names
    }
}

impl DataDir {
    /// Makes the folder of a new client below `base`, with `settings` to begin with.
    ///
    /// # Errors
    /// There is such a client already, or the folder cannot be made.
    pub fn add_client(base: &Path, name: &ClientName, settings: &str) -> Result<Self, FsError> {
        let folder = name.folder(base);
        if folder.exists() {
            return Err(FsError::Exists { path: folder });
        }
        let data = Self::open(&folder)?;
        write_whole(&folder.join(NAME), name.0.as_bytes())?;
        data.put_settings(settings)?;
        Ok(data)
    }

    /// Whose folder it is; `None` for the one that belongs to no client.
    pub fn client(&self) -> Option<ClientName> {
        std::fs::read_to_string(self.path.join(NAME)).ok()?.parse().ok()
    }

    /// Whether it was handed over, and nothing in it is to be changed or run.
    pub fn is_handed_over(&self) -> bool {
        self.path.join(HANDED_OVER).exists()
    }

    /// The whole folder as one `tar` archive, with `database`, a copy of the database in one file, in the place of the
    /// database. Scratch copies and what workers keep are left out.
    ///
    /// # Errors
    /// [`FsError::Io`] when it cannot be read.
    pub fn archive(&self, database: &Path, hand_over: bool) -> Result<Vec<u8>, FsError> {
        let wrong = |error| FsError::io(&self.path, error);
        let mut archive = tar::Builder::new(Vec::new());
        let mut add = |name: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(OURS.bits());
            header.set_cksum();
            archive.append_data(&mut header, name, bytes)
        };
        add("conclave.db", &std::fs::read(database).map_err(wrong)?).map_err(wrong)?;
        for name in [NAME, "settings.json"] {
            match std::fs::read(self.path.join(name)) {
                Ok(bytes) => add(name, &bytes).map_err(wrong)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(wrong(error)),
            }
        }
        for entry in std::fs::read_dir(self.path.join("blobs")).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            add(&format!("blobs/{name}"), &std::fs::read(entry.path()).map_err(wrong)?).map_err(wrong)?;
        }
        if hand_over {
            add(HANDED_OVER, b"").map_err(wrong)?;
        }
        archive.into_inner().map_err(wrong)
    }

    /// Makes the folder of the client `name` below `base` from an archive that [`DataDir::archive`] made.
    ///
    /// # Errors
    /// There is such a client already, or it is no such archive; then there is no folder.
    pub fn from_archive(base: &Path, name: &ClientName, archive: &[u8]) -> Result<Self, FsError> {
        let folder = name.folder(base);
        if folder.exists() {
            return Err(FsError::Exists { path: folder });
        }
        let data = Self::open(&folder)?;
        let unpacked = data.take_apart(archive).and_then(|()| write_whole(&folder.join(NAME), name.0.as_bytes()));
        match unpacked {
            Ok(()) => Ok(data),
            Err(error) => {
                // What is there is half of something.
                drop(std::fs::remove_dir_all(&folder));
                Err(error)
            }
        }
    }

    fn take_apart(&self, archive: &[u8]) -> Result<(), FsError> {
        let invalid = |what: &str| FsError::io(&self.path, io::Error::new(io::ErrorKind::InvalidData, what));
        let wrong = |error: io::Error| FsError::io(&self.path, error);
        let mut found = false;
        let mut left = LARGEST;
        for entry in tar::Archive::new(Cursor::new(archive)).entries().map_err(wrong)? {
            let mut entry = entry.map_err(wrong)?;
            let path = entry.path().map_err(wrong)?.into_owned();
            let parts: Vec<Component<'_>> = path.components().collect();
            // Exactly what an archive of ours has, so that it can reach nowhere else.
            let place = match parts.as_slice() {
                [Component::Normal(name)]
                    if ["conclave.db", "settings.json", HANDED_OVER, NAME].iter().any(|known| name == known) =>
                {
                    path.clone()
                }
                [Component::Normal(folder), Component::Normal(name)]
                    if *folder == "blobs"
                        && name
                            .to_str()
                            .is_some_and(|name| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())) =>
                {
                    path.clone()
                }
                _ => return Err(invalid("this is no archive of a client: it holds what none has")),
            };
            if !entry.header().entry_type().is_file() || entry.size() > left {
                return Err(invalid("this is no archive of a client: it holds what none has"));
            }
            left -= entry.size();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(wrong)?;
            found |= place == Path::new("conclave.db");
            write_whole(&self.path.join(place), &bytes)?;
        }
        if found { Ok(()) } else { Err(invalid("this is no archive of a client: there is no database in it")) }
    }

    /// Puts `settings` in the place of the settings of a client's folder.
    ///
    /// # Errors
    /// [`FsError::Io`] when they cannot be written.
    pub fn put_settings(&self, settings: &str) -> Result<(), FsError> {
        write_whole(&self.path.join("settings.json"), settings.as_bytes())
    }

    /// Removes the whole folder of a client. Nothing of it may be open.
    ///
    /// # Errors
    /// It belongs to no client, or cannot be removed.
    pub fn erase_client(self) -> Result<(), FsError> {
        if self.client().is_none() {
            return Err(FsError::NotConclaves { path: self.path });
        }
        std::fs::remove_dir_all(&self.path).map_err(|error| FsError::io(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_nothing_but_a_name() {
        for name in ["acme", "a", "42-and-more"] {
            assert!(name.parse::<ClientName>().is_ok(), "{name}");
        }
        for name in ["", "..", "a/b", "A", "-a", "a b", "\u{e9}", &"x".repeat(41)] {
            assert!(name.parse::<ClientName>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_client_is_made_archived_handed_over_and_erased() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path();
        let (acme, other): (ClientName, ClientName) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let data = DataDir::add_client(base, &acme, "{}").unwrap();
        assert!(DataDir::add_client(base, &acme, "{}").is_err());
        let digest = data.put_blob(b"kept").unwrap();
        let database = base.join("copy.db");
        std::fs::write(&database, b"a database").unwrap();
        let archive = data.archive(&database, true).unwrap();
        let copy = DataDir::from_archive(base, &other, &archive).unwrap();
        assert_eq!((copy.client(), copy.is_handed_over(), data.is_handed_over()), (Some(other), true, false));
        assert_eq!(copy.blob(&digest).unwrap(), b"kept");
        assert_eq!(std::fs::read(copy.database()).unwrap(), b"a database");
        let path = data.path().to_owned();
        data.erase_client().unwrap();
        assert!(!path.exists());
        assert_eq!(ClientName::all(base).len(), 1);
    }

    #[test]
    fn an_archive_that_reaches_elsewhere_leaves_nothing() {
        let base = tempfile::tempdir().unwrap();
        let name: ClientName = "acme".parse().unwrap();
        for path in ["../../escaped", "blobs/../../x", "hooks/pre-commit", "blobs/short"] {
            let mut builder = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_gnu();
            // The library itself refuses to write such a path.
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(1);
            header.set_cksum();
            builder.append(&header, &b"x"[..]).unwrap();
            let archive = builder.into_inner().unwrap();
            assert!(DataDir::from_archive(base.path(), &name, &archive).is_err(), "{path}");
            assert!(!name.folder(base.path()).exists(), "{path}");
        }
        assert!(DataDir::from_archive(base.path(), &name, b"no archive").is_err());
        assert!(!name.folder(base.path()).exists());
    }
}
