//! Programs: which are found, and what a project cannot have shown by a link.

#![expect(clippy::disallowed_methods, reason = "tests stand in for whoever installed the programs")]

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn folder(at: &Path, names: &[&str]) {
    for name in names {
        fs::create_dir_all(at.join(name)).expect("a folder");
    }
}

/// A project with a virtual environment in `.venv`, whose Python is `to`.
fn project(at: &Path, to: &Path) -> PathBuf {
    let root = at.canonicalize().expect("it is there").join("project");
    folder(&root, &[".venv/bin", ".venv/lib/python3.11/site-packages", "web"]);
    fs::write(root.join(".venv/pyvenv.cfg"), "home = /usr/bin\n").expect("written");
    symlink(to, root.join(".venv/bin/python")).expect("a link");
    root
}

#[test]
fn the_python_of_the_project_s_own_environment_comes_first() {
    let ground = tempfile::tempdir().expect("a folder");
    let at = ground.path().canonicalize().expect("it is there");
    folder(&at, &["base/bin", "base/lib/python3.11"]);
    fs::write(at.join("base/bin/python3.11"), "").expect("written");
    let root = project(ground.path(), &at.join("base/bin/python3.11"));
    let tool = find("python", &root, "web", None).expect("a Python");
    assert_eq!(tool.program, root.join(".venv/bin/python").display().to_string());
    assert_eq!(tool.read_only, [root.join(".venv"), at.join("base/bin"), at.join("base/lib")]);
}

#[test]
fn a_link_of_the_project_shows_nothing_of_the_person_s() {
    let ground = tempfile::tempdir().expect("a folder");
    let at = ground.path().canonicalize().expect("it is there");
    folder(&at, &["private/bin", "private/lib", "elsewhere"]);
    fs::write(at.join("private/bin/python3.11"), "").expect("written");
    let shows_private = |root: &Path| {
        let found = find("python", root, "", None);
        found.is_ok_and(|tool| tool.read_only.iter().any(|path| path.starts_with(at.join("private"))))
    };
    // A Python without its library is no installation.
    let root = project(ground.path(), &at.join("private/bin/python3.11"));
    assert!(!shows_private(&root));
    fs::remove_dir_all(root.join(".venv")).expect("removed");
    folder(&at, &["private/lib/python3.11"]);
    fs::write(at.join("private/pyvenv.cfg"), "").expect("written");
    symlink(at.join("private/bin/python3.11"), at.join("private/bin/python")).expect("a link");
    symlink(at.join("private"), root.join(".venv")).expect("a link");
    assert!(!shows_private(&root));
}

#[test]
fn of_a_home_only_what_is_named_is_shown() {
    let ground = tempfile::tempdir().expect("a folder");
    let home = ground.path().canonicalize().expect("it is there");
    folder(&home, &[".cargo/registry", ".cargo/bin", ".ssh", "project"]);
    let mut tool = Tool { program: String::new(), read_only: Vec::new(), env: Vec::new() };
    let cargo = NEEDS.iter().find(|needs| needs.name == "cargo").expect("known");
    cargo.add(&home.join(".cargo/bin/cargo"), Some(&home), &mut tool);
    assert_eq!(tool.read_only, [home.join(".cargo/registry")]);
    assert_eq!(tool.env, [("CARGO_HOME".to_owned(), home.join(".cargo").display().to_string())]);
    let error = find("no-such-program", &home.join("project"), "", Some(&home)).expect_err("it is missing");
    assert!(error.contains("`no-such-program` is not installed"), "{error}");
    for secret in
        [".ssh", ".netrc", ".npmrc", ".cargo/credentials.toml", ".m2/settings.xml", ".gradle/gradle.properties"]
    {
        let shown = NEEDS.iter().flat_map(|needs| needs.homes).flat_map(|home| home.folders);
        assert!(shown.into_iter().all(|folder| !Path::new(secret).starts_with(folder)), "{secret}");
    }
}
