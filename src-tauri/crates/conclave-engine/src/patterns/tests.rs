//! Patterns of real fixes in real projects: learned, proposed, dropped, unlearned.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::path::Path;

use conclave_core::project::Project;
use serde_json::json;

use super::*;
use crate::batch::{Consent, fix};
use crate::open::{Options, open};
use crate::{decide, ingest, project};

const WEAK: &str = "import requests\n\n\ndef read(url):\n    return requests.get(url, verify=False)\n";

/// A log in which a scanner reports line 5 of each of `files`, with its own fix for the first `fixed`.
fn log(files: &[&str], fixed: usize) -> String {
    let results: Vec<serde_json::Value> = files
        .iter()
        .enumerate()
        .map(|(nth, file)| {
            let region = json!({ "startLine": 5, "startColumn": 30, "endLine": 5, "endColumn": 42 });
            let fixes = json!([{ "artifactChanges": [{
                "artifactLocation": { "uri": file },
                "replacements": [{ "deletedRegion": region, "insertedContent": { "text": "verify=True" } }]
            }] }]);
            let mut result = json!({
                "ruleId": "own/no-verify", "message": { "text": "the certificate is not checked" }, "level": "error",
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": file }, "region": region } }]
            });
            if nth < fixed {
                result["fixes"] = fixes;
            }
            result
        })
        .collect();
    json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "Looker" } }, "results": results }] })
        .to_string()
}

async fn ground(folder: &Path, files: &[&str], fixed: usize) -> (Ctx, Project, Vec<FindingId>) {
    let root = folder.join("shop");
    fs::create_dir(&root).unwrap();
    for file in files {
        fs::write(root.join(file), WEAK).unwrap();
    }
    let (cx, _) = open(&Options { data_dir: folder.join("data"), offline: true }).unwrap();
    let project = project::add(&cx, &root, false).unwrap();
    let path = folder.join("log.sarif");
    fs::write(&path, log(files, fixed)).unwrap();
    let scanned = ingest::import(&cx, &project, path).await.unwrap();
    let findings = scanned.into_iter().flat_map(|scanned| scanned.findings).collect();
    (cx, project, findings)
}

/// The seat of the patterns in the resolution of `finding`.
fn proposed(cx: &Ctx, finding: &FindingId) -> Vec<String> {
    let resolution = cx.store.resolution(finding).unwrap().unwrap();
    let seats = resolution.seats.iter().filter(|seat| seat.name == SEAT);
    let candidates = seats.flat_map(|seat| &seat.drafts).filter_map(|draft| match draft {
        Draft::Proposed { candidate } => Some(candidate.title.clone()),
        _ => None,
    });
    candidates.collect()
}

#[tokio::test]
async fn an_accepted_fix_is_proposed_for_the_same_weakness_until_it_is_dropped_or_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let (cx, project, findings) = ground(folder.path(), &["a.py", "b.py"], 1).await;
    fix(&cx, &findings[..1], Consent::Nothing, 1).await.unwrap();
    let scanner_fix = cx.store.resolution(&findings[0]).unwrap().unwrap().verdicts[0].judged.candidate.id.clone();
    decide::apply_fix(&cx, &findings[0], Some(&scanner_fix)).await.unwrap();

    let patterns = known(&cx, "", None).unwrap();
    assert_eq!(patterns.len(), 1);
    let (before, after) = patterns[0].learned.shown();
    assert_eq!((before.as_str(), after.as_str()), ("requests.get($A, verify=False)", "requests.get($A, verify=True)"));

    fix(&cx, &findings[1..], Consent::Nothing, 1).await.unwrap();
    assert_eq!(
        proposed(&cx, &findings[1]),
        ["Rewrite `requests.get($A, verify=False)` as `requests.get($A, verify=True)`"]
    );

    // What is left with the same code is a hint.
    let sources = Sources::open(&cx, project.root.as_ref()).await.unwrap();
    let finding = cx.store.finding(&findings[0]).unwrap().unwrap().finding;
    let hints = elsewhere(&cx, &finding, &sources).unwrap();
    assert_eq!(hints.iter().map(|hint| (hint.path.as_str(), hint.lines)).collect::<Vec<_>>(), [("b.py", (5, 5))]);
    assert!(known(&cx, "another", None).unwrap().is_empty(), "nothing crosses");

    cx.store.drop_pattern("", &patterns[0].id, 1).unwrap();
    fix(&cx, &findings[1..], Consent::Nothing, 1).await.unwrap();
    assert!(proposed(&cx, &findings[1]).is_empty());
}

#[tokio::test]
async fn a_fix_that_was_taken_back_teaches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (cx, _, findings) = ground(folder.path(), &["a.py"], 1).await;
    fix(&cx, &findings, Consent::Nothing, 1).await.unwrap();
    let fix = cx.store.resolution(&findings[0]).unwrap().unwrap().verdicts[0].judged.candidate.id.clone();
    decide::apply_fix(&cx, &findings[0], Some(&fix)).await.unwrap();
    assert_eq!(known(&cx, "", None).unwrap().len(), 1);
    decide::undo_fix(&cx, &findings[0]).await.unwrap();
    assert!(known(&cx, "", None).unwrap().is_empty());
}
