//! The wall clock, as a value that is passed in.
//!
//! It dates what is recorded. It is not for measuring: durations and time limits use the monotonic clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(i64),
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `ms` milliseconds since 1970-01-01 UTC, so that a run can be repeated.
    pub fn fixed(ms: i64) -> Self {
        Self(Source::Fixed(ms))
    }

    /// Milliseconds since 1970-01-01 UTC; 0 on a machine whose clock is set before that.
    pub fn now_ms(&self) -> i64 {
        match self.0 {
            Source::Fixed(ms) => ms,
            Source::System => {
                #[expect(clippy::disallowed_methods, reason = "this is the clock")]
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
            }
        }
    }
}
