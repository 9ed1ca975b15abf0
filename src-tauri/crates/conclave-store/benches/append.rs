//! How many decisions a second become durable, and what each costs. `cargo xtask bench ledger` runs it and prints the
//! table; the time that the disk needs for one write stands beside it. The only word is the folder to write in.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a program that measures, not the product")]
#![expect(clippy::disallowed_methods, reason = "it measures the disk without the database, and reads its own CPU time")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use conclave_policy::{Action, Actor, Decision, Effective, EntryKind, Ledger as _, NewEntry, ToolRequest};
use conclave_store::Store;

fn main() {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
    let place = tempfile::tempdir_in(folder).expect("a folder to write in");
    let place = place.path();
    sync(place);
    line(place, "one after the other", 1, 1_000, |store, count| {
        for n in 0..count {
            store.append(&entry(n)).expect("it is written");
        }
    });
    for in_flight in [1, 10, 100, 1_000] {
        line(place, "handed over", in_flight, 1_000 * in_flight.clamp(2, 20), |store, count| {
            let (done, told) = channel();
            for n in 0..count {
                if n >= in_flight {
                    told.recv().expect("an answer");
                }
                let done = done.clone();
                let tell = move |result: Result<u64, _>| done.send(result.is_ok()).expect("somebody who listens");
                store.append_then(entry(n), Box::new(tell));
            }
            drop(done);
            told.iter().for_each(drop);
        });
    }
    line(place, "a thread each", 100, 10_000, |store, count| {
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
}

fn line(place: &Path, way: &str, in_flight: u64, count: u64, work: impl FnOnce(&Store, u64)) {
    let folder = tempfile::tempdir_in(place).expect("a folder");
    let store = Store::open(&folder.path().join("conclave.db"), 0).expect("a store").store;
    store.append(&entry(0)).expect("it is written");
    let (start, cpu) = (Instant::now(), cpu_ms());
    work(&store, count);
    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu
        .zip(cpu_ms())
        .map_or_else(|| "-".to_owned(), |(before, now)| format!("{:.0}", (now - before) * 1000.0 / count as f64));
    assert_eq!(store.verify_ledger().expect("a verdict").rows, count + 1);
    println!("{way}\t{in_flight}\t{count}\t{:.0}\t{:.0}\t{cpu}", count as f64 / seconds, seconds * 1e6 / count as f64);
}

/// What a page of 4 KiB behind the others needs until the disk has it: what any append costs that is alone.
fn sync(place: &Path) {
    const COUNT: u32 = 500;
    let mut file = File::create(place.join("page")).expect("a file");
    let start = Instant::now();
    for _ in 0..COUNT {
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("a durable page");
    }
    let seconds = start.elapsed().as_secs_f64();
    let each = f64::from(COUNT);
    println!("the disk alone, 4 KiB\t1\t{COUNT}\t{:.0}\t{:.0}\t-", each / seconds, seconds * 1e6 / each);
}

/// The CPU time of all threads so far, in milliseconds, in steps of ten; Linux only.
fn cpu_ms() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks * 10.0)
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
