//! `make test`: what it starts is not known, but pytest can be asked for a report through the environment.

use super::{Place, REPORT, Runner, Step, report, starts, words};

pub(super) const MAKE: Runner = Runner {
    name: "make",
    extensions: &[],
    markers: &["Makefile", "makefile", "GNUmakefile"],
    outermost: false,
    recognise: |folder| {
        let text = ["GNUmakefile", "makefile", "Makefile"].iter().find_map(|name| folder.text(name))?;
        let target = |name: &&&str| {
            text.lines().any(|line| {
                line.strip_prefix(**name).is_some_and(|rest| rest.starts_with(':') && !rest.starts_with(":="))
            })
        };
        ["test", "check"].iter().find(target).map(|target| words(&["make", target]))
    },
    step: |_, words| {
        starts(words.first(), "make").then(|| {
            let step = Step::new(words.iter().cloned()).roomy();
            let asked = format!("-p no:cacheprovider --junitxml={REPORT} -o junit_family=xunit1");
            let step = step.with("PYTEST_ADDOPTS", asked).with("PYTHONDONTWRITEBYTECODE", "1");
            Ok(step.reporting(Place::File, report::junit))
        })
    },
    build: |_, _| None,
};
