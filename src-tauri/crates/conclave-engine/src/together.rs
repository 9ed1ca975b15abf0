//! Applies the fixes of several findings at once: those that touch the same files as one change of the project.
//!
//! Each fix was checked by itself, against the files as they were. Written one after the other, the second would no
//! longer fit, and nobody would have looked at both. So the union of them is made (`conclave_core::merge`), climbs the
//! ladder for every finding in it, and is written as one change with one way back.
//! Invariant: a union in which a check sees less than it saw of one of its fixes is not written. Which fix is left out
//! then does not depend on the order in which they were asked for.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use conclave_core::brief::Brief;
use conclave_core::candidate::Candidate;
use conclave_core::evidence::{Check, CheckOutcome, Evidence, outcome_of};
use conclave_core::id::{CandidateId, FindingId};
use conclave_core::merge::{Conflict, merge};
use conclave_core::patch::{FilePatch, Patch};
use conclave_core::path::RelPath;
use conclave_core::tier::{Effort, RunPlan};

use crate::apply::{Applied, ApplyError};
use crate::check::{Subject, climb};
use crate::ctx::Ctx;
use crate::decide::{Chosen, DecideError, choose, write};
use crate::event::Stage;
use crate::replay::stored;
use crate::source::{Source, Sources};

/// So often a set with one fix less is tried, at most.
const TRIES: usize = 4;

/// What became of the fix of one finding.
pub type End = Result<(CandidateId, Applied), DecideError>;

/// A finding and the fix that is to be applied to it, the recommended one where none is named.
pub type Wanted = (FindingId, Option<CandidateId>);

/// Applies what is `wanted` on the person's word; gives how each ended, in the same order.
///
/// A fix that does not go with the others is left out and says why; what is wrong with one stops no other.
pub async fn apply_fixes(cx: &Ctx, wanted: &[Wanted]) -> Vec<End> {
    let mut ends = BTreeMap::new();
    let mut chosen = Vec::new();
    for (finding, fix) in wanted.iter().map(|(finding, fix)| (finding, fix)).collect::<BTreeMap<_, _>>() {
        match choose(cx, finding, fix.as_ref()) {
            Ok(one) => chosen.push(one),
            Err(error) => drop(ends.insert(finding.clone(), Err(error))),
        }
    }
    for set in sharing_files(chosen) {
        write_set(cx, set, &mut ends).await;
    }
    let again = || Err(DecideError::Already);
    wanted.iter().map(|(finding, _)| ends.remove(finding).unwrap_or_else(again)).collect()
}

/// The most severe first, then the surest: who comes first stays where two cannot both.
fn rank(a: &Chosen, b: &Chosen) -> Ordering {
    let severity = |one: &Chosen| one.finding.detection.severity;
    severity(a).cmp(&severity(b)).then(b.p.total_cmp(&a.p)).then_with(|| a.finding.id.cmp(&b.finding.id))
}

/// Fixes of one project that touch a file in common are together, over several steps too, in the order of their rank.
fn sharing_files(wanted: Vec<Chosen>) -> Vec<Vec<Chosen>> {
    let mut sets: Vec<Vec<Chosen>> = Vec::new();
    let paths =
        |one: &Chosen| one.judged.candidate.patch.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    for one in wanted {
        let own = paths(&one);
        let shares = |set: &mut Vec<Chosen>| {
            set.iter().any(|other| other.root == one.root && paths(other).iter().any(|path| own.contains(path)))
        };
        let mut set: Vec<Chosen> = sets.extract_if(.., shares).flatten().collect();
        set.push(one);
        set.sort_by(rank);
        sets.push(set);
    }
    sets
}

/// Writes as many of `set` as go together, and says of each how it ended.
async fn write_set(cx: &Ctx, set: Vec<Chosen>, ends: &mut BTreeMap<FindingId, End>) {
    let mut left_out = Vec::new();
    let written = match <[Chosen; 1]>::try_from(set) {
        Ok(alone) => {
            let patch = alone[0].judged.candidate.patch.clone();
            let result = write(cx, &alone, patch).await;
            (alone.into(), result)
        }
        Err(set) => match Union::open(cx, &set).await {
            Ok(union) => {
                let (set, patch) = union.largest(set, &mut left_out).await;
                let result = write(cx, &set, patch).await;
                (set, result)
            }
            Err(error) => {
                left_out.extend(set.into_iter().map(|one| (one, DecideError::NotTogether(error.clone()))));
                (Vec::new(), Err(ApplyError::Empty.into()))
            }
        },
    };
    let (set, mut result) = written;
    for one in set {
        let end = match &mut result {
            Ok(applied) => Ok((one.judged.candidate.id.clone(), applied.clone())),
            // The first one has the error itself, the others that it was all or nothing.
            Err(error) => {
                let rest = DecideError::NotTogether(format!("the change that it was part of was not written: {error}"));
                Err(std::mem::replace(error, rest))
            }
        };
        ends.insert(one.finding.id, end);
    }
    for (one, why) in left_out {
        ends.insert(one.finding.id, Err(why));
    }
}

/// What the fixes of one set are made one over.
struct Union<'a> {
    cx: &'a Ctx,
    sources: Sources,
    texts: BTreeMap<RelPath, String>,
}

/// Why a union is not good enough: which of its fixes is the worse for it.
struct Worse {
    at: usize,
    why: String,
}

impl<'a> Union<'a> {
    async fn open(cx: &'a Ctx, set: &[Chosen]) -> Result<Self, String> {
        let root = set.first().map(|one| one.root.clone()).unwrap_or_default();
        let sources = Sources::open(cx, &root).await.map_err(|error| error.to_string())?;
        let mut texts = BTreeMap::new();
        for file in set.iter().flat_map(|one| &one.judged.candidate.patch.files) {
            // A file that is gone or no text fits no fix, which the merge says.
            let source = sources.file(&file.path).ok();
            let text = source.as_deref().and_then(Source::text).unwrap_or_default();
            texts.insert(file.path.clone(), text.to_owned());
        }
        Ok(Self { cx, sources, texts })
    }

    fn patch(&self, set: &[Chosen]) -> Result<Patch, Conflict> {
        let patches: Vec<&Patch> = set.iter().map(|one| &one.judged.candidate.patch).collect();
        merge(&self.texts, &patches)
    }

    /// The files as `patch` leaves them; none where it does not fit.
    fn after(&self, patch: &Patch) -> Option<Vec<(RelPath, Vec<u8>)>> {
        let after =
            |file: &FilePatch| Some((file.path.clone(), file.apply(self.texts.get(&file.path)?.as_bytes()).ok()?));
        patch.files.iter().map(after).collect()
    }

    /// The largest part of `set` that was found to go together, with its union; the rest is left out with reasons.
    async fn largest(&self, set: Vec<Chosen>, left_out: &mut Vec<(Chosen, DecideError)>) -> (Vec<Chosen>, Patch) {
        let (set, patch) = self.mergeable(set, left_out);
        let worse = match self.verify(&set, &patch).await {
            Ok(()) => return (set, patch),
            Err(worse) => worse,
        };
        // Whose check saw it goes first, then whoever counts least.
        let order = std::iter::once(worse.at).chain((0..set.len()).rev().filter(|at| *at != worse.at));
        for at in order.take(TRIES) {
            let rest: Vec<Chosen> = without(&set, at);
            let Ok(patch) = self.patch(&rest) else { continue };
            if self.verify(&rest, &patch).await.is_ok() {
                left_out.extend(set.into_iter().nth(at).map(|one| (one, not_with_the_others(&worse.why))));
                return (rest, patch);
            }
        }
        let mut set = set.into_iter();
        let first: Vec<Chosen> = set.by_ref().take(1).collect();
        left_out.extend(set.map(|one| (one, not_with_the_others(&worse.why))));
        let patch = first.first().map(|one| one.judged.candidate.patch.clone()).unwrap_or_default();
        (first, patch)
    }

    /// Those of `set` that can stand beside each other, in its order.
    fn mergeable(&self, set: Vec<Chosen>, left_out: &mut Vec<(Chosen, DecideError)>) -> (Vec<Chosen>, Patch) {
        let (mut kept, mut union): (Vec<Chosen>, Patch) = (Vec::new(), Patch::default());
        for one in set {
            kept.push(one);
            match self.patch(&kept) {
                Ok(patch) => union = patch,
                Err(conflict) => {
                    let titles = |at: usize| kept.get(at).map(|other| other.judged.candidate.title.clone());
                    let why = match &conflict {
                        Conflict::Overlap { path, line, first, .. } => not_with_the_others(&format!(
                            "it changes line {line} of `{path}` otherwise than `{}` does",
                            titles(*first).unwrap_or_default()
                        )),
                        Conflict::Unfit { error, .. } => DecideError::NotTogether(error.to_string()),
                    };
                    left_out.extend(kept.pop().map(|one| (one, why)));
                }
            }
        }
        (kept, union)
    }

    /// Has every check look at `union` that looked at one of its fixes, for every finding of `set`.
    async fn verify(&self, set: &[Chosen], union: &Patch) -> Result<(), Worse> {
        let after = self.after(union);
        let successors: BTreeSet<&String> = set.iter().flat_map(|one| &one.judged.candidate.successors).collect();
        let mut is_first = true;
        for (at, one) in set.iter().enumerate() {
            if self.after(&one.judged.candidate.patch) == after {
                continue; // It does all that the others want, and was checked when it was found.
            }
            let worse = |why: String| Worse { at, why };
            let Ok(Some((brief, _))) = stored::<Brief>(&self.cx.store, &one.run, Stage::Gather) else {
                return Err(worse("what it was checked with is gone".to_owned()));
            };
            let candidate = Candidate {
                patch: union.clone(),
                successors: successors.iter().map(|rule| (*rule).clone()).collect(),
                ..one.judged.candidate.clone()
            };
            let root = one.root.display().to_string();
            let plan = RunPlan::for_finding(&brief.finding, &root, Effort::Usual, &self.cx.settings());
            let mut subject = Subject::new(self.cx, &brief, &self.sources, &plan, &candidate);
            // What runs the whole project knows of no finding, so once is enough.
            let whole_project = |check| matches!(check, Check::Build | Check::Tests);
            climb(&mut subject, |check| is_first || !whole_project(check), |_| {}).await;
            let mut alone = one.judged.evidence.clone();
            if std::mem::take(&mut is_first) {
                alone.retain(|evidence| !whole_project(evidence.check));
                alone.extend(best(set, Check::Build));
                alone.extend(best(set, Check::Tests));
            }
            worse_than(&alone, &subject.seen).map_or(Ok(()), |why| Err(worse(why)))?;
        }
        Ok(())
    }
}

/// What `check` saw of one of `set`, a pass if there is one.
fn best(set: &[Chosen], check: Check) -> Option<Evidence> {
    let mut seen: Vec<&Evidence> =
        set.iter().flat_map(|one| &one.judged.evidence).filter(|evidence| evidence.check == check).collect();
    seen.sort_by_key(|evidence| evidence.outcome);
    seen.first().map(|evidence| (*evidence).clone())
}

/// How `together` is less than `alone`: a check fails that did not, or no longer passes; pure.
fn worse_than(alone: &[Evidence], together: &[Evidence]) -> Option<String> {
    use CheckOutcome::{Fail, NotRun, Pass};
    let less = |now: &&Evidence| {
        let was = outcome_of(alone, now.check);
        // It is not asked where the scanner itself has looked, which says more.
        let is_needless = now.check == Check::OwnRule && now.outcome == NotRun;
        let lost = was == Pass && now.outcome != Pass && !is_needless;
        lost || (now.outcome == Fail && was != Fail)
    };
    together.iter().find(less).map(|now| format!("{}: {}", now.check.label(), now.summary))
}

fn not_with_the_others(why: &str) -> DecideError {
    DecideError::NotTogether(format!("it does not go with the other fixes of the same files: {why}"))
}

fn without(set: &[Chosen], at: usize) -> Vec<Chosen> {
    set.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, one)| one.clone()).collect()
}

#[cfg(test)]
mod tests;
