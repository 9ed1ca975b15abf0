//! Lets a model think a run over: with tools where it can use them, else with what tools say put before it.
//!
//! Deliberately absent: any influence on what is recommended. Invariants: a model that is dead, slow, wrong or hostile
//! leaves a [`Hole`] with the reason and nothing else; what it wants of tools goes through their own gate.

mod before;
mod desk;
mod reply;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use conclave_core::brief::Brief;
use conclave_core::candidate::{Candidate, Origin, family_of};
use conclave_core::id::CandidateId;
use conclave_core::resolution::{Resolution, Verdict};
use conclave_core::settings::DeliberationSetting;
use conclave_core::synthesis::{Hole, Synthesis, Synthesiser, ToolOutcome, ToolUse};
use conclave_core::tier::RunPlan;
use conclave_effects::ModelClass;
use conclave_inference::tools::ToolHost;
use conclave_inference::{Answer, ModelRequest};
use conclave_policy::Actor;
use conclave_toolbox::{Caller, Host};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::judge::changes;
use crate::learn::Client;
use crate::live;
use crate::models::{Errand, Model};
use crate::prompt::{self, Shown, Told, synthesis_request};
use crate::run::Line;
use crate::source::Sources;
use crate::spending::TierCap;
use crate::stage;
use desk::Desk;
use reply::Named;

/// Most fixes that a model is shown.
const MOST_FIXES: usize = 8;

/// What a deliberation gave: words, and perhaps one fix to be checked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Deliberated {
    /// What was said, as far as it was.
    pub said: Synthesis,
    /// The fix that was made of others.
    pub made: Option<Made>,
}

/// A fix that was made of others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    /// The fix.
    pub candidate: Candidate,
    /// What it was made of.
    pub parents: Vec<CandidateId>,
}

/// What is to be thought over.
pub(crate) struct Matter<'a> {
    pub line: &'a Line<'a>,
    pub brief: &'a Brief,
    pub sources: &'a Sources,
    pub plan: &'a RunPlan,
    /// The conclusion as it is without it.
    pub concluded: &'a Resolution,
}

/// What the first model says that can be asked; with none that can, nothing, and why where somebody was named.
pub(crate) async fn deliberate(matter: &Matter<'_>) -> Deliberated {
    let settings = matter.line.cx().settings();
    let until = Instant::now() + Duration::from_secs(settings.deliberation.timeout_s);
    let mut holes = Vec::new();
    let mut tools = Vec::new();
    let client = Client::of(&settings, &matter.sources.root().to_string_lossy());
    for model in chosen(matter, &settings.deliberation, &mut holes) {
        let by = |actor| desk(matter, actor, &client, &settings.deliberation, until);
        // What is put before a model was asked for by nobody but the engine.
        let (own, theirs) = (by(Actor::Engine), by(Actor::Analyst(model.name().to_owned())));
        let mut told = if client.refused.is_none() { before::remembered(matter, &client.name) } else { Vec::new() };
        if model.info().can.tools != Some(true) {
            told.extend(before::published(matter, &own).await);
        }
        let asked = ask(matter, &model, &theirs, &told, until).await;
        let mut found = Vec::new();
        for desk in [own, theirs] {
            tools.extend(desk.uses());
            let mut more = desk.found();
            found.append(&mut more.references);
            holes.append(&mut more.holes);
        }
        match asked {
            Ok(mut deliberated) => {
                holes.append(&mut deliberated.said.holes);
                deliberated.said = Synthesis { holes, references: found, ..deliberated.said };
                return with_tools(deliberated, tools);
            }
            Err(why) => holes.push(Hole { what: format!("The meta-analyser {}", model.name()), why }),
        }
    }
    with_tools(Deliberated { said: Synthesis { holes, ..Synthesis::default() }, made: None }, tools)
}

/// `deliberated` with the uses of tools, and a hole for each server whose tools could not be used.
fn with_tools(mut deliberated: Deliberated, tools: Vec<ToolUse>) -> Deliberated {
    let unusable = |used: &&ToolUse| matches!(used.outcome, ToolOutcome::Denied | ToolOutcome::Failed);
    // What nobody offers is not missing.
    for used in tools.iter().filter(unusable).filter(|used| !used.server.is_empty()) {
        let what = format!("The tool {} of {}", used.tool, used.server);
        if !deliberated.said.holes.iter().any(|hole| hole.what == what) {
            deliberated.said.holes.push(Hole { what, why: used.said.clone() });
        }
    }
    deliberated.said.tools = tools;
    deliberated
}

/// The models that may be asked, in order: those that the settings name, else the first that is ready.
fn chosen(matter: &Matter<'_>, setting: &DeliberationSetting, holes: &mut Vec<Hole>) -> Vec<Arc<Model>> {
    let models = &matter.line.cx().models;
    let asks = |name: &str| matter.plan.asks(name);
    if setting.models.is_empty() {
        let may_be_asked = |model: &Arc<Model>| asks(model.name()) && model.missing().is_none();
        return models.used().into_iter().find(may_be_asked).into_iter().collect();
    }
    let mut chosen = Vec::new();
    for name in setting.models.iter().filter(|name| asks(name)) {
        let found = models.named(name);
        let why = match &found {
            None => Some("the settings name no such model".to_owned()),
            Some(model) => model.missing().map(ToString::to_string),
        };
        match why {
            Some(why) => holes.push(Hole { what: format!("The meta-analyser {name}"), why }),
            None => chosen.extend(found),
        }
    }
    chosen
}

fn desk(
    matter: &Matter<'_>,
    actor: Actor,
    client: &Client,
    setting: &DeliberationSetting,
    until: Instant,
) -> Arc<Desk> {
    let cx = matter.line.cx();
    let finding = &matter.brief.finding.id;
    let caller = Caller {
        gate: cx.gate.clone(),
        actor,
        run: matter.line.run().clone(),
        finding: finding.clone(),
        project: matter.sources.root().to_string_lossy().into_owned(),
        client: client.name.clone(),
        // What is run to be compared leaves nothing behind for the other run.
        remembers: client.refused.is_none() && !matter.plan.compared,
        offline: cx.policy.is_offline(),
    };
    let own = cx.clone();
    let host = Host::new(move || own.toolbox(), caller, until, setting.most_calls);
    Arc::new(Desk::new(host, cx.events.clone(), finding.clone()))
}

/// What `model` says before `until`.
///
/// # Errors
/// Why it says nothing that can be used, in words.
async fn ask(
    matter: &Matter<'_>,
    model: &Model,
    desk: &Arc<Desk>,
    told: &[Told],
    until: Instant,
) -> Result<Deliberated, String> {
    let verdicts: Vec<(char, &Verdict)> = ('A'..='Z').zip(&matter.concluded.verdicts).take(MOST_FIXES).collect();
    let named = Named::new(matter.concluded, &verdicts, told.iter().filter_map(|told| told.name.as_deref()).collect());
    let shown = verdicts.iter().filter_map(|&(letter, verdict)| {
        Some(Shown { letter, verdict, change: changes(&verdict.judged, matter.sources)? })
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    let info = model.info();
    let request = synthesis_request(matter.brief, matter.concluded, &shown, told, info.can.context_tokens);
    let errand = errand(matter, request.ok_or("there is more to read than it can")?, until);
    let models = &matter.line.cx().models;
    let may_use = info.can.tools != Some(false) && !desk.offers().is_empty();
    let most = matter.line.cx().settings().deliberation.most_calls;
    let asked = async {
        match may_use {
            true => models.with_tools(model.name(), errand, Arc::clone(desk) as Arc<dyn ToolHost>, most).await,
            false => models.one(model.name(), errand).await,
        }
    };
    // Each model thinks for itself.
    matter.line.cx().tools.thoughts().forget(matter.line.run());
    // Who does not keep to the time is not waited for.
    let won = timeout_at(until, asked).await.map_err(|_| "it did not answer in time".to_owned())?;
    let text = match won.map_err(|error| error.to_string())?.answer {
        Answer::Text { text, .. } => text,
        Answer::Refusal { reason, .. } => return Err(format!("it declined to answer: {reason}")),
    };
    let reply = reply::read(&text).map_err(|why| format!("its answer cannot be used: {why}"))?;
    Ok(deliberated(matter, model, &named, &reply))
}

/// What `reply` says, with the fix that it makes.
fn deliberated(matter: &Matter<'_>, model: &Model, named: &Named<'_>, reply: &reply::Reply) -> Deliberated {
    let info = model.info();
    let mut thoughts = matter.line.cx().tools.thoughts().of(matter.line.run());
    for thought in &mut thoughts {
        thought.text = reply::plain(&thought.text, reply::LONGEST);
        thought.sources = named.sources(&thought.text, &[]);
    }
    let mut said = reply::words(reply, named, thoughts);
    said.by = Synthesiser::Model { name: info.name.clone(), model: info.model.clone() };
    let origin = Origin::Synthesis {
        by: info.name.clone(),
        local: model.provider.known_class() == ModelClass::Local,
        family: family_of(&info.model),
    };
    let files = |path: &_| matter.sources.file(path);
    let made = reply::made(&reply.new_fix, origin, named, matter.brief, &files).unwrap_or_else(|why| {
        said.holes.push(Hole { what: format!("The fix that {} made of others", info.name), why });
        None
    });
    Deliberated { said, made }
}

fn errand(matter: &Matter<'_>, request: ModelRequest, until: Instant) -> Errand {
    let cx = matter.line.cx();
    let finding = &matter.brief.finding.id;
    Errand {
        gate: cx.gate.clone(),
        actor: |name| Actor::Analyst(name.to_owned()),
        request: Arc::new(request),
        about: prompt::about_fix(matter.plan, &matter.sources.root()),
        priority: stage::priority(matter.plan.severity),
        deadline: until.saturating_duration_since(Instant::now()),
        purpose: "synthesise",
        finding: Some(finding.clone()),
        run: Some(matter.line.run().clone()),
        cap: TierCap::of(matter.plan),
        may_be_kept: !matter.plan.compared,
        agrees: None,
        client: None,
        live: Some(live::told(cx.events.clone(), finding.clone(), "Synthesis".to_owned())),
        cancel: cx.cancel.clone(),
    }
}
