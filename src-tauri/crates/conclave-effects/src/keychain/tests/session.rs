//! Real keychains, and the lack of them, in a bus session of our own.
//!
//! A session is a process with its own environment, so each case is run by this test program again, inside the session.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::*;

/// A bus on which nothing is started but what is in the folder `SERVICES`.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><servicedir>SERVICES</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#;

/// A service that is started and never speaks, as one does that waits for a person.
const SILENT: &str = "[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/sleep 2\n";

const UNLOCK: &str = "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 && ";

/// Whether all `programs` are there; says so when not.
fn are_here(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|name| crate::find_program(name, Path::new("/nonexistent")).is_none());
    if let Some(missing) = missing {
        println!("skipped: `{missing}` is missing; install the packages `dbus` and `gnome-keyring`");
    }
    missing.is_none()
}

/// Runs the case of this module called `name` in a session; `before` is shell text that prepares it.
fn in_session(name: &str, bus: &[&str], before: &str) {
    let home = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    let script = format!(r#"{before}exec "$0" --exact --ignored --nocapture keychain::tests::session::{name}"#);
    #[expect(clippy::disallowed_methods, reason = "only a new process has another session")]
    let mut session = Command::new("dbus-run-session");
    session.args(bus).args(["--", "sh", "-c", &script]).arg(test);
    session.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env("HOME", home.path());
    session.env("XDG_RUNTIME_DIR", home.path()).env_remove("XDG_DATA_HOME");
    let output = session.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert!(!said.contains("4711"), "a key was printed: {said}");
}

#[test]
fn a_real_keyring_keeps_keys() {
    if are_here(&["dbus-run-session", "gnome-keyring-daemon"]) {
        in_session("unlocked", &[], UNLOCK);
    }
}

#[tokio::test]
#[ignore = "run inside a session by the test above"]
async fn unlocked() {
    keeps_keys(&Keychain::open()).await;
}

#[test]
fn a_locked_keyring_says_so() {
    if are_here(&["dbus-run-session", "gnome-keyring-daemon", "dbus-send"]) {
        in_session("locked", &[], UNLOCK);
    }
}

#[tokio::test]
#[ignore = "run inside a session by the test above"]
async fn locked() {
    let keychain = Keychain::open();
    store(&keychain, HOST, KEY, 1).await.unwrap();
    shell(
        "dbus-send --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
         org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login",
    );
    assert_eq!(read(&keychain, HOST).await, Err(KeychainError::Locked));
    assert_eq!(store(&keychain, HOST, "new", 2).await, Err(KeychainError::Locked));
    assert_eq!(erase(&keychain, HOST).await, Err(KeychainError::Locked));
}

#[test]
fn no_service_on_the_bus_is_told_and_what_would_help() {
    if are_here(&["dbus-run-session"]) {
        on_a_bus_with("", "no_service");
    }
}

#[test]
fn no_bus_is_no_service() {
    if are_here(&["dbus-run-session"]) {
        in_session("no_service", &[], "export DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent/bus; ");
    }
}

#[tokio::test]
#[ignore = "run inside a session by the tests above"]
async fn no_service() {
    let error = read(&Keychain::open(), HOST).await.unwrap_err();
    assert!(matches!(error, KeychainError::NoService { .. }) && error.to_string().contains("key_env"), "{error:?}");
    println!("{error}");
}

#[test]
fn a_service_that_does_not_answer_is_left_at_the_limit() {
    if are_here(&["dbus-run-session"]) {
        on_a_bus_with(SILENT, "silent");
    }
}

#[tokio::test]
#[ignore = "run inside a session by the test above"]
async fn silent() {
    let keychain = Keychain::open().with_limit(Duration::from_millis(100));
    for _ in 0..2 {
        assert_eq!(read(&keychain, HOST).await, Err(KeychainError::TimedOut(0)));
    }
}

fn on_a_bus_with(service: &str, name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bus.conf");
    fs::write(&config, BUS.replace("SERVICES", &folder.path().display().to_string())).unwrap();
    if !service.is_empty() {
        fs::write(folder.path().join("org.freedesktop.secrets.service"), service).unwrap();
    }
    in_session(name, &["--config-file", &config.display().to_string()], "");
}

fn shell(script: &str) {
    #[expect(clippy::disallowed_methods, reason = "a keyring is locked and unlocked by its own programs")]
    let status = Command::new("sh").args(["-c", script]).status().unwrap();
    assert!(status.success(), "{script}");
}
