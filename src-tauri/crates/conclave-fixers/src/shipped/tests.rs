//! Every shipped recipe against its own examples.

use std::collections::BTreeSet;
use std::path::Path;

use conclave_core::finding::{Detection, Location, OWN_TOOL, Region, Rule, Severity, Tool};
use conclave_core::language::Language;
use conclave_core::patch::{Edit, splice};
use conclave_core::path::RelPath;
use proptest::prelude::*;

use super::FILES;
use crate::facts::ProjectFacts;
use crate::gate::parse_errors;
use crate::recipe::file::{Expectation, RecipeFile, TestFile};
use crate::recipe::load::parse;
use crate::set::{Answer, RecipeFix, Recipes};
use crate::syntax::Tree;

#[test]
#[allow(clippy::disallowed_methods, reason = "the folder is the list to compare with")]
fn every_file_in_the_folder_is_shipped() {
    let mut found = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    for family in std::fs::read_dir(root).expect("a folder") {
        let family = family.expect("an entry");
        for file in std::fs::read_dir(family.path()).expect("a folder") {
            let file = file.expect("an entry");
            found.insert(format!("{}/{}", family.file_name().display(), file.file_name().display()));
        }
    }
    let listed: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(listed, found);
}

#[test]
fn every_recipe_compiles_for_each_of_its_languages() {
    let recipes = Recipes::load(FILES).expect("they load");
    for language in [Language::Python, Language::JavaScript, Language::TypeScript, Language::Tsx, Language::Java] {
        assert_eq!(recipes.compile(language), Ok(()));
    }
    for ((path, _), recipe) in FILES.iter().zip(recipes.iter()) {
        let family = path.split('/').next().unwrap_or_default();
        assert_eq!(*path, format!("{family}/{}.yml", recipe.id()), "the file is named after the recipe");
    }
}

#[test]
fn every_recipe_does_what_its_examples_say() {
    for (path, text) in FILES {
        let file = parse(path, text).expect("it loads");
        let kinds = [
            file.tests.iter().any(|test| test.after.is_some()),
            file.tests.iter().any(|test| test.expect == Some(Expectation::Clean)),
            file.tests.iter().any(|test| test.expect == Some(Expectation::Refused)),
        ];
        assert_eq!(kinds, [true; 3], "{path} shows a fix, a clean text and a refusal");
        for test in &file.tests {
            let languages = test.language.map_or_else(|| file.languages.clone(), |language| vec![language]);
            for language in languages {
                Example { file: &file, test, language }.check();
            }
        }
    }
}

#[test]
fn every_case_is_shown_by_an_example() {
    for (path, text) in FILES {
        let file = parse(path, text).expect("it loads");
        let mut unseen: BTreeSet<&str> = file.cases.iter().map(|case| case.id.as_str()).collect();
        for test in &file.tests {
            let language = test.language.unwrap_or(file.languages[0]);
            for case in Recipes::shipped().cases(&file.id, language, &test.before, &facts(test)) {
                unseen.remove(case.as_str());
            }
        }
        assert_eq!(unseen, BTreeSet::new(), "{path}");
    }
}

fn facts(test: &TestFile) -> ProjectFacts {
    ProjectFacts { python_sql_driver: test.driver.clone(), javascript_sql_driver: test.driver.clone() }
}

struct Example<'a> {
    file: &'a RecipeFile,
    test: &'a TestFile,
    language: Language,
}

impl Example<'_> {
    fn check(&self) {
        let what = format!("{}, {} ({:?})", self.file.id, self.test.name, self.language);
        let test = self.test;
        assert_eq!(Tree::parse(self.language, &test.before).errors(), 0, "{what}: the example has a mistake");
        match (&test.after, test.expect) {
            (Some(after), None) => {
                self.check_fix(&test.before, after, &what);
                self.check_fix(
                    &test.before.replace('\n', "\r\n"),
                    &after.replace('\n', "\r\n"),
                    &format!("{what}, CRLF"),
                );
            }
            (None, Some(Expectation::Clean)) => assert_eq!(self.left(&test.before), 0, "{what}: reported"),
            (None, Some(Expectation::Refused)) => {
                let part = test.reason.as_deref().expect("a refusal gives its reason");
                let (fixes, refusals) = self.answers(&test.before);
                assert_eq!(fixes, [], "{what}: fixed");
                assert!(refusals.iter().any(|reason| reason.contains(part)), "{what}: {refusals:?}");
            }
            _ => panic!("{what}: give `after` or `expect`"),
        }
    }

    fn check_fix(&self, before: &str, after: &str, what: &str) {
        let (fixes, refusals) = self.answers(before);
        assert!(!fixes.is_empty(), "{what}: not fixed, {refusals:?}");
        let mut edits: Vec<Edit> = fixes.iter().flat_map(|fix| fix.edits.clone()).collect();
        edits.sort();
        edits.dedup();
        let text = splice(before.as_bytes(), &edits).expect("the edits fit");
        let text = String::from_utf8(text).expect("text");
        assert_eq!(text, after, "{what}\n--- found ---\n{text}\n--- wanted ---\n{after}");
        assert_eq!(Tree::parse(self.language, after).errors(), 0, "{what}: no longer parses");
        assert_eq!(self.left(after), 0, "{what}: still reported");
        assert_eq!(self.answers(after).0, [], "{what}: a second run changes it again");
        if let Some(class) = self.test.class {
            assert!(fixes.iter().all(|fix| fix.class == class), "{what}: {:?}", fixes[0].class);
        }
    }

    fn left(&self, text: &str) -> usize {
        Recipes::shipped().still_reports(&self.file.id, self.language, text, &facts(self.test)).len()
    }

    /// What the recipe answers to a finding on each line.
    fn answers(&self, text: &str) -> (Vec<RecipeFix>, Vec<String>) {
        let (mut fixes, mut refusals) = (Vec::new(), Vec::new());
        for line in 1..=u32::try_from(text.lines().count()).expect("few lines") {
            let finding = own_finding(&self.file.id, line);
            match Recipes::shipped().answer(&finding, self.language, text, &facts(self.test)) {
                Answer::Fixes(found) => fixes.extend(found),
                Answer::Refused { reason, .. } => refusals.push(reason),
                Answer::None => {}
            }
        }
        (fixes, refusals)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Code that is cut to pieces is answered or refused, and what is answered fits and parses no worse.
    #[test]
    fn damaged_code_is_survived(from in 0.0..1.0f64, length in 0usize..40, with in "[a-z(){}\\[\\]'\"`$%.,;=+ \n\\\\]{0,6}") {
        for (path, text) in FILES {
            let file = parse(path, text).expect("it loads");
            for test in &file.tests {
                let at = |fraction: f64| {
                    let near = (test.before.len() as f64 * fraction) as usize;
                    (near..=test.before.len()).find(|&at| test.before.is_char_boundary(at)).unwrap_or(0)
                };
                let start = at(from);
                let end = at(((start + length) as f64 / test.before.len() as f64).min(1.0)).max(start);
                let damaged = format!("{}{with}{}", &test.before[..start], &test.before[end..]);
                let language = test.language.unwrap_or(file.languages[0]);
                for line in 1..=u32::try_from(damaged.lines().count()).expect("few lines") {
                    let finding = own_finding(&file.id, line);
                    if let Answer::Fixes(fixes) = Recipes::shipped().answer(&finding, language, &damaged, &facts(test)) {
                        for fix in fixes {
                            let after = splice(damaged.as_bytes(), &fix.edits).expect("the edits fit");
                            let after = String::from_utf8(after).expect("text");
                            prop_assert!(parse_errors(language, &after) <= parse_errors(language, &damaged));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_template_without_its_end_is_survived() {
    let damaged = "label.innerHTML = `Hello ${user.name},'+ .}bel.innerHTML = 'Hello ' + user.name;\n";
    for id in ["js-innerhtml-value", "js-innerhtml-text"] {
        let finding = own_finding(id, 1);
        let answer = Recipes::shipped().answer(&finding, Language::JavaScript, damaged, &ProjectFacts::default());
        let Answer::Fixes(fixes) = answer else { continue };
        for fix in fixes {
            let after = splice(damaged.as_bytes(), &fix.edits).expect("the edits fit");
            let after = String::from_utf8(after).expect("text");
            assert!(parse_errors(Language::JavaScript, &after) <= parse_errors(Language::JavaScript, damaged), "{id}");
        }
    }
}

#[test]
fn deep_and_long_code_is_survived() {
    let deep = 100_000;
    for (language, text) in [
        (
            Language::Python,
            format!("import subprocess\nsubprocess.run({}, shell=True)\n", "(".repeat(deep) + &")".repeat(deep)),
        ),
        (Language::Python, format!("import sqlite3\ncur.execute('SELECT 1 WHERE a = '{})\n", " + x".repeat(deep))),
        (Language::Python, format!("import hashlib\nhashlib{}.md5(a)\n", ".a".repeat(deep))),
        (Language::JavaScript, format!("require('child_process').exec({});", "f(".repeat(deep) + &")".repeat(deep))),
        (Language::JavaScript, format!("a.innerHTML = {}b;", "{c:".repeat(deep))),
        (Language::Java, format!("class A {{ Object a = {}new Random(){}; }}", "(".repeat(deep), ")".repeat(deep))),
    ] {
        let path = RelPath::new("a").expect("a path");
        let found = Recipes::shipped().detect(&path, language, &text, &ProjectFacts::default());
        assert_eq!(found, [], "too deep to look at");
    }
    let long = format!("import sqlite3\ncur.execute({})\n", vec!["'a'"; 1_500].join(" + "));
    let path = RelPath::new("a").expect("a path");
    assert_eq!(Recipes::shipped().detect(&path, Language::Python, &long, &ProjectFacts::default()), []);
}

fn own_finding(recipe: &str, line: u32) -> Detection {
    Detection {
        tool: Tool { name: OWN_TOOL.to_owned(), version: None },
        rule: Rule {
            id: recipe.to_owned(),
            name: None,
            description: None,
            help: None,
            help_uri: None,
            cwe: Vec::new(),
        },
        message: String::new(),
        severity: Severity::Medium,
        location: Some(Location { path: RelPath::new("a").expect("a path"), region: Some(Region::line(line)) }),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    }
}

#[test]
fn every_proof_belongs_to_the_fix_of_its_example() {
    for (path, text) in FILES {
        let file = parse(path, text).expect("it loads");
        for proof in &file.proofs {
            let lines = u32::try_from(proof.example.lines().count()).expect("few lines");
            let found = (1..=lines).find_map(|line| {
                let finding = own_finding(&file.id, line);
                let facts = ProjectFacts::default();
                let answer = Recipes::shipped().answer(&finding, file.languages[0], &proof.example, &facts);
                let at = Recipes::shipped().proof(&finding, file.languages[0], &proof.example, &facts);
                matches!(answer, Answer::Fixes(_)).then_some(at).flatten()
            });
            let Some(found) = found else {
                let answers = (1..=lines).map(|line| own_finding(&file.id, line));
                let answers = answers.map(|finding| {
                    Recipes::shipped().answer(&finding, file.languages[0], &proof.example, &ProjectFacts::default())
                });
                panic!("{path}: the example is not fixed: {:?}", answers.collect::<Vec<_>>());
            };
            assert_eq!((found.recipe, found.proof), (file.id.as_str(), proof), "{path}");
            assert!(found.callee.function.is_some(), "{path}: the example has a function");
        }
    }
}
