//! Whether a model runs on this machine.
//!
//! An address on this machine proves nothing: a local server may hand a question on to somebody else's. So the server is
//! asked what it knows of the model, in the ways that llama.cpp, Ollama and LM Studio have, and only a clear answer makes
//! a model local. The questions carry the model's name and no more.
//!
//! Invariant: whatever is unknown is hosted.

use std::time::Duration;

use conclave_effects::ModelClass;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::error::{AskError, Waiting};
use crate::provider::Reach;
use crate::provider::api::{Api, metadata};

/// How long the questions may take, all together.
const LIMIT: Duration = Duration::from_secs(5);

/// A path below a server's address, and the body of the POST where it is one.
type Question = (&'static str, Option<Value>);

/// A server's way to say where a model runs.
struct Dialect {
    /// Its questions about a model.
    questions: fn(&str) -> Vec<Question>,
    /// Whether the answers, one each, say that the model runs here.
    is_local: fn(&str, &[Value]) -> bool,
}

const DIALECTS: [Dialect; 3] = [
    // llama.cpp: a path to the one model it has loaded.
    Dialect {
        questions: |_| vec![("/props", None)],
        is_local: |_, answers| matches!(answers, [props] if is_named(&props["model_path"])),
    },
    // Ollama: a model of the service behind it has a `remote_host`.
    Dialect {
        questions: |model| vec![("/api/show", Some(json!({ "model": model }))), ("/api/tags", None)],
        is_local: |model, answers| {
            let [shown, tags] = answers else { return false };
            let listed = listed(&tags["models"], "name", model).or_else(|| listed(&tags["models"], "model", model));
            shown["details"].is_object() && here(shown) && listed.is_some_and(here)
        },
    },
    // LM Studio: the models that lie on this machine, with how they are quantised.
    Dialect {
        questions: |_| vec![("/api/v0/models", None)],
        is_local: |model, answers| {
            let [models] = answers else { return false };
            listed(&models["data"], "id", model).is_some_and(|found| here(found) && is_named(&found["quantization"]))
        },
    },
];

/// The class of the model of `api`, asked of its server.
///
/// # Errors
/// Nobody on this machine answers, or nobody may be asked; then nothing is known, and another time it may be.
pub(crate) async fn find_out(api: &Api, reach: &Reach<'_>, until: Instant) -> Result<ModelClass, AskError> {
    if !api.is_loopback() || is_cloud(api.model()) {
        return Ok(ModelClass::Hosted);
    }
    let until = until.min(Instant::now() + LIMIT);
    let asked = timeout_at(until, ask_server(api, reach, until)).await;
    asked.unwrap_or(Err(AskError::Timeout(Waiting::FirstByte)))
}

async fn ask_server(api: &Api, reach: &Reach<'_>, until: Instant) -> Result<ModelClass, AskError> {
    for dialect in &DIALECTS {
        let mut answers = Vec::new();
        for question in (dialect.questions)(api.model()) {
            match metadata(api, reach, question, until).await? {
                Some(answer) => answers.push(answer),
                None => break,
            }
        }
        if (dialect.is_local)(api.model(), &answers) {
            return Ok(ModelClass::Local);
        }
    }
    Ok(ModelClass::Hosted)
}

/// Names that a server's cloud models have; a model with such a name is hosted whatever its server says.
pub(crate) fn is_cloud(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    model.split([':', '/', '@']).any(|part| part == "cloud" || part.ends_with("-cloud"))
}

/// The entry of `list` whose `key` is `model`; a missing tag is `latest`, as Ollama has it.
pub(crate) fn listed<'a>(list: &'a Value, key: &str, model: &str) -> Option<&'a Value> {
    let wanted = [model.to_owned(), format!("{model}:latest")];
    list.as_array()?.iter().find(|entry| entry[key].as_str().is_some_and(|name| wanted.iter().any(|w| w == name)))
}

/// Whether an entry names no other machine.
pub(crate) fn here(entry: &Value) -> bool {
    ["remote_host", "remote_model", "remote_url"].iter().all(|key| match &entry[*key] {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    })
}

pub(crate) fn is_named(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_cloud_model_is_known() {
        for (name, expect) in [
            ("gpt-oss:120b-cloud", true),
            ("deepseek-v3.1:671b-Cloud", true),
            ("glm-4.6:cloud", true),
            ("me/kimi-cloud:1t", true),
            ("qwen3-coder:30b", false),
            ("cloudy", false),
            ("cloud-native-coder:7b", false),
        ] {
            assert_eq!(is_cloud(name), expect, "{name}");
        }
    }
}
