//! Python packages that tests need, through pip, each fetched once and kept in the cache.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::log::Log;
use crate::place::{Place, made};

/// What to download.
#[derive(Clone, Copy)]
pub enum Form {
    /// The built package.
    Wheel,
    /// The source distribution.
    Source,
}

/// The `bin` folder of a virtual environment with `requirements` in it.
pub fn environment(place: &Place, log: &mut Log, requirements: &[&str]) -> Result<PathBuf> {
    let name = if requirements.is_empty() { "pip".to_owned() } else { file_name(&requirements.join("+")) };
    let folder = made(place.cache.join("python"))?.join(name);
    let (bin, stamp) = (folder.join("bin"), folder.join("installed"));
    if stamp.is_file() {
        return Ok(bin);
    }
    log.run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    if !requirements.is_empty() {
        println!("  installs with pip, into {}: {}", folder.display(), requirements.join(" "));
        log.run(
            Command::new(bin.join("pip")).args(["install", "-q", "--disable-pip-version-check"]).args(requirements),
        )?;
    }
    std::fs::write(&stamp, "").with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(bin)
}

/// `PATH` with a folder before all others.
pub fn first_on_path(folder: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path)))?)
}

/// The unpacked content of `requirement`, a name with an exact version.
pub fn unpacked(place: &Place, log: &mut Log, requirement: &str, form: Form) -> Result<PathBuf> {
    let folder = made(place.cache.join("packages"))?.join(file_name(requirement));
    if folder.is_dir() {
        return Ok(folder);
    }
    let pip = environment(place, log, &[])?.join("pip");
    let half = folder.with_extension("half");
    let _ = std::fs::remove_dir_all(&half);
    println!("  fetches with pip, into {}: {requirement}", place.cache.display());
    let mut download = Command::new(pip);
    download.args(["download", "-q", "--disable-pip-version-check", "--no-deps", "-d"]).arg(&half);
    if let (Form::Source, Some((name, _))) = (form, requirement.split_once("==")) {
        download.args(["--no-binary", name]);
    }
    log.run(download.arg(requirement))?;
    let archive = only_file(&half)?;
    let content = made(half.join("content"))?;
    match form {
        Form::Wheel => log.run(Command::new("python3").args(["-m", "zipfile", "-e"]).args([&archive, &content]))?,
        Form::Source => log.run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&content))?,
    }
    // Only a complete one gets the final name.
    std::fs::rename(&content, &folder).with_context(|| format!("cannot keep `{}`", folder.display()))?;
    std::fs::remove_dir_all(&half).with_context(|| format!("cannot remove `{}`", half.display()))?;
    Ok(folder)
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        files.push(entry?.path());
    }
    match files.as_slice() {
        [file] => Ok(file.clone()),
        _ => bail!("pip left {} files where one was asked for", files.len()),
    }
}

/// A requirement as a file name.
fn file_name(requirement: &str) -> String {
    requirement.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}
