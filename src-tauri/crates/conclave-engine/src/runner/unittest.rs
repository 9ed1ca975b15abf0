//! unittest, started through a small program of ours that writes which tests ran.

use serde::Deserialize;

use super::pytest::{MARKERS, compile, is_python, python_path, test_files};
use super::report::{Ending, Printed, Test, numbered, only, unreadable};
use super::{OURS, Place, REPORT, Runner, Step, words};

const PROGRAM: &str = "unittest_ids.py";

pub(super) const UNITTEST: Runner = Runner {
    name: "unittest",
    extensions: &["py", "pyi"],
    markers: MARKERS,
    outermost: false,
    recognise: |folder| {
        let first = test_files(folder).find(|file| folder.says(file, "unittest"))?;
        let inside = first.split_once('/').map(|(top, _)| top);
        // Packages are found from the top; a folder that is none has to be named.
        Some(match inside.filter(|top| !folder.has(&format!("{top}/__init__.py"))) {
            Some(top) => words(&["python", "-m", "unittest", "discover", "-s", top]),
            None => words(&["python", "-m", "unittest", "discover"]),
        })
    },
    step: |folder, words| {
        let [python, m, name, rest @ ..] = words else { return None };
        if !is_python(python) || m != "-m" || name != "unittest" {
            return None;
        }
        let start = [python.clone(), format!("/scratch/{OURS}/{PROGRAM}"), REPORT.to_owned()];
        let step = Step::new(start.into_iter().chain(rest.iter().cloned()));
        let programs = &[(PROGRAM, include_str!("../../runners/unittest_ids.py"))];
        Some(Ok(Step { programs, ..python_path(folder, step) }.reporting(Place::File, read)))
    },
    build: compile,
};

#[derive(Deserialize)]
struct Report {
    tests: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    ending: Word,
    file: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Passed,
    Failed,
    Skipped,
}

fn read(printed: &Printed) -> Result<Vec<Test>, String> {
    let report: Report = serde_json::from_slice(only(printed)?).map_err(unreadable)?;
    let test = |entry: Entry| {
        let ending = match entry.ending {
            Word::Passed => Ending::Passed,
            Word::Failed => Ending::Failed,
            Word::Skipped => Ending::Skipped,
        };
        Test { id: entry.id, ending, file: entry.file }
    };
    Ok(numbered(report.tests.into_iter().map(test).collect()))
}
