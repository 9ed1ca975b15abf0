//! Installs what is missing, and says so first.
//!
//! It never asks for a password: without root or a passwordless sudo it prints the line to type and goes on.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::log::Log;
use crate::place::{Place, on_path};
use crate::step::Done;

/// A package of the system.
struct Package {
    name: &'static str,
    /// Programs of which one proves that it is there, however it came.
    programs: &'static [&'static str],
}

const fn library(name: &'static str) -> Package {
    Package { name, programs: &[] }
}

const fn program(name: &'static str, programs: &'static [&'static str]) -> Package {
    Package { name, programs }
}

/// The names under which Chromium is found.
pub const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// To build and run the window and the command line.
const BUILD: &[Package] = &[
    library("build-essential"),
    program("pkg-config", &["pkg-config"]),
    library("libwebkit2gtk-4.1-dev"),
    library("librsvg2-dev"),
    library("libdbus-1-dev"),
    program("bubblewrap", &["bwrap"]),
];

/// To build the worker for local models as well.
const LOCAL: &[Package] = &[program("cmake", &["cmake"]), library("libclang-dev"), program("clang", &["clang"])];

/// To run every test as well.
const TEST: &[Package] = &[
    program("python3", &["python3"]),
    library("python3-venv"),
    program("strace", &["strace"]),
    program("iproute2", &["ip"]),
    program("chromium", CHROMIUM),
    program("xvfb", &["Xvfb"]),
    program("xauth", &["xauth"]),
    program("dbus", &["dbus-run-session"]),
    program("gnome-keyring", &["gnome-keyring-daemon"]),
    program("webkit2gtk-driver", &["WebKitWebDriver"]),
];

/// The oldest Node that builds the page.
const NODE: (u32, u32) = (20, 19);

/// What `start` needs.
pub fn to_start(place: &Place, log: &mut Log) -> Result<Done> {
    set_up(place, log, &[BUILD])
}

/// What the worker for local models needs.
pub fn to_build_local(_: &Place, log: &mut Log) -> Result<Done> {
    system_packages(log, &[&[library("build-essential")], LOCAL])
}

/// What `test` needs.
pub fn to_test(place: &Place, log: &mut Log) -> Result<Done> {
    set_up(place, log, &[BUILD, LOCAL, TEST])
}

fn set_up(place: &Place, log: &mut Log, lists: &[&[Package]]) -> Result<Done> {
    let system = system_packages(log, lists);
    // The page can be installed even where the system's packages cannot.
    node(log)?;
    npm(place, log)?;
    system
}

fn system_packages(log: &mut Log, lists: &[&[Package]]) -> Result<Done> {
    let packages = || lists.iter().copied().flatten();
    if on_path("dpkg-query").is_none() {
        let names: Vec<&str> = packages().map(|package| package.name).collect();
        println!("  this system has no dpkg; see to the equivalents of: {}", names.join(" "));
        return Ok(Done::Passed);
    }
    let missing: Vec<&str> = packages().filter(|package| !is_there(package)).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(Done::Passed);
    }
    let names = missing.join(" ");
    let Some(mut root) = as_root() else {
        bail!("missing system packages; as root: apt-get install --no-install-recommends {names}");
    };
    println!("  installs with apt-get: {names}");
    log.run(root().args(["apt-get", "-q", "update"]))?;
    // Another program may hold the lock for a while, on a machine that has just started.
    let install = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends"];
    log.run(root().args(install).args(&missing))?;
    Ok(Done::Passed)
}

fn is_there(package: &Package) -> bool {
    if package.programs.iter().any(|program| on_path(program).is_some()) {
        return true;
    }
    Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status}", package.name])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

/// How to start a program as root without being asked for a password, if there is a way.
fn as_root() -> Option<impl FnMut() -> Command> {
    let quiet = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()
    };
    let is_root = quiet("id", &["-u"]).is_some_and(|output| output.stdout.trim_ascii() == b"0");
    let can_sudo = || quiet("sudo", &["-n", "true"]).is_some_and(|output| output.status.success());
    let prefix: &[&str] = if is_root {
        &["env"]
    } else if can_sudo() {
        &["sudo", "-n", "env"]
    } else {
        return None;
    };
    Some(move || {
        let mut command = Command::new(prefix[0]);
        command.args(&prefix[1..]).arg("DEBIAN_FRONTEND=noninteractive");
        command
    })
}

fn node(log: &mut Log) -> Result<()> {
    let (major, minor) = NODE;
    let needed = format!("Node {major}.{minor} or newer is needed");
    let version = log.output(Command::new("node").arg("--version")).with_context(|| needed.clone())?;
    if node_version(&version).is_none_or(|version| version < NODE) {
        bail!("{needed}, and this is {}", version.trim());
    }
    Ok(())
}

/// Major and minor of `v20.19.0`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// `npm ci`, unless the installed packages are those of the lock file.
fn npm(place: &Place, log: &mut Log) -> Result<()> {
    let ui = place.root.join("ui");
    let stamp = ui.join("node_modules/.installed");
    let lock = digest(&ui.join("package-lock.json"))?;
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("  installs with npm: the packages of ui/package-lock.json, into ui/node_modules");
    log.run(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
            .current_dir(&ui),
    )?;
    std::fs::write(&stamp, lock).with_context(|| format!("cannot write `{}`", stamp.display()))
}

/// The SHA-256 of a file, in hexadecimal.
pub fn digest(file: &Path) -> Result<String> {
    let cannot = || format!("cannot read `{}`", file.display());
    let mut open = std::fs::File::open(file).with_context(cannot)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match open.read(&mut buffer).with_context(cannot)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_compare_as_numbers() {
        for (text, enough) in
            [("v20.19.0\n", true), ("v20.9.1", false), ("v100.0.0", true), ("20.19.0", false), ("", false)]
        {
            assert_eq!(node_version(text).is_some_and(|version| version >= NODE), enough, "{text}");
        }
    }

    #[test]
    fn a_file_is_told_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        assert_eq!(digest(&file).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
