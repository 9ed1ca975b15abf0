//! A process that is killed at any system call that changes something, while it applies, takes back or recovers, leaves
//! all files as before or all as after once somebody has recovered, and a store that says the same.
//!
//! The process is this test binary again, running [`a_process`] under `strace`, which ends it at the n-th call or lets
//! the n-th call fail. By default about a hundred points are tried, with `CONCLAVE_DEEP=1` every one.

#![expect(clippy::disallowed_methods, reason = "a test of killed processes starts processes")]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fmt, fs};

use conclave_core::finding::Status;
use conclave_core::patch::FilePatch;
use tempfile::TempDir;

use super::recover;
use super::tests::{Ground, NOW, edit};

/// Everything that can change a file, a name or a lock; `?` for those that not every machine has.
const CALLS: &str = "?open,openat,openat2,?creat,write,pwrite64,writev,pwritev,?rename,?renameat,renameat2,?link,linkat,\
    ?unlink,unlinkat,?mkdir,mkdirat,ftruncate,fallocate,fsync,fdatasync,fchmod,?chmod,fchmodat,fchown,fsetxattr,flock";

const FILES: [(&str, &[u8]); 3] =
    [("a.py", b"one\r\ntwo\r\n"), ("src/b.py", b"\xef\xbb\xbfold"), ("src/run.sh", b"#!/bin/sh\necho $1\n")];

fn patch() -> Vec<FilePatch> {
    FILES.map(|(path, before)| edit(path, before, 3, 5, "new text")).to_vec()
}

/// The n-th time that a call is made.
#[derive(Clone, Debug)]
struct Point {
    call: String,
    nth: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.call, self.nth)
    }
}

type Tree = Vec<(String, u32, Vec<u8>)>;

/// A place with a state that can be had again and again.
struct Stage {
    folder: TempDir,
    original: Tree,
    applied: Tree,
}

impl Stage {
    /// With a project that has the finding, `applied` or not.
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("here");
        let ground = Ground::fresh(&here, &FILES);
        fs::set_permissions(ground.root.join("src/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        let original = ground.tree();
        drop(ground);
        let mut stage = Self { folder, original, applied: Vec::new() };
        stage.keep("original");
        let ground = Ground::open(&here);
        ground.apply(patch()).unwrap();
        stage.applied = ground.tree();
        drop(ground);
        stage.keep("applied");
        assert_ne!(stage.original, stage.applied);
        stage
    }

    fn here(&self) -> PathBuf {
        self.folder.path().join("here")
    }

    /// Keeps the present state under `name`.
    fn keep(&self, name: &str) {
        copy(&self.here(), &self.folder.path().join(name));
    }

    /// Brings the state `name` back, at the same path.
    fn bring(&self, name: &str) {
        fs::remove_dir_all(self.here()).unwrap();
        copy(&self.folder.path().join(name), &self.here());
    }

    /// Runs `role` under `strace` with `options`; true when it was killed.
    fn run(&self, role: &str, options: &[String]) -> bool {
        let status = Command::new("strace")
            .args(["-f", "-qq", "-e", "signal=none"])
            .args(options)
            .arg(env::current_exe().unwrap())
            .args(["--exact", "apply::kill::a_process", "--ignored", "--test-threads=1"])
            .envs([("ROLE", role.as_ref()), ("FOLDER", self.here().as_os_str())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        status.signal() == Some(9) || status.code() == Some(137)
    }

    /// Runs `role` from the state `name` and ends it at `point`; true when it came there.
    fn kill(&self, name: &str, role: &str, point: &Point) -> bool {
        self.bring(name);
        self.run(role, &["-o/dev/null".into(), format!("-einject={}:signal=SIGKILL:when={}", point.call, point.nth)])
    }

    /// All calls that `role` makes from the state `name`, from the first one that is about our files; or about `n` of
    /// them.
    fn points(&self, name: &str, role: &str, n: usize) -> Vec<Point> {
        self.bring(name);
        let log = self.folder.path().join("log");
        assert!(!self.run(role, &[format!("-o{}", log.display()), format!("-etrace={CALLS}")]));
        let log = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
        // `strace` counts each call for itself, in each thread. Ours is the thread that opens the data folder.
        let here = self.here().display().to_string();
        let thread = log.lines().find(|line| line.contains(&here)).unwrap().split(' ').next().unwrap();
        let (mut counts, mut points, mut begun) = (BTreeMap::new(), Vec::new(), false);
        for line in log.lines().filter(|line| line.starts_with(thread)) {
            let Some((call, _)) = line[thread.len()..].trim().split_once('(') else { continue };
            let nth: &mut usize = counts.entry(call.to_owned()).or_default();
            *nth += 1;
            begun |= line.contains(&here);
            // Whether the allocator asks the system for its limits depends on the heap, not on what we do.
            if begun && !line.contains("\"/proc/sys/vm/") {
                points.push(Point { call: call.to_owned(), nth: *nth });
            }
        }
        if is_deep() { points } else { sample(points, n) }
    }

    /// Recovers and asserts that all is as before or all is as after; true for after the fix.
    fn recovers(&self, what: &str) -> bool {
        let ground = Ground::open(&self.here());
        recover(&ground.store, &ground.data, NOW).unwrap_or_else(|error| panic!("{what}: {error}"));
        let tree = ground.tree();
        let is_applied = tree == self.applied;
        assert!(is_applied || tree == self.original, "{what}: neither before nor after: {tree:?}");
        assert_eq!(ground.store.open_intents().unwrap(), [], "{what}");
        assert_eq!(ground.store.applied(&ground.finding()).unwrap().is_some(), is_applied, "{what}");
        assert_eq!(ground.status() == Status::Fixed, is_applied, "{what}");
        assert_eq!(ground.store.verify_ledger().unwrap().fault, None, "{what}");
        is_applied
    }
}

#[test]
#[ignore = "other tests run this as a process of its own"]
fn a_process() {
    // `strace` counts for each thread. After these, no other thread is ahead of this one.
    for _ in 0..32 {
        fs::write("/dev/null", "x").unwrap();
    }
    let ground = Ground::open(env::var_os("FOLDER").unwrap().as_ref());
    match env::var("ROLE").unwrap().as_str() {
        "apply" => drop(ground.apply(patch())),
        "undo" => drop(ground.undo_at(NOW)),
        "recover" => drop(recover(&ground.store, &ground.data, NOW)),
        other => panic!("no role {other}"),
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// About `n` of `all`, evenly spread, the last one among them.
fn sample<T>(all: Vec<T>, n: usize) -> Vec<T> {
    let step = all.len().div_ceil(n).max(1);
    all.into_iter().rev().step_by(step).collect()
}

fn is_deep() -> bool {
    env::var_os("CONCLAVE_DEEP").is_some_and(|deep| deep == "1")
}

fn strace_is_here() -> bool {
    let runs = Command::new("strace").args(["-o/dev/null", "true"]).stderr(Stdio::null()).status();
    let runs = runs.is_ok_and(|status| status.success());
    if !runs {
        println!("skipped: strace absent");
    }
    runs
}

#[test]
fn a_kill_while_applying_or_taking_back_leaves_all_or_nothing() {
    if !strace_is_here() {
        return;
    }
    let stage = Stage::set();
    for (name, role) in [("original", "apply"), ("applied", "undo")] {
        let points = stage.points(name, role, 50);
        let mut after = 0;
        for point in &points {
            let what = format!("{role}, killed at {point}");
            assert!(stage.kill(name, role, point), "{what}: not killed");
            after += usize::from(stage.recovers(&what) == (role == "apply"));
        }
        let n = points.len();
        println!(
            "{role} of three files: killed at {n} calls, {after} times complete, {} times as before, 0 partial",
            n - after
        );
        assert!(after > 0 && after < n, "the sweep reaches over the whole of it");
    }
}

#[test]
fn a_kill_while_recovering_leaves_all_or_nothing() {
    if !strace_is_here() {
        return;
    }
    let stage = Stage::set();
    // Every different tree that a kill can leave in the middle, and one kill point for each.
    let mut seen = BTreeSet::new();
    let mut n = 0;
    for (name, role) in [("original", "apply"), ("applied", "undo")] {
        // These are the calls between which the tree differs most.
        let names = |point: &Point| is_deep() || matches!(point.call.as_str(), "renameat2" | "unlinkat");
        for point in stage.points(name, role, usize::MAX).into_iter().filter(names) {
            stage.kill(name, role, &point);
            let ground = Ground::open(&stage.here());
            let (tree, open) = (ground.tree(), !ground.store.open_intents().unwrap().is_empty());
            drop(ground);
            if !open || !seen.insert((role, tree)) {
                continue;
            }
            stage.kill(name, role, &point);
            let middle = format!("{role}-{}-{}", point.call, point.nth);
            stage.keep(&middle);
            for again in stage.points(&middle, "recover", 4) {
                let what = format!("{role}, killed at {point}, recovery killed at {again}");
                assert!(stage.kill(&middle, "recover", &again), "{what}: not killed");
                stage.recovers(&what);
                n += 1;
            }
        }
    }
    println!("recovery of {} different states: killed at {n} calls, 0 partial", seen.len());
    assert!(n > 0);
}

#[test]
fn a_call_that_fails_leaves_all_or_nothing() {
    if !strace_is_here() {
        return;
    }
    let stage = Stage::set();
    let (mut n, mut failed) = (0, 0);
    for (name, role) in [("original", "apply"), ("applied", "undo")] {
        for point in stage.points(name, role, 60) {
            let error = match point.call.as_str() {
                "write" | "pwrite64" => "ENOSPC",
                "fsync" | "fdatasync" | "rename" | "renameat" | "renameat2" | "unlinkat" => "EIO",
                _ => continue,
            };
            stage.bring(name);
            let inject = format!("-einject={}:error={error}:when={}", point.call, point.nth);
            let what = format!("{role}, {point} fails with {error}");
            assert!(!stage.run(role, &["-o/dev/null".into(), inject]), "{what}: not killed");
            failed += usize::from(stage.recovers(&what) == (name == "applied"));
            n += 1;
        }
    }
    println!("{n} failed calls, after {failed} of them all as before, 0 partial");
    assert!(failed > 0);
}

#[test]
fn where_names_cannot_be_exchanged_all_or_nothing_still_holds() {
    if !strace_is_here() {
        return;
    }
    let stage = Stage::set();
    let unsupported = "-einject=renameat2:error=EINVAL";
    for (name, role, applied) in [("original", "apply", true), ("applied", "undo", false)] {
        stage.bring(name);
        assert!(!stage.run(role, &["-o/dev/null".into(), unsupported.into()]));
        assert_eq!(stage.recovers(role), applied);
        let points = stage.points(name, role, 20).into_iter().filter(|point| point.call != "renameat2");
        for point in points {
            stage.bring(name);
            let kill = format!("-einject={}:signal=SIGKILL:when={}", point.call, point.nth);
            stage.run(role, &["-o/dev/null".into(), unsupported.into(), kill]);
            stage.recovers(&format!("{role} without exchange, killed at {point}"));
        }
    }
}
