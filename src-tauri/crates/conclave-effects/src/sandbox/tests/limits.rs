//! What a program may use up, and that nothing of it outlives its run.

use std::fs;
use std::time::Duration;

use super::super::{Exit, Limits, RunCommand, run};
use super::{Arena, LIMITS};
use crate::gate::tests::permit;

fn within(wall_ms: u64) -> Limits {
    Limits { wall: Duration::from_millis(wall_ms), ..LIMITS }
}

#[tokio::test]
async fn a_program_that_does_not_end_is_ended_with_everything_it_started() {
    let Some(arena) = Arena::new() else { return };
    let scripts = [
        "exec 9>line; echo up >&9; sleep 98765",
        "exec 9>line; echo up >&9; while :; do :; done",
        "exec 9>line; echo up >&9; trap '' TERM INT HUP; while :; do sleep 98765; done",
        "exec 9>line; echo up >&9; (setsid sleep 98765 >/dev/null 2>&1 &) ; cat /dev/zero",
        "exec 9>line; echo up >&9; b() { b | b & }; b; sleep 98765",
        "exec 9>line; echo up >&9; kill -STOP $$; sleep 98765",
    ];
    for script in scripts {
        let line = arena.line();
        let command = RunCommand { limits: within(700), ..arena.command(&["sh", "-c", script]) };
        let report = run(permit(command).await).await.unwrap();
        assert_eq!(report.status, Exit::TimedOut, "{script}: {report:?}");
        assert_eq!(line.hung_up().as_deref(), Some("up\n"), "{script}");
        fs::remove_file(arena.at("tree/line")).unwrap();
    }
}

#[tokio::test]
async fn what_a_program_left_running_ends_with_it() {
    let Some(arena) = Arena::new() else { return };
    let scripts = [
        "exec 9>line; echo up >&9; setsid sleep 98765 >/dev/null 2>&1 & exit 4",
        "exec 9>line; echo up >&9; setsid sleep 98765 & exit 4",
        "exec 9>line; echo up >&9; (trap '' HUP TERM; sleep 98765; echo late >&9) & exit 4",
    ];
    for script in scripts {
        let line = arena.line();
        let report = arena.shell(script).await;
        assert_eq!(report.status, Exit::Code(4), "{script}");
        assert_eq!(line.hung_up().as_deref(), Some("up\n"), "{script}");
        fs::remove_file(arena.at("tree/line")).unwrap();
    }
}

#[tokio::test]
async fn a_run_that_is_given_up_ends_its_program() {
    let Some(arena) = Arena::new() else { return };
    let line = arena.line();
    let permit =
        permit(arena.command(&["sh", "-c", "exec 9>line; echo up >&9; setsid sleep 98765 & sleep 98765"])).await;
    tokio::select! {
        report = run(permit) => panic!("{report:?}"),
        () = line.wait_for_start() => {}
    }
    line.wait_for_end().await;
}

#[tokio::test]
async fn processes_are_limited() {
    let Some(arena) = Arena::new() else { return };
    // Each child holds the line; their number is what they wrote.
    let line = arena.line();
    let script = "exec 9>line; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (echo . >&9; sleep 98765) & done; wait";
    let limits = Limits { processes: 8, ..within(1500) };
    let report = run(permit(RunCommand { limits, ..arena.command(&["sh", "-c", script]) }).await).await.unwrap();
    let started = line.hung_up().unwrap().lines().count();
    assert!((1..=8).contains(&started), "{started} of 20, {report:?}");
}

#[tokio::test]
async fn memory_and_files_are_limited() {
    let Some(arena) = Arena::new() else { return };
    let limits = Limits { memory_bytes: 512 << 20, ..LIMITS };
    let command = |script: &str| RunCommand { limits, ..arena.command(&["sh", "-c", script]) };
    let cases = [
        "python3 -c 'bytearray(1 << 30)'",
        "head -c 2000000 /dev/zero > /scratch/large",
        "for i in 1 2 3; do head -c 500000 /dev/zero > /tmp/$i || exit 1; done",
        "for i in 1 2 3; do head -c 500000 /dev/zero > $HOME/$i || exit 1; done",
        "head -c 200000000 /dev/zero > /dev/shm/large",
    ];
    for script in cases {
        let report = run(permit(command(script)).await).await.unwrap();
        assert!(!matches!(report.status, Exit::Code(0) | Exit::TimedOut), "{script}: {report:?}");
    }
    assert!(fs::metadata(arena.at("tree/large")).unwrap().len() <= LIMITS.file_bytes);
    let report = run(permit(command("head -c 900000 /dev/zero > /scratch/fits")).await).await.unwrap();
    assert_eq!(report.status, Exit::Code(0), "{report:?}");
}

#[tokio::test]
async fn of_an_endless_output_the_beginning_and_the_end_are_kept() {
    let Some(arena) = Arena::new() else { return };
    let limits = Limits { output_bytes: 1000, ..LIMITS };
    let script = "echo first; head -c 5000000 /dev/zero; echo last; echo error >&2";
    let report = run(permit(RunCommand { limits, ..arena.command(&["sh", "-c", script]) }).await).await.unwrap();
    assert!(report.truncated && report.stdout.len() < 1100, "{}", report.stdout.len());
    assert!(report.stdout.starts_with(b"first\n") && report.stdout.ends_with(b"last\n"));
    assert_eq!(report.stderr, b"error\n");
    let endless = RunCommand { limits: Limits { output_bytes: 1000, ..within(300) }, ..arena.command(&["yes"]) };
    let report = run(permit(endless).await).await.unwrap();
    assert!(report.status == Exit::TimedOut && report.truncated && report.stdout.len() < 1100);
}

#[tokio::test]
async fn many_files_and_many_processes_are_limited_together() {
    let Some(arena) = Arena::new() else { return };
    let many =
        "i=0; while :; do i=$((i+1)); mkdir -p d$((i/9)); head -c 1000000 /dev/zero > d$((i/9))/$i || exit 1; done";
    let deep = "while :; do mkdir d && cd d || exit 1; done";
    let hold = "import time\nb=bytearray(60<<20)\nb[::4096]=b[::4096]\ntime.sleep(9)";
    let together = format!("for i in 1 2 3 4 5 6 7 8; do python3 -c '{hold}' & done; wait");
    let cases = [
        (many, LIMITS, Exit::Signal(25), "the copy grew by more than 16 MiB"),
        (deep, LIMITS, Exit::Signal(25), "the copy grew by more than 16 MiB"),
        (&together, Limits { memory_bytes: 256 << 20, ..LIMITS }, Exit::Signal(9), "more than 256 MiB of memory"),
    ];
    for (script, limits, expect, reason) in cases {
        let report = run(permit(RunCommand { limits, ..arena.command(&["sh", "-c", script]) }).await).await.unwrap();
        let said = String::from_utf8_lossy(&report.stderr);
        assert_eq!(report.status, expect, "{script}: {said}");
        assert!(said.contains(reason), "{script}: {said}");
    }
    let fits = "for i in 1 2 3 4 5 6 7 8; do head -c 900000 /dev/zero > fits-$i; done; sleep 1";
    fs::remove_dir_all(arena.at("tree")).unwrap();
    let arena = Arena::new().unwrap();
    assert_eq!(arena.shell(fits).await.status, Exit::Code(0));
}
