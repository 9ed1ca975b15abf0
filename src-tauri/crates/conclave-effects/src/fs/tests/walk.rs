//! Listing a project: what is left out, and that it ends.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::Ground;
use crate::fs::SkipReason;

fn plant(ground: &Ground, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = ground.at("project").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn files(ground: &Ground) -> Vec<String> {
    ground.project().walk(&|_| true).files
}

#[test]
fn ignore_files_hold_without_a_repository_and_the_nearest_decides() {
    let ground = Ground::new();
    plant(
        &ground,
        &[
            (".gitignore", "*.log\n/build/\nnode_modules/\n!keep.log\n# a comment\n[\n"),
            (".hidden/x.py", ""),
            ("build/out.py", ""),
            ("src/build/in.py", ""),
            ("deep/node_modules/m/index.js", ""),
            ("a.log", ""),
            ("keep.log", ""),
            ("src/.gitignore", "keep.log\n!b.log\n"),
            ("src/keep.log", ""),
            ("src/b.log", ""),
            (".git/config", "[core]"),
            ("sub/.git", "gitdir: ../../elsewhere"),
            ("sub/.GIT/config", ""),
            ("sub/c.py", ""),
        ],
    );
    let expect = [
        ".gitignore",
        ".hidden/x.py",
        "a.py",
        "keep.log",
        "src/.gitignore",
        "src/b.log",
        "src/b.py",
        "src/build/in.py",
        "sub/c.py",
    ];
    assert_eq!(files(&ground), expect);
    assert_eq!(ground.project().walk(&|path| path.ends_with(".py")).files.len(), 5);
}

#[test]
fn what_is_not_listed_is_named_with_a_reason() {
    let ground = Ground::new();
    let at = |name: &str| ground.at("project").join(name);
    symlink("/etc", at("etc")).unwrap();
    symlink(".", at("src/self")).unwrap();
    mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    fs::write(at("").join(OsStr::from_bytes(b"bad\xff.py")), "").unwrap();
    let walk = ground.project().walk(&|_| true);
    let skipped: Vec<_> = walk.skipped.iter().map(|skipped| (skipped.path.as_str(), &skipped.reason)).collect();
    let expect = [
        ("bad\u{fffd}.py", &SkipReason::NotUtf8),
        ("etc", &SkipReason::SymbolicLink),
        ("pipe", &SkipReason::NotRegular),
        ("src/self", &SkipReason::SymbolicLink),
    ];
    assert_eq!(skipped, expect);
    assert_eq!(walk.files, ["a.py", "src/b.py"]);
}

#[test]
fn an_ignore_file_that_is_a_trap_is_skipped_and_the_walk_goes_on() {
    for trap in ["pipe", "link", "huge"] {
        let ground = Ground::new();
        let path = ground.at("project/.gitignore");
        match trap {
            "pipe" => mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap(),
            "link" => symlink(ground.at("secret"), &path).unwrap(),
            _ => fs::write(&path, "a.py\n".repeat(100_000)).unwrap(),
        }
        let walk = ground.project().walk(&|_| true);
        assert!(walk.files.contains(&"a.py".to_owned()), "{trap}: {walk:?}");
        assert!(walk.skipped.iter().any(|skipped| skipped.path == ".gitignore"), "{trap}: {walk:?}");
    }
}

#[test]
fn odd_names_are_listed_as_they_are() {
    let ground = Ground::new();
    let names = ["new\nline.py", "-rf", "$(id)", "\u{202e}gp.py", "CON", "e\u{301}.py", "\u{e9}.py", "tab\t", "a\\b"];
    let long = "x".repeat(255);
    plant(&ground, &names.map(|name| (name, "")));
    plant(&ground, &[(&long, "")]);
    let found = files(&ground);
    for name in names.iter().chain(&[long.as_str()]) {
        assert!(found.contains(&(*name).to_owned()), "{name:?}");
        assert!(ground.project().read(name, 1).is_ok(), "{name:?}");
    }
    assert!(found.is_sorted());
}

#[test]
fn a_walk_ends_in_a_bottomless_folder() {
    let ground = Ground::new();
    plant(&ground, &[(&format!("{}x.py", "d/".repeat(200)), "")]);
    let walk = ground.project().walk(&|_| true);
    assert_eq!(walk.files, ["a.py", "src/b.py"]);
    assert!(walk.skipped.iter().any(|skipped| skipped.reason == SkipReason::TooDeep));
}
