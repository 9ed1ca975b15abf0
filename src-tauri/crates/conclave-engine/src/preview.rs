//! What would be sent for a finding, to the byte, and whether it may go. Nothing is sent and nothing decided.

use std::path::PathBuf;
use std::sync::Arc;

use conclave_core::id::FindingId;
use conclave_core::money::Money;
use conclave_core::tier::{Effort, RunPlan};
use conclave_effects::ModelClass;
use conclave_policy::{Decision, keys};

use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::learn;
use crate::run::RunError;
use crate::source::Sources;
use crate::{prompt, stage};

/// What would be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// One a model, in the order of the settings.
    pub requests: Vec<Previewed>,
    /// Why there is nothing to send, or what is not known yet, in words.
    pub notes: Vec<String>,
}

/// One request that would be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Previewed {
    /// The endpoint's name in the settings.
    pub name: String,
    /// The model as the endpoint knows it.
    pub model: String,
    /// The whole address.
    pub address: String,
    /// The host; empty for an address that cannot be used.
    pub host: String,
    /// Where the model runs, as far as that is known without asking.
    pub class: ModelClass,
    /// The body as it would leave, secrets taken out.
    pub body: String,
    /// Bytes in the body.
    pub bytes: u64,
    /// What was taken out, by label, with how often.
    pub redactions: Vec<(String, usize)>,
    /// What asking may cost at most; `None` where no price is known.
    pub most: Option<Money>,
    /// What the policy says of it now; not recorded.
    pub decision: Decision,
}

/// What the models of the panel would be sent for `finding`.
///
/// # Errors
/// The finding is gone, or its project cannot be read.
pub async fn preview(cx: &Ctx, finding: &FindingId) -> Result<Preview, RunError> {
    let gone = || RunError::Gone(finding.to_string());
    let finding = cx.store.finding(finding)?.ok_or_else(gone)?.finding;
    let project = cx.store.project(&finding.project)?.ok_or_else(gone)?;
    let plan = RunPlan::for_finding(&finding, &project.root, Effort::Usual, &cx.settings());
    let sources = Arc::new(Sources::open_for_person(cx, &PathBuf::from(&project.root)).await?);
    let about = prompt::about_fix(&plan, &sources.root());
    let settings = cx.settings();
    let remembering = (cx.clone(), project.root);
    let gather = move || {
        let (cx, root) = &remembering;
        (learn::recall(cx, root, stage::gather(&finding, &sources, &settings)), learn::record(cx, root))
    };
    let (brief, record) = blocking(gather).await;
    let Some(file) = &brief.file else {
        return Ok(Preview { requests: Vec::new(), notes: brief.unusable.into_iter().collect() });
    };
    let (mut requests, mut notes) = (Vec::new(), Vec::new());
    for model in stage::panel(&cx.models, &plan, Some(&brief), &record) {
        let info = model.info();
        if let Some(missing) = model.missing() {
            notes.push(missing.to_string());
            continue;
        }
        if !model.provider.is_class_known() {
            let name = &info.name;
            notes.push(format!(
                "`{name}` has not been asked yet where its model runs; until it says that it runs here, it counts as hosted"
            ));
        }
        let [form, _] = prompt::Form::of(info);
        let request = prompt::fix_request(&brief, file, form, info.can.context_tokens, None);
        let sketch = match cx.models.sketch(&cx.gate, &model, (&request, &about)).await {
            Ok(sketch) => sketch,
            Err(error) => {
                notes.push(format!("`{}`: {error}", info.name));
                continue;
            }
        };
        let judged = sketch.request;
        requests.push(Previewed {
            name: info.name.clone(),
            model: info.model.clone(),
            address: judged.resource.clone(),
            host: judged.context.get(keys::HOST).cloned().unwrap_or_default(),
            class: model.provider.known_class(),
            body: String::from_utf8_lossy(&sketch.bytes).into_owned(),
            bytes: sketch.bytes.len() as u64,
            redactions: sketch.redactions,
            most: info.price.as_ref().and_then(|price| price.most(&request)),
            decision: cx.gate.policies().current().evaluate(&judged, cx.now_ms()),
        });
    }
    if requests.is_empty() && notes.is_empty() {
        notes.push("the settings name no model, so nothing would be sent".to_owned());
    }
    Ok(Preview { requests, notes })
}

#[cfg(test)]
mod tests;
