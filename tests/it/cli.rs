//! The command line as scripts see it: outputs, schemas, exit statuses.

use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Home, text};
use crate::tree::root;

/// A project with one weakness that the built-in detectors find and fix, and a neighbour that they leave alone.
pub fn project(home: &Home) -> String {
    home.write("app/load.py", "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n");
    home.write("app/plain.py", "def add(a, b):\n    return a + b\n");
    home.path("app").display().to_string()
}

pub fn first_id(findings: &Value) -> String {
    findings["findings"][0]["id"].as_str().expect("an id").to_owned()
}

pub fn check(schema: &str, value: &Value) {
    let path = root().join("docs/schemas").join(format!("conclave-{schema}-1.schema.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{}: {errors:?}", path.display());
}

#[test]
fn scan_fix_apply_and_undo_return_the_same_bytes() {
    let home = Home::new();
    let app = project(&home);
    let before = std::fs::read(home.path("app/load.py")).expect("the file");

    let scan = home.json(&["scan", &app], 0);
    check("scan", &scan);
    let findings = home.json(&["findings"], 0);
    check("findings", &findings);
    let id = first_id(&findings);

    let fix = home.json(&["fix", &id], 0);
    check("fix", &fix);
    assert_eq!((&fix["recommended"], &fix["applied"]), (&json!(1), &json!(0)), "{fix}");
    assert_eq!(std::fs::read(home.path("app/load.py")).expect("the file"), before, "looking writes nothing");

    let show = home.json(&["show", &id[..6]], 0);
    check("finding", &show);
    let confidence = &show["finding"]["resolution"]["fixes"][0]["confidence"];
    assert_eq!(confidence["summary"]["word"], "Own rule satisfied", "an own rule is never shown as a scanner");
    assert!(confidence["summary"]["p"].as_f64().expect("a figure") <= 0.45);

    check("apply", &home.json(&["apply", &id], 0));
    let after = std::fs::read_to_string(home.path("app/load.py")).expect("the file");
    assert!(after.contains("SafeLoader") || after.contains("safe_load"), "{after}");
    check("error", &home.json(&["apply", &id], 2));

    check("undo", &home.json(&["undo", &id], 0));
    assert_eq!(std::fs::read(home.path("app/load.py")).expect("the file"), before);
    check("error", &home.json(&["undo", &id], 2));

    check("dismiss", &home.json(&["dismiss", &id, "--reason", "wont-fix", "--note", "a demo"], 0));
    check("error", &home.json(&["fix", &id], 2));
    check("reopen", &home.json(&["reopen", &id], 0));
    check("error", &home.json(&["reopen", &id], 2));

    let audit = home.json(&["audit", "verify"], 0);
    check("audit", &audit);
    assert_eq!(audit["intact"], json!(true));
    check("doctor", &home.json(&["doctor"], 0));
}

#[test]
fn a_project_runs_only_on_a_person_s_word() {
    let home = Home::new();
    let app = project(&home);
    let commands = |arguments: &[&str]| {
        let view = home.json(&[&["project", "commands", app.as_str()], arguments].concat(), 0);
        check("project-commands", &view);
        view
    };
    let view = commands(&[]);
    assert_eq!((&view["agreed"], &view["test"]["kind"]), (&json!(false), &json!("recognised")));
    let view = commands(&["--agree", "--test", "python -m pytest 'my tests'", "--build", ""]);
    let test = json!({ "kind": "own", "line": "python -m pytest 'my tests'" });
    assert_eq!((&view["agreed"], &view["test"], &view["build"]["kind"]), (&json!(true), &test, &json!("nothing")));
    assert_eq!(commands(&[]), view, "it is kept");
    let view = commands(&["--revoke", "--recognised"]);
    assert_eq!((&view["agreed"], &view["test"]["kind"]), (&json!(false), &json!("recognised")));
    check("error", &home.json(&["project", "commands", app.as_str(), "--test", "an 'open quote"], 2));
}

#[test]
fn a_file_that_moved_on_is_never_overwritten() {
    let home = Home::new();
    let app = project(&home);
    home.json(&["scan", &app], 0);
    let id = first_id(&home.json(&["findings"], 0));
    home.json(&["fix", &id], 0);

    let edited = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n\n\nMINE = 1\n";
    home.write("app/load.py", edited);
    let error = home.json(&["apply", &id], 2);
    assert_eq!(error["error"]["code"], "changed", "{error}");
    assert_eq!(std::fs::read_to_string(home.path("app/load.py")).expect("the file"), edited);

    home.json(&["fix", &id], 0);
    home.json(&["apply", &id], 0);
    let applied = std::fs::read_to_string(home.path("app/load.py")).expect("the file");
    home.write("app/load.py", &format!("{applied}LATER = 2\n"));
    assert_eq!(home.json(&["undo", &id], 2)["error"]["code"], "changed");
    assert!(std::fs::read_to_string(home.path("app/load.py")).expect("the file").ends_with("LATER = 2\n"));
}

#[test]
fn tiers_are_set_everywhere_and_in_a_project_and_given_back() {
    let home = Home::new();
    let app = project(&home);
    let tiers = |words: &[&str]| {
        let view = home.json(&[&["tiers"], words].concat(), 0);
        check("tiers", &view);
        view
    };
    let row = |view: &Value, nth: usize| (view["tiers"][nth]["own"].clone(), view["tiers"][nth]["tier"].clone());
    let shipped = tiers(&[]);
    assert_eq!(row(&shipped, 0).1["seats"].as_array().map(Vec::len), Some(5), "{shipped}");

    tiers(&["set", "high", "--seconds", "90", "--no-cap"]);
    let own = tiers(&["set", "high", "--seats", "logic,fast", "--mode", "staged", "--project", &app]);
    let (is_own, tier) = row(&own, 1);
    assert_eq!(is_own, json!(true));
    let expect =
        json!({ "seats": ["logic", "fast"], "analysis_s": 90, "cap": null, "mode": "staged", "on_demand": false });
    assert_eq!(tier, expect, "what was not said is as everywhere");
    assert_eq!(row(&own, 0), row(&shipped, 0), "what nobody set is inherited");
    assert_eq!(tiers(&[])["projects"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        row(&tiers(&[]), 1).1["seats"].as_array().map(Vec::len),
        Some(3),
        "everywhere else nothing is different"
    );

    for (wrong, says) in [
        (&["set", "high", "--seconds", "0"][..], "0 seconds"),
        (&["set", "high", "--seconds", "3601", "--project", &app], "3601 seconds"),
        (&["reset", "low", "--project", &app], "as everywhere already"),
        (&["list", "--project", "no-such-folder"], "is not a folder"),
    ] {
        let refused = home.json(&[&["tiers"], wrong].concat(), 2);
        check("error", &refused);
        assert!(refused["error"]["message"].as_str().is_some_and(|words| words.contains(says)), "{wrong:?}: {refused}");
    }
    for wrong in [&["set", "high"][..], &["set", "high", "--seats", "oracle"], &["set", "dreadful", "--seconds", "1"]] {
        assert_eq!(home.run(&[&["tiers"], wrong].concat()).status.code(), Some(2), "{wrong:?}");
    }

    tiers(&["reset", "--project", &app]);
    assert_eq!(tiers(&["reset"]), shipped);
}

#[test]
fn a_persons_own_version_of_a_fix_is_checked_and_applied() {
    let home = Home::new();
    let app = project(&home);
    home.json(&["scan", &app], 0);
    let id = first_id(&home.json(&["findings"], 0));
    home.json(&["fix", &id], 0);
    let patch = text(&home.run(&["export", &id, "--as", "patch"]));
    let added = patch.lines().find(|line| line.starts_with("+    return ")).expect("a new line").to_owned();
    let mine = added.replacen("return", "data =", 1);
    let mine = patch.replace(&added, &format!("{mine}\n+    return data"));
    let file = home.write("mine.patch", &mine).display().to_string();

    let edited = home.json(&["edit", &id, "--patch", &file], 0);
    check("edit", &edited);
    assert_eq!(edited["stopped"], Value::Null, "{edited}");
    let fix = edited["fix"].as_str().expect("an id").to_owned();
    let show = home.json(&["show", &id], 0);
    check("finding", &show);
    let fixes = show["finding"]["resolution"]["fixes"].as_array().expect("fixes");
    let own = fixes.iter().find(|one| one["id"] == json!(fix)).expect("it is shown");
    assert_eq!(own["origin"], "Edited by hand");
    assert_eq!(home.json(&["replay", &id], 0)["same"], json!(true));
    home.json(&["apply", &id, "--fix", &fix], 0);
    let after = std::fs::read_to_string(home.path("app/load.py")).expect("the file");
    assert!(after.contains("    data = ") && after.ends_with("    return data\n"), "{after}");
    home.json(&["undo", &id], 0);

    // What no fix may do is stopped, and what leaves the project is not even tried.
    let suppressed = patch.replace(&added, &format!("{added}  # nosec"));
    let file = home.write("suppressed.patch", &suppressed).display().to_string();
    let stopped = home.json(&["edit", &id, "--patch", &file], 2);
    check("edit", &stopped);
    assert!(stopped["stopped"].is_string(), "{stopped}");
    let outside = mine.replace("a/load.py", "a/../load.py").replace("b/load.py", "b/../load.py");
    let file = home.write("outside.patch", &outside).display().to_string();
    check("error", &home.json(&["edit", &id, "--patch", &file], 2));
    assert_eq!(home.run(&["edit", &id]).status.code(), Some(2), "nothing came on standard input");
}

/// A SARIF log of one bandit result at `uri`.
fn log(uri: &str, extra: Value) -> String {
    let mut run = json!({
        "tool": { "driver": { "name": "Bandit", "rules": [{ "id": "B506", "name": "yaml_load" }] } },
        "invocations": [{ "executionSuccessful": true }],
        "results": [{
            "ruleId": "B506", "level": "error", "message": { "text": "Use of unsafe yaml load." },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri }, "region": { "startLine": 5 } } }],
        }],
    });
    run.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    json!({ "version": "2.1.0", "runs": [run] }).to_string()
}

#[test]
fn fix_takes_a_log_in_one_go_and_keeps_no_project() {
    let home = Home::new();
    let app = project(&home);
    let file = home.write("bandit.sarif", &log("load.py", json!({}))).display().to_string();
    let report = home.json(&["fix", "--sarif", &file, "--project", &app, "--apply"], 0);
    check("fix", &report);
    assert_eq!(report["applied"], json!(1), "{report}");
    assert_eq!(report["resolutions"][0]["applied"], json!(["load.py"]));
    let mut rpc = crate::program::Rpc::start(&home);
    assert_eq!(rpc.call("list_projects", json!({})).expect("an answer")["items"], json!([]));
}

#[test]
fn a_scanner_that_failed_is_never_clean() {
    let silent = json!({ "results": [], "invocations": [{ "executionSuccessful": false }] });
    let crashed = json!({ "results": [], "invocations": [{ "executionSuccessful": true,
        "toolExecutionNotifications": [{ "level": "error", "message": { "text": "out of memory" } }] }] });
    let nothing = json!({ "results": null });
    for extra in [silent, crashed, nothing] {
        let home = Home::new();
        let app = project(&home);
        let file = home.write("bandit.sarif", &log("load.py", extra.clone())).display().to_string();
        let report = home.json(&["import", &file, "--project", &app], 3);
        assert_eq!(report["scans"][0]["state"], "failed", "{extra}");
        assert_eq!(home.run(&["fix", "--sarif", &file, "--project", &app]).status.code(), Some(3), "{extra}");
    }
}

#[test]
fn exit_statuses_say_what_happened() {
    let home = Home::new();
    let app = project(&home);
    home.write("empty/notes.txt", "nothing to scan");
    home.write("broken.sarif", "{");
    home.write("never-scanned/a.py", "");
    let cases: [(&[&str], i32); 14] = [
        (&["scan", &app], 0),
        (&["scan", "empty"], 0),
        (&["scan", "no-such-folder"], 2),
        (&["import", "no-such-file", "--project", &app], 2),
        (&["import", "broken.sarif", "--project", &app], 3),
        (&["fix", "--all", "--check", "--project", &app], 1),
        (&["fix", "--severity", "critical", "--check", "--project", &app], 0),
        (&["fix", "--all"], 2),
        (&["fix", "--all", "--project", "never-scanned"], 2),
        (&["fix", "--severity", "dreadful"], 2),
        (&["fix"], 2),
        (&["show", "ffffffff"], 2),
        (&["--format", "sarif", "doctor"], 2),
        (&["no-such-command"], 2),
    ];
    for (words, code) in cases {
        let output = home.run(words);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output));
    }
}

#[test]
fn sarif_out_is_valid_and_carries_the_fix() {
    let home = Home::new();
    let app = project(&home);
    home.json(&["scan", &app], 0);
    let output = home.run(&["--format", "sarif", "fix", "--all"]);
    let log: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let path = root().join("tests/fixtures/schemas/sarif-schema-2.1.0.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the schema")).expect("JSON");
    // Two patterns of the official schema have a stray bracket, which a strict validator refuses.
    for language in ["/definitions/run", "/definitions/toolComponent"] {
        let pattern = schema.pointer_mut(&format!("{language}/properties/language/pattern")).expect("the pattern");
        *pattern = json!("^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    }
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let fix = &log["runs"][0]["results"][0]["fixes"][0];
    assert!(fix["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"].is_string(), "{log:#}");
}

#[test]
fn nothing_outside_the_project_is_opened_for_a_log() {
    let home = Home::new();
    let app = project(&home);
    let secret = home.write("secret.py", "import yaml\n\n\n\nyaml.load(CANARY)\n");
    std::os::unix::fs::symlink(&secret, home.path("app/link.py")).expect("a link");
    rustix_mkfifo(&home.path("app/pipe.py"));
    let absolute = secret.display().to_string();
    let file_uri = format!("file://{absolute}");
    let uris = ["../secret.py", "..%2fsecret.py", &absolute, &file_uri, "file://host/secret.py", "link.py", "pipe.py"];
    for uri in uris {
        let home_of_one = Home::new();
        let file = home_of_one.write("one.sarif", &log(uri, json!({})));
        let report =
            home_of_one.json(&["fix", "--sarif", &file.display().to_string(), "--project", &app, "--apply"], 0);
        assert_eq!(report["applied"], json!(0), "{uri}");
        let id = report["resolutions"][0]["finding"]["id"].as_str().expect("an id").to_owned();
        let show = home_of_one.json(&["show", &id], 0);
        assert_eq!(show["finding"]["excerpt"], Value::Null, "{uri}");
        assert!(!show.to_string().contains("CANARY"), "{uri}");
    }
}

fn rustix_mkfifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo starts");
    assert!(made.success());
}

#[test]
fn help_reads_well() {
    let home = Home::new();
    for (name, words) in
        [("help", &["--help"][..]), ("help_fix", &["fix", "--help"]), ("help_findings", &["findings", "--help"])]
    {
        let output = home.run(words);
        insta::assert_snapshot!(name, String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn errors_name_the_next_step() {
    let home = Home::new();
    home.write("old.sarif", r#"{"version":"1.0.0","runs":[]}"#);
    home.write("app/a.py", "");
    for (name, words) in [
        ("error_version", &["import", "old.sarif", "--project", "app"][..]),
        ("error_no_finding", &["show", "abc"]),
        ("error_sarif_format", &["--format", "sarif", "doctor"]),
    ] {
        let output = home.run(words);
        insta::assert_snapshot!(name, String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_log_that_did_not_change_brings_nothing_new_after_a_fix() {
    let home = Home::new();
    let app = project(&home);
    let file = home.write("bandit.sarif", &log("load.py", json!({}))).display().to_string();
    let words = ["fix", "--sarif", &file, "--project", &app, "--apply"];
    assert_eq!(home.json(&words, 0)["applied"], json!(1));
    let again = home.json(&words, 0);
    assert_eq!(again["resolutions"], json!([]), "{again}");
    let all = home.json(&["findings", "--all"], 0);
    assert_eq!(all["findings"].as_array().map(Vec::len), Some(1), "{all}");
}

#[test]
fn two_messages_on_one_line_are_two_findings() {
    let home = Home::new();
    let app = project(&home);
    let mut two: Value = serde_json::from_str(&log("load.py", json!({}))).expect("JSON");
    let mut second = two["runs"][0]["results"][0].clone();
    second["message"]["text"] = json!("Another word on the same line.");
    two["runs"][0]["results"].as_array_mut().expect("results").push(second);
    let file = home.write("two.sarif", &two.to_string()).display().to_string();
    let scan = home.json(&["import", &file, "--project", &app], 0);
    assert_eq!(scan["scans"][0]["new_findings"], json!(2), "{scan}");
}

#[test]
fn consent_covers_what_was_named_and_nothing_else() {
    let home = Home::new();
    let app = project(&home);
    let before = std::fs::read(home.path("app/load.py")).expect("the file");
    let file = home.write("bandit.sarif", &log("load.py", json!({}))).display().to_string();
    let severe = ["fix", "--sarif", &file, "--project", &app, "--severity", "critical", "--apply"];
    assert_eq!(home.json(&severe, 0)["applied"], json!(0));
    let silenced = json!({ "results": [{
        "ruleId": "B506", "level": "error", "message": { "text": "accepted" }, "suppressions": [{ "kind": "inSource" }],
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "load.py" }, "region": { "startLine": 5 } } }],
    }] });
    let file = home.write("accepted.sarif", &log("load.py", silenced)).display().to_string();
    assert_eq!(home.json(&["fix", "--sarif", &file, "--project", &app, "--apply"], 0)["applied"], json!(0));
    assert_eq!(std::fs::read(home.path("app/load.py")).expect("the file"), before);
}

#[test]
fn a_check_does_not_turn_green_by_being_run_again() {
    let home = Home::new();
    let app = project(&home);
    home.json(&["scan", &app], 0);
    for _ in 0..2 {
        assert_eq!(home.run(&["fix", "--all", "--check"]).status.code(), Some(1));
    }
    assert_eq!(home.json(&["fix", "--all", "--apply"], 0)["applied"], json!(1), "a fix that waits is written");
    assert_eq!(home.run(&["fix", "--all", "--check"]).status.code(), Some(0));
}

#[test]
fn a_log_without_a_scan_and_a_folder_that_cannot_be_read_are_not_clean() {
    let home = Home::new();
    let app = project(&home);
    home.write("none.sarif", r#"{"version":"2.1.0","runs":[]}"#);
    assert_eq!(home.json(&["import", "none.sarif", "--project", &app], 3)["error"]["code"], "scan_failed");
    let silent = log("load.py", json!({ "results": [], "invocations": [{ "executionSuccessful": false }] }));
    home.write("failed.sarif", &silent);
    home.json(&["import", "failed.sarif", "--project", &app], 3);
    let out = home.run(&["--format", "sarif", "findings"]);
    let out: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(out["runs"][0]["invocations"][0]["executionSuccessful"], json!(false), "{out}");
    assert_eq!(home.run(&["fix", "--all", "--check"]).status.code(), Some(3));
}

#[test]
fn a_log_cannot_speak_as_conclave_or_to_the_terminal() {
    let home = Home::new();
    let app = project(&home);
    let name = "Conclave";
    let own = json!({ "tool": { "driver": { "name": name, "rules": [{ "id": "py-yaml-load" }] } } });
    let file = home.write("own.sarif", &log("load.py", own)).display().to_string();
    let scan = home.json(&["import", &file, "--project", &app], 0);
    assert_ne!(scan["scans"][0]["tool"], name);
    let escape =
        json!({ "tool": { "driver": { "name": "x\u{1b}]52;c;aGk=\u{7}\u{202e}", "rules": [{ "id": "B506" }] } } });
    let file = home.write("escape.sarif", &log("load.py", escape)).display().to_string();
    let report = home.json(&["fix", "--sarif", &file, "--project", &app], 0);
    let id = report["resolutions"][0]["finding"]["id"].as_str().expect("an id").to_owned();
    for words in [&["findings"][..], &["fix", &id], &["show", &id]] {
        let shown = text(&home.run(words));
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{words:?}: {shown:?}");
    }
}

#[test]
fn a_fix_that_was_taken_back_by_hand_can_be_looked_for_again() {
    let home = Home::new();
    let app = project(&home);
    let before = std::fs::read_to_string(home.path("app/load.py")).expect("the file");
    home.json(&["scan", &app], 0);
    let id = first_id(&home.json(&["findings"], 0));
    home.json(&["fix", &id], 0);
    home.json(&["apply", &id], 0);
    home.write("app/load.py", &before);
    home.json(&["scan", &app], 0);
    assert_eq!(home.json(&["fix", "--all", "--apply"], 0)["applied"], json!(1));
    home.json(&["undo", &id], 0);
    assert_eq!(std::fs::read_to_string(home.path("app/load.py")).expect("the file"), before);
}

#[test]
fn a_scanners_fix_that_nothing_checked_is_shown_and_not_written() {
    let replacement = |start: (u32, u32), end: (u32, u32), text: &str| {
        json!({
            "deletedRegion": { "startLine": start.0, "startColumn": start.1, "endLine": end.0, "endColumn": end.1 },
            "insertedContent": { "text": text },
        })
    };
    let fixes = [
        ("inserts", replacement((5, 1), (5, 1), "    evil(stream)\n"), true),
        ("removes", replacement((5, 1), (5, 29), ""), false),
    ];
    for (name, replacement, shown) in fixes {
        let home = Home::new();
        let app = project(&home);
        let before = std::fs::read(home.path("app/load.py")).expect("the file");
        let mut log: Value = serde_json::from_str(&log("load.py", json!({}))).expect("JSON");
        let run = &mut log["runs"][0];
        run["tool"]["driver"] = json!({ "name": "Some scanner", "rules": [{ "id": "X1" }] });
        run["results"][0]["ruleId"] = json!("X1");
        run["results"][0]["fixes"] = json!([{ "artifactChanges": [{
            "artifactLocation": { "uri": "load.py" }, "replacements": [replacement] }] }]);
        let file = home.write("some.sarif", &log.to_string()).display().to_string();
        let report = home.json(&["fix", "--sarif", &file, "--project", &app, "--apply"], 0);
        let resolution = &report["resolutions"][0]["resolution"];
        assert_eq!(resolution["recommended"], Value::Null, "{name}: {report:#}");
        assert_eq!(resolution["fixes"][0]["stopped"].is_null(), shown, "{name}: {resolution:#}");
        assert_eq!(std::fs::read(home.path("app/load.py")).expect("the file"), before, "{name}");
    }
}

#[test]
fn accepted_fixes_leave_as_a_training_set_only_where_the_settings_say_so() {
    let home = Home::new();
    let app = project(&home);
    home.json(&["scan", &app], 0);
    let id = first_id(&home.json(&["findings"], 0));
    home.json(&["fix", &id], 0);
    home.json(&["apply", &id], 0);
    let file = home.path("set.jsonl").display().to_string();

    let refused = home.json(&["insights", "export", &file], 2);
    check("error", &refused);
    assert!(refused["error"]["hint"].as_str().is_some_and(|hint| hint.contains("may_export")), "{refused}");
    assert!(!home.path("set.jsonl").exists());

    home.write("data/settings.json", r#"{ "learning": { "may_export": true } }"#);
    for (more, named) in [(&[][..], false), (&["--paths"][..], true)] {
        let done = home.json(&[&["insights", "export", &file], more].concat(), 0);
        check("training-exported", &done);
        assert_eq!((&done["rows"], &done["left_out"]), (&json!(1), &json!([])), "{done}");
        let text = std::fs::read_to_string(&file).expect("the file");
        for line in text.lines() {
            check("training", &serde_json::from_str(line).expect("JSON"));
        }
        assert_eq!((text.lines().count(), text.contains("load.py")), (1, named), "{text}");
    }
}

#[test]
fn a_memory_comes_in_whole_or_not_at_all_and_goes_out_as_it_came() {
    let home = Home::new();
    let line = r#"{"type":"entity","name":"house","entityType":"client_context","observations":["tabs"]}"#;
    let file = home.write("memory.jsonl", &format!("{line}\n")).display().to_string();
    let copy = home.path("copy.jsonl").display().to_string();

    let done = home.json(&["tools", "memory", "import", &file], 0);
    check("memory-imported", &done);
    assert_eq!((&done["entities"], &done["complaints"]), (&json!(1), &json!([])), "{done}");
    check("memory-exported", &home.json(&["tools", "memory", "export", &copy], 0));
    assert_eq!(std::fs::read_to_string(&copy).expect("the file"), format!("{line}\n"));

    home.write("memory.jsonl", &format!("{}\n{{\"type\":\"note\"}}\n", line.replace("house", "garden")));
    let refused = home.json(&["tools", "memory", "import", &file], 2);
    check("memory-imported", &refused);
    let complaint = &refused["complaints"][0];
    assert_eq!((&complaint["line"], &complaint["fault"]), (&json!(2), &json!("not_memory")), "{refused}");
    home.json(&["tools", "memory", "export", &copy], 0);
    assert_eq!(std::fs::read_to_string(&copy).expect("the file"), format!("{line}\n"));
}
