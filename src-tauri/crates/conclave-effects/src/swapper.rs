//! A thread that exchanges things between the judgement and the deed, many times; what is done must be what is recorded.
//!
//! Each try is one effect during which the thread makes one exchange at a moment of its own. `CONCLAVE_DEEP=1` makes it
//! 100,000 tries in all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use conclave_policy::{Actor, Effective, EntryKind, Layer, Nobody, Policy, ToolRequest};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

use crate::gate::tests::Kept;
use crate::replace::{FileChange, WriteProject, replace};
use crate::sandbox::{Limits, RunCommand};
use crate::touched::Identity;
use crate::{Clock, DataDir, Denied, Effect, Gate, Permit, Policies, ReadFile, WriteFile, open_file, write_file};

const ALLOW: &str = "version: 1\nrules: [{ id: all, priority: 1, action: allow, reason: a test }]";
const DENY: &str = "version: 1\nrules: [{ id: none, priority: 1, action: deny, reason: a test }]";

/// How many tries, in a quick run and in a deep one.
struct Tries(usize, usize);

const READ: Tries = Tries(1500, 50_000);
const WRITE: Tries = Tries(400, 20_000);
const PROJECT: Tries = Tries(100, 4_500);
const POLICY: Tries = Tries(1000, 25_000);
const RUN: Tries = Tries(15, 500);

impl Tries {
    fn count(&self) -> usize {
        if std::env::var_os("CONCLAVE_DEEP").is_some_and(|value| value == "1") { self.1 } else { self.0 }
    }
}

/// A folder, a gate with a policy that allows everything, and its ledger.
struct Ground {
    _folder: TempDir,
    top: PathBuf,
    gate: Gate,
    ledger: Arc<Kept>,
    runtime: tokio::runtime::Runtime,
}

impl Ground {
    fn new() -> Self {
        // Thousands of durable writes, of which none has to outlast the test.
        let memory = Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
        let ledger = Arc::new(Kept::default());
        let policies = Policies::new(Policy::load(ALLOW, Layer::User).unwrap().policy);
        let gate = Gate::new(policies, ledger.clone(), Arc::new(Nobody), Clock::fixed(0));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { top: folder.path().canonicalize().unwrap(), _folder: folder, gate, ledger, runtime }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.top.join(path)
    }

    fn ask<E: Effect>(&self, effect: E) -> Result<Permit<E>, Denied> {
        self.runtime.block_on(self.gate.authorize(Actor::Engine, effect))
    }

    /// The request that the ledger has of a permit, which was allowed.
    fn recorded(&self, seq: u64) -> ToolRequest {
        let entry = self.ledger.entry(seq);
        let EntryKind::Decision { request, decision } = &entry.kind else { panic!("{entry:?}") };
        assert_eq!(decision.effect, Effective::Allow);
        request.clone()
    }
}

fn exchange(one: &Path, other: &Path) {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

/// Tries `attempt` so many times, each with one `swap` meanwhile, and gives how many `check` says were done.
fn swapping<T>(
    tries: usize,
    longest: Duration,
    swap: impl Fn(usize) + Sync,
    mut attempt: impl FnMut(usize) -> T,
    mut check: impl FnMut(usize, T) -> bool,
) -> usize {
    let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wait_for = |counter: &AtomicUsize, n: usize| {
        while counter.load(Ordering::Acquire) < n {
            std::thread::yield_now();
        }
    };
    /// Lets the thread come to its end when a check fails.
    struct Release<'a>(&'a AtomicUsize);
    impl Drop for Release<'_> {
        fn drop(&mut self) {
            self.0.store(usize::MAX, Ordering::Release);
        }
    }
    let mut done = 0;
    std::thread::scope(|scope| {
        let _release = Release(&begun);
        scope.spawn(|| {
            let mut random = 0x2545_f491_4f6c_dd1d_u64;
            for n in 0..tries {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                wait_for(&begun, n + 1);
                let start = Instant::now();
                let moment = longest.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64);
                while start.elapsed() < moment {
                    std::thread::yield_now();
                }
                swap(n);
                ended.store(n + 1, Ordering::Release);
            }
        });
        for n in 0..tries {
            begun.store(n + 1, Ordering::Release);
            let result = attempt(n);
            wait_for(&ended, n + 1);
            done += usize::from(check(n, result));
        }
    });
    println!("{done} of {tries} were done, the others refused; all of them as recorded");
    assert!(done > 0, "nothing was tried");
    done
}

/// The identity that the record has of its path number `n`.
fn identity(request: &ToolRequest, n: usize) -> String {
    request.context["identities"].split(' ').nth(n).unwrap().to_owned()
}

fn name(path: &Path) -> String {
    Identity::at(path).unwrap().to_string()
}

#[test]
fn the_file_that_is_read_is_the_recorded_one() {
    let ground = Ground::new();
    let (good, bad, link) = (ground.at("good"), ground.at("bad"), ground.at("link"));
    fs::write(&good, "good").unwrap();
    fs::write(&bad, "bad").unwrap();
    symlink("good", &link).unwrap();
    let contents = BTreeMap::from([(name(&good), "good"), (name(&bad), "bad")]);
    let swap = |n| {
        if n % 2 == 0 {
            exchange(&good, &bad);
        } else {
            symlink(if n % 4 == 1 { "bad" } else { "good" }, ground.at("next")).unwrap();
            fs::rename(ground.at("next"), &link).unwrap();
        }
    };
    let attempt = |_| {
        let permit = ground.ask(ReadFile { path: link.clone(), max_bytes: 100 }).unwrap();
        let request = ground.recorded(permit.seq());
        let mut text = String::new();
        open_file(permit).ok()?.read_to_string(&mut text).unwrap();
        Some((request, text))
    };
    swapping(READ.count(), Duration::from_micros(150), swap, attempt, |n, read| {
        let Some((request, text)) = read else { return false };
        assert_eq!(contents[&identity(&request, 0)], text, "try {n}");
        true
    });
}

#[test]
fn the_file_that_is_written_is_the_recorded_one() {
    let ground = Ground::new();
    let folders = ["a", "b"].map(|name| ground.at(name));
    for folder in &folders {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("file"), "old").unwrap();
    }
    symlink("a/file", ground.at("link")).unwrap();
    let swap = |n| {
        if n % 2 == 0 {
            exchange(&folders[0], &folders[1]);
        } else {
            symlink(if n % 4 == 1 { "b/file" } else { "a/file" }, ground.at("next")).unwrap();
            fs::rename(ground.at("next"), ground.at("link")).unwrap();
        }
    };
    let attempt = |n: usize| {
        let effect = WriteFile { path: ground.at("link"), bytes: n.to_string().into(), base: None, backup: false };
        let permit = ground.ask(effect).unwrap();
        let request = ground.recorded(permit.seq());
        write_file(permit).is_ok().then_some(request)
    };
    swapping(WRITE.count(), Duration::from_micros(300), swap, attempt, |n, written| {
        let text = n.to_string();
        let holders = folders.iter().filter(|folder| fs::read_to_string(folder.join("file")).unwrap() == text);
        let holders: Vec<String> = holders.map(|folder| name(folder)).collect();
        match &written {
            Some(request) => assert_eq!(holders, [request.context["folder"].clone()], "try {n}"),
            None => assert_eq!(holders, [""; 0], "try {n} was refused"),
        }
        for folder in &folders {
            assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing is left behind in try {n}");
        }
        written.is_some()
    });
}

#[test]
fn the_project_that_is_changed_is_the_recorded_one() {
    let ground = Ground::new();
    let data = DataDir::open(&ground.at("data")).unwrap();
    let roots = ["project", "other"].map(|name| ground.at(name));
    let (old, new) = (data.put_blob(b"old").unwrap(), data.put_blob(b"new").unwrap());
    for root in &roots {
        fs::create_dir(root).unwrap();
        fs::write(root.join("a.py"), "old").unwrap();
    }
    let swap = |_| exchange(&roots[0], &roots[1]);
    let attempt = |n: usize| {
        let change = FileChange { path: "a.py".into(), base: old.clone(), after: new.clone(), bytes: b"new".to_vec() };
        let permit = ground.ask(WriteProject { root: roots[0].clone(), changes: vec![change] }).unwrap();
        let request = ground.recorded(permit.seq());
        replace(permit, &data, i64::try_from(n).unwrap()).is_ok().then_some(request)
    };
    swapping(PROJECT.count(), Duration::from_micros(500), swap, attempt, |n, changed| {
        let is_new = |root: &&PathBuf| fs::read(root.join("a.py")).unwrap() == b"new";
        let holders: Vec<String> = roots.iter().filter(is_new).map(|root| name(root)).collect();
        match &changed {
            Some(request) => assert_eq!(holders, [identity(request, 0)], "try {n}"),
            None => assert_eq!(holders, [""; 0], "try {n} was refused"),
        }
        for root in &roots {
            fs::write(root.join("a.py"), "old").unwrap();
        }
        changed.is_some()
    });
}

#[test]
fn an_effect_is_done_under_the_policy_that_its_record_names() {
    let ground = Ground::new();
    fs::write(ground.at("file"), "text").unwrap();
    let policies = [DENY, ALLOW].map(|text| Policy::load(text, Layer::User).unwrap().policy);
    let swap = |n: usize| ground.gate.policies().set(policies[n % 2].clone());
    let attempt = |_| {
        let before = ground.ledger.count();
        let permit = ground.ask(ReadFile { path: ground.at("file"), max_bytes: 100 });
        assert_eq!(ground.ledger.count(), before + 1, "one record for each try");
        match permit {
            Ok(permit) => Some((permit.seq(), open_file(permit).is_ok())),
            Err(_) => None,
        }
    };
    swapping(POLICY.count(), Duration::from_micros(100), swap, attempt, |_, done| {
        let Some((seq, done)) = done else { return false };
        ground.recorded(seq);
        done
    });
}

#[test]
fn the_program_that_runs_and_the_folder_it_runs_in_are_the_recorded_ones() {
    if !crate::sandbox::tests::ready() {
        return;
    }
    let ground = Ground::new();
    let trees = ["tree", "other"].map(|name| ground.at(name));
    fs::create_dir_all(ground.at("tools/bin")).unwrap();
    let tools = ["tool", "evil"].map(|name| ground.at("tools/bin").join(name));
    let mut digests = BTreeMap::new();
    for (tree, tool) in trees.iter().zip(&tools) {
        fs::create_dir(tree).unwrap();
        fs::write(tree.join("name"), name(tree)).unwrap();
        let own = tool.file_name().unwrap().to_str().unwrap().to_owned();
        let text = format!("#!/bin/sh\ncat name\n# {}\necho; echo {own}\n", "x".repeat(100_000));
        fs::write(tool, &text).unwrap();
        open_to_all(tool);
        digests.insert(conclave_policy::digest(text.as_bytes()), own);
    }
    open_to_all(&ground.top);
    let swap = |n| if n % 2 == 0 { exchange(&trees[0], &trees[1]) } else { exchange(&tools[0], &tools[1]) };
    let attempt = |_| {
        let effect = RunCommand {
            argv: vec![tools[0].display().to_string()],
            tree: trees[0].clone(),
            writable: false,
            env: Vec::new(),
            read_only: vec![ground.at("tools/bin")],
            within: Vec::new(),
            loopback: false,
            limits: Limits { wall: Duration::from_secs(20), ..Limits::default() },
            project: None,
        };
        let permit = ground.ask(effect).unwrap();
        let request = ground.recorded(permit.seq());
        let report = ground.runtime.block_on(crate::run(permit)).ok()?;
        Some((request, String::from_utf8(report.stdout).unwrap()))
    };
    swapping(RUN.count(), Duration::from_millis(60), swap, attempt, |n, ran| {
        let Some((request, said)) = ran else { return false };
        let expect = format!("{}\n{}\n", identity(&request, 0), digests[&request.context["program_digest"]]);
        assert_eq!(said, expect, "try {n}");
        true
    });
}

/// Lets everybody read and execute it, as whom programs in the sandbox run.
fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
