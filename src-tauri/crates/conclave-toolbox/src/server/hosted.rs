//! A server at an address: each question is one request over HTTP, behind the gate.
//!
//! The newest revision is tried first, in which each request stands for itself; a server that does not know it gets the
//! handshake of the one before. Deliberately absent: streams that stay open, and all that a server may ask of a client.

use std::time::Duration;

use conclave_effects::mcp::wire::{self, Said};
use conclave_effects::mcp::{LONGEST_LINE, PROTOCOL};
use conclave_effects::{
    Body, Consent, DataClass, Facts, Gate, Listing, Method, Secret, SendHttp, Timeouts, TlsRoots, send,
};
use conclave_policy::Actor;
use serde_json::{Value, json};
use tokio::time::Instant;

/// The revision without a handshake.
const MODERN: &str = "2026-07-28";
/// Most pages of a list.
const PAGES: usize = 32;
/// Most messages in one answer that answer something else.
const OTHERS: usize = 1000;

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
    result: Result<Value, String>,
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
    pub(super) async fn open(&mut self, by: (&Gate, &Actor), until: Instant) -> Result<Listing, String> {
        self.era = Era::Modern;
        let said = match self.ask(by, "server/discover", json!({}), &[], until).await?.result {
            Ok(said) => said,
            // Whatever a server of before makes of it, it is no answer.
            Err(_) => {
                self.era = Era::Legacy(None);
                let params = json!({ "protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client() });
                let answer = self.ask(by, "initialize", params, &[], until).await?;
                self.era = Era::Legacy(answer.session);
                let said = answer.result?;
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
    pub(super) async fn tools(&mut self, by: (&Gate, &Actor), until: Instant) -> Result<Vec<Value>, String> {
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let params = cursor.map_or_else(|| json!({}), |cursor: String| json!({ "cursor": cursor }));
            let mut page = self.ask(by, "tools/list", params, &[], until).await?.result?;
            let Value::Array(some) = page["tools"].take() else { return Err("its list of tools is none".to_owned()) };
            tools.extend(some);
            match page["nextCursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(tools),
            }
        }
        Err("its list of tools has no end".to_owned())
    }

    /// Gives a tool arguments. None of `known` may be in them.
    pub(super) async fn call(
        &mut self,
        by: (&Gate, &Actor),
        tool: &str,
        arguments: Value,
        known: &[&Secret],
        until: Instant,
    ) -> Result<Value, String> {
        let params = json!({ "name": tool, "arguments": arguments });
        self.ask(by, "tools/call", params, known, until).await?.result
    }

    async fn ask(
        &mut self,
        by: (&Gate, &Actor),
        method: &str,
        mut params: Value,
        known: &[&Secret],
        until: Instant,
    ) -> Result<Answer, String> {
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
        self.post(by, &message, (method, tool.as_deref()), Some(id), known, until).await
    }

    async fn tell(&mut self, by: (&Gate, &Actor), method: &str, until: Instant) -> Result<(), String> {
        self.post(by, &wire::notice(method, Value::Null), (method, None), None, &[], until).await.map(drop)
    }

    async fn post(
        &self,
        (gate, actor): (&Gate, &Actor),
        message: &Value,
        (method, tool): (&str, Option<&str>),
        id: Option<u64>,
        known: &[&Secret],
        until: Instant,
    ) -> Result<Answer, String> {
        let body = Body::redacted(message.to_string().into_bytes(), known).map_err(|error| error.to_string())?;
        if let Some((label, _)) = body.redactions().first() {
            return Err(format!("nothing was sent: there is a secret in it, which looks like `{label}`"));
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
            facts: Facts { data: vec![DataClass::Metadata], ..Facts::default() },
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
        let permit = gate.authorize(actor.clone(), request).await.map_err(|denied| denied.reason)?;
        let mut response = send(permit).await.map_err(|error| error.to_string())?;
        let header = |name: &str| response.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let session = header("mcp-session-id");
        let is_stream = header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        let status = response.status;
        let answered = |result| Ok(Answer { result, session: session.clone() });
        let Some(id) = id.filter(|_| !matches!(status, 401 | 403)) else {
            return match status {
                200..=299 => answered(Ok(Value::Null)),
                401 | 403 => answered(Err(format!("it wants a key, or another one (HTTP {status})"))),
                _ => answered(Err(format!("it answers with HTTP {status}"))),
            };
        };
        let mut text = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| error.to_string())? {
            text.extend(piece);
            // A stream may stay open after the answer.
            if is_stream && let Some(result) = find(&events(&text), id)? {
                return answered(result);
            }
        }
        let messages = if is_stream { events(&text) } else { vec![text] };
        match find(&messages, id)? {
            Some(result) => answered(result),
            None if !(200..300).contains(&status) => answered(Err(format!("it answers with HTTP {status}"))),
            None => Err("it does not keep to the protocol: its answer answers something else".to_owned()),
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

fn client() -> Value {
    json!({ "name": "conclave", "version": env!("CARGO_PKG_VERSION") })
}

/// The data of the whole events in `text`, as server-sent events have them.
fn events(text: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n").replace('\r', "\n");
    let data = |event: &str| -> Vec<u8> {
        let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n").into_bytes()
    };
    let Some(end) = text.rfind("\n\n") else { return Vec::new() };
    text[..end].split("\n\n").map(data).filter(|data| !data.is_empty()).collect()
}

/// The answer to `id` among messages; what a server asks is refused by not being answered.
fn find(messages: &[Vec<u8>], id: u64) -> Result<Option<Result<Value, String>>, String> {
    if messages.len() > OTHERS {
        return Err("it does not keep to the protocol: it says too much that nobody asked for".to_owned());
    }
    for message in messages {
        match wire::read(message) {
            Said::Answer { id: answered, outcome } if answered == id => {
                let words = |failure: wire::Failure| format!("it answers `{}` ({})", failure.message, failure.code);
                return Ok(Some(outcome.map_err(words)));
            }
            Said::Asked { method, .. } => {
                tracing::warn!(method, "a tool server asked for what it is not offered");
            }
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_among_events_once_its_event_is_whole() {
        let stream = "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\r\n\r\n: alive\n\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"id\":7,\"result\":{\"a\":1}}\n\n";
        let whole = find(&events(stream.as_bytes()), 7).unwrap().unwrap().unwrap();
        assert_eq!(whole, json!({ "a": 1 }));
        for cut in 0..stream.len() - 1 {
            assert_eq!(find(&events(&stream.as_bytes()[..cut]), 7), Ok(None), "{cut}");
        }
        assert_eq!(find(&events(stream.as_bytes()), 8), Ok(None));
        assert!(find(&vec![Vec::new(); OTHERS + 1], 7).is_err());
    }
}
