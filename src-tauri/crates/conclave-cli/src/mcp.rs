//! `conclave mcp`: agents ask here, over the Model Context Protocol, before they act.
//!
//! The tools judge and record; neither of them does what it is asked about. Deliberately absent: any other tool, and
//! any way to change the policy from here. Invariants: nothing but the protocol goes to standard output; a question that
//! nobody waits for any more, because it was cancelled or its client is gone, is withdrawn at once.

mod rounds;
mod sampling;

use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use conclave_api::Api;
use conclave_api::advise::{Advice, AgentCall, Decision, Effective, Hearing, Reviewed, Word};
use conclave_api::error::{ApiError, ErrorCode};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use rounds::{Round, Rounds, whose};
use sampling::Caller;

/// One tool: its name, whose word it asks for, and what agents read about it.
struct Offer {
    name: &'static str,
    title: &'static str,
    word: Word,
    description: &'static str,
}

const OFFERS: [Offer; 2] = [
    Offer {
        name: "evaluate_tool_request",
        title: "May this tool be used?",
        word: Word::Policy,
        description: "Asks Conclave whether a tool may be used with these parameters, before you use it. Pass the tool's \
                      name and its parameters exactly as you would use them. The answer is `allow` or `deny`, with the \
                      rule that decided and what the person can do about it. Nothing is carried out. On `deny`, do not \
                      use the tool, and do not look for another way to the same end.",
    },
    Offer {
        name: "evaluate_tool_with_human_review",
        title: "Ask a person about this tool use",
        word: Word::Person,
        description: "Asks a person, through Conclave, whether a tool may be used with these parameters, and waits for \
                      up to two minutes. What the policy denies is denied without asking. The answer is `allow` or \
                      `deny`, with the person's reason where they gave one; nobody there means `deny`. Nothing is \
                      carried out. Use it for what cannot be undone and for what reaches other people.",
    },
];

/// A tool use to be judged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The tool's exact name.
    tool_name: String,
    /// The parameters, exactly as the tool would get them.
    #[serde(default)]
    parameters: JsonObject,
    /// Who asks; the client's own name when left out.
    #[serde(default)]
    agent_id: Option<String>,
    /// The session that this belongs to.
    #[serde(default)]
    session_id: Option<String>,
    /// The folder in which the tool would run, as an absolute path.
    #[serde(default)]
    cwd: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
struct Judged {
    /// Whether the tool may be used.
    action: Verdict,
    /// Why, in words.
    reason: String,
    /// The rule that decided.
    rule_id: String,
    /// What the person can do about a refusal.
    remedy: Option<String>,
    /// Who looked at it, where a rule wanted that.
    reviewed_by: Option<String>,
    /// What the person gave as their reason.
    justification: Option<String>,
    /// What the reviewing model sees as risks.
    risk_factors: Vec<String>,
    /// How sure the reviewing model is, from 0 to 1; rules have no such figure.
    confidence: Option<f64>,
    /// The entry in Conclave's ledger.
    entry: u64,
}

/// Yes or no.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Allow,
    Deny,
}

/// Serves until standard input ends.
pub async fn serve(api: &Api, offline: bool) -> Result<Exit, ApiError> {
    let broken = |error: String| ApiError::new(ErrorCode::Internal, "the connection broke").with_details(error);
    let gone = CancellationToken::new();
    let (input, output) = rmcp::transport::io::stdio_pipes();
    let input = Noticing { input, ended: gone.clone() };
    let rounds = Rounds::new().map_err(broken)?;
    let server = Server { hearing: Hearing::new(api.cx(), offline), gone, rounds };
    let running = match server.serve((input, output)).await {
        Ok(running) => running,
        // A client that leaves before it says anything has nothing to complain about.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(Exit::Done),
        Err(error) => return Err(broken(error.to_string())),
    };
    running.waiting().await.map_err(|error| broken(error.to_string()))?;
    Ok(Exit::Done)
}

struct Server {
    hearing: Hearing,
    /// Cancelled when the client has said all it will ever say.
    gone: CancellationToken,
    rounds: Rounds,
}

/// An input whose end is told at once: the protocol's own loop waits for the calls under way before it says so.
struct Noticing<R> {
    input: R,
    ended: CancellationToken,
}

impl<R: AsyncRead + Unpin> AsyncRead for Noticing<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buf.filled().len(), buf.remaining() > 0);
        let read = ready!(Pin::new(&mut self.input).poll_read(cx, buf));
        if read.is_err() || (room && buf.filled().len() == before) {
            self.ended.cancel();
        }
        Poll::Ready(read)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let own = Implementation::new("conclave", env!("CARGO_PKG_VERSION")).with_title("Conclave");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(own)
            .with_instructions("Ask before you use a tool that changes or sends something; do what the answer says.")
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(OFFERS.iter().map(tool).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        OFFERS.iter().find(|offer| offer.name == name).map(tool)
    }

    async fn call_tool(
        &self,
        mut request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(offer) = OFFERS.iter().find(|offer| offer.name == request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool `{}`", request.name), None));
        };
        let whose = whose(&request, &context);
        let round = match (request.request_state.take(), request.input_responses.take()) {
            (None, None) => match serde_json::from_value(request.arguments.unwrap_or_default().into()) {
                Ok(asked) => self.begin(offer, asked, &context),
                Err(error) => return Ok(refusal(&format!("the arguments are not a request: {error}")).into()),
            },
            (Some(state), responses) => match self.rounds.resume(&state, responses, &whose).await {
                Ok(round) => round,
                Err(why) => return Ok(refusal(why).into()),
            },
            (None, Some(_)) => return Ok(refusal("it answers what was not asked").into()),
        };
        Ok(self.carry_on(round, &whose, &context).await)
    }
}

impl Server {
    fn begin(&self, offer: &Offer, asked: Asked, context: &RequestContext<RoleServer>) -> Round {
        let call = call(asked, context.client_info().map(|client| client.name));
        let (caller, asked) = Caller::new(context);
        let (hearing, word) = (self.hearing.serving(Arc::new(caller)), offer.word);
        let judge = async move {
            match hearing.judge(&call, word).await {
                Ok(advice) => answer(&advice),
                Err(error) => refusal(&error.to_string()),
            }
        };
        Round { work: Box::pin(judge), asked }
    }

    /// Carries the call on to its result, or to a question that its client has to answer first.
    async fn carry_on(&self, mut round: Round, whose: &[u8], context: &RequestContext<RoleServer>) -> CallToolResponse {
        loop {
            // What the policy settles by itself is answered in any case; dropping a question withdraws it.
            let asked = tokio::select! {
                biased;
                result = &mut round.work => return result.into(),
                Some(asked) = round.asked.recv() => asked,
                () = context.ct.cancelled() => return refusal("it was cancelled").into(),
                () = self.gone.cancelled() => return refusal("whoever asked is gone").into(),
            };
            match self.rounds.suspend(round, asked, whose) {
                Ok(question) => return question.into(),
                Err(same) => round = same,
            }
        }
    }
}

fn tool(offer: &Offer) -> Tool {
    let mut tool = Tool::new(Cow::Borrowed(offer.name), Cow::Borrowed(offer.description), schema::<Asked>());
    tool.title = Some(offer.title.to_owned());
    tool.output_schema = Some(schema::<Judged>());
    // It changes nothing but the record; and a person may answer differently each time.
    tool.annotations = Some(ToolAnnotations::new().read_only(true).idempotent(false).open_world(false));
    tool
}

fn schema<T: JsonSchema>() -> Arc<JsonObject> {
    Arc::new(schemars::schema_for!(T).as_object().cloned().unwrap_or_default())
}

fn call(asked: Asked, client: Option<String>) -> AgentCall {
    let named = |name: Option<String>| name.filter(|name| !name.trim().is_empty());
    let client = named(asked.agent_id).or(named(client)).unwrap_or_else(|| "mcp".to_owned());
    let call = AgentCall::new(client, asked.tool_name, asked.parameters.into());
    AgentCall { session: asked.session_id, cwd: asked.cwd, ..call }
}

fn answer(advice: &Advice) -> CallToolResult {
    let Advice { decision, seq, remedy } = advice;
    let Decision { effect, rule, reason, review, .. } = decision;
    // What comes out of a hearing allows or denies; anything else would be no permission.
    let action = if *effect == Effective::Allow { Verdict::Allow } else { Verdict::Deny };
    let (reviewed_by, justification, risk_factors, confidence) = match review {
        None => (None, None, Vec::new(), None),
        Some(Reviewed::Person { justification, .. }) => {
            (Some("person".to_owned()), Some(justification.clone()), Vec::new(), None)
        }
        Some(Reviewed::Model { model, confidence, risk_factors, .. }) => {
            (Some(model.clone()), None, risk_factors.clone(), Some(*confidence))
        }
    };
    let judged = Judged {
        action,
        reason: reason.clone(),
        rule_id: rule.clone(),
        remedy: Some(remedy.clone()).filter(|remedy| !remedy.is_empty()),
        reviewed_by,
        justification,
        risk_factors,
        confidence,
        entry: *seq,
    };
    match serde_json::to_value(&judged) {
        Ok(value) => CallToolResult::structured(value),
        Err(error) => refusal(&error.to_string()),
    }
}

/// A call that could not be judged, in words that an agent cannot take for permission.
fn refusal(why: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(format!("Denied, because it could not be judged: {why}."))])
}
