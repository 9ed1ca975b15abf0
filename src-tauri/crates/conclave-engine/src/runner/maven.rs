//! Maven: Surefire’s reports.

use super::{Folder, Place, Runner, Step, report, starts, words};

/// A Java that is told nothing reserves a quarter of the machine’s memory.
pub(super) const HEAP: (&str, &str) = ("JAVA_TOOL_OPTIONS", "-Xmx2g");

pub(super) const MAVEN: Runner = Runner {
    name: "Maven",
    extensions: &["java", "kt", "scala", "groovy"],
    markers: &["pom.xml"],
    outermost: true,
    recognise: |folder| {
        let has_tests = folder.under().any(|file| file.contains("src/test/"));
        (folder.has("pom.xml") && has_tests).then(|| words(&["mvn", "test"]))
    },
    step: |folder, words| {
        let [maven, rest @ ..] = words else { return None };
        if !starts(Some(maven), "mvn") {
            return None;
        }
        let start = ["mvn", "-o", "-B", "-fae"].map(str::to_owned).into_iter();
        let place = Place::Folders(reports(folder, &["pom.xml"], "target/surefire-reports"), ".xml");
        let step = Step::new(start.chain(rest.iter().cloned())).with(HEAP.0, HEAP.1).roomy();
        Some(Ok(step.reporting(place, report::junit)))
    },
    build: |folder, _| {
        folder.has("pom.xml").then(|| Step::new(["mvn", "-o", "-B", "-q", "test-compile"]).with(HEAP.0, HEAP.1).roomy())
    },
};

/// Where the modules of a build leave their reports: `below` in every folder with one of the `manifests`.
pub(super) fn reports(folder: &Folder<'_>, manifests: &[&str], below: &str) -> Vec<String> {
    let is_manifest = |file: &&str| file.rsplit('/').next().is_some_and(|name| manifests.contains(&name));
    let module = |file: &str| match file.rsplit_once('/') {
        Some((module, _)) => folder.path(&format!("{module}/{below}")),
        None => folder.path(below),
    };
    folder.under().filter(is_manifest).map(module).collect()
}
