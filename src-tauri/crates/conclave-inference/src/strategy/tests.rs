//! Whom the strategy asks and what it makes of it, for every way in which a provider can fail.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use conclave_effects::{Denied, ModelClass};
use conclave_policy::{Action, Actor, ToolRequest};
use tokio::time::sleep;

use super::*;
use crate::answer::Form;
use crate::breaker::{BreakerState, FAILURES, REST};
use crate::health::{State, Trial};
use crate::metrics::DECLINED;
use crate::provider::{Call, Capabilities, Info, Kind, Sketch};
use crate::request::Terms;

const SECOND: Duration = Duration::from_secs(1);

/// What a provider does when it is asked.
#[derive(Clone, Copy)]
enum Does {
    Say(&'static str),
    Decline,
    Fail(fn() -> AskError),
    /// It answers after this.
    Late(Duration),
    /// Its connection ends after this.
    FailLate(Duration),
    /// It never answers.
    Hang,
    /// Its breaker is open.
    Rest,
}

/// A provider by name alone, which counts how often it was stopped: what it does, the [`Script`] says.
struct Named(Info, Arc<AtomicUsize>);

impl Provider for Named {
    fn info(&self) -> &Info {
        &self.0
    }

    fn known_class(&self) -> ModelClass {
        ModelClass::Local
    }

    fn ask<'a>(&'a self, _call: Call<'a>) -> Asking<'a, Answer> {
        Box::pin(async { Err(AskError::NotOffered("the script speaks for it".to_owned())) })
    }

    fn sketch(&self, _request: &ModelRequest, _terms: &Terms<'_>) -> Result<Sketch, AskError> {
        Err(AskError::NotOffered("the script speaks for it".to_owned()))
    }

    fn check<'a>(&'a self, _reach: &'a crate::provider::Reach<'a>) -> Asking<'a, Checked> {
        Box::pin(async { Err(AskError::NotOffered("the script speaks for it".to_owned())) })
    }

    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.1.fetch_add(1, Ordering::SeqCst);
        })
    }
}

/// Says what each provider does, and counts how often each was asked and how many at a time.
#[derive(Default)]
struct Script {
    does: Mutex<BTreeMap<String, Does>>,
    asked: Mutex<Vec<String>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Script {
    fn set(&self, name: &str, does: Does) {
        self.does.lock().unwrap().insert(name.to_owned(), does);
    }

    fn asked(&self) -> String {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).join("")
    }

    async fn act(&self, name: &str) -> Result<Answer, AskError> {
        let does = self.does.lock().unwrap()[name];
        match does {
            Does::Say(text) => Ok(says(text)),
            Does::Decline => Ok(Answer::Refusal { reason: String::new(), usage: None, model: "m".to_owned() }),
            Does::Fail(error) => Err(error()),
            Does::Late(after) => {
                sleep(after).await;
                Ok(says("late"))
            }
            Does::FailLate(after) => {
                sleep(after).await;
                Err(AskError::Cut)
            }
            Does::Hang | Does::Rest => std::future::pending().await,
        }
    }
}

impl Carrier for Script {
    fn ask<'a>(&'a self, provider: &'a dyn Provider, _: &'a ModelRequest, _: Instant) -> Asking<'a, Answer> {
        Box::pin(async move {
            let name = &provider.info().name;
            self.asked.lock().unwrap().push(name.clone());
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let result = self.act(name).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            result
        })
    }

    fn check<'a>(&'a self, provider: &'a dyn Provider, _: Instant) -> Asking<'a, Checked> {
        Box::pin(async move {
            let found = Checked { found: "it answers".to_owned(), ..Checked::default() };
            self.act(&provider.info().name).await.map(|_| found)
        })
    }

    fn start<'a>(&'a self, provider: &'a dyn Provider, _: Instant) -> Asking<'a, ()> {
        Box::pin(async move { self.act(&provider.info().name).await.map(drop) })
    }
}

fn says(text: &str) -> Answer {
    Answer::Text { text: text.to_owned(), form: Form::Free, usage: None, model: "m".to_owned() }
}

fn member(name: &str, trial: bool) -> Member {
    counted(name, trial, &Arc::default())
}

/// A member that counts how often it was stopped.
fn counted(name: &str, trial: bool, stops: &Arc<AtomicUsize>) -> Member {
    let info = Info {
        name: name.to_owned(),
        kind: Kind::Api,
        model: "m".to_owned(),
        place: "here".to_owned(),
        host: None,
        may_send_code: false,
        can: Capabilities::default(),
        price: None,
    };
    Member { provider: Arc::new(Named(info, Arc::clone(stops))), trial, at_once: None }
}

fn strategy(names: &[&str]) -> Strategy {
    Strategy::new(names.iter().map(|name| member(name, false)).collect(), &Settings::default(), None)
}

fn script(does: &[(&str, Does)]) -> Arc<Script> {
    let script = Script::default();
    for (name, does) in does {
        script.set(name, *does);
    }
    Arc::new(script)
}

fn question(script: &Arc<Script>) -> Question {
    let request = ModelRequest {
        system: "s".to_owned(),
        user: "u".to_owned(),
        max_tokens: 9,
        schema: None,
        schema_name: "x".to_owned(),
        sample: 0,
    };
    Question {
        request: Arc::new(request),
        carrier: Arc::clone(script) as Arc<dyn Carrier>,
        priority: Priority::Medium,
        deadline: 10 * SECOND,
        scope: None,
        agrees: None,
        cancel: CancellationToken::new(),
    }
}

/// Opens the breaker of `name` as failures do.
async fn open_breaker(strategy: &Strategy, name: &str) {
    let broken = question(&script(&[(name, Does::Fail(|| AskError::Cut))]));
    for _ in 0..FAILURES {
        strategy.one(name, &broken).await.unwrap_err();
    }
}

fn denied() -> AskError {
    let request = Box::new(ToolRequest::new(Actor::Engine, Action::SendHttp, "x"));
    AskError::Denied(Denied { rule: "r".to_owned(), reason: "no".to_owned(), layer: None, request })
}

fn words() -> String {
    "w".to_owned()
}

/// Every way to give no answer, by the kind that a try of it has.
const FAILURES_BY_KIND: [(&str, Does); 30] = [
    ("denied", Does::Fail(denied)),
    ("bad_address", Does::Fail(|| AskError::BadAddress { endpoint: words(), why: words() })),
    ("unreachable", Does::Fail(|| AskError::Unreachable { address: words() })),
    ("certificate", Does::Fail(|| AskError::Certificate { address: words() })),
    ("no_key", Does::Fail(|| AskError::NoKey(words()))),
    ("not_sent", Does::Fail(|| AskError::NotSent(words()))),
    ("unauthorised", Does::Fail(|| AskError::Unauthorised)),
    ("no_money", Does::Fail(|| AskError::NoMoney)),
    ("not_found", Does::Fail(|| AskError::NotFound { model: words(), nearest: None })),
    ("rate_limited", Does::Fail(|| AskError::RateLimited { retry_after: None })),
    ("server", Does::Fail(|| AskError::Server { status: 500, message: words(), retry_after: None })),
    ("rejected", Does::Fail(|| AskError::Rejected { status: 400, message: words() })),
    ("redirected", Does::Fail(|| AskError::Redirected)),
    ("timeout", Does::Fail(|| AskError::Timeout(Waiting::FirstByte))),
    ("too_long", Does::Fail(|| AskError::TooLong)),
    ("too_large", Does::Fail(|| AskError::TooLarge { max_bytes: 9 })),
    ("truncated", Does::Fail(|| AskError::Truncated)),
    ("cut", Does::Fail(|| AskError::Cut)),
    ("empty", Does::Fail(|| AskError::Empty)),
    ("malformed", Does::Fail(|| AskError::malformed("w"))),
    ("overloaded", Does::Fail(|| AskError::Overloaded { retry_after: None })),
    ("wrong_form", Does::Fail(|| AskError::WrongForm { why: words() })),
    ("over_budget", Does::Fail(|| AskError::OverBudget(words()))),
    ("not_installed", Does::Fail(|| AskError::NotInstalled(words()))),
    ("ended", Does::Fail(|| AskError::Ended { program: words(), how: words(), message: words() })),
    ("not_offered", Does::Fail(|| AskError::NotOffered(words()))),
    ("timeout", Does::Fail(|| AskError::Timeout(Waiting::Leave))),
    ("timeout", Does::Fail(|| AskError::Timeout(Waiting::NextByte))),
    ("resting", Does::Rest),
    ("timeout", Does::Hang),
];

async fn first_of(a: Does, b: Does, c: Does) -> (Strategy, Arc<Script>, Result<Won, StrategyError>) {
    let strategy = strategy(&["A", "B", "C"]);
    for (name, does) in [("A", a), ("B", b), ("C", c)] {
        if matches!(does, Does::Rest) {
            open_breaker(&strategy, name).await;
        }
    }
    let script = script(&[("A", a), ("B", b), ("C", c)]);
    let won = strategy.first(&["A", "B", "C"], &question(&script)).await;
    (strategy, script, won)
}

fn kinds(tries: &[Try]) -> Vec<(&str, &str)> {
    tries.iter().map(|tried| (tried.provider.as_str(), tried.error.kind())).collect()
}

#[tokio::test(start_paused = true)]
async fn whatever_stands_in_the_way_of_one_the_next_is_asked() {
    for (kind, does) in FAILURES_BY_KIND {
        let (_, script, won) = first_of(does, Does::Say("b"), Does::Say("c")).await;
        // Who never answers takes all the time there is.
        if matches!(does, Does::Hang) {
            let Err(StrategyError::Unavailable { tries }) = won else { panic!("{kind}") };
            assert_eq!(kinds(&tries), [("A", "timeout"), ("B", "timeout"), ("C", "timeout")]);
            assert_eq!(script.asked(), "A");
            continue;
        }
        let won = won.unwrap();
        assert_eq!((won.provider.as_str(), &won.answer, won.cached), ("B", &says("b"), false), "{kind}");
        assert_eq!(kinds(&won.tries), [("A", kind)]);
        assert_eq!(script.asked(), if kind == "resting" { "B" } else { "AB" }, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_answers_and_who_was_tried_is_as_the_table_says() {
    let (say, no) = (Does::Say("x"), Does::Fail(|| AskError::Cut));
    let (decline, hang, rest) = (Does::Decline, Does::Hang, Does::Rest);
    let late = Does::Late(4 * SECOND);
    // What A, B and C do; who answers; what is said of the others; seconds that it takes.
    let table = [
        ([say, say, say], Some("A"), "", 0),
        ([say, hang, rest], Some("A"), "", 0),
        ([decline, say, say], Some("A"), "", 0),
        ([late, say, say], Some("A"), "", 4),
        ([no, say, say], Some("B"), "A cut", 0),
        ([no, decline, say], Some("B"), "A cut", 0),
        ([no, late, say], Some("B"), "A cut", 4),
        ([rest, say, say], Some("B"), "A resting", 0),
        ([no, no, say], Some("C"), "A cut, B cut", 0),
        ([rest, no, say], Some("C"), "A resting, B cut", 0),
        ([rest, rest, late], Some("C"), "A resting, B resting", 4),
        ([no, no, no], None, "A cut, B cut, C cut", 0),
        ([rest, rest, rest], None, "A resting, B resting, C resting", 0),
        ([no, hang, say], None, "A cut, B timeout, C timeout", 10),
        ([no, no, hang], None, "A cut, B cut, C timeout", 10),
        ([hang, hang, hang], None, "A timeout, B timeout, C timeout", 10),
    ];
    for (at, ([a, b, c], winner, tried, seconds)) in table.into_iter().enumerate() {
        let begin = Instant::now();
        let (_, _, won) = first_of(a, b, c).await;
        let (provider, tries) = match won {
            Ok(won) => (Some(won.provider), won.tries),
            Err(StrategyError::Unavailable { tries }) => (None, tries),
            Err(error) => panic!("{error}"),
        };
        let said: Vec<String> = kinds(&tries).iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        assert_eq!((provider.as_deref(), said.join(", ").as_str()), (winner, tried), "row {at}");
        assert_eq!(begin.elapsed().as_secs(), seconds, "row {at}: one deadline holds over all of them");
    }
}

#[tokio::test(start_paused = true)]
async fn all_failed_and_none_configured_have_their_codes() {
    let (_, _, all) = first_of(Does::Hang, Does::Rest, Does::Decline).await;
    let all = all.unwrap_err();
    assert_eq!(all.code(), "AI_SERVICE_UNAVAILABLE");
    let text = all.to_string();
    assert!(text.contains("AI_SERVICE_UNAVAILABLE") && text.contains("`A`: no answer in time"), "{text}");
    let none = strategy(&["A"]).first(&[], &question(&script(&[]))).await.unwrap_err();
    assert_eq!(none.code(), "INVALID_CONFIGURATION");
    assert!(none.to_string().contains("INVALID_CONFIGURATION"), "{none}");
}

#[tokio::test(start_paused = true)]
async fn each_is_asked_once_in_the_order_given_and_a_stranger_is_named() {
    let strategy = strategy(&["A", "B"]);
    let script = script(&[("A", Does::Fail(|| AskError::Cut)), ("B", Does::Say("b"))]);
    let won = strategy.first(&["A", "Z", "A", "B"], &question(&script)).await.unwrap();
    assert_eq!((won.provider.as_str(), script.asked().as_str()), ("B", "AB"));
    assert_eq!(kinds(&won.tries), [("A", "cut"), ("Z", "not_offered")]);
    let won = strategy.first(&["B", "A"], &question(&script)).await.unwrap();
    assert_eq!((won.provider.as_str(), won.tries.len()), ("B", 0));
    assert_eq!(strategy.one("Z", &question(&script)).await.unwrap_err().kind(), "not_offered");
    assert_eq!(strategy.one("A", &question(&script)).await.unwrap_err().kind(), "cut", "nobody else is asked");
}

#[tokio::test(start_paused = true)]
async fn one_providers_breaker_leaves_the_others_alone_and_closes_again() {
    let strategy = strategy(&["A", "B"]);
    let script = script(&[("A", Does::Fail(|| AskError::Cut)), ("B", Does::Say("b"))]);
    for _ in 0..10 {
        assert_eq!(strategy.first(&["A", "B"], &question(&script)).await.unwrap().provider, "B");
    }
    assert_eq!(script.asked(), format!("{}BBBBB", "AB".repeat(5)));
    script.set("A", Does::Say("a"));
    tokio::time::advance(REST).await;
    assert_eq!(strategy.first(&["A", "B"], &question(&script)).await.unwrap().provider, "A");
}

#[tokio::test(start_paused = true)]
async fn only_what_a_provider_can_help_opens_its_breaker() {
    let opening = ["unreachable", "certificate", "rate_limited", "server", "cut", "ended", "malformed", "overloaded"];
    for (at, (kind, does)) in FAILURES_BY_KIND.into_iter().enumerate() {
        if matches!(does, Does::Rest) {
            continue;
        }
        let strategy = strategy(&["A"]);
        let asked = question(&script(&[("A", does)]));
        for _ in 0..FAILURES {
            strategy.one("A", &asked).await.unwrap_err();
        }
        let opens = opening.contains(&kind) || (kind == "timeout" && at != 26);
        assert_eq!(strategy.slots[0].breaker.state() == BreakerState::Open, opens, "{kind} ({at})");
    }
}

#[tokio::test(start_paused = true)]
async fn who_got_only_the_rest_of_the_time_is_not_to_blame() {
    let strategy = strategy(&["A", "B"]);
    // The first takes most of the time and then fails.
    let script = script(&[("A", Does::FailLate(9 * SECOND)), ("B", Does::Hang)]);
    for _ in 0..FAILURES {
        strategy.first(&["A", "B"], &question(&script)).await.unwrap_err();
    }
    assert_eq!(script.asked(), "AB".repeat(5));
    let states = [0, 1].map(|at| strategy.slots[at].breaker.state());
    assert_eq!(states, [BreakerState::Open, BreakerState::Closed]);
}

#[tokio::test(start_paused = true)]
async fn so_many_are_asked_at_a_time_and_the_rest_wait_their_turn() {
    let strategy = Arc::new(strategy(&["A"]));
    let script = script(&[("A", Does::Late(SECOND))]);
    let mut running = JoinSet::new();
    for _ in 0..25 {
        let (strategy, question) = (Arc::clone(&strategy), question(&script));
        running.spawn(async move { strategy.one("A", &question).await.is_ok() });
    }
    let begin = Instant::now();
    let answered = running.join_all().await.into_iter().filter(|answered| *answered).count();
    assert_eq!((answered, script.most.load(Ordering::SeqCst)), (25, AT_ONCE as usize));
    assert_eq!(begin.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn reviews_go_before_analysis_and_critical_before_low() {
    use Priority::{Critical, High, Low, Medium, Review};
    let one = Member { at_once: Some(1), ..member("A", false) };
    let strategy = Arc::new(Strategy::new(vec![one], &Settings::default(), None));
    let script = script(&[("A", Does::Late(SECOND))]);
    let mut running = JoinSet::new();
    for priority in [Low, Low, Medium, Critical, Review, High] {
        let (strategy, question) = (Arc::clone(&strategy), Question { priority, ..question(&script) });
        running.spawn(async move { strategy.one("A", &question).await.map(|_| priority).unwrap() });
        tokio::task::yield_now().await;
    }
    let mut order = Vec::new();
    while let Some(done) = running.join_next().await {
        order.push(done.unwrap());
    }
    assert_eq!(order, [Low, Review, Critical, High, Medium, Low], "the first found nobody there");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_turns_the_next_one_away() {
    let strategy = Arc::new(strategy(&["A"]));
    let script = script(&[("A", Does::Hang)]);
    let mut running = JoinSet::new();
    for _ in 0..AT_ONCE as usize + MOST_WAITING {
        let (strategy, question) = (Arc::clone(&strategy), question(&script));
        running.spawn(async move { strategy.one("A", &question).await.map(drop) });
    }
    // Time passes only once all of them wait.
    sleep(SECOND).await;
    let error = strategy.one("A", &question(&script)).await.unwrap_err();
    assert!(error.kind() == "not_sent" && error.to_string().contains("1000 questions wait"), "{error}");
    // Those that wait are still there, and make room when they go.
    running.abort_all();
    while running.join_next().await.is_some() {}
    script.set("A", Does::Say("a"));
    assert!(strategy.one("A", &question(&script)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_does_not_come_is_a_timeout_and_nobodys_fault() {
    let one = Member { at_once: Some(1), ..member("A", false) };
    let strategy = Strategy::new(vec![one], &Settings::default(), None);
    let script = script(&[("A", Does::Hang)]);
    let asked = question(&script);
    let (first, second) = tokio::join!(strategy.one("A", &asked), strategy.one("A", &asked));
    assert!(matches!(*first.unwrap_err(), AskError::Timeout(Waiting::End)));
    assert!(matches!(*second.unwrap_err(), AskError::Timeout(Waiting::Turn)));
    assert_eq!(strategy.slots[0].course.past().errors, 1);
}

#[tokio::test(start_paused = true)]
async fn what_answers_under_way_may_fill_in_memory_is_bounded() {
    let at_once = Some(1000);
    let strategy = Arc::new(Strategy::new(vec![Member { at_once, ..member("A", false) }], &Settings::default(), None));
    let script = script(&[("A", Does::Late(SECOND))]);
    let mut running = JoinSet::new();
    for _ in 0..200 {
        let (strategy, question) = (Arc::clone(&strategy), question(&script));
        running.spawn(async move { strategy.one("A", &question).await.is_ok() });
    }
    assert!(running.join_all().await.into_iter().all(|answered| answered));
    // 512 MiB hold 64 answers of 8 MiB, less one for their questions.
    assert_eq!(script.most.load(Ordering::SeqCst), 63);
}

#[tokio::test(start_paused = true)]
async fn an_equal_question_in_the_same_scope_is_asked_once() {
    let strategy = strategy(&["A"]);
    let script = script(&[("A", Does::Say("a"))]);
    let scoped = |scope: &str| Question { scope: Some(scope.to_owned()), ..question(&script) };
    let (one, two) = (scoped("shop"), scoped("shop"));
    let both = tokio::join!(strategy.one("A", &one), strategy.one("A", &two));
    assert_eq!((both.0.unwrap().cached, both.1.unwrap().cached), (false, true));
    assert!(strategy.first(&["A"], &scoped("shop")).await.unwrap().cached);
    assert_eq!(script.asked(), "A");
    assert!(!strategy.one("A", &scoped("other")).await.unwrap().cached);
    assert!(!strategy.one("A", &question(&script)).await.unwrap().cached);
    assert_eq!(script.asked(), "AAA");
    let counts = strategy.take_counts();
    assert_eq!((counts[0].1.calls, counts[0].1.cache_hits), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_provider() {
    let strategy = strategy(&["A", "B", "C"]);
    let script = script(&[("A", Does::Fail(|| AskError::Cut)), ("B", Does::Late(SECOND)), ("C", Does::Decline)]);
    strategy.first(&["A", "B", "C"], &question(&script)).await.unwrap();
    strategy.first(&["A", "C"], &question(&script)).await.unwrap();
    let counts: BTreeMap<String, Counts> = strategy.take_counts().into_iter().collect();
    assert_eq!((counts["A"].calls, counts["A"].failed["cut"], counts["A"].fallbacks), (2, 2, 2));
    assert_eq!((counts["B"].succeeded, counts["B"].total_ms, counts["B"].fallbacks), (1, 1000, 0));
    assert_eq!((counts["C"].succeeded, counts["C"].failed[DECLINED]), (0, 1));
    assert!(strategy.take_counts().is_empty());
    strategy.give_back_counts(&counts.clone().into_iter().collect::<Vec<_>>());
    assert_eq!(strategy.take_counts().into_iter().collect::<BTreeMap<_, _>>(), counts);
}

#[tokio::test(start_paused = true)]
async fn all_are_looked_at_at_once_and_none_hides_the_others() {
    let strategy = strategy(&["A", "B", "C", "D"]);
    open_breaker(&strategy, "D").await;
    let script = script(&[
        ("A", Does::Hang),
        ("B", Does::Late(2 * SECOND)),
        ("C", Does::Fail(|| AskError::Unauthorised)),
        ("D", Does::Say("d")),
    ]);
    let carrier: Arc<dyn Carrier> = script;
    let begin = Instant::now();
    let health = strategy.health(&carrier, 5 * SECOND, 77).await;
    assert_eq!(begin.elapsed(), 5 * SECOND);
    let seen: Vec<_> = health.iter().map(|one| (one.name.as_str(), one.state, one.error_count)).collect();
    let down = State::Down;
    assert_eq!(seen, [("A", down, 0), ("B", State::Ok, 0), ("C", down, 0), ("D", down, 5)]);
    assert!(health.iter().all(|one| one.last_check_ms == 77 && !one.message.is_empty()));
    assert!(health[0].message.contains("no answer in time"), "{}", health[0].message);
    assert_eq!((health[3].breaker, health[3].error_percent), (BreakerState::Open, Some(100)));
}

/// One provider whose answers are used and two on trial, and what they do.
fn with_trials(a: Does, t: Does, u: Does) -> (Strategy, Arc<Script>, Question) {
    let members = vec![member("T", true), member("A", false), member("U", true)];
    let script = script(&[("A", a), ("T", t), ("U", u)]);
    let same: Agrees = |one, other| Some(one == other);
    let question = Question { agrees: Some(same), scope: Some(String::new()), ..question(&script) };
    (Strategy::new(members, &Settings::default(), None), script, question)
}

fn trials(strategy: &Strategy) -> [Trial; 2] {
    [0, 2].map(|at| strategy.slots[at].trial().unwrap())
}

#[tokio::test(start_paused = true)]
async fn providers_on_trial_are_asked_beside_and_never_used() {
    let (strategy, script, question) = with_trials(Does::Late(SECOND), Does::Say("late"), Does::Say("other"));
    let won = strategy.first(&["T", "A"], &question).await.unwrap();
    assert_eq!((won.provider.as_str(), &won.answer), ("A", &says("late")));
    assert_eq!(kinds(&won.tries), [("T", "not_offered")]);
    assert_eq!(strategy.one("U", &question).await.unwrap_err().kind(), "not_offered");
    tokio::task::yield_now().await;
    let of = |agreed| Trial { asked: 1, answered: 1, compared: 1, agreed };
    assert_eq!(trials(&strategy), [of(1), of(0)]);
    let mut asked: Vec<char> = script.asked().chars().collect();
    asked.sort_unstable();
    assert_eq!(asked, ['A', 'T', 'U']);
    let counted: Vec<String> = strategy.take_counts().into_iter().map(|(name, _)| name).collect();
    assert_eq!(counted, ["T", "A", "U"]);
    // What they say is not kept, and what is kept asks nobody anew but them.
    strategy.first(&["A"], &question).await.unwrap();
    sleep(SECOND).await;
    assert_eq!(trials(&strategy).map(|trial| trial.asked), [2, 2]);
    assert_eq!(script.asked().matches('A').count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_on_trial_delays_nobody_and_has_its_own_deadline() {
    let (strategy, _, question) = with_trials(Does::Say("a"), Does::Hang, Does::Late(9 * SECOND));
    let begin = Instant::now();
    strategy.first(&["A"], &question).await.unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(trials(&strategy), [Trial::default(); 2]);
    sleep(11 * SECOND).await;
    let [hung, late] = trials(&strategy);
    assert_eq!((hung.asked, hung.answered, late.asked, late.answered, late.compared), (1, 0, 1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn trials_end_with_whoever_asked() {
    for is_dropped in [true, false] {
        let (strategy, script, question) = with_trials(Does::Late(SECOND), Does::Late(5 * SECOND), Does::Hang);
        let mut asked = Box::pin(strategy.first(&["A"], &question));
        if is_dropped {
            assert!(tokio::time::timeout(SECOND / 2, &mut asked).await.is_err());
            drop(asked);
        } else {
            asked.await.unwrap();
            question.cancel.cancel();
        }
        sleep(20 * SECOND).await;
        assert_eq!(trials(&strategy), [Trial::default(); 2], "{is_dropped}");
        assert_eq!(script.asked().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_the_same_keeps_its_past_and_what_is_gone_ends_when_its_calls_have() {
    let [stays_on, goes] = [Arc::<AtomicUsize>::default(), Arc::default()];
    let members = vec![counted("A", false, &stays_on), counted("B", false, &goes)];
    let before = Strategy::new(members, &Settings::default(), None);
    open_breaker(&before, "A").await;
    let stays = Member { provider: Arc::clone(before.slots[0].provider()), trial: false, at_once: None };
    let after = Strategy::new(vec![stays, member("B", false)], &Settings::default(), Some(&before));
    assert_eq!(after.slots[0].breaker.state(), BreakerState::Open);
    assert!(!Arc::ptr_eq(&before.slots[1], &after.slots[1]));

    let script = script(&[("B", Does::Late(SECOND))]);
    let asked = question(&script);
    let (answer, ()) = tokio::join!(before.one("B", &asked), before.retire(&after));
    assert_eq!(answer.unwrap().answer, says("late"));
    assert_eq!((stays_on.load(Ordering::SeqCst), goes.load(Ordering::SeqCst)), (0, 1));
    assert_eq!(before.one("B", &asked).await.unwrap_err().kind(), "not_offered");
    assert!(after.one("B", &asked).await.is_ok());
    assert_eq!(after.one("A", &asked).await.unwrap_err().kind(), "resting", "it was not closed");
}
