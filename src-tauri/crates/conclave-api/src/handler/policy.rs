//! The policy in force: shown, explained, tried out, replaced.

use std::collections::HashMap;
use std::path::Path;

use conclave_engine::policies::{self, FileState, PolicyFile, TrialError};
use conclave_policy::{Actor, Decision, Layer, Matched, Policy, Rule, ToolRequest, digest, remedy};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::show;
use crate::view::{
    ChangedDecision, CheckPolicy, ExampleView, ExplainRequest, ExplanationView, Nothing, PolicyCheck, PolicyFileState,
    PolicyFileView, PolicySaved, PolicyView, RuleView, SavePolicy, SimulatePolicy, SimulationView, StepOutcome,
    StepView,
};

/// Over what time a rule's hits are counted, in milliseconds.
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// So many changed decisions are shown.
const MOST_CHANGED: usize = 500;

pub(crate) async fn get_policy(api: &Api, _: Nothing) -> Result<PolicyView, ApiError> {
    let cx = api.cx();
    view(api, &cx.gate.policies().current(), &cx.policy.files())
}

/// The policy as it holds for what happens in `folder`, with every file that counts there or could.
pub(crate) fn policy_in(api: &Api, folder: &Path) -> Result<PolicyView, ApiError> {
    let layers = policies::seen_from(api.cx(), folder)?;
    view(api, &layers.policy, &layers.files)
}

fn view(api: &Api, policy: &Policy, files: &[PolicyFile]) -> Result<PolicyView, ApiError> {
    let cx = api.cx();
    let banner = policies::banner(files);
    let names: HashMap<String, String> = cx.store.projects()?.into_iter().map(|one| (one.root, one.name)).collect();
    let files: Vec<PolicyFileView> = files.iter().map(|one| file(one, &names)).collect();
    let mut hits: HashMap<(Option<Layer>, String), u64> = HashMap::new();
    for hit in cx.store.rule_hits(cx.now_ms() - WEEK_MS)? {
        *hits.entry((hit.layer, hit.rule)).or_default() += hit.count;
    }
    let hits_of = |rule: &Rule| hits.get(&(Some(rule.layer()), rule.id().to_owned())).copied().unwrap_or_default();
    let rules = policy.rules().map(|one| rule(one, origin(one, &files), hits_of(one))).collect();
    // A file that cannot be read is among the files, with its fault.
    let text = policies::user_policy(cx).ok().flatten();
    Ok(PolicyView {
        banner,
        files,
        rules,
        path: cx.data.policy_path().display().to_string(),
        digest: text.as_ref().map(|text| digest(text.as_bytes())),
        user_policy: text.unwrap_or_default(),
    })
}

fn file(file: &PolicyFile, names: &HashMap<String, String>) -> PolicyFileView {
    PolicyFileView {
        layer: show::layer(file.layer),
        origin: names.get(&file.origin).unwrap_or(&file.origin).clone(),
        path: file.path.as_ref().map(|path| path.display().to_string()),
        state: match file.state {
            FileState::BuiltIn => PolicyFileState::BuiltIn,
            FileState::Loaded => PolicyFileState::Loaded,
            FileState::Refused => PolicyFileState::Refused,
            FileState::Missing => PolicyFileState::Missing,
        },
        digest: file.digest.clone(),
        rules: count(file.rules),
        own_rules: count(file.own_rules),
        fault: file.fault.clone(),
        warnings: file.warnings.clone(),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Whose rule it is: as its file says, where only one file can be meant.
fn origin(rule: &Rule, files: &[PolicyFileView]) -> String {
    if rule.is_shipped() {
        return "built in".to_owned();
    }
    let layer = show::layer(rule.layer());
    let mut of_layer = files.iter().filter(|file| file.layer == layer && file.state != PolicyFileState::Missing);
    match (of_layer.next(), of_layer.next()) {
        (Some(file), None) => file.origin.clone(),
        _ => "a project".to_owned(),
    }
}

fn rule(rule: &Rule, origin: String, hits: u64) -> RuleView {
    let example = |(request, matches): (&ToolRequest, bool)| ExampleView { text: show::request(request), matches };
    RuleView {
        id: rule.id().to_owned(),
        layer: show::layer(rule.layer()),
        origin,
        priority: rule.priority(),
        action: show::effect(rule.action()),
        reason: rule.reason().to_owned(),
        conditions: Some(rule.describes()).filter(|text| !text.is_empty()).into_iter().collect(),
        guidance: rule.guidance().map(str::to_owned),
        provider: rule.provider().map(str::to_owned),
        enabled: rule.is_enabled(),
        hits_7d: u32::try_from(hits).unwrap_or(u32::MAX),
        examples: rule.examples().iter().map(|one| example((&one.request, one.matches))).collect(),
    }
}

/// What an explanation leaves out of an agent’s call.
const RULES_ALONE: &str = "the rules alone were tried; which files and hosts the call reaches was not looked at, and \
                           `conclave advise` looks at them";

pub(crate) async fn explain_request(api: &Api, request: ExplainRequest) -> Result<ExplanationView, ApiError> {
    let (asked, explanation) = policies::explain(api.cx(), &request.request).map_err(|error| {
        ApiError::new(ErrorCode::BadRequest, format!("this is no request: {error}"))
            .with_hint("write it as in a rule\u{2019}s examples, for example `{\"actor\": \"agent:claude-code\", \"tool\": \"Bash\", \"parameters\": {\"command\": \"git push\"}}`")
    })?;
    let Decision { effect, rule, reason, layer, .. } = &explanation.decision;
    let steps = explanation.steps.iter().map(|step| {
        let (outcome, why) = match &step.matched {
            Matched::Matched => (StepOutcome::Match, None),
            Matched::NotMatched => (StepOutcome::NoMatch, None),
            Matched::Error(why) => (StepOutcome::Error, Some(why.clone())),
        };
        let (layer, action) = (show::layer(step.layer), show::effect(step.action));
        StepView { rule: step.rule.clone(), layer, action, outcome, why }
    });
    Ok(ExplanationView {
        decision: show::effect(*effect),
        rule: rule.clone(),
        layer: layer.map(show::layer),
        reason: reason.clone(),
        remedy: Some(remedy(&explanation.decision, &asked)).filter(|words| !words.is_empty()),
        note: matches!(asked.actor, Actor::Agent(_)).then_some(asked.call).flatten().map(|_| RULES_ALONE.to_owned()),
        steps: steps.collect(),
    })
}

pub(crate) async fn check_policy(api: &Api, request: CheckPolicy) -> Result<PolicyCheck, ApiError> {
    let checked = policies::check(api.cx(), &request.policy);
    let (warnings, loaded) = match checked.and_then(|said| Ok((said, Policy::load(&request.policy, Layer::User)?))) {
        Ok(checked) => checked,
        Err(error) => {
            return Ok(PolicyCheck { fault: Some(error.to_string()), warnings: Vec::new(), rules: 0, examples: 0 });
        }
    };
    let own: Vec<&Rule> = loaded.policy.rules().filter(|rule| !rule.is_shipped()).collect();
    Ok(PolicyCheck {
        fault: None,
        warnings,
        rules: count(own.len()),
        examples: count(own.iter().map(|rule| rule.examples().len()).sum()),
    })
}

pub(crate) async fn simulate_policy(api: &Api, request: SimulatePolicy) -> Result<SimulationView, ApiError> {
    let limit = request.limit.unwrap_or(1000).clamp(1, 100_000);
    let cx = api.cx().clone();
    let text = request.policy.clone();
    let tried = tokio::task::spawn_blocking(move || policies::simulate(&cx, &text, limit)).await.map_err(|error| {
        ApiError::new(ErrorCode::Internal, "the policy could not be tried").with_details(error.to_string())
    })?;
    let simulation = match tried {
        Ok(simulation) => simulation,
        Err(TrialError::Policy(error)) => return Ok(no_policy(&error.to_string())),
        Err(TrialError::Store(error)) => return Err(error.into()),
    };
    Ok(SimulationView {
        fault: None,
        warnings: policies::check(api.cx(), &request.policy).unwrap_or_default(),
        checked: simulation.checked,
        changed_count: u32::try_from(simulation.changed.len()).unwrap_or(u32::MAX),
        changed: simulation.changed.iter().take(MOST_CHANGED).map(changed).collect(),
    })
}

fn no_policy(fault: &str) -> SimulationView {
    let fault = Some(fault.to_owned());
    SimulationView { fault, warnings: Vec::new(), checked: 0, changed: Vec::new(), changed_count: 0 }
}

fn changed(changed: &policies::Changed) -> ChangedDecision {
    ChangedDecision {
        seq: changed.seq,
        at: changed.at_ms,
        who: changed.request.actor.to_string(),
        what: show::request(&changed.request),
        before: show::effect(changed.before.effect),
        before_rule: changed.before.rule.clone(),
        after: show::effect(changed.after.effect),
        after_rule: changed.after.rule.clone(),
    }
}

pub(crate) async fn save_policy(api: &Api, request: SavePolicy) -> Result<PolicySaved, ApiError> {
    let saved = policies::save_user_policy(api.cx(), &request.policy, request.expected_digest.as_deref())?;
    Ok(PolicySaved { path: saved.path.display().to_string(), digest: saved.digest, warnings: saved.warnings })
}
