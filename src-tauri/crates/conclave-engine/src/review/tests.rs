//! Reviews by models that misbehave in every way, and by a person who is there or not.

#![expect(clippy::disallowed_methods, reason = "the tests play the server that is asked")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use conclave_core::settings::{ModelSetting, ReviewSetting, Settings};
use conclave_effects::{Clock, Keychain, Policies};
use conclave_inference::provider::local::Place;
use conclave_policy::{
    Access, Action, Decision, Effective, Layer, Mode, Nobody, Policy, ToolCall, ToolRequest, TouchedPath,
};
use conclave_store::{Answer as PersonsAnswer, AskState};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::event::{Event, Topic};

/// What a model does with one question.
#[derive(Clone)]
enum Says {
    /// It answers this text.
    Text(String),
    /// It sends these bytes and closes.
    Raw(String),
    /// It says nothing and holds the connection until the other side gives up.
    Nothing,
}

/// A model on this machine, and how often it was asked.
struct Stub {
    setting: ModelSetting,
    asked: Arc<AtomicUsize>,
}

fn stub(name: &str, says: Says) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let setting = ModelSetting::new(name, &format!("http://{}/v1", listener.local_addr().unwrap()), "m");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // The threads end with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (says, count) = (says.clone(), Arc::clone(&count));
            std::thread::spawn(move || serve(stream, &says, &count));
        }
    });
    Stub { setting, asked }
}

fn serve(mut stream: TcpStream, says: &Says, count: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    reader.read_exact(&mut vec![0; length.unwrap_or(0)])?;
    if head.starts_with("GET /props ") {
        return stream.write_all(page(r#"{"model_path":"/m.gguf"}"#).as_bytes());
    }
    count.fetch_add(1, Ordering::SeqCst);
    match says {
        Says::Text(text) => stream.write_all(answer(text).as_bytes()),
        Says::Raw(bytes) => stream.write_all(bytes.as_bytes()),
        Says::Nothing => reader.read_to_end(&mut Vec::new()).map(drop),
    }
}

fn page(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A whole stream in which a model says `text`.
fn answer(text: &str) -> String {
    let delta = json!({ "model": "m", "choices": [{ "delta": { "content": text } }] });
    let stop = json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] });
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    format!("{head}data: {delta}\n\ndata: {stop}\n\ndata: [DONE]\n\n")
}

fn verdict(decision: &str, confidence: f64) -> String {
    json!({ "reasoning": "it looks fine", "risk_factors": ["none seen"], "decision": decision, "confidence": confidence })
        .to_string()
}

fn allows() -> Says {
    Says::Text(verdict("allow", 1.0))
}

/// A reviewer over these models, all of them in the settings' order, and its store.
struct Ground {
    _folder: TempDir,
    store: Store,
    events: Events,
    reviewer: Arc<EngineReviewer>,
}

fn ground(stubs: &[&Stub], mode: Mode) -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("conclave.db"), 0).unwrap().store;
    let models: Vec<ModelSetting> = stubs.iter().map(|stub| stub.setting.clone()).collect();
    let names = models.iter().map(|model| model.name.clone()).collect();
    let review = ReviewSetting { models: names, timeout_s: 60, ..ReviewSetting::default() };
    let settings = Settings { models, review, ..Settings::default() };
    let policies = Policies::new(Policy::shipped(mode));
    let gate = Gate::new(policies, Arc::new(store.clone()), Arc::new(Nobody), Clock::fixed(1_000_000));
    let (models, events) =
        (Arc::new(Models::new(settings, store.clone(), Keychain::open(), Place::default())), Events::default());
    let reviewer = EngineReviewer::new(models, gate, store.clone(), events.clone());
    Ground { _folder: folder, store, events, reviewer: Arc::new(reviewer) }
}

fn decision() -> Decision {
    Decision {
        effect: Effective::Sample,
        rule: "look".to_owned(),
        reason: "reads are looked at".to_owned(),
        layer: Some(Layer::User),
        review: None,
    }
}

fn call(path: &str, access: Access) -> ToolRequest {
    let call = ToolCall {
        tool: "Read".to_owned(),
        server: None,
        session: None,
        cwd: Some("/home/ada/shop".to_owned()),
        parameters: json!({ "file_path": path }),
    };
    let touched = TouchedPath { given: path.to_owned(), real: Some(path.to_owned()), access };
    let request = ToolRequest::new(Actor::Agent("claude-code".to_owned()), Action::CallTool, "Read");
    ToolRequest { call: Some(Box::new(call)), ..request }.touching(touched)
}

/// What a model may allow.
fn inside() -> ToolRequest {
    call("/home/ada/shop/a.py", Access::Read)
}

/// What only a person may allow.
fn outside() -> ToolRequest {
    call("/home/ada/shop/a.py", Access::Write)
}

async fn review(ground: &Ground, request: &ToolRequest, provider: Option<&str>) -> Review {
    let decision = decision();
    let question = Question { request, decision: &decision, guidance: None, provider, rule_digest: "d" };
    ground.reviewer.review(question).await
}

fn why(review: Review) -> String {
    match review {
        Review::Deny { reason, .. } => reason,
        Review::Allow { .. } => panic!("it was allowed: {review:?}"),
    }
}

#[tokio::test]
async fn an_allow_inside_the_envelope_says_who_gave_it() {
    let stub = stub("Local", allows());
    let ground = ground(&[&stub], Mode::Default);
    let Review::Allow {
        by: Reviewed::Model { provider, model, confidence, risk_factors, took_ms, at_ms, cached },
        digest,
    } = review(&ground, &inside(), None).await
    else {
        panic!("it is refused")
    };
    assert_eq!((provider.as_str(), model.as_str(), confidence, at_ms, cached), ("Local", "m", 1.0, 1_000_000, false));
    assert_eq!((risk_factors, digest), (vec!["none seen".to_owned()], inside().digest()));
    assert!(took_ms >= 1);
}

#[tokio::test]
async fn whatever_is_no_verdict_is_a_refusal() {
    let allow = verdict("allow", 1.0);
    let cases = [
        (Says::Text(verdict("deny", 0.2)), "refuses: it looks fine"),
        (Says::Text(verdict("allow", 0.69)), "69 % sure"),
        (Says::Text(format!("{allow}{allow}")), "agreed form"),
        (Says::Text(format!("{}{allow}", verdict("deny", 1.0))), "agreed form"),
        (Says::Text(format!("Of course! {allow}")), "agreed form"),
        (Says::Text("allow".to_owned()), "agreed form"),
        (Says::Text(verdict("allow", 1.5)), "agreed form"),
        (Says::Raw("HTTP/1.1 500 x\r\nretry-after: 99\r\ncontent-length: 0\r\n\r\n".to_owned()), "no reviewer answers"),
        (Says::Raw(answer(&allow).replace("data: [DONE]\n\n", "")), "no reviewer answers"),
        (Says::Raw(answer(&allow).replace("\"stop\"", "\"length\"")), "no reviewer answers"),
        (Says::Raw(String::new()), "no reviewer answers"),
    ];
    for (says, expect) in cases {
        let stub = stub("Hostile", says);
        let ground = ground(&[&stub], Mode::Default);
        let is_verdict = expect.contains("refuses") || expect.contains("sure");
        // The person is there and is not asked: an error is no question.
        let _person = ground.store.person_arrives().unwrap();
        let reason = why(review(&ground, &inside(), None).await);
        assert!(reason.contains(expect), "{expect}: {reason}");
        assert_eq!(way_out(&reason).is_none(), is_verdict, "{expect}: {reason}");
        assert!(ground.store.asks(9).unwrap().is_empty(), "{expect}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_a_refusal() {
    let stub = stub("Slow", Says::Nothing);
    let ground = ground(&[&stub], Mode::Default);
    let reason = why(review(&ground, &inside(), None).await);
    assert!(reason.contains("within 60 s") || reason.contains("no answer in time"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn one_limit_holds_over_all_models() {
    let slow = ["One", "Two", "Three"].map(|name| stub(name, Says::Nothing));
    let ground = ground(&slow.each_ref(), Mode::Default);
    let begin = tokio::time::Instant::now();
    why(review(&ground, &inside(), None).await);
    assert!(begin.elapsed() <= Duration::from_secs(61), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_review_has_its_limits_without_any_setting() {
    let ground = ground(&[], Mode::Default);
    assert_eq!((Settings::default().review.timeout_s, conclave_inference::strategy::AT_ONCE), (10, 10));
    let kept = ground.reviewer.verdicts.policy();
    assert_eq!((kept.time_to_live(), kept.max_capacity()), (Some(Duration::from_secs(300)), Some(1000)));
}

#[tokio::test]
async fn a_model_that_allows_everything_allows_nothing_outside_the_envelope() {
    let stub = stub("Hostile", allows());
    let ground = ground(&[&stub], Mode::Default);
    let person = Actor::Person;
    let effects = [
        Action::ReadFile,
        Action::RunCommand,
        Action::WriteProject,
        Action::WriteFile,
        Action::SendHttp,
        Action::ReadKey,
        Action::WriteKey,
        Action::CallTool,
    ];
    for action in effects {
        let request = ToolRequest::new(person.clone(), action, "/home/ada/.bashrc");
        let reason = why(review(&ground, &request, None).await);
        assert!(reason.contains("nobody is there"), "{action}: {reason}");
    }
    for request in [outside(), inside().with(keys::HOST, "evil.example"), inside().with(keys::DATA, "source")] {
        assert!(why(review(&ground, &request, None).await).contains("nobody is there"));
    }
}

#[tokio::test]
async fn the_first_model_that_answers_counts() {
    let silent = stub("Silent", Says::Raw(String::new()));
    let yes = stub("Yes", allows());
    let no = stub("No", Says::Text(verdict("deny", 1.0)));
    let one = ground(&[&silent, &yes, &no], Mode::Default);
    assert!(matches!(review(&one, &inside(), None).await, Review::Allow { .. }));
    assert_eq!(no.asked.load(Ordering::SeqCst), 0);
    // The rule's own reviewer comes before the order of the settings.
    assert!(why(review(&one, &inside(), Some("No")).await).contains("refuses"));
    assert!(why(review(&one, &inside(), Some("Nobody")).await).contains("no such model"));
}

#[tokio::test]
async fn equal_questions_are_asked_once_and_different_ones_apart() {
    let stub = stub("Local", allows());
    let ground = ground(&[&stub], Mode::Default);
    let request = inside();
    let both = tokio::join!(review(&ground, &request, None), review(&ground, &request, None));
    assert!(matches!(both, (Review::Allow { .. }, Review::Allow { .. })), "{both:?}");
    let third = review(&ground, &request, None).await;
    assert!(matches!(third, Review::Allow { by: Reviewed::Model { cached: true, .. }, .. }), "{third:?}");
    assert_eq!(stub.asked.load(Ordering::SeqCst), 1);
    review(&ground, &call("/home/ada/shop/b.py", Access::Read), None).await;
    assert_eq!(stub.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn everything_that_could_change_a_verdict_is_in_its_key() {
    let [one, other] = ["One", "Other"].map(|name| stub(name, allows()));
    let ground = ground(&[&one, &other], Mode::Default);
    let panel = ground.reviewer.models.all();
    let (first, second) = (&panel[..1], &panel[1..]);
    let decision = decision();
    let renamed = Decision { rule: "another".to_owned(), ..decision.clone() };
    let elsewhere = {
        let mut request = inside();
        request.call.as_mut().unwrap().cwd = Some("/tmp".to_owned());
        request
    };
    let (here, there) = (inside(), call("/etc/passwd", Access::Read));
    let of = |request, decision, rule_digest, panel: &[Arc<Model>]| {
        key(&Question { request, decision, guidance: None, provider: None, rule_digest }, panel)
    };
    let keys = [
        of(&here, &decision, "d", first),
        of(&here, &decision, "e", first),
        of(&here, &renamed, "d", first),
        of(&here, &decision, "d", second),
        of(&here, &decision, "d", &panel),
        of(&there, &decision, "d", first),
        of(&elsewhere, &decision, "d", first),
    ];
    let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
    assert_eq!(keys[0], of(&inside(), &decision, "d", first));
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let stub = stub("Hostile", Says::Text("no".to_owned()));
    let ground = ground(&[&stub], Mode::Default);
    for asked in 1..=2 {
        why(review(&ground, &inside(), None).await);
        // Each time the model is told once what is wrong with its answer.
        assert_eq!(stub.asked.load(Ordering::SeqCst), 2 * asked);
    }
}

/// Answers the next question as the person, whatever it is.
async fn person_says(ground: &Ground, says: PersonsAnswer, words: &str) -> ToolRequest {
    let mut events = ground.events.subscribe();
    loop {
        if let [ask] = ground.store.waiting_asks(1_000_000).unwrap().as_slice() {
            ground.store.answer_ask(ask.id, says, words, 1_000_000).unwrap();
            return ask.ask.request.clone();
        }
        assert_eq!(events.recv().await.unwrap(), Event::Changed(vec![Topic::Asks]));
    }
}

#[tokio::test]
async fn the_person_decides_what_a_model_may_not_and_what_a_rule_gives_them() {
    let stub = stub("Local", allows());
    let with_model = ground(&[&stub], Mode::Default);
    let without = ground(&[], Mode::Default);
    let offline = ground(&[&stub], Mode::Offline);
    let cases = [
        (&with_model, outside(), None),
        (&with_model, inside(), Some(PERSON)),
        (&without, inside(), None),
        (&offline, inside(), None),
    ];
    for (ground, request, provider) in cases {
        let nobody = why(review(ground, &request, provider).await);
        assert!(nobody.contains("nobody is there") && nobody.contains("`conclave asks watch`"), "{nobody}");
        let _person = ground.store.person_arrives().unwrap();
        let (asked, allowed) =
            tokio::join!(person_says(ground, PersonsAnswer::Allow, "I know it"), review(ground, &request, provider));
        assert_eq!(asked, request);
        let Review::Allow { by: Reviewed::Person { justification, at_ms }, digest } = allowed else {
            panic!("{allowed:?}")
        };
        assert_eq!((justification.as_str(), at_ms, digest), ("I know it", 1_000_000, request.digest()));
        let (_, denied) =
            tokio::join!(person_says(ground, PersonsAnswer::Deny, "no"), review(ground, &request, provider));
        assert_eq!(why(denied), "you refused it: no");
    }
}

#[tokio::test]
async fn nobody_waits_for_ever_and_a_question_nobody_waits_for_is_withdrawn() {
    let ground = ground(&[], Mode::Default);
    let _person = ground.store.person_arrives().unwrap();
    let mut events = ground.events.subscribe();
    let request = inside();
    let mut waiting = Box::pin(review(&ground, &request, None));
    tokio::select! {
        _ = &mut waiting => panic!("nobody has answered"),
        _ = events.recv() => {}
    }
    assert_eq!(ground.store.asks(9).unwrap()[0].state, AskState::Waiting);
    drop(waiting);
    assert_eq!(ground.store.asks(9).unwrap()[0].state, AskState::Withdrawn);

    tokio::time::pause();
    let reason = why(review(&ground, &request, None).await);
    assert!(reason.contains("nobody answered within 120 s") && reason.contains("`conclave asks watch`"), "{reason}");
    assert_eq!(ground.store.asks(9).unwrap()[0].state, AskState::Expired);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_before_anybody_is_asked() {
    let stub = stub("Local", allows());
    let ground = ground(&[&stub], Mode::Default);
    let large = call(&"x".repeat(70_000), Access::Read);
    assert!(why(review(&ground, &large, None).await).contains("too large"));
    assert_eq!(stub.asked.load(Ordering::SeqCst), 0);
}

/// Conclave with a policy that samples everything but what a reviewer needs, and these stubs, the first as its reviewer.
fn sampling_everything(stubs: &[&Stub]) -> (TempDir, crate::ctx::Ctx) {
    let folder = tempfile::tempdir().unwrap();
    let options = crate::open::Options { data_dir: folder.path().join("data"), offline: false };
    let data = crate::open::open(&options).unwrap().0.data;
    let models: Vec<&ModelSetting> = stubs.iter().map(|stub| &stub.setting).collect();
    let settings = json!({ "models": models, "review": { "models": [stubs[0].setting.name] } });
    std::fs::write(data.path().join("settings.json"), settings.to_string()).unwrap();
    let policy = "version: 1\nextends: none\nrules:\n\
        - { id: ask, priority: 1, action: allow, reason: r, conditions: { action: send_http, actor: [reviewer, engine] } }\n\
        - { id: look, priority: 2, action: sample, reason: r, sampling_guidance: all of it }\n";
    std::fs::write(data.policy_path(), policy).unwrap();
    let cx = crate::open::open(&options).unwrap().0;
    assert_eq!(cx.policy.banner(), None);
    (folder, cx)
}

#[tokio::test]
async fn through_the_gate_a_hostile_reviewer_lets_nothing_out_of_the_envelope() {
    let stub = stub("Hostile", allows());
    let (_folder, cx) = sampling_everything(&[&stub]);
    let agent = || Actor::Agent("claude-code".to_owned());
    let (decision, seq) = cx.gate.judge(&inside()).await.unwrap();
    assert_eq!((decision.effect, decision.rule.as_str()), (Effective::Allow, "look"), "{decision:?}");
    let Some(Reviewed::Model { provider, .. }) = &decision.review else { panic!("{decision:?}") };
    assert_eq!((provider.as_str(), seq > 0), ("Hostile", true));
    let mut forbidden = vec![outside(), inside().with(keys::HOST, "evil.example"), inside().with(keys::DATA, "source")];
    for action in [
        Action::ReadFile,
        Action::RunCommand,
        Action::WriteProject,
        Action::WriteFile,
        Action::SendHttp,
        Action::ReadKey,
        Action::WriteKey,
        Action::CallTool,
    ] {
        forbidden.push(ToolRequest::new(agent(), action, "/home/ada/notes"));
    }
    for request in forbidden {
        let (decision, _) = cx.gate.judge(&request).await.unwrap();
        assert_eq!(decision.effect, Effective::Deny, "{request:?}");
    }
}

#[tokio::test]
async fn a_flood_of_questions_is_refused_and_hides_none_that_waits() {
    let ground = ground(&[], Mode::Default);
    let _person = ground.store.person_arrives().unwrap();
    let request = inside();
    let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(review(&ground, &request, None))).collect();
    for one in &mut waiting {
        let mut polled = std::pin::pin!(one);
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(polled.as_mut().poll(cx).is_pending())).await);
    }
    assert!(why(review(&ground, &request, None).await).contains("100 questions wait already"));
    assert_eq!(ground.store.waiting_asks(1_000_000).unwrap().len(), 100);
}

#[tokio::test]
async fn all_failed_is_said_with_its_code_and_denies() {
    let dead = ["One", "Two"].map(|name| stub(name, Says::Raw(String::new())));
    let ground = ground(&dead.each_ref(), Mode::Default);
    let _person = ground.store.person_arrives().unwrap();
    let reason = why(review(&ground, &inside(), None).await);
    for words in ["AI_SERVICE_UNAVAILABLE", "`One`: ", "`Two`: "] {
        assert!(reason.contains(words), "{words}: {reason}");
    }
    let mend =
        "mend the model that reviews: `conclave models check One` and `conclave models check Two` say what is wrong";
    assert_eq!(way_out(&reason).as_deref(), Some(mend), "{reason}");
    let reason = why(review(&ground, &inside(), Some("Three")).await);
    assert!(reason.contains("INVALID_CONFIGURATION"), "{reason}");
}

#[tokio::test]
async fn a_model_on_trial_reviews_beside_and_decides_nothing() {
    let decides = stub("Decides", allows());
    let mut tried = stub("Tried", Says::Text(verdict("deny", 1.0)));
    tried.setting.trial = true;
    let (_folder, cx) = sampling_everything(&[&decides, &tried]);
    let (decision, _) = cx.gate.judge(&inside()).await.unwrap();
    assert_eq!(decision.effect, Effective::Allow, "{decision:?}");
    let trial = loop {
        let health = crate::models::health(&cx).await;
        let trial = health.iter().find(|one| one.name == "Tried").and_then(|one| one.trial).unwrap();
        if trial.asked > 0 {
            break trial;
        }
    };
    assert_eq!((trial.asked, trial.answered, trial.compared, trial.agreed), (1, 1, 1, 0));
    // It goes through the gate as any other, and its call is counted.
    let of_tried = conclave_store::SpendOf::Provider("Tried".to_owned());
    let calls = cx.store.spends(&of_tried, None, 9).unwrap().rows;
    assert_eq!((calls.len(), calls[0].purpose.as_str()), (1, "review"));
    assert_eq!(crate::models::counts(&cx, 0).unwrap()["Tried"].succeeded, 1);
}
