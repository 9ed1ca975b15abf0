//! Ways to reach a model. There is one: an API over HTTP.

pub mod api;
mod retry;
