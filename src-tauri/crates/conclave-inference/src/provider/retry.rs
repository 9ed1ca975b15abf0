//! Whether, and after what pause, a request is worth a second try.
//!
//! One second try, and only where the first cannot have given anything: before the first byte of an answer. A server's
//! own `retry-after` goes before our pause, and the deadline before both.

use std::time::{Duration, UNIX_EPOCH};

use crate::error::AskError;

/// The pause where the server names none.
const PAUSE: Duration = Duration::from_secs(1);

/// How long to wait before the second try after `error`, with `left` until the deadline; `None` when it is pointless.
pub(super) fn pause(error: &AskError, left: Duration) -> Option<Duration> {
    let pause = match error {
        AskError::Unreachable { .. } | AskError::Cut => PAUSE,
        AskError::RateLimited { retry_after } => retry_after.unwrap_or(PAUSE),
        AskError::Server { status: 408 | 409 | 500 | 502 | 503 | 504 | 529, retry_after, .. } => {
            retry_after.unwrap_or(PAUSE)
        }
        _ => return None,
    };
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
    fn a_second_try_is_made_only_where_it_can_help_and_fits_before_the_deadline() {
        let secs = Duration::from_secs;
        let server = |status, retry_after| AskError::Server { status, message: String::new(), retry_after };
        let cases = [
            (AskError::Unreachable { address: String::new() }, 9, Some(PAUSE)),
            (AskError::Cut, 9, Some(PAUSE)),
            (AskError::RateLimited { retry_after: None }, 9, Some(PAUSE)),
            (AskError::RateLimited { retry_after: Some(secs(8)) }, 9, Some(secs(8))),
            (AskError::RateLimited { retry_after: Some(secs(9)) }, 9, None),
            (AskError::RateLimited { retry_after: Some(secs(315_360_000)) }, 9, None),
            (AskError::RateLimited { retry_after: Some(secs(0)) }, 0, None),
            (server(503, Some(secs(2))), 9, Some(secs(2))),
            (server(529, None), 9, Some(PAUSE)),
            (server(501, None), 9, None),
            (server(500, None), 1, None),
            (AskError::Certificate { address: String::new() }, 9, None),
            (AskError::Unauthorised, 9, None),
            (AskError::NoMoney, 9, None),
            (AskError::NotFound { model: String::new() }, 9, None),
            (AskError::Redirected, 9, None),
            (AskError::Truncated, 9, None),
            (AskError::Empty, 9, None),
            (AskError::malformed("x"), 9, None),
            (AskError::Timeout(crate::error::Waiting::FirstByte), 9, None),
        ];
        for (error, left, expected) in cases {
            assert_eq!(pause(&error, secs(left)), expected, "{error}");
        }
    }
}
