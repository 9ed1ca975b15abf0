//! Gradle.

use super::maven::{HEAP, reports};
use super::{OURS, Place, Runner, Step, report, starts, words};

const MANIFESTS: &[&str] = &["settings.gradle", "settings.gradle.kts", "build.gradle", "build.gradle.kts"];

pub(super) const GRADLE: Runner = Runner {
    name: "Gradle",
    extensions: &["java", "kt", "scala", "groovy"],
    markers: MANIFESTS,
    outermost: true,
    recognise: |folder| {
        let has_tests = folder.under().any(|file| file.contains("src/test/"));
        (MANIFESTS.iter().any(|name| folder.has(name)) && has_tests).then(|| words(&["gradle", "test"]))
    },
    step: |folder, words| {
        let [gradle, rest @ ..] = words else { return None };
        // The wrapper would have to be downloaded first; what is installed stands for it.
        if !starts(Some(gradle), "gradle") && !starts(Some(gradle), "gradlew") {
            return None;
        }
        let place =
            Place::Folders(reports(folder, &["build.gradle", "build.gradle.kts"], "build/test-results"), ".xml");
        Some(Ok(offline(rest).reporting(place, report::junit)))
    },
    build: |folder, _| MANIFESTS.iter().any(|name| folder.has(name)).then(|| offline(&words(&["testClasses"]))),
};

fn offline(rest: &[String]) -> Step {
    let start = ["gradle", "--offline", "--no-daemon", "--console=plain", "--continue"].map(str::to_owned);
    let step = Step::new(start.into_iter().chain(rest.iter().cloned()));
    step.with("GRADLE_USER_HOME", format!("/scratch/{OURS}/gradle")).with(HEAP.0, HEAP.1).roomy()
}
