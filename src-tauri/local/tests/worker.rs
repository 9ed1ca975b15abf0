//! The worker with a real model, over its real lines.
//!
//! `CONCLAVE_LLAMA_MODEL` names a small instruct model; without it these tests say so and end.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use conclave_core::local::{Ask, Done, FailKind, Loaded, Reply, Request, Stop};
use serde_json::{Value, json};

/// A text that is long enough to be kept.
const SYSTEM: &str = "You review source code and answer in JSON. Be short, be exact, and never invent anything that is \
                      not in the code in front of you. Say what is wrong first, and then what to do about it. When you do \
                      not know, say so. Leave everything alone that has nothing to do with the question, and keep the \
                      style of the code as it is.";

struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_conclave-local"))
            .env("GGML_NO_BACKTRACE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()).lines());
        Self { child, input, output }
    }

    fn loaded(model: &Path, cache: Option<&Path>) -> (Self, Loaded) {
        let mut worker = Self::start();
        match worker.load(model, cache) {
            Reply::Loaded(loaded) => (worker, loaded),
            other => panic!("{other:?}"),
        }
    }

    fn load(&mut self, model: &Path, cache: Option<&Path>) -> Reply {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        self.say(&Request::Load { model: text(model), context: Some(2048), threads: Some(1), cache: cache.map(text) });
        self.hear()
    }

    fn say(&mut self, request: &Request) {
        self.say_line(&serde_json::to_string(request).unwrap());
    }

    fn say_line(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn hear(&mut self) -> Reply {
        serde_json::from_str(&self.output.next().unwrap().unwrap()).unwrap()
    }

    /// The next reply that is not a piece of an answer.
    fn hear_end(&mut self) -> Reply {
        loop {
            match self.hear() {
                Reply::Delta { .. } => {}
                other => return other,
            }
        }
    }

    fn done(&mut self) -> Done {
        match self.hear_end() {
            Reply::Done(done) => done,
            other => panic!("{other:?}"),
        }
    }

    fn ask(&mut self, ask: Ask) -> Done {
        self.say(&Request::Ask(ask));
        self.done()
    }

    fn fails(&mut self) -> (Option<u64>, FailKind) {
        match self.hear_end() {
            Reply::Failed { id, kind, .. } => (id, kind),
            other => panic!("{other:?}"),
        }
    }

    /// Closes its input and waits for its end.
    fn end(mut self) -> bool {
        self.input = None;
        self.child.wait().unwrap().success()
    }
}

fn question(id: u64, user: &str) -> Ask {
    let (user, system) = (user.to_owned(), String::new());
    Ask { id, system, user, schema: None, max_tokens: 24, temperature: 0.0, seed: 0, samples: 1 }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "reason": { "type": "string", "maxLength": 40 },
            "line": { "type": "integer", "minimum": 1, "maximum": 99 },
            "risk": { "enum": ["low", "high"] },
        },
        "required": ["reason", "line", "risk"],
        "additionalProperties": false,
    })
}

fn held(done: &Done) {
    assert_eq!(done.stop, Stop::End, "{}", done.text);
    let value: Value = serde_json::from_str(&done.text).unwrap();
    assert!(value["reason"].as_str().unwrap().chars().count() <= 40, "{value}");
    assert!((1..=99).contains(&value["line"].as_i64().unwrap()), "{value}");
    assert!(["low", "high"].contains(&value["risk"].as_str().unwrap()), "{value}");
    assert_eq!(value.as_object().unwrap().len(), 3);
}

/// The model, or a word that there is none.
fn model() -> Option<PathBuf> {
    let model = std::env::var_os("CONCLAVE_LLAMA_MODEL").map(PathBuf::from);
    if model.is_none() {
        println!("skipped: CONCLAVE_LLAMA_MODEL names no model");
    }
    model
}

#[test]
fn an_answer_holds_to_its_schema_and_comes_in_pieces() {
    let Some(model) = model() else { return };
    let (mut worker, loaded) = Worker::loaded(&model, None);
    assert_eq!((loaded.file.context, loaded.threads), (2048, 1));
    assert_eq!((loaded.file.chat_template, loaded.file.licence.as_deref()), (true, Some("apache-2.0")));
    worker.say(&Request::Ask(Ask { schema: Some(schema()), max_tokens: 120, ..question(1, "Is eval dangerous?") }));
    let mut pieces = String::new();
    let done = loop {
        match worker.hear() {
            Reply::Delta { id: 1, sample: 0, text } => pieces.push_str(&text),
            Reply::Done(done) => break done,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(pieces, done.text);
    held(&done);
    let sure = done.log_probability.unwrap();
    assert!(sure.min <= sure.mean && sure.mean < 0.0, "{sure:?}");
    assert!(done.usage.input > 10 && done.usage.output > 10, "{:?}", done.usage);
    assert!(worker.end(), "it ends well at the end of its input");
}

#[test]
fn what_two_questions_begin_with_is_read_once_and_by_the_next_worker_not_at_all() {
    let Some(model) = model() else { return };
    let cache = tempfile::tempdir().unwrap();
    let ask = |id, user: &str| Ask { system: SYSTEM.to_owned(), ..question(id, user) };
    let (mut worker, _) = Worker::loaded(&model, Some(cache.path()));
    let first = worker.ask(ask(1, "What is SQL injection?"));
    let second = worker.ask(ask(2, "What is a buffer overflow?"));
    assert_eq!(first.usage.cached, 0);
    assert!(second.usage.cached > 60 && second.usage.cached < second.usage.input, "{:?}", second.usage);
    worker.end();

    let (mut worker, _) = Worker::loaded(&model, Some(cache.path()));
    let third = worker.ask(ask(1, "What is SQL injection?"));
    assert!(third.usage.cached > 60, "{:?}", third.usage);
    assert_eq!(third.text, first.text, "what was kept is what was read");
    worker.end();

    let kept: Vec<PathBuf> = fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut bytes = fs::read(&kept[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&kept[0], bytes).unwrap();
    let (mut worker, _) = Worker::loaded(&model, Some(cache.path()));
    let fourth = worker.ask(ask(1, "What is SQL injection?"));
    assert_eq!((fourth.usage.cached, fourth.text), (0, first.text), "what was changed is not used");
}

#[test]
fn an_answer_that_is_too_long_is_cut_and_says_so() {
    let Some(model) = model() else { return };
    let (mut worker, _) = Worker::loaded(&model, None);
    let done = worker.ask(Ask { max_tokens: 5, schema: Some(schema()), ..question(1, "Is eval dangerous?") });
    assert_eq!((done.stop, done.usage.output), (Stop::Length, 5));
    let too_long = "word ".repeat(3000);
    worker.say(&Request::Ask(question(2, &too_long)));
    assert_eq!(worker.fails(), (Some(2), FailKind::TooLong));
}

#[test]
fn a_question_is_given_up_and_the_next_one_answered() {
    let Some(model) = model() else { return };
    let (mut worker, _) = Worker::loaded(&model, None);
    let endless =
        Ask { max_tokens: 1500, schema: Some(json!({ "type": "string", "minLength": 6000 })), ..question(1, "Write.") };
    worker.say(&Request::Ask(endless));
    assert!(matches!(worker.hear(), Reply::Delta { id: 1, .. }));
    worker.say(&Request::Cancel { id: 1 });
    worker.say(&Request::Cancel { id: 77 });
    let done = worker.done();
    assert_eq!((done.id, done.stop), (1, Stop::Cancelled));
    assert!(done.usage.output < 1500);
    assert_eq!(worker.ask(question(2, "Say hello.")).id, 2);
}

#[test]
fn six_questions_and_samples_of_one_share_the_model() {
    let Some(model) = model() else { return };
    let (mut worker, _) = Worker::loaded(&model, None);
    for id in 1..=6 {
        let user = format!("Is number {id} dangerous?");
        worker.say(&Request::Ask(Ask { schema: Some(schema()), max_tokens: 120, ..question(id, &user) }));
    }
    let mut ids: Vec<u64> = (0..6).map(|_| worker.done()).inspect(held).map(|done| done.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);

    let samples = Ask { samples: 5, temperature: 1.0, seed: 7, ..question(9, "Tell me a story about a parser.") };
    let mut told = |ask: &Ask| {
        worker.say(&Request::Ask(ask.clone()));
        let mut all: Vec<Done> = (0..ask.samples).map(|_| worker.done()).collect();
        all.sort_by_key(|done| done.sample);
        all
    };
    let stories = told(&samples);
    assert_eq!(stories.iter().map(|done| done.sample).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(stories[1..].iter().all(|done| done.usage.cached == done.usage.input - 1), "{stories:?}");
    assert!(stories.iter().any(|done| done.text != stories[0].text), "samples differ");
}

#[test]
fn what_nobody_asks_any_more_makes_room() {
    let Some(model) = model() else { return };
    let (mut worker, _) = Worker::loaded(&model, None);
    // Each takes more than half of the context, and begins in its own way.
    for (id, word) in [(1, "red "), (2, "green "), (3, "blue ")] {
        let done = worker.ask(Ask { max_tokens: 4, ..question(id, &word.repeat(1200)) });
        assert!(done.usage.input > 1200 && done.usage.cached < 100, "{:?}", done.usage);
    }
    // Both at a time do not fit: the second waits for the first.
    for (id, word) in [(4, "one "), (5, "two ")] {
        worker.say(&Request::Ask(Ask { max_tokens: 4, ..question(id, &word.repeat(1200)) }));
    }
    assert_eq!([worker.done().id, worker.done().id], [4, 5]);
}

#[test]
fn a_question_cannot_speak_for_the_template() {
    let Some(model) = model() else { return };
    let (mut worker, _) = Worker::loaded(&model, None);
    let mut tokens = |text: &str| worker.ask(Ask { max_tokens: 1, ..question(1, text) }).usage.input;
    // A control token is one; the same characters as text are several.
    assert!(tokens("<|im_end|>") >= tokens("x") + 3);
}

#[test]
fn broken_lines_and_questions_that_come_too_early_are_told_and_do_no_harm() {
    let Some(model) = model() else { return };
    let mut worker = Worker::start();
    for (line, id) in [
        ("nonsense", None),
        ("", None),
        ("[]", None),
        (r#"{"do":"ask","id":4}"#, Some(4)),
        (r#"{"do":"ask","id":5,"user":"x","max_tokens":1}"#, Some(5)),
        (r#"{"do":"dance","id":6}"#, Some(6)),
    ] {
        worker.say_line(line);
        assert_eq!(worker.fails(), (id, FailKind::BadRequest), "{line}");
    }
    assert!(matches!(worker.load(&model, None), Reply::Loaded(_)));
    assert!(matches!(worker.load(&model, None), Reply::Failed { kind: FailKind::BadRequest, .. }), "loaded already");
    for (change, kind) in [
        (Ask { samples: 0, ..question(1, "x") }, FailKind::BadRequest),
        (Ask { max_tokens: 0, ..question(1, "x") }, FailKind::BadRequest),
        (Ask { temperature: -1.0, ..question(1, "x") }, FailKind::BadRequest),
        (Ask { schema: Some(json!({ "type": "nothing" })), ..question(1, "x") }, FailKind::BadSchema),
    ] {
        worker.say(&Request::Ask(change));
        assert_eq!(worker.fails(), (Some(1), kind));
    }
    assert_eq!(worker.ask(question(1, "Say hello.")).id, 1);
}

#[test]
fn a_file_that_is_no_model_is_refused_by_its_kind_and_a_good_one_loads_after_it() {
    let Some(model) = model() else { return };
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(&model).unwrap();
    let plant = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let key = b"tokenizer.chat_template";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    let mut without = bytes.clone();
    without[at..at + key.len()].copy_from_slice(b"tokenizer.chat_nonsense");
    let mut worker = Worker::start();
    for (path, kind) in [
        (folder.path().join("missing.gguf"), FailKind::NoFile),
        (folder.path().to_owned(), FailKind::NoFile),
        (plant("empty.gguf", b""), FailKind::NotAModel),
        (plant("text.gguf", b"GGUF is what this text begins with"), FailKind::NotAModel),
        (plant("half.gguf", &bytes[..bytes.len() / 2]), FailKind::NotAModel),
        (plant("head.gguf", &bytes[..1 << 16]), FailKind::NotAModel),
        (plant("base.gguf", &without), FailKind::NoChatTemplate),
    ] {
        assert!(
            matches!(&worker.load(&path, None), Reply::Failed { id: None, kind: found, .. } if *found == kind),
            "{path:?}"
        );
    }
    let inspected = |worker: &mut Worker, path: &Path| {
        worker.say(&Request::Inspect { model: path.to_str().unwrap().to_owned(), context: Some(1024) });
        worker.hear()
    };
    let Reply::Inspected(file) = inspected(&mut worker, &folder.path().join("base.gguf")) else { panic!() };
    assert!(!file.chat_template);
    let Reply::Inspected(file) = inspected(&mut worker, &model) else { panic!() };
    assert_eq!((file.architecture.as_str(), file.quantisation.as_str(), file.context), ("llama", "Q4_1", 1024));
    assert!(file.memory_bytes > file.size_bytes && file.parameters > 100_000_000, "{file:?}");
    assert!(matches!(worker.load(&model, None), Reply::Loaded(_)));
}
