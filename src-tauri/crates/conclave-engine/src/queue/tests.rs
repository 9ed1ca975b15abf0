//! How a run ends, whatever happens in it.

use super::*;

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
