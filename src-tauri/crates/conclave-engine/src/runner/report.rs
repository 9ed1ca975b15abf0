//! What a run of tests left behind, and the forms of reports that several runners share.
//!
//! Invariant: only a machine-readable report names executed tests; what a program prints besides is never counted.

use std::collections::BTreeMap;

use conclave_effects::sandbox::Exit;
use quick_xml::Reader as Xml;
use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;

/// How one test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Passed,
    Failed,
    /// Left out, or expected to fail and left at that.
    Skipped,
}

/// One executed test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    /// Its id, the same in every run of the same tests.
    pub id: String,
    pub ending: Ending,
    /// The file that holds it, or the end of its path, where the report tells.
    pub file: Option<String>,
}

impl Test {
    pub fn new(id: impl Into<String>, ending: Ending) -> Self {
        Self { id: id.into(), ending, file: None }
    }
}

/// What a runner left when it had ended by itself.
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    pub exit: Exit,
    pub stdout: Vec<u8>,
    /// Whether the middle of an output was left out.
    pub truncated: bool,
    /// The files that were written as its report; an empty one was not written.
    pub reports: Vec<Vec<u8>>,
}

/// Reads the executed tests from what a runner left.
pub(crate) type Read = fn(&Printed) -> Result<Vec<Test>, String>;

/// Most tests that are counted.
const MOST_TESTS: usize = 200_000;

/// Tests of one name are told apart by their order.
pub(super) fn numbered(tests: Vec<Test>) -> Vec<Test> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let number = |mut test: Test| {
        let count = seen.entry(test.id.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count > 1 {
            test.id = format!("{} #{count}", test.id);
        }
        test
    };
    tests.into_iter().take(MOST_TESTS).map(number).collect()
}

/// The one report that was written.
pub(super) fn only(printed: &Printed) -> Result<&[u8], String> {
    let mut written = printed.reports.iter().filter(|report| !report.is_empty());
    written.next().map(Vec::as_slice).ok_or_else(|| "it wrote no report".to_owned())
}

/// JUnit’s XML, in one file or many, as most runners write it.
pub(super) fn junit(printed: &Printed) -> Result<Vec<Test>, String> {
    junit_files(printed, Form::Classes)
}

/// The same as Node writes it: groups are suites, and the class says nothing.
pub(super) fn node_junit(printed: &Printed) -> Result<Vec<Test>, String> {
    junit_files(printed, Form::Groups)
}

/// What names a test beside its own name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Its class, and the suites in a suite; the outermost suite is the run, or the file.
    Classes,
    /// All suites that it is in.
    Groups,
}

fn junit_files(printed: &Printed, form: Form) -> Result<Vec<Test>, String> {
    let mut tests = Vec::new();
    for report in printed.reports.iter().filter(|report| !report.is_empty()) {
        tests.extend(junit_file(report, form)?);
    }
    Ok(numbered(tests))
}

/// `testsuite` and `testcase` elements; a case with a `failure` or `error` failed, one with `skipped` was left out.
fn junit_file(report: &[u8], form: Form) -> Result<Vec<Test>, String> {
    let mut xml = Xml::from_str(std::str::from_utf8(report).map_err(unreadable)?);
    let mut suites: Vec<String> = Vec::new();
    let mut tests: Vec<Test> = Vec::new();
    let mut open = false;
    let mut depth = 0_u32;
    let mut rooted = false;
    loop {
        let event = xml.read_event().map_err(unreadable)?;
        let (element, is_empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                match end.name().as_ref() {
                    "testsuite" => drop(suites.pop()),
                    "testcase" => open = false,
                    _ => {}
                }
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        depth += u32::from(!is_empty);
        match element.name().as_ref() {
            "testsuites" => rooted = true,
            "testsuite" => {
                rooted = true;
                if !is_empty {
                    suites.push(attribute(element, "name")?.unwrap_or_default());
                }
            }
            "testcase" => {
                tests.push(case(element, &suites, form)?);
                open = !is_empty;
            }
            name @ ("failure" | "error" | "skipped") if open => {
                if let Some(test) = tests.last_mut() {
                    let ending = if name == "skipped" { Ending::Skipped } else { Ending::Failed };
                    // A test that failed after it was skipped failed.
                    if test.ending != Ending::Failed {
                        test.ending = ending;
                    }
                }
            }
            _ => {}
        }
    }
    // A writer that was killed leaves elements open.
    if rooted && depth == 0 { Ok(tests) } else { Err("its report breaks off".to_owned()) }
}

fn case(element: &BytesStart<'_>, suites: &[String], form: Form) -> Result<Test, String> {
    let name = attribute(element, "name")?.unwrap_or_default();
    let class = attribute(element, "classname")?.unwrap_or_default();
    let file = attribute(element, "file")?;
    let skipped = usize::from(form == Form::Classes);
    let mut parts: Vec<&str> = suites.iter().skip(skipped).map(String::as_str).collect();
    if form == Form::Classes {
        parts.push(&class);
    }
    parts.push(&name);
    parts.retain(|part| !part.is_empty());
    Ok(Test { id: parts.join(" > "), ending: Ending::Passed, file })
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> String {
    format!("its report cannot be read: {error}")
}

/// The value of an attribute, with its entities read.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    let Some(found) = element.try_get_attribute(name).map_err(unreadable)? else { return Ok(None) };
    quick_xml::escape::unescape(&found.value).map(|text| Some(text.into_owned())).map_err(unreadable)
}

/// What Jest writes with `--json`, and Vitest with its `json` reporter.
#[derive(Deserialize)]
struct JestReport {
    #[serde(rename = "testResults")]
    files: Vec<JestFile>,
}

#[derive(Deserialize)]
struct JestFile {
    name: String,
    status: String,
    #[serde(rename = "assertionResults", default)]
    tests: Vec<JestTest>,
}

#[derive(Deserialize)]
struct JestTest {
    #[serde(rename = "fullName")]
    name: String,
    status: String,
}

/// The JSON of Jest and Vitest.
pub(super) fn jest(printed: &Printed) -> Result<Vec<Test>, String> {
    let report: JestReport = serde_json::from_slice(only(printed)?).map_err(unreadable)?;
    let mut tests = Vec::new();
    for file in report.files {
        let name = file.name.strip_prefix("/scratch/").unwrap_or(&file.name).to_owned();
        if file.tests.is_empty() && file.status == "failed" {
            tests.push(Test { id: name.clone(), ending: Ending::Failed, file: Some(name.clone()) });
        }
        for test in file.tests {
            let ending = match test.status.as_str() {
                "passed" => Ending::Passed,
                "failed" => Ending::Failed,
                _ => Ending::Skipped,
            };
            tests.push(Test { id: format!("{name} > {}", test.name), ending, file: Some(name.clone()) });
        }
    }
    Ok(numbered(tests))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a runner left that ended with 0.
    pub(in crate::runner) fn printed(stdout: &str, reports: &[&str]) -> Printed {
        let reports = reports.iter().map(|report| report.as_bytes().to_vec()).collect();
        Printed { exit: Exit::Code(0), stdout: stdout.into(), truncated: false, reports }
    }

    /// Tests as lines, `+` for passed, `-` for failed, `.` for skipped.
    pub(in crate::runner) fn lines(tests: &[Test]) -> Vec<String> {
        let line = |test: &Test| {
            let sign = match test.ending {
                Ending::Passed => '+',
                Ending::Failed => '-',
                Ending::Skipped => '.',
            };
            let file = test.file.as_ref().map_or_else(String::new, |file| format!(" in {file}"));
            format!("{sign} {}{file}", test.id)
        };
        tests.iter().map(line).collect()
    }

    #[test]
    fn junit_names_each_test_and_how_it_ended() {
        let nested = r#"<?xml version="1.0"?><testsuites><testsuite name="all"><testcase name="a &amp; b" classname="m.C" file="m.py"/>
            <testsuite name="group"><testcase name="deep" classname="test"><failure message="no"/></testcase></testsuite>
            <testcase name="later"><skipped/></testcase><testcase name="later"><error/><skipped/></testcase></testsuite></testsuites>"#;
        let tests = junit(&printed("", &[nested, ""])).expect("a report");
        assert_eq!(lines(&tests), ["+ m.C > a & b in m.py", "- group > test > deep", ". later", "- later #2"]);
        for broken in [
            "<testsuites><testsuite name='a'><testcase name='b'/>",
            "<testsuites></testsuite>",
            "4 passed",
            "{}",
            "<html><body>ok</body></html>",
        ] {
            assert!(junit(&printed("", &[broken])).is_err(), "{broken}");
        }
        let groups = "<testsuites><testcase name='a' classname='test'/><testsuite name='g'><testcase name='a' classname='test'/></testsuite></testsuites>";
        assert_eq!(lines(&node_junit(&printed("", &[groups])).expect("a report")), ["+ a", "+ g > a"]);
        // What is printed is no report, whatever it looks like.
        assert_eq!(junit(&printed(nested, &[""])), Ok(Vec::new()));
    }

    #[test]
    fn jest_says_which_file_could_not_be_run() {
        let report = r#"{"success":false,"testResults":[
            {"name":"/scratch/a.test.js","status":"failed","assertionResults":[
                {"fullName":"adds up","status":"passed"},{"fullName":"adds up","status":"failed"},{"fullName":"later","status":"todo"}]},
            {"name":"/scratch/b.test.js","status":"failed","message":"Cannot find module","assertionResults":[]}]}"#;
        let tests = jest(&printed("", &[report])).expect("a report");
        let expect = [
            "+ a.test.js > adds up in a.test.js",
            "- a.test.js > adds up #2 in a.test.js",
            ". a.test.js > later in a.test.js",
            "- b.test.js in b.test.js",
        ];
        assert_eq!(lines(&tests), expect);
        assert!(jest(&printed(report, &[""])).is_err());
    }
}
