//! What a run shows of the host, and where its program is in there.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::{RunCommand, SandboxError, WORK, program};

/// Where programs are looked up by name.
pub(crate) const SEARCHED: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Folders of the system that hold programs and libraries; on most systems links into `/usr`.
pub(super) const SYSTEM: [&str; 6] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/// A folder of the host that the sandbox shows.
pub(crate) struct Mount {
    pub host: PathBuf,
    pub inside: PathBuf,
    pub writable: bool,
}

impl Mount {
    /// Where a path of the sandbox that this shows is outside.
    pub(super) fn outside(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.inside).ok().map(|below| beneath(&self.host, below))
    }

    /// Where a path of the host that this shows is in the sandbox.
    pub(super) fn inside(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.host).ok().map(|below| beneath(&self.inside, below))
    }

    pub(super) fn arguments(&self) -> [OsString; 3] {
        let how = if self.writable { "--bind" } else { "--ro-bind" };
        [how.into(), self.host.clone().into(), self.inside.clone().into()]
    }
}

/// A mount may be a single file, whose name with nothing beneath it must not become a folder's.
fn beneath(top: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { top.to_owned() } else { top.join(below) }
}

/// The folders of the host that a run shows, refused where they would show too much.
pub(super) fn mounts(run: &RunCommand) -> Result<Vec<Mount>, SandboxError> {
    let tree = real_path(&run.tree)?;
    let home = std::env::var_os("HOME").and_then(|home| PathBuf::from(home).canonicalize().ok());
    let holds = |folder: &Path, inner: Option<&PathBuf>| inner.is_some_and(|inner| inner.starts_with(folder));
    let too_much = |folder: &Path| folder.parent().is_none() || holds(folder, home.as_ref());
    let refused = |folder: &Path| SandboxError::Io { reason: format!("`{}` shows too much", folder.display()) };
    let mut mounts = Vec::new();
    for folder in &run.read_only {
        let host = real_path(folder)?;
        if !folder.is_absolute() || too_much(&host) || holds(&host, Some(&tree)) {
            return Err(refused(folder));
        }
        mounts.push(Mount { host, inside: folder.clone(), writable: false });
    }
    if too_much(&tree) {
        return Err(refused(&tree));
    }
    mounts.push(Mount { host: tree.clone(), inside: PathBuf::from(WORK), writable: run.writable });
    for (folder, name) in &run.within {
        let host = real_path(folder)?;
        let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !folder.is_absolute() || !is_below || name.is_empty() || too_much(&host) || holds(&host, Some(&tree)) {
            return Err(refused(folder));
        }
        // After the work, over which it is shown.
        mounts.push(Mount { host, inside: Path::new(WORK).join(name), writable: false });
    }
    Ok(mounts)
}

fn real_path(path: &Path) -> Result<PathBuf, SandboxError> {
    path.canonicalize().map_err(|error| SandboxError::Io { reason: format!("`{}`: {error}", path.display()) })
}

/// The program's path in the sandbox.
pub(super) fn locate(run: &RunCommand, mounts: &[Mount]) -> Result<PathBuf, SandboxError> {
    let name = run.argv.first().map(String::as_str).unwrap_or_default();
    let candidates: Vec<PathBuf> = if name.contains('/') {
        vec![Path::new(WORK).join(name)]
    } else {
        SEARCHED.split(':').map(|folder| Path::new(folder).join(name)).collect()
    };
    let found = candidates.into_iter().find(|path| !name.is_empty() && is_visible(path, mounts));
    found.ok_or_else(|| SandboxError::NotFound { program: name.to_owned() })
}

/// Whether a program at this path of the sandbox is there, and not only behind a link to where the sandbox cannot see.
fn is_visible(path: &Path, mounts: &[Mount]) -> bool {
    let on_host = mounts.iter().find_map(|mount| mount.outside(path)).unwrap_or_else(|| path.to_owned());
    let shown = |real: &Path| {
        let of_the_system = ["/usr", "/etc/alternatives"].iter().chain(&SYSTEM).any(|folder| real.starts_with(folder));
        of_the_system || mounts.iter().any(|mount| real.starts_with(&mount.host))
    };
    on_host.canonicalize().is_ok_and(|real| shown(&real) && program::is_executable(&real))
}
