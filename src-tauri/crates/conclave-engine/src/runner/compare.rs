//! Whether tests are worse with a fix than without it: pure, and the whole truth table.
//!
//! Invariant: a pass needs that every test that passed without the fix ran with it and passed.

use std::collections::BTreeMap;

use conclave_core::evidence::CheckOutcome;

use super::report::{Ending, Test};

/// How one run of the tests ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// It ended by itself and its report names executed tests.
    Ran {
        /// The executed tests by id.
        tests: BTreeMap<String, Test>,
        /// Its exit status.
        code: i32,
        /// Milliseconds from start to end.
        wall_ms: u64,
        /// The line of its output that says most about what went wrong.
        said: Option<String>,
    },
    /// It ended by itself, and no executed test is known.
    Nothing(String),
    /// Its time was up.
    TimedOut {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// A signal ended it.
    Killed(i32),
    /// It cannot run here.
    Missing(String),
    /// It could not be started, or its end is not known.
    Broken(String),
}

impl Run {
    /// Whether all tests passed; `None` where none is known to have run.
    pub(crate) fn is_green(&self) -> Option<bool> {
        match self {
            Self::Ran { code, .. } => Some(*code == 0 && self.failed().is_none()),
            Self::Nothing(_) | Self::TimedOut { .. } | Self::Killed(_) | Self::Missing(_) | Self::Broken(_) => None,
        }
    }

    /// The ids that passed.
    fn passed(&self) -> impl Iterator<Item = &str> {
        let tests = if let Self::Ran { tests, .. } = self { Some(tests) } else { None };
        tests.into_iter().flatten().filter(|(_, test)| test.ending == Ending::Passed).map(|(id, _)| id.as_str())
    }

    fn ending(&self, id: &str) -> Option<Ending> {
        if let Self::Ran { tests, .. } = self { tests.get(id).map(|test| test.ending) } else { None }
    }

    fn failed(&self) -> Option<&str> {
        let Self::Ran { tests, .. } = self else { return None };
        tests.iter().find(|(_, test)| test.ending == Ending::Failed).map(|(id, _)| id.as_str())
    }

    /// Whether it ended badly although no test did.
    fn is_unexplained(&self) -> bool {
        matches!(self, Self::Ran { code, .. } if *code != 0) && self.failed().is_none()
    }

    /// How it went, in words, where that is no list of tests.
    fn words(&self) -> String {
        match self {
            Self::Ran { code, .. } => format!("they end with status {code} although none of them fails"),
            Self::Nothing(why) | Self::Missing(why) | Self::Broken(why) => why.clone(),
            Self::TimedOut { limit_ms } => format!("they did not end within {} s", limit_ms / 1000),
            Self::Killed(signal) => format!("they were ended by signal {signal}"),
        }
    }
}

/// What follows from the runs so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The outcome, and what was seen.
    Done(CheckOutcome, String),
    /// Something came out otherwise with the fix: run the tests with it once more.
    AgainWith,
    /// It did so three times: run them without it once more, in case it is the tests.
    AgainWithout,
}

/// Runs with the fix before a difference is believed.
const RUNS: usize = 3;

/// Compares runs without the fix, at least one, with runs with it, at least one.
pub(crate) fn compare(before: &[Run], after: &[Run]) -> Next {
    use CheckOutcome::{Error, Fail, Flaky, NotAvailable, Pass};
    let done = |outcome, words: String| Next::Done(outcome, words);
    let (Some(first), Some(last)) = (before.first(), after.last()) else {
        return done(CheckOutcome::NotRun, "the tests did not run".to_owned());
    };
    // A fix is not blamed for what is no better without it.
    let count = first.passed().count();
    match first {
        Run::Broken(why) => return done(Error, why.clone()),
        Run::Ran { .. } if first.is_unexplained() => {
            return done(NotAvailable, format!("without the fix {}", first.words()));
        }
        Run::Ran { said, .. } if count == 0 => {
            return done(NotAvailable, format!("no test passes without the fix either{}", quoted(said.as_deref())));
        }
        Run::Ran { .. } => {}
        Run::Missing(why) => return done(NotAvailable, why.clone()),
        Run::Nothing(_) | Run::TimedOut { .. } | Run::Killed(_) => {
            return done(NotAvailable, format!("the tests do not run without the fix either: {}", first.words()));
        }
    }
    match last {
        Run::Missing(why) | Run::Broken(why) => return done(Error, why.clone()),
        Run::TimedOut { limit_ms } => {
            let took_ms = if let Run::Ran { wall_ms, .. } = first { *wall_ms } else { 0 };
            let words = format!("with the fix {}; without it they took {}", last.words(), seconds(took_ms));
            // A slow machine is no proof of an endless loop.
            let outcome = if took_ms.saturating_mul(2) < *limit_ms { Fail } else { Error };
            return done(outcome, words);
        }
        Run::Ran { .. } | Run::Nothing(_) | Run::Killed(_) => {}
    }
    let passes = |run: &Run, id: &str| run.ending(id) == Some(Ending::Passed);
    let always = |id: &&str| after.iter().all(|run| passes(run, id));
    let steady = |id: &&str| before.iter().all(|run| passes(run, id));
    let differ: Vec<&str> = first.passed().filter(|id| !always(id)).collect();
    let fresh = after.iter().find_map(|run| new_failure(before, run));
    let unexplained = after.iter().any(Run::is_unexplained);
    if differ.is_empty() && fresh.is_none() && !unexplained {
        return done(Pass, passed(first, count));
    }
    // What never came out well with the fix.
    let never: Vec<&str> =
        differ.iter().copied().filter(|id| after.iter().all(|run| !passes(run, id))).filter(steady).collect();
    let still = !never.is_empty()
        || after.iter().all(|run| new_failure(before, run).is_some())
        || (after.iter().all(Run::is_unexplained) && !before.iter().any(Run::is_unexplained));
    if !still {
        let one = differ.first().copied().or(fresh).unwrap_or("the exit status");
        return done(Flaky, format!("`{one}` comes out now one way, now the other"));
    }
    if after.len() < RUNS {
        return Next::AgainWith;
    }
    if before.len() < 2 {
        return Next::AgainWithout;
    }
    let of = format!("of {} that pass without the fix", tests(count));
    let words = match (never.first(), last) {
        (Some(_), Run::Nothing(_) | Run::Killed(_)) => format!("none {of} ran with it: {}", last.words()),
        (Some(id), _) => {
            let how = match last.ending(id) {
                Some(Ending::Failed) => "fails with it",
                Some(Ending::Skipped) => "is left out with it",
                Some(Ending::Passed) | None => "does not run with it",
            };
            format!("{} {of} got worse: `{id}` {how}", never.len())
        }
        (None, _) => match fresh {
            Some(id) => format!("`{id}` fails with the fix and did not run without it"),
            None => format!("with the fix {}", last.words()),
        },
    };
    done(Fail, words)
}

/// A test that fails in `run` and was not there `before`, such as a file that can no longer be loaded.
fn new_failure<'a>(before: &[Run], run: &'a Run) -> Option<&'a str> {
    let Run::Ran { tests, .. } = run else { return None };
    let is_new = |id: &String| before.iter().all(|run| run.ending(id).is_none());
    tests.iter().find(|(id, test)| test.ending == Ending::Failed && is_new(id)).map(|(id, _)| id.as_str())
}

fn passed(first: &Run, count: usize) -> String {
    let all = if let Run::Ran { tests, .. } = first { tests.len() } else { count };
    let failed = match first {
        Run::Ran { tests, .. } => tests.values().filter(|test| test.ending == Ending::Failed).count(),
        _ => 0,
    };
    let words = if count == 1 && all == 1 {
        "the one test still passes".to_owned()
    } else {
        format!("{} still pass", tests(count))
    };
    match failed {
        0 => words,
        1 => format!("{words}; 1 more fails without the fix too and does not count"),
        n => format!("{words}; {n} more fail without the fix too and do not count"),
    }
}

/// Compares a build without the fix with one with it.
pub(crate) fn compare_build(before: &Run, after: &Run) -> (CheckOutcome, String) {
    use CheckOutcome::{Error, Fail, NotAvailable, Pass};
    let took_ms = match before {
        Run::Ran { code: 0, wall_ms, .. } => *wall_ms,
        Run::Ran { said, .. } => {
            return (NotAvailable, format!("it does not build without the fix either{}", quoted(said.as_deref())));
        }
        Run::Missing(why) => return (NotAvailable, why.clone()),
        Run::Broken(why) => return (Error, why.clone()),
        Run::Nothing(_) | Run::TimedOut { .. } | Run::Killed(_) => {
            return (
                NotAvailable,
                format!("the build does not come to its end without the fix either: {}", ended(before)),
            );
        }
    };
    match after {
        Run::Ran { code: 0, .. } => (Pass, "it builds as before".to_owned()),
        Run::Ran { said, .. } => (Fail, format!("it does not build with the fix{}", quoted(said.as_deref()))),
        // A slow machine is no proof of an endless build.
        Run::TimedOut { limit_ms } if took_ms.saturating_mul(2) < *limit_ms => {
            (Fail, format!("with the fix {}; without it the build took {}", ended(after), seconds(took_ms)))
        }
        Run::Nothing(_) | Run::TimedOut { .. } | Run::Killed(_) | Run::Missing(_) | Run::Broken(_) => {
            (Error, ended(after))
        }
    }
}

/// How a build ended that did not come to its own end.
fn ended(run: &Run) -> String {
    match run {
        Run::TimedOut { limit_ms } => format!("the build did not end within {} s", limit_ms / 1000),
        Run::Killed(signal) => format!("signal {signal} ended the build"),
        Run::Ran { .. } | Run::Nothing(_) | Run::Missing(_) | Run::Broken(_) => run.words(),
    }
}

fn quoted(line: Option<&str>) -> String {
    line.map_or_else(String::new, |line| format!(": `{line}`"))
}

fn tests(count: usize) -> String {
    if count == 1 { "1 test".to_owned() } else { format!("{count} tests") }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

#[cfg(test)]
mod tests;
