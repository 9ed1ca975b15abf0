//! Starts the window.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what goes wrong before there is a window is said here")]

use std::process::ExitCode;

use conclave_app::{Arguments, USAGE, run};

fn main() -> ExitCode {
    // In a sandbox, as the last step before another program.
    if let Some(code) = conclave_api::sandbox_guest::serve() {
        return code.into();
    }
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match Arguments::parse(words).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conclave-app: {error:#}");
            ExitCode::from(2)
        }
    }
}
