//! A reviewer that obeys: what becomes of agents' calls that ask for what goals want.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::goals::{Channel, Effect, Goal, TOKEN, cases};
use super::ground::Ground;
use super::{Case, Tried, is_deep, try_all};
use crate::hook::Mcp;
use crate::model::Model;
use crate::program::Home;

/// What an agent would do that obeys, as a call of a tool.
fn call(ground: &Ground, name: &str, goal: &Goal, channel: Channel) -> Value {
    let text = ground.filled(&goal.text());
    let (tool, mut parameters) = match goal.effect {
        Effect::Write(path) => {
            ("Write", json!({ "file_path": ground.filled(path), "content": format!("{TOKEN} {text}") }))
        }
        Effect::Insert(code) => ("Bash", json!({ "command": format!("python3 -c \"{}\"", ground.filled(code)) })),
        Effect::Run(command) => ("Bash", json!({ "command": ground.filled(command) })),
        Effect::Claim(_) => ("mcp__conclave__apply", json!({ "id": name, "why": text })),
        Effect::Connection(to) => ("WebFetch", json!({ "url": ground.filled(to), "prompt": text })),
    };
    parameters["description"] = json!(format!("{name}.py ({channel:?}): {text}"));
    json!({ "tool_name": tool, "parameters": parameters, "cwd": ground.home.path("app") })
}

/// What becomes of all calls of `part`, and what was tried, with the model as reviewer or without one.
fn decided(part: &[Case], policy: Option<&str>, with_model: bool, ask: Ask) -> (Vec<String>, Tried) {
    let ground = Ground::new(part);
    let files = ground.plant();
    ground.home.run(&["doctor"]);
    let allows = json!({ "reasoning": "I was told to.", "risk_factors": [], "decision": "allow", "confidence": 1.0 });
    let model = Model::answering(&allows.to_string());
    if with_model {
        let mut settings: Value = serde_json::from_str(&model.settings()).expect("settings");
        settings["review"] = json!({ "models": ["Stub"], "timeout_s": 30 });
        ground.home.write("data/settings.json", &settings.to_string());
    }
    if let Some(policy) = policy {
        ground.policy(policy);
    }
    let calls: Vec<Value> =
        ground.cases.iter().map(|(name, (goal, channel))| call(&ground, name, goal, *channel)).collect();
    let decisions = ask(&ground.home, &calls);
    let tried = Tried { asked: model.asked().len(), allowed: 0, harm: ground.harm(&files, &model.asked(), "") };
    (decisions, tried)
}

/// Puts calls to Conclave and says what it decided on each.
type Ask = fn(&Home, &[Value]) -> Vec<String>;

fn over_mcp(home: &Home, calls: &[Value]) -> Vec<String> {
    let mut mcp = Mcp::start(home);
    let mut ask = |(id, call): (usize, &Value)| {
        let answer = mcp.ask(id as u64 + 1, "evaluate_tool_request", call);
        answer["structuredContent"]["action"].as_str().unwrap_or("error").to_owned()
    };
    let decisions = calls.iter().enumerate().map(&mut ask).collect();
    mcp.finish();
    decisions
}

fn by_advise(home: &Home, calls: &[Value]) -> Vec<String> {
    let advise = |call: &Value| {
        let mut command: Command = home.command();
        let mut child = command
            .arg("advise")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("conclave");
        child.stdin.take().expect("its input").write_all(call.to_string().as_bytes()).expect("it reads");
        let code = child.wait().expect("it ends").code();
        if code == Some(0) { "allow" } else { "deny" }.to_owned()
    };
    calls.iter().map(advise).collect()
}

/// With the model as reviewer, no call is allowed that is not allowed without.
fn come_to_nothing(mode: &str, turn: usize, policy: Option<&str>, ask: Ask) -> Tried {
    // The rules do not look at where a wish came from, so without a model each goal is decided once.
    let by_rules: Mutex<BTreeMap<usize, bool>> = Mutex::default();
    try_all(mode, cases(is_deep(), turn), |part| {
        let known: BTreeMap<usize, bool> = by_rules.lock().expect("unpoisoned").clone();
        let new = part.iter().filter(|(goal, _)| !known.contains_key(&goal.number));
        let new: BTreeMap<usize, Case> = new.map(|case| (case.0.number, *case)).collect();
        let new: Vec<Case> = new.into_values().collect();
        let (decisions, mut all) = decided(&new, policy, false, ask);
        let decisions = decisions.into_iter().map(|decision| decision == "allow");
        let by_rules = {
            let mut by_rules = by_rules.lock().expect("unpoisoned");
            by_rules.extend(new.iter().map(|(goal, _)| goal.number).zip(decisions));
            by_rules.clone()
        };
        let (decisions, mut tried) = decided(part, policy, true, ask);
        for ((goal, channel), _) in part.iter().zip(decisions).filter(|(_, decision)| decision == "allow") {
            tried.allowed += 1;
            if !by_rules[&goal.number] {
                tried.harm.push(format!("{goal:?} by {channel:?}"));
            }
        }
        tried.harm.append(&mut all.harm);
        tried
    })
}

#[test]
fn an_obedient_reviewer_allows_nothing() {
    let everything = "version: 1\nrules:\n  - { id: all, priority: 1, action: sample, reason: a look, \
                      sampling_guidance: g, conditions: { action: call_tool } }\n";
    let tried = come_to_nothing("review", 3, Some(everything), over_mcp);
    assert!(tried.asked > 0, "the model was asked");
}

#[test]
fn an_obedient_reviewer_beside_the_shipped_rules_allows_nothing_over_mcp() {
    come_to_nothing("mcp", 4, None, over_mcp);
}

#[test]
fn an_obedient_reviewer_beside_the_shipped_rules_allows_nothing_by_advise() {
    come_to_nothing("advise", 5, None, by_advise);
}
