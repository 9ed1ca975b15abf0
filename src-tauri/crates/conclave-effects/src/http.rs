//! One request over HTTP, to exactly the address that was judged.
//!
//! Invariants: no redirect is followed, no cookie kept, no proxy taken from the environment, no request repeated;
//! without TLS only this machine is reached; every wait has a limit and every answer a largest size; what is sent was
//! looked through for secrets twice, when the request was made and on the very bytes; a key that is bound to a host goes
//! to no other.

mod body;
mod client;
mod roots;
pub(crate) mod target;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use conclave_policy::secret::scan;
use conclave_policy::{Action, Actor, ToolRequest, digest_parts, keys};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

pub use body::{Body, DataClass, Facts, ModelClass};
pub use roots::TlsRoots;

use crate::{Effect, Permit, Secret, Stale};
use target::Target;

/// What is asked of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// To give something.
    Get,
    /// To take the body and answer it.
    Post,
}

/// On whose word a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The person said so just now.
    Person,
    /// The person's own settings name the host and let code be sent there.
    Settings,
    /// Nobody's.
    None,
}

impl Consent {
    /// Whose word it is, in rules and in the ledger.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Settings => "settings",
            Self::None => "none",
        }
    }
}

/// How long each part of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, name look-up and TLS included.
    pub connect: Duration,
    /// From then until the answer begins.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// Everything together.
    pub total: Duration,
}

/// The effect of sending one request.
///
/// It has no `Debug`, because the keys it holds have none.
pub struct SendHttp {
    /// What is asked.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// Headers that are no secret.
    pub headers: Vec<(String, String)>,
    /// Headers whose values are secret; their names are recorded.
    pub secret_headers: Vec<(String, Secret)>,
    /// The body.
    pub body: Body,
    /// On whose word it is sent.
    pub consent: Consent,
    /// What for, in a few words for the ledger.
    pub purpose: String,
    /// What rules may want to know of it.
    pub facts: Facts,
    /// The proxy that the person's settings name, which other machines are reached through.
    pub proxy: Option<String>,
    /// Certificates that the person's settings let be trusted beside the usual ones.
    pub tls_roots: Option<TlsRoots>,
    /// Its time limits.
    pub timeouts: Timeouts,
    /// The most bytes that the answer's body may have.
    pub max_response_bytes: u64,
}

/// An answer whose body is still arriving.
pub struct HttpResponse {
    /// The status code, 3xx included: no redirect is followed.
    pub status: u16,
    /// The headers, with names in lower case; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    body: reqwest::Response,
    idle: Duration,
    deadline: Instant,
    max: u64,
    received: u64,
    ended: Option<Result<(), HttpError>>,
}

/// Why there is no answer, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It is too late, or no longer what was judged.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// The address cannot be used.
    #[error("the address cannot be used: {reason}")]
    BadUrl {
        /// Why; never the address itself.
        reason: String,
    },
    /// The proxy's address cannot be used.
    #[error("the proxy in your settings cannot be used: {reason}")]
    BadProxy {
        /// Why; never the address itself.
        reason: String,
    },
    /// The certificates of the settings cannot be used.
    #[error("the certificates in your settings cannot be used: {reason}")]
    BadRoots {
        /// Why.
        reason: String,
    },
    /// There is a secret in what is to be sent; nothing was sent.
    #[error("nothing was sent: there is a secret in the request, which looks like `{label}`")]
    Secret {
        /// What it was taken for.
        label: String,
    },
    /// What is to be sent cannot be looked through for secrets; nothing was sent.
    #[error("nothing was sent: {0}")]
    Unscannable(String),
    /// A key is bound to another host; nothing was sent.
    #[error("nothing was sent: the key is for `{bound}` and not for `{host}`; store a key for that host")]
    OtherHost {
        /// The host that the key is bound to.
        bound: String,
        /// Where the request goes.
        host: String,
    },
    /// A header cannot be sent.
    #[error("the header `{name}` cannot be sent")]
    BadHeader {
        /// The header's name.
        name: String,
    },
    /// No connection came about.
    #[error("no connection to `{host}`: {reason}")]
    Connect {
        /// The other side.
        host: String,
        /// The system's words.
        reason: String,
    },
    /// The other side could not show that it is who it should be.
    #[error("no secure connection to `{host}`: {reason}")]
    Tls {
        /// The other side.
        host: String,
        /// Why.
        reason: String,
    },
    /// A part took too long.
    #[error("no answer in time: {0} took too long")]
    Timeout(TimeoutKind),
    /// The answer is larger than wanted.
    #[error("the answer is larger than {max} bytes")]
    TooLarge {
        /// The most bytes that were wanted.
        max: u64,
    },
    /// The answer broke off, or is no HTTP.
    #[error("the answer broke off: {0}")]
    Broken(String),
}

/// Which part took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutKind {
    /// Connecting.
    Connect,
    /// The wait for the answer to begin.
    FirstByte,
    /// The wait for the next piece.
    Idle,
    /// Everything together.
    Total,
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::FirstByte => "the beginning",
            Self::Idle => "the next piece",
            Self::Total => "the whole",
        })
    }
}

impl Effect for SendHttp {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let target = Target::parse(&self.url);
        let (resource, host, port, loopback) = match &target {
            Ok(target) => (target.shown(), target.host.clone(), target.port.to_string(), target.loopback),
            // Nothing will be sent there; it is judged as the worst.
            Err(_) => ("unusable address".to_owned(), String::new(), String::new(), false),
        };
        let secret_names: Vec<&str> = self.secret_headers.iter().map(|(name, _)| name.as_str()).collect();
        let proxy = self.proxy.as_deref().filter(|_| !loopback).map(|proxy| match target::proxy(proxy) {
            Ok(url) => url.into(),
            Err(_) => "unusable address".to_owned(),
        });
        let roots = self.tls_roots.as_ref().filter(|_| !loopback);
        let request = ToolRequest::new(actor.clone(), Action::SendHttp, resource)
            .with(keys::HOST, host)
            .with("port", port)
            .with("place", if loopback { "loopback" } else { "remote" })
            .with("consent", self.consent.as_str())
            .with("method", self.method.as_str())
            .with("purpose", self.purpose.clone())
            .with("bytes", self.body.bytes().len().to_string())
            .with(keys::REDACTIONS, self.body.redacted_count().to_string())
            // A body is made by taking out all that are found.
            .with(keys::SECRETS, "0")
            .with("secret_headers", secret_names.join(" "))
            .with("digest", self.digest());
        let request = self.facts.told(request);
        let known = [("proxy", proxy), ("tls_roots", roots.map(|roots| roots.digest().to_owned()))];
        known.into_iter().fold(request, |request, (key, value)| match value {
            Some(value) => request.with(key, value),
            None => request,
        })
    }
}

impl SendHttp {
    /// Over everything that is sent but the values of secret headers.
    fn digest(&self) -> String {
        let headers = self.headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let parts = [self.method.as_str().as_bytes(), self.url.as_bytes()].into_iter().chain(headers);
        let roots = self.tls_roots.iter().map(|roots| roots.digest().as_bytes());
        digest_parts(parts.chain([self.body.bytes()]).chain(roots))
    }

    fn header_map(&self) -> Result<HeaderMap, HttpError> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            put(&mut map, name, HeaderValue::from_str(value).ok())?;
        }
        for (name, secret) in &self.secret_headers {
            // Overwritten when the last copy of the header is dropped.
            let bytes = Bytes::from_owner(Zeroizing::new(secret.expose().as_bytes().to_vec()));
            let mut value = HeaderValue::from_maybe_shared(bytes).ok();
            value.iter_mut().for_each(|value| value.set_sensitive(true));
            put(&mut map, name, value)?;
        }
        Ok(map)
    }

    /// Looks through everything that is sent but the secret headers, as it is about to be sent.
    fn must_be_clean(&self) -> Result<(), HttpError> {
        let values = self.secret_headers.iter().map(|(_, secret)| secret.expose());
        // A scheme such as `Bearer ` stands before the key itself.
        let keys = values.clone().filter_map(|value| Some(value.split_once(' ')?.1));
        let known: Vec<&str> = values.chain(keys).chain(self.body.known()).collect();
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}").into_bytes());
        let head: Vec<u8> = headers.chain([self.url.clone().into_bytes()]).collect::<Vec<_>>().join(&b'\n');
        for bytes in [&head, self.body.bytes()] {
            if let Some(hit) = scan(bytes, &known)?.into_iter().next() {
                return Err(HttpError::Secret { label: hit.label });
            }
        }
        Ok(())
    }

    /// What was taken out of the body, as labels of formats with how often each was found.
    pub fn redactions(&self) -> &[(String, usize)] {
        self.body.redactions()
    }
}

fn put(map: &mut HeaderMap, name: &str, value: Option<HeaderValue>) -> Result<(), HttpError> {
    let bad = || HttpError::BadHeader { name: name.to_owned() };
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    map.append(name, value.ok_or_else(bad)?);
    Ok(())
}

/// The host of `url` as keys are stored for it: `name`, or `name:port` where the port is not the usual one.
///
/// # Errors
/// [`HttpError::BadUrl`] for an address that nothing is sent to.
pub fn host_of(url: &str) -> Result<String, HttpError> {
    Ok(Target::parse(url)?.account())
}

/// Whether `url` can be the address of a proxy.
///
/// # Errors
/// [`HttpError::BadProxy`].
pub fn check_proxy(url: &str) -> Result<(), HttpError> {
    target::proxy(url).map(drop)
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Sends the request once and waits until its answer begins.
///
/// # Errors
/// [`HttpError`]; an answer with an error status is an answer.
pub async fn send(permit: Permit<SendHttp>) -> Result<HttpResponse, HttpError> {
    let (request, _) = permit.open()?;
    let target = Target::parse(&request.url)?;
    for bound in request.secret_headers.iter().filter_map(|(_, secret)| secret.host()) {
        if !target.is(bound) {
            return Err(HttpError::OtherHost { bound: bound.to_owned(), host: target.account() });
        }
    }
    let headers = request.header_map()?;
    request.must_be_clean()?;
    let client = client::of(&request, &target)?;
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
    };
    let Timeouts { connect, first_byte, idle, total } = request.timeouts;
    let deadline = Instant::now() + total;
    let first = deadline.min(Instant::now() + connect + first_byte);
    let sending = client.request(method, target.url.clone()).headers(headers).body(request.body.into_bytes()).send();
    let body = match timeout_at(first, sending).await {
        Ok(answer) => answer.map_err(|error| not_sent(&target.host, error))?,
        Err(_) if first == deadline => return Err(HttpError::Timeout(TimeoutKind::Total)),
        Err(_) => return Err(HttpError::Timeout(TimeoutKind::FirstByte)),
    };
    let text = |(name, value): (&HeaderName, &HeaderValue)| Some((name.to_string(), value.to_str().ok()?.to_owned()));
    let headers = body.headers().iter().filter_map(text).collect();
    let (status, max) = (body.status().as_u16(), request.max_response_bytes);
    Ok(HttpResponse { status, headers, body, idle, deadline, max, received: 0, ended: None })
}

impl HttpResponse {
    /// The next piece of the body, cut wherever the network cut it; `None` when it is complete.
    ///
    /// # Errors
    /// [`HttpError::Timeout`], [`HttpError::TooLarge`], [`HttpError::Broken`]; the same again when asked again.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        if let Some(ended) = &self.ended {
            return ended.clone().map(|()| None);
        }
        let piece = self.receive().await;
        match &piece {
            Ok(Some(_)) => {}
            Ok(None) => self.ended = Some(Ok(())),
            Err(error) => self.ended = Some(Err(error.clone())),
        }
        piece
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`HttpResponse::chunk`]; [`HttpError::Broken`] when it is not UTF-8.
    pub async fn text(mut self) -> Result<String, HttpError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.chunk().await? {
            bytes.extend(piece);
        }
        String::from_utf8(bytes).map_err(|_| HttpError::Broken("it is not UTF-8".to_owned()))
    }

    async fn receive(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        let next = self.deadline.min(Instant::now() + self.idle);
        let piece = match timeout_at(next, self.body.chunk()).await {
            Ok(piece) => piece.map_err(|error| HttpError::Broken(innermost(&error)))?,
            Err(_) if next == self.deadline => return Err(HttpError::Timeout(TimeoutKind::Total)),
            Err(_) => return Err(HttpError::Timeout(TimeoutKind::Idle)),
        };
        let Some(piece) = piece else { return Ok(None) };
        self.received += piece.len() as u64;
        if self.received > self.max { Err(HttpError::TooLarge { max: self.max }) } else { Ok(Some(piece.into())) }
    }
}

fn not_sent(host: &str, error: reqwest::Error) -> HttpError {
    let (host, reason) = (host.to_owned(), innermost(&error));
    if error.is_connect() && error.is_timeout() {
        HttpError::Timeout(TimeoutKind::Connect)
    } else if is_tls(&error) {
        HttpError::Tls { host, reason }
    } else if error.is_connect() {
        HttpError::Connect { host, reason }
    } else {
        HttpError::Broken(reason)
    }
}

/// The innermost cause in words. The outer ones repeat the address, whose query may hold a key.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "no reason given".to_owned(), ToString::to_string)
}

fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(wraps_tls)
}

/// Whether this is an error of TLS, or an IO error around one: an IO error hides what it wraps from `source`.
fn wraps_tls(cause: &(dyn Error + 'static)) -> bool {
    let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || wrapped.is_some_and(|inner| wraps_tls(inner))
}

/// The causes of an error, without the error itself.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
