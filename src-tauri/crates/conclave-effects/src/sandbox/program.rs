//! Finding programs.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Finds the program `name` on `PATH`.
///
/// What lies in `outside` (the project) is not found, directly or through a link, and neither is anything by a relative
/// `PATH` entry: a project does not choose our tools.
pub fn find_program(name: &str, outside: &Path) -> Option<PathBuf> {
    search(name, &std::env::var_os("PATH")?, outside)
}

fn search(name: &str, path: &OsStr, outside: &Path) -> Option<PathBuf> {
    if name.is_empty() || name.contains('/') {
        return None;
    }
    let project = outside.canonicalize().unwrap_or_else(|_| outside.to_owned());
    let of_the_project = |path: &Path| path.starts_with(&project) || path.starts_with(outside);
    std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|program| {
        !of_the_project(program)
            && program.canonicalize().is_ok_and(|real| !of_the_project(&real) && is_executable(&real))
    })
}

/// The folders that `program` needs to see itself in the sandbox, beside the system's own: where it is installed, and
/// where the interpreter is that its first line names.
///
/// A program under `<prefix>/bin` brings `<prefix>/bin` and `<prefix>/lib`, never the prefix, which may be a home.
pub fn tool_folders(program: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut next = Some(program.to_owned());
    // A script names its interpreter, which is a link in most virtual environments: follow both.
    for _ in 0..8 {
        let Some(path) = next else { break };
        add_installation(&path, &mut folders);
        next = match path.read_link() {
            Ok(target) => path.parent().map(|folder| folder.join(target)),
            Err(_) => interpreter(&path),
        };
    }
    folders
}

fn add_installation(program: &Path, folders: &mut Vec<PathBuf>) {
    let Some(prefix) = program.parent().filter(|bin| bin.ends_with("bin")).and_then(Path::parent) else { return };
    if prefix == Path::new("/") || prefix.starts_with("/usr") {
        return;
    }
    for name in ["bin", "lib", "lib64", "pyvenv.cfg"] {
        let folder = prefix.join(name);
        if folder.exists() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
}

/// The program in the first line of a script: `#!/path/to/program …`.
pub(super) fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut head = Vec::new();
    File::open(script).ok()?.take(512).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let path = std::str::from_utf8(line).ok()?.split_whitespace().next()?;
    Some(PathBuf::from(path)).filter(|path| path.is_absolute())
}

/// The name of the program in the first line of a script that leaves it to `env` to find it: `#!/usr/bin/env name`.
pub(crate) fn script_interpreter(script: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(script).ok()?.take(512).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_whitespace();
    let name =
        words.next().filter(|path| path.ends_with("/env")).and_then(|_| words.find(|word| !word.starts_with('-')));
    name.map(str::to_owned)
}

/// Whether `path` is a regular file that somebody may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, set_permissions, write};

    fn plant(path: &Path, mode: u32) {
        create_dir_all(path.parent().unwrap()).unwrap();
        write(path, "").unwrap();
        set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_tool_brings_its_interpreter_and_never_its_prefix() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str| home.path().join(path);
        plant(&at("python/bin/python3.11"), 0o755);
        plant(&at("python/lib/python3.11/os.py"), 0o644);
        plant(&at("venv/lib/python3.11/site-packages/bandit.py"), 0o644);
        plant(&at("venv/bin/bandit"), 0o755);
        write(at("venv/bin/bandit"), format!("#!{}\nimport bandit\n", at("venv/bin/python").display())).unwrap();
        std::os::unix::fs::symlink(at("python/bin/python3.11"), at("venv/bin/python")).unwrap();
        let expect = ["venv/bin", "venv/lib", "python/bin", "python/lib"].map(at);
        assert_eq!(tool_folders(&at("venv/bin/bandit")), expect);
        assert_eq!(tool_folders(Path::new("/usr/bin/env")), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_project_does_not_choose_our_tools() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str| home.path().join(path);
        plant(&at("project/bin/ruff"), 0o755);
        plant(&at("tools/ruff"), 0o755);
        plant(&at("plain/ruff"), 0o644);
        create_dir_all(at("linked")).unwrap();
        std::os::unix::fs::symlink(at("project/bin/ruff"), at("linked/ruff")).unwrap();
        let cases = [
            ("ruff", "project/bin:tools", Some("tools/ruff")),
            ("ruff", "linked:tools", Some("tools/ruff")),
            ("ruff", "plain:tools", Some("tools/ruff")),
            ("ruff", "project/bin", None),
            ("../project/bin/ruff", "tools", None),
            ("", "tools", None),
        ];
        for (name, folders, expect) in cases {
            let path = std::env::join_paths(folders.split(':').map(&at)).unwrap();
            assert_eq!(search(name, &path, &at("project")), expect.map(&at), "{name} in {folders}");
        }
        assert_eq!(search("sh", OsStr::new("bin:.:"), Path::new("/nowhere")), None, "relative entries");
    }
}
