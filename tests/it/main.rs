//! Conclave as a whole, from the outside.

// These tests look at the tree and start programs; the bans hold for the product.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod architecture;
mod asks;
mod cli;
mod clients;
mod compare;
mod config;
mod deliberation;
mod documents;
mod far;
mod hook;
mod hostile_model;
mod keyring;
mod keys;
mod model;
mod models;
mod obedient;
mod panel;
mod policy;
mod program;
mod repository;
mod requirements;
mod sampling;
mod serving;
mod tree;
