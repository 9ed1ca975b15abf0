//! SARIF 2.1.0 in and out: streaming, tolerant, pure.
//!
//! [`read()`] turns a log of any tool into detections and complaints; [`write()`] writes findings with their fixes. Nothing
//! is opened or fetched here: the log comes as a reader, and what it names are paths inside the project or words.
//!
//! Invariants: a result that cannot be read is a complaint beside the good ones; a tool that failed is never clean;
//! memory is bounded by [`Limits`] and not by the file; environment variables, command lines, web requests, snippets and
//! contents of artifacts are never kept.

mod complaint;
mod cwe;
mod dialect;
mod frame;
mod lenient;
mod limits;
mod message;
mod read;
mod region;
mod resolve;
mod result;
mod rule;
mod run;
mod severity;
mod state;
mod survey;
mod wire;
mod write;

pub use complaint::{Complaint, Fault, Place};
pub use limits::Limits;
pub use read::{Log, ReadOptions, Refused, RunReport, VERSION, read};
pub use run::Analysed;
pub use state::{RunState, Unread};
pub use write::{FINGERPRINT, OutFile, OutFix, OutResult, OutRun, write};

#[cfg(test)]
mod tests;
