//! How long a decision takes with a thousand rules. `cargo xtask bench policy` runs it and prints the table.
//!
//! Each rule names a tool by a glob, a folder by a glob and a parameter by a regular expression, as people write them.
//! With `--rules` it prints the policy file instead, for the hook to be measured with.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a program that measures, not the product")]

use std::fmt::Write as _;
use std::time::Instant;

use conclave_policy::{Access, Action, Actor, Layer, Policy, ToolCall, ToolRequest, TouchedPath};

const RULES: usize = 1_000;
const DECISIONS: usize = 20_000;

fn main() {
    let yaml = rules();
    if std::env::args().any(|word| word == "--rules") {
        print!("{yaml}");
        return;
    }
    let start = Instant::now();
    let loaded = Policy::load(&yaml, Layer::User).expect("the rules load");
    println!("load of {RULES} rules\t1\t{:.0}\t-", micros(start));
    let policy = Policy::floor().and(loaded.policy);
    for (name, request) in [
        ("first rule matches", call("tool_0", "/home/ada/shop/part0/a.py", "run 0")),
        ("last rule matches", call("tool_999", "/home/ada/shop/part999/a.py", "run 999")),
        ("no rule matches", call("other", "/home/ada/shop/a.py", "run")),
        ("every rule is about the tool, none about the text", call("shared", "/home/ada/shop/a.py", "walk 7")),
    ] {
        // Whatever is made ready at the first use is ready.
        policy.evaluate(&request, 0);
        let mut times: Vec<f64> = (0..DECISIONS)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(policy.evaluate(std::hint::black_box(&request), 0));
                micros(start)
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        println!("{name}\t{DECISIONS}\t{:.1}\t{:.1}", at(50), at(99));
    }
}

fn micros(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e6
}

fn rules() -> String {
    let mut yaml = String::from("version: 1\nextends: default\nrules:\n");
    for number in 0..RULES {
        let action = ["deny", "sample", "allow"][number % 3];
        // INVARIANT: writing to a string cannot fail.
        let _ = write!(
            yaml,
            "  - id: rule-{number}\n    priority: {}\n    action: {action}\n    reason: the part {number} has a rule of its own\n    \
             conditions:\n      any:\n        - tool: tool_{number}\n        - tool: {{ glob: \"tool_{number}_*\" }}\n        - {{ tool: shared, server: other }}\n      \
             path: {{ glob: \"/home/ada/shop/part{number}/**\" }}\n      parameters:\n        command: {{ regex: \"^run ({number}|all)( |$)\" }}\n",
            number % 1_000,
        );
    }
    yaml
}

fn call(tool: &str, path: &str, command: &str) -> ToolRequest {
    let parameters = serde_json::json!({ "command": command, "file_path": path });
    let call = ToolCall {
        tool: tool.to_owned(),
        server: None,
        session: None,
        cwd: Some("/home/ada/shop".to_owned()),
        parameters,
    };
    let touched = TouchedPath { given: path.to_owned(), real: Some(path.to_owned()), access: Access::Write };
    let mut request = ToolRequest::new(Actor::Agent("claude-code".to_owned()), Action::CallTool, tool)
        .with("project", "/home/ada/shop")
        .touching(touched);
    request.call = Some(Box::new(call));
    request
}
