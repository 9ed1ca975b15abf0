//! How a run ends, whatever happens in it.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_core::finding::Status;
use conclave_core::tier::Effort;
use rusqlite::Connection;

use super::*;
use crate::open::{Options, open};
use crate::{project, scan};

#[tokio::test]
async fn a_store_that_fails_at_the_end_of_one_run_lets_the_others_end_and_the_job_wait() {
    let folder = tempfile::tempdir().unwrap();
    let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    for name in ["a.py", "b.py"] {
        fs::write(folder.path().join("shop").join(name), "import yaml\n\n\nyaml.load(stream)\n").unwrap();
    }
    let project = project::add(&cx, &folder.path().join("shop"), false).unwrap();
    let found = scan::scan(&cx, &project, None).await.unwrap().findings;
    let [failing, other] = found.as_slice() else { panic!("two findings: {found:?}") };
    assert_eq!(enqueue(&cx, &found, Effort::Usual).unwrap(), 2);
    let raw = Connection::open(cx.data.database()).unwrap();
    let full = format!(
        "CREATE TRIGGER full BEFORE UPDATE ON job WHEN new.state = 'done' AND new.finding = '{failing}'
         BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    );
    raw.execute_batch(&full).unwrap();

    let error = drain(&cx, 2).await.unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    let status = |id| cx.store.finding(id).unwrap().unwrap().status;
    assert_eq!(status(other), Status::FixReady);
    let open = cx.store.open_jobs().unwrap();
    assert!(matches!(open.as_slice(), [(job, false)] if job.finding == *failing && job.resumed), "{open:?}");

    raw.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(drain(&cx, 2).await.unwrap().len(), 1);
    assert_eq!((status(failing), cx.store.open_jobs().unwrap()), (Status::FixReady, Vec::new()));
}

#[tokio::test]
async fn a_panic_ends_its_own_run_and_says_so() {
    let broken = alone::<()>(async { panic!("a fault") }).await;
    assert!(broken.unwrap_err().contains("a fault"));
    assert_eq!(alone(async { 7 }).await, Ok(7));
}

#[tokio::test]
async fn dropping_the_future_ends_the_work() {
    let (held, ended) = tokio::sync::oneshot::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let work = alone(async move {
        let _held = held;
        let _ = begun.send(());
        std::future::pending::<()>().await
    });
    tokio::select! {
        _ = work => panic!("it never ends by itself"),
        begun = begins => begun.unwrap(),
    }
    ended.await.expect_err("the work was dropped with what it held");
}
