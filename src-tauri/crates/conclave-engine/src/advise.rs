//! What Conclave says about the tool calls of somebody else's agent.
//!
//! The agent's client asks before a call and reports after it; Conclave judges, records and compares, and never makes
//! the call. Deliberately absent: the clients' wire formats, which belong to the faces.

mod advisor;
mod call;
pub mod client;
mod exact;
mod hearing;
pub mod install;
mod reach;
pub mod settings;
mod shell;
mod tools;

pub use advisor::{Advice, AdviseError, Advisor, Compared};
pub use call::{AgentCall, MODE, TooMuch};
pub use conclave_effects::sample::{Answering, Client, ClientError, Question};
pub use conclave_policy::{Action, Actor, AmbiguousInput, Decision, Effective, Layer, Reviewed, parse_request};
pub use exact::{LARGEST, read_exact};
pub use hearing::{Hearing, Word};
