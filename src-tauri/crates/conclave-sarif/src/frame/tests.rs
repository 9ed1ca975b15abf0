//! The walk agrees with a JSON reader on every text that is JSON, however the reader hands it out.

use std::io::{self, Cursor, Read};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Hands out at most `step` bytes at a time.
struct Slow<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.step.min(self.bytes.len()).min(into.len());
        into[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}

/// All elements of the array `text`, cut by the walk and then read.
fn elements(text: &str, step: usize) -> Result<Vec<Value>, Broken> {
    let mut frames = Frames::new(Slow { bytes: text.as_bytes(), step });
    let mut values = Vec::new();
    assert!(frames.array()?);
    while frames.element()? {
        match frames.take(usize::MAX)? {
            Taken::Bytes(bytes) => values.push(serde_json::from_slice(bytes).expect("a whole value")),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(frames.peek()?, None);
    Ok(values)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a\\\\\"{}\\[\\],: é\u{1F600}\n]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a\"\\\\]{0,3}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_is_cut_where_it_ends(values in prop::collection::vec(json(), 0..6), step in 1usize..40, pretty: bool) {
        let array = Value::from(values.clone());
        let text = if pretty { serde_json::to_string_pretty(&array) } else { serde_json::to_string(&array) };
        prop_assert_eq!(elements(&text.expect("JSON"), step).expect("a whole array"), values);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(br#"{}[]",:\ 1tna"#.to_vec()), 0..60), step in 1usize..9) {
        let mut frames = Frames::new(Slow { bytes: &bytes, step });
        let _ = frames.skip();
        let mut frames = Frames::new(Slow { bytes: &bytes, step });
        if frames.object().unwrap_or(false) {
            while let Ok(Some(_)) = frames.key() {
                if frames.take(7).is_err() {
                    break;
                }
            }
        }
    }
}

#[test]
fn broken_text_is_told_apart() {
    let early = ["[", "[1", "[1,", r#"["a"#, r#"["a\"#, "[{", r#"[{"a""#, "[[]"];
    for text in early {
        assert!(matches!(elements(text, 3), Err(Broken::Early(_))), "{text}");
    }
    let wrong = ["[1 2]", "[,1]", "[1,]", "[}", "[[}]", "[x]", "[{]}", "[1}"];
    for text in wrong {
        assert!(matches!(elements(text, 3), Err(Broken::Syntax(_))), "{text}");
    }
    let mut frames = Frames::new(Cursor::new(r#"{"a":1 "b":2}"#));
    assert!(frames.object().expect("an object"));
    assert_eq!(frames.key().expect("a key").as_deref(), Some("a"));
    frames.skip().expect("a value");
    assert!(matches!(frames.key(), Err(Broken::Syntax(7))));
}

#[test]
fn a_failing_reader_is_not_the_end_of_the_text() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let mut frames = Frames::new(b"[1, ".chain(Failing));
    assert!(frames.array().expect("an array"));
    assert!(frames.element().expect("an element"));
    frames.skip().expect("a value");
    let broken = frames.element().and_then(|_| frames.skip()).expect_err("a failure");
    assert_eq!(broken.to_string(), "reading failed at byte 4: unplugged");
}

#[test]
fn values_over_a_limit_are_passed_in_bounded_memory() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let long = format!("\"{}\"", "x".repeat(5_000_000));
    let edge = format!("{}1{}", "[".repeat(MAX_DEPTH as usize), "]".repeat(MAX_DEPTH as usize));
    let text = format!("[{deep},{long},{edge},\"four\",7]");
    let mut frames = Frames::new(text.as_bytes());
    assert!(frames.array().expect("an array"));
    let mut next = |limit| {
        assert!(frames.element().expect("an element"));
        match frames.take(limit).expect("a value") {
            Taken::Bytes(bytes) => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(next(1_000), "TooDeep");
    assert_eq!(next(1_000), "TooLarge");
    assert_eq!(next(1_000), edge);
    assert_eq!(next(5), "TooLarge");
    assert_eq!(next(1), "7");
    assert!(frames.window.capacity() < 8 * CHUNK, "{}", frames.window.capacity());
}
