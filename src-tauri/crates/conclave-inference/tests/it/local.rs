//! A model file: the provider with a worker that is a script, and with the real worker and a real, very small model.
//!
//! Both run in the real sandbox. Where none can be built, and for the real worker where `CONCLAVE_LOCAL` or
//! `CONCLAVE_LLAMA_MODEL` is not set, these tests say so and end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use conclave_core::settings::LocalSetting;
use conclave_effects::{Clock, DataDir, Gate, ModelClass, Policies, probe, resolve};
use conclave_inference::provider::local::{Local, Place};
use conclave_inference::{About, Answer, AskError, Form, ModelRequest, Provider as _, Terms, Usage};
use conclave_policy::{Layer, Mode, Nobody, Policy};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::contract::{self, Does, StandIn};
use crate::support::{MemoryLedger, ask, gate, reach};

/// Long enough for a busy machine; a test that works never comes near it.
const LIMIT: Duration = Duration::from_secs(120);

/// A model file and a worker in a folder of their own.
struct Arena {
    folder: tempfile::TempDir,
    place: Place,
    setting: LocalSetting,
}

/// What a worker that is a script says when it is asked; `$id` is the question.
const ANSWERS: &str = r#"say delta ',"sample":0,"text":"he"'; say delta ',"sample":0,"text":"llo"'; done_as end"#;
/// As far as a script needs: it tells `$id`, notes what it hears, and loads its model well.
const SCRIPT: &str = r#"#!/bin/sh
say() { echo "{\"is\":\"$1\",\"id\":$id$2}"; }
done_as() {
    say done ',"sample":0,"text":"hello","stop":"'$1'","usage":{"input":5,"cached":3,"output":2},"log_probability":null'
}
file='{"name":"Tiny","architecture":"x","parameters":2000000,"quantisation":"F16","licence":null,"trained_context":512,'
file="$file"'"chat_template":true,"size_bytes":9,"context":512,"memory_bytes":1048576'
while read -r line; do
    echo "$line" >> log
    id=$(echo "$line" | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    case "$line" in
        *'"do":"load"'*) LOAD ;;
        *'"do":"inspect"'*) echo '{"is":"inspected",'"${file#?}}" ;;
        *'"do":"cancel"'*) done_as cancelled ;;
        *) ASK ;;
    esac
done
"#;
const LOADS: &str = r#"echo '{"is":"loaded","file":'"$file},"'"sha256":"00","threads":1}'"#;

impl Arena {
    fn new() -> Option<Self> {
        if let Err(error) = probe() {
            println!("skipped: {error}");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().canonicalize().expect("it is there").join(name);
        let kept = DataDir::open(&at("data")).and_then(|data| data.worker_folder()).expect("a data folder");
        fs::write(at("tiny.gguf"), "weights").expect("written");
        fs::set_permissions(at("tiny.gguf"), fs::Permissions::from_mode(0o644)).expect("ours");
        let place = Place { program: Some(at("worker")), folder: Some(kept) };
        let setting = setting(&at("tiny.gguf"));
        Some(Self { place, setting, folder })
    }

    /// A worker that does these things when it is told to load and when it is asked.
    fn with(load: &str, ask: &str) -> Option<Self> {
        let arena = Self::new()?;
        let program = arena.place.program.as_ref().expect("it has one");
        fs::write(program, SCRIPT.replace("LOAD", load).replace("ASK", ask)).expect("written");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("ours");
        Some(arena)
    }

    fn asking(ask: &str) -> Option<Self> {
        Self::with(LOADS, ask)
    }

    fn model(&self) -> Local {
        Local::new(&self.setting, self.place.clone())
    }

    /// A file in the folder where workers keep what they have read.
    fn in_folder(&self, name: &str) -> PathBuf {
        self.place.folder.as_ref().expect("it has one").join(name)
    }

    /// How many processes run the worker.
    fn children(&self) -> usize {
        let program = self.place.program.as_ref().expect("it has one").to_str().expect("text").to_owned();
        let runs = |entry: &fs::DirEntry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|word| word == program.as_bytes())
        };
        fs::read_dir("/proc").expect("Linux").flatten().filter(runs).count()
    }

    /// What the workers heard, as the kinds of lines.
    fn heard(&self) -> Vec<String> {
        let text = fs::read_to_string(self.in_folder("log")).unwrap_or_default();
        let kind = |line: &str| serde_json::from_str::<Value>(line).ok()?["do"].as_str().map(str::to_owned);
        text.lines().filter_map(kind).collect()
    }
}

fn setting(file: &Path) -> LocalSetting {
    serde_json::from_value(json!({ "name": "tiny", "file": file, "context_tokens": 1024, "threads": 1 }))
        .expect("a setting")
}

fn question(user: &str) -> ModelRequest {
    let (user, schema_name) = (user.to_owned(), "rating".to_owned());
    ModelRequest { system: String::new(), user, max_tokens: 16, schema: None, schema_name, sample: 0 }
}

async fn put(gate: &Gate, model: &Local, request: &ModelRequest, limit: Duration) -> Result<Answer, AskError> {
    let about = About::default();
    ask(gate, model, request, Terms::new(&about, limit), &mut |_| {}).await
}

async fn fails(gate: &Gate, model: &Local, limit: Duration) -> &'static str {
    put(gate, model, &question("Hello?"), limit).await.expect_err("no answer").kind()
}

#[tokio::test]
async fn a_worker_is_started_once_and_asked_again_and_again() {
    let Some(arena) = Arena::asking(ANSWERS) else { return };
    let (gate, ledger) = gate(Mode::Default);
    let model = arena.model();
    assert_eq!((model.known_class(), model.info().model.as_str()), (ModelClass::Local, "tiny.gguf"));
    let about = About::default();
    for _ in 0..2 {
        let mut pieces = Vec::new();
        let terms = Terms::new(&about, LIMIT);
        let answer = ask(&gate, &model, &question("Hello?"), terms, &mut |piece| pieces.push(piece.to_owned())).await;
        let usage = Usage { input_tokens: 5, cached_tokens: 3, output_tokens: 2, reasoning_tokens: 0 };
        let (text, model) = ("hello".to_owned(), "tiny.gguf".to_owned());
        assert_eq!(answer.expect("an answer"), Answer::Text { text, form: Form::Free, usage: Some(usage), model });
        assert_eq!(pieces, ["he", "llo"]);
    }
    assert_eq!(arena.heard(), ["load", "ask", "ask"]);
    assert_eq!(ledger.outcomes(), ["started", "answered", "answered"]);
    model.stop().await;
    put(&gate, &model, &question("Hello?"), LIMIT).await.expect("it starts again");
    assert_eq!(arena.heard(), ["load", "ask", "ask", "load", "ask"]);
}

#[tokio::test]
async fn what_is_shown_is_what_is_told_and_secrets_are_in_neither() {
    let Some(arena) = Arena::asking(ANSWERS) else { return };
    let (gate, ledger) = gate(Mode::Default);
    let model = arena.model();
    let request = question("token = \"ghp_0123456789abcdefghijABCDEFGHIJ012345\"");
    let about = About::default();
    let sketch = model.sketch(&request, &Terms::new(&about, LIMIT)).expect("a sketch");
    assert_eq!(arena.heard(), [""; 0], "nothing is handed out");
    put(&gate, &model, &request, LIMIT).await.expect("an answer");
    let log = fs::read_to_string(arena.place.folder.as_ref().expect("a folder").join("log")).expect("a log");
    let told: Value = serde_json::from_str(log.lines().last().expect("a line")).expect("JSON");
    let shown: Value = serde_json::from_slice(&sketch.bytes).expect("JSON");
    assert_eq!((&told["user"], &told["max_tokens"]), (&shown["user"], &shown["max_tokens"]));
    assert!(!log.contains("ghp_0123") && !ledger.text().contains("token ="), "{log}");
    assert_eq!(sketch.redactions.len(), 1);
}

#[tokio::test]
async fn a_worker_that_dies_is_replaced_until_it_has_died_too_often() {
    let died = r#"echo "GGML_ASSERT(x) failed" >&2; kill -ABRT $$"#;
    let Some(arena) = Arena::asking(&format!("if [ -e work ]; then {ANSWERS}; else {died}; fi")) else { return };
    let (gate, _) = gate(Mode::Default);
    let model = arena.model();
    let error = put(&gate, &model, &question("Hello?"), LIMIT).await.expect_err("it died").to_string();
    assert!(error.contains("signal 6") && error.contains("GGML_ASSERT(x) failed"), "{error}");
    let flag = arena.place.folder.as_ref().expect("a folder").join("work");
    fs::write(&flag, "").expect("written");
    put(&gate, &model, &question("Hello?"), LIMIT).await.expect("the next one finds a new worker");
    fs::remove_file(&flag).expect("removed");
    assert_eq!(fails(&gate, &model, LIMIT).await, "ended");
    assert_eq!(fails(&gate, &model, LIMIT).await, "ended");
    assert_eq!(fails(&gate, &model, LIMIT).await, "resting");
    assert_eq!(arena.heard().iter().filter(|kind| *kind == "load").count(), 3);
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_is_given_up_and_the_worker_kept() {
    let begins = format!("if [ -e work ]; then {ANSWERS}; else say delta ',\"sample\":0,\"text\":\"he\"'; fi");
    let Some(arena) = Arena::asking(&begins) else { return };
    let (gate, _) = gate(Mode::Default);
    let model = arena.model();
    let (about, request) = (About::default(), question("Hello?"));
    let begun = Notify::new();
    let mut on_delta = |_: &str| begun.notify_one();
    tokio::select! {
        answer = ask(&gate, &model, &request, Terms::new(&about, LIMIT), &mut on_delta) => panic!("{answer:?}"),
        () = begun.notified() => {}
    }
    fs::write(arena.place.folder.as_ref().expect("a folder").join("work"), "").expect("written");
    put(&gate, &model, &request, LIMIT).await.expect("the same worker answers");
    assert_eq!(arena.heard(), ["load", "ask", "cancel", "ask"]);
}

#[tokio::test]
async fn a_deadline_holds_and_the_worker_goes_on_loading() {
    let Some(arena) = Arena::with(&format!("read -r go < go; {LOADS}"), ANSWERS) else { return };
    let go = arena.place.folder.as_ref().expect("a folder").join("go");
    assert!(Command::new("mkfifo").args(["-m", "666"]).arg(&go).status().expect("mkfifo runs").success());
    let (gate, _) = gate(Mode::Default);
    let model = arena.model();
    assert_eq!(fails(&gate, &model, Duration::from_millis(300)).await, "timeout");
    // Waits until the worker reads it.
    tokio::task::spawn_blocking(move || fs::write(go, "go\n")).await.expect("no panic").expect("written");
    put(&gate, &model, &question("Hello?"), LIMIT).await.expect("the next one finds it loaded");
    assert_eq!(arena.heard(), ["load", "ask"]);
}

#[tokio::test]
async fn whatever_a_worker_does_wrong_has_its_own_error() {
    let failed = |kind: &str| format!(r#"say failed ',"kind":"{kind}","why":"because"'"#);
    let unloaded = |kind: &str| format!(r#"echo '{{"is":"failed","id":null,"kind":"{kind}","why":"because"}}'"#);
    let cases = [
        (LOADS.to_owned(), "done_as length".to_owned(), "truncated"),
        (LOADS.to_owned(), "echo nonsense".to_owned(), "ended"),
        (LOADS.to_owned(), r#"head -c 5000000 /dev/zero | tr '\0' x"#.to_owned(), "ended"),
        (LOADS.to_owned(), "exit 0".to_owned(), "ended"),
        (LOADS.to_owned(), failed("too_long"), "too_long"),
        (LOADS.to_owned(), failed("bad_schema"), "wrong_form"),
        (LOADS.to_owned(), failed("broken"), "ended"),
        (LOADS.to_owned(), r#"say done ',"sample":0,"text":" ","stop":"end","usage":{"input":1,"cached":0,"output":1},"log_probability":null'"#.to_owned(), "empty"),
        (unloaded("not_a_model"), String::from(":"), "not_offered"),
        (unloaded("no_chat_template"), String::from(":"), "not_offered"),
        (unloaded("no_memory"), String::from(":"), "not_offered"),
        (unloaded("no_file"), String::from(":"), "not_installed"),
        ("exit 3".to_owned(), String::from(":"), "ended"),
    ];
    let (gate, _) = gate(Mode::Default);
    for (load, ask, expect) in cases {
        let Some(arena) = Arena::with(&load, &ask) else { return };
        assert_eq!(fails(&gate, &arena.model(), LIMIT).await, expect, "{load} {ask}");
    }
}

#[tokio::test]
async fn a_schema_that_cannot_be_held_to_is_left_out_the_second_time() {
    let refuses = format!(
        r#"case "$line" in *'"schema":null'*) {ANSWERS} ;; *) say failed ',"kind":"bad_schema","why":"no"' ;; esac"#
    );
    let Some(arena) = Arena::asking(&refuses) else { return };
    let (gate, ledger) = gate(Mode::Default);
    let request = ModelRequest { schema: Some(json!({ "type": "frob" })), ..question("Hello?") };
    let answer = put(&gate, &arena.model(), &request, LIMIT).await;
    assert!(matches!(answer, Ok(Answer::Text { form: Form::Free, .. })), "{answer:?}");
    assert_eq!(ledger.outcomes(), ["started", "the schema cannot be held to", "answered"]);
}

#[tokio::test]
async fn what_is_missing_is_said_and_nothing_starts() {
    let Some(arena) = Arena::asking(ANSWERS) else { return };
    let (gate, ledger) = gate(Mode::Default);
    let without = Local::new(&arena.setting, Place::default());
    let error = put(&gate, &without, &question("Hello?"), LIMIT).await.expect_err("there is no worker");
    assert_eq!(error.kind(), "not_installed");
    assert!(error.to_string().contains("conclave-local"), "{error}");
    let nowhere = Local::new(&setting(&arena.folder.path().join("gone.gguf")), arena.place.clone());
    let error = put(&gate, &nowhere, &question("Hello?"), LIMIT).await.expect_err("there is no file");
    assert!(error.to_string().contains("gone.gguf"), "{error}");
    assert_eq!((arena.heard().len(), ledger.text()), (0, String::new()));
}

/// A gate that lets the worker start and refuses what it is told.
fn closed() -> Gate {
    let rules = "version: 1\nextends: none\nrules: [{ id: no, priority: 1, action: deny, reason: a test, conditions: { action: run_command, context: { place: worker } } }]";
    let policy = Policy::shipped(Mode::Default).and(Policy::load(rules, Layer::User).expect("rules").policy);
    Gate::new(Policies::new(policy), Arc::new(MemoryLedger::default()), Arc::new(Nobody), Clock::fixed(0))
}

#[tokio::test]
async fn a_gate_that_says_no_is_the_end_of_it() {
    let Some(arena) = Arena::asking(ANSWERS) else { return };
    assert_eq!(fails(&closed(), &arena.model(), LIMIT).await, "denied");
    assert_eq!(arena.heard(), ["load"]);
}

#[tokio::test]
async fn a_look_at_the_file_says_what_it_is_and_asks_nothing() {
    let Some(arena) = Arena::asking(ANSWERS) else { return };
    let (gate, _) = gate(Mode::Default);
    let about = About::default();
    let model = arena.model();
    let checked = model.check(&reach(&gate, Terms::new(&about, LIMIT))).await.expect("it is there");
    assert_eq!(
        checked.found,
        "Tiny: 2 million weights in F16, unknown licence, context 512, needs about 1 MiB of memory"
    );
    assert_eq!((checked.warnings.len(), checked.can.context_tokens), (1, Some(512)));
    assert_eq!(arena.heard(), [""; 0], "it has no folder to write in, and is asked nothing");
}

#[tokio::test]
async fn a_worker_that_nobody_asks_lets_its_memory_go_after_a_quarter_of_an_hour() {
    let Some(arena) = Arena::asking(ANSWERS) else { return };
    let (gate, _) = gate(Mode::Default);
    let model = arena.model();
    let pass = async |seconds| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
    };
    put(&gate, &model, &question("Hello?"), LIMIT).await.expect("an answer");
    pass(15 * 60 - 60).await;
    put(&gate, &model, &question("Hello?"), LIMIT).await.expect("an answer");
    assert_eq!(arena.heard(), ["load", "ask", "ask"], "each question begins the time anew");
    pass(15 * 60 - 60).await;
    assert_eq!(model.is_loaded(), Some(true));
    pass(60).await;
    while model.is_loaded() == Some(true) {
        tokio::task::yield_now().await;
    }
    put(&gate, &model, &question("Hello?"), LIMIT).await.expect("it starts again");
    assert_eq!(arena.heard(), ["load", "ask", "ask", "load", "ask"]);
    assert_ne!(arena.children(), 0);
    model.stop().await;
    assert_eq!(arena.children(), 0);
}

/// A script that does what the contract wants of the other end.
struct Obeying(Arena);

/// What it does is the word in `does`; it notes each question that is over.
const OBEYS: &str = r#"case "$(cat does)" in
    Answer) ANSWERS; echo '{"do":"over"}' >> log ;;
    Die) exit 1 ;;
    Lie) echo nonsense ;;
esac"#;

impl StandIn for Obeying {
    fn does(&self, what: Does) {
        fs::write(self.0.in_folder("does"), format!("{what:?}")).expect("written");
    }

    fn asked(&self) -> usize {
        self.0.heard().iter().filter(|kind| *kind == "ask").count()
    }

    fn busy(&self) -> usize {
        if self.children() == 0 {
            return 0;
        }
        let heard = self.0.heard();
        let begin = heard.iter().rposition(|kind| kind == "load").unwrap_or(0);
        let count = |wanted: &[&str]| heard[begin..].iter().filter(|kind| wanted.contains(&kind.as_str())).count();
        count(&["ask"]).saturating_sub(count(&["over", "cancel"]))
    }

    fn children(&self) -> usize {
        self.0.children()
    }

    fn closed(&self) -> Gate {
        closed()
    }

    /// Each question has a number of its own, so that none is told twice.
    fn heard(&self) -> Option<Vec<u8>> {
        None
    }
}

#[tokio::test]
async fn a_model_file_keeps_the_contract_of_providers() {
    let Some(arena) = Arena::asking(&OBEYS.replace("ANSWERS", ANSWERS)) else { return };
    let (gate, ledger) = gate(Mode::Default);
    let model = arena.model();
    let end = Obeying(arena);
    contract::check(&model, &end, &gate, &ledger).await;
}

/// The real worker with a real model, in a file of its own so that its process can be told.
fn real() -> Option<(Arena, PathBuf)> {
    let [Some(program), Some(model)] = ["CONCLAVE_LOCAL", "CONCLAVE_LLAMA_MODEL"].map(std::env::var_os) else {
        println!("skipped: no worker for local models");
        return None;
    };
    let mut arena = Arena::new()?;
    let file = resolve(arena.folder.path()).expect("it is there").join("small.gguf");
    fs::copy(model, &file).expect("copied");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("ours");
    arena.place.program = Some(PathBuf::from(program));
    arena.setting = setting(&file);
    Some((arena, file))
}

#[tokio::test]
async fn a_real_model_holds_to_a_schema_and_is_restarted_after_an_abort() {
    let Some((arena, file)) = real() else { return };
    let (gate, _) = gate(Mode::Strict);
    let model = arena.model();
    let schema = json!({
        "type": "object",
        "properties": { "severity": { "enum": ["low", "high"] }, "note": { "type": "string", "maxLength": 40 } },
        "required": ["severity", "note"],
        "additionalProperties": false,
    });
    let system = "You rate security findings and answer in JSON. ".repeat(8);
    let of = |user: &str| ModelRequest {
        system: system.clone(),
        schema: Some(schema.clone()),
        max_tokens: 120,
        ..question(user)
    };
    let mut cached = Vec::new();
    for user in ["Is eval dangerous?", "Is MD5 dangerous?"] {
        let answer = put(&gate, &model, &of(user), LIMIT).await;
        let Ok(Answer::Text { text, form: Form::Schema, usage: Some(usage), .. }) = answer else {
            panic!("{answer:?}")
        };
        println!("a worker answered: {text} {usage:?}");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert!(jsonschema::validator_for(&schema).expect("a schema").is_valid(&value), "{text}");
        cached.push(usage.cached_tokens);
    }
    assert!(cached[0] == 0 && cached[1] > 60, "{cached:?}");
    let brief = ModelRequest { max_tokens: 2, ..of("Is eval dangerous?") };
    assert_eq!(put(&gate, &model, &brief, LIMIT).await.expect_err("cut").kind(), "truncated");
    let long = of(&"word ".repeat(2000));
    assert_eq!(put(&gate, &model, &long, LIMIT).await.expect_err("too long").kind(), "too_long");

    let (a, b, c) = (of("Is exec dangerous?"), of("Is SHA-1 dangerous?"), of("Is pickle dangerous?"));
    let at_once =
        tokio::join!(put(&gate, &model, &a, LIMIT), put(&gate, &model, &b, LIMIT), put(&gate, &model, &c, LIMIT));
    for answer in [at_once.0, at_once.1, at_once.2] {
        let Ok(Answer::Text { text, .. }) = answer else { panic!("{answer:?}") };
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert!(jsonschema::validator_for(&schema).expect("a schema").is_valid(&value), "{text}");
    }

    // As llama.cpp ends where it cannot go on, in the middle of an answer.
    let endless = ModelRequest {
        max_tokens: 600,
        schema: Some(json!({ "type": "string", "minLength": 5000 })),
        ..question("Write.")
    };
    let about = About::default();
    let mut is_killed = false;
    let mut on_delta = |_: &str| {
        if !is_killed {
            is_killed = true;
            abort(&file);
        }
    };
    let died = ask(&gate, &model, &endless, Terms::new(&about, LIMIT), &mut on_delta).await.expect_err("it died");
    assert!(died.to_string().contains("signal 6"), "{died}");
    let answer = put(&gate, &model, &of("Is eval dangerous?"), LIMIT).await.expect("a new worker answers");
    let Answer::Text { usage: Some(usage), .. } = answer else { panic!("{answer:?}") };
    assert!(usage.cached_tokens > 60, "it finds on disk what the dead one had read: {usage:?}");
}

#[tokio::test]
async fn a_real_file_is_looked_at() {
    let Some((arena, _)) = real() else { return };
    let (gate, _) = gate(Mode::Strict);
    let about = About::default();
    let checked = arena.model().check(&reach(&gate, Terms::new(&about, LIMIT))).await.expect("it is there");
    assert!(checked.found.contains("134 million weights in Q4_1, apache-2.0, context 1024"), "{}", checked.found);
    assert_eq!(checked.warnings, [""; 0]);
}

/// Sends the signal of an abort to the process that has this file mapped.
fn abort(file: &Path) {
    let file = file.to_str().expect("text");
    let has_it =
        |entry: &fs::DirEntry| fs::read_to_string(entry.path().join("maps")).is_ok_and(|maps| maps.contains(file));
    let process = fs::read_dir("/proc").expect("Linux").flatten().find(has_it).expect("the worker runs");
    let killed = Command::new("kill").arg("-ABRT").arg(process.file_name()).status().expect("kill runs");
    assert!(killed.success());
}
