//! Input from outside, read in the one way in which every program reads it, or refused.

use conclave_policy::{AmbiguousInput, strict_json};
use serde_json::Value;

/// The most bytes of JSON that are read.
pub const LARGEST: usize = 1024 * 1024;

/// The value that `bytes` hold.
///
/// # Errors
/// [`AmbiguousInput`] for more than [`LARGEST`] bytes, for what is no UTF-8, and for what [`strict_json`] refuses.
pub fn read_exact(bytes: &[u8]) -> Result<Value, AmbiguousInput> {
    if bytes.len() > LARGEST {
        return Err(AmbiguousInput(format!("it has more than {LARGEST} bytes")));
    }
    strict_json(std::str::from_utf8(bytes).map_err(|_| AmbiguousInput("it is not UTF-8".to_owned()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_is_read_as_it_stands() {
        for text in ["{}", "[1,-2.5,true,null]", r#"{"a":{"a":1},"A":"\u0061"}"#, " 9007199254740991\n", "\"\u{e9}\""] {
            let expect: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(read_exact(text.as_bytes()), Ok(expect), "{text}");
        }
    }

    #[test]
    fn whatever_programs_read_differently_is_refused() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let large = format!("\"{}\"", "a".repeat(LARGEST));
        let texts: &[&[u8]] = &[
            br#"{"command":"ls","command":"curl example.com"}"#,
            br#"{"command":"ls","c\u006fmmand":"curl example.com"}"#,
            br#"{"a":{"b":1,"b":1}}"#,
            b"9007199254740993",
            b"-9007199254740993",
            b"1e300",
            b"123456789012345678901234567890",
            b"{} {}",
            b"{}x",
            b"{} // nothing",
            b"{/* nothing */}",
            b"{\"a\":1,}",
            b"{a:1}",
            b"{'a':1}",
            b"NaN",
            b"+1",
            b"01",
            b"",
            b" ",
            b"\xef\xbb\xbf{}",
            b"\"\xff\"",
            b"\"\xed\xa0\x80\"",
            br#""\ud800""#,
            b"\"\n\"",
            b"{\"a\"",
            deep.as_bytes(),
            large.as_bytes(),
        ];
        for text in texts {
            let shown = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
            assert!(read_exact(text).is_err(), "{shown}");
        }
    }
}
