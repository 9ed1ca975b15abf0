//! Google's Gemini.
//!
//! The model stands in the path. A stream has no last event: it is complete when the body ends after a reason for the
//! end has come, which may come more than once.

use conclave_core::settings::DialectName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::decode::{Draft, Finish, Framing, Reader, count};
use super::refusal::error_in_stream;
use super::{Beside, Dialect, ModelList, Question, Turn};
use crate::answer::Usage;
use crate::error::AskError;
use crate::tools::ToolOffer;

/// The dialect.
pub static DIALECT: Dialect = Dialect {
    name: DialectName::Gemini,
    hosts: &["generativelanguage.googleapis.com"],
    repeated: &["/v1beta", "/v1"],
    path,
    headers: &[],
    key: ("x-goog-api-key", ""),
    schema_beside_tools: Beside::Never,
    body,
    framing: Framing::UntilClose,
    reader: || Box::new(Chunks),
    models: ModelList { path: "/v1beta/models?pageSize=1000", list: "models", name: "name", prefix: PREFIX },
};

/// What the list of models, and some people, put before a name.
const PREFIX: &str = "models/";

/// What stands in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn path(model: &str) -> String {
    let model = utf8_percent_encode(model.strip_prefix(PREFIX).unwrap_or(model), PLAIN);
    format!("/v1beta/models/{model}:streamGenerateContent?alt=sse")
}

fn body(question: &Question<'_>) -> Value {
    let Question { request, .. } = question;
    let mut body = json!({});
    if !request.system.is_empty() {
        body["systemInstruction"] = json!({ "parts": [{ "text": request.system }] });
    }
    let asked = json!({ "role": "user", "parts": [{ "text": request.user }] });
    body["contents"] = std::iter::once(asked).chain(question.tooling.turns.iter().flat_map(turn)).collect();
    if !question.offers().is_empty() {
        let function = |offer: &ToolOffer| json!({ "name": offer.name, "description": offer.description, "parametersJsonSchema": offer.schema });
        body["tools"] = json!([{ "functionDeclarations": question.offers().iter().map(function).collect::<Vec<_>>() }]);
        if !question.may_call() {
            body["toolConfig"] = json!({ "functionCallingConfig": { "mode": "NONE" } });
        }
    }
    body["generationConfig"] = json!({ "maxOutputTokens": request.max_tokens });
    if let Some(schema) = question.schema() {
        body["generationConfig"]["responseMimeType"] = "application/json".into();
        body["generationConfig"]["responseJsonSchema"] = schema.clone();
    }
    body
}

/// What was said and told in one turn. Only what had a name of the server's own is called by it again.
fn turn(turn: &Turn) -> [Value; 2] {
    let (mut said, mut told) = (Vec::new(), Vec::new());
    if !turn.said.text.trim().is_empty() {
        said.push(json!({ "text": turn.said.text }));
    }
    for (_, call, result) in turn.pairs() {
        let mut part = json!({ "functionCall": { "name": call.name, "args": call.object() } });
        let field = if result.is_error { "error" } else { "output" };
        let mut answer = json!({ "name": call.name, "response": { field: result.text } });
        if !call.id.is_empty() {
            part["functionCall"]["id"] = call.id.as_str().into();
            answer["id"] = call.id.as_str().into();
        }
        if let Some(signature) = &call.signature {
            part["thoughtSignature"] = signature.as_str().into();
        }
        said.push(part);
        told.push(json!({ "functionResponse": answer }));
    }
    [json!({ "role": "model", "parts": said }), json!({ "role": "user", "parts": told })]
}

/// Reads chunks; each is understood by itself, and a whole answer is one.
#[derive(Debug)]
struct Chunks;

impl Reader for Chunks {
    fn event(&mut self, event: Value, draft: &mut Draft) -> Result<bool, AskError> {
        if event["error"].is_object() {
            return Err(error_in_stream(&event, &draft.model));
        }
        if !event.is_object() {
            return Err(AskError::malformed("it has another shape than generated content"));
        }
        draft.named(&event["modelVersion"]);
        if let Some(usage) = usage_of(&event["usageMetadata"]) {
            draft.usage = Some(usage);
        }
        if let Some(reason) = event["promptFeedback"]["blockReason"].as_str() {
            draft.finish = Some(Finish::Declined(format!("the question was blocked: {reason}")));
        }
        let candidates = event["candidates"].as_array().into_iter().flatten();
        // More than one is never asked for; what comes of others all the same is nobody's answer.
        for candidate in candidates.filter(|candidate| candidate["index"].as_u64().unwrap_or(0) == 0) {
            for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
                let text = part["text"].as_str().unwrap_or_default();
                if part["thought"] == true {
                    draft.reasoning(text)
                } else {
                    draft.text(text)
                }
                let called = &part["functionCall"];
                if let Some(call) = called.as_object().and_then(|_| draft.wanted.next()) {
                    called["id"].as_str().unwrap_or_default().clone_into(&mut call.id);
                    called["name"].as_str().unwrap_or_default().clone_into(&mut call.name);
                    call.argue(&called["args"]);
                    call.signature = part["thoughtSignature"].as_str().map(str::to_owned);
                }
            }
            if let Some(reason) = candidate["finishReason"].as_str() {
                draft.finish = Some(finish(reason, candidate["finishMessage"].as_str()));
            }
        }
        Ok(false)
    }
}

fn finish(reason: &str, words: Option<&str>) -> Finish {
    match reason {
        "STOP" => Finish::Whole,
        "MAX_TOKENS" => Finish::Failed(AskError::Truncated),
        "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => {
            let words = words.map_or_else(|| format!("a filter stopped the answer: {reason}"), str::to_owned);
            Finish::Declined(words)
        }
        "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" => Finish::Called,
        other => Finish::odd(other),
    }
}

/// The counts of `usage`. Thoughts are counted apart from what is written.
fn usage_of(usage: &Value) -> Option<Usage> {
    let reasoning_tokens = count(usage, "/thoughtsTokenCount").unwrap_or(0);
    Some(Usage {
        input_tokens: count(usage, "/promptTokenCount")?,
        output_tokens: count(usage, "/candidatesTokenCount").unwrap_or(0).saturating_add(reasoning_tokens),
        cached_tokens: count(usage, "/cachedContentTokenCount").unwrap_or(0),
        reasoning_tokens,
    })
}
