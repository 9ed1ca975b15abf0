//! Several processes on one file, and processes that die.
//!
//! The processes are this test binary again, running [`a_process`] with a role in its environment.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::channel;

use conclave_core::id::{ProjectId, RunId};
use conclave_core::money::Money;
use conclave_core::tier::Effort;
use conclave_policy::{Action, Actor, Effective, Ledger, ToolRequest};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{NOW, again, database, decision, finding, fresh, fresh_with_project, scan};
use crate::{
    Answer, Caps, FindingQuery, IntentKind, NewAsk, NewIntent, NewSpend, Refusal, Reserving, ScanState, SpendOf, Store,
    Taken,
};

const PROCESSES: u32 = 8;
const OPERATIONS: u32 = 1000;

#[test]
#[ignore = "other tests run this as a process of its own"]
fn a_process() {
    let (role, path) = (env::var("ROLE").unwrap(), env::var("DATABASE").unwrap());
    let number: u32 = env::var("NUMBER").unwrap().parse().unwrap();
    let store = Store::open(path.as_ref(), NOW).unwrap().store;
    let project = ProjectId::of_root("/srv/shop");
    say("ready");
    io::stdin().read_line(&mut String::new()).unwrap();
    match role.as_str() {
        "work" => {
            for n in 0..OPERATIONS / PROCESSES {
                let at = i64::from(number * OPERATIONS + n);
                if n % 5 == 0 {
                    let found = finding(&project, &format!("p{number}.py"), n + 1);
                    let record = scan(&project, &format!("scan-{number}-{n}"), ScanState::Complete);
                    assert_eq!(store.save_scan(&record, &[found], at).unwrap().new, 1);
                }
                store.append(&decision(at, "remote", Effective::Allow)).unwrap();
            }
            say("done");
        }
        "crowd" => {
            for n in 0..OPERATIONS / PROCESSES {
                let at = i64::from(number * OPERATIONS + n);
                store.append_then(decision(at, "remote", Effective::Allow), Box::new(|result| assert!(result.is_ok())));
            }
            // What was handed over is written before the store ends.
            drop(store);
            say("done");
        }
        "spend" => {
            let caps = Caps { run: Some(Money::from_micros(CAP)), ..Caps::default() };
            let mut held = Vec::new();
            loop {
                let (done, told) = channel();
                store.reserve(call(), caps, move |result| done.send(result.unwrap()).unwrap());
                match told.recv().unwrap() {
                    Reserving::Held(reservation) => held.push(reservation),
                    other => break assert!(matches!(other, Reserving::Over(_)), "{other:?}"),
                }
            }
            say(&held.len().to_string());
            io::stdin().read_line(&mut String::new()).unwrap();
        }
        "append many" => loop {
            let (done, told) = channel();
            for _ in 0..20 {
                let done = done.clone();
                let tell = move |result: Result<u64, _>| done.send(result.unwrap()).unwrap();
                store.append_then(decision(NOW, "remote", Effective::Deny), Box::new(tell));
            }
            drop(done);
            told.iter().for_each(|seq| say(&seq.to_string()));
        },
        "append" => loop {
            say(&store.append(&decision(NOW, "remote", Effective::Deny)).unwrap().to_string());
        },
        "take" => {
            let digest = question().request.digest();
            let mut taken = Vec::new();
            for ask in store.asks(ASKS).unwrap() {
                match store.take_answer(ask.id, &digest, NOW).unwrap() {
                    Taken::Allowed { .. } => taken.push(ask.id.to_string()),
                    Taken::Refused(Refusal::Used) => {}
                    other => panic!("{other:?}"),
                }
            }
            say(&format!("took {}", taken.join(" ")));
        }
        "ask" => {
            let id = store.put_ask(&question()).unwrap();
            let mut changes = store.changes().unwrap();
            say(&id.to_string());
            loop {
                match store.take_answer(id, &question().request.digest(), NOW).unwrap() {
                    Taken::Waiting => while !changes.any().unwrap() {},
                    taken => return say(&format!("{taken:?}")),
                }
            }
        }
        "hold" => {
            let job = store.next_job(NOW).unwrap().unwrap();
            store.save_stage(&job.run, "gather", "{}").unwrap();
            let kind = IntentKind::Apply;
            let root = "/srv/shop".to_owned();
            let new = NewIntent { fixes: Vec::new(), kind, root, files: Vec::new(), permit: 1 };
            let intent = store.open_intent(&new, NOW).unwrap();
            say(&format!("{} {intent}", job.run));
            io::stdin().read_line(&mut String::new()).unwrap();
        }
        other => panic!("no role {other}"),
    }
}

/// How many questions the processes quarrel about.
const ASKS: u32 = 60;

fn question() -> NewAsk {
    NewAsk {
        at_ms: NOW,
        expires_at_ms: NOW + 120_000,
        request: ToolRequest::new(Actor::Agent("codex".into()), Action::CallTool, "shell"),
        rule: "look".into(),
        layer: None,
        reason: "it leaves the project".into(),
        guidance: None,
    }
}

/// What the processes may spend together, in millionths of a dollar: ninety-nine calls.
const CAP: u64 = 999;

fn call() -> NewSpend {
    NewSpend {
        at_ms: NOW,
        day: 0,
        project: None,
        finding: None,
        run: Some(RunId::new("f-1")),
        provider: "Local Qwen".into(),
        model: "qwen".into(),
        purpose: "propose".into(),
        most: Some(Money::from_micros(10)),
        price_date: None,
    }
}

/// Says one word to the parent, among the lines of the test harness.
fn say(word: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "\n> {word}").and_then(|()| out.flush()).unwrap();
}

struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a process and waits until it has opened the store.
    fn start(role: &str, number: u32, folder: &TempDir) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "tests::processes::a_process", "--ignored", "--nocapture", "--test-threads=1"])
            .envs([("ROLE", role), ("NUMBER", &number.to_string())])
            .env("DATABASE", database(folder))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut process = Self { child, to, from };
        assert_eq!(process.hear(), "ready");
        process
    }

    fn go(&mut self) {
        self.to.write_all(b"go\n").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        while self.from.read_line(&mut line).unwrap() > 0 {
            if let Some(word) = line.strip_prefix("> ") {
                return word.trim().to_owned();
            }
            line.clear();
        }
        panic!("the process ended")
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn eight_processes_leave_one_chain_and_lose_no_row() {
    let (folder, store, _) = fresh_with_project();
    let mut processes: Vec<Process> = (0..PROCESSES).map(|n| Process::start("work", n, &folder)).collect();
    processes.iter_mut().for_each(Process::go);
    for mut process in processes {
        assert_eq!(process.hear(), "done");
        assert!(process.child.wait().unwrap().success());
    }

    let verdict = store.verify_ledger().unwrap();
    assert_eq!((verdict.rows, verdict.fault), (u64::from(OPERATIONS), None));
    assert_eq!(store.egress_count().unwrap(), u64::from(OPERATIONS));
    assert_eq!(store.list_findings(&FindingQuery::default()).unwrap().total, OPERATIONS / 5);
    drop(store);
    let raw = Connection::open(database(&folder)).unwrap();
    let said: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
    let sql = "SELECT count(DISTINCT entry ->> '$.at_ms') FROM ledger";
    let different: u32 = raw.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(different, OPERATIONS, "every entry of every process is there once");
}

#[test]
fn eight_processes_that_write_in_groups_leave_one_chain() {
    let (folder, store) = fresh();
    let mut processes: Vec<Process> = (0..PROCESSES).map(|n| Process::start("crowd", n, &folder)).collect();
    processes.iter_mut().for_each(Process::go);
    for mut process in processes {
        assert_eq!(process.hear(), "done");
        assert!(process.child.wait().unwrap().success());
    }
    let verdict = store.verify_ledger().unwrap();
    assert_eq!((verdict.rows, verdict.fault), (u64::from(OPERATIONS), None));
    let raw = Connection::open(database(&folder)).unwrap();
    let sql = "SELECT count(DISTINCT entry ->> '$.at_ms') FROM ledger";
    let different: u32 = raw.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(different, OPERATIONS, "every entry of every process is there once");
}

#[test]
fn a_writer_that_is_killed_leaves_a_chain_with_all_it_reported() {
    let (folder, store) = fresh();
    for round in 0..20 {
        let mut writer = Process::start(["append", "append many"][round % 2], 0, &folder);
        writer.go();
        let mut last = 0;
        for _ in 0..=3 * round {
            last = last.max(writer.hear().parse().unwrap());
        }
        writer.kill();
        let verdict = store.verify_ledger().unwrap();
        assert_eq!(verdict.fault, None);
        assert!(verdict.rows >= last, "entry {last} was reported, {} are there", verdict.rows);
    }
    let seq = store.append(&decision(NOW, "remote", Effective::Deny)).unwrap();
    assert_eq!(store.verify_ledger().unwrap().rows, seq);
}

#[test]
fn what_a_killed_process_had_claimed_is_free_at_once() {
    let (folder, store, project) = fresh_with_project();
    let found = finding(&project, "a.py", 1);
    store.save_scan(&scan(&project, "s", ScanState::Complete), std::slice::from_ref(&found), NOW).unwrap();
    store.enqueue(std::slice::from_ref(&found.id), Effort::Usual, "", NOW).unwrap();
    let mut holder = Process::start("hold", 0, &folder);
    holder.go();
    let held = holder.hear();
    let (run, intent) = held.split_once(' ').unwrap();
    assert_eq!(store.next_job(NOW).unwrap(), None, "its process lives");
    assert_eq!(store.take_over_intents().unwrap(), []);
    holder.kill();

    assert_eq!(store.open_jobs().unwrap().iter().map(|(_, runs)| *runs).collect::<Vec<_>>(), [false]);
    let job = store.next_job(NOW).unwrap().unwrap();
    assert_eq!((job.run.as_str(), job.resumed), (run, true));
    assert_eq!(store.stage(&job.run, "gather").unwrap().as_deref(), Some("{}"));
    let taken = store.take_over_intents().unwrap();
    assert_eq!(taken.iter().map(|intent| intent.id.to_string()).collect::<Vec<_>>(), [intent]);
    drop(store);
    again(&folder);
}

#[test]
fn several_processes_keep_one_limit_and_what_they_die_with_is_spent() {
    let (folder, store) = fresh();
    let mut spenders: Vec<Process> = (0..4).map(|n| Process::start("spend", n, &folder)).collect();
    spenders.iter_mut().for_each(Process::go);
    let calls: u64 = spenders.iter_mut().map(|process| process.hear().parse::<u64>().unwrap()).sum();
    assert_eq!(calls, CAP / 10, "all that fits, and no more");
    assert_eq!(store.settle_lost().unwrap(), 0, "they live");
    spenders.into_iter().for_each(Process::kill);
    let run = SpendOf::Run(RunId::new("f-1"));
    let before = store.spend_total(&run).unwrap();
    assert_eq!((before.open, before.reserved.micros(), before.spent.micros()), (calls, 990, 0));
    assert_eq!(u64::from(store.settle_lost().unwrap()), calls);
    let after = store.spend_total(&run).unwrap();
    assert_eq!((after.open, after.spent.micros(), after.assumed.micros()), (0, 990, 990));
}

#[test]
fn of_several_processes_one_gets_each_allow() {
    let (folder, store) = fresh();
    let mut ids = Vec::new();
    for _ in 0..ASKS {
        let id = store.put_ask(&question()).unwrap();
        store.answer_ask(id, Answer::Allow, "ours", NOW).unwrap();
        ids.push(id.to_string());
    }
    let mut takers: Vec<Process> = (0..4).map(|n| Process::start("take", n, &folder)).collect();
    takers.iter_mut().for_each(Process::go);
    let heard: Vec<String> = takers.iter_mut().map(Process::hear).collect();
    let mut taken: Vec<&str> =
        heard.iter().flat_map(|words| words.split(' ').skip(1)).filter(|id| !id.is_empty()).collect();
    taken.sort_by_key(|id| id.parse::<u32>().unwrap());
    assert_eq!(taken, ids, "{heard:?}");
    takers.into_iter().for_each(Process::kill);
}

#[test]
fn a_process_that_waits_gets_the_answer_of_another() {
    let (folder, store) = fresh();
    for (answer, expected) in [(Answer::Allow, "Allowed"), (Answer::Deny, "Denied")] {
        let mut asker = Process::start("ask", 0, &folder);
        asker.go();
        let id = asker.hear();
        let waiting = store.waiting_asks(NOW).unwrap();
        assert_eq!(waiting.iter().map(|ask| ask.id.to_string()).collect::<Vec<_>>(), [id]);
        store.answer_ask(waiting[0].id, answer, "because", NOW).unwrap();
        let heard = asker.hear();
        assert!(heard.starts_with(expected) && heard.contains("because"), "{heard}");
        asker.kill();
    }
}
