//! What a fix does that a person should look at, seen in its text alone: one file a lint, one line in the registry.
//!
//! A scanner that falls silent is no proof that a weakness is gone, so each lint looks for one way of silencing it, or of
//! paying for the fix with something else. Deliberately absent: a verdict, other files than the changed ones, running
//! anything. Invariant: what stood in the file before is never held against a fix, and the same texts give the same
//! smells in the same order.

mod allow_list;
mod bad_placeholder;
mod broken_call;
mod deny_list;
mod fast_hash;
mod feature_removed;
mod file;
mod hidden_sink;
mod home_made;
mod idle_check;
mod new_dependency;
mod new_power;
mod pair;
mod sanitizer;
mod setting;
mod signature;
mod swallowed_error;
mod symptom_only;
mod unknown_name;
mod unrelated_change;
mod weakened_check;

use conclave_core::finding::Detection;
use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_core::smell::Smell;

use crate::facts::ProjectFacts;
use crate::syntax::Tree;
use pair::Pair;

/// One file that a fix changes, as text before and after.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The file.
    pub path: &'a RelPath,
    /// Its text before the fix.
    pub before: &'a str,
    /// Its text after the fix.
    pub after: &'a str,
}

/// Whether the project knows a module by this name, as the file at the path would import it: as one of its own or as
/// one that its manifests list.
pub type Knows<'k> = dyn Fn(&RelPath, &str) -> bool + 'k;

type Run = for<'p, 't> fn(&'p Pair<'t>) -> Vec<Smell>;

/// All lints that read code.
const LINTS: &[Run] = &[
    allow_list::run,
    bad_placeholder::run,
    broken_call::run,
    deny_list::run,
    fast_hash::run,
    feature_removed::run,
    hidden_sink::run,
    home_made::run,
    idle_check::run,
    new_dependency::run,
    new_power::run,
    sanitizer::run,
    setting::run,
    signature::run,
    swallowed_error::run,
    symptom_only::run,
    unknown_name::run,
    unrelated_change::run,
    weakened_check::run,
];

/// Nested deeper than this, a file is not looked at.
const MAX_DEPTH: usize = 2_000;

/// Everything suspicious about `changes`, which are meant to repair `finding`; sorted, each once.
pub fn lint(changes: &[Change<'_>], finding: &Detection, knows: &Knows<'_>) -> Vec<Smell> {
    let mut smells = Vec::new();
    for change in changes {
        smells.extend(file::run(change, finding));
        let Some(language) = Language::of_path(change.path) else { continue };
        let (before, after) = (Tree::parse(language, change.before), Tree::parse(language, change.after));
        if before.deeper_than(MAX_DEPTH) || after.deeper_than(MAX_DEPTH) {
            continue;
        }
        let facts = ProjectFacts::default();
        let pair = Pair::of(change, [&before, &after], &facts, finding, knows);
        smells.extend(LINTS.iter().flat_map(|run| run(&pair)));
    }
    smells.sort();
    smells.dedup();
    smells
}

#[cfg(test)]
mod tests;
