//! First use, migration, refusal and damage of the file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use std::time::Duration;

use conclave_core::id::ProjectId;
use conclave_policy::{Effective, Ledger};
use rusqlite::Connection;

use super::{NOW, again, database, decision, fresh, fresh_with_project};
use crate::migrations::STEPS;
use crate::{FindingQuery, Store, StoreError};

const ADD_COLOUR: &str = "ALTER TABLE project ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';";

fn with(more: &'static str) -> Vec<&'static str> {
    STEPS.iter().copied().chain([more]).collect()
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn all_files_belong_to_their_owner_alone_and_closing_leaves_two() {
    let (folder, store, _) = fresh_with_project();
    store.claimant().unwrap();
    let open = names(&folder);
    assert_eq!(open, ["conclave.db", "conclave.db-shm", "conclave.db-wal", "conclave.db.claim-1", "conclave.db.lock"]);
    for name in open {
        let mode = fs::metadata(folder.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(store);
    assert_eq!(names(&folder), ["conclave.db", "conclave.db.lock"]);
}

#[test]
fn connections_are_durable_and_distrust_the_file() {
    let (_folder, store) = fresh();
    let pragma = |name: &str| {
        let read = |t: &rusqlite::Transaction<'_>| Ok(t.pragma_query_value(None, name, |row| row.get::<_, i64>(0))?);
        (store.write(read).unwrap(), store.read(read).unwrap())
    };
    for (name, value) in [("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0), ("busy_timeout", 5000)] {
        assert_eq!(pragma(name), (value, value), "{name}");
    }
    let mode: String = store.read(|t| Ok(t.pragma_query_value(None, "journal_mode", |row| row.get(0))?)).unwrap();
    assert_eq!(mode, "wal");
    let sql = "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = sql;";
    store.write(|t| Ok(t.execute_batch(sql)?)).unwrap_err();
}

#[test]
fn a_newer_file_is_refused_and_left_as_it_is() {
    let (folder, store, _) = fresh_with_project();
    drop(store);
    let path = database(&folder);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    let error = Store::open(&path, NOW).map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_migration_keeps_the_rows_and_happens_once() {
    let (folder, store, project) = fresh_with_project();
    drop(store);
    let steps = with(ADD_COLOUR);
    for _ in 0..2 {
        let store = Store::open_with(&database(&folder), NOW, &steps, 1).unwrap().store;
        let sql = "SELECT id, colour FROM project";
        let row: (String, String) =
            store.read(|t| Ok(t.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)).unwrap();
        assert_eq!(row, (project.to_string(), "grey".to_owned()));
    }
    assert_eq!(names(&folder), ["conclave.db", "conclave.db.lock"]);
    assert!(matches!(Store::open(&database(&folder), NOW), Err(StoreError::Newer { .. })));
}

#[test]
fn what_a_crash_left_in_the_log_is_migrated_too() {
    let (folder, store, project) = fresh_with_project();
    // A copy of a living database is what a crash leaves: rows in the write-ahead log only.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["conclave.db", "conclave.db-wal"] {
        fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    drop(store);
    let store = Store::open_with(&database(&crashed), NOW, &with(ADD_COLOUR), 1).unwrap().store;
    assert!(store.project(&project).unwrap().is_some());
}

#[test]
fn a_migration_that_fails_leaves_the_old_file() {
    let (folder, store, project) = fresh_with_project();
    drop(store);
    let failing = "ALTER TABLE project ADD COLUMN colour TEXT; DROP TABLE nothing;";
    let error = Store::open_with(&database(&folder), NOW, &with(failing), 1).map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::Sqlite(_)), "{error}");
    assert!(again(&folder).project(&project).unwrap().is_some());
}

#[test]
fn nobody_migrates_under_the_feet_of_another_process() {
    let (folder, store, project) = fresh_with_project();
    let error = Store::open_with(&database(&folder), NOW, &with(ADD_COLOUR), 1).map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::Busy), "{error}");
    assert!(store.project(&project).unwrap().is_some());
}

#[test]
fn a_damaged_file_is_moved_aside_and_said() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 4] = [
        ("not a database", |bytes| bytes[..100].fill(b'x')),
        ("a page overwritten", |bytes| bytes[8192..12288].fill(0xa5)),
        ("cut off", |bytes| bytes.truncate(20_000)),
        ("empty", Vec::clear),
    ];
    for (name, damage) in damages {
        let (folder, store, project) = fresh_with_project();
        drop(store);
        let path = database(&folder);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();

        let opened = Store::open(&path, NOW).unwrap();
        let aside = folder.path().join("conclave.db.damaged-20260102T030405Z");
        let notice = opened.notice.unwrap_or_else(|| panic!("{name}: nothing was said"));
        assert!(notice.contains(&aside.display().to_string()), "{notice}");
        assert_eq!(fs::read(&aside).unwrap(), bytes, "{name}: the damaged bytes are kept");
        assert_eq!(opened.store.project(&project).unwrap(), None);
        drop(opened.store);
        again(&folder);
    }
}

#[test]
fn two_damaged_files_of_one_second_do_not_overwrite_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["first", "second"] {
        fs::write(database(&folder), text.repeat(300)).unwrap();
        assert!(Store::open(&database(&folder), NOW).unwrap().notice.is_some());
    }
    let aside = folder.path().join("conclave.db.damaged-20260102T030405Z");
    assert_eq!(fs::read_to_string(&aside).unwrap(), "first".repeat(300));
    assert_eq!(fs::read_to_string(aside.with_extension("damaged-20260102T030405Z-2")).unwrap(), "second".repeat(300));
}

#[test]
fn damage_that_shows_while_running_is_looked_into_at_the_next_start() {
    let (folder, store, project) = fresh_with_project();
    let sql = "UPDATE project SET watched = 'x'";
    drop(store);
    let raw = Connection::open(database(&folder)).unwrap();
    raw.execute_batch("PRAGMA ignore_check_constraints = ON;").unwrap();
    raw.execute(sql, []).unwrap_err();
    drop(raw);

    let store = again(&folder);
    let seen: Result<(), _> = store.read(|_| Err(StoreError::Corrupt("page 3".into())));
    assert!(seen.is_err());
    assert!(names(&folder).contains(&"conclave.db.suspect".to_owned()));
    drop(store);
    let store = again(&folder);
    assert!(!names(&folder).contains(&"conclave.db.suspect".to_owned()), "the whole file is in order");
    assert!(store.project(&project).unwrap().is_some());
}

#[test]
fn a_missing_folder_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere/conclave.db");
    let error = Store::open(&path, NOW).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("nowhere/conclave.db.lock"), "{error}");
}

#[test]
fn a_store_opened_twice_is_one_store() {
    let (folder, store, project) = fresh_with_project();
    let other = again(&folder);
    other
        .save_scan(&super::scan(&project, "s", crate::ScanState::Complete), &[super::finding(&project, "a.py", 1)], NOW)
        .unwrap();
    assert_eq!(store.list_findings(&FindingQuery::default()).unwrap().total, 1);
    assert_eq!(store.project(&ProjectId::new("none")).unwrap(), None);
}

const QUICK: Duration = Duration::from_millis(40);

#[test]
fn a_quick_task_opens_what_is_there_and_appends_durably() {
    let (folder, store) = fresh();
    let append = || {
        let quick = Store::open_existing(&database(&folder), QUICK).unwrap();
        for (name, value) in [("synchronous", 2), ("busy_timeout", 40)] {
            let found: i64 = quick.write(|t| Ok(t.pragma_query_value(None, name, |row| row.get(0))?)).unwrap();
            assert_eq!(found, value, "{name}");
        }
        quick.append(&decision(NOW, "remote", Effective::Deny)).unwrap()
    };
    assert_eq!(append(), 1);
    assert_eq!(store.verify_ledger().unwrap().rows, 1, "beside another");
    drop(store);
    assert_eq!(names(&folder), ["conclave.db", "conclave.db.lock"], "who only reads clears the log of others too");
    assert_eq!(append(), 2, "alone");
    assert_eq!(names(&folder), ["conclave.db", "conclave.db.lock"]);
    let verdict = again(&folder).verify_ledger().unwrap();
    assert_eq!((verdict.rows, verdict.fault), (2, None));
}

#[test]
fn a_quick_task_creates_and_mends_nothing() {
    type Prepare = fn(&std::path::Path);
    type Expected = fn(&StoreError) -> bool;
    fn form(path: &std::path::Path, version: i64) {
        Connection::open(path).unwrap().pragma_update(None, "user_version", version).unwrap();
    }
    let cases: [(&str, Prepare, Expected); 6] = [
        (
            "missing",
            |path| fs::remove_file(path).unwrap(),
            |e| matches!(e, StoreError::Missing { what: "database", .. }),
        ),
        ("newer", |path| form(path, 99), |e| matches!(e, StoreError::Newer { found: 99, .. })),
        ("older", |path| form(path, 3), |e| matches!(e, StoreError::Older { found: 3, .. })),
        ("without form", |path| form(path, 0), |e| matches!(e, StoreError::Corrupt(_))),
        ("empty", |path| fs::write(path, "").unwrap(), |e| matches!(e, StoreError::Corrupt(_))),
        ("garbage", |path| fs::write(path, "x".repeat(9000)).unwrap(), |e| matches!(e, StoreError::Corrupt(_))),
    ];
    for (name, prepare, expected) in cases {
        let (folder, store) = fresh();
        drop(store);
        let path = database(&folder);
        prepare(&path);
        let before = fs::read(&path).ok();
        let error = Store::open_existing(&path, QUICK).map(|_| ()).unwrap_err();
        assert!(expected(&error), "{name}: {error}");
        assert_eq!(fs::read(&path).ok(), before, "{name}");
        let marked = names(&folder).contains(&"conclave.db.suspect".to_owned());
        assert_eq!(marked, matches!(error, StoreError::Corrupt(_)), "{name}");
    }
}

#[test]
fn a_quick_task_waits_no_longer_than_it_said() {
    let (folder, store) = fresh();
    let path = database(&folder);
    let quick = Store::open_existing(&path, QUICK).unwrap();
    let undone: Result<(), StoreError> = store.write(|_| {
        let error = quick.append(&decision(NOW, "remote", Effective::Deny)).unwrap_err();
        assert!(error.to_string().contains("another Conclave is using the database"), "{error}");
        Store::open_existing(&path, QUICK).unwrap().verify_ledger().unwrap();
        Ok(())
    });
    undone.unwrap();
    drop((quick, store));

    let lock = fs::File::open(folder.path().join("conclave.db.lock")).unwrap();
    lock.lock().unwrap();
    let error = Store::open_existing(&path, QUICK).map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::Busy), "{error}");
}
