//! Wire formats as pure translations: a request into a body, bytes into an answer.
//!
//! Deliberately absent: sockets, clocks, retries, keys. A dialect sees the bytes of one exchange and nothing else.

pub mod openai_chat;
mod sse;
