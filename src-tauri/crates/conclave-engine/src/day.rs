//! Days as money is counted by: whole days since 1970-01-01, where the machine is.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

const FIRST: Date = date(1970, 1, 1);

/// The first day of the month in which `day` is.
pub fn month(day: i64) -> i64 {
    let first = FIRST.checked_add(day.days()).map(Date::first_of_month);
    let since = first.and_then(|first| first.since(FIRST));
    since.map_or(day, |since| i64::from(since.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_with_its_first_day() {
        for (day, first) in [(0, 0), (30, 0), (31, 31), (45, 31), (20_423, 20_423), (20_453, 20_423), (-1, -31)] {
            assert_eq!(month(day), first, "{day}");
        }
    }
}
