//! A tool that failed is never clean, and a file that cannot be read says why.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::{complaints, log_of, read_bytes, read_run};
use crate::{ReadOptions, Refused, RunState, read};

/// `state` is the start of the expected state as people would write it.
fn check(run: &str, state: &str) {
    let (log, _) = read_run(run);
    let seen = match &log.runs[0].state {
        RunState::Complete => "complete".to_owned(),
        RunState::Partial { reason } => format!("partial: {reason}"),
        RunState::Failed { reason } => format!("failed: {reason}"),
    };
    assert_eq!(seen, state, "{run}");
}

const RESULT: &str =
    r#"{"ruleId":"R","message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.py"}}}]}"#;

#[test]
fn a_failed_run_is_never_clean() {
    check(r#""results":[]"#, "complete");
    check(r#""results":[],"invocations":[{"executionSuccessful":true}]"#, "complete");
    check(r#""results":[],"invocations":[]"#, "complete");
    check(r#""results":null"#, "failed: its list of results is null: the tool could not look");
    check(r#""results":{}"#, "failed: its `results` is no list");
    check("", "failed: it has no list of results, so nothing says that the tool looked");
    check(
        r#""results":[],"invocations":[{"executionSuccessful":false}]"#,
        "failed: the tool says that it did not succeed",
    );
    check(
        r#""results":[],"invocations":[{"executionSuccessful":true},{"executionSuccessful":false,"exitCode":3}]"#,
        "failed: the tool says that it did not succeed; the tool says: exit code 3",
    );
    check(
        &format!(
            r#""results":[{RESULT}],"invocations":[{{"executionSuccessful":false,"exitCodeDescription":"out of memory"}}]"#
        ),
        "failed: the tool says that it did not succeed; the tool says: out of memory",
    );
    check(
        r#""results":[],"invocations":[{"executionSuccessful":true,"processStartFailureMessage":"no such program"}]"#,
        "failed: the tool says: no such program",
    );
    check(
        r#""results":[],"invocations":[{"executionSuccessful":true,"toolExecutionNotifications":[{"level":"error","message":{"text":"bad rules"}}]}]"#,
        "failed: the tool says: bad rules",
    );
    check(
        r#""results":[],"invocations":[{"executionSuccessful":true,"toolConfigurationNotifications":[{"level":"error"}]}]"#,
        "failed: the tool says: an error",
    );
    for level in ["warning", "note", "none"] {
        check(
            &format!(
                r#""results":[],"invocations":[{{"executionSuccessful":true,"toolExecutionNotifications":[{{"level":"{level}"}}]}}]"#
            ),
            "complete",
        );
    }
    check(r#""results":[],"invocations":[7,"x"]"#, "complete");
    check(
        r#""results":[],"invocations":[{"executionSuccessful":true,"executionSuccessful":false}]"#,
        "failed: an entry of `invocations` cannot be read, so nothing says that the tool succeeded",
    );
}

#[test]
fn exit_codes_count_only_where_nothing_else_speaks() {
    let exit = |results: &str, invocation: &str| format!(r#""results":[{results}],"invocations":[{{{invocation}}}]"#);
    check(&exit("", r#""executionSuccessful":true,"exitCode":1"#), "complete");
    check(&exit("", r#""executionSuccessful":true,"exitSignalName":"SIGSEGV""#), "complete");
    check(&exit("", r#""exitCode":0"#), "complete");
    check(&exit("", r#""exitCode":1"#), "failed: the tool reports nothing and left with exit code 1");
    check(&exit(RESULT, r#""exitCode":1"#), "complete");
    check(&exit(RESULT, r#""exitSignalName":"SIGSEGV""#), "failed: the tool was ended by signal SIGSEGV");
    check(&exit(RESULT, r#""exitSignalNumber":9"#), "failed: the tool was ended by signal 9");
    check(&exit("", r#""exitSignalNumber":0"#), "complete");
}

#[test]
fn an_error_about_one_file_leaves_the_others() {
    let run = |results: &str, artifacts: &str| {
        format!(
            r#""results":[{results}],"artifacts":[{artifacts}],"invocations":[{{"executionSuccessful":true,
            "toolExecutionNotifications":[{{"level":"error","message":{{"text":"syntax error"}},
            "locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"b.py"}}}}}}]}}]}}]"#
        )
    };
    let reason = "the tool reports an error at 1 place: syntax error";
    let target = |uri: &str| format!(r#"{{"location":{{"uri":"{uri}"}},"roles":["analysisTarget"]}}"#);
    check(&run("", ""), &format!("failed: {reason}"));
    check(&run(RESULT, ""), &format!("partial: {reason}"));
    check(&run("", &target("a.py")), &format!("partial: {reason}"));
    check(&run("", &target("b.py")), "failed: the tool read none of the files");
    let (log, _) = read_run(&run(RESULT, ""));
    let unread = &log.runs[0].unread;
    assert_eq!(unread.len(), 1);
    assert_eq!(unread[0].path.as_ref().map(|path| path.as_str()), Some("b.py"));
    assert_eq!(unread[0].reason, "syntax error");
}

#[test]
fn what_was_looked_at_is_told_only_where_the_tool_says_so() {
    let (log, _) = read_run(r#""results":[],"artifacts":[{"location":{"uri":"a.py"}}]"#);
    assert_eq!((log.runs[0].artifacts, &log.runs[0].analysed), (1, &None));
    let (log, _) = read_run(
        r#""results":[],"artifacts":[{"location":{"uri":"a.py"},"roles":["analysisTarget"]},{"location":{"uri":"b.txt"},"roles":["attachment"]},
        {"location":{"uri":"/else/c.py"},"roles":["analysisTarget","modified"]}]"#,
    );
    let analysed = log.runs[0].analysed.as_ref().expect("a list");
    assert_eq!(analysed.files.iter().map(|path| path.as_str()).collect::<Vec<_>>(), ["a.py"]);
    assert_eq!((log.runs[0].artifacts, analysed.count), (3, 2));
}

#[test]
fn results_kept_elsewhere_are_not_clean() {
    check(
        r#""results":[],"externalPropertyFileReferences":{"results":[{"location":{"uri":"other.sarif"}}]}"#,
        "failed: its results are in another file, which is not read",
    );
    let (log, _) = read_run(r#""results":[],"externalPropertyFileReferences":{"taxonomies":[{}]}"#);
    assert_eq!(log.runs[0].state, RunState::Complete);
    assert_eq!(complaints(&log), ["the run: its `taxonomies` are kept elsewhere and are not read"]);
}

#[test]
fn a_result_that_cannot_be_read_is_missed() {
    let good = RESULT;
    check(&format!(r#""results":[{good},7]"#), "partial: 1 of its results cannot be read");
    check(r#""results":[7]"#, "failed: 1 of its results cannot be read");
}

#[test]
fn other_versions_encodings_and_formats_are_refused_with_words() {
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let log = log_of(r#""results":[]"#);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            br#"{"version":"1.0.0","runs":[]}"#.into(),
            "the file is SARIF `1.0.0`, as its `version` says; have the tool write 2.1.0",
        ),
        (
            br#"{"runs":[{"results":[]}],"version":"2.2"}"#.into(),
            "the file is SARIF `2.2`, as its `version` says; have the tool write 2.1.0",
        ),
        (
            br#"{"$schema":"http://json.schemastore.org/sarif-2.0.0","runs":[]}"#.into(),
            "the file is SARIF `http://json.schemastore.org/sarif-2.0.0`, as its `$schema` says; have the tool write 2.1.0",
        ),
        ([&[0xFF, 0xFE][..], &utf16(&log, false)].concat(), "the file is UTF-16; save it as UTF-8 and import it again"),
        ([&[0xFE, 0xFF][..], &utf16(&log, true)].concat(), "the file is UTF-16; save it as UTF-8 and import it again"),
        (utf16(&log, false), "the file is UTF-16; save it as UTF-8 and import it again"),
        (utf16(&log, true), "the file is UTF-16; save it as UTF-8 and import it again"),
        (vec![0x1F, 0x8B, 8, 0, 0], "the file is packed as gzip; unpack it and import what is inside"),
        (b"PK\x03\x04zip".into(), "the file is packed as zip; unpack it and import what is inside"),
        (vec![0x28, 0xB5, 0x2F, 0xFD, 0], "the file is packed as zstd; unpack it and import what is inside"),
        (b"".into(), "the file is no SARIF log: it is empty"),
        (b"[]".into(), "the file is no SARIF log: it has neither `version` nor `runs`"),
        (b"{}".into(), "the file is no SARIF log: it has neither `version` nor `runs`"),
        (b"<xml/>".into(), "the file is no SARIF log: the text is not JSON at byte 0"),
        (
            br#"{"version":"2.1.0","runs":["#.into(),
            "the file is no SARIF log: the file ends at byte 27, in the middle of a value",
        ),
    ];
    for (bytes, words) in cases {
        let (log, seen) = read_bytes(&bytes);
        assert_eq!(log.map_err(|refused| refused.to_string()), Err(words.to_owned()), "{bytes:?}");
        assert!(seen.is_empty());
    }
}

#[test]
fn a_byte_order_mark_and_a_missing_version_are_accepted() {
    let text = format!("\u{FEFF}{}", log_of(&format!(r#""results":[{RESULT}]"#)));
    let (log, seen) = read_bytes(text.as_bytes());
    assert_eq!((complaints(&log.expect("a log")).len(), seen.len()), (0, 1));
    let (log, seen) = read_bytes(format!(r#"{{"runs":[{{"results":[{RESULT}]}}]}}"#).as_bytes());
    assert_eq!(complaints(&log.expect("a log")), ["the file: it has no `version`; it is read as 2.1.0"]);
    assert_eq!(seen.len(), 1);
}

#[test]
fn a_file_that_breaks_off_yields_what_came_before() {
    let text = log_of(&format!(
        r#""tool":{{"driver":{{"name":"T"}}}},"results":[{RESULT},{RESULT},{RESULT}],"columnKind":"utf16CodeUnits""#
    ));
    let (whole, all) = read_bytes(text.as_bytes());
    assert_eq!(whole.expect("a log").runs[0].state, RunState::Complete);
    for cut in 0..text.len() {
        let (log, seen) = read_bytes(&text.as_bytes()[..cut]);
        assert_eq!(seen, all[..seen.len()], "{cut}");
        match log {
            Err(Refused::NotSarif { .. }) => assert!(seen.is_empty()),
            Err(refused) => panic!("{refused}"),
            Ok(log) => {
                // The run may be whole while only the file's last brackets are missing.
                let says_so =
                    complaints(&log).iter().any(|complaint| complaint.starts_with("the file: the file ends at byte"));
                assert!(says_so, "{cut}: {log:?}");
                let brackets_only = cut >= text.len() - 2;
                assert_eq!(log.runs[0].state == RunState::Complete, brackets_only, "{cut}");
            }
        }
    }
    let (log, seen) = read_bytes(text.replacen(RESULT, "{\"ruleId\" 1}", 1).as_bytes());
    let log = log.expect("a log");
    assert_eq!(complaints(&log), ["result 0: it cannot be read: expected `:` at line 1 column 11"]);
    assert_eq!(seen.len(), 2);
}

#[test]
fn what_follows_the_log_is_said() {
    let (log, _) = read_bytes(format!("{} \n{{}}", log_of(r#""results":[]"#)).as_bytes());
    assert_eq!(complaints(&log.expect("a log")), ["the file: something follows the log at byte 45"]);
}

#[test]
fn a_key_that_stands_twice_is_said_and_hides_nothing() {
    let (log, seen) = read_run(&format!(
        r#""results":[],"results":[{RESULT}],"tool":{{"driver":{{"name":"A"}}}},"tool":{{"driver":{{"name":"B"}}}}"#
    ));
    assert_eq!(
        complaints(&log),
        ["the run: the key `results` is there twice", "the run: the key `tool` is there twice"]
    );
    assert_eq!((seen.len(), seen[0].tool.name.as_str()), (1, "A"));

    let text = format!(
        r#"{{"version":"2.1.0","version":"1.0.0","runs":[{{"results":[{RESULT}]}}],"runs":[{{"results":[{RESULT}]}}]}}"#
    );
    let (log, seen) = read_bytes(text.as_bytes());
    let log = log.expect("a log");
    assert_eq!(
        complaints(&log),
        ["the file: the key `version` is there twice", "the file: the key `runs` is there twice"]
    );
    assert_eq!((log.runs.len(), seen.len()), (2, 2));

    let twice = RESULT.replacen(r#""ruleId":"R""#, r#""ruleId":"R","rule\u0049d":"S""#, 1);
    let (log, seen) = read_run(&format!(r#""results":[{twice},{RESULT}]"#));
    assert_eq!(complaints(&log), ["result 0: the key `ruleId` is there twice"]);
    assert_eq!((seen.len(), log.runs[0].malformed), (1, 1));
}

/// A file that holds `texts` one after the other, a new one each time it is read from its start.
struct Changing {
    texts: Vec<String>,
    now: Cursor<String>,
}

impl Read for Changing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.now.read(into)
    }
}

impl Seek for Changing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.now = Cursor::new(self.texts.remove(0));
        self.now.seek(to)
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_believed() {
    let before = log_of(&format!(r#""results":[{RESULT},{RESULT}]"#));
    let rows = [
        (log_of(r#""results":[]"#), "the file: the file changed while it was read"),
        (log_of(&format!(r#""results":[{RESULT},{RESULT},{RESULT}]"#)), "the file: the file changed while it was read"),
        (before[..before.len() / 2].to_owned(), "the file: the file ends at byte 130, in the middle of a value"),
        (String::new(), "the file: the file ends at byte 0, in the middle of a value"),
    ];
    for (after, words) in rows {
        let file = Changing { texts: vec![after], now: Cursor::new(before.clone()) };
        let log = read(file, &ReadOptions::default(), &mut |_, _| {}).expect("a log");
        let reason = "the file changed while it was read".to_owned();
        assert_eq!(log.runs[0].state, RunState::Failed { reason });
        assert_eq!(complaints(&log)[0], words);
    }
}
