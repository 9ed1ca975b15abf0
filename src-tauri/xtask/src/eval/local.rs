//! A model that can be asked, through the worker and through llama.cpp's own server: how fast, how large, how useful.
//!
//! The same questions with the same schema to both, one after the other, with as many threads.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::seat;
use crate::log::Log;
use crate::place::Place;
use crate::step::{Done, Step, run_all};
use crate::{llama, local, setup};

/// Tokens of question and answer together.
const CONTEXT: u32 = 8192;
/// Tokens of an answer.
const ANSWER: u32 = 400;
/// How long the server may take to load the model.
const PATIENCE: Duration = Duration::from_secs(300);

const SYSTEM: &str = "You fix one security problem in source code. Answer in JSON: first `explanation`, one sentence, \
                      then `edits`. Each edit has `search`, which is copied from the code to the letter and occurs in it \
                      once, and `replace`, which takes its place. Change as little as possible and keep the style.\n\n\
                      Example. The code\n\ndef digest(path):\n    return os.popen(\"sha256sum \" + path).read()\n\nis \
                      answered by\n\n{\"explanation\": \"The path reaches a shell; run the program without one.\", \
                      \"edits\": [{\"search\": \"os.popen(\\\"sha256sum \\\" + path).read()\", \"replace\": \
                      \"subprocess.run([\\\"sha256sum\\\", path], capture_output=True, text=True).stdout\"}]}";

/// A problem to fix.
struct Problem {
    advice: &'static str,
    code: &'static str,
    /// What must be gone, and what must be there, when it is fixed.
    gone: &'static str,
    there: &'static str,
}

const PROBLEMS: &[Problem] = &[
    Problem {
        advice: "SQL injection: the name becomes part of the statement. Use a parameter.",
        code: "def find_user(db, name):\n    cursor = db.cursor()\n    cursor.execute(\"SELECT id FROM users WHERE name = '\" + name + \"'\")\n    return cursor.fetchone()\n",
        gone: "+ name +",
        there: "name",
    },
    Problem {
        advice: "Command injection: a shell reads the host. Pass a list and no shell.",
        code: "import subprocess\n\ndef ping(host):\n    return subprocess.call(\"ping -c 1 \" + host, shell=True)\n",
        gone: "shell=True",
        there: "host",
    },
    Problem {
        advice: "Unsafe deserialisation: yaml.load builds any object. Use yaml.safe_load.",
        code: "import yaml\n\ndef settings(path):\n    with open(path) as file:\n        return yaml.load(file, Loader=yaml.Loader)\n",
        gone: "yaml.load(",
        there: "safe_load(",
    },
    Problem {
        advice: "The certificate is not verified. Verify it.",
        code: "import requests\n\ndef fetch(url):\n    return requests.get(url, timeout=10, verify=False).json()\n",
        gone: "verify=False",
        there: "requests.get(",
    },
];

/// What one answer came to.
struct Said {
    text: String,
    prefill: Rate,
    decode: Rate,
}

/// Tokens in seconds.
#[derive(Clone, Copy, Default)]
struct Rate {
    tokens: f64,
    seconds: f64,
}

/// What one way came to.
struct Row {
    name: &'static str,
    load: f64,
    threads: u64,
    /// Processor time of the questions.
    cpu: f64,
    peak_megabytes: f64,
    at_once: Option<Rate>,
    said: Vec<Said>,
}

const STEPS: &[Step] = &[
    Step { name: "set-up", title: "what is missing is installed", run: setup::to_build_local },
    Step {
        name: "local-build",
        title: "the worker for local models is built (10 minutes, the first time)",
        run: local::build,
    },
    Step { name: "eval-local", title: "a model of 1.5 billion weights fixes four problems", run: evaluate },
    Step { name: "eval-seat", title: "it has a seat for the sample project (half an hour)", run: seat::evaluate },
];

/// `cargo xtask eval local`: everything, or what `names` names.
pub fn run(place: &Place, names: &[&str]) -> Result<ExitCode> {
    let wanted = STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name));
    run_all(place, &wanted.collect::<Vec<_>>())
}

fn evaluate(place: &Place, log: &mut Log) -> Result<Done> {
    let worker = local::program(place)?;
    let (model, server) = match llama::coder(place, log).and_then(|model| Ok((model, llama::server(place, log)?))) {
        Ok(paths) => paths,
        Err(error) => return Ok(Done::Skipped(format!("the model or its server cannot be fetched: {error:#}"))),
    };
    let by_worker = Worker::start(&worker, &model)?.evaluate(log)?;
    let by_server = Server::start(&server, &model, by_worker.threads)?.evaluate(log)?;
    let table = table(&[by_worker, by_server]);
    log.say(&table)?;
    Ok(Done::Figure(format!(
        "{table}\n\nQwen2.5-Coder-1.5B-Instruct, Q4_K_M, context {CONTEXT}, temperature 0, answers held to a schema. \
         CPU seconds are of the four problems; where other programs run as well, they tell more than the rates. \
         An edit applies when its text occurs once; fixed means that the sink is gone, not that the fix is right."
    )))
}

fn schema() -> Value {
    let text = |most: u32| json!({ "type": "string", "maxLength": most });
    let edit = json!({
        "type": "object",
        "properties": { "search": text(300), "replace": text(300) },
        "required": ["search", "replace"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "explanation": text(200),
            "edits": { "type": "array", "items": edit, "minItems": 1, "maxItems": 2 },
        },
        "required": ["explanation", "edits"],
        "additionalProperties": false,
    })
}

fn question(problem: &Problem) -> String {
    format!("{}\n\nThe code\n\n{}", problem.advice, problem.code)
}

/// The worker, spoken to over its lines.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    load: f64,
    threads: u64,
}

impl Drop for Worker {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

impl Worker {
    fn start(program: &Path, model: &Path) -> Result<Self> {
        let start = Instant::now();
        let mut child = Command::new(program)
            .env("GGML_NO_BACKTRACE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run `{}`", program.display()))?;
        let (input, output) = (child.stdin.take().context("no input")?, child.stdout.take().context("no output")?);
        let mut worker = Self { child, input, output: BufReader::new(output).lines(), load: 0.0, threads: 0 };
        worker.say(&json!({ "do": "load", "model": model, "context": CONTEXT }))?;
        let loaded = worker.hear()?;
        ensure!(loaded["is"] == "loaded", "the worker does not load the model: {loaded}");
        worker.load = start.elapsed().as_secs_f64();
        worker.threads = loaded["threads"].as_u64().unwrap_or(1);
        Ok(worker)
    }

    fn say(&mut self, line: &Value) -> Result<()> {
        writeln!(self.input, "{line}").context("the worker has ended")
    }

    fn hear(&mut self) -> Result<Value> {
        Ok(serde_json::from_str(&self.output.next().context("the worker has ended")??)?)
    }

    fn ask(&mut self, id: usize, problem: &Problem, samples: u32) -> Result<(f64, f64, Vec<Value>)> {
        let (start, temperature) = (Instant::now(), if samples > 1 { 0.8 } else { 0.0 });
        self.say(&json!({
            "do": "ask", "id": id, "system": SYSTEM, "user": question(problem), "schema": schema(),
            "max_tokens": ANSWER, "samples": samples, "temperature": temperature,
        }))?;
        let (mut first, mut done) = (None, Vec::new());
        while done.len() < samples as usize {
            let reply = self.hear()?;
            first.get_or_insert_with(|| start.elapsed().as_secs_f64());
            match reply["is"].as_str() {
                Some("delta") => {}
                Some("done") => done.push(reply),
                _ => bail!("the worker says {reply}"),
            }
        }
        let first = first.unwrap_or_default();
        Ok((first, start.elapsed().as_secs_f64() - first, done))
    }

    fn evaluate(mut self, log: &mut Log) -> Result<Row> {
        let (mut said, before) = (Vec::new(), cpu(&self.child)?);
        for (id, problem) in PROBLEMS.iter().enumerate() {
            let (first, rest, done) = self.ask(id, problem, 1)?;
            log.say(&format!("worker: {}", done[0]))?;
            let count = |of: &str| done[0]["usage"][of].as_f64().unwrap_or(0.0);
            let text = if done[0]["stop"] == "end" {
                done[0]["text"].as_str().unwrap_or_default().to_owned()
            } else {
                String::new()
            };
            let prefill = Rate { tokens: count("input") - count("cached"), seconds: first };
            said.push(Said { text, prefill, decode: Rate { tokens: count("output") - 1.0, seconds: rest } });
        }
        let cpu = cpu(&self.child)? - before;
        let (_, seconds, done) = self.ask(99, &PROBLEMS[0], 4)?;
        let tokens = done.iter().filter_map(|done| done["usage"]["output"].as_f64()).sum();
        Ok(Row {
            name: "worker",
            load: self.load,
            threads: self.threads,
            cpu,
            peak_megabytes: peak(&self.child)?,
            at_once: Some(Rate { tokens, seconds }),
            said,
        })
    }
}

/// llama.cpp's own server, spoken to over this machine's loopback.
struct Server {
    child: Child,
    port: u16,
    load: f64,
    threads: u64,
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

impl Server {
    fn start(program: &Path, model: &Path, threads: u64) -> Result<Self> {
        // Nobody else is likely to have it; the server ends at once where somebody has.
        let port = 30_000 + u16::try_from(std::process::id() % 20_000)?;
        let start = Instant::now();
        let child = Command::new(program)
            .arg("--model")
            .arg(model)
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--ctx-size", &CONTEXT.to_string()])
            .args(["--parallel", "1", "--threads", &threads.to_string(), "--temp", "0", "--device", "none"])
            .args(["--offline", "--no-ui"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run `{}`", program.display()))?;
        let mut server = Self { child, port, load: 0.0, threads };
        while !server.exchange("GET", "/health", "").is_ok_and(|answer| answer["status"] == "ok") {
            ensure!(server.child.try_wait()?.is_none(), "the server ended while loading");
            ensure!(start.elapsed() < PATIENCE, "the server does not become ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        server.load = start.elapsed().as_secs_f64();
        Ok(server)
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no HTTP")?;
        Ok(serde_json::from_str(body)?)
    }

    fn evaluate(self, log: &mut Log) -> Result<Row> {
        let (mut said, before) = (Vec::new(), cpu(&self.child)?);
        for problem in PROBLEMS {
            let body = json!({
                "messages": [{ "role": "system", "content": SYSTEM }, { "role": "user", "content": question(problem) }],
                "response_format": { "type": "json_schema", "json_schema": { "name": "fix", "strict": true, "schema": schema() } },
                "max_tokens": ANSWER, "temperature": 0, "logprobs": true,
            });
            let answer = self.exchange("POST", "/v1/chat/completions", &body.to_string())?;
            let choice = &answer["choices"][0];
            ensure!(choice.is_object(), "the server says {answer}");
            log.say(&format!("server: {} {}", choice["message"], answer["timings"]))?;
            let timing = |of: &str| answer["timings"][of].as_f64().unwrap_or(0.0);
            let is_whole = choice["finish_reason"] == "stop";
            let text = choice["message"]["content"].as_str().filter(|_| is_whole).unwrap_or_default().to_owned();
            let prefill = Rate { tokens: timing("prompt_n"), seconds: timing("prompt_ms") / 1000.0 };
            let decode = Rate { tokens: timing("predicted_n"), seconds: timing("predicted_ms") / 1000.0 };
            said.push(Said { text, prefill, decode });
        }
        let (cpu, peak_megabytes) = (cpu(&self.child)? - before, peak(&self.child)?);
        let (load, threads) = (self.load, self.threads);
        Ok(Row { name: "llama-server", load, threads, cpu, peak_megabytes, at_once: None, said })
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Processor time of all threads so far, in seconds.
fn cpu(child: &Child) -> Result<f64> {
    /// Linux counts in hundredths for everybody who reads it.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
    // The program's name, in brackets, may have anything in it.
    let (_, fields) = stat.rsplit_once(')').context("Linux does not say")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// Resident memory at its peak, in megabytes of 10^6 bytes.
fn peak(child: &Child) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("Linux does not say")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// Whether an answer is JSON of the form, whether its edits apply, and whether the problem is gone then.
fn judged(problem: &Problem, text: &str) -> [bool; 3] {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return [false; 3] };
    let edits = value["edits"].as_array().filter(|edits| !edits.is_empty());
    let Some(edits) = edits.filter(|_| value["explanation"].is_string()) else { return [false; 3] };
    let mut code = problem.code.to_owned();
    for edit in edits {
        let (Some(search), Some(replace)) = (edit["search"].as_str(), edit["replace"].as_str()) else {
            return [false; 3];
        };
        if search == replace || code.matches(search).count() != 1 {
            return [true, false, false];
        }
        code = code.replacen(search, replace, 1);
    }
    [true, true, !code.contains(problem.gone) && code.contains(problem.there)]
}

fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| | threads | load s | first prefill tok/s | decode tok/s | four at once tok/s | CPU s | peak MB | valid | applies | fixed |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    );
    for row in rows {
        let per_second = |rate: Rate| if rate.seconds > 0.0 { rate.tokens / rate.seconds } else { 0.0 };
        let decode = row.said.iter().fold(Rate::default(), |sum, said| Rate {
            tokens: sum.tokens + said.decode.tokens,
            seconds: sum.seconds + said.decode.seconds,
        });
        let verdicts: Vec<[bool; 3]> =
            PROBLEMS.iter().zip(&row.said).map(|(problem, said)| judged(problem, &said.text)).collect();
        let count = |n: usize| verdicts.iter().filter(|verdict| verdict[n]).count();
        let at_once = row.at_once.map_or_else(|| "\u{2013}".to_owned(), |rate| format!("{:.1}", per_second(rate)));
        // Writing to a string cannot fail.
        let _ = write!(
            table,
            "\n| {} | {} | {:.1} | {:.1} | {:.1} | {at_once} | {:.1} | {:.0} | {}/{n} | {}/{n} | {}/{n} |",
            row.name,
            row.threads,
            row.load,
            row.said.first().map_or(0.0, |said| per_second(said.prefill)),
            per_second(decode),
            row.cpu,
            row.peak_megabytes,
            count(0),
            count(1),
            count(2),
            n = PROBLEMS.len(),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_only_as_far_as_it_goes() {
        let problem = &PROBLEMS[2];
        let of = |search: &str, replace: &str| json!({ "explanation": "x", "edits": [{ "search": search, "replace": replace }] });
        for (answer, expect) in [
            (of("yaml.load(file, Loader=yaml.Loader)", "yaml.safe_load(file)").to_string(), [true, true, true]),
            (of("Loader=yaml.Loader", "Loader=yaml.SafeLoader").to_string(), [true, true, false]),
            (of("yaml.load(stream)", "yaml.safe_load(stream)").to_string(), [true, false, false]),
            (of("path", "name").to_string(), [true, false, false]),
            (of("open(path)", "open(path)").to_string(), [true, false, false]),
            (json!({ "explanation": "x", "edits": [] }).to_string(), [false; 3]),
            ("{\"explanation\": \"x".to_owned(), [false; 3]),
        ] {
            assert_eq!(judged(problem, &answer), expect, "{answer}");
        }
    }
}
