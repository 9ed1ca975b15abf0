//! Replacing files: refusals, and files that change under our hands.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::thread;
use std::time::Instant;

use conclave_policy::{Mode, Policy};
use tempfile::TempDir;

use super::*;
use crate::gate::tests::permit_now;

const INTENT: i64 = 7;

/// A project folder and a data folder.
struct Ground {
    folder: TempDir,
    data: DataDir,
}

impl Ground {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(&folder.path().join("data")).unwrap();
        fs::create_dir_all(folder.path().join("project/src")).unwrap();
        let ground = Self { folder, data };
        for (path, bytes) in files {
            fs::write(ground.at(path), bytes).unwrap();
        }
        ground
    }

    fn root(&self) -> PathBuf {
        crate::resolve(&self.folder.path().join("project")).unwrap()
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join("project").join(path)
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.at(path)).unwrap()
    }

    /// A change whose bytes before and after are kept, as they have to be.
    fn change(&self, path: &str, before: &[u8], after: &[u8]) -> FileChange {
        let (base, digest) = (self.data.put_blob(before).unwrap(), self.data.put_blob(after).unwrap());
        FileChange { path: path.into(), base, after: digest, bytes: after.to_vec() }
    }

    fn replace(&self, changes: Vec<FileChange>) -> Result<Replaced, ReplaceError> {
        replace(self.permit(changes), &self.data, INTENT)
    }

    fn permit(&self, changes: Vec<FileChange>) -> Permit<WriteProject> {
        permit_now(WriteProject { root: self.root(), changes })
    }

    fn target(&self, n: usize, change: &FileChange) -> Target {
        let root = Root::open(&self.root()).unwrap();
        Target::open(&root, &tag(&self.data, INTENT), n, (&change.path, &change.base, &change.after)).unwrap()
    }

    /// Every name in the project with what it stands for, so that left-overs show.
    fn tree(&self) -> Vec<(String, String)> {
        let mut tree = Vec::new();
        for folder in ["", "src"] {
            for entry in fs::read_dir(self.at(folder)).unwrap().map(Result::unwrap) {
                let path = entry.path();
                let what = match path.symlink_metadata().unwrap() {
                    found if found.is_symlink() => "link".to_owned(),
                    found if found.is_file() => String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
                    _ => "no file".to_owned(),
                };
                tree.push((path.strip_prefix(self.at("")).unwrap().display().to_string(), what));
            }
        }
        tree.sort();
        tree
    }
}

#[test]
fn files_are_replaced_byte_for_byte_and_keep_what_belongs_to_them() {
    let before: &[u8] = b"\xef\xbb\xbfa\r\nL\xe4tin\r\nno end";
    let after: &[u8] = b"\xef\xbb\xbfb\r\nL\xe4tin\r\nno end";
    let ground = Ground::new(&[("run.sh", before), ("src/b.py", b"old")]);
    let script = ground.at("run.sh");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let file = fs::File::open(&script).unwrap();
    // Not every file system has them.
    let attributes = rustix::fs::fsetxattr(&file, "user.origin", b"here", rustix::fs::XattrFlags::empty()).is_ok();
    // Only root may give a file away, and in a user namespace there is nobody to give it to.
    let _ = std::os::unix::fs::chown(&script, Some(4321), Some(4322));
    let owner = |data: fs::Metadata| (data.uid(), data.gid(), data.mode() & 0o7777);
    let owned = owner(fs::metadata(&script).unwrap());
    fs::hard_link(&script, ground.folder.path().join("outside")).unwrap();

    let changes = vec![ground.change("run.sh", before, after), ground.change("src/b.py", b"old", b"new")];
    assert_eq!(ground.replace(changes).unwrap(), Replaced { window_closed: true });

    assert_eq!((ground.bytes("run.sh"), ground.bytes("src/b.py")), (after.to_vec(), b"new".to_vec()));
    assert_eq!((owner(fs::metadata(&script).unwrap()), owned.2), (owned, 0o755));
    let mut value = [0; 16];
    let length = rustix::fs::getxattr(&script, "user.origin", &mut value[..]).unwrap_or(0);
    assert_eq!(&value[..length], if attributes { b"here".as_slice() } else { b"" });
    assert_eq!(fs::read(ground.folder.path().join("outside")).unwrap(), before, "the other link keeps its bytes");
    assert_eq!(ground.tree().len(), 3, "nothing of ours is left");
}

#[test]
fn what_cannot_be_replaced_is_refused_and_nothing_is_touched() {
    type Setup = fn(&Ground);
    let link: Setup = |ground| {
        fs::remove_file(ground.at("src/b.py")).unwrap();
        symlink(ground.at("a.py"), ground.at("src/b.py")).unwrap();
    };
    let gone: Setup = |ground| fs::remove_file(ground.at("src/b.py")).unwrap();
    let folder: Setup = |ground| {
        fs::remove_file(ground.at("src/b.py")).unwrap();
        fs::create_dir(ground.at("src/b.py")).unwrap();
    };
    let pipe: Setup = |ground| {
        fs::remove_file(ground.at("src/b.py")).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, ground.at("src/b.py"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    };
    let edited: Setup = |ground| fs::write(ground.at("src/b.py"), "theirs").unwrap();
    let bits = |path: &'static str, bits| {
        move |ground: &Ground| fs::set_permissions(ground.at(path), fs::Permissions::from_mode(bits)).unwrap()
    };
    let (read_only_file, read_only_folder) = (bits("src/b.py", 0o444), bits("src", 0o555));
    let linked_folder: Setup = |ground| {
        fs::rename(ground.at("src"), ground.folder.path().join("elsewhere")).unwrap();
        symlink(ground.folder.path().join("elsewhere"), ground.at("src")).unwrap();
    };
    type Case<'a> = (&'a str, &'a dyn Fn(&Ground), &'a str);
    let cases: [Case<'_>; 8] = [
        ("a link", &link, "`src/b.py` is a symbolic link now"),
        ("nothing", &gone, "`src/b.py` is gone"),
        ("a folder", &folder, "`src/b.py` is no longer a regular file"),
        ("a pipe", &pipe, "`src/b.py` is no longer a regular file"),
        ("other bytes", &edited, "`src/b.py` has other contents now"),
        ("a read-only file", &read_only_file, "`src/b.py` is read-only"),
        ("a read-only folder", &read_only_folder, "`src/b.py` is in a folder that is read-only"),
        ("a folder that is a link", &linked_folder, "leads out of its folder or through a symbolic link"),
    ];
    for (name, setup, words) in cases {
        let ground = Ground::new(&[("a.py", b"one"), ("src/b.py", b"old")]);
        let changes = vec![ground.change("a.py", b"one", b"two"), ground.change("src/b.py", b"old", b"new")];
        setup(&ground);
        let before = ground.tree();
        let error = ground.replace(changes).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
        assert_eq!(ground.tree(), before, "{name}");
    }
}

#[test]
fn a_change_that_is_not_what_was_allowed_is_refused() {
    let ground = Ground::new(&[("a.py", b"one")]);
    let good = ground.change("a.py", b"one", b"two");
    let named = |path: &str| FileChange { path: path.into(), ..good.clone() };
    let unkept = FileChange { base: digest(b"never kept"), ..good.clone() };
    let cases = [
        (vec![FileChange { bytes: b"three".to_vec(), ..good.clone() }], "other bytes than were allowed"),
        (vec![good.clone(), good.clone()], "named twice"),
        (vec![unkept], "does not exist"),
        (vec![named("../a.py")], "leads out of its folder"),
        (vec![named("src/../../a.py")], "leads out of its folder"),
        (vec![named("/etc/passwd")], "leads out of its folder"),
        (vec![named("..")], "leads out of its folder"),
        (vec![named("")], "leads out of its folder"),
    ];
    for (changes, words) in cases {
        let error = ground.replace(changes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(ground.bytes("a.py"), b"one");
    }
}

#[test]
fn only_the_person_may_write() {
    let ground = Ground::new(&[]);
    let effect = WriteProject { root: ground.root(), changes: vec![ground.change("a.py", b"one", b"two")] };
    let request = effect.request(&Actor::Engine);
    let file = serde_json::json!({ "a.py": [digest(b"one"), digest(b"two")] });
    assert_eq!(request.context["files"], file.to_string());
    assert_eq!(request.paths[1].real.as_deref(), ground.root().join("a.py").to_str());
    assert_eq!(
        (request.paths[1].access, request.context["project"].as_str()),
        (Access::Write, ground.root().to_str().unwrap())
    );
    assert_eq!(request.context["bytes"], "3");
    let other = WriteProject { root: ground.root(), changes: vec![ground.change("a.py", b"one", b"three")] };
    assert_ne!(request.context["digest"], other.request(&Actor::Engine).context["digest"]);
    let policy = Policy::shipped(Mode::Default);
    assert_ne!(policy.evaluate(&request, 0).effect, conclave_policy::Effective::Allow);
}

#[test]
fn a_save_between_preparation_and_exchange_is_found_and_kept() {
    type Save = fn(&Path);
    let in_place: Save = |path| fs::write(path, "theirs").unwrap();
    let by_rename: Save = |path| {
        fs::write(path.with_extension("tmp"), "theirs").unwrap();
        fs::rename(path.with_extension("tmp"), path).unwrap();
    };
    let link: Save = |path| {
        fs::remove_file(path).unwrap();
        symlink("/etc/passwd", path).unwrap();
    };
    let folder: Save = |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    };
    let gone: Save = |path| fs::remove_file(path).unwrap();
    for (save, found) in [
        (in_place, Found::OtherBytes),
        (by_rename, Found::OtherBytes),
        (link, Found::Link),
        (folder, Found::NotRegular),
        (gone, Found::Nothing),
    ] {
        let ground = Ground::new(&[("a.py", b"one")]);
        let change = ground.change("a.py", b"one", b"two");
        let target = ground.target(0, &change);
        target.prepare(&change.bytes).unwrap();
        save(&ground.at("a.py"));
        let theirs = fs::read(ground.at("a.py")).ok();
        assert_eq!(target.swap(&change.base, &change.after).unwrap(), Swapped::Changed(found));
        assert_eq!(settle(&[target], &ground.data, Foreign::IsNotOurs).unwrap(), Settled::RolledBack);
        assert_eq!(fs::read(ground.at("a.py")).ok(), theirs, "{found:?}");
        assert!(ground.tree().iter().all(|(name, _)| !name.contains(".conclave-")), "{:?}", ground.tree());
    }
}

#[test]
fn of_two_saves_around_an_exchange_the_later_counts_and_the_earlier_is_kept() {
    let ground = Ground::new(&[("a.py", b"earlier")]);
    let change = ground.change("a.py", b"one", b"two");
    let target = ground.target(0, &change);
    target.write_aside(b"two").unwrap();
    // The exchange displaced the earlier save; the later one came before the names were exchanged back.
    let aside = fs::read_dir(ground.at(""))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "swap"));
    fs::write(aside.unwrap(), "earlier").unwrap();
    fs::write(ground.at("a.py"), "later").unwrap();
    target.exchange_back(&change.after).unwrap();
    assert_eq!(ground.bytes("a.py"), b"later");
    let kept = target.remove_ours().unwrap().unwrap();
    assert_eq!(ground.bytes(&kept), b"earlier");
}

#[test]
fn no_save_is_lost_however_it_falls() {
    const ROUNDS: u32 = 100;
    let files: [(&str, &[u8]); 2] = [("a.py", b"one"), ("src/b.py", b"old")];
    let changes =
        |ground: &Ground| vec![ground.change("a.py", b"one", b"two"), ground.change("src/b.py", b"old", b"new")];
    // How long it takes undisturbed, so that the saves spread over all of it.
    let ground = Ground::new(&files);
    let permit = ground.permit(changes(&ground));
    let begun = Instant::now();
    replace(permit, &ground.data, INTENT).unwrap();
    let undisturbed = begun.elapsed();

    let mut met = 0;
    for round in 0..ROUNDS {
        let ground = Ground::new(&files);
        let permit = ground.permit(changes(&ground));
        let path = ground.at(if round % 2 == 0 { "a.py" } else { "src/b.py" });
        let new = ground.folder.path().join("new");
        let theirs = format!("save {round}");
        fs::write(&new, &theirs).unwrap();
        let result = thread::scope(|scope| {
            let editor = scope.spawn(|| {
                let begun = Instant::now();
                while begun.elapsed() < undisturbed * round / ROUNDS {
                    std::hint::spin_loop();
                }
                fs::rename(&new, &path).unwrap();
            });
            let result = replace(permit, &ground.data, INTENT);
            editor.join().unwrap();
            result
        });
        met += u32::from(result.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), theirs, "{result:?}");
        let (other, before, after) = if round % 2 == 0 { ("src/b.py", "old", "new") } else { ("a.py", "one", "two") };
        let expected = if result.is_ok() { after } else { before };
        assert_eq!(ground.bytes(other), expected.as_bytes(), "{result:?}");
        assert_eq!(ground.tree().len(), 3, "{:?}", ground.tree());
    }
    println!("{met} of {ROUNDS} saves stopped the change, none was lost");
}

/// One file after a change was cut short, as (what has the name, what is aside).
const STATES: [(&str, Option<&str>); 7] = [
    ("before", None),
    ("before", Some("after")),
    ("after", Some("before")),
    ("after", None),
    ("after", Some("theirs")),
    ("theirs", Some("after")),
    ("theirs", None),
];

#[test]
fn recovery_ends_before_or_after_whatever_it_finds_and_ends_there_again() {
    for first in STATES {
        for second in STATES {
            let ground = Ground::new(&[]);
            let name = |n: usize| ["a.py", "src/b.py"][n];
            let mut files = Vec::new();
            for (n, (here, aside)) in [first, second].into_iter().enumerate() {
                let text = |what: &str| format!("{what} {n}");
                let change = ground.change(name(n), text("before").as_bytes(), text("after").as_bytes());
                fs::write(ground.at(name(n)), text(here)).unwrap();
                let target = ground.target(n, &change);
                if let Some(aside) = aside {
                    target.write_aside(text(aside).as_bytes()).unwrap();
                }
                fs::write(ground.at(&format!("src/.conclave-{}-1.part", tag(&ground.data, INTENT))), "cut o").unwrap();
                files.push(Recorded { path: change.path, before: change.base, after: change.after });
            }
            let case = format!("{first:?} and {second:?}");

            // The rules of recovery, told a second time.
            let displaced = [first, second].contains(&("after", Some("theirs")));
            let theirs = [first, second].iter().any(|state| state.0 == "theirs");
            let all_after = first.0 == "after" && second.0 == "after";
            let (expected, end) = match (displaced, theirs, all_after) {
                (false, true, _) => ([first.0, second.0], "conflict"),
                (false, false, true) => (["after", "after"], "applied"),
                _ => {
                    let back = |state: (&'static str, Option<&str>)| match state {
                        ("after", Some("theirs")) | ("theirs", _) => "theirs",
                        _ => "before",
                    };
                    ([back(first), back(second)], "rolled back")
                }
            };
            for again in [false, true] {
                let settled = recover(&ground.data, INTENT, &ground.root(), &files).unwrap();
                let told = match &settled {
                    Settled::Applied => "applied",
                    Settled::RolledBack => "rolled back",
                    Settled::Conflict(paths) => {
                        assert!(paths.iter().all(|path| !path.contains(".conclave-")), "{case}: {paths:?}");
                        "conflict"
                    }
                };
                // Once theirs is back in its place, a second look can only tell that it is there.
                let told_again = if again && expected.contains(&"theirs") { "conflict" } else { end };
                assert_eq!(told, told_again, "{case}");
                let tree = [(name(0), expected[0], 0), (name(1), expected[1], 1)]
                    .map(|(path, what, n)| (path.to_owned(), format!("{what} {n}")));
                let found: Vec<_> = ground.tree().into_iter().filter(|(name, _)| name != "src").collect();
                assert_eq!(found, tree, "{case}");
            }
        }
    }
}

#[test]
fn recovery_leaves_a_project_alone_whose_folders_are_gone() {
    let ground = Ground::new(&[("a.py", b"two"), ("src/b.py", b"old")]);
    let files: Vec<Recorded> = [ground.change("a.py", b"one", b"two"), ground.change("src/b.py", b"old", b"new")]
        .into_iter()
        .map(|change| Recorded { path: change.path, before: change.base, after: change.after })
        .collect();
    fs::remove_dir_all(ground.at("src")).unwrap();
    let settled = recover(&ground.data, INTENT, &ground.root(), &files).unwrap();
    assert_eq!(settled, Settled::Conflict(vec!["src/b.py".into()]));
    assert_eq!(ground.bytes("a.py"), b"two");
    fs::remove_dir_all(ground.at("")).unwrap();
    let error = recover(&ground.data, INTENT, &ground.folder.path().join("project"), &files).unwrap_err();
    assert!(matches!(error, ReplaceError::Fs(FsError::NotFound { .. })), "{error}");
}
