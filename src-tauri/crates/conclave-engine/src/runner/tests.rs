//! Which runners a project is recognised to have, and what their words become.

use std::collections::BTreeMap;

use super::*;

/// A project of these files; one with a `!` before its name is installed beside them.
struct Ground(BTreeMap<String, String>);

impl Ground {
    fn new(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    fn look<T>(&self, at: &str, look: impl FnOnce(&Folder<'_>) -> T) -> T {
        let files: Vec<String> = self.0.keys().filter(|path| !path.starts_with('!')).cloned().collect();
        let text = |path: &str| self.0.get(path).cloned();
        let installed = |path: &str| self.0.contains_key(&format!("!{path}"));
        look(&Folder { at, files: &files, text: &text, installed: &installed })
    }

    fn recognised(&self, at: &str) -> Option<(&'static str, String)> {
        self.look(at, |folder| {
            RUNNERS.iter().find_map(|runner| Some((runner.name, (runner.recognise)(folder)?.join(" "))))
        })
    }

    fn step(&self, words: &str) -> Result<Step, String> {
        let words = shlex::split(words).expect("words");
        self.look("", |folder| step(folder, &words))
    }
}

#[test]
fn a_folder_is_recognised_by_what_lies_in_it() {
    type Files<'f> = &'f [(&'f str, &'f str)];
    let cases: [(Files<'_>, Option<(&str, &str)>); 23] = [
        (&[("pytest.ini", ""), ("tests/test_a.py", "import unittest")], Some(("pytest", "python -m pytest"))),
        (&[("test_a.py", "def test_a():\n    assert True")], Some(("pytest", "python -m pytest"))),
        (&[("pyproject.toml", "[tool.pytest.ini_options]"), ("a_test.py", "")], Some(("pytest", "python -m pytest"))),
        (&[("pytest.ini", ""), ("shop/a.py", "")], None),
        (
            &[("tests/test_a.py", "import unittest"), ("tests/__init__.py", "")],
            Some(("unittest", "python -m unittest discover")),
        ),
        (&[("tests/test_a.py", "import unittest")], Some(("unittest", "python -m unittest discover -s tests"))),
        (&[("package.json", r#"{"scripts":{"test":"jest"}}"#)], Some(("npm", "npm test"))),
        (&[("package.json", r#"{"scripts":{"test":"jest"}}"#), ("yarn.lock", "")], Some(("npm", "yarn test"))),
        (&[("package.json", r#"{"scripts":{"test":"jest"}}"#), ("pnpm-lock.yaml", "")], Some(("npm", "pnpm test"))),
        (&[("package.json", r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#)], None),
        (&[("package.json", "not json")], None),
        (&[("jest.config.js", "")], Some(("Jest", "jest"))),
        (&[("vitest.config.ts", "")], Some(("Vitest", "vitest run"))),
        (&[(".mocharc.json", "")], Some(("Mocha", "mocha"))),
        (&[("a.test.mjs", "import { test } from 'node:test'")], Some(("node --test", "node --test"))),
        (&[("go.mod", ""), ("cart/cart_test.go", "")], Some(("go test", "go test ./..."))),
        (&[("Cargo.toml", "")], Some(("cargo test", "cargo test"))),
        (&[("pom.xml", ""), ("src/test/java/ATest.java", "")], Some(("Maven", "mvn test"))),
        (&[("build.gradle.kts", ""), ("src/test/kotlin/ATest.kt", "")], Some(("Gradle", "gradle test"))),
        (&[("spec/a_spec.rb", ""), ("Gemfile.lock", "")], Some(("RSpec", "bundle exec rspec"))),
        (&[("phpunit.xml.dist", "")], Some(("PHPUnit", "vendor/bin/phpunit"))),
        (
            &[("T/T.csproj", "<PackageReference Include=\"Microsoft.NET.Test.Sdk\"/>")],
            Some(("dotnet test", "dotnet test")),
        ),
        (&[("Makefile", "all:\n\ncheck: all\n\t./run\n")], Some(("make", "make check"))),
    ];
    for (files, expect) in cases {
        let found = Ground::new(files).recognised("");
        let found = found.as_ref().map(|(runner, words)| (*runner, words.as_str()));
        assert_eq!(found, expect, "{files:?}");
    }
}

#[test]
fn words_become_a_command_with_a_report_of_ours() {
    let manifest = r#"{"scripts":{"test":"npm run lint && cross-env NODE_ENV=test NODE_OPTIONS=--x jest --watch --ci","unit":"c8 node --test --test-reporter=spec test/"}}"#;
    let ground =
        Ground::new(&[("package.json", manifest), ("!node_modules/jest/bin/jest.js", ""), ("!vendor/bin/phpunit", "")]);
    let cases = [
        (
            "pytest -x tests",
            "python -m pytest -p no:cacheprovider --junitxml=/scratch/.conclave-run/report -o junit_family=xunit1 -x tests",
        ),
        (
            "/opt/v/bin/python -m pytest",
            "/opt/v/bin/python -m pytest -p no:cacheprovider --junitxml=/scratch/.conclave-run/report -o junit_family=xunit1",
        ),
        ("python3 -m unittest a.b", "python3 /scratch/.conclave-run/unittest_ids.py /scratch/.conclave-run/report a.b"),
        (
            "npm test -- -t one",
            "node /scratch/node_modules/jest/bin/jest.js --ci -t one --json --outputFile=/scratch/.conclave-run/report --watchAll=false --cacheDirectory=/tmp/jest",
        ),
        (
            "yarn run unit",
            "node --test --test-reporter=junit --test-reporter-destination=/scratch/.conclave-run/report test/",
        ),
        ("go test -json ./cart", "go test -json -count=1 ./cart"),
        ("cargo test -q -p shop -- --skip slow", "cargo test --offline --no-fail-fast -p shop -- --skip slow"),
        ("mvn verify", "mvn -o -B -fae verify"),
        ("./gradlew check", "gradle --offline --no-daemon --console=plain --continue check"),
        ("bundle exec rspec spec", "bundle exec rspec spec --format json --out /scratch/.conclave-run/report"),
        (
            "vendor/bin/phpunit tests",
            "php /scratch/vendor/bin/phpunit --log-junit /scratch/.conclave-run/report --do-not-cache-result tests",
        ),
        (
            "dotnet test A.sln",
            "dotnet test --no-restore --logger trx --results-directory /scratch/.conclave-run/trx A.sln",
        ),
        ("make check", "make check"),
        ("ctest --output-junit {report}", "ctest --output-junit /scratch/.conclave-run/report"),
    ];
    for (words, expect) in cases {
        let step = ground.step(words).unwrap_or_else(|why| panic!("{words}: {why}"));
        assert_eq!(step.shown(), expect, "{words}");
        assert_ne!(step.place, Place::Status, "{words}: an exit status names no test");
    }
    let step = ground.step("npm test").expect("a step");
    assert!(step.env.contains(&("NODE_ENV".to_owned(), "test".to_owned())));
    assert!(step.env.iter().all(|(name, _)| name != "NODE_OPTIONS"), "how Node is started is ours");
}

#[test]
fn what_leaves_no_report_is_no_test_run() {
    let manifest = r#"{"scripts":{"test":"./run-tests.sh","piped":"jest | tee log","vi":"vitest"}}"#;
    let ground = Ground::new(&[("package.json", manifest), ("!node_modules/jest/bin/jest.js", "")]);
    for (words, why) in [
        ("./run-tests.sh", "leaves no report that can be read"),
        ("npm test", "`./run-tests.sh` starts no runner"),
        ("npm run piped", "starts no runner"),
        ("npm run missing", "no script `missing`"),
        ("npm run vi", "vitest is not installed in `node_modules`"),
        ("vendor/bin/phpunit", "PHPUnit is not installed"),
        ("go vet ./...", "leaves no report"),
        ("cargo build", "leaves no report"),
    ] {
        let found = ground.step(words).expect_err(words);
        assert!(found.contains(why), "{words}: {found}");
    }
}

#[test]
fn a_type_check_needs_its_compiler_and_node_reads_no_typescript() {
    let files = |names: &[&str]| words(names);
    let plain = Ground::new(&[("package.json", "{}")]);
    assert!(plain.look("", |folder| (npm::NPM.build)(folder, &files(&["a.js", "b.mjs"]))).is_some());
    assert!(plain.look("", |folder| (npm::NPM.build)(folder, &files(&["a.js", "b.ts"]))).is_none());
    let typed = Ground::new(&[("web/tsconfig.json", "{}"), ("!node_modules/typescript/bin/tsc", "")]);
    let step = typed.look("web", |folder| (npm::NPM.build)(folder, &files(&["a.ts"]))).expect("a type check");
    assert_eq!(step.shown(), "node /scratch/node_modules/typescript/bin/tsc --noEmit -p tsconfig.json");
    let without = Ground::new(&[("tsconfig.json", "{}")]);
    assert!(without.look("", |folder| (npm::NPM.build)(folder, &files(&["a.ts"]))).is_none());
}

#[test]
fn surefire_and_phpunit_reports_are_read() {
    use report::tests::{lines, printed};
    let surefire = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0.2" name="shop.CartTest" time="0.05" tests="3" errors="0" skipped="1" failures="1">
  <properties><property name="java.version" value="17.0.15"/></properties>
  <testcase name="adds" classname="shop.CartTest" time="0.01"/>
  <testcase name="totals" classname="shop.CartTest" time="0.01">
    <failure message="expected: &lt;3&gt; but was: &lt;0&gt;" type="org.opentest4j.AssertionFailedError"><![CDATA[at shop.CartTest]]></failure>
    <system-out><![CDATA[<testcase name="forged"/>]]></system-out>
  </testcase>
  <testcase name="later" classname="shop.CartTest" time="0"><skipped/></testcase>
</testsuite>"#;
    let phpunit = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="/scratch/phpunit.xml" tests="2"><testsuite name="unit" tests="2">
  <testsuite name="Shop\CartTest" file="/scratch/tests/CartTest.php" tests="2">
    <testcase name="testAdds" file="/scratch/tests/CartTest.php" line="9" class="Shop\CartTest" classname="Shop.CartTest" assertions="1" time="0.001"/>
    <testcase name="testTotals with data set #0" file="/scratch/tests/CartTest.php" class="Shop\CartTest" classname="Shop.CartTest"><error type="Error">no</error></testcase>
  </testsuite></testsuite></testsuite></testsuites>"#;
    let cases = [
        (surefire, vec!["+ shop.CartTest > adds", "- shop.CartTest > totals", ". shop.CartTest > later"]),
        (
            phpunit,
            vec![
                "+ unit > Shop\\CartTest > Shop.CartTest > testAdds in /scratch/tests/CartTest.php",
                "- unit > Shop\\CartTest > Shop.CartTest > testTotals with data set #0 in /scratch/tests/CartTest.php",
            ],
        ),
    ];
    for (text, expect) in cases {
        assert_eq!(lines(&report::junit(&printed("", &[text])).expect("a report")), expect);
    }
}
