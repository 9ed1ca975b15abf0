//! The second look at what the policy samples.

#![allow(dead_code)]
mod verdict;
