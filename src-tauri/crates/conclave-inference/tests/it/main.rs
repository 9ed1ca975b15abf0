//! Tests of the whole way: gate, HTTP, dialect, and a server at the other end.
#![allow(clippy::disallowed_methods, reason = "the tests play, or start, the server that is asked")]

#[cfg(test)]
mod class;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod discover;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod llama;
#[cfg(test)]
mod local;
#[cfg(test)]
mod sampling;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod voice;
