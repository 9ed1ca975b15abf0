//! Tools that a model may use while it answers.
//!
//! Deliberately absent: what a tool does, and whether it may: the host decides both. A model's wish to use a tool is data
//! until the host has taken it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

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
