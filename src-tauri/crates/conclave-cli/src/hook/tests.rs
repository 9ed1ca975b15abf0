//! How a hook ends when it breaks, in a process of its own.

#![expect(clippy::disallowed_methods, reason = "a test of processes starts processes")]

use super::*;

/// Set in the process that is to break.
const BREAK: &str = "CONCLAVE_TEST_HOOK_BREAKS";

#[test]
fn a_panic_is_a_refusal() {
    if std::env::var_os(BREAK).is_some() {
        refuse_on_panic(Client::ClaudeCode);
        // On another thread, as where the work is done.
        let _ = std::thread::spawn(|| panic!("a secret word")).join();
        std::process::exit(0);
    }
    let output = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "hook::tests::a_panic_is_a_refusal", "--nocapture"])
        .env(BREAK, "1")
        .output()
        .expect("it starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{stdout}");
    let line = stdout.lines().find(|line| line.contains("hookSpecificOutput")).expect("an answer");
    assert!(line.contains(r#""permissionDecision":"deny""#), "{line}");
    assert!(!stdout.contains("secret word") && !String::from_utf8_lossy(&output.stderr).contains("secret word"));
}

#[test]
fn the_client_is_found_before_anything_else() {
    let find = |words: &[&str]| client_of(words.iter().map(OsString::from));
    assert_eq!(find(&["conclave", "--data-dir", "/d", "hook", "codex", "--bogus"]), Some(Client::Codex));
    for words in [&["conclave", "hook", "add", "codex"][..], &["conclave", "hook"], &["conclave", "codex"], &[]] {
        assert_eq!(find(words), None, "{words:?}");
    }
}
