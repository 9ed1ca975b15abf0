//! Files that a person named.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{Ground, kind};
use crate::gate::tests::permit_now;
use crate::{FsError, ReadFile, WriteFile, open_file, write_file};

fn read(ground: &Ground, path: &str, max_bytes: u64) -> Result<std::io::Result<Vec<u8>>, FsError> {
    let mut file = open_file(permit_now(ReadFile { path: ground.at(path), max_bytes }))?;
    let mut bytes = Vec::new();
    Ok(file.read_to_end(&mut bytes).map(|_| bytes))
}

fn write(ground: &Ground, path: &str, bytes: &str) -> Result<(), FsError> {
    write_file(permit_now(WriteFile { path: ground.at(path), bytes: bytes.into() }))
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
fn a_named_file_is_replaced_whole_and_for_its_owner_only() {
    let ground = Ground::new();
    write(&ground, "new", "one").unwrap();
    write(&ground, "secret", "two").unwrap();
    for (path, expect) in [("new", "one"), ("secret", "two")] {
        assert_eq!(fs::read_to_string(ground.at(path)).unwrap(), expect);
        assert_eq!(fs::metadata(ground.at(path)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let left: Vec<_> = fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "no temporary file is left: {left:?}");
}

#[test]
fn nothing_but_a_regular_file_is_replaced() {
    let ground = Ground::new();
    symlink(ground.at("secret"), ground.at("link")).unwrap();
    let cases = [("project", "not regular"), ("link", "not regular"), ("missing/x", "not found")];
    for (path, expect) in cases {
        assert_eq!(kind(write(&ground, path, "x")), expect, "{path}");
    }
    assert_eq!(fs::read_to_string(ground.at("secret")).unwrap(), "secret");
}
