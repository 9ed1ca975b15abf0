//! How long one finding of the sample project takes from the question to the conclusion. `cargo xtask bench run` runs it
//! and prints the tables.
//!
//! Five models sit as for a critical finding, each with a fix of its own. Once they take as long as hosted models do, all
//! times divided by [`SCALE`], the limit of the tier too; once they answer at once, which leaves what Conclave itself
//! adds. Every run begins in a data folder of its own, so that nothing is remembered. The word is the folder to write
//! in; with `quick` after it, only models that answer at once are measured.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a program that measures, not the product")]
#![expect(clippy::disallowed_methods, reason = "it plays the server, and says on which machine it runs")]

mod server;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use conclave_core::candidate::Origin;
use conclave_core::evidence::{Check, CheckOutcome, Evidence, outcome_of};
use conclave_core::money::Money;
use conclave_core::resolution::Resolution;
use conclave_engine::demo;
use conclave_engine::open::{Options, open};
use conclave_engine::queue::run_job;
use conclave_inference::catalogue;
use conclave_store::{FindingQuery, SpendOf};
use serde_json::{Value, json};

use server::{Answer, Server, serve};

/// A minute is a second.
const SCALE: u64 = 60;
/// What a hosted model takes, in seconds.
const TAKES: (u64, u64) = (5, 60);
/// Runs with models that take their time, and with models that do not.
const SLOW_RUNS: usize = 40;
const QUICK_RUNS: usize = 20;
/// Tokens of an answer, reasoning included.
const WRITTEN: u64 = 1_500;

/// The line of the sample that is weak, and what each model puts there.
const WEAK: &str = "    subprocess.run(f\"gzip --keep --force {export}\", shell=True, check=True)\n";
const FIXES: [&str; 5] = [
    "    subprocess.run([\"gzip\", \"--keep\", \"--force\", str(export)], check=True)\n",
    "    subprocess.run([\"gzip\", \"--keep\", \"--force\", \"--\", str(export)], check=True)\n",
    "    subprocess.run([\"gzip\", \"--keep\", \"--force\", export.as_posix()], check=True)\n",
    "    command = [\"gzip\", \"--keep\", \"--force\", \"--\", str(export)]\n    subprocess.run(command, check=True)\n",
    "    subprocess.check_call([\"gzip\", \"--keep\", \"--force\", \"--\", str(export)])\n",
];
const SEATS: [&str; 5] = ["deep_reasoning", "pattern_matching", "logic", "fast", "specialised"];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--bench")).collect();
    match words.first().map(String::as_str) {
        Some("serve=slow") => return serve(false, |asked| answer(asked, true)),
        Some("serve=quick") => return serve(false, |asked| answer(asked, false)),
        _ => {}
    }
    let folder = words.first().map_or_else(std::env::temp_dir, Into::into);
    println!("{}", machine());
    println!();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (slow, quick) = (Server::start("serve=slow"), Server::start("serve=quick"));
    if words.get(1).is_none_or(|word| word != "quick") {
        runtime.block_on(critical(&folder, &slow));
        println!();
    }
    runtime.block_on(own_time(&folder, &quick));
}

/// The fix of the model that is asked.
fn answer(asked: &Value, is_slow: bool) -> Answer {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let question = asked.to_string();
    let number: usize = asked["model"].as_str().and_then(|name| name.parse().ok()).unwrap_or_default();
    let edit = |full: bool| {
        let mut edit = json!({ "search": WEAK, "replace": FIXES[number % FIXES.len()] });
        if full {
            edit["file"] = json!("shop/archive.py");
        }
        json!([edit])
    };
    let text = if question.contains("root_cause") {
        json!({ "root_cause": "The name goes through a shell.", "can_fix": true, "reason": "", "title": "No shell",
            "edits": edit(true), "edge_cases": [], "side_effects": [], "disproof": "", "red_test": "" })
    } else {
        json!({ "explanation": "The name goes through a shell.", "edits": edit(false) })
    };
    let turn = ASKED.fetch_add(1, Ordering::Relaxed);
    // Evenly over the range, in an order that looks like chance and is always the same.
    let spread = (TAKES.1 - TAKES.0) * 1000 / SCALE;
    let after = TAKES.0 * 1000 / SCALE + turn.wrapping_mul(7_919) % (spread + 1);
    Answer {
        after: Duration::from_millis(if is_slow { after } else { 0 }),
        text: text.to_string(),
        tokens: [question.len() as u64 / 4, WRITTEN],
    }
}

/// What one run came to.
struct Ran {
    resolution: Resolution,
    wall_ms: f64,
    spent: Money,
}

/// Runs the finding in a data folder of its own.
async fn one(folder: &Path, server: &Server, analysis_s: u64) -> Ran {
    let place = tempfile::tempdir_in(folder).expect("a folder");
    let data = place.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(data.join("settings.json"), settings(server, analysis_s).to_string()).expect("settings");
    let (cx, _) = open(&Options { data_dir: data, offline: false }).expect("Conclave opens");
    let project = demo::open(&cx).await.expect("the sample");
    let query = FindingQuery { project: Some(project.id), ..FindingQuery::default() };
    let found = cx.store.every_finding(&query).expect("findings");
    let reported = |stored: &conclave_store::StoredFinding| {
        let detection = &stored.finding.detection;
        let here = detection.location.as_ref().is_some_and(|place| place.path.as_str() == "shop/archive.py");
        here && stored.finding.context.contains("gzip")
    };
    let finding = found.into_iter().find(reported).expect("the weak line is reported").finding.id;
    let job = cx.store.begin_run(&finding, true, cx.now_ms()).expect("a run");
    let run = job.run.clone();
    let begin = Instant::now();
    let (_, resolution) = run_job(&cx, job).await.expect("the store holds");
    let wall_ms = begin.elapsed().as_secs_f64() * 1000.0;
    let spent = cx.store.spend_total(&SpendOf::Run(run)).expect("the bill").spent;
    Ran { resolution: resolution.expect("a conclusion"), wall_ms, spent }
}

/// Five models at the prices of the dearest of the catalogue for each seat.
fn settings(server: &Server, analysis_s: u64) -> Value {
    let dearest = |strength: &str| {
        let good = catalogue::models().iter().filter(|model| model.strengths.iter().any(|id| id == strength));
        let price = good.filter_map(|model| model.price.as_ref()).max_by_key(|price| price.output);
        price.map(|price| json!({ "input": price.input, "output": price.output }))
    };
    let models: Vec<Value> = SEATS
        .iter()
        .enumerate()
        .map(|(number, seat)| {
            json!({ "name": format!("Model {number}"), "base_url": format!("{}/v1", server.address),
                    "model": number.to_string(), "may_send_code": true, "price": dearest(seat) })
        })
        .collect();
    let tier = json!({ "seats": SEATS, "analysis_s": analysis_s, "cap": Money::from_micros(1_500_000) });
    let tiers: Value =
        ["critical", "high", "medium", "low", "note"].iter().map(|name| ((*name).to_owned(), tier.clone())).collect();
    let roles: Value = SEATS
        .iter()
        .enumerate()
        .map(|(number, seat)| ((*seat).to_owned(), json!([{ "model": format!("Model {number}") }])))
        .collect();
    json!({ "models": models, "roles": roles, "tiers": tiers })
}

async fn critical(folder: &Path, server: &Server) {
    let (mut total, mut verification, mut spent, mut answered) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..SLOW_RUNS {
        let ran = one(folder, server, 120 / SCALE).await;
        let checks = ran.resolution.verification_ms as f64 / 1000.0;
        total.push(ran.resolution.analysis_ms as f64 * SCALE as f64 / 1000.0 + checks);
        verification.push(checks);
        spent.push(ran.spent.micros() as f64 / 1e6);
        answered += by_models(&ran.resolution);
    }
    let (p50, p95) = percentiles(&mut total);
    let (_, checks) = percentiles(&mut verification);
    let (_, money) = percentiles(&mut spent);
    let seats = answered as f64 / SLOW_RUNS as f64;
    println!("{SLOW_RUNS}\t{seats:.1}\t{p50:.0}\t{p95:.0}\t{checks:.1}\t{money:.2}");
}

/// How many fixes of models were checked.
fn by_models(resolution: &Resolution) -> usize {
    fixes_of_models(resolution).count()
}

fn fixes_of_models(resolution: &Resolution) -> impl Iterator<Item = &[Evidence]> {
    let judged = resolution.verdicts.iter().map(|verdict| &verdict.judged);
    let of_model = judged.filter(|judged| matches!(judged.candidate.origin, Origin::Model { .. }));
    of_model.map(|judged| judged.evidence.as_slice())
}

async fn own_time(folder: &Path, server: &Server) {
    let (mut over, mut around, mut to_tests, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut checked, mut tests, mut scanner) = (0, 0, "built in");
    for _ in 0..QUICK_RUNS {
        let ran = one(folder, server, 120).await;
        let took = |evidence: &[Evidence], wanted: &dyn Fn(Check) -> bool| -> u64 {
            evidence.iter().filter(|one| wanted(one.check)).map(|one| one.duration_ms).sum()
        };
        let everything: u64 =
            ran.resolution.verdicts.iter().map(|verdict| took(&verdict.judged.evidence, &|_| true)).sum();
        let verification = ran.resolution.verification_ms as f64;
        over.push(ran.wall_ms - verification);
        around.push(verification - everything as f64);
        all.push(verification / 1000.0);
        let until_tests = |check: Check| check <= Check::Tests;
        to_tests.push(
            fixes_of_models(&ran.resolution).map(|evidence| took(evidence, &until_tests)).sum::<u64>() as f64 / 1000.0,
        );
        for evidence in fixes_of_models(&ran.resolution) {
            checked += 1;
            tests += usize::from(outcome_of(evidence, Check::Tests) == CheckOutcome::Pass);
            if outcome_of(evidence, Check::Rescan) == CheckOutcome::Pass {
                scanner = "the reporting scanner";
            }
        }
    }
    let (p50, p95) = percentiles(&mut over);
    let (copies, _) = percentiles(&mut around);
    println!("{QUICK_RUNS}\t{p50:.0}\t{p95:.0}\t{copies:.0}");
    println!();
    let (v3_50, v3_95) = percentiles(&mut to_tests);
    let (_, whole) = percentiles(&mut all);
    let each = checked as f64 / QUICK_RUNS as f64;
    println!("{QUICK_RUNS}\t{each:.1}\t{tests} of {checked}\t{scanner}\t{v3_50:.1}\t{v3_95:.1}\t{whole:.1}");
}

/// The machine, in words.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = about.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("processor");
    let name = name.trim_start_matches(['\t', ' ', ':']);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    let built = if cfg!(debug_assertions) { "unoptimised" } else { "optimised" };
    format!("{cores} cores of {name}, {}, {built}, load {load} at the start", std::env::consts::OS)
}

/// The middle one, and the one that 95 of 100 are not above.
fn percentiles(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[(values.len() * 95).div_ceil(100) - 1])
}
