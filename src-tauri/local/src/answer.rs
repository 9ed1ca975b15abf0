//! A question, and one answer to it as it grows.

use std::rc::Rc;

use conclave_core::local::{Done, LocalUsage, LogProbability, Stop};
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;
use llguidance::Matcher;

use crate::choice::{Random, choose};
use crate::prompt::Prompt;
use crate::text::Text;

/// A question that can be answered.
pub struct Question {
    /// Its number.
    pub id: u64,
    /// Its tokens, never none.
    pub prompt: Prompt,
    /// What its answers are held to; at its beginning.
    pub constraint: Option<Matcher>,
    /// Most tokens of each answer.
    pub max_tokens: u32,
    /// How far the choice may stray.
    pub temperature: f32,
    /// Where it strays to.
    pub seed: u64,
}

/// An answer under way.
pub struct Answer {
    /// What was asked.
    pub question: Rc<Question>,
    /// Which answer to it.
    pub sample: u32,
    cached: usize,
    constraint: Option<Matcher>,
    random: Random,
    text: Text,
    /// The token that was chosen and that the model has not read yet.
    last: Option<LlamaToken>,
    output: u32,
    sum: f64,
    min: f32,
}

/// How an answer goes on.
pub enum Next {
    /// With this text.
    More(String),
    /// Not, after this text.
    Ended(String, Stop),
    /// Not, and what there is does not count.
    Failed(String),
}

impl Answer {
    /// An answer of which nothing has come. `cached` tokens of its question need not be read.
    pub fn new(question: Rc<Question>, sample: u32, cached: usize) -> Self {
        Self {
            sample,
            cached,
            constraint: question.constraint.as_ref().map(Matcher::deep_clone),
            random: Random::new(question.seed.wrapping_add(u64::from(sample))),
            text: Text::default(),
            last: None,
            output: 0,
            sum: 0.0,
            min: 0.0,
            question,
        }
    }

    /// Whether the whole question has been read when `read` has been.
    pub fn is_read(&self, read: &[LlamaToken]) -> bool {
        read.len() >= self.question.prompt.tokens.len()
    }

    /// What the model has to read next, at most `most` tokens of a question, and whether something can be chosen then.
    /// It stops after the part that stays the same from question to question.
    pub fn next_tokens(&self, read: &[LlamaToken], most: usize) -> (Vec<LlamaToken>, bool) {
        if let Some(last) = self.last {
            return (vec![last], true);
        }
        let Prompt { tokens, fixed } = &self.question.prompt;
        let from = read.len().min(tokens.len());
        let end = if from < *fixed { *fixed } else { tokens.len() };
        let to = end.min(from + most);
        (tokens[from..to].to_vec(), to == tokens.len())
    }

    /// Chooses the next token.
    pub fn grow(&mut self, logits: &[f32], vocabulary: &LlamaVocab<'_>) -> Next {
        let mask = match self.constraint.as_mut().map(Matcher::compute_mask).transpose() {
            Ok(mask) => mask,
            Err(error) => return Next::Failed(format!("the schema cannot be held to: {error}")),
        };
        let number = |token: usize| u32::try_from(token).unwrap_or(u32::MAX);
        let allowed = |token| mask.as_ref().is_none_or(|mask| mask.is_allowed(number(token)));
        let Some(choice) = choose(logits, allowed, self.question.temperature, &mut self.random) else {
            return Next::Failed("the schema leaves nothing to say".to_owned());
        };
        let token = LlamaToken(choice.token.try_into().unwrap_or_default());
        self.output += 1;
        self.sum += f64::from(choice.log_probability);
        self.min = self.min.min(choice.log_probability);
        if vocabulary.is_eog(token) {
            return Next::Ended(String::new(), Stop::End);
        }
        if let Some(Err(error)) = self.constraint.as_mut().map(|matcher| matcher.consume_token(number(choice.token))) {
            return Next::Failed(format!("the schema cannot be held to: {error}"));
        }
        let text = self.text.push(&vocabulary.token_to_piece(token, false, None));
        // Nothing can follow, so the model need not be asked.
        if self.constraint.as_ref().is_some_and(Matcher::is_stopped) {
            return Next::Ended(text, Stop::End);
        }
        if self.output >= self.question.max_tokens {
            return Next::Ended(text, Stop::Length);
        }
        self.last = Some(token);
        Next::More(text)
    }

    /// The answer as it is.
    pub fn done(self, stop: Stop) -> Done {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let usage = LocalUsage {
            input: count(self.question.prompt.tokens.len()),
            cached: count(self.cached),
            output: self.output,
        };
        #[expect(clippy::cast_possible_truncation, reason = "a mean of few digits")]
        let mean = (self.sum / f64::from(self.output.max(1))) as f32;
        let log_probability = (self.output > 0).then_some(LogProbability { mean, min: self.min });
        Done { id: self.question.id, sample: self.sample, text: self.text.whole(), stop, usage, log_probability }
    }
}
