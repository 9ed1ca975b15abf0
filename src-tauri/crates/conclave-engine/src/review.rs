//! The second look at what the policy samples: a model, the person, or nobody, and then it is a refusal.
//!
//! A rule's own reviewer comes first, then the models that the settings name for this, in order; the first that answers
//! counts; those that are only tried out are asked beside them and compared. The person is asked where the rule names them, where no model is set up or may be asked, and where a model
//! would allow what only a person may. Everything else is a refusal with its reason: an answer that is no verdict, one
//! that is late, one that is not sure enough, a server that fails.
//!
//! Invariants: nothing is locked while somebody is asked; equal questions are asked once; only verdicts are kept, for
//! [`KEPT`], under everything that could change them; a reviewer's own requests are never reviewed.

mod person;
#[cfg(test)]
mod tests;
mod verdict;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave_core::settings::PERSON;
use conclave_effects::sample::Client;
use conclave_effects::{DataClass, Gate};
use conclave_inference::{About, Answer, AskError, ModelRequest, Priority, StrategyError, Try, quote};
use conclave_policy::{Actor, Question, Review, Reviewed, Reviewer, digest_parts, inside_envelope, keys};
use conclave_store::Store;
use moka::future::Cache;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::event::Events;
use crate::models::{Errand, Model, Models};
use crate::prompt;
use verdict::Verdict;

/// How long a verdict is good for an equal request.
const KEPT: Duration = Duration::from_secs(300);
/// So many verdicts are kept.
const MOST_KEPT: u64 = 1000;

/// What stands before the next step where a model gave no verdict.
const MEND: &str = "mend the model that reviews: ";

/// The next step where a refusal for `reason` is one because a model gave no verdict.
pub(crate) fn way_out(reason: &str) -> Option<String> {
    reason.rsplit_once(MEND).map(|(_, how)| format!("{MEND}{how}"))
}

/// Looks at what the policy samples. Clones share what was said.
#[derive(Clone)]
pub(crate) struct EngineReviewer {
    models: Arc<Models>,
    /// A gate of its own, under the same policies and ledger: what a reviewer wants is reviewed by nobody.
    gate: Gate,
    store: Store,
    events: Events,
    verdicts: Cache<String, Heard>,
    /// The MCP client whose call it looks at, where there is one.
    client: Option<Arc<dyn Client>>,
}

/// A verdict, and who gave it.
#[derive(Clone)]
struct Heard {
    verdict: Verdict,
    /// Its name in the settings.
    provider: String,
    /// The model, in the server's words.
    model: String,
}

/// Why there is no verdict.
enum Silence {
    /// No model may be asked: by the policy, by a limit of what may be spent, or for want of a key.
    NotAsked(String),
    /// None answered, or one did and not with a verdict.
    Refused(String),
}

impl EngineReviewer {
    /// A reviewer as the settings of `models` want it, with a `gate` whose own reviewer is nobody.
    pub(crate) fn new(models: Arc<Models>, gate: Gate, store: Store, events: Events) -> Self {
        let verdicts = Cache::builder().max_capacity(MOST_KEPT).time_to_live(KEPT).build();
        Self { models, gate, store, events, verdicts, client: None }
    }

    /// The same reviewer for a call of `client`'s.
    pub(crate) fn serving(&self, client: Arc<dyn Client>) -> Self {
        Self { client: Some(client), ..self.clone() }
    }

    async fn look(&self, question: &Question<'_>) -> Review {
        if question.provider == Some(PERSON) {
            return self.ask_person(question, None).await;
        }
        let panel = match self.panel(question.provider) {
            Ok(panel) if panel.is_empty() => return self.ask_person(question, None).await,
            Ok(panel) => panel,
            Err(why) => return refuse(why, None),
        };
        let Some(request) = prompt::review_request(question) else {
            return refuse("it is too large to be reviewed".to_owned(), None);
        };
        let review = &self.models.settings().review;
        let limit = Duration::from_secs(review.timeout_s);
        let least = f64::from(review.min_confidence) / 100.0;
        let asked = timeout(limit, self.verdict(question, &panel, request, limit)).await;
        self.models.save_counts(self.gate.clock().now_ms());
        let (by, verdict) = match asked {
            Ok(Ok(heard)) => heard,
            Ok(Err(silence)) => match &*silence {
                Silence::NotAsked(why) => return self.ask_person(question, Some(why)).await,
                Silence::Refused(why) => return no_verdict(why, &panel),
            },
            Err(_) => return no_verdict(&format!("no review came within {} s", limit.as_secs()), &panel),
        };
        if !verdict.allow {
            return refuse(format!("the reviewer refuses: {}", quote(&verdict.reasoning, None)), Some(by));
        }
        if verdict.confidence < least {
            let (sure, least) = (percent(verdict.confidence), percent(least));
            return refuse(format!("the reviewer is {sure} % sure that it may happen; {least} % is needed"), Some(by));
        }
        if !inside_envelope(question.request) {
            let why = "a model has nothing against it, but only a person may allow this";
            return self.ask_person(question, Some(why)).await;
        }
        Review::Allow { by, digest: question.request.digest() }
    }

    /// The models to ask, in order.
    fn panel(&self, provider: Option<&str>) -> Result<Vec<Arc<Model>>, String> {
        let mut panel = Vec::new();
        if let Some(name) = provider {
            panel.push(self.models.named(name).ok_or_else(|| unknown(name))?);
        }
        for name in &self.models.settings().review.models {
            let model = self.models.named(name);
            panel.extend(model.filter(|model| panel.iter().all(|other| other.name() != model.name())));
        }
        Ok(panel)
    }

    /// What the first of the `panel` says that answers, and who it was.
    async fn verdict(
        &self,
        question: &Question<'_>,
        panel: &[Arc<Model>],
        request: ModelRequest,
        limit: Duration,
    ) -> Result<(Reviewed, Verdict), Arc<Silence>> {
        let begin = Instant::now();
        let entry = self.verdicts.entry(key(question, panel));
        let entry = entry.or_try_insert_with(self.ask(question, panel, request, limit)).await?;
        let cached = !entry.is_fresh();
        let heard = entry.into_value();
        let by = Reviewed::Model {
            provider: heard.provider,
            model: heard.model,
            confidence: heard.verdict.confidence,
            risk_factors: heard.verdict.risk_factors.iter().map(|risk| quote(risk, None)).collect(),
            took_ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX).max(1),
            at_ms: self.gate.clock().now_ms(),
            cached,
        };
        Ok((by, heard.verdict))
    }

    async fn ask(
        &self,
        question: &Question<'_>,
        panel: &[Arc<Model>],
        request: ModelRequest,
        limit: Duration,
    ) -> Result<Heard, Silence> {
        // A request may name anything, a file's content included.
        let project = question.request.context.get(keys::PROJECT).cloned();
        let about = About { data: vec![DataClass::Metadata, DataClass::Source], project, tier: None };
        let errand = Errand {
            gate: self.gate.clone(),
            actor: |_| Actor::Reviewer,
            request: Arc::new(request),
            about,
            priority: Priority::Review,
            deadline: limit,
            purpose: "review",
            finding: None,
            run: None,
            // Verdicts are kept here, and answers that are none are not to be.
            cap: None,
            may_be_kept: false,
            agrees: Some(same_verdict),
            client: self.client.clone(),
            live: None,
            cancel: CancellationToken::new(),
        };
        let order: Vec<&str> = panel.iter().map(|model| model.name()).collect();
        let won = self.models.first(&order, errand).await.map_err(silence)?;
        let provider = won.provider;
        match won.answer {
            Answer::Text { text, model, .. } => match verdict::parse(&text) {
                Ok(verdict) => Ok(Heard { verdict, provider, model }),
                Err(why) => Err(Silence::Refused(format!("`{provider}`: {why}"))),
            },
            Answer::Refusal { .. } => Err(Silence::Refused(format!("`{provider}` declined to review it"))),
        }
    }
}

/// Why nobody answered: where all of them were held back here, the person can be asked instead.
fn silence(error: StrategyError) -> Silence {
    let is_held_back = |tried: &Try| {
        matches!(
            *tried.error,
            AskError::Denied(_) | AskError::NoKey(_) | AskError::OverBudget(_) | AskError::NotOffered(_)
        )
    };
    match &error {
        StrategyError::Unavailable { tries } if tries.iter().all(is_held_back) => {
            let why = |tried: &Try| format!("`{}` was not asked: {}", tried.provider, tried.error);
            Silence::NotAsked(tries.iter().map(why).collect::<Vec<_>>().join("; "))
        }
        StrategyError::Unavailable { .. } | StrategyError::NotConfigured => {
            Silence::Refused(format!("no reviewer answers: {error}"))
        }
    }
}

/// Whether two answers are verdicts that come to the same.
fn same_verdict(one: &Answer, other: &Answer) -> Option<bool> {
    let allows = |answer: &Answer| match answer {
        Answer::Text { text, .. } => verdict::parse(text).ok().map(|verdict| verdict.allow),
        Answer::Refusal { .. } => None,
    };
    Some(allows(one)? == allows(other)?)
}

impl Reviewer for EngineReviewer {
    fn review<'a>(&'a self, question: Question<'a>) -> Pin<Box<dyn Future<Output = Review> + Send + 'a>> {
        Box::pin(async move { self.look(&question).await })
    }
}

/// Why a rule's reviewer cannot be asked.
pub(crate) fn unknown(name: &str) -> String {
    format!(
        "the rule wants `{name}` to review, and the settings name no such model (INVALID_CONFIGURATION); \
         name it there, or change the rule"
    )
}

/// Everything that could change a verdict.
fn key(question: &Question<'_>, panel: &[Arc<Model>]) -> String {
    let call = question.request.call.as_ref();
    let cwd = call.and_then(|call| call.cwd.as_deref()).unwrap_or_default();
    let (canonical, version) = (question.request.canonical(), prompt::review_version());
    let parts = [&question.decision.rule, question.rule_digest, &canonical, cwd, &version];
    let models = panel.iter().flat_map(|model| [model.name(), &model.info().place, &model.info().model]);
    digest_parts(parts.into_iter().chain(models).map(str::as_bytes))
}

/// A refusal because nobody of the `panel` gave a verdict.
fn no_verdict(why: &str, panel: &[Arc<Model>]) -> Review {
    let checks: Vec<String> =
        panel.iter().map(|model| format!("`conclave models check {}`", word(model.name()))).collect();
    let says = if checks.len() == 1 { "says" } else { "say" };
    refuse(format!("{why}; {MEND}{} {says} what is wrong", checks.join(" and ")), None)
}

/// A name as one word of a shell.
fn word(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/')) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

fn refuse(reason: String, by: Option<Reviewed>) -> Review {
    Review::Deny { reason, by }
}

/// From 0 to 1 as whole percent, never rounded up to what it has not reached.
fn percent(share: f64) -> f64 {
    (share * 100.0).floor()
}
