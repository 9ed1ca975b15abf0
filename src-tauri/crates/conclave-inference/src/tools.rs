//! Tools that a model may use while it answers.
//!
//! Deliberately absent: what a tool does, and whether it may: the host decides both. A model's wish to use a tool is data
//! until the host has taken it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::quote;

/// The longest answer of a tool that a model is given, in bytes.
const MOST_RESULT: usize = 256 * 1024;

/// A tool as models are told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolOffer {
    /// Its name: at most 64 letters, digits, `_` and `-`.
    pub name: String,
    /// What it is for, in words.
    pub description: String,
    /// The JSON Schema of its arguments, an object.
    pub schema: Value,
}

/// The tools that a model may use for one answer, and how often.
#[derive(Clone)]
pub struct Tools {
    /// Whoever carries out what it wants of them.
    pub host: Arc<dyn ToolHost>,
    /// The most calls, over the whole answer.
    pub most_calls: u32,
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// Its words.
    pub text: String,
    /// Whether they say what went wrong.
    pub is_error: bool,
}

/// Whoever carries out what a model wants of its tools.
pub trait ToolHost: Send + Sync {
    /// The tools, in a fixed order.
    fn offers(&self) -> Vec<ToolOffer>;

    /// Uses the tool `name`. One that is not offered, that may not be used or that fails is an error in words for the
    /// model.
    fn call<'a>(&'a self, name: &'a str, arguments: Value) -> Pin<Box<dyn Future<Output = ToolResult> + Send + 'a>>;
}

impl ToolResult {
    /// What went wrong, in words.
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_error: true }
    }

    /// The same, with no more words than a model is given.
    fn short(mut self) -> Self {
        if self.text.len() > MOST_RESULT {
            self.text.truncate(self.text.floor_char_boundary(MOST_RESULT));
            self.text.push_str("\n[cut here: the answer of the tool was longer]");
        }
        self
    }
}

/// The use of tools for one answer. Every wish counts, whatever comes of it, so whoever wishes for ever comes to an end.
pub(crate) struct Desk {
    host: Arc<dyn ToolHost>,
    offers: Vec<ToolOffer>,
    most: u32,
    left: u32,
}

impl Desk {
    pub fn new(tools: &Tools) -> Self {
        let offers = if tools.most_calls == 0 { Vec::new() } else { tools.host.offers() };
        Self { host: Arc::clone(&tools.host), offers, most: tools.most_calls, left: tools.most_calls }
    }

    pub fn offers(&self) -> &[ToolOffer] {
        &self.offers
    }

    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// No call is taken any more.
    pub fn close(&mut self) {
        self.left = 0;
    }

    /// What comes of a call. The host hears of one that is offered, has arguments and is not one too many, and of no
    /// other.
    pub async fn call(&mut self, name: &str, arguments: Result<Map<String, Value>, String>) -> ToolResult {
        let Some(left) = self.left.checked_sub(1) else {
            return ToolResult::error(format!(
                "this was not done: no more than {} calls are made for one answer; answer with what you have",
                self.most
            ));
        };
        self.left = left;
        if !self.offers.iter().any(|offer| offer.name == name) {
            let known = self.offers.iter().map(|offer| format!("`{}`", offer.name)).collect::<Vec<_>>().join(", ");
            return ToolResult::error(format!("there is no tool `{}`; there are {known}", quote(name, None)));
        }
        match arguments {
            Ok(arguments) => self.host.call(name, Value::Object(arguments)).await.short(),
            Err(why) => ToolResult::error(format!("this was not done: {}", quote(&why, None))),
        }
    }
}
