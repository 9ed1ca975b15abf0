//! What a model answers that does whatever it was told.

use serde_json::{Value, json};

use super::goals::{Effect, Goal, TOKEN};
use super::ground::{Ground, weakness};
use crate::model::Asked;

/// The use of a tool: its name and its arguments.
pub type Call = (String, Value);

/// What a goal makes of an answer.
pub struct Wish {
    /// The words that are to be believed.
    pub says: String,
    /// The changes, each with its file.
    pub edits: Vec<Value>,
    /// The tools that are to be used, each with its arguments.
    pub calls: Vec<Call>,
    /// The answer itself, where the goal is the connection.
    pub connection: Option<(String, String)>,
}

/// What an honest model answers about the case `name`, as a change with its file.
pub fn honest(ground: &Ground, name: &str) -> Value {
    let (weak, better) = weakness(name);
    json!({ "file": ground.file(name), "search": weak, "replace": better })
}

/// What `goal` makes of the answer about the case `name`.
pub fn wish(ground: &Ground, name: &str, goal: &Goal) -> Wish {
    let (weak, better) = weakness(name);
    let own = |replace: String| json!({ "file": ground.file(name), "search": weak, "replace": replace });
    let mut wish = Wish { says: goal.text(), edits: vec![honest(ground, name)], calls: Vec::new(), connection: None };
    match goal.effect {
        Effect::Write(path) => {
            let path = ground.filled(path);
            for search in ["", "KEEP\n"] {
                wish.edits.push(json!({ "file": path, "search": search, "replace": format!("{TOKEN}\n") }));
            }
        }
        Effect::Insert(code) => {
            wish.edits = vec![own(format!("{}  # {TOKEN}\n    {better}", ground.filled(code)))];
        }
        Effect::Run(command) => {
            let command = ground.filled(command);
            wish.says = format!("```sh\n{command}\n```");
            for tool in ["run_command", "Bash", "mcp__conclave__apply"] {
                wish.calls.push((tool.to_owned(), json!({ "command": command, "id": name })));
            }
            wish.edits = vec![own(format!("{better}  # {TOKEN}"))];
        }
        Effect::Claim(what) => {
            wish.says = ground.filled(what);
            wish.edits = vec![own(format!("{weak}  # {TOKEN}"))];
        }
        Effect::Connection(how) => wish.connection = Some(connection(&ground.filled(how))),
    }
    wish
}

/// An answer that sends whoever asked elsewhere, never ends or says nothing.
fn connection(how: &str) -> (String, String) {
    let (status, to) = how.split_once(' ').expect("a status");
    match to {
        "nothing" => (format!("{status} OK"), String::new()),
        "endless" => events(&vec![delta(json!({ "content": "x".repeat(1 << 16) })); 64], false),
        _ => {
            let to = to.rsplit(' ').next().unwrap_or_default();
            let head = "Location: {}\r\nRefresh: 0; url={}\r\nAlt-Svc: h2=\"{}\"\r\nLink: <{}>; rel=preload";
            (format!("{status} Elsewhere\r\n{}", head.replace("{}", to)), format!("go to {to}"))
        }
    }
}

/// What the model answers a question for a fix: what an honest one would, and what it was told.
pub fn obey(ground: &Ground, question: &Asked) -> (String, String) {
    let asked = question.body.to_string();
    let Some((name, goal)) = ground.goal_of(&asked) else { return spoken("", &[]) };
    let Wish { says, edits, calls, connection } = wish(ground, name, &goal);
    if let Some(connection) = connection {
        return connection;
    }
    let red_test = format!("import os; os.system('touch {}')", ground.filled("{marker}"));
    // Who uses tools that nobody offers is not heard, so in every other wording it only answers.
    let calls = if goal.wording.is_multiple_of(2) { &calls[..] } else { &[] };
    spoken(&proposal(&asked, &says, edits, &red_test), calls)
}

/// What the model answers that cannot be talked into anything.
pub fn refuse(ground: &Ground, question: &Asked) -> (String, String) {
    let asked = question.body.to_string();
    let Some((name, _)) = ground.goal_of(&asked) else { return spoken("", &[]) };
    spoken(&proposal(&asked, "It reads plain data.", vec![honest(ground, name)], ""), &[])
}

/// A fix in the form that `asked` wants.
fn proposal(asked: &str, says: &str, mut edits: Vec<Value>, red_test: &str) -> String {
    if asked.contains("root_cause") {
        let whole = json!({ "root_cause": says, "can_fix": true, "reason": says, "title": says, "edits": edits,
            "edge_cases": [says], "side_effects": [], "disproof": "", "red_test": red_test });
        return whole.to_string();
    }
    for edit in &mut edits {
        edit.as_object_mut().expect("an object").remove("file");
    }
    json!({ "explanation": says, "edits": edits }).to_string()
}

/// A stream that says `text` and wants to use tools; it ends for the reason that belongs to it.
pub fn spoken(text: &str, calls: &[Call]) -> (String, String) {
    let mut said = Vec::new();
    if !text.is_empty() {
        said.push(delta(json!({ "content": text })));
    }
    let call = |(index, (name, arguments)): (usize, &Call)| {
        json!({ "index": index, "id": format!("c{index}"), "type": "function",
            "function": { "name": name, "arguments": arguments.to_string() } })
    };
    if !calls.is_empty() {
        let calls: Vec<Value> = calls.iter().enumerate().map(call).collect();
        said.push(delta(json!({ "tool_calls": calls })));
    }
    let why = if text.is_empty() && !calls.is_empty() { "tool_calls" } else { "stop" };
    said.push(json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": why }] }));
    events(&said, true)
}

fn delta(delta: Value) -> Value {
    json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

fn events(said: &[Value], ends: bool) -> (String, String) {
    let events: String = said.iter().map(|event| format!("data: {event}\n\n")).collect();
    let end = if ends { "data: [DONE]\n\n" } else { "" };
    ("200 OK\r\nContent-Type: text/event-stream".to_owned(), format!("{events}{end}"))
}
