//! What single results become.

use conclave_core::finding::{ColumnKind, Detection, Severity};

use super::{complaints, log_of, read_bytes, read_run};

fn one(run: &str) -> Detection {
    let (log, mut seen) = read_run(run);
    assert_eq!((seen.len(), log.runs[0].results), (1, 1), "{run}: {:?}", complaints(&log));
    seen.remove(0)
}

fn path(detection: &Detection) -> Option<&str> {
    detection.location.as_ref().map(|location| location.path.as_str())
}

#[test]
fn the_order_of_keys_means_nothing() {
    let tool = r#""tool":{"driver":{"name":"T","rules":[{"id":"A"},{"id":"B","properties":{"security-severity":"9.1"},"messageStrings":{"m":{"text":"see {0}"}}}]}}"#;
    let artifacts = r#""artifacts":[{"location":{"uri":"a.py"}},{"location":{"uri":"b.py","uriBaseId":"SRC"}}]"#;
    let bases = r#""originalUriBaseIds":{"SRC":{"uri":"src/","uriBaseId":"ROOT"},"ROOT":{"uri":"file:///ci/"}}"#;
    let kind = r#""columnKind":"unicodeCodePoints""#;
    let results = r#""results":[{"ruleIndex":1,"message":{"id":"m","arguments":["x"]},"locations":[{"physicalLocation":{"artifactLocation":{"index":1},"region":{"startLine":2}}}]}]"#;
    let first = one(&[tool, artifacts, bases, kind, results].join(","));
    assert_eq!((first.rule.id.as_str(), first.message.as_str(), path(&first)), ("B", "see x", Some("src/b.py")));
    assert_eq!(first.severity, Severity::Critical);
    assert_eq!(first.location.as_ref().and_then(|l| l.region).map(|r| r.column_kind), Some(ColumnKind::Unicode));
    let parts = [tool, artifacts, bases, kind, results];
    for turn in 1..parts.len() {
        let turned: Vec<&str> = parts.iter().cycle().skip(turn).take(parts.len()).copied().collect();
        assert_eq!(one(&turned.join(",")), first, "{turn}");
    }
    let text = format!(r#"{{"runs":[{{{}}}],"version":"2.1.0"}}"#, parts.join(","));
    assert_eq!(read_bytes(text.as_bytes()).1, [first]);
}

#[test]
fn a_rule_is_found_by_index_id_and_component() {
    let tool = r#""tool":{"driver":{"name":"T","rules":[{"id":"A","name":"a"},{"id":"B","name":"b","guid":"G"}]},
        "extensions":[{"name":"E","guid":"X","rules":[{"id":"A","name":"e-a"},{"id":"C","name":"e-c"}]}]}"#;
    let rows = [
        (r#""ruleId":"A""#, "A", Some("a")),
        (r#""ruleId":"B","ruleIndex":1"#, "B", Some("b")),
        (r#""ruleIndex":1"#, "B", Some("b")),
        (r#""ruleId":"B","ruleIndex":0"#, "B", Some("b")),
        (r#""ruleId":"B/7/x","ruleIndex":1"#, "B/7/x", Some("b")),
        (r#""ruleId":"B/7/x""#, "B/7/x", Some("b")),
        (r#""ruleId":"BB","ruleIndex":1"#, "BB", None),
        (r#""ruleId":"C""#, "C", Some("e-c")),
        (r#""rule":{"id":"A","toolComponent":{"index":0}}"#, "A", Some("e-a")),
        (r#""rule":{"index":1,"toolComponent":{"name":"E"}}"#, "C", Some("e-c")),
        (r#""rule":{"index":0,"toolComponent":{"guid":"X"}}"#, "A", Some("e-a")),
        (r#""rule":{"guid":"G"}"#, "B", Some("b")),
        (r#""ruleId":"Z""#, "Z", None),
        (r#""ruleIndex":9"#, "no-rule", None),
        (r#""ruleIndex":-1"#, "no-rule", None),
        ("", "no-rule", None),
    ];
    for (reference, id, name) in rows {
        let comma = if reference.is_empty() { "" } else { "," };
        let seen = one(&format!(r#""results":[{{{reference}{comma}"message":{{"text":"m"}}}}],{tool}"#));
        assert_eq!((seen.rule.id.as_str(), seen.rule.name.as_deref()), (id, name), "{reference}");
    }
    // Looking up every level of this would take minutes.
    let slashes = "/".repeat(2_000_000);
    let seen = one(&format!(r#""results":[{{"ruleId":"A{slashes}"}}],{tool}"#));
    assert_eq!(seen.rule.name, None);
}

#[test]
fn cwe_numbers_are_read_wherever_tools_write_them() {
    let taxonomies = r#""taxonomies":[{"name":"OWASP","taxa":[{"id":"A1"}]},{"name":"CWE","guid":"W","taxa":[{"id":"20"},{"id":"CWE-22"}]}]"#;
    let prose = r#""help":{"text":"See [CWE-78](https://cwe.mitre.org/data/definitions/78.html), CWE-1."}"#;
    let tagged = format!(r#"{prose},"properties":{{"tags":["CWE-2"]}}"#);
    let rows: [(&str, &str, &[u32]); 17] = [
        (prose, "", &[78]),
        (&tagged, "", &[2]),
        (r#""properties":{"tags":["external/cwe/cwe-079","security"]}"#, "", &[79]),
        (r#""properties":{"tags":["CWE-95: Improper Neutralization","CWE-95","cwe_78"]}"#, "", &[95, 78]),
        (r#""properties":{"cwe":"CWE-327: Broken"}"#, "", &[327]),
        (r#""properties":{"cwe":["CWE-89",90,"91"]}"#, "", &[89, 90, 91]),
        (r#""properties":{"cwe":"78, 79"}"#, "", &[78, 79]),
        (r#""properties":{"cwe":{"a":[1]}}"#, "", &[]),
        (r#""properties":{"cwe":true,"tags":"CWE-1"}"#, "", &[]),
        (r#""helpUri":"https://cwe.mitre.org/data/definitions/611.html""#, "", &[611]),
        (r#""relationships":[{"target":{"id":"CWE-120","toolComponent":{"name":"CWE"}}}]"#, "", &[120]),
        (
            r#""relationships":[{"target":{"id":"119","toolComponent":{"name":"cwe v4"}}},{"target":{"id":"3"}}]"#,
            "",
            &[119],
        ),
        (
            r#""relationships":[{"target":{"index":1,"toolComponent":{"guid":"W"}}},{"target":{"id":"20","toolComponent":{"index":1}}}]"#,
            "",
            &[22, 20],
        ),
        ("", r#""taxa":[{"id":"77","toolComponent":{"name":"CWE"}},{"id":"A1","toolComponent":{"index":0}}]"#, &[77]),
        ("", r#""properties":{"issue_cwe":{"id":78,"link":"https://cwe.mitre.org/data/definitions/78.html"}}"#, &[78]),
        (r#""properties":{"tags":["CWE-2"]}"#, r#""taxa":[{"id":"CWE-1"}],"properties":{"cwe":3}"#, &[1, 2, 3]),
        (r#""properties":{"tags":["cwe-0","cwe-99999999999","cwe-10000","cwe","cwe-","scwe-5"]}"#, "", &[5]),
    ];
    for (rule, result, expect) in rows {
        let comma = |text: &str| if text.is_empty() { String::new() } else { format!(",{text}") };
        let seen = one(&format!(
            r#""tool":{{"driver":{{"name":"T","rules":[{{"id":"R"{}}}]}}}},"results":[{{"ruleId":"R"{}}}],{taxonomies}"#,
            comma(rule),
            comma(result)
        ));
        assert_eq!(seen.rule.cwe, expect, "{rule} {result}");
    }
}

#[test]
fn nothing_hides_itself_away() {
    let rows = [
        (r#""suppressions":[{"kind":"inSource"}]"#, true, Severity::High),
        (r#""suppressions":[{"kind":"external","status":"accepted"}]"#, true, Severity::High),
        (r#""suppressions":[{"kind":"external","status":"underReview"}]"#, false, Severity::High),
        (r#""suppressions":[{"kind":"inSource"},{"kind":"external","status":"rejected"}]"#, false, Severity::High),
        (r#""suppressions":[]"#, false, Severity::High),
        (r#""suppressions":null"#, false, Severity::High),
        (r#""kind":"pass""#, true, Severity::Note),
        (r#""kind":"notApplicable""#, true, Severity::Note),
        (r#""kind":"informational""#, true, Severity::Note),
        (r#""kind":"open""#, false, Severity::High),
        (r#""kind":"review""#, false, Severity::High),
        (r#""baselineState":"absent""#, true, Severity::High),
        (r#""baselineState":"unchanged""#, false, Severity::High),
        (r#""rank":0"#, false, Severity::High),
    ];
    let list: Vec<String> = rows
        .iter()
        .map(|(how, ..)| format!(r#"{{"ruleId":"R","level":"error","message":{{"text":"m"}},{how}}}"#))
        .collect();
    let (log, seen) = read_run(&format!(r#""results":[{}]"#, list.join(",")));
    assert_eq!((seen.len(), log.runs[0].results as usize), (rows.len(), rows.len()));
    for ((how, suppressed, severity), detection) in rows.iter().zip(&seen) {
        assert_eq!((detection.suppressed, detection.severity), (*suppressed, *severity), "{how}");
    }
    assert_eq!(log.runs[0].suppressed as usize, rows.iter().filter(|(_, suppressed, _)| *suppressed).count());
    let none = one(r#""results":[{"level":"none","message":{"text":"m"}}]"#);
    assert_eq!((none.severity, none.suppressed), (Severity::Note, false));
}

#[test]
fn places_flows_and_symbols() {
    let flow =
        |steps: &str| format!(r#""codeFlows":[{{"threadFlows":[{{"locations":[{steps}]}}]}},{{"threadFlows":[]}}]"#);
    let at = |uri: &str, line: u32| {
        format!(
            r#"{{"physicalLocation":{{"artifactLocation":{{"uri":"{uri}"}},"region":{{"startLine":{line}}}}},"message":{{"text":"step {line}"}}}}"#
        )
    };
    let steps = format!(
        r#"{{"location":{}}},{{"index":0}},{{"location":{}}},{{"index":5}},7"#,
        at("a.py", 1),
        at("../b.py", 2)
    );
    let run = format!(
        r#""results":[{{"message":{{"text":"m"}},"locations":[
            {{"logicalLocations":[{{"index":1}}]}},
            {{"physicalLocation":{{"artifactLocation":{{"uri":"/etc/passwd"}}}}}},
            {{"physicalLocation":{{"artifactLocation":{{"uri":"a.py"}},"region":{{"startLine":9}}}}}},
            {{"physicalLocation":{{"artifactLocation":{{"uri":"b.py"}}}}}}],
            {}}}],
            "threadFlowLocations":[{{"location":{}}}],"logicalLocations":[{{"name":"f"}},{{"fullyQualifiedName":"m.g","name":"g"}}]"#,
        flow(&steps),
        at("c.py", 3)
    );
    let (log, seen) = read_run(&run);
    assert_eq!(
        (path(&seen[0]), seen[0].unresolved.as_deref(), seen[0].symbol.as_deref()),
        (Some("a.py"), None, Some("m.g"))
    );
    let steps: Vec<_> =
        seen[0].flow.iter().map(|step| (step.location.path.as_str(), step.message.as_deref())).collect();
    assert_eq!(steps, [("a.py", Some("step 1")), ("c.py", Some("step 3"))]);
    assert_eq!(
        complaints(&log),
        [
            "result 0: 3 steps of the flow are left out: they are outside the project or one too many",
            "result 0: 1 more places of it are left out"
        ]
    );
    let outside = one(
        r#""results":[{"locations":[{"physicalLocation":{"artifactLocation":{"uri":"../x.py","uriBaseId":"SRC"}}}]}]"#,
    );
    assert_eq!(
        (path(&outside), outside.unresolved.as_deref()),
        (None, Some("`../x.py` under `SRC`: it leaves the project"))
    );
    let nowhere = one(r#""results":[{"message":{"text":"m"}}]"#);
    assert_eq!((path(&nowhere), nowhere.unresolved.as_deref()), (None, None));
    let nested = one(r#""artifacts":[{"location":{"uri":"a.zip"}},{"location":{"uri":"in.py"},"parentIndex":0}],
        "results":[{"locations":[{"physicalLocation":{"artifactLocation":{"index":1}}}]}]"#);
    assert_eq!(nested.unresolved.as_deref(), Some("`in.py`: it lies inside another file"));
}

#[test]
fn a_fix_is_taken_whole_or_not_at_all() {
    let replacement = |region: &str, content: &str| format!(r#"{{"deletedRegion":{{{region}}}{content}}}"#);
    let text = r#","insertedContent":{"text":"new"}"#;
    let change = |uri: &str, replacements: &str| {
        format!(r#"{{"artifactLocation":{{"uri":"{uri}"}},"replacements":[{replacements}]}}"#)
    };
    let rows = [
        (change("a.py", &replacement(r#""startLine":1"#, text)), Ok(vec!["new"])),
        (change("a.py", &replacement(r#""startLine":1,"startColumn":2,"endColumn":2"#, "")), Ok(vec![""])),
        (
            format!(
                "{},{}",
                change("a.py", &replacement(r#""startLine":1"#, text)),
                change("b.py", &replacement(r#""startLine":2"#, r#","insertedContent":{"text":""}"#))
            ),
            Ok(vec!["new", ""]),
        ),
        (change("../a.py", &replacement(r#""startLine":1"#, text)), Err("`../a.py`: it leaves the project")),
        (
            format!(
                "{},{}",
                change("a.py", &replacement(r#""startLine":1"#, text)),
                change("/b.py", &replacement(r#""startLine":2"#, text))
            ),
            Err("`/b.py`: it is outside the project"),
        ),
        (
            change("a.py", &replacement(r#""startLine":1"#, r#","insertedContent":{"binary":"AAAA"}"#)),
            Err("its new content is binary"),
        ),
        (
            change("a.py", &replacement(r#""charOffset":1,"charLength":2"#, text)),
            Err("its range is given by offsets only, so that its line is not known"),
        ),
        (change("a.py", &replacement(r#""startLine":2,"endLine":1"#, text)), Err("its range ends before it starts")),
        (change("a.py", &replacement(r#""startLine":0"#, text)), Err("a replacement has no line")),
        (change("a.py", "{}"), Err("a replacement has no range")),
        (change("a.py", "7"), Err("a replacement is no object")),
        (change("a.py", ""), Err("it replaces nothing")),
        (String::new(), Err("it replaces nothing")),
        ("7".to_owned(), Err("it has no change")),
        (r#"{"replacements":[]}"#.to_owned(), Err("it names no file")),
    ];
    for (changes, expect) in rows {
        let (log, seen) = read_run(&format!(
            r#""results":[{{"message":{{"text":"m"}},"fixes":[{{"description":{{"text":"d"}},"artifactChanges":[{changes}]}}]}}]"#
        ));
        let texts =
            seen[0].fixes.first().map(|fix| fix.replacements.iter().map(|r| r.text.as_str()).collect::<Vec<_>>());
        match expect {
            Ok(expect) => {
                assert_eq!(texts, Some(expect), "{changes}");
                assert_eq!(seen[0].fixes[0].description.as_deref(), Some("d"));
            }
            Err(reason) => {
                assert_eq!(texts, None, "{changes}");
                assert_eq!(complaints(&log), [format!("result 0: a fix is left out: {reason}")]);
            }
        }
    }
}

#[test]
fn values_of_the_wrong_type_do_not_cost_the_result() {
    let seen = one(
        r#""tool":{"driver":{"name":"T","rules":[{"id":"R","shortDescription":"short","help":7,"properties":[]}]}},
        "results":[{"ruleId":"R","ruleIndex":"0","level":7,"message":"bare","locations":{"a":1},"fixes":"x","codeFlows":[[]],
        "suppressions":7,"rank":{},"taxa":[7],"partialFingerprints":{"a":"1","b":2,"c":null},"properties":"x","kind":false}]"#,
    );
    assert_eq!((seen.rule.id.as_str(), seen.message.as_str(), seen.severity), ("R", "bare", Severity::Medium));
    assert_eq!(seen.rule.description.as_deref(), Some("short"));
    assert_eq!(seen.foreign_fingerprints, [("a".to_owned(), "1".to_owned())]);
}

#[test]
fn a_result_without_words_borrows_them_from_its_rule() {
    let tool = r#""tool":{"driver":{"name":"T","rules":[{"id":"R","fullDescription":{"text":"full"},"help":{"text":"plain","markdown":"**m**"}}]}}"#;
    let seen = one(&format!(r#"{tool},"results":[{{"ruleId":"R"}}]"#));
    assert_eq!((seen.message.as_str(), seen.rule.help.as_deref()), ("full", Some("**m**")));
}

#[test]
fn secrets_that_logs_carry_are_not_kept() {
    let secret = "AKIAPLANTED";
    let run = format!(
        r#""tool":{{"driver":{{"name":"T"}}}},
        "invocations":[{{"executionSuccessful":true,"commandLine":"{secret}","arguments":["{secret}"],"account":"{secret}",
            "environmentVariables":{{"TOKEN":"{secret}"}},"stdin":{{"uri":"{secret}"}},"properties":{{"k":"{secret}"}}}}],
        "webRequests":[{{"headers":{{"Authorization":"{secret}"}}}}],"properties":{{"k":"{secret}"}},
        "artifacts":[{{"location":{{"uri":"a.py"}},"contents":{{"text":"{secret}"}}}}],
        "results":[{{"message":{{"text":"m"}},"properties":{{"offender":"{secret}"}},"webRequest":{{"body":{{"text":"{secret}"}}}},
            "locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"a.py"}},
                "region":{{"startLine":1,"snippet":{{"text":"{secret}"}}}},"contextRegion":{{"startLine":1,"snippet":{{"text":"{secret}"}}}}}}}}]}}]"#
    );
    assert!(log_of(&run).matches(secret).count() > 10);
    let (log, seen) = read_run(&run);
    assert_eq!(seen.len(), 1);
    assert!(!format!("{log:?}{seen:?}").contains(secret));
}
