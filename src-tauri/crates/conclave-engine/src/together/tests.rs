//! Fixes of several findings over real files: one change, one way back, and what does not go together is left out.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_core::finding::Status;
use conclave_core::project::Project;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::decide::undo_fix;
use crate::open::{Options, open};
use crate::queue::run_job;
use crate::{ingest, project, scan};

struct Ground {
    folder: TempDir,
    cx: Ctx,
    project: Project,
}

impl Ground {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).unwrap();
        let root = folder.path().join("shop");
        fs::create_dir(&root).unwrap();
        for (name, text) in files {
            fs::write(root.join(name), text).unwrap();
        }
        let project = project::add(&cx, &root, false).unwrap();
        Self { folder, cx, project }
    }

    /// The findings of a log in which a tool reports each place of `a.py` that `fixes` name, with what it would put there.
    async fn reported(&self, fixes: &[(&str, &str)]) -> Vec<FindingId> {
        let text = self.text("a.py");
        let result = |(n, (old, new)): (usize, &(&str, &str))| -> Value {
            let start = text.find(old).expect("it stands there");
            let line = text[..start].matches('\n').count() + 1;
            let column = start - text[..start].rfind('\n').map_or(0, |newline| newline + 1) + 1;
            let region = json!({ "startLine": line, "startColumn": column, "endColumn": column + old.len() });
            let place = json!({ "uri": "a.py" });
            json!({
                "ruleId": format!("rule-{n}"), "level": "error", "message": { "text": "This is weak." },
                "locations": [{ "physicalLocation": { "artifactLocation": place, "region": region } }],
                "fixes": [{ "description": { "text": format!("Fix {n}") }, "artifactChanges": [{
                    "artifactLocation": place,
                    "replacements": [{ "deletedRegion": region, "insertedContent": { "text": new } }] }] }],
            })
        };
        let results: Vec<Value> = fixes.iter().enumerate().map(result).collect();
        let run = json!({ "tool": { "driver": { "name": "Stranger" } }, "results": results,
            "invocations": [{ "executionSuccessful": true }] });
        let log = self.folder.path().join("log.sarif");
        fs::write(&log, json!({ "version": "2.1.0", "runs": [run] }).to_string()).unwrap();
        let imported = ingest::import(&self.cx, &self.project, log).await.unwrap();
        self.run(imported.into_iter().flat_map(|scan| scan.findings).collect()).await
    }

    /// Applies the first fix of each of `findings`, recommended or not: nobody here can run the tool that reported them.
    async fn apply_first(&self, findings: &[FindingId]) -> Vec<End> {
        let first = |id: &FindingId| {
            let resolution = self.cx.store.resolution(id).unwrap();
            resolution.and_then(|resolution| Some(resolution.verdicts.first()?.judged.candidate.id.clone()))
        };
        let wanted: Vec<Wanted> = findings.iter().map(|id| (id.clone(), first(id))).collect();
        apply_fixes(&self.cx, &wanted).await
    }

    /// What Conclave's own detectors find.
    async fn scanned(&self) -> Vec<FindingId> {
        self.run(scan::scan(&self.cx, &self.project, None).await.unwrap().findings).await
    }

    /// The same, after a run of each.
    async fn run(&self, findings: Vec<FindingId>) -> Vec<FindingId> {
        for finding in &findings {
            let job = self.cx.store.begin_run(finding, true, 0).unwrap();
            run_job(&self.cx, job).await.unwrap().1.unwrap();
        }
        findings
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("shop").join(name)).unwrap()
    }

    fn statuses(&self, findings: &[FindingId]) -> Vec<Status> {
        findings.iter().map(|id| self.cx.store.finding(id).unwrap().unwrap().status).collect()
    }
}

const SHOP: &str =
    "import os\n\n\ndef page(name):\n    return \"<b>\" + name\n\n\ndef key(name):\n    return md5(name)\n";

fn why(end: &End) -> String {
    end.as_ref().expect_err("it was left out").to_string()
}

#[tokio::test]
async fn fixes_of_one_file_are_one_change_with_one_way_back() {
    let weak = "import random\nimport yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n\n\ndef token(n):\n    \
                return \"\".join(random.choice(\"abc\") for _ in range(n))\n\n\ndef again(stream):\n    return yaml.load(stream)\n";
    let ground = Ground::new(&[("a.py", weak), ("b.py", "import yaml\n\n\ndef f(s):\n    return yaml.load(s)\n")]);
    let found = ground.scanned().await;
    assert_eq!(found.len(), 4);
    let ends = ground.apply_first(&found).await;
    let applied: Vec<_> = ends.into_iter().map(|end| end.unwrap().1).collect();
    let intents: BTreeSet<i64> = applied.iter().map(|applied| applied.intent).collect();
    assert_eq!((intents.len(), ground.statuses(&found)), (2, vec![Status::Fixed; 4]), "one for each file");
    let fixed = ground.text("a.py");
    assert_eq!(fixed.matches("SafeLoader").count() + fixed.matches("safe_load").count(), 2, "{fixed}");
    assert!(fixed.contains("secrets"), "{fixed}");
    assert!(scan::scan(&ground.cx, &ground.project, None).await.unwrap().findings.is_empty());

    let of_a = |id: &&FindingId| {
        let stored = ground.cx.store.finding(id).unwrap().unwrap();
        stored.finding.detection.location.unwrap().path.as_str() == "a.py"
    };
    let of_a: Vec<FindingId> = found.iter().filter(of_a).cloned().collect();
    let undone = undo_fix(&ground.cx, &of_a[1]).await.unwrap();
    assert_eq!(undone.with.into_iter().collect::<BTreeSet<_>>(), [of_a[0].clone(), of_a[2].clone()].into());
    assert_eq!((ground.text("a.py").as_str(), ground.statuses(&of_a)), (weak, vec![Status::FixReady; 3]));
    assert!(matches!(undo_fix(&ground.cx, &of_a[0]).await, Err(DecideError::Apply(ApplyError::NotApplied(_)))));
}

#[tokio::test]
async fn of_two_fixes_of_one_place_one_is_left_out_and_names_the_other() {
    let ground = Ground::new(&[("a.py", SHOP)]);
    let found = ground.reported(&[("md5", "sha256"), ("md5(", "blake2b("), ("\"<b>\"", "\"<i>\"")]).await;
    let ends = ground.apply_first(&found).await;
    let left = ends.iter().position(Result::is_err).expect("one of the first two");
    assert!(left < 2 && ends.iter().filter(|end| end.is_ok()).count() == 2, "{ends:?}");
    let other = 1 - left;
    let expect = format!("it changes line 9 of `a.py` otherwise than `Fix {other}` does");
    assert!(why(&ends[left]).contains(&expect), "{}", why(&ends[left]));
    let fixed = SHOP.replace("md5", ["sha256", "blake2b"][other]).replace("<b>", "<i>");
    assert_eq!(ground.text("a.py"), fixed);
}

#[tokio::test]
async fn the_order_in_which_fixes_are_asked_for_is_nothing() {
    let ground = Ground::new(&[("a.py", SHOP)]);
    let mut found = ground.reported(&[("md5", "sha256"), ("md5(", "blake2b("), ("\"<b>\"", "\"<i>\"")]).await;
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let ends = ground.apply_first(&found).await;
        let written = ends.iter().position(Result::is_ok).expect("one was written");
        let left: BTreeSet<String> = ends.iter().filter(|end| end.is_err()).map(why).collect();
        seen.insert((ground.text("a.py"), left));
        undo_fix(&ground.cx, &found[written]).await.unwrap();
        assert_eq!(ground.text("a.py"), SHOP);
        found.rotate_left(1);
    }
    assert_eq!(seen.len(), 1, "{seen:#?}");
}

#[tokio::test]
async fn fixes_that_are_weak_only_together_are_not_written_together() {
    let text =
        "import subprocess\n\n\ndef f(name):\n    title = \"x\"\n    return subprocess.run(\"ls\", shell=False)\n";
    let ground = Ground::new(&[("a.py", text)]);
    let found = ground.reported(&[("\"ls\"", "\"ls \" + name"), ("False", "True"), ("\"x\"", "\"y\"")]).await;
    let ends = ground.apply_first(&found).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 2, "{ends:?}");
    assert!(ends[2].is_ok(), "the third has nothing to do with it: {ends:?}");
    let left = ends.iter().position(Result::is_err).expect("one");
    let said = why(&ends[left]);
    assert!(said.contains("does not go with the other fixes of the same files: Second scanner"), "{said}");
    let after = ground.text("a.py");
    assert!(after.contains("\"y\"") && (after.contains("+ name") != after.contains("True")), "{after}");
    assert_eq!(ground.statuses(&found)[left], Status::NoSafeFix);
}

#[tokio::test]
async fn what_is_wrong_with_one_stops_no_other() {
    let ground = Ground::new(&[("a.py", SHOP)]);
    let found = ground.reported(&[("md5", "sha256"), ("\"<b>\"", "\"<i>\""), ("import os", "import re")]).await;
    assert!(ground.apply_first(&found[..1]).await[0].is_ok());
    let unknown = FindingId::new("nowhere");
    let asked = [found[0].clone(), unknown, found[1].clone(), found[2].clone()];
    let ends = ground.apply_first(&asked).await;
    assert!(matches!(ends[0], Err(DecideError::Already)), "{:?}", ends[0]);
    assert!(matches!(ends[1], Err(DecideError::NoFinding(_))), "{:?}", ends[1]);
    for end in &ends[2..] {
        assert_eq!(why(end), "`a.py` is not the text that the fix was written against");
    }
    assert_eq!(ground.text("a.py"), SHOP.replace("md5", "sha256"));
}

#[test]
fn less_than_one_fix_alone_is_worse() {
    use CheckOutcome::{Error, Fail, Flaky, NotAvailable, NotRun, Pass};
    let seen = |outcomes: &[(Check, CheckOutcome)]| -> Vec<Evidence> {
        outcomes.iter().map(|(check, outcome)| Evidence::new(*check, *outcome, "seen")).collect()
    };
    for (check, was, now, worse) in [
        (Check::Rescan, Pass, Pass, false),
        (Check::Rescan, Pass, Fail, true),
        (Check::Rescan, Pass, NotAvailable, true),
        (Check::Rescan, NotAvailable, Pass, false),
        (Check::Rescan, NotAvailable, Fail, true),
        (Check::Tests, Pass, Flaky, true),
        (Check::Tests, Pass, Error, true),
        (Check::Tests, NotRun, NotRun, false),
        (Check::Tests, Fail, Fail, false),
        (Check::OwnRule, Pass, NotRun, false),
        (Check::OwnRule, Pass, Fail, true),
        (Check::Build, Pass, NotRun, true),
    ] {
        let why = worse_than(&seen(&[(check, was)]), &seen(&[(check, now)]));
        assert_eq!(why.is_some(), worse, "{check:?}: {was:?} to {now:?}");
        assert!(why.is_none_or(|why| why == format!("{}: seen", check.label())));
    }
    assert!(worse_than(&[], &seen(&[(Check::Content, Fail)])).is_some(), "nobody had looked");
    assert!(
        worse_than(&seen(&[(Check::Tests, Pass)]), &[]).is_none(),
        "another finding has the whole project looked at"
    );
}
