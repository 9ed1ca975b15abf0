//! Reads JSON about which no two programs can be of different opinions.
//!
//! What is judged must be what the tool gets. Where parsers differ (doubled keys, numbers that not every program can
//! hold, text behind the value, broken UTF-8), the text is refused instead of being read in one of the possible ways.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The most bytes of JSON that are read.
pub const LARGEST: usize = 1024 * 1024;

/// The largest whole number that every program holds exactly, 2^53.
const EXACT: u64 = 1 << 53;

/// A text that programs may read differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ambiguous input: {0}")]
pub struct Ambiguous(String);

/// The value that `bytes` hold.
///
/// # Errors
/// [`Ambiguous`] for anything but one JSON value of at most [`LARGEST`] bytes, nested at most 127 deep, without doubled
/// keys and without numbers beyond 2^53.
pub fn read_exact(bytes: &[u8]) -> Result<Value, Ambiguous> {
    if bytes.len() > LARGEST {
        return Err(Ambiguous(format!("more than {LARGEST} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Ambiguous(error.to_string()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let Exact(value) = Exact::deserialize(&mut reader).map_err(|error| Ambiguous(error.to_string()))?;
    reader.end().map_err(|error| Ambiguous(error.to_string()))?;
    Ok(value)
}

struct Exact(Value);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > EXACT { Err(too_large(value)) } else { Ok(value.into()) }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > EXACT { Err(too_large(value)) } else { Ok(value.into()) }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        // Whole numbers that fit no integer arrive here too.
        let number = Number::from_f64(value).filter(|_| value.abs() <= EXACT as f64);
        number.map(Value::Number).ok_or_else(|| too_large(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Exact(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Exact(value))) = entries.next_entry::<String, Exact>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            map.insert(key, value);
        }
        Ok(map.into())
    }
}

fn too_large<E: serde::de::Error>(number: impl fmt::Display) -> E {
    E::custom(format!("the number {number} is not the same in every program"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_is_read_as_it_stands() {
        for text in ["{}", "[1,-2.5,true,null]", r#"{"a":{"a":1},"A":"\u0061"}"#, " 9007199254740992\n", "\"\u{e9}\""] {
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
