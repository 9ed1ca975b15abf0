//! What the scanner finds, what it leaves alone, and what redaction leaves behind.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::search::KNOWN;
use super::*;

mod samples;
mod values;

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

fn sample_of_any() -> impl Strategy<Value = String> {
    let ids: Vec<&str> = sample::formats().collect();
    (prop::sample::select(ids), any::<u64>()).prop_map(|(id, seed)| sample::generate(id, seed).unwrap())
}

/// Text that is made of what the readings look for, whole and broken.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "\\",
        "\\u00",
        "\\u004",
        "\\\\n",
        "\\x4",
        "%",
        "%2",
        "%25",
        "%0A",
        "\"",
        "'",
        "\" + \"",
        "\n",
        "\r\n+",
        "\n // ",
        " \\\n",
        "\0",
        "\0a\0b",
        "eyJ",
        "eyJhbGci.",
        "://",
        "://a:b@",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "password = ",
        "token: \"",
        "Basic ",
        "QUtJQUFBQUFB",
        "4142",
        "Private-Lines: 9",
        "{\"a\":",
        "}",
        "sk-",
        "\u{e9}",
        "[redacted: jwt]",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        2 => sample_of_any().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => "[a-zA-Z0-9+/]{0,60}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
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
    fn runs_are_those_that_reading_byte_by_byte_finds(text in "[ab ]{0,80}", least in 1_usize..9) {
        let mut expected = Vec::new();
        let mut start = 0;
        for word in text.split(' ') {
            if word.len() >= least {
                expected.push(start..start + word.len());
            }
            start += word.len() + 1;
        }
        prop_assert_eq!(decode::runs(text.as_bytes(), least, |byte| byte != b' '), expected);
    }
}

// Each case of these scans dozens of bodies.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_document_with_secrets_stays_one_and_scans_clean(
        document in document(),
        secrets in prop::collection::vec((sample_of_any(), any::<String>()), 1..4),
        depth in 0_usize..3,
    ) {
        let texts: Vec<String> = secrets.iter().map(|(secret, around)| format!("{around}\n{secret}\n{around}")).collect();
        let mut body = json!({ "a": document, "texts": texts });
        for _ in 0..depth {
            body = json!({ "b": body.to_string() });
        }
        let body = body.to_string();
        let hits = scan(body.as_bytes(), &[]).unwrap();
        prop_assert!(!hits.is_empty());
        let redacted = redact(body.as_bytes(), &hits);
        prop_assert!(serde_json::from_slice::<Value>(&redacted).is_ok(), "{}", String::from_utf8_lossy(&redacted));
        prop_assert_eq!(scan(&redacted, &[]).unwrap(), []);
    }

    #[test]
    fn whatever_the_bytes_hits_are_sound_and_what_is_left_is_clean(bytes in soup(), known in "[a-z\\\\\"+%-]{8,10}") {
        if let Ok(hits) = scan(&bytes, &[&known]) {
            prop_assert!(hits.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
            prop_assert!(hits.iter().all(|hit| !hit.range.is_empty() && hit.range.end <= bytes.len()));
            prop_assert_eq!(scan(&redact(&bytes, &hits), &[&known]), Ok(vec![]));
        }
    }

    #[test]
    fn a_known_value_is_found_in_every_encoding(known in "[A-Za-z0-9_-]{8,48}", cut in 0_usize..48) {
        for (name, encode) in samples::ENCODINGS {
            let cut = 1 + cut % (known.len() - 1);
            let body = encode(&known, cut);
            let hits = scan(body.as_bytes(), &[&known]).unwrap();
            prop_assert!(!hits.is_empty(), "{}: {}", name, body);
            let left = String::from_utf8_lossy(&redact(body.as_bytes(), &hits)).into_owned();
            prop_assert!(!left.contains(&known[..cut]) || cut < 4, "{}: {}", name, left);
        }
    }

    #[test]
    fn a_known_value_of_any_characters_is_found(known in "[!-~\u{a1}-\u{ff}\u{1F600}]{8,24}") {
        for (name, encode) in samples::ENCODINGS.iter().filter(|(name, _)| samples::TAKES_ANY.contains(name)) {
            let body = encode(&known, 0);
            prop_assert!(!scan(body.as_bytes(), &[&known]).unwrap().is_empty(), "{}: {}", name, body);
        }
    }
}

#[test]
fn a_number_becomes_a_string() {
    let body = json!({"pin": 12345678, "rest": true}).to_string();
    let hits = scan(body.as_bytes(), &["12345678"]).unwrap();
    assert_eq!(redact(body.as_bytes(), &hits), br#"{"pin":"[redacted: known-key]","rest":true}"#);
}

#[test]
fn every_label_has_a_meaning_in_words() {
    for label in sample::formats().chain([KNOWN, search::HIGH_ENTROPY]) {
        assert_ne!(title(label), label);
    }
    assert_eq!(title("no-such-format"), "no-such-format");
}

#[test]
fn a_known_value_too_short_to_mean_anything_is_not_looked_for() {
    assert_eq!(scan(b"the key is none", &["none", "", "  none  "]), Ok(vec![]));
}

#[test]
fn a_token_at_the_end_of_its_line_leaves_the_next_line_alone() {
    let token = sample::generate("anthropic-key", 1).unwrap();
    let text = format!("key: {token}\nreturn x\n");
    let hits = scan(text.as_bytes(), &[]).unwrap();
    assert_eq!(redact(text.as_bytes(), &hits), b"key: [redacted: anthropic-key]\nreturn x\n");
}
