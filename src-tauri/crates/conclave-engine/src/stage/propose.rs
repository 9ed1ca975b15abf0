//! Asks every seat of the panel: recipes, the scanner's own fix, models.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::brief::Brief;
use conclave_core::candidate::{Candidate, Draft, FixClass, Origin, RECIPES, Seat};
use conclave_core::finding::{Region, Replacement, ScannerFix, Severity};
use conclave_core::id::RunId;
use conclave_core::patch::{Edit, FilePatch, Patch};
use conclave_core::tier::RunPlan;
use conclave_fixers::{Answer, Recipes};
use conclave_inference::Priority;
use conclave_policy::Actor;
use tokio::task::{Id, JoinSet};

use super::model_seat;
use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::live;
use crate::models::{Errand, Model, Models};
use crate::project::facts;
use crate::prompt::{self, Form};
use crate::source::Sources;

/// All seats with their answers, in a fixed order. A seat that fails is a value.
pub(crate) async fn propose(cx: &Ctx, run: &RunId, brief: &Brief, sources: &Arc<Sources>, plan: &RunPlan) -> Vec<Seat> {
    let work = {
        let (brief, sources) = (brief.clone(), Arc::clone(sources));
        move || recipes(&brief, &sources)
    };
    let mut seats = vec![blocking(work).await];
    if !brief.finding.detection.tool.is_own() {
        seats.push(scanner(brief, sources));
    }
    seats.extend(models(cx, run, brief, sources, plan).await);
    seats
}

fn seat(name: impl Into<String>, drafts: Vec<Draft>) -> Seat {
    Seat { name: name.into(), drafts, role: None, late: false }
}

fn recipes(brief: &Brief, sources: &Sources) -> Seat {
    let name = RECIPES;
    let silent = |reason: String| seat(name, vec![Draft::Silent { reason }]);
    let (Some(file), None) = (&brief.file, &brief.unusable) else {
        return seat(name, vec![Draft::Failed { why: brief.unusable.clone().unwrap_or_default() }]);
    };
    let Some(language) = file.language else {
        return silent(format!("no recipe reads `{}`", file.path));
    };
    let source = match sources.file(&file.path) {
        Ok(source) => source,
        Err(why) => return seat(name, vec![Draft::Failed { why }]),
    };
    let text = source.text().unwrap_or_default();
    match Recipes::shipped().answer(&brief.finding.detection, language, text, &facts(sources)) {
        Answer::None => silent(format!("no recipe answers `{}` here", brief.finding.detection.rule.id)),
        Answer::Refused { reason, .. } => seat(name, vec![Draft::Refused { reason }]),
        Answer::Fixes(fixes) => {
            let drafts = fixes.into_iter().map(|fix| {
                let patch = Patch::new(vec![FilePatch {
                    path: file.path.clone(),
                    base: source.digest.clone(),
                    edits: fix.edits,
                }]);
                let origin = Origin::Recipe { id: fix.recipe };
                Draft::Proposed {
                    candidate: Box::new(Candidate {
                        id: Candidate::id_of(&origin, &patch),
                        origin,
                        patch,
                        class: fix.class,
                        title: fix.title,
                        rationale: fix.rationale,
                        edge_cases: fix.edge_cases,
                        side_effects: Vec::new(),
                        disproof: None,
                        red_test: None,
                        successors: fix.successors,
                    }),
                }
            });
            seat(name, drafts.collect())
        }
    }
}

fn scanner(brief: &Brief, sources: &Sources) -> Seat {
    let detection = &brief.finding.detection;
    let name = format!("{}\u{2019}s own fix", detection.tool.name);
    if detection.fixes.is_empty() {
        let reason = format!("{} ships no fix with this finding", detection.tool.name);
        return seat(name, vec![Draft::Silent { reason }]);
    }
    if let Some(why) = &brief.unusable {
        return seat(name, vec![Draft::Failed { why: why.clone() }]);
    }
    let drafts = detection.fixes.iter().map(|fix| match scanner_patch(fix, brief, sources) {
        Ok(patch) => {
            let origin = Origin::Scanner { tool: detection.tool.name.clone() };
            let title =
                fix.description.as_deref().and_then(|text| text.lines().next()).unwrap_or("Replace the reported code");
            Draft::Proposed {
                candidate: Box::new(Candidate {
                    id: Candidate::id_of(&origin, &patch),
                    origin,
                    patch,
                    class: FixClass::Review,
                    title: title.trim().to_owned(),
                    rationale: format!("{} proposes this replacement with its report.", detection.tool.name),
                    edge_cases: Vec::new(),
                    side_effects: Vec::new(),
                    disproof: None,
                    red_test: None,
                    successors: Vec::new(),
                }),
            }
        }
        Err(why) => Draft::Failed { why },
    });
    seat(name, drafts.collect())
}

/// The scanner's regions as byte edits against what the files hold now.
fn scanner_patch(fix: &ScannerFix, brief: &Brief, sources: &Sources) -> Result<Patch, String> {
    let mut files: Vec<FilePatch> = Vec::new();
    let reported = brief.file.as_ref().map(|file| &file.path);
    for replacement in &fix.replacements {
        // A log may have been written by anybody: its fix for one finding has no business in another file.
        if reported != Some(&replacement.path) {
            return Err(format!("the fix reaches into `{}`, where the finding is not", replacement.path));
        }
        let source = sources.file(&replacement.path)?;
        let text = source.text().ok_or_else(|| format!("`{}` is not UTF-8 text", replacement.path))?;
        let range = region_now(replacement, brief)?
            .byte_range(text)
            .ok_or_else(|| format!("the fix names a line that `{}` does not have", replacement.path))?;
        let edit = Edit { start: range.start, end: range.end, text: replacement.text.clone() };
        match files.iter_mut().find(|file| file.path == replacement.path) {
            Some(file) => file.edits.push(edit),
            None => {
                files.push(FilePatch { path: replacement.path.clone(), base: source.digest.clone(), edits: vec![edit] })
            }
        }
    }
    Ok(Patch::new(files))
}

/// Where the region of `replacement` is now.
///
/// The finding's own lines are known to be the same text as they were. Of any other place nothing is known once they
/// have moved.
fn region_now(replacement: &Replacement, brief: &Brief) -> Result<Region, String> {
    let place = brief.finding.detection.location.as_ref();
    let (Some(now), Some(reported)) = (place.and_then(|place| place.region), brief.reported) else {
        return Err("the scanner names no line".to_owned());
    };
    let region = replacement.region;
    if now == reported {
        return Ok(region);
    }
    let known = reported.start_line..=reported.end_line.max(reported.start_line);
    // A replacement of whole lines ends before the first column of the line after them.
    let last = if region.end_column == Some(1) { region.end_line.saturating_sub(1) } else { region.end_line };
    let inside = known.contains(&region.start_line) && known.contains(&last.max(region.start_line));
    if !inside || place.is_none_or(|place| place.path != replacement.path) {
        return Err(format!(
            "the fix names a place in `{}` that the report no longer fits: scan again",
            replacement.path
        ));
    }
    let moved = |line: u32| (line - reported.start_line).saturating_add(now.start_line);
    Ok(Region {
        start_line: moved(region.start_line),
        end_line: moved(region.end_line.max(region.start_line)),
        ..region
    })
}

/// What would fill the models' seat while nobody sits there; `None` when all models of the settings can be asked.
pub fn empty_model_seat(cx: &Ctx) -> Option<Draft> {
    let models = cx.models.used();
    if let Some(missing) = models.iter().find_map(|model| model.missing()) {
        return Some(Draft::Empty { fill: missing.to_string() });
    }
    let fill = "name a model in `settings.json` in the data folder: a llama.cpp or Ollama server on this machine, \
                or an endpoint with your key";
    models.is_empty().then(|| Draft::Empty { fill: fill.to_owned() })
}

async fn models(cx: &Ctx, run: &RunId, brief: &Brief, sources: &Arc<Sources>, plan: &RunPlan) -> Vec<Seat> {
    if cx.models.used().is_empty() {
        return empty_model_seat(cx).into_iter().map(|draft| seat("Models", vec![draft])).collect();
    }
    let Some(file) = &brief.file else {
        let reason = brief.unusable.clone().unwrap_or_default();
        return vec![seat("Models", vec![Draft::Silent { reason }])];
    };
    let errand = Errand {
        gate: cx.gate.clone(),
        actor: |name| Actor::Analyst(name.to_owned()),
        request: Arc::new(prompt::fix_request(brief, file, Form::Full, None, None)),
        about: prompt::about_fix(plan, &sources.root()),
        priority: priority(plan.severity),
        deadline: Duration::from_secs(plan.tier.analysis_s),
        purpose: "propose",
        finding: Some(brief.finding.id.clone()),
        run: Some(run.clone()),
        may_be_kept: true,
        agrees: None,
        client: None,
        live: None,
        cancel: cx.cancel.clone(),
    };
    let beside = cx.models.beside(errand.clone());
    let brief = Arc::new(brief.clone());
    let mut asked = JoinSet::new();
    let mut seats = Vec::new();
    let mut tasks = Vec::new();
    for model in panel(&cx.models, plan) {
        // What stays if its task breaks.
        seats.push(seat(model.name(), vec![Draft::Failed { why: "it broke off".to_owned() }]));
        let live = Some(live::told(cx.events.clone(), brief.finding.id.clone()));
        let (models, errand) = (Arc::clone(&cx.models), Errand { live, ..errand.clone() });
        let (brief, sources) = (Arc::clone(&brief), Arc::clone(sources));
        let task = asked.spawn(async move {
            match model.missing() {
                None => model_seat::ask(&models, &model, &errand, &brief, &sources, None).await,
                Some(missing) => Draft::Empty { fill: missing.to_string() },
            }
        });
        tasks.push(task.id());
    }
    answered(asked, &tasks, &mut seats).await;
    // Several answers are used, or none: there is nothing to compare with.
    beside.end(None);
    seats
}

/// Where a question about a finding of `severity` stands among those that wait.
fn priority(severity: Severity) -> Priority {
    match severity {
        Severity::Critical => Priority::Critical,
        Severity::High => Priority::High,
        Severity::Medium => Priority::Medium,
        Severity::Low | Severity::Note => Priority::Low,
    }
}

/// The models that a run by `plan` asks, and those that it cannot ask for want of a key.
pub(crate) fn panel(models: &Models, plan: &RunPlan) -> Vec<Arc<Model>> {
    seated(models.used().into_iter(), plan.tier.seats.len(), |model| model.missing().is_none())
}

/// The models that are asked, at most `most` of them, and those that are not `ready`, which take no other's place.
fn seated<T>(models: impl Iterator<Item = T>, most: usize, ready: impl Fn(&T) -> bool) -> Vec<T> {
    let mut seated = 0;
    models
        .filter(|model| {
            let ready = ready(model);
            seated += usize::from(ready);
            !ready || seated <= most
        })
        .collect()
}

/// Puts each task's answer into its seat; one that broke leaves its seat as it is, and the others count.
async fn answered(mut asked: JoinSet<Draft>, tasks: &[Id], seats: &mut [Seat]) {
    while let Some(answer) = asked.join_next_with_id().await {
        let Ok((id, draft)) = answer else { continue };
        if let Some((_, seat)) = tasks.iter().zip(&mut *seats).find(|(task, _)| **task == id) {
            seat.drafts = vec![draft];
        }
    }
}

#[cfg(test)]
mod tests;
