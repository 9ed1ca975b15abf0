//! Files that a person named.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{Ground, kind};
use crate::fs::backup;
use crate::gate::tests::permit_now;
use crate::{DataDir, Effect, FsError, ReadFile, WriteFile, WriteSpooled, open_file, write_file, write_spooled};

fn read(ground: &Ground, path: &str, max_bytes: u64) -> Result<std::io::Result<Vec<u8>>, FsError> {
    let mut file = open_file(permit_now(ReadFile { path: ground.at(path), max_bytes }))?;
    let mut bytes = Vec::new();
    Ok(file.read_to_end(&mut bytes).map(|_| bytes))
}

fn write(ground: &Ground, path: &str, bytes: &str) -> Result<(), FsError> {
    write_file(permit_now(replacement(ground, path, bytes)))
}

fn replacement(ground: &Ground, path: &str, bytes: &str) -> WriteFile {
    WriteFile { path: ground.at(path), bytes: bytes.into(), base: None, backup: false }
}

fn text(ground: &Ground, path: &str) -> String {
    fs::read_to_string(ground.at(path)).unwrap()
}

#[test]
fn a_named_file_is_read_if_it_is_a_regular_one() {
    let ground = Ground::new();
    symlink(ground.at("secret"), ground.at("link")).unwrap();
    symlink("/dev/zero", ground.at("endless")).unwrap();
    mknodat(CWD, ground.at("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    drop(std::os::unix::net::UnixListener::bind(ground.at("socket")).unwrap());
    let cases = [
        ("secret", "ok"),
        ("link", "ok"),
        ("endless", "not regular"),
        ("fifo", "not regular"),
        ("socket", "not regular"),
        ("project", "not regular"),
        ("missing", "not found"),
    ];
    for (path, expect) in cases {
        assert_eq!(kind(read(&ground, path, 100)), expect, "{path}");
    }
}

#[test]
fn a_file_larger_than_agreed_fails_and_is_not_cut() {
    let ground = Ground::new();
    for (max, expect) in [
        (6, Ok(b"secret".to_vec())),
        (7, Ok(b"secret".to_vec())),
        (5, Err(ErrorKind::FileTooLarge)),
        (0, Err(ErrorKind::FileTooLarge)),
    ] {
        assert_eq!(read(&ground, "secret", max).unwrap().map_err(|error| error.kind()), expect, "{max}");
    }
}

#[test]
fn a_named_file_is_replaced_whole_and_keeps_who_may_read_it() {
    let ground = Ground::new();
    fs::set_permissions(ground.at("secret"), fs::Permissions::from_mode(0o640)).unwrap();
    write(&ground, "new", "one").unwrap();
    write(&ground, "secret", "two").unwrap();
    for (path, expect, mode) in [("new", "one", 0o600), ("secret", "two", 0o640)] {
        assert_eq!(text(&ground, path), expect);
        assert_eq!(fs::metadata(ground.at(path)).unwrap().permissions().mode() & 0o777, mode);
    }
    let left: Vec<_> = fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "no temporary file is left: {left:?}");
}

#[test]
fn a_link_that_was_named_leads_to_what_is_judged_and_replaced() {
    let ground = Ground::new();
    symlink(ground.at("secret"), ground.at("dotfile")).unwrap();
    symlink("project/new", ground.at("dangling")).unwrap();
    for (link, place) in [("dotfile", "secret"), ("dangling", "project/new")] {
        let permit = permit_now(replacement(&ground, link, "new"));
        assert_eq!(permit.request().paths[0].real.as_deref(), ground.at(place).to_str());
        write_file(permit).unwrap();
        assert!(fs::symlink_metadata(ground.at(link)).unwrap().is_symlink(), "{link} is still a link");
        assert_eq!(text(&ground, place), "new");
    }
}

#[test]
fn what_is_replaced_is_kept_beside_it_where_that_was_asked() {
    let ground = Ground::new();
    write_file(permit_now(WriteFile { backup: true, ..replacement(&ground, "secret", "new") })).unwrap();
    write_file(permit_now(WriteFile { backup: true, ..replacement(&ground, "fresh", "new") })).unwrap();
    assert_eq!((text(&ground, "secret"), text(&ground, "secret.conclave-backup")), ("new".into(), "secret".into()));
    assert_eq!((text(&ground, "fresh"), ground.at("fresh.conclave-backup").exists()), ("new".into(), false));
    for bytes in ["newer", "newest"] {
        write_file(permit_now(WriteFile { backup: true, ..replacement(&ground, "secret", bytes) })).unwrap();
    }
    let kept = (1..=3).map(|number| fs::read_to_string(backup(&ground.at("secret"), number)).unwrap());
    assert_eq!(kept.collect::<Vec<_>>(), ["secret", "new", "newer"], "no copy takes the place of an older one");
}

#[test]
fn nothing_but_a_regular_file_is_replaced() {
    let ground = Ground::new();
    symlink(ground.at("project"), ground.at("link")).unwrap();
    symlink("loop", ground.at("loop")).unwrap();
    mknodat(CWD, ground.at("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let cases = [
        ("project", "not regular"),
        ("link", "not regular"),
        ("fifo", "not regular"),
        ("loop", "io"),
        ("missing/x", "not found"),
    ];
    for (path, expect) in cases {
        assert_eq!(kind(write(&ground, path, "x")), expect, "{path}");
    }
}

/// What happens to a file, or the folder it is in, between the judgement and the deed.
#[test]
fn a_file_that_is_not_the_judged_one_is_neither_read_nor_written() {
    type Swap = fn(&Ground);
    let swaps: [(&str, Swap); 6] = [
        ("project/a.py", |ground| fs::rename(ground.at("project/src/b.py"), ground.at("project/a.py")).unwrap()),
        ("project/a.py", |ground| fs::remove_file(ground.at("project/a.py")).unwrap()),
        ("project/a.py", |ground| {
            fs::remove_file(ground.at("project/a.py")).unwrap();
            symlink(ground.at("secret"), ground.at("project/a.py")).unwrap();
        }),
        ("project/new", |ground| symlink(ground.at("secret"), ground.at("project/new")).unwrap()),
        ("project/src/new", |ground| {
            fs::rename(ground.at("project/src"), ground.at("away")).unwrap();
            symlink(ground.at("away"), ground.at("project/src")).unwrap();
        }),
        ("project/src/new", |ground| {
            fs::rename(ground.at("project/src"), ground.at("away")).unwrap();
            fs::create_dir(ground.at("project/src")).unwrap();
        }),
    ];
    for (number, (path, swap)) in swaps.into_iter().enumerate() {
        let ground = Ground::new();
        let write = permit_now(WriteFile { base: None, ..replacement(&ground, path, "written") });
        let read = permit_now(ReadFile { path: ground.at(path), max_bytes: 100 });
        swap(&ground);
        let expect_read = if number < 5 { "stale" } else { "not found" };
        assert_eq!(kind(open_file(read).map(drop)), expect_read, "{number}");
        assert!(matches!(write_file(write), Err(FsError::Stale(_) | FsError::NotRegular { .. })), "{number}");
        assert_eq!(text(&ground, "secret"), "secret");
        assert!(!ground.at("away/new").exists() && !ground.at("project/src/new").exists());
    }
}

#[test]
fn a_file_with_other_bytes_than_the_change_was_made_from_is_left() {
    let ground = Ground::new();
    let change = |base: &str| WriteFile {
        base: Some(conclave_policy::digest(base.as_bytes())),
        ..replacement(&ground, "secret", "new")
    };
    assert_eq!(kind(write_file(permit_now(change("other")))), "stale");
    assert_eq!(text(&ground, "secret"), "secret");
    write_file(permit_now(change("secret"))).unwrap();
    assert_eq!(text(&ground, "secret"), "new");
}

#[test]
fn what_was_made_piece_by_piece_is_judged_and_written_as_a_whole() {
    let ground = Ground::new();
    let data = DataDir::open(&ground.at("data")).unwrap();
    let spooled = |path: &str| {
        let mut content = data.spool().unwrap();
        for piece in ["one\n", "two\n"] {
            content.write_all(piece.as_bytes()).unwrap();
        }
        WriteSpooled { path: ground.at(path), content }
    };
    let request = |effect: &dyn Effect| effect.request(&conclave_policy::Actor::Person);
    assert_eq!(request(&spooled("new")), request(&replacement(&ground, "new", "one\ntwo\n")), "the same is judged");
    for path in ["new", "secret"] {
        write_spooled(permit_now(spooled(path))).unwrap();
        assert_eq!(text(&ground, path), "one\ntwo\n");
    }
    assert_eq!(kind(write_spooled(permit_now(spooled("project")))), "not regular");
    let left =
        fs::read_dir(ground.at("data")).unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    assert_eq!(left.filter(|name| name.ends_with(".tmp")).count(), 0, "nothing is left of a spool");
}
