//! Days as money is counted by: whole days since 1970-01-01.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The day in which `now_ms` is.
pub fn today(now_ms: i64) -> i64 {
    number(date(now_ms))
}

/// The first day of its month.
pub fn month(now_ms: i64) -> i64 {
    number(date(now_ms).first_of_month())
}

fn date(now_ms: i64) -> Date {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(now).date()
}

fn number(date: Date) -> i64 {
    let since = date.since(jiff::civil::date(1970, 1, 1));
    since.map_or(0, |span| i64::from(span.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_with_its_first_day() {
        const DAY: i64 = 86_400_000;
        for (now, day, first) in [(0, 0, 0), (DAY - 1, 0, 0), (31 * DAY, 31, 31), (45 * DAY + 5, 45, 31)] {
            assert_eq!((today(now), month(now)), (day, first), "{now}");
        }
    }
}
