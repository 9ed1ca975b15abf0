//! `cargo test`: libtest has no report but its lines, so a small program of ours says before each binary which it is.

use super::report::{Ending, Printed, Test, numbered};
use super::{OURS, Place, Runner, Step, starts, words};

const PROGRAM: &str = "cargo_binary.sh";

pub(super) const CARGO: Runner = Runner {
    name: "cargo test",
    extensions: &["rs"],
    markers: &["Cargo.toml"],
    outermost: false,
    recognise: |folder| folder.has("Cargo.toml").then(|| words(&["cargo", "test"])),
    step: |_, words| {
        let [cargo, test, rest @ ..] = words else { return None };
        if !starts(Some(cargo), "cargo") || test != "test" {
            return None;
        }
        let start = [cargo.clone(), test.clone(), "--offline".to_owned(), "--no-fail-fast".to_owned()];
        // Quietly it names no test.
        let rest = rest.iter().filter(|word| !matches!(word.as_str(), "-q" | "--quiet")).cloned();
        let step = Step::new(start.into_iter().chain(rest)).with("CARGO_TERM_COLOR", "never");
        let triple = format!("CARGO_TARGET_{}_UNKNOWN_LINUX_GNU_RUNNER", std::env::consts::ARCH.to_uppercase());
        let step = step.with(&triple, format!("sh /scratch/{OURS}/{PROGRAM}"));
        let programs = &[(PROGRAM, include_str!("../../runners/cargo_binary.sh"))];
        Some(Ok(Step { programs, ..step }.roomy().reporting(Place::Stdout, read)))
    },
    build: |_, _| Some(Step::new(["cargo", "check", "--offline", "--tests"]).roomy()),
};

/// `test NAME ... ok`, `FAILED` or `ignored`, below the name of the binary; the line of a documentation test is left out,
/// since it moves with the text above it.
fn read(printed: &Printed) -> Result<Vec<Test>, String> {
    if printed.truncated {
        return Err("its output is larger than is read".to_owned());
    }
    let text = String::from_utf8_lossy(&printed.stdout);
    let mut binary = String::new();
    let mut tests = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("conclave-binary ") {
            // Cargo adds a digest of how it was built.
            name.rsplit_once('-').map_or(name, |(name, _)| name).clone_into(&mut binary);
            continue;
        }
        let Some((name, how)) = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... ")) else { continue };
        let ending = match how {
            "ok" => Ending::Passed,
            "FAILED" => Ending::Failed,
            how if how == "ignored" || how.starts_with("ignored, ") => Ending::Skipped,
            _ => continue,
        };
        let name = match name.split_once(" (line ") {
            Some((start, end)) => format!("{start}{}", end.split_once(')').map_or("", |(_, end)| end)),
            None => name.to_owned(),
        };
        tests.push(Test::new(format!("{binary} > {name}"), ending));
    }
    Ok(numbered(tests))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::report::tests::{lines, printed};

    #[test]
    fn a_test_is_named_by_its_binary_and_not_by_its_line() {
        let stdout = "
conclave-binary shop-0123456789abcdef

running 3 tests
test cart::tests::adds ... ok
test cart::tests::breaks - should panic ... FAILED
test slow ... ignored, takes an hour

test result: FAILED. 1 passed; 1 failed; 1 ignored

conclave-binary shop-fedcba9876543210
test cart::tests::adds ... ok
test src/lib.rs - add (line 12) ... ok
test src/lib.rs - add (line 20) - compile ... ok
all tests passed ... ok
";
        let expect = [
            "+ shop > cart::tests::adds",
            "- shop > cart::tests::breaks - should panic",
            ". shop > slow",
            "+ shop > cart::tests::adds #2",
            "+ shop > src/lib.rs - add",
            "+ shop > src/lib.rs - add - compile",
        ];
        assert_eq!(lines(&read(&printed(stdout, &[])).expect("lines")), expect);
        assert_eq!(read(&printed("ok. 5 passed; 0 failed\n", &[])), Ok(Vec::new()));
    }
}
