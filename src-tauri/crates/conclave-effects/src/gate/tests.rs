//! The gate's promises, and the gates that other tests of this crate use.

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use conclave_policy::{
    Action, Actor, Appended, Effective, EntryKind, Layer, Ledger, LedgerError, Mode, NewEntry, Policy, Question,
    Review, Reviewed, Reviewer,
};

use super::{Denied, Gate, Policies};
use crate::{Clock, Effect, Permit, ReadProject, WriteFile};

/// A ledger in memory.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<NewEntry>>);

impl Kept {
    pub(crate) fn entries(&self) -> Vec<NewEntry> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn entry(&self, seq: u64) -> NewEntry {
        self.0.lock().unwrap()[usize::try_from(seq).unwrap() - 1].clone()
    }
}

impl Ledger for Kept {
    fn append(&self, entry: &NewEntry) -> Result<u64, LedgerError> {
        let mut entries = self.0.lock().unwrap();
        entries.push(entry.clone());
        Ok(entries.len() as u64)
    }
}

/// A ledger whose disk is full.
struct Full;

impl Ledger for Full {
    fn append(&self, _: &NewEntry) -> Result<u64, LedgerError> {
        Err(LedgerError("no space left".to_owned()))
    }
}

/// A ledger that writes later, and may end before it does.
#[derive(Default)]
struct Later {
    waiting: Mutex<Vec<(NewEntry, Appended)>>,
    written: Kept,
}

impl Later {
    fn write(&self) {
        for (entry, done) in self.waiting.lock().unwrap().drain(..) {
            done(self.written.append(&entry));
        }
    }
}

impl Ledger for Later {
    fn append(&self, _: &NewEntry) -> Result<u64, LedgerError> {
        Err(LedgerError("it makes nobody wait".to_owned()))
    }

    fn append_then(&self, entry: NewEntry, done: Appended) {
        self.waiting.lock().unwrap().push((entry, done));
    }
}

/// A reviewer with one answer, or none, that counts how often it is asked.
struct Says(Option<Review>, AtomicU64);

impl Reviewer for Says {
    fn review<'a>(&'a self, _: Question<'a>) -> Pin<Box<dyn Future<Output = Review> + Send + 'a>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        match self.0.clone() {
            Some(review) => Box::pin(async { review }),
            None => Box::pin(pending()),
        }
    }
}

fn says(review: Option<Review>) -> Arc<Says> {
    Arc::new(Says(review, AtomicU64::new(0)))
}

const ALLOW: &str = "version: 1\nextends: none\nrules: [{ id: all, priority: 1, action: allow, reason: a test }]";
const SAMPLE: &str = "version: 1
extends: none
rules:
  - { id: look, priority: 1, action: sample, reason: somebody should look, conditions: { action: read_project } }
  - { id: never, priority: 1, action: deny, reason: never, conditions: { action: write_file } }";

/// A permit from a gate that allows everything.
pub(crate) async fn permit<E: Effect>(effect: E) -> Permit<E> {
    let policy = Policy::load(ALLOW, Layer::User).unwrap().policy;
    let gate = Gate::new(Policies::new(policy), Arc::new(Kept::default()), says(None), Clock::fixed(0));
    gate.authorize(Actor::Engine, effect).await.ok().unwrap()
}

/// The same, outside of asynchronous code.
pub(crate) fn permit_now<E: Effect>(effect: E) -> Permit<E> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(permit(effect))
}

/// A gate with the shipped policy, and its ledger.
pub(crate) fn shipped(mode: Mode) -> (Gate, Arc<Kept>) {
    let ledger = Arc::new(Kept::default());
    (Gate::new(Policies::new(Policy::shipped(mode)), ledger.clone(), says(None), Clock::fixed(7)), ledger)
}

/// A person's approval of [`read`] by `actor`, given just now.
fn allow(actor: &Actor) -> Review {
    let by = Reviewed::Person { justification: String::new(), at_ms: 0 };
    Review::Allow { by, digest: read().request(actor).digest() }
}

fn read() -> ReadProject {
    ReadProject { root: "/home/ada/shop".into() }
}

fn write() -> WriteFile {
    WriteFile { path: "/home/ada/notes.txt".into(), bytes: b"x".to_vec(), base: None, backup: false }
}

#[tokio::test]
async fn an_allowed_effect_is_in_the_ledger_when_its_permit_exists() {
    let (gate, ledger) = shipped(Mode::Default);
    let permit = gate.authorize(Actor::Engine, read()).await.ok().unwrap();
    assert_eq!(permit.effect(), &read());
    let entry = &ledger.entries()[usize::try_from(permit.seq()).unwrap() - 1];
    assert_eq!(entry.at_ms, 7);
    let EntryKind::Decision { request, decision } = &entry.kind else { panic!("{entry:?}") };
    assert_eq!(request, &read().request(&Actor::Engine));
    assert_eq!((decision.effect, decision.rule.as_str()), (Effective::Allow, "read-project"));
}

#[tokio::test]
async fn a_refused_effect_is_in_the_ledger_too_and_the_refusal_says_why() {
    let (gate, ledger) = shipped(Mode::Default);
    let denied: Denied = gate.authorize(Actor::Engine, write()).await.err().unwrap();
    assert_eq!(denied.request.action, Action::WriteFile);
    assert_eq!(denied.to_string(), format!("`write_file` of `/home/ada/notes.txt` is refused: {}", denied.reason));
    let entries = ledger.entries();
    let [NewEntry { kind: EntryKind::Decision { decision, .. }, .. }] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((decision.effect, &decision.rule, &decision.reason), (Effective::Deny, &denied.rule, &denied.reason));
}

#[tokio::test]
async fn without_a_durable_entry_there_is_no_permit() {
    let policy = Policy::load(ALLOW, Layer::User).unwrap().policy;
    let gate = Gate::new(Policies::new(policy), Arc::new(Full), says(None), Clock::fixed(0));
    let denied = gate.authorize(Actor::Person, read()).await.err().unwrap();
    assert_eq!(
        (denied.rule.as_str(), denied.reason.as_str()),
        ("ledger", "the ledger cannot be written: no space left")
    );
    assert_eq!(gate.record_outcome(1, "done"), Err(LedgerError("no space left".to_owned())));
}

#[tokio::test]
async fn the_permit_comes_when_the_entry_is_durable_and_not_before() {
    let policy = Policy::load(ALLOW, Layer::User).unwrap().policy;
    let ledger = Arc::new(Later::default());
    let gate = Gate::new(Policies::new(policy), ledger.clone(), says(None), Clock::fixed(0));
    let mut first = pin!(gate.authorize(Actor::Person, read()));
    let mut second = pin!(gate.authorize(Actor::Person, read()));
    for asking in [&mut first, &mut second] {
        assert!(poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_pending())).await);
    }
    assert_eq!(ledger.waiting.lock().unwrap().len(), 2, "they wait together, and keep no thread");
    ledger.write();
    assert_eq!((first.await.ok().unwrap().seq(), second.await.ok().unwrap().seq()), (1, 2));

    let mut given_up = pin!(gate.authorize(Actor::Person, read()));
    assert!(poll_fn(|context| Poll::Ready(given_up.as_mut().poll(context).is_pending())).await);
    ledger.waiting.lock().unwrap().clear();
    assert_eq!(given_up.await.err().unwrap().reason, "the ledger cannot be written: it gave no answer");
}

#[tokio::test]
async fn an_outcome_is_handed_over_and_nobody_waits_for_it() {
    let policy = Policy::load(ALLOW, Layer::User).unwrap().policy;
    let ledger = Arc::new(Later::default());
    let gate = Gate::new(Policies::new(policy), ledger.clone(), says(None), Clock::fixed(5));
    gate.note_outcome(7, "answered");
    assert_eq!(ledger.written.count(), 0);
    ledger.write();
    let kind = EntryKind::Outcome { refers_to: 7, outcome: "answered".to_owned() };
    assert_eq!(ledger.written.entry(1), NewEntry { at_ms: 5, kind });
}

#[tokio::test(start_paused = true)]
async fn a_reviewer_only_narrows_and_its_silence_is_a_refusal() {
    let refusal = || Review::Deny { reason: "looks odd".to_owned(), by: None };
    // Who asks, what the reviewer says, whether it is asked, and the reason of the refusal.
    let engine = Actor::Engine;
    let cases = [
        (engine.clone(), Some(allow(&Actor::Engine)), 1, None),
        (engine.clone(), Some(refusal()), 1, Some("looks odd")),
        (engine, None, 1, Some("the reviewer did not answer in time")),
        (Actor::Reviewer, Some(allow(&Actor::Engine)), 0, Some("a reviewer\u{2019}s own request is never sampled")),
    ];
    for (actor, review, asked, refused) in cases {
        let (reviewer, ledger) = (says(review.clone()), Arc::new(Kept::default()));
        let policy = Policy::load(SAMPLE, Layer::User).unwrap().policy;
        let gate = Gate::new(Policies::new(policy), ledger.clone(), reviewer.clone(), Clock::fixed(0));
        let answer = gate.authorize(actor.clone(), read()).await;
        assert_eq!(reviewer.1.load(Ordering::Relaxed), asked, "{actor} {review:?}");
        assert_eq!(answer.err().map(|denied| denied.reason), refused.map(str::to_owned), "{actor} {review:?}");
        let EntryKind::Decision { decision, .. } = &ledger.entries()[0].kind else { panic!("no decision") };
        let effect = if refused.is_some() { Effective::Deny } else { Effective::Allow };
        assert_eq!((decision.effect, decision.rule.as_str()), (effect, "look"), "the ledger holds what came of it");
    }
}

#[tokio::test]
async fn a_reviewer_is_not_asked_about_what_a_rule_denies_or_none_allows() {
    let reviewer = says(Some(allow(&Actor::Engine)));
    let policy = Policy::load(SAMPLE, Layer::User).unwrap().policy;
    let gate = Gate::new(Policies::new(policy), Arc::new(Kept::default()), reviewer.clone(), Clock::fixed(0));
    let denied = gate.authorize(Actor::Engine, write()).await.err().unwrap();
    let unmatched = crate::ReadFile { path: "/etc/passwd".into(), max_bytes: 1 };
    let none = gate.authorize(Actor::Engine, unmatched).await.err().unwrap();
    assert_eq!((denied.rule.as_str(), none.rule.as_str()), ("never", conclave_policy::NO_MATCH));
    assert_eq!(reviewer.1.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_outcome_refers_to_its_decision() {
    let (gate, ledger) = shipped(Mode::Default);
    let permit = gate.authorize(Actor::Engine, read()).await.ok().unwrap();
    gate.clone().record_outcome(permit.seq(), "read 3 files").unwrap();
    let kind = EntryKind::Outcome { refers_to: permit.seq(), outcome: "read 3 files".to_owned() };
    assert_eq!(ledger.entries()[1], NewEntry { at_ms: gate.clock().now_ms(), kind });
}

#[tokio::test(start_paused = true)]
async fn a_permit_opens_its_door_for_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let data = crate::DataDir::open(&root.join("data")).unwrap();
    let file = root.join("file");
    std::fs::write(&file, "text").unwrap();
    let copying = || crate::CopyToScratch { root: root.clone(), base: data.scratch_base(), max_bytes: 1 << 20 };
    let replacing = || crate::replace::WriteProject { root: root.clone(), changes: Vec::new() };
    let writing = || WriteFile { path: file.clone(), bytes: b"new".to_vec(), base: None, backup: false };
    let reading = || crate::ReadFile { path: file.clone(), max_bytes: 100 };
    let key = || crate::ReadKey { host: "api.example.com".to_owned() };
    let command = || crate::RunCommand {
        argv: vec!["true".to_owned()],
        tree: root.clone(),
        writable: false,
        env: Vec::new(),
        read_only: Vec::new(),
        within: Vec::new(),
        loopback: false,
        limits: crate::Limits::default(),
        project: None,
    };
    let project = permit(ReadProject { root: root.clone() }).await;
    let (copy, replace, write) = (permit(copying()).await, permit(replacing()).await, permit(writing()).await);
    let (read, key, run) = (permit(reading()).await, permit(key()).await, permit(command()).await);
    let watch = permit(crate::WatchProject { root: root.clone() }).await;
    let still = permit(reading()).await;
    tokio::time::advance(super::PERMIT_LASTS).await;
    assert!(crate::open_file(still).is_ok(), "in time");
    tokio::time::advance(std::time::Duration::from_millis(1)).await;
    let refusals = [
        crate::open_project(project).err().map(|error| error.to_string()),
        crate::watch(watch).err().map(|error| error.to_string()),
        crate::copy(copy).err().map(|error| error.to_string()),
        crate::open_file(read).err().map(|error| error.to_string()),
        crate::write_file(write).err().map(|error| error.to_string()),
        crate::replace::replace(replace, &data, 1).err().map(|error| error.to_string()),
        crate::run(run).await.err().map(|error| error.to_string()),
        crate::Keychain::open().read(key).await.err().map(|error| error.to_string()),
    ];
    for (number, refusal) in refusals.into_iter().enumerate() {
        assert_eq!(refusal, Some(crate::Stale::Expired.to_string()), "door {number}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
}
