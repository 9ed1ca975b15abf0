//! Vitest.

use super::npm::{SCRIPTS, after, build, installed};
use super::{Place, REPORT, Runner, Step, report, words};

pub(super) const VITEST: Runner = Runner {
    name: "Vitest",
    extensions: SCRIPTS,
    markers: &["package.json"],
    outermost: false,
    recognise: |folder| {
        let configured = ["vitest.config.ts", "vitest.config.js", "vitest.config.mts", "vitest.config.mjs"];
        configured.iter().any(|name| folder.has(name)).then(|| words(&["vitest", "run"]))
    },
    step: |folder, words| {
        let rest = after(words, "vitest")?;
        let is_mode = |word: &&String| matches!(word.as_str(), "run" | "watch" | "dev" | "--watch" | "-w");
        let theirs = rest.iter().filter(|word| !is_mode(word) && !word.starts_with("--reporter")).cloned();
        let ours = ["run", "--reporter=json", &format!("--outputFile={REPORT}")].map(str::to_owned);
        Some(installed(folder, "vitest", &["vitest.mjs"]).map(|start| {
            let argv = start.into_iter().chain(ours).chain(theirs);
            Step::new(argv).with("CI", "true").roomy().reporting(Place::File, report::jest)
        }))
    },
    build,
};
