//! Models that use tools on their way, and models that misuse them, in every dialect over the real gate and HTTP.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::money::Money;
use conclave_core::settings::{DialectName, ModelSetting, PriceSetting};
use conclave_effects::Secret;
use conclave_inference::money::Setting;
use conclave_inference::{
    About, Answer, Api, AskError, Hold, ModelRequest, Purse, Spent, Terms, ToolHost as _, Tools, Waiting,
};
use conclave_policy::Mode;
use serde_json::{Value, json};

use crate::stub::{self, read, response};
use crate::support::{MemoryLedger, Noted, ask_with_tools, gate};
use crate::voice::{VOICES, Voice};

const LIMIT: Duration = Duration::from_secs(60);

/// What every question here offers.
const TOOL: &str = "sequentialthinking";

/// What a server was asked, in order.
type Bodies = Arc<Mutex<Vec<Value>>>;

/// A model that gives `replies` in order and the last one for ever; one that asks where it runs is told: here.
fn model(voice: Voice, replies: Vec<String>) -> (Api, Bodies) {
    let bodies = Bodies::default();
    let (log, mut next) = (Arc::clone(&bodies), 0);
    let address = stub::serve(move |mut stream| {
        let request = read(&stream)?;
        if request.path() == "/props" {
            return stream.write_all(response(200, "", r#"{"model_path":"/models/m-1.gguf"}"#).as_bytes());
        }
        log.lock().expect("log").push(request.json());
        let reply = replies.get(next).or_else(|| replies.last()).expect("a reply");
        next += 1;
        stream.write_all(reply.as_bytes())
    });
    let base_url = format!("http://{address}{}", voice.base);
    let price =
        PriceSetting { input: Money::from_micros(1_000_000), output: Money::from_micros(1_000_000), cached: None };
    let setting = ModelSetting {
        dialect: Some(voice.name),
        price: Some(price),
        ..ModelSetting::new("Thinker", &base_url, "m-1")
    };
    (Api::new(&setting), bodies)
}

fn request(schema: bool) -> ModelRequest {
    ModelRequest {
        system: "Answer in JSON.".to_owned(),
        user: "Which fix is best?".to_owned(),
        max_tokens: 10,
        schema: schema.then(|| json!({ "type": "object", "required": ["best"] })),
        schema_name: "fix".to_owned(),
        sample: 0,
    }
}

/// What came of a question to a model with these replies, what it was asked, and the ledger.
async fn ask(
    voice: Voice,
    replies: Vec<String>,
    schema: bool,
    tools: &Tools,
) -> (Result<Answer, AskError>, Vec<Value>, MemoryLedger) {
    let (api, bodies) = model(voice, replies);
    let (gate, ledger) = gate(Mode::Default);
    let about = About::default();
    let answer = ask_with_tools(&gate, &api, &request(schema), Terms::new(&about, LIMIT), tools).await;
    let bodies = bodies.lock().expect("log").clone();
    (answer, bodies, ledger)
}

fn text(answer: Result<Answer, AskError>) -> String {
    let Ok(Answer::Text { text, .. }) = answer else { panic!("{answer:?}") };
    text
}

/// Whether a server of this dialect was asked something that lets its model call.
fn offers(body: &Value) -> bool {
    let may = body["tool_choice"] != "none" && body["tool_choice"]["type"] != "none";
    body["tools"].is_array() && may && body["toolConfig"].is_null()
}

#[tokio::test]
async fn a_model_uses_a_tool_and_answers_with_what_it_said() {
    for voice in VOICES {
        let host = Arc::new(Noted { says: Some("a thought was noted".to_owned()), ..Noted::default() });
        let (first, second) = (r#"{"thought":"one"}"#, r#"{"thought":"two"}"#);
        let replies = vec![
            voice.calls(&[(TOOL, first), (TOOL, second)]),
            voice.calls(&[(TOOL, "{}")]),
            voice.says(r#"{"best":"a"}"#),
        ];
        let (answer, bodies, ledger) = ask(voice, replies, true, &host.tools(9)).await;
        assert_eq!(text(answer), r#"{"best":"a"}"#, "{:?}", voice.name);
        let heard = host.heard.lock().expect("heard").clone();
        let expect = [first, second, "{}"].map(|it| (TOOL.to_owned(), serde_json::from_str(it).expect("JSON")));
        assert_eq!(heard, expect, "{:?}: in order", voice.name);
        assert_eq!((bodies.len(), ledger.decisions()), (3, 3), "{:?}: each asks the gate", voice.name);
        assert_eq!(ledger.outcomes(), ["the model calls 2 tools", "the model calls 1 tool", "answered"]);
        assert!(bodies.iter().all(offers), "{:?}: {bodies:?}", voice.name);
        let told = |body: &Value| body.to_string().matches("a thought was noted").count();
        assert_eq!(bodies.iter().map(told).collect::<Vec<_>>(), [0, 2, 3], "{:?}", voice.name);
    }
}

#[tokio::test]
async fn whatever_a_model_wants_of_tools_does_no_more_than_the_host_does_and_comes_to_an_end() {
    let huge = format!("{{\"thought\":\"{}\"}}", "x".repeat(300_000));
    let deep = "[".repeat(50_000);
    let odd: Vec<(&str, &str, &str)> = vec![
        ("Bash", r#"{"command":"rm -rf /"}"#, "there is no tool `Bash`; there are `sequentialthinking`"),
        ("mcp__conclave__sequentialthinking", "{}", "there is no tool"),
        ("a tool\u{202e} with spaces", "{}", "there is no tool `unknown_tool`"),
        (TOOL, "[1]", "the arguments are no JSON object"),
        (TOOL, "rm -rf /", "the arguments cannot be read"),
        (TOOL, r#"{"thought":"#, "the arguments cannot be read"),
        (TOOL, &deep, "the arguments cannot be read"),
        (TOOL, &huge, "the arguments are larger than"),
    ];
    for voice in VOICES {
        for (name, arguments, told) in &odd {
            let host = Arc::new(Noted::default());
            let replies = vec![voice.calls(&[(name, arguments)]), voice.says("{}")];
            let (answer, bodies, _) = ask(voice, replies, false, &host.tools(9)).await;
            let shown = arguments.get(..20).unwrap_or(arguments);
            assert_eq!(text(answer), "{}", "{:?}: {name} {shown}", voice.name);
            assert_eq!(host.count(), 0, "{:?}: {name} {shown}", voice.name);
            let second = bodies[1].to_string();
            assert!(second.contains(told), "{:?}: {name} {shown}: no `{told}`", voice.name);
        }
        // 10,000 calls one after the other: the bound holds, and then it has to answer.
        let host = Arc::new(Noted::default());
        let (answer, bodies, _) = ask(voice, vec![voice.calls(&[(TOOL, "{}")])], false, &host.tools(5)).await;
        assert_eq!(answer.expect_err("it never answers").kind(), "wrong_form", "{:?}", voice.name);
        assert_eq!((host.count(), bodies.len()), (5, 6), "{:?}", voice.name);
        assert!(!offers(&bodies[5]), "{:?}: {}", voice.name, bodies[5]);
        // More than are left, in one answer.
        let host = Arc::new(Noted::default());
        let replies = vec![voice.calls(&[(TOOL, "{}"); 7]), voice.says("{}")];
        let (answer, bodies, _) = ask(voice, replies, false, &host.tools(5)).await;
        assert_eq!((text(answer).as_str(), host.count()), ("{}", 5), "{:?}", voice.name);
        assert_eq!(bodies[1].to_string().matches("no more than 5 calls are made").count(), 2, "{:?}", voice.name);
        // Far more than anybody needs, in one answer.
        let host = Arc::new(Noted::default());
        let (answer, bodies, _) =
            ask(voice, vec![voice.calls(&vec![(TOOL, "{}"); 10_000])], false, &host.tools(9)).await;
        let error = answer.expect_err("too many");
        assert!(error.to_string().contains("more than 64 calls of tools at once"), "{:?}: {error}", voice.name);
        assert_eq!((host.count(), bodies.len()), (0, 1), "{:?}", voice.name);
        // A model that is offered nothing.
        let host = Arc::new(Noted::default());
        let (answer, bodies, _) = ask(voice, vec![voice.calls(&[(TOOL, "{}")])], false, &host.tools(0)).await;
        let error = answer.expect_err("nothing is offered");
        assert!(error.to_string().contains("a tool that nobody offered"), "{:?}: {error}", voice.name);
        assert!(host.count() == 0 && bodies[0]["tools"].is_null(), "{:?}", voice.name);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_tools_is_asked_without() {
    for voice in VOICES {
        let host = Arc::new(Noted::default());
        let refusal = response(400, "", r#"{"error":{"message":"this model does not support tools"}}"#);
        let (answer, bodies, _) = ask(voice, vec![refusal, voice.says("{}")], false, &host.tools(5)).await;
        assert_eq!(text(answer), "{}", "{:?}", voice.name);
        assert_eq!(bodies.iter().map(offers).collect::<Vec<_>>(), [true, false], "{:?}", voice.name);
    }
}

#[tokio::test]
async fn an_answer_out_of_form_is_asked_for_again_with_what_tools_said_and_no_more_calls() {
    for voice in VOICES {
        let host = Arc::new(Noted { says: Some("a thought was noted".to_owned()), ..Noted::default() });
        let replies = vec![voice.calls(&[(TOOL, "{}")]), voice.says("Sure!"), voice.says(r#"{"best":1}"#)];
        let (answer, bodies, _) = ask(voice, replies, true, &host.tools(5)).await;
        assert_eq!(text(answer), r#"{"best":1}"#, "{:?}", voice.name);
        assert_eq!(bodies.iter().map(offers).collect::<Vec<_>>(), [true, true, false], "{:?}", voice.name);
        let last = bodies[2].to_string();
        assert!(last.contains("a thought was noted") && last.contains("not in the agreed form"), "{:?}", voice.name);
        // Where a schema cannot stand beside tools, it comes back once none may be used.
        let has_schema = last.contains(r#""required":["best"]"#);
        assert_eq!(has_schema, voice.name != DialectName::Gemini, "{:?}: {last}", voice.name);
    }
}

#[tokio::test]
async fn one_deadline_holds_for_all_of_it() {
    for voice in VOICES {
        let host = Arc::new(Noted { hangs: true, ..Noted::default() });
        let (api, _) = model(voice, vec![voice.calls(&[(TOOL, "{}")])]);
        let (gate, _) = gate(Mode::Default);
        let about = About::default();
        let terms = Terms::new(&about, Duration::from_secs(2));
        let answer = ask_with_tools(&gate, &api, &request(false), terms, &host.tools(5)).await;
        assert!(matches!(answer, Err(AskError::Timeout(Waiting::Tool))), "{:?}: {answer:?}", voice.name);
    }
}

#[tokio::test]
async fn what_a_tool_says_is_short_and_without_secrets_before_a_model_reads_it() {
    for voice in VOICES {
        let says = format!("the key is sk-hostile-4711 {}", "x".repeat(2_000_000));
        let host = Arc::new(Noted { says: Some(says), ..Noted::default() });
        let (api, bodies) = model(voice, vec![voice.calls(&[(TOOL, "{}")]), voice.says("{}")]);
        let (gate, _) = gate(Mode::Default);
        let (about, key) = (About::default(), Secret::new("sk-hostile-4711".to_owned()));
        let terms = Terms { key: Some(&key), ..Terms::new(&about, LIMIT) };
        let answer = ask_with_tools(&gate, &api, &request(false), terms, &host.tools(5)).await;
        assert_eq!(text(answer), "{}");
        let second = bodies.lock().expect("log")[1].to_string();
        assert!(second.contains("the key is ") && !second.contains("sk-hostile"), "{:?}", voice.name);
        assert!(second.len() < 300_000 && second.contains("cut here"), "{:?}: {}", voice.name, second.len());
    }
}

/// What was set aside and settled, in order.
#[derive(Default)]
struct Book(Arc<Mutex<Vec<String>>>);

struct Entry(Arc<Mutex<Vec<String>>>);

impl Purse for Book {
    fn reserve<'a>(&'a self, _: &'a str, _: &'a str, most: Option<Money>) -> Setting<'a> {
        let line = format!("reserved {}", most.is_some());
        self.0.lock().expect("book").push(line);
        Box::pin(async { Ok(Box::new(Entry(Arc::clone(&self.0))) as Box<dyn Hold>) })
    }
}

impl Hold for Entry {
    fn settle(self: Box<Self>, spent: Spent) {
        self.0.lock().expect("book").push(format!("settled {}", spent.outcome));
    }

    fn give_back(self: Box<Self>) {
        self.0.lock().expect("book").push("given back".to_owned());
    }
}

#[tokio::test]
async fn money_is_set_aside_and_settled_for_each_question() {
    for voice in VOICES {
        let host = Arc::new(Noted::default());
        let (api, _) = model(voice, vec![voice.calls(&[(TOOL, "{}")]), voice.says("{}")]);
        let (gate, _) = gate(Mode::Default);
        let (about, book) = (About::default(), Book::default());
        let terms = Terms { purse: Some(&book), ..Terms::new(&about, LIMIT) };
        let answer = ask_with_tools(&gate, &api, &request(false), terms, &host.tools(5)).await;
        assert_eq!((text(answer).as_str(), host.offers().len()), ("{}", 1));
        let lines = book.0.lock().expect("book").clone();
        assert_eq!(lines, ["reserved true", "settled called tools", "reserved true", "settled answered"]);
    }
}
