//! How many decisions and calls become durable in a second, and what each costs. `cargo xtask bench store` runs it and
//! prints the tables; the time that the disk needs for one write stands beside it. The only word is the folder to write
//! in.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a program that measures, not the product")]
#![expect(clippy::disallowed_methods, reason = "it measures the disk without the database, and reads its own CPU time")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Instant;

use conclave_core::id::{FindingId, ProjectId, RunId};
use conclave_core::money::Money;
use conclave_policy::{Action, Actor, Decision, Effective, EntryKind, Ledger as _, NewEntry, ToolRequest};
use conclave_store::{Caps, NewSpend, Reserving, Settlement, Store};

/// Rows that are there before spending is measured.
const SPENT: u64 = 100_000;

fn main() {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
    let place = tempfile::tempdir_in(folder).expect("a folder to write in");
    let place = place.path();
    sync(place);
    decisions(place);
    spending(place);
    println!();
    another(place);
}

/// What a page of 4 KiB behind the others needs until the disk has it: what any write costs that is alone.
fn sync(place: &Path) {
    let mut file = File::create(place.join("page")).expect("a file");
    measured("the disk alone, 4 KiB", 1, 500, |count| {
        for _ in 0..count {
            file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("a durable page");
        }
    });
}

fn decisions(place: &Path) {
    let folder = tempfile::tempdir_in(place).expect("a folder");
    let store = open(folder.path());
    measured("decision, one after the other", 1, 1_000, |count| {
        for n in 0..count {
            store.append(&entry(n)).expect("it is written");
        }
    });
    for in_flight in [1, 10, 100, 1_000] {
        measured("decision, handed over", in_flight, 1_000 * in_flight.clamp(2, 20), |count| {
            keep_in_flight(in_flight, count, |n, done| {
                store.append_then(entry(n), Box::new(move |result| tell(&done, result.is_ok())));
            });
        });
    }
    measured("decision, a thread each", 100, 10_000, |count| {
        thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    for n in 0..count / 100 {
                        store.append(&entry(n)).expect("it is written");
                    }
                });
            }
        });
    });
    assert_eq!(store.verify_ledger().expect("a verdict").fault, None);
}

fn spending(place: &Path) {
    let folder = tempfile::tempdir_in(place).expect("a folder");
    let store = open(folder.path());
    let reserve = |n, done: Sender<bool>| {
        store.reserve(call(n), caps(), move |result| tell(&done, matches!(result, Ok(Reserving::Held(_)))));
    };
    keep_in_flight(1_000, SPENT, reserve);
    for in_flight in [1, 100, 1_000] {
        measured("money set aside, after 100,000 calls", in_flight, 1_000 * in_flight.clamp(1, 20), |count| {
            keep_in_flight(in_flight, count, reserve);
        });
    }
    let (say, held) = channel();
    keep_in_flight(1_000, 20_000, |n, done| {
        let say = say.clone();
        store.reserve(call(n), caps(), move |result| {
            let Ok(Reserving::Held(reservation)) = result else { return tell(&done, false) };
            say.send(reservation).expect("somebody who listens");
            tell(&done, true);
        });
    });
    measured("call settled, after 100,000 calls", 1_000, 20_000, |count| {
        keep_in_flight(1_000, count, |_, done| {
            let reservation = held.recv().expect("as many as were set aside");
            let settlement =
                Settlement { actual: Some(Money::from_micros(700)), tokens: None, outcome: "answered".to_owned() };
            store.settle(reservation, settlement, move |result| tell(&done, result.is_ok()));
        });
    });
}

/// How long another process waits for one decision while this one writes as fast as it can; a second connection stands
/// for the other process.
fn another(place: &Path) {
    let folder = tempfile::tempdir_in(place).expect("a folder");
    let (busy, other) = (open(folder.path()), open(folder.path()));
    let (begun, ended) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut times = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                keep_in_flight(100, 1_000, |n, done| {
                    busy.append_then(entry(n), Box::new(move |result| tell(&done, result.is_ok())));
                });
                begun.store(true, Ordering::Relaxed);
            }
        });
        while !begun.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        for n in 0..200 {
            let start = Instant::now();
            other.append(&entry(n)).expect("it is written");
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        ended.store(true, Ordering::Relaxed);
    });
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!("decision beside a busy process\t{}\t{:.1}\t{:.1}\t{:.1}", times.len(), at(50), at(99), at(100));
}

/// Prints how often a second `count` times of something are done, and the time and the CPU time of each.
fn measured(name: &str, in_flight: u64, count: u64, work: impl FnOnce(u64)) {
    let (start, cpu) = (Instant::now(), cpu_ms());
    work(count);
    let (seconds, count_f) = (start.elapsed().as_secs_f64(), count as f64);
    let cpu = cpu.zip(cpu_ms()).map(|(before, now)| format!("{:.0}", (now - before) * 1000.0 / count_f));
    let cpu = cpu.unwrap_or_else(|| "-".to_owned());
    println!("{name}\t{in_flight}\t{count}\t{:.0}\t{:.0}\t{cpu}", count_f / seconds, seconds * 1e6 / count_f);
}

/// Begins `count` pieces of work, so many at a time, and waits for all of them.
fn keep_in_flight(in_flight: u64, count: u64, mut begin: impl FnMut(u64, Sender<bool>)) {
    let (done, told) = channel::<bool>();
    for n in 0..count {
        if n >= in_flight {
            assert!(told.recv().expect("an answer"), "it is written");
        }
        begin(n, done.clone());
    }
    drop(done);
    assert!(told.iter().all(|written| written), "all are written");
}

fn tell(done: &Sender<bool>, written: bool) {
    done.send(written).expect("somebody who listens");
}

/// The CPU time of all threads so far, in milliseconds, in steps of ten; Linux only.
fn cpu_ms() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks * 10.0)
}

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("conclave.db"), 0).expect("a store").store
}

/// A decision as a model's call makes one.
fn entry(n: u64) -> NewEntry {
    let request = ToolRequest::new(Actor::Engine, Action::SendHttp, "https://api.models.example/v1/chat/completions")
        .with("method", "POST")
        .with("host", "api.models.example")
        .with("place", "remote")
        .with("provider", "Local Qwen")
        .with("model", "qwen2.5-coder")
        .with("model_class", "hosted")
        .with("project", "/home/ada/shop")
        .with("finding", "2f6c1b0a9d8e7f65")
        .with("purpose", "propose a fix")
        .with("bytes", "5234")
        .with("digest", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
        .with("data", "[\"source\",\"finding\"]");
    let decision = Decision {
        effect: Effective::Allow,
        rule: "models-by-consent".to_owned(),
        reason: "you have said that source may go to this model".to_owned(),
        layer: None,
        review: None,
    };
    NewEntry { at_ms: 1_767_323_045_000 + n as i64, kind: EntryKind::Decision { request, decision } }
}

/// The `n`th call, of a thousand runs of a hundred findings.
fn call(n: u64) -> NewSpend {
    let finding = FindingId::new(format!("2f6c1b0a9d8e7f{:02}", n % 100));
    NewSpend {
        at_ms: n as i64,
        day: (n / 10_000) as i64,
        project: Some(ProjectId::new("8c1d4e5f60718293")),
        run: Some(RunId::nth(&finding, (n % 1_000 / 100) as u32)),
        finding: Some(finding),
        provider: "Local Qwen".to_owned(),
        model: "qwen2.5-coder".to_owned(),
        purpose: "propose".to_owned(),
        most: Some(Money::from_micros(1_000)),
        price_date: Some("2026-11-01".to_owned()),
    }
}

/// Limits that all have to be looked up and are not reached.
fn caps() -> Caps {
    let much = Some(Money::from_micros(u64::MAX));
    Caps { call: much, finding: much, run: much, day: much, project: much, all: much }
}
