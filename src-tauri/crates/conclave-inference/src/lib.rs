//! One way to ask any model.
//!
//! Start at [`ask`]: it takes a question to an endpoint through the gate and brings back a complete answer, or an
//! [`AskError`] that says what to do differently. The wire formats are pure translations in [`dialect`]; the ways to
//! reach a model are in [`provider`].
//!
//! Deliberately absent: prompts (they belong to the engine), a socket of its own (`conclave-effects` has the only
//! one), and any use of what a model says: an answer is text, never an instruction and never evidence.

pub mod answer;
mod class;
pub mod dialect;
pub mod error;
pub mod provider;
pub mod request;

pub use answer::{Answer, Form, Usage};
pub use error::{AskError, Waiting, quote};
pub use provider::api::{ask, question};
pub use request::{About, Endpoint, Exchanged, Log, ModelRequest, Terms};
