//! The model of a connected client reviews a call of that client's, in both eras of MCP: by lines of the protocol as they
//! are, and by the official Python and TypeScript SDKs.
//!
//! `cargo xtask test sampling` installs the SDKs and sets `CONCLAVE_MCP_PYTHON` and `CONCLAVE_MCP_TYPESCRIPT`; without one
//! its test says `skipped`.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::model::Model;
use crate::program::{Home, conclave, text};
use crate::tree::root;

/// The two eras.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    Legacy,
    Modern,
}

use Era::{Legacy, Modern};

/// A key that must go nowhere.
const KEY: &str = "plum-crate-4711-orchard";

/// The reviewers of the settings, the client's model first.
fn home(sampling: Value, timeout_s: u64) -> Home {
    let home = Home::new();
    home.write("app/a.py", "x = 1\n");
    home.write("app/.git/HEAD", "ref: refs/heads/main\n");
    home.write("notes/today.txt", "plums\n");
    home.run(&["doctor"]);
    let hosted =
        json!({ "name": "Hosted", "base_url": "https://api.example.com/v1", "model": "m", "key_env": "TEST_KEY" });
    let settings = json!({
        "models": [hosted], "sampling": sampling, "exchange_log": { "on": true },
        "review": { "models": ["mcp_sampling"], "timeout_s": timeout_s },
    });
    home.write("data/settings.json", &settings.to_string());
    home
}

fn allowed() -> Value {
    json!({ "enabled": true, "may_send_code": true })
}

/// A call that the shipped policy samples, and that a model may allow: it only reads, outside of the project.
fn reading(home: &Home) -> Value {
    let file = home.path("notes/today.txt").canonicalize().expect("a file");
    json!({ "tool_name": "Read", "parameters": { "file_path": file, "why": KEY }, "cwd": home.path("app") })
}

fn verdict(decision: &str) -> String {
    json!({ "reasoning": "it reads a note", "risk_factors": ["none"], "decision": decision, "confidence": 0.95 })
        .to_string()
}

/// A result of `sampling/createMessage`.
fn says(words: &str) -> Value {
    json!({ "role": "assistant", "model": "orchard-1", "stopReason": "endTurn", "content": { "type": "text", "text": words } })
}

/// `conclave mcp`, and a client with a model before it.
struct Client {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    era: Era,
    offers: bool,
    next: u64,
    /// Everything that came, to the letter.
    heard: String,
}

/// What comes next to a call.
enum Next {
    /// A question, with what an answer needs to be told by: its number or its state.
    Question(Value, Value),
    Result(Value),
}

impl Client {
    fn start(home: &Home, era: Era, offers: bool) -> Self {
        let mut command = home.command();
        command.arg("mcp").env("TEST_KEY", KEY).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("conclave starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut client = Self { child, lines, era, offers, next: 1, heard: String::new() };
        if era == Legacy {
            let hello = json!({
                "protocolVersion": "2025-11-25", "capabilities": client.capabilities(),
                "clientInfo": { "name": "orchard", "version": "1" },
            });
            client.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello }));
            assert_eq!(client.line()["result"]["serverInfo"]["name"], "conclave");
            client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        }
        client
    }

    fn capabilities(&self) -> Value {
        if self.offers { json!({ "sampling": {} }) } else { json!({}) }
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.child.stdin.as_mut().expect("its input"), "{message}").expect("written");
    }

    fn line(&mut self) -> Value {
        let line = self.lines.next().expect("another line").expect("text");
        self.heard.push_str(&line);
        let message: Value = serde_json::from_str(&line).expect("nothing but the protocol");
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        message
    }

    /// Calls the tool with `more` in the parameters; gives the number of the call.
    fn call(&mut self, arguments: &Value, more: Value) -> u64 {
        let id = self.next;
        self.next += 1;
        let mut params = json!({ "name": "evaluate_tool_request", "arguments": arguments });
        if self.era == Modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "orchard", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": self.capabilities(),
            });
        }
        for (name, value) in more.as_object().expect("an object") {
            params[name] = value.clone();
        }
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }));
        id
    }

    /// What comes next to the call `id`.
    fn next(&mut self, id: u64) -> Next {
        loop {
            let message = self.line();
            if message["method"] == "sampling/createMessage" {
                assert_eq!(self.era, Legacy, "the newer era has no requests of the server's: {message}");
                return Next::Question(message["params"].clone(), message["id"].clone());
            }
            if message["id"] != json!(id) {
                continue;
            }
            let result = &message["result"];
            if result["resultType"] != "input_required" {
                return Next::Result(if result.is_object() { result.clone() } else { message });
            }
            assert_eq!(self.era, Modern);
            let asked = &result["inputRequests"]["review"];
            assert_eq!(asked["method"], "sampling/createMessage", "{result}");
            return Next::Question(asked["params"].clone(), result["requestState"].clone());
        }
    }

    /// Gives `answer` to the question told by `told`; gives the number of the call that goes on.
    fn answer(&mut self, arguments: &Value, id: u64, told: &Value, answer: &Value) -> u64 {
        match self.era {
            Legacy => {
                self.send(&json!({ "jsonrpc": "2.0", "id": told, "result": answer }));
                id
            }
            Modern => self.call(arguments, json!({ "requestState": told, "inputResponses": { "review": answer } })),
        }
    }

    /// The questions to the client's model, which says `answers` in order, and the result of the call.
    fn talk(&mut self, arguments: &Value, answers: &[Value]) -> (Vec<Value>, Value) {
        let mut id = self.call(arguments, json!({}));
        let mut questions = Vec::new();
        loop {
            match self.next(id) {
                Next::Result(result) => return (questions, result),
                Next::Question(asked, told) => {
                    let said = answers.get(questions.len()).expect("no more questions than answers").clone();
                    questions.push(asked);
                    id = self.answer(arguments, id, &told, &said);
                }
            }
        }
    }

    /// Says no more; it must end in good order.
    fn finish(mut self) -> String {
        drop(self.child.stdin.take());
        let rest: String = self.lines.by_ref().map_while(Result::ok).collect();
        assert!(self.child.wait().expect("it ends").success());
        std::mem::take(&mut self.heard) + &rest
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the ledger has of the way to the client.
fn asked_of_clients(home: &Home) -> Vec<Value> {
    ledger(home).into_iter().filter(|line| line["entry"]["request"]["context"]["place"] == "client").collect()
}

fn ledger(home: &Home) -> Vec<Value> {
    let lines = text(&home.run(&["audit", "export"]));
    lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn the_client_is_asked_on_the_wire_and_its_word_counts_inside_the_envelope() {
    for era in [Legacy, Modern] {
        for word in ["allow", "deny"] {
            let home = home(allowed(), 60);
            let mut client = Client::start(&home, era, true);
            let (questions, result) = client.talk(&reading(&home), &[says(&verdict(word))]);
            let judged = &result["structuredContent"];
            assert_eq!(
                (&judged["action"], &judged["reviewed_by"]),
                (&json!(word), &json!("orchard-1")),
                "{era:?}: {result}"
            );
            assert_eq!(judged["rule_id"], "agent-reads-elsewhere", "{era:?}: {result}");

            let [question] = questions.as_slice() else { panic!("{era:?}: {questions:?}") };
            let system = question["systemPrompt"].as_str().expect("our instructions");
            assert!(system.starts_with("You review one action"), "{era:?}: {system}");
            let content = &question["messages"][0]["content"];
            let quoted = content["text"].as_str().expect("the request");
            let (fence, rest) = quoted.split_once('\n').expect("a fence");
            assert!(fence.starts_with("----- request ") && rest.ends_with(&format!("{fence}\n")), "{era:?}: {quoted}");
            assert!(quoted.contains("today.txt") && system.contains(fence), "{era:?}: {quoted}");
            assert!(question["tools"].is_null() && question["includeContext"] == "none", "{era:?}: {question}");
            let heard = client.finish();
            assert!(!heard.contains(KEY), "{era:?}: a key went out: {heard}");

            let rows = asked_of_clients(&home);
            let [row] = rows.as_slice() else { panic!("{era:?}: {rows:#?}") };
            let (request, decision) = (&row["entry"]["request"], &row["entry"]["decision"]);
            assert_eq!((&request["actor"], &decision["rule"]), (&json!("reviewer"), &json!("model-of-the-client")));
            let context = &request["context"];
            assert_eq!((&context["client"], &context["model_class"]), (&json!("orchard"), &json!("hosted")));
            assert_ne!(context["redactions"], "0", "the key was taken out: {context}");
            let outcome = ledger(&home).into_iter().find(|line| line["entry"]["refers_to"] == row["seq"]);
            assert_eq!(outcome.expect("an outcome")["entry"]["outcome"], "answered");
            let exchanges = home.json(&["audit", "exchanges"], 0);
            assert_eq!(exchanges["rows"].as_array().map(Vec::len), Some(1), "{exchanges}");
            assert!(!exchanges.to_string().contains(KEY), "{exchanges}");
            assert_eq!(home.json(&["audit", "verify"], 0)["intact"], json!(true));
        }
    }
}

#[test]
fn what_the_policy_does_not_leave_to_a_model_stays_so() {
    for era in [Legacy, Modern] {
        let home = home(allowed(), 60);
        let deploy = "version: 1\nrules:\n  - { id: look, priority: 1, action: sample, reason: look, \
                      conditions: { tool: Deploy } }\n";
        let policy = home.write("data/policy.yaml", deploy);
        std::fs::set_permissions(policy, std::fs::Permissions::from_mode(0o600)).expect("permissions");
        let mut client = Client::start(&home, era, true);
        for (tool, parameters, asked) in [
            // Sampled, but nothing that a model may allow: a person would have to, and nobody is there.
            ("Deploy", json!({ "where": "production" }), 1),
            // Not sampled at all.
            ("Read", json!({ "file_path": home.data().join("policy.yaml") }), 0),
            ("Rest", json!({}), 0),
        ] {
            let call = json!({ "tool_name": tool, "parameters": parameters, "cwd": home.path("app") });
            let (questions, result) = client.talk(&call, &[says(&verdict("allow"))]);
            assert_eq!(questions.len(), asked, "{era:?}, {tool}");
            assert_eq!(result["structuredContent"]["action"], "deny", "{era:?}, {tool}: {result}");
        }
        client.finish();
    }
}

#[test]
fn whatever_is_no_verdict_is_asked_for_once_more_and_then_denied() {
    let allow = verdict("allow");
    let text = |words: &str| vec![says(words), says(words)];
    let with = |field: &str, value: Value| {
        let mut said = says(&allow);
        said[field] = value;
        vec![said]
    };
    for era in [Legacy, Modern] {
        for (name, answers) in [
            ("garbage", text("\u{0}{]")),
            ("prose", text(&format!("Sure, go ahead: {allow}"))),
            ("two objects", text(&format!("{allow}{allow}"))),
            ("another form", text(r#"{"allow":true}"#)),
            ("the word alone", text("allow")),
            ("half an answer", with("stopReason", json!("maxTokens"))),
            ("a tool", with("stopReason", json!("toolUse"))),
            ("a tool's use", with("content", json!({ "type": "tool_use", "id": "1", "name": "Bash", "input": {} }))),
            ("a picture", with("content", json!({ "type": "image", "data": "aGk=", "mimeType": "image/png" }))),
            ("the person's words", with("role", json!("user"))),
            ("no message", vec![json!({ "decision": "allow" })]),
            ("nothing", vec![json!({})]),
        ] {
            let home = home(allowed(), 60);
            let mut client = Client::start(&home, era, true);
            let (questions, result) = client.talk(&reading(&home), &answers);
            assert_eq!(questions.len(), answers.len(), "{era:?}, {name}: {result}");
            assert_eq!(result["structuredContent"]["action"], "deny", "{era:?}, {name}: {result}");
            client.finish();
        }
        let home = home(allowed(), 60);
        let mut client = Client::start(&home, era, true);
        let (questions, result) = client.talk(&reading(&home), &[says("I think so"), says(&allow)]);
        assert_eq!(result["structuredContent"]["action"], "allow", "{era:?}: asked again, it found the form: {result}");
        assert_eq!(questions[0]["messages"].as_array().map(Vec::len), Some(1), "{era:?}");
        let again = questions[1]["messages"][1]["content"]["text"].as_str().expect("a second message");
        assert!(again.starts_with("Your answer was not used") && !again.contains("I think so"), "{era:?}: {again}");
        client.finish();
        assert_eq!(asked_of_clients(&home).len(), 2, "{era:?}: each question is a decision of its own");
    }
}

/// The settings with `sampling`, where these models review, and a model on this machine, `Stub`, which allows.
fn beside_a_stub(home: &Home, sampling: Value, review: &[&str]) -> Model {
    let stub = Model::answering(&verdict("allow"));
    let mut settings: Value = serde_json::from_str(&stub.settings()).expect("JSON");
    settings["sampling"] = sampling;
    settings["review"] = json!({ "models": review });
    home.write("data/settings.json", &settings.to_string());
    stub
}

#[test]
fn the_next_model_reviews_for_a_client_that_offers_none() {
    for era in [Legacy, Modern] {
        for (offers, questions, by) in [(false, 0, "stub"), (true, 1, "orchard-1")] {
            let home = home(allowed(), 60);
            let stub = beside_a_stub(&home, allowed(), &["mcp_sampling", "Stub"]);
            let mut client = Client::start(&home, era, offers);
            let (asked, result) = client.talk(&reading(&home), &[says(&verdict("allow"))]);
            let judged = &result["structuredContent"];
            assert_eq!((&judged["action"], &judged["reviewed_by"]), (&json!("allow"), &json!(by)), "{era:?}: {result}");
            assert_eq!((asked.len(), stub.asked().len()), (questions, 1 - questions), "{era:?}");
            client.finish();
            assert_eq!(asked_of_clients(&home).len(), questions, "{era:?}");
        }
    }
}

#[test]
fn a_clients_model_on_trial_is_asked_beside_the_one_that_decides() {
    let home = home(allowed(), 60);
    let trial = json!({ "enabled": true, "may_send_code": true, "trial": true });
    let _stub = beside_a_stub(&home, trial, &["Stub"]);
    let reading = reading(&home);
    let mut client = Client::start(&home, Legacy, true);
    let id = client.call(&reading, json!({}));
    let (mut result, mut asked) = (None, None);
    while result.is_none() || asked.is_none() {
        match client.next(id) {
            Next::Result(said) => result = Some(said),
            Next::Question(_, told) => asked = Some(told),
        }
    }
    let result = result.expect("a result");
    assert_eq!(result["structuredContent"]["reviewed_by"], "stub", "{result}");
    assert_eq!(result["structuredContent"]["action"], "allow", "{result}");
    // It says the contrary, which is counted and changes nothing.
    client.answer(&reading, id, &asked.expect("a question"), &says(&verdict("deny")));
    let seq = asked_of_clients(&home)[0]["seq"].clone();
    let outcome = loop {
        let rows = ledger(&home);
        if let Some(row) = rows.iter().find(|row| row["entry"]["refers_to"] == seq) {
            break row["entry"]["outcome"].clone();
        }
    };
    assert_eq!(outcome, "answered");
    client.finish();

    // Since 2026-07-28 a question takes the place of the answer, and nobody waits for a trial.
    let mut client = Client::start(&home, Modern, true);
    let (questions, result) = client.talk(&reading, &[]);
    assert_eq!((questions.len(), &result["structuredContent"]["action"]), (0, &json!("allow")), "{result}");
    client.finish();
    assert_eq!(asked_of_clients(&home).len(), 1);
}

#[test]
fn a_client_that_offers_no_model_or_may_not_be_given_code_is_not_asked() {
    for era in [Legacy, Modern] {
        for (setting, offers, rows, words) in [
            (allowed(), false, 0, "does not offer its model"),
            (json!({ "enabled": true }), true, 1, "nothing leaves this machine without your word"),
            (json!({}), true, 0, "nobody is there"),
        ] {
            let home = home(setting.clone(), 60);
            let mut client = Client::start(&home, era, offers);
            let (questions, result) = client.talk(&reading(&home), &[]);
            let judged = &result["structuredContent"];
            assert!(questions.is_empty(), "{era:?}, {setting}");
            assert_eq!(judged["action"], "deny", "{era:?}, {setting}: {result}");
            let reason = judged["reason"].as_str().expect("a reason");
            assert!(reason.contains(words), "{era:?}, {setting}: {reason}");
            client.finish();
            let asked = asked_of_clients(&home);
            assert_eq!(asked.len(), rows, "{era:?}, {setting}: {asked:?}");
            assert!(asked.iter().all(|row| row["entry"]["decision"]["effect"] == "deny"), "{era:?}: {asked:?}");
        }
    }
}

#[test]
fn a_client_that_declines_fails_or_leaves_is_a_refusal() {
    for (code, message, outcome) in [
        (-1, "User rejected sampling request", "declined"),
        (-32601, "Method not found", "no answer: not_offered"),
        (-32603, "Internal error", "no answer: ended"),
    ] {
        let home = home(allowed(), 60);
        let mut client = Client::start(&home, Legacy, true);
        let id = client.call(&reading(&home), json!({}));
        let Next::Question(_, told) = client.next(id) else { panic!("no question") };
        client.send(&json!({ "jsonrpc": "2.0", "id": told, "error": { "code": code, "message": message } }));
        let Next::Result(result) = client.next(id) else { panic!("another question") };
        assert_eq!(result["structuredContent"]["action"], "deny", "{message}: {result}");
        client.finish();
        let row = asked_of_clients(&home)[0]["seq"].clone();
        let of_row = ledger(&home).into_iter().find(|line| line["entry"]["refers_to"] == row);
        assert_eq!(of_row.expect("an outcome")["entry"]["outcome"], outcome, "{message}");
    }
    for era in [Legacy, Modern] {
        let home = home(allowed(), 60);
        let mut client = Client::start(&home, era, true);
        let id = client.call(&reading(&home), json!({}));
        assert!(matches!(client.next(id), Next::Question(..)), "{era:?}");
        // It ends at once, and not at the deadline.
        client.finish();
    }
}

#[test]
fn a_client_that_never_answers_is_denied_at_the_deadline() {
    for era in [Legacy, Modern] {
        let home = home(allowed(), 1);
        let mut client = Client::start(&home, era, true);
        let id = client.call(&reading(&home), json!({}));
        let Next::Question(_, told) = client.next(id) else { panic!("{era:?}: no question") };
        let id = match era {
            Legacy => id,
            Modern => {
                // Its call is decided while it is away.
                while !ledger(&home).iter().any(|line| line["entry"]["decision"]["rule"] == "agent-reads-elsewhere") {}
                client.answer(&reading(&home), id, &told, &says(&verdict("allow")))
            }
        };
        let Next::Result(result) = client.next(id) else { panic!("{era:?}: another question") };
        let denied = result["structuredContent"]["action"] == "deny" || result["isError"] == json!(true);
        assert!(denied && result["structuredContent"]["action"] != "allow", "{era:?}: {result}");
        if era == Legacy {
            // The question is taken back.
            let withdrawn = |client: &Client| client.heard.contains("notifications/cancelled");
            while !withdrawn(&client) {
                client.line();
            }
        }
        client.finish();
    }
}

#[test]
fn a_seal_holds_for_one_call_once() {
    let home = home(allowed(), 60);
    let mut client = Client::start(&home, Modern, true);
    let reading = reading(&home);
    let mut other = reading.clone();
    other["parameters"]["file_path"] = json!("/etc/hostname");
    let id = client.call(&reading, json!({}));
    let Next::Question(_, state) = client.next(id) else { panic!("no question") };
    let sealed = state.as_str().expect("text").to_owned();
    let answers = json!({ "review": says(&verdict("allow")) });
    let flipped = {
        let at = sealed.len() - 2;
        let other = if &sealed[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &sealed[..at], &sealed[at + 1..])
    };
    let denied = |client: &mut Client, name: &str, arguments: &Value, more: Value| {
        let id = client.call(arguments, more);
        let Next::Result(result) = client.next(id) else { panic!("{name}: a question") };
        assert!(result["isError"] == json!(true) && result["structuredContent"].is_null(), "{name}: {result}");
    };
    let round = |client: &mut Client, name: &str, arguments: &Value, state: &str| {
        denied(client, name, arguments, json!({ "requestState": state, "inputResponses": answers }));
    };
    round(&mut client, "forged", &reading, "rs1.AAAA.AAAA");
    round(&mut client, "empty", &reading, "");
    round(&mut client, "tampered with", &reading, &flipped);
    round(&mut client, "for another call", &other, &sealed);
    let foreign = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "weeds", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": { "sampling": {} },
    });
    let more = json!({ "requestState": sealed, "inputResponses": answers, "_meta": foreign });
    let id = client.call(&reading, more);
    let Next::Result(result) = client.next(id) else { panic!("a question") };
    assert_eq!(result["isError"], json!(true), "another client's: {result}");
    let id = client.call(&reading, json!({ "inputResponses": answers }));
    let Next::Result(result) = client.next(id) else { panic!("a question") };
    assert_eq!(result["isError"], json!(true), "an answer without a question: {result}");

    // None of it has touched the call that waits.
    let id = client.answer(&reading, id, &state, &says(&verdict("allow")));
    let Next::Result(result) = client.next(id) else { panic!("another question") };
    assert_eq!(result["structuredContent"]["action"], "allow", "{result}");
    round(&mut client, "used before", &reading, &sealed);
    client.finish();

    // Of another process.
    let mut client = Client::start(&home, Modern, true);
    round(&mut client, "of another process", &reading, &sealed);
    client.finish();
}

#[test]
fn two_calls_at_a_time_get_their_own_answers() {
    for era in [Legacy, Modern] {
        let home = home(allowed(), 60);
        home.write("notes/tomorrow.txt", "pears\n");
        let mut client = Client::start(&home, era, true);
        let first = reading(&home);
        let mut second = first.clone();
        second["parameters"]["file_path"] = json!(home.path("notes/tomorrow.txt").canonicalize().expect("a file"));
        let ids = [client.call(&first, json!({})), client.call(&second, json!({}))];
        let mut told = Vec::new();
        while told.len() < 2 {
            let message = client.line();
            let (question, key) = match era {
                Legacy => (message["params"].clone(), message["id"].clone()),
                Modern => {
                    let result = &message["result"];
                    (result["inputRequests"]["review"]["params"].clone(), result["requestState"].clone())
                }
            };
            if question["messages"].is_array() {
                told.push((question.to_string().contains("tomorrow.txt"), key));
            }
        }
        let mut results = std::collections::BTreeMap::new();
        let mut asked = Vec::new();
        for (is_second, key) in told {
            let (arguments, id, word) = if is_second { (&second, ids[1], "deny") } else { (&first, ids[0], "allow") };
            asked.push((client.answer(arguments, id, &key, &says(&verdict(word))), word));
        }
        while results.len() < 2 {
            let message = client.line();
            if let Some((id, word)) = asked.iter().find(|(id, _)| message["id"] == json!(id)) {
                assert_eq!(message["result"]["structuredContent"]["action"], *word, "{era:?}: {message}");
                results.insert(*id, ());
            }
        }
        client.finish();
    }
}

/// A client of an official SDK: its title, and the program and the script that are it.
struct Sdk {
    title: &'static str,
    program: PathBuf,
    script: PathBuf,
}

/// What `variable` names, or why the test says nothing.
fn named(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        println!("skipped: {variable} names no official SDK");
    }
    path
}

fn by_sdk(sdk: &Sdk, home: &Home, mode: &str, says: &Value) -> Value {
    let mut command = Command::new(&sdk.program);
    command.arg(&sdk.script).arg(mode).arg(conclave());
    command.arg("--data-dir").arg(home.data()).arg("mcp").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the client starts");
    let task = json!({ "arguments": reading(home), "says": says }).to_string();
    child.stdin.take().expect("its input").write_all(task.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{mode}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{mode}: {error}: {}", text(&output)))
}

#[test]
fn the_official_python_sdk_is_asked_in_both_eras() {
    let Some(program) = named("CONCLAVE_MCP_PYTHON") else { return };
    let script = root().join("tests/clients/sampling.py");
    is_asked_in_both_eras(&Sdk { title: "Python", program, script });
}

#[test]
fn the_official_typescript_sdk_is_asked_in_both_eras() {
    let Some(script) = named("CONCLAVE_MCP_TYPESCRIPT") else { return };
    is_asked_in_both_eras(&Sdk { title: "TypeScript", program: "node".into(), script });
}

fn is_asked_in_both_eras(sdk: &Sdk) {
    for (mode, revision) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        for (name, said, questions, action) in [
            ("allows", json!([says(&verdict("allow"))]), 1, "allow"),
            ("denies", json!([says(&verdict("deny"))]), 1, "deny"),
            ("talks, then allows", json!([says("Why not?"), says(&verdict("allow"))]), 2, "allow"),
            ("talks", json!([says("Why not?"), says("Go!")]), 2, "deny"),
            ("offers nothing", Value::Null, 0, "deny"),
        ] {
            let home = home(allowed(), 60);
            let done = by_sdk(sdk, &home, mode, &said);
            assert_eq!(done["revision"], revision, "{done}");
            assert_eq!(done["questions"].as_array().map(Vec::len), Some(questions), "{mode}, {name}: {done:#}");
            let judged = &done["result"]["structuredContent"];
            assert_eq!(judged["action"], action, "{mode}, {name}: {done:#}");
            if questions > 0 {
                let system = done["questions"][0]["systemPrompt"].as_str().expect("our instructions");
                assert!(system.starts_with("You review one action"), "{mode}: {system}");
            }
            println!("ran with the {} SDK, {mode}: {name}", sdk.title);
        }
        let home = home(allowed(), 60);
        let said = json!([{ "code": -1, "message": "User rejected sampling request" }]);
        let done = by_sdk(sdk, &home, mode, &said);
        // In the newer era a client that declines gives its call up.
        let is_given_up = done["result"]["error"].is_string();
        assert!(is_given_up == (mode == "auto"), "{mode}: {done:#}");
        assert_ne!(done["result"]["structuredContent"]["action"], "allow", "{mode}: {done:#}");
    }
}
