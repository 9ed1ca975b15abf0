//! What a model on this machine can do, found out by trying.
//!
//! Servers promise more than they hold to and hold to more than they say, so three short questions are asked: one with a
//! schema that no free answer meets by chance, one that wants to know how sure the model was, one that wants two answers.
//! They hold nothing of the person's. A model elsewhere is never tried: it would cost money.
//!
//! Invariant: what a question did not settle stays unknown.

use conclave_effects::ModelClass;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::discover::{Address, Asker, look};
use crate::error::AskError;
use crate::provider::{Capabilities, Reach};

/// What a model can do, and who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// What it can do, as far as that was settled.
    pub can: Capabilities,
    /// Whether it gives several answers to one question.
    pub several: Option<bool>,
    /// The server that was asked, with its version: another version may do otherwise.
    pub by: String,
}

/// A word that no model answers with unless it is held to.
const WORD: &str = "q7vx";

/// Finds out what `model` at `address` can do.
///
/// # Errors
/// It cannot be asked; [`AskError::NotOffered`] where it is not known to run on this machine.
pub async fn probe(reach: &Reach<'_>, address: Address<'_>, model: &str, until: Instant) -> Result<Probed, AskError> {
    let not_here =
        || AskError::NotOffered(format!("`{model}` is not known to run on this machine, so nothing is tried with it"));
    let asker = Asker::new(reach, address).ok_or_else(not_here)?;
    let server = look(&asker, until).await?.ok_or_else(not_here)?;
    let offered = server.models.iter().find(|offered| offered.is_called(model)).ok_or_else(not_here)?;
    if offered.class != ModelClass::Local {
        return Err(not_here());
    }
    let tried = async |with: Value| asker.try_out(model, &question(model, with), until).await;
    let schema = held(&tried(with_schema()).await?);
    let log_probabilities = sure(&tried(json!({ "max_tokens": 1, "logprobs": true, "top_logprobs": 2 })).await?);
    let several = two(&tried(json!({ "max_tokens": 1, "n": 2 })).await?);
    Ok(Probed { can: Capabilities { schema, log_probabilities, ..offered.can }, several, by: server.words() })
}

fn question(model: &str, with: Value) -> Value {
    let mut body = json!({
        "model": model,
        "messages": [{ "role": "user", "content": "What is two and two? Answer as JSON." }],
        "stream": false,
        "temperature": 0,
    });
    for (key, value) in with.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    body
}

fn with_schema() -> Value {
    let schema = json!({
        "type": "object",
        "properties": { "word": { "type": "string", "enum": [WORD] } },
        "required": ["word"],
        "additionalProperties": false,
    });
    let form = json!({ "name": "word", "strict": true, "schema": schema });
    json!({ "max_tokens": 64, "response_format": { "type": "json_schema", "json_schema": form } })
}

/// What a server answered: its status and its JSON.
type Said = (u16, Option<Value>);

/// What follows from the answer where `good` reads it; a refusal of the question itself is a no.
fn settled((status, said): &Said, good: impl Fn(&Value) -> Option<bool>) -> Option<bool> {
    match (status, said) {
        (200, Some(value)) => good(&value["choices"]),
        (400 | 422 | 501, _) => Some(false),
        _ => None,
    }
}

/// Whether the answer was held to the schema.
fn held(said: &Said) -> Option<bool> {
    settled(said, |choices| {
        let text = choices[0]["message"]["content"].as_str()?;
        match serde_json::from_str::<Value>(text.trim()) {
            Ok(value) => Some(value == json!({ "word": WORD })),
            // Cut off, it may have been on its way there.
            Err(_) if choices[0]["finish_reason"] == "length" => None,
            Err(_) => Some(false),
        }
    })
}

/// Whether it says how sure the model was.
fn sure(said: &Said) -> Option<bool> {
    settled(said, |choices| {
        choices[0]["message"].is_object().then(|| {
            let tokens = choices[0]["logprobs"]["content"].as_array();
            tokens.is_some_and(|tokens| tokens.iter().any(|token| token["logprob"].is_number()))
        })
    })
}

/// Whether there are two answers.
fn two(said: &Said) -> Option<bool> {
    settled(said, |choices| choices.as_array().map(|choices| choices.len() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str, reason: &str) -> Said {
        let choice = json!({ "message": { "content": text }, "finish_reason": reason });
        (200, Some(json!({ "choices": [choice] })))
    }

    #[test]
    fn only_an_answer_that_nobody_gives_by_chance_shows_a_schema() {
        for (said, expect) in [
            (answer(r#" {"word":"q7vx"} "#, "stop"), Some(true)),
            (answer(r#"{"answer":4}"#, "stop"), Some(false)),
            (answer("Four.", "stop"), Some(false)),
            (answer(r#"{"wo"#, "length"), None),
            ((400, None), Some(false)),
            ((401, None), None),
            ((500, Some(json!({ "error": "out of memory" }))), None),
            ((200, Some(json!({ "error": "no" }))), None),
            ((200, None), None),
        ] {
            assert_eq!(held(&said), expect, "{said:?}");
        }
    }

    #[test]
    fn log_probabilities_and_several_answers_are_seen_or_missed() {
        let message = json!({ "content": "4" });
        let with = json!({ "choices": [{ "message": message, "logprobs": { "content": [{ "token": "4", "logprob": -0.1 }] } }] });
        let without = json!({ "choices": [{ "message": message, "logprobs": null }] });
        let both = json!({ "choices": [{ "message": message }, { "message": message }] });
        for (value, is_sure, are_two) in
            [(with, Some(true), Some(false)), (without, Some(false), Some(false)), (both, Some(false), Some(true))]
        {
            let said = (200, Some(value));
            assert_eq!((sure(&said), two(&said)), (is_sure, are_two), "{said:?}");
        }
        assert_eq!((sure(&(400, None)), two(&(400, None))), (Some(false), Some(false)));
        assert_eq!((sure(&(200, Some(json!({})))), two(&(200, Some(json!({}))))), (None, None));
    }
}
