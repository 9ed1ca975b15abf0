//! Calls that wait for their client's answer between one request and the next, as MCP 2026-07-28 has it.
//!
//! What such a call has come to stays here; the client only carries a seal. The seal holds for one call (the client as it
//! names itself, the revision, the tool, the arguments), until the answer is of no use any more, and once. Whatever else
//! comes is a refusal, and changes nothing about the call that waits.
//!
//! Invariant: a call is carried on by exactly one place at a time, and dropped when nobody can come back for it.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use conclave_api::advise::ClientError;
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, InputRequests, InputRequiredResult, InputResponses, RequestStateCodec,
    SealOptions,
};
use rmcp::service::RequestContext;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::sampling::{Asked, input};

/// What the question is called between us and the client.
const QUESTION: &str = "review";

/// So many calls wait at a time.
const MOST: usize = 64;

/// How long a call is kept after its answer has become useless, so that what is decided without it is recorded.
const GRACE: Duration = Duration::from_secs(5);

/// What is said of every seal that does not hold; whoever forges one learns nothing from it.
const BROKEN: &str = "its state is not one that Conclave gave for this call, or it is used up or too old; call again";

/// A call on its way to its result.
pub(super) struct Round {
    pub work: Work,
    /// What the client has to be asked.
    pub asked: mpsc::UnboundedReceiver<Asked>,
}

/// What leads to a call's result.
pub(super) type Work = Pin<Box<dyn Future<Output = CallToolResult> + Send>>;

/// The calls that wait.
pub(super) struct Rounds {
    seal: RequestStateCodec,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    calls: HashMap<u64, Call>,
}

struct Call {
    keeper: AbortOnDropHandle<Kept>,
    come_back: oneshot::Sender<()>,
    reply: oneshot::Sender<Result<Value, ClientError>>,
    asked: mpsc::UnboundedReceiver<Asked>,
}

/// What has become of a call while its client was away.
enum Kept {
    Done(CallToolResult),
    UnderWay(Work),
    Late,
}

impl Rounds {
    /// None yet. The seals hold as long as this process.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new() -> Result<Self, String> {
        let mut key = [0; RequestStateCodec::MIN_KEY_LENGTH];
        getrandom::fill(&mut key).map_err(|error| error.to_string())?;
        let seal = RequestStateCodec::try_new(key).map_err(|error| error.to_string())?;
        Ok(Self { seal, waiting: Mutex::default() })
    }

    /// Puts the question to the client of `whose` call, which is kept until it comes back. `None` when that cannot be;
    /// then the question has failed and the call goes on.
    pub fn suspend(
        &self,
        round: Round,
        Asked { question, reply }: Asked,
        whose: &[u8],
    ) -> Result<InputRequiredResult, Round> {
        let request = match input(&question) {
            Ok(request) => request,
            Err(error) => {
                // It may have been given up meanwhile.
                let _ = reply.send(Err(error));
                return Err(round);
            }
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.calls.retain(|_, call| !call.keeper.is_finished());
        if waiting.calls.len() >= MOST {
            // Dropping `reply` says that there is no answer.
            return Err(round);
        }
        let id = waiting.next;
        waiting.next += 1;
        let (come_back, came_back) = oneshot::channel();
        let Round { work, asked } = round;
        let keeper = AbortOnDropHandle::new(tokio::spawn(keep(work, came_back, question.within() + GRACE)));
        waiting.calls.insert(id, Call { keeper, come_back, reply, asked });
        let options = SealOptions::new().associated_data(whose).ttl(question.within());
        let state = self.seal.seal_with(&id.to_be_bytes(), &options);
        Ok(InputRequiredResult::new(Some(InputRequests::from([(QUESTION.to_owned(), request)])), Some(state)))
    }

    /// The call that `state` is of, with the client's answer handed to whoever waits for it.
    ///
    /// # Errors
    /// Why the call does not go on, in words.
    pub async fn resume(
        &self,
        state: &str,
        responses: Option<InputResponses>,
        whose: &[u8],
    ) -> Result<Round, &'static str> {
        let opened = self.seal.open_with(state, whose).map_err(|_| BROKEN)?;
        let id = u64::from_be_bytes(opened.try_into().map_err(|_| BROKEN)?);
        let Call { keeper, come_back, reply, asked } = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.calls.remove(&id).ok_or(BROKEN)?
        };
        let answer = responses.and_then(|mut responses| responses.remove(QUESTION)).ok_or(ClientError::Gone);
        // Either may have ended meanwhile, and then the keeper says how.
        let _ = (reply.send(answer), come_back.send(()));
        match keeper.await {
            Ok(Kept::Done(result)) => Ok(Round { work: Box::pin(std::future::ready(result)), asked }),
            Ok(Kept::UnderWay(work)) => Ok(Round { work, asked }),
            Ok(Kept::Late) | Err(_) => Err(BROKEN),
        }
    }
}

/// Carries `work` on until the client comes back, but no longer than `longest`.
async fn keep(mut work: Work, came_back: oneshot::Receiver<()>, longest: Duration) -> Kept {
    tokio::select! {
        result = &mut work => Kept::Done(result),
        Ok(()) = came_back => Kept::UnderWay(work),
        () = tokio::time::sleep(longest) => Kept::Late,
    }
}

/// Whose call a seal is for, and which.
pub(super) fn whose(request: &CallToolRequestParams, context: &RequestContext<RoleServer>) -> Vec<u8> {
    let client = context.client_info().map(|client| (client.name, client.version));
    let revision = context.protocol_version().map(|version| version.to_string());
    // Strings and JSON always have a form.
    serde_json::to_vec(&(client, revision, &request.name, &request.arguments)).unwrap_or_default()
}
