//! Certificates that are trusted beside those that ship with Conclave.
//!
//! Read once, when the settings are: what was judged by its digest is what is trusted.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use conclave_policy::digest;
use rustix::fs::{Mode, OFlags};

use super::HttpError;
use crate::fs::beneath::{read_capped, regular};

/// The largest file of certificates: whole collections have about 200 KiB.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Certificates out of one file.
#[derive(Clone, Debug)]
pub struct TlsRoots {
    certificates: Arc<[reqwest::Certificate]>,
    digest: String,
}

impl TlsRoots {
    /// The PEM certificates in the file at `path`.
    ///
    /// # Errors
    /// [`HttpError::BadRoots`] when it cannot be read, or holds no certificate or a broken one.
    pub fn read(path: &Path) -> Result<Self, HttpError> {
        let bad = |reason: String| HttpError::BadRoots { reason };
        if !path.is_absolute() {
            return Err(bad(format!("`{}` is no absolute path", path.display())));
        }
        // A pipe or a device is not waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        let file = File::from(opened.map_err(|errno| bad(format!("`{}`: {errno}", path.display())))?);
        let bytes = regular(&file, path).and_then(|()| read_capped(file, path, LARGEST));
        Self::parse(&bytes.map_err(|error| bad(error.to_string()))?)
    }

    fn parse(pem: &[u8]) -> Result<Self, HttpError> {
        let bad = |reason: &str| HttpError::BadRoots { reason: reason.to_owned() };
        let found = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| bad("one of them is broken"))?;
        if found.is_empty() {
            return Err(bad("there is none in the file"));
        }
        Ok(Self { certificates: found.into(), digest: digest(pem) })
    }

    /// The digest of the file.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = reqwest::Certificate> {
        self.certificates.iter().cloned()
    }
}

#[cfg(test)]
mod tests;
