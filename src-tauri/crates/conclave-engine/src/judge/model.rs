//! A model that compares two fixes, once in each order.
//!
//! It is of another family than both authors where there is one: a judge prefers its own family's work. Invariant: only
//! an answer that is exactly one object of the agreed form says anything; what stands in the code says nothing.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::candidate::family_of;
use conclave_core::judgement::{Choice, Fault, Judgement, vote_family};
use conclave_core::resolution::Judged;
use conclave_inference::Answer;
use conclave_policy::Actor;
use serde::Deserialize;
use tokio::join;

use super::Pair;
use crate::models::{Errand, Model};
use crate::prompt;
use crate::source::Sources;
use crate::spending::TierCap;
use crate::stage;

/// The longest reasoning of an answer, in characters.
const LONGEST: usize = 8000;

/// What a judge answers with; see `prompt/judge.schema.json`.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    reasoning: String,
    faults_a: Vec<Fault>,
    faults_b: Vec<Fault>,
    verdict: Choice,
}

/// What a model says of the pair; `None` where none may be asked or none answers in the agreed form.
pub(super) async fn judge(pair: &Pair<'_>) -> Option<Judgement> {
    let [a, b] = pair.fixes;
    let models = pair.cx.models.used().into_iter().filter(|model| pair.plan.asks(model.name()));
    let model = chosen(models.collect(), [a, b])?;
    let name = model.name().to_owned();
    let texts = [changes(a, pair.sources)?, changes(b, pair.sources)?];
    let forward = ask(pair, &name, [&texts[0], &texts[1]]);
    let backward = ask(pair, &name, [&texts[1], &texts[0]]);
    let (forward, backward) = join!(forward, backward);
    let (forward, backward) = (forward?, backward?);
    let both = |one: &[Fault], other: &[Fault]| {
        let mut faults: Vec<Fault> = one.iter().filter(|fault| other.contains(fault)).copied().collect();
        faults.sort();
        faults.dedup();
        faults
    };
    Some(Judgement {
        a: a.candidate.id.clone(),
        b: b.candidate.id.clone(),
        orders: [forward.verdict, backward.verdict.swapped()],
        faults_a: both(&forward.faults_a, &backward.faults_b),
        faults_b: both(&forward.faults_b, &backward.faults_a),
        judge: name,
        family: family_of(&model.info().model),
    })
}

/// The first model of another family than both authors, else the first that can be asked.
fn chosen(models: Vec<Arc<Model>>, fixes: [&Judged; 2]) -> Option<Arc<Model>> {
    let families = fixes.map(|one| vote_family(&one.candidate.origin));
    let ready: Vec<Arc<Model>> = models.into_iter().filter(|model| model.missing().is_none()).collect();
    let other = ready.iter().find(|model| !families.contains(&family_of(&model.info().model)));
    other.or_else(|| ready.first()).cloned()
}

async fn ask(pair: &Pair<'_>, name: &str, fixes: [&String; 2]) -> Option<Form> {
    let errand = Errand {
        gate: pair.cx.gate.clone(),
        actor: |name| Actor::Analyst(name.to_owned()),
        request: Arc::new(prompt::judge_request(pair.brief, fixes)?),
        about: prompt::about_fix(pair.plan, &pair.sources.root()),
        priority: stage::priority(pair.plan.severity),
        deadline: Duration::from_secs(pair.plan.tier.analysis_s),
        purpose: "judge",
        finding: Some(pair.brief.finding.id.clone()),
        run: Some(pair.run.clone()),
        may_be_kept: !pair.plan.compared,
        agrees: None,
        client: None,
        cap: TierCap::of(pair.plan),
        live: None,
        cancel: pair.cx.cancel.clone(),
    };
    match pair.cx.models.one(name, errand).await {
        Ok(won) => match won.answer {
            Answer::Text { text, .. } => parse(&text),
            Answer::Refusal { .. } => None,
        },
        Err(error) => {
            tracing::info!(%error, name, "no judge");
            None
        }
    }
}

/// The whole of `answer` as one object of the agreed form.
fn parse(answer: &str) -> Option<Form> {
    // `serde` would also take the fields as a list.
    let form: Form = answer.trim_start().starts_with('{').then(|| serde_json::from_str(answer).ok())??;
    (form.reasoning.chars().count() <= LONGEST).then_some(form)
}

/// What a fix changes, file by file, in one form for all authors.
pub(crate) fn changes(fix: &Judged, sources: &Sources) -> Option<String> {
    let mut text = String::new();
    for file in &fix.candidate.patch.files {
        let before = sources.file(&file.path).ok()?;
        let after = file.apply(&before.bytes).ok()?;
        text.push_str(&prompt::change(&file.path, before.text()?, std::str::from_utf8(&after).ok()?));
    }
    Some(text)
}

#[cfg(test)]
mod tests;
