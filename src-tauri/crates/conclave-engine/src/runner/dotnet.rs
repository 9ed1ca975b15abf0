//! `dotnet test`: TRX files.

use quick_xml::Reader as Xml;
use quick_xml::events::Event;

use super::report::{Ending, Printed, Test, attribute, numbered, unreadable};
use super::{OURS, Place, Runner, Step, starts, words};

pub(super) const DOTNET: Runner = Runner {
    name: "dotnet test",
    extensions: &["cs", "fs", "vb"],
    markers: &["*.sln", "*.slnx", "*.csproj", "*.fsproj", "*.vbproj"],
    outermost: true,
    recognise: |folder| {
        let is_project = |file: &&str| [".csproj", ".fsproj", ".vbproj"].iter().any(|end| file.ends_with(end));
        let tests = |file: &str| folder.says(file, "Microsoft.NET.Test.Sdk");
        folder.under().filter(is_project).any(tests).then(|| words(&["dotnet", "test"]))
    },
    step: |_, words| {
        let [dotnet, test, rest @ ..] = words else { return None };
        if !starts(Some(dotnet), "dotnet") || test != "test" {
            return None;
        }
        let folder = format!("{OURS}/trx");
        let ours = ["--no-restore", "--logger", "trx", "--results-directory"].map(str::to_owned).into_iter();
        let start = [dotnet.clone(), test.clone()].into_iter().chain(ours).chain([format!("/scratch/{folder}")]);
        let step = quiet(Step::new(start.chain(rest.iter().cloned())));
        Some(Ok(step.reporting(Place::Folders(vec![folder], ".trx"), read)))
    },
    build: |_, _| Some(quiet(Step::new(["dotnet", "build", "--no-restore", "--nologo"]))),
};

fn quiet(step: Step) -> Step {
    let step = step.with("DOTNET_CLI_TELEMETRY_OPTOUT", "1").with("DOTNET_NOLOGO", "1").with("DOTNET_CLI_HOME", "/tmp");
    // Its collector reserves a quarter of a terabyte otherwise.
    step.with("DOTNET_GCHeapHardLimit", "0x80000000").with("MSBUILDDISABLENODEREUSE", "1").roomy()
}

/// `UnitTestResult` elements of the test result schema of Visual Studio.
fn read(printed: &Printed) -> Result<Vec<Test>, String> {
    let mut tests = Vec::new();
    for report in printed.reports.iter().filter(|report| !report.is_empty()) {
        let mut xml = Xml::from_str(std::str::from_utf8(report).map_err(unreadable)?);
        let mut ended = false;
        loop {
            match xml.read_event().map_err(unreadable)? {
                Event::Start(element) | Event::Empty(element) if element.name().as_ref() == "UnitTestResult" => {
                    let ending = match attribute(&element, "outcome")?.as_deref() {
                        Some("Passed" | "PassedButRunAborted" | "Warning") => Ending::Passed,
                        Some("NotExecuted" | "NotRunnable" | "Inconclusive" | "Pending") => Ending::Skipped,
                        _ => Ending::Failed,
                    };
                    tests.push(Test::new(attribute(&element, "testName")?.unwrap_or_default(), ending));
                }
                Event::End(element) if element.name().as_ref() == "TestRun" => ended = true,
                Event::Eof => break,
                _ => {}
            }
        }
        if !ended {
            return Err("its report breaks off".to_owned());
        }
    }
    Ok(numbered(tests))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::report::tests::{lines, printed};

    #[test]
    fn a_result_without_an_outcome_is_no_pass() {
        let report = r#"<?xml version="1.0" encoding="utf-8"?>
<TestRun id="1" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
  <UnitTestResult testId="a" testName="Shop.CartTests.Adds(count: 1)" outcome="Passed" duration="00:00:00.01" />
  <UnitTestResult testId="b" testName="Shop.CartTests.Totals" outcome="Failed"><Output><ErrorInfo><Message>Expected &lt;1&gt;</Message></ErrorInfo></Output></UnitTestResult>
  <UnitTestResult testId="c" testName="Shop.CartTests.Later" outcome="NotExecuted" />
  <UnitTestResult testId="d" testName="Shop.CartTests.Odd" />
</Results><ResultSummary outcome="Failed"><Counters total="4" executed="3" passed="1" failed="1" /></ResultSummary></TestRun>"#;
        let expect = [
            "+ Shop.CartTests.Adds(count: 1)",
            "- Shop.CartTests.Totals",
            ". Shop.CartTests.Later",
            "- Shop.CartTests.Odd",
        ];
        assert_eq!(lines(&read(&printed("", &[report])).expect("a report")), expect);
        let cut = report.split("<ResultSummary").next().expect("a start");
        assert!(read(&printed("", &[cut])).is_err());
        assert_eq!(read(&printed("Passed!  - Failed: 0, Passed: 3", &[])), Ok(Vec::new()));
    }
}
