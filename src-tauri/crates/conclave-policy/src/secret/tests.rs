use proptest::prelude::*;
use serde_json::{Value, json};

use super::search::KNOWN;
use super::*;

mod samples;

fn hit(label: &str, range: Range<usize>) -> Hit {
    Hit { label: label.into(), range }
}

#[test]
fn a_known_value_is_found_and_taken_out() {
    let body = br#"{"a":"x 0123-key-4567 y"}"#;
    let hits = scan(body, &["0123-key-4567"]).unwrap();
    assert_eq!(hits, [hit(KNOWN, 8..21)]);
    assert_eq!(redact(body, &hits), br#"{"a":"x [redacted: known-key] y"}"#);
}

#[test]
fn more_than_the_limit_is_not_scanned() {
    let body = vec![b'a'; MAX_BYTES + 1];
    assert_eq!(scan(&body, &[]), Err(Unscannable::TooLarge { bytes: MAX_BYTES + 1 }));
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\\\\"/nu0-9a-f\u{1F600}\u{7}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|list| { Value::Object(list.into_iter().collect()) }),
        ]
    })
}

proptest! {
    #[test]
    fn a_document_stays_one_with_any_hits(
        document in document(),
        pretty: bool,
        cuts in prop::collection::vec((0_usize..400, 0_usize..60), 0..6),
    ) {
        let bytes = if pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) }.unwrap();
        let mut hits: Vec<Hit> = cuts.into_iter().map(|(at, len)| hit("x", at..at + len)).collect();
        hits.sort_by_key(|hit| hit.range.start);
        let redacted = redact(&bytes, &hits);
        prop_assert!(serde_json::from_slice::<Value>(&redacted).is_ok(), "{}", String::from_utf8_lossy(&redacted));
    }

    #[test]
    fn hits_are_sorted_apart_and_inside(bytes in "[a-f\\\\u0\"]{0,200}", known in "[a-f]{8,9}") {
        let text = format!("{bytes}{known}{bytes}");
        let hits = scan(text.as_bytes(), &[&known]).unwrap();
        prop_assert!(!hits.is_empty());
        prop_assert!(hits.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
        prop_assert!(hits.iter().all(|hit| !hit.range.is_empty() && hit.range.end <= text.len()));
        prop_assert_eq!(scan(&redact(text.as_bytes(), &hits), &[&known]).unwrap(), []);
    }
}

#[test]
fn a_number_becomes_a_string() {
    let body = json!({"pin": 12345678, "rest": true}).to_string();
    let hits = scan(body.as_bytes(), &["12345678"]).unwrap();
    assert_eq!(redact(body.as_bytes(), &hits), br#"{"pin":"[redacted: known-key]","rest":true}"#);
}
