//! Each layer by itself: what one of them holds back must not depend on the others.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Command, Output};

use landlock::{ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _};

use super::super::confine::{OWN, own_program};
use super::super::{Exit, RunCommand, WORK, probe, run};
use super::Arena;
use crate::gate::tests::permit;

#[tokio::test]
async fn without_a_network_of_its_own_only_pairs_of_sockets_can_be_made() {
    let Some(arena) = Arena::new() else { return };
    let make = |code: &str| format!("python3 -c 'import socket,multiprocessing,asyncio\n{code}'");
    let socket = |family: &str| make(&format!("socket.socket({family}, socket.SOCK_STREAM)"));
    let cases = [
        (socket("socket.AF_UNIX"), false, true),
        (socket("socket.AF_INET"), false, true),
        (socket("socket.AF_INET6"), false, true),
        (socket("socket.AF_NETLINK"), false, false),
        (socket("socket.AF_PACKET"), false, false),
        (socket("socket.AF_VSOCK"), false, false),
        (socket("socket.AF_ALG"), false, false),
        (make("a,b=socket.socketpair(); a.send(b\"x\"); assert b.recv(1)==b\"x\""), true, true),
        (make("async def f(): pass\nasyncio.run(f())"), true, true),
        (make("multiprocessing.Process(target=print).start()"), true, true),
        (make("s=socket.create_server((\"127.0.0.1\",0)); socket.create_connection(s.getsockname())"), false, true),
    ];
    for (script, without, with) in cases {
        for (loopback, works) in [(false, without), (true, with)] {
            let command = RunCommand { loopback, ..arena.command(&["sh", "-c", &script]) };
            let report = run(permit(command).await).await.unwrap();
            assert_eq!(report.status == Exit::Code(0), works, "loopback {loopback}: {script}: {report:?}");
        }
    }
}

/// Runs a script under Landlock alone, with nothing of the other layers.
fn confined(words: &[&str], script: &str) -> Output {
    #[expect(clippy::disallowed_methods, reason = "our own program, which starts a shell")]
    let mut command = Command::new(OWN.get().unwrap());
    command.arg("sandbox-guest").args(words).args(["--", "sh", "-c", script]).output().unwrap()
}

#[test]
fn landlock_holds_without_the_namespaces() {
    let Some(_) = Arena::new() else { return };
    if let Err(why) = own_program() {
        println!("skipped: {why}");
        return;
    }
    let name = format!("conclave-layer-{}", std::process::id());
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let (file, pid) = (format!("/var/tmp/{name}"), std::process::id());
    let python = |code: &str| format!("python3 -c 'import socket\n{code}'");
    let bind = python("socket.create_server((\"127.0.0.1\",0))");
    let connect = python(&format!("socket.socket(socket.AF_UNIX).connect(b\"\\0{name}\")"));
    let cases = [
        ("reading", "head -c 1 /etc/passwd".to_owned(), true),
        ("its own folders", "f=$(mktemp) && echo x > $f && rm $f && echo x > /dev/null".to_owned(), true),
        ("writing", format!("echo x > {file}"), false),
        ("a folder", format!("mkdir {file}"), false),
        ("a link", format!("ln -s /etc/passwd {file}"), false),
        ("a signal", format!("kill -0 {pid}"), false),
        ("an abstract socket", connect, false),
        ("a port", bind.clone(), false),
    ];
    for (what, script, works) in cases {
        let said = confined(&[], &script);
        assert_eq!(said.status.success(), works, "{what}: {said:?}");
        #[expect(clippy::disallowed_methods, reason = "what must work outside is tried outside")]
        let control = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(control.status.success(), "outside: {what}: {control:?}");
        let _ = std::fs::remove_file(&file);
        let _ = std::fs::remove_dir(&file);
    }
    assert!(confined(&["loopback"], &bind).status.success());
    drop(listener);
}

#[test]
fn the_sandbox_says_whether_it_has_its_second_layer() {
    let Some(_) = Arena::new() else { return };
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let in_kernel = ruleset.handle_access(AccessFs::from_all(ABI::V2)).and_then(Ruleset::create).is_ok();
    let said = probe().unwrap();
    assert_eq!(said.ends_with(", Landlock"), in_kernel, "{said}");
    assert_eq!(said.contains("without Landlock"), !in_kernel, "{said}");
    // A line that lacks the program is refused, not run unbound.
    assert_eq!(confined(&[WORK], "exit 0").status.code(), Some(0));
    #[expect(clippy::disallowed_methods, reason = "our own program")]
    let empty = Command::new(OWN.get().unwrap()).arg("sandbox-guest").output().unwrap();
    assert_eq!(empty.status.code(), Some(127));
}
