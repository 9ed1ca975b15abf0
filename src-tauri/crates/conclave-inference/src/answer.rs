//! What a model says back, once it has said all of it.
//!
//! Deliberately absent: partial answers. An answer that was cut, or that stopped at its length limit, is an
//! [`AskError`](crate::AskError), so nobody can mistake half a fix for a whole one.

use serde::Serialize;

use crate::error::quote;

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    /// The model answered.
    Text {
        /// What it wrote; never blank.
        text: String,
        /// Whether the server was held to the schema of the request.
        form: Form,
        /// What it cost, where the server says so.
        usage: Option<Usage>,
        /// The model that answered, in the server's words; the one asked for where the server is silent.
        model: String,
    },
    /// The model, or a filter in front of it, declined: no opinion, and no error either.
    Refusal {
        /// The reason given.
        reason: String,
        /// What it cost, where the server says so.
        usage: Option<Usage>,
        /// The model that declined.
        model: String,
    },
}

impl Answer {
    /// What it cost, where the server says so.
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Text { usage, .. } | Self::Refusal { usage, .. } => *usage,
        }
    }

    /// The same answer, with what an exchange before it cost added; unknown where one of the two is.
    pub(crate) fn after(mut self, before: Option<Usage>) -> Self {
        let (Self::Text { usage, .. } | Self::Refusal { usage, .. }) = &mut self;
        *usage = before.zip(*usage).map(|(before, usage)| before.plus(usage));
        self
    }

    /// The same answer with everything that goes straight to a screen on one short line, without `key`. The text is
    /// left as it is: it is read as data, and whoever shows it knows how.
    pub(crate) fn tidy(mut self, key: Option<&str>) -> Self {
        match &mut self {
            Self::Text { model, .. } => *model = quote(model, key),
            Self::Refusal { reason, model, .. } => {
                *reason = quote(reason, key);
                *model = quote(model, key);
            }
        }
        self
    }
}

/// How far the form of an answer was enforced by the server. It is checked again by whoever reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The schema went with the request and was not refused.
    Schema,
    /// No schema was asked for, or the server refused it and was asked again without.
    Free,
}

/// Tokens used, as the server counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// Of the tokens read, those the server had in its cache.
    pub cached_tokens: u64,
    /// Of the tokens written, those of its reasoning, where the server tells them apart.
    pub reasoning_tokens: u64,
}

impl Usage {
    fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
        }
    }
}
