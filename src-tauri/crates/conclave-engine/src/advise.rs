//! What Conclave says about the tool calls of somebody else's agent.
//!
//! The agent's client asks before a call and reports after it; Conclave judges, records and compares, and never makes
//! the call. Deliberately absent: the clients' wire formats, which belong to the faces.

mod call;
pub mod client;
mod exact;
pub mod settings;
mod tools;

pub use call::{AgentCall, MODE, TooMuch};
pub use exact::{Ambiguous, LARGEST, read_exact};
