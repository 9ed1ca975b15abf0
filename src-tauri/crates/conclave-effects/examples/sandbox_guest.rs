//! The guest of the sandbox by itself, which Conclave's programs are too: the tests of this crate run programs with it.

use std::process::ExitCode;

fn main() -> ExitCode {
    conclave_effects::sandbox::confine::serve().unwrap_or(2).into()
}
