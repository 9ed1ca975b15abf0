//! What a call costs at most, what it cost, and where that is set aside.
//!
//! Deliberately absent: caps and sums, which belong to whoever keeps the purse. An unknown price is unknown, never zero.

use std::future::Future;
use std::pin::Pin;

use conclave_core::money::Money;
use conclave_core::settings::PriceSetting;
use serde::Serialize;

use crate::answer::Usage;
use crate::error::AskError;
use crate::request::ModelRequest;

/// What a model costs, in dollars for a million tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Price {
    /// Tokens read.
    pub input: Money,
    /// Tokens written, reasoning included.
    pub output: Money,
    /// Tokens read from the server's cache.
    pub cached: Money,
    /// The day that it is known from, as `2026-11-01`; `None` where the person set it.
    pub dated: Option<String>,
    /// What it is instead for long questions; `None` where their length does not matter.
    pub long: Option<LongPrice>,
}

/// What a long question and its answer cost, every token of them, in dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LongPrice {
    /// A question of more tokens than this is long.
    pub above_tokens: u32,
    /// Tokens read.
    pub input: Money,
    /// Tokens written, reasoning included.
    pub output: Money,
    /// Tokens read from the server's cache.
    pub cached: Money,
}

impl Price {
    /// A model that runs on this machine costs nothing.
    pub const FREE: Self =
        Self { input: Money::ZERO, output: Money::ZERO, cached: Money::ZERO, dated: None, long: None };

    /// What tokens read, from the cache, and written cost where the question has `input_tokens`.
    fn rates(&self, input_tokens: u64) -> [Money; 3] {
        match self.long {
            Some(long) if input_tokens > u64::from(long.above_tokens) => [long.input, long.cached, long.output],
            _ => [self.input, self.cached, self.output],
        }
    }

    /// What `request` costs at most, on the safe side: a token for every two bytes of ASCII and for every other byte,
    /// where source code has about four bytes of ASCII a token, and the longest answer. `None` when the sum does not fit.
    pub fn most(&self, request: &ModelRequest) -> Option<Money> {
        self.most_with(request, "")
    }

    /// The same of `request` with these words beside it.
    pub fn most_with(&self, request: &ModelRequest, beside: &str) -> Option<Money> {
        let tokens = |text: &str| {
            let ascii = text.bytes().filter(u8::is_ascii).count();
            (ascii.div_ceil(2) + (text.len() - ascii)) as u64
        };
        self.of(request, beside, tokens, u64::from(request.max_tokens))
    }

    /// What `request` costs when it goes well: a token for every four bytes, and a quarter of the room for an answer.
    /// `None` when the sum does not fit.
    pub fn usual(&self, request: &ModelRequest) -> Option<Money> {
        self.of(request, "", |text| text.len().div_ceil(4) as u64, u64::from(request.max_tokens).div_ceil(4))
    }

    /// What `request` with the words `beside` it costs where a text has so many `tokens` and the answer has `output`.
    fn of(&self, request: &ModelRequest, beside: &str, tokens: impl Fn(&str) -> u64, output: u64) -> Option<Money> {
        let schema = request.schema.as_ref().map(ToString::to_string).unwrap_or_default();
        let texts = [&request.system, &request.user, &schema, beside];
        let input = texts.map(tokens).iter().sum::<u64>() + FRAME;
        let [read, _, written] = self.rates(input);
        part(read, input)?.checked_add(part(written, output)?)
    }

    /// What `usage` cost. `None` when the sum does not fit.
    pub fn cost(&self, usage: &Usage) -> Option<Money> {
        let cached = usage.cached_tokens.min(usage.input_tokens);
        let [read, again, written] = self.rates(usage.input_tokens);
        part(read, usage.input_tokens - cached)?
            .checked_add(part(again, cached)?)?
            .checked_add(part(written, usage.output_tokens)?)
    }
}

impl From<PriceSetting> for Price {
    fn from(setting: PriceSetting) -> Self {
        Self {
            input: setting.input,
            output: setting.output,
            cached: setting.cached.unwrap_or(setting.input),
            dated: None,
            long: None,
        }
    }
}

/// Tokens that a server puts around a question.
const FRAME: u64 = 64;

/// The price of `tokens` at `per_million`, rounded up to a micro-dollar.
fn part(per_million: Money, tokens: u64) -> Option<Money> {
    let micros = (u128::from(per_million.micros()) * u128::from(tokens)).div_ceil(1_000_000);
    u64::try_from(micros).ok().map(Money::from_micros)
}

/// Sets money aside before a call. One purse is for the calls of one purpose: it knows the run, the finding, the project.
pub trait Purse: Send + Sync {
    /// Sets `most` aside, durably, for one call to `provider`; `None` is a call of unknown price.
    ///
    /// # Errors
    /// [`AskError::OverBudget`] when a limit would be passed, or is set while the price is unknown.
    fn reserve<'a>(&'a self, provider: &'a str, model: &'a str, most: Option<Money>) -> Setting<'a>;
}

/// Money being set aside.
pub type Setting<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Hold>, AskError>> + Send + 'a>>;

/// Money that is set aside. Dropped, it stays set aside and counts as spent.
pub trait Hold: Send {
    /// Replaces what was set aside by what it came to.
    fn settle(self: Box<Self>, spent: Spent);

    /// Gives back what was set aside, because nothing was sent: there was no call.
    fn give_back(self: Box<Self>);
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The cost; `None` where the server counted nothing or the price is unknown: what was set aside stays.
    pub cost: Option<Money>,
    /// The tokens, where the server counted them.
    pub usage: Option<Usage>,
    /// How the call ended: `answered`, `declined`, `cancelled`, or a kind of [`AskError`].
    pub outcome: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price() -> Price {
        let dollars = |n: u64| Money::from_micros(n * 1_000_000);
        Price { input: dollars(4), output: dollars(20), cached: dollars(1), dated: None, long: None }
    }

    #[test]
    fn a_call_costs_what_its_tokens_cost() {
        let usage = |input_tokens, cached_tokens, output_tokens| Usage {
            input_tokens,
            cached_tokens,
            output_tokens,
            ..Usage::default()
        };
        for (usage, micros) in [
            (usage(1_000_000, 0, 0), 4_000_000),
            (usage(1_000_000, 1_000_000, 0), 1_000_000),
            (usage(0, 0, 1_000_000), 20_000_000),
            (usage(1000, 400, 50), 2400 + 400 + 1000),
            // Rounded up, never down.
            (usage(1, 0, 0), 4),
            // A server that counts more cached tokens than it read.
            (usage(10, 20, 0), 10),
        ] {
            assert_eq!(price().cost(&usage), Some(Money::from_micros(micros)), "{usage:?}");
        }
        let much = Price { input: Money::from_micros(u64::MAX), ..price() };
        assert_eq!(much.cost(&usage(u64::MAX, 0, 0)), None);
    }

    #[test]
    fn a_long_question_has_its_own_price_for_every_token_of_it_and_of_its_answer() {
        let dollars = |n: u64| Money::from_micros(n * 1_000_000);
        let long = LongPrice { above_tokens: 1000, input: dollars(8), output: dollars(30), cached: dollars(2) };
        let price = Price { long: Some(long), ..price() };
        let usage =
            |input_tokens, cached_tokens| Usage { input_tokens, cached_tokens, output_tokens: 10, ..Usage::default() };
        for (usage, micros) in [
            (usage(1000, 0), 4000 + 200),
            (usage(1001, 0), 8008 + 300),
            // What comes out of the cache is part of its length.
            (usage(1001, 1000), 8 + 2000 + 300),
        ] {
            assert_eq!(price.cost(&usage), Some(Money::from_micros(micros)), "{usage:?}");
        }
        let request = |bytes| ModelRequest {
            system: String::new(),
            user: "x".repeat(bytes),
            max_tokens: 10,
            schema: None,
            schema_name: "s".to_owned(),
            sample: 0,
        };
        // 64 tokens around the question: one more byte than fits below the step.
        assert_eq!(price.most(&request(2 * 936)).map(Money::micros), Some(4000 + 200));
        assert_eq!(price.most(&request(2 * 936 + 1)).map(Money::micros), Some(8008 + 300));
    }

    #[test]
    fn a_call_is_estimated_on_the_safe_side() {
        let request = |system: &str, user: &str| ModelRequest {
            system: system.to_owned(),
            user: user.to_owned(),
            max_tokens: 1000,
            schema: None,
            schema_name: "s".to_owned(),
            sample: 0,
        };
        // 64 tokens around the question, and 1000 in the answer.
        for (text, tokens) in [("", 0), ("a", 1), ("let x = 1;\n", 6), ("日本語", 9), ("a🦀", 5)] {
            let most = price().most(&request(text, text)).map(Money::micros);
            assert_eq!(most, Some((64 + 2 * tokens) * 4 + 20_000), "{text}");
        }
    }
}
