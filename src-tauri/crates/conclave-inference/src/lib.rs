//! One way to ask any model.
//!
//! Start at [`Provider`]: it takes a question to a model through the gate and brings back a complete answer, or an
//! [`AskError`] that says what to do differently. The wire formats are pure translations in [`dialect`]; each way to
//! reach a model is one file in [`provider`]. Whom to ask, and within which limits, is the [`Strategy`]'s.
//!
//! Deliberately absent: prompts (they belong to the engine), a socket of its own (`conclave-effects` has the only
//! one), and any use of what a model says: an answer is text, never an instruction and never evidence.

pub mod answer;
pub mod breaker;
mod cache;
pub mod catalogue;
mod class;
pub mod config;
pub mod dialect;
pub mod discover;
pub mod error;
pub mod health;
pub mod metrics;
pub mod money;
pub mod probe;
pub mod provider;
pub mod request;
pub mod strategy;
pub mod tools;

pub use answer::{Answer, Form, Usage};
pub use discover::{Address, Look, Offered, Server, ServerKind, discover};
pub use error::{AskError, Waiting, quote};
pub use health::{Health, State, Trial};
pub use metrics::{Counts, prometheus};
pub use money::{Hold, LongPrice, Price, Purse, Spent};
pub use probe::{Probed, probe};
pub use provider::api::Api;
pub use provider::cli::Cli;
pub use provider::local::Local;
pub use provider::sampling::Sampling;
pub use provider::{Asking, Call, Capabilities, Checked, Info, Kind, Provider, Reach, Sketch};
pub use request::{About, Exchanged, Log, ModelRequest, Terms};
pub use strategy::{Agrees, Beside, Carrier, Member, Priority, Question, Strategy, StrategyError, Try, Won};
pub use tools::{ToolHost, ToolOffer, ToolResult, Tools};
