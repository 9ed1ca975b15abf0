//! Runs that were cut off: a stored stage counts only for the text that it was made from.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::path::Path;

use conclave_core::id::ProjectId;
use conclave_core::project::Project;

use super::*;
use crate::open::{Options, open};
use crate::replay::{replay, stages};
use crate::scan;

const VULNERABLE: &str = "import subprocess\n\n\ndef f():\n    subprocess.run('ls -l', shell=True)\n";

/// A run of the finding in `VULNERABLE`, in a project below `folder`, that has not begun.
async fn begun(folder: &Path) -> (Ctx, Job) {
    let root = folder.join("project");
    fs::create_dir(&root).expect("a folder");
    let root = root.canonicalize().expect("it is there");
    fs::write(root.join("a.py"), VULNERABLE).expect("written");
    let (cx, _) = open(&Options { data_dir: folder.join("data"), offline: true }).expect("it opens");
    let name = root.display().to_string();
    let project =
        Project { id: ProjectId::of_root(&name), root: name, name: "p".to_owned(), watched: false, listed: true };
    cx.store.save_project(&project, 0).expect("saved");
    let found = scan::scan(&cx, &project, None).await.expect("scanned");
    let [id] = found.findings.as_slice() else { panic!("{found:?}") };
    let job = cx.store.begin_run(id, true, 0).expect("claimed");
    (cx, job)
}

/// A run of `f`'s finding that was cut off after its second stage, when the file still was `VULNERABLE`; resumed after
/// the file became `now`.
async fn resumed_with(now: &str) -> (String, Resolution) {
    let folder = tempfile::tempdir().expect("a folder");
    let (cx, job) = begun(folder.path()).await;
    let root = folder.path().join("project");
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

#[test]
fn proposing_and_checking_have_a_clock_each() {
    let folder = tempfile::tempdir().expect("a folder");
    run(async {
        let (cx, job) = begun(folder.path()).await;
        let plan = RunPlan::for_severity(conclave_core::finding::Severity::Critical, &cx.settings());
        assert_eq!((plan.tier.analysis_s, plan.check_s), (120, cx.settings().check_timeout_s), "each has its limit");
        // What each stage took, as if checking had taken longer than the whole time for proposing.
        run_finding(&cx, &job).await.expect("a result");
        let took = [
            (Stage::Propose, 1_000),
            (Stage::ProposeAgain, 20),
            (Stage::Verify, 300_000),
            (Stage::VerifyAgain, 4_000),
            (Stage::VerifyMerged, 500),
        ];
        for (stage, took_ms) in took {
            let text = cx.store.stage(&job.run, stage_name(stage)).expect("stored").expect("it ran");
            let mut stored: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            stored[1][1] = took_ms.into();
            cx.store.save_stage(&job.run, stage_name(stage), &stored.to_string()).expect("saved");
        }
        let again = run_finding(&cx, &job).await.expect("a result");
        assert_eq!((again.analysis_ms, again.verification_ms), (1_020, 304_500));
        assert!(again.recommended().is_some(), "the time for proposing does not end the checks");
    });
}

#[test]
fn a_conclusion_comes_out_the_same_to_the_byte_and_a_changed_one_is_found_out() {
    let folder = tempfile::tempdir().expect("a folder");
    run(async {
        let (cx, job) = begun(folder.path()).await;
        let first = run_finding(&cx, &job).await.expect("a result");
        let again = replay(&cx.store, &job.run).expect("stored").expect("whole");
        assert!(again.same && again.resolution == first, "{again:?}");
        assert_eq!(replay(&cx.store, &RunId::new("no-1")).expect("stored"), None);
        let known: Vec<Stage> =
            stages(&cx.store, &job.run).expect("stored").into_iter().map(|(stage, _)| stage).collect();
        let in_order = [
            Stage::Gather,
            Stage::Propose,
            Stage::Verify,
            Stage::ProposeAgain,
            Stage::VerifyAgain,
            Stage::Judge,
            Stage::Synthesise,
            Stage::VerifyMerged,
        ];
        assert_eq!(known, in_order);
        assert_eq!(stages(&cx.store, &RunId::new("no-1")).expect("stored"), []);

        let mut changed = first.clone();
        changed.verdicts[0].confidence.p = 0.99;
        cx.store.save_resolution(&changed, Status::FixReady, "", None, 0).expect("saved");
        let again = replay(&cx.store, &job.run).expect("stored").expect("whole");
        assert!(!again.same && again.resolution == first);
    });
}
