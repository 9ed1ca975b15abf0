//! Tool servers as they are installed, in the real sandbox, each use through the gate.
#![allow(clippy::disallowed_methods, reason = "the tests play the host that a server reaches")]

#[cfg(test)]
mod ground;
#[cfg(test)]
mod hosted;
#[cfg(test)]
mod servers;
