//! Ends of steps, and real runners on real projects in the sandbox. Where a program or the sandbox is missing the tests
//! say so and end.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_effects::sandbox::probe;

use super::*;
use crate::open::{Options, open};
use crate::runner::report::Ending;
use crate::runner::{Folder, step};

#[test]
fn only_a_report_says_that_tests_ran() {
    let junit = "<testsuites><testsuite name='s'><testcase name='a'/></testsuite></testsuites>";
    let of = |status, stdout: &str, report: &str| {
        let step = Step::new(["pytest"]).reporting(Place::File, super::super::report::junit);
        let report_of =
            CommandReport { status, stdout: stdout.into(), stderr: Vec::new(), truncated: false, wall_ms: 7 };
        let printed = Printed { exit: status, stdout: stdout.into(), truncated: false, reports: vec![report.into()] };
        ended(&step, &report_of, &printed).run
    };
    assert!(matches!(of(Exit::Code(0), "", junit), Run::Ran { tests, code: 0, .. } if tests.len() == 1));
    // A report that someone wrote before the program failed is still told from its exit status.
    assert!(matches!(of(Exit::Code(1), "", junit), Run::Ran { code: 1, .. }));
    assert_eq!(of(Exit::Code(0), "5 passed", ""), Run::Nothing("no test ran: `5 passed`".to_owned()));
    assert_eq!(of(Exit::Code(0), junit, ""), Run::Nothing(format!("no test ran: `{junit}`")));
    assert!(matches!(of(Exit::Code(0), "5 passed", "<testsuites>"), Run::Nothing(_)));
    assert_eq!(of(Exit::Signal(9), "", junit), Run::Killed(9));
    assert_eq!(of(Exit::TimedOut, "", junit), Run::TimedOut { limit_ms: 7 });
}

#[test]
fn the_line_that_says_why_is_found() {
    let cases = [
        (
            "collecting\nE   ModuleNotFoundError: No module named 'yaml'\n1 error in 0.1s\n",
            "",
            "E   ModuleNotFoundError: No module named 'yaml'",
        ),
        ("Error: Cannot find module 'x'\n    at y.js:3\n", "", "Error: Cannot find module 'x'"),
        ("ok\n", "error: no matching package `serde`\n", "error: no matching package serde"),
        ("one\ntwo\n\n", "", "two"),
    ];
    for (stdout, stderr, expect) in cases {
        assert_eq!(said(stdout.as_bytes(), stderr.as_bytes()).as_deref(), Some(expect));
    }
    assert_eq!(said(b"\n", b""), None);
}

/// Runs `words` in the folder `at` of a project of these files, with some of them changed.
async fn run(files: &[(&str, &str)], at: &str, words: &[&str], changed: &[(&str, &str)]) -> Option<Ended> {
    if let Err(error) = probe() {
        println!("skipped: {error}");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("it is there").join("project");
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).expect("it opens");
    let is_kept = |path: &&str| !path.starts_with("node_modules/");
    let mut names: Vec<String> = files.iter().map(|(path, _)| *path).filter(is_kept).map(str::to_owned).collect();
    names.sort();
    let text = |path: &str| fs::read_to_string(root.join(path)).ok();
    let installed = |path: &str| root.join(path).exists();
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let step = step(&Folder { at, files: &names, text: &text, installed: &installed }, &words).expect("a step");
    let trial = Trial { cx: &cx, root: &root, files: &names, wall: Duration::from_secs(100) };
    let changed = changed.iter().map(|(path, text)| (RelPath::new(path).expect("a path"), text.as_bytes().to_vec()));
    let ended = trial.run(at, &step, &changed.collect()).await;
    assert!(!root.join(OURS).exists(), "nothing is left in the project");
    if let Run::Missing(why) | Run::Nothing(why) = &ended.run
        && (why.contains("is not installed") || why.contains("No module named pytest"))
    {
        println!("skipped: {why}");
        return None;
    }
    Some(ended)
}

fn endings(ended: &Ended) -> Vec<(String, Ending)> {
    let Run::Ran { tests, .. } = &ended.run else { panic!("{:?}: {}", ended.run, ended.log) };
    tests.values().map(|test| (test.id.clone(), test.ending)).collect()
}

fn expect(tests: &[(&str, Ending)]) -> Vec<(String, Ending)> {
    tests.iter().map(|(id, ending)| ((*id).to_owned(), *ending)).collect()
}

const SHOP: &str = "def total(prices):\n    return sum(prices)\n";
const WRONG: &str = "def total(prices):\n    return 0\n";

#[tokio::test]
async fn unittest_names_what_ran_with_and_without_a_change() {
    let tests = "import unittest\nfrom shop import total\n\n\nclass Total(unittest.TestCase):\n    \
        def test_sum(self):\n        self.assertEqual(total([1, 2]), 3)\n\n    \
        def test_parts(self):\n        for n in (0, 3):\n            with self.subTest(n=n):\n                self.assertEqual(total([n]), n)\n\n    \
        @unittest.skip('later')\n    def test_later(self):\n        pass\n\n    \
        @unittest.expectedFailure\n    def test_known(self):\n        self.fail()\n";
    let files = [("app/shop.py", SHOP), ("app/tests/test_total.py", tests)];
    let words = ["python", "-m", "unittest", "discover", "-s", "tests"];
    let Some(before) = run(&files, "app", &words, &[]).await else { return };
    let id = |name: &str| format!("test_total.Total.{name}");
    let (later, known, parts, sum) = (id("test_later"), id("test_known"), id("test_parts"), id("test_sum"));
    use Ending::{Failed, Passed, Skipped};
    assert_eq!(endings(&before), expect(&[(&known, Skipped), (&later, Skipped), (&parts, Passed), (&sum, Passed)]));
    let Run::Ran { tests, code: 0, .. } = &before.run else { panic!("{:?}", before.run) };
    assert!(tests.values().all(|test| test.file.as_deref() == Some("tests/test_total.py")), "{tests:?}");
    let after = run(&files, "app", &words, &[("app/shop.py", WRONG)]).await.expect("it ran before");
    assert_eq!(endings(&after), expect(&[(&known, Skipped), (&later, Skipped), (&parts, Failed), (&sum, Failed)]));
    let gone = run(&files, "app", &words, &[("app/shop.py", "import os\nos._exit(0)\n")]).await.expect("it ran before");
    assert!(matches!(gone.run, Run::Nothing(_)), "{:?}", gone.run);
}

#[tokio::test]
async fn pytest_names_what_ran_and_tests_the_copy() {
    let tests = "import pytest\nfrom shop import total\n\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_one(n):\n    assert total([n]) == n\n";
    let files = [("src/shop.py", SHOP), ("tests/test_total.py", tests), ("pytest.ini", "[pytest]\n")];
    let python = std::env::var("CONCLAVE_TEST_PYTEST").unwrap_or_else(|_| "python".to_owned());
    let words = [python.as_str(), "-m", "pytest"];
    let Some(before) = run(&files, "", &words, &[]).await else { return };
    use Ending::{Failed, Passed};
    let [one, two] = ["tests.test_total > test_one[1]", "tests.test_total > test_one[2]"];
    assert_eq!(endings(&before), expect(&[(one, Passed), (two, Passed)]));
    let after = run(&files, "", &words, &[("src/shop.py", WRONG)]).await.expect("it ran before");
    assert_eq!(endings(&after), expect(&[(one, Failed), (two, Failed)]));
    let broken =
        run(&files, "", &words, &[("src/shop.py", "import nothing_of_that_name\n")]).await.expect("it ran before");
    let Run::Ran { tests, code, said, .. } = &broken.run else { panic!("{:?}", broken.run) };
    assert!(*code != 0 && tests.values().all(|test| test.ending == Failed), "{tests:?}");
    assert!(said.as_deref().is_some_and(|line| line.contains("No module named 'nothing_of_that_name'")), "{said:?}");
}

#[tokio::test]
async fn a_script_of_npm_is_run_by_node_with_a_report() {
    let manifest = r#"{ "type": "module", "scripts": { "test": "NODE_ENV=test node --test test/" } }"#;
    let tests = "import assert from 'node:assert';\nimport { describe, test } from 'node:test';\nimport { total } from '../total.js';\n\
        import part from 'part';\ntest('sums', () => assert.equal(total([1, 2]), part));\n\
        describe('group', () => { test('sums', () => assert.equal(process.env.NODE_ENV, 'test')); test.skip('later', () => {}); });\n";
    let total = "export const total = (all) => all.reduce((a, b) => a + b, 0);\n";
    let files = [
        ("web/package.json", manifest),
        ("web/total.js", total),
        ("web/test/total.test.js", tests),
        ("node_modules/part/package.json", r#"{ "name": "part", "type": "module", "main": "index.js" }"#),
        ("node_modules/part/index.js", "export default 3;\n"),
        (".gitignore", "node_modules\n"),
    ];
    let words = ["npm", "test"];
    let Some(before) = run(&files, "web", &words, &[]).await else { return };
    use Ending::{Failed, Passed, Skipped};
    let (later, deep, sums) = ("group > later", "group > sums", "sums");
    assert_eq!(endings(&before), expect(&[(later, Skipped), (deep, Passed), (sums, Passed)]));
    let after =
        run(&files, "web", &words, &[("web/total.js", "export const total = () => 0;\n")]).await.expect("it ran");
    assert_eq!(endings(&after), expect(&[(later, Skipped), (deep, Passed), (sums, Failed)]));
}

#[tokio::test]
async fn cargo_names_the_tests_of_every_binary() {
    let lib = "pub fn total(all: &[u32]) -> u32 {\n    all.iter().sum()\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn sums() {\n        assert_eq!(super::total(&[1, 2]), 3);\n    }\n}\n";
    let files = [
        ("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("src/lib.rs", lib),
        (
            "tests/whole.rs",
            "#[test]\nfn sums() {\n    assert_eq!(shop::total(&[4]), 4);\n}\n\n#[test]\n#[ignore]\nfn later() {}\n",
        ),
    ];
    let Some(before) =
        run(&files, "", &["cargo", "test", "--quiet"], &[]).await.filter(|ended| !matches!(ended.run, Run::Nothing(_)))
    else {
        return;
    };
    use Ending::{Failed, Passed, Skipped};
    let (unit, later, whole) = ("shop > tests::sums", "whole > later", "whole > sums");
    assert_eq!(endings(&before), expect(&[(unit, Passed), (later, Skipped), (whole, Passed)]));
    let wrong = lib.replace("all.iter().sum()", "all.len() as u32");
    let after = run(&files, "", &["cargo", "test"], &[("src/lib.rs", &wrong)]).await.expect("it ran");
    assert_eq!(endings(&after), expect(&[(unit, Failed), (later, Skipped), (whole, Failed)]));
}
