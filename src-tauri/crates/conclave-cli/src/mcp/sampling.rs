//! The client of a call as somebody whose model can be asked, in both eras of the protocol.
//!
//! Until revision 2025-11-25 the server sends the client a request of its own. Since 2026-07-28 there are no such
//! requests: what the server wants to know goes back as the result of the client's call, and the client calls again with
//! the answer (see [`rounds`](super::rounds)). Whether a client offers its model is looked up at each call, because the
//! newer era says it there.
//!
//! Sampling is deprecated as of 2026-07-28. This is the only module that touches its types.
#![allow(deprecated, reason = "sampling is on its way out of MCP, and some clients still offer it")]

use conclave_api::advise::{Answering, Client, ClientError, Question};
use rmcp::model::{
    CancelledNotificationParam, ClientResult, CreateMessageRequest, CreateMessageRequestParams, InputRequest,
    ProtocolVersion, RequestId, ServerRequest,
};
use rmcp::service::{Peer, PeerRequestOptions, RequestContext, ServiceError};
use rmcp::{ErrorData, RoleServer};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// A question that is to go back as the result of the client's call, and where its answer is waited for.
pub(super) struct Asked {
    pub question: Question,
    pub reply: oneshot::Sender<Result<Value, ClientError>>,
}

/// The client of one call.
pub(super) struct Caller {
    name: String,
    version: String,
    offers_sampling: bool,
    way: Way,
}

/// How a question gets to the client.
enum Way {
    /// As a request over the connection: until 2025-11-25.
    Request(Peer<RoleServer>),
    /// As the result of its call: since 2026-07-28.
    Result(mpsc::UnboundedSender<Asked>),
}

impl Caller {
    /// The client of the call with this `context`, and the questions that have to go back as its result.
    pub fn new(context: &RequestContext<RoleServer>) -> (Self, mpsc::UnboundedReceiver<Asked>) {
        let (ask, asked) = mpsc::unbounded_channel();
        let is_modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let way = if is_modern { Way::Result(ask) } else { Way::Request(context.peer.clone()) };
        let (name, version) = context.client_info().map(|client| (client.name, client.version)).unwrap_or_default();
        let offers_sampling = context.client_capabilities().is_some_and(|can| can.sampling.is_some());
        (Self { name, version, offers_sampling, way }, asked)
    }
}

impl Client for Caller {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn offers_sampling(&self) -> bool {
        self.offers_sampling
    }

    fn is_held_up(&self) -> bool {
        matches!(self.way, Way::Result(_))
    }

    fn create_message(&self, question: Question) -> Answering<'_> {
        match &self.way {
            Way::Request(peer) => Box::pin(request(peer, question)),
            Way::Result(ask) => Box::pin(async move {
                let (reply, answer) = oneshot::channel();
                ask.send(Asked { question, reply }).map_err(|_| ClientError::Gone)?;
                answer.await.unwrap_or(Err(ClientError::Gone))
            }),
        }
    }
}

/// The question as the newer era carries it.
pub(super) fn input(question: &Question) -> Result<InputRequest, ClientError> {
    params(question).map(|params| InputRequest::CreateMessage(CreateMessageRequest::new(params)))
}

fn params(question: &Question) -> Result<CreateMessageRequestParams, ClientError> {
    serde_json::from_value(Value::Object(question.params().clone()))
        .map_err(|error| ClientError::Unfit(error.to_string()))
}

async fn request(peer: &Peer<RoleServer>, question: Question) -> Result<Value, ClientError> {
    let request = ServerRequest::CreateMessageRequest(CreateMessageRequest::new(params(&question)?));
    let handle = peer.send_cancellable_request(request, PeerRequestOptions::default()).await.map_err(silence)?;
    let mut unless_answered = Withdrawal { peer, id: Some(handle.id.clone()) };
    let answer = handle.await_response().await;
    unless_answered.id = None;
    match answer.map_err(silence)? {
        ClientResult::CreateMessageResult(result) => Ok(serde_json::to_value(result).unwrap_or_default()),
        // It is read as what it is: no message.
        other => Ok(serde_json::to_value(other).unwrap_or_default()),
    }
}

/// Tells the client that nobody waits for its answer any more.
struct Withdrawal<'a> {
    peer: &'a Peer<RoleServer>,
    id: Option<RequestId>,
}

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else { return };
        let peer = self.peer.clone();
        // One message that is not waited for; a client that is gone needs none.
        runtime.spawn(async move {
            let withdrawn = CancelledNotificationParam::new(Some(id), Some("nobody waits for it".to_owned()));
            let _ = peer.notify_cancelled(withdrawn).await;
        });
    }
}

fn silence(error: ServiceError) -> ClientError {
    match error {
        ServiceError::McpError(ErrorData { code, message, .. }) => {
            ClientError::Refused { code: code.0, message: message.into_owned() }
        }
        _ => ClientError::Gone,
    }
}
