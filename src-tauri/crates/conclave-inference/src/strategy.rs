//! Whom to ask, in which order and within which limits.
//!
//! Each provider has a breaker, a number of questions at a time, and a count of how its calls went. The first success
//! wins; a failure is logged and the next one is asked with what is left of one deadline. Retries are a provider's own
//! affair. Deliberately absent: asking two at once for one answer, in the hope that one is quicker: it doubles the cost
//! and what leaves this machine.
//!
//! Invariants: a provider that is only tried out is asked beside the others, and what it says is never used, kept or
//! waited for; what all answers under way may fill in memory is bounded; nothing is asked past its deadline.

mod beside;
mod slot;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::settings::{AnswerCache, HealthSetting, Settings};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::answer::Answer;
use crate::cache::{self, Answers};
use crate::error::{AskError, Waiting};
use crate::health::{Health, judge};
use crate::metrics::Counts;
use crate::provider::{Asking, Checked, Provider};
use crate::request::ModelRequest;
pub use beside::Beside;
use slot::{Look, Slot};

/// So many questions at a time go to a provider whose setting says nothing else.
pub const AT_ONCE: u32 = 10;

/// So many questions may wait for one provider; what comes on top is turned away at once.
pub const MOST_WAITING: usize = 1000;

/// What all questions and answers under way may fill in memory, in KiB.
const ROOM_KIB: u32 = 512 * 1024;

/// Takes a question to a provider, with the key, the log and the purse that go with it.
pub trait Carrier: Send + Sync {
    /// Asks `provider`, by way of [`Provider::ask`].
    ///
    /// # Errors
    /// As [`Provider::ask`], and whatever stands in the way before.
    fn ask<'a>(&'a self, provider: &'a dyn Provider, request: &'a ModelRequest, until: Instant) -> Asking<'a, Answer>;

    /// Looks at `provider`, by way of [`Provider::check`].
    ///
    /// # Errors
    /// As [`Provider::check`], and whatever stands in the way before.
    fn check<'a>(&'a self, provider: &'a dyn Provider, until: Instant) -> Asking<'a, Checked>;

    /// Has `provider` do what takes time, by way of [`Provider::start`].
    ///
    /// # Errors
    /// As [`Provider::start`], and whatever stands in the way before.
    fn start<'a>(&'a self, provider: &'a dyn Provider, until: Instant) -> Asking<'a, ()>;
}

/// Whether two answers to one question come to the same; `None` where that cannot be told.
pub type Agrees = fn(&Answer, &Answer) -> Option<bool>;

/// What goes first where several questions wait for one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A review: somebody waits for it to go on.
    Review,
    /// About a critical finding.
    Critical,
    /// About a high one.
    High,
    /// About a medium one.
    Medium,
    /// About a smaller one.
    Low,
}

/// A question, and the limits that it has.
#[derive(Clone)]
pub struct Question {
    /// What is asked.
    pub request: Arc<ModelRequest>,
    /// How it is taken to a provider.
    pub carrier: Arc<dyn Carrier>,
    /// How urgent it is beside others.
    pub priority: Priority,
    /// Time for an answer, over all providers that are tried for it.
    pub deadline: Duration,
    /// Among whom its answer may be shared: equal questions of one scope are asked once as long as the answer is kept.
    /// `None` is asked anew each time.
    pub scope: Option<String>,
    /// How the answer of a provider that is only tried out is compared with the one that is used.
    pub agrees: Option<Agrees>,
    /// Ends what goes on beside it.
    pub cancel: CancellationToken,
}

/// One provider, as the settings want it asked.
pub struct Member {
    /// The provider; its name is unique.
    pub provider: Arc<dyn Provider>,
    /// Whether it is only tried out.
    pub trial: bool,
    /// So many questions at a time; [`AT_ONCE`] where it is not set.
    pub at_once: Option<u32>,
}

/// An answer, and how it came.
#[derive(Debug)]
pub struct Won {
    /// What was said.
    pub answer: Answer,
    /// Who said it.
    pub provider: String,
    /// Whether it had been said before, or is being said to somebody else.
    pub cached: bool,
    /// Who was tried before.
    pub tries: Vec<Try>,
}

/// A provider that gave no answer.
#[derive(Clone, Debug)]
pub struct Try {
    /// Its name.
    pub provider: String,
    /// Why not.
    pub error: Arc<AskError>,
}

/// Why there is no answer from anybody. Where a decision hangs on one, both are a *no*.
#[derive(Debug, thiserror::Error)]
pub enum StrategyError {
    /// All that were tried failed.
    #[error("no model answers ({}): {}", self.code(), listed(.tries))]
    Unavailable {
        /// Each of them, in order.
        tries: Vec<Try>,
    },
    /// There is nobody to ask.
    #[error("no model is set up for this ({}); name one in the settings", self.code())]
    NotConfigured,
}

impl StrategyError {
    /// What programs tell it by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "AI_SERVICE_UNAVAILABLE",
            Self::NotConfigured => "INVALID_CONFIGURATION",
        }
    }
}

fn listed(tries: &[Try]) -> String {
    let tries: Vec<String> = tries.iter().map(|tried| format!("`{}`: {}", tried.provider, tried.error)).collect();
    tries.join("; ")
}

/// All providers.
pub struct Strategy {
    slots: Vec<Arc<Slot>>,
    answers: Arc<Answers>,
    answer_cache: AnswerCache,
    health: HealthSetting,
    room: Arc<Semaphore>,
    beside: Mutex<JoinSet<()>>,
}

impl Strategy {
    /// `members` under `settings`. What `before` knows of a member that is the same is kept: its breaker, its past, the
    /// answers.
    pub fn new(members: Vec<Member>, settings: &Settings, before: Option<&Self>) -> Self {
        let slot = |member: Member| {
            let same = |slot: &&Arc<Slot>| slot.is_of(&member);
            let known = before.and_then(|before| before.slots.iter().find(same));
            known.cloned().unwrap_or_else(|| Arc::new(Slot::new(member)))
        };
        let cache = settings.answer_cache.clone();
        let answers = before.filter(|before| before.answer_cache == cache).map(|before| Arc::clone(&before.answers));
        Self {
            slots: members.into_iter().map(slot).collect(),
            answers: answers.unwrap_or_else(|| Arc::new(Answers::new(&cache))),
            answer_cache: cache,
            health: settings.health.clone(),
            room: before.map_or_else(|| Arc::new(Semaphore::new(ROOM_KIB as usize)), |before| Arc::clone(&before.room)),
            beside: Mutex::default(),
        }
    }

    /// The first answer of the providers that `order` names, each asked once; those on trial are asked beside it.
    ///
    /// # Errors
    /// None of them answers before the deadline, or none is named.
    pub async fn first(&self, order: &[&str], question: &Question) -> Result<Won, StrategyError> {
        if order.is_empty() {
            return Err(StrategyError::NotConfigured);
        }
        let until = Instant::now() + question.deadline;
        let beside = self.beside(question);
        let mut tries: Vec<Try> = Vec::new();
        let mut named = BTreeSet::new();
        for &name in order.iter().filter(|name| named.insert(**name)) {
            if let Some(slot) = tries.last().and_then(|last| self.slot(&last.provider)) {
                slot.meter.count(|counts| counts.fallbacks += 1);
            }
            let asked = match Instant::now() < until || tries.is_empty() {
                true => self.ask(name, question, until).await,
                false => Err(Arc::new(AskError::Timeout(Waiting::Turn))),
            };
            match asked {
                Ok((answer, cached)) => {
                    beside.end(Some(answer.clone()));
                    return Ok(Won { answer, provider: name.to_owned(), cached, tries });
                }
                Err(error) => tries.push(failed(name, error)),
            }
        }
        beside.end(None);
        Err(StrategyError::Unavailable { tries })
    }

    /// The answer of the provider `name`, and of nobody else.
    ///
    /// # Errors
    /// It gives none, or there is no such provider to be asked.
    pub async fn one(&self, name: &str, question: &Question) -> Result<Won, Arc<AskError>> {
        let until = Instant::now() + question.deadline;
        let asked = self.ask(name, question, until).await;
        match asked {
            Ok((answer, cached)) => Ok(Won { answer, provider: name.to_owned(), cached, tries: Vec::new() }),
            Err(error) => Err(failed(name, error).error),
        }
    }

    async fn ask(&self, name: &str, question: &Question, until: Instant) -> Result<(Answer, bool), Arc<AskError>> {
        let slot = match self.slot(name) {
            Some(slot) if !slot.is_trial() => slot,
            Some(_) => {
                let why =
                    format!("`{name}` is only tried out, and what it says is never used; change that in the settings");
                return Err(Arc::new(AskError::NotOffered(why)));
            }
            None => return Err(Arc::new(AskError::NotOffered(format!("the settings name no model `{name}`")))),
        };
        let key = question.scope.as_deref();
        let key = key.map(|scope| cache::key(slot.info(), &question.request, scope));
        let asked = self.answers.get_or(key, slot.ask(&self.room, question, until));
        // Whoever waits for somebody else's question has a deadline of their own.
        let asked = timeout_at(until, asked).await.unwrap_or(Err(Arc::new(AskError::Timeout(Waiting::End))));
        if let Ok((_, true)) = asked {
            slot.meter.count(|counts| counts.cache_hits += 1);
        }
        asked
    }

    fn slot(&self, name: &str) -> Option<&Arc<Slot>> {
        self.slots.iter().find(|slot| slot.info().name == name)
    }

    /// How every provider is, looked at all at once through `carrier` at `now_ms`, since 1970-01-01 UTC; in order. One
    /// that has said nothing within `limit` is down, and keeps none of the others waiting for longer.
    pub async fn health(&self, carrier: &Arc<dyn Carrier>, limit: Duration, now_ms: i64) -> Vec<Health> {
        let until = Instant::now() + limit;
        let mut looks = JoinSet::new();
        for (at, slot) in self.slots.iter().enumerate() {
            let (provider, carrier) = (Arc::clone(slot.provider()), Arc::clone(carrier));
            looks.spawn(async move {
                let look = timeout_at(until, carrier.check(&*provider, until)).await;
                (at, look.unwrap_or(Err(AskError::Timeout(Waiting::FirstByte))))
            });
        }
        let mut found: Vec<Option<Result<Checked, AskError>>> = self.slots.iter().map(|_| None).collect();
        while let Some(look) = looks.join_next().await {
            // One that broke leaves its place empty.
            if let Ok((at, look)) = look {
                found[at] = Some(look);
            }
        }
        let broke = || Err(AskError::NotSent("the look at it broke off; try again".to_owned()));
        for (slot, found) in self.slots.iter().zip(found) {
            slot.look(found.unwrap_or_else(broke), now_ms);
        }
        self.seen()
    }

    /// How the provider `name` is, looked at through `carrier`; `None` where there is none. As [`Strategy::health`].
    pub async fn look(&self, name: &str, carrier: &dyn Carrier, limit: Duration, now_ms: i64) -> Option<Health> {
        let slot = self.slot(name)?;
        let until = Instant::now() + limit;
        let look = timeout_at(until, carrier.check(&**slot.provider(), until)).await;
        slot.look(look.unwrap_or(Err(AskError::Timeout(Waiting::FirstByte))), now_ms);
        self.judged(slot)
    }

    /// Has the provider `name` do what takes time, through `carrier` and within `limit`; `None` where there is none.
    ///
    /// # Errors
    /// As [`Provider::start`].
    pub async fn start(&self, name: &str, carrier: &dyn Carrier, limit: Duration) -> Option<Result<(), AskError>> {
        let slot = self.slot(name)?;
        let until = Instant::now() + limit;
        let started = timeout_at(until, carrier.start(&**slot.provider(), until)).await;
        Some(started.unwrap_or(Err(AskError::Timeout(Waiting::FirstByte))))
    }

    /// How the providers are that were looked at before, by that look and by their calls until now; nobody is asked.
    pub fn seen(&self) -> Vec<Health> {
        self.slots.iter().filter_map(|slot| self.judged(slot)).collect()
    }

    fn judged(&self, slot: &Slot) -> Option<Health> {
        let Look { found, at_ms } = slot.looked()?;
        let (past, breaker) = (slot.course.past(), slot.breaker.state());
        let (state, message) = judge(found.as_ref().as_ref(), &past, breaker, &self.health);
        Some(Health {
            name: slot.info().name.clone(),
            kind: slot.info().kind,
            state,
            message,
            last_check_ms: at_ms,
            error_count: past.errors,
            error_percent: past.error_percent,
            latest_ms: past.latest_ms,
            usual_ms: past.usual_ms,
            breaker,
            rests_ms: slot.breaker.left().and_then(|left| u64::try_from(left.as_millis()).ok()),
            found: found.as_ref().as_ref().ok().cloned().unwrap_or_default(),
            trial: slot.trial(),
        })
    }

    /// What was counted since this was last called, by provider.
    pub fn take_counts(&self) -> Vec<(String, Counts)> {
        let taken = |slot: &Arc<Slot>| Some((slot.info().name.clone(), slot.meter.take()?));
        self.slots.iter().filter_map(taken).collect()
    }

    /// Adds `counts` again, which could not be kept.
    pub fn give_back_counts(&self, counts: &[(String, Counts)]) {
        for (name, counts) in counts {
            if let Some(slot) = self.slot(name) {
                slot.meter.count(|all| all.add(counts));
            }
        }
    }

    /// Ends the children and connections of every provider that `after` has not, once what is under way has ended.
    pub async fn retire(&self, after: &Self) {
        for slot in &self.slots {
            let stays = |other: &Arc<Slot>| Arc::ptr_eq(slot.provider(), other.provider());
            if !after.slots.iter().any(stays) {
                slot.close().await;
                slot.provider().stop().await;
            }
        }
    }

    /// Ends the children and connections of every provider.
    pub async fn stop(&self) {
        for slot in &self.slots {
            slot.provider().stop().await;
        }
    }
}

fn failed(name: &str, error: Arc<AskError>) -> Try {
    tracing::warn!(provider = name, kind = error.kind(), %error, "no answer from a model");
    Try { provider: name.to_owned(), error }
}
