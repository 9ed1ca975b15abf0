//! How a provider is: what a look at it found, how its last calls went, and whether it is slower than it usually is.
//!
//! Deliberately absent: looking, which the strategy does for all providers at once, and keeping: after a restart a
//! provider has no past. Invariant: health has one form, in good days and bad.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use conclave_core::settings::HealthSetting;
use serde::Serialize;

use crate::breaker::{BreakerState, Sign};
use crate::error::AskError;
use crate::provider::{Checked, Kind};

/// So many calls are remembered.
const REMEMBERED: usize = 100;
/// Fewer calls say nothing about a provider.
const FEWEST: usize = 5;
/// So many of the last answers are compared with those before.
const LATEST: usize = 5;

/// How a provider is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It answers, and something is not as it should be.
    Degraded,
    /// It does not answer.
    Down,
}

/// How a provider is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Its name.
    pub name: String,
    /// The kind of way.
    pub kind: Kind,
    /// In one word.
    pub state: State,
    /// In a sentence.
    pub message: String,
    /// When it was looked at, in milliseconds since 1970-01-01 UTC.
    pub last_check_ms: i64,
    /// How many of its calls failed since Conclave started.
    pub error_count: u64,
    /// Whole percent of its last hundred calls that failed; `None` while there are fewer than five.
    pub error_percent: Option<u8>,
    /// The median time of its last five answers, in milliseconds; `None` while there are fewer.
    pub latest_ms: Option<u64>,
    /// The median time of the answers before those; `None` while there are fewer than five.
    pub usual_ms: Option<u64>,
    /// Where its breaker stands.
    pub breaker: BreakerState,
    /// How long it is left alone still, in milliseconds; `None` while it is not.
    pub rests_ms: Option<u64>,
    /// What a look at it found; empty where none succeeded.
    pub found: Checked,
    /// How it does beside the others, where it is only tried out.
    pub trial: Option<Trial>,
}

/// How a provider does that is only tried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// How often it was asked beside another.
    pub asked: u64,
    /// How often it answered.
    pub answered: u64,
    /// How often its answer could be compared with the one that was used.
    pub compared: u64,
    /// How often it said the same.
    pub agreed: u64,
}

/// How the last calls to a provider went.
#[derive(Default)]
pub(crate) struct Course(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    /// Whether each failed.
    failed: VecDeque<bool>,
    /// How long each answer took.
    times: VecDeque<u64>,
    errors: u64,
}

/// What the last calls say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    pub errors: u64,
    pub error_percent: Option<u8>,
    pub latest_ms: Option<u64>,
    pub usual_ms: Option<u64>,
}

impl Course {
    /// Remembers a call.
    pub fn add(&self, sign: Sign, took: Duration) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sign == Sign::None {
            return;
        }
        calls.errors += u64::from(sign == Sign::Ill);
        push(&mut calls.failed, sign == Sign::Ill);
        if sign == Sign::Well {
            push(&mut calls.times, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        }
    }

    /// What they say together.
    pub fn past(&self) -> Past {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = calls.failed.iter().filter(|failed| **failed).count();
        let percent = (calls.failed.len() >= FEWEST).then(|| failed * 100 / calls.failed.len());
        let before = calls.times.len().saturating_sub(LATEST);
        Past {
            errors: calls.errors,
            error_percent: percent.and_then(|percent| u8::try_from(percent).ok()),
            latest_ms: median(calls.times.iter().skip(before)),
            usual_ms: median(calls.times.iter().take(before)),
        }
    }
}

fn push<T>(last: &mut VecDeque<T>, one: T) {
    if last.len() == REMEMBERED {
        last.pop_front();
    }
    last.push_back(one);
}

/// The middle one of `times`, where they are enough to say anything.
fn median<'a>(times: impl Iterator<Item = &'a u64>) -> Option<u64> {
    let mut times: Vec<u64> = times.copied().collect();
    times.sort_unstable();
    (times.len() >= FEWEST).then(|| times[times.len() / 2])
}

/// How a provider is that was `found` so and has this `past`, in one word and in a sentence.
pub(crate) fn judge(
    found: Result<&Checked, &AskError>,
    past: &Past,
    breaker: BreakerState,
    limits: &HealthSetting,
) -> (State, String) {
    let found = match found {
        Ok(found) => found,
        Err(error) => return (State::Down, error.to_string()),
    };
    if breaker == BreakerState::Open {
        return (State::Down, "it failed several times in a row and is left alone for a while".to_owned());
    }
    let failed = past.error_percent.unwrap_or(0);
    let often = |state| (state, format!("{failed} % of its last calls failed"));
    if failed > 0 && failed >= limits.down_percent {
        return often(State::Down);
    }
    if failed > 0 && failed >= limits.degraded_percent {
        return often(State::Degraded);
    }
    if breaker == BreakerState::HalfOpen {
        return (State::Degraded, "it failed several times in a row; the next call decides".to_owned());
    }
    if let (Some(latest), Some(usual)) = (past.latest_ms, past.usual_ms)
        && u128::from(latest) * 100 >= u128::from(usual.max(1)) * u128::from(limits.slow_percent)
    {
        return (State::Degraded, format!("it takes {latest} ms for an answer, where {usual} ms are usual"));
    }
    match found.warnings.first() {
        Some(warning) => (State::Degraded, warning.clone()),
        None => (State::Ok, found.found.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(warnings: &[&str]) -> Checked {
        let warnings = warnings.iter().map(|&warning| warning.to_owned()).collect();
        Checked { found: "it answers".to_owned(), warnings, ..Checked::default() }
    }

    fn past(error_percent: u8, latest_ms: u64) -> Past {
        Past { errors: 0, error_percent: Some(error_percent), latest_ms: Some(latest_ms), usual_ms: Some(100) }
    }

    #[test]
    fn health_follows_from_the_look_the_breaker_the_failures_and_the_times() {
        use BreakerState::{Closed, HalfOpen, Open};
        let limits = HealthSetting::default();
        let none = Past::default();
        let cases = [
            (Ok(found(&[])), none, Closed, State::Ok, "it answers"),
            (Ok(found(&["it retires soon"])), none, Closed, State::Degraded, "it retires soon"),
            (Err(AskError::Unauthorised), none, Closed, State::Down, "the key was not accepted"),
            (Ok(found(&[])), none, Open, State::Down, "left alone"),
            (Ok(found(&[])), none, HalfOpen, State::Degraded, "the next call decides"),
            (Ok(found(&[])), past(9, 100), Closed, State::Ok, "it answers"),
            (Ok(found(&[])), past(10, 100), Closed, State::Degraded, "10 % of its last calls"),
            (Ok(found(&[])), past(49, 100), Closed, State::Degraded, "49 %"),
            (Ok(found(&[])), past(50, 100), Closed, State::Down, "50 %"),
            (Ok(found(&[])), past(0, 199), Closed, State::Ok, "it answers"),
            (Ok(found(&[])), past(0, 200), Closed, State::Degraded, "200 ms for an answer, where 100 ms are usual"),
        ];
        for (look, past, breaker, state, words) in cases {
            let judged = judge(look.as_ref(), &past, breaker, &limits);
            assert!(judged.0 == state && judged.1.contains(words), "{look:?} {past:?} {breaker:?}: {judged:?}");
        }
    }

    #[test]
    fn thresholds_are_those_of_the_settings() {
        let judged = |past, limits| judge(Ok(&found(&[])), &past, BreakerState::Closed, &limits).0;
        let limits = HealthSetting { slow_percent: 500, degraded_percent: 30, down_percent: 90 };
        assert_eq!(judged(past(29, 499), limits.clone()), State::Ok);
        assert_eq!(judged(past(30, 100), limits.clone()), State::Degraded);
        assert_eq!(judged(past(89, 100), limits.clone()), State::Degraded);
        assert_eq!(judged(past(90, 100), limits.clone()), State::Down);
        assert_eq!(judged(past(0, 500), limits), State::Degraded);
        let strict = HealthSetting { slow_percent: 500, degraded_percent: 0, down_percent: 0 };
        assert_eq!(judged(past(0, 100), strict), State::Ok, "no failure is none, whatever the limit");
    }

    #[test]
    fn the_last_hundred_calls_count_and_few_say_nothing() {
        let course = Course::default();
        let calls = |sign, n: u64, ms| {
            for _ in 0..n {
                course.add(sign, Duration::from_millis(ms));
            }
        };
        calls(Sign::Ill, 2, 1);
        calls(Sign::Well, 2, 100);
        calls(Sign::None, 50, 1);
        assert_eq!(course.past(), Past { errors: 2, ..Past::default() });
        calls(Sign::Well, 3, 100);
        assert_eq!(course.past().error_percent, Some(28));
        assert_eq!((course.past().latest_ms, course.past().usual_ms), (Some(100), None));
        calls(Sign::Well, 5, 300);
        assert_eq!((course.past().latest_ms, course.past().usual_ms), (Some(300), Some(100)));
        calls(Sign::Well, 100, 50);
        assert_eq!(course.past(), Past { errors: 2, error_percent: Some(0), latest_ms: Some(50), usual_ms: Some(50) });
    }
}
