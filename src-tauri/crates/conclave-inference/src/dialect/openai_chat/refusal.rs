//! What a server means when it refuses: the status first, then the words that tell two meanings of one status apart.
//!
//! Error bodies are the least standard part of this dialect, so every known place for a message is looked at and an
//! unreadable body is simply quoted.

use std::time::Duration;

use serde_json::Value;

use crate::error::AskError;

/// Signs in `type` or `code` that a 403 or 429 is about money, where waiting does not help.
const MONEY: [&str; 5] = ["insufficient_quota", "credit", "billing", "insufficient_balance", "spend"];

/// Signs that the request is longer than the model's context; vLLM says so in the message alone.
const TOO_LONG: [&str; 3] = ["exceed_context_size", "context_length_exceeded", "maximum context length"];

/// The error that a response with `status` other than 200 and this `body` stands for.
///
/// `model` is the one that was asked for, `retry_after` what the headers say.
pub fn error_of(status: u16, body: &[u8], model: &str, retry_after: Option<Duration>) -> AskError {
    match serde_json::from_slice::<Value>(body) {
        Ok(body) => error_in(status, &body, model, retry_after),
        Err(_) => error_with(status, "", String::from_utf8_lossy(body).into_owned(), model, retry_after),
    }
}

/// The error inside a stream that began with status 200.
pub(super) fn error_in_stream(body: &Value, model: &str) -> AskError {
    let code = body.pointer("/error/code").or_else(|| body.get("code")).and_then(Value::as_u64);
    let status = code.and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
    error_in(status.unwrap_or(500), body, model, None)
}

fn error_in(status: u16, body: &Value, model: &str, retry_after: Option<Duration>) -> AskError {
    let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
    let kinds = ["type", "code"].map(|key| error.get(key).map(words).unwrap_or_default()).join(" ").to_lowercase();
    let message = ["message", "detail", "msg"].iter().find_map(|key| error.get(key)).unwrap_or(error);
    error_with(status, &kinds, words(message), model, retry_after)
}

fn error_with(status: u16, kinds: &str, message: String, model: &str, retry_after: Option<Duration>) -> AskError {
    let says = |signs: &[&str], text: &str| signs.iter().any(|sign| text.contains(sign));
    match status {
        300..=399 => AskError::Redirected,
        402 => AskError::NoMoney,
        403 | 429 if says(&MONEY, kinds) => AskError::NoMoney,
        401 | 403 => AskError::Unauthorised,
        404 => AskError::NotFound { model: model.to_owned() },
        413 => AskError::TooLong,
        429 => AskError::RateLimited { retry_after },
        408 | 409 | 500.. => AskError::Server { status, message, retry_after },
        _ if says(&TOO_LONG, kinds) || says(&TOO_LONG, &message) => AskError::TooLong,
        _ => AskError::Rejected { status, message },
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
