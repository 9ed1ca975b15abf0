//! Files that a fix has to touch for nothing in the code, whatever they hold.

use conclave_core::finding::Detection;
use conclave_core::smell::{Smell, SmellKind};

use super::Change;
use crate::place::Place;

/// Looks at the name of one changed file.
pub(super) fn run(change: &Change<'_>, finding: &Detection) -> Vec<Smell> {
    let mut smells = Vec::new();
    let mut add = |kind, what: &str| smells.push(Smell { kind, detail: format!("`{}`: {what}", change.path) });
    match Place::of(change.path) {
        Some(Place::Test) => add(SmellKind::TestEdit, "a test, which should judge the fix and not follow it"),
        Some(Place::Manifest | Place::Lock) => add(SmellKind::NewDependency, "dependencies are listed here"),
        _ => {}
    }
    if finding.location.as_ref().is_some_and(|place| place.path != *change.path) {
        add(SmellKind::OtherFile, "the finding is in another file");
    }
    smells
}
