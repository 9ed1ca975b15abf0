//! Runs that were cut off: a stored stage counts only for the text that it was made from.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_core::id::ProjectId;
use conclave_core::project::Project;

use super::*;
use crate::open::{Options, open};
use crate::scan;

const VULNERABLE: &str = "import subprocess\n\n\ndef f():\n    subprocess.run('ls -l', shell=True)\n";

/// A run of `f`'s finding that was cut off after its second stage, when the file still was `VULNERABLE`; resumed after
/// the file became `now`.
async fn resumed_with(now: &str) -> (String, Resolution) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("project");
    fs::create_dir(&root).expect("a folder");
    let root = root.canonicalize().expect("it is there");
    fs::write(root.join("a.py"), VULNERABLE).expect("written");
    let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).expect("it opens");
    let name = root.display().to_string();
    let project =
        Project { id: ProjectId::of_root(&name), root: name, name: "p".to_owned(), watched: false, listed: true };
    cx.store.save_project(&project, 0).expect("saved");
    let found = scan::scan(&cx, &project, None).await.expect("scanned");
    let [id] = found.findings.as_slice() else { panic!("{found:?}") };
    let job = cx.store.begin_run(id, true, 0).expect("claimed");
    let first = run_finding(&cx, &job).await.expect("a result");
    let before = first.recommended().expect("a fix").judged.candidate.patch.files[0].base.to_string();

    // The stored stages are all there; that the end was not written is what a kill before it leaves.
    fs::write(root.join("a.py"), now).expect("written");
    let second = run_finding(&cx, &job).await.expect("a result");
    (before, second)
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

#[test]
fn a_resumed_run_keeps_its_stages_only_for_the_same_text() {
    let (before, same) = run(resumed_with(VULNERABLE));
    let candidate = &same.recommended().expect("a fix").judged.candidate;
    assert_eq!(candidate.patch.files[0].base.to_string(), before);

    let moved = format!("# one\n# two\n# three\n{VULNERABLE}");
    let (before, anew) = run(resumed_with(&moved));
    let candidate = &anew.recommended().expect("a fix for the text as it is now").judged.candidate;
    assert_ne!(candidate.patch.files[0].base.to_string(), before);
    let after = candidate.patch.files[0].apply(moved.as_bytes()).expect("it fits");
    assert!(String::from_utf8_lossy(&after).contains("    subprocess.run(['ls', '-l'])"), "{after:?}");
}
