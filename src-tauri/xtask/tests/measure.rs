//! The measuring side of xtask, as the process of its own that it has to be.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// Runs a shell script under measurement; its exit status and its bill.
fn measure(script: &str) -> (Option<i32>, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("cost.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let status = command.arg("measure").arg(&report).args(["sh", "-c", script]).status().unwrap();
    (status.code(), serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap())
}

#[test]
fn a_program_ends_as_it_would_alone() {
    let (code, cost) = measure("exit 7");
    assert_eq!(code, Some(7));
    assert_eq!(cost["code"], 7);
    assert_eq!(measure("kill -9 $$").1["code"], serde_json::Value::Null);
}

#[test]
fn what_a_program_leaves_behind_is_on_its_bill() {
    let hungry = "head -c 60000000 /dev/zero | tail -c 60000000 >/dev/null";
    for script in [hungry.to_owned(), format!("( ( {hungry} ) & )")] {
        let (_, cost) = measure(&script);
        assert!(cost["peak_megabytes"].as_f64().unwrap() > 50.0, "{script}: {cost}");
        assert!(cost["cpu_seconds"].as_f64().unwrap() > 0.0, "{script}: {cost}");
    }
    assert!(measure("true").1["peak_megabytes"].as_f64().unwrap() < 50.0);
}
