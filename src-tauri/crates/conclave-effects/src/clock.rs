//! The wall clock, as a value that is passed in.
//!
//! It dates what is recorded. It is not for measuring: durations and time limits use the monotonic clock.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

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

    /// Today, in days since 1970-01-01, where this machine is; a clock that stands still is at UTC.
    pub fn today(&self) -> i64 {
        let zone = match self.0 {
            Source::Fixed(_) => TimeZone::UTC,
            Source::System => TimeZone::system(),
        };
        day(self.now_ms(), &zone)
    }
}

/// The day at `ms` milliseconds since 1970-01-01 UTC in `zone`, in days since 1970-01-01.
fn day(ms: i64, zone: &TimeZone) -> i64 {
    let ahead = Timestamp::from_millisecond(ms).map_or(0, |at| i64::from(zone.to_offset(at).seconds()));
    ms.div_euclid(1000).saturating_add(ahead).div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;

    use super::*;

    #[test]
    fn a_day_begins_at_midnight_where_the_machine_is() {
        let hours = |hours| TimeZone::fixed(Offset::constant(hours));
        let (hour, day_ms) = (3_600_000, 86_400_000);
        for (ms, zone, expect) in [
            (0, hours(0), 0),
            (-1, hours(0), -1),
            (day_ms - 1, hours(0), 0),
            (day_ms, hours(0), 1),
            (day_ms - hour, hours(1), 1),
            (day_ms - hour - 1, hours(1), 0),
            (day_ms + 4 * hour, hours(-5), 0),
            (day_ms + 5 * hour, hours(-5), 1),
        ] {
            assert_eq!(day(ms, &zone), expect, "{ms}");
        }
        assert_eq!(Clock::fixed(3 * day_ms).today(), 3);
    }
}
