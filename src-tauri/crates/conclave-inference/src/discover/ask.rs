//! One question to a server on this machine, about itself.

use std::time::Duration;

use conclave_effects::{
    Body, Consent, DataClass, Effect as _, Facts, HttpError, Method, ModelClass, Secret, SendHttp, TimeoutKind,
    Timeouts, host_of, send,
};
use conclave_policy::Actor;
use serde_json::Value;
use tokio::time::Instant;

use super::Address;
use crate::error::{AskError, Waiting};
use crate::provider::Reach;

/// How long to wait for a connection: on this machine it stands at once or not at all.
const CONNECT: Duration = Duration::from_secs(1);

/// As much is read of an answer: a list of models may be long.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Asks one server.
pub(crate) struct Asker<'a> {
    reach: &'a Reach<'a>,
    key: Option<&'a Secret>,
    /// Where it is, without a path.
    pub origin: String,
}

/// What a server said.
pub(crate) enum Told {
    /// Something.
    Json(Value),
    /// That it wants a key, or another one.
    WantsKey,
    /// Nothing of use.
    Nothing,
}

impl Told {
    /// What it said; `null` for nothing.
    pub fn json(self) -> Value {
        match self {
            Self::Json(value) => value,
            Self::WantsKey | Self::Nothing => Value::Null,
        }
    }
}

impl<'a> Asker<'a> {
    /// Asks the server at `address`; `None` where that is not on this machine, as the gate will see it.
    pub fn new(reach: &'a Reach<'a>, address: Address<'a>) -> Option<Self> {
        host_of(address.url).ok()?;
        let (scheme, rest) = address.url.split_once("://")?;
        let origin = format!("{scheme}://{}", rest.split(['/', '?', '#']).next()?);
        let asker = Self { reach, key: address.key, origin };
        let request = asker.effect("/", None, Duration::ZERO).ok()?.request(&Actor::Engine);
        request.context.get("place").is_some_and(|place| place == "loopback").then_some(asker)
    }

    /// Asks for a path.
    pub async fn get(&self, path: &str, until: Instant) -> Result<Told, AskError> {
        self.ask(path, None, until).await
    }

    /// Asks for a path with a body.
    pub async fn post(&self, path: &str, body: &Value, until: Instant) -> Result<Told, AskError> {
        self.ask(path, Some(body), until).await
    }

    async fn ask(&self, path: &str, body: Option<&Value>, until: Instant) -> Result<Told, AskError> {
        let left = until.saturating_duration_since(Instant::now());
        let effect = self.effect(path, body, left).map_err(|error| self.broken(error))?;
        Ok(match self.send(effect).await? {
            (200, Some(value)) => Told::Json(value),
            (401 | 403, _) => Told::WantsKey,
            _ => Told::Nothing,
        })
    }

    /// Asks the model `model`, which runs here, what says something of the model and nothing of the person's: the status
    /// and the JSON that came.
    pub async fn try_out(&self, model: &str, body: &Value, until: Instant) -> Result<(u16, Option<Value>), AskError> {
        let left = until.saturating_duration_since(Instant::now());
        let effect = self.effect("/v1/chat/completions", Some(body), left).map_err(|error| self.broken(error))?;
        let facts = Facts { model: Some(model.to_owned()), model_class: Some(ModelClass::Local), ..Facts::default() };
        let purpose = format!("see what the model {model} at {} can do", self.origin);
        self.send(SendHttp { consent: Consent::Settings, facts, purpose, ..effect }).await
    }

    async fn send(&self, effect: SendHttp) -> Result<(u16, Option<Value>), AskError> {
        let gate = self.reach.gate;
        let permit = gate.authorize(Actor::Engine, effect).await?;
        let seq = permit.seq();
        let said = match send(permit).await {
            Ok(response) => {
                let status = response.status;
                Ok((status, response.text().await.ok().and_then(|text| serde_json::from_str(&text).ok())))
            }
            Err(error) => Err(self.broken(error)),
        };
        let outcome = match &said {
            Ok((200, Some(_))) => "answered".to_owned(),
            Ok((401 | 403, _)) => "it wants a key".to_owned(),
            Ok(_) => "it does not say".to_owned(),
            Err(error) => format!("no answer: {}", error.kind()),
        };
        gate.note_outcome(seq, &outcome);
        said
    }

    fn effect(&self, path: &str, body: Option<&Value>, left: Duration) -> Result<SendHttp, HttpError> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let headers = ["content-type", "accept"].map(|name| (name.to_owned(), "application/json".to_owned()));
        let key = self.key.map(|key| ("authorization".to_owned(), key.prefixed("Bearer ")));
        Ok(SendHttp {
            method: if body.is_some() { Method::Post } else { Method::Get },
            url: format!("{}{path}", self.origin),
            headers: headers.into(),
            secret_headers: key.into_iter().collect(),
            body: Body::redacted(bytes, &self.reach.terms.secrets())?,
            consent: Consent::Person,
            purpose: format!("ask what the server of {} offers", self.origin),
            facts: Facts { data: vec![DataClass::Metadata], ..Facts::default() },
            proxy: None,
            tls_roots: None,
            timeouts: Timeouts { connect: CONNECT.min(left), first_byte: left, idle: left, total: left },
            max_response_bytes: MAX_BYTES,
        })
    }

    fn broken(&self, error: HttpError) -> AskError {
        match error {
            HttpError::Connect { .. } => AskError::Unreachable { address: self.origin.clone() },
            HttpError::Timeout(TimeoutKind::Connect) => AskError::Timeout(Waiting::Connection),
            HttpError::Timeout(_) => AskError::Timeout(Waiting::FirstByte),
            HttpError::Broken(_) | HttpError::TooLarge { .. } => AskError::Cut,
            error => AskError::NotSent(error.to_string()),
        }
    }
}
