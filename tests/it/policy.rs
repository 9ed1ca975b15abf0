//! The policy, the egress ledger and what waits for a person, as scripts see them.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cli::{check, first_id, project};
use crate::model::Model;
use crate::program::{Home, text};

const NO_PUSH: &str = "\
version: 1
rules:
  - id: no-push
    priority: 5
    action: deny
    reason: pushing is mine to do
    conditions: { tool: Bash, parameters: { command: { glob: 'git push*' } } }
    match:
      - { actor: agent:claude-code, tool: Bash, parameters: { command: git push origin } }
";
const PUSH: &str = r#"{"actor": "agent:claude-code", "tool": "Bash", "parameters": {"command": "git push origin"}}"#;

#[test]
fn a_policy_file_is_checked_before_it_counts_and_counts_once_it_is_there() {
    let home = Home::new();
    home.write("good.yaml", NO_PUSH);
    home.write("unknown.yaml", &NO_PUSH.replace("reason:", "reasons:"));
    home.write("example.yaml", &NO_PUSH.replace("command: git push origin", "command: git status"));
    home.write("push.json", PUSH);
    let good = home.json(&["policy", "check", "good.yaml"], 0);
    check("policy-check", &good);
    assert_eq!((&good["rules"], &good["examples"]), (&json!(1), &json!(1)));
    for name in ["unknown.yaml", "example.yaml"] {
        let bad = home.json(&["policy", "check", name], 2);
        check("policy-check", &bad);
        assert!(bad["fault"].as_str().is_some_and(|fault| fault.contains("no-push")), "{bad:#}");
        assert_eq!(home.run(&["policy", "test", name]).status.code(), Some(2), "{name}");
        assert_eq!(home.run(&["policy", "simulate", name]).status.code(), Some(2), "{name}");
    }
    let before = home.json(&["policy", "explain", "push.json"], 0);
    check("explanation", &before);
    assert_ne!(before["rule"], "no-push");
    check("simulation", &home.json(&["policy", "simulate", "good.yaml"], 0));

    home.write("data/policy.yaml", NO_PUSH);
    let after = home.json(&["policy", "explain", "push.json"], 0);
    assert_eq!((&after["decision"], &after["rule"]), (&json!("deny"), &json!("no-push")), "{after:#}");
    let which = home.json(&["policy", "which"], 0);
    check("policy", &which);
    assert_eq!(which["user_policy"], NO_PUSH);
    check("policy", &home.json(&["policy", "test"], 0));

    home.write("data/policy.yaml", "version: 7\n");
    let broken = home.json(&["policy", "test"], 2);
    assert!(broken["banner"].is_string(), "{broken:#}");
    let doctor = home.json(&["doctor"], 3);
    check("doctor", &doctor);
    let wrong: Vec<_> =
        doctor["items"].as_array().expect("items").iter().filter(|item| item["wrong"] == true).collect();
    assert_eq!((wrong.len(), &wrong[0]["name"], &wrong[0]["found"]), (1, &json!("Policy"), &broken["banner"]));
    assert!(text(&home.run(&["doctor"])).contains("wrong    Policy "), "{doctor:#}");
    assert_eq!(home.json(&["policy", "explain", "push.json"], 2)["error"]["code"], "denied", "nothing may be read");
}

#[test]
fn every_layer_is_listed_with_its_file_and_whether_it_counts() {
    let home = Home::new();
    let project = "version: 1\nrules: [{ id: p, priority: 1, action: deny, reason: r, conditions: { tool: Bash } }]\n";
    home.write("app/.conclave/policy.yaml", project);
    home.write("app/src/a.py", "");
    home.write("bare/.git/HEAD", "ref: refs/heads/main\n");
    let layers = |words: &[&str]| {
        let view = home.json(&[&["policy", "which"], words].concat(), 0);
        check("policy", &view);
        let files = view["files"].as_array().expect("files").clone();
        let layers: Vec<_> = files.iter().map(|file| file["layer"].as_str().expect("a layer").to_owned()).collect();
        assert_eq!(layers, ["floor", "admin", "user", "project"], "{view:#}");
        (files, view)
    };
    let (files, _) = layers(&["--project", "bare"]);
    assert_eq!((&files[3]["state"], &files[3]["rules"]), (&json!("missing"), &json!(0)), "{files:#?}");
    assert!(files[3]["path"].as_str().is_some_and(|path| path.ends_with("bare/.conclave/policy.yaml")), "{files:#?}");
    assert_eq!((&files[2]["state"], &files[2]["own_rules"]), (&json!("built_in"), &json!(0)), "{files:#?}");

    home.write("data/policy.yaml", NO_PUSH);
    let (files, view) = layers(&["--project", "app/src"]);
    assert_eq!((&files[2]["state"], &files[2]["own_rules"]), (&json!("loaded"), &json!(1)), "{files:#?}");
    assert_eq!((&files[3]["state"], &files[3]["rules"]), (&json!("loaded"), &json!(1)), "{files:#?}");
    assert_eq!(files[3]["digest"].as_str().map(str::len), Some(64), "{files:#?}");
    let counted: u64 = files.iter().filter_map(|file| file["rules"].as_u64()).sum();
    assert_eq!(view["rules"].as_array().map(Vec::len), Some(counted as usize), "{view:#}");
    let mut here = home.command();
    here.args(["policy", "which"]).current_dir(home.path("app/src"));
    let said = text(&here.output().expect("conclave starts"));
    assert!(said.contains("app/.conclave/policy.yaml\n") && said.contains("in force: 1 rule\n"), "{said}");

    home.write("app/.conclave/policy.yaml", &project.replace("deny", "denny"));
    let (files, _) = layers(&["--project", "app"]);
    assert_eq!((&files[3]["state"], &files[3]["rules"]), (&json!("refused"), &json!(0)), "{files:#?}");
    let said = text(&home.run(&["policy", "which", "--project", "app"]));
    assert_eq!(said.matches("did you mean `deny`?").count(), 1, "{said}");
    home.write("data/policy.yaml", &NO_PUSH.replace("deny", "denny"));
    let said = text(&home.run(&["policy", "which", "--project", "bare"]));
    assert_eq!(said.matches("did you mean `deny`?").count(), 1, "{said}");
    assert_eq!(home.run(&["policy", "which", "--project", "nowhere"]).status.code(), Some(2));
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_do() {
    let home = Home::new();
    home.write("folder/a", "");
    home.write("empty.yaml", "");
    std::fs::write(home.path("latin.yaml"), b"version: 1 # \xe9\n").expect("written");
    home.write("large.yaml", &"#\n".repeat(1 << 20));
    for (name, says) in [
        ("nowhere.yaml", "does not exist"),
        ("folder", "is not a regular file"),
        ("latin.yaml", "is not UTF-8"),
        ("large.yaml", "is larger than"),
    ] {
        for command in ["check", "test", "simulate", "explain"] {
            let error = home.json(&["policy", command, name], 2);
            check("error", &error);
            let message = error["error"]["message"].as_str().expect("words");
            assert!(message.contains(says) && error["error"]["hint"].is_string(), "{command} {name}: {error:#}");
        }
    }
    let check = home.json(&["policy", "check", "empty.yaml"], 2);
    assert!(check["fault"].as_str().is_some_and(|fault| fault.starts_with("it is empty")), "{check:#}");
    let mut command = home.command();
    command.args(["policy", "explain", "-"]).stdin(Stdio::null());
    let said = text(&command.output().expect("conclave starts"));
    assert!(said.contains("nothing came on standard input") && said.contains("{\"actor\": "), "{said}");
}

#[test]
fn a_request_from_standard_input_is_explained_rule_by_rule() {
    let home = Home::new();
    let mut command = home.command();
    command.args(["policy", "explain", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("conclave starts");
    let request = r#"{"actor": "reviewer", "action": "write_file", "resource": "/home/ada/.bashrc"}"#;
    child.stdin.take().expect("its input").write_all(request.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = text(&output);
    assert!(said.contains("no match") && said.contains("\ndeny: ") && said.contains("\nNext: "), "{said}");
    assert!(!said.contains("\nNote: "), "nothing is left out of what is no agent’s call: {said}");
}

#[test]
fn the_ledger_comes_out_as_it_is_and_what_waits_is_listed() {
    let home = Home::new();
    let app = project(&home);
    home.json(&["scan", &app], 0);
    let id = first_id(&home.json(&["findings"], 0));
    let preview = home.json(&["preview", &id], 0);
    check("preview", &preview);
    assert_eq!((&preview["requests"], preview["note"].is_string()), (&json!([]), true), "no model is set up");
    let egress = home.json(&["audit", "egress"], 0);
    check("egress", &egress);
    assert_eq!(egress["rows"], json!([]), "nothing left this machine");
    let exchanges = home.json(&["audit", "exchanges", "--project", &app], 0);
    check("exchanges", &exchanges);
    assert_eq!(exchanges["rows"], json!([]), "nothing is kept unless it is asked for");
    check("error", &home.json(&["audit", "exchanges", "--show", "99"], 2));
    check("asks", &home.json(&["asks"], 0));
    check("error", &home.json(&["asks", "allow", "99"], 2));
    let mut keys = home.command();
    keys.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus").args(["--format", "json", "keys", "list"]);
    let keys = keys.output().expect("conclave starts");
    check("keys", &serde_json::from_slice(&keys.stdout).expect("JSON"));

    let export = home.run(&["audit", "export"]);
    let lines: Vec<Value> = String::from_utf8(export.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (1..=lines.len() as u64).collect::<Vec<_>>());
    assert_eq!(home.json(&["audit", "verify"], 0)["head"], lines.last().expect("an entry")["hash"]);
}

#[test]
fn exchanges_are_erased_by_project_or_all_and_none_are_kept_once_that_is_off() {
    let home = Home::new();
    let app = project(&home);
    home.write("other/load.py", "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n");
    let other = home.path("other").display().to_string();
    let model = Model::answering("no");
    let keeping = |log: Value| {
        let mut settings: Value = serde_json::from_str(&model.settings()).expect("settings");
        settings["exchange_log"] = log;
        home.write("data/settings.json", &settings.to_string());
    };
    let kept = |words: &[&str]| {
        let rows = home.json(&[&["audit", "exchanges"], words].concat(), 0)["rows"].clone();
        rows.as_array().expect("rows").len()
    };
    let fix_all = || [&app, &other].map(|root| home.json(&["fix", "--all", "--project", root], 0));
    home.json(&["scan", &app], 0);
    home.json(&["scan", &other], 0);
    keeping(json!({ "on": true }));
    fix_all();
    let (of_app, of_other) = (kept(&["--project", &app]), kept(&["--project", &other]));
    assert!(of_app > 0 && of_other > 0 && kept(&[]) == of_app + of_other, "{of_app} {of_other}");

    // What was kept before stays until it is erased.
    keeping(json!({ "on": true, "projects": { &app: false } }));
    assert_eq!(kept(&["--project", &app]), of_app);
    let erased = home.json(&["audit", "exchanges", "--erase", "--project", &app], 0);
    check("exchanges-erased", &erased);
    assert_eq!((&erased["root"], &erased["erased"]), (&json!(app), &json!(of_app)));
    assert_eq!((kept(&["--project", &app]), kept(&[])), (0, of_other));
    fix_all();
    assert_eq!(kept(&["--project", &app]), 0, "nothing more is kept of it");

    home.run(&["audit", "exchanges", "--erase"]);
    assert_eq!(kept(&[]), 0);
    assert_eq!(home.run(&["audit", "exchanges", "--erase", "--show", "1"]).status.code(), Some(2));
    assert_eq!(home.json(&["audit", "verify"], 0)["intact"], json!(true), "the decisions stay");
}
