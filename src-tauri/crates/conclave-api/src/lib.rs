//! The one list of commands, their wire types and tags.
//!
//! Deliberately absent: business logic (it is the engine's) and anything about windows or terminals.

pub mod api;
pub mod batch;
pub mod clients;
pub mod commands;
mod diff;
pub mod error;
mod fault;
mod handler;
mod show;
pub mod view;

pub use api::{Api, Options, Subscription, default_data_dir};
pub use conclave_core::candidate::FixClass;
pub use conclave_core::comparison::Preference;
pub use conclave_core::evidence::{Check, CheckOutcome};
pub use conclave_core::finding::{DismissReason, Severity, Status};
pub use conclave_core::label::{Reason, Thumb};
pub use conclave_core::money::Money;
pub use conclave_core::settings::ToolKind;
pub use conclave_core::tier::{Mode, Role};
pub use conclave_engine::advise;
pub use conclave_engine::{relay_guest, sandbox_guest};
