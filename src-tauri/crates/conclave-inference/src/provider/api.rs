//! A model behind an HTTP API.
//!
//! One question is one exchange; each exchange asks the gate anew, so each is in the ledger before it is sent. There is
//! a second exchange only where the first gave nothing: once without a field that the server refused, once after a
//! failure before the first byte. After the first byte of an answer nothing is ever repeated.

use std::time::Duration;

use conclave_effects::{
    Consent, Denied, Effect, Gate, HttpError, HttpResponse, Method, Permit, Secret, SendHttp, TimeoutKind, Timeouts,
    send,
};
use conclave_policy::Actor;
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::{Answer, Form};
use crate::dialect::openai_chat::{Decoder, Extras, Item, MAX_ANSWER_BYTES, PATH, error_of, request_body};
use crate::error::{AskError, Waiting};
use crate::provider::retry::{pause, retry_after};
use crate::request::{Endpoint, ModelRequest};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may fall silent in the middle of an answer.
const IDLE: Duration = Duration::from_secs(60);

/// As much of a refusal's body is read.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// Asks `endpoint`, on behalf of `actor`, and waits for the whole answer until `deadline` has passed.
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
    deadline: Duration,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<Answer, AskError> {
    let until = Instant::now() + deadline;
    let key = endpoint.key.as_ref().map(Secret::expose);
    let mut extras = Extras::for_request(request);
    let mut tries_left = 1;
    loop {
        let exchange = Exchange { gate, actor: actor.clone(), endpoint, request, extras, until };
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

/// One request and what comes of it.
struct Exchange<'a> {
    gate: &'a Gate,
    actor: Actor,
    endpoint: &'a Endpoint,
    request: &'a ModelRequest,
    extras: Extras,
    until: Instant,
}

impl Exchange<'_> {
    async fn run(self, on_delta: &mut (dyn FnMut(&str) + Send)) -> Result<Answer, Failure> {
        let leave = self.gate.authorize(self.actor.clone(), self.effect());
        let permit = match timeout_at(self.until, leave).await {
            Ok(decided) => decided.map_err(|denied| self.denied(denied))?,
            Err(_) => return Err(AskError::Timeout(Waiting::Leave).into()),
        };
        let seq = permit.seq();
        let result = self.carry_out(permit, on_delta).await;
        let outcome = match &result {
            Ok(Answer::Text { .. }) => "answered".to_owned(),
            Ok(Answer::Refusal { .. }) => "the model declined".to_owned(),
            Err(failure) => format!("no answer: {}", failure.error.kind()),
        };
        tracing::debug!(gen_ai.request.model = self.endpoint.model, seq, outcome, "exchange ended");
        // The decision stands without an outcome then, which an audit shows; the answer is there all the same.
        if let Err(error) = self.gate.record_outcome(seq, &outcome) {
            tracing::warn!(seq, %error, "the outcome of an exchange is not recorded");
        }
        result
    }

    fn effect(&self) -> SendHttp {
        let Self { endpoint, request, .. } = self;
        let body = request_body(request, &endpoint.model, self.extras).to_string().into_bytes();
        // Whoever sets up a model consents to its use on this machine; elsewhere it takes the word that code may go there.
        let consented = endpoint.may_send_code || endpoint.is_loopback();
        let left = self.until.saturating_duration_since(Instant::now());
        post(endpoint, body, if consented { Consent::Settings } else { Consent::None }, left)
    }

    async fn carry_out(
        &self,
        permit: Permit<SendHttp>,
        on_delta: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Answer, Failure> {
        let model = &self.endpoint.model;
        let mut response = send(permit).await.map_err(|error| Failure::before_first_byte(self.broken(error)))?;
        if response.status != 200 {
            let wait = retry_after(&response.headers, self.gate.clock().now_ms());
            let status = response.status;
            let body = beginning(response).await;
            return Err(Failure::before_first_byte(error_of(status, &body, model, wait)));
        }
        readable(&response.headers)?;
        let asked_with_schema = self.extras.schema && self.request.schema.is_some();
        let mut decoder = Decoder::new(model, if asked_with_schema { Form::Schema } else { Form::Free });
        while !decoder.is_over() {
            let Some(bytes) = response.chunk().await.map_err(|error| self.broken(error))? else { break };
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

    fn broken(&self, error: HttpError) -> AskError {
        let endpoint = self.endpoint.name.clone();
        let address = self.endpoint.base_url.split(['?', '#']).next().unwrap_or_default().to_owned();
        match error {
            HttpError::BadUrl { reason } => AskError::BadAddress { endpoint, why: reason },
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
        }
    }
}

impl Endpoint {
    /// Whether the endpoint is on this machine, as the gate will see it.
    pub fn is_loopback(&self) -> bool {
        let probe = post(self, Vec::new(), Consent::None, Duration::ZERO).request(&Actor::Engine);
        probe.context.get("place").is_some_and(|place| place == "loopback")
    }
}

fn post(endpoint: &Endpoint, body: Vec<u8>, consent: Consent, left: Duration) -> SendHttp {
    let bearer = endpoint.key.as_ref().map(|key| Secret::new(format!("Bearer {}", key.expose())));
    SendHttp {
        method: Method::Post,
        url: format!("{}{PATH}", endpoint.base_url.trim_end_matches('/')),
        headers: [
            ("content-type", "application/json"),
            ("accept", "text/event-stream, application/json"),
            ("accept-encoding", "identity"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        secret_headers: bearer.map(|bearer| ("authorization".to_owned(), bearer)).into_iter().collect(),
        body,
        consent,
        purpose: format!("ask the model {} at {}", endpoint.model, endpoint.name),
        timeouts: Timeouts { connect: CONNECT.min(left), first_byte: left, idle: IDLE.min(left), total: left },
        max_response_bytes: MAX_ANSWER_BYTES,
    }
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
