//! The project’s own tests are not worse than before: the same ones run, and what passed passes.
//!
//! The tests of the base revision count. A file of them that the fix touches is tried as it was.

use std::collections::BTreeMap;
use std::time::Instant;

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::path::RelPath;
use conclave_fixers::Place;

use super::Subject;
use super::project_run::{self, Bench, Part};
use crate::runner::compare::{Next, Run, compare};
use crate::runner::{Planned, consent, reaches, test_steps};
use crate::{head, learn};

pub(super) async fn run(subject: &mut Subject<'_>) -> Evidence {
    let begin = Instant::now();
    let mut evidence = look(subject).await;
    evidence.duration_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    evidence
}

async fn look(subject: &Subject<'_>) -> Evidence {
    let before = head::of(subject.sources.tree());
    let bench = match Bench::open(subject, Check::Tests, "the tests of this project").await {
        Ok(bench) => bench,
        Err(evidence) => return *evidence,
    };
    let code: BTreeMap<RelPath, Vec<u8>> = subject
        .after
        .iter()
        .filter(|(path, _)| Place::of(path) != Some(Place::Test))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    if code.is_empty() {
        let why = "the fix changes tests alone, and the tests count as they were before it";
        return Evidence::new(Check::Tests, CheckOutcome::NotAvailable, why);
    }
    let commands = consent::commands(subject.cx, bench.root());
    let planned = test_steps(&bench.state.files, subject.sources, &commands, code.keys());
    let (mut parts, mut as_is) = (Vec::new(), Vec::new());
    for planned in planned {
        match planned {
            Ok(planned) => {
                as_is.push(bench.before(&planned).await.ended.run.is_green());
                parts.push(part(subject, &bench, &planned, &code).await);
            }
            Err(why) => {
                as_is.push(None);
                parts.push(Part::unavailable(why));
            }
        }
    }
    // How the tests end without this fix says something of those that are in the project already.
    if let Some(green) = as_is.iter().copied().collect::<Option<Vec<bool>>>().filter(|all| !all.is_empty()) {
        let after = head::of(subject.sources.tree());
        let passed = green.into_iter().all(|green| green);
        let heads = [before.as_deref(), after.as_deref()];
        learn::tests_after(subject.cx, &bench.root().to_string_lossy(), heads, passed);
    }
    bench.close(parts, "you have it run no tests").await
}

/// Runs one suite as often as it takes to tell.
async fn part(subject: &Subject<'_>, bench: &Bench<'_>, planned: &Planned, code: &BTreeMap<RelPath, Vec<u8>>) -> Part {
    let first = bench.before(planned).await;
    let mut before = vec![first.ended.run.clone()];
    let mut last = if project_run::is_worth_trying(&before[0]) {
        bench.with(planned, code).await
    } else {
        // Nothing can be learnt with the fix.
        first.ended.clone()
    };
    let mut after = vec![last.run.clone()];
    let (outcome, summary) = loop {
        match compare(&before, &after) {
            Next::Done(outcome, summary) => break (outcome, summary),
            Next::AgainWith => {
                last = bench.with(planned, code).await;
                after.push(last.run.clone());
            }
            Next::AgainWithout => before.push(bench.with(planned, &BTreeMap::new()).await.run),
        }
    };
    let command = Some(planned.shown());
    let mut part = Part { outcome, summary, weaker: false, command, log: last.log };
    if let (CheckOutcome::Pass, Some(Run::Ran { tests, .. })) = (outcome, after.first()) {
        let text = |file: &str| {
            let path = RelPath::new(file).ok()?;
            Some(subject.sources.file(&path).ok()?.text()?.to_owned())
        };
        part.weaker = !reaches(code.keys(), tests, &bench.state.files, &text);
        if part.weaker {
            part.summary.push_str("; none of them is known to reach the change");
        }
    }
    part
}

#[cfg(test)]
mod tests;
