//! One model, one context, up to four answers at a time.
//!
//! Each step is one batch through the model: the last token of every answer under way, and a piece of at most one
//! question that is still being read. Reading one question at a time lets the next begin with what it shares with it.

use std::collections::VecDeque;
use std::io::Write;
use std::rc::Rc;
use std::sync::mpsc::TryRecvError;

use conclave_core::local::{Ask, Done, FailKind, Reply, Request, Stop};
use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llguidance::api::TopLevelGrammar;
use llguidance::{Matcher, ParserFactory};
use serde_json::json;

use crate::answer::{Answer, Next, Question};
use crate::engine::{Incoming, answer_unloaded};
use crate::lines::{Gone, Misunderstood, Replies};
use crate::model::Refused;
use crate::prefix::{Prefixes, SHORTEST};
use crate::prompt::prompt;
use crate::room;

/// Answers at a time: the kernels of llama.cpp work on four rows.
pub const SEQUENCES: u32 = 4;
/// Most tokens of a step. A question is given up between steps, so it bounds how long that takes: with a large model on a
/// slow machine a token takes a fifth of a second.
pub const BATCH: u32 = 64;

/// Most samples of one question.
const MOST_SAMPLES: u32 = 64;
/// What may stand between the parts of a JSON answer: a space, or a new line with its indentation. Without a bound small
/// models go on with it for ever.
const SPACE: &str = r" |\n {0,8}";

/// A model at work.
pub struct Session<'a, W> {
    backend: &'a LlamaBackend,
    model: &'a LlamaModel,
    context: LlamaContext<'a>,
    batch: LlamaBatch<'static>,
    grammars: ParserFactory,
    prefixes: Option<Prefixes>,
    replies: &'a mut Replies<W>,
    /// Samples that wait for their turn.
    waiting: VecDeque<(Rc<Question>, u32)>,
    slots: [Slot; SEQUENCES as usize],
    /// Counts answers, to tell which slot was used last.
    turn: u64,
    /// Whether a sequence can begin with part of another one; not so where the model keeps a summary instead of tokens.
    shares: bool,
}

/// A sequence of the context.
#[derive(Default)]
struct Slot {
    /// The tokens that are in the context.
    tokens: Vec<LlamaToken>,
    answer: Option<Answer>,
    last_used: u64,
}

impl<'a, W: Write> Session<'a, W> {
    /// Begins with an empty context.
    pub fn new(
        backend: &'a LlamaBackend,
        model: &'a LlamaModel,
        context: LlamaContext<'a>,
        grammars: ParserFactory,
        prefixes: Option<Prefixes>,
        replies: &'a mut Replies<W>,
    ) -> Self {
        let shares = !model.is_recurrent() && !model.is_hybrid();
        let batch = LlamaBatch::new(BATCH as usize, 1);
        let (waiting, slots) = (VecDeque::new(), Default::default());
        let prefixes = prefixes.filter(|_| shares);
        Self { backend, model, context, batch, grammars, prefixes, replies, waiting, slots, turn: 0, shares }
    }

    /// Works until there is no more input.
    pub fn run(mut self, incoming: &Incoming) -> Result<(), Gone> {
        loop {
            let is_idle = self.waiting.is_empty() && self.slots.iter().all(|slot| slot.answer.is_none());
            let heard =
                if is_idle { incoming.recv().map_err(|_| TryRecvError::Disconnected) } else { incoming.try_recv() };
            match heard {
                Ok(request) => self.hear(request)?,
                Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => {
                    self.admit();
                    self.step()?;
                }
            }
        }
    }

    fn hear(&mut self, request: Result<Request, Misunderstood>) -> Result<(), Gone> {
        match request {
            Ok(Request::Ask(ask)) => match self.question(&ask) {
                Ok(question) => {
                    let question = Rc::new(question);
                    self.waiting.extend((0..ask.samples).map(|sample| (Rc::clone(&question), sample)));
                    Ok(())
                }
                Err((kind, why)) => self.replies.fail(Some(ask.id), kind, why),
            },
            Ok(Request::Cancel { id }) => self.cancel(id),
            other => answer_unloaded(self.backend, other, self.replies),
        }
    }

    /// What a request asks for, checked.
    fn question(&self, ask: &Ask) -> Result<Question, Refused> {
        let bad = |why: &str| Err((FailKind::BadRequest, why.to_owned()));
        if self.is_known(ask.id) {
            return bad("another question has this number");
        }
        if ask.max_tokens == 0 || !(1..=MOST_SAMPLES).contains(&ask.samples) || !(0.0..=2.0).contains(&ask.temperature)
        {
            return bad("`max_tokens` must be at least 1, `samples` 1 to 64, `temperature` 0 to 2");
        }
        let prompt = prompt(self.model, ask)?;
        let (length, context) = (prompt.tokens.len() + ask.max_tokens as usize, self.context.n_ctx() as usize);
        if length > context {
            let why = format!("question and answer may take {length} tokens, and the context holds {context}");
            return Err((FailKind::TooLong, why));
        }
        let constraint = ask.schema.clone().map(|mut schema| {
            if let Some(object) = schema.as_object_mut() {
                object.insert("x-guidance".to_owned(), json!({ "whitespace_pattern": SPACE }));
            }
            Matcher::new(self.grammars.create_parser(TopLevelGrammar::from_json_schema(schema)))
        });
        if let Some(why) = constraint.as_ref().and_then(Matcher::get_error) {
            return Err((FailKind::BadSchema, why));
        }
        let (id, max_tokens, temperature, seed) = (ask.id, ask.max_tokens, ask.temperature, ask.seed);
        Ok(Question { id, prompt, constraint, max_tokens, temperature, seed })
    }

    fn is_known(&self, id: u64) -> bool {
        let mut answering = self.slots.iter().filter_map(|slot| slot.answer.as_ref());
        self.waiting.iter().any(|(question, _)| question.id == id) || answering.any(|answer| answer.question.id == id)
    }

    fn cancel(&mut self, id: u64) -> Result<(), Gone> {
        for slot in &mut self.slots {
            if let Some(answer) = slot.answer.take_if(|answer| answer.question.id == id) {
                self.replies.say(&Reply::Done(answer.done(Stop::Cancelled)))?;
            }
        }
        let waiting = std::mem::take(&mut self.waiting);
        let (given_up, waiting): (VecDeque<_>, _) = waiting.into_iter().partition(|(one, _)| one.id == id);
        self.waiting = waiting;
        for (question, sample) in given_up {
            self.replies.say(&Reply::Done(Answer::new(question, sample, 0).done(Stop::Cancelled)))?;
        }
        Ok(())
    }

    /// Gives free slots to those who wait, in order.
    fn admit(&mut self) {
        while let Some((question, _)) = self.waiting.front() {
            let is_reading = |slot: &Slot| slot.answer.as_ref().is_some_and(|answer| !answer.is_read(&slot.tokens));
            if self.slots.iter().any(is_reading) || !self.has_room_for(question) {
                return;
            }
            let prompt = &question.prompt.tokens;
            // One token has to be read anew, for the model to say what comes next.
            let most = if self.shares { prompt.len() - 1 } else { 0 };
            let common = |slot: &Slot| room::shared(&slot.tokens, prompt).min(most);
            let free = (0..self.slots.len()).filter(|at| self.slots[*at].answer.is_none());
            let Some(to) = free.max_by_key(|at| (common(&self.slots[*at]), u64::MAX - self.slots[*at].last_used))
            else {
                return;
            };
            let from = (0..self.slots.len()).max_by_key(|at| (common(&self.slots[*at]), *at == to)).unwrap_or(to);
            let length = common(&self.slots[from]);
            let Some((question, sample)) = self.waiting.pop_front() else { return };
            let cached = self.begin_with(from, to, length, &question);
            self.turn += 1;
            let slot = &mut self.slots[to];
            slot.answer = Some(Answer::new(question, sample, cached));
            slot.last_used = self.turn;
        }
    }

    /// Whether the context can hold the question and its answer beside those under way, to their full length.
    fn has_room_for(&self, question: &Question) -> bool {
        let under_way = self.slots.iter().filter_map(|slot| slot.answer.as_ref()).map(|answer| &*answer.question);
        let all: Vec<&Question> = under_way.chain([question]).collect();
        let prompts: Vec<&[LlamaToken]> = all.iter().map(|one| one.prompt.tokens.as_slice()).collect();
        let questions = if self.shares { room::needed(prompts) } else { prompts.iter().map(|one| one.len()).sum() };
        let answers: usize = all.iter().map(|one| one.max_tokens as usize).sum();
        questions + answers <= self.context.n_ctx() as usize
    }

    /// Lets slot `to` begin with the first `length` tokens of slot `from`, or with more if more is on disk. Gives the number
    /// of tokens that need not be read.
    fn begin_with(&mut self, from: usize, to: usize, length: usize, question: &Question) -> usize {
        let (prompt, fixed) = (&question.prompt.tokens, question.prompt.fixed);
        let is_longer_kept = length < fixed && fixed >= SHORTEST && fixed < prompt.len();
        if is_longer_kept && self.find_prefix(to, &prompt[..fixed]) {
            return fixed;
        }
        if from != to {
            self.empty(to);
            self.copy(from, to, length);
        } else if !self.cut(to, length) {
            self.empty(to);
        }
        self.slots[to].tokens.len()
    }

    fn find_prefix(&mut self, slot: usize, tokens: &[LlamaToken]) -> bool {
        if !self.prefixes.as_ref().is_some_and(|prefixes| prefixes.has(tokens)) {
            return false;
        }
        self.empty(slot);
        let prefixes = self.prefixes.as_ref();
        let is_found = prefixes.is_some_and(|prefixes| prefixes.find(tokens, &mut self.context, sequence(slot)));
        if is_found {
            self.slots[slot].tokens = tokens.to_vec();
        } else {
            self.empty(slot);
        }
        is_found
    }

    fn copy(&mut self, from: usize, to: usize, length: usize) {
        let end = u32::try_from(length).ok();
        if length > 0 && self.context.copy_kv_cache_seq(sequence(from), sequence(to), Some(0), end).is_ok() {
            self.slots[to].tokens = self.slots[from].tokens[..length].to_vec();
        }
    }

    fn cut(&mut self, slot: usize, length: usize) -> bool {
        let (of, from) = (u32::try_from(slot).ok(), u32::try_from(length).ok());
        let is_cut = self.context.clear_kv_cache_seq(of, from, None).unwrap_or(false);
        if is_cut {
            self.slots[slot].tokens.truncate(length);
        }
        is_cut
    }

    fn empty(&mut self, slot: usize) {
        // The whole of a sequence can always be removed.
        self.cut(slot, 0);
    }

    /// Takes every answer one step further.
    fn step(&mut self) -> Result<(), Gone> {
        let Some(pieces) = self.fill() else { return Ok(()) };
        loop {
            match self.context.decode(&mut self.batch) {
                Ok(()) => break,
                Err(DecodeError::NoKvCacheSlot) if self.forget() => {}
                Err(error) => return self.give_up(&error.to_string()),
            }
        }
        for Piece { slot, tokens, logits } in pieces {
            self.slots[slot].tokens.extend(tokens);
            self.keep_prefix(slot);
            if let Some(at) = logits {
                self.choose(slot, at)?;
            }
        }
        Ok(())
    }

    /// Fills the batch; `None` when there is nothing to do.
    fn fill(&mut self) -> Option<Vec<Piece>> {
        self.batch.clear();
        let mut pieces = Vec::new();
        for (number, slot) in self.slots.iter().enumerate() {
            let Some(answer) = &slot.answer else { continue };
            let left = (BATCH as usize).saturating_sub(pieces.iter().map(|piece: &Piece| piece.tokens.len()).sum());
            let (tokens, is_last) =
                answer.next_tokens(&slot.tokens, left.saturating_sub(SEQUENCES as usize - 1 - number));
            for (n, token) in tokens.iter().enumerate() {
                let position = i32::try_from(slot.tokens.len() + n).ok()?;
                let wants_logits = is_last && n + 1 == tokens.len();
                self.batch.add(*token, position, &[sequence(number)], wants_logits).ok()?;
            }
            let logits = (is_last && !tokens.is_empty()).then(|| self.batch.n_tokens() - 1);
            pieces.push(Piece { slot: number, tokens, logits });
        }
        (self.batch.n_tokens() > 0).then_some(pieces)
    }

    /// Frees the room that the slot takes whose answer ended first; false when no slot is idle.
    fn forget(&mut self) -> bool {
        let idle =
            (0..self.slots.len()).filter(|at| self.slots[*at].answer.is_none() && !self.slots[*at].tokens.is_empty());
        let Some(oldest) = idle.min_by_key(|at| self.slots[*at].last_used) else { return false };
        self.empty(oldest);
        true
    }

    /// Says that nothing can be answered any more, and ends.
    fn give_up(&mut self, why: &str) -> Result<(), Gone> {
        let answering = self.slots.iter().filter_map(|slot| slot.answer.as_ref()).map(|answer| answer.question.id);
        let ids: std::collections::BTreeSet<u64> =
            answering.chain(self.waiting.iter().map(|(one, _)| one.id)).collect();
        for id in ids {
            self.replies.fail(Some(id), FailKind::Broken, format!("the model could not be run: {why}"))?;
        }
        Err(Gone)
    }

    /// Keeps what the slot holds for the next worker, when it is just the part of a question that stays the same.
    fn keep_prefix(&self, number: usize) {
        let slot = &self.slots[number];
        let fixed = slot.answer.as_ref().map_or(0, |answer| answer.question.prompt.fixed);
        if let Some(prefixes) = &self.prefixes
            && fixed >= SHORTEST
            && slot.tokens.len() == fixed
            && !prefixes.has(&slot.tokens)
        {
            prefixes.keep(&slot.tokens, &self.context, sequence(number));
        }
    }

    /// Lets the slot's answer grow by what the model said last.
    fn choose(&mut self, slot: usize, at: i32) -> Result<(), Gone> {
        let Some(answer) = self.slots[slot].answer.as_mut() else { return Ok(()) };
        let (id, sample) = (answer.question.id, answer.sample);
        let next = answer.grow(self.context.get_logits_ith(at), &self.model.vocab());
        match next {
            Next::More(text) if text.is_empty() => Ok(()),
            Next::More(text) => self.replies.say(&Reply::Delta { id, sample, text }),
            Next::Ended(text, stop) => {
                if !text.is_empty() {
                    self.replies.say(&Reply::Delta { id, sample, text })?;
                }
                let done: Option<Done> = self.slots[slot].answer.take().map(|answer| answer.done(stop));
                done.map_or(Ok(()), |done| self.replies.say(&Reply::Done(done)))
            }
            Next::Failed(why) => {
                for slot in &mut self.slots {
                    slot.answer.take_if(|answer| answer.question.id == id);
                }
                self.waiting.retain(|(question, _)| question.id != id);
                self.replies.fail(Some(id), FailKind::BadSchema, why)
            }
        }
    }
}

/// What a step does for one slot.
struct Piece {
    slot: usize,
    tokens: Vec<LlamaToken>,
    /// Where the model says what comes next, if it does.
    logits: Option<i32>,
}

fn sequence(slot: usize) -> i32 {
    // INVARIANT: there are four slots.
    i32::try_from(slot).unwrap_or_default()
}
