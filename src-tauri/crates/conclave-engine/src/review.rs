//! The second look at what the policy samples: a model, the person, or nobody, and then it is a refusal.
//!
//! A rule's own reviewer comes first, then the models that the settings name for this, in order; the first that answers
//! counts. The person is asked where the rule names them, where no model is set up or may be asked, and where a model
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

use conclave_core::settings::Settings;
use conclave_effects::{DataClass, Gate};
use conclave_inference::{About, Answer, AskError, ModelRequest, quote};
use conclave_policy::{Actor, Question, Review, Reviewed, Reviewer, digest_parts, inside_envelope, keys};
use conclave_store::Store;
use moka::future::Cache;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::event::Events;
use crate::models::{Model, Models};
use crate::prompt;
use verdict::Verdict;

/// What a rule calls the person.
pub(crate) const PERSON: &str = "person";

/// How long a verdict is good for an equal request.
const KEPT: Duration = Duration::from_secs(300);
/// So many verdicts are kept.
const MOST_KEPT: u64 = 1000;
/// So many models are asked at a time.
const AT_ONCE: usize = 10;

/// Looks at what the policy samples.
pub(crate) struct EngineReviewer {
    models: Arc<Models>,
    order: Vec<Arc<Model>>,
    /// A gate of its own, under the same policies and ledger: what a reviewer wants is reviewed by nobody.
    gate: Gate,
    store: Store,
    events: Events,
    limit: Duration,
    /// The least confidence with which an *allow* counts, from 0 to 1.
    least: f64,
    verdicts: Cache<String, Heard>,
    asking: Semaphore,
}

/// A verdict, and who gave it.
#[derive(Clone)]
struct Heard {
    verdict: Verdict,
    /// The model, in the server's words.
    model: String,
}

/// Why a model gave no verdict.
enum Silence {
    /// It may not be asked: by the policy, or for want of a key.
    NotAsked(String),
    /// It could not be asked, or did not answer.
    Failed(String),
    /// It answered, and not with a verdict.
    NoVerdict(String),
}

/// What came of asking the models.
enum Outcome {
    Verdict(Reviewed, Verdict),
    /// None of them may be asked.
    NotAsked(String),
    Refused(String),
}

impl EngineReviewer {
    /// A reviewer as `settings` want it, with a `gate` whose own reviewer is nobody.
    pub(crate) fn new(settings: &Settings, models: Arc<Models>, gate: Gate, store: Store, events: Events) -> Self {
        let order = settings.review.models.iter().filter_map(|name| models.named(name).cloned()).collect();
        Self {
            models,
            order,
            gate,
            store,
            events,
            limit: Duration::from_secs(settings.review.timeout_s),
            least: f64::from(settings.review.min_confidence) / 100.0,
            verdicts: Cache::builder().max_capacity(MOST_KEPT).time_to_live(KEPT).build(),
            asking: Semaphore::new(AT_ONCE),
        }
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
        let asked = timeout(self.limit, self.first_answer(question, &panel, &request)).await;
        let (by, verdict) = match asked {
            Ok(Outcome::Verdict(by, verdict)) => (by, verdict),
            Ok(Outcome::NotAsked(why)) => return self.ask_person(question, Some(&why)).await,
            Ok(Outcome::Refused(why)) => return refuse(why, None),
            Err(_) => return refuse(format!("no review came within {} s", self.limit.as_secs()), None),
        };
        if !verdict.allow {
            return refuse(format!("the reviewer refuses: {}", quote(&verdict.reasoning, None)), Some(by));
        }
        if verdict.confidence < self.least {
            let (sure, least) = (percent(verdict.confidence), percent(self.least));
            return refuse(format!("the reviewer is {sure} % sure that it may happen; {least} % is needed"), Some(by));
        }
        if !inside_envelope(question.request) {
            let why = "a model has nothing against it, but only a person may allow this";
            return self.ask_person(question, Some(why)).await;
        }
        Review::Allow { by, digest: question.request.digest() }
    }

    /// The models to ask, in order.
    fn panel(&self, provider: Option<&str>) -> Result<Vec<&Arc<Model>>, String> {
        let first = match provider {
            Some(name) => Some(self.models.named(name).ok_or_else(|| unknown(name))?),
            None => None,
        };
        let others = self.order.iter().filter(|model| first.is_none_or(|first| !Arc::ptr_eq(first, model)));
        Ok(first.into_iter().chain(others).collect())
    }

    async fn first_answer(&self, question: &Question<'_>, panel: &[&Arc<Model>], request: &ModelRequest) -> Outcome {
        let (mut failed, mut not_asked) = (None, None);
        for model in panel {
            let begin = Instant::now();
            match self.verdict(question, model, request).await {
                Ok((heard, cached)) => {
                    let by = self.reviewed(model, &heard, begin, cached);
                    return Outcome::Verdict(by, heard.verdict);
                }
                Err(silence) => match &*silence {
                    Silence::NoVerdict(why) => return Outcome::Refused(why.clone()),
                    Silence::NotAsked(why) => not_asked = Some(why.clone()),
                    Silence::Failed(why) => failed = Some(why.clone()),
                },
            }
        }
        match (failed, not_asked) {
            (Some(why), _) => Outcome::Refused(format!("no reviewer answers: {why}")),
            (None, why) => Outcome::NotAsked(why.unwrap_or_default()),
        }
    }

    /// What `model` says, and whether it had said so before.
    async fn verdict(
        &self,
        question: &Question<'_>,
        model: &Model,
        request: &ModelRequest,
    ) -> Result<(Heard, bool), Arc<Silence>> {
        let entry = self.verdicts.entry(key(question, model));
        let entry = entry.or_try_insert_with(self.ask(question, model, request)).await?;
        let cached = !entry.is_fresh();
        Ok((entry.into_value(), cached))
    }

    async fn ask(&self, question: &Question<'_>, model: &Model, request: &ModelRequest) -> Result<Heard, Silence> {
        // The semaphore is never closed.
        let _asking = self.asking.acquire().await.map_err(|closed| Silence::Failed(closed.to_string()))?;
        let name = model.name();
        // A request may name anything, a file's content included.
        let project = question.request.context.get(keys::PROJECT).cloned();
        let about = About { data: vec![DataClass::Metadata, DataClass::Source], project, tier: None };
        let answer = self.models.ask(&self.gate, Actor::Reviewer, model, (request, &about), self.limit).await;
        match answer {
            Ok(Answer::Text { text, model, .. }) => match verdict::parse(&text) {
                Ok(verdict) => Ok(Heard { verdict, model }),
                Err(why) => Err(Silence::NoVerdict(format!("`{name}`: {why}"))),
            },
            Ok(Answer::Refusal { .. }) => Err(Silence::NoVerdict(format!("`{name}` declined to review it"))),
            Err(error @ (AskError::Denied(_) | AskError::NoKey(_))) => {
                Err(Silence::NotAsked(format!("`{name}` was not asked: {error}")))
            }
            Err(error) => Err(Silence::Failed(format!("`{name}`: {error}"))),
        }
    }

    fn reviewed(&self, model: &Model, heard: &Heard, begin: Instant, cached: bool) -> Reviewed {
        Reviewed::Model {
            provider: model.name().to_owned(),
            model: heard.model.clone(),
            confidence: heard.verdict.confidence,
            risk_factors: heard.verdict.risk_factors.iter().map(|risk| quote(risk, None)).collect(),
            took_ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX).max(1),
            at_ms: self.gate.clock().now_ms(),
            cached,
        }
    }
}

impl Reviewer for EngineReviewer {
    fn review<'a>(&'a self, question: Question<'a>) -> Pin<Box<dyn Future<Output = Review> + Send + 'a>> {
        Box::pin(async move { self.look(&question).await })
    }
}

/// Why a rule's reviewer cannot be asked.
pub(crate) fn unknown(name: &str) -> String {
    format!("the rule wants `{name}` to review, and the settings name no such model; name it there, or change the rule")
}

/// Everything that could change a verdict.
fn key(question: &Question<'_>, model: &Model) -> String {
    let call = question.request.call.as_ref();
    let cwd = call.and_then(|call| call.cwd.as_deref()).unwrap_or_default();
    let parts = [
        &question.decision.rule,
        question.rule_digest,
        &question.request.canonical(),
        cwd,
        model.name(),
        &model.info().place,
        &model.info().model,
        &prompt::review_version(),
    ];
    digest_parts(parts.map(str::as_bytes))
}

fn refuse(reason: String, by: Option<Reviewed>) -> Review {
    Review::Deny { reason, by }
}

/// From 0 to 1 as whole percent, never rounded up to what it has not reached.
fn percent(share: f64) -> f64 {
    (share * 100.0).floor()
}
