//! What a finding, a candidate, evidence and a resolution *are*, and the pure functions between them.
//!
//! Deliberately absent: IO, clocks, randomness, async, and every other crate of ours.
//! Invariant: the same inputs give byte-identical outputs, so that any result can be replayed and audited.

pub mod auto_apply;
pub mod brief;
pub mod calibration;
pub mod candidate;
pub mod cluster;
pub mod comparison;
pub mod confidence;
pub mod configuration;
pub mod digest;
pub mod evidence;
pub mod finding;
pub mod fingerprint;
pub mod id;
pub mod judgement;
pub mod label;
pub mod language;
pub mod local;
pub mod merge;
pub mod money;
pub mod patch;
pub mod path;
pub mod project;
pub mod record;
pub mod resolution;
pub mod settings;
pub mod smell;
pub mod synthesis;
pub mod tier;
pub mod weakness;
