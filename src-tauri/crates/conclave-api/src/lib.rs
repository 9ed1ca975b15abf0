//! The one list of commands, their wire types and tags.

pub mod error;
pub mod view;
