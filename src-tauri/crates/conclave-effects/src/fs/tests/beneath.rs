//! Files inside a project, hostile ones included.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use super::{Ground, kind, open};
use crate::fs::beneath::{open_by_walk, read_capped};

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

/// A project with one of everything that must not be read.
fn hostile() -> Ground {
    let ground = Ground::new();
    symlink(ground.at("secret"), ground.at("project/link")).unwrap();
    symlink(ground.at("project/a.py"), ground.at("project/inner-link")).unwrap();
    symlink(ground.at(""), ground.at("project/link-dir")).unwrap();
    symlink("src", ground.at("project/inner-dir")).unwrap();
    symlink("loop", ground.at("project/loop")).unwrap();
    symlink("/proc/self/root", ground.at("project/magic")).unwrap();
    fifo(&ground.at("project/fifo"));
    drop(UnixListener::bind(ground.at("project/socket")).unwrap());
    fs::create_dir(ground.at("project/dir")).unwrap();
    ground
}

#[test]
fn nothing_is_read_that_is_not_a_regular_file_of_the_project() {
    let ground = hostile();
    let project = ground.project();
    let absolute = ground.at("secret");
    let cases = [
        ("a.py", "ok"),
        ("src/b.py", "ok"),
        ("./src/./b.py", "ok"),
        ("missing", "not found"),
        ("a.py/b", "not found"),
        ("", "outside"),
        ("..", "outside"),
        ("../secret", "outside"),
        ("src/../../secret", "outside"),
        ("src/../a.py", "outside"),
        (absolute.to_str().unwrap(), "outside"),
        ("link", "outside"),
        ("inner-link", "outside"),
        ("link-dir/secret", "outside"),
        ("inner-dir/b.py", "outside"),
        ("loop", "outside"),
        ("magic/etc/passwd", "outside"),
        ("fifo", "not regular"),
        ("socket", "not regular"),
        ("dir", "not regular"),
        (".", "not regular"),
        ("a\0.py", "io"),
    ];
    for (path, expect) in cases {
        assert_eq!(kind(project.read(path, 100)), expect, "{path:?}");
        assert_eq!(project.exists(path), expect == "ok", "{path:?}");
    }
}

#[test]
fn a_device_is_not_read() {
    // Devices cannot be made without privileges, so the ones that are there stand for them.
    let project = open(Path::new("/dev")).ok().unwrap();
    for path in ["null", "zero"] {
        assert_eq!(kind(project.read(path, 100)), "not regular", "{path}");
    }
}

#[test]
fn the_walk_that_stands_in_for_the_kernel_refuses_the_same() {
    let ground = hostile();
    let folder = File::open(ground.at("project")).unwrap();
    for path in ["a.py", "src/b.py", "./src/b.py"] {
        assert!(open_by_walk(folder.as_fd(), Path::new(path), OFlags::RDONLY, Mode::empty()).is_ok(), "{path}");
    }
    for path in ["link", "inner-link", "link-dir/secret", "inner-dir/b.py", "loop", "magic/etc/passwd", "missing", ""] {
        assert!(open_by_walk(folder.as_fd(), Path::new(path), OFlags::RDONLY, Mode::empty()).is_err(), "{path}");
    }
}

#[test]
fn a_project_is_opened_only_by_its_real_path() {
    let ground = hostile();
    symlink(ground.at("project"), ground.at("alias")).unwrap();
    let cases = [
        ("project", "ok"),
        ("project/src", "ok"),
        ("alias", "not resolved"),
        ("alias/src", "not resolved"),
        ("project/../project", "not resolved"),
        ("project/a.py", "not a folder"),
        ("nowhere", "not found"),
    ];
    for (path, expect) in cases {
        assert_eq!(kind(open(&ground.at(path))), expect, "{path}");
    }
    assert_eq!(kind(open(Path::new("project"))), "not resolved");
    assert_eq!(kind(open(Path::new("/"))), "ok");
    assert_eq!(crate::resolve(&ground.at("alias")).unwrap(), ground.at("project"));
}

#[test]
fn size_is_capped_by_what_is_read() {
    let ground = Ground::new();
    fs::write(ground.at("project/exact"), "12345").unwrap();
    File::create(ground.at("project/sparse")).unwrap().set_len(1 << 40).unwrap();
    let project = ground.project();
    for (path, max, expect) in
        [("exact", 5, "ok"), ("exact", 4, "too large"), ("sparse", 1 << 20, "too large"), ("a.py", 0, "too large")]
    {
        assert_eq!(kind(project.read(path, max)), expect, "{path} {max}");
    }
    assert_eq!(project.read("exact", 5).unwrap().bytes, b"12345");
}

#[test]
fn a_file_that_says_it_is_empty_and_is_not_is_capped_too() {
    // Files of /proc have the size 0 and a content, as a file has that grows after it was looked at.
    let content = |max| read_capped(File::open("/proc/self/status").unwrap(), Path::new("status"), max);
    assert_eq!(kind(content(16)), "too large");
    assert!(content(1 << 20).unwrap().len() > 16);
}

#[test]
fn permission_bits_come_with_the_content() {
    let ground = Ground::new();
    fs::set_permissions(ground.at("project/a.py"), fs::Permissions::from_mode(0o751)).unwrap();
    assert_eq!(ground.project().read("a.py", 10).unwrap().mode, 0o751);
}

#[test]
fn a_folder_exchanged_for_a_link_at_full_speed_never_lets_the_secret_out() {
    let ground = Ground::new();
    fs::create_dir(ground.at("outside")).unwrap();
    fs::write(ground.at("outside/b.py"), "secret").unwrap();
    symlink(ground.at("outside"), ground.at("project/swap")).unwrap();
    let project = ground.project();
    let done = AtomicBool::new(false);
    let (honest, refused) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let (real, swap) = (ground.at("project/src"), ground.at("project/swap"));
            while !done.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(CWD, &real, CWD, &swap, rustix::fs::RenameFlags::EXCHANGE).unwrap();
            }
        });
        let mut counts = (0, 0);
        while counts.0 < 500 || counts.1 < 500 {
            match project.read("src/b.py", 100) {
                Ok(content) => {
                    assert_eq!(content.bytes, b"bb");
                    counts.0 += 1;
                }
                Err(_) => counts.1 += 1,
            }
        }
        done.store(true, Ordering::Relaxed);
        counts
    });
    assert!(honest >= 500 && refused >= 500);
}
