//! Bytes that are made piece by piece, kept in a file of ours until it is decided where they go.
//!
//! So a large file is judged as a whole, by its size and digest, without ever being whole in memory.
//! Invariant: the file has no name, so nobody reaches it by one, and nothing of it is left when the spool is dropped.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use super::FsError;
use super::beneath::OURS;
use super::named::new_file;
use crate::DataDir;

/// Bytes read at a time on the way out.
const PIECE: usize = 64 * 1024;

/// What has been put in so far.
#[derive(Debug)]
pub struct Spool {
    file: File,
    hasher: Sha256,
    bytes: u64,
}

impl DataDir {
    /// An empty spool.
    ///
    /// # Errors
    /// [`FsError::Io`] when no file can be made.
    pub fn spool(&self) -> Result<Spool, FsError> {
        let folder = self.path();
        let (file, name) = new_file(folder, |name, flags| {
            rustix::fs::open(folder.join(name), flags.difference(OFlags::WRONLY) | OFlags::RDWR, OURS)
        })?;
        std::fs::remove_file(folder.join(name)).map_err(|error| FsError::io(folder, error))?;
        Ok(Spool { file, hasher: Sha256::new(), bytes: 0 })
    }
}

impl Spool {
    /// How many bytes are in it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Their SHA-256, in lower-case hexadecimal.
    pub fn digest(&self) -> String {
        hex(self.hasher.clone())
    }

    /// Copies everything into `to`; fails when that is not what was put in.
    pub(super) fn copy_to(mut self, to: &mut File) -> io::Result<()> {
        self.file.rewind()?;
        let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE]);
        loop {
            let read = self.file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            hasher.update(&piece[..read]);
            to.write_all(&piece[..read])?;
        }
        if hex(hasher) == self.digest() {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "what was kept for it is damaged"))
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
