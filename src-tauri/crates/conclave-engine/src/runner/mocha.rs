//! Mocha.

use serde::Deserialize;

use super::npm::{SCRIPTS, after, build, installed};
use super::report::{Ending, Printed, Test, numbered, only, unreadable};
use super::{Place, REPORT, Runner, Step, words};

pub(super) const MOCHA: Runner =
    Runner {
        name: "Mocha",
        extensions: SCRIPTS,
        markers: &["package.json"],
        outermost: false,
        recognise: |folder| {
            let configured = [".mocharc.js", ".mocharc.cjs", ".mocharc.json", ".mocharc.yml", ".mocharc.yaml"];
            configured.iter().any(|name| folder.has(name)).then(|| words(&["mocha"]))
        },
        step: |folder, words| {
            let rest = after(words, "mocha")?;
            let theirs = rest.iter().filter(|word| !matches!(word.as_str(), "--watch" | "-w")).cloned();
            let ours = ["--reporter", "json", "--reporter-option", &format!("output={REPORT}")].map(str::to_owned);
            Some(installed(folder, "mocha", &["bin/mocha.js", "bin/mocha"]).map(|start| {
                Step::new(start.into_iter().chain(theirs).chain(ours)).roomy().reporting(Place::File, read)
            }))
        },
        build,
    };

#[derive(Deserialize)]
struct Report {
    tests: Vec<Case>,
    passes: Vec<Case>,
    failures: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "fullTitle")]
    title: String,
    file: Option<String>,
}

impl Case {
    fn id(&self) -> String {
        let file = self.file();
        file.map_or_else(|| self.title.clone(), |file| format!("{file} > {}", self.title))
    }

    fn file(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(file.strip_prefix("/scratch/").unwrap_or(file).to_owned())
    }
}

/// What passed and what failed; the rest of `tests` was left out. A hook that fails is in `failures` alone.
fn read(printed: &Printed) -> Result<Vec<Test>, String> {
    let report: Report = serde_json::from_slice(only(printed)?).map_err(unreadable)?;
    let (passed, failed): (Vec<_>, Vec<_>) =
        (report.passes.iter().map(Case::id).collect(), report.failures.iter().map(Case::id).collect());
    let hooks = report.failures.iter().filter(|case| !report.tests.iter().any(|test| test.id() == case.id()));
    let test = |case: &Case| {
        let id = case.id();
        let ending = match (failed.contains(&id), passed.contains(&id)) {
            (true, _) => Ending::Failed,
            (false, true) => Ending::Passed,
            (false, false) => Ending::Skipped,
        };
        Test { id, ending, file: case.file() }
    };
    Ok(numbered(report.tests.iter().chain(hooks).map(test).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::report::tests::{lines, printed};

    #[test]
    fn what_mocha_neither_passed_nor_failed_was_left_out() {
        let report = r#"{"stats":{"tests":3},
            "tests":[{"title":"adds","fullTitle":"sum adds","file":"/scratch/test/sum.js"},
                     {"title":"breaks","fullTitle":"sum breaks","file":"/scratch/test/sum.js"},
                     {"title":"later","fullTitle":"sum later","file":"/scratch/test/sum.js"}],
            "pending":[{"title":"later","fullTitle":"sum later","file":"/scratch/test/sum.js"}],
            "failures":[{"title":"breaks","fullTitle":"sum breaks","file":"/scratch/test/sum.js","err":{"message":"no"}},
                        {"title":"\"before all\" hook","fullTitle":"db \"before all\" hook","file":"/scratch/test/db.js"}],
            "passes":[{"title":"adds","fullTitle":"sum adds","file":"/scratch/test/sum.js"}]}"#;
        let tests = read(&printed("", &[report])).expect("a report");
        let expect = [
            "+ test/sum.js > sum adds in test/sum.js",
            "- test/sum.js > sum breaks in test/sum.js",
            ". test/sum.js > sum later in test/sum.js",
            "- test/db.js > db \"before all\" hook in test/db.js",
        ];
        assert_eq!(lines(&tests), expect);
        assert!(read(&printed(report, &[])).is_err());
    }
}
