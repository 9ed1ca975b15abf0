//! A model behind an HTTP API.
//!
//! One question is one exchange; each exchange asks the gate anew, so each is in the ledger before it is sent. There are
//! more only where one gave nothing: without a field that the server refused, and at most two after a failure before the
//! first byte. After the first byte of an answer nothing is ever repeated; a whole answer that is not in the agreed form
//! is answered once with what is wrong with it. A model that wants to use tools is asked again with what they said.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use conclave_core::money::Money;
use conclave_core::settings::{DialectName, ModelSetting};
use conclave_effects::{
    Body, Consent, DataClass, Denied, Effect, Facts, Gate, HttpError, HttpResponse, Method, ModelClass, Permit, Secret,
    SendHttp, TimeoutKind, Timeouts, host_of, send,
};
use conclave_policy::Actor;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::{Answer, Usage};
use crate::catalogue::{self, Listing};
use crate::class::find_out;
use crate::dialect::openai_chat::Profile;
use crate::dialect::{Dialect, Extras, Item, MAX_ANSWER_BYTES, Question, Reply, Tooling, error_of};
use crate::discover::Address;
use crate::error::{AskError, Waiting, quote};
use crate::money::{Price, Spent};
use crate::probe::{Probed, probe};
use crate::provider::conversation::Conversation;
use crate::provider::form::Form;
use crate::provider::retry::{pause, retry_after};
use crate::provider::{Asking, Call, Capabilities, Checked, Info, Kind, Provider, Reach, Sketch};
use crate::request::{About, Exchanged, ModelRequest, Terms};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may fall silent in the middle of an answer.
const IDLE: Duration = Duration::from_secs(60);

/// As much of a refusal's body is read.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// As much of an answer is kept where answers are kept.
const MAX_KEPT_BYTES: usize = 1024 * 1024;

/// As much is read of what a server says of itself: a list of models may be long.
const MAX_METADATA_BYTES: u64 = 4 * 1024 * 1024;

/// Headers that say how a request is carried, or what it is believed for.
const OURS_ALONE: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "accept-encoding", "authorization", "cookie"];

/// A model at an address.
pub struct Api {
    info: Info,
    /// Where the API begins.
    base_url: String,
    dialect: &'static Dialect,
    profile: &'static Profile,
    /// Headers of the settings.
    headers: BTreeMap<String, String>,
    class: OnceCell<ModelClass>,
    /// What a model on this machine can do, once it has been tried.
    probed: OnceCell<Probed>,
}

impl Api {
    /// The model that `setting` names.
    pub fn new(setting: &ModelSetting) -> Self {
        let host = host_of(&setting.base_url).ok();
        let at = host.as_deref().unwrap_or_default();
        let (dialect, profile) = (Dialect::of(setting.dialect, at), Profile::of(at));
        let known = catalogue::known(setting);
        let info = Info {
            name: setting.name.clone(),
            kind: Kind::Api,
            model: setting.model.clone(),
            place: setting.base_url.split(['?', '#']).next().unwrap_or_default().to_owned(),
            host,
            may_send_code: setting.may_send_code,
            can: Capabilities {
                context_tokens: known.and_then(|entry| entry.context_tokens),
                ..Capabilities::default()
            },
            price: setting.price.map(Price::from).or_else(|| known?.price.clone()),
        };
        let (base_url, headers) = (setting.base_url.clone(), setting.headers.clone());
        Self { info, base_url, dialect, profile, headers, class: OnceCell::new(), probed: OnceCell::new() }
    }

    /// Whether the address is on this machine, as the gate will see it. Where the model runs is another question:
    /// [`Provider::class`].
    pub(crate) fn is_loopback(&self) -> bool {
        let about = About::default();
        let terms = Terms::new(&about, Duration::ZERO);
        let probe = post(self, ModelClass::Hosted, &terms, Body::default(), Duration::ZERO, Vec::new());
        let probe = probe.request(&Actor::Engine);
        probe.context.get("place").is_some_and(|place| place == "loopback")
    }

    /// The model's name at the other end.
    pub(crate) fn model(&self) -> &str {
        &self.info.model
    }

    /// Where its server begins, without what tells versions of its API apart.
    fn root(&self) -> &str {
        let base = self.base_url.trim_end_matches('/');
        ["/v1", "/v1beta", "/api"].iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base)
    }

    fn question<'a>(&'a self, request: &'a ModelRequest, extras: Extras, tooling: Tooling<'a>) -> Question<'a> {
        let context_tokens = self.info.can.context_tokens;
        Question { request, model: self.model(), profile: self.profile, extras, context_tokens, tooling }
    }

    /// The headers of a request: ours, those of the dialect, and those of the settings in their place or beside them.
    fn headers(&self) -> Result<Vec<(String, String)>, AskError> {
        let refused =
            |name: &str| OURS_ALONE.iter().chain([&self.dialect.key.0]).any(|ours| ours.eq_ignore_ascii_case(name));
        if let Some(name) = self.headers.keys().find(|name| refused(name)) {
            let why =
                format!("the header `{name}` of `{}` is not yours to set; take it out of the settings", self.info.name);
            return Err(AskError::NotSent(why));
        }
        let ours =
            [("content-type", "application/json"), ("accept", self.dialect.accept()), ("accept-encoding", "identity")];
        let ours = ours.iter().chain(self.dialect.headers);
        let kept = ours.filter(|(name, _)| !self.headers.keys().any(|other| other.eq_ignore_ascii_case(name)));
        let kept = kept.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Ok(kept.chain(self.headers.clone()).collect())
    }

    fn secret_headers(&self, key: Option<&Secret>) -> Vec<(String, Secret)> {
        let (name, prefix) = self.dialect.key;
        key.map(|key| (name.to_owned(), key.prefixed(prefix))).into_iter().collect()
    }

    async fn answer(&self, call: Call<'_>) -> Result<Answer, AskError> {
        let key = call.reach.terms.key.map(Secret::expose);
        match self.answer_in_form(call).await {
            Ok(answer) => Ok(answer.tidy(key)),
            Err(error) => Err(error.tidy(key)),
        }
    }

    /// An answer in the form that was asked for: the model is told once what is wrong with its first.
    async fn answer_in_form(&self, call: Call<'_>) -> Result<Answer, AskError> {
        let Call { reach, request, tools, on_delta } = call;
        let until = Instant::now() + reach.terms.deadline;
        let form = Form::of(request)?;
        let class = match self.class(&reach, until).await {
            Ok(class) => class,
            Err(_) if self.info.may_send_code => ModelClass::Hosted,
            Err(error) => return Err(error),
        };
        let cannot = |can: fn(&Capabilities) -> Option<bool>| {
            self.probed.get().is_some_and(|probed| can(&probed.can) == Some(false))
        };
        let (schema, tools_go) = (!cannot(|can| can.schema), !cannot(|can| can.tools));
        let extras = Extras { schema, ..Extras::ALL };
        let mut course = Course { reach: &reach, class, until, extras, tries: 0 };
        let mut conversation = Conversation::new(tools.filter(|_| tools_go));
        let first = loop {
            match self.try_hard(&mut course, request, conversation.tooling(), on_delta).await? {
                Reply::Answer(answer) => break conversation.counted(answer),
                Reply::Calls(calls) => conversation.carry_out(calls, until).await?,
            }
        };
        let Some(again) = form.repair(request, &first) else { return Ok(first) };
        conversation.close();
        let second = match self.try_hard(&mut course, &again, conversation.tooling(), &mut |_| {}).await? {
            Reply::Answer(answer) => answer,
            Reply::Calls(_) => return Err(AskError::WrongForm { why: "the model calls a tool instead".to_owned() }),
        };
        form.settled(&first, second)
    }

    /// A reply of any form, with another try where the first gave nothing.
    async fn try_hard(
        &self,
        course: &mut Course<'_>,
        request: &ModelRequest,
        tooling: Tooling<'_>,
        on_delta: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Reply, AskError> {
        loop {
            let &mut Course { reach, class, until, extras, tries } = course;
            let (gate, actor, terms) = (reach.gate, reach.actor.clone(), reach.terms);
            let question = self.question(request, extras, tooling);
            let exchange = Exchange { gate, actor, api: self, class, question, terms, until };
            let error = match exchange.run(on_delta).await {
                Ok(reply) => return Ok(reply),
                Err(Failure { error, may_repeat: false, .. }) => return Err(error),
                Err(Failure { error, .. }) => error,
            };
            if let Some(fewer) = self.dialect.without(&question, &error) {
                tracing::debug!(gen_ai.request.model = self.model(), ?fewer, "asking again without what was refused");
                course.extras = fewer;
                continue;
            }
            let left = until.saturating_duration_since(Instant::now());
            let Some(pause) = pause(&error, tries, left, random()) else { return Err(error) };
            course.tries += 1;
            sleep(pause).await;
        }
    }

    async fn look(&self, reach: &Reach<'_>) -> Result<Checked, AskError> {
        let until = Instant::now() + reach.terms.deadline;
        let url = self.dialect.models_url(&self.base_url);
        let (status, body) = about_itself(self, reach, url, None, until).await?;
        let mut doubt = None;
        let listed = match status {
            200 => {
                let list = serde_json::from_slice(&body).ok().filter(|list| self.dialect.is_list(list));
                self.dialect.models(&list.ok_or_else(|| self.foreign())?)
            }
            // Not every server has a list; every server of another dialect has none here.
            404 => {
                doubt = Some(format!(
                    "it has no list of models where {} has one; check the address and the dialect",
                    self.dialect.label()
                ));
                Vec::new()
            }
            _ => return Err(error_of(status, &body, self.model(), None)),
        };
        let models: Vec<String> = listed.iter().map(|name| quote(name, None)).collect();
        let wanted = self.model().strip_prefix("models/").unwrap_or(self.model());
        if let Listing::Missing { nearest } = catalogue::against(wanted, &models)
            && (catalogue::host_at(&self.base_url).is_some() || self.dialect.name == DialectName::Ollama)
        {
            // Other servers may have one model and answer to any name.
            return Err(AskError::NotFound { model: quote(wanted, None), nearest });
        }
        let today = catalogue::day(reach.gate.clock().now_ms());
        let remarks = catalogue::remarks(&quote(wanted, None), &self.base_url, &models, today);
        let warnings = doubt.into_iter().chain(remarks).collect();
        let found = match models.len() {
            0 => "it answers and lists no models".to_owned(),
            1 => "it answers and lists 1 model".to_owned(),
            count => format!("it answers and lists {count} models"),
        };
        Ok(Checked { found, warnings, models, can: self.can(reach, until).await })
    }

    /// What is said of a server that answers and does not speak the dialect: a page to log in, for example.
    fn foreign(&self) -> AskError {
        AskError::Malformed { why: format!("it does not speak {}", self.dialect.label()) }
    }

    /// What the model can do. One on this machine is tried, once; what that leaves open is as it was known before.
    async fn can(&self, reach: &Reach<'_>, until: Instant) -> Capabilities {
        let known = self.info.can;
        if self.class(reach, until).await.ok() != Some(ModelClass::Local) {
            return known;
        }
        let address = Address { url: &self.base_url, key: reach.terms.key };
        let probed = match self.probed.get_or_try_init(|| probe(reach, address, self.model(), until)).await {
            Ok(probed) => probed.can,
            Err(error) => {
                tracing::debug!(gen_ai.request.model = self.model(), %error, "what it can do was not found out");
                return known;
            }
        };
        Capabilities {
            schema: probed.schema.or(known.schema),
            log_probabilities: probed.log_probabilities.or(known.log_probabilities),
            usage: probed.usage.or(known.usage),
            tools: probed.tools.or(known.tools),
            context_tokens: probed.context_tokens.or(known.context_tokens),
        }
    }
}

/// A question on its way through as many exchanges as it takes.
struct Course<'a> {
    reach: &'a Reach<'a>,
    class: ModelClass,
    until: Instant,
    /// What the server has not refused.
    extras: Extras,
    /// Tries after the first.
    tries: usize,
}

/// A number from 0 to 1, of no use for secrets.
fn random() -> f64 {
    // A hasher that has been given nothing still has its random keys.
    let bits = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

impl Provider for Api {
    fn info(&self) -> &Info {
        &self.info
    }

    fn known_class(&self) -> ModelClass {
        self.class.get().copied().unwrap_or(ModelClass::Hosted)
    }

    fn is_class_known(&self) -> bool {
        self.class.initialized() || !self.is_loopback()
    }

    fn class<'a>(&'a self, reach: &'a Reach<'a>, until: Instant) -> Asking<'a, ModelClass> {
        Box::pin(async move { self.class.get_or_try_init(|| find_out(self, reach, until)).await.copied() })
    }

    fn ask<'a>(&'a self, call: Call<'a>) -> Asking<'a, Answer> {
        Box::pin(self.answer(call))
    }

    fn sketch(&self, request: &ModelRequest, terms: &Terms<'_>) -> Result<Sketch, AskError> {
        let body = body(&self.question(request, Extras::ALL, Tooling::default()), self, terms)?;
        let effect = post(self, self.known_class(), terms, body, terms.deadline, self.headers()?);
        let judged = effect.request(&Actor::Analyst(self.info.name.clone()));
        let redactions = effect.redactions().to_vec();
        Ok(Sketch { request: judged, bytes: effect.body.bytes().to_vec(), redactions })
    }

    fn check<'a>(&'a self, reach: &'a Reach<'a>) -> Asking<'a, Checked> {
        Box::pin(async move {
            let key = reach.terms.key.map(Secret::expose);
            self.look(reach).await.map_err(|error| error.tidy(key))
        })
    }
}

/// An exchange that gave no answer.
struct Failure {
    error: AskError,
    /// Whether nothing of an answer had come yet.
    may_repeat: bool,
    /// Whether it is certain that nobody counts it.
    is_free: bool,
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self { error, may_repeat: false, is_free: false }
    }
}

impl Failure {
    fn not_sent(error: AskError) -> Self {
        Self { error, may_repeat: false, is_free: true }
    }

    fn before_first_byte(error: AskError) -> Self {
        Self { error, may_repeat: true, is_free: true }
    }
}

/// What came back, as far as it is kept.
#[derive(Default)]
struct Heard {
    status: Option<u16>,
    bytes: Vec<u8>,
}

impl Heard {
    fn take(&mut self, bytes: &[u8], keep: bool) {
        let room = if keep { MAX_KEPT_BYTES.saturating_sub(self.bytes.len()) } else { 0 };
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// One request and what comes of it.
struct Exchange<'a> {
    gate: &'a Gate,
    actor: Actor,
    api: &'a Api,
    class: ModelClass,
    question: Question<'a>,
    terms: Terms<'a>,
    until: Instant,
}

impl Exchange<'_> {
    async fn run(self, on_delta: &mut (dyn FnMut(&str) + Send)) -> Result<Reply, Failure> {
        let info = &self.api.info;
        let price = if self.class == ModelClass::Local { Some(&Price::FREE) } else { info.price.as_ref() };
        let hold = match self.terms.purse {
            Some(purse) => {
                let beside = self.question.tooling.words();
                let most = price.and_then(|price| price.most_with(self.question.request, &beside));
                Some(purse.reserve(&info.name, &info.model, most).await.map_err(Failure::not_sent)?)
            }
            None => None,
        };
        let result = self.exchange(on_delta).await;
        match (hold, &result) {
            (Some(hold), Err(failure)) if failure.error.is_held_back() => hold.give_back(),
            (Some(hold), _) => hold.settle(spent(&result, price)),
            (None, _) => {}
        }
        result
    }

    async fn exchange(&self, on_delta: &mut (dyn FnMut(&str) + Send)) -> Result<Reply, Failure> {
        let effect = self.effect().map_err(Failure::not_sent)?;
        let leave = self.gate.authorize(self.actor.clone(), effect);
        let permit = match timeout_at(self.until, leave).await {
            Ok(decided) => decided.map_err(|denied| Failure::not_sent(refused(self.api, denied)))?,
            Err(_) => return Err(Failure::not_sent(AskError::Timeout(Waiting::Leave))),
        };
        let seq = permit.seq();
        let sent = self.terms.log.map(|_| permit.effect().body.bytes().to_vec());
        let mut heard = Heard::default();
        let result = self.carry_out(permit, on_delta, &mut heard).await;
        if let (Some(log), Some(sent)) = (self.terms.log, sent) {
            log(self.exchanged(seq, &sent, heard, result.as_ref().err()));
        }
        let outcome = match &result {
            Ok(Reply::Answer(Answer::Text { .. })) => "answered".to_owned(),
            Ok(Reply::Answer(Answer::Refusal { .. })) => "the model declined".to_owned(),
            Ok(Reply::Calls(calls)) => format!("the model calls {}", tools(calls.calls.len())),
            Err(failure) => format!("no answer: {}", failure.error.kind()),
        };
        tracing::debug!(gen_ai.request.model = self.api.model(), seq, outcome, "exchange ended");
        self.gate.note_outcome(seq, &outcome);
        result
    }

    fn effect(&self) -> Result<SendHttp, AskError> {
        let left = self.until.saturating_duration_since(Instant::now());
        let body = body(&self.question, self.api, &self.terms)?;
        Ok(post(self.api, self.class, &self.terms, body, left, self.api.headers()?))
    }

    /// What is kept of an exchange: the answer is looked through for secrets as the question was.
    fn exchanged(&self, seq: u64, sent: &[u8], heard: Heard, failure: Option<&Failure>) -> Exchanged {
        let response = match (heard.bytes.is_empty(), failure) {
            (true, Some(failure)) => format!("no answer: {}", failure.error.kind()),
            _ => match Body::redacted(heard.bytes, &self.terms.secrets()) {
                Ok(body) => String::from_utf8_lossy(body.bytes()).into_owned(),
                Err(error) => format!("not kept: {error}"),
            },
        };
        Exchanged { seq, request: String::from_utf8_lossy(sent).into_owned(), response, status: heard.status }
    }

    async fn carry_out(
        &self,
        permit: Permit<SendHttp>,
        on_delta: &mut (dyn FnMut(&str) + Send),
        heard: &mut Heard,
    ) -> Result<Reply, Failure> {
        let model = self.api.model();
        let keep = self.terms.log.is_some();
        let mut response = send(permit).await.map_err(|error| Failure::before_first_byte(broken(self.api, error)))?;
        heard.status = Some(response.status);
        if response.status != 200 {
            let wait = retry_after(&response.headers, self.gate.clock().now_ms());
            let status = response.status;
            let body = beginning(response).await;
            heard.take(&body, keep);
            return Err(Failure::before_first_byte(error_of(status, &body, model, wait)));
        }
        readable(&response.headers)?;
        let form = self.api.dialect.form(&self.question);
        let mut decoder = self.api.dialect.decoder(model, form);
        while !decoder.is_over() {
            let Some(bytes) = response.chunk().await.map_err(|error| broken(self.api, error))? else { break };
            heard.take(&bytes, keep);
            for item in decoder.push(&bytes) {
                if let Item::Text(text) = item {
                    on_delta(&text);
                }
            }
        }
        match self.question.offers() {
            [] => Ok(decoder.finish().map(Reply::Answer)?),
            _ => Ok(decoder.reply()?),
        }
    }
}

fn tools(calls: usize) -> String {
    if calls == 1 { "1 tool".to_owned() } else { format!("{calls} tools") }
}

/// Why the gate let nothing out.
fn refused(api: &Api, denied: Denied) -> AskError {
    // What names no host was judged as the worst, but what the person has to do is to correct it.
    if denied.request.context.get("host").is_none_or(|host| !host.is_empty()) {
        return AskError::Denied(denied);
    }
    let why = "it begins neither with `https://` nor, on this machine, with `http://`".to_owned();
    AskError::BadAddress { endpoint: api.info.name.clone(), why }
}

/// What an exchange came to. Where nothing was taken, nothing is counted; where an answer broke off, nobody here knows.
fn spent(result: &Result<Reply, Failure>, price: Option<&Price>) -> Spent {
    let of = |usage: &Option<Usage>, outcome| {
        let cost = usage.as_ref().and_then(|usage| price?.cost(usage));
        Spent {
            cost: cost.or(price.filter(|price| **price == Price::FREE).map(|_| Money::ZERO)),
            usage: *usage,
            outcome,
        }
    };
    match result {
        Ok(Reply::Answer(Answer::Text { usage, .. })) => of(usage, "answered"),
        Ok(Reply::Answer(Answer::Refusal { usage, .. })) => of(usage, "declined"),
        Ok(Reply::Calls(calls)) => of(&calls.usage, "called tools"),
        Err(Failure { error, is_free: true, .. }) => {
            Spent { cost: Some(Money::ZERO), usage: None, outcome: error.kind() }
        }
        Err(Failure { error, .. }) => of(&None, error.kind()),
    }
}

fn broken(api: &Api, error: HttpError) -> AskError {
    let (name, address) = (api.info.name.clone(), api.info.place.clone());
    match error {
        HttpError::BadUrl { reason } => AskError::BadAddress { endpoint: name, why: reason },
        HttpError::BadHeader { name } if name == api.dialect.key.0 => AskError::Unauthorised,
        HttpError::Connect { .. } => AskError::Unreachable { address },
        HttpError::Tls { .. } => AskError::Certificate { address },
        HttpError::Timeout(TimeoutKind::Connect) => AskError::Timeout(Waiting::Connection),
        HttpError::Timeout(TimeoutKind::FirstByte) => AskError::Timeout(Waiting::FirstByte),
        HttpError::Timeout(TimeoutKind::Idle) => AskError::Timeout(Waiting::NextByte),
        HttpError::Timeout(TimeoutKind::Total) => AskError::Timeout(Waiting::End),
        HttpError::TooLarge { max } => AskError::TooLarge { max_bytes: max },
        HttpError::Broken(_) => AskError::Cut,
        error @ (HttpError::Stale(_)
        | HttpError::BadProxy { .. }
        | HttpError::BadRoots { .. }
        | HttpError::BadHeader { .. }
        | HttpError::Secret { .. }
        | HttpError::Unscannable(_)
        | HttpError::OtherHost { .. }) => AskError::NotSent(error.to_string()),
    }
}

/// What the server of `api` answers to a question about itself at a path, a POST where there is a body; `None` when
/// it answers something that is no JSON, or that it has no such path.
pub(crate) async fn metadata(
    api: &Api,
    reach: &Reach<'_>,
    (path, body): (&str, Option<Value>),
    until: Instant,
) -> Result<Option<Value>, AskError> {
    let (status, body) = about_itself(api, reach, format!("{}{path}", api.root()), body, until).await?;
    Ok(if status == 200 { serde_json::from_slice(&body).ok() } else { None })
}

/// The status and the body with which the server of `api` answers a question about itself.
async fn about_itself(
    api: &Api,
    reach: &Reach<'_>,
    url: String,
    body: Option<Value>,
    until: Instant,
) -> Result<(u16, Vec<u8>), AskError> {
    let (gate, terms) = (reach.gate, &reach.terms);
    let left = until.saturating_duration_since(Instant::now());
    let bytes = body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let effect = SendHttp {
        method: if body.is_some() { Method::Post } else { Method::Get },
        url,
        headers: api.headers()?,
        secret_headers: api.secret_headers(terms.key),
        body: Body::redacted(bytes, &terms.secrets()).map_err(|error| broken(api, error))?,
        consent: Consent::Settings,
        purpose: format!("ask what the server of {} says of {}", api.info.name, api.model()),
        facts: Facts { data: vec![DataClass::Metadata], ..Facts::default() },
        proxy: terms.proxy.map(str::to_owned),
        tls_roots: terms.tls_roots.cloned(),
        timeouts: Timeouts { connect: CONNECT.min(left), first_byte: left, idle: left, total: left },
        max_response_bytes: MAX_METADATA_BYTES,
    };
    let permit = gate.authorize(Actor::Engine, effect).await.map_err(|denied| refused(api, denied))?;
    let seq = permit.seq();
    let answer = match send(permit).await {
        Ok(response) => whole(response).await.map_err(|error| broken(api, error)),
        Err(error) => Err(broken(api, error)),
    };
    let outcome = match &answer {
        Ok((200, _)) => "answered".to_owned(),
        Ok(_) => "it does not say".to_owned(),
        Err(error) => format!("no answer: {}", error.kind()),
    };
    gate.note_outcome(seq, &outcome);
    answer
}

/// The status and the whole body of an answer.
async fn whole(mut response: HttpResponse) -> Result<(u16, Vec<u8>), HttpError> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await? {
        body.extend_from_slice(&bytes);
    }
    Ok((response.status, body))
}

fn body(question: &Question<'_>, api: &Api, terms: &Terms<'_>) -> Result<Body, AskError> {
    let bytes = api.dialect.body(question).to_string().into_bytes();
    Body::redacted(bytes, &terms.secrets()).map_err(|error| broken(api, error))
}

fn post(
    api: &Api,
    class: ModelClass,
    terms: &Terms<'_>,
    body: Body,
    left: Duration,
    headers: Vec<(String, String)>,
) -> SendHttp {
    let about = terms.about;
    // Whoever sets up a model consents to its use on this machine; elsewhere it takes the word that code may go there.
    let consented = api.info.may_send_code || class == ModelClass::Local;
    let facts = Facts {
        model: Some(api.info.model.clone()),
        model_class: Some(class),
        data: about.data.clone(),
        project: about.project.clone(),
        tier: about.tier.clone(),
        cost_usd: None,
    };
    SendHttp {
        method: Method::Post,
        url: api.dialect.url(&api.base_url, api.model()),
        headers,
        secret_headers: api.secret_headers(terms.key),
        body,
        consent: if consented { Consent::Settings } else { Consent::None },
        purpose: format!("ask the model {} at {}", api.model(), api.info.name),
        facts,
        proxy: terms.proxy.map(str::to_owned),
        tls_roots: terms.tls_roots.cloned(),
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
    let streams = ["text/event-stream", "application/x-ndjson", "application/json"];
    if streams.contains(&essence) || essence.ends_with("+json") {
        return Ok(());
    }
    Err(AskError::malformed(format!("it is of the type `{essence}`")))
}
