//! A server at an address: each question is one request over HTTP, behind the gate.
//!
//! The newest revision is tried first, in which each request stands for itself; a server that does not know it gets the
//! handshake of the one before. Deliberately absent: streams that stay open, and all that a server may ask of a client.

use std::time::Duration;

use conclave_effects::mcp::wire::{self, Said};
use conclave_effects::mcp::{LONGEST_LINE, PROTOCOL};
use conclave_effects::{
    Body, Consent, DataClass, Facts, Gate, HttpError, Listing, Method, Secret, SendHttp, Timeouts, TlsRoots, send,
};
use conclave_inference::dialect::sse::Splitter;
use conclave_policy::Actor;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::trouble::Trouble;
use crate::Given;

/// The revision without a handshake.
const MODERN: &str = "2026-07-28";
/// Most pages of a list.
const PAGES: usize = 32;
/// Most messages in one answer that answer something else.
const OTHERS: usize = 1000;

/// How every complaint about its way of speaking begins.
const PROTOCOL_BROKEN: &str = "it does not keep to the protocol";

/// What a question holds beside the words of the protocol.
struct Sent<'a> {
    data: Vec<DataClass>,
    /// The folder of the project that it comes from.
    project: Option<String>,
    /// Secrets, none of which may be in it.
    known: &'a [&'a Secret],
}

impl Default for Sent<'_> {
    fn default() -> Self {
        Self { data: vec![DataClass::Metadata], project: None, known: &[] }
    }
}

/// A server at an address, and how it is spoken with.
pub(super) struct Hosted {
    pub name: String,
    pub url: String,
    pub key: Option<Secret>,
    pub proxy: Option<String>,
    pub tls_roots: Option<TlsRoots>,
    era: Era,
    next: u64,
}

enum Era {
    Modern,
    /// With the session that the server named, if it did.
    Legacy(Option<String>),
}

/// One answer of the server's.
struct Answer {
    /// What it answers; a status without an answer is a failure of its own.
    result: Result<Value, Trouble>,
    session: Option<String>,
}

impl Hosted {
    pub(super) fn new(
        name: String,
        url: String,
        key: Option<Secret>,
        proxy: Option<String>,
        tls_roots: Option<TlsRoots>,
    ) -> Self {
        Self { name, url, key, proxy, tls_roots, era: Era::Modern, next: 1 }
    }

    /// Finds out how it speaks, and what it says of itself.
    pub(super) async fn open(&mut self, by: (&Gate, &Actor), until: Instant) -> Result<Listing, Trouble> {
        self.era = Era::Modern;
        let said = match self.ask(by, "server/discover", json!({}), Sent::default(), until).await?.result {
            Ok(said) => said,
            // Whatever a server of before makes of it, it is no answer.
            Err(_) => {
                self.era = Era::Legacy(None);
                let params = json!({ "protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client() });
                let answer = self.ask(by, "initialize", params, Sent::default(), until).await?;
                self.era = Era::Legacy(answer.session);
                let said = answer.result.map_err(fatal)?;
                self.tell(by, "notifications/initialized", until).await?;
                said
            }
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tools = self.tools(by, until).await?;
        Ok(Listing {
            name: text(&said["serverInfo"]["name"]),
            version: text(&said["serverInfo"]["version"]),
            instructions: text(&said["instructions"]),
            tools,
        })
    }

    /// All pages of the list of tools.
    pub(super) async fn tools(&mut self, by: (&Gate, &Actor), until: Instant) -> Result<Vec<Value>, Trouble> {
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let params = cursor.map_or_else(|| json!({}), |cursor: String| json!({ "cursor": cursor }));
            let page = self.ask(by, "tools/list", params, Sent::default(), until).await?;
            let mut page = page.result.map_err(fatal)?;
            let Value::Array(some) = page["tools"].take() else {
                return Err(Trouble::Failed("its list of tools is none".to_owned()));
            };
            tools.extend(some);
            match page["nextCursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(tools),
            }
        }
        Err(Trouble::Failed("its list of tools has no end".to_owned()))
    }

    /// Gives a tool arguments, which come from `project`. None of `known` may be in them.
    pub(super) async fn call(
        &mut self,
        by: (&Gate, &Actor),
        (tool, project): (&str, Option<String>),
        given: Given,
        known: &[&Secret],
        until: Instant,
    ) -> Result<Value, Trouble> {
        let params = json!({ "name": tool, "arguments": given.arguments });
        let sent = Sent { data: given.data, project, known };
        self.ask(by, "tools/call", params, sent, until).await?.result
    }

    async fn ask(
        &mut self,
        by: (&Gate, &Actor),
        method: &str,
        mut params: Value,
        sent: Sent<'_>,
        until: Instant,
    ) -> Result<Answer, Trouble> {
        let id = self.next;
        self.next += 1;
        if matches!(self.era, Era::Modern) {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientInfo": client(),
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let tool = params["name"].as_str().map(str::to_owned);
        let message = wire::request(id, method, params);
        self.post(by, &message, (method, tool.as_deref()), Some(id), sent, until).await
    }

    async fn tell(&mut self, by: (&Gate, &Actor), method: &str, until: Instant) -> Result<(), Trouble> {
        let notice = wire::notice(method, Value::Null);
        self.post(by, &notice, (method, None), None, Sent::default(), until).await.map(drop)
    }

    async fn post(
        &self,
        (gate, actor): (&Gate, &Actor),
        message: &Value,
        (method, tool): (&str, Option<&str>),
        id: Option<u64>,
        sent: Sent<'_>,
        until: Instant,
    ) -> Result<Answer, Trouble> {
        let body = Body::redacted(message.to_string().into_bytes(), sent.known);
        let body = body.map_err(|error| Trouble::NotAsked(error.to_string()))?;
        if let Some((label, _)) = body.redactions().first() {
            let why = format!("nothing was sent: there is a secret in it, which looks like `{label}`");
            return Err(Trouble::NotAsked(why));
        }
        let left = until.saturating_duration_since(Instant::now());
        let request = SendHttp {
            method: Method::Post,
            url: self.url.clone(),
            headers: self.headers(method, tool),
            secret_headers: self.key.iter().map(|key| ("authorization".to_owned(), key.prefixed("Bearer "))).collect(),
            body,
            consent: Consent::Settings,
            purpose: match tool {
                Some(tool) => format!("use `{tool}` of the tool server `{}`", self.name),
                None => format!("ask the tool server `{}` what it offers", self.name),
            },
            facts: Facts { data: sent.data, project: sent.project, ..Facts::default() },
            proxy: self.proxy.clone(),
            tls_roots: self.tls_roots.clone(),
            timeouts: Timeouts {
                connect: left.min(Duration::from_secs(10)),
                first_byte: left,
                idle: left,
                total: left,
            },
            max_response_bytes: LONGEST_LINE as u64,
        };
        let permit = gate.authorize(actor.clone(), request).await;
        let permit = permit.map_err(|denied| Trouble::NotAsked(denied.reason))?;
        let failed = |error: HttpError| Trouble::Failed(error.to_string());
        let mut response = send(permit).await.map_err(failed)?;
        let header = |name: &str| response.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let session = header("mcp-session-id");
        let is_stream = header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        let status = response.status;
        let answered = |result| Ok(Answer { result, session: session.clone() });
        let Some(id) = id.filter(|_| !matches!(status, 401 | 403)) else {
            return match status {
                200..=299 => answered(Ok(Value::Null)),
                401 | 403 => answered(Err(Trouble::Failed(format!("it wants a key, or another one (HTTP {status})")))),
                _ => answered(Err(Trouble::Failed(format!("it answers with HTTP {status}")))),
            };
        };
        let mut heard = Heard::new(id);
        let (mut events, mut text) = (Splitter::new(LONGEST_LINE), Vec::new());
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if is_stream {
                let whole = events.push(&piece, |data| heard.message(data));
                whole.map_err(|error| Trouble::Failed(format!("{PROTOCOL_BROKEN}: {error}")))?;
            } else {
                text.extend(piece);
            }
            // A stream may stay open after the answer.
            if heard.is_over() {
                break;
            }
        }
        if !is_stream {
            heard.message(&text);
        }
        match heard.outcome()? {
            Some(result) => answered(result.map_err(Trouble::Useless)),
            None if !(200..300).contains(&status) => {
                answered(Err(Trouble::Failed(format!("it answers with HTTP {status}"))))
            }
            None => Err(Trouble::Failed(format!("{PROTOCOL_BROKEN}: its answer answers something else"))),
        }
    }

    fn headers(&self, method: &str, tool: Option<&str>) -> Vec<(String, String)> {
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ];
        match &self.era {
            Era::Modern => {
                headers.push(("mcp-protocol-version".to_owned(), MODERN.to_owned()));
                headers.push(("mcp-method".to_owned(), method.to_owned()));
                headers.extend(tool.map(|tool| ("mcp-name".to_owned(), tool.to_owned())));
            }
            Era::Legacy(session) => {
                headers.push(("mcp-protocol-version".to_owned(), PROTOCOL.to_owned()));
                headers.extend(session.iter().map(|session| ("mcp-session-id".to_owned(), session.clone())));
            }
        }
        headers
    }
}

/// Without an answer to this it cannot be used at all.
fn fatal(trouble: Trouble) -> Trouble {
    Trouble::Failed(trouble.why())
}

fn client() -> Value {
    json!({ "name": "conclave", "version": env!("CARGO_PKG_VERSION") })
}

/// What was heard while an answer is waited for.
struct Heard {
    id: u64,
    others: usize,
    answer: Option<Result<Value, String>>,
}

impl Heard {
    fn new(id: u64) -> Self {
        Self { id, others: 0, answer: None }
    }

    /// Takes one message; whether more is to be heard. What a server asks is refused by not being answered.
    fn message(&mut self, message: &[u8]) -> bool {
        match wire::read(message) {
            Said::Answer { id, outcome } if id == self.id => {
                let words = |failure: wire::Failure| format!("it answers `{}` ({})", failure.message, failure.code);
                self.answer = Some(outcome.map_err(words));
            }
            said => {
                if let Said::Asked { method, .. } = said {
                    tracing::warn!(method, "a tool server asked for what it is not offered");
                }
                self.others += 1;
            }
        }
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.answer.is_some() || self.others > OTHERS
    }

    /// The answer, where there was one.
    fn outcome(self) -> Result<Option<Result<Value, String>>, Trouble> {
        match self.answer {
            None if self.others > OTHERS => {
                Err(Trouble::Failed(format!("{PROTOCOL_BROKEN}: it says too much that nobody asked for")))
            }
            answer => Ok(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_among_events_once_its_event_is_whole() {
        let stream = "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\r\n\r\n: alive\n\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"id\":7,\"result\":{\"a\":1}}\n\n";
        let heard = |id: u64, bytes: &[u8]| {
            let (mut heard, mut events) = (Heard::new(id), Splitter::new(LONGEST_LINE));
            for byte in bytes {
                events.push(&[*byte], |data| heard.message(data)).unwrap();
            }
            heard.outcome()
        };
        assert_eq!(heard(7, stream.as_bytes()), Ok(Some(Ok(json!({ "a": 1 })))));
        for cut in 0..stream.len() - 1 {
            assert_eq!(heard(7, &stream.as_bytes()[..cut]), Ok(None), "{cut}");
        }
        assert_eq!(heard(8, stream.as_bytes()), Ok(None));
        let noise = "data: {}\n\n".repeat(OTHERS + 1);
        assert!(matches!(heard(7, noise.as_bytes()), Err(Trouble::Failed(_))));
    }
}
