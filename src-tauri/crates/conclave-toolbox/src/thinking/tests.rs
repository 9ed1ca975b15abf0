//! The tool speaks as the server does, and keeps each run's thoughts apart.

use conclave_core::id::RunId;
use conclave_core::synthesis::{Thought, ToolOutcome};
use serde_json::{Value, json};

use super::{AtServer, NAME, OTHER_SPELLING, Thinking, Thoughts};
use crate::tests::{Does, Stub, caller, soon};
use crate::{Tool, Toolbox};

fn toolbox() -> (Toolbox, Thoughts) {
    let thoughts = Thoughts::default();
    (Toolbox::new(vec![Box::new(Thinking::new(thoughts.clone()))]), thoughts)
}

fn step(number: u32, total: u32, more: Value) -> Value {
    let mut step = json!({
        "thought": format!("step {number}"),
        "nextThoughtNeeded": true,
        "thoughtNumber": number,
        "totalThoughts": total,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        step[key] = value.clone();
    }
    step
}

#[test]
fn every_parameter_is_in_the_schema() {
    let tool = Thinking::new(Thoughts::default());
    let schema = &tool.offer().schema;
    let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "thought",
            "nextThoughtNeeded",
            "thoughtNumber",
            "totalThoughts",
            "isRevision",
            "revisesThought",
            "branchFromThought",
            "branchId",
            "needsMoreThoughts",
        ]
    );
    assert_eq!(schema["required"], json!(["thought", "nextThoughtNeeded", "thoughtNumber", "totalThoughts"]));
    for flag in ["nextThoughtNeeded", "isRevision", "needsMoreThoughts"] {
        assert_eq!(schema["properties"][flag]["anyOf"], json!([{ "type": "boolean" }, { "type": "string" }]), "{flag}");
    }
}

#[tokio::test]
async fn a_chain_with_a_revision_and_a_branch_is_counted_and_can_be_read_back() {
    let (toolbox, thoughts) = toolbox();
    let (caller, _) = caller("r1", "", false);
    for (name, arguments, expect) in [
        (NAME, step(1, 3, json!({})), json!([1, 3, true, [], 1])),
        (
            OTHER_SPELLING,
            step(2, 3, json!({ "isRevision": "true", "revisesThought": 1, "nextThoughtNeeded": "True" })),
            json!([2, 3, true, [], 2]),
        ),
        (NAME, step(3, 3, json!({ "branchFromThought": 1, "branchId": "alt-a" })), json!([3, 3, true, ["alt-a"], 3])),
        (NAME, step(4, 3, json!({ "needsMoreThoughts": true })), json!([4, 4, true, ["alt-a"], 4])),
        (NAME, step(5, 5, json!({ "nextThoughtNeeded": false })), json!([5, 5, false, ["alt-a"], 5])),
    ] {
        let used = toolbox.call(&caller, name, arguments.clone(), soon()).await;
        assert_eq!(used.record.outcome, ToolOutcome::Answered, "{}", used.result.text);
        let answer: Value = serde_json::from_str(&used.result.text).unwrap();
        let keys = ["thoughtNumber", "totalThoughts", "nextThoughtNeeded", "branches", "thoughtHistoryLength"];
        assert_eq!(json!(keys.map(|key| answer[key].clone())), expect, "{arguments}");
        assert_eq!(answer.as_object().unwrap().len(), keys.len());
    }
    let chain = thoughts.of(&caller.run);
    let told = |thought: &Thought| {
        let branch = thought.branch.as_ref().map(|branch| (&branch.id, branch.from));
        json!([thought.number, thought.total, thought.text, thought.revises, branch])
    };
    assert_eq!(
        chain.iter().map(told).collect::<Vec<_>>(),
        [
            json!([1, 3, "step 1", null, null]),
            json!([2, 3, "step 2", 1, null]),
            json!([3, 3, "step 3", null, ["alt-a", 1]]),
            json!([4, 4, "step 4", null, null]),
            json!([5, 5, "step 5", null, null]),
        ]
    );
}

#[tokio::test]
async fn what_the_server_refuses_is_refused_in_its_words_and_leaves_no_step() {
    let (toolbox, thoughts) = toolbox();
    let (caller, _) = caller("r1", "", false);
    for (arguments, words) in [
        (json!({}), "expected string, received undefined at thought"),
        (step(0, 1, json!({})), "Too small: expected number to be >=1 at thoughtNumber"),
        (step(1, 0, json!({})), "Too small: expected number to be >=1 at totalThoughts"),
        (step(1, 1, json!({ "thoughtNumber": 1.5 })), "expected int, received number at thoughtNumber"),
        (step(1, 1, json!({ "thoughtNumber": "1" })), "expected number, received string at thoughtNumber"),
        (step(1, 1, json!({ "nextThoughtNeeded": "maybe" })), "expected boolean, received string at nextThoughtNeeded"),
        (step(1, 1, json!({ "nextThoughtNeeded": 1 })), "expected boolean, received number at nextThoughtNeeded"),
        (step(1, 1, json!({ "isRevision": null })), "expected boolean, received null at isRevision"),
        (step(1, 1, json!({ "branchId": 7 })), "expected string, received number at branchId"),
        // What the server lets through and no reader could follow.
        (step(1, 1, json!({ "isRevision": true, "revisesThought": 3 })), "There is no thought 3 at revisesThought"),
        (step(1, 1, json!({ "branchFromThought": 1, "branchId": "a" })), "There is no thought 1 at branchFromThought"),
        (step(1, 1, json!({ "thought": "x".repeat(20_000) })), "be brief at thought"),
    ] {
        let used = toolbox.call(&caller, NAME, arguments, soon()).await;
        assert_eq!(used.record.outcome, ToolOutcome::Error);
        let text = used.result.text;
        assert!(text.starts_with("MCP error -32602: Input validation error: ") && text.ends_with(words), "{text}");
    }
    assert_eq!(thoughts.of(&caller.run), []);
}

#[tokio::test]
async fn no_run_sees_the_thoughts_of_another() {
    let (toolbox, thoughts) = toolbox();
    let callers: Vec<_> = ["r1", "r2"].map(|run| caller(run, "", false).0).into();
    for number in 1..=3 {
        for caller in &callers {
            let used = toolbox.call(caller, NAME, step(number, 3, json!({})), soon()).await;
            let answer: Value = serde_json::from_str(&used.result.text).unwrap();
            assert_eq!(answer["thoughtHistoryLength"], number);
        }
    }
    thoughts.forget(&callers[0].run);
    assert_eq!((thoughts.of(&callers[0].run).len(), thoughts.of(&callers[1].run).len()), (0, 3));
}

#[test]
fn what_is_kept_is_bounded() {
    let thoughts = Thoughts::default();
    let first = RunId::new("0");
    let added = (1..=300).filter(|number| thoughts.add(&first, &step(*number, 300, json!({}))).is_ok()).count();
    assert_eq!((added, thoughts.of(&first).len()), (200, 200));
    let long = "x".repeat(16_000);
    let second = RunId::new("1");
    let add = |number: &u32| thoughts.add(&second, &step(*number, 99, json!({ "thought": long }))).is_ok();
    assert_eq!((1..=99).filter(add).count(), 32);
    for run in 2..=64 {
        thoughts.add(&RunId::new(run.to_string()), &step(1, 1, json!({}))).unwrap();
    }
    assert_eq!((thoughts.of(&first).len(), thoughts.of(&second).len()), (0, 32));
}

#[tokio::test]
async fn steps_at_a_server_are_kept_here_too_when_the_server_took_them() {
    let thoughts = Thoughts::default();
    for (does, run, kept) in [
        (Does::Answer("{}".to_owned()), "r1", 1),
        (Does::Complain("no".to_owned()), "r2", 0),
        (Does::Fail("gone".to_owned()), "r3", 0),
    ] {
        let place = conclave_effects::ToolPlace::Server { reaches: None };
        let inner: Box<dyn Tool> = Box::new(Stub::new("thinker", NAME, place, does));
        let toolbox = Toolbox::new(vec![Box::new(AtServer::new(inner, thoughts.clone()))]);
        let (caller, _) = caller(run, "", false);
        toolbox.call(&caller, NAME, step(1, 1, json!({})), soon()).await;
        assert_eq!(thoughts.of(&caller.run).len(), kept, "{run}");
    }
}
