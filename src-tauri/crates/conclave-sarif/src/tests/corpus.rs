//! Real logs of many tools, read from outside the repository: `CONCLAVE_CORPORA` names the folder that holds
//! `sarif-dev.tar.gz`. Without it the test says that it was skipped.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::read_bytes;

/// One line of the archive's `manifest.jsonl`: what another reader saw.
#[derive(Deserialize)]
struct Entry {
    file: String,
    status: String,
    version: Option<String>,
    #[serde(default)]
    results: u64,
}

#[expect(clippy::disallowed_methods, reason = "a test reads its corpus")]
fn archive() -> Option<Vec<u8>> {
    let folder = PathBuf::from(std::env::var_os("CONCLAVE_CORPORA")?);
    Some(std::fs::read(folder.join("sarif-dev.tar.gz")).expect("`sarif-dev.tar.gz` in CONCLAVE_CORPORA"))
}

#[test]
fn every_real_log_of_this_version_is_read() {
    let Some(archive) = archive() else {
        println!("skipped: CONCLAVE_CORPORA is not set");
        return;
    };
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut tar = tar::Archive::new(GzDecoder::new(Cursor::new(archive)));
    for entry in tar.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").to_string_lossy().trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("a file");
        files.insert(path, bytes);
    }
    let manifest = String::from_utf8(files["manifest.jsonl"].clone()).expect("UTF-8");
    let (mut read, mut refused, mut missed) = (0, 0, Vec::new());
    for line in manifest.lines() {
        let entry: Entry = serde_json::from_str(line).expect("an entry");
        let (log, seen) = read_bytes(&files[&entry.file]);
        match log {
            Ok(log) => {
                read += 1;
                let malformed: u64 = log.runs.iter().map(|run| u64::from(run.malformed)).sum();
                let handed_on: u64 = log.runs.iter().map(|run| u64::from(run.results)).sum();
                assert_eq!(handed_on, seen.len() as u64, "{}", entry.file);
                // Some tools' results are several detections each, none is less than one.
                if handed_on + malformed < entry.results || malformed > 0 {
                    missed.push(format!("{}: {handed_on} of {}, {malformed} malformed", entry.file, entry.results));
                }
            }
            Err(reason) => {
                refused += 1;
                if entry.status == "ok" && entry.version.as_deref() == Some("2.1.0") {
                    missed.push(format!("{}: {reason}", entry.file));
                }
            }
        }
    }
    println!("{read} logs read, {refused} refused");
    assert_eq!(missed, Vec::<String>::new());
    assert!(read > 600);
}
