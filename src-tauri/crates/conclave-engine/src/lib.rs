//! The straight line: takes a finding through its stages within its budget, applies and undoes.
//!
//! Read `run.rs` first. Deliberately absent: Tauri, JSON on the wire, printing, and any effect without a permit.

pub mod advise;
mod answer;
pub mod apply;
pub mod batch;
mod blocking;
pub mod check;
pub mod clients;
pub mod ctx;
pub mod day;
pub mod decide;
mod deliberate;
pub mod demo;
pub mod doctor;
pub mod event;
pub mod export;
pub mod ingest;
mod judge;
pub mod keys;
pub mod learn;
mod live;
pub mod memory_file;
pub mod model_edit;
pub mod model_list;
pub mod models;
pub mod named;
pub mod open;
mod panel;
pub mod patterns;
pub mod plan;
pub mod policies;
pub mod preview;
pub mod project;
pub mod prompt;
mod proof;
pub mod queue;
pub mod replay;
mod review;
pub mod run;
pub mod runner;
pub mod scan;
pub mod scanner;
pub mod servers;
pub mod settings_file;
pub mod source;
pub mod spending;
mod splice;
pub mod stage;
pub mod together;
pub mod tool_servers;
pub mod watch;

pub use conclave_effects::agent::guest as relay_guest;
pub use conclave_effects::sandbox::confine as sandbox_guest;
pub use conclave_effects::{Denied, FsError, ModelClass, Secret};
pub use conclave_sarif::Refused;
