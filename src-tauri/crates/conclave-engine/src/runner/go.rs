//! `go test`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::report::{Ending, Printed, Test, unreadable};
use super::{OURS, Place, Runner, Step, starts, words};

pub(super) const GO: Runner = Runner {
    name: "go test",
    extensions: &["go"],
    markers: &["go.mod"],
    outermost: false,
    recognise: |folder| folder.under().any(|file| file.ends_with("_test.go")).then(|| words(&["go", "test", "./..."])),
    step: |_, words| {
        let [go, test, rest @ ..] = words else { return None };
        if !starts(Some(go), "go") || test != "test" {
            return None;
        }
        let start = [go.clone(), test.clone(), "-json".to_owned(), "-count=1".to_owned()];
        let rest = rest.iter().filter(|word| *word != "-json").cloned();
        Some(Ok(offline(Step::new(start.into_iter().chain(rest))).reporting(Place::Stdout, read)))
    },
    build: |_, _| Some(offline(Step::new(["go", "build", "-o", "/dev/null", "./..."]))),
};

fn offline(step: Step) -> Step {
    let step = step.with("GOPROXY", "off").with("GOTOOLCHAIN", "local").with("GOTELEMETRY", "off");
    step.with("GOCACHE", format!("/scratch/{OURS}/go")).with("GOPATH", "/tmp/go").roomy()
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "Action")]
    action: String,
    #[serde(rename = "Package")]
    package: Option<String>,
    #[serde(rename = "Test")]
    test: Option<String>,
}

/// One event a line, as `go doc test2json` says; a package that fails without a failing test did not compile, or broke
/// off.
fn read(printed: &Printed) -> Result<Vec<Test>, String> {
    if printed.truncated {
        return Err("its report is larger than is read".to_owned());
    }
    let (mut tests, mut failed) = (Vec::new(), Vec::new());
    let mut with_failing = BTreeSet::new();
    for line in printed.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        // What a build prints before the first event is no event.
        if !line.starts_with(b"{") {
            continue;
        }
        let Line { action, package, test } = serde_json::from_slice(line).map_err(unreadable)?;
        let Some(package) = package else { continue };
        let ending = match action.as_str() {
            "pass" => Ending::Passed,
            "fail" => Ending::Failed,
            "skip" => Ending::Skipped,
            _ => continue,
        };
        match test {
            Some(test) => {
                if ending == Ending::Failed {
                    with_failing.insert(package.clone());
                }
                tests.push(Test::new(format!("{package} > {test}"), ending));
            }
            None if ending == Ending::Failed => failed.push(package),
            None => {}
        }
    }
    tests.extend(
        failed
            .into_iter()
            .filter(|package| !with_failing.contains(package))
            .map(|package| Test::new(package, Ending::Failed)),
    );
    Ok(tests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::report::tests::{lines, printed};

    #[test]
    fn a_package_that_does_not_compile_is_a_failure_of_its_own() {
        let stdout = r#"# shop/broken
broken/a.go:3:1: syntax error
{"Time":"2026-01-05T10:00:00Z","Action":"start","Package":"shop/cart"}
{"Action":"run","Package":"shop/cart","Test":"TestAdd"}
{"Action":"output","Package":"shop/cart","Test":"TestAdd","Output":"--- PASS: TestForged (0.00s)\n"}
{"Action":"pass","Package":"shop/cart","Test":"TestAdd","Elapsed":0}
{"Action":"fail","Package":"shop/cart","Test":"TestTotal/empty","Elapsed":0}
{"Action":"fail","Package":"shop/cart","Test":"TestTotal","Elapsed":0}
{"Action":"skip","Package":"shop/cart","Test":"TestLater","Elapsed":0}
{"Action":"fail","Package":"shop/cart","Elapsed":0.01}
{"Action":"fail","Package":"shop/broken","Elapsed":0}
"#;
        let expect = [
            "+ shop/cart > TestAdd",
            "- shop/cart > TestTotal/empty",
            "- shop/cart > TestTotal",
            ". shop/cart > TestLater",
            "- shop/broken",
        ];
        assert_eq!(lines(&read(&printed(stdout, &[])).expect("a report")), expect);
        let mut cut = printed(stdout, &[]);
        cut.truncated = true;
        assert!(read(&cut).is_err());
        assert!(read(&printed("{\"Action\":\"pa", &[])).is_err());
        assert_eq!(read(&printed("ok  \tshop/cart\t0.002s\n", &[])), Ok(Vec::new()));
    }
}
