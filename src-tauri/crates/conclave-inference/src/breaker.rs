//! Leaves a provider alone that keeps failing.
//!
//! After [`FAILURES`] failures in a row nobody is let through for [`REST`]; then one call is, and what comes of it
//! decides. Time is that of the runtime, so that tests can make it pass.
//!
//! Deliberately absent: waiting. Whoever is not let through asks somebody else.
//! Invariant: a call that began before the breaker opened or closed changes nothing about it any more.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::error::{AskError, Waiting};

/// So many failures in a row open it.
pub const FAILURES: u32 = 5;

/// How long it stays open.
pub const REST: Duration = Duration::from_secs(30);

/// What a call says about the one that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It works, whatever it said.
    Well,
    /// It failed.
    Ill,
    /// Nothing: it was not asked, or not as it should have been.
    None,
}

impl AskError {
    /// What the failure says about the one that was asked.
    pub fn sign(&self) -> Sign {
        match self {
            Self::Unreachable { .. }
            | Self::Certificate { .. }
            | Self::RateLimited { .. }
            | Self::Server { .. }
            | Self::Overloaded { .. }
            | Self::Cut
            | Self::Ended { .. }
            | Self::Malformed { .. } => Sign::Ill,
            Self::Timeout(Waiting::Leave | Waiting::Turn | Waiting::Tool) => Sign::None,
            Self::Timeout(_) => Sign::Ill,
            // It answered: with an answer that is of no use, or with what has to be put right here.
            Self::Unauthorised
            | Self::NoMoney
            | Self::NotFound { .. }
            | Self::Rejected { .. }
            | Self::Redirected
            | Self::TooLong
            | Self::TooLarge { .. }
            | Self::Truncated
            | Self::Empty
            | Self::WrongForm { .. } => Sign::Well,
            Self::Denied(_)
            | Self::BadAddress { .. }
            | Self::NoKey(_)
            | Self::NotSent(_)
            | Self::OverBudget(_)
            | Self::Resting { .. }
            | Self::NotInstalled(_)
            | Self::NotOffered(_) => Sign::None,
        }
    }
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Everybody is let through.
    Closed,
    /// Nobody is.
    Open,
    /// The next one is, or was and has not come back.
    HalfOpen,
}

/// One provider's breaker; closed at first.
#[derive(Default)]
pub struct Breaker(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// In a row.
    failures: u32,
    /// Until when it is open; `None` while it is closed.
    until: Option<Instant>,
    /// Whether the one call is under way that decides.
    is_probed: bool,
    /// Counts how often it opened and closed.
    turn: u64,
}

/// Why a call is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Failures in a row.
    pub failures: u32,
    /// How long it stays open; zero while another call decides.
    pub left: Duration,
}

impl Breaker {
    /// Lets a call through, unless the breaker is open.
    ///
    /// # Errors
    /// It is, or another call is to decide.
    pub fn enter(&self) -> Result<Pass<'_>, Rest> {
        let mut inner = self.inner();
        let left = inner.until.map(|until| until.saturating_duration_since(Instant::now()));
        let is_probe = match left {
            None => false,
            Some(Duration::ZERO) if !inner.is_probed => true,
            Some(left) => return Err(Rest { failures: inner.failures, left }),
        };
        inner.is_probed |= is_probe;
        Ok(Pass { breaker: self, turn: inner.turn, is_probe })
    }

    /// Where it stands now.
    pub fn state(&self) -> BreakerState {
        match self.inner().until {
            None => BreakerState::Closed,
            Some(until) if until > Instant::now() => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// How long it stays open; `None` where it is not.
    pub fn left(&self) -> Option<Duration> {
        let left = self.inner().until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one call. Dropped, it says nothing about the provider.
pub struct Pass<'a> {
    breaker: &'a Breaker,
    turn: u64,
    is_probe: bool,
}

impl Pass<'_> {
    /// Says how the call went.
    pub fn end(self, sign: Sign) {
        let mut inner = self.breaker.inner();
        if inner.turn != self.turn {
            return;
        }
        match sign {
            Sign::None => {}
            Sign::Well => {
                inner.failures = 0;
                if inner.until.take().is_some() {
                    inner.turn += 1;
                }
            }
            Sign::Ill => {
                inner.failures = inner.failures.saturating_add(1);
                if inner.failures >= FAILURES {
                    inner.until = Some(Instant::now() + REST);
                    inner.turn += 1;
                }
            }
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.inner().is_probed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.enter().ok().unwrap().end(Sign::Ill);
        }
    }

    fn left(breaker: &Breaker) -> Option<u64> {
        breaker.enter().err().map(|rest| rest.left.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_it_and_one_call_after_half_a_minute_decides() {
        let breaker = Breaker::default();
        fail(&breaker, 4);
        breaker.enter().ok().unwrap().end(Sign::Well);
        fail(&breaker, 4);
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail(&breaker, 1);
        assert_eq!((breaker.state(), left(&breaker)), (BreakerState::Open, Some(30)));
        advance(Duration::from_secs(29)).await;
        assert_eq!((left(&breaker), breaker.left()), (Some(1), Some(Duration::from_secs(1))));

        advance(Duration::from_secs(1)).await;
        let probe = breaker.enter().ok().unwrap();
        assert_eq!((breaker.state(), left(&breaker)), (BreakerState::HalfOpen, Some(0)), "one at a time");
        assert_eq!(breaker.left(), None);
        probe.end(Sign::Ill);
        assert_eq!((breaker.state(), left(&breaker)), (BreakerState::Open, Some(30)));

        advance(REST).await;
        breaker.enter().ok().unwrap().end(Sign::Well);
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail(&breaker, 4);
        assert_eq!(breaker.state(), BreakerState::Closed, "it counts from the beginning");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_says_nothing_leaves_it_as_it_is() {
        let breaker = Breaker::default();
        fail(&breaker, 4);
        breaker.enter().ok().unwrap().end(Sign::None);
        drop(breaker.enter().ok().unwrap());
        fail(&breaker, 1);
        assert_eq!(breaker.state(), BreakerState::Open);
        advance(REST).await;
        // The one that was to decide was called off, so the next one is.
        drop(breaker.enter().ok().unwrap());
        breaker.enter().ok().unwrap().end(Sign::None);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.enter().ok().unwrap().end(Sign::Well);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_from_before_it_opened_neither_close_it_nor_keep_it_open() {
        let breaker = Breaker::default();
        let [early, late] = [breaker.enter().ok().unwrap(), breaker.enter().ok().unwrap()];
        fail(&breaker, 5);
        early.end(Sign::Well);
        assert_eq!(left(&breaker), Some(30));
        advance(Duration::from_secs(20)).await;
        late.end(Sign::Ill);
        assert_eq!(left(&breaker), Some(10));
    }
}
