//! A training set from a real project.

#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the file from outside, and stand in for the person's editor"
)]

use std::fs;
use std::path::PathBuf;

use conclave_core::patch::splice;
use serde_json::{Value, json};

use super::*;
use crate::learn::tests::{Ground, WEAK};
use crate::{decide, models};

const ALLOWED: &str = r#"{"learning": {"may_export": true}}"#;

fn line(example: &Example) -> Result<String, serde_json::Error> {
    let piece = |piece: &Piece| {
        json!({ "before": piece.before, "after": piece.after, "edits": piece.edits, "path": piece.path,
                "extension": piece.extension, "line": piece.first_line })
    };
    let pieces: Vec<Value> = example.pieces.iter().map(piece).collect();
    serde_json::to_string(&json!({ "cwe": example.cwe, "rule": example.rule, "language": example.language,
        "pieces": pieces, "passed": example.passed, "weight": example.label.weight, "redactions": example.redactions }))
}

fn target(ground: &Ground) -> PathBuf {
    ground.folder.path().join("set.jsonl")
}

async fn exported(ground: &Ground, client: &str, paths: bool) -> Result<Exported, TrainingError> {
    export(&ground.cx, &target(ground), Wanted { client: client.to_owned(), paths }, line).await
}

fn settings(ground: &Ground, text: &str) {
    let text = text.replace("{root}", &ground.project.root);
    fs::write(ground.folder.path().join("data/settings.json"), text).unwrap();
    assert!(models::reload(&ground.cx));
}

#[tokio::test]
async fn accepted_fixes_are_written_out_on_request_without_names_or_secrets() {
    let key = format!("ghp_{}", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5");
    let secret = WEAK.replace("    return", &format!("    token = \"{key}\"\n    return"));
    let files = [("a.py", WEAK), ("b.py", secret.as_str()), ("c.py", WEAK)];
    let ground = Ground::with(&files, "{}").await;
    ground.fix().await;
    decide::undo_fix(&ground.cx, &ground.found[2]).await.unwrap();

    let refused = exported(&ground, "", false).await.unwrap_err();
    assert!(matches!(refused, TrainingError::NotAllowed(_)) && refused.to_string().contains("`learning.may_export`"));
    assert!(!target(&ground).exists());

    settings(&ground, ALLOWED);
    let done = exported(&ground, "", false).await.unwrap();
    assert_eq!((done.rows, done.redactions, done.left_out.len()), (2, 2, 0), "one was taken back: {done:?}");
    let text = fs::read_to_string(target(&ground)).unwrap();
    for word in [key.as_str(), "a.py", "b.py", "shop", &ground.project.root] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!((&row["cwe"][0], &row["language"], &row["weight"]), (&json!(502), &json!("python"), &json!(0.5)));
        assert!(row["passed"].as_array().unwrap().contains(&json!("parses")), "{row}");
        let [piece] = row["pieces"].as_array().unwrap().as_slice() else { panic!("{row}") };
        assert_eq!((&piece["extension"], &piece["line"], &piece["path"]), (&json!("py"), &json!(4), &Value::Null));
        let (before, after) = (piece["before"].as_str().unwrap(), piece["after"].as_str().unwrap());
        assert!(before.contains("yaml.load(") && after.contains("SafeLoader"), "{row}");
        let edits: Vec<conclave_core::patch::Edit> = serde_json::from_value(piece["edits"].clone()).unwrap();
        assert_eq!(splice(before.as_bytes(), &edits).unwrap(), after.as_bytes());
    }
    assert!(rows[1]["redactions"] == 2 && rows[1].to_string().contains("[redacted: "), "{}", rows[1]);

    let mut decided = 0;
    let all = ground.cx.store.export_ledger(|line| -> Result<(), StoreError> {
        decided += usize::from(line.contains("\"write_file\"") && line.contains("set.jsonl"));
        Ok(())
    });
    all.unwrap();
    assert_eq!(decided, 1, "writing it was a decision");

    exported(&ground, "", true).await.unwrap();
    let text = fs::read_to_string(target(&ground)).unwrap();
    assert!(text.contains("\"a.py\"") && !text.contains(&ground.project.root), "{text}");
}

#[tokio::test]
async fn what_is_excluded_or_another_clients_is_not_written_out() {
    let ground = Ground::new(&["a.py"], ALLOWED).await;
    ground.fix().await;
    let client = |more: &str| {
        format!(r#"{{"learning": {{"may_export": true}}, "clients": {{"acme": {{"projects": ["{{root}}"]{more}}}}}}}"#)
    };
    for more in ["", r#", "excluded": true"#] {
        settings(&ground, &client(more));
        let done = exported(&ground, "", false).await.unwrap();
        assert_eq!((done.rows, done.left_out.get(&LeftOut::Project)), (0, Some(&1)), "{more}");
    }
    assert!(matches!(exported(&ground, "acme", false).await, Err(TrainingError::Off(_))));
    assert!(matches!(exported(&ground, "globex", false).await, Err(TrainingError::NoClient(_))));
    settings(&ground, r#"{"learning": {"may_export": true, "on": false}}"#);
    assert!(matches!(exported(&ground, "", false).await, Err(TrainingError::Off(_))));
    assert!(!target(&ground).exists(), "there is no file with nothing in it");
}

#[tokio::test]
async fn a_fix_whose_text_is_gone_is_left_out_and_counted() {
    let ground = Ground::new(&["a.py", "b.py"], ALLOWED).await;
    ground.fix().await;
    let resolution = ground.cx.store.resolution(&ground.found[0]).unwrap().unwrap();
    let base = &resolution.recommended().unwrap().judged.candidate.patch.files[0].base;
    // Both files were the same.
    fs::remove_file(ground.folder.path().join("data/blobs").join(base.as_str())).unwrap();
    let done = exported(&ground, "", false).await.unwrap();
    assert_eq!((done.rows, done.left_out.get(&LeftOut::Gone)), (0, Some(&2)));
}
