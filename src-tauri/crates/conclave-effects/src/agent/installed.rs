//! Where a program is installed, and what it needs to see of that.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::sandbox::{find_program, is_executable, script_interpreter, tool_folders};

/// An installed program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// How it is started: its own path, behind its interpreter's where it has one.
    pub argv: Vec<String>,
    /// The files and folders in which it and its interpreter are installed, without those that every program sees.
    pub shown: Vec<PathBuf>,
}

impl Installed {
    /// Finds `command`, a name on `PATH` or an absolute path, outside the folder `project`; `None` where it is missing.
    pub fn find(command: &str, project: &Path) -> Option<Self> {
        let found = match Path::new(command) {
            path if path.is_absolute() => Some(path.to_owned()).filter(|path| !path.starts_with(project)),
            _ => find_program(command, project),
        };
        let program = found?.canonicalize().ok().filter(|path| !path.starts_with(project) && is_executable(path))?;
        let mut argv = Vec::new();
        let mut shown = Vec::new();
        // `#!/usr/bin/env node`: which `node` that is, is decided here and not by the sandbox's search path.
        if let Some(name) = script_interpreter(&program) {
            let interpreter = find_program(&name, project)?.canonicalize().ok()?;
            shown.extend(tool_folders(&interpreter));
            shown.push(interpreter.clone());
            argv.push(interpreter.to_str()?.to_owned());
        } else {
            shown.extend(tool_folders(&program));
        }
        argv.push(program.to_str()?.to_owned());
        shown.push(modules(&program).unwrap_or(program));
        shown.retain(|path| !path.starts_with("/usr"));
        let all = shown.clone();
        shown.retain(|path| !all.iter().any(|other| other != path && path.starts_with(other)));
        shown.dedup();
        Some(Self { argv, shown })
    }

    /// The program itself, without its interpreter.
    pub fn program(&self) -> &str {
        self.argv.last().map(String::as_str).unwrap_or_default()
    }

    /// What tells the program and its interpreter from all others and from what they were before: the file, its size and
    /// when it was last changed. They are large, so they are not hashed for each question.
    pub fn state(&self) -> String {
        let state = |path: &String| match Path::new(path).metadata() {
            Ok(it) => format!("{path} {}:{} {} {}.{:09}", it.dev(), it.ino(), it.size(), it.ctime(), it.ctime_nsec()),
            Err(_) => format!("{path} missing"),
        };
        self.argv.iter().map(state).collect::<Vec<_>>().join("\n")
    }

    /// The same program, with the file `script` that it is to run: absolute. `None` when that is missing.
    #[must_use]
    pub fn running(mut self, script: &Path) -> Option<Self> {
        let script = script.canonicalize().ok().filter(|path| path.is_file())?;
        self.argv.push(script.to_str()?.to_owned());
        if !script.starts_with("/usr") {
            self.shown.push(modules(&script).unwrap_or(script));
        }
        Some(self)
    }

    /// What its files are: their paths, and SHA-256 of their bytes. An interpreter of the system's is left out; the
    /// description of the package that the program belongs to is not. It reads them, so it may take a moment.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn digest(&self) -> std::io::Result<String> {
        let program = PathBuf::from(self.program());
        let package = program.ancestors().skip(1).map(|folder| folder.join("package.json")).find(|path| path.is_file());
        let package = package.filter(|_| modules(&program).is_some());
        let own = self.argv.iter().map(PathBuf::from).filter(|path| *path == program || !path.starts_with("/usr"));
        let mut parts = Vec::new();
        for path in own.chain(package) {
            parts.push(path.to_string_lossy().into_owned());
            parts.push(conclave_policy::digest(&std::fs::read(&path)?));
        }
        Ok(conclave_policy::digest_parts(parts.iter().map(String::as_bytes)))
    }

    /// Where the program finds other programs: beside itself and its interpreter, and in the system's folders.
    #[cfg(target_os = "linux")]
    pub(crate) fn search_path(&self) -> String {
        let own = self.argv.iter().filter_map(|path| Path::new(path).parent()?.to_str());
        own.chain([crate::sandbox::SEARCHED]).collect::<Vec<_>>().join(":")
    }
}

/// The outermost `node_modules` around `program`: packages find each other in there.
fn modules(program: &Path) -> Option<PathBuf> {
    program.ancestors().filter(|folder| folder.ends_with("node_modules")).last().map(Path::to_owned)
}

/// The content of the file at `path`, which is path `number` of the request `judged`.
#[cfg(target_os = "linux")]
pub(super) fn read_judged(
    path: &Path,
    most: u64,
    (judged, number): (&conclave_policy::ToolRequest, usize),
) -> Result<Vec<u8>, super::AgentError> {
    use rustix::fs::{Mode, OFlags};

    use crate::fs::beneath::{read_capped, regular};
    use crate::touched::{Identity, is_same};
    use crate::{HttpError, SandboxError};

    let failed = |reason: String| SandboxError::Io { reason };
    let real = crate::resolve(path).map_err(|error| failed(error.to_string()))?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(&real, flags, Mode::empty()).map_err(|errno| failed(errno.to_string()))?;
    is_same(judged, number, Identity::of(&file)).map_err(HttpError::from)?;
    let file = std::fs::File::from(file);
    regular(&file, &real).and_then(|_| read_capped(file, &real, most)).map_err(|error| failed(error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_program_is_shown_with_its_packages_and_its_interpreter_and_no_home() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str| home.path().canonicalize().unwrap().join(path);
        let plant = |path: &str, text: &str| {
            std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            std::fs::write(at(path), text).unwrap();
            std::fs::set_permissions(at(path), std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        plant("lib/node_modules/@x/agent/cli.js", "#!/usr/bin/env sh\n");
        plant("lib/node_modules/@x/agent/node_modules/dep/dep.js", "");
        std::fs::create_dir_all(at("bin")).unwrap();
        std::os::unix::fs::symlink("../lib/node_modules/@x/agent/cli.js", at("bin/agent")).unwrap();
        plant("share/agent/1.2.3", "\u{7f}ELF");
        plant("project/agent", "#!/bin/sh\n");
        let find = |path: &str| Installed::find(at(path).to_str().unwrap(), &at("project"));
        let shell = find_program("sh", Path::new("/nowhere")).unwrap().canonicalize().unwrap();
        let script = find("bin/agent").unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        assert_eq!(script.argv, [text(shell), text(at("lib/node_modules/@x/agent/cli.js"))]);
        assert_eq!(script.shown, [at("lib/node_modules")]);
        let native = find("share/agent/1.2.3").unwrap();
        assert_eq!(
            (native.argv.clone(), native.shown.clone()),
            (vec![text(at("share/agent/1.2.3"))], vec![at("share/agent/1.2.3")])
        );
        assert_eq!(find("project/agent"), None, "a project does not choose our tools");
        assert_eq!(find("bin/missing"), None);
        assert_eq!(Installed::find("no-such-agent", Path::new("/nowhere")), None);
        let before = (script.state(), script.digest().unwrap());
        assert_eq!(script.digest().unwrap(), before.1);
        plant("lib/node_modules/@x/agent/package.json", "{}");
        let with_package = script.digest().unwrap();
        plant("lib/node_modules/@x/agent/package.json", "{ }");
        assert_ne!(script.digest().unwrap(), with_package);
        plant("lib/node_modules/@x/agent/cli.js", "#!/usr/bin/env sh\n#\n");
        assert!(script.state() != before.0 && script.digest().unwrap() != before.1);
        let shown = find("share/agent/1.2.3").unwrap().running(&at("lib/node_modules/@x/agent/cli.js")).unwrap();
        assert_eq!(shown.program(), text(at("lib/node_modules/@x/agent/cli.js")));
        assert_eq!(shown.shown.last(), Some(&at("lib/node_modules")));
        assert!(native.running(&at("missing.js")).is_none());
    }
}
