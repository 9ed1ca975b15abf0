//! Jobs share a transaction and nothing else: not each other's failures, and no news before it is durable.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rusqlite::Transaction;

use super::GROUP;
use crate::error::Result;
use crate::tests::{again, database, fresh};
use crate::{Store, StoreError};

/// Counts what is written: the table of hosts with keys has no other table behind it.
fn put(transaction: &Transaction<'_>, name: &str) -> Result<()> {
    transaction.execute("INSERT INTO key_host (host, set_at) VALUES (?1, 0)", [name])?;
    Ok(())
}

fn names(store: &Store) -> Vec<String> {
    store
        .read(|transaction| {
            let mut statement = transaction.prepare("SELECT host FROM key_host ORDER BY host")?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok(names)
        })
        .unwrap()
}

type Work = Box<dyn FnOnce(&Transaction<'_>) -> Result<()> + Send>;

fn work(work: impl FnOnce(&Transaction<'_>) -> Result<()> + Send + 'static) -> Work {
    Box::new(work)
}

/// Hands all of `jobs` over while the connection is taken, so that they come to stand in one group.
fn together(store: &Store, jobs: Vec<Work>) -> Receiver<(usize, Result<()>)> {
    let (say, heard) = channel();
    store
        .write(|_| {
            for (n, job) in jobs.into_iter().enumerate() {
                let (say, store) = (say.clone(), store.clone());
                store.writer().hand_over(job, move |result| say.send((n, result)).unwrap());
            }
            Ok(())
        })
        .unwrap();
    heard
}

/// What `jobs` heard, in their order: nothing, or the words of an error.
fn all(heard: Receiver<(usize, Result<()>)>) -> Vec<String> {
    let mut words: Vec<_> = heard.iter().collect();
    words.sort_by_key(|(n, _)| *n);
    words.into_iter().map(|(_, result)| result.err().map(|error| error.to_string()).unwrap_or_default()).collect()
}

#[test]
fn jobs_that_wait_are_one_transaction() {
    let (_folder, store) = fresh();
    let seen = store.clone();
    let heard = together(
        &store,
        vec![
            work(|transaction| put(transaction, "a")),
            work(move |transaction| {
                assert_eq!(names(&seen), [""; 0], "the first one is not committed yet");
                put(transaction, "b")
            }),
        ],
    );
    assert_eq!(all(heard), ["", ""]);
    assert_eq!(names(&store), ["a", "b"]);
}

#[test]
fn a_job_that_fails_leaves_the_others() {
    let (_folder, store) = fresh();
    let heard = together(
        &store,
        vec![
            work(|transaction| put(transaction, "a")),
            work(|transaction| {
                put(transaction, "lost")?;
                put(transaction, "a")
            }),
            work(|transaction| {
                put(transaction, "lost too")?;
                panic!("a fault of the test")
            }),
            work(|transaction| put(transaction, "b")),
        ],
    );
    let words = all(heard);
    assert!(words[1].contains("UNIQUE"), "{words:?}");
    assert!(words[2].contains("panicked"), "{words:?}");
    assert_eq!((words[0].as_str(), words[3].as_str()), ("", ""));
    assert_eq!(names(&store), ["a", "b"]);
}

#[test]
fn nobody_hears_of_success_before_it_is_durable() {
    let (_folder, store) = fresh();
    let (say, heard) = channel();
    let seen = store.clone();
    store.writer().hand_over(|transaction| put(transaction, "a"), move |_| say.send(names(&seen)).unwrap());
    assert_eq!(heard.recv().unwrap(), ["a"]);
}

#[test]
fn what_is_not_durable_is_nobodys_success() {
    let (_folder, store) = fresh();
    // The job after it fails the commit, or has SQLite take everything back.
    let spoilers: [fn(&Transaction<'_>) -> Result<()>; 2] = [
        |transaction| {
            transaction.execute_batch(
                "PRAGMA defer_foreign_keys = ON;
                 INSERT INTO hook_call (client, session, call, request, parameters, seq, at)
                 VALUES ('', '', '', '', '', 99, 0);",
            )?;
            Ok(())
        },
        |transaction| {
            transaction.execute_batch("ROLLBACK")?;
            Err(StoreError::Sqlite("the disk is full".to_owned()))
        },
    ];
    for (spoiler, expected) in spoilers.into_iter().zip(["FOREIGN KEY", "the disk is full"]) {
        let heard = together(
            &store,
            vec![work(|transaction| put(transaction, "a")), work(spoiler), work(|transaction| put(transaction, "b"))],
        );
        let words = all(heard);
        assert!(words.len() == 3 && words.iter().all(|word| word.contains(expected)), "{words:?}");
        assert_eq!(names(&store), [""; 0]);
    }
    store.writer().write_grouped(|transaction| put(transaction, "c")).unwrap();
    assert_eq!(names(&store), ["c"], "the connection is as good as before");
}

#[test]
fn everybody_hears_when_another_process_keeps_the_database() {
    let (folder, other) = fresh();
    let quick = Store::open_existing(&database(&folder), Duration::ZERO).unwrap();
    let (say, heard) = channel();
    other
        .write(|_| {
            for n in 0..3 {
                let say = say.clone();
                quick.writer().hand_over(
                    |transaction| put(transaction, "a"),
                    move |result| {
                        say.send((n, result)).unwrap();
                    },
                );
            }
            for _ in 0..3 {
                assert!(matches!(heard.recv().unwrap(), (_, Err(StoreError::Busy))));
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(names(&other), [""; 0]);
}

#[test]
fn what_was_handed_over_comes_before_the_next_write_and_before_the_end() {
    let (folder, store) = fresh();
    let many = GROUP + 1;
    store
        .write(|_| {
            for n in 0..many {
                store.writer().hand_over(move |transaction| put(transaction, &format!("a{n}")), |_| ());
            }
            Ok(())
        })
        .unwrap();
    let sql = "SELECT count(*) FROM key_host";
    let count: u32 = store.write(|transaction| Ok(transaction.query_row(sql, [], |row| row.get(0))?)).unwrap();
    assert_eq!(count as usize, many);
    for n in 0..100 {
        store.writer().hand_over(move |transaction| put(transaction, &n.to_string()), |_| ());
    }
    drop(store);
    assert_eq!(names(&again(&folder)).len(), many + 100);
}

#[test]
fn a_job_may_hold_the_last_clone_of_its_store() {
    let (folder, store) = fresh();
    let (say, heard) = channel();
    let last = store.clone();
    store
        .write(|_| {
            store.writer().hand_over(
                |transaction| put(transaction, "a"),
                move |result| {
                    drop(last);
                    say.send(result).unwrap();
                },
            );
            Ok(())
        })
        .unwrap();
    drop(store);
    heard.recv().unwrap().unwrap();
    assert_eq!(names(&again(&folder)), ["a"]);
}

#[test]
fn threads_that_write_at_once_all_get_their_answer() {
    let (_folder, store) = fresh();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..25 {
                    let name = format!("{thread}-{n}");
                    let given = name.clone();
                    let back = store.writer().write_grouped(move |transaction| put(transaction, &name).map(|()| name));
                    assert_eq!(back.unwrap(), given);
                }
            });
        }
    });
    assert_eq!(names(&store).len(), 200);
}
