//! What the checks share that run a project’s own code: consent, the state of the project, copies, and one piece of
//! evidence from several commands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use conclave_core::digest::Digest;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::path::RelPath;

use super::Subject;
use crate::runner::baseline::{Known, State, state};
use crate::runner::compare::Run;
use crate::runner::trial::{Ended, Trial};
use crate::runner::{Planned, consent};

/// A project on which commands may be tried.
pub(super) struct Bench<'a> {
    subject: &'a Subject<'a>,
    check: Check,
    root: PathBuf,
    /// The project as it is when the check begins.
    pub state: State,
}

/// What one command showed.
pub(super) struct Part {
    pub outcome: CheckOutcome,
    pub summary: String,
    pub weaker: bool,
    pub command: Option<String>,
    pub log: String,
}

impl Part {
    pub fn unavailable(summary: String) -> Self {
        Self { outcome: CheckOutcome::NotAvailable, summary, weaker: false, command: None, log: String::new() }
    }
}

/// Whether a step that ended so without a fix is tried with one.
pub(super) fn is_worth_trying(before: &Run) -> bool {
    matches!(before, Run::Ran { .. })
}

impl<'a> Bench<'a> {
    /// Opens the project of `subject`, if the person agreed that `what` may run.
    ///
    /// # Errors
    /// The evidence that says why nothing runs.
    pub async fn open(subject: &'a Subject<'a>, check: Check, what: &str) -> Result<Self, Box<Evidence>> {
        let root = subject.sources.root();
        if let Some(why) = consent::refusal(subject.cx, subject.sources, what) {
            return Err(Box::new(Evidence::new(check, CheckOutcome::NotRun, why)));
        }
        match state(subject.cx, root.clone()).await {
            Ok(state) => Ok(Self { subject, check, root, state }),
            Err(why) => Err(Box::new(Evidence::new(check, CheckOutcome::Error, why))),
        }
    }

    /// The project’s folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn trial(&self) -> Trial<'_> {
        let wall = Duration::from_secs(self.subject.plan.check_s);
        Trial { cx: self.subject.cx, root: &self.root, files: &self.state.files, wall }
    }

    /// How `planned` ends without the fix.
    pub async fn before(&self, planned: &Planned) -> Arc<Known> {
        let since_ms = self.subject.sources.opened_ms();
        self.subject.cx.baselines.of(&self.trial(), &self.state.digest, planned, since_ms).await
    }

    /// How `planned` ends when `files` are as given.
    pub async fn with(&self, planned: &Planned, files: &BTreeMap<RelPath, Vec<u8>>) -> Ended {
        self.trial().run(&planned.at, &planned.step, files).await
    }

    /// One piece of evidence from all `parts`; without any, `none` says why.
    pub async fn close(self, parts: Vec<Part>, none: &str) -> Evidence {
        if parts.is_empty() {
            return Evidence::new(self.check, CheckOutcome::NotRun, format!("not run: {none}"));
        }
        let evidence = merged(self.check, parts);
        match state(self.subject.cx, self.root).await {
            Ok(now) if now.digest == self.state.digest => evidence,
            _ if evidence.outcome == CheckOutcome::NotAvailable => evidence,
            _ => {
                let why = "the project\u{2019}s files changed while this ran; look for fixes again";
                Evidence { outcome: CheckOutcome::Error, summary: why.to_owned(), ..evidence }
            }
        }
    }
}

/// The worst of all outcomes, with the words of the part that has it, or of all that pass.
fn merged(check: Check, parts: Vec<Part>) -> Evidence {
    use CheckOutcome::{Error, Fail, Flaky, NotAvailable, NotRun, Pass};
    let order = [Fail, Error, Flaky, NotAvailable, NotRun, Pass];
    let worst = order.into_iter().find(|outcome| parts.iter().any(|part| part.outcome == *outcome)).unwrap_or(NotRun);
    let of_it: Vec<Part> = parts.into_iter().filter(|part| part.outcome == worst).collect();
    let join = |words: Vec<&str>| words.join("; ");
    let commands: Vec<&str> = of_it.iter().filter_map(|part| part.command.as_deref()).collect();
    let logs: Vec<&str> = of_it.iter().map(|part| part.log.as_str()).filter(|log| !log.is_empty()).collect();
    let log = logs.join("\n");
    let mut evidence = Evidence::new(check, worst, join(of_it.iter().map(|part| part.summary.as_str()).collect()));
    evidence.weaker = of_it.iter().any(|part| part.weaker);
    evidence.command = (!commands.is_empty()).then(|| commands.join(" && "));
    evidence.log_digest = (!log.is_empty()).then(|| Digest::of(log.as_bytes()));
    evidence.log = (!log.is_empty()).then_some(log);
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_part_is_not_made_up_for_by_a_good_one() {
        use CheckOutcome::{Error, Fail, Flaky, NotAvailable, Pass};
        let part = |outcome, weaker| Part {
            outcome,
            summary: format!("{outcome:?}"),
            weaker,
            command: Some("c".to_owned()),
            log: String::new(),
        };
        let cases = [
            (vec![part(Pass, false), part(Pass, true)], (Pass, true), "Pass; Pass"),
            (vec![part(Pass, false), part(Fail, false)], (Fail, false), "Fail"),
            (vec![part(NotAvailable, false), part(Pass, false)], (NotAvailable, false), "NotAvailable"),
            (vec![part(Flaky, false), part(NotAvailable, false)], (Flaky, false), "Flaky"),
            (vec![part(Flaky, false), part(Error, false)], (Error, false), "Error"),
        ];
        for (parts, expect, summary) in cases {
            let evidence = merged(Check::Tests, parts);
            assert_eq!(((evidence.outcome, evidence.weaker), evidence.summary.as_str()), (expect, summary));
        }
    }
}
