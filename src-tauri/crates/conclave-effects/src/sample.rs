//! One question to the model of the client at the other end of Conclave's MCP server: `sampling/createMessage`.
//!
//! The question leaves for a model that nobody here knows, so it is judged as something that leaves this machine: its
//! action is that of a request over HTTP, and every rule about what leaves holds without naming it. Deliberately absent:
//! the protocol, which belongs to the face that serves the client.
//!
//! Invariant: a [`Question`] is made of a permit, looked through for secrets once more, and in no other way; so a client
//! that is asked was asked by leave.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use conclave_policy::secret::scan;
use conclave_policy::{Action, Actor, ToolRequest, digest_parts, keys};
use serde_json::{Map, Value};

use crate::{Body, Consent, Effect, Facts, Permit, Stale};

/// What is called, in rules and in the ledger.
const RESOURCE: &str = "mcp://client/sampling/createMessage";

/// The client of one call to Conclave's MCP server, while it waits for the answer.
pub trait Client: Send + Sync {
    /// What it calls itself; nobody vouches for it.
    fn name(&self) -> &str;

    /// Its version, in its own words.
    fn version(&self) -> &str;

    /// Whether it offers its model for the call that it makes.
    fn offers_sampling(&self) -> bool;

    /// Whether a question can be put to it only in place of the answer that it waits for.
    fn is_held_up(&self) -> bool {
        false
    }

    /// Puts `question` to it and brings back the result as it came. Dropped, the question is withdrawn.
    ///
    /// # Errors
    /// [`ClientError::Unfit`], [`ClientError::Refused`] or [`ClientError::Gone`].
    fn create_message(&self, question: Question) -> Answering<'_>;
}

/// An answer on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Value, ClientError>> + Send + 'a>>;

/// The effect of asking a client.
///
/// It has no `Debug`, because the secrets that the body was looked through for have none.
pub struct AskClient {
    /// What the client calls itself.
    pub client: String,
    /// Its version.
    pub version: String,
    /// The parameters of the request: one JSON object.
    pub body: Body,
    /// On whose word it is asked.
    pub consent: Consent,
    /// What for, in a few words for the ledger.
    pub purpose: String,
    /// What rules may want to know of it.
    pub facts: Facts,
    /// After this time the answer is of no use.
    pub within: Duration,
}

impl Effect for AskClient {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let request = ToolRequest::new(actor.clone(), Action::SendHttp, RESOURCE)
            .with("place", "client")
            .with("client", self.client.clone())
            .with("client_version", self.version.clone())
            .with("consent", self.consent.as_str())
            .with("purpose", self.purpose.clone())
            .with("bytes", self.body.bytes().len().to_string())
            .with(keys::REDACTIONS, self.body.redacted_count().to_string())
            // A body is made by taking out all that are found.
            .with(keys::SECRETS, "0")
            .with("digest", digest_parts([self.body.bytes()]));
        self.facts.told(request)
    }
}

/// What a client may be asked, because it was judged.
#[derive(Debug)]
pub struct Question {
    params: Map<String, Value>,
    within: Duration,
}

impl Question {
    /// The parameters of the request.
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
    }

    /// After this time the answer is of no use.
    pub fn within(&self) -> Duration {
        self.within
    }
}

/// Why a client gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// It is too late, or no longer what was judged; nothing was asked.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// There is a secret in the question; nothing was asked.
    #[error("nothing was asked: there is a secret in the question, which looks like `{label}`")]
    Secret {
        /// What it was taken for.
        label: String,
    },
    /// The question cannot be put; nothing was asked.
    #[error("nothing was asked: {0}")]
    Unfit(String),
    /// The client answered with an error.
    #[error("the client answers with the error {code}: `{message}`")]
    Refused {
        /// The number of the error; -1 says that the person at the client declined.
        code: i32,
        /// In the client's words.
        message: String,
    },
    /// The client is gone, or did not answer the question.
    #[error("the client is gone")]
    Gone,
}

/// Puts the question that was judged to `client`, and brings back the result as it came.
///
/// # Errors
/// [`ClientError`].
pub async fn ask_client(permit: Permit<AskClient>, client: &dyn Client) -> Result<Value, ClientError> {
    let (asked, judged) = permit.open()?;
    if (asked.client.as_str(), asked.version.as_str()) != (client.name(), client.version()) {
        return Err(Stale::changed(judged.resource).into());
    }
    // Once more on the very bytes, as everywhere.
    let known: Vec<&str> = asked.body.known().collect();
    let hits = scan(asked.body.bytes(), &known).map_err(|error| ClientError::Unfit(error.to_string()))?;
    if let Some(hit) = hits.first() {
        return Err(ClientError::Secret { label: hit.label.clone() });
    }
    let params = serde_json::from_slice(asked.body.bytes())
        .map_err(|_| ClientError::Unfit("it is no JSON object".to_owned()))?;
    client.create_message(Question { params, within: asked.within }).await
}

#[cfg(test)]
mod tests;
