//! What a server means when it refuses: the status first, then the words that tell two meanings of one status apart.
//!
//! Error bodies are the least standard part of every dialect, and gateways mix them, so one reading serves all of them:
//! every known place for a message is looked at, and an unreadable body is simply quoted.

use std::time::Duration;

use serde_json::Value;

use crate::error::AskError;

/// Names of kinds of error that say that waiting does not help.
const MONEY: [&str; 5] = ["insufficient_quota", "credit", "billing", "insufficient_balance", "spend"];

/// The same in words: some servers name no kind but their usual one. OpenAI’s words for an empty account are not among
/// them, because Gemini says the same of a rate limit.
const MONEY_WORDS: [&str; 6] = [
    "credit balance is too low",
    "credits are depleted",
    "insufficient balance",
    "spend limit",
    "spend_limit",
    "spending limit",
];

/// Signs that the request is longer than the model's context; most servers say so in the message alone.
const TOO_LONG: [&str; 11] = [
    "exceed_context_size",
    "context_length_exceeded",
    "model_context_window_exceeded",
    "maximum context length",
    "maximum prompt length",
    "the context length",
    "the context window",
    "exceeds context length",
    "exceed context limit",
    "prompt is too long",
    "exceeds the maximum number of tokens",
];

/// Signs of a wrong key behind another status than 401.
const KEY: [&str; 3] = ["api_key_invalid", "api key not valid", "incorrect api key"];

/// Signs that there is no such model behind another status than 404.
const NO_MODEL: [&str; 6] = [
    "model_not_found",
    "invalid_model",
    "model not exist",
    "not a valid model",
    "invalid model",
    "is not found for api version",
];

/// The status that a kind of error stands for, where it comes without one: inside a stream.
const KINDS: [(&str, u16); 24] = [
    ("invalid_request_error", 400),
    ("invalid_prompt", 400),
    ("context_length_exceeded", 400),
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("authentication_error", 401),
    ("UNAUTHENTICATED", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("PERMISSION_DENIED", 403),
    ("not_found_error", 404),
    ("model_not_found", 404),
    ("NOT_FOUND", 404),
    ("request_too_large", 413),
    ("insufficient_quota", 429),
    ("rate_limit_exceeded", 429),
    ("rate_limit_error", 429),
    ("RESOURCE_EXHAUSTED", 429),
    ("UNAVAILABLE", 503),
    ("server_is_overloaded", 503),
    ("slow_down", 503),
    ("timeout_error", 504),
    ("DEADLINE_EXCEEDED", 504),
    ("overloaded_error", 529),
];

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
    let error = part(body);
    let known = |status: &u16| (400..600).contains(status);
    let number = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()).filter(known);
    let named = || {
        let names = ["type", "code", "status"].into_iter().filter_map(|key| error.get(key)?.as_str());
        names.filter_map(|name| KINDS.iter().find(|(kind, _)| *kind == name)).map(|(_, status)| *status).next()
    };
    error_in(number.or_else(named).unwrap_or(500), body, model, None)
}

/// The part of a body that is about the error.
fn part(body: &Value) -> &Value {
    let body = body.get(0).unwrap_or(body);
    body.get("error").filter(|error| !error.is_null()).unwrap_or(body)
}

fn error_in(status: u16, body: &Value, model: &str, retry_after: Option<Duration>) -> AskError {
    let error = part(body);
    let details = || error.get("details").and_then(Value::as_array).into_iter().flatten();
    let kinds = ["type", "code", "status"].into_iter().filter_map(|key| error.get(key));
    let reasons = details().filter_map(|detail| detail.get("reason"));
    let kinds = kinds.chain(reasons).map(words).collect::<Vec<_>>().join(" ").to_lowercase();
    let message = ["message", "detail", "msg"].iter().find_map(|key| error.get(key)).unwrap_or(error);
    let retry_after = retry_after.or_else(|| details().find_map(|detail| seconds(detail.get("retryDelay")?)));
    error_with(status, &kinds, words(message), model, retry_after)
}

/// Gemini’s `34.5s`.
fn seconds(delay: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(delay.as_str()?.strip_suffix('s')?.parse().ok()?).ok()
}

fn error_with(status: u16, kinds: &str, message: String, model: &str, retry_after: Option<Duration>) -> AskError {
    let lower = message.to_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| kinds.contains(sign) || lower.contains(sign));
    let is_money = MONEY.iter().any(|sign| kinds.contains(sign)) || says(&MONEY_WORDS);
    match status {
        300..=399 => AskError::Redirected,
        402 => AskError::NoMoney,
        400 | 403 | 429 if is_money => AskError::NoMoney,
        401 | 403 => AskError::Unauthorised,
        // OpenRouter, where nobody who has the model takes tools.
        404 if lower.contains("tool use") => AskError::Rejected { status, message },
        404 => AskError::NotFound { model: model.to_owned(), nearest: None },
        413 => AskError::TooLong,
        429 => AskError::RateLimited { retry_after },
        // A server that is still reading its model says so, which is worth more than that it has too much to do.
        503 if !lower.contains("loading") => AskError::Overloaded { retry_after },
        529 => AskError::Overloaded { retry_after },
        408 | 409 => AskError::Server { status, message, retry_after },
        // Ollama answers 500 to what other servers refuse.
        _ if says(&TOO_LONG) => AskError::TooLong,
        500.. => AskError::Server { status, message, retry_after },
        _ if says(&KEY) => AskError::Unauthorised,
        _ if says(&NO_MODEL) => AskError::NotFound { model: model.to_owned(), nearest: None },
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
