//! Requests that wait for the person, and the person's word.

use conclave_engine::policies;
use conclave_engine::prompt::visible;
use conclave_policy::{Access, ToolRequest, TouchedPath};
use conclave_store::{Answer, Answered, Ask, AskId, AskState};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::show;
use crate::view::{AnswerAsk, AskAnswer, AskAnswered, AskList, AskPath, AskView, Nothing};

pub(crate) async fn list_asks(api: &Api, _: Nothing) -> Result<AskList, ApiError> {
    let waiting = api.cx().store.waiting_asks(api.cx().now_ms())?;
    let attended = api.cx().store.person_is_there();
    Ok(AskList { asks: waiting.iter().map(|ask| view(api, ask)).collect(), attended })
}

fn view(api: &Api, ask: &Ask) -> AskView {
    let request = &ask.ask.request;
    AskView {
        id: ask.id.to_string(),
        at: ask.ask.at_ms,
        expires_at: ask.ask.expires_at_ms,
        actor: request.actor.to_string(),
        action: request.action.to_string(),
        resource: request.resource.clone(),
        request: whole(request),
        paths: request.paths.iter().map(path).collect(),
        rule: ask.ask.rule.clone(),
        layer: ask.ask.layer.map(show::layer),
        reason: ask.ask.reason.clone(),
        guidance: ask.ask.guidance.clone(),
        always: policies::always_rule(api.cx(), ask),
    }
}

/// The request in lines, with everything that is not seen written out.
fn whole(request: &ToolRequest) -> String {
    let text = request.canonical();
    let lines = serde_json::from_str::<serde_json::Value>(&text).map(|value| format!("{value:#}"));
    let lines = lines.unwrap_or(text);
    lines.lines().map(visible).collect::<Vec<_>>().join("\n")
}

fn path(path: &TouchedPath) -> AskPath {
    AskPath { given: path.given.clone(), real: path.real.clone(), written: path.access == Access::Write }
}

pub(crate) async fn answer_ask(api: &Api, request: AnswerAsk) -> Result<AskAnswered, ApiError> {
    let missing = || {
        ApiError::new(ErrorCode::NotFound, format!("nothing with the id `{}` waits", request.id))
            .with_hint("`conclave asks` lists what waits")
    };
    let id = AskId(request.id.parse().map_err(|_| missing())?);
    let answer = match request.answer {
        AskAnswer::AllowOnce | AskAnswer::Always => Answer::Allow,
        AskAnswer::DenyOnce => Answer::Deny,
    };
    // The rule comes first: an answer for always that cannot be kept is not given.
    let rule = match request.answer {
        AskAnswer::Always => {
            let waiting = api.cx().store.waiting_asks(api.cx().now_ms())?;
            let ask = waiting.iter().find(|ask| ask.id == id).ok_or_else(missing)?;
            Some(policies::always_allow(api.cx(), ask)?.0)
        }
        AskAnswer::AllowOnce | AskAnswer::DenyOnce => None,
    };
    match api.cx().store.answer_ask(id, answer, &request.justification, api.cx().now_ms())? {
        Answered::Done(_) => Ok(AskAnswered { id: request.id, rule }),
        Answered::TooLate(ask) => Err(too_late(&ask)),
    }
}

fn too_late(ask: &Ask) -> ApiError {
    let why = match ask.state {
        AskState::Allowed => "it was allowed before",
        AskState::Denied => "it was denied before",
        AskState::Withdrawn => "whoever asked took it back",
        AskState::Expired | AskState::Waiting => "nobody waits for the answer any more",
    };
    ApiError::new(ErrorCode::Changed, why).with_hint("have it asked again")
}
