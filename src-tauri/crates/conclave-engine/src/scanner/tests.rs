//! Scanners' reports: which are believed, and which are not.

use super::*;

#[test]
fn every_scanner_file_is_read() {
    assert_eq!(Scanner::all().len(), FILES.len());
    for (name, text) in FILES {
        let scanner: Scanner = toml::from_str(text).expect(name);
        assert!(scanner.args.iter().any(|arg| arg == "{files}"), "{name}");
    }
    assert_eq!(Scanner::named("bandit").map(|s| s.program.as_str()), Some("bandit"));
    assert!(Scanner::named("a scanner that nobody knows").is_none());
}

fn believed(scanner: &str, status: Exit, stdout: &str) -> Result<Report, ScanError> {
    let report = CommandReport { status, stdout: stdout.into(), stderr: Vec::new(), truncated: false, wall_ms: 1 };
    let files = [(RelPath::new("a.py").expect("a path"), Vec::new())].into();
    believe(Scanner::named(scanner).expect("a known scanner"), &report, &files, scanner.to_owned())
}

#[test]
fn a_scanner_that_failed_is_not_believed() {
    let clean = r#"{"results":[],"errors":[],"metrics":{"./a.py":{},"_totals":{}}}"#;
    assert!(believed("bandit", Exit::Code(0), clean).is_ok_and(|report| report.seen.is_empty()));
    let cases = [
        (Exit::Code(2), clean, "exit status 2, `{"),
        (Exit::Signal(9), clean, "signal 9"),
        (Exit::TimedOut, clean, "out of time"),
        (Exit::Code(0), "", "cannot be read"),
        (Exit::Code(0), r#"{"results":[],"errors":[],"metrics":{"_totals":{}}}"#, "did not read `a.py`"),
        (
            Exit::Code(0),
            r#"{"results":[],"errors":[{"filename":"./a.py","reason":"syntax error"}],"metrics":{"./a.py":{}}}"#,
            "could not read",
        ),
    ];
    for (status, stdout, why) in cases {
        let error = believed("bandit", status, stdout).expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn semgrep_is_believed_only_about_files_that_it_read_in_full() {
    let report = |errors: &str, scanned: &str, timeouts: &str| {
        let result = r#"{"check_id":"home.me.rules.python.shell-true","path":"a.py","start":{"line":2,"col":1},
                         "end":{"line":2,"col":9},"extra":{"message":"m","severity":"ERROR"}}"#;
        let stdout = format!(
            r#"{{"version":"1.182.0","results":[{result}],"errors":[{errors}],"paths":{{"scanned":[{scanned}]}},
                "time":{{"fixpoint_timeouts":[{timeouts}]}}}}"#
        );
        believed("semgrep", Exit::Code(0), &stdout)
    };
    let seen = report("", r#""a.py""#, "").expect("a report").seen;
    assert_eq!(seen.iter().map(|seen| (seen.line, seen.severity)).collect::<Vec<_>>(), [(2, Severity::High)]);

    let partial = r#"{"code":3,"level":"warn","type":["PartialParsing",[]],"message":"Syntax error","path":"a.py"}"#;
    let timeout = r#"{"code":2,"level":"warn","type":"Timeout","message":"Timeout on a.py","path":"a.py"}"#;
    let rules = r#"{"code":4,"level":"error","type":"SemgrepError","message":"invalid rule"}"#;
    let note = r#"{"code":0,"level":"warn","type":"Other","message":"a newer version is out"}"#;
    assert!(report(note, r#""a.py""#, "").is_ok());
    for (errors, scanned, timeouts, why) in [
        (partial, r#""a.py""#, "", "at `a.py`: Syntax error"),
        (timeout, r#""a.py""#, "", "at `a.py`: Timeout"),
        (rules, r#""a.py""#, "", "invalid rule"),
        ("", "", "", "did not read `a.py`"),
        ("", r#""a.py""#, "{}", "out of time"),
    ] {
        let error = report(errors, scanned, timeouts).expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn a_sarif_log_is_believed_only_about_files_that_were_read() {
    let log = |rule: &str, artifact: &str| {
        let stdout = format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"ruff"}}}},
                "artifacts":[{{"location":{{"uri":"{artifact}"}},"roles":["analysisTarget"]}}],
                "results":[{{"ruleId":"{rule}","message":{{"text":"m"}},"locations":[{{"physicalLocation":
                    {{"artifactLocation":{{"uri":"a.py"}},"region":{{"startLine":2}}}}}}]}}]}}]}}"#
        );
        believed("ruff", Exit::Code(0), &stdout)
    };
    assert!(log("S602", "a.py").is_ok_and(|report| report.seen.len() == 1));
    for (rule, artifact, why) in
        [("invalid-syntax", "a.py", "reports an error"), ("S602", "b.py", "did not read `a.py`")]
    {
        let error = log(rule, artifact).expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn a_semgrep_rule_is_the_same_whatever_folder_it_stands_in() {
    let semgrep = Scanner::named("semgrep").expect("a known scanner");
    let bandit = Scanner::named("bandit").expect("a known scanner");
    for (one, other, same) in [
        ("python.shell-true", "home.me.rules.python.shell-true", true),
        ("home.me.rules.python.shell-true", "shell-true", true),
        ("python.shell-true", "python.shell-true", true),
        ("true", "python.shell-true", false),
        ("java.shell-true", "python.shell-true", false),
    ] {
        assert_eq!(semgrep.same_rule(one, other), same, "{one} {other}");
        assert_eq!(bandit.same_rule(one, other), one == other, "{one} {other}");
    }
}

#[test]
fn a_scanner_gets_the_address_space_that_it_needs() {
    let of = |name: &str| limits(Scanner::named(name).expect("a known scanner"), Duration::from_secs(7));
    assert_eq!((of("semgrep").memory_bytes, of("semgrep").wall), (8 << 30, Duration::from_secs(7)));
    assert_eq!(of("bandit").memory_bytes, Limits::default().memory_bytes);
}
