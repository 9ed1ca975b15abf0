//! What servers say of themselves and of their models, as values.

use conclave_effects::ModelClass;
use serde_json::Value;

use super::Offered;
use crate::class::{here, is_cloud, is_named, listed as entry};
use crate::error::quote;
use crate::provider::Capabilities;

/// Whether an answer at `/api/version` is Ollama's.
pub(super) fn is_ollama(value: &Value) -> bool {
    is_named(&value["version"])
}

/// Whether an answer at `/api/v0/models` is LM Studio's.
pub(super) fn is_lm_studio(value: &Value) -> bool {
    value["data"].is_array()
}

/// Whether an answer at `/props` is llama.cpp's.
pub(super) fn is_llama_cpp(value: &Value) -> bool {
    value["default_generation_settings"].is_object() || value["model_path"].is_string()
}

/// A text that a server wrote, fit to be shown.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(|text| quote(text, None))
}

/// The names in Ollama's list of models.
pub(super) fn names(tags: &Value) -> Vec<String> {
    let models = tags["models"].as_array().into_iter().flatten();
    models.filter_map(|model| model["name"].as_str().or_else(|| model["model"].as_str())).map(str::to_owned).collect()
}

/// Ollama's model `id`, by its list and by what it shows of it; `None` where it answers no questions.
pub(super) fn ollama(id: String, tags: &Value, shown: &Value) -> Option<Offered> {
    let able = shown["capabilities"].as_array();
    if able.is_some_and(|able| !able.iter().any(|one| one == "completion")) {
        return None;
    }
    let is_here = shown["details"].is_object() && here(shown) && entry(&tags["models"], "name", &id).is_some_and(here);
    let context = shown["model_info"].as_object().into_iter().flatten();
    let context = context.filter(|(key, _)| key.ends_with(".context_length")).find_map(|(_, value)| count(value));
    let mut offered = offered(id, is_here, context)?;
    offered.can.tools = able.map(|able| able.iter().any(|one| one == "tools"));
    Some(offered)
}

/// The models in LM Studio's list that answer questions.
pub(super) fn lm_studio(models: &Value) -> Vec<Offered> {
    let answers = |model: &&Value| matches!(model["type"].as_str(), None | Some("llm" | "vlm"));
    let models = models["data"].as_array().into_iter().flatten().filter(answers);
    let model = |model: &Value| {
        let context = count(&model["loaded_context_length"]).or_else(|| count(&model["max_context_length"]));
        offered(model["id"].as_str()?.to_owned(), here(model) && is_named(&model["quantization"]), context)
    };
    models.filter_map(model).collect()
}

/// The models of a llama.cpp server with these `props`, which list the one that it has loaded.
pub(super) fn llama_cpp(props: &Value, models: &Value) -> Vec<Offered> {
    let is_here = is_named(&props["model_path"]);
    let context = count(&props["default_generation_settings"]["n_ctx"]).or_else(|| count(&props["n_ctx"]));
    let models = models["data"].as_array().into_iter().flatten();
    models.filter_map(|model| offered(model["id"].as_str()?.to_owned(), is_here && here(model), context)).collect()
}

/// The models of anybody who lists them as OpenAI does; nobody vouches for where they run.
pub(super) fn listed(models: &Value) -> Option<Vec<Offered>> {
    let models = models["data"].as_array()?.iter();
    Some(models.filter_map(|model| offered(model["id"].as_str()?.to_owned(), false, None)).collect())
}

fn offered(id: String, is_here: bool, context_tokens: Option<u32>) -> Option<Offered> {
    // A name that cannot be shown as it is cannot be chosen either.
    if id.is_empty() || quote(&id, None) != id {
        return None;
    }
    let class = if is_here && !is_cloud(&id) { ModelClass::Local } else { ModelClass::Hosted };
    Some(Offered { class, can: Capabilities { context_tokens, ..Capabilities::default() }, id })
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
}
