//! Asks models one after another; each is shown the answer before its own, as data, and the last answer counts.
//!
//! Answers of a chain are one answer: those that were handed on are neither checked nor votes.
//! Invariant: nobody is asked after the time for all is over.

use std::sync::Arc;

use conclave_core::brief::{Brief, Part, PartKind};
use conclave_core::candidate::{Candidate, Draft, Seat};
use conclave_core::tier::RunPlan;
use tokio::time::Instant;

use super::again::change;
use super::ask::{Panel, Question};
use crate::run::Line;
use crate::source::Sources;

/// The seats of `questions` with their answers, asked in their order until `end`.
pub(super) async fn chain(
    line: &Line<'_>,
    brief: &Brief,
    sources: &Arc<Sources>,
    plan: &RunPlan,
    questions: Vec<Question>,
    end: Instant,
) -> Vec<Seat> {
    let brief = Arc::new(brief.clone());
    let mut seats: Vec<Seat> = Vec::new();
    for question in questions {
        if Instant::now() >= end {
            let why = format!("its turn did not come within {} s", plan.tier.analysis_s);
            seats.push(Seat { drafts: vec![Draft::Failed { why }], ..question.seat });
            continue;
        }
        let handed = seats.iter().rev().find_map(proposed).map(|candidate| before(candidate, sources));
        let mut link = Panel::default();
        link.begin(line, &brief, sources, plan, vec![Question { earlier: handed, ..question }]);
        let answered = link.until(end).await;
        if let Some(next) = answered.iter().find(|seat| proposed(seat).is_some()) {
            hand_on(&mut seats, &next.name);
        }
        seats.extend(answered);
    }
    seats
}

fn proposed(seat: &Seat) -> Option<&Candidate> {
    seat.drafts.iter().find_map(|draft| match draft {
        Draft::Proposed { candidate } => Some(candidate.as_ref()),
        _ => None,
    })
}

/// Takes the proposals of `seats` back: the one of `next` stands for them.
fn hand_on(seats: &mut [Seat], next: &str) {
    for draft in seats.iter_mut().flat_map(|seat| &mut seat.drafts) {
        if matches!(draft, Draft::Proposed { .. }) {
            *draft = Draft::Silent { reason: format!("its answer went to {next}") };
        }
    }
}

/// What the next model is shown of `candidate`.
fn before(candidate: &Candidate, sources: &Sources) -> Part {
    let text = format!("{}\n{}\n{}", candidate.title, candidate.rationale, change(&candidate.patch, sources));
    Part { kind: PartKind::Before, path: None, first_line: None, text }
}
