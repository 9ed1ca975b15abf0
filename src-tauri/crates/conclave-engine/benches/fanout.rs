//! What asking five models at once costs beside their own time, and how many questions go out in a second, beside a
//! plain HTTP client and LiteLLM over the same server. `cargo xtask bench fanout` runs it and prints the table.
//!
//! Ours is the whole way: policy, scan, budget, breaker, and a ledger whose row is durable before its request leaves. The
//! words are the folder to write in and, where LiteLLM is installed, the Python that has it.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a program that measures, not the product")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it plays the server and the peers, and reads its own CPU time"
)]

mod server;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave_engine::ctx::Ctx;
use conclave_engine::models::Errand;
use conclave_engine::open::{Options, open};
use conclave_inference::{About, ModelRequest, Priority};
use conclave_policy::Actor;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use server::{Answer, Server, serve};

/// Models of one panel.
const PANEL: usize = 5;
/// What each of them takes.
const SLOW: Duration = Duration::from_millis(200);
/// Panels that are asked, one after the other.
const ROUNDS: usize = 100;
/// Questions under way while throughput is measured.
const AT_ONCE: usize = 100;
/// Questions that are asked for it.
const MANY: usize = 10_000;

const ANSWER: &str = "use a placeholder";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--bench")).collect();
    if let Some(delay) = words.first().and_then(|word| word.strip_prefix("serve=")) {
        let after = Duration::from_millis(delay.parse().expect("milliseconds"));
        return serve(true, move |_| Answer { after, text: ANSWER.to_owned(), tokens: [300, 6] });
    }
    let folder = words.first().map_or_else(std::env::temp_dir, Into::into);
    let place = tempfile::tempdir_in(folder).expect("a folder to write in");
    println!("{}", disk(place.path()));
    println!();
    let server = |delay: Duration| Server::start(&format!("serve={}", delay.as_millis()));
    let (slow, quick) = (server(SLOW), server(Duration::ZERO));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(plain(&slow, &quick));
    runtime.block_on(ours(place.path(), &slow, &quick));
    if let Some(python) = words.get(1) {
        litellm(python, &slow, &quick);
    }
}

/// What a page of 4 KiB needs until the disk has it, as `p50` and `p99` in milliseconds.
fn disk(place: &Path) -> String {
    let mut file = File::create(place.join("page")).expect("a file");
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("a durable page");
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    let (p50, p99) = percentiles(&mut times);
    format!("200\t{p50:.2}\t{p99:.2}")
}

/// About what a brief of a finding is: a kilobyte of instructions and code.
fn question() -> (String, String) {
    let code = "cursor.execute(\"select * from users where name = '\" + name + \"'\")\n";
    ("You fix one finding.".to_owned(), format!("Fix this finding.\n{}", code.repeat(15)))
}

/// A client that sends and decodes and does nothing else.
async fn plain(slow: &Server, quick: &Server) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (system, user) = question();
    let body = json!({ "model": "m", "max_tokens": 64, "messages": [
        { "role": "system", "content": system }, { "role": "user", "content": user } ] });
    let ask = |server: &Server| {
        let request = client.post(format!("{}/v1/chat/completions", server.address));
        let request = request.header("content-type", "application/json").body(body.to_string());
        async move {
            let bytes = request.send().await.expect("an answer").bytes().await.expect("its body");
            let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
            assert_eq!(answer["choices"][0]["message"]["content"], ANSWER);
        }
    };
    measure("a plain client", |_| ask(slow), |_| ask(quick)).await;
}

/// Conclave, from the question of an analyst to its answer.
async fn ours(place: &Path, slow: &Server, quick: &Server) {
    let model = |name: String, server: &Server| {
        json!({ "name": name, "base_url": format!("{}/v1", server.address), "model": "m", "max_concurrent": AT_ONCE,
                "price": { "input": 4, "output": 20 } })
    };
    let models: Vec<Value> =
        (0..PANEL).map(|seat| model(format!("seat {seat}"), slow)).chain([model("quick".to_owned(), quick)]).collect();
    let caps = json!({ "per_call": 1, "per_finding": 1_000_000, "per_run": 1_000_000, "per_day": 1_000_000 });
    let data = place.join("data");
    fs::create_dir(&data).expect("a folder");
    fs::write(data.join("settings.json"), json!({ "models": models, "budget": caps }).to_string()).expect("settings");
    let (cx, _) = open(&Options { data_dir: data, offline: false }).expect("Conclave opens");
    let (system, user) = question();
    let request = Arc::new(ModelRequest {
        system,
        user,
        max_tokens: 64,
        schema: None,
        schema_name: "answer".to_owned(),
        sample: 0,
    });
    let ask = |name: String| ask(cx.clone(), name, Arc::clone(&request));
    // What a server is asked of itself, once.
    for seat in 0..PANEL {
        ask(format!("seat {seat}")).await;
    }
    ask("quick".to_owned()).await;
    measure("Conclave", |seat| ask(format!("seat {seat}")), |_| ask("quick".to_owned())).await;
}

async fn ask(cx: Ctx, name: String, request: Arc<ModelRequest>) {
    let errand = Errand {
        gate: cx.gate.clone(),
        actor: |name| Actor::Analyst(name.to_owned()),
        request,
        about: About::default(),
        priority: Priority::Medium,
        deadline: Duration::from_secs(60),
        purpose: "fix",
        finding: None,
        run: None,
        cap: None,
        may_be_kept: false,
        agrees: None,
        client: None,
        live: None,
        cancel: cx.cancel.clone(),
    };
    cx.models.one(&name, errand).await.expect("an answer");
}

/// Prints what panels of slow models, and what many questions to a quick one, come to.
async fn measure<S, Q>(name: &str, mut slow: impl FnMut(usize) -> S, mut quick: impl FnMut(usize) -> Q)
where
    S: Future<Output = ()> + Send + 'static,
    Q: Future<Output = ()> + Send + 'static,
{
    let mut over = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let panel: JoinSet<()> = (0..PANEL).map(&mut slow).collect();
        panel.join_all().await;
        over.push(start.elapsed().saturating_sub(SLOW).as_secs_f64() * 1000.0);
    }
    let (p50, p99) = percentiles(&mut over);
    let (start, cpu) = (Instant::now(), cpu_ms());
    let mut under_way = JoinSet::new();
    for number in 0..MANY {
        if under_way.len() == AT_ONCE {
            under_way.join_next().await.expect("one of them").expect("an answer");
        }
        under_way.spawn(quick(number));
    }
    under_way.join_all().await;
    let a_second = MANY as f64 / start.elapsed().as_secs_f64();
    let cpu = cpu.zip(cpu_ms()).map(|(before, now)| format!("{:.2}", (now - before) / MANY as f64));
    println!("{name}\t{ROUNDS}\t{p50:.1}\t{p99:.1}\t{MANY}\t{a_second:.0}\t{}", cpu.as_deref().unwrap_or("-"));
}

/// The same through LiteLLM, which prints a row of the same form.
fn litellm(python: &str, slow: &Server, quick: &Server) {
    let (system, user) = question();
    let status = Command::new(python)
        .args(["-c", include_str!("fanout.py"), &slow.address, &quick.address, &system, &user])
        .args([PANEL.to_string(), SLOW.as_millis().to_string(), AT_ONCE.to_string()])
        .status()
        .expect("Python runs");
    assert!(status.success(), "LiteLLM ended with {status}");
}

/// The CPU time of all threads so far, in milliseconds, in steps of ten; Linux only.
fn cpu_ms() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks * 10.0)
}

fn percentiles(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
