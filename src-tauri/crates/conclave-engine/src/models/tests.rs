//! The models of the settings: exchanged while Conclave runs, paid for, and counted.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor and for a model")]

use std::fs;
use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use conclave_core::id::ProjectId;
use conclave_core::money::Money;
use conclave_effects::sample::{self, Answering};
use conclave_inference::metrics::LATENCY_MS;
use conclave_inference::{ToolOffer, ToolResult};
use conclave_store::{SpendBy, SpendOf, SpendTotal};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::ctx::Ctx;
use crate::event::{Event, Topic};
use crate::open::{Options, open};

/// A model on this machine that does not say where it runs, so that it counts as hosted.
struct Stub {
    address: String,
    asked: Arc<AtomicUsize>,
    /// What it waits for before each answer, if it does.
    go: mpsc::Sender<()>,
}

/// What it answers counts a thousand tokens read and a hundred written.
const ANSWER: &str = r#"{"model":"m","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],
    "usage":{"prompt_tokens":1000,"completion_tokens":100}}"#;

/// What says `hi` in a stream.
const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n\
                      data: [DONE]\n\n";

/// What breaks off after two pieces.
const STREAM_CUT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hal\"}}]}\n\n\
                          data: {\"choices\":[{\"delta\":{\"content\":\"f\"}}]}\n\n";

fn stub(waits: bool) -> Stub {
    served(waits, vec![("application/json", ANSWER)])
}

/// One that answers a stream of these bytes and no more.
fn stub_saying(stream: &'static str) -> Stub {
    served(false, vec![("text/event-stream", stream)])
}

/// One that gives these answers, and the last one from then on.
fn served(waits: bool, says: Vec<(&'static str, &'static str)>) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let (go, wait) = mpsc::channel::<()>();
    let count = Arc::clone(&asked);
    // The thread ends with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &count, waits.then_some(&wait), &says);
        }
    });
    Stub { address, asked, go }
}

fn answer(
    mut stream: TcpStream,
    count: &AtomicUsize,
    wait: Option<&mpsc::Receiver<()>>,
    says: &[(&str, &str)],
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    reader.read_exact(&mut vec![0; length.unwrap_or(0)])?;
    let is_question = head.starts_with("POST /v1/chat");
    let (kind, says) = says[count.load(Ordering::SeqCst).min(says.len() - 1)];
    if is_question {
        count.fetch_add(1, Ordering::SeqCst);
        wait.and_then(|wait| wait.recv().ok());
    }
    let (status, body) = if is_question { (200, says) } else { (404, "{}") };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes())
}

/// The setting of a model at `stub` that costs a dollar for a million tokens read and ten for a million written.
fn setting(name: &str, stub: &Stub) -> Value {
    json!({ "name": name, "base_url": stub.address, "model": "m", "may_send_code": true,
        "price": { "input": 1, "output": 10 } })
}

fn write(cx: &Ctx, settings: &str) {
    fs::write(cx.data.path().join("settings.json"), settings).unwrap();
}

fn ground(settings: &Value) -> (TempDir, Ctx) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { data_dir: folder.path().join("data"), offline: false };
    write(&open(&options).unwrap().0, &settings.to_string());
    let cx = open(&options).unwrap().0;
    (folder, cx)
}

fn errand(cx: &Ctx) -> Errand {
    let request = ModelRequest {
        system: String::new(),
        user: "code".to_owned(),
        max_tokens: 100,
        schema: None,
        schema_name: "x".to_owned(),
        sample: 0,
    };
    let finding = FindingId::new("f");
    Errand {
        gate: cx.gate.clone(),
        actor: |name| Actor::Analyst(name.to_owned()),
        request: Arc::new(request),
        about: About { project: Some("/shop".to_owned()), ..About::default() },
        priority: Priority::Medium,
        deadline: Duration::from_secs(60),
        purpose: "propose",
        run: Some(RunId::nth(&finding, 1)),
        finding: Some(finding),
        cap: None,
        may_be_kept: false,
        agrees: None,
        client: None,
        live: None,
        cancel: CancellationToken::new(),
    }
}

/// What was spent, once nothing is set aside any more.
async fn settled(cx: &Ctx) -> SpendTotal {
    loop {
        let total = cx.store.spend_total(&SpendOf::All).unwrap();
        if total.open == 0 {
            return total;
        }
        tokio::task::yield_now().await;
    }
}

fn names(cx: &Ctx) -> Vec<String> {
    cx.models.all().iter().map(|model| model.name().to_owned()).collect()
}

#[test]
fn models_come_from_the_settings_in_order_of_preference() {
    let stub = stub(false);
    let with = |name: &str, key: &str, value: Value| {
        let mut setting = setting(name, &stub);
        setting[key] = value;
        setting
    };
    let settings = json!({
        "preference": ["C"],
        "models": [with("T", "trial", json!(true)), with("Off", "enabled", json!(false)), setting("A", &stub), setting("C", &stub)],
    });
    let (_folder, cx) = ground(&settings);
    assert_eq!(names(&cx), ["C", "A", "T"]);
    let used: Vec<String> = cx.models.used().iter().map(|model| model.name().to_owned()).collect();
    assert_eq!(used, ["C", "A"]);
    assert!(cx.models.named("Off").is_none() && cx.models.named("T").unwrap().is_trial());
}

/// A host that notes what it was called with.
#[derive(Default)]
struct Noted(Mutex<Vec<Value>>);

impl ToolHost for Noted {
    fn offers(&self) -> Vec<ToolOffer> {
        let (name, description) = ("cwe".to_owned(), "Looks a weakness up.".to_owned());
        vec![ToolOffer { name, description, schema: json!({ "type": "object" }) }]
    }

    fn call<'a>(&'a self, _: &'a str, arguments: Value) -> Pin<Box<dyn Future<Output = ToolResult> + Send + 'a>> {
        self.0.lock().unwrap().push(arguments);
        Box::pin(async { ToolResult { text: "SQL injection".to_owned(), is_error: false } })
    }
}

#[tokio::test]
async fn an_errand_with_tools_uses_them_and_pays_for_each_question_once() {
    let call = r#"{"model":"m","choices":[{"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[
        {"id":"c","type":"function","function":{"name":"cwe","arguments":"{\"id\":\"CWE-89\"}"}}]}}],
        "usage":{"prompt_tokens":1000,"completion_tokens":100}}"#;
    let stub = served(false, vec![("application/json", call), ("application/json", ANSWER)]);
    let (_folder, cx) = ground(&json!({ "models": [setting("A", &stub)] }));
    let host = Arc::new(Noted::default());
    let errand = Errand { may_be_kept: true, ..errand(&cx) };
    let won = cx.models.with_tools("A", errand.clone(), Arc::clone(&host) as Arc<dyn ToolHost>, 5).await.unwrap();
    assert_eq!((won.provider.as_str(), won.answer.usage().unwrap().input_tokens), ("A", 2000));
    assert_eq!(*host.0.lock().unwrap(), [json!({ "id": "CWE-89" })]);
    let cost = settled(&cx).await;
    assert_eq!((cost.calls, cost.spent), (2, Money::from_micros(2 * 2000)));
    let again = cx.models.with_tools("A", errand, host, 5).await.unwrap();
    assert!(!again.cached && stub.asked.load(Ordering::SeqCst) == 3, "what tools said is part of the question");
}

#[tokio::test]
async fn a_changed_file_is_in_force_at_once_and_a_bad_one_changes_nothing() {
    let stub = stub(false);
    let (_folder, cx) = ground(&json!({ "models": [setting("A", &stub)] }));
    let before = cx.models.named("A").unwrap();
    assert!(!reload(&cx), "nothing is different");

    write(
        &cx,
        &json!({ "models": [setting("A", &stub), setting("B", &stub)], "review": { "models": ["B"] } }).to_string(),
    );
    let mut events = cx.events.subscribe();
    assert!(reload(&cx));
    assert!(matches!(events.try_recv().unwrap(), Event::Changed(topics) if topics.contains(&Topic::Policy)));
    assert_eq!(
        (names(&cx), cx.settings().review.models.clone()),
        (vec!["A".to_owned(), "B".to_owned()], vec!["B".to_owned()])
    );
    assert!(Arc::ptr_eq(&before, &cx.models.named("A").unwrap()), "what is the same stays");
    assert!(cx.models.one("B", errand(&cx)).await.is_ok());

    for bad in ["{", r#"{"modles":[]}"#, "null", r#"{"models":[{"name":"A"}]}"#] {
        write(&cx, bad);
        reload(&cx);
        assert_eq!(names(&cx), ["A", "B"], "{bad}");
        let banner = cx.models.banner().unwrap();
        assert!(banner.starts_with("The settings from before still hold"), "{banner}");
        assert!(!reload(&cx), "{bad}: said once");
    }
    write(&cx, &json!({ "models": [setting("B", &stub)] }).to_string());
    assert!(reload(&cx));
    assert_eq!((names(&cx), cx.models.banner()), (vec!["B".to_owned()], None));
    assert_eq!(cx.models.one("A", errand(&cx)).await.unwrap_err().kind(), "not_offered");
}

#[tokio::test]
async fn the_file_is_followed() {
    let stub = stub(false);
    let (_folder, cx) = ground(&json!({}));
    let mut events = cx.events.subscribe();
    let following = async { follow(&cx).await.unwrap() };
    let change = async {
        // Whether it is written before or after the following begins, it is in force in the end.
        tokio::task::yield_now().await;
        write(&cx, &json!({ "models": [setting("A", &stub)] }).to_string());
        while names(&cx).is_empty() {
            events.recv().await.unwrap();
        }
        cx.cancel.cancel();
    };
    tokio::join!(following, change);
}

#[tokio::test]
async fn what_is_under_way_ends_with_the_model_that_it_began_with() {
    let slow = stub(true);
    let (_folder, cx) = ground(&json!({ "models": [setting("A", &slow)] }));
    let asked = {
        let (models, errand) = (Arc::clone(&cx.models), errand(&cx));
        tokio::spawn(async move { models.one("A", errand).await })
    };
    while slow.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    write(&cx, "{}");
    assert!(reload(&cx) && names(&cx).is_empty());
    slow.go.send(()).unwrap();
    assert_eq!(asked.await.unwrap().unwrap().provider, "A");
}

#[tokio::test]
async fn a_call_is_paid_by_its_tokens_under_everything_that_it_belongs_to() {
    let stub = stub(false);
    let (_folder, cx) = ground(&json!({ "models": [setting("A", &stub)] }));
    cx.models.one("A", errand(&cx)).await.unwrap();
    cx.models.one("A", errand(&cx)).await.unwrap();
    settled(&cx).await;
    // A thousand tokens at a dollar and a hundred at ten for a million.
    let twice = Money::from_micros(2 * (1000 + 1000));
    let finding = FindingId::new("f");
    for of in [
        SpendOf::All,
        SpendOf::Project(ProjectId::of_root("/shop")),
        SpendOf::Finding(finding.clone()),
        SpendOf::Run(RunId::nth(&finding, 1)),
        SpendOf::Provider("A".to_owned()),
    ] {
        let total = cx.store.spend_total(&of).unwrap();
        assert_eq!((total.calls, total.open, total.spent, total.reserved), (2, 0, twice, Money::ZERO), "{of:?}");
        assert!(total.estimated > Money::ZERO && total.tokens.output == 200, "{total:?}");
    }
    let by_day = cx.store.spend_totals(SpendBy::Day, 9).unwrap();
    assert_eq!((by_day.len(), by_day[0].1.spent), (1, twice));
    let rows = cx.store.spends(&SpendOf::All, None, 9).unwrap().rows;
    assert_eq!((rows[0].outcome.as_deref(), rows[0].purpose.as_str()), (Some("answered"), "propose"));
}

#[tokio::test]
async fn what_does_not_fit_into_a_limit_is_not_asked_and_says_which() {
    let dollars = |name: &str, limit: f64| json!({ name: limit });
    let cases = [
        ("priced", dollars("per_call", 0.000001), Some("`budget.per_call`")),
        ("priced", dollars("per_finding", 0.000001), Some("`budget.per_finding`")),
        ("priced", dollars("per_run", 0.000001), Some("`budget.per_run`")),
        ("priced", dollars("per_day", 0.000001), Some("`budget.per_day`")),
        ("priced", dollars("per_project", 0.000001), Some("`budget.per_project`")),
        ("priced", dollars("per_run", 1.0), None),
        ("unpriced", dollars("per_day", 1000.0), Some("`per_day` of $1000.00")),
        ("unpriced", json!({}), None),
    ];
    for (kind, budget, words) in cases {
        let stub = stub(false);
        let mut model = setting("A", &stub);
        if kind == "unpriced" {
            model["price"] = Value::Null;
        }
        let (_folder, cx) = ground(&json!({ "models": [model], "budget": budget }));
        let result = cx.models.one("A", errand(&cx)).await;
        match words {
            None => drop(result.unwrap()),
            Some(words) => {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), "over_budget", "{budget}");
                assert!(error.to_string().contains(words), "{budget}: {error}");
            }
        }
        assert_eq!(stub.asked.load(Ordering::SeqCst), usize::from(words.is_none()), "{kind} {budget}");
    }
}

#[tokio::test]
async fn nothing_is_asked_while_the_certificates_of_the_settings_cannot_be_read() {
    let stub = stub(false);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    fs::write(&file, "no certificate").unwrap();
    for path in [file, folder.path().join("missing")] {
        let (_folder, cx) = ground(&json!({ "models": [setting("A", &stub)], "tls_roots": path }));
        let error = cx.models.one("A", errand(&cx)).await.unwrap_err();
        assert!(error.to_string().contains("certificates"), "{error}");
        assert_eq!(stub.asked.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_counts_as_spent() {
    let slow = stub(true);
    let (_folder, cx) = ground(&json!({ "models": [setting("A", &slow)] }));
    let asked = {
        let (models, errand) = (Arc::clone(&cx.models), errand(&cx));
        tokio::spawn(async move { models.one("A", errand).await })
    };
    while slow.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    let total = settled(&cx).await;
    assert_eq!((total.spent, total.assumed, total.calls), (total.estimated, total.estimated, 1));
    assert_eq!(cx.store.spends(&SpendOf::All, None, 9).unwrap().rows[0].outcome.as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn calls_are_counted_across_restarts() {
    assert_eq!(LATENCY_MS, conclave_store::LATENCY_MS);
    let stub = stub(false);
    let (folder, cx) = ground(&json!({ "models": [setting("A", &stub)] }));
    cx.models.one("A", Errand { may_be_kept: true, ..errand(&cx) }).await.unwrap();
    assert!(cx.models.one("A", Errand { may_be_kept: true, ..errand(&cx) }).await.unwrap().cached);
    let counted = counts(&cx, 0).unwrap();
    assert_eq!((counted["A"].calls, counted["A"].succeeded, counted["A"].cache_hits), (1, 1, 1));
    drop(cx);
    let cx = open(&Options { data_dir: folder.path().join("data"), offline: false }).unwrap().0;
    cx.models.one("A", errand(&cx)).await.unwrap();
    assert_eq!(counts(&cx, 0).unwrap()["A"].calls, 2);
    assert!(counts(&cx, cx.now_ms() + 2 * 3_600_000).unwrap().is_empty());
    let text = metrics_text(&cx).unwrap();
    assert!(text.contains("conclave_model_calls_total{provider=\"A\",outcome=\"answered\"} 2\n"), "{text}");
    assert!(text.contains("conclave_model_cache_hits_total{provider=\"A\"} 1\n"), "{text}");
}

#[tokio::test]
async fn the_first_model_that_answers_is_used_and_the_others_are_said() {
    let (dead, alive) = (stub(false), stub(false));
    let mut gone = setting("Gone", &dead);
    gone["base_url"] = json!("http://127.0.0.1:9/v1");
    let (_folder, cx) = ground(&json!({ "models": [gone, setting("Alive", &alive)] }));
    let settings = cx.settings();
    let won = cx.models.first(&settings.order(), errand(&cx)).await.unwrap();
    assert_eq!((won.provider.as_str(), won.tries.len(), won.tries[0].error.kind()), ("Alive", 1, "unreachable"));
    let health = health(&cx).await;
    let seen: Vec<_> = health.iter().map(|one| (one.name.as_str(), one.error_count)).collect();
    assert_eq!(seen, [("Gone", 1), ("Alive", 0)]);
    settled(&cx).await;
    // It was not answered and cost nothing.
    assert_eq!(cx.store.spend_total(&SpendOf::Provider("Gone".to_owned())).unwrap().spent, Money::ZERO);
}

/// An MCP client that says yes to whatever it is asked.
struct Willing {
    is_held_up: bool,
    asked: AtomicUsize,
}

impl Client for Willing {
    fn name(&self) -> &'static str {
        "editor"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn offers_sampling(&self) -> bool {
        true
    }

    fn is_held_up(&self) -> bool {
        self.is_held_up
    }

    fn create_message(&self, _: sample::Question) -> Answering<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let said = json!({ "role": "assistant", "model": "orchard", "content": { "type": "text", "text": "yes" } });
        Box::pin(async { Ok(said) })
    }
}

#[tokio::test]
async fn a_clients_model_on_trial_is_asked_beside_the_others_unless_that_held_the_client_up() {
    for (is_held_up, answered) in [(false, 1), (true, 0)] {
        let stub = stub(false);
        let settings = json!({
            "models": [setting("A", &stub)], "sampling": { "enabled": true, "may_send_code": true, "trial": true },
        });
        let (_folder, cx) = ground(&settings);
        let client = Arc::new(Willing { is_held_up, asked: AtomicUsize::new(0) });
        let errand = Errand { client: Some(client.clone()), ..errand(&cx) };
        assert_eq!(cx.models.first(&["A"], errand).await.unwrap().provider, "A");
        let trial = loop {
            let health = health(&cx).await;
            let trial = health.iter().find_map(|one| one.trial).unwrap();
            if trial.asked > 0 {
                break trial;
            }
        };
        assert_eq!((trial.asked, trial.answered), (1, answered), "{is_held_up}");
        assert_eq!(client.asked.load(Ordering::SeqCst) as u64, answered, "{is_held_up}");
    }
}

#[tokio::test]
async fn an_answer_is_heard_while_it_is_given_and_anew_from_the_next_model() {
    let (cut, whole) = (stub_saying(STREAM_CUT), stub_saying(STREAM));
    let (_folder, cx) = ground(&json!({ "models": [setting("A", &cut), setting("B", &whole)] }));
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = Arc::clone(&heard);
    let live: Arc<Hearer> = Arc::new(move |heard| note.lock().unwrap().push(format!("{heard:?}")));
    let won = cx.models.first(&["A", "B"], Errand { live: Some(live), ..errand(&cx) }).await.unwrap();
    assert_eq!(won.provider, "B");
    let heard = heard.lock().unwrap().join(" ");
    assert_eq!(heard, r#"Begin("A") Text("hal") Text("f") End Begin("B") Text("hi") End"#);
}
