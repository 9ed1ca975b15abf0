//! One provider's place: its breaker, its queue, and how its calls went.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::turns::{NoTurn, Turn, Turns};
use super::{AT_ONCE, MOST_WAITING, Member, Priority, Question, ROOM_KIB};
use crate::answer::Answer;
use crate::breaker::{Breaker, Rest, Sign};
use crate::dialect::MAX_ANSWER_BYTES;
use crate::error::{AskError, Waiting};
use crate::health::{Course, Trial};
use crate::metrics::{DECLINED, Meter};
use crate::provider::{Checked, Info, Provider};
use crate::request::ModelRequest;

pub(super) struct Slot {
    provider: Arc<dyn Provider>,
    /// How it does, where it is only tried out.
    trial: Option<Mutex<Trial>>,
    at_once: u32,
    turns: Arc<Turns>,
    pub breaker: Breaker,
    pub meter: Meter,
    pub course: Course,
    /// The last look at it.
    look: Mutex<Option<Look>>,
}

/// What a look at a provider found, and when that was.
#[derive(Clone)]
pub(super) struct Look {
    pub found: Arc<Result<Checked, AskError>>,
    /// In milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

impl Slot {
    pub fn new(member: Member) -> Self {
        let at_once = at_once(&member);
        Self {
            provider: member.provider,
            trial: member.trial.then(Mutex::default),
            at_once,
            turns: Turns::new(at_once),
            breaker: Breaker::default(),
            meter: Meter::default(),
            course: Course::default(),
            look: Mutex::default(),
        }
    }

    /// Whether it is the place of `member`, as that is wanted.
    pub fn is_of(&self, member: &Member) -> bool {
        Arc::ptr_eq(&self.provider, &member.provider)
            && self.is_trial() == member.trial
            && self.at_once == at_once(member)
    }

    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    pub fn info(&self) -> &Info {
        self.provider.info()
    }

    pub fn is_trial(&self) -> bool {
        self.trial.is_some()
    }

    pub fn trial(&self) -> Option<Trial> {
        self.trial.as_ref().map(|trial| *trial.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers what a look at it found.
    pub fn look(&self, found: Result<Checked, AskError>, at_ms: i64) {
        let look = Look { found: Arc::new(found), at_ms };
        *self.look.lock().unwrap_or_else(PoisonError::into_inner) = Some(look);
    }

    /// The last look at it.
    pub fn looked(&self) -> Option<Look> {
        self.look.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts an answer that was not used, or that there was none, and whether it said the same as the one that was.
    pub fn tried(&self, answered: bool, agrees: Option<bool>) {
        if let Some(trial) = &self.trial {
            let mut trial = trial.lock().unwrap_or_else(PoisonError::into_inner);
            trial.asked += 1;
            trial.answered += u64::from(answered);
            trial.compared += u64::from(agrees.is_some());
            trial.agreed += u64::from(agrees == Some(true));
        }
    }

    /// Asks when it is this question's turn and there is room in memory, and counts how that went.
    pub async fn ask(&self, room: &Semaphore, question: &Question, until: Instant) -> Result<Answer, AskError> {
        let _turn = self.turn(question.priority, until).await?;
        let Ok(room) = timeout_at(until, room.acquire_many(needed_kib(&question.request))).await else {
            return Err(AskError::Timeout(Waiting::Turn));
        };
        // INVARIANT: nobody closes it; an error would only mean that no bound holds.
        let _room = room.ok();
        let pass = self.breaker.enter().map_err(|Rest { failures, left }| AskError::Resting {
            name: self.info().name.clone(),
            failures,
            left,
        })?;
        let begin = Instant::now();
        let left = until.saturating_duration_since(begin);
        let asked = timeout_at(until, question.carrier.ask(&*self.provider, &question.request, until)).await;
        let result = asked.unwrap_or(Err(AskError::Timeout(Waiting::End)));
        let took = begin.elapsed();
        let sign = match &result {
            Ok(_) => Sign::Well,
            // Whoever had only the rest of somebody else's time has not failed by not answering in it.
            Err(AskError::Timeout(_)) if left * 2 < question.deadline => Sign::None,
            Err(error) => error.sign(),
        };
        pass.end(sign);
        self.course.add(sign, took);
        let failure = match &result {
            Ok(Answer::Text { .. }) => None,
            Ok(Answer::Refusal { .. }) => Some(DECLINED),
            Err(error) => Some(error.kind()),
        };
        self.meter.count(|counts| counts.add_call(took, failure));
        result
    }

    /// Waits for one of the turns.
    async fn turn(&self, priority: Priority, until: Instant) -> Result<Turn, AskError> {
        let name = &self.info().name;
        match timeout_at(until, self.turns.take(priority)).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(NoTurn::Closed)) => Err(AskError::NotOffered(format!("`{name}` is no longer in the settings"))),
            Ok(Err(NoTurn::Full)) => {
                let why = format!("{MOST_WAITING} questions wait for `{name}` already; try again later");
                Err(AskError::NotSent(why))
            }
            Err(_) => Err(AskError::Timeout(Waiting::Turn)),
        }
    }

    /// Lets nobody in any more and waits until everybody is out.
    pub async fn close(&self) {
        self.turns.close().await;
    }
}

fn at_once(member: &Member) -> u32 {
    member.at_once.unwrap_or(AT_ONCE).clamp(1, 1000)
}

/// What a question and its answer may fill at most, in KiB: the question twice, as words and as they are sent.
fn needed_kib(request: &ModelRequest) -> u32 {
    let question = (request.system.len() + request.user.len()).saturating_mul(2) as u64;
    let kib = (question.saturating_add(MAX_ANSWER_BYTES)).div_ceil(1024);
    u32::try_from(kib).unwrap_or(u32::MAX).min(ROOM_KIB)
}
