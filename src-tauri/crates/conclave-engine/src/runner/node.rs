//! `node --test`.

use super::npm::{SCRIPTS, build};
use super::{Place, REPORT, Runner, Step, report, starts, words};

pub(super) const NODE: Runner = Runner {
    name: "node --test",
    extensions: SCRIPTS,
    markers: &["package.json"],
    outermost: false,
    recognise: |folder| {
        let is_script = |file: &&str| file.rsplit_once('.').is_some_and(|(_, end)| SCRIPTS.contains(&end));
        let tests = |file: &str| folder.text(file).is_some_and(|text| text.contains("node:test"));
        let named = |file: &&str| file.contains("test");
        folder.under().filter(is_script).filter(named).any(tests).then(|| words(&["node", "--test"]))
    },
    step: |_, words| {
        let [node, rest @ ..] = words else { return None };
        if !starts(Some(node), "node") || !rest.iter().any(|word| word == "--test") {
            return None;
        }
        let ours =
            ["--test".to_owned(), "--test-reporter=junit".to_owned(), format!("--test-reporter-destination={REPORT}")];
        let theirs = rest.iter().filter(|word| *word != "--test" && !word.starts_with("--test-reporter"));
        let argv = std::iter::once(node.clone()).chain(ours).chain(theirs.cloned());
        Some(Ok(Step::new(argv).roomy().reporting(Place::File, report::node_junit)))
    },
    build,
};
