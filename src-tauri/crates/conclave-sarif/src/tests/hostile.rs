//! Logs that are broken on purpose: nothing panics, nothing escapes, and no result costs another.

use conclave_core::finding::Detection;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{complaints, log_of, read_bytes, read_run};

const SAMPLES: [&str; 5] = [
    include_str!("../../../../../tests/fixtures/sarif/bandit/bandit.sarif"),
    include_str!("../../../../../tests/fixtures/sarif/codeql/codeql.sarif"),
    include_str!("../../../../../tests/fixtures/sarif/mobsfscan/mobsfscan.sarif"),
    include_str!("../../../../../tests/fixtures/sarif/ruff/ruff.sarif"),
    include_str!("../../../../../tests/fixtures/sarif/semgrep/semgrep.sarif"),
];

/// Every path of a detection is inside the project and every region goes forward.
fn is_sound(detection: &Detection) -> bool {
    let places = detection.location.iter().chain(detection.flow.iter().map(|step| &step.location));
    let regions = places.clone().filter_map(|place| place.region);
    let fixed = detection.fixes.iter().flat_map(|fix| &fix.replacements);
    let inside =
        |path: &str| !path.starts_with('/') && path.split('/').all(|part| part != "..") && !path.contains('\\');
    places.map(|place| place.path.as_str()).chain(fixed.clone().map(|r| r.path.as_str())).all(inside)
        && regions
            .chain(fixed.map(|r| r.region))
            .all(|region| region.start_line >= 1 && region.end_line >= region.start_line)
}

/// The places of every value inside `value`, as JSON pointers.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            pointers(value, &format!("{at}/{key}"), into);
        }),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, value)| pointers(value, &format!("{at}/{n}"), into))
        }
        _ => {}
    }
    into.push(at.to_owned());
}

#[test]
fn any_value_in_any_place_costs_at_most_its_own_result() {
    let junk = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(18_446_744_073_709_551_615_u64),
        json!(1e300),
        json!(""),
        json!("../../../etc/passwd"),
        json!("file:///etc/passwd"),
        json!([]),
        json!({}),
        json!([[[{}]]]),
        json!({"id": {"id": [null]}, "uri": 7, "text": ["x"], "index": -5, "startLine": "x"}),
    ];
    for sample in SAMPLES {
        let log: Value = serde_json::from_str(sample).expect("a sample");
        let (_, whole) = read_bytes(sample.as_bytes());
        let count = log["runs"][0]["results"].as_array().map_or(0, Vec::len);
        let mut places = Vec::new();
        pointers(&log, "", &mut places);
        assert!(places.len() > 50);
        for place in &places {
            for junk in &junk {
                let mut changed = log.clone();
                if let Some(value) = changed.pointer_mut(place) {
                    *value = junk.clone();
                }
                let (read, seen) = read_bytes(changed.to_string().as_bytes());
                assert!(seen.iter().all(is_sound), "{place} = {junk}");
                let inside_a_result = place.starts_with("/runs/0/results/");
                if inside_a_result {
                    let run = &read.unwrap_or_else(|refused| panic!("{place} = {junk}: {refused}")).runs[0];
                    assert!(run.malformed <= 1, "{place} = {junk}");
                    let others = whole.iter().filter(|detection| seen.contains(detection)).count();
                    let of_one = whole.len() - count + 1;
                    assert!(others + of_one >= whole.len(), "{place} = {junk}: {others} of {}", whole.len());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic_or_escape(
        sample in prop::sample::select(SAMPLES.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..12),
    ) {
        let mut bytes = sample.as_bytes().to_vec();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        let (_, seen) = read_bytes(&bytes);
        prop_assert!(seen.iter().all(is_sound));
    }
}

#[test]
fn a_result_that_cannot_be_read_is_a_complaint_beside_the_good_ones() {
    let deep = format!(r#"{{"properties":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let rows: [(&[u8], &str); 9] = [
        (b"7", "it cannot be read: it is no object"),
        (b"null", "it cannot be read: it is no object"),
        (b"\"x\"", "it cannot be read: it is no object"),
        (br#"{"ruleId":"a","ruleId":"b"}"#, "the key `ruleId` is there twice"),
        (br#"{"partialFingerprints":{"a":"1","a":"2"}}"#, "the key `a` is there twice"),
        (br#"{"message":{"text":"\ud800"}}"#, "it cannot be read: unexpected end of hex escape at line 1 column 27"),
        (b"{\"message\":{\"text\":\"\xFF\"}}", "it is not UTF-8"),
        (br#"{"rank":1e999}"#, "it cannot be read: number out of range at line 1 column 13"),
        (deep.as_bytes(), "it nests deeper than 100 levels"),
    ];
    for (result, words) in rows {
        let good: &[u8] = br#"{"ruleId":"good"}"#;
        let results = [good, result, good].join(&b","[..]);
        let text = [br#"{"version":"2.1.0","runs":[{"results":["#, &results[..], b"]}]}"].concat();
        let (log, seen) = read_bytes(&text);
        assert_eq!(complaints(&log.expect("a log")), [format!("result 1: {words}")]);
        assert_eq!(seen.iter().map(|detection| detection.rule.id.as_str()).collect::<Vec<_>>(), ["good", "good"]);
    }
}

#[test]
fn a_rule_or_artifact_that_cannot_be_read_keeps_the_numbers_of_the_others() {
    let (log, seen) = read_run(
        r#""tool":{"driver":{"rules":[{"id":"A","id":"B"},{"id":"C"}]}},"artifacts":[{"location":{"uri":"x","uri":"y"}},{"location":{"uri":"c.py"}}],
        "results":[{"ruleIndex":1,"locations":[{"physicalLocation":{"artifactLocation":{"index":1}}}]}]"#,
    );
    assert_eq!(complaints(&log), ["artifact 0: the key `uri` is there twice", "rule 0: the key `id` is there twice"]);
    assert_eq!(seen[0].rule.id, "C");
    assert_eq!(seen[0].location.as_ref().map(|location| location.path.as_str()), Some("c.py"));
}

#[test]
fn what_is_never_read_may_be_anything() {
    let text =
        log_of(r#""results":[],"graphs":{"a":[{"b":"]}"}]},"webRequests":[{"a":"\""}],"properties":{"x":1e999}"#);
    let (log, _) = read_bytes(text.as_bytes());
    assert_eq!(complaints(&log.expect("a log")), Vec::<String>::new());
}
