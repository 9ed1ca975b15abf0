//! Where a model runs, asked of servers of every kind, honest and not.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::settings::ModelSetting;
use conclave_effects::ModelClass;
use conclave_inference::{About, Api, Provider as _, Terms};
use conclave_policy::Mode;
use tokio::time::Instant;

use crate::stub::{self, read, response};
use crate::support::{gate, reach};

/// Paths that a server knows, with what stands there.
pub(crate) type Pages = &'static [(&'static str, &'static str)];

/// A server that knows these paths, and what it was asked, by path and body.
pub(crate) fn serve(pages: Pages) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let address = stub::serve(move |mut stream| {
        let request = read(&stream)?;
        log.lock().expect("log").push(format!("{} {}", request.path(), String::from_utf8_lossy(&request.body)));
        let page = pages.iter().find(|(known, _)| *known == request.path());
        let (status, text) = page.map_or((404, "{}"), |(_, text)| (200, *text));
        stream.write_all(response(status, "", text).as_bytes())
    });
    (address, seen)
}

fn endpoint(address: SocketAddr, model: &str) -> Api {
    Api::new(&ModelSetting::new("Stub", &format!("http://{address}/v1"), model))
}

fn terms() -> Terms<'static> {
    const ABOUT: &About = &About { data: Vec::new(), project: None, tier: None };
    Terms::new(ABOUT, Duration::from_secs(60))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn only_a_server_that_says_so_has_a_model_on_this_machine() {
    const PROPS: &str = r#"{"model_path":"/models/qwen.gguf","total_slots":1}"#;
    const TAGS: &str = r#"{"models":[{"name":"qwen:latest","size":4000000000}]}"#;
    const LM: &str = r#"{"data":[{"id":"qwen","type":"llm","quantization":"Q4_K_M","state":"loaded"}]}"#;
    const LOCAL: &str = r#"{"details":{"format":"gguf"},"capabilities":["completion"]}"#;
    const REMOTE: &str = r#"{"details":{"format":""},"remote_host":"https://ollama.com:443","remote_model":"qwen"}"#;
    const LISTED_AS_REMOTE: &str =
        r#"{"models":[{"name":"qwen:latest","size":382,"remote_host":"https://ollama.com"}]}"#;
    const HERE_AND_THERE: &str = r#"{"data":[{"id":"qwen","quantization":"Q4","remote_url":"https://x.example"}]}"#;
    let cases: [(&str, &str, Pages, ModelClass); 14] = [
        ("llama.cpp", "qwen", &[("/props", PROPS)], ModelClass::Local),
        ("llama.cpp without a model", "qwen", &[("/props", r#"{"model_path":""}"#)], ModelClass::Hosted),
        ("Ollama", "qwen", &[("/api/show", LOCAL), ("/api/tags", TAGS)], ModelClass::Local),
        ("Ollama before its cloud", "qwen", &[("/api/show", REMOTE), ("/api/tags", TAGS)], ModelClass::Hosted),
        ("its list says so", "qwen", &[("/api/show", LOCAL), ("/api/tags", LISTED_AS_REMOTE)], ModelClass::Hosted),
        ("its list lacks it", "other", &[("/api/show", LOCAL), ("/api/tags", TAGS)], ModelClass::Hosted),
        ("Ollama says half", "qwen", &[("/api/show", LOCAL)], ModelClass::Hosted),
        ("LM Studio", "qwen", &[("/api/v0/models", LM)], ModelClass::Local),
        ("LM Studio lacks it", "other", &[("/api/v0/models", LM)], ModelClass::Hosted),
        ("LM Studio with a peer", "qwen", &[("/api/v0/models", HERE_AND_THERE)], ModelClass::Hosted),
        ("no word", "qwen", &[], ModelClass::Hosted),
        ("an API and no more", "qwen", &[("/v1/models", LM), ("/v1/props", PROPS)], ModelClass::Hosted),
        ("no JSON", "qwen", &[("/props", "<html>model_path</html>")], ModelClass::Hosted),
        ("another form", "qwen", &[("/props", r#"[{"model_path":"/x"}]"#), ("/api/show", "7")], ModelClass::Hosted),
    ];
    let (gate, _) = gate(Mode::Default);
    for (name, model, pages, expect) in cases {
        let (address, seen) = serve(pages);
        let endpoint = endpoint(address, model);
        assert_eq!(endpoint.known_class(), ModelClass::Hosted, "{name}: nothing is known before");
        assert_eq!(endpoint.class(&reach(&gate, terms()), soon()).await.expect("it answers"), expect, "{name}");
        let asked = seen.lock().expect("log").len();
        assert!(asked > 0, "{name}");
        assert_eq!(endpoint.class(&reach(&gate, terms()), soon()).await.expect("it is known"), expect, "{name}");
        assert_eq!(endpoint.known_class(), expect, "{name}");
        assert_eq!(seen.lock().expect("log").len(), asked, "{name}: asked once");
        let sent = seen.lock().expect("log").join("\n");
        assert!(!sent.contains("messages"), "{name}: {sent}");
    }
}

#[tokio::test]
async fn a_cloud_name_or_another_machine_is_not_even_asked() {
    let (gate, ledger) = gate(Mode::Default);
    let (address, seen) = serve(&[("/props", r#"{"model_path":"/models/x.gguf"}"#)]);
    let cloud = endpoint(address, "gpt-oss:120b-cloud");
    assert_eq!(cloud.class(&reach(&gate, terms()), soon()).await.expect("known"), ModelClass::Hosted);
    let away = ModelSetting { may_send_code: true, ..ModelSetting::new("Away", "https://models.example/v1", "m") };
    assert_eq!(Api::new(&away).class(&reach(&gate, terms()), soon()).await.expect("known"), ModelClass::Hosted);
    assert!(seen.lock().expect("log").is_empty() && ledger.text().is_empty());
}

#[tokio::test]
async fn a_server_that_was_not_there_is_asked_again() {
    let (gate, _) = gate(Mode::Default);
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("address");
    drop(free);
    let endpoint = endpoint(address, "m");
    assert_eq!(endpoint.class(&reach(&gate, terms()), soon()).await.expect_err("nobody").kind(), "unreachable");
    let listener = TcpListener::bind(address).expect("still free");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a question");
        read(&stream).expect("a request");
        stream.write_all(response(200, "", "{\"model_path\":\"/m\"}").as_bytes()).expect("it listens");
    });
    assert_eq!(endpoint.class(&reach(&gate, terms()), soon()).await.expect("it is there"), ModelClass::Local);
}
