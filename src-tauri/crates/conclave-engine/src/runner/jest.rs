//! Jest, and `react-scripts test`, which is Jest.

use super::npm::{SCRIPTS, after, build, installed};
use super::{Place, REPORT, Runner, Step, report, words};

pub(super) const JEST: Runner = Runner {
    name: "Jest",
    extensions: SCRIPTS,
    markers: &["package.json"],
    outermost: false,
    recognise: |folder| {
        let configured = ["jest.config.js", "jest.config.ts", "jest.config.mjs", "jest.config.cjs", "jest.config.json"];
        configured.iter().any(|name| folder.has(name)).then(|| words(&["jest"]))
    },
    step: |folder, words| {
        let (start, rest) = match after(words, "jest") {
            Some(rest) => (installed(folder, "jest", &["bin/jest.js"]), rest),
            None => {
                let rest =
                    after(words, "react-scripts").filter(|rest| rest.first().is_some_and(|word| word == "test"))?;
                (installed(folder, "react-scripts", &["bin/react-scripts.js"]), rest)
            }
        };
        let theirs = rest.iter().filter(|word| !word.starts_with("--watch")).cloned();
        let ours = ["--json", &format!("--outputFile={REPORT}"), "--watchAll=false", "--cacheDirectory=/tmp/jest"];
        Some(start.map(|start| {
            let argv = start.into_iter().chain(theirs).chain(ours.map(str::to_owned));
            Step::new(argv).with("CI", "true").roomy().reporting(Place::File, report::jest)
        }))
    },
    build,
};
