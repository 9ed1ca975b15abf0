//! What is read out of the answers of servers, honest and odd.

use serde_json::{Value, json};

use super::told::{is_llama_cpp, is_lm_studio, is_ollama, listed, llama_cpp, lm_studio, names, ollama};
use super::*;

fn brief(models: &[Offered]) -> Vec<(&str, ModelClass, Option<u32>)> {
    models.iter().map(|model| (model.id.as_str(), model.class, model.can.context_tokens)).collect()
}

#[test]
fn what_ollama_says_of_a_model_is_read_and_one_for_embeddings_is_left_out() {
    let tags =
        json!({ "models": [{ "name": "qwen:7b" }, { "name": "big:cloud", "remote_host": "https://ollama.com" }] });
    assert_eq!(names(&tags), ["qwen:7b", "big:cloud"]);
    let shown = |able: &[&str]| {
        json!({ "details": { "family": "qwen2" }, "capabilities": able,
                "model_info": { "general.architecture": "qwen2", "qwen2.context_length": 32768 } })
    };
    type Seen = Option<(ModelClass, Option<u32>)>;
    let cases: [(&str, Value, Seen); 6] = [
        ("qwen:7b", shown(&["completion", "tools"]), Some((ModelClass::Local, Some(32768)))),
        ("qwen:7b", shown(&["embedding"]), None),
        ("qwen:7b", json!({ "details": {} }), Some((ModelClass::Local, None))),
        ("qwen:7b", Value::Null, Some((ModelClass::Hosted, None))),
        ("big:cloud", shown(&["completion"]), Some((ModelClass::Hosted, Some(32768)))),
        ("not-listed", shown(&["completion"]), Some((ModelClass::Hosted, Some(32768)))),
    ];
    for (id, shown, expect) in cases {
        let found = ollama(id.to_owned(), &tags, &shown).map(|model| (model.class, model.can.context_tokens));
        assert_eq!(found, expect, "{id} {shown}");
    }
}

#[test]
fn what_lm_studio_lists_is_read() {
    let models = json!({ "data": [
        { "id": "qwen", "type": "llm", "quantization": "Q4_K_M", "max_context_length": 32768, "loaded_context_length": 4096 },
        { "id": "far", "type": "llm", "quantization": "Q4", "remote_url": "https://x.example" },
        { "id": "embed", "type": "embeddings", "quantization": "F16" },
        { "id": "bare" }, { "id": 7 }, { "id": "two\nlines" } ] });
    let found = lm_studio(&models);
    let expect = [
        ("qwen", ModelClass::Local, Some(4096)),
        ("far", ModelClass::Hosted, None),
        ("bare", ModelClass::Hosted, None),
    ];
    assert_eq!(brief(&found), expect);
}

#[test]
fn what_llama_cpp_says_of_its_model_is_read() {
    let models = json!({ "data": [{ "id": "small", "meta": { "n_ctx_train": 8192 } }] });
    let props = |path: &str| json!({ "model_path": path, "default_generation_settings": { "n_ctx": 1024 } });
    assert_eq!(brief(&llama_cpp(&props("/m/a.gguf"), &models)), [("small", ModelClass::Local, Some(1024))]);
    assert_eq!(brief(&llama_cpp(&props(""), &models)), [("small", ModelClass::Hosted, Some(1024))]);
    assert_eq!(brief(&llama_cpp(&json!({ "model_path": "/m" }), &Value::Null)), []);
}

#[test]
fn nobody_vouches_for_a_model_that_is_only_listed() {
    let found = listed(&json!({ "data": [{ "id": "m" }] })).unwrap();
    assert_eq!(brief(&found), [("m", ModelClass::Hosted, None)]);
    for odd in [json!({}), json!([]), json!({ "data": {} }), Value::Null] {
        assert!(listed(&odd).is_none(), "{odd}");
    }
}

#[test]
fn a_kind_is_known_by_its_own_words() {
    let version = json!({ "version": "0.12.6" });
    let props = json!({ "model_path": "/m" });
    let data = json!({ "data": [] });
    for value in [&version, &props, &data, &json!({ "error": "Unexpected endpoint" }), &json!([]), &Value::Null] {
        let kinds = (is_ollama(value), is_lm_studio(value), is_llama_cpp(value));
        let expect = (value == &version, value == &data, value == &props);
        assert_eq!(kinds, expect, "{value}");
    }
}

#[test]
fn an_api_begins_where_a_setting_says() {
    let server =
        |kind| Server { kind, origin: "http://127.0.0.1:1".into(), version: None, wants_key: false, models: vec![] };
    assert_eq!(server(ServerKind::Ollama).base_url(), "http://127.0.0.1:1");
    assert_eq!(server(ServerKind::LlamaCpp).base_url(), "http://127.0.0.1:1/v1");
}
