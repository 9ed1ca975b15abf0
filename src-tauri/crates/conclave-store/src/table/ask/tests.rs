//! A person's word: given once, for one request, for a minute.

use std::sync::Barrier;
use std::thread;

use conclave_policy::{Action, Actor};

use super::*;
use crate::migrations::STEPS;
use crate::tests::{NOW, again, fresh};

const LATE: i64 = NOW + 120_000;

fn request(resource: &str) -> ToolRequest {
    ToolRequest::new(Actor::Agent("claude-code".into()), Action::CallTool, resource).with("project", "/srv/shop")
}

fn question(resource: &str) -> NewAsk {
    NewAsk {
        at_ms: NOW,
        expires_at_ms: LATE,
        request: request(resource),
        rule: "look".into(),
        layer: Some(Layer::User),
        reason: "it leaves the project".into(),
        guidance: Some("is the folder ours?".into()),
    }
}

/// A store with one question about `Bash`, and the digest of its request.
fn asked() -> (tempfile::TempDir, Store, AskId, String) {
    let (folder, store) = fresh();
    let id = store.put_ask(&question("Bash")).unwrap();
    (folder, store, id, request("Bash").digest())
}

fn allowed(answered_at_ms: i64) -> Taken {
    Taken::Allowed { justification: "ours".into(), answered_at_ms }
}

#[test]
fn a_question_waits_is_answered_and_is_kept_with_the_reason() {
    let (_folder, store, id, digest) = asked();
    let other = store.put_ask(&NewAsk { layer: None, guidance: None, ..question("Write") }).unwrap();
    let waiting = store.waiting_asks(NOW).unwrap();
    assert_eq!(waiting.iter().map(|ask| ask.id).collect::<Vec<_>>(), [id, other]);
    assert_eq!((&waiting[0].ask, &waiting[0].digest), (&question("Bash"), &digest));
    assert_eq!(store.take_answer(id, &digest, NOW).unwrap(), Taken::Waiting);

    let words = "ours;\n\u{201c}yes\u{201d} \u{1f980}";
    let Answered::Done(done) = store.answer_ask(id, Answer::Allow, words, NOW + 5).unwrap() else { panic!() };
    assert_eq!(
        (done.state, done.answered_at_ms, done.justification.as_str()),
        (AskState::Allowed, Some(NOW + 5), words)
    );
    let taken = store.take_answer(id, &digest, NOW + 6).unwrap();
    assert_eq!(taken, Taken::Allowed { justification: words.into(), answered_at_ms: NOW + 5 });
    assert_eq!(store.waiting_asks(NOW).unwrap().len(), 1);
    let history = store.asks(10).unwrap();
    assert_eq!(history.iter().map(|ask| ask.id).collect::<Vec<_>>(), [other, id]);
    assert_eq!(history[1], Ask { used_at_ms: Some(NOW + 6), ..done });
    assert_eq!(store.asks(1).unwrap().len(), 1);
}

#[test]
fn an_allow_is_given_out_once_also_after_a_restart() {
    let (folder, store, id, digest) = asked();
    store.answer_ask(id, Answer::Allow, "ours", NOW).unwrap();
    assert_eq!(store.take_answer(id, &digest, NOW).unwrap(), allowed(NOW));
    assert_eq!(store.take_answer(id, &digest, NOW).unwrap(), Taken::Refused(Refusal::Used));
    drop(store);
    let store = again(&folder);
    assert_eq!(store.take_answer(id, &digest, NOW).unwrap(), Taken::Refused(Refusal::Used));
    let next = store.put_ask(&question("Bash")).unwrap();
    assert!(next > id);
    assert_eq!(store.take_answer(next, &digest, NOW).unwrap(), Taken::Waiting, "the old answer is not for it");
}

#[test]
fn an_answer_is_for_its_own_request_and_another_does_not_use_it_up() {
    let (_folder, store, id, digest) = asked();
    let write = store.put_ask(&question("Write")).unwrap();
    let elsewhere = request("Bash").with("project", "/srv/other").digest();
    for answered in [false, true] {
        if answered {
            store.answer_ask(id, Answer::Allow, "ours", NOW).unwrap();
        }
        for (id, digest) in [(id, &request("Write").digest()), (id, &elsewhere), (write, &digest)] {
            assert_eq!(store.take_answer(id, digest, NOW).unwrap(), Taken::Refused(Refusal::OtherRequest));
        }
    }
    assert_eq!(store.take_answer(id, &digest, NOW).unwrap(), allowed(NOW));
}

#[test]
fn an_allow_is_good_for_a_minute_and_never_again_after_it() {
    for (took, expected) in [
        (0, allowed(NOW)),
        (60_000, allowed(NOW)),
        (60_001, Taken::Refused(Refusal::Stale)),
        (-1, Taken::Refused(Refusal::Stale)),
        (i64::MIN / 2, Taken::Refused(Refusal::Stale)),
    ] {
        let (_folder, store, id, digest) = asked();
        store.answer_ask(id, Answer::Allow, "ours", NOW).unwrap();
        assert_eq!(store.take_answer(id, &digest, NOW + took).unwrap(), expected, "{took}");
        if expected == Taken::Refused(Refusal::Stale) {
            let again = store.take_answer(id, &digest, NOW).unwrap();
            assert_eq!(again, expected, "whatever the clock says later");
            assert_eq!(store.asks(1).unwrap()[0].justification, "ours");
        }
    }
}

#[test]
fn a_deny_stays_a_deny() {
    let (_folder, store, id, digest) = asked();
    store.answer_ask(id, Answer::Deny, "not ours", NOW).unwrap();
    for now in [NOW, NOW + 10 * 60_000] {
        let denied = Taken::Denied { justification: "not ours".into(), answered_at_ms: NOW };
        assert_eq!(store.take_answer(id, &digest, now).unwrap(), denied);
    }
}

#[test]
fn a_question_is_answered_once_and_in_time() {
    let (_folder, store, id, digest) = asked();
    let late = store.put_ask(&question("late")).unwrap();
    let marked = store.put_ask(&NewAsk { expires_at_ms: NOW + 1, ..question("marked") }).unwrap();
    assert_eq!(store.waiting_asks(NOW + 1).unwrap().len(), 2);
    let withdrawn = store.put_ask(&question("withdrawn")).unwrap();
    store.withdraw_ask(withdrawn).unwrap();
    store.answer_ask(id, Answer::Deny, "first", NOW).unwrap();
    store.withdraw_ask(id).unwrap();
    for (id, now, state) in [
        (id, NOW, AskState::Denied),
        (late, LATE, AskState::Expired),
        (late, NOW, AskState::Expired),
        (marked, NOW, AskState::Expired),
        (withdrawn, NOW, AskState::Withdrawn),
    ] {
        match store.answer_ask(id, Answer::Allow, "second", now).unwrap() {
            Answered::TooLate(ask) => assert_eq!((ask.id, ask.state), (id, state)),
            Answered::Done(ask) => panic!("{ask:?}"),
        }
    }
    let denied = Taken::Denied { justification: "first".into(), answered_at_ms: NOW };
    assert_eq!(store.take_answer(id, &digest, NOW).unwrap(), denied);
    assert!(store.waiting_asks(NOW).unwrap().is_empty());
    let digest = request("withdrawn").digest();
    assert_eq!(store.take_answer(withdrawn, &digest, LATE).unwrap(), Taken::Expired);
    assert_eq!(store.asks(1).unwrap()[0].state, AskState::Withdrawn, "it stays what it was");
}

#[test]
fn without_an_answer_the_time_runs_out_for_good() {
    let (_folder, store, id, digest) = asked();
    assert_eq!(store.take_answer(id, &digest, LATE - 1).unwrap(), Taken::Waiting);
    assert_eq!(store.take_answer(id, &digest, LATE).unwrap(), Taken::Expired);
    assert_eq!(store.take_answer(id, &digest, NOW).unwrap(), Taken::Expired);
    assert!(store.waiting_asks(NOW).unwrap().is_empty());
}

#[test]
fn a_question_that_was_never_put_has_no_answer() {
    let (_folder, store, id, digest) = asked();
    let none = AskId(id.0 + 1);
    for error in [
        store.take_answer(none, &digest, NOW).unwrap_err(),
        store.answer_ask(none, Answer::Allow, "", NOW).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Missing { what: "question", .. }), "{error}");
    }
}

#[test]
fn of_many_takers_on_many_connections_one_gets_the_allow() {
    let (folder, store, first, digest) = asked();
    let ids: Vec<_> = (0..20).map(|_| store.put_ask(&question("Bash")).unwrap()).chain([first]).collect();
    for id in &ids {
        store.answer_ask(*id, Answer::Allow, "ours", NOW).unwrap();
    }
    let stores: Vec<Store> = (0..4).map(|n| if n % 2 == 0 { store.clone() } else { again(&folder) }).collect();
    let start = Barrier::new(stores.len());
    let take_all = |store: &Store| {
        start.wait();
        ids.iter().map(|id| store.take_answer(*id, &digest, NOW).unwrap()).collect::<Vec<_>>()
    };
    let taken: Vec<Vec<Taken>> = thread::scope(|scope| {
        let takers: Vec<_> = stores.iter().map(|store| scope.spawn(|| take_all(store))).collect();
        takers.into_iter().map(|taker| taker.join().unwrap()).collect()
    });
    for n in 0..ids.len() {
        let of_one: Vec<_> = taken.iter().map(|taken| &taken[n]).collect();
        assert_eq!(of_one.iter().filter(|taken| ***taken == allowed(NOW)).count(), 1, "{of_one:?}");
        assert_eq!(of_one.iter().filter(|taken| ***taken == Taken::Refused(Refusal::Used)).count(), 3, "{of_one:?}");
    }
}

#[test]
fn of_two_answers_at_once_one_stands() {
    let (folder, store, id, digest) = asked();
    let other = again(&folder);
    let start = Barrier::new(2);
    let answer = |store: &Store, answer: Answer, words: &str| {
        start.wait();
        store.answer_ask(id, answer, words, NOW).unwrap()
    };
    let (allow, deny) = thread::scope(|scope| {
        let deny = scope.spawn(|| answer(&other, Answer::Deny, "no"));
        (answer(&store, Answer::Allow, "ours"), deny.join().unwrap())
    });
    let taken = store.take_answer(id, &digest, NOW).unwrap();
    match (allow, deny) {
        (Answered::Done(_), Answered::TooLate(_)) => assert_eq!(taken, allowed(NOW)),
        (Answered::TooLate(_), Answered::Done(_)) => {
            assert_eq!(taken, Taken::Denied { justification: "no".into(), answered_at_ms: NOW });
        }
        both => panic!("{both:?}"),
    }
}

#[test]
fn an_answer_of_somebody_else_shows_as_a_change() {
    let (folder, store, id, _) = asked();
    let other = again(&folder);
    let mut changes = store.changes().unwrap();
    assert!(!changes.any().unwrap());
    other.waiting_asks(NOW).unwrap();
    assert!(!changes.any().unwrap(), "looking changes nothing");
    other.answer_ask(id, Answer::Allow, "ours", NOW).unwrap();
    assert!(changes.any().unwrap());
    assert!(!changes.any().unwrap());
    store.put_ask(&question("Write")).unwrap();
    assert!(changes.any().unwrap(), "what this process writes counts too");
}

#[test]
fn questions_of_an_older_file_are_kept_and_can_be_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = crate::tests::database(&folder);
    let older = STEPS.iter().position(|step| *step == WITHDRAWN).unwrap();
    let store = Store::open_with(&path, NOW, &STEPS[..older], 1).unwrap().store;
    let ids = ["Bash", "Write"].map(|tool| store.put_ask(&question(tool)).unwrap());
    store.answer_ask(ids[0], Answer::Deny, "not ours", NOW).unwrap();
    let before = store.asks(9).unwrap();
    store.withdraw_ask(ids[1]).unwrap_err();
    drop(store);

    let store = again(&folder);
    assert_eq!(store.asks(9).unwrap(), before);
    store.withdraw_ask(ids[1]).unwrap();
    assert_eq!(store.asks(1).unwrap()[0].state, AskState::Withdrawn);
    assert!(store.put_ask(&question("Bash")).unwrap() > ids[1], "no number comes twice");
}
