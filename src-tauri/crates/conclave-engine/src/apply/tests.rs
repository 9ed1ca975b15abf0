//! Applying and taking back, over real files: exact to the byte, all or nothing, never over somebody's work.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;

use conclave_core::finding::{Detection, Finding, Rule, Severity, Status, Tool};
use conclave_core::id::{CandidateId, ProjectId, ScanId};
use conclave_core::patch::{Edit, FilePatch};
use conclave_core::path::RelPath;
use conclave_core::project::Project;
use conclave_effects::{Clock, Policies};
use conclave_policy::{Mode, Nobody, Policy};
use conclave_store::{OutcomeKind, ScanRecord, ScanState};
use tempfile::TempDir;

use super::*;

pub(super) const NOW: i64 = 1_767_323_045_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A data folder with a store, and beside it a project with one finding.
pub(super) struct Ground {
    pub(super) root: PathBuf,
    pub(super) store: Store,
    pub(super) data: DataDir,
}

impl Ground {
    /// Opens `folder/project` and `folder/data`, made if need be.
    pub(super) fn open(folder: &Path) -> Self {
        let data = DataDir::open(&folder.join("data")).unwrap();
        let opened = Store::open(&data.database(), NOW).unwrap();
        assert_eq!(opened.notice, None);
        fs::create_dir_all(folder.join("project/src")).unwrap();
        let root = conclave_effects::resolve(&folder.join("project")).unwrap();
        Self { root, store: opened.store, data }
    }

    /// A new one in `folder`, with `files` and a finding.
    pub(super) fn fresh(folder: &Path, files: &[(&str, &[u8])]) -> Self {
        let ground = Self::open(folder);
        for (path, bytes) in files {
            fs::write(ground.root.join(path), bytes).unwrap();
        }
        let project = ProjectId::of_root("shop");
        let root = ground.root.display().to_string();
        let shop = Project { id: project.clone(), root, name: "shop".into(), watched: false, listed: true };
        ground.store.save_project(&shop, NOW).unwrap();
        let scan = ScanRecord {
            id: ScanId::new("s"),
            project: project.clone(),
            tool: tool(),
            source: "built-in".into(),
            state: ScanState::Complete,
            results: 1,
            complaints: Vec::new(),
            complaint_count: 0,
        };
        ground.store.save_scan(&scan, &[the_finding(&project)], NOW).unwrap();
        ground
    }

    pub(super) fn gate(&self, now_ms: i64) -> Gate {
        let policies = Policies::new(Policy::shipped(Mode::Default));
        Gate::new(policies, Arc::new(self.store.clone()), Arc::new(Nobody), Clock::fixed(now_ms))
    }

    pub(super) fn finding(&self) -> FindingId {
        the_finding(&ProjectId::of_root("shop")).id
    }

    fn fix(&self) -> Fix {
        Fix { finding: self.finding(), candidate: CandidateId::new("c1") }
    }

    pub(super) fn status(&self) -> Status {
        self.store.finding(&self.finding()).unwrap().unwrap().status
    }

    pub(super) fn apply(&self, files: Vec<FilePatch>) -> Result<Applied, ApplyError> {
        self.apply_as(Actor::Person, files)
    }

    fn apply_as(&self, actor: Actor, files: Vec<FilePatch>) -> Result<Applied, ApplyError> {
        let plan = ApplyPlan { root: self.root.clone(), fixes: vec![self.fix()], patch: Patch::new(files) };
        block_on(apply(&self.gate(NOW), &self.store, &self.data, actor, plan))
    }

    pub(super) fn undo_at(&self, now_ms: i64) -> Result<Undone, ApplyError> {
        block_on(undo(&self.gate(now_ms), &self.store, &self.data, Actor::Person, &self.finding()))
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.root.join(path)).unwrap()
    }

    /// Every name below the project with mode and bytes, so that left-overs show.
    pub(super) fn tree(&self) -> Vec<(String, u32, Vec<u8>)> {
        let mut tree = Vec::new();
        for folder in [self.root.clone(), self.root.join("src")] {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let data = entry.path().symlink_metadata().unwrap();
                let bytes = if data.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
                let name = entry.path().strip_prefix(&self.root).unwrap().display().to_string();
                tree.push((name, data.permissions().mode(), bytes));
            }
        }
        tree.sort();
        tree
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn tool() -> Tool {
    Tool { name: "Conclave".into(), version: None }
}

fn the_finding(project: &ProjectId) -> Finding {
    let rule = Rule { id: "r".into(), name: None, description: None, help: None, help_uri: None, cwe: Vec::new() };
    let detection = Detection {
        tool: tool(),
        rule,
        message: "a weakness".into(),
        severity: Severity::High,
        location: None,
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    };
    Finding::new(project, detection, "", 0)
}

/// Replaces the bytes `from..to` of `before`.
pub(super) fn edit(path: &str, before: &[u8], from: usize, to: usize, text: &str) -> FilePatch {
    let edits = vec![Edit { start: from, end: to, text: text.into() }];
    FilePatch { path: RelPath::new(path).unwrap(), base: conclave_core::digest::Digest::of(before), edits }
}

#[test]
fn applying_and_taking_back_is_exact_to_the_byte_whatever_the_bytes_are() {
    let cases: [(&str, &[u8], &[u8]); 6] = [
        ("CRLF", b"aXc\r\nd\r\n", b"abc\r\nd\r\n"),
        ("a byte order mark", b"\xef\xbb\xbfX\n", b"\xef\xbb\xbfb\n"),
        ("Latin-1", b"\xe4X\xf6\n", b"\xe4b\xf6\n"),
        ("no final newline", b"one\nX", b"one\nb"),
        ("mixed line ends and NUL", b"a\rX\n\0\r\n", b"a\rb\n\0\r\n"),
        ("one byte", b"X", b"b"),
    ];
    for (name, before, after) in cases {
        let folder = tempfile::tempdir().unwrap();
        let ground = Ground::fresh(folder.path(), &[("a.py", before), ("src/other.py", b"other")]);
        fs::set_permissions(ground.root.join("a.py"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::hard_link(ground.root.join("a.py"), folder.path().join("outside")).unwrap();
        let tree = ground.tree();
        let at = before.iter().position(|byte| *byte == b'X').unwrap();

        let applied = ground.apply(vec![edit("a.py", before, at, at + 1, "b")]).unwrap();
        assert_eq!(applied.files, ["a.py"]);
        assert_eq!(ground.bytes("a.py"), after, "{name}");
        assert_eq!(ground.tree().len(), tree.len(), "{name}: nothing of ours is left");
        assert_eq!(fs::read(folder.path().join("outside")).unwrap(), before, "{name}: the other link keeps its bytes");
        assert_eq!(ground.status(), Status::Fixed);

        assert_eq!(ground.undo_at(NOW).unwrap().files, ["a.py"]);
        assert_eq!(ground.tree(), tree, "{name}");
        assert_eq!(ground.status(), Status::Open, "no run has a result to go back to");
        assert_eq!(ground.store.verify_ledger().unwrap().fault, None);
    }
}

#[test]
fn what_cannot_be_written_safely_is_refused_and_nothing_is_written() {
    type Setup = fn(&Path);
    let cases: [(&str, Setup, &str); 6] = [
        (
            "a link",
            |root| {
                fs::rename(root.join("src/b.py"), root.join("src/real.py")).unwrap();
                symlink("real.py", root.join("src/b.py")).unwrap();
            },
            "`src/b.py` is behind a symbolic link",
        ),
        ("nothing", |root| fs::remove_file(root.join("src/b.py")).unwrap(), "`src/b.py` is gone"),
        (
            "a folder",
            |root| {
                fs::remove_file(root.join("src/b.py")).unwrap();
                fs::create_dir(root.join("src/b.py")).unwrap();
            },
            "`src/b.py` is not a regular file",
        ),
        ("an edit", |root| fs::write(root.join("src/b.py"), "old\nmore").unwrap(), "`src/b.py` has changed since"),
        (
            "a read-only file",
            |root| fs::set_permissions(root.join("src/b.py"), fs::Permissions::from_mode(0o444)).unwrap(),
            "`src/b.py` is read-only",
        ),
        (
            "a read-only folder",
            |root| fs::set_permissions(root.join("src"), fs::Permissions::from_mode(0o555)).unwrap(),
            "`src/b.py` is in a folder that is read-only",
        ),
    ];
    for (name, setup, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let ground = Ground::fresh(folder.path(), &[("a.py", b"one"), ("src/b.py", b"old")]);
        setup(&ground.root);
        let tree = ground.tree();
        let patch = vec![edit("a.py", b"one", 0, 3, "two"), edit("src/b.py", b"old", 0, 3, "new")];
        let error = ground.apply(patch).unwrap_err();
        assert!(error.to_string().contains(words), "{name}: {error}");
        assert_eq!(ground.tree(), tree, "{name}");
        assert_eq!(ground.status(), Status::Open, "{name}");
        assert_eq!(ground.store.open_intents().unwrap(), [], "{name}");
    }
}

#[test]
fn a_patch_that_does_not_fit_or_is_not_the_persons_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::fresh(folder.path(), &[("a.py", b"one")]);
    let outside = ground.apply(vec![edit("a.py", b"one", 2, 9, "x")]).unwrap_err();
    assert!(matches!(outside, ApplyError::Refused { .. }), "{outside}");
    assert!(matches!(ground.apply(Vec::new()), Err(ApplyError::Empty)));
    let denied = ground.apply_as(Actor::Engine, vec![edit("a.py", b"one", 0, 3, "two")]).unwrap_err();
    assert!(matches!(denied, ApplyError::Denied(_)), "{denied}");
    assert_eq!(ground.bytes("a.py"), b"one");
    assert_eq!(ground.store.open_intents().unwrap(), []);
}

#[test]
fn a_fix_is_taken_back_days_later_whatever_happened_to_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::fresh(folder.path(), &[("a.py", b"one\r\n"), ("src/b.py", b"old"), ("c.py", b"c")]);
    let patch = vec![edit("a.py", b"one\r\n", 0, 3, "two"), edit("src/b.py", b"old", 3, 3, "er")];
    ground.apply(patch).unwrap();
    assert_eq!((ground.bytes("a.py"), ground.bytes("src/b.py")), (b"two\r\n".to_vec(), b"older".to_vec()));
    fs::write(ground.root.join("c.py"), "edited").unwrap();
    drop(ground);

    let ground = Ground::open(folder.path());
    let later = NOW + 30 * DAY_MS;
    assert_eq!(recover(&ground.store, &ground.data, later).unwrap(), []);
    assert_eq!(ground.undo_at(later).unwrap().files, ["a.py", "src/b.py"]);
    assert_eq!((ground.bytes("a.py"), ground.bytes("src/b.py")), (b"one\r\n".to_vec(), b"old".to_vec()));
    assert_eq!(ground.bytes("c.py"), b"edited");
    let outcomes: Vec<_> = ground
        .store
        .outcomes(&ground.finding())
        .unwrap()
        .into_iter()
        .map(|outcome| (outcome.kind, outcome.at))
        .collect();
    assert_eq!(outcomes, [(OutcomeKind::Applied, NOW), (OutcomeKind::Undone, later)]);
    assert!(matches!(ground.undo_at(later), Err(ApplyError::NotApplied(_))), "once is enough");
}

#[test]
fn a_file_that_moved_on_is_not_taken_back_and_the_words_say_where() {
    let before = b"1\n2\n3\n4\n5\n";
    let cases: [(&str, &str); 5] = [
        ("1\nX\n3\n4\nfive\n", "`a.py` has changed in line 5"),
        ("0\n1\nX\n3\n4\n5\n", "`a.py` has changed in line 1"),
        ("1\nX\nc\nd\n5\n", "`a.py` has changed in lines 3 to 4"),
        ("1\nX\n5\n", "`a.py` has lost lines after line 2"),
        ("", "`a.py` has lost lines after line 0"),
    ];
    for (now, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let ground = Ground::fresh(folder.path(), &[("a.py", before), ("src/b.py", b"old")]);
        ground.apply(vec![edit("a.py", before, 2, 3, "X"), edit("src/b.py", b"old", 0, 3, "new")]).unwrap();
        fs::write(ground.root.join("a.py"), now).unwrap();
        let tree = ground.tree();
        let error = ground.undo_at(NOW).unwrap_err();
        assert!(matches!(error, ApplyError::Changed { .. }));
        assert_eq!(error.to_string(), words);
        assert_eq!((ground.tree(), ground.status()), (tree, Status::Fixed));
    }
}

#[test]
fn what_was_taken_back_by_hand_is_recorded_so_only_when_it_is_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::fresh(folder.path(), &[("a.py", b"one"), ("src/b.py", b"old")]);
    let patch = vec![edit("a.py", b"one", 0, 3, "two"), edit("src/b.py", b"old", 3, 3, "er")];
    ground.apply(patch.clone()).unwrap();

    fs::write(ground.root.join("a.py"), "one").unwrap();
    let half = ground.undo_at(NOW).unwrap_err();
    assert_eq!(half.to_string(), "`a.py` is as it was before the fix already");
    assert_eq!((ground.status(), ground.bytes("src/b.py")), (Status::Fixed, b"older".to_vec()));

    fs::write(ground.root.join("src/b.py"), "old").unwrap();
    let tree = ground.tree();
    assert_eq!(ground.undo_at(NOW).unwrap().files, ["a.py", "src/b.py"]);
    assert_eq!((ground.tree(), ground.status()), (tree, Status::Open));
    let kinds: Vec<_> = ground.store.outcomes(&ground.finding()).unwrap().into_iter().map(|o| o.kind).collect();
    assert_eq!(kinds, [OutcomeKind::Applied, OutcomeKind::Undone]);
    assert!(matches!(ground.undo_at(NOW), Err(ApplyError::NotApplied(_))));
    assert_eq!(ground.store.verify_ledger().unwrap().fault, None);
    ground.apply(patch).unwrap();
}

#[test]
fn a_fix_can_be_applied_again_after_it_was_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::fresh(folder.path(), &[("a.py", b"one")]);
    let patch = || vec![edit("a.py", b"one", 0, 3, "two")];
    for _ in 0..3 {
        ground.apply(patch()).unwrap();
        assert!(ground.apply(patch()).is_err(), "twice is once too often");
        ground.undo_at(NOW).unwrap();
    }
    assert_eq!(ground.bytes("a.py"), b"one");
    let verdict = ground.store.verify_ledger().unwrap();
    assert_eq!(verdict.fault, None);
}

#[test]
fn a_change_left_open_is_settled_by_what_is_in_the_tree() {
    let kept = |name: &str| format!("`{name}` was changed by somebody else since");
    type Case = (&'static [u8], &'static [u8], Option<IntentState>, String);
    let cases: [Case; 4] = [
        (b"one", b"old", Some(IntentState::RolledBack), "as they were before".into()),
        (b"two", b"old", Some(IntentState::RolledBack), "as they were before".into()),
        (b"two", b"new", Some(IntentState::Applied), "it counts".into()),
        (b"two", b"theirs", None, kept("src/b.py")),
    ];
    for (first, second, state, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let ground = Ground::fresh(folder.path(), &[("a.py", first), ("src/b.py", second)]);
        let file = |path: &str, before: &[u8], after: &[u8]| IntentFile {
            path: path.into(),
            before: ground.data.put_blob(before).unwrap(),
            after: ground.data.put_blob(after).unwrap(),
        };
        let new = NewIntent {
            fixes: vec![ground.fix()],
            kind: IntentKind::Apply,
            root: ground.root.display().to_string(),
            files: vec![file("a.py", b"one", b"two"), file("src/b.py", b"old", b"new")],
            permit: 1,
        };
        let intent = ground.store.open_intent(&new, NOW).unwrap();
        assert_eq!(recover(&ground.store, &ground.data, NOW).unwrap(), [], "its process lives");
        drop(ground);

        let ground = Ground::open(folder.path());
        let recovered = recover(&ground.store, &ground.data, NOW).unwrap();
        assert_eq!(recovered.iter().map(|recovered| recovered.intent).collect::<Vec<_>>(), [intent]);
        assert!(recovered[0].outcome.contains(&words), "{}", recovered[0].outcome);
        let expected: (&[u8], &[u8]) = match state {
            Some(IntentState::Applied) => (b"two", b"new"),
            Some(_) => (b"one", b"old"),
            None => (first, second),
        };
        assert_eq!((&ground.bytes("a.py")[..], &ground.bytes("src/b.py")[..]), expected);
        assert_eq!(ground.status() == Status::Fixed, state == Some(IntentState::Applied));
        assert_eq!(ground.store.open_intents().unwrap(), []);
        assert_eq!(recover(&ground.store, &ground.data, NOW).unwrap(), []);
    }
}

#[test]
fn a_project_that_is_away_is_settled_when_it_is_back() {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let ground = Ground::fresh(folder.path(), &[("a.py", b"two")]);
    let files = vec![IntentFile {
        path: "a.py".into(),
        before: ground.data.put_blob(b"one").unwrap(),
        after: ground.data.put_blob(b"two").unwrap(),
    }];
    let root = ground.root.display().to_string();
    let new = NewIntent { fixes: Vec::new(), kind: IntentKind::Apply, root, files, permit: 1 };
    ground.store.open_intent(&new, NOW).unwrap();
    drop(ground);
    let (here, away) = (folder.path().join("project"), folder.path().join("away"));
    fs::rename(&here, &away).unwrap();
    let ground = Ground::open(folder.path());
    fs::remove_dir_all(&here).unwrap();
    let recovered = recover(&ground.store, &ground.data, NOW).unwrap();
    assert!(recovered[0].outcome.contains("cannot be put right yet"), "{}", recovered[0].outcome);
    assert_eq!(ground.store.open_intents().unwrap().len(), 1);
    drop(ground);
    fs::rename(&away, &here).unwrap();
    let ground = Ground::open(folder.path());
    let recovered = recover(&ground.store, &ground.data, NOW).unwrap();
    assert!(recovered[0].outcome.contains("it counts"), "{}", recovered[0].outcome);
}
