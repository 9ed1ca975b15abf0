//! A model file on this machine, run by Conclave's own worker.
//!
//! There is one worker for each file. It is started when it is first asked, in the sandbox and without a network, kept
//! from then on, and ended when nobody has asked it for a while. A worker that dies is the end of the questions that it
//! was answering and of nothing else: the next one finds a new worker, unless several died in a short time.
//!
//! Each question passes the gate by itself, as one that is sent to a server does; starting the worker passes it too.

mod alive;
mod found;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use conclave_core::local::{Ask, Done, FailKind, Loaded, Reply, Request, Stop};
use conclave_core::money::Money;
use conclave_core::settings::LocalSetting;
use conclave_effects::{Body, Effect, Facts, Gate, ModelClass, Permit, StartWorker, TellWorker, WorkerError, resolve};
use conclave_policy::Actor;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::answer::{Answer, Form, Usage};
use crate::error::{AskError, Waiting, quote};
use crate::money::{Price, Spent};
use crate::provider::{Asking, Call, Capabilities, Checked, Info, Kind, Provider, Reach, Sketch};
use crate::request::{Exchanged, ModelRequest, Terms};

use alive::{Alive, Asked, Command, Fault, Handle, Status};
use found::words;
pub use found::{Place, inspect};

/// How far a further answer to the same question may stray.
const SAMPLE_TEMPERATURE: f32 = 0.5;
/// So many workers may die within [`MEMORY`] before the model is left alone.
const MOST_DEATHS: usize = 3;
/// How long a death is remembered.
const MEMORY: Duration = Duration::from_secs(300);

/// A model file.
pub struct Local {
    info: Info,
    setting: LocalSetting,
    place: Place,
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    alive: Option<Alive>,
    deaths: Vec<Instant>,
}

impl Local {
    /// The model that `setting` names, run by the worker at `place`.
    pub fn new(setting: &LocalSetting, place: Place) -> Self {
        let file = Path::new(&setting.file);
        let model = file.file_name().map_or_else(|| setting.file.clone(), |name| name.to_string_lossy().into_owned());
        let can = Capabilities {
            schema: Some(true),
            log_probabilities: Some(true),
            usage: Some(true),
            tools: Some(false),
            context_tokens: setting.context_tokens,
        };
        let info = Info {
            name: setting.name.clone(),
            kind: Kind::Local,
            model,
            place: setting.file.clone(),
            host: None,
            may_send_code: true,
            can,
            price: Some(Price::FREE),
        };
        Self { info, setting: setting.clone(), place, next: AtomicU64::new(1), state: Mutex::default() }
    }

    async fn answer(&self, call: Call<'_>) -> Result<Answer, AskError> {
        let hold = match call.reach.terms.purse {
            Some(purse) => Some(purse.reserve(&self.info.name, &self.info.model, Some(Money::ZERO)).await?),
            None => None,
        };
        let result = self.exchange(call).await;
        let (usage, outcome) = match &result {
            Ok(Answer::Text { usage, .. }) => (*usage, "answered"),
            Ok(Answer::Refusal { usage, .. }) => (*usage, "declined"),
            Err(error) => (None, error.kind()),
        };
        match (hold, &result) {
            (Some(hold), Err(error)) if error.is_held_back() => hold.give_back(),
            (Some(hold), _) => hold.settle(Spent { cost: Some(Money::ZERO), usage, outcome }),
            (None, _) => {}
        }
        result
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Answer, AskError> {
        let Call { reach, request, on_delta, .. } = call;
        let until = Instant::now() + reach.terms.deadline;
        let mut schema = request.schema.as_ref();
        loop {
            let (handle, _) = self.ready(&reach, until).await?;
            let told = self.told(request, schema, &reach.terms)?;
            let leave = reach.gate.authorize(reach.actor.clone(), told.effect);
            let permit = timeout_at(until, leave).await.map_err(|_| AskError::Timeout(Waiting::Leave))??;
            let (seq, sent) = (permit.seq(), permit.effect().body.bytes().to_vec());
            let said = self.put(&handle, permit, told.id, on_delta, until).await;
            let outcome = match &said {
                Ok(_) => "answered".to_owned(),
                Err(Unsaid::Again) => "the worker had just stopped, and is asked again".to_owned(),
                Err(Unsaid::NoSchema(_)) => "the schema cannot be held to".to_owned(),
                Err(Unsaid::Error(error)) => format!("no answer: {}", error.kind()),
            };
            reach.gate.note_outcome(seq, &outcome);
            if let Some(log) = reach.terms.log {
                let response = said.as_ref().map_or(outcome, |done| serde_json::to_string(done).unwrap_or_default());
                let response = match Body::redacted(response.into_bytes(), &reach.terms.secrets()) {
                    Ok(body) => String::from_utf8_lossy(body.bytes()).into_owned(),
                    Err(error) => format!("not kept: {error}"),
                };
                log(Exchanged { seq, request: String::from_utf8_lossy(&sent).into_owned(), response, status: None });
            }
            match said {
                Ok(done) => return self.read(done, schema.is_some()),
                Err(Unsaid::Again) => {}
                // As with a server that refuses it: the question describes the form as well.
                Err(Unsaid::NoSchema(_)) if schema.is_some() => schema = None,
                Err(Unsaid::NoSchema(why)) => return Err(AskError::WrongForm { why }),
                Err(Unsaid::Error(error)) => return Err(error),
            }
        }
    }

    /// Puts one question and hears the answer. Dropped, it gives the question up.
    async fn put(
        &self,
        handle: &Handle,
        permit: Permit<TellWorker>,
        id: u64,
        on_delta: &mut (dyn FnMut(&str) + Send),
        until: Instant,
    ) -> Result<Done, Unsaid> {
        let (give, mut replies) = mpsc::unbounded_channel();
        let (tell, told) = oneshot::channel();
        let _asked = Asked::new(handle, Command::Ask { permit: Box::new(permit), id, replies: give, told: tell }, id);
        match told.await {
            Ok(Ok(())) => {}
            Ok(Err(WorkerError::Ended)) => return Err(self.over(handle).await.into()),
            Ok(Err(error)) => return Err(AskError::NotSent(error.to_string()).into()),
            Err(_) => {
                // Nobody had asked it for a while, and it ended just now.
                let is_stopped = matches!(handle.over().await, Fault::Stopped);
                return Err(if is_stopped { Unsaid::Again } else { self.over(handle).await.into() });
            }
        }
        let mut has_begun = false;
        loop {
            let Ok(reply) = timeout_at(until, replies.recv()).await else {
                return Err(AskError::Timeout(if has_begun { Waiting::End } else { Waiting::FirstByte }).into());
            };
            match reply {
                Some(Reply::Delta { text, .. }) => {
                    has_begun = true;
                    on_delta(&text);
                }
                Some(Reply::Done(done)) => return Ok(done),
                Some(Reply::Failed { kind: FailKind::BadSchema, why, .. }) if !has_begun => {
                    return Err(Unsaid::NoSchema(quote(&why, None)));
                }
                Some(Reply::Failed { kind, why, .. }) => {
                    return Err(Fault::Failed(kind, why).error(&self.info).into());
                }
                Some(Reply::Inspected(_) | Reply::Loaded(_)) => {}
                None => return Err(self.over(handle).await.into()),
            }
        }
    }

    fn read(&self, done: Done, is_held: bool) -> Result<Answer, AskError> {
        tracing::debug!(
            gen_ai.request.model = self.info.model,
            gen_ai.usage.input_tokens = done.usage.input,
            gen_ai.usage.output_tokens = done.usage.output,
            cached = done.usage.cached,
            log_probability = ?done.log_probability,
            "answered on this machine"
        );
        match done.stop {
            Stop::Length => Err(AskError::Truncated),
            Stop::Cancelled => Err(AskError::Cut),
            Stop::End if done.text.trim().is_empty() => Err(AskError::Empty),
            Stop::End => Ok(Answer::Text {
                text: done.text,
                form: if is_held { Form::Schema } else { Form::Free },
                usage: Some(Usage {
                    input_tokens: done.usage.input.into(),
                    output_tokens: done.usage.output.into(),
                    cached_tokens: done.usage.cached.into(),
                    reasoning_tokens: 0,
                }),
                model: self.info.model.clone(),
            }),
        }
    }

    /// A worker that has loaded the model.
    async fn ready(&self, reach: &Reach<'_>, until: Instant) -> Result<(Handle, Loaded), AskError> {
        let mut handle =
            timeout_at(until, self.alive(reach.gate)).await.map_err(|_| AskError::Timeout(Waiting::Leave))??;
        // It goes on loading for the next question when this one has no more time.
        let loaded = timeout_at(until, handle.loaded()).await.map_err(|_| AskError::Timeout(Waiting::FirstByte))?;
        loaded.map(|loaded| (handle, loaded)).map_err(|fault| fault.error(&self.info))
    }

    /// The worker, started if there is none.
    async fn alive(&self, gate: &Gate) -> Result<Handle, AskError> {
        let mut state = self.state.lock().await;
        if let Some(handle) = state.alive.as_ref().map(Alive::handle) {
            let Status::Over(fault) = handle.status() else { return Ok(handle) };
            state.alive = None;
            if matches!(fault, Fault::Died { .. }) {
                state.deaths.push(Instant::now());
            }
        }
        state.deaths.retain(|death| death.elapsed() < MEMORY);
        if state.deaths.len() >= MOST_DEATHS {
            let left = MEMORY.saturating_sub(state.deaths[0].elapsed());
            let failures = u32::try_from(state.deaths.len()).unwrap_or(u32::MAX);
            return Err(AskError::Resting { name: self.info.name.clone(), failures, left });
        }
        let (program, file) = (self.place.program()?.to_owned(), self.file()?);
        let effect = StartWorker { program, model: file.clone(), folder: self.place.folder.clone() };
        let permit = gate.authorize(Actor::Engine, effect).await?;
        let load = Request::Load {
            model: file.to_string_lossy().into_owned(),
            context: self.setting.context_tokens,
            threads: self.setting.threads,
            cache: self.place.folder.as_ref().map(|_| conclave_effects::sandbox::WORK.to_owned()),
        };
        let alive = Alive::start(gate.clone(), permit, &load);
        let handle = alive.handle();
        state.alive = Some(alive);
        Ok(handle)
    }

    fn file(&self) -> Result<PathBuf, AskError> {
        resolve(Path::new(&self.setting.file)).map_err(|_| {
            let file = quote(&self.setting.file, None);
            AskError::NotInstalled(format!("there is no model file `{file}`; choose it again in the settings"))
        })
    }

    /// The question as the worker takes it, with what is known of it.
    fn told(&self, request: &ModelRequest, schema: Option<&Value>, terms: &Terms<'_>) -> Result<Told, AskError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let ask = Request::Ask(Ask {
            id,
            system: request.system.clone(),
            user: request.user.clone(),
            schema: schema.cloned(),
            max_tokens: request.max_tokens,
            temperature: if request.sample == 0 { 0.0 } else { SAMPLE_TEMPERATURE },
            seed: u64::from(request.sample),
            samples: 1,
        });
        let line = serde_json::to_vec(&ask).map_err(|error| AskError::NotSent(error.to_string()))?;
        let body = Body::redacted(line, &terms.secrets()).map_err(|error| AskError::NotSent(error.to_string()))?;
        let about = terms.about;
        let facts = Facts {
            model: Some(self.info.model.clone()),
            model_class: Some(ModelClass::Local),
            data: about.data.clone(),
            project: about.project.clone(),
            tier: about.tier.clone(),
            cost_usd: None,
        };
        let purpose = format!("ask the model {} on this machine", self.info.name);
        Ok(Told { id, effect: TellWorker { program: self.place.program()?.to_owned(), body, facts, purpose } })
    }

    async fn over(&self, handle: &Handle) -> AskError {
        handle.over().await.error(&self.info)
    }
}

/// Why there is no answer.
enum Unsaid {
    /// The worker ended before it was asked, without fault.
    Again,
    /// The schema cannot be held to.
    NoSchema(String),
    /// Whatever else.
    Error(AskError),
}

impl From<AskError> for Unsaid {
    fn from(error: AskError) -> Self {
        Self::Error(error)
    }
}

struct Told {
    id: u64,
    effect: TellWorker,
}

impl Provider for Local {
    fn info(&self) -> &Info {
        &self.info
    }

    fn known_class(&self) -> ModelClass {
        ModelClass::Local
    }

    fn ask<'a>(&'a self, call: Call<'a>) -> Asking<'a, Answer> {
        Box::pin(self.answer(call))
    }

    fn sketch(&self, request: &ModelRequest, terms: &Terms<'_>) -> Result<Sketch, AskError> {
        let Told { effect, .. } = self.told(request, request.schema.as_ref(), terms)?;
        let judged = effect.request(&Actor::Analyst(self.info.name.clone()));
        let redactions = effect.body.redactions().to_vec();
        Ok(Sketch { request: judged, bytes: effect.body.bytes().to_vec(), redactions })
    }

    fn check<'a>(&'a self, reach: &'a Reach<'a>) -> Asking<'a, Checked> {
        Box::pin(async move {
            let file = inspect(reach, &self.place, &self.file()?, self.setting.context_tokens).await?;
            let mut warnings = Vec::new();
            if !file.chat_template {
                warnings.push("it has no chat template and cannot be asked; use an instruct model".to_owned());
            }
            if file.licence.is_none() {
                warnings.push("it does not name its licence".to_owned());
            }
            let can = Capabilities { context_tokens: Some(file.context), ..self.info.can };
            Ok(Checked { found: words(&file), warnings, models: vec![self.info.model.clone()], can })
        })
    }

    fn is_loaded(&self) -> Option<bool> {
        // Who is starting it, or ending it, holds the lock.
        let state = self.state.try_lock().ok();
        let status = state.and_then(|state| state.alive.as_ref().map(|alive| alive.handle().status()));
        Some(matches!(status, Some(Status::Ready(_))))
    }

    fn start<'a>(&'a self, reach: &'a Reach<'a>) -> Asking<'a, ()> {
        let until = Instant::now() + reach.terms.deadline;
        Box::pin(async move { self.ready(reach, until).await.map(drop) })
    }

    fn stop(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let alive = self.state.lock().await.alive.take();
            if let Some(alive) = alive {
                alive.stop().await;
            }
        })
    }
}
