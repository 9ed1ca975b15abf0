//! What stays alive: the JSON-lines bridge, watched folders, runs that survive a kill.

use serde_json::{Value, json};

use crate::program::{Home, Rpc};

const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";

fn changed(tag: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["kind"] == "changed" && event["tags"].as_array().is_some_and(|tags| tags.contains(&json!(tag)))
}

fn findings(rpc: &mut Rpc, view: &str) -> Vec<Value> {
    let page = rpc.call("list_findings", json!({ "view": view })).expect("a page");
    page["items"].as_array().expect("items").clone()
}

/// Waits until `done` holds for the findings of `view`; every change wakes it.
fn wait_for(rpc: &mut Rpc, view: &str, done: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    loop {
        let items = findings(rpc, view);
        if done(&items) {
            return items;
        }
        rpc.event(changed("findings"));
    }
}

#[test]
fn requests_are_answered_and_bad_lines_are_named() {
    let home = Home::new();
    let mut rpc = Rpc::start(&home);
    let status = rpc.call("get_status", json!({})).expect("a status");
    assert_eq!((&status["offline"], &status["egress"]), (&json!(false), &json!(0)));
    assert_eq!(rpc.call("no_such_command", json!({})).expect_err("refused")["code"], "bad_request");
    assert_eq!(rpc.call("get_finding", json!({ "id": 1 })).expect_err("refused")["code"], "bad_request");
    rpc.send("this is not JSON");
    loop {
        let line = rpc.line();
        if line["id"].is_null() && line.get("error").is_some() {
            assert_eq!(line["error"]["code"], "bad_request");
            break;
        }
    }
    assert_eq!(rpc.finish(), Some(0));
}

#[test]
fn a_watched_folder_brings_logs_and_marks_what_changed() {
    let home = Home::new();
    home.write("app/load.py", WEAK);
    let mut rpc = Rpc::start(&home);
    let root = home.path("app").display().to_string();
    rpc.call("add_project", json!({ "path": root, "watch": true })).expect("a project");
    let first = wait_for(&mut rpc, "all", |items| items.len() == 1);

    let log = json!({ "version": "2.1.0", "runs": [{
        "tool": { "driver": { "name": "Bandit", "rules": [{ "id": "B506" }] } },
        "invocations": [{ "executionSuccessful": true }],
        "results": [{ "ruleId": "B506", "message": { "text": "Use of unsafe yaml load." }, "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": "load.py" }, "region": { "startLine": 5 } } }] }],
    }] });
    home.write("app/out.sarif", &log.to_string());
    let both = wait_for(&mut rpc, "all", |items| items.len() == 2);
    let bandit = both.iter().find(|item| item["tool"] == "Bandit").expect("the imported finding");

    home.write("app/load.py", &format!("# moved down\n{WEAK}"));
    let id = bandit["id"].clone();
    wait_for(&mut rpc, "all", |items| items.iter().any(|item| item["id"] == id && item["stale"] == json!(true)));
    let again = wait_for(&mut rpc, "all", |items| {
        items.iter().any(|item| item["tool"] == "Conclave" && item["stale"] == json!(false) && item["line"] == json!(6))
    });
    assert!(again.iter().any(|item| item["id"] == first[0]["id"]), "a finding keeps its identity when its line moves");

    std::fs::remove_file(home.path("app/load.py")).expect("the file is removed");
    std::fs::remove_file(home.path("app/out.sarif")).expect("the log is removed");
    rpc.event(changed("findings"));
    assert_eq!(findings(&mut rpc, "needs_you").len(), 2, "a removed file closes nothing");
}

#[test]
fn a_killed_run_resumes_where_it_stopped() {
    let home = Home::new();
    for n in 0..6 {
        home.write(&format!("app/load{n}.py"), WEAK);
    }
    home.json(&["scan", "app"], 0);
    let mut rpc = Rpc::start(&home);
    rpc.call("run_fix", json!({})).expect("queued");
    rpc.event(|event| event["kind"] == "run" && event["progress"]["stage"] == "verify");
    rpc.kill();

    let mut rpc = Rpc::start(&home);
    let ready = wait_for(&mut rpc, "fix_ready", |items| items.len() == 6);
    assert_eq!(ready.len(), 6);
    // A finding has its result a moment before its job is put away.
    while rpc.call("get_status", json!({})).expect("a status")["running"] != json!(0) {
        rpc.event(changed("runs"));
    }
    assert_eq!(rpc.call("verify_ledger", json!({})).expect("a verdict")["intact"], json!(true));
}

#[test]
fn the_sample_ends_with_fixes_and_with_one_honest_refusal() {
    let home = Home::new();
    let report = home.json(&["demo"], 0);
    let items = report["resolutions"].as_array().expect("resolutions");
    assert!((10..=24).contains(&items.len()), "{} findings", items.len());
    let of = |item: &Value| item["resolution"]["recommended"].is_string();
    assert!(items.iter().filter(|item| of(item)).count() >= 8, "{report:#}");
    let refused: Vec<&str> =
        items.iter().filter(|item| !of(item)).filter_map(|item| item["resolution"]["reason"].as_str()).collect();
    assert!(refused.iter().any(|reason| reason.to_lowercase().contains("password")), "{refused:?}");
    assert_eq!(home.json(&["audit", "verify"], 0)["intact"], json!(true));
}

#[test]
fn every_success_carries_a_fix_an_explanation_and_a_confidence() {
    let home = Home::new();
    let report = home.json(&["demo"], 0);
    let mut looked = 0;
    for item in report["resolutions"].as_array().expect("resolutions") {
        let resolution = &item["resolution"];
        let Some(id) = resolution["recommended"].as_str() else { continue };
        let fixes = resolution["fixes"].as_array().expect("fixes");
        let fix = fixes.iter().find(|fix| fix["id"] == id).expect("the recommended fix");
        assert!(!fix["files"].as_array().expect("files").is_empty(), "{id}");
        for text in
            [&resolution["change"], &resolution["why_safe"], &fix["rationale"], &fix["confidence"]["cap_reason"]]
        {
            assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{id}: {resolution:#}");
        }
        let not_covered = resolution["not_covered"].as_array().expect("a list");
        // The sample's tests run where a sandbox can be built; what did not pass is said to be not covered.
        let evidence = fix["evidence"].as_array().expect("evidence");
        let passed = evidence.iter().any(|seen| seen["check"] == "tests" && seen["outcome"] == "pass");
        let is_said = not_covered.iter().any(|text| text.as_str().is_some_and(|text| text.starts_with("Tests")));
        assert_ne!(passed, is_said, "{id}: {not_covered:?}");
        let reading = &fix["confidence"]["summary"];
        let of = |name: &str| reading[name].as_f64().expect("a figure");
        assert!(
            0.3 <= of("p") && of("low") <= of("p") && of("p") <= of("high") && of("high") <= of("cap"),
            "{reading}"
        );
        let show = home.json(&["show", item["finding"]["id"].as_str().expect("an id")], 0);
        assert!(show["finding"]["problem"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(show["finding"]["references"].as_array().is_some_and(|links| !links.is_empty()));
        looked += 1;
    }
    assert!(looked >= 8, "{looked}");
}
