//! Our own folder: who may enter, and what is kept in it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_folder_is_ours_alone_also_when_it_was_open_before() {
    let ground = tempfile::tempdir().unwrap();
    let path = ground.path().join("a/b");
    let data = DataDir::open(&path).unwrap();
    fs::write(data.path().join("settings.json"), "{}").unwrap();
    for path in [data.path().to_owned(), data.scratch_base(), data.path().join("settings.json")] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let data = DataDir::open(&path).unwrap();
    assert_eq!(data.settings().unwrap().as_deref(), Some("{}"));
    assert_eq!(mode(data.path()), 0o700);
    assert_eq!(mode(&data.scratch_base()), 0o700);
    assert_eq!(mode(&data.path().join("settings.json")), 0o600);
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let ground = tempfile::tempdir().unwrap();
    let theirs = match crate::sandbox::guest() {
        Some((user, _)) => {
            std::os::unix::fs::chown(ground.path(), Some(user.as_raw()), None).unwrap();
            ground.path().to_owned()
        }
        // Nobody else is known here, or we are not root and the root folder is somebody else's.
        None if fs::metadata("/").unwrap().uid() == rustix::process::geteuid().as_raw() => {
            println!("skipped: there is no other user");
            return;
        }
        None => PathBuf::from("/"),
    };
    let refused = keep_private(&theirs, OFlags::DIRECTORY, Mode::RWXU);
    assert!(matches!(refused, Err(FsError::NotOurs { .. })), "{refused:?}");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_refused() {
    let ground = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(DataDir::open(ground.path()), Err(FsError::NotFolder { .. })));
}

#[test]
fn contents_come_back_under_their_digest_or_not_at_all() {
    let ground = tempfile::tempdir().unwrap();
    let data = DataDir::open(ground.path()).unwrap();
    assert_eq!(data.settings().unwrap(), None);
    let name = data.put_blob(b"abc").unwrap();
    assert_eq!(name, digest(b"abc"));
    assert_eq!(data.put_blob(b"abc").unwrap(), name);
    assert_eq!(data.blob(&name).unwrap(), b"abc");
    assert_eq!(mode(&data.blob_path(&name)), 0o600);
    for odd in [digest(b"other").as_str(), "", "../conclave.db", &name.to_uppercase()] {
        assert!(matches!(data.blob(odd), Err(FsError::NotFound { .. })), "{odd}");
    }
    fs::write(data.blob_path(&name), "abd").unwrap();
    assert!(matches!(data.blob(&name), Err(FsError::Damaged { .. })));
    data.put_blob(b"abc").unwrap();
    assert_eq!(data.blob(&name).unwrap(), b"abc", "written again");
    let left: Vec<_> = fs::read_dir(data.path().join("blobs")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_data_folder_is_where_the_environment_says() {
    type Variables = &'static [(&'static str, &'static str)];
    let cases: [(Variables, Option<&str>); 4] = [
        (&[("CONCLAVE_HOME", "/c"), ("HOME", "/h"), ("XDG_DATA_HOME", "/x")], Some("/c")),
        (&[("HOME", "/h"), ("XDG_DATA_HOME", "/x")], Some("/x/conclave")),
        (&[("HOME", "/h"), ("XDG_DATA_HOME", "relative")], Some("/h/.local/share/conclave")),
        (&[], None),
    ];
    for (variables, expect) in cases {
        let look_up =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        assert_eq!(place(look_up), expect.map(PathBuf::from), "{variables:?}");
    }
}

#[test]
fn a_folder_is_unpacked_once_and_then_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let data = DataDir::open(home.path()).unwrap();
    let files: [(&str, &[u8]); 2] = [("top.txt", b"1"), ("a/b/deep.txt", b"2")];
    let folder = data.unpack("demo/shop", &files).unwrap();
    assert_eq!(fs::read(folder.join("a/b/deep.txt")).unwrap(), b"2");
    fs::write(folder.join("top.txt"), "mine").unwrap();
    assert_eq!(data.unpack("demo/shop", &files).unwrap(), folder);
    assert_eq!(fs::read(folder.join("top.txt")).unwrap(), b"mine");
    assert!(data.unpack("other", &[("../escape", b"")]).is_err());
    assert!(!home.path().join("escape").exists() && !home.path().join("other").exists());
}

#[test]
fn a_folder_that_holds_other_things_is_not_taken_over() {
    let ground = tempfile::tempdir().unwrap();
    let project = ground.path().join("project");
    fs::create_dir(&project).unwrap();
    fs::set_permissions(&project, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(project.join("main.py"), "").unwrap();
    assert!(matches!(DataDir::open(&project), Err(FsError::NotConclaves { .. })));
    assert_eq!(mode(&project), 0o755, "nothing was changed");
    fs::write(project.join("settings.json"), "{}").unwrap();
    assert!(DataDir::open(&project).is_ok(), "settings that were written first make a folder ours");
}
