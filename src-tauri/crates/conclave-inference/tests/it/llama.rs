//! The real llama.cpp server with a real, very small model, asked over the real gate and HTTP.
//!
//! Needs `CONCLAVE_LLAMA_SERVER` (the program `llama-server`) and `CONCLAVE_LLAMA_MODEL` (a GGUF file); without them
//! it is skipped and says so. `tests/fixtures/llama/README.md` says where both come from.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use conclave_core::settings::ModelSetting;
use conclave_effects::{Body, Consent, Facts, Gate, Method, ModelClass, Secret, SendHttp, Timeouts, send};
use conclave_inference::{
    About, Address, Answer, Api, AskError, Form, Look, ModelRequest, ServerKind, Terms, discover, probe,
};
use conclave_policy::{Actor, Mode};
use serde_json::{Value, json};

use crate::support::{ask, gate, reach};

const ALIAS: &str = "small";
/// Long enough for a busy machine; a test that works never comes near it.
const LIMIT: Duration = Duration::from_secs(120);

/// A server that ends with the test.
struct Server {
    child: Child,
    origin: String,
    key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(program: &str, model: &str) -> Server {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    // The key only has to differ from the wrong one; nobody else can reach the server's loopback in time to use it.
    let key = format!("k-{}-{port}", std::process::id());
    let child = Command::new(program)
        .args(["--model", model, "--alias", ALIAS, "--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--ctx-size", "1024", "--parallel", "1", "--threads", "1", "--temp", "0", "--seed", "1"])
        .args(["--device", "none", "--offline", "--no-ui"])
        .env("LLAMA_API_KEY", &key)
        .env("GGML_NO_BACKTRACE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("CONCLAVE_LLAMA_SERVER names a program");
    Server { child, origin: format!("http://127.0.0.1:{port}"), key }
}

impl Server {
    /// Waits until the model is loaded.
    async fn ready(&mut self, gate: &Gate) {
        let began = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while self.health(gate).await != Some(200) {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                panic!("the server ended while starting: {status}");
            }
            assert!(began.elapsed() < LIMIT, "the server does not become ready");
            tick.tick().await;
        }
    }

    async fn health(&self, gate: &Gate) -> Option<u16> {
        let second = Duration::from_secs(1);
        let effect = SendHttp {
            method: Method::Get,
            url: format!("{}/health", self.origin),
            headers: Vec::new(),
            secret_headers: Vec::new(),
            body: Body::default(),
            consent: Consent::Settings,
            purpose: "see whether the server is ready".to_owned(),
            facts: Facts::default(),
            proxy: None,
            tls_roots: None,
            timeouts: Timeouts { connect: second, first_byte: second, idle: second, total: second },
            max_response_bytes: 4096,
        };
        let permit = gate.authorize(Actor::Engine, effect).await.expect("loopback is allowed");
        send(permit).await.ok().map(|response| response.status)
    }

    fn endpoint(&self) -> Api {
        Api::new(&ModelSetting {
            may_send_code: true,
            ..ModelSetting::new("llama.cpp", &format!("{}/v1", self.origin), ALIAS)
        })
    }

    /// Asks with the key `key`.
    async fn ask(
        &self,
        gate: &Gate,
        key: &str,
        request: &ModelRequest,
        on_delta: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Answer, AskError> {
        let (key, about) = (Secret::new(key.to_owned()), About::default());
        let terms = Terms { key: Some(&key), ..Terms::new(&about, LIMIT) };
        ask(gate, &self.endpoint(), request, terms, on_delta).await
    }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "severity": { "type": "string", "enum": ["low", "medium", "high"] },
            "fixable": { "type": "boolean" },
            "note": { "type": "string", "maxLength": 40 },
        },
        "required": ["severity", "fixable", "note"],
        "additionalProperties": false,
    })
}

fn request(schema: Option<Value>) -> ModelRequest {
    ModelRequest {
        system: "You rate security findings. Answer in JSON.".to_owned(),
        user: "query = \"SELECT * FROM users WHERE name = '\" + name + \"'\"".to_owned(),
        max_tokens: 200,
        schema,
        schema_name: "rating".to_owned(),
        sample: 0,
    }
}

#[tokio::test]
async fn a_real_llama_cpp_server_is_asked_and_understood() {
    let found = ["CONCLAVE_LLAMA_SERVER", "CONCLAVE_LLAMA_MODEL"].map(|name| std::env::var(name).ok());
    let [Some(program), Some(model)] = found else {
        println!("skipped: no llama.cpp server");
        return;
    };
    let (gate, ledger) = gate(Mode::Default);
    let began = Instant::now();
    let mut server = start(&program, &model);
    server.ready(&gate).await;
    println!("ready after {} ms", began.elapsed().as_millis());
    let mut deltas = Vec::new();
    let mut first = None;

    // An answer that is held to a schema, streamed.
    let began = Instant::now();
    let mut on_delta = |piece: &str| {
        first.get_or_insert_with(|| began.elapsed());
        deltas.push(piece.to_owned());
    };
    let answer = server.ask(&gate, &server.key, &request(Some(schema())), &mut on_delta).await;
    let Ok(Answer::Text { text, form: Form::Schema, usage: Some(usage), model }) = answer else { panic!("{answer:?}") };
    println!("schema answer after {} ms, first piece after {first:?}: {text} {usage:?}", began.elapsed().as_millis());
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let problems: Vec<_> =
        jsonschema::validator_for(&schema()).expect("schema").iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(problems.is_empty(), "{text}: {problems:?}");
    assert!(deltas.len() > 1, "it was not streamed");
    assert_eq!(deltas.concat(), text);
    assert!(usage.input_tokens > 0 && usage.output_tokens > 0, "{usage:?}");
    assert_eq!(model, ALIAS);

    // A schema that the server cannot use: asked again without, and said.
    // The model is too small to keep to it by itself.
    let mut short = request(Some(json!({ "type": "string", "pattern": "no end" })));
    short.user = "Say hello.".to_owned();
    let answer = server.ask(&gate, &server.key, &short, &mut |_| {}).await;
    assert!(matches!(answer, Err(AskError::WrongForm { .. } | AskError::Truncated)), "{answer:?}");
    assert_eq!(ledger.outcomes()[1], "no answer: rejected");

    // What goes wrong has its own error.
    let wrong = server.ask(&gate, "k-wrong", &request(None), &mut |_| {}).await;
    assert_eq!(wrong.expect_err("a wrong key").kind(), "unauthorised");
    let brief = ModelRequest { max_tokens: 2, ..request(None) };
    let cut = server.ask(&gate, &server.key, &brief, &mut |_| {}).await;
    assert_eq!(cut.expect_err("two tokens are no answer").kind(), "truncated");
    let long = ModelRequest { user: "word ".repeat(3000), ..request(None) };
    let long = server.ask(&gate, &server.key, &long, &mut |_| {}).await;
    assert_eq!(long.expect_err("over the context").kind(), "too_long");

    // It is found, and what it can do is found out.
    let (key, about) = (Secret::new(server.key.clone()), About::default());
    let reach = reach(&gate, Terms { key: Some(&key), ..Terms::new(&about, LIMIT) });
    let address = Address { url: &server.origin, key: Some(&key) };
    let api = format!("{}/v1", server.origin);
    let looks = discover(&reach, &[address, Address { url: &api, key: None }]).await;
    let [Look { found: Ok(Some(found)), .. }] = looks.as_slice() else { panic!("{looks:?}") };
    assert_eq!((found.kind, found.base_url()), (ServerKind::LlamaCpp, api.clone()));
    assert!(found.version.is_some(), "{found:?}");
    let [offered] = found.models.as_slice() else { panic!("{found:?}") };
    let context = offered.can.context_tokens;
    assert_eq!((offered.id.as_str(), offered.class, context), (ALIAS, ModelClass::Local, Some(1024)));
    let soon = tokio::time::Instant::now() + LIMIT;
    let probed = probe(&reach, address, ALIAS, soon).await.expect("it can be tried");
    println!("{probed:?}");
    assert_eq!((probed.can.schema, probed.can.log_probabilities), (Some(true), Some(true)), "{probed:?}");
    assert_eq!((probed.can.context_tokens, probed.by), (context, found.words()));

    // Without its key it is seen to be there, and no more is known of what it runs.
    let looks = discover(&reach, &[Address { url: &server.origin, key: None }]).await;
    let [Look { found: Ok(Some(found)), .. }] = looks.as_slice() else { panic!("{looks:?}") };
    assert!(found.wants_key && found.models.iter().all(|model| model.class == ModelClass::Hosted), "{found:?}");

    assert!(!ledger.text().contains(&server.key), "the key is in the ledger");
}
