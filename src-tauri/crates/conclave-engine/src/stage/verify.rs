//! Checks every distinct candidate, in ladder order.

use conclave_core::brief::Brief;
use conclave_core::candidate::{Candidate, Draft, Seat};
use conclave_core::cluster::Shape;
use conclave_core::evidence::Check;
use conclave_core::resolution::Judged;
use conclave_core::tier::RunPlan;
use conclave_fixers::{Change, shape};

use super::smells;
use crate::check::{Subject, climb};
use crate::ctx::Ctx;
use crate::event::Checking;
use crate::run::Line;
use crate::source::Sources;

/// Every distinct patch of `seats` with its evidence, in the order in which the seats gave them.
///
/// Equal patches are checked once and keep the names of all who wrote them; what `known` says of one is taken as it is.
pub(crate) async fn verify(
    line: &Line<'_>,
    brief: &Brief,
    sources: &Sources,
    plan: &RunPlan,
    seats: &[Seat],
    known: &[Judged],
) -> Vec<Judged> {
    let mut distinct: Vec<(Candidate, Vec<String>)> = Vec::new();
    for draft in seats.iter().flat_map(|seat| &seat.drafts) {
        let Draft::Proposed { candidate } = draft else { continue };
        match distinct.iter_mut().find(|(first, _)| first.patch == candidate.patch) {
            Some((_, also_by)) => also_by.push(candidate.origin.label()),
            None => distinct.push((Candidate::clone(candidate), Vec::new())),
        }
    }
    let total = distinct.len();
    let mut judged = Vec::with_capacity(total);
    for (index, (candidate, also_by)) in distinct.into_iter().enumerate() {
        if let Some(known) = known.iter().find(|judged| judged.candidate.id == candidate.id) {
            judged.push(Judged { also_by, ..known.clone() });
            continue;
        }
        let place = format!("fix {} of {total}", index + 1);
        judged.push(Judged { also_by, ..look_at(line, brief, sources, plan, candidate, &place).await });
    }
    smells::compare(&mut judged);
    judged
}

/// `candidate` with its evidence; `place` says in words which of all it is.
pub(super) async fn look_at(
    line: &Line<'_>,
    brief: &Brief,
    sources: &Sources,
    plan: &RunPlan,
    candidate: Candidate,
    place: &str,
) -> Judged {
    let (id, origin) = (candidate.id.clone(), candidate.origin.label());
    let tell = |check: Check| {
        let checking = Checking { candidate: id.clone(), origin: origin.clone(), check };
        line.tell_check(format!("{}, {place}", check.label()), checking);
    };
    examine(line.cx(), brief, sources, plan, candidate, tell).await
}

/// `candidate` with its evidence, whoever wants it looked at; `tell` hears which check is next.
pub(crate) async fn examine(
    cx: &Ctx,
    brief: &Brief,
    sources: &Sources,
    plan: &RunPlan,
    candidate: Candidate,
    tell: impl Fn(Check),
) -> Judged {
    keep(cx, sources, &candidate);
    let mut subject = Subject::new(cx, brief, sources, plan, &candidate);
    climb(&mut subject, |_| true, tell).await;
    let smells = smells::of(&subject);
    let evidence = subject.seen;
    let shape = shape_of(sources, &candidate);
    Judged { candidate, also_by: Vec::new(), evidence, smells, shape, parents: Vec::new() }
}

/// What the candidate leaves behind; `None` where a file is no text or the edits do not fit.
fn shape_of(sources: &Sources, candidate: &Candidate) -> Option<Shape> {
    let mut texts = Vec::new();
    for file in &candidate.patch.files {
        let before = sources.file(&file.path).ok()?;
        let after = String::from_utf8(file.apply(&before.bytes).ok()?).ok()?;
        texts.push((&file.path, before, after));
    }
    let mut changes = Vec::new();
    for (path, before, after) in &texts {
        changes.push(Change { path, before: before.text()?, after });
    }
    Some(shape(&changes))
}

/// Keeps the texts that the candidate was written against, so that its diff can be shown when the files have moved on.
fn keep(cx: &Ctx, sources: &Sources, candidate: &Candidate) {
    for file in &candidate.patch.files {
        let kept = sources.file(&file.path).map(|source| cx.data.put_blob(&source.bytes));
        if let Ok(Err(error)) = kept {
            tracing::warn!(%error, path = %file.path, "the text before the fix was not kept");
        }
    }
}
