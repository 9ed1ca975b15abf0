//! One sample log a tool, and what it is read as.

use std::path::Path;

use conclave_core::finding::Detection;
use serde_json::{Value, json};

use super::read_bytes;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fixtures/sarif");

/// What matters of a reading, without empty fields.
fn summary(bytes: &[u8]) -> Value {
    let (log, seen) = read_bytes(bytes);
    let run = log.expect("a log").runs.remove(0);
    let words = |list: &[crate::Complaint]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "state": format!("{:?}", run.state),
        "counts": { "results": run.results, "malformed": run.malformed, "suppressed": run.suppressed, "rules": run.rules, "artifacts": run.artifacts },
        "analysed": run.analysed.map(|analysed| json!({ "files": analysed.files, "count": analysed.count })),
        "unread": run.unread.iter().map(|unread| json!([unread.path, unread.reason])).collect::<Vec<_>>(),
        "complaints": words(&run.complaints),
        "detections": seen.iter().map(trimmed).collect::<Vec<_>>(),
    })
}

fn trimmed(detection: &Detection) -> Value {
    let mut value = json!(detection);
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !matches!(value, Value::Null | Value::Bool(false)) && value != &json!([]));
    }
    value
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads its samples")]
fn every_sample_is_read_as_it_was() {
    let mut tools = Vec::new();
    for tool in std::fs::read_dir(Path::new(SAMPLES)).expect("the samples") {
        let tool = tool.expect("a tool").path();
        let name = |path: &Path| path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        for sample in std::fs::read_dir(&tool).expect("a folder") {
            let sample = sample.expect("a sample").path();
            let bytes = std::fs::read(&sample).expect("a sample");
            insta::assert_json_snapshot!(format!("{}-{}", name(&tool), name(&sample)), summary(&bytes));
        }
        tools.push(name(&tool));
    }
    tools.sort();
    assert_eq!(tools, ["bandit", "codeql", "mobsfscan", "ruff", "semgrep"]);
}
