//! A key that is planted once and looked for everywhere: it is in the one header that needs it, and nowhere else.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::keyring::Session;
use crate::model::Model;
use crate::program::{Home, text};

const CANARY: &str = "canary-8Zq4tWm2Lx7Rb9Ks";
const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";

/// The key as it stands, and in the forms in which it could stand somewhere without being seen.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = CANARY.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    let wide = |order: fn(u16) -> [u8; 2]| CANARY.encode_utf16().flat_map(order).collect();
    // Base64 of the key alone; the letters in its middle also stand in a longer text at one alignment of three.
    let base64 = (0..3).map(|skip| ("base64", base64(&bytes[skip..]).into_bytes()));
    [
        ("clear", bytes.to_vec()),
        ("hex", hex.into_bytes()),
        ("percent", percent.into_bytes()),
        ("UTF-16", wide(u16::to_le_bytes)),
        ("UTF-16, the other way", wide(u16::to_be_bytes)),
    ]
    .into_iter()
    .chain(base64)
    .collect()
}

/// Base64 without the last letters, which depend on what follows.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let word = |chunk: &[u8]| chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
    let letters = |word: usize| [18, 12, 6, 0].map(|shift| char::from(ALPHABET[word >> shift & 63]));
    bytes.chunks_exact(3).flat_map(|chunk| letters(word(chunk))).collect()
}

fn finds(bytes: &[u8]) -> Option<&'static str> {
    let stands = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
    forms().into_iter().find(|(_, form)| stands(form)).map(|(name, _)| name)
}

/// The files below `folder` in which the key stands.
fn files_with_it(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with_it(&path));
        } else if let Ok(bytes) = std::fs::read(&path)
            && let Some(form) = finds(&bytes)
        {
            found.push(format!("{} ({form})", path.display()));
        }
    }
    found
}

/// The processes that have the key in their arguments or environment.
fn processes_with_it() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let named = |path: &Path, name: &str| std::fs::read(path.join(name)).is_ok_and(|bytes| finds(&bytes).is_some());
    processes
        .map(|entry| entry.path())
        .filter(|path| named(path, "environ") || named(path, "cmdline"))
        .map(|path| path.display().to_string())
        .collect()
}

fn fed(mut command: Command, words: &[&str], input: &str) -> Output {
    let mut child = command
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("conclave starts");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_key_is_in_the_one_header_that_needs_it_and_nowhere_else() {
    let home = Home::new();
    let folder = tempfile::tempdir().expect("a folder");
    let Some(session) = Session::start(folder.path()) else { return };
    let command = || {
        let mut command = home.command();
        session.give(&mut command);
        command.env("CONCLAVE_LOG", "trace");
        command
    };
    // The server repeats the key in an error, as some do, and looks around while it is being asked.
    let model = Model::with(|_| {
        assert_eq!(processes_with_it(), Vec::<String>::new());
        let error = json!({ "error": { "message": format!("incorrect key: {CANARY}") } });
        ("401 Unauthorized\r\nContent-Type: application/json".to_owned(), error.to_string())
    });
    home.write("app/load.py", WEAK);
    home.write("data/settings.json", &model.settings());
    std::fs::create_dir_all(home.path("data/blobs")).expect("a folder");
    let host = model.address.to_string();
    let scanned = command().args(["scan", "app"]).output().expect("it starts");
    let id = home.json(&["findings"], 0)["findings"][0]["id"].as_str().expect("an id").to_owned();

    let set = fed(command(), &["keys", "set", &host], &format!("{CANARY}\n"));
    assert_eq!(set.status.code(), Some(0), "{}", text(&set));
    let mut outputs = vec![scanned, set];
    for words in [
        &["keys", "list"][..],
        &["keys", "list", "--format", "json"],
        &["preview", &id],
        &["fix", "--all", "--format", "json"],
        &["show", &id],
        &["audit", "egress"],
        &["audit", "export"],
        &["policy", "which"],
        &["doctor"],
        &["keys", "set", &host, CANARY],
    ] {
        outputs.push(command().args(words).output().expect("it starts"));
    }
    let asked = model.asked();
    assert!(!asked.is_empty(), "the model was asked: {}", text(&outputs[5]));
    for question in &asked {
        let with_key = question.head.lines().filter(|line| line.contains(CANARY));
        assert_eq!(
            with_key.map(str::to_lowercase).collect::<Vec<_>>(),
            [format!("authorization: bearer {CANARY}").to_lowercase()]
        );
        assert!(finds(question.body.to_string().as_bytes()).is_none());
    }
    // The last command had it as an argument, which is refused; even then it is not repeated.
    for output in &outputs {
        assert!(finds(&output.stdout).is_none() && finds(&output.stderr).is_none(), "{}", text(output));
    }
    assert_eq!(files_with_it(&home.path("")), Vec::<String>::new());

    let removed = command().args(["keys", "remove", &host]).output().expect("it starts");
    assert_eq!(removed.status.code(), Some(0), "{}", text(&removed));
    let listed = command().args(["keys", "list", "--format", "json"]).output().expect("it starts");
    assert!(!text(&listed).contains("\"keychain\","), "{}", text(&listed));
}

#[test]
fn the_search_finds_every_form() {
    for (name, form) in forms() {
        let bytes = [b"before ", form.as_slice(), b" after"].concat();
        assert!(finds(&bytes).is_some(), "{name}");
    }
    assert!(finds(b"canary").is_none());
}

#[test]
fn without_a_keychain_everything_else_works_and_the_remedy_is_said() {
    let home = Home::new();
    let folder = tempfile::tempdir().expect("a folder");
    let Some(bus) = Session::bus(folder.path()) else { return };
    home.write("app/load.py", WEAK);
    for nothing in [true, false] {
        let command = |words: &[&str]| {
            let mut command = home.command();
            bus.give(&mut command);
            if nothing {
                command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
            }
            fed(command, words, &format!("{CANARY}\n"))
        };
        let set = command(&["keys", "set", "api.example.com"]);
        assert_ne!(set.status.code(), Some(0));
        assert!(text(&set).contains("keyring") || text(&set).contains("keychain"), "{}", text(&set));
        assert!(finds(text(&set).as_bytes()).is_none());
        if nothing {
            let (set, list) = (text(&set), command(&["keys", "list"]));
            assert_eq!(list.status.code(), Some(2), "{}", text(&list));
            for words in ["no keychain is running", "start GNOME Keyring or KWallet and try again"] {
                assert!(set.contains(words) && text(&list).contains(words), "{words}: {set}{}", text(&list));
            }
        }
        let scan = command(&["scan", "app"]);
        assert_eq!(scan.status.code(), Some(0), "{}", text(&scan));
    }
    assert_eq!(files_with_it(&home.path("")), Vec::<String>::new());
}
