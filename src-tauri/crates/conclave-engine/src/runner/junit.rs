//! Any command of the person’s that writes a JUnit file where they wrote `{report}`.

use super::{Place, REPORT, Runner, Step, report};

const HERE: &str = "{report}";

pub(super) const JUNIT: Runner = Runner {
    name: "a command that writes JUnit XML",
    extensions: &[],
    markers: &[],
    outermost: false,
    recognise: |_| None,
    step: |_, words| {
        words.iter().any(|word| word.contains(HERE)).then(|| {
            let argv = words.iter().map(|word| word.replace(HERE, REPORT));
            Ok(Step::new(argv).roomy().reporting(Place::File, report::junit))
        })
    },
    build: |_, _| None,
};
