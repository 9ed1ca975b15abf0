//! A model behind a program on this machine: Claude Code, Codex, Gemini CLI, or any other by its arguments.
//!
//! One question is one run of the program, in the sandbox, with no tools, no project, no configuration but ours, and one
//! host that it can reach. Each run asks the gate anew, as what is sent to that host. What the program prints is read
//! strictly: whatever is not plainly an answer is none.
//!
//! Where its model may use tools, the program is given one more way out, which ends in this process: [`server`].
//!
//! What programs differ in is one file each below [`program`]: how they are told what they may not do, and how their
//! output is read. A flag that an installed version does not know is never left out; that version is not used.
//!
//! Deliberately absent: streaming (what a program prints on its way is no answer yet) and any shell.

mod claude;
mod codex;
mod gemini;
mod generic;
mod program;
mod server;
#[cfg(test)]
mod tests;
mod version;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use conclave_core::money::Money;
use conclave_core::settings::CliSetting;
use conclave_effects::{
    AgentError, AgentLimits, AgentReport, Body, Connections, Consent, Effect, Exit, Facts, HttpError, Installed, Lines,
    ModelClass, Permit, RunAgent, SandboxError, Secret, host_of, probe, run, run_agent, url_inside,
};
use conclave_policy::Actor;
use tokio::sync::{RwLock, watch};
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::{Answer, Form as Held};
use crate::catalogue::price;
use crate::dialect::Tooling;
use crate::error::{AskError, Waiting, quote};
use crate::money::Spent;
use crate::provider::form::Form;
use crate::provider::{Asking, Call, Capabilities, Checked, Info, Kind, Provider, Reach, Sketch};
use crate::request::{Exchanged, ModelRequest, Terms};

use program::{Asked, Offered, Outcome, Plan, Program, Ran, SYSTEM_FILE, Said};
use server::Server;
use version::Version;

/// Most that is kept of each output of a program, in bytes.
const MOST_OUTPUT: usize = 8 << 20;

/// A program is not started when less time is left.
const LEAST_TIME: Duration = Duration::from_millis(100);

/// So many questions are paid for where a model uses tools; a program that counts money ends at their sum.
const QUESTIONS_WITH_TOOLS: u64 = 4;

/// A model behind a program.
pub struct Cli {
    info: Info,
    setting: CliSetting,
    program: &'static Program,
    /// Conclave's own program, which stands between the program and the one host; `None` where it was not found.
    guest: Option<PathBuf>,
    /// The version that was found last, and what it was found of.
    version: Mutex<Option<(String, Version)>>,
    /// Told when all runs are to end.
    stopping: watch::Sender<()>,
    /// Held by each run.
    running: RwLock<()>,
}

/// What a program is run with beside its question.
struct With<'a> {
    server: Option<&'a Server>,
    guest: &'a Path,
}

/// A program that is ready to be asked.
struct Ready<'a> {
    installed: Installed,
    version: String,
    guest: &'a Path,
}

/// Where the program goes, and as whom.
struct Way<'a> {
    url: String,
    /// The address as the program knows it, where it has to be told.
    inside: Option<String>,
    key: Option<&'a Secret>,
    login: Option<(PathBuf, String)>,
}

impl Cli {
    /// The model that `setting` names, with Conclave's own program `guest` in the sandbox beside it.
    pub fn new(setting: &CliSetting, guest: Option<PathBuf>) -> Self {
        let program = program::of(setting.kind);
        let url = setting.base_url.as_deref().unwrap_or(program.url);
        let info = Info {
            name: setting.name.clone(),
            kind: Kind::Cli,
            model: setting.model.clone().unwrap_or_default(),
            place: setting.command.clone().unwrap_or_else(|| program.command.to_owned()),
            host: host_of(url).ok(),
            may_send_code: setting.may_send_code,
            can: Capabilities {
                schema: Some(program.has_schema),
                log_probabilities: Some(false),
                usage: Some(program.counts),
                tools: Some(program.has_tools),
                context_tokens: None,
            },
            price: setting.model.as_deref().and_then(|model| price(model, url)).cloned(),
        };
        Self {
            info,
            setting: setting.clone(),
            program,
            guest,
            version: Mutex::default(),
            stopping: watch::Sender::new(()),
            running: RwLock::default(),
        }
    }

    fn installed(&self, project: Option<&str>) -> Result<Installed, AskError> {
        let command = self.info.place.as_str();
        // A project does not choose our programs.
        let project = Path::new(project.unwrap_or("/nowhere"));
        let missing = || {
            let known = self.setting.command.as_ref().map_or("on your search path", |_| "where your settings say");
            AskError::NotInstalled(format!("`{}` is not {known}; {}", quote(command, None), self.program.install))
        };
        if command.is_empty() {
            let why = "the settings name no `command`; name the program".to_owned();
            return Err(AskError::NotInstalled(why));
        }
        Installed::find(command, project).ok_or_else(missing)
    }

    /// The program with its version, which is asked for where it is not known yet.
    async fn ready(&self, reach: &Reach<'_>, until: Instant) -> Result<Ready<'_>, AskError> {
        // It looks at the machine, which may take a moment.
        probe().map_err(|error| self.not_run(error))?;
        let guest = self.guest.as_deref().ok_or_else(|| {
            let why =
                "Conclave\u{2019}s own program `conclave` is not beside this one; a program is not run without it";
            AskError::NotInstalled(why.to_owned())
        })?;
        let installed = self.installed(reach.terms.about.project.as_deref())?;
        let state = installed.state();
        let known = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let version = match known {
            Some((of, version)) if of == state => version,
            _ => {
                let version = self.ask_version(reach, &installed, until).await?;
                *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some((state, version.clone()));
                version
            }
        };
        if !version.is_at_least(self.program.oldest) {
            let Program { title, oldest: (major, minor, patch), .. } = self.program;
            let needed = format!("{title} {major}.{minor}.{patch} or newer is needed");
            let why =
                format!("`{}` has the version {version}; {needed}: an older one cannot be held back", self.info.place);
            return Err(AskError::NotInstalled(why));
        }
        Ok(Ready { installed, version: version.to_string(), guest })
    }

    async fn ask_version(&self, reach: &Reach<'_>, of: &Installed, until: Instant) -> Result<Version, AskError> {
        let left = until.saturating_duration_since(Instant::now());
        // It is Conclave that wants to know, whoever asks the model.
        let leave = reach.gate.authorize(Actor::Engine, of.ask_version(left));
        let permit = timeout_at(until, leave).await.map_err(|_| AskError::Timeout(Waiting::Leave))??;
        let seq = permit.seq();
        let said = run(permit).await;
        let outcome = match &said {
            Ok(report) => format!("it ended: {}", ending(report.status)),
            Err(_) => "it did not run".to_owned(),
        };
        reach.gate.note_outcome(seq, &outcome);
        let report = said.map_err(|error| self.not_run(error))?;
        let words = String::from_utf8_lossy(&report.stdout);
        match (report.status, Version::in_words(&words)) {
            (Exit::Code(0), Some(version)) => Ok(version),
            (Exit::Code(0), None) if self.program.oldest == (0, 0, 0) => Ok(Version::UNKNOWN),
            (Exit::TimedOut, _) => Err(AskError::Timeout(Waiting::FirstByte)),
            (status, _) => {
                let words = String::from_utf8_lossy(&report.stderr);
                let why = format!(
                    "`{} --version` gives no version ({}): `{}`; {}",
                    self.info.place,
                    ending(status),
                    quote(&words, None),
                    self.program.install
                );
                Err(AskError::NotInstalled(why))
            }
        }
    }

    fn not_run(&self, error: SandboxError) -> AskError {
        match error {
            SandboxError::Unavailable { reason } => {
                AskError::NotInstalled(format!("programs are not run without a sandbox: {reason}"))
            }
            SandboxError::NotFound { program } => AskError::NotInstalled(format!("`{program}` cannot be started")),
            error @ (SandboxError::Stale(_) | SandboxError::Io { .. }) => AskError::NotSent(error.to_string()),
        }
    }

    /// Where the program goes: with a key to the address of the settings or its usual one, with its own login to that of
    /// the login alone.
    fn way<'a>(&self, key: Option<&'a Secret>) -> Result<Way<'a>, AskError> {
        let bad = |error: HttpError| AskError::BadAddress { endpoint: self.info.name.clone(), why: error.to_string() };
        let own = self.setting.base_url.as_deref();
        let login = self.program.login.filter(|_| own.is_none());
        let login = login.and_then(|login| Some((login, login.place()?)));
        let (url, login) = match (key, login) {
            (None, Some((login, file))) => (login.url, Some((file, login.file.to_owned()))),
            (None, None) if own.is_none() => {
                let Program { title, .. } = self.program;
                let host = self.info.host.as_deref().unwrap_or_default();
                return Err(AskError::NoKey(format!(
                    "there is no key for `{host}`, and {title} is not logged in; set a key, or log in with {title}"
                )));
            }
            (_, _) => (own.unwrap_or(self.program.url), None),
        };
        let inside = url_inside(url).map_err(bad)?;
        let told = own.is_some() || self.program.wants_url;
        Ok(Way { url: url.to_owned(), inside: told.then_some(inside), key, login })
    }

    /// What a run costs at most, where the price is known. One whose model may use tools asks it several times.
    fn most(&self, request: &ModelRequest, server: Option<&Server>) -> Option<Money> {
        let price = self.info.price.as_ref()?;
        let Some(server) = server else { return price.most(request) };
        let words = Tooling { offers: server.offers(), ..Tooling::default() }.words();
        price.most_with(request, &words)?.micros().checked_mul(QUESTIONS_WITH_TOOLS).map(Money::from_micros)
    }

    fn plan(&self, request: &ModelRequest, way: &Way<'_>, left: Duration, with: With<'_>) -> Result<Plan, AskError> {
        let With { server, guest } = with;
        let own = self.setting.system_prompt.as_deref().unwrap_or_default();
        let system = [own, &request.system].map(str::trim).into_iter().filter(|part| !part.is_empty());
        let system = system.collect::<Vec<_>>().join("\n\n");
        let (most, url) = (self.most(request, server), way.inside.as_deref());
        let (by_login, system) = (way.login.is_some(), system.as_str());
        let offered = server.map(|server| Offered { offers: server.offers(), most_calls: server.most_calls(), guest });
        let asked = Asked { setting: &self.setting, request, system, url, by_login, most, left, offered };
        let plan = (self.program.plan)(&asked);
        // It would be cut, or refused after it was paid for.
        if plan.input.len() > self.program.most_input { Err(AskError::TooLong) } else { Ok(plan) }
    }

    fn effect(
        &self,
        request: &ModelRequest,
        terms: &Terms<'_>,
        ready: Ready<'_>,
        left: Duration,
        server: Option<&Arc<Server>>,
    ) -> Result<(RunAgent, bool), AskError> {
        let way = self.way(terms.key)?;
        let with = With { server: server.map(|server| &**server), guest: ready.guest };
        let Plan { args, mut env, key_name, files, input, is_held } = self.plan(request, &way, left, with)?;
        let secrets = terms.secrets();
        let body = |text: String| Body::redacted(text.into_bytes(), &secrets).map_err(unfit);
        let files: Result<Vec<_>, AskError> = files.into_iter().map(|(path, text)| Ok((path, body(text)?))).collect();
        let secret_env: Vec<(String, Secret)> =
            way.key.map(|key| (key_name.clone(), key.prefixed(""))).into_iter().collect();
        // A server that wants no key is asked with one that is none: programs do not start without.
        if secret_env.is_empty() && way.login.is_none() {
            env.push((key_name, "none".to_owned()));
        }
        let about = terms.about;
        let facts = Facts {
            model: Some(self.info.model.clone()).filter(|model| !model.is_empty()),
            model_class: Some(ModelClass::Hosted),
            data: about.data.clone(),
            project: about.project.clone(),
            tier: about.tier.clone(),
            cost_usd: None,
        };
        let effect = RunAgent {
            program: ready.installed,
            args,
            version: ready.version,
            env,
            secret_env,
            files: files?,
            login: way.login,
            body: body(input)?,
            url: way.url,
            proxy: terms.proxy.map(str::to_owned),
            consent: if self.info.may_send_code { Consent::Settings } else { Consent::None },
            purpose: format!("ask the model {} by {}", self.info.model, self.info.name),
            facts,
            limits: AgentLimits {
                wall: left,
                memory_bytes: self.program.memory_bytes,
                processes: 256,
                file_bytes: 256 << 20,
                output_bytes: MOST_OUTPUT,
            },
            guest: ready.guest.to_owned(),
            lines: server.map(|server| Arc::clone(server) as Arc<dyn Lines>),
        };
        Ok((effect, is_held))
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
        let secrets = || reach.terms.secrets().iter().map(|secret| secret.prefixed("")).collect();
        let tools = tools.filter(|_| self.program.has_tools);
        let server = tools.and_then(|tools| Server::new(tools, secrets(), until)).map(Arc::new);
        let mut tries = 0;
        let mut answer = self.try_hard(&reach, request, server.as_ref(), until, &mut tries).await?;
        if let Some(again) = form.repair(request, &answer) {
            let second = self.try_hard(&reach, &again, None, until, &mut tries).await?;
            answer = form.settled(&answer, second)?;
        }
        if let Answer::Text { text, .. } = &answer {
            on_delta(text);
        }
        Ok(answer)
    }

    /// An answer of any form, with another try where the first gave nothing.
    async fn try_hard(
        &self,
        reach: &Reach<'_>,
        request: &ModelRequest,
        server: Option<&Arc<Server>>,
        until: Instant,
        tries: &mut u32,
    ) -> Result<Answer, AskError> {
        loop {
            let error = match self.paid(reach, request, server, until).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let left = until.saturating_duration_since(Instant::now());
            let delay = Duration::from_millis(self.setting.retry_delay_ms);
            let Some(pause) = pause(&error, delay).filter(|pause| *pause < left && *tries < self.setting.max_retries)
            else {
                return Err(error);
            };
            *tries += 1;
            sleep(pause).await;
        }
    }

    /// One run, with its money set aside before.
    async fn paid(
        &self,
        reach: &Reach<'_>,
        request: &ModelRequest,
        server: Option<&Arc<Server>>,
        until: Instant,
    ) -> Result<Answer, AskError> {
        let ready = self.ready(reach, until).await?;
        let price = self.info.price.as_ref();
        let hold = match reach.terms.purse {
            Some(purse) => {
                let most = self.most(request, server.map(|server| &**server));
                Some(purse.reserve(&self.info.name, &self.info.model, most).await?)
            }
            None => None,
        };
        let Outcome { result, is_run, usage, cost } = self.exchange(reach, (request, server), ready, until).await;
        if let Some(hold) = hold {
            if !is_run {
                hold.give_back();
                return result;
            }
            let outcome = match &result {
                Ok(Answer::Text { .. }) => "answered",
                Ok(Answer::Refusal { .. }) => "declined",
                Err(error) => error.kind(),
            };
            let cost = cost.or_else(|| price?.cost(usage.as_ref()?));
            hold.settle(Spent { cost, usage, outcome });
        }
        result
    }

    async fn exchange(
        &self,
        reach: &Reach<'_>,
        (request, server): (&ModelRequest, Option<&Arc<Server>>),
        ready: Ready<'_>,
        until: Instant,
    ) -> Outcome {
        let (effect, is_held) = {
            let left = until.saturating_duration_since(Instant::now());
            if left < LEAST_TIME {
                return Outcome::not_sent(AskError::Timeout(Waiting::Leave));
            }
            match self.effect(request, &reach.terms, ready, left, server) {
                Ok(made) => made,
                Err(error) => return Outcome::not_sent(error),
            }
        };
        let permit = match timeout_at(until, reach.gate.authorize(reach.actor.clone(), effect)).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(denied)) => return Outcome::not_sent(denied.into()),
            Err(_) => return Outcome::not_sent(AskError::Timeout(Waiting::Leave)),
        };
        let seq = permit.seq();
        let sent = reach.terms.log.map(|_| given(permit.effect()));
        let (report, outcome) = match self.carry_out(permit, until).await {
            Ok(report) => {
                let outcome = self.read(&report, is_held);
                (Some(report), outcome)
            }
            Err(error) if error.is_held_back() => (None, Outcome::not_sent(error)),
            // It ran, and nobody knows how far it came.
            Err(error) => (None, Outcome { result: Err(error), is_run: true, usage: None, cost: None }),
        };
        let mut words = match &outcome.result {
            Ok(Answer::Text { .. }) => "answered".to_owned(),
            Ok(Answer::Refusal { .. }) => "the model declined".to_owned(),
            Err(error) => format!("no answer: {}", error.kind()),
        };
        if let Some(report) = &report {
            words.push_str(&reached(&report.connections));
        }
        if let Some(server) = server {
            words.push_str(&format!("; calls of tools: {}", server.calls()));
        }
        tracing::debug!(gen_ai.request.model = self.info.model, seq, words, "exchange ended");
        reach.gate.note_outcome(seq, &words);
        if let (Some(log), Some(sent)) = (reach.terms.log, sent) {
            let said = report.map_or(words.into_bytes(), |report| report.stdout);
            let response = match Body::redacted(said, &reach.terms.secrets()) {
                Ok(body) => String::from_utf8_lossy(body.bytes()).into_owned(),
                Err(error) => format!("not kept: {error}"),
            };
            let request = String::from_utf8_lossy(&sent).into_owned();
            log(Exchanged { seq, request, response, status: None });
        }
        outcome
    }

    /// Runs the program, until it ends, its time is up, or all are to end.
    async fn carry_out(&self, permit: Permit<RunAgent>, until: Instant) -> Result<AgentReport, AskError> {
        let mut stopping = self.stopping.subscribe();
        let _running = self.running.read().await;
        let report = tokio::select! {
            // The sandbox has the same limit and says more.
            report = timeout_at(until + Duration::from_secs(5), run_agent(permit)) => report,
            _ = stopping.changed() => return Err(AskError::Cut),
        };
        match report {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(AgentError::Unfit(error))) => Err(unfit(error)),
            Ok(Err(AgentError::Sandbox(error))) => Err(self.not_run(error)),
            Err(_) => Err(AskError::Timeout(Waiting::End)),
        }
    }

    fn read(&self, report: &AgentReport, is_held: bool) -> Outcome {
        let free = report.connections.made == 0;
        let (stdout, stderr) = (String::from_utf8_lossy(&report.stdout), String::from_utf8_lossy(&report.stderr));
        let failed = |error: AskError| Outcome {
            result: Err(error),
            is_run: true,
            usage: None,
            cost: free.then_some(Money::ZERO),
        };
        match report.status {
            Exit::TimedOut => {
                return failed(self.explained(AskError::Timeout(Waiting::End), &report.connections));
            }
            _ if report.truncated && report.stdout.len() > MOST_OUTPUT => {
                return failed(AskError::TooLarge { max_bytes: MOST_OUTPUT as u64 });
            }
            _ => {}
        }
        let ran = Ran { program: self.program, status: report.status, stdout: &stdout, stderr: &stderr };
        match (self.program.read)(&ran) {
            Ok(Said { text, is_enforced, refused, usage, cost, model }) => {
                let model = model.unwrap_or_else(|| self.info.model.clone());
                let result = match refused {
                    Some(reason) => Ok(Answer::Refusal { reason, usage, model }),
                    None if text.trim().is_empty() => Err(AskError::Empty),
                    None => {
                        let form = if is_held && is_enforced { Held::Schema } else { Held::Free };
                        Ok(Answer::Text { text, form, usage, model })
                    }
                };
                Outcome { result, is_run: true, usage, cost }
            }
            Err(unsaid) => {
                let (error, usage, cost) = *unsaid;
                let error = self.explained(error, &report.connections);
                Outcome { result: Err(error), is_run: true, usage, cost: cost.or(free.then_some(Money::ZERO)) }
            }
        }
    }

    /// Where the program only knows that it failed, its connections may say why.
    fn explained(&self, error: AskError, connections: &Connections) -> AskError {
        let is_vague = matches!(error, AskError::Ended { .. } | AskError::Server { .. } | AskError::Timeout(_));
        if is_vague && connections.made == 0 && connections.failed.is_some() {
            return AskError::Unreachable { address: self.info.host.clone().unwrap_or_default() };
        }
        error
    }
}

impl Provider for Cli {
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
        let installed = self.installed(terms.about.project.as_deref())?;
        let known = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let version = known.map(|(_, version)| version.to_string()).unwrap_or_default();
        let guest = self.guest.as_deref().unwrap_or(Path::new("conclave"));
        let (effect, _) = self.effect(request, terms, Ready { installed, version, guest }, terms.deadline, None)?;
        let judged = effect.request(&Actor::Analyst(self.info.name.clone()));
        Ok(Sketch { request: judged, bytes: given(&effect), redactions: effect.redactions() })
    }

    fn check<'a>(&'a self, reach: &'a Reach<'a>) -> Asking<'a, Checked> {
        Box::pin(async move {
            let ready = self.ready(reach, Instant::now() + reach.terms.deadline).await?;
            let warnings = match self.way(reach.terms.key) {
                Ok(_) => Vec::new(),
                Err(error) => vec![error.to_string()],
            };
            let found = format!("{} {}", self.program.title, ready.version);
            Ok(Checked { found, warnings, models: Vec::new(), can: self.info.can })
        })
    }

    fn start<'a>(&'a self, reach: &'a Reach<'a>) -> Asking<'a, ()> {
        Box::pin(async move { self.ready(reach, Instant::now() + reach.terms.deadline).await.map(drop) })
    }

    fn stop(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.stopping.send_replace(());
            drop(self.running.write().await);
        })
    }
}

/// How long to wait before another try after `error`; `None` where it is pointless.
fn pause(error: &AskError, delay: Duration) -> Option<Duration> {
    match error {
        AskError::RateLimited { retry_after } | AskError::Overloaded { retry_after } => {
            Some(retry_after.unwrap_or(delay).max(delay))
        }
        AskError::Server { retry_after, .. } => Some(retry_after.unwrap_or(delay).max(delay)),
        AskError::Unreachable { .. } | AskError::Ended { .. } => Some(delay),
        // `Cut` is our own doing: all were to end.
        _ => None,
    }
}

/// All that the program is given to read, instructions first.
fn given(effect: &RunAgent) -> Vec<u8> {
    let system = effect.files.iter().filter(|(path, _)| path == SYSTEM_FILE).map(|(_, body)| body.bytes());
    system.chain([effect.body.bytes()]).collect::<Vec<_>>().join(&b"\n\n"[..])
}

/// Its connections, for the ledger. What a program wanted is a stranger's words and short.
fn reached(connections: &Connections) -> String {
    let Connections { made, refused, destinations, .. } = connections;
    let mut words = format!("; {made} {}", if *made == 1 { "connection" } else { "connections" });
    if *refused > 0 {
        let places: Vec<String> = destinations.iter().map(|place| format!("`{}`", quote(place, None))).collect();
        words.push_str(&format!("; {refused} refused, to {}", places.join(", ")));
    }
    words
}

/// How a program ended, in words.
fn ending(status: Exit) -> String {
    match status {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::TimedOut => "its time was up".to_owned(),
    }
}

fn unfit(error: HttpError) -> AskError {
    AskError::NotSent(error.to_string())
}
