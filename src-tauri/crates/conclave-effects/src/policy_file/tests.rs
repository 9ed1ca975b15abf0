//! Policy files that are there, missing, or not by whoever they should be by.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

#[test]
fn a_file_is_read_where_it_stands_and_a_missing_one_is_none() {
    let ground = tempfile::tempdir().unwrap();
    let root = ground.path().canonicalize().unwrap();
    for (place, path) in [(Place::User(&root), root.join(NAME)), (Place::Project(&root), root.join(PROJECT).join(NAME))]
    {
        assert_eq!(read(place).unwrap(), None);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "version: 1\n").unwrap();
        assert_eq!(read(place).unwrap(), Some(PolicyText { path, text: "version: 1\n".to_owned() }));
    }
    assert_eq!(read(Place::Project(&root.join("gone"))).unwrap(), None);
}

#[test]
fn what_is_there_and_cannot_be_taken_is_an_error() {
    let ground = tempfile::tempdir().unwrap();
    let root = ground.path().canonicalize().unwrap();
    fs::create_dir(root.join(PROJECT)).unwrap();
    fs::write(root.join("elsewhere"), "version: 1\n").unwrap();
    for (place, path) in [(Place::User(&root), root.join(NAME)), (Place::Project(&root), root.join(PROJECT).join(NAME))]
    {
        symlink(root.join("elsewhere"), &path).unwrap();
        read(place).expect_err("a link");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        read(place).expect_err("a folder");
        fs::remove_dir(&path).unwrap();
        fs::write(&path, b"\xff").unwrap();
        read(place).expect_err("no text");
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        read(place).expect_err("too large");
    }
}

#[test]
fn the_administrators_file_is_roots_alone() {
    let ground = tempfile::tempdir().unwrap();
    let folder = ground.path().join("conclave");
    fs::create_dir(&folder).unwrap();
    let path = folder.join(NAME);
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&folder, 0o755);
    assert!(matches!(open_of_root(&path), Err(FsError::NotFound { .. })) != !is_root());
    fs::write(&path, "").unwrap();
    for (of_folder, of_file, expect) in [
        (0o755, 0o644, true),
        (0o755, 0o600, true),
        (0o755, 0o664, false),
        (0o755, 0o646, false),
        (0o777, 0o644, false),
    ] {
        mode(&folder, of_folder);
        mode(&path, of_file);
        assert_eq!(open_of_root(&path).is_ok(), expect && is_root(), "{of_folder:o} {of_file:o}");
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn the_persons_file_is_replaced_whole_and_the_one_before_is_kept() {
    let ground = tempfile::tempdir().unwrap();
    let data = DataDir::open(&ground.path().join("data")).unwrap();
    let before = data.path().join("policy.yaml.backup");
    write_user(&data, "one").unwrap();
    assert!(!before.exists());
    let path = write_user(&data, "two").unwrap();
    assert_eq!(
        (fs::read_to_string(&path).unwrap(), fs::read_to_string(&before).unwrap()),
        ("two".into(), "one".into())
    );
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
