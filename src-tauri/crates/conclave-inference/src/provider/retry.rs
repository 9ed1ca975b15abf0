//! Whether, and after what pause, a request is worth another try.
//!
//! Two more tries at most, and only where nothing of an answer can have come. A server's own `retry-after` goes before
//! our pause, and the deadline before both. Randomness is passed in.

use std::time::{Duration, UNIX_EPOCH};

use crate::error::AskError;

/// How many more tries there are.
pub(super) const MORE_TRIES: usize = 2;

/// The shortest pause where the server names none.
const SHORTEST: Duration = Duration::from_millis(500);

/// The longest pause before each further try where the server names none.
const LONGEST: [Duration; MORE_TRIES] = [Duration::from_secs(2), Duration::from_secs(8)];

/// How long to wait before the try after `error`, when there were `tries` more than one before and `left` is the time
/// until the deadline; `None` when it is pointless. `random` is from 0 to 1.
pub(super) fn pause(error: &AskError, tries: usize, left: Duration, random: f64) -> Option<Duration> {
    let longest = LONGEST.get(tries)?;
    let hint = match error {
        AskError::Unreachable { .. } | AskError::Cut => None,
        AskError::RateLimited { retry_after } | AskError::Overloaded { retry_after } => *retry_after,
        AskError::Server { status: 408 | 409 | 500 | 502 | 503 | 504, retry_after, .. } => *retry_after,
        _ => return None,
    };
    let pause = hint.unwrap_or_else(|| SHORTEST + (*longest - SHORTEST).mul_f64(random.clamp(0.0, 1.0)));
    (pause < left).then_some(pause)
}

/// What `headers`, with lower-case names, ask to wait, at `now_ms` since 1970-01-01 UTC.
///
/// `retry-after-ms` goes before `retry-after`, which is in seconds or a date (RFC 9110, section 10.2.3). What is
/// negative or unreadable asks for nothing; a date in the past asks for no pause.
pub(super) fn retry_after(headers: &[(String, String)], now_ms: i64) -> Option<Duration> {
    let header = |wanted| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim());
    let number = |value: &str| value.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
    if let Some(pause) = header("retry-after-ms").and_then(number) {
        return Some(pause / 1000);
    }
    let value = header("retry-after")?;
    if let Some(pause) = number(value) {
        return Some(pause);
    }
    let until = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now_ms).ok()?);
    Some(until.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_every_form() {
        let secs = Duration::from_secs;
        let plain = [
            ("7", Some(secs(7))),
            (" 0 ", Some(secs(0))),
            ("0.5", Some(Duration::from_millis(500))),
            ("-1", None),
            ("soon", None),
            ("", None),
            ("NaN", None),
            ("1e300", None),
            ("315360000", Some(secs(315_360_000))),
            ("Thu, 01 Jan 1970 00:02:00 GMT", Some(secs(20))),
            ("Thu, 01 Jan 1970 00:00:01 GMT", Some(secs(0))),
        ];
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (value, expected) in plain {
            assert_eq!(retry_after(&[header("retry-after", value)], 100_000), expected, "{value:?}");
        }
        for (ms, expected) in [("1500", Duration::from_millis(1500)), ("x", secs(7))] {
            let both = [header("retry-after", "7"), header("retry-after-ms", ms)];
            assert_eq!(retry_after(&both, 100_000), Some(expected), "{ms:?}");
        }
        assert_eq!(retry_after(&[header("date", "7")], 100_000), None);
    }

    #[test]
    fn another_try_is_made_only_where_it_can_help_and_fits_before_the_deadline() {
        let secs = Duration::from_secs;
        let server = |status, retry_after| AskError::Server { status, message: String::new(), retry_after };
        let overloaded = |retry_after| AskError::Overloaded { retry_after };
        let own = Some(secs(1));
        let cases = [
            (AskError::Unreachable { address: String::new() }, 9, own),
            (AskError::Cut, 9, own),
            (AskError::RateLimited { retry_after: None }, 9, own),
            (AskError::RateLimited { retry_after: Some(secs(8)) }, 9, Some(secs(8))),
            (AskError::RateLimited { retry_after: Some(secs(9)) }, 9, None),
            (AskError::RateLimited { retry_after: Some(secs(315_360_000)) }, 9, None),
            (AskError::RateLimited { retry_after: Some(secs(0)) }, 0, None),
            (overloaded(Some(secs(2))), 9, Some(secs(2))),
            (overloaded(None), 9, own),
            (server(503, Some(secs(2))), 9, Some(secs(2))),
            (server(501, None), 9, None),
            (server(500, None), 1, None),
            (AskError::Certificate { address: String::new() }, 9, None),
            (AskError::Unauthorised, 9, None),
            (AskError::NoMoney, 9, None),
            (AskError::NotFound { model: String::new(), nearest: None }, 9, None),
            (AskError::Redirected, 9, None),
            (AskError::Truncated, 9, None),
            (AskError::Empty, 9, None),
            (AskError::malformed("x"), 9, None),
            (AskError::Timeout(crate::error::Waiting::FirstByte), 9, None),
        ];
        for (error, left, expected) in cases {
            // A third of the way from half a second to two.
            assert_eq!(pause(&error, 0, secs(left), 1.0 / 3.0), expected, "{error}");
            assert_eq!(pause(&error, MORE_TRIES, secs(left), 0.0), None, "{error}");
        }
    }

    #[test]
    fn our_own_pause_is_between_half_a_second_and_eight() {
        let of = |tries, random| pause(&AskError::Cut, tries, Duration::from_secs(60), random).map(|p| p.as_millis());
        assert_eq!([of(0, 0.0), of(0, 1.0), of(1, 0.0), of(1, 1.0)], [Some(500), Some(2000), Some(500), Some(8000)]);
        assert_eq!([of(0, -7.0), of(1, 7.0), of(2, 0.0)], [Some(500), Some(8000), None]);
    }
}
