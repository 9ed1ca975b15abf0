//! What every provider keeps, whatever kind of way it is.
//!
//! [`check`] takes a provider and a stand-in for its other end, which can be told what to do. Each kind of provider
//! calls it from the file of its own tests.

use std::fmt::Debug;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::money::Money;
use conclave_core::settings::ModelSetting;
use conclave_effects::sample::Client;
use conclave_effects::{Gate, Secret};
use conclave_inference::money::Setting;
use conclave_inference::{
    About, Answer, Api, AskError, Exchanged, Hold, Log, ModelRequest, Provider, Purse, Spent, Terms,
};
use conclave_policy::Mode;

use crate::support::{MemoryLedger, Noted, ask, ask_with_tools, gate, reach};

/// What the other end does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It answers it, soon and well.
    Answer,
    /// It takes it and says nothing for as long as it is let.
    Hang,
    /// It takes it and is gone.
    Die,
    /// It says something that is no answer.
    Lie,
}

/// The other end of a provider.
pub trait StandIn: Sync {
    /// From now on it does this.
    fn does(&self, what: Does);
    /// How many questions reached it; looks at it are none.
    fn asked(&self) -> usize;
    /// How many connections to it, or children of the provider's, have a question that is not over.
    fn busy(&self) -> usize;
    /// How many children of the provider's live.
    fn children(&self) -> usize;
    /// A gate that lets no question through to it.
    fn closed(&self) -> Gate {
        gate(Mode::Offline).0
    }
    /// The MCP client that it is, where it is one.
    fn client(&self) -> Option<&dyn Client> {
        None
    }
    /// What reached it with the last question, to the byte, where it can tell.
    fn heard(&self) -> Option<Vec<u8>>;
}

const KEY: &str = "sk-contract-key-4711";
const OTHER: &str = "sk-contract-other-0815";

/// Time enough for everything that is to come to an end.
const LONG: Duration = Duration::from_secs(120);
/// Time for what never does.
const SHORT: Duration = Duration::from_secs(1);

/// A purse that gives what is asked, or nothing, and remembers.
struct Counted<'a> {
    end: &'a dyn StandIn,
    gives: bool,
    /// How many questions had arrived at each reservation.
    reserved: Mutex<Vec<usize>>,
    settled: Arc<Mutex<Vec<Spent>>>,
    dropped: Arc<AtomicUsize>,
    given_back: Arc<AtomicUsize>,
}

struct Held {
    settled: Arc<Mutex<Vec<Spent>>>,
    given_back: Arc<AtomicUsize>,
    dropped: Option<Arc<AtomicUsize>>,
}

impl<'a> Counted<'a> {
    fn new(end: &'a dyn StandIn, gives: bool) -> Self {
        let (settled, dropped, given_back) = (Arc::default(), Arc::default(), Arc::default());
        Self { end, gives, reserved: Mutex::default(), settled, dropped, given_back }
    }

    /// Reservations, those that were settled, and those that stay as they are.
    fn counts(&self) -> (usize, usize, usize) {
        let (reserved, settled) = (self.reserved.lock().expect("purse"), self.settled.lock().expect("purse"));
        (reserved.len(), settled.len(), self.dropped.load(Ordering::SeqCst))
    }
}

impl Purse for Counted<'_> {
    fn reserve<'a>(&'a self, _provider: &'a str, _model: &'a str, _most: Option<Money>) -> Setting<'a> {
        Box::pin(async move {
            if !self.gives {
                return Err(AskError::OverBudget("the purse is empty".to_owned()));
            }
            self.reserved.lock().expect("purse").push(self.end.asked());
            let (settled, dropped) = (Arc::clone(&self.settled), Some(Arc::clone(&self.dropped)));
            let given_back = Arc::clone(&self.given_back);
            Ok(Box::new(Held { settled, given_back, dropped }) as Box<dyn Hold>)
        })
    }
}

impl Hold for Held {
    fn settle(mut self: Box<Self>, spent: Spent) {
        self.dropped = None;
        self.settled.lock().expect("purse").push(spent);
    }

    fn give_back(mut self: Box<Self>) {
        self.dropped = None;
        self.given_back.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(dropped) = &self.dropped {
            dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A provider, its other end, and everything that anybody could have seen.
struct Trial<'a> {
    provider: &'a dyn Provider,
    end: &'a dyn StandIn,
    request: ModelRequest,
    key: Secret,
    other: Secret,
    log: Mutex<Vec<String>>,
}

impl Trial<'_> {
    async fn ask(&self, gate: &Gate, purse: &Counted<'_>, deadline: Duration) -> Result<Answer, AskError> {
        let (about, known) = (About::default(), [&self.other]);
        let keep = |exchanged: Exchanged| self.see(&exchanged);
        let log = Some(&keep as &Log<'_>);
        let (key, purse) = (Some(&self.key), Some(purse as &dyn Purse));
        let client = self.end.client();
        let terms = Terms { key, known: &known, log, purse, client, ..Terms::new(&about, deadline) };
        let result = ask(gate, self.provider, &self.request, terms, &mut |text| self.see(&text)).await;
        self.see(&result);
        if let Err(error) = &result {
            self.see(&error.to_string());
        }
        result
    }

    fn see(&self, what: &dyn Debug) {
        self.log.lock().expect("log").push(format!("{what:?}"));
    }
}

/// Comes back when `is_so`.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

/// Checks that `provider`, which `gate` lets through to `end`, keeps what every provider keeps.
pub async fn check(provider: &dyn Provider, end: &dyn StandIn, gate: &Gate, ledger: &MemoryLedger) {
    let request = ModelRequest {
        system: "You answer.".to_owned(),
        user: format!("Say hello, and keep {OTHER} and {KEY} to yourself."),
        max_tokens: 100,
        schema: None,
        schema_name: "contract".to_owned(),
        sample: 0,
    };
    let secret = |text: &str| Secret::new(text.to_owned());
    let trial = Trial { provider, end, request, key: secret(KEY), other: secret(OTHER), log: Mutex::default() };
    let info = provider.info().clone();
    assert!(!info.name.is_empty() && !info.place.is_empty(), "{info:?}");
    end.does(Does::Answer);

    let sketch = sketched(&trial, ledger);
    answers(&trial, gate, ledger, &sketch).await;
    needs_no_tools(&trial, gate).await;
    fails_in_words(&trial, gate).await;
    ends_in_time(&trial, gate).await;
    ends_when_dropped(&trial, gate).await;
    asks_nobody_without_leave(&trial).await;
    asks_nobody_without_money(&trial, gate).await;
    looks_for_free(&trial, gate).await;
    stops_and_goes_on(&trial, gate).await;

    assert_eq!(*provider.info(), info, "what it is never changes");
    let seen = trial.log.into_inner().expect("log").join("\n") + &ledger.text();
    assert!(!seen.contains(KEY) && !seen.contains(OTHER), "a key was seen: {seen}");
}

/// A sketch hands out nothing.
fn sketched(trial: &Trial<'_>, ledger: &MemoryLedger) -> Vec<u8> {
    let (about, known, asked) = (About::default(), [&trial.other], trial.end.asked());
    let (key, client) = (Some(&trial.key), trial.end.client());
    let terms = Terms { key, known: &known, client, ..Terms::new(&about, LONG) };
    let before = ledger.text();
    let sketch = trial.provider.sketch(&trial.request, &terms).expect("a sketch");
    trial.see(&sketch);
    trial.see(&String::from_utf8_lossy(&sketch.bytes));
    assert!(String::from_utf8_lossy(&sketch.bytes).contains("Say hello"), "{sketch:?}");
    assert_eq!((trial.end.asked(), ledger.text()), (asked, before));
    sketch.bytes
}

/// It answers with what was sketched, after the ledger and the purse were told.
async fn answers(trial: &Trial<'_>, gate: &Gate, ledger: &MemoryLedger, sketch: &[u8]) {
    let (asked, before) = (trial.end.asked(), ledger.text().len());
    let purse = Counted::new(trial.end, true);
    let answer = trial.ask(gate, &purse, LONG).await.expect("an answer");
    let Answer::Text { text, .. } = answer else { panic!("it declined: {answer:?}") };
    assert!(!text.trim().is_empty());
    assert_eq!(trial.end.asked(), asked + 1);
    assert!(ledger.text().len() > before, "it is in the ledger");
    if let Some(heard) = trial.end.heard() {
        assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(sketch), "it sends what it shows");
    }
    assert_eq!(*purse.reserved.lock().expect("purse"), [asked], "money is set aside before");
    assert_eq!(purse.counts(), (1, 1, 0));
    assert_eq!(purse.settled.lock().expect("purse")[0].outcome, "answered");
}

/// A model that wants no tools answers as it does without, and the host hears nothing.
async fn needs_no_tools(trial: &Trial<'_>, gate: &Gate) {
    let (about, known, host) = (About::default(), [&trial.other], Arc::new(Noted::default()));
    let (key, client) = (Some(&trial.key), trial.end.client());
    let terms = Terms { key, known: &known, client, ..Terms::new(&about, LONG) };
    let answer = ask_with_tools(gate, trial.provider, &trial.request, terms, &host.tools(9)).await;
    assert!(matches!(answer, Ok(Answer::Text { .. })), "{answer:?}");
    assert_eq!(host.count(), 0);
}

/// Whatever the other end does wrong is an error of a kind, and is paid for or stays set aside.
async fn fails_in_words(trial: &Trial<'_>, gate: &Gate) {
    for does in [Does::Die, Does::Lie] {
        trial.end.does(does);
        let purse = Counted::new(trial.end, true);
        let error = trial.ask(gate, &purse, LONG).await.expect_err("no answer");
        assert!(!error.kind().is_empty() && error.kind() != "denied", "{does:?}: {error}");
        let (reserved, settled, dropped) = purse.counts();
        assert!(reserved > 0 && reserved == settled + dropped, "{does:?}: {:?}", purse.counts());
        until(|| trial.end.busy() == 0).await;
    }
}

/// A deadline ends what goes on at the other end too.
async fn ends_in_time(trial: &Trial<'_>, gate: &Gate) {
    trial.end.does(Does::Hang);
    let purse = Counted::new(trial.end, true);
    let error = trial.ask(gate, &purse, SHORT).await.expect_err("no answer");
    assert_eq!(error.kind(), "timeout", "{error}");
    until(|| trial.end.busy() == 0).await;
    let (reserved, settled, dropped) = purse.counts();
    assert_eq!(reserved, settled + dropped);
}

/// So does whoever does not wait any longer.
async fn ends_when_dropped(trial: &Trial<'_>, gate: &Gate) {
    trial.end.does(Does::Hang);
    let (asked, purse) = (trial.end.asked(), Counted::new(trial.end, true));
    let asking = trial.ask(gate, &purse, LONG);
    tokio::select! {
        result = asking => panic!("nobody answers: {result:?}"),
        () = until(|| trial.end.asked() > asked && trial.end.busy() > 0) => {}
    }
    until(|| trial.end.busy() == 0).await;
    let (reserved, settled, dropped) = purse.counts();
    assert_eq!(reserved, settled + dropped);
}

/// Without the policy's leave nothing is handed out.
async fn asks_nobody_without_leave(trial: &Trial<'_>) {
    trial.end.does(Does::Answer);
    let closed = trial.end.closed();
    let (asked, purse) = (trial.end.asked(), Counted::new(trial.end, true));
    let error = trial.ask(&closed, &purse, LONG).await.expect_err("it is not allowed");
    assert_eq!((error.kind(), trial.end.asked()), ("denied", asked), "{error}");
    let (reserved, settled, dropped) = purse.counts();
    let given_back = purse.given_back.load(Ordering::SeqCst);
    assert_eq!((given_back, settled, dropped), (reserved, 0, 0), "what is not sent is no call");
}

/// Nor without money.
async fn asks_nobody_without_money(trial: &Trial<'_>, gate: &Gate) {
    let (asked, purse) = (trial.end.asked(), Counted::new(trial.end, false));
    let error = trial.ask(gate, &purse, LONG).await.expect_err("the purse is empty");
    assert_eq!((error.kind(), trial.end.asked()), ("over_budget", asked), "{error}");
}

/// Looking at it asks no question and spends nothing.
async fn looks_for_free(trial: &Trial<'_>, gate: &Gate) {
    let (asked, purse, about) = (trial.end.asked(), Counted::new(trial.end, true), About::default());
    let (key, client) = (Some(&trial.key), trial.end.client());
    let terms = Terms { key, purse: Some(&purse as &dyn Purse), client, ..Terms::new(&about, LONG) };
    let checked = trial.provider.check(&reach(gate, terms)).await.expect("it is there");
    trial.see(&checked);
    assert!(!checked.found.is_empty());
    assert_eq!((trial.end.asked(), purse.counts()), (asked, (0, 0, 0)));
}

/// Stopped, it has no children, and can be asked again. Started, it asks nothing, spends nothing, and what takes time is
/// done.
async fn stops_and_goes_on(trial: &Trial<'_>, gate: &Gate) {
    let stopped = async || {
        trial.provider.stop().await;
        assert_eq!((trial.end.children(), trial.provider.is_loaded().unwrap_or(false)), (0, false));
    };
    stopped().await;
    trial.ask(gate, &Counted::new(trial.end, true), LONG).await.expect("an answer after it was stopped");
    stopped().await;
    let (asked, purse, about) = (trial.end.asked(), Counted::new(trial.end, true), About::default());
    let (key, client) = (Some(&trial.key), trial.end.client());
    let terms = Terms { key, purse: Some(&purse as &dyn Purse), client, ..Terms::new(&about, LONG) };
    for _ in 0..2 {
        trial.provider.start(&reach(gate, terms)).await.expect("it starts");
        assert_ne!(trial.provider.is_loaded(), Some(false));
    }
    assert_eq!((trial.end.asked(), purse.counts()), (asked, (0, 0, 0)));
    trial.ask(gate, &purse, LONG).await.expect("an answer after it was started");
    stopped().await;
}

/// An HTTP API on this machine.
struct Server {
    does: Arc<Mutex<Does>>,
    asked: Arc<AtomicUsize>,
    busy: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl StandIn for Server {
    fn does(&self, what: Does) {
        *self.does.lock().expect("what to do") = what;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn busy(&self) -> usize {
        self.busy.load(Ordering::SeqCst)
    }

    fn children(&self) -> usize {
        0
    }

    fn heard(&self) -> Option<Vec<u8>> {
        Some(self.heard.lock().expect("what was heard").clone())
    }
}

fn serve() -> (String, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}/v1", listener.local_addr().expect("address"));
    let does = Arc::new(Mutex::new(Does::Answer));
    let server = Server { does, asked: Arc::default(), busy: Arc::default(), heard: Arc::default() };
    let ends = Arc::new(Server {
        does: Arc::clone(&server.does),
        asked: Arc::clone(&server.asked),
        busy: Arc::clone(&server.busy),
        heard: Arc::clone(&server.heard),
    });
    // The threads end with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let ends = Arc::clone(&ends);
            std::thread::spawn(move || ends.connection(stream));
        }
    });
    (address, server)
}

impl Server {
    /// One connection; the other side may be gone at any point.
    fn connection(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        if head.starts_with("GET ") {
            let page = match head.split(' ').nth(1) {
                Some("/props") => r#"{"model_path":"/m.gguf"}"#,
                Some("/v1/models") => r#"{"object":"list","data":[]}"#,
                _ => "{}",
            };
            return stream.write_all(whole(page).as_bytes());
        }
        *self.heard.lock().expect("what was heard") = body;
        self.busy.fetch_add(1, Ordering::SeqCst);
        self.asked.fetch_add(1, Ordering::SeqCst);
        let does = *self.does.lock().expect("what to do");
        let answer = r#"{"model":"m","choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}"#;
        let done = match does {
            Does::Answer => stream.write_all(whole(answer).as_bytes()),
            Does::Hang => reader.read_to_end(&mut Vec::new()).map(drop),
            Does::Die => Ok(()),
            Does::Lie => stream.write_all(whole(r#"{"hello":"there"}"#).as_bytes()),
        };
        self.busy.fetch_sub(1, Ordering::SeqCst);
        done
    }
}

fn whole(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn an_api_keeps_the_contract() {
    let (address, server) = serve();
    let (gate, ledger) = gate(Mode::Default);
    let api = Api::new(&ModelSetting::new("Stand-in", &address, "m"));
    check(&api, &server, &gate, &ledger).await;
}
