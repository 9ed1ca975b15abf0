//! How a run ends, whatever happens in it.

use super::*;

#[tokio::test]
async fn a_panic_ends_its_own_run_and_says_so() {
    let broken = alone::<()>(async { panic!("a fault") }).await;
    assert!(matches!(&broken, Err(RunError::Broken(why)) if why.contains("panicked")), "{broken:?}");
    assert!(matches!(alone(async { Ok(7) }).await, Ok(7)));
    assert!(matches!(alone::<()>(async { Err(RunError::Cancelled) }).await, Err(RunError::Cancelled)));
}

#[tokio::test]
async fn dropping_the_future_ends_the_work() {
    let (held, ended) = tokio::sync::oneshot::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let work = alone(async move {
        let _held = held;
        let _ = begun.send(());
        std::future::pending::<Result<(), RunError>>().await
    });
    tokio::select! {
        _ = work => panic!("it never ends by itself"),
        begun = begins => begun.unwrap(),
    }
    ended.await.expect_err("the work was dropped with what it held");
}
