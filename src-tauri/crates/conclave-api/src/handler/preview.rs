//! What would be sent for a finding; nothing is sent.

use conclave_engine::ModelClass as Class;
use conclave_engine::preview::{self, Previewed};
use conclave_policy::{Action, Actor, ToolRequest, remedy};

use crate::api::Api;
use crate::error::ApiError;
use crate::show;
use crate::view::{ModelClass, PreviewRequest, PreviewView, PreviewedRequest, Redaction};

pub(crate) async fn preview_request(api: &Api, request: PreviewRequest) -> Result<PreviewView, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let preview = preview::preview(api.cx(), &finding).await?;
    let note = Some(preview.notes.join("; ")).filter(|note| !note.is_empty());
    Ok(PreviewView { finding: finding.to_string(), requests: preview.requests.iter().map(previewed).collect(), note })
}

fn previewed(request: &Previewed) -> PreviewedRequest {
    let redaction = |(label, count): &(String, usize)| Redaction {
        label: label.clone(),
        count: u32::try_from(*count).unwrap_or(u32::MAX),
    };
    let asked = ToolRequest::new(Actor::Analyst(request.name.clone()), Action::SendHttp, &request.address);
    PreviewedRequest {
        name: request.name.clone(),
        model: request.model.clone(),
        endpoint: request.address.clone(),
        host: request.host.clone(),
        class: match request.class {
            Class::Local => ModelClass::Local,
            Class::Hosted => ModelClass::Hosted,
        },
        bytes: request.bytes,
        body: request.body.clone(),
        redactions: request.redactions.iter().map(redaction).collect(),
        decision: show::effect(request.decision.effect),
        rule: request.decision.rule.clone(),
        reason: request.decision.reason.clone(),
        remedy: Some(remedy(&request.decision, &asked)).filter(|words| !words.is_empty()),
    }
}
