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

    /// Where the program finds other programs: beside itself and its interpreter, and in the system's folders.
    #[cfg(target_os = "linux")]
    pub(super) fn search_path(&self) -> String {
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
        assert_eq!((native.argv, native.shown), (vec![text(at("share/agent/1.2.3"))], vec![at("share/agent/1.2.3")]));
        assert_eq!(find("project/agent"), None, "a project does not choose our tools");
        assert_eq!(find("bin/missing"), None);
        assert_eq!(Installed::find("no-such-agent", Path::new("/nowhere")), None);
        let before = script.state();
        plant("lib/node_modules/@x/agent/cli.js", "#!/usr/bin/env sh\n#\n");
        assert_ne!(script.state(), before);
    }
}
