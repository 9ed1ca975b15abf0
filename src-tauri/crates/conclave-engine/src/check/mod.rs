//! The checks of the ladder: one file each, one line in the registry.

mod applies;
pub(crate) mod behaviour;
mod build;
mod content;
mod effective;
mod moved;
mod own_rule;
mod parses;
mod paths;
mod project_run;
pub(crate) mod red_green;
mod rescan;
mod second_scan;
mod suite;
mod suppression;
#[cfg(test)]
mod twins;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use conclave_core::brief::Brief;
use conclave_core::candidate::Candidate;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::path::RelPath;
use conclave_core::tier::RunPlan;
use conclave_fixers::Change;

use crate::ctx::Ctx;
use crate::proof::{Proved, Untried};
use crate::source::{Source, Sources};

/// One candidate on its way up the ladder.
pub struct Subject<'a> {
    pub(crate) cx: &'a Ctx,
    pub(crate) brief: &'a Brief,
    pub(crate) sources: &'a Sources,
    pub(crate) plan: &'a RunPlan,
    pub(crate) candidate: &'a Candidate,
    /// The touched files after the patch; filled by the first check.
    pub(crate) after: BTreeMap<RelPath, Vec<u8>>,
    /// What the checks before saw.
    pub(crate) seen: Vec<Evidence>,
    /// What the recipe's proof saw, or why it saw nothing; filled by the check before the last.
    pub(crate) proved: Option<Result<Proved, Untried>>,
}

impl<'a> Subject<'a> {
    /// `candidate` at the foot of the ladder.
    pub(crate) fn new(
        cx: &'a Ctx,
        brief: &'a Brief,
        sources: &'a Sources,
        plan: &'a RunPlan,
        candidate: &'a Candidate,
    ) -> Self {
        Self { cx, brief, sources, plan, candidate, after: BTreeMap::new(), seen: Vec::new(), proved: None }
    }

    /// The touched files as text before and after, those that are text.
    fn texts(&self) -> impl Iterator<Item = (&RelPath, Arc<Source>, &str)> {
        self.after.iter().filter_map(|(path, after)| {
            let before = self.sources.file(path).ok()?;
            before.text()?;
            Some((path, before, std::str::from_utf8(after).ok()?))
        })
    }

    /// The same for a function that takes them all at once.
    pub(crate) fn with_changes<R>(&self, then: impl FnOnce(&[Change<'_>]) -> R) -> R {
        let texts: Vec<_> = self.texts().collect();
        let changes: Vec<_> = texts
            .iter()
            .map(|(path, before, after)| Change { path, before: before.text().unwrap_or_default(), after })
            .collect();
        then(&changes)
    }

    /// Where the lines of the file at `path` stand after the fix.
    fn moved(&self, path: &RelPath) -> moved::Moved {
        let before = self.sources.file(path).ok();
        let text = before.as_deref().and_then(Source::text).unwrap_or_default();
        let file = self.candidate.patch.files.iter().find(|file| file.path == *path);
        moved::Moved::of(text, file.map_or(&[], |file| file.edits.as_slice()))
    }
}

/// Climbs the ladder with the checks that are `wanted` until a gate stops it, and `tells` which one is next; those that
/// were not reached are `NotRun`.
pub(crate) async fn climb(subject: &mut Subject<'_>, wanted: impl Fn(Check) -> bool, tell: impl Fn(Check)) {
    let mut stopped = false;
    for entry in CHECKS.iter().filter(|entry| wanted(entry.check)) {
        let evidence = if stopped {
            Evidence::new(entry.check, CheckOutcome::NotRun, "not run: a gate before it failed")
        } else {
            tell(entry.check);
            (entry.run)(subject).await
        };
        stopped |= entry.check.is_gate() && evidence.outcome != CheckOutcome::Pass;
        subject.seen.push(evidence);
    }
}

type Run = for<'s, 'a> fn(&'s mut Subject<'a>) -> Pin<Box<dyn Future<Output = Evidence> + Send + 's>>;

/// A registered check.
pub struct Entry {
    /// Which.
    pub check: Check,
    pub(crate) run: Run,
}

/// All checks, in ladder order. A gate that does not pass stops the climb.
pub const CHECKS: &[Entry] = &[
    Entry { check: Check::Applies, run: |s| Box::pin(async { applies::run(s) }) },
    Entry { check: Check::Parses, run: |s| Box::pin(async { parses::run(s) }) },
    Entry { check: Check::Paths, run: |s| Box::pin(async { paths::run(s) }) },
    Entry { check: Check::Suppression, run: |s| Box::pin(async { suppression::run(s) }) },
    Entry { check: Check::Effective, run: |s| Box::pin(async { effective::run(s) }) },
    Entry { check: Check::Content, run: |s| Box::pin(async { content::run(s) }) },
    Entry { check: Check::Rescan, run: |s| Box::pin(rescan::run(s)) },
    Entry { check: Check::OwnRule, run: |s| Box::pin(async { own_rule::run(s) }) },
    Entry { check: Check::SecondScan, run: |s| Box::pin(second_scan::run(s)) },
    Entry { check: Check::Build, run: |s| Box::pin(build::run(s)) },
    Entry { check: Check::Tests, run: |s| Box::pin(suite::run(s)) },
    Entry { check: Check::RedGreen, run: |s| Box::pin(red_green::run(s)) },
    Entry { check: Check::Behaviour, run: |s| Box::pin(async { behaviour::run(s) }) },
];
