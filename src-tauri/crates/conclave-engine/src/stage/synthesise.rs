//! Lets a model think over what all seats and all checks brought, and checks the fix that it may make of theirs.
//!
//! Invariant: what is said here is read by people; a fix that is made here climbs the same ladder as any other, without
//! the votes of those that it was made of.

use conclave_core::brief::Brief;
use conclave_core::candidate::Draft;
use conclave_core::record::Record;
use conclave_core::resolution::{Judged, Work, conclude};
use conclave_core::tier::RunPlan;

use super::propose::on_demand;
use super::verify;
use crate::deliberate::{Deliberated, Matter, deliberate};
use crate::run::Line;
use crate::source::Sources;

/// What a model makes of `work`; nothing where none is to be asked, or where there is nothing to think over.
pub(crate) async fn synthesise(
    line: &Line<'_>,
    brief: &Brief,
    sources: &Sources,
    plan: &RunPlan,
    work: &Work,
    record: &Record,
) -> Deliberated {
    let spoke = |draft: &Draft| matches!(draft, Draft::Proposed { .. } | Draft::Doubted { .. } | Draft::Refused { .. });
    let matters = work.seats.iter().flat_map(|seat| &seat.drafts).any(spoke);
    let is_wanted = line.cx().settings().deliberation.on && !plan.design.is_bare();
    if !is_wanted || !matters || on_demand(plan, line.is_alone()).is_some() {
        return Deliberated::default();
    }
    let concluded = conclude(&brief.finding, line.run().clone(), work.clone(), record);
    deliberate(&Matter { line, brief, sources, plan, concluded: &concluded }).await
}

/// `judged` with the fix that was made of them, which has climbed the ladder alone.
pub(crate) async fn verify_made(
    line: &Line<'_>,
    brief: &Brief,
    sources: &Sources,
    plan: &RunPlan,
    mut judged: Vec<Judged>,
    deliberated: &Deliberated,
) -> Vec<Judged> {
    if let Some(made) = &deliberated.made {
        let mut one = verify::look_at(line, brief, sources, plan, made.candidate.clone(), "the merged fix").await;
        one.parents.clone_from(&made.parents);
        super::smells::compare_with(&mut one, &judged);
        judged.push(one);
    }
    judged
}
