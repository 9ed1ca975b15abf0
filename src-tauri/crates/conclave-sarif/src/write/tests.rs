//! What is written is SARIF by the official schema, and reads back as what it was.

use std::io::Cursor;

use conclave_core::finding::{Replacement, Rule};
use conclave_core::id::ProjectId;
use conclave_core::patch::{FilePatch, splice};
use proptest::prelude::*;

use super::*;
use crate::{ReadOptions, RunState, read};

const SCHEMA: &str = include_str!("../../../../../tests/fixtures/schemas/sarif-schema-2.1.0.json");

fn path(text: &str) -> RelPath {
    RelPath::new(text).expect("a path")
}

fn detection(rule: &str, severity: Severity) -> Detection {
    Detection {
        tool: Tool { name: "Bandit".to_owned(), version: Some("1.9.4".to_owned()) },
        rule: Rule {
            id: rule.to_owned(),
            name: Some("shell".to_owned()),
            description: Some("A shell is started.".to_owned()),
            help: Some("Start the program itself.".to_owned()),
            help_uri: Some("https://example.invalid/help".to_owned()),
            cwe: vec![78, 5],
        },
        message: "a shell is started \"here\"\n<b>".to_owned(),
        severity,
        location: Some(Location {
            path: path("src/a b%/ü:x.py".replace(':', "").as_str()),
            region: Some(Region::line(2)),
        }),
        unresolved: None,
        symbol: Some("app.run".to_owned()),
        flow: vec![FlowStep {
            location: Location { path: path("src/in.py"), region: None },
            message: Some("source".to_owned()),
        }],
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: vec![("primaryLocationLineHash".to_owned(), "abc:1".to_owned())],
    }
}

fn finding(detection: Detection) -> Finding {
    Finding::new(&ProjectId::new("p"), detection, "context", 0)
}

fn result(finding: &Finding) -> OutResult<'_> {
    OutResult { finding, status: Status::Open, confidence: None, fix: None }
}

fn tool() -> Tool {
    Tool { name: "Conclave".to_owned(), version: Some("0.1.0".to_owned()) }
}

fn write_all(results: &[OutResult<'_>], failures: &[String]) -> String {
    let mut out = Vec::new();
    write(&mut out, &OutRun { tool: &tool(), results, failures }).expect("written");
    String::from_utf8(out).expect("UTF-8")
}

fn faults(text: &str) -> Vec<String> {
    let mut schema: Value = serde_json::from_str(SCHEMA).expect("the schema");
    // The pattern of a language, which is not written, has a stray bracket that strict readers of patterns refuse.
    for object in ["run", "toolComponent"] {
        schema["definitions"][object]["properties"]["language"] = json!({ "type": "string" });
    }
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let log: Value = serde_json::from_str(text).expect("JSON");
    validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn confidence() -> Confidence {
    Confidence {
        p: 0.45,
        low: 0.3,
        high: 0.45,
        earned: 0.55,
        cap: 0.45,
        word: "Own rule satisfied".to_owned(),
        cap_reason: String::new(),
        raise: None,
        terms: Vec::new(),
        n: 0,
    }
}

#[test]
fn the_schema_tells_right_from_wrong() {
    assert_eq!(faults(r#"{"version":"2.1.0","runs":[]}"#), Vec::<String>::new());
    assert!(!faults(r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":7}}}]}"#).is_empty());
}

#[test]
fn what_is_written_is_valid() {
    let before = "import os\nos.system(x)\n";
    let edits = [Edit { start: 10, end: 22, text: "run([x])".to_owned() }];
    let target = path("src/a.py");
    let mut odd = detection("B 1/x", Severity::Note);
    odd.rule.name = None;
    odd.rule.help_uri = Some("javascript:alert(1)".to_owned());
    odd.location = None;
    odd.unresolved = Some("`../x`: it leaves the project".to_owned());
    odd.suppressed = true;
    odd.message = String::new();
    odd.flow.clear();
    let findings: Vec<Finding> =
        Severity::ALL.iter().map(|severity| finding(detection("B602", *severity))).chain([finding(odd)]).collect();
    let mut results: Vec<OutResult<'_>> = findings.iter().map(result).collect();
    let confidence = confidence();
    results[0].confidence = Some(&confidence);
    results[0].status = Status::FixReady;
    results[0].fix = Some(OutFix {
        description: "Starts the program itself",
        files: vec![OutFile { path: &target, before, edits: &edits }],
    });
    for failures in [vec![], vec!["bandit did not run".to_owned()]] {
        let text = write_all(&results, &failures);
        assert_eq!(faults(&text), Vec::<String>::new());
    }
    assert_eq!(faults(&write_all(&[], &[])), Vec::<String>::new());
    insta::assert_snapshot!("log", write_all(&results[..1], &[]));
}

#[test]
fn what_is_written_reads_back() {
    let mut marked = detection("B602", Severity::Low);
    marked.suppressed = true;
    let mut placeless = detection("B602", Severity::Note);
    placeless.location = None;
    placeless.flow.clear();
    let detections: Vec<Detection> =
        Severity::ALL.iter().map(|severity| detection("B602", *severity)).chain([marked, placeless]).collect();
    let findings: Vec<Finding> = detections.iter().cloned().map(finding).collect();
    let results: Vec<OutResult<'_>> = findings.iter().map(result).collect();
    let mut seen = Vec::new();
    let text = write_all(&results, &[]);
    let log =
        read(Cursor::new(&text), &ReadOptions::default(), &mut |_, detection| seen.push(detection)).expect("a log");
    assert_eq!(log.runs[0].state, RunState::Complete);
    assert_eq!(log.runs[0].complaints, []);
    for (mut back, (finding, original)) in seen.into_iter().zip(findings.iter().zip(detections)) {
        let own = (FINGERPRINT.to_owned(), finding.fingerprint.as_str().to_owned());
        assert!(back.foreign_fingerprints.contains(&own));
        back.foreign_fingerprints.retain(|hint| *hint != own);
        assert_eq!(back, Detection { tool: tool(), ..original });
    }
}

#[test]
fn a_failure_is_not_clean() {
    let text = write_all(&[], &["bandit did not run".to_owned()]);
    let log = read(Cursor::new(&text), &ReadOptions::default(), &mut |_, _| {}).expect("a log");
    let reason = "the tool says that it did not succeed; the tool says: bandit did not run".to_owned();
    assert_eq!(log.runs[0].state, RunState::Failed { reason });
}

#[test]
fn rules_are_told_apart_by_tool_and_rated_by_their_worst_result() {
    let mut other = detection("B602", Severity::Critical);
    other.tool.name = "Other".to_owned();
    let findings =
        [finding(detection("B602", Severity::Low)), finding(other), finding(detection("B602", Severity::High))];
    let text = write_all(&findings.iter().map(result).collect::<Vec<_>>(), &[]);
    let log: Value = serde_json::from_str(&text).expect("JSON");
    let rules = &log["runs"][0]["tool"]["driver"]["rules"];
    let of = |n: usize| (rules[n]["id"].as_str(), rules[n]["properties"]["security-severity"].as_str());
    assert_eq!((of(0), of(1), rules[2].is_null()), ((Some("B602"), Some("7.0")), (Some("B602"), Some("9.0")), true));
    let indexes: Vec<_> = (0..3).map(|n| log["runs"][0]["results"][n]["ruleIndex"].as_u64()).collect();
    assert_eq!(indexes, [Some(0), Some(1), Some(0)]);
}

#[test]
fn columns_of_another_kind_are_recounted_or_left_out() {
    let text = "a\ns = 'é𝒳'; f()\n";
    let region = Region {
        start_line: 2,
        start_column: Some(15),
        end_line: 2,
        end_column: Some(18),
        column_kind: ColumnKind::Byte,
    };
    assert_eq!(region.byte_range(text).map(|range| &text[range]), Some("f()"));
    assert_eq!(region_of(&region, Some(text)), json!({"startLine":2,"startColumn":12,"endLine":2,"endColumn":15}));
    assert_eq!(region_of(&region, None), json!({"startLine":2,"endLine":2}));
}

#[test]
fn an_edit_outside_its_text_is_refused() {
    let target = path("a.py");
    for (start, end) in [(0, 9), (3, 1), (2, 2)] {
        let edits = [Edit { start, end, text: String::new() }];
        let fix = OutFix { description: "", files: vec![OutFile { path: &target, before: "aé", edits: &edits }] };
        let finding = finding(detection("R", Severity::Low));
        let results = [OutResult { fix: Some(fix), ..result(&finding) }];
        let error =
            write(Vec::new(), &OutRun { tool: &tool(), results: &results, failures: &[] }).expect_err("an error");
        assert_eq!(error.to_string(), "an edit reaches outside `a.py`");
    }
}

#[test]
fn a_byte_order_mark_is_not_counted() {
    let text = "\u{FEFF}ab\ncd";
    let lines = Lines::of(text);
    assert_eq!(lines.region(4, 5), json!({"startLine":1,"startColumn":2,"endLine":1,"endColumn":3}));
    assert_eq!(lines.region(6, 7), json!({"startLine":2,"startColumn":1,"endLine":2,"endColumn":2}));
}

/// What a reader of SARIF makes of the fix that turns `before` into `after`.
fn applied(before: &str, after: &str) -> String {
    let patch = FilePatch::between(path("a.py"), before, after);
    let fix = OutFix { description: "d", files: vec![OutFile { path: &patch.path, before, edits: &patch.edits }] };
    let finding = finding(detection("R", Severity::Low));
    let text = write_all(&[OutResult { fix: Some(fix), ..result(&finding) }], &[]);
    let mut seen = Vec::new();
    read(Cursor::new(&text), &ReadOptions::default(), &mut |_, detection| seen.push(detection)).expect("a log");
    let replacements: &[Replacement] = &seen[0].fixes[0].replacements;
    let edits: Vec<Edit> = replacements
        .iter()
        .map(|replacement| {
            let range = replacement.region.byte_range(before).expect("a range in the text");
            Edit { start: range.start, end: range.end, text: replacement.text.clone() }
        })
        .collect();
    String::from_utf8(splice(before.as_bytes(), &edits).expect("edits that fit")).expect("UTF-8")
}

proptest! {
    #[test]
    fn a_written_fix_says_exactly_what_the_edit_does(before in "[ab\\r\\né𝒳]{0,24}", after in "[ab\\r\\né𝒳]{0,24}") {
        prop_assume!(before != after);
        prop_assert_eq!(applied(&before, &after), after);
    }
}
