//! The project builds, or passes its type check, as it did before.

use std::time::Instant;

use conclave_core::evidence::{Check, Evidence};

use super::Subject;
use super::project_run::{self, Bench, Part};
use crate::runner::build_steps;
use crate::runner::compare::compare_build;
use crate::runner::consent;

pub(super) async fn run(subject: &mut Subject<'_>) -> Evidence {
    let begin = Instant::now();
    let mut evidence = look(subject).await;
    evidence.duration_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    evidence
}

async fn look(subject: &Subject<'_>) -> Evidence {
    let bench = match Bench::open(subject, Check::Build, "the build of this project").await {
        Ok(bench) => bench,
        Err(evidence) => return *evidence,
    };
    let commands = consent::commands(subject.cx, bench.root());
    let planned = build_steps(&bench.state.files, subject.sources, &commands, subject.after.keys());
    let mut parts = Vec::new();
    for planned in planned {
        let planned = match planned {
            Ok(planned) => planned,
            Err(why) => {
                parts.push(Part::unavailable(why));
                continue;
            }
        };
        let before = bench.before(&planned).await;
        let after = if project_run::is_worth_trying(&before.ended.run) {
            bench.with(&planned, &subject.after).await
        } else {
            before.ended.clone()
        };
        let (outcome, summary) = compare_build(&before.ended.run, &after.run);
        parts.push(Part { outcome, summary, weaker: false, command: Some(planned.shown()), log: after.log });
    }
    bench.close(parts, "you have it run no build").await
}
