//! Build and tests of a real project, from the finding to the evidence. Where no sandbox can be built the tests say so
//! and end.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::path::{Path, PathBuf};

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::id::ProjectId;
use conclave_core::project::Project;
use conclave_effects::sandbox::probe;

use crate::ctx::Ctx;
use crate::open::{Options, open};
use crate::run::run_finding;
use crate::runner::consent::{self, Word};
use crate::{demo, scan};

const CODE: &str = "import subprocess\n\n\ndef f():\n    return subprocess.run('echo hello', shell=True, capture_output=True).stdout\n";

struct Ground {
    folder: tempfile::TempDir,
    root: PathBuf,
    cx: Ctx,
}

impl Ground {
    /// A project with [`CODE`] in `a.py` and these tests; `None`, with the reason printed, where nothing can run.
    fn new(tests: &str) -> Option<Self> {
        if let Err(error) = probe() {
            println!("skipped: {error}");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("it is there").join("project");
        fs::create_dir_all(root.join("tests")).expect("a folder");
        fs::write(root.join("a.py"), CODE).expect("written");
        fs::write(root.join("tests/test_a.py"), format!("import unittest\n\nimport a\n\n\n{tests}")).expect("written");
        let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).expect("it opens");
        Some(Self { folder, root, cx })
    }

    async fn agree(&self, word: Word) {
        consent::save(&self.cx, &self.root, &word).await.expect("it is kept");
    }

    /// What the checks say of the recommended fix.
    async fn evidence(&self) -> [Evidence; 2] {
        let name = self.root.display().to_string();
        let project =
            Project { id: ProjectId::of_root(&name), root: name, name: "p".to_owned(), watched: false, listed: true };
        self.cx.store.save_project(&project, 0).expect("saved");
        let found = scan::scan(&self.cx, &project, None).await.expect("scanned");
        let [id] = found.findings.as_slice() else { panic!("{found:?}") };
        let job = self.cx.store.begin_run(id, true, 0).expect("claimed");
        let resolution = run_finding(&self.cx, &job).await.expect("a result");
        let verdict = resolution.verdicts.first().expect("a fix");
        [Check::Build, Check::Tests].map(|check| {
            verdict.judged.evidence.iter().find(|evidence| evidence.check == check).expect("it looked").clone()
        })
    }

    async fn evidence_with(&self, word: Word) -> [Evidence; 2] {
        self.agree(word).await;
        self.evidence().await
    }
}

fn agreed() -> Word {
    Word { agreed: Some(true), ..Word::default() }
}

const GOOD: &str = "class A(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(a.f(), b'hello\\n')\n";

#[tokio::test]
async fn nothing_of_a_project_runs_without_the_person_s_word() {
    let Some(ground) = Ground::new(GOOD) else { return };
    // What the project says about itself is no word of the person's.
    fs::write(ground.root.join("settings.json"), r#"{ "commands": { ".": { "agreed": true } } }"#).expect("written");
    for evidence in ground.evidence().await {
        assert_eq!(evidence.outcome, CheckOutcome::NotRun, "{}", evidence.summary);
        assert!(evidence.summary.starts_with("not run: you have not agreed that the "), "{}", evidence.summary);
        assert!(evidence.command.is_none() && evidence.log.is_none());
    }
}

#[tokio::test]
async fn a_good_fix_builds_and_passes_the_tests_that_reach_it() {
    let Some(ground) = Ground::new(GOOD) else { return };
    let [build, tests] = ground.evidence_with(agreed()).await;
    assert_eq!((build.outcome, build.summary.as_str()), (CheckOutcome::Pass, "it builds as before"));
    assert_eq!(
        (tests.outcome, tests.summary.as_str(), tests.weaker),
        (CheckOutcome::Pass, "the one test still passes", false)
    );
    let command = tests.command.expect("a command");
    assert!(command.contains("unittest_ids.py"), "{command}");
    assert_eq!(fs::read_to_string(ground.root.join("a.py")).expect("there"), CODE, "the project stays as it is");
    assert!(!ground.root.join("__pycache__").exists() && !ground.root.join(".conclave-run").exists());
}

#[tokio::test]
async fn tests_that_do_not_reach_the_change_say_less() {
    let others = "class A(unittest.TestCase):\n    def test_other(self):\n        self.assertTrue(True)\n";
    let Some(ground) = Ground::new(others) else { return };
    fs::write(ground.root.join("tests/test_a.py"), format!("import unittest\n\n\n{others}")).expect("written");
    let [_, tests] = ground.evidence_with(agreed()).await;
    assert_eq!((tests.outcome, tests.weaker), (CheckOutcome::Pass, true), "{}", tests.summary);
}

#[tokio::test]
async fn a_test_that_the_fix_breaks_is_a_failure_and_one_that_always_fails_is_not() {
    let strict = "class A(unittest.TestCase):\n    def test_shell(self):\n        self.assertIn('shell=True', open('a.py').read())\n\n    \
        def test_wrong(self):\n        self.assertEqual(a.f(), b'bye')\n\n    def test_right(self):\n        self.assertTrue(a.f())\n";
    let Some(ground) = Ground::new(strict) else { return };
    let [build, tests] = ground.evidence_with(agreed()).await;
    assert_eq!(build.outcome, CheckOutcome::Pass, "{}", build.summary);
    assert_eq!(tests.outcome, CheckOutcome::Fail, "{}", tests.summary);
    let expect = "1 of 2 tests that pass without the fix got worse: `test_a.A.test_shell` fails with it";
    assert_eq!(tests.summary, expect);
}

#[tokio::test]
async fn tests_that_cannot_run_are_not_available_and_say_what_is_missing() {
    let missing = "import nothing_of_that_name\n\n\nclass A(unittest.TestCase):\n    def test_f(self):\n        pass\n";
    let Some(ground) = Ground::new(missing) else { return };
    let [_, tests] = ground.evidence_with(agreed()).await;
    assert_eq!(tests.outcome, CheckOutcome::NotAvailable, "{}", tests.summary);
    assert!(tests.summary.contains("No module named 'nothing_of_that_name'"), "{}", tests.summary);
}

#[tokio::test]
async fn a_command_that_says_passed_without_a_report_is_no_pass() {
    let forged = "sh -c 'echo \"<testsuite><testcase name=\\\"a\\\"/></testsuite>\" > {report}; exit 1'";
    for (line, why) in [
        ("sh -c 'echo 5 passed'", "leaves no report that can be read"),
        ("sh -c 'echo 5 passed > {report}'", "its report breaks off"),
        ("sh -c 'echo 5 passed {report}'", "no test ran: 5 passed"),
        // A report that is right and an exit status that is not.
        (forged, "end with status 1 although none of them fails"),
    ] {
        let Some(ground) = Ground::new(GOOD) else { return };
        let test = Some(Some(consent::split(line).expect("words")));
        let [_, tests] = ground.evidence_with(Word { test, ..agreed() }).await;
        assert_eq!(tests.outcome, CheckOutcome::NotAvailable, "{line}: {}", tests.summary);
        assert!(tests.summary.replace('`', "").contains(why), "{line}: {}", tests.summary);
    }
}

#[tokio::test]
async fn a_build_that_never_worked_says_nothing_about_a_fix() {
    for (line, outcome, summary) in [
        (
            "sh -c 'echo error: no compiler >&2; exit 3'",
            CheckOutcome::NotAvailable,
            "it does not build without the fix either: `error: no compiler`",
        ),
        ("grep -q shell=True a.py", CheckOutcome::Fail, "it does not build with the fix"),
        ("", CheckOutcome::NotRun, "not run: you have it run no build"),
    ] {
        let Some(ground) = Ground::new(GOOD) else { return };
        let build = Some(Some(consent::split(line).expect("words")));
        let [build, _] = ground.evidence_with(Word { build, test: Some(Some(Vec::new())), ..agreed() }).await;
        assert_eq!((build.outcome, build.summary.as_str()), (outcome, summary), "{line}");
    }
}

#[tokio::test]
async fn the_person_s_word_stands_in_their_settings_and_can_be_taken_back() {
    let Some(ground) = Ground::new(GOOD) else { return };
    let word =
        Word { test: Some(Some(consent::split("python -m unittest 'tests.test_a'").expect("words"))), ..agreed() };
    ground.agree(word).await;
    let text = fs::read_to_string(ground.folder.path().join("data/settings.json")).expect("settings");
    let settings = crate::settings_file::read(&text).expect("they load");
    let kept = settings.commands.get(&ground.root.display().to_string()).expect("it is kept");
    assert_eq!(kept, &consent::commands(&ground.cx, &ground.root));
    assert!(kept.agreed && kept.build.is_none());
    assert_eq!(kept.test.as_deref().map(consent::join).as_deref(), Some("python -m unittest tests.test_a"));
    ground.agree(Word { agreed: Some(false), test: Some(None), ..Word::default() }).await;
    let kept = consent::commands(&ground.cx, &ground.root);
    assert!(!kept.agreed && kept.test.is_none());
    assert!(
        consent::commands(&ground.cx, Path::new("/nowhere")) == conclave_core::settings::ProjectCommands::default()
    );
}

#[tokio::test]
async fn the_bundled_sample_needs_no_word_and_obeys_one() {
    let Some(ground) = Ground::new(GOOD) else { return };
    let project = demo::open(&ground.cx).await.expect("the sample");
    let root = PathBuf::from(&project.root);
    assert!(consent::commands(&ground.cx, &root).agreed);
    let no = Word { agreed: Some(false), ..Word::default() };
    assert!(!consent::save(&ground.cx, &root, &no).await.expect("kept").agreed);
    assert!(!consent::commands(&ground.cx, &root).agreed);
}
