//! Finding programs.

use std::ffi::OsStr;
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

/// Whether `path` is a regular file that somebody may execute.
pub(super) fn is_executable(path: &Path) -> bool {
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
