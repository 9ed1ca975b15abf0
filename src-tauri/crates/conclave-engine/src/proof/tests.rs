//! Proofs on real interpreters, in the sandbox.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::sync::Arc;

use conclave_core::candidate::{Candidate, Origin, RedTest};
use conclave_core::evidence::{Check, CheckOutcome, Evidence, outcome_of};
use conclave_core::finding::Finding;
use conclave_core::id::ProjectId;
use conclave_core::patch::{Edit, FilePatch, Patch};
use conclave_core::project::Project;
use conclave_core::resolution::Resolution;
use conclave_core::tier::{Effort, RunPlan};

use conclave_store::FindingQuery;

use super::*;
use crate::check::{behaviour, red_green};
use crate::ctx::Ctx;
use crate::open::{Options, open};
use crate::run::run_finding;
use crate::source::Sources;
use crate::{scan, stage};

/// Whether code can be called here; says so where it cannot.
fn can_run() -> bool {
    let sandbox = sandbox::probe().inspect_err(|error| println!("skipped: {error}")).is_ok();
    let nowhere = Path::new("/nowhere");
    sandbox && ["python3", "node"].iter().all(|program| find_program(program, nowhere).is_some())
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// A project with `files`, scanned.
    async fn new(files: &[(String, &str)], agreed: bool) -> (Self, Ctx, Vec<Finding>) {
        let home = Self { folder: tempfile::tempdir().expect("a folder") };
        let root = home.folder.path().canonicalize().expect("it is there").join("project");
        let data = home.folder.path().join("data");
        for folder in [&root, &data] {
            fs::create_dir(folder).expect("a folder");
        }
        for (name, text) in files {
            fs::write(root.join(name), text).expect("written");
        }
        let settings = json!({ "commands": { root.display().to_string(): { "agreed": agreed } } });
        fs::write(data.join("settings.json"), settings.to_string()).expect("written");
        let (cx, _) = open(&Options { data_dir: data, offline: true }).expect("it opens");
        let name = root.display().to_string();
        let project =
            Project { id: ProjectId::of_root(&name), root: name, name: "p".to_owned(), watched: false, listed: true };
        cx.store.save_project(&project, 0).expect("saved");
        let found = scan::scan(&cx, &project, None).await.expect("scanned");
        let findings =
            found.findings.iter().map(|id| cx.store.finding(id).expect("read").expect("it is there").finding);
        let findings = findings.collect();
        (home, cx, findings)
    }
}

async fn resolve(cx: &Ctx, finding: &Finding) -> Resolution {
    let job = cx.store.begin_run(&finding.id, true, 0).expect("claimed");
    run_finding(cx, &job).await.expect("a result")
}

#[test]
fn every_recipe_is_proved_by_its_own_example() {
    if !can_run() {
        return;
    }
    let mut files = Vec::new();
    let mut wanted = BTreeMap::new();
    for recipe in Recipes::shipped().iter() {
        for (number, proof) in recipe.proofs().iter().enumerate() {
            let extension = if recipe.languages()[0] == Language::Python { "py" } else { "js" };
            let separator = if extension == "py" { "_" } else { "-" };
            let name = format!("{}{separator}{number}.{extension}", recipe.id().replace('-', separator));
            // A module's file has its own ending where the example imports, since no manifest says so here.
            let is_module =
                extension == "js" && (proof.example.contains("import ") || proof.example.contains("export "));
            let name = if is_module { name.replace(".js", ".mjs") } else { name };
            files.push((name.clone(), proof.example.as_str()));
            wanted.insert(name, proof);
        }
    }
    run(async {
        let (_home, cx, findings) = Home::new(&files, true).await;
        let mut proved = 0;
        for (name, proof) in wanted {
            let at = |finding: &&Finding| {
                finding.detection.location.as_ref().is_some_and(|place| place.path.as_str() == name)
            };
            let finding = findings.iter().find(at).unwrap_or_else(|| panic!("{name} is reported"));
            let resolution = resolve(&cx, finding).await;
            let evidence = &resolution.recommended().unwrap_or_else(|| panic!("{name} is fixed")).judged.evidence;
            let says = |check| {
                let found: Vec<&Evidence> = evidence.iter().filter(|one| one.check == check).collect();
                let is_missing = found.iter().any(|one| one.summary.contains("is not installed here"));
                (found[0].outcome, is_missing, found[0].summary.clone())
            };
            for (check, is_known) in
                [(Check::RedGreen, proof.attack.is_some()), (Check::Behaviour, proof.benign.is_some())]
            {
                let (outcome, is_missing, summary) = says(check);
                println!("{name}: {check:?} {outcome:?}: {summary}");
                let expect = if is_known && !is_missing { CheckOutcome::Pass } else { CheckOutcome::NotAvailable };
                assert_eq!(outcome, expect, "{name}: {check:?}: {summary}");
                proved += usize::from(outcome == CheckOutcome::Pass);
            }
        }
        assert!(proved >= 20, "only {proved} rungs were proved");
    });
}

#[test]
fn the_sample_is_proved_without_a_model_and_without_asking() {
    if !can_run() {
        return;
    }
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).expect("it opens");
        let project = crate::demo::open(&cx).await.expect("the sample");
        let query = FindingQuery { project: Some(project.id), ..FindingQuery::default() };
        let (mut attacks, mut benign) = (0, 0);
        for row in cx.store.every_finding(&query).expect("findings") {
            let resolution = resolve(&cx, &row.finding).await;
            let Some(best) = resolution.recommended() else { continue };
            for evidence in &best.judged.evidence {
                if matches!(evidence.check, Check::RedGreen | Check::Behaviour) {
                    let place = row.finding.detection.location.as_ref().map(|place| place.path.to_string());
                    println!("{place:?} {:?} {:?}: {}", evidence.check, evidence.outcome, evidence.summary);
                }
            }
            attacks += usize::from(outcome_of(&best.judged.evidence, Check::RedGreen) == CheckOutcome::Pass);
            benign += usize::from(outcome_of(&best.judged.evidence, Check::Behaviour) == CheckOutcome::Pass);
        }
        assert!(attacks >= 3, "{attacks} findings reach red/green");
        assert!(benign >= 3, "{benign} findings reach behaviour");
    });
}

const PACK: &str = "import subprocess\n\n\ndef lines(name):\n    done = subprocess.run(f'wc -l {name}', shell=True, capture_output=True, text=True)\n    return done.stdout.split()[0]\n";

/// What red/green and behaviour say when `after` stands in place of `before` in `file`.
async fn judge(file: &str, before: &str, after: &str, test: Option<&str>, agreed: bool) -> [Evidence; 2] {
    let files = [(file.to_owned(), before)];
    let (home, cx, findings) = Home::new(&files, agreed).await;
    let root = home.folder.path().canonicalize().expect("it is there").join("project");
    let sources = Arc::new(Sources::open(&cx, &root).await.expect("it opens"));
    let brief = stage::gather(&findings[0], &sources, &cx.settings());
    let path = RelPath::new(file).expect("a path");
    let candidate = candidate(&sources, &path, after, test);
    let plan = RunPlan::for_finding(&findings[0], "", Effort::Usual, &cx.settings());
    let mut subject = Subject::new(&cx, &brief, &sources, &plan, &candidate);
    subject.after = BTreeMap::from([(path, after.as_bytes().to_vec())]);
    let red_green = red_green::run(&mut subject).await;
    [red_green, behaviour::run(&mut subject)]
}

/// A model's fix after which `after` stands in the file at `path`.
fn candidate(sources: &Sources, path: &RelPath, after: &str, test: Option<&str>) -> Candidate {
    let source = sources.file(path).expect("it is there");
    let edits = vec![Edit { start: 0, end: source.bytes.len(), text: after.to_owned() }];
    let patch = Patch { files: vec![FilePatch { path: path.clone(), base: source.digest.clone(), edits }] };
    let origin = Origin::Model { model: "m".to_owned(), endpoint: "e".to_owned(), local: true, family: "m".to_owned() };
    let red_test = test.map(|text| RedTest { text: text.to_owned(), shows: String::new() });
    Candidate { red_test, ..Candidate::new(origin, patch, "", "") }
}

#[test]
fn the_side_without_a_fix_is_seen_once_for_all_fixes_of_a_run() {
    if !can_run() {
        return;
    }
    run(async {
        let (home, cx, findings) = Home::new(&[("pack.py".to_owned(), PACK)], true).await;
        let root = home.folder.path().canonicalize().expect("it is there").join("project");
        let sources = Sources::open(&cx, &root).await.expect("it opens");
        let brief = stage::gather(&findings[0], &sources, &cx.settings());
        let plan = RunPlan::for_finding(&findings[0], "", Effort::Usual, &cx.settings());
        let path = RelPath::new("pack.py").expect("a path");
        let rows = || cx.store.verify_ledger().expect("a ledger").rows;
        let mut cost = Vec::new();
        for options in ["'-l', name", "'-l', '--', name"] {
            let after = PACK.replace("f'wc -l {name}', shell=True", &format!("['wc', {options}]"));
            let candidate = candidate(&sources, &path, &after, None);
            let mut subject = Subject::new(&cx, &brief, &sources, &plan, &candidate);
            subject.after = BTreeMap::from([(path.clone(), after.into_bytes())]);
            let before = rows();
            let evidence = red_green::run(&mut subject).await;
            assert_eq!(evidence.outcome, CheckOutcome::Pass, "{}", evidence.summary);
            cost.push(rows() - before);
        }
        assert_eq!(cost[0], 2 * cost[1], "two sides and then one: {cost:?}");
    });
}

#[test]
fn a_proof_judges_the_fix_of_any_author() {
    if !can_run() {
        return;
    }
    use CheckOutcome::{Fail, NotAvailable, Pass};
    let body = |body: &str| format!("import subprocess\nimport sys\n\n\ndef lines(name):\n{body}");
    let list = "    done = subprocess.run(['wc', '-l', str(name)], capture_output=True, text=True)\n    return done.stdout.split()[0]\n";
    for (what, after, attack, benign) in [
        ("a list", body(list), Pass, Pass),
        ("the same in other words", PACK.replace("name}'", "name} '"), Fail, Pass),
        (
            "a text without a shell, after which no program is called",
            PACK.replace("shell=True", "shell=False"),
            Pass,
            Fail,
        ),
        ("a function that does nothing", body("    return '0'\n"), Pass, Fail),
        ("a function that refuses all", body("    raise ValueError(name)\n"), Pass, Fail),
        ("a name that nobody gave", body("    return shlex.quote(name)\n"), Fail, Fail),
        ("another signature", body(list).replace("lines(name)", "lines(name, shell=None)"), Pass, Fail),
        ("another name", body(list).replace("lines(name)", "rows(name)"), NotAvailable, Fail),
        ("text that is no Python", body("    return (\n"), NotAvailable, Fail),
        (
            "an end before anything is seen",
            body("    import os\n    print('passed')\n    os._exit(0)\n"),
            NotAvailable,
            NotAvailable,
        ),
        ("an end that loading brings", format!("import sys\nsys.exit(0)\n{PACK}"), NotAvailable, NotAvailable),
        (
            "a library that is missed in the function",
            body("    import no_such_library\n    return no_such_library.f(name)\n"),
            NotAvailable,
            NotAvailable,
        ),
        (
            "a word for success",
            body("    print('{\"loaded\": true}')\n    print('{\"end\": true}')\n    sys.exit(0)\n"),
            Pass,
            Fail,
        ),
        (
            "a library that is not there",
            format!("import no_such_library\n{}", body("    return no_such_library.f(name)\n")),
            NotAvailable,
            NotAvailable,
        ),
    ] {
        let [red_green, behaviour] = run(judge("a.py", PACK, &after, None, true));
        println!("{what}: {} / {}", red_green.summary, behaviour.summary);
        assert_eq!(red_green.outcome, attack, "{what}: {}", red_green.summary);
        assert!(!red_green.weaker, "{what}: the proof is not its author's");
        assert_eq!(behaviour.outcome, benign, "{what}: {}", behaviour.summary);
    }
}

#[test]
fn a_proof_that_does_not_reproduce_says_so() {
    if !can_run() {
        return;
    }
    let checked = PACK.replace("    done", "    if not name.startswith('/tmp/conclave-proof/pear.txt') or ';' in name or '$' in name:\n        raise ValueError\n    done");
    let checked = checked.replace("or '$' in name", "or '$' in name or '\"' in name or \"'\" in name");
    let [red_green, _] = run(judge("a.py", &checked, PACK, None, true));
    assert_eq!(red_green.outcome, CheckOutcome::Fail, "worse than before: {}", red_green.summary);
    let [red_green, behaviour] = run(judge("a.py", &checked, &checked.replace("shell=True", "shell=1"), None, true));
    assert_eq!(red_green.outcome, CheckOutcome::NotAvailable);
    assert!(red_green.summary.contains("does not reproduce"), "{}", red_green.summary);
    assert_eq!(behaviour.outcome, CheckOutcome::Pass, "{}", behaviour.summary);
}

#[test]
fn without_the_persons_word_nothing_runs() {
    let list = PACK.replace("f'wc -l {name}', shell=True", "['wc', '-l', name]");
    let [red_green, behaviour] = run(judge("a.py", PACK, &list, Some("def test_a():\n    assert True\n"), false));
    for evidence in [red_green, behaviour] {
        assert_eq!(evidence.outcome, CheckOutcome::NotRun, "{}", evidence.summary);
        assert!(evidence.summary.contains("conclave project commands"), "{}", evidence.summary);
    }
}

#[test]
fn a_model_test_counts_less_and_only_where_no_recipe_decides() {
    if !can_run() {
        return;
    }
    use CheckOutcome::{Fail, NotAvailable, Pass};
    // The form of this weakness has no attack of the recipe's own.
    let before =
        "import subprocess\n\n\ndef room():\n    return subprocess.check_output('df -Pk .', shell=True, text=True)\n";
    let after = before.replace("'df -Pk .', shell=True", "['df', '-Pk', '.']");
    let red = "import unittest\nfrom unittest import mock\nimport a\n\n\nclass T(unittest.TestCase):\n    def test_no_shell(self):\n        with mock.patch.object(a.subprocess, 'check_output', return_value='') as call:\n            a.room()\n        self.assertFalse(call.call_args.kwargs.get('shell'))\n";
    for (what, test, outcome) in [
        ("red, then green", red, Pass),
        (
            "plain functions",
            "import inspect\nimport a\n\n\ndef test_a():\n    assert 'shell=True' not in inspect.getsource(a)\n",
            Pass,
        ),
        ("always green", "def test_a():\n    assert True\n", NotAvailable),
        ("always red", "def test_a():\n    assert False\n", Fail),
        (
            "green, then red",
            "import inspect\nimport a\n\n\ndef test_a():\n    assert 'shell=True' in inspect.getsource(a)\n",
            Fail,
        ),
        ("no test", "print('1 passed')\n", NotAvailable),
        ("a mistake of its own", "def test_a():\n    no_such_name()\n", NotAvailable),
        ("its own end", "import os\nprint('ok')\nos._exit(0)\n", NotAvailable),
        (
            "skipped",
            "import unittest\n\n\nclass T(unittest.TestCase):\n    @unittest.skip('x')\n    def test_a(self):\n        pass\n",
            NotAvailable,
        ),
    ] {
        let [evidence, _] = run(judge("a.py", before, &after, Some(test), true));
        assert_eq!(evidence.outcome, outcome, "{what}: {}", evidence.summary);
        assert!(evidence.weaker, "{what}");
    }
    let wrong = "def test_a():\n    assert False\n";
    let list = PACK.replace("f'wc -l {name}', shell=True", "['wc', '-l', name]");
    let [evidence, _] = run(judge("a.py", PACK, &list, Some(wrong), true));
    assert_eq!((evidence.outcome, evidence.weaker), (Pass, false), "the recipe's proof decides: {}", evidence.summary);
}

#[test]
fn a_model_test_of_a_module_is_run_by_node() {
    if !can_run() {
        return;
    }
    use CheckOutcome::{Fail, NotAvailable, Pass};
    let before =
        "import { exec } from 'node:child_process';\n\nexport function list(done) {\n  exec('ls -l', done);\n}\n";
    let after = before.replace("{ exec }", "{ execFile }").replace("exec('ls -l'", "execFile('ls', ['-l']");
    let test = |body: &str| {
        format!(
            "import assert from 'node:assert/strict';\nimport {{ readFileSync }} from 'node:fs';\nimport {{ test }} from 'node:test';\n\nconst text = readFileSync(new URL('./a.mjs', import.meta.url), 'utf8');\n\ntest('no shell', () => {{\n  {body}\n}});\n"
        )
    };
    for (what, test, outcome) in [
        ("red, then green", test("assert.ok(!text.includes('exec('));"), Pass),
        ("green, then red", test("assert.ok(text.includes('exec('));"), Fail),
        ("always green", test("assert.ok(true);"), NotAvailable),
        ("a mistake of its own", test("noSuchName();"), NotAvailable),
        ("no test", "console.log('# pass 1');\n".to_owned(), NotAvailable),
        ("its own end", test("process.exit(0);"), NotAvailable),
    ] {
        let [evidence, _] = run(judge("a.mjs", before, &after, Some(&test), true));
        assert_eq!(evidence.outcome, outcome, "{what}: {}", evidence.summary);
        assert!(evidence.weaker, "{what}");
    }
}
