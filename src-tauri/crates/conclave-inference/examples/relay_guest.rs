//! The guest of the sandbox by itself, which `conclave` is too: the tests of this crate run programs with it.

use std::process::ExitCode;

fn main() -> ExitCode {
    conclave_effects::agent::guest::run().into()
}
