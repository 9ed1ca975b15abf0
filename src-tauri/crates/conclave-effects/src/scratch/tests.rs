//! Scratch copies: what is copied, and that it goes away.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use super::*;
use crate::DataDir;
use crate::gate::tests::permit_now;

struct Ground {
    folder: tempfile::TempDir,
    data: DataDir,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(&folder.path().join("data")).unwrap();
        fs::create_dir_all(folder.path().join("project/src/.git")).unwrap();
        let ground = Self { folder, data };
        for (path, content, mode) in [
            ("a.py", "a", 0o644),
            ("src/run.sh", "exit 0", 0o755),
            ("src/odd", "", 0o4404),
            (".gitignore", "ignored/", 0o600),
            ("ignored/x", "", 0o644),
            (".git/config", "", 0o644),
            ("src/.git/config", "", 0o644),
        ] {
            let path = ground.project().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        }
        symlink("/etc/passwd", ground.project().join("link")).unwrap();
        ground
    }

    fn project(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("project")
    }

    fn copy(&self, max_bytes: u64) -> Result<Scratch, FsError> {
        copy(permit_now(CopyToScratch { root: self.project(), base: self.data.scratch_base(), max_bytes }))
    }

    fn copies(&self) -> usize {
        fs::read_dir(self.data.scratch_base()).unwrap().count()
    }
}

#[test]
fn a_copy_has_the_regular_files_with_their_modes_and_nothing_else() {
    let ground = Ground::new();
    let scratch = ground.copy(1000).unwrap();
    let copied = walk(&scratch.root, &|_| true);
    assert_eq!(copied.files, [".gitignore", "a.py", "src/odd", "src/run.sh"]);
    assert!(
        copied.skipped.is_empty() && !scratch.path().join(".git").exists() && !scratch.path().join("ignored").exists()
    );
    for (path, mode) in [("a.py", 0o644), ("src/run.sh", 0o755), ("src/odd", 0o604)] {
        assert_eq!(fs::metadata(scratch.path().join(path)).unwrap().permissions().mode() & 0o7777, mode, "{path}");
    }
    assert_eq!(scratch.read("src/run.sh", 10).unwrap(), b"exit 0");
}

#[test]
fn what_is_written_to_a_copy_stays_in_it() {
    let ground = Ground::new();
    let scratch = ground.copy(1000).unwrap();
    scratch.write("src/run.sh", b"exit 1").unwrap();
    scratch.write("new/deep/file", b"x").unwrap();
    assert_eq!(fs::metadata(scratch.path().join("src/run.sh")).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(scratch.read("new/deep/file", 10).unwrap(), b"x");
    assert_eq!(fs::read(ground.project().join("src/run.sh")).unwrap(), b"exit 0");
    // What a hostile program may leave in a writable copy.
    let outside = ground.folder.path().join("outside");
    fs::write(&outside, "kept").unwrap();
    symlink(&outside, scratch.path().join("trap")).unwrap();
    symlink(ground.folder.path(), scratch.path().join("trap-dir")).unwrap();
    for path in ["trap", "trap-dir/outside", "trap-dir/new/file", "../outside", "/outside", ""] {
        assert!(scratch.write(path, b"gone").is_err(), "{path}");
        assert!(scratch.read(path, 10).is_err(), "{path}");
    }
    assert_eq!(fs::read(&outside).unwrap(), b"kept");
    assert!(!ground.folder.path().join("new").exists());
}

#[test]
fn a_project_that_is_too_large_leaves_nothing_behind() {
    let ground = Ground::new();
    let bytes = 1 + 6 + 8;
    assert!(ground.copy(bytes).is_ok());
    assert!(matches!(ground.copy(bytes - 1), Err(FsError::TooLarge { max: 14, .. })));
    assert_eq!(ground.copies(), 0);
}

#[test]
fn a_copy_goes_when_it_is_dropped_also_when_a_program_closed_its_folders() {
    let ground = Ground::new();
    let (first, second) = (ground.copy(1000).unwrap(), ground.copy(1000).unwrap());
    assert_ne!(first.path(), second.path());
    fs::create_dir_all(first.path().join("closed/inner")).unwrap();
    fs::set_permissions(first.path().join("closed"), Permissions::from_mode(0o000)).unwrap();
    drop((first, second));
    assert_eq!(ground.copies(), 0);
}

#[test]
fn what_a_killed_process_left_is_swept_and_what_is_in_use_is_not() {
    let ground = Ground::new();
    let held = ground.copy(1000).unwrap();
    fs::create_dir_all(ground.data.scratch_base().join("12345-0/src")).unwrap();
    DataDir::open(ground.data.path()).unwrap();
    assert_eq!(ground.copies(), 1);
    assert!(held.path().join("a.py").exists());
}

#[test]
fn what_a_program_left_is_found_although_it_is_ignored() {
    let ground = Ground::new();
    let scratch = ground.copy(1000).unwrap();
    scratch.make_folder("ignored/deep").unwrap();
    scratch.write("ignored/deep/TEST-a.xml", b"<a/>").unwrap();
    scratch.write("ignored/b.txt", b"").unwrap();
    let found = scratch.files_in("ignored", &|path| path.ends_with(".xml"));
    assert_eq!(found, ["ignored/deep/TEST-a.xml"]);
    assert!(scratch.files_in("nowhere", &|_| true).is_empty());
    assert!(matches!(scratch.make_folder("../out"), Err(FsError::Outside { .. })));
}
