//! Asks once more: the second wave where the first did not settle it, and a model whose fix a check refused.
//!
//! Nobody is asked a third time: a model that was told what failed and fails again has nothing to add.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::brief::{Brief, Part, PartKind};
use conclave_core::candidate::{Origin, Seat};
use conclave_core::evidence::{CheckOutcome, Evidence};
use conclave_core::patch::Patch;
use conclave_core::resolution::{Judged, holds, is_settled};
use conclave_core::tier::{Mode, RunPlan};
use similar::TextDiff;
use tokio::time::Instant;

use super::ask::{Panel, Question, questions};
use crate::run::Line;
use crate::source::Sources;

/// Most models that are told what failed.
const MOST_RETRIES: usize = 2;
/// The most of a check's output that a model is shown, in bytes.
const MOST_OUTPUT: usize = 2 * 1024;

/// The seats that have answered since `seats` did, or were asked again after `judged`.
pub(crate) async fn again(
    line: &Line<'_>,
    brief: &Brief,
    sources: &Arc<Sources>,
    plan: &RunPlan,
    (seats, judged): (&[Seat], &[Judged]),
    panel: &mut Panel,
) -> Vec<Seat> {
    let mut again = panel.late();
    if plan.design.is_bare() {
        return again;
    }
    let mut asked = Vec::new();
    if plan.tier.mode == Mode::Staged && !is_settled(seats, judged) {
        let (all, sitting) = panel.seated(line.cx(), sources, plan, brief).await;
        let second: Vec<_> = sitting.into_iter().filter(|sitting| sitting.second_wave).collect();
        asked.extend(questions(&all, &second));
    }
    if !judged.iter().any(holds) {
        asked.extend(retries(line, sources, seats, judged));
    }
    if !asked.is_empty() {
        let mut more = Panel::default();
        more.begin(line, &Arc::new(brief.clone()), sources, plan, asked);
        again.extend(more.until(Instant::now() + Duration::from_secs(plan.tier.analysis_s)).await);
        again.extend(panel.late());
    }
    again
}

/// `seats` with those of `again`, which take the place of a seat of the same name.
pub(crate) fn with(mut seats: Vec<Seat>, again: Vec<Seat>) -> Vec<Seat> {
    for seat in again {
        match seats.iter_mut().find(|known| known.name == seat.name) {
            Some(known) => *known = seat,
            None => seats.push(seat),
        }
    }
    seats
}

/// One question to each model whose fix a check refused, with what the check saw.
fn retries(line: &Line<'_>, sources: &Sources, seats: &[Seat], judged: &[Judged]) -> Vec<Question> {
    let mut retries: Vec<Question> = Vec::new();
    for judged in judged {
        let Origin::Model { endpoint, .. } = &judged.candidate.origin else { continue };
        let Some(failed) = judged.evidence.iter().find(|e| e.outcome == CheckOutcome::Fail) else { continue };
        let Some(model) = line.cx().models.named(endpoint) else { continue };
        let name = format!("{endpoint}, second try");
        if retries.len() == MOST_RETRIES || retries.iter().any(|retry| retry.seat.name == name) {
            continue;
        }
        let role = seats.iter().find(|seat| seat.name == *endpoint).and_then(|seat| seat.role);
        let seat = Seat { name, drafts: Vec::new(), role, late: false };
        retries.push(Question { seat, model, sample: 0, earlier: Some(earlier(judged, failed, sources)) });
    }
    retries
}

/// What a model is told of its own fix.
fn earlier(judged: &Judged, failed: &Evidence, sources: &Sources) -> Part {
    let mut text = change(&judged.candidate.patch, sources);
    text.push_str(&format!("\n{} failed: {}\n", failed.check.label(), failed.summary));
    if let Some(log) = &failed.log {
        text.push_str(&log[log.ceil_char_boundary(log.len().saturating_sub(MOST_OUTPUT))..]);
    }
    Part { kind: PartKind::Earlier, path: None, first_line: None, text }
}

/// What `patch` changes, as a unified diff.
pub(super) fn change(patch: &Patch, sources: &Sources) -> String {
    let mut text = String::new();
    for file in &patch.files {
        let Ok(source) = sources.file(&file.path) else { continue };
        let after = file.apply(&source.bytes).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((before, after)) = source.text().zip(after) else { continue };
        text.push_str(
            &TextDiff::from_lines(before, &after)
                .unified_diff()
                .header(file.path.as_str(), file.path.as_str())
                .to_string(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use conclave_core::candidate::Draft;

    use super::*;

    #[test]
    fn a_later_answer_takes_the_place_of_its_own_seat() {
        let seat = |name: &str, why: &str, late| Seat {
            name: name.to_owned(),
            drafts: vec![Draft::Failed { why: why.to_owned() }],
            role: None,
            late,
        };
        let seats =
            with(vec![seat("a", "1", false), seat("b", "2", false)], vec![seat("b", "3", true), seat("c", "4", false)]);
        assert_eq!(seats, [seat("a", "1", false), seat("b", "3", true), seat("c", "4", false)]);
    }
}
