//! Asks every seat of the panel: recipes, the scanner's own fix, learned patterns, models. A bare design has models alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use conclave_core::brief::Brief;
use conclave_core::candidate::{Candidate, Draft, Origin, RECIPES, Seat};
use conclave_core::finding::{Region, Replacement, ScannerFix, Tool};
use conclave_core::patch::{Edit, FilePatch, Patch};
use conclave_core::record::Record;
use conclave_core::tier::{Mode, RunPlan};
use conclave_fixers::{Answer, Recipes};
use tokio::time::Instant;

use super::ask::{Panel, errand, questions, seated};
use super::chain::chain;
use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::models::{Model, Models};
use crate::panel::Sitting;
use crate::patterns;
use crate::project::facts;
use crate::run::Line;
use crate::source::Sources;

/// All seats with their answers, in a fixed order. A seat that fails is a value; who is late is in `panel`.
pub(crate) async fn propose(
    line: &Line<'_>,
    brief: &Brief,
    sources: &Arc<Sources>,
    plan: &RunPlan,
    panel: &mut Panel,
) -> Vec<Seat> {
    if plan.design.is_bare() {
        return models(line, brief, sources, plan, panel).await;
    }
    let work = {
        let (brief, sources) = (brief.clone(), Arc::clone(sources));
        move || recipes(&brief, &sources)
    };
    let mut seats = vec![blocking(work).await];
    if !brief.finding.detection.tool.is_own() {
        seats.push(scanner(brief, sources));
    }
    let known = {
        let (cx, brief, sources) = (line.cx().clone(), brief.clone(), Arc::clone(sources));
        move || patterns::seat(&cx, &brief, &sources)
    };
    seats.extend(blocking(known).await);
    seats.extend(models(line, brief, sources, plan, panel).await);
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
                        class: fix.class,
                        edge_cases: fix.edge_cases,
                        successors: fix.successors,
                        ..Candidate::new(origin, patch, fix.title, fix.rationale)
                    }),
                }
            });
            seat(name, drafts.collect())
        }
    }
}

fn scanner(brief: &Brief, sources: &Sources) -> Seat {
    let detection = &brief.finding.detection;
    let name = scanner_name(&detection.tool);
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
            let rationale = format!("{} proposes this replacement with its report.", detection.tool.name);
            Draft::Proposed { candidate: Box::new(Candidate::new(origin, patch, title.trim(), rationale)) }
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

async fn models(
    line: &Line<'_>,
    brief: &Brief,
    sources: &Arc<Sources>,
    plan: &RunPlan,
    panel: &mut Panel,
) -> Vec<Seat> {
    let cx = line.cx();
    let (all, sitting) = panel.seated(cx, sources, plan, brief).await;
    if all.is_empty() {
        return empty_model_seat(cx).into_iter().map(|draft| seat("Models", vec![draft])).collect();
    }
    let silent = |reason: String| vec![seat("Models", vec![Draft::Silent { reason }])];
    let Some(file) = &brief.file else {
        return silent(brief.unusable.clone().unwrap_or_default());
    };
    if let Some(why) = on_demand(plan, line.is_alone()) {
        return silent(why);
    }
    let first: Vec<Sitting> = sitting.iter().filter(|sitting| !sitting.second_wave).cloned().collect();
    panel.hold(reserve(&all, &sitting));
    let beside = (!plan.compared).then(|| cx.models.beside(errand(line, brief, file, plan, sources)));
    let end = Instant::now() + Duration::from_secs(plan.tier.analysis_s);
    let mut seats = if plan.tier.mode == Mode::Chain {
        chain(line, brief, sources, plan, questions(&all, &first), end).await
    } else {
        panel.begin(line, &Arc::new(brief.clone()), sources, plan, questions(&all, &first));
        panel.until(end).await
    };
    // Several answers are used, or none: there is nothing to compare with.
    if let Some(beside) = beside {
        beside.end(None);
    }
    seats.extend(empty(&all, &sitting));
    seats
}

/// Why no model is asked by `plan` where a finding is one of many.
pub(crate) fn on_demand(plan: &RunPlan, is_alone: bool) -> Option<String> {
    let severity = plan.severity.label().to_lowercase();
    let why = || format!("models are asked about a {severity} finding only when it is run by itself");
    (plan.tier.on_demand && !is_alone).then(why)
}

/// The names of the seats that cost nothing, for what `tool` reported.
pub(crate) fn unpaid(tool: &Tool) -> Vec<String> {
    let scanner = (!tool.is_own()).then(|| scanner_name(tool));
    std::iter::once(RECIPES.to_owned()).chain(scanner).collect()
}

fn scanner_name(tool: &Tool) -> String {
    format!("{}\u{2019}s own fix", tool.name)
}

/// The models that could be asked and have no seat.
fn reserve(all: &[Arc<Model>], sitting: &[Sitting]) -> Vec<Arc<Model>> {
    let is_free = |index: usize| !sitting.iter().any(|sitting| sitting.member == Some(index));
    let free = all.iter().enumerate().filter(|(index, model)| is_free(*index) && model.missing().is_none());
    free.map(|(_, model)| Arc::clone(model)).collect()
}

/// The seats that nobody takes: models that want a key first, then roles.
pub(crate) fn empty(all: &[Arc<Model>], sitting: &[Sitting]) -> Vec<Seat> {
    let filled = sitting.iter().filter(|sitting| sitting.member.is_some()).count();
    let waiting = all.iter().filter_map(|model| Some((model.name(), model.missing()?)));
    let mut waiting = waiting.map(|(name, missing)| (name.to_owned(), missing.to_string()));
    let is = if filled == 1 { "is" } else { "are" };
    let fill = format!("{filled} of {} seats {is} filled; add another model with `conclave models add`", sitting.len());
    let nobody = sitting.iter().filter(|sitting| sitting.member.is_none()).map(|sitting| {
        let (name, fill) = waiting.next().unwrap_or_else(|| (sitting.role.label().to_owned(), fill.clone()));
        Seat { role: Some(sitting.role), ..seat(name, vec![Draft::Empty { fill }]) }
    });
    let mut empty: Vec<Seat> = nobody.collect();
    // One that is not ready is never hidden by the panel being full.
    let named: BTreeSet<String> = empty.iter().map(|seat| seat.name.clone()).collect();
    let others = all.iter().filter_map(|model| Some((model.name(), model.missing()?)));
    empty.extend(
        others
            .filter(|(name, _)| !named.contains(*name))
            .map(|(name, missing)| seat(name, vec![Draft::Empty { fill: missing.to_string() }])),
    );
    empty
}

/// The models that a run by `plan` asks, in the order of its seats, and those that it cannot ask for want of a key.
pub(crate) fn panel(models: &Models, plan: &RunPlan, brief: Option<&Brief>, record: &Record) -> Vec<Arc<Model>> {
    let (all, sitting) = seated(models, plan, brief, record);
    let mut asked: Vec<Arc<Model>> = Vec::new();
    let not_ready = all.iter().enumerate().filter(|(_, model)| model.missing().is_some()).map(|(index, _)| index);
    for index in sitting.iter().filter_map(|sitting| sitting.member).chain(not_ready) {
        if !asked.iter().any(|model| model.name() == all[index].name()) {
            asked.push(Arc::clone(&all[index]));
        }
    }
    asked
}

#[cfg(test)]
mod tests;
