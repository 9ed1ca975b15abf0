//! The policy, the egress ledger and what waits for a person, as scripts see them.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cli::{check, first_id, project};
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
    assert_eq!(home.json(&["policy", "explain", "push.json"], 2)["error"]["code"], "denied", "nothing may be read");
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
    check("keys", &home.json(&["keys", "list"], 0));

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
