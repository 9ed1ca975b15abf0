//! The model of a client, which is a stand-in in this process: what the face does for a real one is its own affair.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::money::Money;
use conclave_core::settings::SamplingSetting;
use conclave_effects::sample::{Answering, Client, ClientError, Question};
use conclave_effects::{DataClass, Gate, Secret};
use conclave_inference::money::Setting;
use conclave_inference::{About, Answer, AskError, Hold, Kind, ModelRequest, Provider, Purse, Sampling, Spent, Terms};
use conclave_policy::Mode;
use serde_json::{Value, json};

use crate::contract::{Does, StandIn, check};
use crate::support::{MemoryLedger, ask, gate, reach};

const LIMIT: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Editor {
    /// What it says, in order; after that nothing, ever.
    says: Mutex<VecDeque<Result<Value, ClientError>>>,
    asked: Mutex<Vec<Value>>,
    offers: bool,
    withdrawn: AtomicBool,
}

impl Editor {
    fn saying(says: impl IntoIterator<Item = Result<Value, ClientError>>) -> Self {
        Self { says: Mutex::new(says.into_iter().collect()), offers: true, ..Self::default() }
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().expect("unpoisoned").clone()
    }
}

struct Waits<'a>(&'a Editor);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.withdrawn.store(true, Ordering::Relaxed);
    }
}

impl Client for Editor {
    fn name(&self) -> &'static str {
        "editor"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn offers_sampling(&self) -> bool {
        self.offers
    }

    fn create_message(&self, question: Question) -> Answering<'_> {
        self.asked.lock().expect("unpoisoned").push(Value::Object(question.params().clone()));
        let said = self.says.lock().expect("unpoisoned").pop_front();
        Box::pin(async move {
            let _waits = said.is_none().then_some(Waits(self));
            match said {
                Some(said) => said,
                None => std::future::pending().await,
            }
        })
    }
}

fn says(text: &str) -> Result<Value, ClientError> {
    Ok(json!({ "role": "assistant", "model": "orchard", "content": { "type": "text", "text": text } }))
}

fn model() -> Sampling {
    Sampling::new(&SamplingSetting { enabled: true, may_send_code: true, trial: false })
}

fn question() -> ModelRequest {
    ModelRequest {
        system: "Judge.".to_owned(),
        user: "May it?".to_owned(),
        max_tokens: 64,
        schema: Some(json!({ "type": "object", "required": ["yes"], "properties": { "yes": { "type": "boolean" } } })),
        schema_name: "verdict".to_owned(),
        sample: 0,
    }
}

fn about() -> About {
    About { data: vec![DataClass::Source], ..About::default() }
}

async fn put(gate: &Gate, client: &Editor, terms: Terms<'_>) -> Result<Answer, AskError> {
    let terms = Terms { client: Some(client), ..terms };
    ask(gate, &model(), &question(), terms, &mut |_| {}).await
}

#[tokio::test]
async fn what_is_shown_is_what_the_client_is_asked_and_no_key_is_in_it() {
    let (gate, ledger) = gate(Mode::Default);
    let (about, key) = (about(), Secret::new("correct-horse-battery".to_owned()));
    let known = [&key];
    let client = Editor::saying([says(r#"{"yes":true}"#)]);
    let terms = Terms { known: &known, client: Some(&client), ..Terms::new(&about, LIMIT) };
    let request = ModelRequest { user: "Is correct-horse-battery a key?".to_owned(), ..question() };
    let sketch = model().sketch(&request, &terms).expect("a sketch");
    assert!(client.asked().is_empty() && ledger.decisions() == 0, "nothing is handed out for it");
    let answer = ask(&gate, &model(), &request, terms, &mut |_| {}).await;
    assert!(matches!(answer, Ok(Answer::Text { ref model, .. }) if model == "orchard"), "{answer:?}");
    let shown: Value = serde_json::from_slice(&sketch.bytes).expect("JSON");
    assert_eq!(client.asked(), std::slice::from_ref(&shown));
    assert!(!shown.to_string().contains("horse") && sketch.redactions.len() == 1, "{shown}");
    assert_eq!(shown["systemPrompt"], "Judge.");
    assert_eq!(ledger.outcomes(), ["answered"]);
    assert!(!ledger.text().contains("horse"));
}

#[tokio::test]
async fn without_a_client_that_offers_its_model_nobody_is_asked() {
    let (gate, ledger) = gate(Mode::Default);
    let about = about();
    let alone = ask(&gate, &model(), &question(), Terms::new(&about, LIMIT), &mut |_| {}).await;
    let shy = Editor::default();
    let unwilling = put(&gate, &shy, Terms::new(&about, LIMIT)).await;
    for error in [alone, unwilling].map(Result::unwrap_err) {
        assert_eq!(error.kind(), "not_offered", "{error}");
    }
    let (model, willing) = (model(), Editor::saying([]));
    let of = |client| reach(&gate, Terms { client, ..Terms::new(&about, LIMIT) });
    assert!(model.check(&of(None)).await.is_err());
    let unwilling = model.check(&of(Some(&shy))).await;
    assert!(unwilling.is_err_and(|error| error.to_string().contains("withdrawing")));
    let checked = model.check(&of(Some(&willing))).await.expect("it could be asked");
    assert!(checked.found == "editor 1" && !checked.warnings.is_empty(), "{checked:?}");
    assert_eq!((model.info().name.as_str(), model.info().kind), ("mcp_sampling", Kind::McpSampling));
    assert!(shy.asked().is_empty() && willing.asked().is_empty() && ledger.decisions() == 0);
}

#[tokio::test]
async fn each_answer_has_its_kind() {
    let refused = |code, message: &str| Err(ClientError::Refused { code, message: message.to_owned() });
    let cut = |reason: &str| {
        Ok(
            json!({ "role": "assistant", "model": "m", "stopReason": reason, "content": { "type": "text", "text": "{}" } }),
        )
    };
    for (answers, kind, outcomes) in [
        (vec![says("yes"), says(r#"{"yes":true}"#)], "", vec!["answered", "answered"]),
        (vec![says("yes"), says("yes")], "wrong_form", vec!["answered", "answered"]),
        (vec![says(r#"{"yes":true}{"yes":true}"#), says("")], "empty", vec!["answered", "no answer: empty"]),
        (vec![cut("maxTokens")], "truncated", vec!["no answer: truncated"]),
        (vec![cut("toolUse")], "malformed", vec!["no answer: malformed"]),
        (vec![Ok(Value::Null)], "malformed", vec!["no answer: malformed"]),
        (vec![refused(-1, "no\u{202e}")], "refusal", vec!["declined"]),
        (vec![refused(-32601, "what?")], "not_offered", vec!["no answer: not_offered"]),
        (vec![refused(-32603, "oh")], "ended", vec!["no answer: ended"]),
        (vec![Err(ClientError::Gone)], "cut", vec!["no answer: cut"]),
    ] {
        let (gate, ledger) = gate(Mode::Default);
        let (client, about) = (Editor::saying(answers.clone()), about());
        let found = match put(&gate, &client, Terms::new(&about, LIMIT)).await {
            Ok(Answer::Text { .. }) => "",
            Ok(Answer::Refusal { reason, .. }) => {
                assert!(!reason.contains('\u{202e}'), "{reason}");
                "refusal"
            }
            Err(error) => error.kind(),
        };
        assert_eq!(
            (found, ledger.outcomes()),
            (kind, outcomes.iter().map(ToString::to_string).collect()),
            "{answers:?}"
        );
        assert_eq!(client.asked().len(), answers.len(), "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_deadline_and_a_question_that_is_given_up_is_withdrawn() {
    let (gate, ledger) = gate(Mode::Default);
    let (client, about) = (Editor::saying([]), about());
    let late = put(&gate, &client, Terms::new(&about, LIMIT)).await.expect_err("nobody answers");
    assert_eq!((late.kind(), client.withdrawn.load(Ordering::Relaxed)), ("timeout", true));
    assert_eq!(ledger.outcomes(), ["no answer: timeout"]);

    let client = Editor::saying([]);
    let given_up = tokio::time::timeout(Duration::from_secs(1), put(&gate, &client, Terms::new(&about, LIMIT))).await;
    assert!(given_up.is_err() && client.asked().len() == 1 && client.withdrawn.load(Ordering::Relaxed));
}

/// A purse that notes what it is asked, beside how many decisions there were then.
struct Noting {
    ledger: MemoryLedger,
    /// Whether a limit is set.
    limit: bool,
    notes: Arc<Mutex<Vec<String>>>,
}

struct Noted(Arc<Mutex<Vec<String>>>);

impl Hold for Noted {
    fn settle(self: Box<Self>, spent: Spent) {
        self.0.lock().expect("unpoisoned").push(format!(
            "settle {} {:?}",
            spent.outcome,
            spent.cost.map(Money::micros)
        ));
    }

    fn give_back(self: Box<Self>) {
        self.0.lock().expect("unpoisoned").push("give back".to_owned());
    }
}

impl Purse for Noting {
    fn reserve<'a>(&'a self, provider: &'a str, _: &'a str, most: Option<Money>) -> Setting<'a> {
        Box::pin(async move {
            let note = format!("reserve {provider} {most:?} at {}", self.ledger.decisions());
            self.notes.lock().expect("unpoisoned").push(note);
            if self.limit && most.is_none() {
                return Err(AskError::OverBudget("its price is unknown".to_owned()));
            }
            Ok(Box::new(Noted(self.notes.clone())) as Box<dyn Hold>)
        })
    }
}

#[tokio::test]
async fn its_price_is_unknown_so_a_limit_stops_it_and_a_refused_question_is_free() {
    for (limit, mode, asked, expect) in [
        (false, Mode::Default, 1, vec!["reserve mcp_sampling None at 0", "settle answered None"]),
        (false, Mode::Strict, 0, vec!["reserve mcp_sampling None at 0", "give back"]),
        (true, Mode::Default, 0, vec!["reserve mcp_sampling None at 0"]),
    ] {
        let (gate, ledger) = gate(mode);
        let purse = Noting { ledger: ledger.clone(), limit, notes: Arc::default() };
        let (client, about) = (Editor::saying([says(r#"{"yes":true}"#)]), about());
        let terms = Terms { purse: Some(&purse), ..Terms::new(&about, LIMIT) };
        let _ = put(&gate, &client, terms).await;
        assert_eq!(*purse.notes.lock().expect("unpoisoned"), expect);
        assert_eq!(client.asked().len(), asked, "{mode:?}, {limit}");
        assert_eq!(ledger.decisions(), usize::from(!limit));
    }
}

#[tokio::test]
async fn calls_at_the_same_time_have_their_own_clients() {
    let (gate, _) = gate(Mode::Default);
    let about = about();
    let clients = [Editor::saying([says(r#"{"yes":true}"#)]), Editor::saying([says(r#"{"yes":false}"#)])];
    let [first, second] = &clients;
    let terms = || Terms::new(&about, LIMIT);
    let answers = tokio::join!(put(&gate, first, terms()), put(&gate, second, terms()));
    for (answer, expect) in [(answers.0, "true"), (answers.1, "false")] {
        assert!(matches!(answer, Ok(Answer::Text { ref text, .. }) if text.contains(expect)), "{answer:?}");
    }
}

/// A client that does what the contract wants of the other end.
struct Obeying {
    does: Mutex<Does>,
    heard: Mutex<Vec<Vec<u8>>>,
    busy: AtomicUsize,
}

struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Client for Obeying {
    fn name(&self) -> &'static str {
        "editor"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn offers_sampling(&self) -> bool {
        true
    }

    fn create_message(&self, question: Question) -> Answering<'_> {
        let heard = serde_json::to_vec(question.params()).expect("JSON");
        self.heard.lock().expect("unpoisoned").push(heard);
        let does = *self.does.lock().expect("unpoisoned");
        Box::pin(async move {
            self.busy.fetch_add(1, Ordering::Relaxed);
            let _busy = Busy(&self.busy);
            match does {
                Does::Answer => says("hello"),
                Does::Hang => std::future::pending().await,
                Does::Die => Err(ClientError::Gone),
                Does::Lie => Ok(json!({ "role": "user", "content": "hello" })),
            }
        })
    }
}

impl StandIn for Obeying {
    fn does(&self, what: Does) {
        *self.does.lock().expect("unpoisoned") = what;
    }

    fn asked(&self) -> usize {
        self.heard.lock().expect("unpoisoned").len()
    }

    fn busy(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }

    fn children(&self) -> usize {
        0
    }

    fn client(&self) -> Option<&dyn Client> {
        Some(self)
    }

    fn heard(&self) -> Option<Vec<u8>> {
        self.heard.lock().expect("unpoisoned").last().cloned()
    }
}

#[tokio::test]
async fn a_client_keeps_the_contract() {
    let (gate, ledger) = gate(Mode::Default);
    let end = Obeying { does: Mutex::new(Does::Answer), heard: Mutex::default(), busy: AtomicUsize::default() };
    check(&model(), &end, &gate, &ledger).await;
}
