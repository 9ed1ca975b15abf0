//! A part of the day in a time zone.
//!
//! Zones come from the data that is compiled in, never from the system, so that a policy means the same everywhere.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::pattern::Unjudgeable;

/// From the minute `start` up to, but not including, the minute `end`; over midnight where `end` comes first.
#[derive(Debug)]
pub(crate) struct TimeRange {
    start: u16,
    end: u16,
    zone: TimeZone,
}

impl TimeRange {
    /// Reads two times of day, `HH:MM`, and the IANA name of a time zone.
    pub(crate) fn new(start: &str, end: &str, zone: &str) -> Result<Self, String> {
        let (start, end) = (minute(start)?, minute(end)?);
        if start == end {
            return Err(
                "`start` and `end` of a time range are the same; leave the range out for the whole day".to_owned()
            );
        }
        let zone = TimeZoneDatabase::bundled().get(zone).map_err(|_| format!("there is no time zone `{zone}`"))?;
        Ok(Self { start, end, zone })
    }

    /// Whether the moment lies in it.
    pub(crate) fn contains(&self, at_ms: i64) -> Result<bool, Unjudgeable> {
        let moment = Timestamp::from_millisecond(at_ms).map_err(|_| Unjudgeable(format!("{at_ms} ms is no time")))?;
        let local = self.zone.to_datetime(moment);
        let now = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        Ok(if self.start < self.end {
            (self.start..self.end).contains(&now)
        } else {
            now >= self.start || now < self.end
        })
    }
}

/// Minutes since midnight, up to 24:00.
fn minute(text: &str) -> Result<u16, String> {
    let two_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?;
    let parsed = text.split_once(':').and_then(|(hour, minute)| Some((two_digits(hour)?, two_digits(minute)?)));
    match parsed {
        Some((hour, minute)) if hour < 24 && minute < 60 || (hour, minute) == (24, 0) => Ok(hour * 60 + minute),
        _ => Err(format!("`{text}` is not a time of day; write `HH:MM`, from 00:00 to 24:00")),
    }
}
