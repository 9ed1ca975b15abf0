//! Every limit has a name, is at least GitHub's, and never costs more than what is over it.

use super::{complaints, log_of, read_bytes, read_run, read_with};
use crate::{Limits, ReadOptions, RunState};

fn check(limits: Limits, run: &str, results: usize, expect: &[&str]) {
    let options = ReadOptions { limits, ..ReadOptions::default() };
    let (log, seen) = read_with(log_of(run).as_bytes(), &options);
    assert_eq!(complaints(&log.expect("a log")), expect, "{run}");
    assert_eq!(seen.len(), results, "{run}");
}

#[test]
fn what_is_over_a_limit_is_left_out_and_named() {
    let results = r#""results":[{"ruleIndex":2},{"ruleIndex":0},{}]"#;
    let rules = r#""tool":{"driver":{"rules":[{"id":"A"},{"id":"B"},{"id":"C"}]}}"#;
    check(Limits { results: 2, ..Limits::default() }, results, 2, &["the run: results over 2 are left out"]);
    check(
        Limits { rules: 2, ..Limits::default() },
        &format!("{results},{rules}"),
        3,
        &["the run: rules over 2 are left out"],
    );
    check(
        Limits { artifacts: 1, ..Limits::default() },
        &format!(r#"{results},"artifacts":[{{}},{{}},{{}}]"#),
        3,
        &["the run: artifacts over 1 are left out"],
    );
    check(
        Limits { entries: 1, ..Limits::default() },
        &format!(r#"{results},"logicalLocations":[{{}},{{}}],"threadFlowLocations":[{{}},{{}}]"#),
        3,
        &["the run: logicalLocations over 1 are left out", "the run: threadFlowLocations over 1 are left out"],
    );
    check(
        Limits { result_bytes: 20, ..Limits::default() },
        r#""results":[{"ruleId":"A"},{"ruleId":"a longer one"}]"#,
        1,
        &["result 1: it is longer than 20 bytes"],
    );
    check(
        Limits { entry_bytes: 20, ..Limits::default() },
        r#""results":[],"tool":{"driver":{"rules":[{"id":"A"},{"id":"a much longer one"},{"id":"C"}]}}"#,
        0,
        &["rule 1: it is longer than 20 bytes"],
    );
    check(
        Limits { shared_bytes: 300, ..Limits::default() },
        &format!("{results},{rules}"),
        3,
        &["the run: shared bytes over 300 are left out"],
    );
    let text = r#"{"version":"2.1.0","runs":[{"results":[{}]},{"results":[{}]},{"results":[{}]}]}"#;
    let options = ReadOptions { limits: Limits { runs: 2, ..Limits::default() }, ..ReadOptions::default() };
    let (log, seen) = read_with(text.as_bytes(), &options);
    let log = log.expect("a log");
    assert_eq!(
        (log.runs.len(), seen.len(), complaints(&log)),
        (2, 2, vec!["the file: runs over 2 are left out".to_owned()])
    );
}

#[test]
fn a_limit_makes_the_run_partial() {
    let options = ReadOptions { limits: Limits { results: 1, ..Limits::default() }, ..ReadOptions::default() };
    let (log, _) = read_with(log_of(r#""results":[{},{},{}]"#).as_bytes(), &options);
    let reason = "2 of its results cannot be read".to_owned();
    assert_eq!(log.expect("a log").runs[0].state, RunState::Partial { reason });
}

#[test]
fn complaints_are_counted_beyond_those_kept() {
    let options = ReadOptions { limits: Limits { complaints: 3, ..Limits::default() }, ..ReadOptions::default() };
    let (log, _) = read_with(log_of(&format!(r#""results":[{}7]"#, "7,".repeat(99))).as_bytes(), &options);
    let run = &log.expect("a log").runs[0];
    assert_eq!((run.complaints.len(), run.complaint_count, run.malformed), (3, 100, 100));
}

#[test]
fn four_times_the_limits_of_code_scanning_are_read() {
    let list = |entry: &str, count: usize| vec![entry; count].join(",");
    let (_, seen) = read_run(&format!(r#""results":[{}]"#, list(r#"{"ruleId":"R"}"#, 100_000)));
    assert_eq!(seen.len(), 100_000);

    let (log, _) = read_run(&format!(r#""results":[],"tool":{{"driver":{{"rules":[{}]}}}}"#, list("{}", 100_000)));
    assert_eq!((log.runs[0].rules, complaints(&log)), (100_000, vec![]));

    let text = format!(r#"{{"version":"2.1.0","runs":[{}]}}"#, list(r#"{"results":[{}]}"#, 80));
    let (log, seen) = read_bytes(text.as_bytes());
    assert_eq!((log.expect("a log").runs.len(), seen.len()), (80, 80));

    let place = r#"{"physicalLocation":{"artifactLocation":{"uri":"a.py"},"region":{"startLine":1}}}"#;
    let step = format!(r#"{{"location":{place}}}"#);
    let (log, seen) = read_run(&format!(
        r#""results":[{{"locations":[{}],"codeFlows":[{{"threadFlows":[{{"locations":[{}]}}]}}]}}]"#,
        list(place, 4_000),
        list(&step, 40_000)
    ));
    assert_eq!((seen.len(), seen[0].flow.len()), (1, 1_000));
    assert_eq!(
        complaints(&log),
        [
            "result 0: 39000 steps of the flow are left out: they are outside the project or one too many",
            "result 0: 3000 more places of it are left out"
        ]
    );
}

#[test]
fn long_texts_are_cut() {
    let long = "é".repeat(100_000);
    let (_, seen) = read_run(&format!(
        r#""tool":{{"driver":{{"name":"T","rules":[{{"id":"R","name":"{long}","help":{{"text":"{long}"}}}}]}}}},
        "results":[{{"ruleId":"R","message":{{"text":"{long}"}},"partialFingerprints":{{"a":"{long}"}}}}]"#
    ));
    let detection = &seen[0];
    let rule = &detection.rule;
    let lengths = [
        (detection.message.len(), crate::limits::MESSAGE_BYTES),
        (rule.help.as_ref().map_or(0, String::len), crate::limits::HELP_BYTES),
        (rule.name.as_ref().map_or(0, String::len), crate::limits::NAME_BYTES),
        (detection.foreign_fingerprints[0].1.len(), 1_024),
    ];
    for (length, limit) in lengths {
        assert!(length <= limit && length > limit - 8, "{length} of {limit}");
    }
}
