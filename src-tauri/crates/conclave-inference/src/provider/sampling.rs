//! The model of the client whose call to Conclave's MCP server is being served: MCP sampling.
//!
//! A client is asked only on behalf of a call of its own, and only if it offers that at this call: it comes with the terms
//! of the question, so that calls at the same time never see each other's. Nobody holds such a model to a schema, so an
//! answer that has to have one is read strictly, asked for once more, and then given up.
//!
//! MCP is withdrawing sampling and few clients offer it, so nothing may need this provider. Deliberately absent: the
//! protocol (the face that serves the client speaks it, in both eras), tools, and a price, which nobody tells: under a
//! spending limit it is not asked.

mod answer;

use conclave_core::settings::{SAMPLING, SamplingSetting};
use conclave_effects::sample::{Client, ClientError};
use conclave_effects::{AskClient, Body, Consent, Effect as _, Facts, ModelClass, ask_client};
use conclave_policy::Actor;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::answer::Answer;
use crate::error::{AskError, Waiting, quote};
use crate::money::Spent;
use crate::provider::form::Form;
use crate::provider::{Asking, Call, Capabilities, Checked, Info, Kind, Provider, Reach, Sketch};
use crate::request::{Exchanged, ModelRequest, Terms};

/// What is said of it wherever it is found, or missing.
const WITHDRAWN: &str = "MCP is withdrawing sampling, and few clients offer it";

/// The number of the error with which a client says that its person declined.
const DECLINED: i32 = -1;

/// The number of the error for a method that nobody knows.
const NO_SUCH_METHOD: i32 = -32601;

/// The client of `terms`, if it can be asked.
fn client<'a>(terms: &Terms<'a>) -> Result<&'a dyn Client, AskError> {
    let client = terms.client.ok_or_else(|| {
        let why = "no MCP client waits for an answer, so there is none whose model could be asked";
        AskError::NotOffered(format!("{why}; it is there only while a client calls a tool of `conclave mcp`"))
    })?;
    if client.offers_sampling() {
        return Ok(client);
    }
    let name = quote(client.name(), None);
    Err(AskError::NotOffered(format!(
        "the client `{name}` does not offer its model ({WITHDRAWN}); name another model in the settings"
    )))
}

/// The model of whichever client is being served.
pub struct Sampling {
    info: Info,
}

impl Sampling {
    /// The provider as `setting` wants it.
    pub fn new(setting: &SamplingSetting) -> Self {
        let can = Capabilities {
            schema: Some(false),
            log_probabilities: Some(false),
            usage: Some(false),
            tools: Some(false),
            context_tokens: None,
        };
        let info = Info {
            name: SAMPLING.to_owned(),
            kind: Kind::McpSampling,
            model: String::new(),
            place: "the connected MCP client".to_owned(),
            host: None,
            may_send_code: setting.may_send_code,
            can,
            price: None,
        };
        Self { info }
    }

    async fn answer(&self, call: Call<'_>) -> Result<Answer, AskError> {
        let Call { reach, request, on_delta, .. } = call;
        let until = Instant::now() + reach.terms.deadline;
        let client = client(&reach.terms)?;
        let form = Form::of(request)?;
        let mut answer = self.exchange(&reach, client, (request, None), until).await?;
        if let Some(why) = form.complaint(&answer) {
            let second = self.exchange(&reach, client, (request, Some(&why)), until).await?;
            answer = form.settled(&answer, second)?;
        }
        if let Answer::Text { text, .. } = &answer {
            on_delta(text);
        }
        Ok(answer)
    }

    /// One question and what comes of it; `wrong` is what was wrong with the answer before.
    async fn exchange(
        &self,
        reach: &Reach<'_>,
        client: &dyn Client,
        (request, wrong): (&ModelRequest, Option<&str>),
        until: Instant,
    ) -> Result<Answer, AskError> {
        let hold = match reach.terms.purse {
            Some(purse) => Some(purse.reserve(&self.info.name, &self.info.model, None).await?),
            None => None,
        };
        let result = self.put(reach, client, (request, wrong), until).await;
        let outcome = match &result {
            Ok(Answer::Text { .. }) => "answered",
            Ok(Answer::Refusal { .. }) => "declined",
            Err(error) => error.kind(),
        };
        match (hold, &result) {
            (Some(hold), Err(error)) if error.is_held_back() => hold.give_back(),
            (Some(hold), _) => hold.settle(Spent { cost: None, usage: None, outcome }),
            (None, _) => {}
        }
        result.map(|answer| answer.tidy(None)).map_err(|error| error.tidy(None))
    }

    async fn put(
        &self,
        reach: &Reach<'_>,
        client: &dyn Client,
        (request, wrong): (&ModelRequest, Option<&str>),
        until: Instant,
    ) -> Result<Answer, AskError> {
        let effect = self.effect(client, (request, wrong), &reach.terms, until)?;
        let leave = reach.gate.authorize(reach.actor.clone(), effect);
        let permit = timeout_at(until, leave).await.map_err(|_| AskError::Timeout(Waiting::Leave))??;
        let (seq, sent) = (permit.seq(), permit.effect().body.bytes().to_vec());
        let heard = match timeout_at(until, ask_client(permit, client)).await {
            Ok(heard) => heard.map_err(Silence::Client),
            Err(_) => Err(Silence::Late),
        };
        let result = match &heard {
            Ok(said) => answer::read(said, client.name()),
            Err(Silence::Late) => Err(AskError::Timeout(Waiting::End)),
            Err(Silence::Client(error)) => without_answer(error, client.name()),
        };
        let outcome = match &result {
            Ok(Answer::Text { .. }) => "answered".to_owned(),
            Ok(Answer::Refusal { .. }) => "declined".to_owned(),
            Err(error) => format!("no answer: {}", error.kind()),
        };
        reach.gate.note_outcome(seq, &outcome);
        if let Some(log) = reach.terms.log {
            let said = heard.map_or(outcome, |said| said.to_string());
            let response = match Body::redacted(said.into_bytes(), &reach.terms.secrets()) {
                Ok(body) => String::from_utf8_lossy(body.bytes()).into_owned(),
                Err(error) => format!("not kept: {error}"),
            };
            log(Exchanged { seq, request: String::from_utf8_lossy(&sent).into_owned(), response, status: None });
        }
        result
    }

    fn effect(
        &self,
        client: &dyn Client,
        (request, wrong): (&ModelRequest, Option<&str>),
        terms: &Terms<'_>,
        until: Instant,
    ) -> Result<AskClient, AskError> {
        let params = params(request, wrong).to_string().into_bytes();
        let body = Body::redacted(params, &terms.secrets()).map_err(|error| AskError::NotSent(error.to_string()))?;
        let about = terms.about;
        let facts = Facts {
            // Which model it is, is the client's choice.
            model: None,
            model_class: Some(ModelClass::Hosted),
            data: about.data.clone(),
            project: about.project.clone(),
            tier: about.tier.clone(),
            cost_usd: None,
        };
        Ok(AskClient {
            client: client.name().to_owned(),
            version: client.version().to_owned(),
            body,
            consent: if self.info.may_send_code { Consent::Settings } else { Consent::None },
            purpose: "ask the model of the connected MCP client".to_owned(),
            facts,
            within: until.saturating_duration_since(Instant::now()),
        })
    }
}

/// Why a question has no result.
enum Silence {
    Late,
    Client(ClientError),
}

/// What it means that the client gave `error` instead of a result.
fn without_answer(error: &ClientError, client: &str) -> Result<Answer, AskError> {
    match error {
        ClientError::Refused { code: DECLINED, message } => Ok(Answer::Refusal {
            reason: format!("declined at the client: {message}"),
            usage: None,
            model: client.to_owned(),
        }),
        ClientError::Refused { code: NO_SUCH_METHOD, .. } => Err(AskError::NotOffered(format!(
            "the client `{}` offers its model and does not know how ({WITHDRAWN})",
            quote(client, None)
        ))),
        ClientError::Refused { code, message } => Err(AskError::Ended {
            program: quote(client, None),
            how: format!("error {code}"),
            message: message.clone(),
        }),
        ClientError::Gone => Err(AskError::Cut),
        ClientError::Stale(_) | ClientError::Secret { .. } | ClientError::Unfit(_) => {
            Err(AskError::NotSent(error.to_string()))
        }
    }
}

/// The parameters of `sampling/createMessage`. No context of other servers, and no tools.
fn params(request: &ModelRequest, wrong: Option<&str>) -> Value {
    let said = |text: &str| json!({ "role": "user", "content": { "type": "text", "text": text } });
    let again = wrong.map(|why| {
        said(&format!(
            "Your answer was not used: {why}. Answer again with one JSON object of the form that was described, and \
             nothing before or after it."
        ))
    });
    let messages: Vec<Value> = [said(&request.user)].into_iter().chain(again).collect();
    let mut params = json!({ "messages": messages });
    if !request.system.is_empty() {
        params["systemPrompt"] = json!(request.system);
    }
    params["includeContext"] = json!("none");
    params["maxTokens"] = json!(request.max_tokens);
    params
}

impl Provider for Sampling {
    fn info(&self) -> &Info {
        &self.info
    }

    fn known_class(&self) -> ModelClass {
        ModelClass::Hosted
    }

    fn ask<'a>(&'a self, call: Call<'a>) -> Asking<'a, Answer> {
        Box::pin(self.answer(call))
    }

    fn sketch(&self, request: &ModelRequest, terms: &Terms<'_>) -> Result<Sketch, AskError> {
        let effect = self.effect(client(terms)?, (request, None), terms, Instant::now() + terms.deadline)?;
        let judged = effect.request(&Actor::Analyst(self.info.name.clone()));
        let redactions = effect.body.redactions().to_vec();
        Ok(Sketch { request: judged, bytes: effect.body.bytes().to_vec(), redactions })
    }

    fn check<'a>(&'a self, reach: &'a Reach<'a>) -> Asking<'a, Checked> {
        Box::pin(async {
            let client = client(&reach.terms)?;
            let found = format!("{} {}", quote(client.name(), None), quote(client.version(), None));
            Ok(Checked { found, warnings: vec![WITHDRAWN.to_owned()], models: Vec::new(), can: self.info.can })
        })
    }
}
