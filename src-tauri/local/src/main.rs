//! `conclave-local`: runs one GGUF model and answers questions to it.
//!
//! It hears [`Request`](conclave_core::local::Request)s as JSON lines on standard input and says
//! [`Reply`](conclave_core::local::Reply)s as JSON lines on standard output; what llama.cpp has to say goes to standard
//! error, for people. In order:
//!
//! - `inspect` at any time, answered by `inspected` or `failed`;
//! - `load` once, answered by `loaded` or `failed`; a failed one may be tried again;
//! - `ask` as often as one likes, also before earlier ones are answered. Each of its samples gives any number of `delta`
//!   and one `done`; a question that fails gives one `failed` instead of the `done` that are still to come. The samples of
//!   all questions share one context, four of them at a time, and the others wait for their turn;
//! - `cancel` gives `done` with the stop `cancelled` for each sample that has not ended; what has ended stays so, and an
//!   unknown number is nothing.
//!
//! A line that is not understood gives `failed` and nothing else. At the end of its input the worker ends at once: nobody
//! is left to hear it.
//!
//! A process of its own because llama.cpp aborts where it cannot go on, which nothing in the process can catch; because a
//! model is gigabytes of memory; and because its kernels want a newer processor (x86-64-v3) than the rest of Conclave. So
//! whoever starts it takes its end for an answer. It opens no port and needs no network.
//!
//! Invariants: the text of a question can never be a control token of the model's template; an answer with a schema and
//! the stop `end` holds to it; what is kept on disk is the system text of a question and nothing else.

mod answer;
mod choice;
mod engine;
mod lines;
mod model;
mod prefix;
mod prompt;
mod room;
mod session;
mod text;
mod threads;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Errors and warnings only: llama.cpp tells of every tensor that it loads.
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).with_ansi(false).init();
    llama_cpp_2::send_logs_to_tracing(llama_cpp_2::LogOptions::default());
    let incoming = lines::listen(std::io::stdin());
    match engine::serve(&incoming, &mut lines::Replies::new(std::io::stdout())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(lines::Gone) => ExitCode::FAILURE,
    }
}
