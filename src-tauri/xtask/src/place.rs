//! Where things lie: the repository, what cargo builds, and what is kept between runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The folders that the steps work in.
pub struct Place {
    /// The root of the repository.
    pub root: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
    /// Where downloads are kept, outside the repository so that a fresh clone finds them again.
    pub cache: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Place {
    /// Asks cargo and the environment.
    pub fn find() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .context("cannot run cargo")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let Metadata { workspace_root: root, target_directory: target } = serde_json::from_slice(&output.stdout)?;
        let cache = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
            (Some(cache), _) if !cache.is_empty() => PathBuf::from(cache),
            (_, Some(home)) if !home.is_empty() => PathBuf::from(home).join(".cache"),
            _ => target.clone(),
        };
        Ok(Self { root, target, cache: cache.join("conclave-xtask") })
    }

    /// The folder for logs and results, made if need be.
    pub fn logs(&self) -> Result<PathBuf> {
        made(self.target.join("xtask"))
    }

    /// An empty folder below the logs, for one run of one step.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.logs()?.join(name);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot empty `{}`", folder.display()))
            }
            _ => made(folder),
        }
    }

    /// A program that the build step made.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let program = self.target.join("debug").join(name);
        if program.is_file() {
            return Ok(program);
        }
        bail!("`{name}` is not built: the step `build` comes first")
    }

    /// The sample project.
    pub fn sample(&self) -> PathBuf {
        self.root.join("tests/fixtures/projects/corner-shop")
    }
}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The full path of `program` when `PATH` has it.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Makes `folder` with its parents.
pub fn made(folder: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    Ok(folder)
}

/// Copies a tree of plain files and folders.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    made(to.to_owned())?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &target).with_context(|| format!("cannot copy to `{}`", target.display()))?;
        }
    }
    Ok(())
}
