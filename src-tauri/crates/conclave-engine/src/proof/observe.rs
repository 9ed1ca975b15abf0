//! Reads what a harness reports.
//!
//! Invariant: only lines that begin with the run's nonce count, and only a report that is whole.

use std::collections::BTreeMap;

use conclave_effects::sandbox::{CommandReport, Exit};
use serde::Deserialize;

/// What one call did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Facts {
    /// The class of what was raised.
    pub raised: Option<String>,
    pub message: String,
    pub returned: String,
    pub kind: String,
    /// What a second call with the same input and the generator in the same state gave.
    pub again: Option<String>,
    /// Whether the file that the attack's command makes is there.
    pub marker: bool,
    /// How many rows statements met.
    pub rows: u64,
    pub statements: Vec<String>,
    /// What was written as markup.
    pub html: Vec<String>,
    /// What a page shows.
    pub shown: Vec<String>,
    /// What callbacks and answers were told.
    pub told: Vec<String>,
    pub calls: Vec<Call>,
    /// Programs that were started, as argument lists.
    pub runs: Vec<Vec<String>>,
    /// Those of them that are not installed here.
    pub missing: Vec<String>,
    pub printed: String,
    /// What lies in the folder of the inputs.
    pub files: Vec<String>,
}

/// A call of a watched function.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Call {
    pub name: String,
    /// By name or place, in the language's own notation.
    pub arguments: BTreeMap<String, String>,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TestOutcome {
    Passed,
    /// Something that it asserts does not hold.
    Failed,
    /// It came to no assertion.
    Broken,
    Skipped,
}

/// A whole report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// By the input's name.
    pub facts: BTreeMap<String, Facts>,
    /// By the test's name.
    pub tests: BTreeMap<String, TestOutcome>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Loaded { loaded: bool },
    Unavailable { unavailable: String },
    Facts { input: String, facts: Box<Facts> },
    Test { test: String, outcome: TestOutcome },
    End { end: bool },
}

pub(super) const CONTROL: &str = "control";

pub(super) fn attack(number: usize) -> String {
    format!("attack {number}")
}

pub(super) fn benign(number: usize) -> String {
    format!("benign {number}")
}

/// What `report` says in lines that begin with `nonce`.
///
/// # Errors
/// Why there is nothing to believe, in words.
pub(super) fn read(nonce: &str, report: &CommandReport) -> Result<Run, String> {
    if report.status == Exit::TimedOut {
        return Err("it ran out of time".to_owned());
    }
    if report.truncated {
        return Err("it wrote more than is read".to_owned());
    }
    let text = String::from_utf8_lossy(&report.stdout);
    let mut run = Run::default();
    let (mut loaded, mut ended) = (false, false);
    for line in text.lines().filter_map(|line| line.strip_prefix(nonce)) {
        let forged = || "the report cannot be read".to_owned();
        let again = match serde_json::from_str(line).map_err(|_| forged())? {
            _ if ended => true,
            Line::Unavailable { unavailable } => return Err(unavailable),
            Line::Loaded { loaded: is } => std::mem::replace(&mut loaded, is),
            Line::End { end } => std::mem::replace(&mut ended, end),
            Line::Facts { input, facts } => run.facts.insert(input, *facts).is_some(),
            Line::Test { test, outcome } => run.tests.insert(test, outcome).is_some(),
        };
        if again {
            return Err(forged());
        }
    }
    if loaded && ended {
        return Ok(run);
    }
    let said = String::from_utf8_lossy(&report.stderr);
    let said = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it says no more");
    let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
    Err(format!("the program ended before it was through: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(stdout: &str) -> CommandReport {
        let stdout = stdout.as_bytes().to_vec();
        CommandReport { status: Exit::Code(0), stdout, stderr: b"Fault\n".to_vec(), truncated: false, wall_ms: 0 }
    }

    fn tests_of(stdout: &str) -> Result<usize, String> {
        read("N", &report(stdout)).map(|run| run.tests.len())
    }

    #[test]
    fn only_a_whole_report_with_the_nonce_is_believed() {
        let loaded = "N{\"loaded\": true}\n";
        let test = "N{\"test\": \"a\", \"outcome\": \"passed\"}\n";
        let end = "N{\"end\": true}\n";
        assert_eq!(tests_of(&format!("{loaded}{test}{end}")), Ok(1));
        for (what, text) in [
            ("nothing", String::new()),
            ("an end of its own", format!("{loaded}{test}")),
            ("never loaded", format!("{test}{end}")),
            ("printed success", "1 passed\n{\"loaded\": true}\n{\"end\": true}\n".to_owned()),
            ("another nonce", "M{\"loaded\": true}\nM{\"end\": true}\n".to_owned()),
            ("told twice", format!("{loaded}{test}{test}{end}")),
            ("told after the end", format!("{loaded}{end}{test}")),
            ("no JSON", format!("{loaded}Nok\n{end}")),
            ("unavailable", "N{\"unavailable\": \"why\"}\nN{\"end\": true}\n".to_owned()),
        ] {
            assert!(tests_of(&text).is_err(), "{what}");
        }
        let printed = format!("{loaded}all tests passed\n{{\"test\": \"b\", \"outcome\": \"passed\"}}\n{end}");
        assert_eq!(tests_of(&printed), Ok(0), "what the code prints does not count");
        let late = CommandReport { status: Exit::TimedOut, ..report(&format!("{loaded}{end}")) };
        assert!(read("N", &late).is_err());
        let cut = CommandReport { truncated: true, ..report(&format!("{loaded}{end}")) };
        assert!(read("N", &cut).is_err());
    }
}
