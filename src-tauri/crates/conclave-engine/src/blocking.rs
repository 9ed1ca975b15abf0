//! Heavy work, off the threads that serve everything else. Deliberately absent: a limit of its own; callers await it.

use std::panic::resume_unwind;

/// Does `work`, which computes or copies for long; a panic in it goes on in the caller.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => resume_unwind(panic),
        // Taken off the list because the runtime ends, and this future with it.
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_leaves_the_thread_and_a_panic_comes_back() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let here = std::thread::current().id();
        assert_ne!(runtime.block_on(blocking(|| std::thread::current().id())), here);
        let work = runtime.spawn(blocking(|| panic!("a fault")));
        assert!(runtime.block_on(work).expect_err("it panics").is_panic());
    }
}
