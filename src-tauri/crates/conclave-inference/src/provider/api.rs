//! A model behind an HTTP API.
//!
//! One question is one exchange; each exchange asks the gate anew, so each is in the ledger before it is sent. There is
//! a second exchange only where the first gave nothing: once without a field that the server refused, once after a
//! failure before the first byte. After the first byte of an answer nothing is ever repeated.

use std::time::Duration;

use conclave_effects::{
    Body, Consent, DataClass, Denied, Effect, Facts, Gate, HttpError, HttpResponse, Method, ModelClass, Permit, Secret,
    SendHttp, TimeoutKind, Timeouts, send,
};
use conclave_policy::Actor;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::{Answer, Form};
use crate::dialect::openai_chat::{Decoder, Extras, Item, MAX_ANSWER_BYTES, PATH, error_of, request_body};
use crate::error::{AskError, Waiting};
use crate::provider::retry::{pause, retry_after};
use crate::request::{About, Endpoint, Exchanged, ModelRequest, Terms};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may fall silent in the middle of an answer.
const IDLE: Duration = Duration::from_secs(60);

/// As much of a refusal's body is read.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// As much of an answer is kept where answers are kept.
const MAX_KEPT_BYTES: usize = 1024 * 1024;

/// As much is read of what a server says of itself: a list of models may be long.
const MAX_METADATA_BYTES: u64 = 4 * 1024 * 1024;

/// Asks `endpoint`, on behalf of `actor`, and waits for the whole answer until the deadline of `terms` has passed.
///
/// `on_delta` sees the text grow; what it has seen is worth nothing unless this returns an answer.
///
/// # Errors
/// [`AskError`] says what stood in the way, fit for a screen. A refusal by the model is an [`Answer`], not an error.
pub async fn ask(
    gate: &Gate,
    actor: Actor,
    endpoint: &Endpoint,
    request: &ModelRequest,
    terms: Terms<'_>,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<Answer, AskError> {
    let until = Instant::now() + terms.deadline;
    let key = terms.key.map(Secret::expose);
    let class = match endpoint.class(gate, &terms, until).await {
        Ok(class) => class,
        Err(_) if endpoint.may_send_code => ModelClass::Hosted,
        Err(error) => return Err(error.tidy(key)),
    };
    let mut extras = Extras::for_request(request);
    let mut tries_left = 1;
    loop {
        let exchange = Exchange { gate, actor: actor.clone(), endpoint, class, request, terms, extras, until };
        let Failure { error, may_repeat } = match exchange.run(on_delta).await {
            Ok(answer) => return Ok(answer.tidy(key)),
            Err(failure) => failure,
        };
        if !may_repeat {
            return Err(error.tidy(key));
        }
        if let Some(fewer) = extras.after(&error) {
            tracing::debug!(gen_ai.request.model = endpoint.model, ?fewer, "asking again without what was refused");
            extras = fewer;
            continue;
        }
        let left = until.saturating_duration_since(Instant::now());
        match pause(&error, left) {
            Some(pause) if tries_left > 0 => {
                tries_left -= 1;
                sleep(pause).await;
            }
            _ => return Err(error.tidy(key)),
        }
    }
}

/// An exchange that gave no answer.
struct Failure {
    error: AskError,
    /// Whether nothing of an answer had come yet.
    may_repeat: bool,
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self { error, may_repeat: false }
    }
}

impl Failure {
    fn before_first_byte(error: AskError) -> Self {
        Self { error, may_repeat: true }
    }
}

/// What came back, as far as it is kept.
#[derive(Default)]
struct Heard {
    status: Option<u16>,
    bytes: Vec<u8>,
}

impl Heard {
    fn take(&mut self, bytes: &[u8], keep: bool) {
        let room = if keep { MAX_KEPT_BYTES.saturating_sub(self.bytes.len()) } else { 0 };
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// One request and what comes of it.
struct Exchange<'a> {
    gate: &'a Gate,
    actor: Actor,
    endpoint: &'a Endpoint,
    class: ModelClass,
    request: &'a ModelRequest,
    terms: Terms<'a>,
    extras: Extras,
    until: Instant,
}

impl Exchange<'_> {
    async fn run(self, on_delta: &mut (dyn FnMut(&str) + Send)) -> Result<Answer, Failure> {
        let leave = self.gate.authorize(self.actor.clone(), self.effect()?);
        let permit = match timeout_at(self.until, leave).await {
            Ok(decided) => decided.map_err(|denied| self.denied(denied))?,
            Err(_) => return Err(AskError::Timeout(Waiting::Leave).into()),
        };
        let seq = permit.seq();
        let sent = self.terms.log.map(|_| permit.effect().body.bytes().to_vec());
        let mut heard = Heard::default();
        let result = self.carry_out(permit, on_delta, &mut heard).await;
        if let (Some(log), Some(sent)) = (self.terms.log, sent) {
            log(self.exchanged(seq, &sent, heard, result.as_ref().err()));
        }
        let outcome = match &result {
            Ok(Answer::Text { .. }) => "answered".to_owned(),
            Ok(Answer::Refusal { .. }) => "the model declined".to_owned(),
            Err(failure) => format!("no answer: {}", failure.error.kind()),
        };
        tracing::debug!(gen_ai.request.model = self.endpoint.model, seq, outcome, "exchange ended");
        record(self.gate, seq, &outcome);
        result
    }

    fn effect(&self) -> Result<SendHttp, AskError> {
        let left = self.until.saturating_duration_since(Instant::now());
        let body = body(self.request, self.endpoint, self.extras, &self.terms)?;
        Ok(post(self.endpoint, self.class, &self.terms, body, left))
    }

    /// What is kept of an exchange: the answer is looked through for secrets as the question was.
    fn exchanged(&self, seq: u64, sent: &[u8], heard: Heard, failure: Option<&Failure>) -> Exchanged {
        let response = match (heard.bytes.is_empty(), failure) {
            (true, Some(failure)) => format!("no answer: {}", failure.error.kind()),
            _ => match Body::redacted(heard.bytes, &self.terms.secrets()) {
                Ok(body) => String::from_utf8_lossy(body.bytes()).into_owned(),
                Err(error) => format!("not kept: {error}"),
            },
        };
        Exchanged { seq, request: String::from_utf8_lossy(sent).into_owned(), response, status: heard.status }
    }

    async fn carry_out(
        &self,
        permit: Permit<SendHttp>,
        on_delta: &mut (dyn FnMut(&str) + Send),
        heard: &mut Heard,
    ) -> Result<Answer, Failure> {
        let model = &self.endpoint.model;
        let keep = self.terms.log.is_some();
        let mut response =
            send(permit).await.map_err(|error| Failure::before_first_byte(broken(self.endpoint, error)))?;
        heard.status = Some(response.status);
        if response.status != 200 {
            let wait = retry_after(&response.headers, self.gate.clock().now_ms());
            let status = response.status;
            let body = beginning(response).await;
            heard.take(&body, keep);
            return Err(Failure::before_first_byte(error_of(status, &body, model, wait)));
        }
        readable(&response.headers)?;
        let asked_with_schema = self.extras.schema && self.request.schema.is_some();
        let mut decoder = Decoder::new(model, if asked_with_schema { Form::Schema } else { Form::Free });
        while !decoder.is_over() {
            let Some(bytes) = response.chunk().await.map_err(|error| broken(self.endpoint, error))? else { break };
            heard.take(&bytes, keep);
            for item in decoder.push(&bytes) {
                if let Item::Text(text) = item {
                    on_delta(&text);
                }
            }
        }
        Ok(decoder.finish()?)
    }

    fn denied(&self, denied: Denied) -> AskError {
        // What names no host was judged as the worst, but what the person has to do is to correct it.
        if denied.request.context.get("host").is_none_or(|host| !host.is_empty()) {
            return AskError::Denied(denied);
        }
        let why = "it begins neither with `https://` nor, on this machine, with `http://`".to_owned();
        AskError::BadAddress { endpoint: self.endpoint.name.clone(), why }
    }
}

fn broken(endpoint: &Endpoint, error: HttpError) -> AskError {
    let name = endpoint.name.clone();
    let address = endpoint.base_url.split(['?', '#']).next().unwrap_or_default().to_owned();
    match error {
        HttpError::BadUrl { reason } => AskError::BadAddress { endpoint: name, why: reason },
        // The only header that is not ours is the one with the key.
        HttpError::BadHeader { .. } => AskError::Unauthorised,
        HttpError::Connect { .. } => AskError::Unreachable { address },
        HttpError::Tls { .. } => AskError::Certificate { address },
        HttpError::Timeout(TimeoutKind::Connect) => AskError::Timeout(Waiting::Connection),
        HttpError::Timeout(TimeoutKind::FirstByte) => AskError::Timeout(Waiting::FirstByte),
        HttpError::Timeout(TimeoutKind::Idle) => AskError::Timeout(Waiting::NextByte),
        HttpError::Timeout(TimeoutKind::Total) => AskError::Timeout(Waiting::End),
        HttpError::TooLarge { max } => AskError::TooLarge { max_bytes: max },
        HttpError::Broken(_) => AskError::Cut,
        error @ (HttpError::Stale(_)
        | HttpError::BadProxy { .. }
        | HttpError::Secret { .. }
        | HttpError::Unscannable(_)
        | HttpError::OtherHost { .. }) => AskError::NotSent(error.to_string()),
    }
}

/// The effect that asks `endpoint`, whose model is of `class`: what would be sent, to be looked at.
///
/// # Errors
/// [`AskError::NotSent`] when it cannot be looked through for secrets.
pub fn question(
    endpoint: &Endpoint,
    class: ModelClass,
    request: &ModelRequest,
    terms: &Terms<'_>,
) -> Result<SendHttp, AskError> {
    let body = body(request, endpoint, Extras::for_request(request), terms)?;
    Ok(post(endpoint, class, terms, body, terms.deadline))
}

/// What the server of `endpoint` answers to a question about itself at a path, a POST where there is a body; `None` when
/// it answers something that is no JSON, or that it has no such path.
pub(crate) async fn metadata(
    gate: &Gate,
    endpoint: &Endpoint,
    terms: &Terms<'_>,
    (path, body): (&str, Option<Value>),
    until: Instant,
) -> Result<Option<Value>, AskError> {
    let left = until.saturating_duration_since(Instant::now());
    let base = endpoint.base_url.trim_end_matches('/');
    let bytes = body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let effect = SendHttp {
        method: if body.is_some() { Method::Post } else { Method::Get },
        url: format!("{}{path}", base.strip_suffix("/v1").unwrap_or(base)),
        headers: headers("application/json"),
        secret_headers: bearer(terms.key),
        body: Body::redacted(bytes, &terms.secrets()).map_err(|error| broken(endpoint, error))?,
        consent: Consent::Settings,
        purpose: format!("ask where the model {} at {} runs", endpoint.model, endpoint.name),
        facts: Facts { data: vec![DataClass::Metadata], ..Facts::default() },
        proxy: terms.proxy.map(str::to_owned),
        timeouts: Timeouts { connect: CONNECT.min(left), first_byte: left, idle: left, total: left },
        max_response_bytes: MAX_METADATA_BYTES,
    };
    let permit = gate.authorize(Actor::Engine, effect).await?;
    let seq = permit.seq();
    let answer = match send(permit).await {
        Ok(response) if response.status == 200 => {
            Ok(response.text().await.ok().and_then(|text| serde_json::from_str(&text).ok()))
        }
        Ok(_) => Ok(None),
        Err(error) => Err(broken(endpoint, error)),
    };
    let outcome = match &answer {
        Ok(Some(_)) => "answered".to_owned(),
        Ok(None) => "it does not say".to_owned(),
        Err(error) => format!("no answer: {}", error.kind()),
    };
    record(gate, seq, &outcome);
    answer
}

/// The decision stands without an outcome where it cannot be recorded, which an audit shows; the answer is there all the
/// same.
fn record(gate: &Gate, seq: u64, outcome: &str) {
    if let Err(error) = gate.record_outcome(seq, outcome) {
        tracing::warn!(seq, %error, "the outcome of an exchange is not recorded");
    }
}

impl Endpoint {
    /// Whether the endpoint's address is on this machine, as the gate will see it. Where its model runs is another
    /// question: [`Endpoint::class`].
    pub fn is_loopback(&self) -> bool {
        let about = About::default();
        let terms = Terms::new(&about, Duration::ZERO);
        let probe = post(self, ModelClass::Hosted, &terms, Body::default(), Duration::ZERO).request(&Actor::Engine);
        probe.context.get("place").is_some_and(|place| place == "loopback")
    }
}

fn body(request: &ModelRequest, endpoint: &Endpoint, extras: Extras, terms: &Terms<'_>) -> Result<Body, AskError> {
    let bytes = request_body(request, &endpoint.model, extras).to_string().into_bytes();
    Body::redacted(bytes, &terms.secrets()).map_err(|error| broken(endpoint, error))
}

fn post(endpoint: &Endpoint, class: ModelClass, terms: &Terms<'_>, body: Body, left: Duration) -> SendHttp {
    let about = terms.about;
    // Whoever sets up a model consents to its use on this machine; elsewhere it takes the word that code may go there.
    let consented = endpoint.may_send_code || class == ModelClass::Local;
    let facts = Facts {
        model: Some(endpoint.model.clone()),
        model_class: Some(class),
        data: about.data.clone(),
        project: about.project.clone(),
        tier: about.tier.clone(),
        cost_usd: None,
    };
    SendHttp {
        method: Method::Post,
        url: format!("{}{PATH}", endpoint.base_url.trim_end_matches('/')),
        headers: headers("text/event-stream, application/json"),
        secret_headers: bearer(terms.key),
        body,
        consent: if consented { Consent::Settings } else { Consent::None },
        purpose: format!("ask the model {} at {}", endpoint.model, endpoint.name),
        facts,
        proxy: terms.proxy.map(str::to_owned),
        timeouts: Timeouts { connect: CONNECT.min(left), first_byte: left, idle: IDLE.min(left), total: left },
        max_response_bytes: MAX_ANSWER_BYTES,
    }
}

fn headers(accept: &str) -> Vec<(String, String)> {
    let headers = [("content-type", "application/json"), ("accept", accept), ("accept-encoding", "identity")];
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn bearer(key: Option<&Secret>) -> Vec<(String, Secret)> {
    let bearer = key.map(|key| key.prefixed("Bearer "));
    bearer.map(|bearer| ("authorization".to_owned(), bearer)).into_iter().collect()
}

/// The first bytes of a refusal: enough for its words, whatever else follows or breaks off.
async fn beginning(mut response: HttpResponse) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() >= MAX_REFUSAL_BYTES {
            body.truncate(MAX_REFUSAL_BYTES);
            break;
        }
    }
    body
}

/// Whether a body with these `headers` can be an answer at all. A page for people, as a proxy or a wrong address
/// gives it, is named as such here, where a decoder would only see bytes.
fn readable(headers: &[(String, String)]) -> Result<(), AskError> {
    let header = |wanted| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.to_ascii_lowercase());
    if header("content-encoding").is_some_and(|coding| coding.trim() != "identity") {
        return Err(AskError::malformed("it is compressed, which was not asked for"));
    }
    let Some(content_type) = header("content-type") else { return Ok(()) };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence == "text/event-stream" || essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    Err(AskError::malformed(format!("it is of the type `{essence}`")))
}
