//! Whose policy files are believed, and what happens when they change.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use tempfile::TempDir;

use super::*;

fn data() -> (TempDir, DataDir) {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    (folder, data)
}

fn kind(result: Result<Option<String>, PolicyFileError>) -> String {
    match result {
        Ok(text) => text.unwrap_or_else(|| "none".to_owned()),
        Err(PolicyFileError::NotOurs { .. }) => "not ours".to_owned(),
        Err(PolicyFileError::NotRoots { .. }) => "not root's".to_owned(),
        Err(PolicyFileError::WritableByOthers { .. }) => "writable".to_owned(),
        Err(PolicyFileError::TooLarge { .. }) => "too large".to_owned(),
        Err(PolicyFileError::NotUtf8 { .. }) => "not text".to_owned(),
        Err(PolicyFileError::Fs(_)) => "other".to_owned(),
    }
}

#[test]
fn a_policy_of_the_user_is_believed_when_nobody_else_could_have_written_it() {
    let (_folder, data) = data();
    let path = data.policy_path();
    assert_eq!(kind(data.policy()), "none");
    let large = vec![b'#'; usize::try_from(LARGEST).unwrap() + 1];
    let cases: [(&[u8], u32, &str); 6] = [
        (b"rules", 0o600, "rules"),
        (b"rules", 0o644, "rules"),
        (b"rules", 0o664, "writable"),
        (b"rules", 0o606, "writable"),
        (b"\xff", 0o600, "not text"),
        (&large, 0o600, "too large"),
    ];
    for (bytes, mode, expect) in cases {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(kind(data.policy()), expect, "{mode:o}");
    }
    fs::rename(&path, path.with_extension("away")).unwrap();
    symlink("policy.away", &path).unwrap();
    assert_eq!(kind(data.policy()), "other", "a link");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(kind(data.policy()), "other", "a folder");
}

#[test]
fn a_policy_of_the_administrator_must_be_root_s_with_its_folder() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can make files of root's");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (etc, path) = (folder.path().join("conclave"), folder.path().join("conclave/policy.yaml"));
    assert_eq!(kind(admin_policy(&path)), "none");
    fs::create_dir(&etc).unwrap();
    fs::set_permissions(&etc, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(kind(admin_policy(&path)), "none");
    fs::write(&path, "rules").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(kind(admin_policy(&path)), "rules");
    for place in [&path, &etc] {
        let mode = fs::metadata(place).unwrap().permissions();
        fs::set_permissions(place, Permissions::from_mode(mode.mode() | 0o020)).unwrap();
        assert_eq!(kind(admin_policy(&path)), "writable");
        fs::set_permissions(place, mode).unwrap();
        if chown(place, Some(4321), None).is_ok() {
            assert_eq!(kind(admin_policy(&path)), "not root's");
            chown(place, Some(0), None).unwrap();
        }
    }
    assert_eq!(kind(admin_policy(&path)), "rules");
}

#[test]
fn a_policy_of_a_project_is_reached_without_links() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    assert_eq!(kind(project_policy(&root)), "none");
    fs::create_dir(root.join("elsewhere")).unwrap();
    fs::write(root.join("elsewhere/policy.yaml"), "rules").unwrap();
    symlink("elsewhere", root.join(".conclave")).unwrap();
    assert_eq!(kind(project_policy(&root)), "other");
    fs::remove_file(root.join(".conclave")).unwrap();
    fs::rename(root.join("elsewhere"), root.join(".conclave")).unwrap();
    assert_eq!(kind(project_policy(&root)), "rules");
    fs::write(root.join(PROJECT), b"\xff").unwrap();
    assert_eq!(kind(project_policy(&root)), "not text");
    fs::remove_file(root.join(PROJECT)).unwrap();
    symlink("/etc/passwd", root.join(PROJECT)).unwrap();
    assert_eq!(kind(project_policy(&root)), "other");
}

#[test]
fn the_policy_before_is_kept() {
    let (_folder, data) = data();
    let backup = data.path().join("policy.yaml.bak");
    data.write_policy("one").unwrap();
    assert!(!backup.exists());
    data.write_policy("two").unwrap();
    assert_eq!((kind(data.policy()), fs::read_to_string(backup).unwrap()), ("two".to_owned(), "one".to_owned()));
}

#[tokio::test]
async fn a_change_of_any_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let files = [root.join("a/policy.yaml"), root.join("b/policy.yaml")];
    fs::create_dir(root.join("a")).unwrap();
    let mut following = follow(&files).unwrap();
    fs::write(&files[0], "new").unwrap();
    following.changed().await;
    fs::write(root.join("a/other"), "other").unwrap();
    fs::write(root.join("a/next"), "replaced").unwrap();
    fs::rename(root.join("a/next"), &files[0]).unwrap();
    following.changed().await;
    fs::create_dir(root.join("b")).unwrap();
    following.changed().await;
    let mut following = follow(&files).unwrap();
    fs::write(&files[1], "new").unwrap();
    following.changed().await;
    fs::remove_file(&files[1]).unwrap();
    following.changed().await;
}
