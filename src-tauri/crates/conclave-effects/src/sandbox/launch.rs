//! What exactly a run starts: the program's bytes, and those of the interpreter that its first line names.
//!
//! A program is found by a path, and a path may lead elsewhere a moment later. So its bytes are hashed when the run is
//! judged; when it is started they are copied once, compared with the record, and the copy is what the sandbox shows
//! under the program's name. What belongs to the system, and could be changed by root alone, is only compared. A file
//! that has not changed since it was hashed is not hashed for the record again (`known`); the copy always is.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, memfd_create};
use sha2::{Digest as _, Sha256};

use super::guest::is_the_system;
use super::mounts::{Mount, locate};
use super::{RunCommand, SandboxError, known, program};

/// As many interpreters are followed as the kernel follows.
const MOST_INTERPRETERS: usize = 4;

/// A file that is executed.
pub(super) struct Executed {
    /// As it is named in the sandbox.
    pub name: PathBuf,
    /// Where that leads in the sandbox, links resolved.
    pub inside: PathBuf,
    /// Where that is outside.
    pub host: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: String,
}

/// The program of `run` and the interpreters that it needs, in the order in which the kernel meets them.
pub(super) fn executed(run: &RunCommand, mounts: &[Mount]) -> Result<Vec<Executed>, SandboxError> {
    let mut all: Vec<Executed> = Vec::new();
    let mut next = Some(locate(run, mounts)?);
    while let Some(name) = next.take() {
        let missing = || SandboxError::NotFound { program: name.display().to_string() };
        let host = outside(&name, mounts).canonicalize().map_err(|_| missing())?;
        let digest = known::digest(&host).map_err(|_| missing())?;
        let inside = inside(&name, &host, mounts);
        next = program::interpreter(&host).filter(|_| all.len() < MOST_INTERPRETERS);
        all.push(Executed { name, inside, host, digest });
    }
    Ok(all)
}

impl Executed {
    /// Whether nobody but root could have put other bytes in its place.
    fn is_the_system_s(&self) -> bool {
        let folder = self.host.parent().unwrap_or(&self.host);
        let theirs =
            |path: &Path| path.metadata().is_ok_and(|found| is_the_system(found.uid()) && found.mode() & 0o022 == 0);
        self.host.starts_with("/usr") && theirs(&self.host) && theirs(folder)
    }

    /// A copy that nobody else can change, of bytes with this digest; `None` for what only root could change.
    pub(super) fn pinned(&self) -> Result<Option<File>, SandboxError> {
        if self.is_the_system_s() {
            return Ok(None);
        }
        let failed = |error: io::Error| SandboxError::Io { reason: error.to_string() };
        let copied = memfd_create("program", MemfdFlags::CLOEXEC).map_err(|errno| failed(errno.into()))?;
        let mut copied = File::from(copied);
        let digest = copy(&self.host, &mut copied).map_err(failed)?;
        copied.rewind().map_err(failed)?;
        if digest == self.digest { Ok(Some(copied)) } else { Err(crate::Stale::changed(&self.host).into()) }
    }
}

/// Copies a file and says what its bytes hash to.
fn copy(path: &Path, to: &mut dyn io::Write) -> io::Result<String> {
    hashed(&mut File::open(path)?, to)
}

/// Writes what is left of `file` to `to` and says what it hashes to.
pub(super) fn hashed(file: &mut File, to: &mut dyn io::Write) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
    to.flush()?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Where a path of the sandbox is outside.
fn outside(path: &Path, mounts: &[Mount]) -> PathBuf {
    mounts.iter().find_map(|mount| mount.outside(path)).unwrap_or_else(|| path.to_owned())
}

/// Where the file is in the sandbox that `name` leads to there, and that is at `host` outside.
fn inside(name: &Path, host: &Path, mounts: &[Mount]) -> PathBuf {
    let through = |mount: &Mount| mount.inside(host);
    let same = mounts.iter().filter(|mount| name.starts_with(&mount.inside)).find_map(through);
    let of_the_system = || host.starts_with("/usr").then(|| host.to_owned());
    same.or_else(of_the_system).or_else(|| mounts.iter().find_map(through)).unwrap_or_else(|| host.to_owned())
}
