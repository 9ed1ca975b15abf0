//! JSON that has one meaning only.
//!
//! Programs disagree about what a doubled key or a very large number means. What is judged must be what is done, so such
//! a text is refused before anything is decided. The accepted form is that of RFC 7493 (I-JSON).

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};

/// Integers beyond this are read differently by different programs.
const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// Why a text is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AmbiguousInput(pub String);

/// Reads one JSON value that every program reads in the same way.
///
/// # Errors
/// [`AmbiguousInput`] for what is no JSON, for a doubled key, for a number that is not held exactly, for anything behind
/// the value, and for more than 128 levels.
pub fn strict_json(text: &str) -> Result<Value, AmbiguousInput> {
    let mut input = serde_json::Deserializer::from_str(text);
    if text.trim().is_empty() {
        return Err(AmbiguousInput("it is empty".to_owned()));
    }
    let value = Strict.deserialize(&mut input).map_err(|error| {
        AmbiguousInput(match error.classify() {
            Category::Data => error.to_string(),
            Category::Eof => format!("it ends too early, at line {} column {}", error.line(), error.column()),
            Category::Syntax | Category::Io => format!("this is not JSON: {error}"),
        })
    })?;
    input.end().map_err(|_| AmbiguousInput("something follows the value; send one value alone".to_owned()))?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        if value > LARGEST_EXACT { Err(too_large(value)) } else { Ok(Value::from(value)) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > LARGEST_EXACT { Err(too_large(value)) } else { Ok(Value::from(value)) }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // A whole number that large was written with more digits than a float holds.
        if value.fract() == 0.0 && value.abs() > LARGEST_EXACT as f64 {
            Err(too_large(value))
        } else {
            Ok(Value::from(value))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = input.next_element_seed(Self)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = input.next_key::<String>()? {
            let value = input.next_value_seed(Self)?;
            if map.contains_key(&key) {
                return Err(Error::custom(format_args!("the key `{key}` stands there twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

fn too_large<E: Error>(number: impl fmt::Display) -> E {
    E::custom(format_args!("the number {number} is too large to be read exactly"))
}
