//! Servers on this machine, found by what they say: stand-ins that speak as Ollama, LM Studio and llama.cpp do.

use std::net::TcpListener;
use std::time::Duration;

use conclave_effects::ModelClass;
use conclave_inference::{About, Address, AskError, Look, Server, ServerKind, Terms, discover, probe};
use conclave_policy::Mode;
use tokio::time::Instant;

use crate::class::{Pages, serve};
use crate::support::{gate, reach};

const OLLAMA: Pages = &[
    ("/api/version", r#"{"version":"0.12.6"}"#),
    ("/api/tags", r#"{"models":[{"name":"qwen:7b","model":"qwen:7b","size":4000000000}]}"#),
    (
        "/api/show",
        r#"{"details":{"format":"gguf"},"capabilities":["completion"],"model_info":{"qwen2.context_length":32768}}"#,
    ),
];
const LM_STUDIO: Pages = &[(
    "/api/v0/models",
    r#"{"object":"list","data":[
        {"id":"qwen","object":"model","type":"llm","quantization":"Q4_K_M","state":"loaded","max_context_length":32768},
        {"id":"embed","object":"model","type":"embeddings","quantization":"F16","state":"not-loaded"}]}"#,
)];
const LLAMA_CPP: Pages = &[
    ("/props", r#"{"model_path":"/m/a.gguf","build_info":"b6900-1234","default_generation_settings":{"n_ctx":4096}}"#),
    ("/v1/models", r#"{"object":"list","data":[{"id":"a"}]}"#),
];
const OTHER: Pages = &[("/v1/models", r#"{"object":"list","data":[{"id":"m"}]}"#)];

const ABOUT: &About = &About { data: Vec::new(), project: None, tier: None };

fn terms() -> Terms<'static> {
    Terms::new(ABOUT, Duration::from_secs(60))
}

async fn found(url: &str) -> (Result<Option<Server>, AskError>, String) {
    let (gate, ledger) = gate(Mode::Default);
    let mut looks = discover(&reach(&gate, terms()), &[Address { url, key: None }]).await;
    let Look { found, .. } = looks.pop().expect("one look");
    (found, ledger.text())
}

#[tokio::test]
async fn each_server_is_known_by_its_own_words() {
    let cases = [
        (OLLAMA, ServerKind::Ollama, "Ollama 0.12.6", "", vec![("qwen:7b", ModelClass::Local, Some(32768))]),
        (LM_STUDIO, ServerKind::LmStudio, "LM Studio", "/v1", vec![("qwen", ModelClass::Local, Some(32768))]),
        (LLAMA_CPP, ServerKind::LlamaCpp, "llama.cpp b6900-1234", "/v1", vec![("a", ModelClass::Local, Some(4096))]),
        (OTHER, ServerKind::Other, "a server", "/v1", vec![("m", ModelClass::Hosted, None)]),
    ];
    for (pages, kind, words, path, models) in cases {
        let (address, seen) = serve(pages);
        let (server, ledger) = found(&format!("http://{address}/v1/")).await;
        let server = server.expect("it answers").expect("it offers models");
        assert_eq!((server.kind, server.words()), (kind, words.to_owned()));
        assert_eq!((server.base_url(), server.wants_key), (format!("http://{address}{path}"), false));
        let offered: Vec<_> =
            server.models.iter().map(|model| (model.id.as_str(), model.class, model.can.context_tokens)).collect();
        assert_eq!(offered, models, "{words}");
        // Each question is a decision and what came of it.
        let asked = seen.lock().expect("log").len();
        assert_eq!(ledger.lines().count(), 2 * asked, "{ledger}");
    }
}

#[tokio::test]
async fn somebody_else_is_no_server_of_models_and_nobody_is_nobody() {
    let (address, _) = serve(&[("/", "<html>a shop</html>"), ("/api/version", r#"["1.0"]"#)]);
    assert_eq!(found(&format!("http://{address}")).await.0.expect("it answers"), None);
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("address");
    let error = found(&format!("http://{free}")).await.0.expect_err("nobody is there");
    assert_eq!(error.kind(), "unreachable");
}

#[tokio::test]
async fn another_machine_is_not_looked_at_and_a_place_only_once() {
    let (gate, ledger) = gate(Mode::Default);
    let (address, seen) = serve(OTHER);
    let [with, without] = [format!("http://{address}/v1"), format!("http://{address}")];
    let urls = ["https://models.example/v1", "http://192.0.2.7:11434", "no address", &with, &without];
    let looks = discover(&reach(&gate, terms()), &urls.map(|url| Address { url, key: None })).await;
    assert_eq!(looks.iter().map(|look| &look.origin).collect::<Vec<_>>(), [&without]);
    assert_eq!(ledger.text().lines().count(), 2 * seen.lock().expect("log").len());
    assert!(!ledger.text().contains("models.example") && !ledger.text().contains("192.0.2.7"));
}

#[tokio::test]
async fn nobody_is_asked_while_offline() {
    let (gate, ledger) = gate(Mode::Offline);
    let (address, seen) = serve(OLLAMA);
    let url = format!("http://{address}");
    let looks = discover(&reach(&gate, terms()), &[Address { url: &url, key: None }]).await;
    let [Look { found: Err(error), .. }] = looks.as_slice() else { panic!("{looks:?}") };
    assert_eq!(error.kind(), "denied");
    assert!(seen.lock().expect("log").is_empty() && ledger.text().contains("deny"), "{}", ledger.text());
}

#[tokio::test]
async fn a_model_on_this_machine_is_tried_and_no_other() {
    const ANSWERS: &str = r#"{"choices":[{"message":{"content":"{\"word\":\"q7vx\"}"},"finish_reason":"stop",
        "logprobs":{"content":[{"token":"4","logprob":-0.1}]}}]}"#;
    const HERE: Pages = &[LLAMA_CPP[0], LLAMA_CPP[1], ("/v1/chat/completions", ANSWERS)];
    const ANYWHERE: Pages = &[OTHER[0], ("/v1/chat/completions", ANSWERS)];
    let (gate, _) = gate(Mode::Default);
    let (address, seen) = serve(HERE);
    let url = format!("http://{address}/v1");
    let (way, here) = (reach(&gate, terms()), Address { url: &url, key: None });
    let soon = Instant::now() + Duration::from_secs(60);
    let probed = probe(&way, here, "a", soon).await.expect("it can be tried");
    assert_eq!(
        (probed.can.schema, probed.can.log_probabilities, probed.several),
        (Some(true), Some(true), Some(false))
    );
    assert_eq!((probed.can.context_tokens, probed.by.as_str()), (Some(4096), "llama.cpp b6900-1234"));

    let tried = |seen: &[String]| seen.iter().filter(|line| line.starts_with("/v1/chat")).count();
    assert_eq!(tried(&seen.lock().expect("log")), 3);
    assert_eq!(probe(&way, here, "b", soon).await.expect_err("it is not there").kind(), "not_offered");
    let (elsewhere, other) = serve(ANYWHERE);
    let url = format!("http://{elsewhere}");
    let unknown = probe(&way, Address { url: &url, key: None }, "m", soon).await;
    assert_eq!(unknown.expect_err("it may be anywhere").kind(), "not_offered");
    assert_eq!((tried(&seen.lock().expect("log")), tried(&other.lock().expect("log"))), (3, 0));
}
