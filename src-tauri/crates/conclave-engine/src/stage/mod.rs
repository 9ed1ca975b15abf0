//! The stages of the straight line, one file each; only `run.rs` calls them.

mod again;
mod ask;
mod chain;
mod gather;
mod judge;
mod model_seat;
mod parts;
mod propose;
mod smells;
mod synthesise;
mod verify;

pub(crate) use again::{again, with};
pub(crate) use ask::{Panel, priority, seated};
pub(crate) use gather::{gather, unit};
pub use judge::Opinions;
pub(crate) use judge::judge;
pub use propose::empty_model_seat;
pub(crate) use propose::{empty, on_demand, panel, propose, unpaid};
pub(crate) use smells::compare_with;
pub(crate) use synthesise::{synthesise, verify_made};
pub(crate) use verify::{examine, verify};
